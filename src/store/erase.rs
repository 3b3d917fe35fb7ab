//! Forgetting a person: every capture that holds one of the person's values goes, its pages are overwritten, and a receipt
//! stays from which [`Upkeep::verify`](crate::store::Upkeep::verify) can prove it.
//!
//! The receipt holds no value and no id, only rolling hashes of what was in the removed rows: enough to find the same
//! bytes in a file, of no use to anyone who does not have them.

use crate::redact::SubjectDigest;
use crate::store::error::at;
use crate::store::prune::{self, in_transaction};
use crate::store::{Erasure, StoreError, Upkeep, subjects};
use rusqlite::params;
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Captures removed in one transaction, so that a recorder only waits for a moment.
const STEP_ROWS: usize = 200;
/// Bytes that a proof looks at.
pub const PROOF_BYTES: usize = 16;
/// Where in a packed body its proof lies: behind the frame's header, and in the part of a row that is never apart.
const PROOF_AT: usize = 16;
/// Bytes read at once from a file that is looked through.
const READ_BYTES: usize = 1 << 20;

impl Upkeep {
    /// Removes every capture that holds one of these. `who`: for the receipt.
    ///
    /// # Errors
    /// What SQLite says; [`StoreError::Busy`] where a reader does not let go of the log in time: what was removed stays
    /// removed, and the command is to be run again.
    pub fn erase(&mut self, persons: &[SubjectDigest], who: &str, now_unix_us: i64) -> Result<Erasure, StoreError> {
        self.db.execute_batch("PRAGMA secure_delete = ON").map_err(at(&self.path))?;
        let captures = subjects::captures_of(&self.db, persons).map_err(at(&self.path))?;
        let mut proofs = HashSet::new();
        let (mut removed, mut bodies) = (0, 0);
        for step in captures.chunks(STEP_ROWS) {
            step.iter().try_for_each(|seq| self.proofs_of(*seq, &mut proofs))?;
            let gone = in_transaction(&mut self.db, &self.path, |tx| prune::remove(tx, step))?;
            removed += gone.captures;
            bodies += gone.bodies;
        }
        // Bytes that somebody else's captures hold as well prove nothing.
        let rough = rough(&proofs);
        self.live(&mut |bytes| {
            windows(bytes, |hash| {
                if rough[(hash >> 48) as usize] {
                    proofs.remove(&hash);
                }
            });
        })?;
        // Pages that were freed before may still hold older captures of the person.
        prune::vacuum(&self.db, &self.path, i64::from(i32::MAX))?;
        let packed: Vec<u8> = proofs.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        let text = "INSERT INTO erasures (at_us, who, captures, bodies, proofs) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![now_unix_us, who, removed as i64, bodies as i64, packed];
        self.db.execute(text, values).map_err(at(&self.path))?;
        let id = self.db.last_insert_rowid();
        self.truncate_log()?;
        let found = scan(&files(&self.path), &proofs)?;
        Ok(Erasure { id, at_unix_us: now_unix_us, who: who.to_owned(), captures: removed, bodies, remains: found })
    }

    /// What must not be found any more once a capture is gone: its id, and a part of each of its bodies.
    fn proofs_of(&self, seq: i64, proofs: &mut HashSet<u64>) -> Result<(), StoreError> {
        let mut keep = |bytes: &[u8]| {
            if let Some(part) = bytes.first_chunk::<PROOF_BYTES>() {
                proofs.insert(hash(part));
            }
        };
        let text = "SELECT id, body, p_body, s_body FROM captures WHERE seq = ?1";
        let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(Vec<u8>, [Option<i64>; 3])> {
            Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]))
        };
        let (id, bodies) = self.db.query_row(text, [seq], read).map_err(at(&self.path))?;
        keep(&id);
        let text = "SELECT bytes FROM bodies WHERE id = ?1";
        let mut statement = self.db.prepare_cached(text).map_err(at(&self.path))?;
        for body in bodies.into_iter().flatten() {
            let mut rows = statement.query([body]).map_err(at(&self.path))?;
            if let Some(row) = rows.next().map_err(at(&self.path))? {
                let bytes: Vec<u8> = row.get(0).map_err(at(&self.path))?;
                keep(bytes.get(PROOF_AT..).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Every id and body that there is.
    fn live(&self, each: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        for text in ["SELECT bytes FROM bodies ORDER BY id", "SELECT block FROM captures ORDER BY seq"] {
            let mut statement = self.db.prepare(text).map_err(at(&self.path))?;
            let mut rows = statement.query([]).map_err(at(&self.path))?;
            while let Some(row) = rows.next().map_err(at(&self.path))? {
                each(row.get_ref(0).and_then(|column| Ok(column.as_blob()?)).map_err(at(&self.path))?);
            }
        }
        Ok(())
    }

    /// The receipts, newest first, at most 1 000; their `remains` are for [`Upkeep::verify`] to find.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        let text = "SELECT id, at_us, who, captures, bodies FROM erasures ORDER BY id DESC LIMIT 1000";
        let mut statement = self.db.prepare(text).map_err(at(&self.path))?;
        let read = |row: &rusqlite::Row<'_>| {
            let count = |at: usize| -> rusqlite::Result<u64> { Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0)) };
            let (captures, bodies) = (count(3)?, count(4)?);
            Ok(Erasure { id: row.get(0)?, at_unix_us: row.get(1)?, who: row.get(2)?, captures, bodies, remains: 0 })
        };
        let rows = statement.query_map([], read).map_err(at(&self.path))?;
        rows.collect::<rusqlite::Result<_>>().map_err(at(&self.path))
    }

    /// The proofs of every receipt.
    pub(in crate::store) fn proofs(&self) -> Result<HashSet<u64>, StoreError> {
        let mut statement = self.db.prepare("SELECT proofs FROM erasures").map_err(at(&self.path))?;
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(at(&self.path))?;
        let mut proofs = HashSet::new();
        for packed in rows {
            let packed = packed.map_err(at(&self.path))?;
            proofs.extend(packed.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        }
        Ok(proofs)
    }
}

