//! What the recorder says of itself: log set-up, the counters of the ledger, and the priority of threads off the path.
//!
//! **Invariant:** a request is counted as arrived once and ends in exactly one state; `pending` is the difference.

use crate::exchange::{DropReason, Integration, NotMirrored, Outcome, Refused};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tracing_subscriber::EnvFilter;

/// Every integration's counters, in the order of the configuration. The set is fixed for the life of the process.
#[derive(Debug)]
pub struct Ledger {
    books: Vec<Arc<Book>>,
    refused: Arc<RefusedRequests>,
}

impl Ledger {
    /// One empty book per integration.
    pub fn new(names: Vec<Integration>) -> Arc<Self> {
        let refused = Arc::<RefusedRequests>::default();
        let books = names.into_iter().map(|name| Arc::new(Book::new(name, Arc::clone(&refused)))).collect();
        Arc::new(Self { books, refused })
    }

    /// Requests that belong to no integration.
    pub fn refused(&self) -> &RefusedRequests {
        &self.refused
    }

    /// The book of one integration.
    pub fn of(&self, integration: &str) -> Option<&Arc<Book>> {
        self.books.iter().find(|book| &**book.integration() == integration)
    }

    /// Every book.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Book>> {
        self.books.iter()
    }
}

/// Requests that reached us and belong to no integration, by kind: counted here, and nowhere else.
#[derive(Debug, Default)]
pub struct RefusedRequests([AtomicU64; 8]);

impl RefusedRequests {
    /// One more.
    pub fn count(&self, kind: Refused) {
        add(&self.0[kind as usize], 1);
    }

    /// The counters now, by position in [`Refused::ALL`].
    pub fn snapshot(&self) -> [u64; 8] {
        self.0.each_ref().map(get)
    }
}

/// Columns of a book. Threads beyond share them.
const COLUMNS: usize = 16;

/// The next thread that counts gets this column.
static NEXT_COLUMN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static COLUMN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The column of this thread.
fn column() -> usize {
    COLUMN.with(|column| {
        column.get().unwrap_or_else(|| {
            let own = NEXT_COLUMN.fetch_add(1, Ordering::Relaxed) % COLUMNS;
            column.set(Some(own));
            own
        })
    })
}

/// What is counted on the user's path. One column per thread, each on cache lines of its own: threads that count in the
/// same place wait for each other's caches at every call.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Column {
    arrived: AtomicU64,
    mirrored: [AtomicU64; 9],
    not_mirrored: [AtomicU64; 17],
    primary: [AtomicU64; 9],
}

/// The counters of one integration. Counting never blocks the user's path: only the recorder's two named maps lock.
#[derive(Debug)]
pub struct Book {
    integration: Integration,
    /// The ledger's own, the same in every book.
    refused: Arc<RefusedRequests>,
    columns: [Column; COLUMNS],
    body_dropped: [AtomicU64; DropReason::ALL.len()],
    parts_dropped: [AtomicU64; DropReason::ALL.len()],
    recorded: AtomicU64,
    not_recorded: Mutex<BTreeMap<&'static str, u64>>,
    bodies_kept: AtomicU64,
    /// Whether a rule hit in an earlier run on the same store.
    hit_before: AtomicBool,
    /// Whether the shadow's latest answers have another shape than they had.
    shape_changed: AtomicBool,
    redaction_hits: Mutex<BTreeMap<HitKey, u64>>,
}

/// Rule, message, part of it.
type HitKey = (Arc<str>, &'static str, &'static str);

impl Book {
    fn new(integration: Integration, refused: Arc<RefusedRequests>) -> Self {
        Self {
            integration,
            refused,
            columns: Default::default(),
            body_dropped: Default::default(),
            parts_dropped: Default::default(),
            recorded: AtomicU64::new(0),
            not_recorded: Mutex::default(),
            bodies_kept: AtomicU64::new(0),
            hit_before: AtomicBool::new(false),
            shape_changed: AtomicBool::new(false),
            redaction_hits: Mutex::default(),
        }
    }

    /// Whose book it is.
    pub fn integration(&self) -> &Integration {
        &self.integration
    }

    /// The ledger's count of requests that belong to no book.
    pub fn refused(&self) -> &RefusedRequests {
        &self.refused
    }

    fn column(&self) -> &Column {
        &self.columns[column()]
    }

