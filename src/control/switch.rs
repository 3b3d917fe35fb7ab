//! One integration's switch: what decides, lock-free, whether a request may be mirrored.

use crate::control::breaker::Breaker;
use crate::control::limits::{DailyBudget, RETRY_AFTER_DEFAULT_S, RETRY_AFTER_MAX_S, Rate};
use crate::control::ramp::GateKeeper;
use crate::control::shares::cap_ppm;
use crate::control::sign_off::{SignOffError, short};
use crate::control::{
    EndpointShare, History, RampPhase, RampPlan, RampState, SAMPLE_ALL_PPM, SavedSwitch, Settings, SignOff, SwitchEvent,
};
use crate::exchange::{Clock, Instant, Integration, NotMirrored, Outcome};
use arc_swap::ArcSwap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Who a ramp's own changes are recorded as.
const BY_RAMP: &str = "ramp";
/// Who a voided sign-off is recorded as.
const BY_RULES: &str = "redaction rules";

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
    /// Share of the keys mirrored now, parts per million.
    pub sample_ppm: u32,
    /// Where the share rises by itself.
    pub ramp: Option<RampState>,
    /// Counts changes upwards; 0 is the configured state.
    pub revision: u64,
    /// Who changed it last.
    pub changed_by: String,
    /// Why.
    pub reason: String,
    /// When, microseconds since the Unix epoch.
    pub changed_unix_us: i64,
    /// Who vouches for the redaction rules, and for which.
    pub signed: Option<SignOff>,
    /// What holds it back although it is on.
    pub paused: Option<PausedBy>,
    /// Calls of this UTC day and the limit, where there is one.
    pub daily_used_of_max: Option<(u64, u64)>,
}

/// Why a start was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// Somebody else changed the switch meanwhile.
    #[error(
        "revision {given} is not the present one, {now}: {who} changed the switch meanwhile; look at it and decide again"
    )]
    Changed {
        /// The revision that was looked at.
        given: u64,
        /// The present one.
        now: u64,
        /// Who changed it.
        who: String,
    },
    /// There is no ramp that could go on.
    #[error("there is no held ramp to resume; mirror.ramp begins one, and a share set by hand ends it")]
    NoRamp,
}

/// With which share a start goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// The present one; a ramp goes on rising, a held one stays held.
    #[default]
    AsItWas,
    /// This one, parts per million; ends a ramp.
    Fixed(u32),
    /// A held ramp's, which rises again.
    ResumeRamp,
}

#[derive(Clone, Debug)]
struct Position {
    on: bool,
    sample_ppm: u32,
    ramp: Option<RampAt>,
    signed: Option<SignOff>,
    revision: u64,
    who: String,
    reason: String,
    at_unix_us: i64,
    /// Cancelled when this on-period ends; cancelled from the start while off.
    period: CancellationToken,
}

/// A ramp but for its time, which moves more often.
#[derive(Clone, Debug)]
struct RampAt {
    plan: RampPlan,
    began_unix_us: Option<i64>,
    phase: RampPhase,
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
    endpoint_shares: Vec<EndpointShare>,
    gates: GateKeeper,
    ramp_passed_us: AtomicU64,
    /// When the ramp last looked at the clock, microseconds since `epoch`.
    ticked_us: AtomicU64,
    /// Microseconds since `epoch` until which a 429 holds calls back.
    paused_until_us: AtomicU64,
    epoch: Instant,
    clock: Clock,
    history: Arc<History>,
}

