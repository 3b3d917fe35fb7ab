//! Many machines' files into one: captures by id, latencies and ledger by run and interval, each once however often it is
//! repeated. What was erased in one of them does not come back from another.

use crate::compare::NO_SHAPE;
use crate::exchange::Outcome;
use crate::store::block;
use crate::store::codec::{FIRST_DICTIONARY, Packed, Packer, Size, Unpacking};
use crate::store::error::at;
use crate::store::insert::{Hot, Insert, Memory};
use crate::store::prepare::{Body, Content, Part, Prepared, Shared, Side};
use crate::store::prune::in_transaction;
use crate::store::reader::{BLOCK_BYTES_MAX, unsigned};
use crate::store::{Connection, Merged, StoreError, Upkeep, codec, erase, migrate};
use http::Method;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, Transaction, params, params_from_iter};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Captures of one transaction.
const STEP_ROWS: i64 = 1_000;

/// What a capture of the source is made of, in the order of its id.
const CAPTURES: &str =
    "SELECT c.seq, c.id, c.run, i.name, e.name, r.hash, c.received_us, c.method, c.target, c.verdict,
    k.shape, h.rules, c.coding, c.block, s.digests,
    c.body, c.body_seen, c.body_drop, c.p_body, c.p_body_seen, c.p_body_drop, c.s_body, c.s_body_seen, c.s_body_drop,
    c.p_after_us, c.p_status, c.p_outcome, c.p_failure, c.p_queue_wait_us, c.p_connect_us, c.p_ttfb_us, c.p_total_us,
    c.s_after_us, c.s_status, c.s_outcome, c.s_failure, c.s_queue_wait_us, c.s_connect_us, c.s_ttfb_us, c.s_total_us
    FROM captures c JOIN classes k ON k.id = c.class JOIN endpoints e ON e.id = k.endpoint
    JOIN integrations i ON i.id = k.integration JOIN rule_sets r ON r.id = c.rule_set
    JOIN hit_sets h ON h.id = c.hit_set LEFT JOIN subjects s ON s.capture = c.seq
    WHERE c.id > ?1 ORDER BY c.id LIMIT ?2";

/// Positions in it.
const BODIES: [usize; 3] = [15, 18, 21];
const PRIMARY: usize = 24;
const SHADOW: usize = 32;

/// A file that is merged into another.
struct Source<'a> {
    db: &'a Connection,
    path: &'a Path,
    /// Its runs and dictionaries, by what they are in the target.
    runs: HashMap<i64, i64>,
    codings: HashMap<i64, i64>,
    unpackings: HashMap<i64, Unpacking>,
}

impl Upkeep {
    /// Adds everything of the file at `from`.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::BadRow`] where a row of `from` is damaged, what SQLite says; what was added
    /// before stays, and adding it again changes nothing.
    pub fn merge(&mut self, from: &Path) -> Result<Merged, StoreError> {
        let db = migrate::open_to_read(from)?;
        let mut merged = Merged::default();
        let mut source =
            Source { db: &db, path: from, runs: HashMap::new(), codings: HashMap::new(), unpackings: HashMap::new() };
        let path = self.path.clone();
        in_transaction(&mut self.db, &path, |tx| {
            source.runs = source.take_runs(tx)?;
            source.take_dictionaries(tx)?;
            source.take_erasures(tx)
        })?;
        self.remove_erased(&source, &mut merged)?;
        let mut memory = Memory::default();
        let shared = Shared::default();
        let erased = self.proofs()?;
        let mut after = vec![0_u8; 16];
        loop {
            let step = source.step(&after)?;
            let Some(last) = step.last() else { break };
            after = last.1.id.to_vec();
            merged.looked_at += step.len() as u64;
            merged.captures += self.add(&step, &mut memory, &shared, &erased)?;
        }
        in_transaction(&mut self.db, &path, |tx| {
            merged.histograms = source.take_histograms(tx)?;
            source.take_hits(tx)?;
            source.take_ledger(tx)?;
            source.take_switches(tx)
        })?;
        Ok(merged)
    }

