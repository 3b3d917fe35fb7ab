//! Latencies and outcomes as people read them: text and JSON.
//!
//! **Invariants.** Nothing here is an average. Our own timeouts and aborts count as "at least this long" and are never
//! left out. A percentile that too few calls support is not shown; how many calls it needs is. Nothing is printed here:
//! every function returns a value.

mod advice;
mod alerts;
mod calls;
pub mod chart;
mod check;
mod checks;
mod daily;
mod evidence;
mod json;
mod ladder;
mod ledger;
mod lint;
mod lint_file;
mod page;
mod paste;
mod plot;
mod report;
mod review_json;
mod review_text;
mod settings;
mod shape;
mod tally;
mod text;
mod verdict;

pub use advice::{Attempts, EndpointAdvice, Row, Split};
pub use alerts::{AlertRule, AlertTimes, Standing, Watched, alert_rules, contacts, dashboard, rules_of};
pub use check::{Check, Verdict};
pub use daily::{Daily, daily_page};
pub use evidence::Rates;
pub use ladder::{Ladder, Rung};
pub use ledger::{LedgerTally, ledger_text};
pub use lint::{LintError, LintFinding, lint};
pub use paste::{Paste, paste};
pub use report::{LatencyReport, ReviewError, Section, overall};
pub use settings::{Profile, Settings};
pub use shape::Shapes;
pub use text::human_us;
pub use verdict::Review;

#[cfg(test)]
mod tests;
