//! Redacting again what is stored, when the rules have become stricter: a few captures at a time, each batch redacted
//! before its short transaction, so that a recorder on the same file never waits long.
//!
//! **Invariants.** A capture is rewritten whole, together with the hash of the rules that did it, or not at all. What was
//! replaced is gone from the file: dictionaries trained from it and the names of endpoints with it, freed pages are
//! overwritten and given back, and the log is emptied at the end. A second run changes nothing.

use crate::exchange::{CaptureId, Integration};
use crate::redact::{Generation, Part, Side};
use crate::store::again::Again;
use crate::store::codec::{Dictionary, Packer};
use crate::store::error::at;
use crate::store::insert::{Hot, Insert, Memory, PRUNED};
use crate::store::prepare::Shared;
use crate::store::prune::{self, REMOVE_BODY};
use crate::store::window::Place;
use crate::store::{
    Prepared, Preparer, Reader, StoreError, TrainedDictionary, Upkeep, rename, repack, subjects, writer,
};
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Captures of one transaction.
const BATCH: usize = 50;
/// Free pages given back in one transaction.
const VACUUM_PAGES: i64 = 1_000;

/// What was found: by integration, rule, message and part.
pub type Findings = BTreeMap<(String, Arc<str>, Side, Part), u64>;

/// What a batch, or a whole run, came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedoReport {
    /// Captures looked at.
    pub looked_at: u64,
    /// Captures that were recorded under other rules than today's, or all where all were asked for.
    pub stale: u64,
    /// Of these, the ones in which something changed.
    pub changed: u64,
    /// Captures that could not be read; they stay as they are, and no export lets them pass.
    pub unreadable: u64,
    /// Bodies that today's rules do not keep, by reason.
    pub bodies_dropped: BTreeMap<&'static str, u64>,
    /// What was found.
    pub findings: Findings,
}

impl RedoReport {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.looked_at += other.looked_at;
        self.stale += other.stale;
        self.changed += other.changed;
        self.unreadable += other.unreadable;
        for (reason, count) in other.bodies_dropped {
            *self.bodies_dropped.entry(reason).or_default() += count;
        }
        for (key, count) in other.findings {
            *self.findings.entry(key).or_default() += count;
        }
    }

    fn tell(&mut self, one: &Again) {
        self.changed += u64::from(one.is_changed());
        for reason in one.newly_dropped() {
            *self.bodies_dropped.entry(reason.name()).or_default() += 1;
        }
        for hit in &one.after.hits {
            let key = (one.stored.summary.integration.clone(), Arc::clone(&hit.rule), hit.side, hit.part);
            *self.findings.entry(key).or_default() += u64::from(hit.count);
        }
    }
}

/// What is left at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedoEnd {
    /// False: somebody else reads or writes, and the log holds what was replaced until the recorder empties it.
    pub log_emptied: bool,
    /// Dictionaries that hold, of the words very many bodies shared when they were trained, one that a rule now replaces:
    /// none but after a dry run, or where another process trained one meanwhile.
    pub dictionaries: u64,
    /// Series of latencies whose endpoint is called otherwise now.
    pub renamed: u64,
}

/// A run over everything that was stored when it began.
#[derive(Debug)]
pub struct Redo {
    reader: Reader,
    /// None: a dry run.
    rewriting: Option<Rewriting>,
    after: i64,
    upto: i64,
}

impl Redo {
    /// Opens the store, whether or not a recorder writes to it. A dry run changes nothing.
    ///
    /// # Errors
    /// As [`Upkeep::open`].
    pub fn open(path: &Path, dry: bool) -> Result<Self, StoreError> {
        let rewriting = if dry { None } else { Some(Rewriting::open(path)?) };
        let reader = Reader::open(path)?;
        let upto = reader.rows("SELECT coalesce(max(seq), 0) FROM captures", [], |row| row.get(0))?;
        Ok(Self { reader, rewriting, after: 0, upto: upto.into_iter().next().unwrap_or_default() })
    }

