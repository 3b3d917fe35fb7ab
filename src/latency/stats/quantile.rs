//! Percentiles with the interval that holds the true one, whatever the distribution is.
//!
//! The number of calls below the true q-quantile is Binomial(n, q), so two ranks of the sorted calls enclose it with a
//! known probability (Hahn and Meeker, *Statistical Intervals*, chapter 5; arXiv:2402.19109). Calls that come in
//! episodes count as `n / deff` of them; the ranks are then found between whole numbers and scaled back.

use crate::latency::stats::binomial::binomial_at_most;
use crate::latency::stats::episodes::effect_around;
use crate::latency::stats::{CONFIDENCE, Effect, effect};
use crate::latency::{Slots, Timeline, lower_edge_us};

/// A quantile as a fraction: in floating point `0.999 * 1000` can come out one rank too high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// `p99.9`.
    pub name: &'static str,
    /// 999.
    pub num: u64,
    /// 1000; more than `num`.
    pub den: u64,
}

impl Level {
    /// Between 0 and 1.
    pub fn share(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// The rank from 1 of the quantile among `n` sorted calls: `ceil(n * num / den)`.
    pub fn rank(self, n: u64) -> u64 {
        let rank = (u128::from(n) * u128::from(self.num)).div_ceil(u128::from(self.den));
        u64::try_from(rank).unwrap_or(n).max(1)
    }
}

const fn level(name: &'static str, num: u64, den: u64) -> Level {
    Level { name, num, den }
}

/// The percentiles that reports show, rising.
pub const LADDER: [Level; 7] = [
    level("p50", 50, 100),
    level("p75", 75, 100),
    level("p90", 90, 100),
    level("p95", 95, 100),
    level("p99", 99, 100),
    level("p99.9", 999, 1_000),
    level("p99.99", 9_999, 10_000),
];

/// A percentile that enough calls support. All values in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The percentile, with calls we ended ourselves counted at the value measured.
    pub value_us: u64,
    /// True if calls we ended ourselves could make the true value larger.
    pub at_least: bool,
    /// Lower end of the interval, where one exists.
    pub low_us: Option<u64>,
    /// Upper end of the interval; absent where too few calls, or calls we ended ourselves, leave it open.
    pub high_us: Option<u64>,
    /// How much episodes take from the calls.
    pub effect: Effect,
}

/// Stretches of ten minutes with calls that must lie behind a percentile, whatever the number of calls: two days of them for one
/// call in a thousand and rarer. A single day may by chance have had no episode, and then looks like one without: by simulation,
/// of sparse calls, one p99.9 in eleven that a single day gave was wrong where one in twenty may be.
pub fn min_stretches(level: Level) -> u64 {
    if level.num * 1_000 >= level.den * 999 { 288 } else { 0 }
}

/// The fewest independent calls for which a one-sided 95 % upper bound of `quantile` exists: `ceil(ln 0.05 / ln
/// quantile)`, because the largest of n calls lies above the quantile with probability `1 - quantile^n`. 59 for 0.95, 299
/// for 0.99, 2 995 for 0.999. A quantile of 1 or more is supported by no number of calls (`u64::MAX`).
pub fn min_calls(quantile: f64) -> u64 {
    if quantile.is_nan() || quantile >= 1.0 {
        return u64::MAX;
    }
    if quantile <= 0.0 {
        return 1;
    }
    ((1.0 - CONFIDENCE).ln() / quantile.ln()).ceil().max(1.0) as u64
}

/// About how many more days at the rate so far until there are `needs` calls; `None` where nothing is recorded to tell a
/// rate from, 0 where there are enough.
pub fn days_until(needs: u64, timeline: &Timeline) -> Option<f64> {
    let missing = needs.saturating_sub(timeline.calls());
    let per_day = timeline.calls_per_day();
    if missing == 0 {
        return Some(0.0);
    }
    (per_day > 0.0).then(|| missing as f64 / per_day)
}

/// The percentile with its interval, or the calls that it needs: an upper bound must exist, at the number of calls that
/// remains after episodes are counted as what they are.
///
/// # Errors
/// The number of calls needed.
pub fn estimate(timeline: &Timeline, level: Level, confidence: f64) -> Result<Estimate, u64> {
    let n = timeline.calls();
    let bare = min_calls(level.share());
    if n < bare {
        return Err(bare);
    }
    let all = Slots::merged([timeline.answered(), timeline.censored()]);
    let rank = level.rank(n);
    let Some(value_us) = all.value_at_rank(rank) else { return Err(bare) };
    let effect = effect_around(timeline, value_us);
    let needs = (bare as f64 * effect.deff).ceil() as u64;
    if n < needs {
        return Err(needs);
    }
    let half = (1.0 - confidence) / 2.0;
    // Between the counts that a one-sided and a two-sided bound need, the upper one alone exists.
    let high_us = upper(timeline, level, half).or_else(|| upper(timeline, level, 1.0 - confidence));
    let at_least = timeline.answered().value_at_rank(rank) != Some(value_us);
    Ok(Estimate { value_us, at_least, low_us: lower(timeline, &all, level, half), high_us, effect })
}

