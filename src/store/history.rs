//! What outlives the captures: latencies, ledger, switches, runs.

use crate::exchange::{Outcome, Role};
use crate::latency::{Exact, Phase, Series, SeriesKey};
use crate::store::error::at;
use crate::store::reader::unsigned;
use crate::store::{GapRow, Reader, RunEnd, RunInfo, RunRow, SeriesFilter, StoreError, SwitchRow, prune};
use rusqlite::{Row, params};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most rows of a list.
const LIST_ROWS_MAX: usize = 1_000;

impl Reader {
    /// The histograms of an integration, merged over intervals and runs, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError::BadBlob`] where one is damaged: figures without it would look right and be wrong.
    pub fn series(&self, filter: &SeriesFilter) -> Result<Vec<(SeriesKey, Series)>, StoreError> {
        // One moment for all rows: what is rolled up meanwhile is counted once.
        let _moment = self.db.unchecked_transaction().map_err(at(&self.path))?;
        let keys: BTreeMap<i64, SeriesKey> = self.series_keys(filter)?.into_iter().collect();
        // In the order of the rows, in which the series of an interval lie together: series by series, each page would be
        // read as often as there are series on it. The index alone tells which rows.
        let mut rows: Vec<i64> = Vec::new();
        let text = "SELECT id FROM hist WHERE series = ?1 AND t0 >= ?2";
        for id in keys.keys() {
            rows.extend(self.rows(text, [*id, filter.since_unix_s.unwrap_or(i64::MIN)], |row| row.get::<_, i64>(0))?);
        }
        rows.sort_unstable();
        let mut merged: HashMap<i64, Series> = HashMap::new();
        let said = at(&self.path);
        let text = "SELECT id, series, 0, n, sum_us, min_us, max_us, crc32, blob FROM hist WHERE id = ?1";
        let mut statement = self.db.prepare_cached(text).map_err(&said)?;
        for id in rows {
            let mut found = statement.query([id]).map_err(&said)?;
            let Some(row) = found.next().map_err(&said)? else { continue };
            let exact = exact(row).map_err(&said)?;
            let blob = row.get_ref(8).and_then(|column| Ok(column.as_blob()?)).map_err(&said)?;
            let one = Series::decode(blob, exact).map_err(|source| StoreError::BadBlob { id, source })?;
            match merged.entry(row.get(1).map_err(&said)?) {
                Entry::Occupied(mut sum) => sum.get_mut().merge(&one),
                Entry::Vacant(none) => drop(none.insert(one)),
            }
        }
        let mut named: Vec<_> = keys.into_iter().filter_map(|(id, key)| Some((key, merged.remove(&id)?))).collect();
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(named)
    }

    /// The same, interval by interval: key, interval start (seconds since the Unix epoch), run, series.
    ///
    /// # Errors
    /// As [`Reader::series`].
    pub fn intervals(&self, filter: &SeriesFilter) -> Result<Vec<(SeriesKey, i64, i64, Series)>, StoreError> {
        let mut all = Vec::new();
        for (id, key) in self.series_keys(filter)? {
            self.histograms(id, filter.since_unix_s, |t0, run, one| all.push((key.clone(), t0, run, one)))?;
        }
        Ok(all)
    }

