//! The writer's thread: batches by count, bytes or age, and keeps what could not be written until it can.

use crate::exchange::{Clock, Instant, Integration};
use crate::latency::{Series, SeriesKey, Shard, Totals};
use crate::recorder::NameEndpoint;
use crate::recorder::clock_steps::ClockSteps;
use crate::recorder::counts::Counts;
use crate::recorder::endpoints::Endpoints;
use crate::recorder::line::{Chunk, Gate, Message, Tell};
use crate::recorder::{Held, Settings};
use crate::redact::{Recording, Redacted};
use crate::store::{Batch, LedgerRow, Prepared, StoreError, SwitchRow, TrainedDictionary, Writer};
use crate::telemetry::Ledger;
use foldhash::{HashMap, HashMapExt as _};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the writer lets captures gather before it looks again, within its commit interval.
const GATHER: Duration = Duration::from_millis(20);
/// A batch of so many captures is worth a commit as soon as no more come for a while: a little longer than the threads
/// before the writer let captures gather.
const BURST_CAPTURES: usize = 256;
const BURST_OVER: Duration = Duration::from_millis(5);
/// Calls that wait to be sent gather for so long: a commit for each would cost more than the calls.
const ANNOUNCED: Duration = Duration::from_millis(15);
/// Switch changes kept while the store cannot take them.
const UNWRITTEN_SWITCHES_MAX: usize = 1_000;
/// Series of finished intervals kept while the store cannot take them; at 25 kB a series this is 100 MB at worst.
const FINISHED_SERIES_MAX: usize = 4_000;

/// What one transaction is made of.
#[derive(Default)]
struct Gathered {
    /// Of each chunk, in the order of the line, as it came: captures are not moved any more.
    ready: Vec<Vec<Prepared>>,
    held: Vec<Vec<Held>>,
    captures: usize,
    bytes: usize,
    /// Calls that wait to be sent until they are durable, and since when the first does.
    announced: Vec<(Redacted<Recording>, Tell)>,
    announced_since: Option<Instant>,
    trained: Vec<TrainedDictionary>,
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.captures == 0 && self.announced.is_empty() && self.trained.is_empty()
    }
}

/// A series of the open interval.
#[derive(Default)]
struct Open {
    series: Series,
    written: bool,
}

/// What the store cannot do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    /// Take captures.
    Captures,
    /// Move its log into its file.
    Log,
}

/// See the file.
pub(in crate::recorder) struct Writing {
    settings: Settings,
    clock: Clock,
    clock_steps: ClockSteps,
    writer: Writer,
    gate: Arc<Gate>,
    /// Chunks that came before their turn, and whose turn it is.
    early: BTreeMap<u64, Chunk>,
    next: u64,
    shards: mpsc::Receiver<Shard>,
    endpoints: Endpoints,
    totals: Arc<Totals>,
    ledger: Arc<Ledger>,
    counts: Counts,
    switches: Box<dyn FnMut() -> Vec<SwitchRow> + Send>,
    report: Box<dyn FnMut(Option<String>) + Send>,
    unwritten_switches: Vec<SwitchRow>,
    interval_start_s: i64,
    open: HashMap<SeriesKey, Open>,
    finished: Vec<(SeriesKey, i64, Series)>,
    failing: Option<Failing>,
    totals_written: Instant,
    pruned: Instant,
    prune_more: bool,
}

impl Writing {
    pub(in crate::recorder) fn new(
        settings: Settings,
        writer: Writer,
        gate: Arc<Gate>,
        (shards, name_endpoint, totals): (mpsc::Receiver<Shard>, NameEndpoint, Arc<Totals>),
        ledger: Arc<Ledger>,
        switches: Box<dyn FnMut() -> Vec<SwitchRow> + Send>,
        report: Box<dyn FnMut(Option<String>) + Send>,
    ) -> Self {
        let clock = Clock;
        let now = clock.now();
        let mut writing = Self {
            settings,
            clock,
            clock_steps: ClockSteps::new(clock),
            writer,
            gate,
            early: BTreeMap::new(),
            next: 0,
            shards,
            endpoints: Endpoints::new(name_endpoint),
            totals,
            ledger,
            counts: Counts::default(),
            switches,
            report,
            unwritten_switches: Vec::new(),
            interval_start_s: 0,
            open: HashMap::new(),
            finished: Vec::new(),
            failing: None,
            totals_written: now,
            pruned: now,
            prune_more: true,
        };
        writing.interval_start_s = writing.current_interval_s();
        writing.counts.interval_s = writing.interval_start_s;
        writing
    }

    fn current_interval_s(&self) -> i64 {
        let now_s = self.clock.unix_us() / 1_000_000;
        now_s - now_s.rem_euclid(self.settings.interval_s.max(1))
    }

