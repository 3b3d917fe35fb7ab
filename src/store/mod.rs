//! The only room that knows SQL: one writer, many readers, one SQLite file.
//!
//! **Invariants.** Only `Redacted<Recording>` can be appended. A batch is one transaction: all of it is stored or none. A
//! file of something else, or of a newer version, is refused untouched. Every query uses an index. A damaged row is
//! reported, never a panic, and never hides the others.

mod again;
mod block;
mod checkpoint;
mod classes;
mod codec;
mod convert;
mod dead;
mod erase;
mod error;
mod filter;
mod history;
mod insert;
mod intervals;
mod lock;
mod merge;
mod migrate;
mod page;
mod prepare;
mod prune;
mod reader;
mod redo;
mod rename;
mod repack;
mod rollup;
mod row;
mod subjects;
#[cfg(test)]
mod tests;
mod traffic;
mod training;
mod upkeep;
mod verify;
mod window;
mod writer;

pub use classes::{CaptureClass, ClassMember};
pub use error::StoreError;
pub use filter::{CaptureFilter, SeriesFilter, Settings};
pub use intervals::{CountedInterval, StoredInterval, StoredSeries};
pub use migrate::check;
pub use prepare::{Prepared, Preparer};
pub use reader::Reader;
pub use redo::{Findings, Redo, RedoEnd, RedoReport};
pub use row::{
    Batch, CaptureSummary, Erasure, ExchangeSummary, Finding, GapRow, LedgerRow, Merged, PruneReport, RunEnd, RunInfo,
    RunRow, Soundness, StoredBody, StoredCapture, StoredExchange, SwitchRow, TrainedDictionary,
};
pub use traffic::{CallShape, StatusCount};
pub use training::Samples;
pub use upkeep::Upkeep;
pub use writer::Writer;

/// The connection, named once: only this room may.
#[expect(clippy::disallowed_types, reason = "this is the room the rule keeps SQL in")]
type Connection = rusqlite::Connection;
