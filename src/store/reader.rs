//! Reading captures while they are written, and after.

use crate::exchange::{CaptureId, DropReason, FailureKind, Outcome, Role};
use crate::store::block::Details;
use crate::store::codec::{PLAIN, Size, Unpacking};
use crate::store::error::at;
use crate::store::{
    CaptureFilter, CaptureSummary, Connection, ExchangeSummary, StoreError, StoredBody, StoredCapture, StoredExchange,
    block, codec, migrate,
};
use rusqlite::{OptionalExtension, Row, params};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use uuid::Uuid;

/// The most a block of details expands to, bytes: more than any header block the proxy accepts.
pub(in crate::store) const BLOCK_BYTES_MAX: u64 = 16 << 20;

/// The columns of a summary.
const HEAD: &str = "SELECT c.id, i.name, e.name, c.received_us, c.method, c.target, c.verdict, c.seq,
    c.p_after_us, c.p_status, c.p_outcome, c.p_failure, c.p_queue_wait_us, c.p_connect_us, c.p_ttfb_us, c.p_total_us,
    c.p_body_seen, c.p_body_drop, c.s_after_us, c.s_status, c.s_outcome, c.s_failure, c.s_queue_wait_us, c.s_connect_us,
    c.s_ttfb_us, c.s_total_us, c.s_body_seen, c.s_body_drop
    FROM captures c JOIN classes k ON k.id = c.class JOIN endpoints e ON e.id = k.endpoint
    JOIN integrations i ON i.id = k.integration WHERE c.seq = ?1";
/// Where the primary's and the shadow's columns begin in it.
const PRIMARY: usize = 8;
const SHADOW: usize = 18;

/// A connection that cannot change anything.
#[derive(Debug)]
pub struct Reader {
    pub(in crate::store) db: Connection,
    pub(in crate::store) path: PathBuf,
    dictionaries: RefCell<HashMap<i64, Option<Rc<Unpacking>>>>,
}

