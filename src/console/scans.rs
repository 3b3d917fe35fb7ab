//! What the commands that search the whole store found last, as they leave it in the state folder.

use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Results kept, the newest first.
pub const SCANS_MAX: usize = 20;

/// One search of everything that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// When it ended, microseconds since the Unix epoch.
    pub at_unix_us: i64,
    /// The command: `store check`, `store redact`, `store redact --dry-run`.
    pub command: String,
    /// Recordings that were looked at.
    pub recordings: u64,
    /// Whether all was as it should be.
    pub good: bool,
    /// What was found, in words.
    pub found: String,
}

/// The results as the pages show them; the keeper of the state folder renews them.
#[derive(Debug, Default)]
pub struct ScansShown(Mutex<Arc<[Scan]>>);

impl ScansShown {
    /// From now on these are shown.
    pub fn show(&self, scans: Vec<Scan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = scans.into();
    }

    /// The newest result.
    pub(crate) fn newest(&self) -> Option<Scan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }
}
