//! Redact, compare, append: what was taken at the door is recorded, or counted with the reason it could not be.
//!
//! Redaction and comparing run on threads of their own before the one writer. The queue in front of the writer is short:
//! when the disk is slow the redactors wait, the line behind the door fills, and `offer` sheds. Nothing here is shed.
//!
//! **Invariant:** a capture's byte reservation is released only after its fate is counted, so the line stays bounded.
//!
//! Latencies and the ledger are written as totals of this run, so a commit that failed is made good by the next one.

use crate::compare::{Verdict, compare};
use crate::exchange::{Capture, Clock, DropReason, Instant, NotMirrored, Outcome};
use crate::latency::{Series, SeriesKey, Shard};
use crate::redact::{Recording, Redacted, Redactors};
use crate::store::{Batch, LedgerRow, StoreError, SwitchRow, Writer};
use crate::telemetry::{Book, BookSnapshot, Ledger};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// How the recorder batches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that redact and compare.
    pub redactor_threads: usize,
    /// A commit happens at the latest this long after the first capture of its batch, in milliseconds; what kill -9
    /// can lose.
    pub commit_interval_ms: u64,
    /// A commit happens at the latest with this many captures.
    pub batch_captures_max: usize,
    /// Length of a stored latency interval in seconds. Ten minutes is long enough to be the cluster that keeps
    /// confidence intervals honest when slow episodes last minutes.
    pub interval_s: i64,
    /// Latencies and ledger totals are written at the latest this often, in milliseconds.
    pub totals_interval_ms: u64,
    /// The store is asked to hold its age and size limits this often, in milliseconds.
    pub prune_interval_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            redactor_threads: 2,
            commit_interval_ms: 200,
            batch_captures_max: 1_000,
            interval_s: 600,
            totals_interval_ms: 1_000,
            prune_interval_ms: 60_000,
        }
    }
}

/// What the recorder reads from the rest of the line.
pub struct Inputs<T> {
    /// What was taken at the door; closed when the mirror has drained.
    pub taken: mpsc::Receiver<T>,
    /// Latencies of every thread, mirrored calls or not.
    pub shards: mpsc::Receiver<Shard>,
    /// The counters of the run.
    pub ledger: Arc<Ledger>,
    /// Changes of the switches since the last call.
    pub switches: Box<dyn FnMut() -> Vec<SwitchRow> + Send>,
    /// Told the store's problem, or that there is none (any more).
    pub report: Box<dyn FnMut(Option<String>) + Send>,
}

/// The recorder's threads; ends when its inputs are closed and everything taken is committed.
pub struct Recorder {
    redactors: Vec<JoinHandle<()>>,
    writer: JoinHandle<()>,
}

impl Recorder {
    /// Waits for the threads. The caller has closed the line behind them.
    pub fn join(self) {
        for thread in self.redactors.into_iter().chain([self.writer]) {
            if thread.join().is_err() {
                tracing::error!("a recorder thread ended by a panic");
            }
        }
    }
}

/// Captures a redactor thread takes at once.
const TAKEN_AT_ONCE: usize = 64;

/// How long a redactor thread lets captures gather, when there were few, before it looks again: a wake-up per capture
/// costs more than redacting a small one, on cores that the user's path needs.
const REDACTOR_GATHER: Duration = Duration::from_millis(5);

/// The same for the writer, within its commit interval.
const WRITER_GATHER: Duration = Duration::from_millis(20);

type Held = Box<dyn Send>;

struct Ready {
    recording: Redacted<Recording>,
    verdict: Verdict,
    // Dropped after the commit: the bytes stay reserved until then.
    _held: Held,
}

