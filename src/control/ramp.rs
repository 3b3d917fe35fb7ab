//! The ramp: a share that rises by itself while mirroring is on, and stops rising when a gate trips.
//!
//! Only time that mirroring was on counts, by the monotonic clock: neither a stop, a restart nor a step of the wall clock
//! makes the share jump.

use crate::control::SAMPLE_ALL_PPM;
use crate::exchange::Outcome;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

const MINUTE_US: u64 = 60_000_000;

/// Minutes that the share of failures looks back.
const MINUTES: usize = 60;

/// `1% -> 25% over 5d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RampPlan {
    /// The share at the start, parts per million.
    pub from_ppm: u32,
    /// The share at the end, parts per million.
    pub to_ppm: u32,
    /// Time with mirroring on from one to the other, milliseconds.
    pub over_ms: u64,
}

impl RampPlan {
    /// `from + (to - from) * passed / over`, rounded down; `to` once the time is over.
    pub fn share_ppm(&self, passed_us: u64) -> u32 {
        if self.is_over(passed_us) {
            return self.to_ppm.min(SAMPLE_ALL_PPM);
        }
        let rise = u128::from(self.to_ppm.saturating_sub(self.from_ppm));
        let over_us = u128::from(self.over_ms) * 1_000;
        let risen = rise * u128::from(passed_us) / over_us.max(1);
        self.from_ppm.saturating_add(u32::try_from(risen).unwrap_or(u32::MAX)).min(SAMPLE_ALL_PPM)
    }

    pub(crate) fn is_over(&self, passed_us: u64) -> bool {
        passed_us / 1_000 >= self.over_ms
    }
}

/// When a ramp holds, besides an open breaker, a 429 and a used up day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampGates {
    /// This share of the last hour's shadow calls failed (5xx, network, timeout), parts per million; 0: never.
    pub failures_share_ppm: u32,
    /// Calls the hour needs before its share counts.
    pub min_calls: u64,
    /// A call that took longer counts among the failed, milliseconds.
    pub slower_than_ms: u64,
}

impl Default for RampGates {
    fn default() -> Self {
        Self { failures_share_ppm: 50_000, min_calls: 20, slower_than_ms: u64::MAX }
    }
}

/// Where a ramp is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RampPhase {
    /// The share rises while mirroring is on.
    Rising,
    /// A gate tripped: the share stays until a person resumes it or sets a share.
    Held {
        /// Which gate, in words.
        because: String,
        /// When, microseconds since the Unix epoch.
        at_unix_us: i64,
    },
    /// It came to its end; the share stays there.
    Reached,
    /// A person set a share.
    Ended,
}

/// A ramp at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RampState {
    /// As configured.
    pub plan: RampPlan,
    /// Time with mirroring on so far, microseconds.
    pub passed_us: u64,
    /// When mirroring was first on with this plan, microseconds since the Unix epoch; `None` before.
    pub began_unix_us: Option<i64>,
    /// Where it is.
    #[serde(flatten)]
    pub phase: RampPhase,
}

impl RampState {
    /// As it is saved: to the minute, so that a rising ramp is not written to disk all the time.
    pub fn to_the_minute(mut self) -> Self {
        if self.phase == RampPhase::Rising {
            self.passed_us -= self.passed_us % MINUTE_US;
        }
        self
    }
}

/// What the gates know; fed by the shadow's side, never by the user's path.
#[derive(Debug)]
pub(crate) struct GateKeeper {
    gates: RampGates,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    breaker_opened: bool,
    throttled: bool,
    minutes: [Minute; MINUTES],
}

#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    number: u64,
    calls: u64,
    failures: u64,
    /// Slow, and not among the failures.
    slow: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self { breaker_opened: false, throttled: false, minutes: [Minute::default(); MINUTES] }
    }
}

impl GateKeeper {
    pub(crate) fn new(gates: RampGates) -> Self {
        Self { gates, seen: Mutex::default() }
    }

    /// Learns from a shadow call that took `took_us` and ended at `now_us`.
    pub(crate) fn observe(&self, outcome: Outcome, took_us: u64, now_us: u64, breaker_open: bool) {
        let failed = match outcome {
            Outcome::Aborted | Outcome::Unknown => return,
            Outcome::Server5xx | Outcome::NetworkError | Outcome::Timeout => true,
            Outcome::Ok | Outcome::OkButError | Outcome::Client4xx | Outcome::Throttled429 => false,
        };
        let slow = !failed && took_us / 1_000 >= self.gates.slower_than_ms;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.breaker_opened |= breaker_open;
        seen.throttled |= outcome == Outcome::Throttled429;
        let number = now_us / MINUTE_US;
        let at = usize::try_from(number % MINUTES as u64).unwrap_or_default();
        if let Some(minute) = seen.minutes.get_mut(at) {
            if minute.number != number {
                *minute = Minute { number, ..Minute::default() };
            }
            minute.calls += 1;
            minute.failures += u64::from(failed);
            minute.slow += u64::from(slow);
        }
    }

    /// The gate that tripped since the last [`GateKeeper::clear`], in words.
    pub(crate) fn tripped(&self, now_us: u64, budget_spent: bool) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.breaker_opened {
            return Some("the breaker opened".to_owned());
        }
        if seen.throttled {
            return Some("the provider answered 429".to_owned());
        }
        if budget_spent {
            return Some("the day's calls were used up".to_owned());
        }
        let oldest = (now_us / MINUTE_US).saturating_sub(MINUTES as u64 - 1);
        let hour = seen.minutes.iter().filter(|minute| minute.number >= oldest);
        let (calls, failures, slow) = hour.fold((0, 0, 0), |(calls, failures, slow), minute| {
            (calls + minute.calls, failures + minute.failures, slow + minute.slow)
        });
        let (limit, bad) = (self.gates.failures_share_ppm, failures + slow);
        let reached = bad * u64::from(SAMPLE_ALL_PPM) >= calls * u64::from(limit);
        let tripped = limit > 0 && bad > 0 && calls >= self.gates.min_calls && reached;
        tripped.then(|| match slow {
            0 => format!("{failures} of {calls} shadow calls of the last hour failed"),
            _ => {
                let limit_ms = self.gates.slower_than_ms;
                format!(
                    "{failures} of {calls} shadow calls of the last hour failed, {slow} took {limit_ms} ms or longer"
                )
            }
        })
    }

    /// Forgets what was seen: a person looked at it.
    pub(crate) fn clear(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
    }
}
