//! Charts as SVG, without scripts and inline styles: for the review's page and for the console's.
//!
//! Colours are classes of the page that shows them: `new`, `today`, `unsure`, `h0` to `h4`, and one per outcome.

use crate::exchange::Outcome;
use crate::latency::stats::{Cell, Estimate};
use crate::latency::{HOURS_OF_WEEK, Slots};
use crate::review::text::human_us;
use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 34.0;
const TOP: f64 = 12.0;
/// Percentiles that tell their values where the pointer rests.
const TOLD: [(f64, &str); 11] = [
    (0.5, "p50"),
    (0.75, "p75"),
    (0.9, "p90"),
    (0.95, "p95"),
    (0.98, "p98"),
    (0.99, "p99"),
    (0.995, "p99.5"),
    (0.998, "p99.8"),
    (0.999, "p99.9"),
    (0.9999, "p99.99"),
    (0.99999, "p99.999"),
];
/// Points of a curve at most.
const POINTS_MAX: usize = 160;

/// One line of the percentile chart.
pub struct Curve<'a> {
    /// Its class: `new` or `today`.
    pub class: &'static str,
    /// What it is called.
    pub name: &'a str,
    /// Its calls.
    pub slots: &'a Slots,
    /// Percentiles with intervals: share of the calls at or below, and the estimate.
    pub estimates: Vec<(f64, Estimate)>,
}

/// Latency by percentile, where each further nine takes as much room as the one before: the tail is not squeezed into the
/// last millimetre. Right of `supported` (a share of the calls, 0 to 1) too few calls lie behind the line, and it is
/// greyed.
pub fn percentile_curve(curves: &[Curve<'_>], supported: f64, timeout_us: Option<u64>) -> Markup {
    let nines = |share: f64| -(1.0 - share).max(1e-9).log10();
    let counted = curves.iter().map(|curve| curve.slots.len()).max().unwrap_or_default();
    let right = nines(1.0 - 1.0 / counted.max(10) as f64).max(2.0);
    let us = |curve: &Curve<'_>| {
        let first = curve.slots.value_at_rank(curve.slots.len().div_ceil(20).max(1)).unwrap_or(1);
        (first, curve.slots.value_at_rank(curve.slots.len()).unwrap_or(1))
    };
    let low = curves.iter().map(|curve| us(curve).0).min().unwrap_or(1).max(1) as f64;
    let high = curves.iter().map(|curve| us(curve).1).chain(timeout_us).max().unwrap_or(10) as f64 * 1.1;
    let span = (high.ln() - low.ln()).max(0.1);
    let x = |share: f64| LEFT + nines(share).min(right) / right * (WIDTH - LEFT - 10.0);
    let y = |us: f64| TOP + (1.0 - ((us.max(low)).ln() - low.ln()) / span) * (HEIGHT - TOP - BOTTOM);
    let ticks = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"), (0.9999, "p99.99"), (0.99999, "p99.999")];
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label="Latency by percentile" {
            @if nines(supported) < right {
                rect.unsure x=(num(x(supported))) y=(TOP) width=(num(WIDTH - 10.0 - x(supported))) height=(HEIGHT - TOP - BOTTOM) {}
                text.small x=(num(x(supported) + 4.0)) y=(HEIGHT - BOTTOM - 6.0) { "too few calls" }
            }
            @for (share, name) in ticks { @if nines(share) <= right + 0.01 {
                line.grid x1=(num(x(share))) x2=(num(x(share))) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
                text.small text-anchor="middle" x=(num(x(share))) y=(HEIGHT - BOTTOM + 16.0) { (name) }
            } }
            @for tick in latency_ticks(low, high) {
                line.grid x1=(LEFT) x2=(WIDTH - 10.0) y1=(num(y(tick))) y2=(num(y(tick))) {}
                text.small text-anchor="end" x=(LEFT - 6.0) y=(num(y(tick) + 4.0)) { (human_us(tick as u64)) }
            }
            @if let Some(us) = timeout_us {
                line.limit x1=(LEFT) x2=(WIDTH - 10.0) y1=(num(y(us as f64))) y2=(num(y(us as f64))) {}
                text.small x=(LEFT + 4.0) y=(num(y(us as f64) - 4.0)) { "timeout " (human_us(us)) }
            }
            @for curve in curves {
                polyline class={ "line " (curve.class) } points=(points(curve.slots, &x, &y)) { title { (curve.name) } }
                @for (share, one) in &curve.estimates {
                    line class={ "whisker " (curve.class) } x1=(num(x(*share))) x2=(num(x(*share)))
                        y1=(num(y(one.low_us.unwrap_or(one.value_us) as f64)))
                        y2=(num(one.high_us.map_or(TOP, |us| y(us as f64)))) {}
                }
            }
            @let told: Vec<_> = TOLD.into_iter().filter(|(share, _)| nines(*share) <= right + 0.01).collect();
            @for (at, (share, name)) in told.iter().enumerate() {
                // Each reaches half the way to its neighbours.
                @let edge = |other: Option<&(f64, &str)>, end: f64| other.map_or(end, |(other, _)| (x(*share) + x(*other)) / 2.0);
                @let (from, to) = (edge(told.get(at.wrapping_sub(1)), LEFT), edge(told.get(at + 1), WIDTH - 10.0));
                rect.told x=(num(from)) y=(TOP) width=(num(to - from)) height=(num(HEIGHT - TOP - BOTTOM)) {
                    title { (name) ": " (curves.iter().map(|curve| told_of(curve, *share)).collect::<Vec<_>>().join(", "))
                        @if share > &supported { " (too few calls to say)" } }
                }
            }
        }
    }
}

