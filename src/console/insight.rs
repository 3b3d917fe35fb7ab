//! What the store tells of one integration over time: the review, both providers' latencies, outcomes, and differences.
//! Runs on a worker, never on the thread that answers.

use crate::console::charts::group_of;
use crate::exchange::{Outcome, Role};
use crate::latency::{Phase, Slots, lower_edge_us};
use crate::review::{self, Review, Section, Verdict};
use crate::store::{CaptureFilter, Reader, SeriesFilter, StoreError};
use std::collections::BTreeMap;
use std::path::Path;

/// Columns of a chart over time at most.
const COLUMNS_MAX: i64 = 48;
/// Columns of a chart over time at least, so that a short recording looks short.
const COLUMNS_MIN: i64 = 6;
/// The store's own intervals, seconds: no column is narrower.
const INTERVAL_S: i64 = 600;
/// Newest recordings whose differences are counted.
const COMPARED_MAX: usize = 200;
/// Rows of the heat map for each doubling of the latency.
const ROWS_PER_DOUBLING: f64 = 2.0;

/// See the file.
#[derive(Debug)]
pub(crate) struct Insight {
    /// When it was read, microseconds since the Unix epoch.
    pub(crate) read_unix_us: i64,
    /// The go-live review, or why there is none.
    pub(crate) review: Result<Review, String>,
    /// All endpoints together, today's provider before the new one.
    pub(crate) sections: Vec<Section>,
    /// Times of the new provider's calls that are no success.
    pub(crate) vain: Slots,
    /// The new provider's latencies over time.
    pub(crate) heat: Heat,
    /// What came of the requests over time.
    pub(crate) flow: Flow,
    /// How the answers of the newest recordings differ.
    pub(crate) differences: Differences,
}

/// Time cut into columns of one width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    /// Seconds since the Unix epoch.
    pub(crate) first_unix_s: i64,
    /// Seconds.
    pub(crate) width_s: i64,
    pub(crate) count: usize,
}

/// Calls by time and latency.
#[derive(Debug, Default)]
pub(crate) struct Heat {
    pub(crate) columns: Columns,
    /// Lower edges of the rows, rising, microseconds.
    pub(crate) rows_us: Vec<u64>,
    /// Calls by column and row.
    pub(crate) cells: BTreeMap<(usize, usize), u64>,
}

/// Requests by time and ledger state.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) columns: Columns,
    /// By column: state as the store names it, `mirrored.ok` or `not_mirrored.rate`, and how many.
    pub(crate) cells: Vec<BTreeMap<String, u64>>,
}

/// Differences of the newest recordings that could be compared.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) compared: u64,
    pub(crate) same: u64,
    /// Endpoint, path, kind, and in how many recordings; the most frequent first.
    pub(crate) places: Vec<(String, String, &'static str, u64)>,
}

impl Insight {
    /// What the review says; nothing where nothing was recorded.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.review.as_ref().ok().map(|review| review.verdict)
    }
}

impl Columns {
    /// Columns for everything from the first start to the last end, seconds since the Unix epoch.
    pub(crate) fn over(first_unix_s: i64, end_unix_s: i64) -> Self {
        let first_unix_s = first_unix_s - first_unix_s.rem_euclid(INTERVAL_S);
        let span_s = end_unix_s.saturating_sub(first_unix_s).max(INTERVAL_S * COLUMNS_MIN);
        let width_s = (span_s / COLUMNS_MAX + INTERVAL_S - 1).max(INTERVAL_S) / INTERVAL_S * INTERVAL_S;
        let count = usize::try_from((span_s + width_s - 1) / width_s).unwrap_or_default();
        Self { first_unix_s, width_s, count }
    }

    /// The column of a moment.
    pub(crate) fn of(&self, unix_s: i64) -> usize {
        let at = unix_s.saturating_sub(self.first_unix_s).max(0) / self.width_s.max(1);
        usize::try_from(at).unwrap_or_default().min(self.count.saturating_sub(1))
    }

    /// When a column begins, seconds since the Unix epoch.
    pub(crate) fn start_unix_s(&self, column: usize) -> i64 {
        self.first_unix_s + self.width_s * i64::try_from(column).unwrap_or_default()
    }
}

/// Reads all of it.
pub(crate) fn read(
    path: &Path,
    integration: &str,
    settings: &review::Settings,
    now_unix_us: i64,
) -> Result<Insight, String> {
    let reader = Reader::open(path).map_err(|error| error.to_string())?;
    let review =
        Review::build(&reader, integration, None, now_unix_us / 1_000_000, settings).map_err(|error| error.to_string());
    let sections = review::overall(&reader, integration).map_err(|error| error.to_string())?;
    let rest = || -> Result<(Slots, Heat, Flow, Differences), StoreError> {
        Ok((
            vain(&reader, integration)?,
            heat(&reader, integration)?,
            flow(&reader, integration)?,
            differences(&reader, integration)?,
        ))
    };
    let (vain, heat, flow, differences) = rest().map_err(|error| error.to_string())?;
    Ok(Insight { read_unix_us: now_unix_us, review, sections, vain, heat, flow, differences })
}

