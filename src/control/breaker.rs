//! The breaker: leaves a failing shadow alone for a while, then lets single calls try.
//!
//! Reading it on the user's path is one atomic load while it is closed.

use crate::exchange::Outcome;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// When the breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Opens when at least this share of a window's calls failed, percent (over 100: never).
    pub failures_share_percent: u32,
    /// Calls a window needs before its share counts.
    pub min_calls: u64,
    /// Length of a window, seconds.
    pub window_s: u64,
    /// Time it stays open before one call may try, seconds.
    pub open_s: u64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures_share_percent: 50, min_calls: 20, window_s: 10, open_s: 30 }
    }
}

/// One breaker; times are microseconds since a start its owner chose.
#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    /// 0 while closed; else when the next call may try.
    open_until_us: AtomicU64,
    /// A call that may close it is on its way.
    probing: AtomicBool,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    since_us: u64,
    calls: u64,
    failures: u64,
}

impl Breaker {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Self { settings, open_until_us: AtomicU64::new(0), probing: AtomicBool::new(false), window: Mutex::default() }
    }

    /// Whether a call may be made; past the open time exactly one caller is let through to try, and again one when its
    /// result has not come back within another open time.
    pub(crate) fn admits(&self, now_us: u64) -> bool {
        let until = self.open_until_us.load(Ordering::Acquire);
        if until == 0 {
            return true;
        }
        if now_us < until {
            return false;
        }
        let lease = self.lease(now_us);
        let won = self.open_until_us.compare_exchange(until, lease, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if won {
            self.probing.store(true, Ordering::Release);
        }
        won
    }

    /// An admitted call was not made after all: if it was the trying one, the next may try at once.
    pub(crate) fn give_back(&self, now_us: u64) {
        if self.probing.swap(false, Ordering::AcqRel) {
            self.open_until_us.store(now_us.max(1), Ordering::Release);
        }
    }

    /// Whether calls are refused now.
    pub(crate) fn is_open(&self) -> bool {
        self.open_until_us.load(Ordering::Acquire) != 0
    }

    /// Learns from a call's outcome. Aborted and unknown calls say nothing of the provider.
    pub(crate) fn observe(&self, outcome: Outcome, now_us: u64) {
        let failed = match outcome {
            Outcome::Aborted | Outcome::Unknown => return self.give_back(now_us),
            Outcome::Server5xx | Outcome::NetworkError | Outcome::Timeout => true,
            Outcome::Ok | Outcome::OkButError | Outcome::Client4xx | Outcome::Throttled429 => false,
        };
        if self.probing.swap(false, Ordering::AcqRel) {
            return if failed { self.open(now_us) } else { self.close(now_us) };
        }
        if self.is_open() {
            return;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now_us.saturating_sub(window.since_us) > self.settings.window_s.saturating_mul(1_000_000) {
            *window = Window { since_us: now_us, ..Window::default() };
        }
        window.calls += 1;
        window.failures += u64::from(failed);
        let share_reached = window.failures * 100 >= window.calls * u64::from(self.settings.failures_share_percent);
        if failed && window.calls >= self.settings.min_calls && share_reached {
            drop(window);
            self.open(now_us);
        }
    }

    /// Closed and empty, as at the start.
    pub(crate) fn close(&self, now_us: u64) {
        *self.window.lock().unwrap_or_else(PoisonError::into_inner) = Window { since_us: now_us, ..Window::default() };
        self.probing.store(false, Ordering::Release);
        self.open_until_us.store(0, Ordering::Release);
    }

    fn open(&self, now_us: u64) {
        self.open_until_us.store(self.lease(now_us), Ordering::Release);
    }

    fn lease(&self, now_us: u64) -> u64 {
        now_us.saturating_add(self.settings.open_s.saturating_mul(1_000_000)).max(1)
    }
}
