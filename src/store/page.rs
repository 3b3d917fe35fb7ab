//! Which captures a filter means, a page at a time: the newest of each class it allows, merged.
//!
//! Every filter comes down to classes (endpoint, outcome, speed) or to sets of redaction rules, and each of those has an
//! index that is sorted by time. A page takes the newest of each, and no class is read further back than the page reaches.

use crate::exchange::Role;
use crate::store::insert::speed;
use crate::store::reader::total_column;
use crate::store::{CaptureFilter, Reader, StoreError};
use rusqlite::params;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Rows of a page when the filter does not say.
const PAGE_ROWS: usize = 100;
/// The most rows of a page.
const PAGE_ROWS_MAX: usize = 1_000;
/// Of so few captures it is cheaper to look at each for the rule than to walk all that the rule struck.
const FEW_CAPTURES: u64 = 20_000;

/// A class that a filter allows.
struct Class {
    id: i64,
    captures: u64,
    speed: u32,
}

/// The newest of what was looked at: time and row, the oldest of them on top.
struct Page {
    newest: BinaryHeap<Reverse<(i64, i64)>>,
    rows: usize,
    since: i64,
}

impl Page {
    /// Nothing older can still come on the page.
    fn reaches_back_to(&self) -> i64 {
        let oldest = self.newest.peek().filter(|_| self.newest.len() >= self.rows);
        oldest.map_or(self.since, |Reverse((time, _))| *time)
    }

    fn add(&mut self, at: (i64, i64)) {
        self.newest.push(Reverse(at));
        if self.newest.len() > self.rows {
            self.newest.pop();
        }
    }
}

