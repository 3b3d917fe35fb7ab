//! When each call is due: an absolute schedule, so that a slow answer never delays the instant of a later call.

/// Calls at a fixed rate, all times in nanoseconds since the start of the load.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    rate_per_s: u64,
    calls: u64,
}

const SECOND_NS: u128 = 1_000_000_000;

impl Schedule {
    /// `rate_per_s` calls each second for `duration_ns`. A rate of zero has no calls.
    pub fn new(rate_per_s: u64, duration_ns: u64) -> Self {
        let calls = u128::from(rate_per_s) * u128::from(duration_ns) / SECOND_NS;
        Self { rate_per_s, calls: u64::try_from(calls).unwrap_or(u64::MAX) }
    }

    /// The intended instant of a call, counted from 0; `None` past the last one. Computed from the call's number and
    /// not added up, so that rounding does not grow.
    pub fn intended_ns(&self, call: u64) -> Option<u64> {
        if call >= self.calls {
            return None;
        }
        u64::try_from(u128::from(call) * SECOND_NS / u128::from(self.rate_per_s)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn calls_are_spread_evenly_and_end() {
        let schedule = Schedule::new(1_000, 4 * S);
        assert_eq!(schedule.calls, 4_000);
        assert_eq!(schedule.intended_ns(0), Some(0));
        assert_eq!(schedule.intended_ns(1), Some(1_000_000));
        assert_eq!(schedule.intended_ns(3_999), Some(3_999_000_000));
        assert_eq!(schedule.intended_ns(4_000), None);
    }

    #[test]
    fn a_rate_that_does_not_divide_a_second_does_not_drift() {
        let schedule = Schedule::new(3, 1_000 * S);
        assert_eq!(schedule.intended_ns(2_997), Some(999 * S));
        let mut before = None;
        for call in 0..schedule.calls {
            let at = schedule.intended_ns(call);
            assert!(at > before, "call {call} is not after the one before");
            before = at;
        }
    }

    #[test]
    fn no_rate_and_no_time_mean_no_calls() {
        assert_eq!(Schedule::new(0, 4 * S).intended_ns(0), None);
        assert_eq!(Schedule::new(1_000, 0).intended_ns(0), None);
    }
}
