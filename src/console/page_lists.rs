//! The daily list of what goes wrong, and the history of every switch.

use crate::console::pages::{frame, unreadable};
use crate::console::words;
use crate::exchange::Outcome;
use crate::store::{StatusCount, SwitchRow};
use axum::response::Html;
use maud::{Markup, html};

/// Findings by integration.
pub(crate) type Findings = Vec<(String, Vec<StatusCount>)>;

/// Whose it is to mend.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

fn whose(outcome: Outcome) -> Option<Whose> {
    match outcome {
        Outcome::Client4xx => Some(Whose::Ours),
        Outcome::Server5xx | Outcome::OkButError | Outcome::Throttled429 | Outcome::NetworkError | Outcome::Timeout => {
            Some(Whose::Theirs)
        }
        Outcome::Ok | Outcome::Aborted | Outcome::Unknown => None,
    }
}

/// `GET /findings`.
pub(crate) fn findings(found: Result<&Findings, &String>) -> Html<String> {
    let body = html! {
        h1 { "Findings" }
        p.lead { "Distinct answers of the new providers that are no success, each with an example: the list to work off daily." }
        @match found {
            Err(why) => { (unreadable(why)) }
            Ok(found) => {
                (group(found, Whose::Ours, "ours", "Ours to fix: they refuse what we send (4xx)"))
                (group(found, Whose::Theirs, "theirs", "Theirs: failures, and answers out of contract"))
            }
        }
    };
    frame("Findings", None, &body)
}

fn group(found: &Findings, which: Whose, id: &str, title: &str) -> Markup {
    let mut rows: Vec<(&str, &StatusCount)> = found
        .iter()
        .flat_map(|(name, all)| all.iter().map(move |one| (name.as_str(), one)))
        .filter(|(_, one)| whose(one.outcome) == Some(which))
        .collect();
    rows.sort_by_key(|(_, one)| std::cmp::Reverse(one.captures));
    html! {
        section.card aria-labelledby=(id) {
            h2 id=(id) { (title) }
            @if rows.is_empty() { p.quiet { "Nothing. ✓" } }
            @else { div.scroll role="region" aria-label=(format!("Table: {title}")) tabindex="0" { table.stack {
                thead { tr { th scope="col" { "Endpoint" } th scope="col" { "Integration" } th scope="col" { "What" } th.n scope="col" { "Recordings" } th scope="col" { "Example" } } }
                @for (name, one) in rows { tbody { tr {
                    th.title scope="row" { code { (one.endpoint) } }
                    td data-label="Integration" { (name) }
                    td.half data-label="What" { (what(one)) }
                    td.n data-label="Recordings" { (words::count(one.captures)) }
                    td data-label="Example" { @match &one.example { Some(id) => { a href={ "/recordings/" (id) } { "newest" } } None => { "pruned" } } }
                } } }
            } } }
        }
    }
}

/// The status, where the words do not tell it already.
fn what(one: &StatusCount) -> Markup {
    let words = words::outcome(one.outcome);
    let status = one.status.filter(|status| !words.contains(&status.to_string()));
    html! { @if let Some(status) = status { strong { (status) } ", " (words) } @else { (words::first_upper(words)) } }
}

/// `GET /history`.
pub(crate) fn history(rows: Result<&Vec<SwitchRow>, &String>) -> Html<String> {
    let body = html! {
        h1 { "History" }
        p.lead { "Every change of every switch: who, when and why." }
        @match rows {
            Err(why) => { (unreadable(why)) }
            Ok(rows) if rows.is_empty() => { p.card.quiet { "Nothing has been changed yet." } }
            Ok(rows) => { div.scroll.list role="region" aria-label="History" tabindex="0" { table.stack {
                thead { tr { th scope="col" { "Time" } th scope="col" { "Integration" } th scope="col" { "Change" } th scope="col" { "Who" } th scope="col" { "Why" } } }
                @for row in rows { tbody { tr {
                    th.title scope="row" { span.when { (words::time(row.at_unix_us)) } }
                    td data-label="Integration" { a href={ "/integrations/" (row.integration) } { (row.integration) } }
                    td data-label="Change" { @if row.on { "● on, " (words::percent_of_ppm(row.sample_ppm)) } @else { "○ stopped" } }
                    td data-label="Who" { (row.who) }
                    td.wide data-label="Why" { (row.reason) }
                } } }
            } } }
        }
    };
    frame("History", None, &body)
}
