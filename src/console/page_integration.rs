//! The page of one integration: state and stop first, then the figures.

use crate::console::pages::{badge, changed, figure, frame, paused_words, unreadable};
use crate::console::tables::{Call, Change, Details, EndpointFigures, Recent, RoleFigures};
use crate::console::view::{IntegrationView, RecorderView};
use crate::console::words;
use crate::exchange::{NotMirrored, Outcome};
use axum::response::Html;
use maud::{Markup, html};

/// `GET /integrations/{name}`; `refused` says why a change was not made.
pub(crate) fn page(
    now: &IntegrationView,
    recorder: &RecorderView,
    details: Result<&Details, &String>,
    refused: Option<&str>,
) -> Html<String> {
    let body = html! {
        h1 { (now.name) }
        (switch(now, refused))
        @match details {
            Err(why) => { (unreadable(why)) }
            Ok(details) => { (percentiles(now, &details.endpoints)) }
        }
        (ledger(now))
        (redaction(now, details.ok()))
        @if let Ok(details) = details { (recent(now, &details.recent)) (history(&details.history)) }
    };
    frame(&now.name, Some(recorder), &body)
}

fn switch(now: &IntegrationView, refused: Option<&str>) -> Markup {
    let address = format!("/integrations/{}", now.name);
    html! {
        section class={ "card switch " (now.state) } aria-labelledby="mirroring" {
            h2 id="mirroring" { "Mirroring " (badge(now)) }
            p.lead { (sentence(now)) }
            p.quiet { "Last change: " (changed(now)) }
            @if let Some(why) = refused { p.notice.bad role="alert" { "Not changed: " (why) } }
            form method="post" action={ (address) "/stop" } {
                button.stop type="submit" { span aria-hidden="true" { "■ " } "Stop mirroring now" }
            }
            details open[refused.is_some() || now.state == "off"] {
                summary { @if now.state == "off" { "Start mirroring" } @else { "Change the share of calls" } }
                form.start method="post" action={ (address) "/start" } {
                    label { "Why" input type="text" name="reason" required maxlength="500" autocomplete="off"
                        placeholder="e.g. second week of the comparison"; }
                    label { "Who" input type="text" name="who" maxlength="100" autocomplete="name" placeholder="your name"; }
                    label { "Share of calls" input type="text" name="sample" value=(now.sample) maxlength="12"
                        pattern="[0-9]{1,3}([.][0-9]{1,4})? ?%" title="a percentage, such as 10%"; }
                    button type="submit" { "Start mirroring" }
                }
            }
        }
    }
}

fn sentence(now: &IntegrationView) -> Markup {
    let shadow = now.shadow_name();
    html! {
        @match (now.state, &now.paused_by) {
            ("on", _) => { "Copying " strong { (now.sample) } " of the calls to " strong { (shadow) } ". " }
            (_, Some(paused_by)) => { "On, but not copying: " strong { (paused_words(paused_by)) } ". " }
            _ => { "No call is copied to " strong { (shadow) } ". " }
        }
        @match now.primary_name() {
            Some(primary) => { "Your customers only ever see " strong { (primary) } "." }
            None => { "This is a sink: it receives copies, and answers no customer." }
        }
    }
}

fn percentiles(now: &IntegrationView, endpoints: &[EndpointFigures]) -> Markup {
    let names: Vec<&str> = endpoints
        .iter()
        .flat_map(|endpoint| [&endpoint.primary, &endpoint.shadow])
        .flatten()
        .map(|role| role.figures.iter().map(|figure| figure.name).collect::<Vec<_>>())
        .max_by_key(Vec::len)
        .unwrap_or_default();
    html! {
        section.card aria-labelledby="slow" {
            h2 id="slow" { "How slow are the slow calls?" }
            @if endpoints.is_empty() { p.quiet { "No call has been recorded yet." } }
            @else {
                p.quiet { "“p99 = 1.3 s” means: 99 of 100 calls finish within 1.3 s. Counted are successful calls, and calls "
                    "that we ended ourselves, as “at least this long” (≥). A figure is shown once enough calls support it." }
                div.scroll role="region" aria-label="Percentiles" tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "Endpoint" } th scope="col" { "Provider" } th.n scope="col" { "Calls" }
                            @for name in &names { th.n scope="col" { (name) } } } }
                        @for endpoint in endpoints { (endpoint_rows(now, endpoint)) }
                    }
                }
            }
        }
    }
}

fn endpoint_rows(now: &IntegrationView, endpoint: &EndpointFigures) -> Markup {
    let primary = endpoint.primary.as_ref().map(|role| (now.primary_name().unwrap_or("primary"), role));
    let shadow = endpoint.shadow.as_ref().map(|role| (now.shadow_name(), role));
    let roles: Vec<(&str, &RoleFigures)> = primary.into_iter().chain(shadow).collect();
    html! {
        tbody {
            @for (at, (provider, role)) in roles.iter().enumerate() {
                tr {
                    @if at == 0 { th scope="rowgroup" rowspan=(roles.len()) { code { (endpoint.endpoint) } } }
                    td { (provider) }
                    td.n { (words::count(role.calls))
                        @if role.censored_calls > 0 { br; small { (words::count(role.censored_calls)) " ended by us" } } }
                    @for one in &role.figures { td.n { (figure(one)) } }
                }
            }
        }
    }
}