impl Reader {
    /// The rows of a page, newest first.
    pub(in crate::store) fn page(&self, filter: &CaptureFilter) -> Result<Vec<i64>, StoreError> {
        let rows = if filter.limit == 0 { PAGE_ROWS } else { filter.limit.min(PAGE_ROWS_MAX) };
        let before = match &filter.before {
            None => (i64::MAX, i64::MAX),
            Some(id) => match self.place(id)? {
                Some(place) => place,
                None => return Ok(Vec::new()),
            },
        };
        let before = before.min((filter.until_unix_us.unwrap_or(i64::MAX), i64::MIN));
        let since = filter.since_unix_us.unwrap_or(i64::MIN);
        let mut page = Page { newest: BinaryHeap::with_capacity(rows + 1), rows, since };
        let mut classes = self.classes(filter)?;
        // The newest classes are most likely the ones still recorded: the page fills with what will stay on it.
        classes.sort_by_key(|class| Reverse(class.id));
        let some: u64 = classes.iter().map(|class| class.captures).sum();
        match &filter.redacted_by {
            Some(rule) if some > FEW_CAPTURES => self.by_rule(filter, rule, &classes, before, &mut page)?,
            _ => self.by_class(filter, &classes, before, &mut page)?,
        }
        let mut found: Vec<_> = page.newest.into_iter().map(|Reverse(at)| at).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found.into_iter().map(|(_, seq)| seq).collect())
    }

    fn classes(&self, filter: &CaptureFilter) -> Result<Vec<Class>, StoreError> {
        let role = filter.role.unwrap_or(Role::Shadow);
        let outcome = filter.outcome.map(|outcome| i64::from(outcome.code()));
        let (shadow, primary) = match role {
            Role::Shadow => (outcome, None),
            Role::Primary => (None, outcome),
        };
        let slowest = filter.slower_than_us.filter(|_| role == Role::Shadow).map(speed).unwrap_or_default();
        let fastest = filter.at_most_us.filter(|_| role == Role::Shadow).map(speed);
        let text = "SELECT k.id, k.captures, k.speed FROM classes k
            JOIN endpoints e ON e.id = k.endpoint JOIN integrations i ON i.id = k.integration
            WHERE (?1 IS NULL OR i.name = ?1) AND (?2 IS NULL OR e.name = ?2) AND (?3 IS NULL OR k.outcome = ?3)
              AND (?4 IS NULL OR k.primary_outcome = ?4) AND k.speed >= ?5
              AND (?6 IS NULL OR k.speed <= ?6)";
        let values = params![filter.integration, filter.endpoint, shadow, primary, slowest, fastest];
        self.rows(text, values, |row| {
            let captures = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            Ok(Class { id: row.get(0)?, captures, speed: row.get(2)? })
        })
    }

    fn by_class(
        &self,
        filter: &CaptureFilter,
        classes: &[Class],
        before: (i64, i64),
        page: &mut Page,
    ) -> Result<(), StoreError> {
        let role = filter.role.unwrap_or(Role::Shadow);
        let sets = filter.redacted_by.as_deref().map(|rule| self.hit_sets(rule)).transpose()?;
        // A class of a higher speed is slower as a whole, one of a lower speed faster; the one that a limit falls into is
        // looked at row by row.
        let (low, high) = (filter.slower_than_us.map(speed), filter.at_most_us.map(speed));
        let us = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
        let (slower, at_most) = (filter.slower_than_us.map_or(-1, us), filter.at_most_us.map_or(i64::MAX, us));
        for class in classes {
            let inside = |limit: Option<u32>, whole: bool| limit.is_some() && !(role == Role::Shadow && whole);
            let looked_at = inside(low, low.is_some_and(|low| class.speed > low))
                || inside(high, high.is_some_and(|high| class.speed < high));
            let text = match (looked_at, &sets) {
                (false, None) => NEWEST.to_owned(),
                // Without the column of the row, the index answers alone.
                (true, None) => with_total(&NEWEST_WITH.replace("hit_set", "0"), role),
                (_, Some(_)) => with_total(NEWEST_WITH, role),
            };
            let (rows, since) = (page.rows as i64, page.reaches_back_to());
            let mut statement = self.statement(&text)?;
            let mut found = match &sets {
                None if text == NEWEST => statement.query(params![class.id, before.0, before.1, since, rows]),
                _ => statement.query(params![class.id, before.0, before.1, since, slower, at_most]),
            }
            .map_err(self.at())?;
            let mut taken = 0;
            while let Some(row) = found.next().map_err(self.at())? {
                let (at, seq, set): (i64, i64, i64) =
                    (row.get(0).map_err(self.at())?, row.get(1).map_err(self.at())?, row.get(2).map_err(self.at())?);
                if sets.as_ref().is_some_and(|sets| !sets.contains(&set)) {
                    continue;
                }
                page.add((at, seq));
                taken += 1;
                if taken >= page.rows || at < page.reaches_back_to() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn by_rule(
        &self,
        filter: &CaptureFilter,
        rule: &str,
        classes: &[Class],
        before: (i64, i64),
        page: &mut Page,
    ) -> Result<(), StoreError> {
        let role = filter.role.unwrap_or(Role::Shadow);
        let allowed: HashSet<i64> = classes.iter().map(|class| class.id).collect();
        let us = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
        let (slower, at_most) = (filter.slower_than_us.map_or(-1, us), filter.at_most_us.map_or(i64::MAX, us));
        let text = with_total(STRUCK, role);
        for set in self.hit_sets(rule)? {
            let mut statement = self.statement(&text)?;
            let since = page.reaches_back_to();
            let mut found =
                statement.query(params![set, before.0, before.1, since, slower, at_most]).map_err(self.at())?;
            let mut taken = 0;
            while let Some(row) = found.next().map_err(self.at())? {
                let class: i64 = row.get(2).map_err(self.at())?;
                if !allowed.contains(&class) {
                    continue;
                }
                let at = row.get(0).map_err(self.at())?;
                page.add((at, row.get(1).map_err(self.at())?));
                taken += 1;
                if taken >= page.rows || at < page.reaches_back_to() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The sets that hold a rule.
    fn hit_sets(&self, rule: &str) -> Result<HashSet<i64>, StoreError> {
        let sets: Vec<(i64, String)> =
            self.rows("SELECT id, rules FROM hit_sets", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let holds = |rules: &str| rules.split(',').any(|one| one == rule);
        Ok(sets.into_iter().filter(|(_, rules)| holds(rules)).map(|(id, _)| id).collect())
    }

    fn statement(&self, text: &str) -> Result<rusqlite::CachedStatement<'_>, StoreError> {
        self.db.prepare_cached(text).map_err(self.at())
    }

    fn at(&self) -> impl Fn(rusqlite::Error) -> StoreError {
        crate::store::error::at(&self.path)
    }
}

fn with_total(text: &str, role: Role) -> String {
    let total = total_column(role);
    format!("{text} AND {total} > ?5 AND {total} <= ?6 ORDER BY received_us DESC, seq DESC")
}

/// The newest of a class, from its index alone.
pub(in crate::store) const NEWEST: &str = "SELECT received_us, seq, 0 FROM captures
    WHERE class = ?1 AND (received_us, seq) < (?2, ?3) AND received_us >= ?4 ORDER BY received_us DESC, seq DESC LIMIT ?5";
/// The newest of a class with what has to be looked at in the row.
pub(in crate::store) const NEWEST_WITH: &str = "SELECT received_us, seq, hit_set FROM captures
    WHERE class = ?1 AND (received_us, seq) < (?2, ?3) AND received_us >= ?4";
/// The newest that a set of rules struck.
pub(in crate::store) const STRUCK: &str = "SELECT received_us, seq, class FROM captures
    WHERE hit_set = ?1 AND (received_us, seq) < (?2, ?3) AND received_us >= ?4";
