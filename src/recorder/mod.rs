//! Redact, compare, append: what was taken at the door is recorded, or counted with the reason it could not be.
//!
//! ```text
//! taken ──▶ redact ▸ compare ▸ pack (a thread per core) ──in order, bounded by bytes──▶ writer ──▶ store
//! announced ──▶ redact ────────────────────────────────────────────────────────────────▶
//! ```
//!
//! When the disk is slow the redactors wait, the line behind the door fills, and `offer` sheds. Nothing here is shed.
//!
//! **Invariants.** A capture's byte reservation is released only after its fate is counted, so the line stays bounded.
//! Captures are stored in the order in which they were taken. Latencies and the ledger are written as totals, so a commit
//! that failed is made good by the next one.

mod announce;
mod call_log;
mod clock_steps;
mod counts;
mod endpoints;
mod line;
mod writing;

pub use call_log::CallLog;

use crate::exchange::{Capture, Integration};
use crate::latency::{Shard, Totals};
use crate::redact::{Recording, Redacted};
use crate::store::{SwitchRow, Writer};
use crate::telemetry::{Ledger, Priority};
use line::{Gate, Redacting};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use tokio::sync::mpsc;
use writing::Writing;

/// How the recorder batches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that redact, compare and pack.
    pub redactor_threads: usize,
    /// A commit happens at the latest this long after the first capture of its batch, in milliseconds; what kill -9
    /// can lose.
    pub commit_interval_ms: u64,
    /// A commit happens at the latest with this many captures.
    pub batch_captures_max: usize,
    /// A commit happens at the latest with so many bytes of captures.
    pub batch_bytes_max: usize,
    /// Captures made ready that wait for the writer or are being committed, bytes at most: two batches, so that a slow
    /// commit does not stop those who make them ready.
    pub ready_bytes_max: usize,
    /// Length of a stored latency interval in seconds. Ten minutes is long enough to be the cluster that keeps
    /// confidence intervals honest when slow episodes last minutes.
    pub interval_s: i64,
    /// Latencies and ledger totals are written at the latest this often, in milliseconds.
    pub totals_interval_ms: u64,
    /// The store is asked to hold its age and size limits this often, in milliseconds; at once again while there is more
    /// to do.
    pub prune_interval_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            redactor_threads: std::thread::available_parallelism().map_or(2, usize::from),
            commit_interval_ms: 200,
            batch_captures_max: 2_000,
            batch_bytes_max: 4 << 20,
            ready_bytes_max: 8 << 20,
            interval_s: 600,
            totals_interval_ms: 1_000,
            prune_interval_ms: 1_000,
        }
    }
}

/// A call that is about to be sent and that the provider may process: its capture so far, and whom to tell whether it is
/// in the store.
pub type Announced = (Capture, Box<dyn FnOnce(bool) + Send>);

/// What the recorder reads from the rest of the line.
pub struct Inputs<T> {
    /// What was taken at the door; closed when the mirror has drained.
    pub taken: mpsc::Receiver<T>,
    /// Calls of methods that are not safe, before they are sent.
    pub announced: mpsc::Receiver<Announced>,
    /// Latencies of every thread, mirrored calls or not.
    pub shards: mpsc::Receiver<Shard>,
    /// The counters of the run.
    pub ledger: Arc<Ledger>,
    /// Latencies of the run, for metrics.
    pub totals: Arc<Totals>,
    /// Changes of the switches since the last call.
    pub switches: Box<dyn FnMut() -> Vec<SwitchRow> + Send>,
    /// Told the store's problem, or that there is none (any more).
    pub report: Box<dyn FnMut(Option<String>) + Send>,
}

/// The reservation of a capture's bytes: dropped once its fate is counted.
pub type Held = Box<dyn Send>;

/// Sees every recording once it is redacted.
pub type Observe = Arc<dyn Fn(&Redacted<Recording>) + Send + Sync>;

/// How what is taken becomes a redacted recording.
pub struct Stages<T, C> {
    /// Takes what the mirror hands over apart: whose it is, what is to be redacted, and its reservation.
    pub split: fn(T) -> (Integration, C, Held),
    /// Redacts it.
    pub redact: Arc<dyn Fn(C) -> Redacted<Recording> + Send + Sync>,
    /// Redacts what is announced.
    pub redact_announced: Arc<dyn Fn(Capture) -> Redacted<Recording> + Send + Sync>,
    /// Told of every recording, once it is redacted: for logs and traces. It never waits.
    pub observe: Observe,
    /// What an integration's endpoint is called where it is stored: its name without what a rule finds in it.
    pub name_endpoint: NameEndpoint,
}

/// From an integration and the name of one of its endpoints to the name that may be stored.
pub type NameEndpoint = Box<dyn Fn(&str, &str) -> String + Send>;

/// The recorder's threads; ends when its inputs are closed and everything taken is committed.
pub struct Recorder {
    threads: Vec<JoinHandle<()>>,
}

impl Recorder {
    /// Waits for the threads. The caller has closed the line behind them.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a recorder thread ended by a panic");
            }
        }
    }
}

/// Chunks of captures on their way to the writer; what bounds them is the gate's bytes.
const CHUNKS_MAX: usize = 64;

/// Starts the recorder. `step_back` runs first on each thread, with how far that one may.
///
/// # Errors
/// A thread cannot be started.
pub fn start<T: Send + 'static, C: 'static>(
    settings: Settings,
    inputs: Inputs<T>,
    stages: Stages<T, C>,
    writer: Writer,
    step_back: impl Fn(Priority) + Copy + Send + 'static,
) -> std::io::Result<Recorder> {
    let Inputs { taken, announced, shards, ledger, totals, switches, report } = inputs;
    let (ready, ready_in) = sync_channel(CHUNKS_MAX);
    let (samples, samples_in) = sync_channel(1);
    let gate = Arc::new(Gate::new(settings.ready_bytes_max));
    let taken = Arc::new(Mutex::new((taken, 0)));
    let mut threads = Vec::new();
    for n in 0..settings.redactor_threads.max(1) {
        let redacting = Redacting {
            taken: Arc::clone(&taken),
            split: stages.split,
            redact: Arc::clone(&stages.redact),
            observe: Arc::clone(&stages.observe),
            preparer: writer.preparer(),
            ledger: Arc::clone(&ledger),
            gate: Arc::clone(&gate),
            ready: ready.clone(),
            samples: samples.clone(),
        };
        threads.push(Builder::new().name(format!("dl-redact-{n}")).spawn(move || {
            step_back(Priority::Idle);
            redacting.run();
        })?);
    }
    drop(samples);
    let (to_writer, redact) = (ready.clone(), stages.redact_announced);
    threads.push(Builder::new().name("dl-announce".into()).spawn(move || {
        step_back(Priority::Low);
        announce::run(announced, &*redact, &to_writer);
    })?);
    threads.push(Builder::new().name("dl-train".into()).spawn(move || {
        step_back(Priority::Idle);
        line::train(&samples_in, &ready);
    })?);
    let writing =
        Writing::new(settings, writer, gate, (shards, stages.name_endpoint, totals), ledger, switches, report);
    threads.push(Builder::new().name("dl-writer".into()).spawn(move || {
        step_back(Priority::Low);
        writing.run(&ready_in);
    })?);
    Ok(Recorder { threads })
}
