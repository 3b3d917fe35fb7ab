//! Admin API, pages, metrics and the kill-switch.
//!
//! **Invariants.** Who may do what is decided in one place, `access`, in front of every answer. Stopping needs the switchboard and nothing else: not the store, not a script in the
//! browser. Whatever was recorded is shown as text. The store is read by few, bounded workers, never on the thread that
//! answers.

mod access;
mod assets;
mod charts;
mod events;
mod fixture;
mod guard;
mod insight;
mod kept;
mod lists;
mod metrics;
mod openapi;
mod page_golive;
mod page_integration;
mod page_lists;
mod page_provider;
mod pace;
mod page_recordings;
mod page_redaction;
mod page_times;
mod pages;
mod price;
mod problem;
mod query;
mod reading;
mod ready;
mod routes;
mod rules;
mod scans;
mod serve;
mod sign_off;
mod tables;
mod view;
mod words;
mod writes;

#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tests;

pub use access::{AccessSettings, May, Refusal, Role, TokenError, TokenRecord, Tokens, TokensInForce};
pub use metrics::gather;
pub use price::Price;
pub use ready::Ready;
pub use rules::{RuleSetShown, RulesInForce, RulesShown};
pub use scans::{SCANS_MAX, Scan, ScansShown};
pub use serve::{Bound, ConsoleError, bind, refuse_open};

use crate::control::Switchboard;
use crate::exchange::{Clock, Integration};
use crate::fixtures;
use crate::latency::Totals;
use crate::measure::Servers;
use crate::review;
use crate::telemetry::{Ledger, Outbox};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What a user may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// `Host` values accepted beside the listener's own loopback names: `name` (any port) or `name:port`.
    pub allowed_hosts: Vec<String>,
    /// Who may do what.
    pub access: AccessSettings,
    /// The certificate; plain HTTP without.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// A socket that only the recorder's own user may reach, who needs no token there.
    pub owner_socket: Option<PathBuf>,
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
    /// Where both are.
    pub servers: Servers,
    /// Calls to the new provider per second at most.
    pub rate_per_s: Option<u32>,
    /// What one call to the new provider costs.
    pub price_per_call: Option<Price>,
    /// Where the new provider's documentation is.
    pub documentation: Option<String>,
    /// What a go-live review holds it against, with contact and status page.
    pub review: review::Settings,
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
    /// What was told to places outside, and what could not be.
    pub outbox: Arc<Outbox>,
    /// Where recordings become fixtures.
    pub fixtures: fixtures::Door,
    /// Latencies since the start.
    pub totals: Arc<Totals>,
    /// Who has a token.
    pub tokens: Arc<TokensInForce>,
    /// What was found when the whole store was last searched.
    pub scans: Arc<ScansShown>,
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
    /// What the configuration says of one integration's providers.
    pub(crate) fn providers_of(&self, integration: &str) -> Option<&Providers> {
        self.providers.iter().find(|providers| &*providers.integration == integration)
    }
}