impl Switch {
    pub(crate) fn new(integration: Integration, settings: Settings, clock: Clock, history: Arc<History>) -> Self {
        let ramp = settings.ramp.map(|plan| RampAt::fresh(plan, settings.enabled.then(|| clock.unix_us())));
        let position = Position {
            on: settings.enabled,
            sample_ppm: settings.ramp.map_or(settings.sample_ppm, |plan| plan.share_ppm(0)).min(SAMPLE_ALL_PPM),
            ramp,
            signed: None,
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
            endpoint_shares: settings.endpoint_shares,
            gates: GateKeeper::new(settings.ramp_gates),
            ramp_passed_us: AtomicU64::new(0),
            ticked_us: AtomicU64::new(0),
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
            ramp: position.ramp.as_ref().map(|ramp| RampState {
                plan: ramp.plan,
                passed_us: self.ramp_passed_us.load(Ordering::Acquire),
                began_unix_us: ramp.began_unix_us,
                phase: ramp.phase.clone(),
            }),
            revision: position.revision,
            changed_by: position.who.clone(),
            reason: position.reason.clone(),
            changed_unix_us: position.at_unix_us,
            signed: position.signed.clone(),
            paused: self.paused(),
            daily_used_of_max: self.budget.used_of_max(self.clock.unix_us()),
        }
    }

    /// Endpoints with a share of their own.
    pub fn endpoint_shares(&self) -> &[EndpointShare] {
        &self.endpoint_shares
    }

