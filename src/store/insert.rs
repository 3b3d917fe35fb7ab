//! The rows of one capture, written inside the caller's transaction.

use crate::redact::Recording;
use crate::store::codec::{self, Packed, Packer, Size};
use crate::store::prepare::{Body, Content, Part, Prepared, Shared, Side};
use crate::store::window::Place;
use crate::store::{Connection, StoreError, error, subjects};
use foldhash::{HashMap, HashSet};
use rusqlite::{CachedStatement, OptionalExtension, params};
use std::path::Path;
use std::sync::Arc;

/// What an intent can be asked for at the provider.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The most names (endpoints, rule sets, hit sets) and classes remembered.
const NAMES_MAX: usize = 16_384;
/// The classes of one endpoint after which new shapes and statuses are no longer told apart.
const CLASSES_PER_ENDPOINT_MAX: usize = 256;
/// Stands for a body that was pruned.
pub const PRUNED: i64 = -1;
/// The shape of what is one of too many.
const OTHER_SHAPE: u64 = 1;

/// What the writer remembers between captures to avoid look-ups; forgotten whole when a transaction fails.
#[derive(Debug, Default)]
pub struct Memory {
    /// The next rows: captures and bodies. None: to be asked of the file.
    next: Option<(i64, i64)>,
    integrations: HashMap<Arc<str>, i64>,
    endpoints: HashMap<i64, HashMap<Arc<str>, i64>>,
    rule_sets: HashMap<Arc<str>, i64>,
    hit_sets: HashMap<String, i64>,
    classes: HashMap<ClassKey, i64>,
    /// Classes by endpoint.
    classes_of: HashMap<i64, usize>,
    /// Of the open transaction: captures by class.
    counts: HashMap<i64, i64>,
    /// Of the open transaction: hits by integration, rule and run.
    hits: HashMap<(i64, Arc<str>, i64), i64>,
    /// Calls that were announced and are not stored yet.
    pub intents: HashSet<[u8; 16]>,
}

impl Memory {
    /// Forgets what a transaction of somebody else, or one that failed, may have made wrong.
    pub fn forget(&mut self) {
        *self = Self { intents: std::mem::take(&mut self.intents), ..Self::default() };
    }
}

/// What makes a class; see the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ClassKey {
    integration: i64,
    endpoint: i64,
    outcome: u8,
    status: u16,
    primary_outcome: i64,
    speed: u32,
    shape: u64,
}

/// Half the bits of a latency: each class of speed is four times the one before.
pub fn speed(total_us: u64) -> u32 {
    (u64::BITS - total_us.leading_zeros()).div_ceil(2)
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
    /// What is remembered together with the threads that prepare.
    pub shared: &'a Shared,
    /// For bodies that were met before and have no row all the same.
    pub packer: &'a mut Packer,
    /// The statements of every capture.
    pub hot: Hot<'a>,
}

/// Statements that run several times for every capture: looked up once a transaction.
pub struct Hot<'a> {
    capture: CachedStatement<'a>,
    body: CachedStatement<'a>,
    repeat: CachedStatement<'a>,
    subjects: CachedStatement<'a>,
}

impl<'a> Hot<'a> {
    /// Prepares them, or finds them prepared.
    pub fn new(db: &'a Connection, path: &Path) -> Result<Self, StoreError> {
        let ready = |text| db.prepare_cached(text).map_err(error::at(path));
        Ok(Self {
            capture: ready(CAPTURE)?,
            body: ready("INSERT INTO bodies (id, owner, sha256, size, coding, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            repeat: ready("INSERT INTO repeats (body, capture) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?,
            subjects: ready("INSERT INTO subjects (capture, digests) VALUES (?1, ?2)")?,
        })
    }
}

const CAPTURE: &str =
    "INSERT INTO captures (seq, id, run, class, hit_set, rule_set, received_us, method, target, verdict,
    body, body_seen, body_drop, p_after_us, p_status, p_outcome, p_failure, p_queue_wait_us, p_connect_us, p_ttfb_us,
    p_total_us, p_body, p_body_seen, p_body_drop, s_after_us, s_status, s_outcome, s_failure, s_queue_wait_us,
    s_connect_us, s_ttfb_us, s_total_us, s_body, s_body_seen, s_body_drop, coding, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
    ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32,
    ?33, ?34, ?35, ?36, ?37)";