fn ledger(now: &IntegrationView) -> Markup {
    let ledger = &now.ledger;
    let mirrored = Outcome::ALL.iter().map(|o| (words::outcome(*o), ledger.mirrored.get(o.name())));
    let others = NotMirrored::ALL.iter().map(|r| (r.meaning(), ledger.not_mirrored.get(r.name())));
    let not_mirrored: u64 = ledger.not_mirrored.values().sum();
    html! {
        section.card aria-labelledby="ledger" {
            h2 id="ledger" { "Where every call went" }
            p { strong { (words::calls(ledger.arrived)) } " arrived: " (words::count(ledger.mirrored_total()))
                " copied to " (now.shadow_name()) ", " (words::count(not_mirrored)) " not copied, "
                (words::count(ledger.pending)) " on the way. "
                @if ledger.adds_up { span.good { "✓ It adds up." } }
                @else { strong.bad { "✗ It does not add up: please report this." } } }
            div.columns {
                div { h3 { "Copied: what " (now.shadow_name()) " did" } (counts(mirrored)) }
                div { h3 { "Not copied: why" } (counts(others)) }
            }
            p.quiet { (words::count(now.recorded)) " recorded."
                @for (reason, count) in &now.not_recorded { " " (words::count(*count)) " not recorded: " (reason) "." } }
        }
    }
}

/// Rows that occurred; a list of zeros says nothing.
fn counts<'a>(rows: impl Iterator<Item = (&'static str, Option<&'a u64>)>) -> Markup {
    let rows: Vec<(&str, u64)> =
        rows.map(|(word, n)| (word, n.copied().unwrap_or(0))).filter(|(_, n)| *n > 0).collect();
    html! {
        @if rows.is_empty() { p.quiet { "None." } }
        @else { table.counts { tbody { @for (word, n) in rows { tr { th scope="row" { (word) } td.n { (words::count(n)) } } } } } }
    }
}

fn redaction(now: &IntegrationView, details: Option<&Details>) -> Markup {
    let live = now.redaction_hits.iter().map(|(rule, count)| (rule.clone(), *count)).collect();
    let hits: Vec<(String, u64)> = details.map_or(live, |details| details.hits.clone());
    html! {
        section.card aria-labelledby="redaction" {
            h2 id="redaction" { "Personal data and secrets" }
            p.quiet { "Values replaced before anything was stored, by rule." }
            @if hits.is_empty() { p.quiet { "No rule has found anything yet." } }
            @else { table.counts { tbody {
                @for (rule, count) in &hits { tr { th scope="row" { code { (rule) } } td.n { (words::count(*count)) } } }
            } } }
        }
    }
}

fn recent(now: &IntegrationView, rows: &[Recent]) -> Markup {
    html! {
        section.card aria-labelledby="recent" {
            h2 id="recent" { "Latest recordings" }
            @if rows.is_empty() { p.quiet { "Nothing has been recorded yet." } }
            @else { div.scroll role="region" aria-label="Latest recordings" tabindex="0" { table {
                thead { tr { th scope="col" { "Time" } th scope="col" { "Endpoint" }
                    @if let Some(primary) = now.primary_name() { th scope="col" { (primary) } }
                    th scope="col" { (now.shadow_name()) } th scope="col" { "Compared" } } }
                tbody { @for row in rows { tr {
                    td.when { (words::moment(row.received_unix_us)) }
                    td { code { (row.endpoint) } }
                    @if now.primary_name().is_some() { td { @match &row.primary { Some(call) => { (call_words(call)) } None => { "–" } } } }
                    td { (call_words(&row.shadow)) }
                    td { (row.verdict) }
                } } }
            } } }
        }
    }
}

fn call_words(call: &Call) -> Markup {
    html! { span class=(if call.good { "good" } else { "bad" }) { (if call.good { "✓ " } else { "✗ " }) (call.answer) }
    " " span.quiet { (call.took) } }
}

fn history(rows: &[Change]) -> Markup {
    html! {
        section.card aria-labelledby="history" {
            h2 id="history" { "History of the switch" }
            @if rows.is_empty() { p.quiet { "It has not been changed yet." } }
            @else { ul.history { @for row in rows { li {
                span.when { (words::moment(row.at_unix_us)) } " "
                @if row.on { "● started with " (words::percent_of_ppm(row.sample_ppm)) } @else { "○ stopped" }
                " by " strong { (row.who) } @if !row.reason.is_empty() { ": “" (row.reason) "”" }
            } } } }
        }
    }
}
