//! The page of one integration: state and stop first, then the figures.

use crate::console::Providers;
use crate::console::access::{Caller, May};
use crate::console::insight::Insight;
use crate::console::page_redaction::redaction;
use crate::console::pages::{NEW, TODAYS, badge, changed, figure, frame, paused_words, provider, sides, unreadable};
use crate::console::tables::{Call, Change, Details, EndpointFigures, Looked, Recent, RoleFigures};
use crate::console::view::{IntegrationView, RecorderView};
use crate::console::{page_golive, page_provider, page_times, words};
use crate::exchange::{NotMirrored, Outcome};
use crate::review::human_us;
use axum::response::Html;
use maud::{Markup, html};

/// What a page of one integration shows beside its live state.
pub(crate) struct Found<'a> {
    /// Who asks.
    pub(crate) by: &'a Caller,
    pub(crate) providers: Option<&'a Providers>,
    pub(crate) details: Result<&'a Details, &'a String>,
    pub(crate) looked: &'a Looked,
}

impl Found<'_> {
    fn insight(&self) -> Option<&Insight> {
        match self.looked {
            Looked::At(insight) => Some(insight),
            Looked::BeingRead | Looked::Failed(_) => None,
        }
    }
}

/// `GET /integrations/{name}`; `refused` says why a change was not made.
pub(crate) fn page(
    now: &IntegrationView,
    recorder: &RecorderView,
    found: &Found<'_>,
    refused: Option<&str>,
) -> Html<String> {
    let (details, insight) = (found.details.ok(), found.insight());
    let mirrored =
        insight.and_then(|insight| insight.review.as_ref().ok()).map(|review| review.ledger.mirrored_total());
    let body = html! {
        h1 { (now.name) }
        (switch(now, recorder, found, refused))
        @match (found.details, found.looked) {
            (Err(why), _) | (_, Looked::Failed(why)) => { (unreadable(why)) }
            (_, Looked::BeingRead) => { p.notice role="status" data-being-read { "The review and the charts are being read for the first time since the "
                "recorder started. " a href={ "/integrations/" (now.name) } { "Load again" } " in a moment." } }
            _ => {}
        }
        @if let Some(insight) = insight { (page_golive::golive(insight)) }
        @if let Some(details) = details { (glance(now, &details.overall)) (percentiles(now, details, insight)) }
        @if let Some(insight) = insight { (page_times::heat(now, insight)) (page_times::outcomes(&insight.flow)) }
        (ledger(now, recorder))
        @if let Some(insight) = insight { (page_golive::differences(now, &insight.differences)) }
        (redaction(now, recorder, details, found.by))
        (page_provider::provider(found.providers, mirrored.unwrap_or_else(|| now.ledger.mirrored_total())))
        @if let Some(details) = details { (recent(now, &details.recent)) (history(&details.history)) }
    };
    frame(&now.name, Some(recorder), &body)
}

fn switch(now: &IntegrationView, recorder: &RecorderView, found: &Found<'_>, refused: Option<&str>) -> Markup {
    let (address, off) = (format!("/integrations/{}", now.name), now.state == "off");
    html! {
        section class={ "card switch " (now.state) } aria-labelledby="mirroring" data-here=(address) {
            div #live-state data-renew {
                h2 id="mirroring" { "Mirroring " (badge(now)) }
                p.lead { (sentence(now, found.providers.and_then(|providers| providers.rate_per_s))) (delay(now, recorder)) }
                @if let Some(ramp) = &now.ramp { p { "Share now " strong { (now.sample) } ". " (words::first_upper(&ramp.words())) "." } }
                @if !now.shares.is_empty() { p.quiet { "Less of single endpoints: "
                    @for (at, one) in now.shares.iter().enumerate() { @if at > 0 { ", " } code { (one.endpoint) } " " (one.share) } "." } }
                p.quiet { "Last change: " (changed(now))
                    @if let Some(daily) = &now.daily_calls { br; "Budget of today (UTC): " (words::count(daily.used)) " of "
                        (words::calls(daily.max)) " used." } }
            }
            @if let Some(why) = refused { p.notice.bad role="alert" { "Not changed: " (why) } }
            div #live-stop data-renew { @if !off && found.by.may(May::Stop) {
                form method="post" action={ (address) "/stop" } {
                    (found.by.csrf_field())
                    button.stop type="submit" { span aria-hidden="true" { "■ " } "Stop mirroring now" }
                    span.quiet { "At once, without a question. Calls on their way to the new provider are cut off; your customers notice nothing." }
                }
            } }
            @if found.by.may(May::Start) { (start(now, found.by, off, refused.is_some())) }
            @else { p.quiet { (without_start(found.by, off)) " " a href={ "/login?next=" (address) } { "Log in" } "." } }
        }
    }
}

