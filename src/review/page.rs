//! The review as one HTML file: no network, light and dark, printable.

use crate::latency::stats::LADDER;
use crate::review::chart::{Curve, heat_map, outcome_bar, percentile_curve};
use crate::review::paste::{ground, paste};
use crate::review::review_text::timeout_words;
use crate::review::text::{human_us, percent, rung_text};
use crate::review::{Check, EndpointAdvice, Ladder, Review, Verdict};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Endpoints with charts and tables: the busiest ones. The others have their timeout, percentiles and outcomes.
const CHARTS_MAX: usize = 6;
/// Slots that the slider reads.
const SLIDER_SLOTS_MAX: usize = 150;

impl Review {
    /// The page.
    pub fn to_html(&self) -> String {
        let mut busiest: Vec<&EndpointAdvice> = self.endpoints.iter().collect();
        busiest.sort_by_key(|one| std::cmp::Reverse(one.calls));
        let body = html! {
                    header {
                        p.quiet { "Go-live review, " (moment(self.made_unix_s)) " · profile " (self.settings.profile.name())
                            @if let Some(since) = self.since_unix_s { " · calls since " (moment(since)) } }
                        h1 { (self.integration) " " (badge(self.verdict)) }
                        p.lead { (self.summary) }
                        (contacts(self))
                    }
                    main {
                        h2 { "Checks" }
                        @for one in &self.checks { (check(one)) }
                        @for (at, one) in busiest.iter().enumerate() { (endpoint(self, one, at < CHARTS_MAX, at == 0)) }
                        (rates(self))
                        (settings(self))
                        (ledger(self))
                    }
        };
        frame(&format!("Go-live review of {}", self.integration), &body)
    }
}

/// A page of its own: style and script within.
pub(crate) fn frame(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) script { (PreEscaped(SCRIPT)) } }
        }
    };
    page.into_string()
}

pub(crate) fn moment(unix_s: i64) -> String {
    Timestamp::from_second(unix_s).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "badge " (verdict.name()) } { (verdict.words()) } }
}

fn contacts(review: &Review) -> Markup {
    let settings = &review.settings;
    let all = [
        ("Owner", &settings.owner),
        ("Support", &settings.support),
        ("Status page", &settings.status_page),
        ("Promised", &settings.expectations),
        ("Price", &settings.price),
    ];
    html! {
        @if all.iter().any(|(_, text)| text.is_some()) {
            dl { @for (name, text) in all { @if let Some(text) = text { dt { (name) } dd { (text) } } } }
        }
    }
}

fn check(one: &Check) -> Markup {
    html! {
        details open[one.verdict != Verdict::Go] {
            summary { (badge(one.verdict)) " " strong { (one.number) ". " (one.title) } " " span.quiet { (one.found) } }
            dl {
                dt { "Goal" } dd { (one.goal) }
                dt { "Calls behind it" } dd { (one.calls) }
                @if !one.next.is_empty() { dt { "Next" } dd { strong { (one.next) } } }
            }
            @if !one.details.is_empty() { ul { @for line in &one.details { li { (line) } } } }
        }
    }
}

fn endpoint(review: &Review, one: &EndpointAdvice, charts: bool, first: bool) -> Markup {
    let settings = &review.settings;
    html! {
        h2 { (one.endpoint) }
        p { "Timeout " strong { (timeout_words(&one.timeout)) } "." }
        @if charts {
            (curves(one))
            (slider(one, first))
        }
        div.scroll { (ladders(one)) }
        @if charts {
            h3 { "What a timeout would cut" }
            div.scroll { (rows(one)) }
        }
        @if charts && !one.attempts.is_empty() {
            h3 { "Attempts within " (human_us(settings.budget_us)) }
            div.scroll { table {
                thead { tr { th { "Attempts" } th.n { "Timeout of each" } th.n { "Succeed as failures come" }
                    th.n { "If they were independent" } th.n { "Calls an operation" } } }
                tbody { @for one in &one.attempts { tr {
                    td { (one.plan.attempts) } td.n { (human_us(one.plan.timeout_us)) } td.n { (percent(one.measured.success)) }
                    td.n { (percent(one.independent.success)) } td.n { (format!("{:.3}", one.measured.calls)) }
                } } }
            } }
        }
        @if charts {
            h3 { "When are answers late? Hours of the week, UTC; later than " (human_us(one.timeout_us)) }
            (heat_map(&one.hours, settings.lost_answers))
            p.small { "From left to right and light to strong: no calls, none late, within the goal, up to ten times the goal, more." }
        }
        h3 { "Outcomes of " (one.calls) " calls" }
        (outcome_bar(&one.outcomes))
        p { @for (at, (outcome, calls)) in one.outcomes.iter().enumerate() {
            @if at > 0 { " · " } (outcome.name()) " " (calls) " (" (percent(*calls as f64 / one.calls.max(1) as f64)) ")" } }
    }
}

fn curves(one: &EndpointAdvice) -> Markup {
    let estimates = |ladder: &Ladder| {
        ladder.rungs.iter().filter_map(|rung| Some((rung.quantile, rung.estimate?))).collect::<Vec<_>>()
    };
    let supported = one.ladder.calls as f64 / one.ladder.deff() / 3.0;
    let curves =
        [Curve { class: "new", name: "new provider", slots: &one.answered, estimates: estimates(&one.ladder) }];
    html! {
        @if !one.answered.is_empty() {
            (percentile_curve(&curves, 1.0 - 1.0 / supported.max(1.0), Some(one.timeout_us)))
            p.small { "Time to the answer's last byte of successful calls: " span.key.new { "━ new provider" }
                @if curves.len() > 1 { ", " span.key.today { "╌ today's provider" } } ". Upright strokes are 95 % intervals." }
        }
    }
}