    /// The next batch; `None` when all is done. With `all`, also what was recorded under today's rules.
    ///
    /// # Errors
    /// What SQLite says; the batch is then as it was.
    pub fn step(&mut self, rules: &Generation, all: bool) -> Result<Option<RedoReport>, StoreError> {
        let text = "SELECT c.seq, c.id, r.hash FROM captures c JOIN rule_sets r ON r.id = c.rule_set
            WHERE c.seq > ?1 AND c.seq <= ?2 ORDER BY c.seq LIMIT ?3";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let page: Vec<(i64, [u8; 16], String)> =
            self.reader.rows(text, params![self.after, self.upto, BATCH as i64], read)?;
        let Some((last, ..)) = page.last() else { return Ok(None) };
        self.after = *last;
        let mut report = RedoReport { looked_at: page.len() as u64, ..RedoReport::default() };
        // Where there is one set of rules, what it redacted needs no look at the row.
        let only = if rules.all().count() == 1 { Some(rules.everyone().hash()) } else { None };
        let mut found = Vec::new();
        for (seq, id, hash) in page {
            if !all && only.as_deref() == Some(&*hash) {
                continue;
            }
            match self.reader.capture(&CaptureId(Uuid::from_bytes(id))) {
                Ok(Some(stored)) => {
                    let redactor = rules.of(&stored.summary.integration);
                    if !all && *redactor.hash() == *hash {
                        continue;
                    }
                    report.stale += 1;
                    match Again::of(redactor, seq, stored) {
                        Some(one) => found.push(one),
                        None => report.unreadable += 1,
                    }
                }
                // Pruned meanwhile.
                Ok(None) => {}
                Err(StoreError::BadRow { .. }) => report.unreadable += 1,
                Err(error) => return Err(error),
            }
        }
        found.iter().for_each(|one| report.tell(one));
        if let Some(rewriting) = self.rewriting.as_mut().filter(|_| !found.is_empty()) {
            rewriting.write(rules, &found)?;
        }
        Ok(Some(report))
    }

    /// Takes old dictionaries and names out, gives back what was freed, and moves the log into the file.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn finish(self, rules: &Generation) -> Result<RedoEnd, StoreError> {
        let Self { reader, rewriting, .. } = self;
        let mut end = RedoEnd { log_emptied: true, dictionaries: 0, renamed: 0 };
        let rewriting = match rewriting {
            Some(mut rewriting) => {
                rewriting.take_out_dictionaries()?;
                let Upkeep { db, path, .. } = &mut rewriting.upkeep;
                end.renamed = rename::series(db, path, |of, endpoint| rules.of(of).endpoint(endpoint))?;
                Some(rewriting)
            }
            None => None,
        };
        let text = "SELECT integration, bytes FROM dictionaries";
        let all: Vec<(String, Vec<u8>)> = reader.rows(text, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let holds = |(integration, bytes): &&(String, Vec<u8>)| {
            // A dictionary begins with tables, which are no text.
            let text: String = String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect();
            !rules.of(integration).residue("text/plain", text.as_bytes()).is_empty()
        };
        end.dictionaries = all.iter().filter(holds).count() as u64;
        drop(reader);
        end.log_emptied = rewriting.map_or(Ok(true), Rewriting::finish)?;
        Ok(end)
    }
}

/// The side that writes.
struct Rewriting {
    upkeep: Upkeep,
    memory: Memory,
    shared: Arc<Shared>,
    preparer: Preparer,
    packer: Packer,
    /// SQLite's count of what others committed, as of the last transaction.
    others: i64,
    /// The dictionaries that were there at the beginning.
    old: Vec<(i64, Integration)>,
    /// Whose captures were recorded under other rules.
    stale: BTreeSet<Integration>,
}

impl fmt::Debug for Rewriting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rewriting({})", self.upkeep.path.display())
    }
}

