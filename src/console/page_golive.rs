//! "Ready for go-live?": the review's checks as sentences, and what the answers differ in.

use crate::console::insight::{Differences, Insight};
use crate::console::view::IntegrationView;
use crate::console::words;
use crate::review::{Check, Review, Verdict};
use maud::{Markup, html};

/// Places of differences listed.
const PLACES_MAX: usize = 12;

/// Symbol and word of an answer, never colour alone.
pub(crate) fn verdict_words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Go => ("✓", "Ready"),
        Verdict::NoGo => ("✗", "Not yet"),
        Verdict::CannotSay => ("?", "Not enough data"),
    }
}

/// The section of the checks.
pub(crate) fn golive(insight: &Insight) -> Markup {
    html! {
        section.card #golive aria-labelledby="golive-title" {
            @match &insight.review {
                Err(why) => {
                    h2 #golive-title { "Ready for go-live? " span.badge.cannot_say { span aria-hidden="true" { "? " } "Not enough data" } }
                    p.quiet { (why) "." }
                }
                Ok(review) => { (answered(review, insight.read_unix_us)) }
            }
        }
    }
}

fn answered(review: &Review, read_unix_us: i64) -> Markup {
    let (symbol, word) = verdict_words(review.verdict);
    let count = |verdict| review.with(verdict).count();
    let (holds, against, unknown) = (count(Verdict::Go), count(Verdict::NoGo), count(Verdict::CannotSay));
    html! {
        h2 #golive-title { "Ready for go-live? " span class={ "badge " (review.verdict.name()) } { span aria-hidden="true" { (symbol) } " " (word) } }
        p { strong { (holds) " of " (review.checks.len()) " checks hold" }
            @if against > 0 { ", " (against) @if against == 1 { " does not" } @else { " do not" } }
            @if unknown > 0 { ", " (unknown) " cannot be answered yet" } ". " (review.seen) }
        ul.checks {
            @for verdict in [Verdict::NoGo, Verdict::CannotSay] { @for check in review.with(verdict) { (one(check)) } }
        }
        @if holds > 0 { details open[review.verdict == Verdict::Go] {
            summary { (holds) " checks hold" }
            ul.checks { @for check in review.with(Verdict::Go) { (one(check)) } }
        } }
        p.quiet { "Review and charts as of " (words::time(read_unix_us)) ". The same review as one file: " code { "darklaunch review " (review.integration) " --html review.html" } }
    }
}

fn one(check: &Check) -> Markup {
    let (symbol, word) = verdict_words(check.verdict);
    html! {
        li class={ "check " (check.verdict.name()) } {
            span.mark aria-hidden="true" { (symbol) }
            div {
                strong { (check.title) } " " span.said { (word) ": " (check.found) }
                p.quiet { "Goal: " (check.goal) " · from " (words::calls(check.calls))
                    @if !check.next.is_empty() { " · " strong { "Next: " (check.next) } } }
            }
        }
    }
}

/// The section of what the answers differ in.
pub(crate) fn differences(now: &IntegrationView, found: &Differences) -> Markup {
    if now.primary_name().is_none() {
        return html! {};
    }
    let rest = found.places.len().saturating_sub(PLACES_MAX);
    html! {
        section.card aria-labelledby="differs" {
            h2 #differs { "What differs between the answers?" }
            @if found.compared == 0 { p.quiet { "No two answers could be compared yet." } }
            @else {
                p { "Of the latest " (words::calls(found.compared)) " that could be compared, " strong { (words::share(found.same, found.compared)) }
                    " have the same answer from both providers." }
                @if !found.places.is_empty() {
                    div.scroll role="region" aria-label="Differences" tabindex="0" { table.stack {
                        thead { tr { th scope="col" { "Where" } th scope="col" { "How" } th scope="col" { "Endpoint" } th.n scope="col" { "Recordings" } } }
                        @for (endpoint, path, what, count) in found.places.iter().take(PLACES_MAX) { tbody { tr {
                            th.title scope="row" { code { (path) } } td.half data-label="How" { (what_words(what)) }
                            td.wide.after { code { (endpoint) } } td.n data-label="Recordings" { (words::count(*count)) }
                        } } }
                    } }
                    @if rest > 0 { p.quiet { "and " (rest) " more places" } }
                }
            }
        }
    }
}

/// What a kind of difference means.
pub(crate) fn what_words(what: &str) -> &str {
    match what {
        "status" => "another status",
        "content_type" => "another content type",
        "missing" => "the new provider leaves it out",
        "added" => "only the new provider has it",
        "type" => "another type",
        "value" => "another value",
        "length" => "another number of entries",
        other => other,
    }
}