/// What one curve says of a percentile.
fn told_of(curve: &Curve<'_>, share: f64) -> String {
    let rank = (curve.slots.len() as f64 * share).ceil() as u64;
    curve.slots.value_at_rank(rank.max(1)).map_or_else(String::new, |us| format!("{} {}", curve.name, human_us(us)))
}

fn num(value: f64) -> String {
    format!("{value:.1}")
}

fn points(slots: &Slots, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) -> String {
    let n = slots.len() as f64;
    let mut below = 0.0;
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (us, calls) in slots.iter() {
        below += calls as f64;
        // The last call lies at no percentile: half of it does.
        let share = ((below - 0.5) / n).clamp(0.0, 1.0);
        all.push((x(share), y(us as f64)));
    }
    let step = all.len().div_ceil(POINTS_MAX).max(1);
    let last = all.len().saturating_sub(1);
    let kept = all.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last || at + 20 > last);
    kept.map(|(_, (x, y))| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// 1, 2 and 5 of each power of ten within the bounds; fewer where there are many.
fn latency_ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let many = high / low > 1e3;
    let steps: &[f64] = if many { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
    all.filter(|tick| (low..=high).contains(tick)).collect()
}

/// The week from Monday 00:00 UTC, a row a day: how many of the calls of each hour lie above a limit. `target` is the
/// share, 0 to 1, up to which that is as wished.
pub fn heat_map(cells: &[Cell], target: f64) -> Markup {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let level = |cell: &Cell| {
        let share = cell.above as f64 / cell.calls.max(1) as f64;
        match cell {
            Cell { calls: 0, .. } => "h0",
            Cell { above: 0, .. } => "h1",
            _ if share <= target => "h2",
            _ if share <= target * 10.0 => "h3",
            _ => "h4",
        }
    };
    html! {
        svg.chart viewBox="0 0 520 130" role="img" aria-label="Share of late answers by hour of the week, UTC" {
            @for (day, name) in DAYS.iter().enumerate() { text.small x="0" y=(day * 15 + 22) { (name) } }
            @for hour in (0..24).step_by(3) { text.small x=(hour * 20 + 34) y="8" { (hour) } }
            @for (at, cell) in cells.iter().take(HOURS_OF_WEEK).enumerate() {
                rect class=(level(cell)) x=(at % 24 * 20 + 32) y=(at / 24 * 15 + 11) width="19" height="14" {
                    @if cell.above > 0 { title { (cell.above) " of " (cell.calls) } }
                }
            }
        }
    }
}

/// Outcomes as one bar.
pub fn outcome_bar(outcomes: &[(Outcome, u64)]) -> Markup {
    let all: u64 = outcomes.iter().map(|(_, calls)| calls).sum();
    let mut from = 0.0;
    let parts: Vec<(f64, f64, &(Outcome, u64))> = outcomes
        .iter()
        .map(|one| {
            let width = one.1 as f64 / all.max(1) as f64 * 700.0;
            from += width;
            (from - width, width, one)
        })
        .collect();
    html! {
        svg.bar viewBox="0 0 700 14" preserveAspectRatio="none" role="img" aria-label="Outcomes" {
            @for (from, width, (outcome, calls)) in parts {
                rect class={ "o-" (outcome.name()) } x=(num(from)) y="0" width=(num(width.max(0.5))) height="14" {
                    title { (outcome.name()) ": " (calls) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Series;

    #[test]
    fn every_percentile_that_is_drawn_tells_its_values_under_the_pointer() {
        let mut all = Series::new();
        (1..=2_000).for_each(|us| all.record(us * 1_000));
        let slots = Slots::of(&all);
        let curve = |class, name| Curve { class, name, slots: &slots, estimates: Vec::new() };
        let svg = percentile_curve(&[curve("new", "NewPay"), curve("today", "Old <Pay>")], 0.995, None).into_string();
        assert!(svg.contains("<title>p50: NewPay 1.00 s, Old &lt;Pay&gt; 1.00 s</title>"), "{svg}");
        assert!(
            svg.contains("<title>p99.9: NewPay 2.00 s, Old &lt;Pay&gt; 2.00 s (too few calls to say)</title>"),
            "{svg}"
        );
        assert!(!svg.contains("p99.99"), "two thousand calls do not reach so far");
        // The bands lie side by side, from one end of the chart to the other.
        let number = |band: &str, name: &str| -> f64 {
            let value = band.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap();
            value.parse().unwrap()
        };
        let bands: Vec<(f64, f64)> =
            svg.split("<rect class=\"told\"").skip(1).map(|band| (number(band, "x"), number(band, "width"))).collect();
        assert_eq!(bands.len(), 9);
        let mut at = LEFT;
        for (x, width) in bands {
            assert!((x - at).abs() < 0.11, "{x} after {at}");
            at = x + width;
        }
        assert!((at - (WIDTH - 10.0)).abs() < 0.5, "{at}");
    }
}
