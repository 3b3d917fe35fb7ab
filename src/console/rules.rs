//! Which redaction rules are in force, told by app and shown by status, metrics and pages.

use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rules of one integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSetShown {
    /// Identifies the rules and, in strict mode, the kept paths.
    pub hash: Arc<str>,
    /// How many rules there are.
    pub rules: usize,
    /// Whether only listed paths are kept.
    pub strict: bool,
    /// What the self-check found readable, `e-mail in the request's body`; bodies are then not stored.
    pub leaks: Vec<String>,
}

/// The rules of all integrations at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesShown {
    /// Counts the reloads of a process, from 1.
    pub generation: u64,
    /// Since when, microseconds since the Unix epoch.
    pub since_unix_us: i64,
    /// Identifies the rules for everyone.
    pub everyone: Arc<str>,
    /// By integration.
    pub own: BTreeMap<String, RuleSetShown>,
    /// Bodies stored without a hit that raise the alarm; 0 for never.
    pub alarm_bodies: u64,
}

/// The rules in force: shown whole, changed whole.
#[derive(Debug)]
pub struct RulesInForce(ArcSwap<RulesShown>);

impl RulesInForce {
    /// Begins with these.
    pub fn new(first: RulesShown) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// Shows these from now on.
    pub fn show(&self, next: RulesShown) {
        self.0.store(Arc::new(next));
    }

    /// What is shown.
    pub fn now(&self) -> Arc<RulesShown> {
        self.0.load_full()
    }
}
