//! Keeping the limits: what is too old goes whole; when there is too much, the oldest bodies go before the oldest rows.

use crate::store::error::at;
use crate::store::{Connection, PruneReport, Settings, StoreError};
use rusqlite::{Transaction, params};
use std::path::Path;

/// Rows of one transaction: short enough that appending never waits long.
const STEP_ROWS: i64 = 500;
/// Transactions of one call.
const STEPS_MAX: usize = 40;
/// Free pages given back to the file system at the end of a call.
const VACUUM_PAGES: i64 = 2_000;
const US_PER_DAY: i64 = 86_400_000_000;

/// One bounded call.
pub fn prune(db: &mut Connection, settings: &Settings, now_us: i64) -> Result<PruneReport, StoreError> {
    let path = settings.path.as_path();
    let mut report = PruneReport::default();
    let mut steps = 0;
    if let Some(days) = settings.age_days_max {
        let before = now_us.saturating_sub(i64::from(days).saturating_mul(US_PER_DAY));
        let mut gone = STEP_ROWS;
        while gone >= STEP_ROWS && steps < STEPS_MAX {
            gone = in_transaction(db, path, |tx| captures(tx, before))?;
            report.captures += gone as u64;
            steps += 1;
        }
        report.more = gone >= STEP_ROWS;
        in_transaction(db, path, |tx| {
            let text = "DELETE FROM hist WHERE id IN (SELECT id FROM hist WHERE t0 < ?1 ORDER BY t0 LIMIT ?2)";
            tx.execute(text, params![before / 1_000_000, STEP_ROWS * 10]).map(|gone| gone as i64)
        })?;
    }
    if let Some(limit) = settings.size_bytes_max {
        while live_bytes(db, path)? > limit {
            if steps >= STEPS_MAX {
                report.more = true;
                break;
            }
            steps += 1;
            let bodies = in_transaction(db, path, oldest_bodies)?;
            report.bodies += bodies as u64;
            if bodies == 0 {
                let rows = in_transaction(db, path, |tx| captures(tx, i64::MAX))?;
                report.captures += rows as u64;
                if rows == 0 {
                    // Only series and the ledger are left; they are what the reports stand on.
                    break;
                }
            }
        }
    }
    give_back(db, path)?;
    report.size_bytes = live_bytes(db, path)?;
    Ok(report)
}

fn in_transaction(
    db: &mut Connection,
    path: &Path,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<i64>,
) -> Result<i64, StoreError> {
    let run = |db: &mut Connection| {
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let gone = work(&tx)?;
        tx.commit()?;
        Ok(gone)
    };
    run(db).map_err(at(path))
}

/// Bytes of pages in use.
pub fn live_bytes(db: &Connection, path: &Path) -> Result<u64, StoreError> {
    let pragma = |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).map_err(at(path));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or(0))
}

fn give_back(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let mut statement = db.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})")).map_err(at(path))?;
    let mut rows = statement.query([]).map_err(at(path))?;
    // One page is given back a step, so the pragma works only as far as it is read.
    while rows.next().map_err(at(path))?.is_some() {}
    Ok(())
}

/// The oldest bodies. Captures that name one show it as pruned; row numbers are never given twice.
fn oldest_bodies(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    // The newest row stays, so that the last recorded answer can always be looked at.
    let text = "DELETE FROM bodies WHERE id IN (SELECT id FROM bodies ORDER BY id LIMIT ?1)
        AND id < (SELECT max(id) FROM bodies)";
    tx.execute(text, [STEP_ROWS]).map(|gone| gone as i64)
}

/// The oldest captures received before `before_us`, with everything of them that nothing newer shares.
fn captures(tx: &Transaction<'_>, before_us: i64) -> rusqlite::Result<i64> {
    let find = "SELECT seq, body FROM captures WHERE received_us < ?1 ORDER BY received_us LIMIT ?2";
    let mut statement = tx.prepare_cached(find)?;
    let found: Vec<(i64, Option<i64>)> = statement
        .query_map(params![before_us, STEP_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut bodies: Vec<i64> = found.iter().filter_map(|(_, body)| *body).collect();
    for (seq, _) in &found {
        let mut of = tx.prepare_cached("SELECT body FROM exchanges WHERE id BETWEEN ?1 * 2 AND ?1 * 2 + 1")?;
        for body in of.query_map([seq], |row| row.get::<_, Option<i64>>(0))? {
            bodies.extend(body?);
        }
        for text in REMOVE {
            tx.prepare_cached(text)?.execute([seq])?;
        }
    }
    bodies.sort_unstable();
    bodies.dedup();
    for body in bodies {
        tx.prepare_cached(REMOVE_BODY)?.execute([body])?;
    }
    Ok(found.len() as i64)
}

/// Everything of one capture.
pub const REMOVE: [&str; 5] = [
    "DELETE FROM exchanges WHERE id BETWEEN ?1 * 2 AND ?1 * 2 + 1",
    "DELETE FROM headers WHERE id BETWEEN ?1 * 4 AND ?1 * 4 + 3",
    "DELETE FROM hits WHERE capture = ?1",
    "DELETE FROM differences WHERE capture = ?1",
    "DELETE FROM captures WHERE seq = ?1",
];
/// A body nothing names any more.
pub const REMOVE_BODY: &str = "DELETE FROM bodies WHERE id = ?1
    AND NOT EXISTS (SELECT 1 FROM captures WHERE body = ?1) AND NOT EXISTS (SELECT 1 FROM exchanges WHERE body = ?1)";
