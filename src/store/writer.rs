//! The one writer of a store.

use crate::compare::Verdict;
use crate::exchange::Clock;
use crate::latency::{Series, SeriesKey};
use crate::redact::Recording;
use crate::store::error::at;
use crate::store::insert::{Insert, Memory, signed};
use crate::store::{
    Batch, Connection, LedgerRow, PruneReport, RunInfo, Settings, StoreError, SwitchRow, migrate, prune,
};
use rusqlite::params;
use std::fs::{File, Metadata, TryLockError};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Appends batches and keeps the limits. There is one per file, and for the while of a takeover two that share a lock.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    settings: Settings,
    run: i64,
    memory: Memory,
    /// SQLite's count of what others committed, as of the last transaction.
    others: i64,
    /// Held: the system frees it when the last process that shares it ends in whatever way.
    lock: File,
}

impl Writer {
    /// Opens or makes the store and begins a run. Runs found without a stop are marked as ended by nobody knows what.
    ///
    /// # Errors
    /// [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::OtherHistory`] (the file was not touched);
    /// [`StoreError::Busy`] while another writer lives; what the system and SQLite say.
    pub fn open(settings: &Settings, run: RunInfo) -> Result<Self, StoreError> {
        let path = settings.path.as_path();
        migrate::is_ours(path)?;
        let lock = lock(path)?;
        let db = migrate::open_to_write(path)?;
        db.execute("UPDATE runs SET ended_unknown = 1 WHERE stopped_us IS NULL AND ended_unknown = 0", [])
            .map_err(at(path))?;
        Self::begin(db, settings, run, lock)
    }

    /// Opens the store beside the writer of the process that this one takes over from, which shares its lock and is about
    /// to close. Both append for that while, each to its own run.
    ///
    /// # Errors
    /// As [`Writer::open`], but that the lock is not the one beside the file is [`StoreError::Access`].
    pub fn open_beside(settings: &Settings, run: RunInfo, lock: OwnedFd) -> Result<Self, StoreError> {
        let path = settings.path.as_path();
        let access = |why: String| StoreError::Access { path: path.into(), why };
        let lock = File::from(lock);
        let identity = |found: Metadata| (found.dev(), found.ino());
        let given = lock.metadata().map(identity).map_err(|e| access(e.to_string()))?;
        let beside = lock_path(path).metadata().map(identity).map_err(|e| access(e.to_string()))?;
        if given != beside || lock.try_lock().is_err() {
            return Err(access("the lock that was handed over is not the one of this store".to_owned()));
        }
        let db = migrate::open_to_write(path)?;
        Self::begin(db, settings, run, lock)
    }

    fn begin(db: Connection, settings: &Settings, run: RunInfo, lock: File) -> Result<Self, StoreError> {
        let path = settings.path.as_path();
        db.execute(
            "INSERT INTO runs (instance, config_hash, version, started_us) VALUES (?1, ?2, ?3, ?4)",
            params![run.instance, run.config_hash, run.version, run.started_unix_us],
        )
        .map_err(at(path))?;
        let id = db.last_insert_rowid();
        let (memory, others) = (Memory::default(), others(&db, path)?);
        Ok(Self { db, settings: settings.clone(), run: id, memory, others, lock })
    }

