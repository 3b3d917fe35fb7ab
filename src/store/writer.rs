//! The one writer of a store.

use crate::exchange::{Clock, Courtesy};
use crate::latency::{Series, SeriesKey};
use crate::store::checkpoint::Checkpoints;
use crate::store::codec::{Dictionary, FIRST_DICTIONARY, Packer};
use crate::store::error::at;
use crate::store::insert::{Hot, Insert, Memory, signed};
use crate::store::prepare::Shared;
use crate::store::prune::{Pruning, Sweep};
use crate::store::{
    Batch, Connection, LedgerRow, Prepared, Preparer, PruneReport, RunInfo, Settings, StoreError, SwitchRow,
    TrainedDictionary, dead, lock, migrate,
};
use rusqlite::params;
use sha2::{Digest, Sha256};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// The state of what is in no end state yet.
const PENDING: &str = "pending";
/// The interval of what is recorded, seconds; older ones are rolled up.
const INTERVAL_S: i64 = 600;

/// Appends batches and keeps the limits. There is one per file, and for the while of a takeover two that share a lock.
pub struct Writer {
    db: Connection,
    settings: Settings,
    info: RunInfo,
    run: i64,
    memory: Memory,
    shared: Arc<Shared>,
    packer: Packer,
    checkpoints: Checkpoints,
    /// SQLite's count of what others committed, as of the last transaction.
    others: i64,
    /// The file that was opened.
    file: lock::Identity,
    lock: lock::Lock,
    /// Where the search for bytes stands.
    sweep: Option<Sweep>,
    /// The connection failed: it is made anew before the next transaction.
    broken: bool,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({}, run {})", self.settings.path.display(), self.run)
    }
}

impl Writer {
    /// Opens or makes the store and begins a run. Of runs found without a stop the gap is noted: what they had not
    /// committed is lost, and calls they had announced may have been processed or not.
    ///
    /// # Errors
    /// [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::OtherHistory`] (the file was not touched);
    /// [`StoreError::Busy`] while another writer lives; what the system and SQLite say.
    pub fn open(settings: &Settings, run: RunInfo) -> Result<Self, StoreError> {
        let path = settings.path.as_path();
        migrate::is_ours(path)?;
        let lock = lock::Lock::take(path)?;
        let mut db = migrate::open_to_write(path)?;
        let dead = dead::close_runs(&mut db, path)?;
        let mut writer = Self::begin(db, settings, run, lock)?;
        dead.into_iter().try_for_each(|run| writer.store_unknown_calls(run))?;
        Ok(writer)
    }

