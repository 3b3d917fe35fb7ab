//! Latencies interval by interval, handed over one at a time: two weeks of them would be gigabytes.

use crate::latency::{Exact, Series, SeriesKey};
use crate::store::error::at;
use crate::store::reader::unsigned;
use crate::store::{Reader, SeriesFilter, StoreError};
use rusqlite::params;

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

impl Reader {
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
