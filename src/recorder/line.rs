//! The threads before the writer: each takes a few captures, redacts, compares and packs them, and hands them on in order.

use crate::exchange::{Clock, Courtesy, DropReason, Integration};
use crate::recorder::{Held, Observe};
use crate::redact::{Recording, Redacted};
use crate::store::{Prepared, Preparer, Samples, TrainedDictionary};
use crate::telemetry::{Book, Ledger};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;
use tokio::sync::mpsc;

/// Captures a thread takes at once.
pub(in crate::recorder) const TAKEN_AT_ONCE: usize = 64;

/// How long a thread lets captures gather, when there were few, before it looks again: a wake-up per capture costs more
/// than redacting a small one, on cores that the user's path needs.
pub(in crate::recorder) const GATHER: Duration = Duration::from_millis(3);

/// Is told whether a call that is about to be sent is stored.
pub(in crate::recorder) type Tell = Box<dyn FnOnce(bool) + Send>;

/// What the writer is sent.
pub(in crate::recorder) enum Message {
    /// Captures, some of them perhaps lost, by the order in which they were taken.
    Chunk(Chunk),
    /// Calls that are about to be sent, each with whom to tell that it is stored.
    Announced(Vec<(Redacted<Recording>, Tell)>),
    /// A dictionary for an integration.
    Trained(TrainedDictionary),
}

/// What one thread took at once.
pub(in crate::recorder) struct Chunk {
    pub ticket: u64,
    pub ready: Vec<Prepared>,
    // Dropped after the commit: the bytes stay reserved until then.
    pub held: Vec<Held>,
    pub bytes: usize,
}

/// Bounds what waits for the writer, by bytes. Whoever is next in order always passes, so that the line never waits for
/// itself.
pub(in crate::recorder) struct Gate {
    bytes_max: usize,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    next: u64,
    bytes: usize,
    gone: bool,
}

impl Gate {
    pub(in crate::recorder) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default(), changed: Condvar::new() }
    }

    fn pass(&self, ticket: u64, bytes: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |state: &mut GateState| ticket > state.next && state.bytes + bytes > self.bytes_max && !state.gone;
        let mut state = self.changed.wait_while(state, full).unwrap_or_else(PoisonError::into_inner);
        state.bytes += bytes;
    }

    /// The ticket that the writer waits for.
    pub(in crate::recorder) fn next_is(&self, ticket: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).next = ticket;
        self.changed.notify_all();
    }

    /// What was committed, or counted as lost.
    pub(in crate::recorder) fn release(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes = state.bytes.saturating_sub(bytes);
        drop(state);
        self.changed.notify_all();
    }

    /// The writer is gone: nobody waits for it.
    pub(in crate::recorder) fn open(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).gone = true;
        self.changed.notify_all();
    }
}

/// One thread of the line. The number beside the receiver is the next ticket.
pub(in crate::recorder) struct Redacting<T, C> {
    pub taken: Arc<Mutex<(mpsc::Receiver<T>, u64)>>,
    pub split: fn(T) -> (Integration, C, Held),
    pub redact: Arc<dyn Fn(C) -> Redacted<Recording> + Send + Sync>,
    pub observe: Observe,
    pub preparer: Preparer,
    pub ledger: Arc<Ledger>,
    pub gate: Arc<Gate>,
    pub ready: SyncSender<Message>,
    pub samples: SyncSender<Samples>,
}

impl<T, C> Redacting<T, C> {
    pub(in crate::recorder) fn run(mut self) {
        let mut few = Vec::with_capacity(TAKEN_AT_ONCE);
        while let Some(ticket) = self.take(&mut few) {
            let some = few.len() < TAKEN_AT_ONCE;
            let (mut ready, mut held) = (Vec::with_capacity(few.len()), Vec::with_capacity(few.len()));
            let mut courtesy = Courtesy::new(Clock);
            for one in few.drain(..) {
                if let Some((prepared, its)) = self.one(one) {
                    ready.push(prepared);
                    held.push(its);
                }
                courtesy.give_way();
            }
            let bytes = ready.iter().map(Prepared::bytes).sum();
            self.gate.pass(ticket, bytes);
            if let Err(back) = self.ready.send(Message::Chunk(Chunk { ticket, ready, held, bytes }))
                && let Message::Chunk(chunk) = back.0
            {
                for one in chunk.ready {
                    count_lost(self.ledger.of(one.integration()), "writer_gone", 1);
                }
            }
            if some {
                std::thread::park_timeout(GATHER);
            }
        }
    }

    fn take(&self, few: &mut Vec<T>) -> Option<u64> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.0.blocking_recv_many(few, TAKEN_AT_ONCE) == 0 {
            return None;
        }
        let ticket = taken.1;
        taken.1 += 1;
        Some(ticket)
    }

    fn one(&mut self, taken: T) -> Option<(Prepared, Held)> {
        let (integration, raw, held) = (self.split)(taken);
        let book = self.ledger.of(&integration).cloned();
        // Fail closed: should redaction ever panic, the capture is gone and counted, the thread lives.
        let done = catch_unwind(AssertUnwindSafe(|| {
            let recording = (self.redact)(raw);
            if let Some(book) = &book {
                count_redaction(book, &recording);
            }
            (self.observe)(&recording);
            self.preparer.prepare(&recording)
        }));
        match done {
            Ok((prepared, samples)) => {
                if let Some(samples) = samples {
                    // The trainer is busy with another integration: this one goes without until the next start.
                    let _ = self.samples.try_send(samples);
                }
                Some((prepared, held))
            }
            Err(_) => {
                count_lost(book.as_ref(), "redaction_panicked", 1);
                None
            }
        }
    }
}

fn count_lost(book: Option<&Arc<Book>>, reason: &'static str, count: u64) {
    if let Some(book) = book {
        book.not_recorded(reason, count);
    }
}

fn count_redaction(book: &Book, recording: &Recording) {
    for hit in &recording.hits {
        book.redaction_hits(&hit.rule, hit.side.name(), hit.part.name(), u64::from(hit.count));
    }
    for (reason, count) in DropReason::ALL.into_iter().zip(recording.parts_dropped) {
        book.parts_dropped(reason, u64::from(count));
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

/// Trains dictionaries until the threads of the line have ended.
pub(in crate::recorder) fn train(samples: &Receiver<Samples>, writer: &SyncSender<Message>) {
    while let Ok(samples) = samples.recv() {
        // On a thread of its own, which gives back what it worked with: some 20 MiB, needed once per integration.
        let trained = std::thread::scope(|scope| {
            let training = Builder::new().name("dl-train".into()).spawn_scoped(scope, || samples.train());
            training.ok().and_then(|training| training.join().ok()).flatten()
        });
        let Some(bytes) = trained else {
            tracing::debug!(integration = %samples.integration, "bodies have too little in common for a dictionary");
            continue;
        };
        if writer.send(Message::Trained(TrainedDictionary { integration: samples.integration, bytes })).is_err() {
            return;
        }
    }
}
