//! Charts over time as SVG, without inline styles: latencies as a heat map, and what came of the requests.
//!
//! Geometry is in attributes, colours are classes of the style sheet. The percentile curve is the review's own.

use crate::console::insight::{Columns, Flow, Heat};
use crate::console::words;
use crate::review::human_us;
use maud::{Markup, html};
use std::collections::BTreeMap;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 26.0;
const ROW_HEIGHT: f64 = 12.0;
const FLOW_HEIGHT: f64 = 180.0;
/// Steps of the colour scale.
const LEVELS: u64 = 6;

/// Groups of ledger states in the order in which they are stacked: class, words, and whether a state belongs to it.
type Group = (&'static str, &'static str, fn(&str) -> bool);
pub(crate) const GROUPS: [Group; 7] = [
    ("f-ok", "succeeded", |state| state == "mirrored.ok"),
    ("f-inside", "answered 200 with an error inside", |state| state == "mirrored.ok_but_error"),
    ("f-4xx", "refused by them (4xx, 429)", |state| {
        state == "mirrored.client_4xx" || state == "mirrored.throttled_429"
    }),
    ("f-5xx", "failed on their side (5xx, network, too slow)", |state| {
        matches!(state, "mirrored.server_5xx" | "mirrored.network_error" | "mirrored.timeout")
    }),
    ("f-cut", "cut off by a stop or shutdown", |state| matches!(state, "mirrored.aborted" | "mirrored.unknown")),
    ("f-limit", "not copied: a limit was reached", |state| {
        matches!(
            state.strip_prefix("not_mirrored."),
            Some(
                "queue_full"
                    | "memory"
                    | "rate"
                    | "budget"
                    | "breaker"
                    | "paused_429"
                    | "not_announced"
                    | "adapt_failed"
            )
        )
    }),
    ("f-chosen", "not copied: switched off, not in the sample, or not allowed", |state| {
        state.starts_with("not_mirrored.")
    }),
];

/// Which group a ledger state belongs to.
pub(crate) fn group_of(state: &str) -> Option<usize> {
    GROUPS.iter().position(|(_, _, holds)| holds(state))
}

fn num(value: f64) -> String {
    format!("{value:.1}")
}

fn x_of(columns: &Columns, column: usize) -> f64 {
    LEFT + column as f64 / columns.count.max(1) as f64 * (WIDTH - LEFT - RIGHT)
}

/// Time below a chart: at most six marks.
fn time_axis(columns: &Columns, y: f64) -> Markup {
    let step = columns.count.div_ceil(6).max(1);
    let day = columns.width_s * columns.count as i64 > 2 * 86_400;
    html! {
        @for (nth, column) in (0..columns.count).step_by(step).enumerate() {
            @let at = columns.start_unix_s(column);
            // The script shows it in the reader's own zone; a narrow screen has room for every other one.
            text.small.between[nth % 2 == 1] x=(num(x_of(columns, column))) y=(num(y)) data-at=(at) data-day[day] { (words::axis_moment(at, day)) }
        }
    }
}

/// The new provider's latencies over time: the darker, the more calls. A cell leads to its calls. The limit is drawn as a
/// line, which the slider moves.
pub(crate) fn latency_over_time(heat: &Heat, integration: &str, limit_us: Option<u64>) -> Markup {
    let columns = &heat.columns;
    let rows = heat.rows_us.len().saturating_sub(1);
    let (Some(low), Some(high)) = (heat.rows_us.first().copied(), heat.rows_us.last().copied()) else {
        return html! { p.quiet { "No successful call has been recorded yet." } };
    };
    let plot = rows as f64 * ROW_HEIGHT;
    let height = TOP + plot + BOTTOM;
    let most = heat.cells.values().copied().max().unwrap_or(1);
    let ln = |us: u64| (us.max(1) as f64).ln();
    let y_of = |us: u64| TOP + plot * (1.0 - ((ln(us) - ln(low)) / (ln(high) - ln(low)).max(1e-9)).clamp(0.0, 1.0));
    let width = (WIDTH - LEFT - RIGHT) / columns.count.max(1) as f64;
    html! {
        svg.chart.heat viewBox=(format!("0 0 {WIDTH} {height}")) role="group" aria-label="Latency of the new provider over time"
            data-low=(low) data-high=(high) data-top=(num(TOP)) data-height=(num(plot)) {
            @for (row, us) in heat.rows_us.iter().enumerate() { @if row % 2 == 0 || rows < 8 {
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(num(y_of(*us))) y2=(num(y_of(*us))) {}
                text.small text-anchor="end" x=(LEFT - 6.0) y=(num(y_of(*us) + 4.0)) { (human_us(*us)) }
            } }
            @for ((column, row), calls) in &heat.cells {
                @let from = heat.rows_us.get(*row).copied().unwrap_or(low);
                @let to = heat.rows_us.get(row + 1).copied().unwrap_or(high);
                @let start = columns.start_unix_s(*column);
                @let words = format!("{} of {} to {}, {}", words::calls(*calls), human_us(from), human_us(to), words::moment(start * 1_000_000));
                a href={ "/recordings?integration=" (integration) "&outcome=ok&from=" (start) "&until=" (start + columns.width_s)
                    "&slower_than_us=" (from.saturating_sub(1)) "&at_most_us=" (to.saturating_sub(1)) } aria-label=(words) {
                    rect class={ "v" (level(*calls, most)) } x=(num(x_of(columns, *column))) width=(num((width - 1.0).max(1.0)))
                        y=(num(y_of(to))) height=(num(ROW_HEIGHT - 1.0)) { title { (words) } }
                }
            }
            @if let Some(us) = limit_us {
                line.limit x1=(LEFT) x2=(WIDTH - RIGHT) y1=(num(y_of(us))) y2=(num(y_of(us))) {}
            }
            (time_axis(columns, height - 8.0))
        }
    }
}

