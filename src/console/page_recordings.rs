//! The list of recordings, and one of them with both exchanges side by side. Recorded text is hostile and stays text.

use crate::console::page_golive::what_words;
use crate::console::page_redaction::place_words;
use crate::console::pages::{NEW, TODAYS, frame, provider, unreadable};
use crate::console::query::{PAGE_ROWS, Query, SORTED_MAX, Sort};
use crate::console::words;
use crate::exchange::{FailureKind, Outcome};
use crate::fixtures::Format;
use crate::review::human_us;
use crate::store::{CaptureSummary, ExchangeSummary, StoredBody, StoredCapture, StoredExchange};
use axum::response::Html;
use maud::{Markup, html};

/// Characters of a body shown; the rest is on the command line.
const BODY_CHARS_MAX: usize = 32_768;

/// What the list needs beside the recordings.
pub(crate) struct List<'a> {
    pub(crate) query: &'a Query,
    pub(crate) integrations: &'a [String],
    pub(crate) rows: Result<&'a [CaptureSummary], &'a String>,
    pub(crate) sort: Sort,
}

/// `GET /recordings`.
pub(crate) fn list(list: &List<'_>) -> Html<String> {
    let body = html! {
        h1 { "Recordings" }
        (filters(list))
        @match list.rows {
            Err(why) => { (unreadable(why)) }
            Ok(rows) => {
                @if list.sort != Sort::Newest { p.quiet { "The " (PAGE_ROWS) " slowest of the newest " (words::count(SORTED_MAX as u64)) " that fit." } }
                p.tail { button #pause type="button" hidden aria-pressed="false" { "Pause" } " " span.quiet #tail-state role="status" {} }
                div #live data-live=(if list.sort == Sort::Newest && list.query.before.is_empty() { "on" } else { "off" }) {
                    @if rows.is_empty() { p.card.quiet { "No recording fits." } } @else { (table(rows)) }
                }
                @if list.sort == Sort::Newest && rows.len() == PAGE_ROWS {
                    @if let Some(last) = rows.last() { p { a href=(list.query.after(last)) { "Older recordings ›" } } }
                }
            }
        }
    };
    frame("Recordings", None, &body)
}

fn filters(list: &List<'_>) -> Markup {
    let query = list.query;
    html! {
        form.card.filter method="get" action="/recordings" {
            label { "Integration" select name="integration" { option value="" { "all" }
                @for name in list.integrations { option value=(name) selected[*name == query.integration] { (name) } } } }
            label { "Endpoint" input type="text" name="endpoint" value=(query.endpoint) maxlength="300" placeholder="GET /customers/{id}"; }
            label { "Outcome" select name="outcome" { option value="" { "all" }
                @for one in Outcome::ALL { option value=(one.name()) selected[one.name() == query.outcome] { (words::outcome(one)) } } } }
            label { "Slower than (ms)" input type="text" inputmode="decimal" name="slower_than_ms" value=(slower_ms(query)) maxlength="16" pattern="[0-9]*([.][0-9]{1,3})?"; }
            label { "Redacted by rule" input type="text" name="redacted" value=(query.redacted) maxlength="100" placeholder="email"; }
            label { "Order" select name="sort" { @for (sort, name, words) in Sort::ALL { option value=(name) selected[sort == list.sort] { (words) } } } }
            input type="hidden" name="from" value=(query.from); input type="hidden" name="until" value=(query.until);
            input type="hidden" name="at_most_us" value=(query.at_most_us);
            button type="submit" { "Show" }
            @if !query.bounds().is_empty() { p.quiet { "Only " (query.bounds()) ". " a href="/recordings" { "All recordings" } } }
        }
    }
}

fn slower_ms(query: &Query) -> String {
    match query.slower_than_us.trim().parse::<u64>() {
        // To the microsecond, so that the form asks again for what it shows.
        Ok(us) if query.slower_than_ms.is_empty() => format!("{}", us as f64 / 1_000.0),
        _ => query.slower_than_ms.clone(),
    }
}

fn table(rows: &[CaptureSummary]) -> Markup {
    html! {
        div.scroll.list role="region" aria-label="Recordings" tabindex="0" { table.stack {
            thead { tr { th scope="col" { "Time" } th scope="col" { "Integration" } th scope="col" { "Endpoint" } th scope="col" { "Today’s" }
                th scope="col" { "New" } th.n scope="col" { "First byte" } th.n scope="col" { "Duration" } th scope="col" { "Answers" } } }
            @for row in rows { tbody { tr {
                th.title scope="row" { a.when href={ "/recordings/" (row.id) } { (words::time(row.received_unix_us)) } }
                td data-label="Integration" { (row.integration) }
                td.wide { code { (visible(&row.endpoint)) } }
                td data-label="Today’s" { @match &row.primary { Some(one) => { (answer(one)) } None => { "–" } } }
                td data-label="New" { (answer(&row.shadow)) }
                td.n data-label="First byte" { (row.shadow.ttfb_us.map_or_else(|| "–".to_owned(), human_us)) }
                td.n data-label="Duration" { (human_us(row.shadow.total_us)) }
                td data-label="Answers" { (words::verdict(&row.verdict)) }
            } } }
        } }
    }
}

fn answer(one: &ExchangeSummary) -> Markup {
    let good = one.outcome == Outcome::Ok;
    html! { span.line class=(if good { "good" } else { "bad" }) { (if good { "✓ " } else { "✗ " }) (answered(one)) } }
}

fn answered(one: &ExchangeSummary) -> String {
    match (one.status, one.failure) {
        (Some(status), None) => status.to_string(),
        (_, Some(failure)) => failure.name().replace('_', " "),
        (None, None) => one.outcome.name().replace('_', " "),
    }
}

