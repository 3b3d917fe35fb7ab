//! Latencies beyond what was always waited for: where recordings with several timeouts censored at different ages.
//!
//! Kaplan and Meier (1958), standard errors after Greenwood (1926), straight from two sets of slots.

use crate::latency::{Slots, stats::Level};
use std::collections::BTreeMap;

/// How many calls last longer than each time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survival {
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    us: u64,
    share: f64,
    error: f64,
}

/// The survival function of answered calls where others were ended after some time. Calls that were ended in the same
/// slot in which others were answered were still running then.
pub fn survival(answered: &Slots, censored: &Slots) -> Survival {
    let mut slots: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    answered.iter().for_each(|(us, calls)| slots.entry(us).or_default().0 += calls);
    censored.iter().for_each(|(us, calls)| slots.entry(us).or_default().1 += calls);
    let mut running = answered.len().saturating_add(censored.len());
    let (mut share, mut greenwood) = (1.0_f64, 0.0_f64);
    let mut steps = Vec::new();
    for (us, (ended, cut)) in slots {
        if ended > 0 {
            let (d, r) = (ended as f64, running as f64);
            share *= 1.0 - d / r;
            greenwood += if ended < running { d / (r * (r - d)) } else { 0.0 };
            steps.push(Step { us, share, error: share * greenwood.sqrt() });
        }
        running = running.saturating_sub(ended.saturating_add(cut));
    }
    Survival { steps }
}

impl Survival {
    /// The quantile in microseconds; `None` beyond what the calls that were waited for can tell.
    pub fn quantile(&self, level: Level) -> Option<u64> {
        let above = 1.0 - level.share();
        // A hair of room: a product of shares is not exact.
        self.steps.iter().find(|step| step.share <= above + 1e-12).map(|step| step.us)
    }

    /// The share of calls longer than `us`, 0 to 1, with its standard error.
    pub fn share_above(&self, us: u64) -> (f64, f64) {
        let before = self.steps.partition_point(|step| step.us <= us);
        let step = before.checked_sub(1).and_then(|at| self.steps.get(at));
        step.map_or((1.0, 0.0), |step| (step.share, step.error))
    }

    /// The largest quantile that can be told, 0 to 1.
    pub fn known_up_to(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| 1.0 - step.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::stats::LADDER;

    /// The example of Kaplan and Meier's paper: deaths at 0.8, 3.1, 5.4, 9.2; losses at 1.0, 2.7, 7.0, 12.1.
    #[test]
    fn the_example_of_the_paper() {
        let of = |tenths: [u64; 4]| Slots::from_counts(tenths.map(|us| (us, 1)));
        let curve = survival(&of([8, 31, 54, 92]), &of([10, 27, 70, 121]));
        for (us, share) in [(8, 0.875), (31, 0.7), (54, 0.525), (92, 0.2625)] {
            assert!((curve.share_above(us).0 - share).abs() < 1e-12, "{us}");
        }
        assert_eq!(curve.share_above(5), (1.0, 0.0));
        assert_eq!((curve.quantile(LADDER[0]), curve.quantile(LADDER[3])), (Some(92), None));
        assert!((curve.known_up_to() - 0.7375).abs() < 1e-12);
        // Greenwood: 0.7 * sqrt(1/(8*7) + 1/(5*4)).
        assert!((curve.share_above(31).1 - 0.7 * (1.0_f64 / 56.0 + 1.0 / 20.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn without_censoring_it_is_the_sorted_list_and_with_nothing_else_it_is_nothing() {
        let all = Slots::from_counts((1..=100).map(|us| (us, 1)));
        let curve = survival(&all, &Slots::default());
        for level in [LADDER[0], LADDER[2], LADDER[3]] {
            assert_eq!(curve.quantile(level), all.value_at_rank(level.rank(100)), "{}", level.name);
        }
        let nothing = survival(&Slots::default(), &all);
        assert_eq!((nothing.quantile(LADDER[0]), nothing.known_up_to()), (None, 0.0));
    }
}
