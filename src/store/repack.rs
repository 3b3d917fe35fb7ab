//! Taking dictionaries out of a store: what was packed with them is packed with their integration's newest, or with none.
//!
//! A dictionary shares words of the bodies it was trained from; when the rules have become stricter, none of the old ones
//! may stay. A recorder that packs with one of them notices that it is gone when it writes next.

use crate::exchange::Integration;
use crate::store::codec::{self, Dictionary, Packer, Size, Unpacking};
use crate::store::error::at;
use crate::store::prune::in_transaction;
use crate::store::{Connection, StoreError};
use rusqlite::{Transaction, params};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Rows of one transaction.
const STEP_ROWS: usize = 500;

/// Where packed bytes stand: the next rows in their order, and how one is written.
struct Place {
    rows: &'static str,
    write: &'static str,
}

const PLACES: [Place; 2] = [
    Place {
        rows: "SELECT id, coding, bytes FROM bodies WHERE id > ?1 ORDER BY id LIMIT ?2",
        write: "UPDATE bodies SET coding = ?2, bytes = ?3 WHERE id = ?1",
    },
    Place {
        rows: "SELECT seq, coding, block FROM captures WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        write: "UPDATE captures SET coding = ?2, block = ?3 WHERE seq = ?1",
    },
];

/// A dictionary that goes, and what takes its place.
struct Leaving {
    unpacking: Option<Unpacking>,
    next: Option<Arc<Dictionary>>,
}

/// Removes the dictionaries of these numbers; `next` tells what an integration packs with from now on. Rows that cannot be
/// unpacked stay as they are: they could not be read before.
///
/// # Errors
/// What SQLite says; what was done before stays done, and doing it again does the rest.
pub fn without(
    db: &mut Connection,
    path: &Path,
    numbers: &[(i64, Integration)],
    next: impl Fn(&Integration) -> Option<Arc<Dictionary>>,
) -> Result<(), StoreError> {
    let mut leaving = HashMap::new();
    for (number, integration) in numbers {
        let find = "SELECT bytes FROM dictionaries WHERE id = ?1";
        let bytes: Vec<u8> = db.query_row(find, [number], |row| row.get(0)).map_err(at(path))?;
        let one = Leaving { unpacking: Unpacking::new(&bytes), next: next(integration) };
        leaving.insert(*number, one);
    }
    let mut packer = Packer::default();
    let mut after = [0_i64; PLACES.len()];
    loop {
        let done = in_transaction(db, path, |tx| {
            let mut more = false;
            for (place, after) in PLACES.iter().zip(&mut after) {
                more |= step(tx, place, after, &leaving, &mut packer)?;
            }
            if !more {
                // Nobody wrote since the last rows were looked at: they are all in this transaction.
                for number in leaving.keys() {
                    tx.execute("DELETE FROM dictionaries WHERE id = ?1", [number])?;
                }
            }
            Ok(!more)
        })?;
        if done {
            return Ok(());
        }
    }
}

/// The next rows of a place; whether there may be more.
fn step(
    tx: &Transaction<'_>,
    place: &Place,
    after: &mut i64,
    leaving: &HashMap<i64, Leaving>,
    packer: &mut Packer,
) -> rusqlite::Result<bool> {
    let mut count = 0;
    let mut found = tx.prepare_cached(place.rows)?;
    let mut rows = found.query(params![*after, STEP_ROWS as i64])?;
    let mut changed = Vec::new();
    while let Some(row) = rows.next()? {
        count += 1;
        *after = row.get(0)?;
        let Some(leaving) = leaving.get(&row.get(1)?) else { continue };
        let coding = row.get(1)?;
        match codec::unpack(coding, Size::AtMost(u64::MAX), row.get(2)?, leaving.unpacking.as_ref()) {
            Ok(plain) => changed.push((*after, packer.pack(&plain, leaving.next.as_deref()))),
            Err(why) => tracing::warn!(row = *after, why, "packed bytes are damaged; they stay as they are"),
        }
    }
    let mut write = tx.prepare_cached(place.write)?;
    for (row, (coding, bytes)) in changed {
        write.execute(params![row, coding, &*bytes])?;
    }
    Ok(count == STEP_ROWS)
}
