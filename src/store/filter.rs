//! What is asked of the store: where it is, how much it keeps, and which rows to show.

use crate::exchange::{CaptureId, Outcome, Role};
use std::path::PathBuf;

/// Where the store is and how much it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The database file; its `-wal` and `-shm` stand beside it.
    pub path: PathBuf,
    /// How long captures wait for company before they are committed, milliseconds: what a kill -9 may lose.
    pub commit_interval_ms: u64,
    /// The most captures of one transaction.
    pub batch_captures_max: usize,
    /// Captures older than this are pruned, days.
    pub age_days_max: Option<u32>,
    /// The oldest captures are pruned while the data is larger than this, bytes.
    pub size_bytes_max: Option<u64>,
    /// The oldest captures of an endpoint are pruned beyond so many.
    pub per_endpoint_max: Option<u64>,
    /// Of each kind of capture (endpoint, outcome, status, speed, shape) so many of the newest outlive the limits on size
    /// and count.
    pub variety_captures: u32,
    /// Latencies and ledger are kept so long, days.
    pub history_days_max: u32,
    /// JSON of the limits in force, for the record of the run.
    pub limits: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("darklaunch.db"),
            commit_interval_ms: 200,
            batch_captures_max: 2_000,
            age_days_max: None,
            size_bytes_max: None,
            per_endpoint_max: None,
            variety_captures: 20,
            history_days_max: 730,
            limits: String::new(),
        }
    }
}

/// Which captures; newest first. Every field that is set narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFilter {
    /// Of this integration.
    pub integration: Option<String>,
    /// Of this endpoint.
    pub endpoint: Option<String>,
    /// Whose exchange (of `role`, else the shadow's) had this outcome.
    pub outcome: Option<Outcome>,
    /// Which exchange `outcome`, `slower_than_us` and `at_most_us` mean; the shadow's if unset.
    pub role: Option<Role>,
    /// Whose exchange took longer than this, microseconds.
    pub slower_than_us: Option<u64>,
    /// Whose exchange took this long at most, microseconds.
    pub at_most_us: Option<u64>,
    /// In which this rule replaced something.
    pub redacted_by: Option<String>,
    /// Received at or after this, microseconds since the Unix epoch.
    pub since_unix_us: Option<i64>,
    /// Received before this, microseconds since the Unix epoch.
    pub until_unix_us: Option<i64>,
    /// Only captures before this one: the last id of the page before.
    pub before: Option<CaptureId>,
    /// The most rows; 0 means 100, and no page is larger than 1 000.
    pub limit: usize,
}

/// Which histograms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesFilter {
    /// Of this integration.
    pub integration: String,
    /// Of this endpoint only.
    pub endpoint: Option<String>,
    /// Of intervals that start at or after this, seconds since the Unix epoch.
    pub since_unix_s: Option<i64>,
}