/// What those read who cannot start.
fn without_start(by: &Caller, off: bool) -> String {
    let what = if off { "start mirroring" } else { "change the share of calls" };
    match by.named() {
        Some((name, role)) => format!("You are {name}, a {}. To {what} takes an operator.", role.name()),
        None => format!("To {what} takes an operator."),
    }
}

fn start(now: &IntegrationView, by: &Caller, off: bool, refused: bool) -> Markup {
    let address = format!("/integrations/{}", now.name);
    html! {
        details #live-start data-renew open[refused || off] {
            summary { @if off { "Start mirroring" } @else { "Change the share of calls" } }
            form.start method="post" action={ (address) "/start" } {
                (by.csrf_field())
                input type="hidden" name="revision" value=(now.revision);
                label { "Why (is kept in the history)" input type="text" name="reason" required maxlength="500" autocomplete="off"
                    placeholder="e.g. second week of the comparison"; }
                @if by.named().is_none() {
                    label { "Who" input type="text" name="who" maxlength="100" autocomplete="name" placeholder="your name"; }
                }
                label { "Share of calls" input type="text" name="sample" value=[now.ramp.is_none().then_some(&now.sample)] maxlength="12"
                    pattern="[0-9]{1,3}([.][0-9]{1,4})? ?%" title="a percentage, such as 10%"; }
                @if now.ramp.as_ref().is_some_and(|ramp| ramp.state == "held") {
                    label { input type="checkbox" name="resume_ramp" value="true"; " Let the ramp go on" }
                }
                button type="submit" { @if off { "Start mirroring" } @else { "Change the share" } }
            }
        }
    }
}

fn sentence(now: &IntegrationView, rate_per_s: Option<u32>) -> Markup {
    let shadow = now.shadow_name();
    html! {
        @match (now.state, &now.paused_by) {
            ("on", _) => { "Copying " strong { (now.sample) } " of the calls to the new provider, " strong { (shadow) }
                @if let Some(rate) = rate_per_s.filter(|rate| *rate > 0) { ", at most " (rate) " per second" } ". " }
            (_, Some(paused_by)) => { "On, but not copying: " strong { (paused_words(paused_by)) } ". " }
            _ => { strong { "Mirroring is stopped." } " No call is copied to the new provider, " strong { (shadow) } ". "
                @if now.is_stopping() { (words::calls(now.ledger.pending)) " still on the way " (if now.ledger.pending == 1 { "is" } else { "are" }) " being cut off. " } }
        }
        @match now.primary_name() {
            Some(primary) => { "Your customers only ever get the answers of today’s provider, " strong { (primary) } "." }
            None => { "This is a sink: it receives copies, and answers no customer." }
        }
    }
}

/// What the recorder itself takes of the customers' time, where it measured enough calls to say.
fn delay(now: &IntegrationView, recorder: &RecorderView) -> Markup {
    html! {
        @if let (Some(added), Some(primary)) = (&now.added_delay, now.primary_name()) {
            " Added delay for them: at most " strong { (human_us(added.p99_us)) } " for 99 of 100 calls, there and back, beside the time of "
            (primary) " itself (measured on " (words::calls(added.calls)) " since " (words::time(recorder.started_unix_us)) ")."
        }
    }
}

/// The three figures people ask for first.
fn glance(now: &IntegrationView, overall: &EndpointFigures) -> Markup {
    let sides = sides(now, Some(overall));
    let success = |role: &RoleFigures| html! { (words::share(role.ok_calls, role.calls)) };
    html! {
        section.tiles aria-label="At a glance" {
            (tile("Answered with success", &sides, success, |role| format!("of {}", words::calls(role.calls))))
            (tile("Half of the calls finish within", &sides, |role| figure(role.figure("p50")), sample))
            (tile("99 of 100 calls finish within", &sides, |role| figure(role.figure("p99")), sample))
        }
    }
}

fn sample(role: &RoleFigures) -> String {
    format!("from {}", words::calls(role.counted_calls))
}