    /// Switches off, at once: nothing more is admitted and the calls in flight are cancelled. Also when it is off
    /// already, so that a stop always leaves a trace. A ramp keeps its place.
    pub fn stop(&self, who: &str, reason: &str) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.position.load_full();
        self.change(Position { on: false, ..(*before).clone() }, who, reason, self.clock.unix_us());
    }

    /// Switches on with a share. The breaker, a 429 wait and the ramp's gates start afresh.
    pub fn start(&self, who: &str, reason: &str, share: Share) -> Result<(), StartError> {
        self.start_seen(None, who, reason, share)
    }

    /// The same by someone who looked at the switch at a revision: a change since then, such as a stop, wins.
    pub fn start_seen(&self, seen: Option<u64>, who: &str, reason: &str, share: Share) -> Result<(), StartError> {
        if reason.trim().is_empty() {
            return Err(StartError::NoReason);
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = (*self.position.load_full()).clone();
        if let Some(given) = seen.filter(|given| *given != after.revision) {
            return Err(StartError::Changed { given, now: after.revision, who: after.who });
        }
        let unix_us = self.clock.unix_us();
        after.on = true;
        match (share, &mut after.ramp) {
            (Share::Fixed(ppm), _) if ppm > SAMPLE_ALL_PPM => return Err(StartError::Sample { ppm }),
            (Share::Fixed(ppm), ramp) => {
                after.sample_ppm = ppm;
                if let Some(ramp) = ramp {
                    ramp.phase = RampPhase::Ended;
                }
            }
            (Share::ResumeRamp, Some(RampAt { phase: phase @ RampPhase::Held { .. }, .. })) => {
                *phase = RampPhase::Rising;
            }
            (Share::ResumeRamp, _) => return Err(StartError::NoRamp),
            (Share::AsItWas, _) => {}
        }
        if let Some(ramp) = &mut after.ramp {
            ramp.began_unix_us.get_or_insert(unix_us);
        }
        self.breaker.close(self.now_us());
        self.paused_until_us.store(0, Ordering::Release);
        self.gates.clear();
        self.change(after, who, reason, unix_us);
        Ok(())
    }

    /// Notes that somebody vouches for the redaction rules; a change of the switch's history, not of what it does.
    ///
    /// # Errors
    /// Nobody is named, or the switch was changed since `seen`.
    pub fn sign_off(&self, seen: Option<u64>, who: &str, rules_hash: &str) -> Result<(), SignOffError> {
        if who.trim().is_empty() {
            return Err(SignOffError::NoName);
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = (*self.position.load_full()).clone();
        if let Some(given) = seen.filter(|given| *given != after.revision) {
            return Err(SignOffError::Changed { given, now: after.revision });
        }
        let at_unix_us = self.clock.unix_us();
        after.signed = Some(SignOff { who: who.to_owned(), rules_hash: rules_hash.to_owned(), at_unix_us });
        self.change(after, who, &format!("signed off the redaction rules {}", short(rules_hash)), at_unix_us);
        Ok(())
    }

    /// Takes a sign-off back that is for other rules than those in force, and notes it in the history.
    pub fn void_sign_off_of_other(&self, rules_hash: &str) {
        let stale = |position: &Position| {
            position.signed.as_ref().filter(|signed| signed.rules_hash != rules_hash).map(|signed| signed.who.clone())
        };
        // Looked at often, and nearly never to be done.
        if stale(&self.position.load()).is_none() {
            return;
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = (*self.position.load_full()).clone();
        let Some(who) = stale(&after) else { return };
        after.signed = None;
        let reason = format!("the redaction rules changed to {}: the sign-off by {who} is void", short(rules_hash));
        self.change(after, BY_RULES, &reason, self.clock.unix_us());
    }

    /// Lets the ramp rise by the time since the last tick, or hold.
    pub(crate) fn tick(&self) {
        self.tick_at(self.now_us(), self.clock.unix_us());
    }

    /// [`Switch::tick`] at `now_us` microseconds since the switch was made.
    pub(crate) fn tick_at(&self, now_us: u64, unix_us: i64) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let step_us = now_us.saturating_sub(self.ticked_us.swap(now_us, Ordering::AcqRel));
        let before = self.position.load_full();
        let Some(ramp) = before.ramp.as_ref().filter(|ramp| before.on && ramp.phase == RampPhase::Rising) else {
            return;
        };
        let mut after = (*before).clone();
        let to = |phase| Some(RampAt { phase, ..ramp.clone() });
        // Gates first: what has tripped does not rise by even one step.
        if let Some(because) = self.gates.tripped(now_us, self.budget.is_spent(unix_us)) {
            let reason = format!("ramp held: {because}");
            after.ramp = to(RampPhase::Held { because, at_unix_us: unix_us });
            return self.change(after, BY_RAMP, &reason, unix_us);
        }
        let passed_us = self.ramp_passed_us.load(Ordering::Acquire).saturating_add(step_us);
        self.ramp_passed_us.store(passed_us, Ordering::Release);
        after.sample_ppm = ramp.plan.share_ppm(passed_us);
        if ramp.plan.is_over(passed_us) {
            after.ramp = to(RampPhase::Reached);
            self.change(after, BY_RAMP, "ramp reached its end", unix_us);
        } else if after.sample_ppm != before.sample_ppm {
            self.position.store(Arc::new(after));
        }
    }

    /// Whether it is on; one atomic load.
    pub fn is_on(&self) -> bool {
        self.position.load().on
    }

    /// The share in force of an endpoint capped at `cap_ppm`, parts per million; one atomic load.
    pub fn share_ppm(&self, cap_ppm: u32) -> u32 {
        self.position.load().sample_ppm.min(cap_ppm)
    }

    /// The share an endpoint may have at most, parts per million.
    pub fn cap_ppm(&self, method: &str, path: &str) -> u32 {
        cap_ppm(&self.endpoint_shares, method, path)
    }

    /// What would refuse every key now, without taking anything: for requests whose key is not known yet.
    pub fn refuses_all(&self, cap_ppm: u32) -> Option<NotMirrored> {
        if !self.is_on() {
            return Some(NotMirrored::Off);
        }
        if self.share_ppm(cap_ppm) == 0 {
            return Some(NotMirrored::NotSampled);
        }
        match self.paused() {
            Some(PausedBy::Retry429 { .. }) => Some(NotMirrored::Paused429),
            Some(PausedBy::Budget) => Some(NotMirrored::Budget),
            // An open breaker lets single calls try: only `admit` may decide which.
            Some(PausedBy::Breaker) | None => None,
        }
    }

    /// Whether a request with this key may be mirrored, of an endpoint whose share is `cap_ppm` at most. Takes a call
    /// from the rate and the day's budget when it says yes; a call that is then not made is returned with
    /// [`Switch::give_back`]. Never locks.
    pub fn admit(&self, key_hash: u64, cap_ppm: u32) -> Result<(), NotMirrored> {
        let position = self.position.load();
        if !position.on {
            return Err(NotMirrored::Off);
        }
        if !in_sample(key_hash, position.sample_ppm.min(cap_ppm)) {
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
    /// one hour at most); failures and calls that `took_us` too long hold a ramp.
    pub fn observe(&self, outcome: Outcome, retry_after_s: Option<u64>, took_us: u64) {
        self.observe_at(outcome, retry_after_s, took_us, self.now_us());
    }

    /// [`Switch::observe`] at `now_us` microseconds since the switch was made.
    pub(crate) fn observe_at(&self, outcome: Outcome, retry_after_s: Option<u64>, took_us: u64, now_us: u64) {
        self.breaker.observe(outcome, now_us);
        self.gates.observe(outcome, took_us, now_us, self.breaker.is_open());
        if outcome == Outcome::Throttled429 {
            let wait_s = retry_after_s.unwrap_or(RETRY_AFTER_DEFAULT_S).min(RETRY_AFTER_MAX_S);
            self.paused_until_us.fetch_max(now_us.saturating_add(wait_s * 1_000_000), Ordering::AcqRel);
        }
    }

    /// Puts a saved state back. A ramp goes on where it was if the plan is still the same; a new plan begins anew.
    pub(crate) fn restore(&self, saved: &SavedSwitch) {
        let SavedSwitch { last, ramp: saved_ramp, signed } = saved;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.position.load_full();
        if last.revision < now.revision {
            return;
        }
        now.period.cancel();
        let plan = now.ramp.as_ref().map(|ramp| ramp.plan);
        let same = saved_ramp.as_ref().filter(|ramp| Some(ramp.plan) == plan);
        let passed_us = same.map_or(0, |ramp| ramp.passed_us);
        self.ramp_passed_us.store(passed_us, Ordering::Release);
        let ramp = match same {
            Some(RampState { plan, began_unix_us, phase, .. }) => {
                Some(RampAt { plan: *plan, began_unix_us: *began_unix_us, phase: phase.clone() })
            }
            None => plan.map(|plan| RampAt::fresh(plan, last.on.then(|| self.clock.unix_us()))),
        };
        let rising = ramp.as_ref().filter(|ramp| ramp.phase == RampPhase::Rising);
        let sample_ppm = rising.map_or(last.sample_ppm, |ramp| ramp.plan.share_ppm(passed_us));
        self.position.store(Arc::new(Position {
            on: last.on,
            sample_ppm: sample_ppm.min(SAMPLE_ALL_PPM),
            ramp,
            signed: signed.clone(),
            revision: last.revision,
            who: last.who.clone(),
            reason: last.reason.clone(),
            at_unix_us: last.at_unix_us,
            period: period(last.on),
        }));
    }

    /// Makes `after` the position, as a change by `who`. The caller holds `changing`.
    fn change(&self, after: Position, who: &str, reason: &str, at_unix_us: i64) {
        let before = self.position.load_full();
        let on = after.on;
        // A start while on keeps the period: calls in flight go on.
        let period = if on && before.on { before.period.clone() } else { period(on) };
        let (who, reason, revision) = (who.to_owned(), reason.to_owned(), before.revision + 1);
        let after = Position { revision, who, reason, at_unix_us, period, ..after };
        let event = SwitchEvent {
            integration: Arc::clone(&self.integration),
            on,
            sample_ppm: after.sample_ppm,
            revision,
            who: after.who.clone(),
            reason: after.reason.clone(),
            at_unix_us,
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

impl RampAt {
    fn fresh(plan: RampPlan, began_unix_us: Option<i64>) -> Self {
        Self { plan, began_unix_us, phase: RampPhase::Rising }
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
