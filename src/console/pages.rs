//! The frame of every page, and the list of integrations. No script, no inline style: the pages work with both off.

use crate::console::page_golive::verdict_words;
use crate::console::tables::{EndpointFigures, Figure, Looked, Overview, RoleFigures};
use crate::console::view::{IntegrationView, RecorderView, Status};
use crate::console::words;
use crate::review::Verdict;
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};
use std::collections::BTreeMap;

/// The title of the list.
const HOME: &str = "Integrations";

/// The pages beside those of single integrations.
const PAGES: [(&str, &str); 4] =
    [("/", HOME), ("/recordings", "Recordings"), ("/findings", "Findings"), ("/history", "History")];

/// What the list says of an integration beside its state and figures.
pub(crate) struct Beside {
    pub(crate) per_minute: Option<u64>,
    pub(crate) looked: Looked,
}

/// The frame.
pub(crate) fn frame(title: &str, recorder: Option<&RecorderView>, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · darklaunch" }
                link rel="stylesheet" href="/style.css";
                script src="/app.js" type="module" {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top { a.brand href="/" { span aria-hidden="true" { "◐ " } "darklaunch" }
                    nav aria-label="Pages" { @for (address, name) in PAGES {
                        a href=(address) aria-current=[(name == title).then_some("page")] { (name) } } }
                    a.account href="/login" aria-current=[(title == "Account").then_some("page")] { "Account" } }
                main id="main" {
                    @if let Some(recorder) = recorder { (troubles(recorder)) }
                    (body)
                }
                footer {
                    @if let Some(recorder) = recorder {
                        "As of " (words::time(recorder.as_of_unix_us)) "; reload for newer figures. The recorder runs since "
                        (words::time(recorder.started_unix_us)) ". "
                    }
                    "Times are in UTC, with a script in your own zone. For tools: " a href="/metrics" { "metrics" } ", " a href="/api/v1/status" { "JSON" } "."
                }
            }
        }
    };
    Html(page.into_string())
}

fn troubles(recorder: &RecorderView) -> Markup {
    html! {
        @if !recorder.ready {
            p.notice role="status" { "The recorder is starting or shutting down." }
        }
        @for problem in &recorder.problems {
            p.notice.bad role="status" { "The recorder reports: " (problem) }
        }
    }
}

/// The notice where tables would be.
pub(crate) fn unreadable(why: &str) -> Markup {
    html! {
        p.notice role="status" {
            strong { "The recordings cannot be read now" } ": " (why)
            ". State and switch above work without them; your customers are not affected."
        }
    }
}

/// A symbol and a word, never colour alone.
pub(crate) fn badge(now: &IntegrationView) -> Markup {
    let (symbol, word) = match now.state {
        "on" => ("●", "On"),
        "paused" => ("◑", "Paused by the system"),
        _ if now.is_stopping() => ("◌", "Stopping"),
        _ => ("○", "Off"),
    };
    let class = if now.is_stopping() { "stopping" } else { now.state };
    html! { span class={ "badge " (class) } { span aria-hidden="true" { (symbol) } " " (word) } }
}

/// Why an integration that is on does not mirror.
pub(crate) fn paused_words(paused_by: &str) -> &'static str {
    match paused_by {
        "breaker" => "the new provider fails too often; it is tried again by itself",
        "retry_after" => "the new provider asked to wait (429); it goes on by itself",
        "budget" => "today's calls are used up; it goes on tomorrow (UTC)",
        _ => "a limit is reached",
    }
}

/// One percentile, or what it needs.
pub(crate) fn figure(figure: Option<&Figure>) -> Markup {
    html! {
        @match figure {
            Some(Figure { text: Some(text), .. }) => { (text) }
            Some(Figure { needs_calls, .. }) => { span.needs { "needs " (words::calls(*needs_calls)) } }
            None => { "–" }
        }
    }
}

/// Which of both providers a name belongs to.
pub(crate) fn provider(role: &str, name: &str) -> Markup {
    html! { span.provider { span.role { (role) } " " span.name { (name) } } }
}

/// What both providers are called before their names.
pub(crate) const TODAYS: &str = "today’s";
/// See [`TODAYS`].
pub(crate) const NEW: &str = "new";

/// Both providers, today's first, with what was recorded of them.
pub(crate) fn sides<'a>(
    now: &'a IntegrationView,
    figures: Option<&'a EndpointFigures>,
) -> Vec<(&'static str, &'a str, Option<&'a RoleFigures>)> {
    let todays = now.primary_name().map(|name| (TODAYS, name, figures.and_then(|both| both.primary.as_ref())));
    let new = (NEW, now.shadow_name(), figures.and_then(|both| both.shadow.as_ref()));
    todays.into_iter().chain([new]).collect()
}

