//! Steps of the wall clock, seen against the monotonic one: latencies do not suffer, hours of the day do.

use crate::exchange::{Clock, Instant};

/// Smaller differences are no steps: a clock is slewed by at most half a millisecond a second, and a thread may be put
/// aside between the two readings.
const STEP_MS_MIN: i64 = 1_000;

/// What the clock was moved by since the start, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::recorder) struct Stepped {
    /// Forwards, or the machine slept.
    pub ahead_ms: u64,
    pub back_ms: u64,
}

/// Compares the two clocks whenever it is asked.
pub(in crate::recorder) struct ClockSteps {
    looked: Instant,
    wall_us: i64,
    stepped: Stepped,
}

impl ClockSteps {
    pub(in crate::recorder) fn new(clock: Clock) -> Self {
        Self { looked: clock.now(), wall_us: clock.unix_us(), stepped: Stepped::default() }
    }

    /// All steps until now.
    pub(in crate::recorder) fn look(&mut self, clock: Clock) -> Stepped {
        let (now, wall_us) = (clock.now(), clock.unix_us());
        let elapsed_us = i64::try_from(now.saturating_duration_since(self.looked).as_micros()).unwrap_or(i64::MAX);
        let step_ms = step_ms(self.wall_us, wall_us, elapsed_us);
        (self.looked, self.wall_us) = (now, wall_us);
        if step_ms != 0 {
            tracing::warn!(step_ms, "the wall clock was set, or the machine slept: the review says so");
        }
        let (ahead, back) = (step_ms.max(0).unsigned_abs(), step_ms.min(0).unsigned_abs());
        self.stepped.ahead_ms = self.stepped.ahead_ms.saturating_add(ahead);
        self.stepped.back_ms = self.stepped.back_ms.saturating_add(back);
        self.stepped
    }
}

/// By how much the wall clock moved more than the time that passed; 0 where it is no step. Milliseconds.
fn step_ms(before_us: i64, after_us: i64, elapsed_us: i64) -> i64 {
    let step_ms = after_us.saturating_sub(before_us).saturating_sub(elapsed_us) / 1_000;
    if step_ms.abs() < STEP_MS_MIN { 0 } else { step_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_slewing_explains_is_a_step() {
        assert_eq!(step_ms(1_000_000, 2_000_400, 1_000_000), 0);
        assert_eq!(step_ms(1_000_000, 2_900_000, 1_000_000), 0);
        assert_eq!(step_ms(1_000_000, 3_602_000_000, 1_000_000), 3_600_000);
        assert_eq!(step_ms(3_602_000_000, 2_000_000, 1_000_000), -3_601_000);
        assert_eq!(step_ms(i64::MIN, i64::MAX, i64::MAX), 0);
    }

    #[test]
    fn steps_add_up_and_a_clock_that_runs_makes_none() {
        let mut steps = ClockSteps::new(Clock);
        assert_eq!(steps.look(Clock), Stepped::default());
        steps.wall_us -= 7_200_000_000;
        assert!(steps.look(Clock).ahead_ms.abs_diff(7_200_000) < 100);
        steps.wall_us += 60_000_000;
        let stepped = steps.look(Clock);
        assert!(stepped.ahead_ms.abs_diff(7_200_000) < 100 && stepped.back_ms.abs_diff(60_000) < 100, "{stepped:?}");
    }
}
