//! Whose data a capture holds: an index of keyed digests, made of sorted runs, each written once and at the end of its
//! table.
//!
//! A digest is random, so an index over all of them would make every capture a random write. A run is the captures of one
//! segment of rows, indexed when the segment is full; a look-up is one search in each run, and a walk over the segment that
//! is still being filled.

use crate::redact::SubjectDigest;
use crate::store::Connection;
use rusqlite::params;

/// Captures of a segment, a power of two. Sixty searches for a million captures, and a few milliseconds to index one.
const SEGMENT_BITS: u32 = 14;
/// The name of the mark that counts the segments that are indexed.
const MARK: &str = "subject segments";

const MARKED: &str = "SELECT value FROM marks WHERE name = ?1";
const ADD: &str = "INSERT INTO subject_runs (segment, digest, capture) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

/// Segments that are indexed: those before this one.
pub fn indexed(db: &Connection) -> rusqlite::Result<i64> {
    let mut statement = db.prepare_cached(MARKED)?;
    let mut rows = statement.query([MARK])?;
    rows.next()?.map_or(Ok(0), |row| row.get(0))
}

/// Indexes the oldest segment that is full and not indexed, if there is one: `next` is the row of the next capture. Within
/// the caller's transaction; gives the segments that are indexed then.
pub fn index_one(db: &Connection, indexed: i64, next: i64) -> rusqlite::Result<i64> {
    if next >> SEGMENT_BITS <= indexed {
        return Ok(indexed);
    }
    let from = indexed << SEGMENT_BITS;
    let mut found = of_captures(db, from, from + (1 << SEGMENT_BITS))?;
    found.sort_unstable();
    let mut add = db.prepare_cached(ADD)?;
    for (digest, capture) in found {
        add.execute(params![indexed, digest.as_slice(), capture])?;
    }
    let mark =
        "INSERT INTO marks (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.prepare_cached(mark)?.execute(params![MARK, indexed + 1])?;
    Ok(indexed + 1)
}

/// Digests and captures of the rows from `from` to before `to`.
fn of_captures(db: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<(SubjectDigest, i64)>> {
    let text = "SELECT capture, digests FROM subjects WHERE capture >= ?1 AND capture < ?2";
    let mut statement = db.prepare_cached(text)?;
    let mut rows = statement.query([from, to])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let capture = row.get(0)?;
        found.extend(row.get_ref(1)?.as_blob()?.as_chunks().0.iter().map(|digest| (*digest, capture)));
    }
    Ok(found)
}

/// The captures that hold one of these, in the order of their rows.
pub fn captures_of(db: &Connection, subjects: &[SubjectDigest]) -> rusqlite::Result<Vec<i64>> {
    let indexed = indexed(db)?;
    let open = of_captures(db, indexed << SEGMENT_BITS, i64::MAX)?;
    let mut found: Vec<i64> =
        open.into_iter().filter(|(digest, _)| subjects.contains(digest)).map(|(_, capture)| capture).collect();
    let mut search = db.prepare_cached("SELECT capture FROM subject_runs WHERE segment = ?1 AND digest = ?2")?;
    for segment in 0..indexed {
        for digest in subjects {
            let rows = search.query_map(params![segment, digest.as_slice()], |row| row.get(0))?;
            found.extend(rows.collect::<rusqlite::Result<Vec<i64>>>()?);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Adds to what is known of a capture, whose row may be in an indexed segment.
pub fn add(db: &Connection, capture: i64, new: &[u8]) -> rusqlite::Result<()> {
    let old: Vec<SubjectDigest> =
        of_captures(db, capture, capture + 1)?.into_iter().map(|(digest, _)| digest).collect();
    let fresh: Vec<&SubjectDigest> = new.as_chunks().0.iter().filter(|digest| !old.contains(digest)).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let all: Vec<u8> = old.iter().chain(fresh.iter().copied()).flatten().copied().collect();
    let text = "INSERT INTO subjects (capture, digests) VALUES (?1, ?2)
        ON CONFLICT (capture) DO UPDATE SET digests = excluded.digests";
    db.prepare_cached(text)?.execute(params![capture, all])?;
    let segment = capture >> SEGMENT_BITS;
    if segment < indexed(db)? {
        let mut add = db.prepare_cached(ADD)?;
        for digest in fresh {
            add.execute(params![segment, digest.as_slice(), capture])?;
        }
    }
    Ok(())
}

/// Forgets whose data a capture held.
pub fn forget(db: &Connection, capture: i64) -> rusqlite::Result<()> {
    let known = of_captures(db, capture, capture + 1)?;
    if known.is_empty() {
        return Ok(());
    }
    let mut remove =
        db.prepare_cached("DELETE FROM subject_runs WHERE segment = ?1 AND digest = ?2 AND capture = ?3")?;
    for (digest, _) in known {
        remove.execute(params![capture >> SEGMENT_BITS, digest.as_slice(), capture])?;
    }
    db.prepare_cached("DELETE FROM subjects WHERE capture = ?1")?.execute([capture])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_look_up_finds_what_a_walk_finds_in_runs_and_in_what_is_not_indexed_yet() {
        let db = Connection::open_in_memory().unwrap();
        let step = include_str!("schema/0003.sql");
        let (table, _) = step.split_once("-- Header lines").unwrap();
        db.execute_batch(&format!(
            "{table} CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
             CREATE TABLE subjects (capture INTEGER PRIMARY KEY, digests BLOB NOT NULL);"
        ))
        .unwrap();
        let person = |n: i64| -> SubjectDigest { [(n % 97) as u8; 16] };
        let next = (3 << SEGMENT_BITS) + 500;
        for capture in (1..next).step_by(7) {
            add(&db, capture, &[person(capture), person(capture / 7)].concat()).unwrap();
        }
        let mut done = 0;
        for expected in [1, 2, 3, 3] {
            done = index_one(&db, done, next).unwrap();
            assert_eq!((done, indexed(&db).unwrap()), (expected, expected));
        }
        // Found anew in an old capture, and gone with its capture.
        add(&db, 1, &person(50)).unwrap();
        add(&db, 8, &person(8)).unwrap();
        forget(&db, 15).unwrap();
        for wanted in [0, 15, 50, 96] {
            let walk: BTreeSet<i64> = of_captures(&db, 0, i64::MAX)
                .unwrap()
                .into_iter()
                .filter(|(digest, _)| *digest == person(wanted))
                .map(|(_, capture)| capture)
                .collect();
            let found = captures_of(&db, &[person(wanted), [255; 16]]).unwrap();
            assert!(walk.len() > 100 && found.iter().copied().eq(walk), "{wanted}: {}", found.len());
            assert!(!found.contains(&15) && (found.contains(&1) || wanted != 50));
        }
        let runs: i64 = db.query_row("SELECT count(*) FROM subject_runs", [], |row| row.get(0)).unwrap();
        (1..next).for_each(|capture| forget(&db, capture).unwrap());
        let left = "SELECT (SELECT count(*) FROM subject_runs) + (SELECT count(*) FROM subjects)";
        assert!(runs > 10_000 && db.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap() == 0);
    }
}