impl Reader {
    /// Opens the store at `path` to read, whether or not a writer lives.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Foreign`], [`StoreError::Newer`], and what the system says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: migrate::open_to_read(path)?, path: path.to_path_buf(), dictionaries: RefCell::default() })
    }

    /// Captures, newest first, at most a page; the next page is `before` the last one's id.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where a row is damaged; what SQLite says.
    pub fn captures(&self, filter: &CaptureFilter) -> Result<Vec<CaptureSummary>, StoreError> {
        self.page(filter)?.into_iter().filter_map(|seq| self.summary(seq).transpose()).collect()
    }

    /// One capture with everything stored of it. A damaged body is reported as such in its place.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where its row is damaged; what SQLite says.
    pub fn capture(&self, id: &CaptureId) -> Result<Option<StoredCapture>, StoreError> {
        let find = "SELECT seq FROM captures WHERE id = ?1";
        let found: Option<i64> = self.rows(find, params![id.0.as_bytes().as_slice()], |row| row.get(0))?.pop();
        let Some(seq) = found else { return Ok(None) };
        let Some(summary) = self.summary(seq)? else { return Ok(None) };
        let Details { headers: [request_headers, primary_headers, shadow_headers], hits, differences } =
            self.details(seq)?;
        let bodies = "SELECT body, body_seen, body_drop, p_body, p_body_seen, p_body_drop, s_body, s_body_seen,
            s_body_drop FROM captures WHERE seq = ?1";
        let read = |row: &Row<'_>| {
            let one = |first: usize| -> rusqlite::Result<BodyColumns> {
                Ok((row.get(first)?, row.get::<_, Option<i64>>(first + 1)?.unwrap_or(0), row.get(first + 2)?))
            };
            Ok([one(0)?, one(3)?, one(6)?])
        };
        let bodies = self.rows(bodies, [seq], read)?.pop();
        let [request, primary, shadow] = bodies.unwrap_or_default();
        let stored = |of: &ExchangeSummary, headers, body| -> Result<StoredExchange, StoreError> {
            Ok(StoredExchange { summary: of.clone(), headers, body: self.body(body, of.status.is_some())? })
        };
        let primary = match &summary.primary {
            Some(of) => Some(stored(of, primary_headers, primary)?),
            None => None,
        };
        let shadow = stored(&summary.shadow, shadow_headers, shadow)?;
        let rules = "SELECT r.hash FROM captures c JOIN rule_sets r ON r.id = c.rule_set WHERE c.seq = ?1";
        Ok(Some(StoredCapture {
            request_headers,
            request_body: self.body(request, true)?,
            primary,
            shadow,
            hits,
            rules_hash: self.rows(rules, [seq], |row| row.get(0))?.pop().unwrap_or_default(),
            differences,
            summary,
        }))
    }

    fn summary(&self, seq: i64) -> Result<Option<CaptureSummary>, StoreError> {
        let found = self.rows(HEAD, [seq], |row| Ok(summary(row, seq)))?.pop();
        let Some(found) = found else { return Ok(None) };
        found.map(Some).map_err(|problem| match problem {
            Problem::Sql(error) => at(&self.path)(error),
            Problem::Row(why) => StoreError::BadRow { table: "captures", id: seq, why },
        })
    }

    fn details(&self, seq: i64) -> Result<Details, StoreError> {
        let find = "SELECT coding, block FROM captures WHERE seq = ?1";
        let found: Option<(i64, Vec<u8>)> = self.rows(find, [seq], |row| Ok((row.get(0)?, row.get(1)?)))?.pop();
        let Some((coding, packed)) = found else { return Ok(Details::default()) };
        let dictionary = self.dictionary(coding)?;
        let plain = codec::unpack(coding, Size::AtMost(BLOCK_BYTES_MAX), packed, dictionary.as_deref());
        plain.and_then(|plain| block::read(&plain)).map_err(|why| StoreError::BadRow {
            table: "captures",
            id: seq,
            why,
        })
    }

    fn body(&self, (body, seen, dropped): BodyColumns, there_is: bool) -> Result<StoredBody, StoreError> {
        let absent =
            |why: &str| StoredBody { bytes: None, seen_bytes: unsigned(seen), drop_reason: Some(why.to_owned()) };
        if let Some(code) = dropped {
            return Ok(absent(DropReason::ALL.get(usize::from(code)).map_or("damaged", |reason| reason.name())));
        }
        let Some(body) = body else {
            let bytes = there_is.then(Vec::new);
            return Ok(StoredBody { bytes, seen_bytes: unsigned(seen), drop_reason: None });
        };
        match self.plain_body(body)? {
            None => Ok(absent("pruned")),
            Some(Ok(bytes)) => Ok(StoredBody { bytes: Some(bytes), seen_bytes: unsigned(seen), drop_reason: None }),
            Some(Err(why)) => {
                tracing::warn!(body, why, "a stored body is damaged; restore a backup or prune it");
                Ok(absent("damaged"))
            }
        }
    }

    /// A body's bytes, or what is wrong with its row; none where there is no row.
    pub(in crate::store) fn plain_body(&self, body: i64) -> Result<Option<Result<Vec<u8>, String>>, StoreError> {
        let find = "SELECT coding, size, bytes FROM bodies WHERE id = ?1";
        let row: Option<(i64, i64, Vec<u8>)> =
            self.rows(find, [body], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.pop();
        let Some((coding, size, bytes)) = row else { return Ok(None) };
        let dictionary = self.dictionary(coding)?;
        Ok(Some(codec::unpack(coding, Size::Exactly(size), bytes, dictionary.as_deref())))
    }

    fn dictionary(&self, coding: i64) -> Result<Option<Rc<Unpacking>>, StoreError> {
        if (PLAIN..codec::FIRST_DICTIONARY).contains(&coding) {
            return Ok(None);
        }
        if let Some(known) = self.dictionaries.borrow().get(&coding) {
            return Ok(known.clone());
        }
        let find = "SELECT bytes FROM dictionaries WHERE id = ?1";
        let bytes: Option<Vec<u8>> = self.rows(find, [coding], |row| row.get(0))?.pop();
        let ready = bytes.and_then(|bytes| Unpacking::new(&bytes)).map(Rc::new);
        self.dictionaries.borrow_mut().insert(coding, ready.clone());
        Ok(ready)
    }

    /// The number of an integration, if it was ever recorded.
    pub(in crate::store) fn integration_id(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let found = self.rows("SELECT id FROM integrations WHERE name = ?1", [name], |row| row.get(0))?;
        Ok(found.into_iter().next())
    }

    /// Everything a cached statement gives.
    pub(in crate::store) fn rows<T>(
        &self,
        text: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.db.prepare_cached(text).map_err(at(&self.path))?;
        let rows = statement.query_map(values, read).map_err(at(&self.path))?;
        rows.collect::<rusqlite::Result<_>>().map_err(at(&self.path))
    }

    /// Where a page that ends before this capture goes on: its time and row.
    pub(in crate::store) fn place(&self, before: &CaptureId) -> Result<Option<(i64, i64)>, StoreError> {
        let find = "SELECT received_us, seq FROM captures WHERE id = ?1";
        let id = before.0.as_bytes().as_slice();
        let found = self.db.query_row(find, params![id], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        found.map_err(at(&self.path))
    }
}

/// Row, bytes on the wire, drop code.
type BodyColumns = (Option<i64>, i64, Option<u8>);

enum Problem {
    Sql(rusqlite::Error),
    Row(String),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn summary(row: &Row<'_>, seq: i64) -> Result<CaptureSummary, Problem> {
    let id: Vec<u8> = row.get(0)?;
    let received_unix_us = row.get(3)?;
    Ok(CaptureSummary {
        id: CaptureId(Uuid::from_slice(&id).map_err(|_| Problem::Row("its id is no UUID".to_owned()))?),
        integration: row.get(1)?,
        endpoint: row.get(2)?,
        received_unix_us,
        method: row.get(4)?,
        target: row.get(5)?,
        verdict: row.get(6)?,
        primary: exchange(row, PRIMARY, received_unix_us)?,
        shadow: exchange(row, SHADOW, received_unix_us)?
            .ok_or_else(|| Problem::Row(format!("capture {seq} has no shadow exchange")))?,
    })
}

fn exchange(row: &Row<'_>, first: usize, received_us: i64) -> Result<Option<ExchangeSummary>, Problem> {
    let Some(outcome) = row.get::<_, Option<u8>>(first + 2)? else { return Ok(None) };
    let bad = |what: &str| Problem::Row(format!("unknown {what} code"));
    let count =
        |at: usize| -> rusqlite::Result<Option<u64>> { Ok(row.get::<_, Option<i64>>(first + at)?.map(unsigned)) };
    Ok(Some(ExchangeSummary {
        status: row.get(first + 1)?,
        outcome: Outcome::from_code(outcome).ok_or_else(|| bad("outcome"))?,
        failure: coded(&FailureKind::ALL, row.get(first + 3)?).map_err(|()| bad("failure"))?,
        started_unix_us: received_us.saturating_add(row.get::<_, Option<i64>>(first)?.unwrap_or(0)),
        queue_wait_us: count(4)?.unwrap_or(0),
        connect_us: count(5)?,
        ttfb_us: count(6)?,
        total_us: count(7)?.unwrap_or(0),
        body_bytes: count(8)?.unwrap_or(0),
        body_drop: coded(&DropReason::ALL, row.get(first + 9)?).map_err(|()| bad("drop reason"))?,
    }))
}

/// Counts are never negative; damage reads as zero.
pub(in crate::store) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn coded<T: Copy>(all: &[T], code: Option<u8>) -> Result<Option<T>, ()> {
    code.map(|code| all.get(usize::from(code)).copied().ok_or(())).transpose()
}

/// The prefix of the columns of a role's exchange.
pub(in crate::store) fn total_column(role: Role) -> &'static str {
    match role {
        Role::Primary => "p_total_us",
        Role::Shadow => "s_total_us",
    }
}

#[cfg(test)]
impl Reader {
    /// Whether a change through it fails.
    pub(in crate::store) fn db_is_read_only(&self) -> bool {
        self.db.execute("DELETE FROM captures", []).is_err()
    }
}
