//! Time, given and never taken: rooms ask a [`Clock`], so that tests can hold it and steps of the wall clock are seen.

use std::time::{SystemTime, UNIX_EPOCH};

/// A monotonic instant; differences are latencies.
pub type Instant = std::time::Instant;

/// The process's clock: wall time for stamps, monotonic time for durations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// The monotonic time.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn now(self) -> Instant {
        Instant::now()
    }

    /// Microseconds since the Unix epoch; 0 when the wall clock stands before it.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn unix_us(self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    /// Microseconds since `start`.
    pub fn elapsed_us(self, start: Instant) -> u64 {
        u64::try_from(self.now().saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
    }
}