/// The store's files: itself and its log.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    vec![path.to_owned(), PathBuf::from(log)]
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The rolling hash of one window.
pub fn hash(window: &[u8; PROOF_BYTES]) -> u64 {
    window.iter().fold(0_u64, |hash, byte| roll(hash, *byte))
}

fn roll(hash: u64, byte: u8) -> u64 {
    // The lowest bit is always set, so that leading zeros count.
    hash.wrapping_mul(FACTOR).wrapping_add(u64::from(byte) * 2 + 1)
}

/// The factor of a byte that leaves the window.
const LEAVING: u64 = {
    let (mut factor, mut n) = (1_u64, 0);
    while n < PROOF_BYTES {
        factor = factor.wrapping_mul(FACTOR);
        n += 1;
    }
    factor
};

/// The hash of every window of some bytes.
fn windows(bytes: &[u8], mut each: impl FnMut(u64)) {
    let Some(first) = bytes.first_chunk::<PROOF_BYTES>() else { return };
    let mut now = hash(first);
    each(now);
    for (enters, leaves) in bytes[PROOF_BYTES..].iter().zip(bytes) {
        now = roll(now, *enters).wrapping_sub((u64::from(*leaves) * 2 + 1).wrapping_mul(LEAVING));
        each(now);
    }
}

/// Most windows are told by the first two bytes of their hash not to be looked for.
fn rough(proofs: &HashSet<u64>) -> Vec<bool> {
    let mut rough = vec![false; 1 << 16];
    proofs.iter().for_each(|hash| rough[(hash >> 48) as usize] = true);
    rough
}

/// How many of the proofs are found in these files; files that are not there hold none.
///
/// # Errors
/// A file cannot be read.
pub fn scan(files: &[PathBuf], proofs: &HashSet<u64>) -> Result<u64, StoreError> {
    let mut found = HashSet::new();
    if proofs.is_empty() {
        return Ok(0);
    }
    let rough = rough(proofs);
    for path in files {
        let access = |e: std::io::Error| StoreError::Access { path: path.clone(), why: e.to_string() };
        let mut file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(access(error)),
        };
        let mut bytes = vec![0; READ_BYTES];
        let mut kept = 0;
        loop {
            let read = file.read(&mut bytes[kept..]).map_err(access)?;
            if read == 0 {
                break;
            }
            let filled = kept + read;
            windows(&bytes[..filled], |hash| {
                if rough[(hash >> 48) as usize] && proofs.contains(&hash) {
                    found.insert(hash);
                }
            });
            // What straddles two reads is seen whole in the next.
            kept = filled.min(PROOF_BYTES - 1);
            bytes.copy_within(filled - kept..filled, 0);
        }
    }
    Ok(found.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rolling_hash_is_the_hash_of_its_window() {
        let bytes: Vec<u8> = (0..200_u8).map(|n| n.wrapping_mul(37)).collect();
        let mut rolled = Vec::new();
        windows(&bytes, |hash| rolled.push(hash));
        let direct: Vec<u64> = bytes.windows(PROOF_BYTES).map(|window| hash(window.first_chunk().unwrap())).collect();
        assert_eq!(rolled, direct);
    }

    #[test]
    fn what_straddles_two_reads_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut bytes = vec![0; READ_BYTES + 100];
        bytes[READ_BYTES - 7..READ_BYTES + 9].copy_from_slice(b"0123456789abcdef");
        std::fs::write(&path, &bytes).unwrap();
        let proofs = HashSet::from([hash(b"0123456789abcdef"), hash(b"0123456789abcdeg")]);
        assert_eq!(scan(&[path, folder.path().join("absent")], &proofs).unwrap(), 1);
    }
}
