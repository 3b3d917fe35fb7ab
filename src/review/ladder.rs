//! One endpoint's success latencies as a ladder of percentiles.

use crate::latency::Timeline;
use crate::latency::stats::{self, CONFIDENCE, Estimate, LADDER, Level};

/// One percentile of a ladder: a figure, or how many calls it would need.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// `p50` … `p99.99`.
    pub name: &'static str,
    /// 0.5 … 0.9999.
    pub quantile: f64,
    /// Calls needed before this percentile is shown; more than the bare number where calls come in episodes.
    pub needs_calls: u64,
    /// Days more at the rate so far until there are as many; `None` where no rate is known.
    pub needs_days: Option<f64>,
    /// The figure; `None` while there are too few calls.
    pub estimate: Option<Estimate>,
}

/// The percentiles of the successful calls of one endpoint and role.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// Calls behind the ladder: successful ones and the ones we ended ourselves.
    pub calls: u64,
    /// Of these, the ones we ended ourselves: counted as "at least this long".
    pub censored_calls: u64,
    /// Stretches of ten minutes with calls: with fewer than twenty, slow episodes cannot be seen.
    pub intervals: usize,
    /// The percentiles, rising.
    pub rungs: Vec<Rung>,
}

impl Ladder {
    /// The percentiles that enough calls support.
    pub(crate) fn of(timeline: &Timeline) -> Self {
        Self {
            calls: timeline.calls(),
            censored_calls: timeline.censored().len(),
            intervals: timeline.intervals().len(),
            rungs: LADDER.into_iter().map(|level| rung(timeline, level)).collect(),
        }
    }

    /// Whether the intervals count episodes in: there are stretches of time enough to see them.
    pub fn sees_episodes(&self) -> bool {
        self.intervals >= stats::CLUSTERS_MIN
    }

    /// The largest design effect on the ladder.
    pub fn deff(&self) -> f64 {
        let effects = self.rungs.iter().filter_map(|rung| rung.estimate).map(|estimate| estimate.effect.deff);
        effects.fold(1.0, f64::max)
    }
}

fn rung(timeline: &Timeline, level: Level) -> Rung {
    let (name, quantile) = (level.name, level.share());
    let refused = |needs_calls| {
        let needs_days = stats::days_until(needs_calls, timeline);
        Rung { name, quantile, needs_calls, needs_days, estimate: None }
    };
    let (has, needs) = (timeline.stretches().max(1), stats::min_stretches(level));
    // As many calls as there will be by then.
    let by_then = if has < needs { (timeline.calls() as f64 / has as f64 * needs as f64).ceil() as u64 } else { 0 };
    match stats::estimate(timeline, level, CONFIDENCE) {
        Ok(_) if by_then > 0 => refused(by_then),
        Ok(estimate) => {
            let needs_calls = (stats::min_calls(quantile) as f64 * estimate.effect.deff).ceil() as u64;
            Rung { name, quantile, needs_calls, needs_days: Some(0.0), estimate: Some(estimate) }
        }
        Err(needs_calls) => refused(needs_calls),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::{Interval, Slots};

    #[test]
    fn the_far_tail_of_less_than_two_days_is_refused_with_the_calls_of_two() {
        let days = |stretches: i64| {
            let answered = Slots::from_counts((1..=100).map(|us| (us, 1)));
            let one = |j| Interval {
                start_unix_s: j * 600,
                length_s: 600,
                answered: answered.clone(),
                ..Interval::default()
            };
            Ladder::of(&Timeline::new((0..stretches).map(one).collect()))
        };
        let [.., p99, p999, _] = &days(144).rungs[..] else { panic!() };
        assert!(p99.estimate.is_some() && p999.estimate.is_none());
        assert_eq!((p999.needs_calls, p999.needs_days), (28_800, Some(1.0)));
        assert!(days(288).rungs[5].estimate.is_some());
    }
}