/// 1 to [`LEVELS`], by the logarithm of the count: a few slow calls must show beside thousands.
fn level(calls: u64, most: u64) -> u64 {
    let share = (calls as f64 + 1.0).ln() / (most as f64 + 1.0).ln().max(1e-9);
    ((share * LEVELS as f64).ceil() as u64).clamp(1, LEVELS)
}

/// All requests over time by what came of them, those that were not copied included; each column is 100 %.
pub(crate) fn outcomes_over_time(flow: &Flow) -> Markup {
    let columns = &flow.columns;
    let plot = FLOW_HEIGHT - TOP - BOTTOM;
    let width = (WIDTH - LEFT - RIGHT) / columns.count.max(1) as f64;
    html! {
        svg.chart.flow viewBox=(format!("0 0 {WIDTH} {FLOW_HEIGHT}")) role="img" aria-label="What came of all requests over time, in percent" {
            @for percent in [0_u32, 25, 50, 75, 100] {
                @let y = TOP + plot * (1.0 - f64::from(percent) / 100.0);
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(num(y)) y2=(num(y)) {}
                text.small text-anchor="end" x=(LEFT - 6.0) y=(num(y + 4.0)) { (percent) " %" }
            }
            @for (column, cell) in flow.cells.iter().enumerate() {
                @for (group, from, share, calls) in stacked(cell) {
                    rect class=(GROUPS[group].0) x=(num(x_of(columns, column))) width=(num((width - 1.0).max(1.0)))
                        y=(num(TOP + plot * (1.0 - from - share))) height=(num(plot * share)) {
                        title { (words::calls(calls)) " " (GROUPS[group].1) ", " (words::moment(columns.start_unix_s(column) * 1_000_000)) }
                    }
                }
            }
            (time_axis(columns, FLOW_HEIGHT - 8.0))
        }
    }
}

/// Of one column: group, where it begins and its share (0 to 1), and its calls.
fn stacked(cell: &BTreeMap<String, u64>) -> Vec<(usize, f64, f64, u64)> {
    let counts = grouped(cell);
    let all: u64 = counts.iter().sum();
    let mut from = 0.0;
    let parts = counts.iter().enumerate().filter(|(_, calls)| **calls > 0).map(|(group, calls)| {
        let share = *calls as f64 / all.max(1) as f64;
        from += share;
        (group, from - share, share, *calls)
    });
    parts.collect()
}

/// Requests by group.
pub(crate) fn grouped(cell: &BTreeMap<String, u64>) -> [u64; GROUPS.len()] {
    let mut counts = [0; GROUPS.len()];
    for (state, calls) in cell {
        if let Some(count) = group_of(state).and_then(|group| counts.get_mut(group)) {
            *count += calls;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{NotMirrored, Outcome};

    fn end_states() -> impl Iterator<Item = String> {
        let mirrored = Outcome::ALL.iter().map(|outcome| format!("mirrored.{}", outcome.name()));
        mirrored.chain(NotMirrored::ALL.iter().map(|reason| format!("not_mirrored.{}", reason.name())))
    }

    #[test]
    fn every_end_state_is_in_the_chart_and_nothing_else_is() {
        for state in end_states() {
            assert!(group_of(&state).is_some(), "{state}");
        }
        for other in ["arrived", "pending", "recorded", "primary.ok", "body_dropped.bomb"] {
            assert_eq!(group_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_column_is_whole_and_its_parts_stand_on_each_other() {
        let cell = [("mirrored.ok", 6), ("mirrored.server_5xx", 1), ("not_mirrored.rate", 3), ("arrived", 10)];
        let parts = stacked(&cell.map(|(state, calls)| (state.to_owned(), calls)).into());
        assert_eq!(parts.iter().map(|(group, ..)| *group).collect::<Vec<_>>(), [0, 3, 5]);
        let mut top = 0.0;
        for (_, from, share, _) in &parts {
            assert!((from - top).abs() < 1e-9);
            top += share;
        }
        assert!((top - 1.0_f64).abs() < 1e-9);
    }

    #[test]
    fn charts_hold_no_figure_that_is_no_number_and_only_one_colour_per_cell() {
        let heat = Heat {
            columns: Columns::over(1_700_000_000, 1_700_003_600),
            rows_us: vec![1_000, 1_414, 2_000],
            cells: [((0, 0), 5), ((3, 1), 1)].into(),
        };
        let svg = latency_over_time(&heat, "payments", Some(1_500)).into_string();
        assert!(!svg.contains("NaN") && !svg.contains("style="), "{svg}");
        assert_eq!(svg.matches("<rect class=\"v").count(), 2);
        assert!(svg.contains("slower_than_us=999&amp;at_most_us=1413") && svg.contains("class=\"limit\""), "{svg}");
        assert!((1..=6).contains(&level(1, 1)) && level(1, 1_000_000) < level(1_000, 1_000_000));
    }
}