/// Starts the recorder. `split` takes what the mirror hands over apart: the capture, and the reservation to release when
/// its fate is counted. `lower_priority` runs first on each thread.
pub fn start<T: Send + 'static>(
    settings: Settings,
    inputs: Inputs<T>,
    split: fn(T) -> (Capture, Held),
    redactor: Arc<Redactors>,
    writer: Writer,
    lower_priority: impl Fn() + Copy + Send + 'static,
) -> std::io::Result<Recorder> {
    let Inputs { taken, shards, ledger, switches, report } = inputs;
    let (ready_tx, ready_rx) = sync_channel(settings.batch_captures_max);
    let taken = Arc::new(Mutex::new(taken));
    let redactors = (0..settings.redactor_threads.max(1))
        .map(|n| {
            let (taken, ready, ledger, redactor) = (taken.clone(), ready_tx.clone(), ledger.clone(), redactor.clone());
            std::thread::Builder::new().name(format!("dl-redact-{n}")).spawn(move || {
                lower_priority();
                redact_all(&taken, split, &redactor, &ledger, &ready);
            })
        })
        .collect::<Result<_, _>>()?;
    drop(ready_tx);
    let writing = Writing::new(settings, writer, shards, ledger, switches, report);
    let writer = std::thread::Builder::new().name("dl-writer".into()).spawn(move || {
        lower_priority();
        writing.run(&ready_rx);
    })?;
    Ok(Recorder { redactors, writer })
}

fn redact_all<T>(
    taken: &Mutex<mpsc::Receiver<T>>,
    split: fn(T) -> (Capture, Held),
    redactor: &Redactors,
    ledger: &Ledger,
    ready: &SyncSender<Ready>,
) {
    let mut few = Vec::with_capacity(TAKEN_AT_ONCE);
    loop {
        taken.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv_many(&mut few, TAKEN_AT_ONCE);
        let (none, some) = (few.is_empty(), few.len() < TAKEN_AT_ONCE);
        for next in few.drain(..) {
            redact_one(split(next), redactor, ledger, ready);
        }
        if none {
            return;
        }
        if some {
            std::thread::park_timeout(REDACTOR_GATHER);
        }
    }
}

fn redact_one((capture, held): (Capture, Held), redactor: &Redactors, ledger: &Ledger, ready: &SyncSender<Ready>) {
    let book = ledger.of(&capture.integration).cloned();
    // Fail closed: should redaction ever panic, the capture is gone and counted, the thread lives.
    let done = catch_unwind(AssertUnwindSafe(|| {
        let recording = redactor.capture(capture);
        let verdict = compare(&recording);
        (recording, verdict)
    }));
    match done {
        Ok((recording, verdict)) => {
            if let Some(book) = &book {
                count_redaction(book, &recording);
            }
            if ready.send(Ready { recording, verdict, _held: held }).is_err() {
                count_lost(book.as_deref(), "writer_gone", 1);
            }
        }
        Err(_) => count_lost(book.as_deref(), "redaction_panicked", 1),
    }
}

fn count_lost(book: Option<&Book>, reason: &'static str, count: u64) {
    if let Some(book) = book {
        book.not_recorded(reason, count);
    }
}

fn count_redaction(book: &Book, recording: &Recording) {
    for hit in &recording.hits {
        book.redaction_hits(&hit.rule, hit.side.name(), hit.part.name(), u64::from(hit.count));
    }
    let capture = &recording.capture;
    let answers = [capture.primary.as_ref(), Some(&capture.shadow)];
    let bodies =
        answers.into_iter().flatten().filter_map(|exchange| exchange.response.as_ref()).map(|answer| &answer.body);
    for body in bodies.chain([&capture.request.body]) {
        match body.drop_reason() {
            Some(reason) => book.body_dropped(reason),
            None if !body.bytes.is_empty() => book.body_kept(),
            None => {}
        }
    }
}

struct Writing {
    settings: Settings,
    clock: Clock,
    writer: Writer,
    shards: mpsc::Receiver<Shard>,
    ledger: Arc<Ledger>,
    switches: Box<dyn FnMut() -> Vec<SwitchRow> + Send>,
    report: Box<dyn FnMut(Option<String>) + Send>,
    unwritten_switches: Vec<SwitchRow>,
    interval_start_s: i64,
    open: HashMap<SeriesKey, Series>,
    finished: Vec<(SeriesKey, i64, Series)>,
    failing: bool,
    totals_written: Instant,
    pruned: Instant,
}

