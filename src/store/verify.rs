//! Whether a store is sound: SQLite's own check, bodies against their digests, histograms against their checksums, the
//! ledger against itself, receipts of erasure against the bytes of the files.

use crate::latency::{Exact, Series};
use crate::store::block;
use crate::store::codec::{self, Size, Unpacking};
use crate::store::error::at;
use crate::store::reader::{BLOCK_BYTES_MAX, unsigned};
use crate::store::{Finding, Soundness, StoreError, Upkeep, erase};
use rusqlite::Row;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;

/// Findings of one kind that are told.
const TOLD_MAX: usize = 20;

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: &'static str, detail: String) {
        match self.0.iter_mut().find(|known| known.what == what) {
            Some(known) if known.details.len() >= TOLD_MAX => known.count += 1,
            Some(known) => {
                known.count += 1;
                known.details.push(detail);
            }
            None => self.0.push(Finding { what, count: 1, details: vec![detail] }),
        }
    }
}

impl Upkeep {
    /// Looks at everything. `backups`: files of backups that are looked through for what was erased.
    ///
    /// # Errors
    /// The file cannot be read at all; damage within it is a finding.
    pub fn verify(&self, backups: &[PathBuf]) -> Result<Soundness, StoreError> {
        let mut found = Findings(Vec::new());
        self.integrity(&mut found)?;
        let dictionaries = self.unpackings()?;
        let bodies = self.bodies(&dictionaries, &mut found)?;
        let captures = self.captures(&dictionaries, &mut found)?;
        let histograms = self.histograms(&mut found)?;
        let ledgers = self.ledgers(&mut found)?;
        let proofs = self.proofs()?;
        let mut files = erase::files(&self.path);
        files.extend_from_slice(backups);
        for file in files {
            let remains = erase::scan(std::slice::from_ref(&file), &proofs)?;
            if remains > 0 {
                found.add("erased", format!("{} of {} proofs are in {}", remains, proofs.len(), file.display()));
            }
        }
        let erasures = self.erasures()?.len() as u64;
        Ok(Soundness { captures, bodies, histograms, ledgers, erasures, findings: found.0 })
    }

    fn integrity(&self, found: &mut Findings) -> Result<(), StoreError> {
        self.each("PRAGMA integrity_check(20)", |row| {
            let line: String = row.get(0)?;
            if line != "ok" {
                found.add("integrity", line);
            }
            Ok(())
        })
    }

    fn unpackings(&self) -> Result<HashMap<i64, Unpacking>, StoreError> {
        let mut all = HashMap::new();
        self.each("SELECT id, bytes FROM dictionaries", |row| {
            if let Some(ready) = Unpacking::new(&row.get::<_, Vec<u8>>(1)?) {
                all.insert(row.get(0)?, ready);
            }
            Ok(())
        })?;
        Ok(all)
    }

    fn bodies(&self, dictionaries: &HashMap<i64, Unpacking>, found: &mut Findings) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each("SELECT id, sha256, size, coding, bytes FROM bodies ORDER BY id", |row| {
            count += 1;
            let (id, digest, coding): (i64, Vec<u8>, i64) = (row.get(0)?, row.get(1)?, row.get(3)?);
            match codec::unpack(coding, Size::Exactly(row.get(2)?), row.get(4)?, dictionaries.get(&coding)) {
                Err(why) => found.add("body", format!("body {id}: {why}")),
                Ok(plain) => {
                    if Sha256::digest(&plain).as_slice() != digest {
                        found.add("body", format!("body {id} is not what its digest says"));
                    }
                }
            }
            Ok(())
        })?;
        Ok(count)
    }

    fn captures(&self, dictionaries: &HashMap<i64, Unpacking>, found: &mut Findings) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each("SELECT seq, coding, block FROM captures ORDER BY seq", |row| {
            count += 1;
            let (seq, coding): (i64, i64) = (row.get(0)?, row.get(1)?);
            let plain = codec::unpack(coding, Size::AtMost(BLOCK_BYTES_MAX), row.get(2)?, dictionaries.get(&coding));
            if let Err(why) = plain.and_then(|plain| block::read(&plain)) {
                found.add("details", format!("details of capture {seq}: {why}"));
            }
            Ok(())
        })?;
        let counts = "SELECT k.id, k.captures, (SELECT count(*) FROM captures c WHERE c.class = k.id) FROM classes k";
        self.each(counts, |row| {
            let (class, said, there): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if said != there {
                found.add("count", format!("class {class} has {there} captures and says {said}"));
            }
            Ok(())
        })?;
        Ok(count)
    }

    fn histograms(&self, found: &mut Findings) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each("SELECT id, n, sum_us, min_us, max_us, crc32, blob FROM hist ORDER BY id", |row| {
            count += 1;
            let exact = Exact {
                n: unsigned(row.get(1)?),
                sum_us: unsigned(row.get(2)?),
                min_us: row.get::<_, Option<i64>>(3)?.map(unsigned),
                max_us: row.get::<_, Option<i64>>(4)?.map(unsigned),
                crc32: row.get(5)?,
            };
            let (id, blob): (i64, Vec<u8>) = (row.get(0)?, row.get(6)?);
            if let Err(error) = Series::decode(&blob, exact) {
                found.add("histogram", format!("row {id} of hist: {error}"));
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Of every run and integration: what arrived is in exactly one state, and what was recorded was once stored.
    fn ledgers(&self, found: &mut Findings) -> Result<u64, StoreError> {
        let mut count = 0;
        let sums = "SELECT l.integration, l.run,
              sum(CASE WHEN l.state = 'arrived' THEN l.count ELSE 0 END),
              sum(CASE WHEN l.state IN ('pending', 'unknown') OR l.state GLOB 'mirrored.*' OR l.state GLOB 'not_mirrored.*'
                THEN l.count ELSE 0 END)
            FROM ledger l GROUP BY l.integration, l.run";
        self.each(sums, |row| {
            count += 1;
            let (integration, run): (String, i64) = (row.get(0)?, row.get(1)?);
            let (arrived, ended): (i64, i64) = (row.get(2)?, row.get(3)?);
            if arrived != ended {
                found.add("ledger", format!("{integration}, run {run}: {arrived} arrived, {ended} are in a state"));
            }
            Ok(())
        })?;
        let stored =
            "SELECT r.id, r.captures, (SELECT sum(l.count) FROM ledger l WHERE l.run = r.id AND l.state = 'recorded')
            FROM runs r";
        self.each(stored, |row| {
            let (run, captures): (i64, i64) = (row.get(0)?, row.get(1)?);
            // Without a ledger there is nothing to compare with: it was kept for its time.
            if let Some(recorded) = row.get::<_, Option<i64>>(2)?.filter(|recorded| *recorded != captures) {
                found.add("ledger", format!("run {run}: {recorded} counted as recorded, {captures} stored"));
            }
            Ok(())
        })?;
        Ok(count)
    }

    fn each(&self, text: &str, mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        let mut statement = self.db.prepare(text).map_err(at(&self.path))?;
        let mut rows = statement.query([]).map_err(at(&self.path))?;
        while let Some(row) = rows.next().map_err(at(&self.path))? {
            read(row).map_err(at(&self.path))?;
        }
        Ok(())
    }
}
