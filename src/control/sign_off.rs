//! Who vouches for the redaction rules of an integration, and for which: other rules need another sign-off.

use serde::{Deserialize, Serialize};

/// Characters of a rule set's hash that people see.
const SHORT: usize = 12;

/// A sign-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// Who.
    pub who: String,
    /// Identifies the rules that were signed off.
    pub rules_hash: String,
    /// When, microseconds since the Unix epoch.
    pub at_unix_us: i64,
}

/// Why a sign-off was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignOffError {
    /// Nobody is named.
    #[error("who is empty; a sign-off stands under a name")]
    NoName,
    /// Somebody else changed the switch meanwhile.
    #[error("revision {given} is not the present one, {now}: look at the integration and decide again")]
    Changed {
        /// The revision that was looked at.
        given: u64,
        /// The present one.
        now: u64,
    },
}

/// The beginning of a hash.
pub(crate) fn short(rules_hash: &str) -> &str {
    rules_hash.get(..SHORT).unwrap_or(rules_hash)
}