    pub(in crate::store) fn series_keys(&self, filter: &SeriesFilter) -> Result<Vec<(i64, SeriesKey)>, StoreError> {
        let text = "SELECT id, endpoint, role, outcome, phase FROM series
            WHERE integration = ?1 AND (?2 IS NULL OR endpoint = ?2)";
        let keys = self.rows(text, params![filter.integration, filter.endpoint], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
        let integration: Arc<str> = filter.integration.as_str().into();
        let mut all = Vec::new();
        for (id, endpoint, role, outcome, phase) in keys {
            let known = Role::from_code(role).zip(Outcome::from_code(outcome)).zip(Phase::from_code(phase));
            let why = || "unknown role, outcome or phase code".to_owned();
            let ((role, outcome), phase) =
                known.ok_or_else(|| StoreError::BadRow { table: "series", id, why: why() })?;
            let integration = Arc::clone(&integration);
            all.push((id, SeriesKey { integration, endpoint: endpoint.into(), role, outcome, phase }));
        }
        Ok(all)
    }

    /// Hands over each histogram of a series: interval start, run, series.
    fn histograms(
        &self,
        series: i64,
        since: Option<i64>,
        mut each: impl FnMut(i64, i64, Series),
    ) -> Result<(), StoreError> {
        let text = "SELECT id, t0, run, n, sum_us, min_us, max_us, crc32, blob FROM hist
            WHERE series = ?1 AND t0 >= ?2 ORDER BY t0, run";
        let said = at(&self.path);
        let mut statement = self.db.prepare_cached(text).map_err(&said)?;
        let mut rows = statement.query(params![series, since.unwrap_or(i64::MIN)]).map_err(&said)?;
        while let Some(row) = rows.next().map_err(&said)? {
            let id = row.get(0).map_err(&said)?;
            let exact = exact(row).map_err(&said)?;
            let blob = row.get_ref(8).and_then(|column| Ok(column.as_blob()?)).map_err(&said)?;
            let one = Series::decode(blob, exact).map_err(|source| StoreError::BadBlob { id, source })?;
            each(row.get(1).map_err(&said)?, row.get(2).map_err(&said)?, one);
        }
        Ok(())
    }

    /// The ledger: integration, state and count, summed over runs.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ledger(&self, integration: Option<&str>) -> Result<Vec<(String, String, u64)>, StoreError> {
        let names = integration.map_or_else(|| self.integrations(), |name| Ok(vec![name.to_owned()]))?;
        let text =
            "SELECT integration, state, sum(count) FROM ledger WHERE integration = ?1 GROUP BY integration, state";
        let mut all = Vec::new();
        for name in names {
            all.extend(self.rows(text, [name], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row.get(2)?))))?);
        }
        Ok(all)
    }

    /// What redaction replaced for an integration: rule and count, since the store began.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn hits(&self, integration: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let Some(id) = self.integration_id(integration)? else { return Ok(Vec::new()) };
        let text = "SELECT rule, sum(count) FROM hit_totals WHERE integration = ?1 GROUP BY rule";
        self.rows(text, [id], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))
    }

    /// The turns of an integration's switch, newest first, at most `limit` (and 1 000).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn switches(&self, integration: &str, limit: usize) -> Result<Vec<SwitchRow>, StoreError> {
        let text = "SELECT integration, is_on, sample_ppm, revision, who, reason, at_us FROM switches
            WHERE integration = ?1 ORDER BY id DESC LIMIT ?2";
        self.rows(text, params![integration, limit.min(LIST_ROWS_MAX) as i64], |row| {
            Ok(SwitchRow {
                integration: row.get(0)?,
                on: row.get(1)?,
                sample_ppm: row.get(2)?,
                revision: unsigned(row.get(3)?),
                who: row.get(4)?,
                reason: row.get(5)?,
                at_unix_us: row.get(6)?,
            })
        })
    }

    /// The integrations that were ever recorded or counted, in the order of their names.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn integrations(&self) -> Result<Vec<String>, StoreError> {
        let text = "SELECT name FROM integrations UNION SELECT DISTINCT integration FROM ledger
            UNION SELECT DISTINCT integration FROM series ORDER BY 1";
        self.rows(text, [], |row| row.get(0))
    }

    /// The endpoints of an integration whose latencies are kept, in the order of their names.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn endpoints(&self, integration: &str) -> Result<Vec<String>, StoreError> {
        let text = "SELECT DISTINCT endpoint FROM series WHERE integration = ?1 ORDER BY endpoint";
        self.rows(text, [integration], |row| row.get(0))
    }

    /// The runs, newest first, at most 1 000.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let text = "SELECT id, instance, config_hash, version, started_us, stopped_us, ended_unknown, captures,
            last_capture_us FROM runs ORDER BY id DESC LIMIT 1000";
        self.rows(text, [], |row| {
            let end = match (row.get::<_, Option<i64>>(5)?, row.get::<_, bool>(6)?) {
                (Some(at), _) => RunEnd::Closed(at),
                (None, true) => RunEnd::Unknown,
                (None, false) => RunEnd::Open,
            };
            let info = RunInfo {
                instance: row.get(1)?,
                config_hash: row.get(2)?,
                version: row.get(3)?,
                started_unix_us: row.get(4)?,
            };
            Ok(RunRow {
                id: row.get(0)?,
                info,
                end,
                captures: unsigned(row.get(7)?),
                last_capture_unix_us: row.get(8)?,
            })
        })
    }

    /// What runs that died may have lost, newest first, at most 1 000.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn gaps(&self) -> Result<Vec<GapRow>, StoreError> {
        let text = "SELECT run, from_us, to_us, pending FROM gaps ORDER BY run DESC LIMIT 1000";
        self.rows(text, [], |row| {
            let pending = unsigned(row.get(3)?);
            Ok(GapRow { run: row.get(0)?, from_unix_us: row.get(1)?, to_unix_us: row.get(2)?, pending })
        })
    }

    /// Bytes of pages in use: what the size limit is about.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        prune::live_bytes(&self.db, &self.path)
    }
}

fn exact(row: &Row<'_>) -> rusqlite::Result<Exact> {
    Ok(Exact {
        n: unsigned(row.get(3)?),
        sum_us: unsigned(row.get(4)?),
        min_us: row.get::<_, Option<i64>>(5)?.map(unsigned),
        max_us: row.get::<_, Option<i64>>(6)?.map(unsigned),
        crc32: row.get(7)?,
    })
}
