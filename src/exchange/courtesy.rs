//! Giving way: a thread of lower priority keeps its core for a time slice of the system's, milliseconds, even when the user's
//! path wakes up and wants it. Asked after each piece of work, it gives the core up.

use crate::exchange::{Clock, Instant};
use std::time::Duration;

/// How long a thread may be without its core for having given way, in one stretch of work.
const AWAY_MAX: Duration = Duration::from_millis(10);

/// Work after which a core is given up, about what redacting one capture takes: giving way after less costs more in changes
/// of threads than the work.
const WORK_MIN: Duration = Duration::from_micros(40);

/// Gives way until that has cost too much: where somebody always wants the core, it is hardly given back, and what was taken
/// in has to be done all the same.
#[derive(Debug)]
pub struct Courtesy {
    left: Duration,
    /// When the core was given up last, or the work began.
    since: Instant,
    clock: Clock,
}

impl Courtesy {
    /// For one stretch of work: a batch, a transaction.
    pub fn new(clock: Clock) -> Self {
        Self { left: AWAY_MAX, since: clock.now(), clock }
    }

    /// Lets another thread run if one wants to, and if that is some work ago.
    pub fn give_way(&mut self) {
        self.give_way_by(std::thread::yield_now);
    }

    fn give_way_by(&mut self, leave: impl FnOnce()) {
        if self.left.is_zero() {
            return;
        }
        let before = self.clock.now();
        if before.saturating_duration_since(self.since) < WORK_MIN {
            return;
        }
        leave();
        self.since = self.clock.now();
        self.left = self.left.saturating_sub(self.since.saturating_duration_since(before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work_for(us: u64) {
        let start = Clock.now();
        while Clock.elapsed_us(start) < us {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_core_that_is_given_back_late_is_given_away_a_few_times_only() {
        let (mut courtesy, mut left) = (Courtesy::new(Clock), 0);
        for _ in 0..100 {
            work_for(50);
            courtesy.give_way_by(|| {
                work_for(4_000);
                left += 1;
            });
        }
        // A busy machine may take longer to give it back.
        assert!((1..=3).contains(&left), "{left} times");
    }

    #[test]
    fn a_core_is_given_up_after_some_work_and_not_after_every_little() {
        let (start, mut courtesy, mut left) = (Clock.now(), Courtesy::new(Clock), 0);
        for _ in 0..100_000 {
            courtesy.give_way_by(|| left += 1);
        }
        let most = Clock.elapsed_us(start) / WORK_MIN.as_micros() as u64 + 1;
        assert!((1..=most).contains(&left), "{left} times, {most} at most");
    }
}
