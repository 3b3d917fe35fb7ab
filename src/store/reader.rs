//! Reading the store while it is written, and after.

use crate::compare::{Difference, What};
use crate::exchange::{CaptureId, DropReason, FailureKind, Outcome, Role};
use crate::latency::{Exact, Phase, Series, SeriesKey};
use crate::store::error::at;
use crate::store::insert::REQUEST_PART;
use crate::store::{
    CaptureFilter, CaptureSummary, Connection, ExchangeSummary, RunEnd, RunInfo, RunRow, SeriesFilter, StoreError,
    StoredBody, StoredCapture, StoredExchange, SwitchRow, codec, migrate, prune,
};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Rows of a page when the filter does not say.
const PAGE_ROWS: usize = 100;
/// The most rows of a page.
const PAGE_ROWS_MAX: usize = 1_000;

/// The columns of a summary, without its exchanges.
const HEAD: &str = "SELECT c.seq, c.id, i.name, e.name, c.received_us, c.method, c.target, c.verdict FROM captures c
    JOIN integrations i ON i.id = c.integration JOIN endpoints e ON e.id = c.endpoint";

/// A connection that cannot change anything.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

struct Head {
    seq: i64,
    summary: CaptureSummary,
}

impl Reader {
    /// Opens the store at `path` to read, whether or not a writer lives.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Foreign`], [`StoreError::Newer`], and what the system says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: migrate::open_to_read(path)?, path: path.to_path_buf() })
    }

    /// Captures, newest first, at most a page; the next page is `before` the last one's id.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where a row is damaged; what SQLite says.
    pub fn captures(&self, filter: &CaptureFilter) -> Result<Vec<CaptureSummary>, StoreError> {
        let Some((text, values)) = self.captures_query(filter)? else { return Ok(Vec::new()) };
        let heads = self.rows(&text, params_from_iter(values), head_columns)?;
        heads.into_iter().map(|columns| self.head(columns).map(|head| head.summary)).collect()
    }

    /// The statement of a filter; none where its integration, endpoint or `before` does not exist.
    pub(in crate::store) fn captures_query(
        &self,
        filter: &CaptureFilter,
    ) -> Result<Option<(String, Vec<Value>)>, StoreError> {
        let mut text = format!("{HEAD} WHERE (c.received_us, c.seq) < (?1, ?2) AND c.received_us >= ?3");
        let (mut upto, mut seq) = (i64::MAX, i64::MAX);
        if let Some(before) = &filter.before {
            let find = "SELECT received_us, seq FROM captures WHERE id = ?1";
            let id = before.0.as_bytes().as_slice();
            let found = self.db.query_row(find, params![id], |row| Ok((row.get(0)?, row.get(1)?))).optional();
            let Some(found) = found.map_err(at(&self.path))? else { return Ok(None) };
            (upto, seq) = found;
        }
        let since = filter.since_unix_us.unwrap_or(i64::MIN);
        let mut values = vec![Value::Integer(upto), Value::Integer(seq), Value::Integer(since)];
        let mut and = |condition: &str, value: i64| {
            values.push(Value::Integer(value));
            text.push_str(&format!(" AND {condition} ?{}", values.len()));
        };
        if let Some(name) = &filter.integration {
            let Some(id) = self.integration_id(name)? else { return Ok(None) };
            and("c.integration =", id);
            if let Some(endpoint) = &filter.endpoint {
                let find = "SELECT id FROM endpoints WHERE integration = ?1 AND name = ?2";
                let found = self.db.query_row(find, params![id, endpoint], |row| row.get(0)).optional();
                let Some(endpoint) = found.map_err(at(&self.path))? else { return Ok(None) };
                and("c.endpoint =", endpoint);
            }
        }
        let role = filter.role.unwrap_or(Role::Shadow);
        if let Some(outcome) = filter.outcome {
            match role {
                Role::Shadow => and("c.outcome =", i64::from(outcome.code())),
                Role::Primary => {
                    and("(SELECT x.outcome FROM exchanges x WHERE x.id = c.seq * 2) =", outcome.code().into())
                }
            }
        }
        if let Some(us) = filter.slower_than_us {
            let total = format!("(SELECT x.total_us FROM exchanges x WHERE x.id = c.seq * 2 + {}) >", role.code());
            and(&total, i64::try_from(us).unwrap_or(i64::MAX));
        }
        if let (None, Some(endpoint)) = (&filter.integration, &filter.endpoint) {
            values.push(Value::Text(endpoint.clone()));
            text.push_str(&format!(" AND e.name = ?{}", values.len()));
        }
        let limit = if filter.limit == 0 { PAGE_ROWS } else { filter.limit.min(PAGE_ROWS_MAX) };
        text.push_str(&format!(" ORDER BY c.received_us DESC, c.seq DESC LIMIT {limit}"));
        Ok(Some((text, values)))
    }

    /// One capture with everything stored of it. A damaged body is reported as such in its place.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where its row is damaged; what SQLite says.
    pub fn capture(&self, id: &CaptureId) -> Result<Option<StoredCapture>, StoreError> {
        let text = format!("{HEAD} WHERE c.id = ?1");
        let Some(columns) = self.rows(&text, params![id.0.as_bytes().as_slice()], head_columns)?.pop() else {
            return Ok(None);
        };
        let Head { seq, summary } = self.head(columns)?;
        let stored = |role: Role, of: &ExchangeSummary| -> Result<StoredExchange, StoreError> {
            Ok(StoredExchange {
                summary: of.clone(),
                headers: self.headers(seq * 4 + i64::from(role.code()))?,
                body: self.body(
                    "SELECT body, body_seen, body_drop FROM exchanges WHERE id = ?1",
                    seq * 2 + i64::from(role.code()),
                    of.status.is_some(),
                )?,
            })
        };
        let primary = summary.primary.as_ref().map(|of| stored(Role::Primary, of)).transpose()?;
        let shadow = stored(Role::Shadow, &summary.shadow)?;
        let hits = "SELECT rule, side, part, count FROM hits WHERE capture = ?1 ORDER BY n";
        let rules = "SELECT r.hash FROM captures c JOIN rule_sets r ON r.id = c.rule_set WHERE c.seq = ?1";
        Ok(Some(StoredCapture {
            request_headers: self.headers(seq * 4 + REQUEST_PART)?,
            request_body: self.body("SELECT body, body_seen, body_drop FROM captures WHERE seq = ?1", seq, true)?,
            primary,
            shadow,
            hits: self.rows(hits, [seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?,
            rules_hash: self.rows(rules, [seq], |row| row.get(0))?.pop().unwrap_or_default(),
            differences: self.differences(seq)?,
            summary,
        }))
    }

    fn head(&self, columns: HeadColumns) -> Result<Head, StoreError> {
        let (seq, id, integration, endpoint, received_unix_us, method, target, verdict) = columns;
        let bad = |why: &str| StoreError::BadRow { table: "captures", id: seq, why: why.to_owned() };
        let id = CaptureId(Uuid::from_slice(&id).map_err(|_| bad("its id is no UUID"))?);
        let primary = self.exchange(seq, Role::Primary)?;
        let shadow = self.exchange(seq, Role::Shadow)?.ok_or_else(|| bad("its shadow exchange is gone"))?;
        let summary =
            CaptureSummary { id, integration, endpoint, received_unix_us, method, target, primary, shadow, verdict };
        Ok(Head { seq, summary })
    }

    fn exchange(&self, seq: i64, role: Role) -> Result<Option<ExchangeSummary>, StoreError> {
        let text =
            "SELECT status, outcome, failure, started_us, queue_wait_us, connect_us, ttfb_us, total_us, body_seen,
            body_drop FROM exchanges WHERE id = ?1";
        let id = seq * 2 + i64::from(role.code());
        let found = self.rows(text, [id], |row| {
            let summary = ExchangeSummary {
                status: row.get(0)?,
                outcome: Outcome::Unknown,
                failure: None,
                started_unix_us: row.get(3)?,
                queue_wait_us: unsigned(row.get(4)?),
                connect_us: row.get::<_, Option<i64>>(5)?.map(unsigned),
                ttfb_us: row.get::<_, Option<i64>>(6)?.map(unsigned),
                total_us: unsigned(row.get(7)?),
                body_bytes: unsigned(row.get(8)?),
                body_drop: None,
            };
            Ok((summary, row.get::<_, u8>(1)?, row.get::<_, Option<u8>>(2)?, row.get::<_, Option<u8>>(9)?))
        })?;
        let Some((mut summary, outcome, failure, dropped)) = found.into_iter().next() else { return Ok(None) };
        let bad = |what: &str| StoreError::BadRow { table: "exchanges", id, why: format!("unknown {what} code") };
        summary.outcome = Outcome::from_code(outcome).ok_or_else(|| bad("outcome"))?;
        summary.failure = coded(&FailureKind::ALL, failure).map_err(|()| bad("failure"))?;
        summary.body_drop = coded(&DropReason::ALL, dropped).map_err(|()| bad("body_drop"))?;
        Ok(Some(summary))
    }

    fn headers(&self, id: i64) -> Result<Vec<(String, String)>, StoreError> {
        let found: Option<Vec<u8>> =
            self.rows("SELECT lines FROM headers WHERE id = ?1", [id], |row| row.get(0))?.pop();
        let Some(block) = found else { return Ok(Vec::new()) };
        codec::unpack_headers(&block).map_err(|why| StoreError::BadRow { table: "headers", id, why })
    }

    fn body(&self, text: &str, id: i64, there_is: bool) -> Result<StoredBody, StoreError> {
        let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found: Option<(Option<i64>, i64, Option<u8>)> = self.rows(text, [id], columns)?.pop();
        let (body, seen, dropped) = found.unwrap_or((None, 0, None));
        let absent =
            |why: &str| StoredBody { bytes: None, seen_bytes: unsigned(seen), drop_reason: Some(why.to_owned()) };
        if let Some(code) = dropped {
            return Ok(absent(DropReason::ALL.get(usize::from(code)).map_or("damaged", |reason| reason.name())));
        }
        let Some(body) = body else {
            let bytes = there_is.then(Vec::new);
            return Ok(StoredBody { bytes, seen_bytes: unsigned(seen), drop_reason: None });
        };
        let find = "SELECT coding, size, bytes FROM bodies WHERE id = ?1";
        let row: Option<(i64, i64, Vec<u8>)> =
            self.rows(find, [body], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.pop();
        let Some((coding, size, bytes)) = row else { return Ok(absent("pruned")) };
        match codec::unpack_body(coding, size, bytes) {
            Ok(bytes) => Ok(StoredBody { bytes: Some(bytes), seen_bytes: unsigned(seen), drop_reason: None }),
            Err(why) => {
                tracing::warn!(body, why, "a stored body is damaged; restore a backup or prune it");
                Ok(absent("damaged"))
            }
        }
    }

    fn differences(&self, seq: i64) -> Result<Vec<Difference>, StoreError> {
        let text = "SELECT path, what FROM differences WHERE capture = ?1 ORDER BY n";
        let rows: Vec<(String, u8)> = self.rows(text, [seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let bad = || StoreError::BadRow { table: "differences", id: seq, why: "unknown kind code".to_owned() };
        rows.into_iter()
            .map(|(path, what)| Ok(Difference { path, what: What::from_code(what).ok_or_else(bad)? }))
            .collect()
    }

    /// The histograms of an integration, merged over intervals and runs, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError::BadBlob`] where one is damaged: figures without it would look right and be wrong.
    pub fn series(&self, filter: &SeriesFilter) -> Result<Vec<(SeriesKey, Series)>, StoreError> {
        let mut merged: BTreeMap<SeriesKey, Series> = BTreeMap::new();
        for (key, _, _, series) in self.intervals(filter)? {
            merged.entry(key).or_default().merge(&series);
        }
        Ok(merged.into_iter().collect())
    }

    /// The same, interval by interval: key, interval start (seconds since the Unix epoch), run, series.
    ///
    /// # Errors
    /// As [`Reader::series`].
    pub fn intervals(&self, filter: &SeriesFilter) -> Result<Vec<(SeriesKey, i64, i64, Series)>, StoreError> {
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
            let key = SeriesKey { integration: integration.clone(), endpoint: endpoint.into(), role, outcome, phase };
            for (t0, run, series) in self.histograms(id, filter.since_unix_s)? {
                all.push((key.clone(), t0, run, series));
            }
        }
        Ok(all)
    }

    fn histograms(&self, series: i64, since: Option<i64>) -> Result<Vec<(i64, i64, Series)>, StoreError> {
        let text = "SELECT id, t0, run, n, sum_us, min_us, max_us, crc32, blob FROM hist
            WHERE series = ?1 AND t0 >= ?2 ORDER BY t0, run";
        let rows = self.rows(text, params![series, since.unwrap_or(i64::MIN)], |row| {
            let exact = Exact {
                n: unsigned(row.get(3)?),
                sum_us: unsigned(row.get(4)?),
                min_us: row.get::<_, Option<i64>>(5)?.map(unsigned),
                max_us: row.get::<_, Option<i64>>(6)?.map(unsigned),
                crc32: row.get(7)?,
            };
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, exact, row.get::<_, Vec<u8>>(8)?))
        })?;
        rows.into_iter()
            .map(|(id, t0, run, exact, blob)| {
                let series = Series::decode(&blob, exact).map_err(|source| StoreError::BadBlob { id, source })?;
                Ok((t0, run, series))
            })
            .collect()
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
        let text = "SELECT rule, count FROM hit_totals WHERE integration = ?1 ORDER BY rule";
        self.rows(text, [id], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))
    }

    /// The turns of an integration's switch, newest first, at most `limit` (and 1 000).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn switches(&self, integration: &str, limit: usize) -> Result<Vec<SwitchRow>, StoreError> {
        let text = "SELECT integration, is_on, sample_ppm, revision, who, reason, at_us FROM switches
            WHERE integration = ?1 ORDER BY id DESC LIMIT ?2";
        self.rows(text, params![integration, limit.min(PAGE_ROWS_MAX) as i64], |row| {
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

    /// Bytes of pages in use: what the size limit is about.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        prune::live_bytes(&self.db, &self.path)
    }

    fn integration_id(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let found = self.rows("SELECT id FROM integrations WHERE name = ?1", [name], |row| row.get(0))?;
        Ok(found.into_iter().next())
    }

    fn rows<T>(
        &self,
        text: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.db.prepare_cached(text).map_err(at(&self.path))?;
        let rows = statement.query_map(values, read).map_err(at(&self.path))?;
        rows.collect::<rusqlite::Result<_>>().map_err(at(&self.path))
    }
}

type HeadColumns = (i64, Vec<u8>, String, String, i64, String, String, String);

fn head_columns(row: &Row<'_>) -> rusqlite::Result<HeadColumns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn coded<T: Copy>(all: &[T], code: Option<u8>) -> Result<Option<T>, ()> {
    code.map(|code| all.get(usize::from(code)).copied().ok_or(())).transpose()
}

#[cfg(test)]
impl Reader {
    /// Whether a change through it fails.
    pub(in crate::store) fn db_is_read_only(&self) -> bool {
        self.db.execute("DELETE FROM captures", []).is_err()
    }
}
