//! The frame of every page, and the list of integrations. No script, no inline style: the pages work with both off.

use crate::console::tables::{Figure, Overview, RoleFigures};
use crate::console::view::{IntegrationView, RecorderView, Status};
use crate::console::words;
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

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
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top { a.brand href="/" { span aria-hidden="true" { "◐ " } "darklaunch" } span.where { (title) } }
                main id="main" {
                    @if let Some(recorder) = recorder { (troubles(recorder)) }
                    (body)
                }
                footer {
                    "Figures count since this recorder started; recordings and percentiles are read from its database. "
                    "All times in UTC. " a href="/metrics" { "Metrics" } " · " a href="/api/v1/status" { "JSON" }
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
        "paused" => ("◑", "Paused"),
        _ => ("○", "Off"),
    };
    html! { span class={ "badge " (now.state) } { span aria-hidden="true" { (symbol) } " " (word) } }
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
pub(crate) fn figure(figure: &Figure) -> Markup {
    html! {
        @match &figure.text {
            Some(text) => { (text) }
            None => {
                span.needs { "needs " (words::calls(figure.needs_calls)) ", has " (words::count(figure.has_calls)) }
            }
        }
    }
}

/// `GET /`.
pub(crate) fn index(status: &Status, figures: Result<&Overview, &String>) -> Html<String> {
    let body = html! {
        h1 { "Integrations" }
        p.lead { "Your customers only ever get the answers of today's providers. Copies go to the new ones, and are compared." }
        @if status.integrations.is_empty() { p.notice { "No integration is configured." } }
        @else {
            div.scroll role="region" aria-label="Integrations" tabindex="0" {
                table.list {
                    thead { tr {
                        th scope="col" { "Integration" } th scope="col" { "Mirroring" }
                        th.n scope="col" { "Calls" } th.n scope="col" { "Mirrored" } th.n scope="col" { "Of these, successful" }
                        th scope="col" { "Half of the calls within" br; small { "99 of 100 within" } }
                        th scope="col" { "Last change" }
                    } }
                    tbody { @for one in &status.integrations { (row(one, figures)) } }
                }
            }
            @if let Err(why) = figures { (unreadable(why)) }
        }
    };
    frame("Integrations", Some(&status.recorder), &body)
}

fn row(now: &IntegrationView, figures: Result<&Overview, &String>) -> Markup {
    let mirrored = now.ledger.mirrored_total();
    let good = now.ledger.mirrored.get("ok").copied().unwrap_or(0);
    let brief = figures.ok().and_then(|all| all.get(&now.name));
    html! {
        tr {
            th scope="row" { a href={ "/integrations/" (now.name) } { (now.name) } }
            td { (badge(now)) br; small { (now.sample) " of the calls" }
                @if let Some(paused_by) = &now.paused_by { br; small { (paused_words(paused_by)) } } }
            td.n { (words::count(now.ledger.arrived)) }
            td.n { (words::count(mirrored)) }
            td.n { (words::share(good, mirrored)) }
            td { @if let Some(brief) = brief {
                @if let Some(name) = now.primary_name() { (pair(name, &brief.primary)) }
                (pair(now.shadow_name(), &brief.shadow))
            } @else { "–" } }
            td { (changed(now)) }
        }
    }
}

fn pair(provider: &str, figures: &RoleFigures) -> Markup {
    html! {
        div.pair { span.provider { (provider) }
            @for (at, one) in figures.figures.iter().enumerate() { @if at > 0 { " · " } span.fig { (figure(one)) } }
            @if figures.figures.is_empty() { span.needs { "no calls yet" } } }
    }
}

/// Who changed the switch last, when and why.
pub(crate) fn changed(now: &IntegrationView) -> Markup {
    html! {
        @if now.revision == 0 { "As configured" }
        @else { (now.changed_by) ", " span.when { (words::moment(now.changed_unix_us)) }
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
