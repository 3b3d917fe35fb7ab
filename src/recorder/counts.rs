//! What is counted, as the database knows it: the ledger by state, interval and integration.

use crate::exchange::{DropReason, Integration, NotMirrored, Outcome};
use crate::recorder::clock_steps::Stepped;
use crate::store::LedgerRow;
use crate::telemetry::{BookSnapshot, Ledger};
use foldhash::HashMap;

/// The ledger of the interval that is open: what was counted since it began.
///
/// **Invariant:** an interval ends only with a commit, so what happened while the store was away is in it and not lost.
#[derive(Default)]
pub(in crate::recorder) struct Counts {
    /// The start of the interval, seconds since the Unix epoch.
    pub interval_s: i64,
    before: HashMap<(String, String), u64>,
}

impl Counts {
    /// The rows of the interval, counting the captures of the batch they are written with as recorded.
    pub(in crate::recorder) fn rows(
        &self,
        ledger: &Ledger,
        batch: &HashMap<Integration, u64>,
        stepped: Stepped,
    ) -> Vec<LedgerRow> {
        totals(ledger, batch)
            .into_iter()
            .chain(clock_steps(ledger, stepped))
            .map(|mut row| {
                // What is pending is so now, not since the interval began.
                if row.state != PENDING {
                    let key = (row.integration.clone(), row.state.clone());
                    row.count = row.count.saturating_sub(self.before.get(&key).copied().unwrap_or_default());
                }
                row
            })
            .collect()
    }

    /// Begins the next interval after these totals were committed.
    pub(in crate::recorder) fn begin(&mut self, interval_s: i64, committed: &[LedgerRow]) {
        for row in committed.iter().filter(|row| row.state != PENDING) {
            *self.before.entry((row.integration.clone(), row.state.clone())).or_default() += row.count;
        }
        self.interval_s = interval_s;
    }
}

/// Steps of the wall clock by interval: no request, but the hours of all of them.
fn clock_steps(ledger: &Ledger, stepped: Stepped) -> impl Iterator<Item = LedgerRow> {
    let states = [("clock_step.ahead_ms", stepped.ahead_ms), ("clock_step.back_ms", stepped.back_ms)];
    ledger.iter().flat_map(move |book| {
        let integration = book.integration().to_string();
        let row = move |(state, count): (&str, u64)| LedgerRow {
            integration: integration.clone(),
            state: state.to_owned(),
            count,
        };
        states.into_iter().filter(|(_, count)| *count > 0).map(row)
    })
}

const PENDING: &str = "pending";

fn totals(ledger: &Ledger, batch: &HashMap<Integration, u64>) -> Vec<LedgerRow> {
    ledger
        .iter()
        .flat_map(|book| {
            let mut snapshot = book.snapshot();
            snapshot.recorded += batch.get(book.integration()).copied().unwrap_or_default();
            let integration = book.integration().to_string();
            let row = move |(state, count)| LedgerRow { integration: integration.clone(), state, count };
            states(&snapshot).into_iter().map(row)
        })
        .collect()
}

/// The counts of a book by the names the database knows them under; states without a count are left out.
fn states(book: &BookSnapshot) -> Vec<(String, u64)> {
    let outcomes = |prefix: &'static str, counts: [u64; 9]| {
        Outcome::ALL
            .into_iter()
            .zip(counts)
            .map(move |(outcome, count)| (format!("{prefix}.{}", outcome.name()), count))
    };
    let refused = NotMirrored::ALL.into_iter().zip(book.not_mirrored);
    let dropped = |counts: [u64; DropReason::ALL.len()]| DropReason::ALL.map(DropReason::name).into_iter().zip(counts);
    let lost = book.not_recorded.iter().map(|(reason, count)| (format!("not_recorded.{reason}"), *count));
    let counted = outcomes("mirrored", book.mirrored)
        .chain(outcomes("primary", book.primary))
        .chain(refused.map(|(reason, count)| (format!("not_mirrored.{}", reason.name()), count)))
        .chain(dropped(book.body_dropped).map(|(reason, count)| (format!("body_dropped.{reason}"), count)))
        .chain(dropped(book.parts_dropped).map(|(reason, count)| (format!("part_dropped.{reason}"), count)))
        .chain(lost)
        .filter(|(_, count)| *count > 0);
    let always = [("arrived", book.arrived), (PENDING, book.pending), ("recorded", book.recorded)];
    always.into_iter().map(|(state, count)| (state.to_owned(), count)).chain(counted).collect()
}