fn slider(one: &EndpointAdvice, first: bool) -> Markup {
    let counts: Vec<(u64, u64)> = one.answered.iter().map(|(us, _)| us).zip(above_each(one)).collect();
    let step = counts.len().div_ceil(SLIDER_SLOTS_MAX).max(1);
    // Of joined slots the upper edge with the count above the lowest: never too kind to a timeout.
    let kept: Vec<String> =
        counts.chunks(step).filter_map(|part| Some(format!("[{},{}]", part.last()?.0, part.first()?.1))).collect();
    let (Some(low), Some(high)) = (counts.first(), counts.last()) else { return html! {} };
    let log = |us: u64| format!("{:.3}", (us.max(1) as f64).ln());
    html! {
        div.what-if data-calls=(format!("{{\"n\":{},\"slots\":[{}]}}", one.ladder.calls.max(1), kept.join(","))) {
            label { "What if the timeout were … "
                input type="range" min=(log(low.0)) max=(log(high.0.max(one.timeout_us) + 1)) step="0.001" value=(log(one.timeout_us)); }
            output {}
            @if first { p.small { "Calls we ended ourselves count as later than every timeout in the table, not in this line." } }
        }
    }
}

/// For each slot of the good answers, calls in it or above.
fn above_each(one: &EndpointAdvice) -> Vec<u64> {
    let mut left = one.answered.len();
    let below = one.answered.iter().map(|(_, calls)| {
        let here = left;
        left -= calls;
        here
    });
    below.collect()
}

fn ladders(one: &EndpointAdvice) -> Markup {
    let row = |name: &str, ladder: &Ladder| {
        html! { tr { th { (name) } td.n { (ladder.calls) } @for rung in &ladder.rungs { td.n { (rung_text(rung)) } } } }
    };
    html! {
        table {
            thead { tr { th { "Percentiles" } th.n { "calls" } @for level in LADDER { th.n { (level.name) } } } }
            tbody { (row("new", &one.ladder)) @if let Some(today) = &one.today { (row("today's", today)) } }
        }
    }
}

fn rows(one: &EndpointAdvice) -> Markup {
    html! {
        table {
            thead { tr { th.n { "Timeout" } th.n { "Good answers lost" } th.n { "Interval" } th.n { "Lost a day" }
                th.n { "Useless waits saved a day" } th.n { "Held on average" } th.n { "Connections" } } }
            tbody { @for row in &one.rows {
                @let (surely, at_most) = (row.cut.surely, row.cut.at_most);
                tr {
                    td.n { @if row.cut.timeout_us == one.timeout_us { strong { (human_us(row.cut.timeout_us)) } }
                        @else { (human_us(row.cut.timeout_us)) } }
                    td.n { @if at_most.k == 0 { "at most " (percent(at_most.high)) } @else { (percent(surely.value())) } }
                    td.n { "[" (percent(surely.low)) ", " (percent(at_most.high)) "]" }
                    td.n { (format!("{:.1}", row.lost_per_day)) } td.n { (format!("{:.1}", row.saved_per_day)) }
                    td.n { (human_us(row.held_us as u64)) } td.n { (row.connections) }
                }
            } }
        }
    }
}

fn rates(review: &Review) -> Markup {
    let rates = &review.rates;
    html! {
        h2 { "Call rate and data volume, for the contract" }
        dl {
            dt { "Busiest ten seconds" } dd { (format!("{:.1}", rates.peak_10s_per_s)) " calls/s" }
            dt { "Busiest minute" } dd { (format!("{:.0}", rates.peak_minute)) " calls" }
            dt { "Busiest day" } dd { (format!("{:.0}", rates.peak_day)) " calls" }
            dt { "Bytes a call" } dd { (format!("{:.0}", rates.mean_bytes)) " on average, " (rates.largest_bytes) " at most" }
        }
        p.small { "From " (rates.calls) " recorded calls, scaled up by the mirrored share of " (percent(review.settings.sample)) "." }
    }
}

fn settings(review: &Review) -> Markup {
    let all = paste(review);
    html! {
        h2 { "Settings to paste" }
        @if all.is_empty() { p { "None: no timeout is known yet, see check 1." } }
        @else {
            p { (ground(review)) }
            @for one in &all {
                details { summary { (one.client) } p.small { (one.meaning) "." } pre { code { (one.text) } } }
            }
        }
    }
}

fn ledger(review: &Review) -> Markup {
    let ledger = &review.ledger;
    let groups = [
        ("mirrored", &ledger.mirrored),
        ("not mirrored", &ledger.not_mirrored),
        ("today's provider", &ledger.primary),
        ("not recorded", &ledger.not_recorded),
    ];
    html! {
        h2 { "Ledger of the time reviewed" }
        div.scroll { table { tbody {
            tr { th { "arrived" } td {} td.n { (ledger.arrived) } }
            @for (group, counts) in groups { @for (name, count) in counts { tr { th { (group) } td { (name) } td.n { (count) } } } }
        } } }
        p { (ledger.sum_line()) "." }
    }
}
