//! The rows of one capture, written inside the caller's transaction.

use crate::compare::Verdict;
use crate::exchange::{BodyCopy, Capture, DropReason, Exchange, FailureKind, Role};
use crate::redact::{Hit, Recording};
use crate::store::{Connection, StoreError, codec, error};
use http::HeaderMap;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// The part of `headers.id` for the request; the roles' codes are the others.
pub const REQUEST_PART: i64 = 2;
/// How many bodies back an equal one is found. Bounded memory (about 80 bytes each); repeats are near each other.
const WINDOW_BODIES: usize = 16_384;
/// The most dictionary entries (integrations, endpoints, rule sets) remembered.
const NAMES_MAX: usize = 4_096;

/// What the writer remembers between captures to avoid look-ups; forgotten whole when a transaction fails.
#[derive(Debug, Default)]
pub struct Memory {
    bodies: HashMap<[u8; 32], i64>,
    oldest: VecDeque<[u8; 32]>,
    names: HashMap<(Dictionary, i64, String), i64>,
    packer: codec::Packer,
    /// Hits of the open transaction by integration and rule.
    hits: HashMap<(i64, Arc<str>), i64>,
}

impl Memory {
    /// Forgets everything: row numbers may be gone.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn remember(&mut self, digest: [u8; 32], id: i64) {
        if self.oldest.len() >= WINDOW_BODIES
            && let Some(old) = self.oldest.pop_front()
        {
            self.bodies.remove(&old);
        }
        self.oldest.push_back(digest);
        self.bodies.insert(digest, id);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Dictionary {
    Integrations,
    Endpoints,
    RuleSets,
}

/// Writes rows through one connection's open transaction.
pub struct Insert<'a> {
    /// The transaction.
    pub db: &'a Connection,
    /// For error texts.
    pub path: &'a Path,
    /// The run.
    pub run: i64,
    /// What is remembered.
    pub memory: &'a mut Memory,
}

