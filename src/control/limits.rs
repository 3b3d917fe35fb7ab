//! The limits that keep the shadow's provider at ease: calls a second, calls a day, and the wait it asks for with 429.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The wait after a 429 that names none, seconds.
pub(crate) const RETRY_AFTER_DEFAULT_S: u64 = 1;

/// The longest wait believed of a `Retry-After`, seconds.
pub(crate) const RETRY_AFTER_MAX_S: u64 = 3600;

const DAY_US: i64 = 86_400_000_000;

/// Calls per second, as a bucket of one second's size.
pub(crate) struct Rate(Option<DefaultDirectRateLimiter>);

impl Rate {
    pub(crate) fn new(per_s: Option<u32>) -> Self {
        Self(per_s.and_then(NonZeroU32::new).map(|n| RateLimiter::direct(Quota::per_second(n))))
    }

    pub(crate) fn admits(&self) -> bool {
        self.0.as_ref().is_none_or(|limiter| limiter.check().is_ok())
    }
}

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rate(limited: {})", self.0.is_some())
    }
}

/// Calls per UTC day. Two atomics: at midnight a racing call may fall to either day, and none is counted twice.
#[derive(Debug)]
pub(crate) struct DailyBudget {
    max: Option<u64>,
    day: AtomicI64,
    used: AtomicU64,
}

impl DailyBudget {
    pub(crate) fn new(max: Option<u64>) -> Self {
        Self { max, day: AtomicI64::new(0), used: AtomicU64::new(0) }
    }

    /// Takes one call if the day has one left.
    pub(crate) fn take(&self, unix_us: i64) -> bool {
        let Some(max) = self.max else { return true };
        self.turn(unix_us);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| (used < max).then_some(used + 1)).is_ok()
    }

    /// Gives one call back that was taken and not made.
    pub(crate) fn give_back(&self) {
        if self.max.is_some() {
            let _none_left = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| used.checked_sub(1));
        }
    }

    /// Whether the day's calls are used up.
    pub(crate) fn is_spent(&self, unix_us: i64) -> bool {
        self.max.is_some_and(|max| {
            self.turn(unix_us);
            self.used.load(Ordering::Acquire) >= max
        })
    }

    /// Calls taken today and the limit, where there is one.
    pub(crate) fn used_of_max(&self, unix_us: i64) -> Option<(u64, u64)> {
        self.max.map(|max| {
            self.turn(unix_us);
            (self.used.load(Ordering::Acquire), max)
        })
    }

    fn turn(&self, unix_us: i64) {
        let today = unix_us.div_euclid(DAY_US);
        let day = self.day.load(Ordering::Acquire);
        // Only forwards: a clock stepped back must not hand out a second budget.
        if today > day && self.day.compare_exchange(day, today, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.used.store(0, Ordering::Release);
        }
    }
}