    pub(in crate::recorder) fn run(mut self, ready: &Receiver<Message>) {
        loop {
            let (gathered, open) = self.gather(ready);
            let totals_due = self.clock.elapsed_us(self.totals_written) >= self.settings.totals_interval_ms * 1_000;
            if !gathered.is_empty() || totals_due || !open {
                self.commit(gathered, totals_due || !open);
            }
            if !open {
                break;
            }
            self.prune_if_due();
        }
        self.gate.open();
        if let Err(error) = self.writer.close() {
            tracing::error!(%error, "the store could not be closed cleanly; the next start repairs it");
        }
    }

    /// One batch: by count, by bytes or by age. `false`: nobody sends any more. The first capture wakes the writer, the
    /// others gather meanwhile; calls that wait to be sent are committed in between, without them.
    fn gather(&mut self, ready: &Receiver<Message>) -> (Gathered, bool) {
        let age_max = Duration::from_millis(self.settings.commit_interval_ms.max(1));
        let start = self.clock.now();
        let mut gathered = Gathered::default();
        match ready.recv_timeout(if self.prune_more { Duration::ZERO } else { age_max }) {
            Ok(first) => self.sort(first, &mut gathered),
            Err(RecvTimeoutError::Timeout) => return (gathered, true),
            Err(RecvTimeoutError::Disconnected) => return (gathered, false),
        }
        let Settings { batch_captures_max, batch_bytes_max, .. } = self.settings;
        let is_full = |batch: &Gathered| batch.captures >= batch_captures_max || batch.bytes >= batch_bytes_max;
        loop {
            while !is_full(&gathered) {
                match ready.try_recv() {
                    Ok(one) => self.sort(one, &mut gathered),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return (gathered, false),
                }
            }
            let now = self.clock.now();
            let left = age_max.saturating_sub(now.saturating_duration_since(start));
            if is_full(&gathered) || left.is_zero() {
                return (gathered, true);
            }
            let announced_left =
                gathered.announced_since.map(|since| (since + ANNOUNCED).saturating_duration_since(now));
            if announced_left.is_some_and(|left| left.is_zero()) {
                self.commit_announced(&mut gathered);
                continue;
            }
            let is_burst = gathered.captures >= BURST_CAPTURES;
            let wait = left.min(if is_burst { BURST_OVER } else { GATHER });
            match ready.recv_timeout(announced_left.map_or(wait, |left| wait.min(left))) {
                Ok(one) => self.sort(one, &mut gathered),
                Err(RecvTimeoutError::Timeout) if announced_left.is_some() => {}
                // A burst is over: nothing is won by waiting for more.
                Err(RecvTimeoutError::Timeout) if is_burst => return (gathered, true),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return (gathered, false),
            }
        }
    }

    fn sort(&mut self, message: Message, gathered: &mut Gathered) {
        match message {
            Message::Announced(some) => {
                gathered.announced_since.get_or_insert_with(|| self.clock.now());
                gathered.announced.extend(some);
            }
            Message::Trained(made) => gathered.trained.push(made),
            Message::Chunk(chunk) => {
                self.early.insert(chunk.ticket, chunk);
                while let Some(chunk) = self.early.remove(&self.next) {
                    gathered.captures += chunk.ready.len();
                    gathered.bytes += chunk.bytes;
                    gathered.ready.push(chunk.ready);
                    gathered.held.push(chunk.held);
                    self.next += 1;
                }
                self.gate.next_is(self.next);
            }
        }
    }

    /// Makes the announced calls durable by themselves: beside captures each commit would write their indexes' pages too.
    fn commit_announced(&mut self, gathered: &mut Gathered) {
        gathered.announced_since = None;
        let (intents, tell): (Vec<_>, Vec<Tell>) = std::mem::take(&mut gathered.announced).into_iter().unzip();
        let result = self.writer.append(&Batch { intents, ..Batch::default() });
        let stored = result.is_ok();
        self.say(result);
        tell.into_iter().for_each(|tell| tell(stored));
    }