fn vain(reader: &Reader, integration: &str) -> Result<Slots, StoreError> {
    let filter = SeriesFilter { integration: integration.to_owned(), ..SeriesFilter::default() };
    let mut all = Vec::new();
    reader.each_interval(
        &filter,
        |key| key.role == Role::Shadow && key.phase == Phase::Total && key.outcome != Outcome::Ok,
        |_, one| all.push(Slots::of(&one.series)),
    )?;
    Ok(Slots::merged(&all))
}

fn heat(reader: &Reader, integration: &str) -> Result<Heat, StoreError> {
    let filter = SeriesFilter { integration: integration.to_owned(), ..SeriesFilter::default() };
    let mut counts: BTreeMap<(i64, i32), u64> = BTreeMap::new();
    let mut end = i64::MIN;
    reader.each_interval(
        &filter,
        |key| key.role == Role::Shadow && key.phase == Phase::Total && key.outcome == Outcome::Ok,
        |_, one| {
            end = end.max(one.start_unix_s.saturating_add(one.length_s));
            for (us, calls) in Slots::of(&one.series).iter() {
                *counts.entry((one.start_unix_s, row_of(us))).or_default() += calls;
            }
        },
    )?;
    let Some(((first, _), _)) = counts.first_key_value() else { return Ok(Heat::default()) };
    let columns = Columns::over(*first, end);
    let rows = counts.keys().map(|(_, row)| *row);
    let (low, high) = (rows.clone().min().unwrap_or_default(), rows.max().unwrap_or_default());
    let mut cells: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for ((at, row), calls) in counts {
        let row = usize::try_from(row - low).unwrap_or_default();
        *cells.entry((columns.of(at), row)).or_default() += calls;
    }
    Ok(Heat { columns, rows_us: (low..=high + 1).map(edge_us).collect(), cells })
}

fn row_of(us: u64) -> i32 {
    ((lower_edge_us(us).max(1) as f64).log2() * ROWS_PER_DOUBLING).floor() as i32
}

/// The smallest time of a row, microseconds: where a slot of the histograms begins, so that whoever asks for the times from
/// here to the next row's gets the calls that were counted.
fn edge_us(row: i32) -> u64 {
    let about = (f64::from(row) / ROWS_PER_DOUBLING).exp2().round() as u64;
    // Never further away than a slot is wide.
    let (mut low, mut high) = (about / 2, about.saturating_mul(2).max(2));
    while low < high {
        let middle = low + (high - low) / 2;
        if row_of(middle) < row { low = middle + 1 } else { high = middle }
    }
    low
}

fn flow(reader: &Reader, integration: &str) -> Result<Flow, StoreError> {
    let mut rows = reader.ledger_over_time(integration, i64::MIN)?;
    rows.retain(|(_, state, count)| *count > 0 && group_of(state).is_some());
    let (Some(first), Some(last)) = (rows.first().map(|row| row.0), rows.last().map(|row| row.0)) else {
        return Ok(Flow::default());
    };
    let columns = Columns::over(first, last.saturating_add(INTERVAL_S));
    let mut cells = vec![BTreeMap::new(); columns.count];
    for (at, state, count) in rows {
        if let Some(cell) = cells.get_mut(columns.of(at)) {
            *cell.entry(state).or_default() += count;
        }
    }
    Ok(Flow { columns, cells })
}

fn differences(reader: &Reader, integration: &str) -> Result<Differences, StoreError> {
    let newest =
        CaptureFilter { integration: Some(integration.to_owned()), limit: COMPARED_MAX, ..CaptureFilter::default() };
    let mut found = Differences::default();
    let mut places: BTreeMap<(String, String, &'static str), u64> = BTreeMap::new();
    for one in reader.captures(&newest)? {
        match one.verdict.as_str() {
            "same" => found.same += 1,
            "differs" => {
                let Some(capture) = reader.capture(&one.id)? else { continue };
                let mut here: Vec<_> =
                    capture.differences.iter().map(|one| (one.path.clone(), one.what.name())).collect();
                here.sort_unstable();
                here.dedup();
                for (path, what) in here {
                    *places.entry((one.endpoint.clone(), path, what)).or_default() += 1;
                }
            }
            _ => continue,
        }
        found.compared += 1;
    }
    found.places = places.into_iter().map(|((endpoint, path, what), count)| (endpoint, path, what, count)).collect();
    found.places.sort_by_key(|(_, _, _, count)| std::cmp::Reverse(*count));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_moment_has_a_column_and_columns_are_few(first in 0_i64..4_000_000_000, span in 0_i64..40_000_000, at in 0_i64..40_000_000) {
            let columns = Columns::over(first, first + span);
            prop_assert!((6..=49).contains(&columns.count), "{columns:?}");
            let moment = first + at.min(span);
            let column = columns.of(moment);
            prop_assert!(column < columns.count);
            prop_assert!(columns.start_unix_s(column) <= moment);
            let past = columns.start_unix_s(column + 1);
            prop_assert!(past > moment || moment == first + span, "{columns:?} {moment}");
        }

        #[test]
        fn rows_hold_what_they_are_named_for(us in 1_u64..400_000_000) {
            let row = row_of(us);
            prop_assert!(edge_us(row) <= us && us < edge_us(row + 1), "{us} {row}");
        }
    }
}
