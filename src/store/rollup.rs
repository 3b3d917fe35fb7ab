//! Latencies and the ledger of long ago, in longer intervals: 10 minutes become an hour, hours a day. Histograms are added
//! slot by slot and exact figures exactly, so nothing is lost but the time within the interval.

use crate::latency::{Exact, Series};
use crate::store::insert::signed;
use crate::store::prune::in_transaction;
use crate::store::reader::unsigned;
use crate::store::{Connection, StoreError};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;
use std::path::Path;

const S_PER_DAY: i64 = 86_400;
/// From, to, and after how long, seconds. Ten minutes are what keeps confidence intervals honest, so they stay while a
/// decision may still stand on them.
const LEVELS: [(i64, i64, i64); 2] = [(600, 3_600, 15 * S_PER_DAY), (3_600, S_PER_DAY, 90 * S_PER_DAY)];
/// Longer intervals made in one call, each a transaction.
const INTERVALS_MAX: usize = 24;
/// Rows too old to be kept that one call removes.
const FORGOTTEN_MAX: i64 = 5_000;

/// One bounded call.
pub fn run(db: &mut Connection, path: &Path, now_us: i64, days_max: u32) -> Result<(), StoreError> {
    let now_s = now_us / 1_000_000;
    for (from_s, to_s, after_s) in LEVELS {
        let mut from = i64::MIN;
        for _ in 0..INTERVALS_MAX {
            let before = (now_s - after_s).div_euclid(to_s) * to_s;
            let oldest = in_transaction(db, path, |tx| oldest(tx, from_s, from, before))?;
            let Some(t0) = oldest.map(|t0| t0.div_euclid(to_s) * to_s) else { break };
            in_transaction(db, path, |tx| {
                latencies(tx, t0, from_s, to_s)?;
                ledger(tx, t0, from_s, to_s)
            })?;
            // A damaged row stays as it is, and is not met again in this call.
            from = t0 + to_s;
        }
    }
    let before = now_s.saturating_sub(i64::from(days_max).saturating_mul(S_PER_DAY));
    in_transaction(db, path, |tx| {
        for dur_s in [600, 3_600, S_PER_DAY] {
            let text = "DELETE FROM hist WHERE id IN (SELECT id FROM hist WHERE dur_s = ?1 AND t0 < ?2 LIMIT ?3)";
            tx.prepare_cached(text)?.execute([dur_s, before, FORGOTTEN_MAX])?;
            tx.prepare_cached("DELETE FROM ledger WHERE dur_s = ?1 AND t0 < ?2")?.execute([dur_s, before])?;
        }
        Ok(())
    })
}

fn oldest(tx: &Transaction<'_>, dur_s: i64, from: i64, before: i64) -> rusqlite::Result<Option<i64>> {
    let latency = "SELECT t0 FROM hist WHERE dur_s = ?1 AND t0 >= ?2 AND t0 < ?3 ORDER BY t0 LIMIT 1";
    let ledger = "SELECT t0 FROM ledger WHERE dur_s = ?1 AND t0 >= ?2 AND t0 < ?3 ORDER BY t0 LIMIT 1";
    let first = |text: &str| -> rusqlite::Result<Option<i64>> {
        tx.prepare_cached(text)?.query_row([dur_s, from, before], |row| row.get(0)).optional()
    };
    let (latency, ledger) = (first(latency)?, first(ledger)?);
    Ok(latency.into_iter().chain(ledger).min())
}

/// The rows of one series and run; none once one of them is damaged.
struct Group {
    rows: Vec<i64>,
    sum: Option<Series>,
}

fn latencies(tx: &Transaction<'_>, t0: i64, from_s: i64, to_s: i64) -> rusqlite::Result<()> {
    let text = "SELECT id, series, run, n, sum_us, min_us, max_us, crc32, blob FROM hist
        WHERE dur_s = ?1 AND t0 >= ?2 AND t0 < ?3";
    let mut statement = tx.prepare_cached(text)?;
    let mut rows = statement.query([from_s, t0, t0 + to_s])?;
    let mut groups: BTreeMap<(i64, i64), Group> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let exact = Exact {
            n: unsigned(row.get(3)?),
            sum_us: unsigned(row.get(4)?),
            min_us: row.get::<_, Option<i64>>(5)?.map(unsigned),
            max_us: row.get::<_, Option<i64>>(6)?.map(unsigned),
            crc32: row.get(7)?,
        };
        let (id, blob): (i64, Vec<u8>) = (row.get(0)?, row.get(8)?);
        let key = (row.get(1)?, row.get(2)?);
        let group = groups.entry(key).or_insert_with(|| Group { rows: Vec::new(), sum: Some(Series::new()) });
        group.rows.push(id);
        match Series::decode(&blob, exact) {
            Ok(series) => group.sum.iter_mut().for_each(|sum| sum.merge(&series)),
            Err(error) => {
                tracing::warn!(id, %error, "a stored histogram is damaged; it stays as it is");
                group.sum = None;
            }
        }
    }
    let insert = "INSERT INTO hist (series, t0, run, dur_s, n, sum_us, min_us, max_us, crc32, blob)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    for ((series, run), group) in groups {
        let Some(sum) = group.sum else { continue };
        for id in group.rows {
            tx.prepare_cached("DELETE FROM hist WHERE id = ?1")?.execute([id])?;
        }
        let blob = sum.encode();
        let exact = sum.exact(&blob);
        let (min, max) = (exact.min_us.map(signed), exact.max_us.map(signed));
        let (n, sum_us) = (signed(exact.n), signed(exact.sum_us));
        tx.prepare_cached(insert)?.execute(params![series, t0, run, to_s, n, sum_us, min, max, exact.crc32, blob])?;
    }
    Ok(())
}

fn ledger(tx: &Transaction<'_>, t0: i64, from_s: i64, to_s: i64) -> rusqlite::Result<()> {
    let text = "SELECT integration, state, run, sum(count) FROM ledger WHERE dur_s = ?1 AND t0 >= ?2 AND t0 < ?3
        GROUP BY integration, state, run";
    let read = |row: &rusqlite::Row<'_>| {
        let names: (String, String) = (row.get(0)?, row.get(1)?);
        Ok((names, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
    };
    let mut statement = tx.prepare_cached(text)?;
    let sums: Vec<_> = statement.query_map([from_s, t0, t0 + to_s], read)?.collect::<rusqlite::Result<_>>()?;
    let delete = "DELETE FROM ledger WHERE dur_s = ?1 AND t0 >= ?2 AND t0 < ?3";
    tx.prepare_cached(delete)?.execute([from_s, t0, t0 + to_s])?;
    let insert = "INSERT INTO ledger (integration, t0, state, run, dur_s, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    for ((integration, state), run, count) in sums {
        tx.prepare_cached(insert)?.execute(params![integration, t0, state, run, to_s, count])?;
    }
    Ok(())
}
