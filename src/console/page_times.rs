//! How slow are the slow calls, when, and what came of all requests: charts with the figures beside them.

use crate::console::charts::{GROUPS, grouped, latency_over_time, outcomes_over_time};
use crate::console::insight::{Flow, Insight};
use crate::console::view::IntegrationView;
use crate::console::words;
use crate::exchange::Role;
use crate::latency::Slots;
use crate::review::chart::{Curve, percentile_curve};
use crate::review::{Section, human_us};
use maud::{Markup, html};
use serde_json::json;
use std::collections::BTreeMap;

/// Calls beyond a percentile without which it is greyed.
const CALLS_BEYOND_MIN: f64 = 10.0;
/// Slots the slider reads of each provider; more are joined.
const SLIDER_SLOTS_MAX: usize = 1_200;

/// The percentile curve of both providers, with the slider below it.
pub(crate) fn curve(now: &IntegrationView, insight: &Insight) -> Markup {
    let sections: Vec<&Section> = insight.sections.iter().filter(|section| !section.answered.is_empty()).collect();
    let curves: Vec<Curve<'_>> = sections
        .iter()
        .map(|section| Curve {
            class: class_of(section.role),
            name: name_of(now, section.role),
            slots: &section.answered,
            estimates: section.success.rungs.iter().filter_map(|rung| Some((rung.quantile, rung.estimate?))).collect(),
        })
        .collect();
    let fewest = sections.iter().map(|section| section.answered.len()).min().unwrap_or_default();
    let supported = 1.0 - CALLS_BEYOND_MIN / (fewest as f64).max(CALLS_BEYOND_MIN);
    html! {
        @if !curves.is_empty() {
            p.keys { @for section in &sections {
                span.key { svg.swatch viewBox="0 0 28 10" aria-hidden="true" { line class={ "line " (class_of(section.role)) } x1="0" x2="28" y1="5" y2="5" {} }
                    " " (name_of(now, section.role)) " " small { "(" (words::calls(section.answered.len())) ")" } }
            } }
            (percentile_curve(&curves, supported, limit_us(insight)))
            p.quiet { "Each step to the right is rarer: p99 is the time within which 99 of 100 calls finish, p99.9 that of 999 of "
                "1 000. Upright strokes: where the true figure lies with 95 % certainty. Grey: fewer than ten calls are slower "
                "than that, too few to rely on. All endpoints together, successful calls, everything in the database." }
            (slider(now, &sections, &insight.vain, limit_us(insight)))
        }
    }
}

/// The timeout that charts show: the review's of the busiest endpoint.
fn limit_us(insight: &Insight) -> Option<u64> {
    let review = insight.review.as_ref().ok()?;
    review.endpoints.iter().max_by_key(|one| one.calls).map(|one| one.timeout_us)
}

fn class_of(role: Role) -> &'static str {
    match role {
        Role::Primary => "today",
        Role::Shadow => "new",
    }
}

fn name_of(now: &IntegrationView, role: Role) -> &str {
    match role {
        Role::Primary => now.primary_name().unwrap_or("today’s provider"),
        Role::Shadow => now.shadow_name(),
    }
}

/// Counts as the slider reads them; hidden until the script, which it needs, shows it.
fn slider(now: &IntegrationView, sections: &[&Section], vain: &Slots, limit_us: Option<u64>) -> Markup {
    let sides: Vec<_> = sections
        .iter()
        .map(|section| {
            json!({
                "name": name_of(now, section.role),
                "calls": section.answered.len() + section.success.censored_calls,
                "ended_by_us": section.success.censored_calls,
                "slots": above_each(&section.answered),
                // Who waits longer than the timeout for an answer that is no success waits in vain.
                "vain": (section.role == Role::Shadow).then(|| above_each(vain)),
            })
        })
        .collect();
    let ends = |section: &&Section| {
        let edges = || section.answered.iter().map(|(us, _)| us);
        (edges().min().unwrap_or(1), edges().max().unwrap_or(1))
    };
    let low = sections.iter().map(|section| ends(section).0).min().unwrap_or(1);
    let high = sections.iter().map(|section| ends(section).1).max().unwrap_or(1).max(low + 1);
    let at = limit_us.unwrap_or(high).clamp(low, high);
    let ln = |us: u64| format!("{:.4}", (us.max(1) as f64).ln());
    html! {
        div.what-if hidden data-sides=(json!(sides)) {
            label for="what-if" { "What if calls were waited for at most … " strong #what-if-value {} }
            input #what-if type="range" min=(ln(low)) max=(ln(high + 1)) step="0.0005" value=(ln(at));
            output for="what-if" aria-live="polite" {}
        }
    }
}

/// Upper edge of each slot and the calls in it or above. Joined slots have the upper edge of the last and the count above
/// the lowest: never too kind to a timeout.
fn above_each(slots: &Slots) -> Vec<(u64, u64)> {
    let mut left = slots.len();
    let each: Vec<(u64, u64)> = slots
        .iter()
        .map(|(us, calls)| {
            let here = left;
            left -= calls;
            (us, here)
        })
        .collect();
    let step = each.len().div_ceil(SLIDER_SLOTS_MAX).max(1);
    each.chunks(step).filter_map(|part| Some((part.last()?.0, part.first()?.1))).collect()
}

/// The heat map.
pub(crate) fn heat(now: &IntegrationView, insight: &Insight) -> Markup {
    html! {
        section.card aria-labelledby="when" {
            h2 #when { "When was it slow?" }
            (latency_over_time(&insight.heat, &now.name, limit_us(insight)))
            p.quiet { "Successful calls to " (now.shadow_name()) ": time to the right, slower upwards, the stronger the colour the more calls. "
                @if let (Some(us), Some(top)) = (limit_us(insight), insight.heat.rows_us.last()) {
                    @if us <= *top { "Dashed: a timeout of " (human_us(us)) "; the slider moves it. " }
                    @else { "A timeout of " (human_us(us)) " lies above the chart; the dashed line is the slider’s. " }
                }
                "A cell leads to those of its calls that are still kept." }
        }
    }
}

/// Outcomes over time, those not copied included, and the same as a table.
pub(crate) fn outcomes(flow: &Flow) -> Markup {
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    for cell in &flow.cells {
        cell.iter().for_each(|(state, calls)| *all.entry(state.clone()).or_default() += calls);
    }
    let counts = grouped(&all);
    let sum: u64 = counts.iter().sum();
    html! {
        @if sum > 0 {
            section.card aria-labelledby="came" {
                h2 #came { "What came of all calls?" }
                (outcomes_over_time(flow))
                ul.legend { @for ((class, words, _), calls) in GROUPS.iter().zip(counts) { @if calls > 0 { li {
                    svg.swatch viewBox="0 0 14 14" aria-hidden="true" { rect class=(class) width="14" height="14" rx="3" {} }
                    " " (words) " " strong { (words::count(calls)) } " " span.quiet { (words::share(calls, sum)) }
                } } } }
                p.quiet { "Every call counts, also those that were not copied: " (words::calls(sum)) " since recording began." }
            }
        }
    }
}
