//! One integration's switch: what decides, lock-free, whether a request may be mirrored.

use crate::control::breaker::Breaker;
use crate::control::limits::{DailyBudget, RETRY_AFTER_DEFAULT_S, RETRY_AFTER_MAX_S, Rate};
use crate::control::{History, SAMPLE_ALL_PPM, SavedSwitch, Settings, SwitchEvent};
use crate::exchange::{Clock, Instant, Integration, NotMirrored, Outcome};
use arc_swap::ArcSwap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// What holds an integration back although it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausedBy {
    /// The shadow fails too often.
    Breaker,
    /// The provider answered 429.
    Retry429 {
        /// When calls begin again, microseconds since the Unix epoch.
        until_unix_us: i64,
    },
    /// The day's calls are used up.
    Budget,
}

/// A switch at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// On or off.
    pub on: bool,
    /// Share of the keys mirrored, parts per million.
    pub sample_ppm: u32,
    /// Counts changes upwards; 0 is the configured state.
    pub revision: u64,
    /// Who changed it last.
    pub changed_by: String,
    /// Why.
    pub reason: String,
    /// When, microseconds since the Unix epoch.
    pub changed_unix_us: i64,
    /// What holds it back although it is on.
    pub paused: Option<PausedBy>,
    /// Calls of this UTC day and the limit, where there is one.
    pub daily_used_of_max: Option<(u64, u64)>,
}

/// Why a start was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// No reason was given.
    #[error("reason is empty; say in a few words why mirroring starts")]
    NoReason,
    /// The sample is over the whole.
    #[error("sample of {ppm} parts per million is more than everything; give 1000000 (100%) or less")]
    Sample {
        /// The sample as given.
        ppm: u32,
    },
}

#[derive(Debug)]
struct Position {
    on: bool,
    sample_ppm: u32,
    revision: u64,
    who: String,
    reason: String,
    at_unix_us: i64,
    /// Cancelled when this on-period ends; cancelled from the start while off.
    period: CancellationToken,
}

/// One integration's switch.
#[derive(Debug)]
pub struct Switch {
    integration: Integration,
    position: ArcSwap<Position>,
    changing: Mutex<()>,
    breaker: Breaker,
    rate: Rate,
    budget: DailyBudget,
    /// Microseconds since `epoch` until which a 429 holds calls back.
    paused_until_us: AtomicU64,
    epoch: Instant,
    clock: Clock,
    history: Arc<History>,
}

impl Switch {
    pub(crate) fn new(integration: Integration, settings: Settings, clock: Clock, history: Arc<History>) -> Self {
        let position = Position {
            on: settings.enabled,
            sample_ppm: settings.sample_ppm.min(SAMPLE_ALL_PPM),
            revision: 0,
            who: "configuration".to_owned(),
            reason: "as configured".to_owned(),
            at_unix_us: clock.unix_us(),
            period: period(settings.enabled),
        };
        Self {
            integration,
            position: ArcSwap::from_pointee(position),
            changing: Mutex::default(),
            breaker: Breaker::new(settings.breaker),
            rate: Rate::new(settings.rate_per_s),
            budget: DailyBudget::new(settings.daily_calls_max),
            paused_until_us: AtomicU64::new(0),
            epoch: clock.now(),
            clock,
            history,
        }
    }

    /// Whose switch it is.
    pub fn integration(&self) -> &Integration {
        &self.integration
    }

    /// The switch now.
    pub fn state(&self) -> State {
        let position = self.position.load();
        State {
            on: position.on,
            sample_ppm: position.sample_ppm,
            revision: position.revision,
            changed_by: position.who.clone(),
            reason: position.reason.clone(),
            changed_unix_us: position.at_unix_us,
            paused: self.paused(),
            daily_used_of_max: self.budget.used_of_max(self.clock.unix_us()),
        }
    }

    /// Switches off, at once: nothing more is admitted and the calls in flight are cancelled. Also when it is off
    /// already, so that a stop always leaves a trace.
    pub fn stop(&self, who: &str, reason: &str) {
        self.change(false, None, who, reason);
    }

    /// Switches on, with the sample given or else the present one. The breaker and a 429 wait start afresh.
    pub fn start(&self, who: &str, reason: &str, sample_ppm: Option<u32>) -> Result<(), StartError> {
        if reason.trim().is_empty() {
            return Err(StartError::NoReason);
        }
        if let Some(ppm) = sample_ppm.filter(|ppm| *ppm > SAMPLE_ALL_PPM) {
            return Err(StartError::Sample { ppm });
        }
        self.breaker.close(self.now_us());
        self.paused_until_us.store(0, Ordering::Release);
        self.change(true, sample_ppm, who, reason);
        Ok(())
    }