/// `GET /`.
pub(crate) fn index(
    status: &Status,
    figures: Result<&Overview, &String>,
    beside: &BTreeMap<String, Beside>,
) -> Html<String> {
    let body = html! {
        h1 { (HOME) }
        p.lead { "Your customers only ever get the answers of today’s providers. Copies of their calls go to the new ones, "
            "and both answers are compared." }
        @if status.integrations.is_empty() { p.notice { "No integration is configured." } }
        @else {
            div.scroll.list #live-list data-renew role="region" aria-label="Integrations" tabindex="0" {
                table.stack {
                    thead { tr {
                        th scope="col" { "Integration" } th scope="col" { "Mirroring" }
                        th scope="col" { "Provider" } th.n scope="col" { "Calls" } th.n scope="col" { "Successful" }
                        th.n scope="col" { "Half within" } th.n scope="col" { "99 of 100 within" }
                        th scope="col" { "Go-live" } th scope="col" { "Last change" }
                    } }
                    @for one in &status.integrations { (rows(one, figures.ok().and_then(|all| all.get(&one.name)), beside.get(&one.name))) }
                }
            }
            @match figures {
                Ok(_) => { p.quiet { "Calls, successes and times: everything in the database of this recorder. Times count "
                    "successful calls; calls that we ended ourselves count as “at least this long” (≥)." } }
                Err(why) => { (unreadable(why)) }
            }
        }
    };
    frame(HOME, Some(&status.recorder), &body)
}

fn rows(now: &IntegrationView, figures: Option<&EndpointFigures>, beside: Option<&Beside>) -> Markup {
    let sides = sides(now, figures);
    html! {
        tbody {
            @for (at, (role, name, figures)) in sides.iter().enumerate() {
                tr {
                    @if at == 0 {
                        th.title scope="rowgroup" rowspan=(sides.len()) { a href={ "/integrations/" (now.name) } { (now.name) }
                            @if let Some(calls) = beside.and_then(|beside| beside.per_minute) { br; small.quiet { (words::calls(calls)) " a minute" } } }
                        td.wide.whole rowspan=(sides.len()) data-label="Mirroring" { (badge(now)) " " small { (words::brief_state(now.state, &now.sample)) }
                            @if let Some(paused_by) = &now.paused_by { br; small { (paused_words(paused_by)) } }
                            br; small.quiet { (limits(now)) } }
                    }
                    td.wide { (provider(role, name)) }
                    @match figures {
                        None => { td.wide colspan="4" data-label="Figures" { span.needs { "no calls yet" } } }
                        Some(figures) => {
                            td.n data-label="Calls" { (words::count(figures.calls)) }
                            td.n data-label="Successful" { (words::share(figures.ok_calls, figures.calls)) }
                            td.n data-label="Half within" { (figure(figures.figure("p50"))) }
                            td.n data-label="99 of 100 within" { (figure(figures.figure("p99"))) }
                        }
                    }
                    @if at == 0 {
                        td.whole rowspan=(sides.len()) data-label="Go-live" { (verdict(beside.map(|beside| &beside.looked))) }
                        td.wide.whole rowspan=(sides.len()) data-label="Last change" { (changed(now)) }
                    }
                }
            }
        }
    }
}

/// Breaker and budget, which hold mirroring back by themselves.
fn limits(now: &IntegrationView) -> Markup {
    let breaker = if now.paused_by.as_deref() == Some("breaker") { "open" } else { "closed" };
    html! { "Breaker " (breaker) @if let Some(daily) = &now.daily_calls { " · budget " (words::share(daily.used, daily.max)) " used today" } }
}

fn verdict(looked: Option<&Looked>) -> Markup {
    let verdict = match looked {
        Some(Looked::BeingRead) => return html! { span.quiet data-being-read { "being read …" } },
        Some(Looked::At(insight)) => insight.verdict().unwrap_or(Verdict::CannotSay),
        _ => Verdict::CannotSay,
    };
    let (symbol, word) = verdict_words(verdict);
    html! { span class={ "badge " (verdict.name()) } { span aria-hidden="true" { (symbol) } " " (word) } }
}

/// Who changed the switch last, when and why.
pub(crate) fn changed(now: &IntegrationView) -> Markup {
    html! {
        @if now.revision == 0 { "As configured" }
        @else { (now.changed_by) ", " span.when { (words::time(now.changed_unix_us)) }
            @if !now.reason.is_empty() { br; small { "“" (now.reason) "”" } } }
    }
}

/// The page of an integration that is not there.
pub(crate) fn not_found(name: &str) -> Html<String> {
    let body = html! {
        h1 { "Not found" }
        p.lead { "No integration is called “" (name) "”. " a href="/" { "All integrations" } }
    };
    frame("Not found", None, &body)
}

/// The page of a recording that is not there, or cannot be read now.
pub(crate) fn no_recording(why: &str) -> Html<String> {
    let body = html! {
        h1 { "No recording" }
        p.lead { (why) " " a href="/recordings" { "All recordings" } }
    };
    frame("Recording", None, &body)
}
