//! The live switchboard: on or off, sample, budgets and breaker per integration, read lock-free on the user's path.
//!
//! **Invariant:** a stop takes effect for the next `admit` and cancels the calls in flight; it needs nothing but memory.

mod breaker;
mod limits;
mod ramp;
mod shares;
mod sign_off;
mod switch;
#[cfg(test)]
mod tests;

pub use breaker::BreakerSettings;
pub use ramp::{RampGates, RampPhase, RampPlan, RampState};
pub use shares::EndpointShare;
pub use sign_off::{SignOff, SignOffError};
pub use switch::{PausedBy, Share, StartError, State, Switch};

use crate::exchange::{Clock, Integration};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Switch events kept for [`Switchboard::events`]; older ones give way (the switch itself holds the present state).
pub const EVENTS_MAX: usize = 1024;

/// The whole sample, in parts per million.
pub const SAMPLE_ALL_PPM: u32 = 1_000_000;

/// What the configuration says of one integration's switch.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether mirroring is on at start, unless a saved state says otherwise.
    pub enabled: bool,
    /// Share of the keys mirrored, parts per million.
    pub sample_ppm: u32,
    /// Shadow calls per second at most; `None` or 0 is no limit.
    pub rate_per_s: Option<u32>,
    /// Shadow calls per UTC day at most.
    pub daily_calls_max: Option<u64>,
    /// When to leave a failing shadow alone.
    pub breaker: BreakerSettings,
    /// Endpoints with a share of their own, at most the integration's.
    pub endpoint_shares: Vec<EndpointShare>,
    /// Instead of `sample_ppm`: a share that rises while mirroring is on.
    pub ramp: Option<RampPlan>,
    /// When the ramp holds.
    pub ramp_gates: RampGates,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            sample_ppm: SAMPLE_ALL_PPM,
            rate_per_s: None,
            daily_calls_max: None,
            breaker: BreakerSettings::default(),
            endpoint_shares: Vec::new(),
            ramp: None,
            ramp_gates: RampGates::default(),
        }
    }
}

/// One change of one switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchEvent {
    /// Whose switch.
    pub integration: Integration,
    /// On or off after the change.
    pub on: bool,
    /// The sample after the change, parts per million.
    pub sample_ppm: u32,
    /// Counts changes of this switch upwards.
    pub revision: u64,
    /// Who changed it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, microseconds since the Unix epoch.
    pub at_unix_us: i64,
}

/// A switch as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSwitch {
    /// The facts of its last change.
    pub last: SwitchEvent,
    /// Its ramp, where one was configured.
    pub ramp: Option<RampState>,
    /// Who vouches for its redaction rules.
    pub signed: Option<SignOff>,
}

/// Every integration's switch, in the order of the configuration.
#[derive(Debug)]
pub struct Switchboard {
    switches: Vec<Arc<Switch>>,
    history: Arc<History>,
}

impl Switchboard {
    /// The switches as configured.
    pub fn new(integrations: Vec<(Integration, Settings)>, clock: Clock) -> Arc<Self> {
        let history = Arc::new(History::default());
        let build = |(name, settings)| Arc::new(Switch::new(name, settings, clock, Arc::clone(&history)));
        Arc::new(Self { switches: integrations.into_iter().map(build).collect(), history })
    }

    /// One integration's switch.
    pub fn get(&self, integration: &str) -> Option<&Arc<Switch>> {
        self.switches.iter().find(|switch| &**switch.integration() == integration)
    }

    /// Every switch.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Switch>> {
        self.switches.iter()
    }

    /// Stops every integration.
    pub fn stop_all(&self, who: &str, reason: &str) {
        for switch in &self.switches {
            switch.stop(who, reason);
        }
    }

    /// Lets the ramps rise by the time since the last call, or hold. Call it often; a late call only delays.
    pub fn tick(&self) {
        for switch in &self.switches {
            switch.tick();
        }
    }

    /// The changes since the last call, oldest first, at most [`EVENTS_MAX`].
    pub fn events(&self) -> Vec<SwitchEvent> {
        self.history.drain()
    }

    /// Puts saved states back, before anything runs. A saved state older than the present one is left out; so is an
    /// integration that is no longer configured.
    pub fn restore(&self, saved: &[SavedSwitch]) {
        for one in saved {
            if let Some(switch) = self.get(&one.last.integration) {
                switch.restore(one);
            }
        }
    }
}

/// The bounded list of changes nobody has fetched yet.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<VecDeque<SwitchEvent>>);

impl History {
    fn push(&self, event: SwitchEvent) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == EVENTS_MAX {
            events.pop_front();
        }
        events.push_back(event);
    }

    fn drain(&self) -> Vec<SwitchEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}