fn tile(
    title: &str,
    sides: &[(&'static str, &str, Option<&RoleFigures>)],
    value: impl Fn(&RoleFigures) -> Markup,
    sample: impl Fn(&RoleFigures) -> String,
) -> Markup {
    html! {
        div.card.tile {
            h2 { (title) }
            dl { @for (role, name, figures) in sides { div class=(if *role == NEW { "new" } else { "todays" }) {
                dt { (provider(role, name)) }
                dd { @match figures {
                    Some(figures) => { span.value { (value(figures)) } " " small { (sample(figures)) } }
                    None => { span.needs { "no calls yet" } }
                } }
            } } }
        }
    }
}

fn percentiles(now: &IntegrationView, details: &Details, insight: Option<&Insight>) -> Markup {
    let endpoints = &details.endpoints;
    let names: Vec<&str> = [&details.overall.primary, &details.overall.shadow]
        .into_iter()
        .flatten()
        .map(|role| role.figures.iter().map(|figure| figure.name).collect::<Vec<_>>())
        .max_by_key(Vec::len)
        .unwrap_or_default();
    html! {
        section.card aria-labelledby="slow" {
            h2 id="slow" { "How slow are the slow calls?" }
            @if endpoints.is_empty() { p.quiet { "No call has been recorded yet." } }
            @else {
                @if let Some(insight) = insight { (page_times::curve(now, insight)) }
                h3 { "The same as a table" }
                p.quiet { "Read “p99 = 1.3 s” as: 99 of 100 calls finish within 1.3 s. “Counted” are successful calls and, as “at "
                    "least this long” (≥), calls that we ended ourselves. “needs 299” means: fewer than 299 counted calls say too "
                    "little for that figure. Everything in the database counts." }
                div.scroll role="region" aria-label="Percentiles" tabindex="0" {
                    table.stack.figures {
                        thead { tr { th scope="col" { "Endpoint" } th scope="col" { "Provider" } th.n scope="col" { "Calls" }
                            th.n scope="col" { "Counted" } @for name in &names { th.n scope="col" { (name) } } } }
                        @if endpoints.len() > 1 { (endpoint_rows(now, &html! { "All endpoints" }, &details.overall)) }
                        @for endpoint in endpoints { (endpoint_rows(now, &html! { code { (endpoint.endpoint) } }, endpoint)) }
                    }
                }
            }
        }
    }
}

fn endpoint_rows(now: &IntegrationView, endpoint: &Markup, figures: &EndpointFigures) -> Markup {
    let primary = figures.primary.as_ref().map(|role| (TODAYS, now.primary_name().unwrap_or("provider"), role));
    let shadow = figures.shadow.as_ref().map(|role| (NEW, now.shadow_name(), role));
    let roles: Vec<(&str, &str, &RoleFigures)> = primary.into_iter().chain(shadow).collect();
    html! {
        tbody {
            @for (at, (role, name, figures)) in roles.iter().enumerate() {
                tr {
                    @if at == 0 { th.title scope="rowgroup" rowspan=(roles.len()) { (endpoint) } }
                    td.wide { (provider(role, name)) }
                    td.n data-label="Calls" { (words::count(figures.calls)) }
                    td.n data-label="Counted" { (words::count(figures.counted_calls))
                        @if figures.censored_calls > 0 { br; small { (words::count(figures.censored_calls)) " ended by us" } } }
                    @for one in &figures.figures { td.n data-label=(one.name) {
                        @match &one.text { Some(text) => { (text) } None => { span.needs { "needs " (words::count(one.needs_calls)) } } }
                    } }
                }
            }
        }
    }
}

fn ledger(now: &IntegrationView, recorder: &RecorderView) -> Markup {
    let ledger = &now.ledger;
    let mirrored = Outcome::ALL
        .iter()
        .map(|o| (words::outcome(*o), if *o == Outcome::Ok { "good" } else { "bad" }, ledger.mirrored.get(o.name())));
    let others = NotMirrored::ALL.iter().map(|r| (r.meaning(), "quiet", ledger.not_mirrored.get(r.name())));
    let settled = now.recorded + now.not_recorded.values().sum::<u64>();
    let writing = ledger.mirrored_total().saturating_sub(settled);
    let not_mirrored: u64 = ledger.not_mirrored.values().sum();
    html! {
        section.card #live-ledger data-renew aria-labelledby="ledger" {
            h2 id="ledger" { "Where every call went" }
            p.full { strong { (words::calls(ledger.arrived)) } " arrived since " (words::time(recorder.started_unix_us)) ", when the "
                "recorder started: " strong { (words::count(ledger.mirrored_total())) } " copied to " (now.shadow_name()) ", "
                strong { (words::count(not_mirrored)) } " not copied, " strong { (words::count(ledger.pending)) } " on the way. "
                @if ledger.adds_up { span.good.line { "✓ It adds up." } }
                @else { strong.bad.line { "✗ It does not add up: please report this." } } }
            div.columns {
                div { h3 { "Copied: what " (now.shadow_name()) " did" } (counts(mirrored)) }
                div { h3 { "Not copied: why" } (counts(others)) }
            }
            p.quiet { (words::count(now.recorded)) " of the copied calls are recorded" @if writing > 0 { ", " (words::count(writing)) " are being written" } "."
                @for (reason, count) in &now.not_recorded { " " (words::count(*count)) " not recorded: " (reason) "." } }
        }
    }
}

/// Rows that occurred, with their share; a list of zeros says nothing.
fn counts<'a>(rows: impl Iterator<Item = (&'static str, &'static str, Option<&'a u64>)>) -> Markup {
    let rows: Vec<(&str, &str, u64)> =
        rows.map(|(word, class, n)| (word, class, n.copied().unwrap_or(0))).filter(|(_, _, n)| *n > 0).collect();
    let all = rows.iter().map(|(_, _, n)| n).sum();
    html! {
        @if rows.is_empty() { p.quiet { "None." } }
        @else { table.counts { tbody { @for (word, class, n) in rows { tr {
            th scope="row" { (word) (bar(n, all, class)) }
            td.n { (words::count(n)) } td.n.quiet { (words::share(n, all)) }
        } } } } }
    }
}

