//! Latencies of endpoints that are called otherwise now: a name that today's rules would not let through goes, and what was
//! measured under it is added, exactly, to what was measured under the name that takes its place.

use crate::latency::{Exact, Series};
use crate::store::error::at;
use crate::store::insert::signed;
use crate::store::prune::in_transaction;
use crate::store::reader::unsigned;
use crate::store::{Connection, StoreError};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use std::path::Path;

/// Gives every series the name that `name` makes of its integration and endpoint; how many got another one.
///
/// # Errors
/// What SQLite says; each series is renamed whole or not at all.
pub fn series(db: &mut Connection, path: &Path, name: impl Fn(&str, &str) -> String) -> Result<u64, StoreError> {
    let all = "SELECT id, integration, endpoint FROM series ORDER BY id";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: Vec<(i64, String, String)> = {
        let mut statement = db.prepare(all).map_err(at(path))?;
        let rows = statement.query_map([], read).map_err(at(path))?;
        rows.collect::<rusqlite::Result<_>>().map_err(at(path))?
    };
    let mut renamed = 0;
    for (id, integration, old) in found {
        let new = name(&integration, &old);
        if new != old {
            in_transaction(db, path, |tx| rename(tx, id, &new))?;
            renamed += 1;
        }
    }
    Ok(renamed)
}

fn rename(tx: &Transaction<'_>, id: i64, name: &str) -> rusqlite::Result<()> {
    let find = "SELECT t.id FROM series s JOIN series t ON t.integration = s.integration AND t.endpoint = ?2
        AND t.role = s.role AND t.outcome = s.outcome AND t.phase = s.phase WHERE s.id = ?1";
    let taken: Option<i64> = tx.prepare_cached(find)?.query_row(params![id, name], |row| row.get(0)).optional()?;
    let Some(into) = taken else {
        return tx
            .prepare_cached("UPDATE series SET endpoint = ?2 WHERE id = ?1")?
            .execute(params![id, name])
            .map(drop);
    };
    let move_all = "UPDATE OR IGNORE hist SET series = ?2 WHERE series = ?1";
    tx.prepare_cached(move_all)?.execute([id, into])?;
    // Left are those whose interval and run the other has as well.
    let both = "SELECT n, sum_us, min_us, max_us, crc32, blob, t0, run, dur_s FROM hist WHERE series = ?1";
    let mut statement = tx.prepare_cached(both)?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let (t0, run, dur_s): (i64, i64, i64) = (row.get(6)?, row.get(7)?, row.get(8)?);
        let other = "SELECT n, sum_us, min_us, max_us, crc32, blob, id, dur_s FROM hist
            WHERE series = ?1 AND t0 = ?2 AND run = ?3";
        let mut find = tx.prepare_cached(other)?;
        let (there, there_id, there_s) =
            find.query_row([into, t0, run], |row| Ok((histogram(row)?, row.get::<_, i64>(6)?, row.get::<_, i64>(7)?)))?;
        let (Some(mut sum), Some(more)) = (there, histogram(row)?) else {
            tracing::warn!(t0, "a damaged histogram cannot be added to the one under its endpoint's new name");
            continue;
        };
        sum.merge(&more);
        let blob = sum.encode();
        let exact = sum.exact(&blob);
        let write = "UPDATE hist SET n = ?2, sum_us = ?3, min_us = ?4, max_us = ?5, crc32 = ?6, blob = ?7, dur_s = ?8
            WHERE id = ?1";
        tx.prepare_cached(write)?.execute(params![
            there_id,
            signed(exact.n),
            signed(exact.sum_us),
            exact.min_us.map(signed),
            exact.max_us.map(signed),
            exact.crc32,
            blob,
            there_s.max(dur_s),
        ])?;
    }
    tx.prepare_cached("DELETE FROM hist WHERE series = ?1")?.execute([id])?;
    tx.prepare_cached("DELETE FROM series WHERE id = ?1")?.execute([id]).map(drop)
}

/// None where it is damaged.
fn histogram(row: &Row<'_>) -> rusqlite::Result<Option<Series>> {
    let exact = Exact {
        n: unsigned(row.get(0)?),
        sum_us: unsigned(row.get(1)?),
        min_us: row.get::<_, Option<i64>>(2)?.map(unsigned),
        max_us: row.get::<_, Option<i64>>(3)?.map(unsigned),
        crc32: row.get(4)?,
    };
    Ok(Series::decode(row.get_ref(5)?.as_blob()?, exact).ok())
}
