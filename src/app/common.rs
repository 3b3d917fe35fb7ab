//! What the threads of one recorder share.

use crate::app::rules::Rules;
use crate::app::{build, outward};
use crate::config::Config;
use crate::console::{self, Ready, RulesInForce, ScansShown, TokensInForce};
use crate::control::Switchboard;
use crate::exchange::Clock;
use crate::fixtures;
use crate::latency::Totals;
use crate::otlp::{Exporter, Tracer};
use crate::redact::{PseudonymKey, Redactors};
use crate::telemetry::{Ledger, Outbox};
use std::sync::Arc;

/// See the file.
pub(in crate::app) struct Common {
    pub ledger: Arc<Ledger>,
    pub switchboard: Arc<Switchboard>,
    pub redactors: Arc<Redactors>,
    pub shown: Arc<RulesInForce>,
    pub ready: Arc<Ready>,
    pub outbox: Arc<Outbox>,
    pub totals: Arc<Totals>,
    pub tracer: Option<Tracer>,
    pub tokens: Arc<TokensInForce>,
    pub scans: Arc<ScansShown>,
}

impl Common {
    /// Besides, what waits to be exported.
    pub(in crate::app) fn new(
        config: &Config,
        (ledger, switchboard): (&Arc<Ledger>, &Arc<Switchboard>),
        rules: &Rules,
        started_unix_us: i64,
    ) -> (Self, Option<Exporter>) {
        let outbox = Arc::<Outbox>::default();
        let (tracer, exporter) = outward::otlp(config, started_unix_us, &outbox);
        let common = Self {
            ledger: ledger.clone(),
            switchboard: switchboard.clone(),
            redactors: rules.redactors.clone(),
            shown: rules.shown.clone(),
            ready: rules.ready.clone(),
            outbox,
            totals: Arc::default(),
            tracer,
            tokens: Arc::default(),
            scans: Arc::default(),
        };
        (common, exporter)
    }

    /// The console's part of it.
    pub(in crate::app) fn shared(&self, config: &Config, key: [u8; 32], started_unix_us: i64) -> console::Shared {
        console::Shared {
            ledger: self.ledger.clone(),
            switchboard: self.switchboard.clone(),
            providers: build::providers(config),
            store_path: config.store.path.clone(),
            rules: self.shown.clone(),
            outbox: self.outbox.clone(),
            totals: self.totals.clone(),
            fixtures: fixtures::Door::new(self.redactors.clone(), PseudonymKey::new(key)),
            ready: self.ready.clone(),
            tokens: self.tokens.clone(),
            scans: self.scans.clone(),
            version: env!("CARGO_PKG_VERSION"),
            started_unix_us,
            clock: Clock,
        }
    }
}