/// Switch changes kept while the store cannot take them.
const UNWRITTEN_SWITCHES_MAX: usize = 1_000;

/// Series of finished intervals kept while the store cannot take them; at 25 kB a series this is 100 MB at worst.
const FINISHED_SERIES_MAX: usize = 4_000;

impl Writing {
    fn new(
        settings: Settings,
        writer: Writer,
        shards: mpsc::Receiver<Shard>,
        ledger: Arc<Ledger>,
        switches: Box<dyn FnMut() -> Vec<SwitchRow> + Send>,
        report: Box<dyn FnMut(Option<String>) + Send>,
    ) -> Self {
        let clock = Clock;
        let now = clock.now();
        let mut writing = Self {
            settings,
            clock,
            writer,
            shards,
            ledger,
            switches,
            report,
            unwritten_switches: Vec::new(),
            interval_start_s: 0,
            open: HashMap::new(),
            finished: Vec::new(),
            failing: false,
            totals_written: now,
            pruned: now,
        };
        writing.interval_start_s = writing.current_interval_s();
        writing
    }

    fn current_interval_s(&self) -> i64 {
        let now_s = self.clock.unix_us() / 1_000_000;
        now_s - now_s.rem_euclid(self.settings.interval_s.max(1))
    }

    fn run(mut self, ready: &Receiver<Ready>) {
        let commit_interval = Duration::from_millis(self.settings.commit_interval_ms.max(1));
        loop {
            let (batch, open) = collect(ready, commit_interval, self.settings.batch_captures_max, self.clock);
            let totals_due = self.clock.elapsed_us(self.totals_written) >= self.settings.totals_interval_ms * 1_000;
            if !batch.is_empty() || totals_due || !open {
                self.commit(batch, totals_due || !open);
            }
            if !open {
                break;
            }
            self.prune_if_due();
        }
        if let Err(error) = self.writer.close() {
            tracing::error!(%error, "the store could not be closed cleanly; the next start repairs it");
        }
    }

    fn commit(&mut self, ready: Vec<Ready>, totals: bool) {
        let mut books: HashMap<Arc<str>, u64> = HashMap::new();
        for one in &ready {
            *books.entry(one.recording.capture.integration.clone()).or_default() += 1;
        }
        let (captures, held): (Vec<_>, Vec<_>) =
            ready.into_iter().map(|one| ((one.recording, one.verdict), one._held)).unzip();
        self.take_switches();
        self.take_shards();
        let series = if totals { self.unwritten_series() } else { Vec::new() };
        let ledger = if totals { self.ledger_rows(&books) } else { Vec::new() };
        let batch = Batch { captures, series, ledger, switches: std::mem::take(&mut self.unwritten_switches) };
        let result = self.writer.append(&batch);
        for (integration, count) in &books {
            let Some(book) = self.ledger.of(integration) else { continue };
            match result {
                Ok(()) => book.recorded(*count),
                Err(_) => book.not_recorded("store_failed", *count),
            }
        }
        match result {
            Ok(()) if totals => self.finished.clear(),
            Ok(()) => {}
            Err(_) => self.unwritten_switches = batch.switches,
        }
        if totals {
            self.totals_written = self.clock.now();
        }
        self.say(result);
        drop(held);
    }