/// A share as a bar; the figure stands beside it. Geometry is in attributes: no inline style is allowed.
fn bar(part: u64, whole: u64, class: &str) -> Markup {
    let width = format!("{:.2}", part as f64 * 100.0 / whole.max(1) as f64);
    html! {
        svg class={ "bar " (class) } viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="4" {} rect.part width=(width) height="4" {}
        }
    }
}

fn recent(now: &IntegrationView, rows: &[Recent]) -> Markup {
    html! {
        section.card aria-labelledby="recent" {
            h2 id="recent" { "Latest recordings" }
            @if rows.is_empty() { p.quiet { "Nothing has been recorded yet." } }
            @else { div.scroll role="region" aria-label="Table of the latest recordings" tabindex="0" { table.stack {
                thead { tr { th scope="col" { "Time" } th scope="col" { "Endpoint" }
                    @if let Some(primary) = now.primary_name() { th scope="col" { (provider(TODAYS, primary)) } }
                    th scope="col" { (provider(NEW, now.shadow_name())) } th scope="col" { "Answers" } } }
                @for row in rows { tbody { tr {
                    th.title scope="row" { span.when { (words::short_time(row.received_unix_us)) } }
                    td.wide { code { (row.endpoint) } }
                    @if now.primary_name().is_some() { td data-label="Today’s" {
                        @match &row.primary { Some(call) => { (call_words(call)) } None => { "–" } } } }
                    td data-label="New" { (call_words(&row.shadow)) }
                    td data-label="Answers" { (words::verdict(&row.verdict)) }
                } } }
            } }
            p { a href={ "/recordings?integration=" (now.name) } { "All recordings ›" } } }
        }
    }
}

fn call_words(call: &Call) -> Markup {
    html! { span class=(if call.good { "good" } else { "bad" }) { (if call.good { "✓ " } else { "✗ " }) (call.answer) }
    " " span.quiet.line { (call.took) } }
}

fn history(rows: &[Change]) -> Markup {
    html! {
        section.card aria-labelledby="history" {
            h2 id="history" { "History of the switch" }
            @if rows.is_empty() { p.quiet { "It has not been changed yet." } }
            @else { ul.history { @for row in rows { li {
                span.when { (words::time(row.at_unix_us)) } " "
                @if row.on { "● started with " (words::percent_of_ppm(row.sample_ppm)) } @else { "○ stopped" }
                " by " strong { (row.who) } @if !row.reason.is_empty() { ": “" (row.reason) "”" }
            } } } }
        }
    }
}