impl Rewriting {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let upkeep = Upkeep::open(path)?;
        upkeep.db.execute_batch("PRAGMA secure_delete = ON").map_err(at(path))?;
        let others = writer::others(&upkeep.db, path)?;
        let shared = Arc::<Shared>::default();
        let preparer = Preparer::new(Arc::clone(&shared));
        let old = {
            let mut statement = upkeep.db.prepare("SELECT id, integration FROM dictionaries").map_err(at(path))?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?.into()));
            let rows = statement.query_map([], read).map_err(at(path))?;
            rows.collect::<rusqlite::Result<_>>().map_err(at(path))?
        };
        let (memory, packer, stale) = (Memory::default(), Packer::default(), BTreeSet::new());
        Ok(Self { upkeep, memory, shared, preparer, packer, others, old, stale })
    }

    /// What was trained from captures that were recorded under other rules.
    fn take_out_dictionaries(&mut self) -> Result<(), StoreError> {
        let old: Vec<_> = self.old.iter().filter(|(_, of)| self.stale.contains(of)).cloned().collect();
        if old.is_empty() {
            return Ok(());
        }
        let Upkeep { db, path, .. } = &mut self.upkeep;
        repack::without(db, path, &old, |integration| self.shared.dictionaries.of(integration))
    }

    fn write(&mut self, rules: &Generation, found: &[Again]) -> Result<(), StoreError> {
        let mut ready = Vec::with_capacity(found.len());
        let mut trained = None;
        for one in found {
            let redactor = rules.of(&one.stored.summary.integration);
            let (prepared, samples) = one.prepare(&mut self.preparer, redactor);
            self.stale.insert(Arc::clone(prepared.integration()));
            // From what today's rules let through.
            let made = samples.and_then(|samples| Some((samples.train()?, samples.integration)));
            trained = made.map(|(bytes, integration)| TrainedDictionary { integration, bytes }).or(trained);
            ready.push((one, prepared));
        }
        let done = self.transaction(ready, trained.as_ref());
        if done.is_err() {
            // Rows that the transaction takes back must not be referred to.
            self.memory.forget();
            self.shared.window.clear();
        }
        done
    }

    fn transaction(
        &mut self,
        ready: Vec<(&Again, Prepared)>,
        trained: Option<&TrainedDictionary>,
    ) -> Result<(), StoreError> {
        let Upkeep { db, path, .. } = &mut self.upkeep;
        let path = path.as_path();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(at(path))?;
        writer::forget_if_others_wrote(&tx, path, &mut self.others, &mut self.memory, &self.shared)?;
        let mut insert = Insert {
            hot: Hot::new(&tx, path)?,
            db: &tx,
            path,
            run: 0,
            memory: &mut self.memory,
            shared: &self.shared,
            packer: &mut self.packer,
        };
        let mut left = BTreeSet::new();
        for (one, mut prepared) in ready {
            left.extend(rewrite(&mut insert, one, &mut prepared)?);
        }
        insert.totals()?;
        // A name that nothing has any more goes.
        for endpoint in &left {
            insert.run("DELETE FROM classes WHERE endpoint = ?1 AND captures <= 0", [endpoint])?;
            let unused =
                "DELETE FROM endpoints WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM classes WHERE endpoint = ?1)";
            insert.run(unused, [endpoint])?;
        }
        let made = trained.map(|made| Ok((made, writer::store_dictionary(&insert, made)?))).transpose()?;
        drop(insert);
        tx.commit().map_err(at(path))?;
        if let Some((made, id)) = made
            && let Some(ready) = Dictionary::new(id, &made.bytes)
        {
            self.shared.dictionaries.use_from_now(Arc::clone(&made.integration), Arc::new(ready));
        }
        if !left.is_empty() {
            self.memory.forget();
        }
        Ok(())
    }

    /// Whether the log is empty.
    fn finish(self) -> Result<bool, StoreError> {
        let Upkeep { db, path, .. } = &self.upkeep;
        let free: i64 = db.query_row("PRAGMA freelist_count", [], |row| row.get(0)).map_err(at(path))?;
        for _ in 0..=free / VACUUM_PAGES {
            prune::vacuum(db, path, VACUUM_PAGES)?;
        }
        match self.upkeep.truncate_log() {
            Ok(()) => Ok(true),
            Err(StoreError::Busy { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A row as it is.
struct Row {
    class: i64,
    shape: i64,
    endpoint: i64,
    bodies: [Option<i64>; 3],
    run: i64,
}

/// Writes one capture over what is stored of it, unless it was pruned meanwhile. Gives its endpoint where it left that.
fn rewrite(insert: &mut Insert<'_>, one: &Again, of: &mut Prepared) -> Result<Option<i64>, StoreError> {
    let seq = one.seq;
    let find = "SELECT c.class, k.shape, k.endpoint, c.body, c.p_body, c.s_body, c.run FROM captures c
        JOIN classes k ON k.id = c.class WHERE c.seq = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let bodies = [row.get(3)?, row.get(4)?, row.get(5)?];
        Ok(Row { class: row.get(0)?, shape: row.get(1)?, endpoint: row.get(2)?, bodies, run: row.get(6)? })
    };
    let found = insert.db.prepare_cached(find).and_then(|mut it| it.query_row([seq], read).optional());
    let Some(old) = found.map_err(at(insert.path))? else { return Ok(None) };
    let parts = [Some(&mut of.body), of.primary.as_mut().map(|side| &mut side.part), Some(&mut of.shadow.part)];
    for (part, body) in parts.into_iter().zip(old.bodies) {
        if let Some(part) = part.filter(|_| body == Some(PRUNED)) {
            part.let_go();
        }
    }
    if one.stored.shadow.body.bytes.is_none() {
        // Nobody can look at its shape any more.
        of.shape = u64::try_from(old.shape).unwrap_or_default();
    }
    known_bodies(insert, &old)?;
    let integration = insert.integration(&of.integration)?;
    let class = insert.class(of, integration)?;
    let (hit_set, rule_set) = (insert.hit_set(&of.hit_set)?, insert.rule_set(&of.rules)?);
    let [body, p_body, s_body] = insert.bodies(seq, of)?;
    let p_drop = of.primary.as_ref().and_then(|side| side.part.dropped);
    let text = "UPDATE captures SET class = ?2, hit_set = ?3, rule_set = ?4, target = ?5, verdict = ?6, body = ?7,
        body_drop = ?8, p_body = ?9, p_body_drop = ?10, s_body = ?11, s_body_drop = ?12, coding = ?13, block = ?14
        WHERE seq = ?1";
    let (target, verdict, s_drop) = (&of.target, &of.verdict, of.shadow.part.dropped);
    let (coding, block) = (of.details.0, &*of.details.1);
    let values = params![
        seq,
        class,
        hit_set,
        rule_set,
        target,
        verdict,
        body,
        of.body.dropped,
        p_body,
        p_drop,
        s_body,
        s_drop,
        coding,
        block
    ];
    insert.run(text, values)?;
    subjects::add(insert.db, seq, &of.subjects).map_err(at(insert.path))?;
    insert.counted(class, 1);
    insert.counted(old.class, -1);
    insert.run = old.run;
    insert.struck(integration, &of.hits);
    for gone in old.bodies.into_iter().flatten().filter(|old| ![body, p_body, s_body].contains(&Some(*old))) {
        insert.run("DELETE FROM repeats WHERE body = ?1 AND capture = ?2", [gone, seq])?;
        insert.run(REMOVE_BODY, [gone])?;
        insert.shared.window.forget_up_to(gone);
    }
    let now = insert.db.prepare_cached("SELECT endpoint FROM classes WHERE id = ?1");
    let now: i64 = now.and_then(|mut it| it.query_row([class], |row| row.get(0))).map_err(at(insert.path))?;
    Ok((now != old.endpoint).then_some(old.endpoint))
}

/// Bodies that stay as they are keep their rows.
fn known_bodies(insert: &Insert<'_>, old: &Row) -> Result<(), StoreError> {
    let find = "SELECT sha256, owner FROM bodies WHERE id = ?1";
    for body in old.bodies.into_iter().flatten() {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?));
        let found = insert.db.prepare_cached(find).and_then(|mut it| it.query_row([body], read).optional());
        if let Some((digest, owner)) = found.map_err(at(insert.path))? {
            insert.shared.window.stored(&digest, Place { body, owner });
        }
    }
    Ok(())
}
