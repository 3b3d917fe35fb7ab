//! What a run that died left behind: its gap, what was pending, and calls that the provider may have processed.

use crate::exchange::{Clock, Outcome};
use crate::store::codec::PLAIN;
use crate::store::error::at;
use crate::store::prepare::{Part, Prepared, Side};
use crate::store::prune::in_transaction;
use crate::store::{Connection, StoreError, block};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::path::Path;
use std::str::FromStr;

/// Calls of one run that are looked at; more were never in flight at once.
const INTENTS_MAX: i64 = 100_000;

/// Notes the gap of every run that did not close, and what was pending when it died.
///
/// # Errors
/// What SQLite says.
pub fn close_runs(db: &mut Connection, path: &Path) -> Result<Vec<i64>, StoreError> {
    let now = Clock.unix_us();
    in_transaction(db, path, |tx| {
        let find = "SELECT id FROM runs WHERE stopped_us IS NULL AND ended_unknown = 0";
        let dead: Vec<i64> = tx.prepare(find)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for run in &dead {
            tx.execute(
                "INSERT INTO gaps (run, from_us, to_us, pending) SELECT id, coalesce(last_commit_us, started_us), ?2,
                 coalesce((SELECT sum(count) FROM ledger WHERE run = ?1 AND state = 'pending'), 0)
                 FROM runs WHERE id = ?1",
                [*run, now],
            )?;
            tx.execute("DELETE FROM ledger WHERE run = ?1 AND state = 'pending' AND count = 0", [run])?;
            tx.execute("UPDATE ledger SET state = 'unknown' WHERE run = ?1 AND state = 'pending'", [run])?;
            tx.execute("UPDATE runs SET ended_unknown = 1 WHERE id = ?1", [run])?;
        }
        Ok(dead)
    })
}

/// The calls that a dead run had announced and whose answer was not stored, as captures of outcome unknown.
///
/// # Errors
/// What SQLite says.
pub fn unknown_calls(db: &Connection, path: &Path, run: i64) -> Result<Vec<Prepared>, StoreError> {
    let text = "SELECT id, integration, endpoint, method, target, idempotency_key, at_us, rules FROM intents
        WHERE run = ?1 LIMIT ?2";
    let mut statement = db.prepare(text).map_err(at(path))?;
    let read = |row: &rusqlite::Row<'_>| {
        let id: Vec<u8> = row.get(0)?;
        let (integration, endpoint): (String, String) = (row.get(1)?, row.get(2)?);
        let method = Method::from_str(&row.get::<_, String>(3)?).unwrap_or_default();
        let key: Option<String> = row.get(5)?;
        let key = key.and_then(|key| HeaderValue::from_str(&key).ok());
        let lines: HeaderMap = key.map(|key| (HeaderName::from_static("idempotency-key"), key)).into_iter().collect();
        let mut plain = Vec::new();
        block::write(&mut plain, [Some(&lines), None, None], &[], &[]);
        let nothing = || Part { seen: 0, dropped: None, body: None, pruned: false };
        Ok(Prepared {
            id: id.try_into().unwrap_or_default(),
            integration: integration.into(),
            endpoint: endpoint.into(),
            rules: row.get::<_, String>(7)?.into(),
            received_us: row.get(6)?,
            method,
            target: row.get(4)?,
            verdict: "cannot_say: the recorder died before the answer; the provider may have processed it".into(),
            body: nothing(),
            primary: None,
            shadow: Side {
                after_us: 0,
                status: None,
                outcome: Outcome::Unknown,
                failure: None,
                queue_wait_us: 0,
                connect_us: None,
                ttfb_us: None,
                total_us: 0,
                part: nothing(),
            },
            shape: 0,
            hits: Vec::new(),
            hit_set: String::new(),
            details: (PLAIN, plain.into()),
            subjects: Vec::new(),
        })
    };
    let found = statement.query_map([run, INTENTS_MAX], read).map_err(at(path))?;
    found.collect::<rusqlite::Result<_>>().map_err(at(path))
}
