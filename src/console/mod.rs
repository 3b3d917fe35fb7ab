//! Admin API, pages, metrics and the kill-switch.
//!
//! **Invariants.** Loopback only. Stopping needs the switchboard and nothing else: not the store, not a script in the
//! browser. Whatever was recorded is shown as text. The store is read by few, bounded workers, never on the thread that
//! answers.

mod guard;
mod metrics;
mod page_integration;
mod page_redaction;
mod pages;
mod problem;
mod reading;
mod ready;
mod routes;
mod rules;
mod serve;
mod tables;
mod view;
mod words;
mod writes;

#[cfg(test)]
mod tests;

pub use ready::Ready;
pub use rules::{RuleSetShown, RulesInForce, RulesShown};
pub use serve::{Bound, ConsoleError, bind};

use crate::control::Switchboard;
use crate::exchange::{Clock, Integration};
use crate::telemetry::Ledger;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What a user may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; loopback only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// `Host` values accepted beside the listener's own loopback names: `name` (any port) or `name:port`.
    pub allowed_hosts: Vec<String>,
}

/// What both providers of an integration are called on pages: the names given to them, or their hosts.
#[derive(Clone, Debug)]
pub struct Providers {
    /// The integration.
    pub integration: Integration,
    /// Today's provider; absent for a sink.
    pub primary: Option<String>,
    /// The new provider.
    pub shadow: String,
}

/// What the console shows and switches.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The live counters.
    pub ledger: Arc<Ledger>,
    /// The live switches.
    pub switchboard: Arc<Switchboard>,
    /// The names of the providers, per integration.
    pub providers: Vec<Providers>,
    /// The database, opened read-only for each page.
    pub store_path: PathBuf,
    /// The redaction rules in force.
    pub rules: Arc<RulesInForce>,
    /// Whether the recorder is up, and what troubles it.
    pub ready: Arc<Ready>,
    /// The version of this program.
    pub version: &'static str,
    /// When it started, microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// The clock.
    pub clock: Clock,
}

impl Shared {
    /// The names of one integration's providers.
    pub(crate) fn providers_of(&self, integration: &str) -> (Option<String>, String) {
        let found = self.providers.iter().find(|providers| &*providers.integration == integration);
        found.map_or_else(|| (None, "new provider".to_owned()), |p| (p.primary.clone(), p.shadow.clone()))
    }
}