impl Insert<'_> {
    /// One capture and everything of it.
    pub fn recording(&mut self, recording: &Recording, verdict: &Verdict) -> Result<(), StoreError> {
        let capture = &recording.capture;
        let integration = self.name(Dictionary::Integrations, 0, &capture.integration)?;
        let seq = self.capture(capture, integration, &recording.rules_hash, verdict)?;
        self.headers(seq * 4 + REQUEST_PART, &capture.request.headers)?;
        if let Some(primary) = &capture.primary {
            self.exchange(seq, Role::Primary, primary)?;
        }
        self.exchange(seq, Role::Shadow, &capture.shadow)?;
        self.hits(seq, integration, &recording.hits)?;
        if let Verdict::Differs(differences) = verdict {
            let text = "INSERT INTO differences (capture, n, path, what) VALUES (?1, ?2, ?3, ?4)";
            for (n, difference) in differences.iter().enumerate() {
                self.run(text, params![seq, n as i64, difference.path, difference.what.code()])?;
            }
        }
        Ok(())
    }

    fn capture(&mut self, of: &Capture, integration: i64, rules: &str, verdict: &Verdict) -> Result<i64, StoreError> {
        let endpoint = self.name(Dictionary::Endpoints, integration, &of.endpoint)?;
        let rule_set = self.name(Dictionary::RuleSets, 0, rules)?;
        let body = self.body(&of.request.body)?;
        let verdict = match verdict {
            Verdict::CannotSay(why) => format!("{}: {why}", verdict.name()),
            _ => verdict.name().to_owned(),
        };
        let text =
            "INSERT INTO captures (id, run, integration, endpoint, rule_set, received_us, outcome, method, target,
            body, body_seen, body_drop, verdict) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        let values = params![
            of.id.0.as_bytes().as_slice(),
            self.run,
            integration,
            endpoint,
            rule_set,
            of.received_unix_us,
            of.shadow.outcome.code(),
            of.request.method.as_str(),
            of.request.target,
            body,
            signed(of.request.body.seen_bytes),
            drop_code(&of.request.body),
            verdict,
        ];
        self.run(text, values)?;
        Ok(self.db.last_insert_rowid())
    }

    fn exchange(&mut self, seq: i64, role: Role, of: &Exchange) -> Result<(), StoreError> {
        let absent = BodyCopy::empty();
        let body_copy = of.response.as_ref().map_or(&absent, |response| &response.body);
        let body = self.body(body_copy)?;
        let text =
            "INSERT INTO exchanges (id, status, outcome, failure, started_us, queue_wait_us, connect_us, ttfb_us,
            total_us, body, body_seen, body_drop) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let values = params![
            seq * 2 + i64::from(role.code()),
            of.response.as_ref().map(|response| response.status),
            of.outcome.code(),
            of.failure
                .and_then(|failure| FailureKind::ALL.iter().position(|kind| *kind == failure.kind))
                .map(|at| at as i64),
            of.started_unix_us,
            signed(of.timings.queue_wait_us),
            of.timings.connect_us.map(signed),
            of.timings.ttfb_us.map(signed),
            signed(of.timings.total_us),
            body,
            signed(body_copy.seen_bytes),
            drop_code(body_copy),
        ];
        self.run(text, values)?;
        match &of.response {
            Some(response) => self.headers(seq * 4 + i64::from(role.code()), &response.headers),
            None => Ok(()),
        }
    }

    fn headers(&mut self, id: i64, headers: &HeaderMap) -> Result<(), StoreError> {
        if headers.is_empty() {
            return Ok(());
        }
        let packed = self.memory.packer.headers(headers);
        let lines = packed.map_err(|e| StoreError::Unstorable { what: "header lines", why: e.to_string() })?;
        self.run("INSERT INTO headers (id, lines) VALUES (?1, ?2)", params![id, lines])
    }

    /// The row of a body: an equal recent one, or a new one; none for an empty or dropped body.
    fn body(&mut self, copy: &BodyCopy) -> Result<Option<i64>, StoreError> {
        if copy.bytes.is_empty() || copy.drop_reason().is_some() {
            return Ok(None);
        }
        let digest: [u8; 32] = Sha256::digest(&copy.bytes).into();
        if let Some(id) = self.memory.bodies.get(&digest) {
            return Ok(Some(*id));
        }
        let packed = self.memory.packer.body(&copy.bytes);
        let (coding, bytes) = packed.map_err(|e| StoreError::Unstorable { what: "a body", why: e.to_string() })?;
        let text = "INSERT INTO bodies (sha256, size, coding, bytes) VALUES (?1, ?2, ?3, ?4)";
        self.run(text, params![digest.as_slice(), copy.bytes.len() as i64, coding, bytes])?;
        let id = self.db.last_insert_rowid();
        self.memory.remember(digest, id);
        Ok(Some(id))
    }

    fn hits(&mut self, seq: i64, integration: i64, hits: &[Hit]) -> Result<(), StoreError> {
        let one = "INSERT INTO hits (capture, n, rule, side, part, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (n, hit) in hits.iter().enumerate() {
            self.run(one, params![seq, n as i64, &*hit.rule, hit.side.name(), hit.part.name(), hit.count])?;
            *self.memory.hits.entry((integration, hit.rule.clone())).or_default() += i64::from(hit.count);
        }
        Ok(())
    }

    /// The totals of the transaction's hits; called once before its commit.
    pub fn hit_totals(&mut self) -> Result<(), StoreError> {
        let total = "INSERT INTO hit_totals (integration, rule, count) VALUES (?1, ?2, ?3)
            ON CONFLICT (integration, rule) DO UPDATE SET count = count + excluded.count";
        for ((integration, rule), count) in std::mem::take(&mut self.memory.hits) {
            self.run(total, params![integration, &*rule, count])?;
        }
        Ok(())
    }

    /// The number of a name, given one if it is new.
    fn name(&mut self, dictionary: Dictionary, of: i64, name: &str) -> Result<i64, StoreError> {
        let key = (dictionary, of, name.to_owned());
        if let Some(id) = self.memory.names.get(&key) {
            return Ok(*id);
        }
        let (find, insert) = match dictionary {
            Dictionary::Integrations => (
                "SELECT id FROM integrations WHERE name = ?2 AND ?1 = 0",
                "INSERT INTO integrations (name) SELECT ?2 WHERE ?1 = 0",
            ),
            Dictionary::Endpoints => (
                "SELECT id FROM endpoints WHERE integration = ?1 AND name = ?2",
                "INSERT INTO endpoints (integration, name) VALUES (?1, ?2)",
            ),
            Dictionary::RuleSets => (
                "SELECT id FROM rule_sets WHERE hash = ?2 AND ?1 = 0",
                "INSERT INTO rule_sets (hash) SELECT ?2 WHERE ?1 = 0",
            ),
        };
        let at = error::at(self.path);
        let mut statement = self.db.prepare_cached(find).map_err(&at)?;
        let found = statement.query_row(params![of, name], |row| row.get(0)).optional().map_err(&at)?;
        let id = match found {
            Some(id) => id,
            None => {
                self.run(insert, params![of, name])?;
                self.db.last_insert_rowid()
            }
        };
        if self.memory.names.len() >= NAMES_MAX {
            self.memory.names.clear();
        }
        self.memory.names.insert(key, id);
        Ok(id)
    }

    /// Runs one cached statement.
    pub fn run(&self, text: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
        let at = error::at(self.path);
        self.db.prepare_cached(text).map_err(&at)?.execute(values).map_err(&at)?;
        Ok(())
    }
}

/// SQLite's integers are signed; a count past their end stays at it.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn drop_code(copy: &BodyCopy) -> Option<i64> {
    let reason = copy.drop_reason()?;
    DropReason::ALL.iter().position(|known| *known == reason).map(|at| at as i64)
}