    /// Captures that are here and were erased there.
    fn remove_erased(&mut self, source: &Source<'_>, merged: &mut Merged) -> Result<(), StoreError> {
        let theirs: HashSet<u64> = self.proofs()?;
        if theirs.is_empty() {
            return Ok(());
        }
        let mut doomed = Vec::new();
        {
            let mut statement = self.db.prepare("SELECT seq, id FROM captures ORDER BY seq").map_err(at(&self.path))?;
            let mut rows = statement.query([]).map_err(at(&self.path))?;
            while let Some(row) = rows.next().map_err(at(&self.path))? {
                let id: Vec<u8> = row.get(1).map_err(at(&self.path))?;
                if is_erased(&id, &theirs) {
                    doomed.push(row.get::<_, i64>(0).map_err(at(&self.path))?);
                }
            }
        }
        if !doomed.is_empty() {
            tracing::info!(from = %source.path.display(), captures = doomed.len(), "erased there, so erased here");
            self.db.execute_batch("PRAGMA secure_delete = ON").map_err(at(&self.path))?;
            let gone = in_transaction(&mut self.db, &self.path, |tx| crate::store::prune::remove(tx, &doomed))?;
            merged.erased += gone.captures;
        }
        Ok(())
    }

    fn add(
        &mut self,
        step: &[(i64, Prepared)],
        memory: &mut Memory,
        shared: &Shared,
        erased: &HashSet<u64>,
    ) -> Result<u64, StoreError> {
        let path = self.path.clone();
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at(&path))?;
        let mut insert = Insert {
            hot: Hot::new(&tx, &path)?,
            db: &tx,
            path: &path,
            run: 0,
            memory,
            shared,
            packer: &mut Packer::default(),
        };
        let mut added: BTreeMap<i64, i64> = BTreeMap::new();
        for (run, one) in step {
            let known = "SELECT 1 FROM captures WHERE id = ?1";
            let known = tx.prepare_cached(known).and_then(|mut it| it.exists([one.id.as_slice()]));
            if known.map_err(at(&path))? || is_erased(&one.id, erased) {
                continue;
            }
            insert.run = *run;
            insert.capture(one)?;
            *added.entry(*run).or_default() += 1;
        }
        insert.totals()?;
        drop(insert);
        tx.commit().map_err(at(&path))?;
        Ok(added.values().sum::<i64>() as u64)
    }
}

fn is_erased(id: &[u8], proofs: &HashSet<u64>) -> bool {
    !proofs.is_empty() && id.first_chunk().is_some_and(|id| proofs.contains(&erase::hash(id)))
}