    /// The sums over all columns.
    fn sums<const N: usize>(&self, counters: impl Fn(&Column) -> &[AtomicU64; N]) -> [u64; N] {
        std::array::from_fn(|at| self.columns.iter().map(|column| get(&counters(column)[at])).sum())
    }

    /// A request's head arrived. Call exactly once per request.
    pub fn arrived(&self) {
        add(&self.column().arrived, 1);
    }

    /// End state: it has no shadow exchange.
    pub fn not_mirrored(&self, reason: NotMirrored) {
        add(&self.column().not_mirrored[reason as usize], 1);
    }

    /// End state: its shadow exchange ended.
    pub fn mirrored(&self, outcome: Outcome) {
        add(&self.column().mirrored[outcome as usize], 1);
    }

    /// The primary's exchange ended (counted for every forwarded request, mirrored or not).
    pub fn primary(&self, outcome: Outcome) {
        add(&self.column().primary[outcome as usize], 1);
    }

    /// `count` captures are in the store.
    pub fn recorded(&self, count: u64) {
        add(&self.recorded, count);
    }

    /// `count` captures could not be stored.
    pub fn not_recorded(&self, reason: &'static str, count: u64) {
        let mut map = self.not_recorded.lock().unwrap_or_else(PoisonError::into_inner);
        *map.entry(reason).or_default() += count;
    }

    /// A body was not kept although its exchange was.
    pub fn body_dropped(&self, reason: DropReason) {
        add(&self.body_dropped[reason as usize], 1);
    }

    /// So many parts of a multipart body were not kept although the body was.
    pub fn parts_dropped(&self, reason: DropReason, count: u64) {
        add(&self.parts_dropped[reason as usize], count);
    }

    /// A body is kept, redacted.
    pub fn body_kept(&self) {
        add(&self.bodies_kept, 1);
    }

    /// A redaction rule replaced `count` values in a message (`request`, `primary`, `shadow`) and a part of it (`target`,
    /// `headers`, `body`).
    pub fn redaction_hits(&self, rule: &Arc<str>, side: &'static str, part: &'static str, count: u64) {
        let mut map = self.redaction_hits.lock().unwrap_or_else(PoisonError::into_inner);
        *map.entry((Arc::clone(rule), side, part)).or_default() += count;
    }

    /// A rule hit in an earlier run: the rules fit the data.
    pub fn rules_hit_before(&self) {
        self.hit_before.store(true, Ordering::Release);
    }

    /// Whether the shadow's latest answers lost a field that they always had, or have it with another type.
    pub fn shape_changed(&self, changed: bool) {
        self.shape_changed.store(changed, Ordering::Release);
    }

    /// The counters now. End states are read before arrivals, so that a request in between shows as pending.
    pub fn snapshot(&self) -> BookSnapshot {
        let mirrored = self.sums(|column| &column.mirrored);
        let not_mirrored = self.sums(|column| &column.not_mirrored);
        let arrived = self.columns.iter().map(|column| get(&column.arrived)).sum::<u64>();
        let ended = mirrored.iter().sum::<u64>() + not_mirrored.iter().sum::<u64>();
        let not_recorded = self.not_recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let redaction_hits = self.redaction_hits.lock().unwrap_or_else(PoisonError::into_inner);
        BookSnapshot {
            integration: Arc::clone(&self.integration),
            arrived,
            pending: arrived.saturating_sub(ended),
            mirrored,
            not_mirrored,
            primary: self.sums(|column| &column.primary),
            recorded: get(&self.recorded),
            not_recorded: not_recorded.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            body_dropped: self.body_dropped.each_ref().map(get),
            parts_dropped: self.parts_dropped.each_ref().map(get),
            bodies_kept: get(&self.bodies_kept),
            hit_before: self.hit_before.load(Ordering::Acquire),
            shape_changed: self.shape_changed.load(Ordering::Acquire),
            redaction_hits: redaction_hits
                .iter()
                .map(|((rule, side, part), count)| RuleHits { rule: Arc::clone(rule), side, part, count: *count })
                .collect(),
        }
    }
}

// Release/Acquire, so that whoever sees an end state also sees its arrival.
fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Release);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Acquire)
}