/// `GET /recordings/{id}`.
pub(crate) fn detail(one: &StoredCapture, names: (Option<&str>, &str)) -> Html<String> {
    let summary = &one.summary;
    let export =
        format!("darklaunch export {} --format wiremock --ids {} --out fixtures", summary.integration, summary.id);
    let body = html! {
        h1 { code { (visible(&summary.endpoint)) } }
        p.lead { a href={ "/integrations/" (summary.integration) } { (summary.integration) } ", " (words::time(summary.received_unix_us)) ". "
            strong { (words::verdict(&summary.verdict)) } }
        section.card aria-labelledby="request" {
            h2 #request { "The request" }
            p { code { (summary.method) " " (visible(&summary.target)) } }
            (message(&one.request_headers, &one.request_body))
        }
        div.sides {
            @if let (Some(name), Some(primary)) = (names.0, &one.primary) { (side("today", TODAYS, name, primary)) }
            (side("new", NEW, names.1, &one.shadow))
        }
        @if !one.differences.is_empty() {
            section.card aria-labelledby="differs" {
                h2 #differs { "Where they differ" }
                ul { @for one in &one.differences { li { code { (visible(&one.path)) } ": " (what_words(one.what.name())) } } }
            }
        }
        section.card aria-labelledby="redacted" {
            h2 #redacted { "What was redacted" }
            @if one.hits.is_empty() { p.quiet { "No rule found anything in this recording." } }
            @else { table { thead { tr { th scope="col" { "Rule" } th scope="col" { "Where" } th.n scope="col" { "Values" } } }
                tbody { @for (rule, side, part, count) in &one.hits { tr {
                    th scope="row" { code { (rule) } } td { (place_words(side, part)) } td.n { (count) } } } } } }
            p.quiet { "Rule set " code { (one.rules_hash.get(..12).unwrap_or(&one.rules_hash)) } ". What a rule replaced was never stored." }
        }
        section.card aria-labelledby="fixture" {
            h2 #fixture { "Export this as fixture" }
            form.filter method="get" action={ "/recordings/" (summary.id) "/fixture" } {
                label { "For" select name="format" { @for format in Format::ALL { option value=(format.name()) { (format.name()) } } } }
                button type="submit" { "Download as fixture" }
            }
            p.quiet { "An archive with the files and a list of them; the redaction rules look at it once more before it leaves. "
                "Many at once, on the machine of the recorder:" }
            pre.copy tabindex="0" { code { (export) } }
        }
    };
    frame("Recording", None, &body)
}

fn side(class: &str, role: &str, name: &str, one: &StoredExchange) -> Markup {
    let summary = &one.summary;
    let times = [
        ("waited for its turn", Some(summary.queue_wait_us).filter(|_| class == "new")),
        ("connection", summary.connect_us),
        ("first byte", summary.ttfb_us),
        ("whole answer", Some(summary.total_us)),
    ];
    html! {
        section.card aria-labelledby={ "side-" (class) } {
            h2 id={ "side-" (class) } { (provider(role, name)) }
            p { (answer(summary)) " " (words::outcome(summary.outcome))
                @if let Some(failure) = summary.failure { " (" (FailureKind::name(failure).replace('_', " ")) ")" } }
            dl.facts { @for (name, us) in times { @if let Some(us) = us { dt { (name) } dd { (human_us(us)) } } } }
            (message(&one.headers, &one.body))
        }
    }
}

fn message(headers: &[(String, String)], body: &StoredBody) -> Markup {
    html! {
        @if !headers.is_empty() { details { summary { (headers.len()) " headers" }
            dl.headers { @for (name, value) in headers { dt { (visible(name)) } dd { code { (visible(value)) } } } } } }
        @match &body.bytes {
            Some(bytes) if bytes.is_empty() => { p.quiet { "No body." } }
            Some(bytes) => {
                @let (text, cut) = shown(bytes);
                pre.body tabindex="0" { code { (text) } }
                @if cut { p.quiet { "Cut here; the whole body: " code { "darklaunch recordings show" } } }
            }
            None if body.seen_bytes == 0 => { p.quiet { "No body." } }
            None => { p.quiet { "A body of " (words::count(body.seen_bytes)) " bytes was not kept: "
                (body.drop_reason.as_deref().unwrap_or("pruned").replace('_', " ")) "." } }
        }
    }
}

/// JSON with line breaks, anything else as it is; bounded, without characters that do not print.
fn shown(bytes: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(bytes);
    let fits = bytes.len() <= BODY_CHARS_MAX;
    let json = fits.then(|| serde_json::from_str::<serde_json::Value>(&text).ok()).flatten();
    let text = json.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.into_owned());
    let cut = text.chars().nth(BODY_CHARS_MAX).is_some();
    (visible(&text.chars().take(BODY_CHARS_MAX).collect::<String>()), cut)
}

/// Control and direction characters could make text look like something else.
fn visible(text: &str) -> String {
    let hides = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hides(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_laid_out_bounded_and_never_drive_the_page() {
        assert_eq!(shown(b"{\"b\":1,\"a\":[2]}").0, "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}");
        let (text, cut) = shown("é".repeat(BODY_CHARS_MAX + 1).as_bytes());
        assert!(cut && text.chars().count() == BODY_CHARS_MAX);
        assert_eq!(visible("a\u{202e}b\u{1b}[31m\nc"), "a\u{fffd}b\u{fffd}[31m\nc");
        let body = StoredBody { bytes: Some(b"<script>alert(1)</script>".to_vec()), seen_bytes: 25, drop_reason: None };
        let page = message(&[("x".into(), "<img src=x>".into())], &body).into_string();
        assert!(!page.contains("<script>") && !page.contains("<img") && page.contains("&lt;script&gt;"), "{page}");
    }
}