impl Insert<'_> {
    /// One capture and everything of it.
    pub fn capture(&mut self, of: &Prepared) -> Result<(), StoreError> {
        let seq = self.next_capture()?;
        let integration = self.integration(&of.integration)?;
        let class = self.class(of, integration)?;
        let hit_set = self.hit_set(&of.hit_set)?;
        let rule_set = self.rule_set(&of.rules)?;
        let [body, p_body, s_body] = self.bodies(seq, of)?;
        let primary = of.primary.as_ref();
        let again = self.again(of.details.0, &of.details.1)?;
        let (coding, block) = again.as_ref().unwrap_or(&of.details);
        fn time(side: Option<&Side>, of: fn(&Side) -> Option<u64>) -> Option<i64> {
            side.and_then(of).map(signed)
        }
        let shadow = Some(&of.shadow);
        let values = params![
            seq,
            of.id.as_slice(),
            self.run,
            class,
            hit_set,
            rule_set,
            of.received_us,
            of.method.as_str(),
            of.target,
            of.verdict,
            body,
            signed(of.body.seen),
            of.body.dropped,
            primary.map(|side| side.after_us),
            primary.and_then(|side| side.status),
            primary.map(|side| side.outcome.code()),
            primary.and_then(|side| side.failure),
            time(primary, |side| Some(side.queue_wait_us)),
            time(primary, |side| side.connect_us),
            time(primary, |side| side.ttfb_us),
            time(primary, |side| Some(side.total_us)),
            p_body,
            time(primary, |side| Some(side.part.seen)),
            primary.and_then(|side| side.part.dropped),
            of.shadow.after_us,
            of.shadow.status,
            of.shadow.outcome.code(),
            of.shadow.failure,
            time(shadow, |side| Some(side.queue_wait_us)),
            time(shadow, |side| side.connect_us),
            time(shadow, |side| side.ttfb_us),
            time(shadow, |side| Some(side.total_us)),
            s_body,
            time(shadow, |side| Some(side.part.seen)),
            of.shadow.part.dropped,
            coding,
            &**block,
        ];
        let at = error::at(self.path);
        self.hot.capture.execute(values).map_err(&at)?;
        self.rest(seq, integration, class, of)
    }

    /// What not every capture has, and what is counted.
    fn rest(&mut self, seq: i64, integration: i64, class: i64, of: &Prepared) -> Result<(), StoreError> {
        if !of.subjects.is_empty() {
            self.hot.subjects.execute(params![seq, of.subjects]).map_err(error::at(self.path))?;
        }
        if self.memory.intents.remove(&of.id) {
            self.run("DELETE FROM intents WHERE id = ?1", [of.id.as_slice()])?;
        }
        self.counted(class, 1);
        self.struck(integration, &of.hits);
        Ok(())
    }

    /// So many more captures of a class, once the transaction's totals are written.
    pub(in crate::store) fn counted(&mut self, class: i64, more: i64) {
        *self.memory.counts.entry(class).or_default() += more;
    }

    /// So many more hits of an integration's rules, likewise.
    pub(in crate::store) fn struck(&mut self, integration: i64, hits: &[(Arc<str>, u64)]) {
        for (rule, count) in hits {
            *self.memory.hits.entry((integration, Arc::clone(rule), self.run)).or_default() += signed(*count);
        }
    }

    /// The rows of a capture's bodies: the request's, the primary's, the shadow's.
    pub(in crate::store) fn bodies(&mut self, seq: i64, of: &Prepared) -> Result<[Option<i64>; 3], StoreError> {
        let body = self.body(seq, &of.body)?;
        let primary = of.primary.as_ref().map(|primary| self.body(seq, &primary.part)).transpose()?.flatten();
        let shadow = match &of.shadow.part.body {
            // A primary's that was let go meanwhile took the shadow's with it: they were one row.
            Some(Body { bytes: Content::Twin, .. }) => primary.or(Some(PRUNED)),
            _ => self.body(seq, &of.shadow.part)?,
        };
        Ok([body, primary, shadow])
    }

    /// The row of a body: an equal recent one, or a new one; none for an empty or dropped body.
    fn body(&mut self, capture: i64, part: &Part) -> Result<Option<i64>, StoreError> {
        let Some(body) = &part.body else { return Ok(part.pruned.then_some(PRUNED)) };
        let (_, id) = self.next()?;
        let there = Place { body: id, owner: capture };
        let window = &self.shared.window;
        let known = match &body.bytes {
            Content::Seen(_, Some(sight)) if window.holds(*sight) => Some(sight.place),
            // Nobody has it to store it.
            Content::Twin => Some(window.place(&body.digest).unwrap_or(Place { body: PRUNED, owner: capture })),
            _ => window.place_or(&body.digest, there),
        };
        if let Some(place) = known {
            if place.owner != capture {
                self.hot.repeat.execute([place.body, capture]).map_err(error::at(self.path))?;
            }
            return Ok(Some(place.body));
        }
        let (digest, size) = (body.digest.as_slice(), body.size as i64);
        let packed;
        let (coding, bytes) = match &body.bytes {
            Content::Packed(coding, bytes) => match self.again(*coding, bytes)? {
                None => (*coding, bytes),
                Some(again) => {
                    packed = again;
                    (packed.0, &packed.1)
                }
            },
            Content::Seen(plain, _) => {
                packed = self.packer.pack(plain, None);
                (packed.0, &packed.1)
            }
            Content::Twin => return Ok(Some(PRUNED)),
        };
        let values = params![id, capture, digest, size, coding, &**bytes];
        self.hot.body.execute(values).map_err(error::at(self.path))?;
        self.memory.next = self.memory.next.map(|(capture, body)| (capture, body + 1));
        Ok(Some(id))
    }

    /// What was packed with a dictionary that somebody took out of the file meanwhile, packed without.
    fn again(&mut self, coding: i64, bytes: &[u8]) -> Result<Option<Packed>, StoreError> {
        let Some(gone) = self.shared.dictionaries.gone(coding) else { return Ok(None) };
        let plain = codec::unpack(coding, Size::AtMost(u64::MAX), bytes.to_vec(), gone.unpacking().as_ref());
        let plain = plain.map_err(|why| StoreError::Unstorable { what: "packed bytes", why })?;
        Ok(Some(self.packer.pack(&plain, None)))
    }

    /// The next rows of captures and bodies.
    fn next(&mut self) -> Result<(i64, i64), StoreError> {
        if let Some(next) = self.memory.next {
            return Ok(next);
        }
        // A mark may lag behind the rows (a step-1 file), and the rows behind the mark (the newest were pruned).
        let text = "SELECT 1 + max(coalesce((SELECT value FROM marks WHERE name = 'capture'), 0),
            coalesce((SELECT max(seq) FROM captures), 0)), 1 + max(coalesce((SELECT value FROM marks WHERE name = 'body'),
            0), coalesce((SELECT max(id) FROM bodies), 0))";
        let next = self.db.query_row(text, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(error::at(self.path))?;
        self.memory.next = Some(next);
        Ok(next)
    }

    fn next_capture(&mut self) -> Result<i64, StoreError> {
        let (capture, body) = self.next()?;
        self.memory.next = Some((capture + 1, body));
        Ok(capture)
    }

    /// A call that is about to be sent, and that the provider may process.
    pub fn intent(&mut self, of: &Recording) -> Result<(), StoreError> {
        let capture = &of.capture;
        let key = capture.request.headers.get(IDEMPOTENCY_KEY).map(|value| value.to_str().unwrap_or_default());
        let text = "INSERT INTO intents (id, run, integration, endpoint, method, target, idempotency_key, rules, at_us)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let id = *capture.id.0.as_bytes();
        let values = params![
            id.as_slice(),
            self.run,
            &*capture.integration,
            &*capture.endpoint,
            capture.request.method.as_str(),
            capture.request.target,
            key,
            &*of.rules_hash,
            capture.received_unix_us,
        ];
        self.run(text, values)?;
        self.memory.intents.insert(id);
        Ok(())
    }

    /// What is written once a transaction, before its commit: totals, and which rows were given.
    pub fn totals(&mut self) -> Result<(), StoreError> {
        let total = "INSERT INTO hit_totals (integration, rule, run, count) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (integration, rule, run) DO UPDATE SET count = count + excluded.count";
        for ((integration, rule, run), count) in std::mem::take(&mut self.memory.hits) {
            self.run(total, params![integration, &*rule, run, count])?;
        }
        for (class, count) in std::mem::take(&mut self.memory.counts) {
            self.run("UPDATE classes SET captures = captures + ?2 WHERE id = ?1", [class, count])?;
        }
        if let Some((capture, body)) = self.memory.next {
            let mark = "INSERT INTO marks (name, value) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            self.run(mark, params!["capture", capture - 1])?;
            self.run(mark, params!["body", body - 1])?;
            let indexed = subjects::indexed(self.db).map_err(error::at(self.path))?;
            subjects::index_one(self.db, indexed, capture).map_err(error::at(self.path))?;
        }
        Ok(())
    }

    /// The class of a capture, made if it is the first of its kind.
    pub(in crate::store) fn class(&mut self, of: &Prepared, integration: i64) -> Result<i64, StoreError> {
        let endpoint = self.endpoint(integration, &of.endpoint)?;
        let mut key = ClassKey {
            integration,
            endpoint,
            outcome: of.shadow.outcome.code(),
            status: of.shadow.status.unwrap_or_default(),
            primary_outcome: of.primary.as_ref().map_or(-1, |primary| i64::from(primary.outcome.code())),
            speed: speed(of.shadow.total_us),
            shape: of.shape,
        };
        if let Some(id) = self.memory.classes.get(&key) {
            return Ok(*id);
        }
        let count = match self.memory.classes_of.get(&endpoint) {
            Some(count) => *count,
            None => self.id("SELECT count(*) FROM classes WHERE endpoint = ?1", [endpoint])?.unwrap_or(0) as usize,
        };
        self.memory.classes_of.insert(endpoint, count);
        let known = self.find_class(&key)?;
        if known.is_none() && count >= CLASSES_PER_ENDPOINT_MAX {
            (key.status, key.shape) = (0, OTHER_SHAPE);
            if let Some(id) = self.memory.classes.get(&key) {
                return Ok(*id);
            }
        }
        let id = match known.map_or_else(|| self.find_class(&key), |id| Ok(Some(id)))? {
            Some(id) => id,
            None => {
                let text = "INSERT INTO classes (integration, endpoint, outcome, status, primary_outcome, speed, shape)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let ClassKey { outcome, status, primary_outcome, speed, shape, .. } = key;
                let values = params![integration, endpoint, outcome, status, primary_outcome, speed, signed(shape)];
                self.run(text, values)?;
                *self.memory.classes_of.entry(endpoint).or_default() += 1;
                self.db.last_insert_rowid()
            }
        };
        if self.memory.classes.len() >= NAMES_MAX {
            self.memory.classes.clear();
        }
        self.memory.classes.insert(key, id);
        Ok(id)
    }

    fn find_class(&self, key: &ClassKey) -> Result<Option<i64>, StoreError> {
        let text =
            "SELECT id FROM classes WHERE endpoint = ?1 AND outcome = ?2 AND status = ?3 AND primary_outcome = ?4
            AND speed = ?5 AND shape = ?6";
        let values = params![key.endpoint, key.outcome, key.status, key.primary_outcome, key.speed, signed(key.shape)];
        self.id(text, values)
    }

    pub(in crate::store) fn integration(&mut self, name: &Arc<str>) -> Result<i64, StoreError> {
        if let Some(id) = self.memory.integrations.get(name) {
            return Ok(*id);
        }
        let found = self.id("SELECT id FROM integrations WHERE name = ?1", [&**name])?;
        let id = self.or_new(found, "INSERT INTO integrations (name) VALUES (?1)", [&**name])?;
        self.memory.integrations.insert(Arc::clone(name), id);
        Ok(id)
    }

    fn endpoint(&mut self, integration: i64, name: &Arc<str>) -> Result<i64, StoreError> {
        if let Some(id) = self.memory.endpoints.get(&integration).and_then(|names| names.get(name)) {
            return Ok(*id);
        }
        let values = params![integration, &**name];
        let found = self.id("SELECT id FROM endpoints WHERE integration = ?1 AND name = ?2", values)?;
        let id = self.or_new(found, "INSERT INTO endpoints (integration, name) VALUES (?1, ?2)", values)?;
        let names = self.memory.endpoints.entry(integration).or_default();
        if names.len() >= NAMES_MAX {
            names.clear();
        }
        names.insert(Arc::clone(name), id);
        Ok(id)
    }

    pub(in crate::store) fn rule_set(&mut self, hash: &Arc<str>) -> Result<i64, StoreError> {
        if let Some(id) = self.memory.rule_sets.get(hash) {
            return Ok(*id);
        }
        let found = self.id("SELECT id FROM rule_sets WHERE hash = ?1", [&**hash])?;
        let id = self.or_new(found, "INSERT INTO rule_sets (hash) VALUES (?1)", [&**hash])?;
        if self.memory.rule_sets.len() >= NAMES_MAX {
            self.memory.rule_sets.clear();
        }
        self.memory.rule_sets.insert(Arc::clone(hash), id);
        Ok(id)
    }

    pub(in crate::store) fn hit_set(&mut self, rules: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.memory.hit_sets.get(rules) {
            return Ok(*id);
        }
        let found = self.id("SELECT id FROM hit_sets WHERE rules = ?1", [rules])?;
        let id = self.or_new(found, "INSERT INTO hit_sets (rules) VALUES (?1)", [rules])?;
        if self.memory.hit_sets.len() >= NAMES_MAX {
            self.memory.hit_sets.clear();
        }
        self.memory.hit_sets.insert(rules.to_owned(), id);
        Ok(id)
    }

    fn or_new(&self, found: Option<i64>, text: &str, values: impl rusqlite::Params) -> Result<i64, StoreError> {
        match found {
            Some(id) => Ok(id),
            None => {
                self.run(text, values)?;
                Ok(self.db.last_insert_rowid())
            }
        }
    }

    fn id(&self, text: &str, values: impl rusqlite::Params) -> Result<Option<i64>, StoreError> {
        let at = error::at(self.path);
        let mut statement = self.db.prepare_cached(text).map_err(&at)?;
        statement.query_row(values, |row| row.get(0)).optional().map_err(&at)
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
