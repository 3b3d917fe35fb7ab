//! What step 1 of the schema stored, carried over to step 2: once, when such a file is first opened to write.

use crate::compare::{Difference, NO_SHAPE, What};
use crate::store::block;
use crate::store::codec::{Packed, Packer};
use crate::store::insert::speed;
use http::{HeaderMap, HeaderName, HeaderValue};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// The most a header block of step 1 expands to, bytes.
const HEADER_BLOCK_BYTES_MAX: usize = 4 << 20;

/// Statements around the captures: first what has no order, then what is no longer needed.
const BEFORE: &str = "INSERT INTO bodies (id, owner, sha256, size, coding, bytes)
        SELECT id, 0, sha256, size, coding, bytes FROM old_bodies;
    INSERT INTO ledger (integration, t0, state, run, dur_s, count)
        SELECT l.integration, r.started_us / 600000000 * 600, l.state, l.run, 600, l.count
        FROM old_ledger l JOIN runs r ON r.id = l.run;";
const AFTER: &str = "DROP TABLE old_captures; DROP TABLE old_exchanges; DROP TABLE old_headers; DROP TABLE old_hits;
    DROP TABLE old_differences; DROP TABLE old_bodies; DROP TABLE old_ledger;
    UPDATE classes SET captures = (SELECT count(*) FROM captures WHERE class = classes.id);";

/// Carries everything over and drops the tables of step 1.
///
/// # Errors
/// What SQLite says, or what is wrong with a row; then nothing is changed.
pub fn captures_of_step_1(tx: &Transaction<'_>) -> Result<(), String> {
    let said = |e: rusqlite::Error| e.to_string();
    tx.execute_batch(BEFORE).map_err(said)?;
    let all = "SELECT c.seq, c.id, c.run, c.integration, c.endpoint, c.rule_set, c.received_us, c.outcome, c.method,
        c.target, c.verdict, c.body, c.body_seen, c.body_drop FROM old_captures c ORDER BY c.seq";
    let mut statement = tx.prepare(all).map_err(said)?;
    let mut rows = statement.query([]).map_err(said)?;
    let mut packer = Packer::default();
    while let Some(row) = rows.next().map_err(said)? {
        carry(tx, row, &mut packer)?;
    }
    drop(rows);
    drop(statement);
    tx.execute_batch(AFTER).map_err(said)
}

/// One exchange of step 1: the columns of step 2 in their order, and what a class asks for.
struct Old {
    columns: Vec<Value>,
    outcome: i64,
    status: i64,
    total_us: i64,
    body: Option<i64>,
}

fn exchange(tx: &Transaction<'_>, id: i64, received_us: i64) -> rusqlite::Result<Option<Old>> {
    let text = "SELECT started_us - ?2, status, outcome, failure, queue_wait_us, connect_us, ttfb_us, total_us, body,
        body_seen, body_drop FROM old_exchanges WHERE id = ?1";
    let read = |row: &Row<'_>| {
        let columns = (0..11).map(|at| row.get::<_, Value>(at)).collect::<rusqlite::Result<_>>()?;
        let status = row.get::<_, Option<i64>>(1)?.unwrap_or_default();
        Ok(Old { columns, outcome: row.get(2)?, status, total_us: row.get(7)?, body: row.get(8)? })
    };
    tx.prepare_cached(text)?.query_row(params![id, received_us], read).optional()
}

fn carry(tx: &Transaction<'_>, row: &Row<'_>, packer: &mut Packer) -> Result<(), String> {
    let said = |e: rusqlite::Error| e.to_string();
    let seq: i64 = row.get(0).map_err(said)?;
    let received_us: i64 = row.get(6).map_err(said)?;
    let primary = exchange(tx, seq * 2, received_us).map_err(said)?;
    // A capture without its shadow was damaged before.
    let Some(shadow) = exchange(tx, seq * 2 + 1, received_us).map_err(said)? else { return Ok(()) };
    let (rules, details) = details(tx, seq, packer)?;
    let class = class(tx, row, primary.as_ref(), &shadow).map_err(said)?;
    tx.execute("INSERT INTO hit_sets (rules) VALUES (?1) ON CONFLICT DO NOTHING", [&rules]).map_err(said)?;
    let hit_set: i64 =
        tx.query_row("SELECT id FROM hit_sets WHERE rules = ?1", [&rules], |row| row.get(0)).map_err(said)?;
    let column = |at: usize| row.get::<_, Value>(at);
    let mut values = vec![Value::Integer(seq)];
    for at in [1, 2] {
        values.push(column(at).map_err(said)?);
    }
    values.extend([Value::Integer(class), Value::Integer(hit_set)]);
    for at in [5, 6, 8, 9, 10, 11, 12, 13] {
        values.push(column(at).map_err(said)?);
    }
    let bodies = [row.get(11).map_err(said)?, primary.as_ref().and_then(|primary| primary.body), shadow.body];
    values.extend(primary.map_or_else(|| vec![Value::Null; 11], |primary| primary.columns));
    values.extend(shadow.columns);
    let places = vec!["?"; values.len()].join(", ");
    let insert = format!("INSERT INTO captures VALUES ({places})");
    tx.prepare_cached(&insert).and_then(|mut it| it.execute(rusqlite::params_from_iter(values))).map_err(said)?;
    let insert = "INSERT INTO details (capture, coding, block) VALUES (?1, ?2, ?3)";
    tx.execute(insert, params![seq, details.0, &*details.1]).map_err(said)?;
    for body in bodies.into_iter().flatten() {
        own(tx, body, seq).map_err(said)?;
    }
    Ok(())
}