    /// A duplicate of the lock, for [`Writer::open_beside`] of the process that takes over.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn share_lock(&self) -> std::io::Result<OwnedFd> {
        self.lock.try_clone().map(OwnedFd::from)
    }

    /// The number of this run.
    pub fn run(&self) -> i64 {
        self.run
    }

    /// Stores a batch in one transaction: all of it or, on an error, none.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Busy`], and what else SQLite says; the batch may be tried again.
    pub fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let captures: Vec<_> = batch.captures.iter().map(|(recording, verdict)| (&**recording, verdict)).collect();
        self.append_parts(&captures, batch)
    }

    /// The captures are apart so that the tests of this room can hand in what redaction would not let through.
    pub(in crate::store) fn append_parts(
        &mut self,
        captures: &[(&Recording, &Verdict)],
        batch: &Batch,
    ) -> Result<(), StoreError> {
        let done = self.transaction(captures, batch);
        if done.is_err() {
            self.memory.clear();
        }
        done
    }

    fn transaction(&mut self, captures: &[(&Recording, &Verdict)], batch: &Batch) -> Result<(), StoreError> {
        let path = self.settings.path.as_path();
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at(path))?;
        // Within the transaction, so that it holds until the commit: what another writer pruned is not to be referred to.
        let others = others(&tx, path)?;
        if others != self.others {
            self.others = others;
            self.memory.clear();
        }
        let mut insert = Insert { db: &tx, path, run: self.run, memory: &mut self.memory };
        for (recording, verdict) in captures {
            insert.recording(recording, verdict)?;
        }
        insert.hit_totals()?;
        for (key, t0, series) in &batch.series {
            store_series(&insert, key, *t0, series)?;
        }
        for row in &batch.ledger {
            store_ledger(&insert, row)?;
        }
        for row in &batch.switches {
            store_switch(&insert, row)?;
        }
        let newest = captures.iter().map(|(recording, _)| recording.capture.received_unix_us).max();
        if let Some(newest) = newest {
            let text =
                "UPDATE runs SET captures = captures + ?2, last_capture_us = max(coalesce(last_capture_us, ?3), ?3)
                WHERE id = ?1";
            insert.run(text, params![self.run, captures.len() as i64, newest])?;
        }
        tx.commit().map_err(at(path))
    }

    /// Removes what is older or more than the settings allow, in bounded steps. `now_unix_us`: microseconds since the
    /// Unix epoch. Call again while the report says `more`.
    ///
    /// # Errors
    /// What SQLite says; what was removed before stays removed.
    pub fn prune(&mut self, now_unix_us: i64) -> Result<PruneReport, StoreError> {
        // A body row found through the memory may be gone after this.
        self.memory.clear();
        prune::prune(&mut self.db, &self.settings, now_unix_us)
    }

    /// Marks the run's stop and checkpoints the write-ahead log into the file.
    ///
    /// # Errors
    /// What SQLite says; everything appended is stored regardless.
    pub fn close(self) -> Result<(), StoreError> {
        let path = self.settings.path.clone();
        self.db
            .execute("UPDATE runs SET stopped_us = ?2 WHERE id = ?1", params![self.run, Clock.unix_us()])
            .map_err(at(&path))?;
        let newest: i64 = self.db.query_row("SELECT max(id) FROM runs", [], |row| row.get(0)).map_err(at(&path))?;
        // A reader may hold the log open; then it is merged later. That is no failure. A writer that took over is not to
        // wait for us, and merges the rest itself.
        let checkpoint = match newest == self.run {
            true => "PRAGMA wal_checkpoint(TRUNCATE)",
            false => "PRAGMA wal_checkpoint(PASSIVE)",
        };
        let _: i64 = self.db.query_row(checkpoint, [], |row| row.get(0)).map_err(at(&path))?;
        self.db.close().map_err(|(_, e)| at(&path)(e))
    }
}

/// Changes with every commit of another connection, and only then.
fn others(db: &Connection, path: &Path) -> Result<i64, StoreError> {
    db.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(at(path))
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

/// The lock beside the file that makes a second writer impossible.
fn lock(path: &Path) -> Result<File, StoreError> {
    let access = |e: std::io::Error| StoreError::Access { path: path.into(), why: e.to_string() };
    let file = File::options().create(true).truncate(false).write(true).open(lock_path(path)).map_err(access)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: path.into() }),
        Err(TryLockError::Error(e)) => Err(access(e)),
    }
}

fn store_series(insert: &Insert<'_>, key: &SeriesKey, t0: i64, series: &Series) -> Result<(), StoreError> {
    let (role, outcome, phase) = (key.role.code(), key.outcome.code(), key.phase.code());
    insert.run(
        "INSERT INTO series (integration, endpoint, role, outcome, phase) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![&*key.integration, &*key.endpoint, role, outcome, phase],
    )?;
    let blob = series.encode();
    let exact = series.exact(&blob);
    insert.run(
        "INSERT INTO hist (series, t0, run, n, sum_us, min_us, max_us, crc32, blob)
         SELECT id, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM series
         WHERE integration = ?1 AND endpoint = ?2 AND role = ?3 AND outcome = ?4 AND phase = ?5
         ON CONFLICT (series, t0, run) DO UPDATE SET n = excluded.n, sum_us = excluded.sum_us,
           min_us = excluded.min_us, max_us = excluded.max_us, crc32 = excluded.crc32, blob = excluded.blob",
        params![
            &*key.integration,
            &*key.endpoint,
            role,
            outcome,
            phase,
            t0,
            insert.run,
            signed(exact.n),
            signed(exact.sum_us),
            exact.min_us.map(signed),
            exact.max_us.map(signed),
            exact.crc32,
            blob,
        ],
    )
}

fn store_ledger(insert: &Insert<'_>, row: &LedgerRow) -> Result<(), StoreError> {
    insert.run(
        "INSERT INTO ledger (integration, state, run, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (integration, state, run) DO UPDATE SET count = excluded.count",
        params![row.integration, row.state, insert.run, signed(row.count)],
    )
}

fn store_switch(insert: &Insert<'_>, row: &SwitchRow) -> Result<(), StoreError> {
    insert.run(
        "INSERT INTO switches (integration, is_on, sample_ppm, revision, who, reason, at_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![row.integration, row.on, row.sample_ppm, signed(row.revision), row.who, row.reason, row.at_unix_us],
    )
}
