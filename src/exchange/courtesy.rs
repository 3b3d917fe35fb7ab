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
        if self.left.is_zero() {
            return;
        }
        let before = self.clock.now();
        std::thread::yield_now();
        self.left = self.left.saturating_sub(Duration::from_micros(self.clock.elapsed_us(before)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_giving_way_costs_is_bounded() {
        let mut courtesy = Courtesy::new(Clock);
        let begun = Clock.now();
        // Somebody takes the core each time, here for long.
        while !courtesy.left.is_zero() {
            courtesy.give_way();
            courtesy.left = courtesy.left.saturating_sub(Duration::from_millis(3));
        }
        courtesy.give_way();
        assert!(courtesy.left.is_zero() && Clock.elapsed_us(begun) < 1_000_000);
    }
}