/// The first capture with a body owns it, the others repeat it.
fn own(tx: &Transaction<'_>, body: i64, capture: i64) -> rusqlite::Result<()> {
    let owned = tx.execute("UPDATE bodies SET owner = ?2 WHERE id = ?1 AND owner IN (0, ?2)", [body, capture])?;
    if owned == 0 {
        tx.execute("INSERT INTO repeats (body, capture) VALUES (?1, ?2) ON CONFLICT DO NOTHING", [body, capture])?;
    }
    Ok(())
}

fn class(tx: &Transaction<'_>, row: &Row<'_>, primary: Option<&Old>, shadow: &Old) -> rusqlite::Result<i64> {
    let (integration, endpoint): (i64, i64) = (row.get(3)?, row.get(4)?);
    let speed = speed(u64::try_from(shadow.total_us).unwrap_or_default());
    let primary = primary.map_or(-1, |primary| primary.outcome);
    let values = params![integration, endpoint, shadow.outcome, shadow.status, primary, speed, NO_SHAPE as i64];
    tx.execute(
        "INSERT INTO classes (integration, endpoint, outcome, status, primary_outcome, speed, shape)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        values,
    )?;
    let find = "SELECT id FROM classes WHERE endpoint = ?2 AND outcome = ?3 AND status = ?4 AND primary_outcome = ?5
        AND speed = ?6 AND shape = ?7 AND integration = ?1";
    tx.query_row(find, values, |row| row.get(0))
}

/// The rules that struck, and the packed block.
fn details(tx: &Transaction<'_>, seq: i64, packer: &mut Packer) -> Result<(String, Packed), String> {
    let said = |e: rusqlite::Error| e.to_string();
    let part = |part: i64| -> Result<HeaderMap, String> {
        let find = "SELECT lines FROM old_headers WHERE id = ?1";
        let found: Option<Vec<u8>> = tx.query_row(find, [seq * 4 + part], |row| row.get(0)).optional().map_err(said)?;
        found.map_or_else(|| Ok(HeaderMap::new()), |block| old_lines(&block))
    };
    let headers = [part(2)?, part(0)?, part(1)?];
    let mut hits: Vec<(String, i64, i64, u32)> = Vec::new();
    let mut find = tx
        .prepare_cached(
            "SELECT rule, CASE side WHEN 'request' THEN 0 WHEN 'primary' THEN 1 ELSE 2 END,
             CASE part WHEN 'target' THEN 0 WHEN 'headers' THEN 1 ELSE 2 END, count
             FROM old_hits WHERE capture = ?1 ORDER BY n",
        )
        .map_err(said)?;
    let rows = find.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).map_err(said)?;
    for row in rows {
        hits.push(row.map_err(said)?);
    }
    let mut find =
        tx.prepare_cached("SELECT path, what FROM old_differences WHERE capture = ?1 ORDER BY n").map_err(said)?;
    let rows = find.query_map([seq], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u8>(1)?))).map_err(said)?;
    let mut differences = Vec::new();
    for row in rows {
        let (path, what) = row.map_err(said)?;
        let what = What::from_code(what).ok_or("a difference of unknown kind")?;
        differences.push(Difference { path, what });
    }
    let hits = block::hits(hits);
    let mut plain = Vec::new();
    block::write(&mut plain, headers.each_ref().map(Some), &hits, &differences);
    let mut rules: Vec<&str> = hits.iter().map(|hit| &*hit.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    Ok((rules.join(","), packer.pack(&plain, None)))
}

/// The header block of step 1: zstd of name length u16, name, value length u32, value; big-endian.
fn old_lines(block: &[u8]) -> Result<HeaderMap, String> {
    let plain = zstd::bulk::decompress(block, HEADER_BLOCK_BYTES_MAX).map_err(|e| format!("header block: {e}"))?;
    let mut rest = plain.as_slice();
    let mut lines = HeaderMap::new();
    while !rest.is_empty() {
        let name = take_counted::<2>(&mut rest).ok_or("header block: a name is cut")?;
        let value = take_counted::<4>(&mut rest).ok_or("header block: a value is cut")?;
        let name = HeaderName::from_bytes(name).map_err(|e| e.to_string())?;
        lines.append(name, HeaderValue::from_bytes(value).map_err(|e| e.to_string())?);
    }
    Ok(lines)
}

fn take_counted<'a, const WIDTH: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (count, after) = rest.split_first_chunk::<WIDTH>()?;
    let count = count.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let (taken, after) = after.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}
