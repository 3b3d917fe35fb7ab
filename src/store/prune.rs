//! Keeping the limits, in short transactions between the writer's own: age takes captures whole; too many of an endpoint,
//! or too many bytes, take the oldest that variety can spare, bodies before rows.
//!
//! **Variety.** Of each class of captures (endpoint, outcome, status, speed, shape) the newest few stay while there is
//! anything else to take, so that a rare error outlives a flood of the same success. Nothing here walks a table from its
//! start: positions are remembered in the file.

use crate::exchange::{Clock, Instant};
use crate::store::error::at;
use crate::store::{Connection, PruneReport, Settings, StoreError, rollup, subjects};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;
use std::path::Path;

/// Captures of one transaction: short enough that appending never waits long.
const STEP_ROWS: usize = 250;
/// The time of one call, microseconds; then the writer's batches have their turn.
const CALL_US: u64 = 60_000;
/// Of the limit on bytes this share stays free, so that what is recorded next has pages and the file need not grow and be
/// cut again and again.
const FREE_SHARE: u64 = 16;
/// The time of a call grows by itself for each so many hundredths of the limit beyond that, and up to so many times: what
/// comes in faster than it is taken out has to wait.
const BEYOND_HUNDREDTHS: u64 = 2;
const CALL_TIMES_MAX: u64 = 10;
/// Free pages given back to the file system in one call.
const VACUUM_PAGES: i64 = 1_000;
/// Free pages that stay for what is recorded next, as a share of the file.
const SPARE_SHARE: i64 = 20;
const US_PER_DAY: i64 = 86_400_000_000;

/// What a sweep goes through, by the positions it keeps.
const BODIES: usize = 0;
const SPARED: usize = 1;
const ROWS: usize = 2;

/// Where the search for bytes stands. Positions are captures' rows.
#[derive(Debug)]
pub struct Sweep {
    /// Of each class so many of the newest are spared; fewer when nothing else is left.
    variety: u32,
    /// Bodies before it were taken or spared, rows likewise, and spared ones looked at again.
    bodies: i64,
    rows: i64,
    spared: i64,
}

/// One bounded call.
pub struct Pruning<'a> {
    db: &'a mut Connection,
    settings: &'a Settings,
    sweep: &'a mut Option<Sweep>,
    path: &'a Path,
    started: Instant,
    call_us: u64,
    report: PruneReport,
    /// The newest body row that was removed.
    newest_body: i64,
    /// When the last of a class that is spared was received, by class.
    spared_from: HashMap<i64, i64>,
}

/// What is about to be removed.
struct Found {
    seq: i64,
    class: i64,
    received_us: i64,
}

impl<'a> Pruning<'a> {
    pub fn new(db: &'a mut Connection, settings: &'a Settings, sweep: &'a mut Option<Sweep>) -> Self {
        Self {
            db,
            path: &settings.path,
            settings,
            sweep,
            started: Clock.now(),
            call_us: CALL_US,
            report: PruneReport::default(),
            newest_body: 0,
            spared_from: HashMap::new(),
        }
    }

    /// What was removed, and the newest body row among it.
    pub fn run(mut self, now_us: i64) -> Result<(PruneReport, i64), StoreError> {
        self.old(now_us)?;
        rollup::run(self.db, self.path, now_us, self.settings.history_days_max)?;
        self.many()?;
        self.large()?;
        give_back(self.db, self.path, self.settings.size_bytes_max)?;
        self.report.size_bytes = live_bytes(self.db, self.path)?;
        Ok((self.report, self.newest_body))
    }

    /// Whether the call has taken its time; then there is more to do.
    fn is_over(&mut self) -> bool {
        let over = Clock.elapsed_us(self.started) > self.call_us;
        self.report.more |= over;
        over
    }

    fn old(&mut self, now_us: i64) -> Result<(), StoreError> {
        let Some(days) = self.settings.age_days_max else { return Ok(()) };
        let before = now_us.saturating_sub(i64::from(days).saturating_mul(US_PER_DAY));
        let find = "SELECT seq, class, received_us FROM captures WHERE id < ?1 ORDER BY id LIMIT ?2";
        loop {
            let found = self.found(find, params![first_id_at(before).as_slice(), STEP_ROWS as i64])?;
            self.remove(&found)?;
            if found.len() < STEP_ROWS || self.is_over() {
                return Ok(());
            }
        }
    }