    /// What a run had announced, and nobody knows the end of.
    fn store_unknown_calls(&mut self, dead: i64) -> Result<(), StoreError> {
        let path = self.settings.path.clone();
        let calls = dead::unknown_calls(&self.db, &path, dead)?;
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at(&path))?;
        let mut insert = Insert {
            hot: Hot::new(&tx, &path)?,
            db: &tx,
            path: &path,
            run: dead,
            memory: &mut self.memory,
            shared: &self.shared,
            packer: &mut self.packer,
        };
        for call in &calls {
            insert.capture(call)?;
        }
        insert.totals()?;
        insert.run("DELETE FROM intents WHERE run = ?1", [dead])?;
        drop(insert);
        tx.commit().map_err(at(&path))?;
        if !calls.is_empty() {
            tracing::warn!(
                run = dead,
                calls = calls.len(),
                "calls were in flight when the run before this one died: the new provider may have processed them;                  see darklaunch recordings list --outcome unknown"
            );
        }
        Ok(())
    }

    /// Opens the store beside the writer of the process that this one takes over from, which shares its lock and is about
    /// to close. Both append for that while, each to its own run.
    ///
    /// # Errors
    /// As [`Writer::open`], but that the lock is not the one beside the file is [`StoreError::Access`].
    pub fn open_beside(settings: &Settings, run: RunInfo, lock: OwnedFd) -> Result<Self, StoreError> {
        let path = settings.path.as_path();
        let lock = lock::Lock::shared(path, lock)?;
        Self::begin(migrate::open_to_write(path)?, settings, run, lock)
    }

    fn begin(db: Connection, settings: &Settings, info: RunInfo, lock: lock::Lock) -> Result<Self, StoreError> {
        let path = settings.path.as_path();
        let run = begin_run(&db, path, &info, &settings.limits)?;
        let shared = Arc::<Shared>::default();
        load_dictionaries(&db, path, &shared)?;
        Ok(Self {
            others: others(&db, path)?,
            file: lock::identity(path)?,
            checkpoints: Checkpoints::new(path),
            db,
            settings: settings.clone(),
            info,
            run,
            memory: Memory::default(),
            shared,
            packer: Packer::default(),
            lock,
            sweep: None,
            broken: false,
        })
    }

    /// A duplicate of the lock, for [`Writer::open_beside`] of the process that takes over.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn share_lock(&self) -> std::io::Result<OwnedFd> {
        self.lock.duplicate()
    }

    /// The number of this run.
    pub fn run(&self) -> i64 {
        self.run
    }

    /// Tools to make captures ready for this writer, for one thread.
    pub fn preparer(&self) -> Preparer {
        Preparer::new(Arc::clone(&self.shared))
    }

    /// Stores a batch in one transaction: all of it or, on an error, none. After an error of the file the next call opens
    /// it anew; one that was deleted is made again, with a new run.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Busy`], [`StoreError::Gone`], and what else SQLite says; the batch may be tried
    /// again.
    pub fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let fresh: Vec<Prepared> = match &*batch.captures {
            [] => Vec::new(),
            captures => {
                let mut preparer = self.preparer();
                captures.iter().map(|(one, verdict)| preparer.with_verdict(one, verdict.clone())).collect()
            }
        };
        let done = self.open_again().and_then(|()| self.transaction(&fresh, batch));
        match &done {
            Ok(ids) => {
                for (made, id) in batch.dictionaries.iter().zip(ids) {
                    if let Some(ready) = Dictionary::new(*id, &made.bytes) {
                        self.shared.dictionaries.use_from_now(Arc::clone(&made.integration), Arc::new(ready));
                    }
                }
            }
            Err(error) => {
                self.forget();
                self.broken |= !matches!(error, StoreError::Full { .. } | StoreError::Busy { .. });
            }
        }
        done.map(drop)
    }

    /// Row numbers may be gone.
    fn forget(&mut self) {
        self.memory.forget();
        self.shared.window.clear();
    }

    /// What is wrong with the file although batches are stored: its log cannot be moved into it.
    pub fn trouble(&self) -> Option<StoreError> {
        self.checkpoints.trouble()
    }

    /// Sees whether the file is still the one that was opened, and opens it again where that is needed.
    fn open_again(&mut self) -> Result<(), StoreError> {
        let path = self.settings.path.clone();
        let now = lock::identity(&path);
        let same = now.as_ref().is_ok_and(|now| *now == self.file);
        if same && !self.broken {
            return Ok(());
        }
        if !same && !self.broken {
            // Once, so that it is said: what was stored is in a file that nobody can find any more.
            return Err(StoreError::Gone { path });
        }
        migrate::is_ours(&path)?;
        if !self.lock.is_beside(&path) {
            self.lock = lock::Lock::take(&path)?;
        }
        let db = migrate::open_to_write(&path)?;
        if !same {
            self.run = begin_run(&db, &path, &self.info, &self.settings.limits)?;
            self.memory.intents.clear();
            tracing::warn!(path = %path.display(), "the store was deleted or replaced; recording goes on in a new file");
        }
        // The file may be another, without the dictionaries of the one before.
        load_dictionaries(&db, &path, &self.shared)?;
        self.checkpoints = Checkpoints::new(&path);
        self.file = lock::identity(&path)?;
        self.others = others(&db, &path)?;
        self.db = db;
        self.broken = false;
        Ok(())
    }

    /// The numbers of the dictionaries.
    fn transaction(&mut self, fresh: &[Prepared], batch: &Batch) -> Result<Vec<i64>, StoreError> {
        let path = self.settings.path.as_path();
        if !batch.intents.is_empty() {
            // An intent is a promise to the provider: it must outlive a power cut, not only the process.
            self.db.execute_batch("PRAGMA synchronous = FULL").map_err(at(path))?;
        }
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at(path))?;
        // Within the transaction, so that it holds until the commit: what another writer pruned is not to be referred to.
        if forget_if_others_wrote(&tx, path, &mut self.others, &mut self.memory, &self.shared)? {
            load_dictionaries(&tx, path, &self.shared)?;
        }
        let mut insert = Insert {
            hot: Hot::new(&tx, path)?,
            db: &tx,
            path,
            run: self.run,
            memory: &mut self.memory,
            shared: &self.shared,
            packer: &mut self.packer,
        };
        let (mut count, mut newest, mut courtesy) = (0_i64, None, Courtesy::new(Clock));
        for one in fresh.iter().chain(batch.prepared.iter().flatten()) {
            insert.capture(one)?;
            count += 1;
            newest = newest.max(Some(one.received_us));
            courtesy.give_way();
        }
        insert.totals()?;
        for intent in &batch.intents {
            insert.intent(intent)?;
        }
        for (key, t0, series) in &batch.series {
            store_series(&insert, key, *t0, series)?;
        }
        for row in &batch.ledger {
            store_ledger(&insert, batch.ledger_interval_unix_s, row)?;
        }
        for row in &batch.switches {
            store_switch(&insert, row)?;
        }
        let ids = batch.dictionaries.iter().map(|made| store_dictionary(&insert, made)).collect::<Result<_, _>>()?;
        let text = "UPDATE runs SET captures = captures + ?2, last_capture_us = coalesce(?3, last_capture_us),
            last_commit_us = ?4 WHERE id = ?1";
        insert.run(text, params![self.run, count, newest, Clock.unix_us()])?;
        drop(insert);
        tx.commit().map_err(at(path))?;
        if !batch.intents.is_empty() {
            // Should it fail, commits stay durable one by one: slower, and no reason to call the batch lost.
            let _slower = self.db.execute_batch("PRAGMA synchronous = NORMAL");
        }
        self.checkpoints.committed(&self.db);
        Ok(ids)
    }

    /// Removes what is older or more than the settings allow, in bounded steps. `now_unix_us`: microseconds since the
    /// Unix epoch. Call again while the report says `more`.
    ///
    /// # Errors
    /// What SQLite says; what was removed before stays removed.
    pub fn prune(&mut self, now_unix_us: i64) -> Result<PruneReport, StoreError> {
        let (report, newest_body) = Pruning::new(&mut self.db, &self.settings, &mut self.sweep).run(now_unix_us)?;
        self.shared.window.forget_up_to(newest_body);
        Ok(report)
    }

    /// Marks the run's stop and checkpoints the write-ahead log into the file.
    ///
    /// # Errors
    /// What SQLite says; everything appended is stored regardless.
    pub fn close(mut self) -> Result<(), StoreError> {
        let path = self.settings.path.clone();
        if !self.memory.intents.is_empty() {
            // Announced, and the answer was lost on the way: as little is known of them as after a crash.
            self.store_unknown_calls(self.run)?;
        }
        drop(self.checkpoints);
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

fn begin_run(db: &Connection, path: &Path, info: &RunInfo, limits: &str) -> Result<i64, StoreError> {
    let text = "INSERT INTO runs (instance, config_hash, version, started_us, limits) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![info.instance, info.config_hash, info.version, info.started_unix_us, limits];
    db.execute(text, values).map_err(at(path))?;
    Ok(db.last_insert_rowid())
}

fn load_dictionaries(db: &Connection, path: &Path, shared: &Shared) -> Result<(), StoreError> {
    // The last one of an integration stays.
    let newest = "SELECT id, integration, bytes FROM dictionaries ORDER BY id";
    let mut statement = db.prepare_cached(newest).map_err(at(path))?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?.into(), row.get(2)?));
    let rows = statement.query_map([], read).map_err(at(path))?;
    shared.dictionaries.are_now(rows.collect::<rusqlite::Result<_>>().map_err(at(path))?);
    Ok(())
}

