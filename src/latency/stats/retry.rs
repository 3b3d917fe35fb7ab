//! What attempts within a clock budget are worth, as failures really come; and what a second call in parallel is.

use crate::latency::Slots;
use crate::latency::stats::LADDER;

/// How a client tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Limit of one attempt, microseconds.
    pub timeout_us: u64,
    /// Attempts at most, the first among them.
    pub attempts: u32,
    /// Wait between two attempts, microseconds.
    pub backoff_us: u64,
    /// All of it together at most, microseconds.
    pub budget_us: u64,
}

/// What a plan comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// The share of operations that succeed within the budget, 0 to 1.
    pub success: f64,
    /// Calls per operation, 1 or more.
    pub calls: f64,
}

/// Steps in which the budget is divided.
const STEPS: usize = 1_000;

/// The chance that one of the attempts succeeds within the budget, and the calls this takes, when an attempt succeeds
/// after one of the times in `success`, fails after one of those in `failures`, and hangs in `hangs` of all calls.
///
/// The sum over all ways to spend the budget, on a grid of a thousandth of it: `start` is when an attempt begins, one
/// that fails or is cut begins the next after the back-off. `rho` is the correlation of an attempt and the next
/// ([`correlation`](crate::latency::stats::correlation)): after a failure an attempt succeeds only `1 - rho` times as
/// often as otherwise. 0 is the independent figure, which promises too much wherever failures come in runs.
pub fn success_within(success: &Slots, failures: &Slots, hangs: u64, plan: Plan, rho: f64) -> Budget {
    let all = success.len().saturating_add(failures.len()).saturating_add(hangs);
    if all == 0 || plan.attempts == 0 || plan.budget_us == 0 {
        return Budget { success: 0.0, calls: 1.0 };
    }
    let step_us = plan.budget_us.div_ceil(STEPS as u64);
    let steps = |us: u64| usize::try_from(us.div_ceil(step_us)).unwrap_or(usize::MAX);
    let (budget, limit, backoff) = (steps(plan.budget_us), steps(plan.timeout_us), steps(plan.backoff_us));
    let density = |slots: &Slots| {
        let mut density = vec![0.0; budget + 1];
        for (us, calls) in slots.iter().filter(|(us, _)| *us <= plan.timeout_us) {
            if let Some(cell) = density.get_mut(steps(us)) {
                *cell += calls as f64 / all as f64;
            }
        }
        density
    };
    let (good, bad) = (density(success), density(failures));
    let (good_at_all, bad_at_all) = (within(success, plan.timeout_us, all), within(failures, plan.timeout_us, all));
    let hung = (1.0 - good_at_all - bad_at_all).max(0.0);
    let mut start = vec![0.0; budget + 1];
    start[0] = 1.0;
    let mut total = Budget { success: 0.0, calls: 0.0 };
    for attempt in 0..plan.attempts {
        // After a failure, success is rarer; what it loses fails as failures do.
        let kept = if attempt == 0 { 1.0 } else { 1.0 - rho.clamp(0.0, 1.0) };
        let failing = bad_at_all + hung;
        let more = if failing > 0.0 { 1.0 + (1.0 - kept) * good_at_all / failing } else { 1.0 };
        let mut next = vec![0.0; budget + 1];
        for (at, mass) in start.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
            total.calls += mass;
            let room = budget - at;
            total.success += mass * kept * good.iter().take(room.min(limit) + 1).sum::<f64>();
            for (took, share) in bad.iter().enumerate().take(room.min(limit) + 1).filter(|(_, share)| **share > 0.0) {
                if let Some(cell) = next.get_mut(at.saturating_add(took).saturating_add(backoff)) {
                    *cell += mass * share * more;
                }
            }
            if let Some(cell) = next.get_mut(at.saturating_add(limit).saturating_add(backoff)) {
                *cell += mass * hung * more;
            }
        }
        // An attempt that would begin when the budget ends is none.
        next[budget] = 0.0;
        start = next;
    }
    total.success = total.success.min(1.0);
    total
}

fn within(slots: &Slots, limit_us: u64, all: u64) -> f64 {
    let above: u64 = slots.iter().filter(|(us, _)| *us > limit_us).map(|(_, calls)| calls).sum();
    (slots.len() - above) as f64 / all as f64
}

/// What sending the same call again after a while, and taking the first answer, would come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hedge {
    /// When the second call is sent, microseconds.
    pub after_us: u64,
    /// The p99 without it, microseconds.
    pub p99_us: u64,
    /// The p99 with it, microseconds.
    pub hedged_p99_us: u64,
    /// The p99.9 without it, microseconds.
    pub p999_us: u64,
    /// The p99.9 with it, microseconds.
    pub hedged_p999_us: u64,
    /// Calls more, as a share of all.
    pub extra: f64,
}

