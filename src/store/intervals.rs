//! Latencies interval by interval, handed over one at a time: two weeks of them would be gigabytes.

use crate::latency::{Exact, Series, SeriesKey, Slots};
use crate::store::error::at;
use crate::store::reader::unsigned;
use crate::store::{Reader, SeriesFilter, StoreError};
use rusqlite::params;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// One stored interval of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredInterval {
    /// Its start, seconds since the Unix epoch.
    pub start_unix_s: i64,
    /// Its length, seconds: ten minutes, or more where it is old.
    pub length_s: i64,
    /// The run that measured it.
    pub run: i64,
    /// What was measured.
    pub series: Series,
}

/// One stored interval of one run, as the statistics read it.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedInterval {
    /// Its start, seconds since the Unix epoch.
    pub start_unix_s: i64,
    /// Its length, seconds: ten minutes, or more where it is old.
    pub length_s: i64,
    /// Its calls by latency.
    pub slots: Slots,
}

/// Bytes of a room for blobs: one that grew would be twice as large at times.
const ROOM_BYTES: usize = 32 << 10;
/// Rows of other series that are stepped over between two wanted ones: they lie on the same pages.
const STEPPED_OVER_MAX: i64 = 8;

/// The histograms of one series by time, as they are stored: some hundred bytes each, decoded one at a time.
#[derive(Clone, Debug, Default)]
pub struct StoredSeries {
    rows: Vec<StoredRow>,
    rooms: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct StoredRow {
    id: i64,
    start_unix_s: i64,
    length_s: i64,
    run: i64,
    exact: Exact,
    room: usize,
    blob: Range<usize>,
}

impl StoredSeries {
    /// How many calls its rows say there are.
    pub fn calls(&self) -> u64 {
        self.rows.iter().fold(0, |sum, row| sum.saturating_add(row.exact.n))
    }

    /// Each interval, oldest first.
    ///
    /// # Errors
    /// [`StoreError::BadBlob`] where one is damaged: figures without it would look right and be wrong.
    pub fn intervals(&self) -> impl Iterator<Item = Result<CountedInterval, StoreError>> {
        self.rows.iter().map(|row| {
            let blob = self.rooms.get(row.room).and_then(|room| room.get(row.blob.clone())).unwrap_or_default();
            let slots = Slots::decode(blob, row.exact).map_err(|source| StoreError::BadBlob { id: row.id, source })?;
            Ok(CountedInterval { start_unix_s: row.start_unix_s, length_s: row.length_s, slots })
        })
    }

    /// Keeps a blob: which room it is in, and where.
    fn keep(&mut self, blob: &[u8]) -> (usize, Range<usize>) {
        if self.rooms.last().is_none_or(|room| room.capacity() - room.len() < blob.len()) {
            self.rooms.push(Vec::with_capacity(ROOM_BYTES.max(blob.len())));
        }
        let at = self.rooms.len().saturating_sub(1);
        let from = self.rooms.last().map_or(0, Vec::len);
        if let Some(room) = self.rooms.last_mut() {
            room.extend_from_slice(blob);
        }
        (at, from..from + blob.len())
    }
}

impl Reader {
    /// The histograms of an integration by what they are about, not yet decoded. Read in the order of the rows, in which
    /// the series of an interval lie together: series by series, each page would be read as often as there are series on
    /// it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn stored_series(&self, filter: &SeriesFilter) -> Result<BTreeMap<SeriesKey, StoredSeries>, StoreError> {
        // One moment for all rows: what is rolled up meanwhile is counted once.
        let _moment = self.db.unchecked_transaction().map_err(at(&self.path))?;
        let said = at(&self.path);
        let keys = self.series_keys(filter)?;
        let mut ids: Vec<i64> = Vec::new();
        let text = "SELECT id FROM hist WHERE series = ?1 AND t0 >= ?2";
        let since = filter.since_unix_s.unwrap_or(i64::MIN);
        for (series, _) in &keys {
            ids.extend(self.rows(text, [*series, since], |row| row.get::<_, i64>(0))?);
        }
        ids.sort_unstable();
        let mut found: HashMap<i64, StoredSeries> = keys.iter().map(|(id, _)| (*id, StoredSeries::default())).collect();
        let text = "SELECT id, t0, dur_s, run, n, sum_us, min_us, max_us, crc32, blob, series FROM hist
            WHERE id BETWEEN ?1 AND ?2 AND t0 >= ?3";
        let mut statement = self.db.prepare_cached(text).map_err(&said)?;
        for near in ids.chunk_by(|a, b| b - a <= STEPPED_OVER_MAX) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            let mut rows = statement.query([*first, *last, since]).map_err(&said)?;
            while let Some(row) = rows.next().map_err(&said)? {
                let Some(series) = found.get_mut(&row.get(10).map_err(&said)?) else { continue };
                let (id, exact) = exact(row).map_err(&said)?;
                let (room, blob) = series.keep(row.get_ref(9).and_then(|column| Ok(column.as_blob()?)).map_err(&said)?);
                let placed = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?, row.get(3)?));
                let (start_unix_s, length_s, run) = placed(row).map_err(&said)?;
                series.rows.push(StoredRow { id, start_unix_s, length_s, run, exact, room, blob });
            }
        }
        let named = keys.into_iter().filter_map(|(id, key)| {
            let mut series = found.remove(&id).filter(|series| !series.rows.is_empty())?;
            series.rows.sort_by_key(|row| (row.start_unix_s, row.run));
            Some((key, series))
        });
        Ok(named.collect())
    }

    /// Hands over each histogram of an integration with what it is about: series after series, each by time.
    ///
    /// # Errors
    /// [`StoreError::BadBlob`] where one is damaged: figures without it would look right and be wrong.
    pub fn each_interval(
        &self,
        filter: &SeriesFilter,
        wanted: impl Fn(&SeriesKey) -> bool,
        mut each: impl FnMut(&SeriesKey, StoredInterval),
    ) -> Result<(), StoreError> {
        let text = "SELECT id, t0, dur_s, run, n, sum_us, min_us, max_us, crc32, blob FROM hist
            WHERE series = ?1 AND t0 >= ?2 ORDER BY t0, run";
        let said = at(&self.path);
        let mut statement = self.db.prepare_cached(text).map_err(&said)?;
        for (series, key) in self.series_keys(filter)? {
            if !wanted(&key) {
                continue;
            }
            let mut rows = statement.query(params![series, filter.since_unix_s.unwrap_or(i64::MIN)]).map_err(&said)?;
            while let Some(row) = rows.next().map_err(&said)? {
                let (id, exact) = exact(row).map_err(&said)?;
                let blob = row.get_ref(9).and_then(|column| Ok(column.as_blob()?)).map_err(&said)?;
                let series = Series::decode(blob, exact).map_err(|source| StoreError::BadBlob { id, source })?;
                let placed = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?, row.get(3)?));
                let (start_unix_s, length_s, run) = placed(row).map_err(&said)?;
                each(&key, StoredInterval { start_unix_s, length_s, run, series });
            }
        }
        Ok(())
    }
}

fn exact(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Exact)> {
    let exact = Exact {
        n: unsigned(row.get(4)?),
        sum_us: unsigned(row.get(5)?),
        min_us: row.get::<_, Option<i64>>(6)?.map(unsigned),
        max_us: row.get::<_, Option<i64>>(7)?.map(unsigned),
        crc32: row.get(8)?,
    };
    Ok((row.get(0)?, exact))
}
