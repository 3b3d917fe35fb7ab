//! Two distributions beside each other, drift from week to week, and several looks at one recording.
//!
//! Compared is the ratio of a quantile, with its interval. A significance test answers another question: at a hundred
//! thousand calls it calls a difference of 2 % significant that nobody cares about, and a tail five times as long
//! harmless because it is 1 % of the calls.

use crate::latency::Timeline;
use crate::latency::stats::{CONFIDENCE, Level, estimate};

/// A quantile of one population divided by that of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// As measured.
    pub value: f64,
    /// The lower end of its interval; 0 where open.
    pub low: f64,
    /// The upper end of its interval; infinite where open.
    pub high: f64,
}

/// The ratio of a quantile, `a` over `b`, with an interval of `confidence` from the two intervals of the quantiles: on the
/// logarithmic axis, each end is as far from the ratio as the square root of the sum of the squares of the two distances
/// that lead there (MOVER, Donner and Zou 2012). `None` where a quantile is not supported.
pub fn ratio(a: &Timeline, b: &Timeline, level: Level, confidence: f64) -> Option<Ratio> {
    let (a, b) = (estimate(a, level, confidence).ok()?, estimate(b, level, confidence).ok()?);
    let log = |us: u64| (us.max(1) as f64).ln();
    let (at_a, at_b) = (log(a.value_us), log(b.value_us));
    let down = |at: f64, low: Option<u64>| low.map_or(f64::INFINITY, |low| at - log(low));
    let up = |at: f64, high: Option<u64>| high.map_or(f64::INFINITY, |high| log(high) - at);
    let between = at_a - at_b;
    let low = (between - down(at_a, a.low_us).hypot(up(at_b, b.high_us))).exp();
    let high = (between + up(at_a, a.high_us).hypot(down(at_b, b.low_us))).exp();
    Some(Ratio { value: between.exp(), low, high })
}

/// One week against the week before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weeks {
    /// Start of the later week, seconds since the Unix epoch.
    pub start_unix_s: i64,
    /// Later over earlier.
    pub ratio: Ratio,
}

impl Weeks {
    /// Whether the later week surely differs by more than a tenth.
    pub fn moved(&self) -> bool {
        self.ratio.low > 1.1 || self.ratio.high < 1.0 / 1.1
    }
}

/// Each week of seven days, counted back from the last interval's end, against the week before it, oldest first. Weeks
/// that do not support the quantile are left out.
pub fn weeks(timeline: &Timeline, level: Level) -> Vec<Weeks> {
    const WEEK_S: i64 = 7 * 86_400;
    let Some(last) = timeline.intervals().last() else { return Vec::new() };
    let end = last.start_unix_s.saturating_add(last.length_s);
    let number = timeline.span_s() / WEEK_S;
    let week = |back: i64| {
        let from = end.saturating_sub(WEEK_S.saturating_mul(back));
        let to = from.saturating_add(WEEK_S);
        (from, timeline.only(|interval| (from..to).contains(&interval.start_unix_s)))
    };
    let pairs = (1..number).rev().filter_map(|back| {
        let ((start_unix_s, later), (_, earlier)) = (week(back), week(back + 1));
        Some(Weeks { start_unix_s, ratio: ratio(&later, &earlier, level, CONFIDENCE)? })
    });
    pairs.collect()
}

/// The confidence of one look where `looks` are planned: `1 - 0.05 / looks` (Bonferroni). Whoever opens a report daily
/// and stops at the first GO is wrong three times as often as one look promises; spread over the dates it stays at 5 %.
pub fn confidence_of_look(looks: u32) -> f64 {
    1.0 - (1.0 - CONFIDENCE) / f64::from(looks.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::stats::LADDER;
    use crate::latency::tests::lognormal;
    use crate::latency::{Interval, Slots};

    fn line(from: i64, intervals: i64, median_us: f64) -> Vec<Interval> {
        let answered = lognormal(median_us, 0.5, 100);
        let one = |j: i64| Interval {
            start_unix_s: (from + j) * 600,
            length_s: 600,
            answered: answered.clone(),
            censored: Slots::default(),
        };
        (0..intervals).map(one).collect()
    }

    #[test]
    fn a_ratio_holds_what_differs_and_says_how_sure_it_is() {
        let (a, b) = (Timeline::new(line(0, 100, 150_000.0)), Timeline::new(line(0, 100, 100_000.0)));
        let one = ratio(&a, &b, LADDER[3], CONFIDENCE).unwrap();
        assert!((one.value - 1.5).abs() < 0.03 && one.low > 1.4 && one.high < 1.6, "{one:?}");
        let same = ratio(&a, &a, LADDER[3], CONFIDENCE).unwrap();
        assert!(same.low < 1.0 && same.high > 1.0 && same.value == 1.0);
        assert_eq!(ratio(&a, &Timeline::default(), LADDER[3], CONFIDENCE), None);
    }

    #[test]
    fn weeks_that_move_are_seen_and_those_that_do_not_are_not() {
        let week = 7 * 144;
        let still = Timeline::new(line(0, 3 * week, 100_000.0));
        let seen = weeks(&still, LADDER[3]);
        assert!(seen.len() == 2 && seen.iter().all(|week| !week.moved()), "{seen:?}");
        let mut moving = line(0, week, 100_000.0);
        moving.extend(line(week, week, 130_000.0));
        assert!(weeks(&Timeline::new(moving), LADDER[3])[0].moved());
        assert!(weeks(&Timeline::default(), LADDER[3]).is_empty());
    }

    #[test]
    fn looks_share_the_error() {
        assert_eq!((confidence_of_look(0), confidence_of_look(1)), (0.95, 0.95));
        assert!((confidence_of_look(5) - 0.99).abs() < 1e-12);
    }
}
