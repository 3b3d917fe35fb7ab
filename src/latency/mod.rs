//! Latency histograms: one shard per thread, intervals, encoding, and the statistics over them.
//!
//! **Invariants.** Series are merged, never averaged. What the histogram rounds (sum, smallest, largest) is kept exactly
//! beside it. A blob is decoded only after its header, checksum and counts were checked. No figure is computed through
//! floating-point ranks.

mod log;
mod series;
mod shard;
mod slots;
pub mod stats;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod totals;

pub use log::{LogLine, write_interval_log};
pub use series::{BadBlob, Exact, HIGHEST_US, LOWEST_US, Series, crc32_of};
pub use shard::{Phase, SeriesKey, Shard};
pub use slots::{Slots, SlotsSum, lower_edge_us};
pub use timeline::{HOURS_OF_WEEK, Interval, Timeline};
pub use totals::{ADDED_BOUNDS_US, AddedDelay, CALL_BOUNDS_US, CallKind, Classes, Totals, eighth_of};