/// The benefit of hedging after the p95 (Dean and Barroso, "The Tail at Scale", 2013): the share still unanswered is
/// `S(t)` up to the delay d and `S(t) (S(t-d) + rho (1 - S(t-d)))` after it, where `rho` is how much the second call
/// shares the fate of the first. `None` where too few calls support a p99.9. For calls that may be sent twice only.
pub fn hedge(answered: &Slots, rho: f64) -> Option<Hedge> {
    let n = answered.len();
    let [.., p95, p99, p999, _] = LADDER;
    if n < 2_995 {
        return None;
    }
    let at = |level: crate::latency::stats::Level| answered.value_at_rank(level.rank(n));
    let (after_us, p99_us, p999_us) = (at(p95)?, at(p99)?, at(p999)?);
    let above = |us: u64| answered.count_above(us) as f64 / n as f64;
    let hedged = |us: u64| match us.checked_sub(after_us) {
        Some(since) => {
            let second = above(since);
            above(us) * (second + rho.clamp(0.0, 1.0) * (1.0 - second))
        }
        None => above(us),
    };
    // Between the slots too, since the second call's answers lie there.
    let first_at = |share: f64| {
        let (mut low, mut high) = (0, p999_us.saturating_add(after_us));
        while low < high {
            let middle = low + (high - low) / 2;
            if hedged(middle) <= share {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    };
    let (hedged_p99_us, hedged_p999_us) = (first_at(0.01).min(p99_us), first_at(0.001).min(p999_us));
    Some(Hedge { after_us, p99_us, hedged_p99_us, p999_us, hedged_p999_us, extra: above(after_us) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::tests::lognormal;

    fn ms(timeout: u64, budget: u64, backoff: u64, attempts: u32) -> Plan {
        let us = |ms: u64| ms * 1_000;
        Plan { timeout_us: us(timeout), attempts, backoff_us: us(backoff), budget_us: us(budget) }
    }

    fn success(good: &Slots, bad: &Slots, plan: Plan) -> f64 {
        success_within(good, bad, 0, plan, 0.0).success
    }

    /// The tables of the reference: 97 % log-normal around 120 ms, 3 % fail fast or are slow.
    #[test]
    fn attempts_are_worth_what_the_tables_say() {
        let good = lognormal(120_000.0, 0.5, 97_000);
        let fast = Slots::from_counts([(8_000, 3_000)]);
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 0.0015, "{got} for {expected}");
        near(success(&good, &fast, ms(1_000, 1_000, 0, 1)), 0.9700);
        near(success(&good, &fast, ms(1_000, 1_000, 0, 2)), 0.9991);
        near(success(&good, &fast, ms(300, 1_000, 50, 1)), 0.9378);
        near(success(&good, &fast, ms(300, 1_000, 50, 2)), 0.9961);
        near(success(&good, &fast, ms(250, 600, 50, 3)), 0.9948);
        let slow = Slots::merged([&good, &Slots::from_counts([(4_000_000, 3_000)])]);
        let none = Slots::default();
        near(success(&slow, &none, ms(1_000, 1_000, 0, 3)), 0.9700);
        near(success(&slow, &none, ms(475, 1_000, 50, 2)), 0.9989);
    }

    #[test]
    fn failures_that_come_in_runs_make_a_retry_worth_less() {
        let good = lognormal(120_000.0, 0.5, 97_000);
        let plan = ms(1_000, 2_500, 100, 2);
        let alone = success_within(&good, &Slots::default(), 3_000, plan, 0.0);
        let runs = success_within(&good, &Slots::default(), 3_000, plan, 0.3);
        let never = success_within(&good, &Slots::default(), 3_000, plan, 1.0);
        assert!(alone.success > 0.998 && (runs.success - 0.9900).abs() < 0.001, "{alone:?} {runs:?}");
        assert!((never.success - 0.97).abs() < 0.001 && (never.calls - 1.03).abs() < 0.001, "{never:?}");
        let nothing = success_within(&Slots::default(), &Slots::default(), 0, plan, 0.0);
        assert_eq!(nothing.success, 0.0);
    }

    #[test]
    fn hedging_helps_against_a_slow_mode_and_little_otherwise() {
        let one = hedge(&lognormal(120_000.0, 0.5, 100_000), 0.0).unwrap();
        assert!(one.hedged_p999_us * 100 > one.p999_us * 75, "{one:?}");
        let good = lognormal(120_000.0, 0.5, 97_000);
        let two = Slots::merged([&good, &lognormal(2_000_000.0, 0.3, 3_000)]);
        let both = hedge(&two, 0.0).unwrap();
        assert!(both.p99_us > 2_000_000 && both.hedged_p99_us < 600_000, "{both:?}");
        let shared = hedge(&two, 1.0).unwrap();
        assert_eq!(shared.hedged_p99_us, shared.p99_us, "a second call that shares the fate of the first helps nobody");
        assert_eq!(hedge(&Slots::default(), 0.0), None);
    }
}