    /// Endpoints with more captures than allowed.
    fn many(&mut self) -> Result<(), StoreError> {
        let Some(most) = self.settings.per_endpoint_max else { return Ok(()) };
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let text = "SELECT endpoint, sum(captures) FROM classes GROUP BY endpoint HAVING sum(captures) > ?1";
        let counts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        for (endpoint, count) in self.rows(text, [most], counts)? {
            let mut excess = count - most;
            while excess > 0 && !self.is_over() {
                let gone = self.oldest_of(endpoint, excess)?;
                if gone == 0 {
                    break;
                }
                excess -= gone;
            }
        }
        Ok(())
    }

    /// Removes the oldest of an endpoint beyond what variety spares, a step's worth.
    fn oldest_of(&mut self, endpoint: i64, excess: i64) -> Result<i64, StoreError> {
        let step = excess.min(STEP_ROWS as i64);
        let spared = i64::from(self.settings.variety_captures);
        let classes = "SELECT id, captures FROM classes WHERE endpoint = ?1 AND captures > ?2";
        let oldest = "SELECT seq, class, received_us FROM captures WHERE class = ?1 ORDER BY received_us LIMIT ?2";
        let mut found = Vec::new();
        let counts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        for (class, count) in self.rows(classes, [endpoint, spared], counts)? {
            found.extend(self.found(oldest, [class, step.min(count - spared)])?);
        }
        found.sort_by_key(|one| one.received_us);
        found.truncate(usize::try_from(step).unwrap_or(0));
        self.remove(&found)?;
        Ok(found.len() as i64)
    }

    /// Bytes beyond the limit: bodies first, then rows; what variety spares goes last, the oldest first.
    fn large(&mut self) -> Result<(), StoreError> {
        let Some(limit) = self.settings.size_bytes_max else { return Ok(()) };
        loop {
            let bytes = live_bytes(self.db, self.path)?;
            let wanted = limit - limit / FREE_SHARE;
            if bytes <= wanted {
                break;
            }
            let beyond = (bytes - wanted).saturating_mul(100) / limit.max(1) / BEYOND_HUNDREDTHS;
            self.call_us = self.call_us.max(CALL_US * (1 + beyond).min(CALL_TIMES_MAX));
            if self.is_over() {
                return Ok(());
            }
            let mut sweep = match self.sweep.take() {
                Some(sweep) => sweep,
                None => self.resume()?,
            };
            let took = self.step(&mut sweep)?;
            let done = !took && sweep.variety == 0;
            if !took {
                // All there was at this variety is taken.
                sweep = Sweep { variety: sweep.variety / 2, bodies: 0, rows: 0, spared: 0 };
                self.spared_from.clear();
            }
            *self.sweep = Some(sweep);
            if done {
                // Latencies and ledger are left: the reports stand on them.
                *self.sweep = None;
                return Ok(());
            }
        }
        // Below the limit: what comes next is spared as configured again.
        if self.sweep.as_ref().is_some_and(|sweep| sweep.variety < self.settings.variety_captures) {
            *self.sweep = None;
        }
        Ok(())
    }

