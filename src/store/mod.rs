//! The only room that knows SQL: one writer, many readers, one SQLite file.
//!
//! **Invariants.** Only `Redacted<Recording>` can be appended. A batch is one transaction: all of it is stored or none. A
//! file of something else, or of a newer version, is refused untouched. Every query uses an index. A damaged row is
//! reported, never a panic, and never hides the others.

mod error;
mod filter;
mod row;

pub use error::StoreError;
pub use filter::{CaptureFilter, SeriesFilter, Settings};
pub use row::{
    Batch, CaptureSummary, ExchangeSummary, LedgerRow, PruneReport, RunEnd, RunInfo, RunRow, StoredBody, StoredCapture,
    StoredExchange, SwitchRow,
};