    fn commit(&mut self, gathered: Gathered, totals: bool) {
        let Gathered { ready: prepared, held, bytes, announced, trained, .. } = gathered;
        let mut books: HashMap<Integration, u64> = HashMap::new();
        for one in prepared.iter().flatten() {
            let integration = one.integration();
            match books.get_mut(integration) {
                Some(count) => *count += 1,
                None => drop(books.insert(Arc::clone(integration), 1)),
            }
        }
        let (intents, tell): (Vec<_>, Vec<Tell>) = announced.into_iter().unzip();
        self.take_switches();
        self.take_shards();
        let batch = Batch {
            captures: Vec::new(),
            prepared,
            intents,
            dictionaries: trained,
            series: if totals { self.unwritten_series() } else { Vec::new() },
            ledger_interval_unix_s: self.counts.interval_s,
            ledger: self.counts.rows(&self.ledger, &books, self.clock_steps.look(self.clock)),
            switches: std::mem::take(&mut self.unwritten_switches),
        };
        let result = self.writer.append(&batch);
        let stored = result.is_ok();
        // Before it is counted: who sees the count finds the reason.
        self.say(result);
        for (integration, count) in &books {
            let Some(book) = self.ledger.of(integration) else { continue };
            match stored {
                true => book.recorded(*count),
                false => book.not_recorded("store_failed", *count),
            }
        }
        tell.into_iter().for_each(|tell| tell(stored));
        match stored {
            true => self.committed(&batch.ledger, totals),
            false => self.unwritten_switches = batch.switches,
        }
        if totals {
            self.totals_written = self.clock.now();
        }
        drop(held);
        self.gate.release(bytes);
    }

    fn committed(&mut self, ledger: &[LedgerRow], totals: bool) {
        if totals {
            self.finished.clear();
            self.open.values_mut().for_each(|open| open.written = true);
        }
        let now_s = self.current_interval_s();
        // A clock that stepped back stays in the open interval.
        if now_s > self.counts.interval_s {
            self.counts.begin(now_s, ledger);
        }
    }

    fn say(&mut self, result: Result<(), StoreError>) {
        let (now, error) = match (result, self.writer.trouble()) {
            (Err(error), _) => (Some(Failing::Captures), Some(error)),
            (Ok(()), Some(error)) => (Some(Failing::Log), Some(error)),
            (Ok(()), None) => (None, None),
        };
        // Logged once per failure, not once per batch: the count is in the ledger.
        if now != self.failing {
            match (&now, &error) {
                (Some(Failing::Captures), Some(error)) => {
                    tracing::error!(%error, "the store cannot take captures; counted as not recorded until it can");
                }
                (_, Some(error)) => tracing::error!(%error, "the store takes captures, and needs help"),
                _ => {
                    tracing::info!("the store is as it should be again");
                    (self.report)(None);
                }
            }
            self.failing = now;
        }
        if let Some(error) = error {
            (self.report)(Some(error.to_string()));
        }
    }

    fn take_switches(&mut self) {
        let new = (self.switches)();
        let room = UNWRITTEN_SWITCHES_MAX.saturating_sub(self.unwritten_switches.len());
        if new.len() > room {
            tracing::warn!(lost = new.len() - room, "switch history is full while the store is away");
        }
        self.unwritten_switches.extend(new.into_iter().take(room));
    }

    /// Merges what the threads recorded; when a new interval has begun, the old one's series are finished.
    fn take_shards(&mut self) {
        let now_s = self.current_interval_s();
        // A clock that stepped back stays in the open interval: no interval is written twice.
        if now_s > self.interval_start_s {
            let room = FINISHED_SERIES_MAX.saturating_sub(self.finished.len());
            let unwritten = self.open.drain().filter(|(_, open)| !open.written);
            let mut finished: Vec<_> = unwritten.map(|(key, open)| (key, self.interval_start_s, open.series)).collect();
            if finished.len() > room {
                let lost = finished.len() - room;
                tracing::warn!(lost, "finished latency series are full while the store is away");
                finished.truncate(room);
            }
            self.finished.extend(finished);
            self.interval_start_s = now_s;
            // The rules may be others by now.
            self.endpoints.forget();
        }
        while let Ok(shard) = self.shards.try_recv() {
            shard.added().for_each(|(integration, series)| self.totals.add_added(integration, series));
            for (mut key, series) in shard {
                self.totals.add(&key, &series);
                key.endpoint = self.endpoints.stored(&key.integration, key.endpoint);
                let open = self.open.entry(key).or_default();
                open.series.merge(&series);
                open.written = false;
            }
        }
    }

    /// Those that changed since they were written.
    fn unwritten_series(&self) -> Vec<(SeriesKey, i64, Series)> {
        let changed = self.open.iter().filter(|(_, open)| !open.written);
        let open = changed.map(|(key, open)| (key.clone(), self.interval_start_s, open.series.clone()));
        self.finished.iter().cloned().chain(open).collect()
    }

    fn prune_if_due(&mut self) {
        if !self.prune_more && self.clock.elapsed_us(self.pruned) < self.settings.prune_interval_ms * 1_000 {
            return;
        }
        self.pruned = self.clock.now();
        match self.writer.prune(self.clock.unix_us()) {
            Ok(report) => self.prune_more = report.more,
            Err(error) => {
                self.prune_more = false;
                tracing::warn!(%error, "the store could not be pruned");
            }
        }
    }
}
