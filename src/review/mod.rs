//! Latencies and outcomes as people read them: text and JSON.
//!
//! **Invariants.** Nothing here is an average. Our own timeouts and aborts count as "at least this long" and are never
//! left out. A percentile that too few calls support is not shown; how many calls it needs is. Nothing is printed here:
//! every function returns a value.

mod calls;
mod json;
mod ladder;
mod ledger;
mod report;
mod text;

pub use ladder::{Ladder, Rung};
pub use ledger::{LedgerTally, ledger_text};
pub use report::{LatencyReport, ReviewError, Section, overall};
pub use text::human_us;

#[cfg(test)]
mod tests;