impl Source<'_> {
    fn step(&self, after: &[u8]) -> Result<Vec<(i64, Prepared)>, StoreError> {
        let said = at(self.path);
        let mut statement = self.db.prepare_cached(CAPTURES).map_err(&said)?;
        let mut rows = statement.query(params![after, STEP_ROWS]).map_err(&said)?;
        let mut step = Vec::new();
        while let Some(row) = rows.next().map_err(&said)? {
            let run: i64 = row.get(2).map_err(&said)?;
            step.push((self.runs.get(&run).copied().unwrap_or_default(), self.prepared(row)?));
        }
        Ok(step)
    }

    fn prepared(&self, row: &Row<'_>) -> Result<Prepared, StoreError> {
        let said = at(self.path);
        let seq: i64 = row.get(0).map_err(&said)?;
        let bad = |why: String| StoreError::BadRow { table: "captures", id: seq, why };
        let details = self.details(row).map_err(&said)?.map_err(bad)?;
        let read = || -> rusqlite::Result<Prepared> {
            let id: Vec<u8> = row.get(1)?;
            let name = |at: usize| -> rusqlite::Result<Arc<str>> { Ok(row.get::<_, String>(at)?.into()) };
            let [body, p_body, s_body] = BODIES.map(|first| self.part(row, first));
            Ok(Prepared {
                id: id.try_into().unwrap_or_default(),
                integration: name(3)?,
                endpoint: name(4)?,
                rules: name(5)?,
                received_us: row.get(6)?,
                method: Method::from_str(&row.get::<_, String>(7)?).unwrap_or_default(),
                target: row.get(8)?,
                verdict: row.get::<_, String>(9)?.into(),
                body: body?,
                primary: side(row, PRIMARY, p_body?)?,
                shadow: side(row, SHADOW, s_body?)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
                shape: u64::try_from(row.get::<_, i64>(10)?).unwrap_or(NO_SHAPE),
                // Counted as totals of their runs, those of pruned captures among them.
                hits: Vec::new(),
                hit_set: row.get(11)?,
                details,
                subjects: row.get::<_, Option<Vec<u8>>>(14)?.unwrap_or_default(),
            })
        };
        read().map_err(said)
    }

    /// The block as the target stores it.
    fn details(&self, row: &Row<'_>) -> rusqlite::Result<Result<Packed, String>> {
        let (coding, packed): (i64, Vec<u8>) = (row.get(12)?, row.get(13)?);
        let stored: Box<[u8]> = packed.as_slice().into();
        let read = codec::unpack(coding, Size::AtMost(BLOCK_BYTES_MAX), packed, self.unpackings.get(&coding))
            .and_then(|plain| block::read(&plain));
        Ok(read.map(|_| (self.coding(coding), stored)))
    }

    fn coding(&self, coding: i64) -> i64 {
        self.codings.get(&coding).copied().unwrap_or(coding)
    }

    fn part(&self, row: &Row<'_>, first: usize) -> rusqlite::Result<Part> {
        let seen = unsigned(row.get::<_, Option<i64>>(first + 1)?.unwrap_or_default());
        let mut part = Part { seen, dropped: row.get(first + 2)?, body: None, pruned: false };
        let Some(body) = row.get::<_, Option<i64>>(first)? else { return Ok(part) };
        let mut find = self.db.prepare_cached("SELECT sha256, size, coding, bytes FROM bodies WHERE id = ?1")?;
        let found = find.query_row([body], |row| {
            let (digest, size): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
            let bytes: Vec<u8> = row.get(3)?;
            let packed = Content::Packed(self.coding(row.get(2)?), bytes.into());
            let digest = digest.try_into().unwrap_or_default();
            Ok(Body { digest, size: usize::try_from(size).unwrap_or_default(), bytes: packed })
        });
        part.body = found.optional()?;
        part.pruned = part.body.is_none();
        Ok(part)
    }

    /// A run is known by who recorded, when and how.
    fn take_runs(&self, tx: &Transaction<'_>) -> rusqlite::Result<HashMap<i64, i64>> {
        let all = "SELECT id, instance, config_hash, version, started_us, stopped_us, ended_unknown, captures,
            last_capture_us, limits, last_commit_us FROM runs ORDER BY id";
        let mut runs = HashMap::new();
        let mut statement = self.db.prepare(all)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<Value> = (1..11).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
            let find =
                "SELECT id FROM runs WHERE instance = ?1 AND config_hash = ?2 AND version = ?3 AND started_us = ?4";
            let found =
                tx.prepare_cached(find)?.query_row(params_from_iter(&values[..4]), |row| row.get(0)).optional()?;
            let run = match found {
                Some(run) => {
                    // It may have gone on since it was taken last.
                    let text = "UPDATE runs SET stopped_us = ?2, ended_unknown = ?3, captures = max(captures, ?4),
                        last_capture_us = ?5, last_commit_us = ?7 WHERE id = ?1 AND ?6 IS NOT NULL";
                    let more = std::iter::once(Value::Integer(run)).chain(values[4..].iter().cloned());
                    tx.prepare_cached(text)?.execute(params_from_iter(more))?;
                    run
                }
                None => {
                    let text =
                        "INSERT INTO runs (instance, config_hash, version, started_us, stopped_us, ended_unknown,
                        captures, last_capture_us, limits, last_commit_us)
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
                    tx.prepare_cached(text)?.execute(params_from_iter(&values))?;
                    tx.last_insert_rowid()
                }
            };
            runs.insert(row.get(0)?, run);
        }
        let mut gaps = self.db.prepare("SELECT run, from_us, to_us, pending FROM gaps")?;
        let mut rows = gaps.query([])?;
        while let Some(row) = rows.next()? {
            let Some(run) = runs.get(&row.get::<_, i64>(0)?) else { continue };
            let text = "INSERT INTO gaps (run, from_us, to_us, pending) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let (from, to, pending): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            tx.execute(text, [*run, from, to, pending])?;
        }
        Ok(runs)
    }

    fn take_dictionaries(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare("SELECT id, integration, made_us, sha256, bytes FROM dictionaries")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, integration, made): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (digest, bytes): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
            let find = "SELECT id FROM dictionaries WHERE sha256 = ?1";
            let known: Option<i64> = tx.query_row(find, [&digest], |row| row.get(0)).optional()?;
            let here = match known {
                Some(here) => here,
                None => {
                    let text = "INSERT INTO dictionaries (id, integration, made_us, sha256, bytes)
                        SELECT coalesce(max(id) + 1, ?1), ?2, ?3, ?4, ?5 FROM dictionaries";
                    tx.execute(text, params![FIRST_DICTIONARY, integration, made, digest, bytes])?;
                    tx.last_insert_rowid()
                }
            };
            self.codings.insert(id, here);
            if let Some(ready) = Unpacking::new(&bytes) {
                self.unpackings.insert(id, ready);
            }
        }
        Ok(())
    }

    fn take_erasures(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let text = "INSERT INTO erasures (at_us, who, captures, bodies, proofs) SELECT ?1, ?2, ?3, ?4, ?5
            WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE at_us = ?1 AND who = ?2 AND proofs = ?5)";
        self.copy("SELECT at_us, who, captures, bodies, proofs FROM erasures ORDER BY id", 5, |values| {
            tx.prepare_cached(text)?.execute(params_from_iter(values)).map(drop)
        })
    }

    fn take_switches(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let text = "INSERT INTO switches (integration, is_on, sample_ppm, revision, who, reason, at_us)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM switches
            WHERE integration = ?1 AND revision = ?4 AND at_us = ?7)";
        let all = "SELECT integration, is_on, sample_ppm, revision, who, reason, at_us FROM switches ORDER BY id";
        self.copy(all, 7, |values| tx.prepare_cached(text)?.execute(params_from_iter(values)).map(drop))
    }

    /// Rows of a run and interval replace themselves, and what a longer interval holds is not added to it again.
    fn take_histograms(&self, tx: &Transaction<'_>) -> rusqlite::Result<u64> {
        let series = "INSERT INTO series (integration, endpoint, role, outcome, phase) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO NOTHING";
        let find = "SELECT id FROM series WHERE integration = ?1 AND endpoint = ?2 AND role = ?3 AND outcome = ?4
            AND phase = ?5";
        let longer =
            "SELECT 1 FROM hist WHERE series = ?1 AND run = ?2 AND dur_s > ?3 AND t0 <= ?4 AND t0 + dur_s > ?4";
        let shorter = "DELETE FROM hist WHERE series = ?1 AND run = ?2 AND dur_s < ?3 AND t0 >= ?4 AND t0 < ?4 + ?3";
        let insert = "INSERT INTO hist (series, t0, run, dur_s, n, sum_us, min_us, max_us, crc32, blob)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            ON CONFLICT (series, t0, run) DO UPDATE SET dur_s = excluded.dur_s, n = excluded.n, sum_us = excluded.sum_us,
              min_us = excluded.min_us, max_us = excluded.max_us, crc32 = excluded.crc32, blob = excluded.blob
              WHERE excluded.n >= n";
        let all = "SELECT s.integration, s.endpoint, s.role, s.outcome, s.phase, h.t0, h.run, h.dur_s, h.n, h.sum_us,
            h.min_us, h.max_us, h.crc32, h.blob FROM hist h JOIN series s ON s.id = h.series ORDER BY h.id";
        let mut count = 0;
        self.copy(all, 14, |values| {
            tx.prepare_cached(series)?.execute(params_from_iter(&values[..5]))?;
            let id: i64 = tx.prepare_cached(find)?.query_row(params_from_iter(&values[..5]), |row| row.get(0))?;
            let (Value::Integer(t0), Value::Integer(run), Value::Integer(dur_s)) = (&values[5], &values[6], &values[7])
            else {
                return Ok(());
            };
            let Some(run) = self.runs.get(run) else { return Ok(()) };
            if tx.prepare_cached(longer)?.exists([id, *run, *dur_s, *t0])? {
                return Ok(());
            }
            tx.prepare_cached(shorter)?.execute([id, *run, *dur_s, *t0])?;
            let head = [id, *t0, *run, *dur_s].map(Value::Integer);
            let row = head.into_iter().chain(values[8..].iter().cloned());
            count += tx.prepare_cached(insert)?.execute(params_from_iter(row))? as u64;
            Ok(())
        })?;
        Ok(count)
    }

    /// What redaction replaced in a run is a total that only grows.
    fn take_hits(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let all = "SELECT i.name, t.rule, t.run, t.count FROM hit_totals t JOIN integrations i ON i.id = t.integration";
        let name = "INSERT INTO integrations (name) VALUES (?1) ON CONFLICT DO NOTHING";
        let insert = "INSERT INTO hit_totals (integration, rule, run, count)
            SELECT id, ?2, ?3, ?4 FROM integrations WHERE name = ?1
            ON CONFLICT (integration, rule, run) DO UPDATE SET count = max(count, excluded.count)";
        self.copy(all, 4, |mut values| {
            let Value::Integer(run) = values[2] else { return Ok(()) };
            values[2] = Value::Integer(self.runs.get(&run).copied().unwrap_or_default());
            tx.prepare_cached(name)?.execute([&values[0]])?;
            tx.prepare_cached(insert)?.execute(params_from_iter(&values)).map(drop)
        })
    }

    fn take_ledger(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let longer =
            "SELECT 1 FROM ledger WHERE integration = ?1 AND state = ?2 AND run = ?3 AND dur_s > ?4 AND t0 <= ?5
            AND t0 + dur_s > ?5";
        let shorter =
            "DELETE FROM ledger WHERE integration = ?1 AND state = ?2 AND run = ?3 AND dur_s < ?4 AND t0 >= ?5
            AND t0 < ?5 + ?4 AND dur_s > 0";
        let insert = "INSERT INTO ledger (integration, t0, state, run, dur_s, count) VALUES (?1, ?5, ?2, ?3, ?4, ?6)
            ON CONFLICT (integration, t0, state, run) DO UPDATE SET dur_s = excluded.dur_s, count = excluded.count
            WHERE excluded.count >= count OR excluded.state = 'pending'";
        let all = "SELECT integration, state, run, dur_s, t0, count FROM ledger";
        self.copy(all, 6, |mut values| {
            let Value::Integer(run) = values[2] else { return Ok(()) };
            let Some(run) = self.runs.get(&run) else { return Ok(()) };
            values[2] = Value::Integer(*run);
            if tx.prepare_cached(longer)?.exists(params_from_iter(&values[..5]))? {
                return Ok(());
            }
            tx.prepare_cached(shorter)?.execute(params_from_iter(&values[..5]))?;
            tx.prepare_cached(insert)?.execute(params_from_iter(&values)).map(drop)
        })?;
        // A run that died since it was taken as living.
        let died =
            "DELETE FROM ledger WHERE state = 'pending' AND run IN (SELECT id FROM runs WHERE ended_unknown = 1)";
        tx.execute(died, []).map(drop)
    }

    fn copy(
        &self,
        text: &str,
        columns: usize,
        mut each: impl FnMut(Vec<Value>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare(text)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each((0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?)?;
        }
        Ok(())
    }
}

fn side(row: &Row<'_>, first: usize, part: Part) -> rusqlite::Result<Option<Side>> {
    let Some(outcome) = row.get::<_, Option<u8>>(first + 2)? else { return Ok(None) };
    let count =
        |at: usize| -> rusqlite::Result<Option<u64>> { Ok(row.get::<_, Option<i64>>(first + at)?.map(unsigned)) };
    Ok(Some(Side {
        after_us: row.get(first)?,
        status: row.get(first + 1)?,
        outcome: Outcome::from_code(outcome).unwrap_or(Outcome::Unknown),
        failure: row.get(first + 3)?,
        queue_wait_us: count(4)?.unwrap_or_default(),
        connect_us: count(5)?,
        ttfb_us: count(6)?,
        total_us: count(7)?.unwrap_or_default(),
        part,
    }))
}