/// The counters of one integration at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookSnapshot {
    /// Whose.
    pub integration: Integration,
    /// Requests whose head arrived.
    pub arrived: u64,
    /// Arrived, and not yet in an end state.
    pub pending: u64,
    /// Ended with a shadow exchange, by [`Outcome::code`].
    pub mirrored: [u64; 9],
    /// Ended without one, by position in [`NotMirrored::ALL`].
    pub not_mirrored: [u64; 17],
    /// The primary's exchanges, by [`Outcome::code`].
    pub primary: [u64; 9],
    /// Captures in the store.
    pub recorded: u64,
    /// Captures that could not be stored, by reason.
    pub not_recorded: Vec<(String, u64)>,
    /// Bodies not kept, by position in [`DropReason::ALL`].
    pub body_dropped: [u64; DropReason::ALL.len()],
    /// Parts of multipart bodies not kept, in the same order.
    pub parts_dropped: [u64; DropReason::ALL.len()],
    /// Bodies kept, redacted.
    pub bodies_kept: u64,
    /// Whether a rule hit in an earlier run.
    pub hit_before: bool,
    /// Whether the shadow's latest answers have another shape than they had.
    pub shape_changed: bool,
    /// Values replaced, by rule and place.
    pub redaction_hits: Vec<RuleHits>,
}

/// How often a rule hit in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHits {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The message: `request`, `primary`, `shadow`.
    pub side: &'static str,
    /// The part of it: `target`, `headers`, `body`.
    pub part: &'static str,
    /// Values replaced.
    pub count: u64,
}

impl BookSnapshot {
    /// Whether every arrival is in exactly one state. False means that something was counted twice.
    pub fn adds_up(&self) -> bool {
        self.arrived == self.pending + self.mirrored_total() + self.not_mirrored_total()
    }

    /// Whether at least so many bodies are kept and no rule has ever hit; 0 asks for nothing.
    pub fn rules_do_not_fit(&self, bodies_min: u64) -> bool {
        bodies_min > 0 && self.bodies_kept >= bodies_min && self.redaction_hits.is_empty() && !self.hit_before
    }

    /// Requests with a shadow exchange.
    pub fn mirrored_total(&self) -> u64 {
        self.mirrored.iter().sum()
    }

    /// Requests without one.
    pub fn not_mirrored_total(&self) -> u64 {
        self.not_mirrored.iter().sum()
    }
}

/// What was sent to places outside, and what could not be, by receiver and result: `delivered`, or the reason.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<BTreeMap<(Arc<str>, &'static str), u64>>);

impl Outbox {
    /// `count` more for a receiver.
    pub fn count(&self, receiver: &Arc<str>, result: &'static str, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((Arc::clone(receiver), result)).or_default() += count;
    }

    /// Receiver, result and count.
    pub fn counts(&self) -> Vec<(Arc<str>, &'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((receiver, result), count)| (Arc::clone(receiver), *result, *count)).collect()
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TracingError {
    /// The filter is not in the syntax of `tracing_subscriber::EnvFilter`.
    #[error("log filter `{filter}` is not understood: {reason}; write a level such as `info` or `darklaunch=debug`")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another subscriber is installed.
    #[error("logging is already set up in this process; call init_tracing once")]
    AlreadySet,
}

/// Installs the process's log: lines on stderr, as text or as JSON.
pub fn init_tracing(filter: &str, json: bool) -> Result<(), TracingError> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|error| TracingError::Filter { filter: filter.to_owned(), reason: error.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    let done = if json { builder.json().try_init() } else { builder.try_init() };
    done.map_err(|_| TracingError::AlreadySet)
}

/// How far threads off the user's path step back, as a nice value (0 normal – 19 last).
pub const OFF_PATH_NICE: i32 = 10;

/// The same in the terms of the library that sets policies, which counts from the lowest, 0, to 99.
const OFF_PATH_SHARE: u8 = 22;

/// How far a thread off the user's path steps back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Runs only when nothing else wants the core, and gives it up at once (`SCHED_IDLE`): for work in bulk, which the door
    /// sheds when it is not done in time.
    Idle,
    /// Gets a tenth of a core that others want too ([`OFF_PATH_NICE`]): for a stop and a commit, which must go on, and for
    /// bulk as well unless `limits.shadow_priority` says otherwise: copies that are late through us are not the provider's.
    Low,
}

/// Takes the calling thread off the user's path: lower priority and, if `cores` is given, only the last so many of the
/// cores the process may use. Threads it starts later inherit both. Best effort: where the system refuses, the work still
/// runs, with normal priority on all cores.
pub fn step_back(priority: Priority, cores: Option<usize>) {
    lower_priority_of_this_thread();
    if priority == Priority::Idle {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            tracing::warn!(?error, "the system did not let this thread wait for idle cores; its priority is low");
        }
    }
    let Some(cores) = cores else { return };
    let pinned = sched_getaffinity(None).and_then(|all| sched_setaffinity(None, &last_of(&all, cores)));
    if let Err(error) = pinned {
        tracing::warn!(%error, "the system did not let this thread be kept to limits.shadow_cores");
    }
}

