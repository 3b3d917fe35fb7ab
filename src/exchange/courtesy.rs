//! Giving way: a thread of lower priority keeps its core for a time slice of the system's, milliseconds, even when the user's
//! path wakes up and wants it. Asked after each piece of work, it gives the core up.

use crate::exchange::Clock;
use std::time::Duration;

/// How long a thread may be without its core for having given way, in one stretch of work.
const AWAY_MAX: Duration = Duration::from_millis(10);

/// Gives way until that has cost too much: where somebody always wants the core, it is hardly given back, and what was taken
/// in has to be done all the same.
#[derive(Debug)]
pub struct Courtesy {
    left: Duration,
    clock: Clock,
}

impl Courtesy {
    /// For one stretch of work: a batch, a transaction.
    pub fn new(clock: Clock) -> Self {
        Self { left: AWAY_MAX, clock }
    }

    /// Lets another thread run if one wants to.
    pub fn give_way(&mut self) {
        self.give_way_by(std::thread::yield_now);
    }

    fn give_way_by(&mut self, leave: impl FnOnce()) {
        if self.left.is_zero() {
            return;
        }
        let before = self.clock.now();
        leave();
        self.left = self.left.saturating_sub(Duration::from_micros(self.clock.elapsed_us(before)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_is_given_back_late_is_given_away_a_few_times_only() {
        let (mut courtesy, mut left) = (Courtesy::new(Clock), 0);
        for _ in 0..100 {
            courtesy.give_way_by(|| {
                let gone = Clock.now();
                while Clock.elapsed_us(gone) < 4_000 {
                    std::hint::spin_loop();
                }
                left += 1;
            });
        }
        // A busy machine may take longer to give it back.
        assert!((1..=3).contains(&left), "{left} times");
    }
}