/// The smallest latency of which it is sure that at most `1 - q` of the calls lie above: P(Binomial(n, 1 - q) <= k) is at
/// most `p` for the k calls above it. Calls that we ended ourselves are above every latency.
fn upper(timeline: &Timeline, level: Level, p: f64) -> Option<u64> {
    let n = timeline.calls() as f64;
    first_slot(timeline.answered(), |us| {
        let deff = effect(timeline, us).widened;
        binomial_at_most(timeline.above(us).1 as f64 / deff, n / deff, 1.0 - level.share()) <= p
    })
}

/// The largest latency of which it is sure that at most `q` of the calls lie below: P(Binomial(n, q) <= b) is at most `p`
/// for the b calls below it.
fn lower(timeline: &Timeline, all: &Slots, level: Level, p: f64) -> Option<u64> {
    let n = timeline.calls();
    let sure = |us: u64| {
        let below = lower_edge_us(us).saturating_sub(1);
        let under = if us == below { 0 } else { n - all.count_above(below) };
        let deff = effect(timeline, below).widened;
        binomial_at_most(under as f64 / deff, n as f64 / deff, level.share()) <= p
    };
    let edges: Vec<u64> = all.iter().map(|(us, _)| us).collect();
    let after = edges.partition_point(|us| sure(*us));
    after.checked_sub(1).and_then(|at| edges.get(at)).map(|us| lower_edge_us(*us))
}

/// The first slot from which on a condition holds.
pub(crate) fn first_slot(slots: &Slots, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let edges: Vec<u64> = slots.iter().map(|(us, _)| us).collect();
    let at = edges.partition_point(|us| !holds(*us));
    edges.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Interval;
    use crate::latency::stats::episodes::effect_of_part;

    /// Calls of 1, 2, 3 … microseconds in one interval: values below 256 have slots of their own, so ranks are values.
    fn of(values: impl IntoIterator<Item = u64>) -> Timeline {
        let answered = Slots::from_counts(values.into_iter().map(|us| (us, 1)));
        Timeline::new(vec![Interval { start_unix_s: 0, length_s: 600, answered, censored: Slots::default() }])
    }

    fn interval(timeline: &Timeline, num: u64, den: u64) -> (Option<u64>, Option<u64>) {
        let one = estimate(timeline, level("", num, den), CONFIDENCE).unwrap();
        (one.low_us, one.high_us)
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        let ranks = |n: u64, from: u64| of((1..=n).map(|rank| rank.saturating_sub(from)));
        assert_eq!(interval(&ranks(1_000, 900), 95, 100), (Some(36), Some(64)));
        assert_eq!(interval(&ranks(1_000, 900), 99, 100), (Some(83), Some(97)));
        assert_eq!(interval(&ranks(10_000, 9_800), 99, 100), (Some(80), Some(120)));
        assert_eq!(interval(&ranks(10_000, 9_800), 999, 1_000), (Some(183), Some(197)));
        assert_eq!(interval(&ranks(100_000, 99_800), 999, 1_000), (Some(80), Some(120)));
    }

    #[test]
    fn the_fewest_calls_are_those_of_the_table() {
        let table = [(0.95, 59), (0.99, 299), (0.999, 2_995), (0.9999, 29_956)];
        assert!(table.iter().all(|(quantile, calls)| min_calls(*quantile) == *calls));
        assert_eq!((min_calls(1.0), min_calls(0.0), min_calls(f64::NAN)), (u64::MAX, 1, u64::MAX));
        let p99 = level("p99", 99, 100);
        assert_eq!(estimate(&of(1..=298), p99, CONFIDENCE), Err(299));
        let one_sided = estimate(&of(1..=299), p99, CONFIDENCE).unwrap();
        assert!(one_sided.high_us.is_some());
        assert_eq!(estimate(&of([]), p99, CONFIDENCE), Err(299));
        let day = of(1..=100);
        assert!((days_until(100 + 14_400, &day).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!((days_until(100, &day), days_until(5, &of([]))), (Some(0.0), None));
    }

    #[test]
    fn slow_episodes_take_calls_away() {
        let slow = |j: i64| if j % 25 == 0 { 200 } else { 50 };
        let intervals = (0..100).map(|j| Interval {
            start_unix_s: j * 600,
            length_s: 600,
            answered: Slots::from_counts([(slow(j), 100)]),
            censored: Slots::default(),
        });
        let line = Timeline::new(intervals.collect());
        let effect = effect(&line, 100);
        assert!(effect.is_known() && effect.deff > 90.0, "{effect:?}");
        assert_eq!(effect_of_part(&line.intervals().iter().collect::<Vec<_>>(), 100), effect);
        // 10 000 calls, but only a hundred stretches of time.
        let needs = estimate(&line, level("p99", 99, 100), CONFIDENCE).unwrap_err();
        assert!(needs > 25_000, "{needs}");
        assert!(estimate(&line, level("p50", 1, 2), CONFIDENCE).is_ok());
    }
}