    /// One transaction; false: nothing is left to look at.
    fn step(&mut self, sweep: &mut Sweep) -> Result<bool, StoreError> {
        let after = "SELECT seq, class, received_us FROM captures WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
        let again = "SELECT c.seq, c.class, c.received_us FROM kept k JOIN captures c ON c.seq = k.capture
            WHERE k.capture > ?1 AND k.capture <= ?2 ORDER BY k.capture LIMIT ?3";
        let newest = self.rows("SELECT coalesce(max(seq), 0) FROM captures", [], |row| row.get::<_, i64>(0))?;
        let newest = newest.first().copied().unwrap_or_default();
        // The newest eighth keeps its bodies as long as older rows can go instead.
        let middle = newest - (newest - sweep.rows) / 8;
        let passes = [
            (BODIES, after, sweep.bodies, middle),
            (SPARED, again, sweep.spared, newest),
            (ROWS, after, sweep.rows, sweep.bodies),
            (BODIES, after, sweep.bodies, newest),
        ];
        for (pass, text, position, upto) in passes {
            let found = self.found(text, [position, upto, STEP_ROWS as i64])?;
            let Some(last) = found.last() else { continue };
            *[&mut sweep.bodies, &mut sweep.spared, &mut sweep.rows][pass] = last.seq;
            let (mut take, mut spare) = (Vec::new(), Vec::new());
            for one in found {
                match self.is_spared(&one, sweep.variety)? {
                    true => spare.push(one),
                    false => take.push(one),
                }
            }
            match pass {
                ROWS => self.remove(&take)?,
                _ => self.let_go(&take, &spare)?,
            }
            if sweep.variety == self.settings.variety_captures {
                self.remember(sweep)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn is_spared(&mut self, one: &Found, variety: u32) -> Result<bool, StoreError> {
        if variety == 0 {
            return Ok(false);
        }
        let from = match self.spared_from.get(&one.class) {
            Some(from) => *from,
            None => {
                let text =
                    "SELECT received_us FROM captures WHERE class = ?1 ORDER BY received_us DESC LIMIT 1 OFFSET ?2";
                let values = params![one.class, variety - 1];
                let from = self.rows(text, values, |row| row.get::<_, i64>(0))?.pop().unwrap_or(i64::MIN);
                self.spared_from.insert(one.class, from);
                from
            }
        };
        Ok(one.received_us >= from)
    }

    fn resume(&self) -> Result<Sweep, StoreError> {
        let text = "SELECT value FROM marks WHERE name = ?1";
        let mark = |name: &str| -> Result<i64, StoreError> {
            Ok(self.rows(text, [name], |row| row.get(0))?.pop().unwrap_or(0))
        };
        let (bodies, rows) = (mark("swept bodies")?, mark("swept rows")?);
        Ok(Sweep { variety: self.settings.variety_captures, bodies, rows, spared: 0 })
    }

    fn remember(&self, sweep: &Sweep) -> Result<(), StoreError> {
        let text = "INSERT INTO marks (name, value) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        for (name, value) in [("swept bodies", sweep.bodies), ("swept rows", sweep.rows)] {
            self.db.execute(text, params![name, value]).map_err(at(self.path))?;
        }
        Ok(())
    }

    fn found(&self, text: &str, values: impl rusqlite::Params) -> Result<Vec<Found>, StoreError> {
        self.rows(text, values, |row| Ok(Found { seq: row.get(0)?, class: row.get(1)?, received_us: row.get(2)? }))
    }

    fn rows<T>(
        &self,
        text: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.db.prepare_cached(text).map_err(at(self.path))?;
        let rows = statement.query_map(values, read).map_err(at(self.path))?;
        rows.collect::<rusqlite::Result<_>>().map_err(at(self.path))
    }

    fn remove(&mut self, found: &[Found]) -> Result<(), StoreError> {
        if found.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = found.iter().map(|one| one.seq).collect();
        let gone = in_transaction(self.db, self.path, |tx| remove(tx, &seqs))?;
        self.report.captures += gone.captures;
        self.newest_body = self.newest_body.max(gone.newest_body);
        Ok(())
    }

    /// Takes the bodies of these, and remembers those that were spared.
    fn let_go(&mut self, found: &[Found], spared: &[Found]) -> Result<(), StoreError> {
        let gone = in_transaction(self.db, self.path, |tx| {
            let mut gone = Gone::default();
            for one in found {
                let bodies = bodies_of(tx, one.seq)?;
                if !bodies.is_empty() {
                    tx.prepare_cached(LET_GO)?.execute([one.seq])?;
                }
                gone.bodies(tx, one.seq, &bodies)?;
                tx.prepare_cached("DELETE FROM kept WHERE capture = ?1")?.execute([one.seq])?;
            }
            for one in spared {
                tx.prepare_cached("INSERT INTO kept (capture) VALUES (?1) ON CONFLICT DO NOTHING")?
                    .execute([one.seq])?;
            }
            Ok(gone)
        })?;
        self.report.bodies += gone.bodies;
        self.newest_body = self.newest_body.max(gone.newest_body);
        Ok(())
    }
}

/// What one transaction removed.
#[derive(Debug, Default)]
pub struct Gone {
    pub captures: u64,
    pub bodies: u64,
    pub newest_body: i64,
}

impl Gone {
    /// Removes those of a capture's bodies that no other capture has.
    fn bodies(&mut self, tx: &Transaction<'_>, capture: i64, bodies: &[i64]) -> rusqlite::Result<()> {
        for body in bodies {
            tx.prepare_cached("DELETE FROM repeats WHERE body = ?1 AND capture = ?2")?.execute([*body, capture])?;
            let gone = tx.prepare_cached(REMOVE_BODY)?.execute([body])?;
            if gone > 0 {
                self.bodies += gone as u64;
                self.newest_body = self.newest_body.max(*body);
            }
        }
        Ok(())
    }
}

/// Removes captures with everything of them that no other capture shares.
pub fn remove(tx: &Transaction<'_>, seqs: &[i64]) -> rusqlite::Result<Gone> {
    let mut gone = Gone::default();
    let mut classes: HashMap<i64, i64> = HashMap::new();
    for seq in seqs {
        let class = tx.prepare_cached("SELECT class FROM captures WHERE seq = ?1")?;
        let class: Option<i64> = { class }.query_row([seq], |row| row.get(0)).optional()?;
        let Some(class) = class else { continue };
        let bodies = bodies_of(tx, *seq)?;
        for text in REMOVE {
            tx.prepare_cached(text)?.execute([seq])?;
        }
        subjects::forget(tx, *seq)?;
        gone.bodies(tx, *seq, &bodies)?;
        gone.captures += 1;
        *classes.entry(class).or_default() += 1;
    }
    for (class, count) in classes {
        tx.prepare_cached("UPDATE classes SET captures = max(captures - ?2, 0) WHERE id = ?1")?
            .execute([class, count])?;
    }
    Ok(gone)
}

fn bodies_of(tx: &Transaction<'_>, seq: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = tx.prepare_cached("SELECT body, p_body, s_body FROM captures WHERE seq = ?1")?;
    let read =
        |row: &rusqlite::Row<'_>| -> rusqlite::Result<[Option<i64>; 3]> { Ok([row.get(0)?, row.get(1)?, row.get(2)?]) };
    let found = statement.query_row([seq], read).optional()?;
    let mut bodies: Vec<i64> = found.into_iter().flatten().flatten().filter(|body| *body > 0).collect();
    bodies.sort_unstable();
    bodies.dedup();
    Ok(bodies)
}

/// Everything of one capture but its bodies.
const REMOVE: [&str; 2] = ["DELETE FROM captures WHERE seq = ?1", "DELETE FROM kept WHERE capture = ?1"];
/// A body that nobody has any more.
pub const REMOVE_BODY: &str = "DELETE FROM bodies WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM repeats WHERE body = ?1)
    AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.seq = bodies.owner AND ?1 IN (c.body, c.p_body, c.s_body))";
/// A capture whose bodies were pruned says so.
const LET_GO: &str = "UPDATE captures SET body = CASE WHEN body IS NULL THEN NULL ELSE -1 END,
    p_body = CASE WHEN p_body IS NULL THEN NULL ELSE -1 END, s_body = CASE WHEN s_body IS NULL THEN NULL ELSE -1 END
    WHERE seq = ?1";

/// The smallest UUIDv7 of that time or later.
pub fn first_id_at(unix_us: i64) -> [u8; 16] {
    let ms = u64::try_from(unix_us / 1_000).unwrap_or(0) & 0xffff_ffff_ffff;
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    id
}

/// Runs work in one immediate transaction.
pub fn in_transaction<T>(
    db: &mut Connection,
    path: &Path,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let run = |db: &mut Connection| {
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    };
    run(db).map_err(at(path))
}

fn pragma(db: &Connection, path: &Path, name: &str) -> Result<i64, StoreError> {
    db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(at(path))
}

/// Bytes of pages in use.
pub fn live_bytes(db: &Connection, path: &Path) -> Result<u64, StoreError> {
    let pages = pragma(db, path, "page_count")? - pragma(db, path, "freelist_count")?;
    Ok(u64::try_from(pages * pragma(db, path, "page_size")?).unwrap_or(0))
}

/// Returns free pages to the file system: all that is beyond the limit, and else what recording will not soon use.
fn give_back(db: &Connection, path: &Path, limit: Option<u64>) -> Result<(), StoreError> {
    let (pages, free) = (pragma(db, path, "page_count")?, pragma(db, path, "freelist_count")?);
    let bytes = u64::try_from(pages * pragma(db, path, "page_size")?).unwrap_or(0);
    let beyond = limit.is_some_and(|limit| bytes > limit);
    if free == 0 || (!beyond && free * SPARE_SHARE < pages) {
        return Ok(());
    }
    vacuum(db, path, VACUUM_PAGES)
}

/// Gives back up to so many free pages.
pub fn vacuum(db: &Connection, path: &Path, pages: i64) -> Result<(), StoreError> {
    let mut statement = db.prepare(&format!("PRAGMA incremental_vacuum({pages})")).map_err(at(path))?;
    let mut rows = statement.query([]).map_err(at(path))?;
    // One page is given back a step, so the pragma works only as far as it is read.
    while rows.next().map_err(at(path))?.is_some() {}
    Ok(())
}