/// Changes with every commit of another connection, and only then.
pub fn others(db: &Connection, path: &Path) -> Result<i64, StoreError> {
    db.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(at(path))
}

/// Forgets what is remembered of the file if another connection committed since, and tells whether one did. Called within
/// a transaction, it holds until the commit.
pub fn forget_if_others_wrote(
    db: &Connection,
    path: &Path,
    known: &mut i64,
    memory: &mut Memory,
    shared: &Shared,
) -> Result<bool, StoreError> {
    let now = others(db, path)?;
    let wrote = now != *known;
    if wrote {
        *known = now;
        memory.forget();
        shared.window.clear();
    }
    Ok(wrote)
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
           min_us = excluded.min_us, max_us = excluded.max_us, crc32 = excluded.crc32, blob = excluded.blob
           WHERE dur_s = excluded.dur_s",
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

fn store_ledger(insert: &Insert<'_>, t0: i64, row: &LedgerRow) -> Result<(), StoreError> {
    // What is pending is so now, not in an interval.
    let (t0, dur_s) = if row.state == PENDING { (0, 0) } else { (t0, INTERVAL_S) };
    insert.run(
        "INSERT INTO ledger (integration, t0, state, run, dur_s, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (integration, t0, state, run) DO UPDATE SET count = excluded.count WHERE dur_s = excluded.dur_s",
        params![row.integration, t0, row.state, insert.run, dur_s, signed(row.count)],
    )
}

fn store_switch(insert: &Insert<'_>, row: &SwitchRow) -> Result<(), StoreError> {
    insert.run(
        "INSERT INTO switches (integration, is_on, sample_ppm, revision, who, reason, at_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![row.integration, row.on, row.sample_ppm, signed(row.revision), row.who, row.reason, row.at_unix_us],
    )
}

/// Its number.
pub fn store_dictionary(insert: &Insert<'_>, made: &TrainedDictionary) -> Result<i64, StoreError> {
    let digest = Sha256::digest(&made.bytes);
    let next = "SELECT coalesce(max(id) + 1, ?1) FROM dictionaries";
    let id = insert.db.query_row(next, [FIRST_DICTIONARY], |row| row.get(0)).map_err(at(insert.path))?;
    insert.run(
        "INSERT INTO dictionaries (id, integration, made_us, sha256, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, &*made.integration, Clock.unix_us(), digest.as_slice(), made.bytes],
    )?;
    Ok(id)
}