    fn say(&mut self, result: Result<(), StoreError>) {
        match result {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("the store takes captures again");
                (self.report)(None);
            }
            Ok(()) => {}
            Err(error) => {
                // Logged once per failure, not once per batch: the count is in the ledger.
                if !self.failing {
                    tracing::error!(%error, "the store cannot take captures; counted as not recorded until it can");
                }
                self.failing = true;
                (self.report)(Some(error.to_string()));
            }
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
            if self.open.len() > room {
                tracing::warn!(
                    lost = self.open.len() - room,
                    "finished latency series are full while the store is away"
                );
            }
            let finished = self.open.drain().map(|(key, series)| (key, self.interval_start_s, series));
            self.finished.extend(finished.take(room));
            self.interval_start_s = now_s;
        }
        while let Ok(shard) = self.shards.try_recv() {
            for (key, series) in shard {
                self.open.entry(key).or_default().merge(&series);
            }
        }
    }

    fn unwritten_series(&self) -> Vec<(SeriesKey, i64, Series)> {
        let open = self.open.iter().map(|(key, series)| (key.clone(), self.interval_start_s, series.clone()));
        self.finished.iter().cloned().chain(open).collect()
    }

    /// The totals of the run, counting the captures of the batch they are written with as recorded.
    fn ledger_rows(&self, batch: &HashMap<Arc<str>, u64>) -> Vec<LedgerRow> {
        self.ledger
            .iter()
            .flat_map(|book| {
                let mut snapshot = book.snapshot();
                snapshot.recorded += batch.get(book.integration()).copied().unwrap_or_default();
                let integration = book.integration().to_string();
                let row = move |(state, count)| LedgerRow { integration: integration.clone(), state, count };
                states(&snapshot).into_iter().map(row)
            })
            .collect()
    }

    fn prune_if_due(&mut self) {
        if self.clock.elapsed_us(self.pruned) < self.settings.prune_interval_ms * 1_000 {
            return;
        }
        self.pruned = self.clock.now();
        if let Err(error) = self.writer.prune(self.clock.unix_us()) {
            tracing::warn!(%error, "the store could not be pruned");
        }
    }
}

/// The counts of a book by the names the database knows them under; states without a count are left out.
fn states(book: &BookSnapshot) -> Vec<(String, u64)> {
    let outcomes = |prefix: &'static str, counts: [u64; 9]| {
        Outcome::ALL
            .into_iter()
            .zip(counts)
            .map(move |(outcome, count)| (format!("{prefix}.{}", outcome.name()), count))
    };
    let refused = NotMirrored::ALL.into_iter().zip(book.not_mirrored);
    let dropped = DropReason::ALL.into_iter().zip(book.body_dropped);
    let lost = book.not_recorded.iter().map(|(reason, count)| (format!("not_recorded.{reason}"), *count));
    let counted = outcomes("mirrored", book.mirrored)
        .chain(outcomes("primary", book.primary))
        .chain(refused.map(|(reason, count)| (format!("not_mirrored.{}", reason.name()), count)))
        .chain(dropped.map(|(reason, count)| (format!("body_dropped.{}", reason.name()), count)))
        .chain(lost)
        .filter(|(_, count)| *count > 0);
    let always = [("arrived", book.arrived), ("pending", book.pending), ("recorded", book.recorded)];
    always.into_iter().map(|(state, count)| (state.to_owned(), count)).chain(counted).collect()
}

/// One batch: by count, or by age. `false`: the redactors are gone and the queue is empty. The first capture wakes the
/// writer, the others gather meanwhile.
fn collect(ready: &Receiver<Ready>, age_max: Duration, count_max: usize, clock: Clock) -> (Vec<Ready>, bool) {
    let start = clock.now();
    let mut batch = Vec::new();
    match ready.recv_timeout(age_max) {
        Ok(first) => batch.push(first),
        Err(RecvTimeoutError::Timeout) => return (batch, true),
        Err(RecvTimeoutError::Disconnected) => return (batch, false),
    }
    loop {
        while batch.len() < count_max {
            match ready.try_recv() {
                Ok(one) => batch.push(one),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return (batch, false),
            }
        }
        let left = age_max.saturating_sub(clock.now().saturating_duration_since(start));
        if batch.len() >= count_max || left.is_zero() {
            return (batch, true);
        }
        std::thread::park_timeout(left.min(WRITER_GATHER));
    }
}