/// The last ones, since interrupts and single-threaded work gather on the first.
fn last_of(all: &CpuSet, cores: usize) -> CpuSet {
    let mut last = CpuSet::new();
    (0..CpuSet::MAX_CPU).rev().filter(|core| all.is_set(*core)).take(cores.max(1)).for_each(|core| last.set(core));
    last
}

/// Lowers the OS priority of the calling thread only, so that the user's path is served first: a smaller share of a core,
/// and when it wakes it interrupts nobody (`SCHED_BATCH`). Best effort: where the system refuses, the work still runs, at
/// normal priority.
pub fn lower_priority_of_this_thread() {
    let batch = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    let done = OFF_PATH_SHARE
        .try_into()
        .map(ThreadPriority::Crossplatform)
        .map(|share| set_thread_priority_and_policy(thread_native_id(), share, batch));
    if matches!(done, Ok(Ok(()))) {
        return;
    }
    tracing::debug!("the system did not let this thread run as a batch");
    // On Linux a thread id names one thread to setpriority, not the whole process.
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), OFF_PATH_NICE) {
        tracing::warn!(%error, "the system did not let this thread lower its priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_off_the_users_path_interrupts_nobody_and_takes_less() {
        let found = std::thread::Builder::new().spawn(|| {
            lower_priority_of_this_thread();
            let nice = rustix::process::getpriority_process(Some(rustix::thread::gettid()));
            (thread_priority::thread_schedule_policy(), nice)
        });
        let (policy, nice) = found.unwrap().join().unwrap();
        assert_eq!(policy, Ok(ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch)));
        assert!(nice.is_ok_and(|nice| nice >= OFF_PATH_NICE));
    }

    #[test]
    fn every_arrival_is_pending_until_it_ends_and_double_counts_are_seen() {
        let ledger = Ledger::new(vec![Arc::from("pay")]);
        let book = ledger.of("pay").unwrap();
        book.arrived();
        book.arrived();
        assert_eq!(book.snapshot().pending, 2);
        book.mirrored(Outcome::Unknown);
        book.not_mirrored(NotMirrored::Refused);
        let now = book.snapshot();
        assert_eq!((now.pending, now.mirrored_total(), now.not_mirrored_total()), (0, 1, 1));
        assert!(now.adds_up());
        book.mirrored(Outcome::Ok);
        assert!(!book.snapshot().adds_up());
    }

    #[test]
    fn what_many_threads_count_adds_up() {
        let ledger = Ledger::new(vec![Arc::from("pay")]);
        let book = ledger.of("pay").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..2 * COLUMNS {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        book.arrived();
                        book.primary(Outcome::Ok);
                        book.not_mirrored(NotMirrored::Off);
                        assert!(book.snapshot().adds_up());
                    }
                });
            }
        });
        let (now, all) = (book.snapshot(), 2_000 * COLUMNS as u64);
        assert_eq!((now.arrived, now.pending, now.not_mirrored_total(), now.primary.iter().sum()), (all, 0, all, all));
    }

    #[test]
    fn the_last_cores_are_taken_and_never_none() {
        let mut all = CpuSet::new();
        [0, 2, 5].into_iter().for_each(|core| all.set(core));
        let taken = |cores| (0..8).filter(|core| last_of(&all, cores).is_set(*core)).collect::<Vec<_>>();
        assert_eq!((taken(0), taken(2), taken(9)), (vec![5], vec![2, 5], vec![0, 2, 5]));
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = init_tracing("darklaunch=loudly", false).unwrap_err();
        assert!(error.to_string().contains("darklaunch=loudly"));
    }
}