    /// Whether it is on; one atomic load.
    pub fn is_on(&self) -> bool {
        self.position.load().on
    }

    /// Whether a request with this key may be mirrored. Takes a call from the rate and the day's budget when it says
    /// yes; a call that is then not made is returned with [`Switch::give_back`]. Never locks.
    pub fn admit(&self, key_hash: u64) -> Result<(), NotMirrored> {
        let position = self.position.load();
        if !position.on {
            return Err(NotMirrored::Off);
        }
        if !in_sample(key_hash, position.sample_ppm) {
            return Err(NotMirrored::NotSampled);
        }
        let now_us = self.now_us();
        if now_us < self.paused_until_us.load(Ordering::Acquire) {
            return Err(NotMirrored::Paused429);
        }
        if self.budget.is_spent(self.clock.unix_us()) {
            return Err(NotMirrored::Budget);
        }
        if !self.rate.admits() {
            return Err(NotMirrored::Rate);
        }
        if !self.breaker.admits(now_us) {
            return Err(NotMirrored::Breaker);
        }
        if !self.budget.take(self.clock.unix_us()) {
            self.breaker.give_back(now_us);
            return Err(NotMirrored::Budget);
        }
        Ok(())
    }

    /// Returns an admission that led to no call (shed for another reason).
    pub fn give_back(&self) {
        self.budget.give_back();
        self.breaker.give_back(self.now_us());
    }

    /// Cancelled when the present on-period ends; already cancelled while off.
    pub fn stopped(&self) -> CancellationToken {
        self.position.load().period.clone()
    }

    /// Learns from a shadow call: failures feed the breaker, a 429 pauses for `retry_after_s` (1 s when it names none,
    /// one hour at most).
    pub fn observe(&self, outcome: Outcome, retry_after_s: Option<u64>) {
        let now_us = self.now_us();
        self.breaker.observe(outcome, now_us);
        if outcome == Outcome::Throttled429 {
            let wait_s = retry_after_s.unwrap_or(RETRY_AFTER_DEFAULT_S).min(RETRY_AFTER_MAX_S);
            self.paused_until_us.fetch_max(now_us.saturating_add(wait_s * 1_000_000), Ordering::AcqRel);
        }
    }

    pub(crate) fn restore(&self, saved: &SavedSwitch) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.position.load_full();
        if saved.revision < now.revision {
            return;
        }
        now.period.cancel();
        self.position.store(Arc::new(Position {
            on: saved.on,
            sample_ppm: saved.sample_ppm.min(SAMPLE_ALL_PPM),
            revision: saved.revision,
            who: saved.who.clone(),
            reason: saved.reason.clone(),
            at_unix_us: saved.at_unix_us,
            period: period(saved.on),
        }));
    }

    fn change(&self, on: bool, sample_ppm: Option<u32>, who: &str, reason: &str) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.position.load_full();
        // A start while on keeps the period: calls in flight go on.
        let period = if on && before.on { before.period.clone() } else { period(on) };
        let after = Position {
            on,
            sample_ppm: sample_ppm.unwrap_or(before.sample_ppm),
            revision: before.revision + 1,
            who: who.to_owned(),
            reason: reason.to_owned(),
            at_unix_us: self.clock.unix_us(),
            period,
        };
        let event = SwitchEvent {
            integration: Arc::clone(&self.integration),
            on,
            sample_ppm: after.sample_ppm,
            revision: after.revision,
            who: after.who.clone(),
            reason: after.reason.clone(),
            at_unix_us: after.at_unix_us,
        };
        self.position.store(Arc::new(after));
        if !on {
            before.period.cancel();
        }
        self.history.push(event);
    }

    fn paused(&self) -> Option<PausedBy> {
        let now_us = self.now_us();
        let until_us = self.paused_until_us.load(Ordering::Acquire);
        if now_us < until_us {
            let left_us = i64::try_from(until_us - now_us).unwrap_or(i64::MAX);
            return Some(PausedBy::Retry429 { until_unix_us: self.clock.unix_us().saturating_add(left_us) });
        }
        if self.breaker.is_open() {
            return Some(PausedBy::Breaker);
        }
        self.budget.is_spent(self.clock.unix_us()).then_some(PausedBy::Budget)
    }

    fn now_us(&self) -> u64 {
        self.clock.elapsed_us(self.epoch)
    }
}

fn period(on: bool) -> CancellationToken {
    let token = CancellationToken::new();
    if !on {
        token.cancel();
    }
    token
}

/// Whether a key's hash falls into the sample: a larger sample contains every smaller one, none and all are exact.
pub(crate) fn in_sample(key_hash: u64, sample_ppm: u32) -> bool {
    let place = (u128::from(key_hash) * u128::from(SAMPLE_ALL_PPM)) >> 64;
    place < u128::from(sample_ppm)
}
