//! One worker: a thread, a runtime, its listeners, its connections. Nothing of it is shared but the routes.

use crate::exchange::Clock;
use crate::latency::Shard;
use crate::proxy::accept::{Entry, accept, receive};
use crate::proxy::forward::{self, Worker};
use crate::proxy::seats::{Guest, Seats};
use crate::proxy::{Route, Settings};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

const SHARD_PUSH_MS: u64 = 1_000;

/// How a worker ends, step by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending {
    /// Nothing more is accepted. HTTP/1 answers end their connections, HTTP/2 says goodbye; idle HTTP/1 connections are
    /// left open, since closing one at the instant its client sends a request would fail that request.
    pub(crate) yielding: CancellationToken,
    /// The same, for every answer to look at: asking the token takes a lock that all workers share.
    yields: Arc<AtomicBool>,
    /// Idle connections are closed, the request that runs is the last.
    pub(crate) stop: CancellationToken,
    /// What still runs is cut off.
    pub(crate) cut: CancellationToken,
}

impl Ending {
    /// Begins the end.
    pub(crate) fn begin(&self) {
        self.yields.store(true, Ordering::Release);
        self.yielding.cancel();
    }

    /// Whether it has begun.
    pub(crate) fn is_yielding(&self) -> bool {
        self.yields.load(Ordering::Acquire)
    }
}

/// What a worker is made of.
pub(crate) struct Plan {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Arc<Vec<Route>>,
    pub(crate) entries: Vec<Entry>,
    /// Its way to the other workers, and what they hand to it.
    pub(crate) seats: (Seats, mpsc::Receiver<Guest>),
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) shards: mpsc::Sender<Shard>,
    pub(crate) ending: Ending,
    pub(crate) clock: Clock,
}

/// Serves until stopped and drained, or cut.
pub(crate) fn run(runtime: &tokio::runtime::Runtime, plan: Plan) {
    let worker = Arc::new(Worker {
        settings: Arc::clone(&plan.settings),
        routes: Arc::clone(&plan.routes),
        primaries: forward::primaries(&plan.routes, &plan.settings, plan.clock),
        shard: Mutex::new(Shard::new()),
        clock: plan.clock,
        ending: plan.ending.clone(),
        handshakes_failed: AtomicU64::new(0),
    });
    runtime.block_on(serve(plan, worker));
}

async fn serve(plan: Plan, worker: Arc<Worker>) {
    let Plan { entries, seats: (seats, guests), connections, shards, ending, .. } = plan;
    let mut acceptors = JoinSet::new();
    for entry in entries {
        acceptors.spawn(accept(entry, Arc::clone(&worker), Arc::clone(&connections), seats.clone()));
    }
    // Whoever waits for guests waits for all who may send some.
    drop(seats);
    acceptors.spawn(receive(guests, Arc::clone(&worker)));
    let mut tick = interval(Duration::from_millis(SHARD_PUSH_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = acceptors.join_next() => if ended.is_none() { break },
            () = ending.cut.cancelled() => break,
            _ = tick.tick() => push(&worker.shard, &shards),
        }
    }
    // Aborts what is left; each call dropped counts itself.
    acceptors.shutdown().await;
    let last = worker.shard.lock().unwrap_or_else(PoisonError::into_inner).take();
    if !last.is_empty() && timeout(Duration::from_millis(SHARD_PUSH_MS), shards.send(last)).await.is_err() {
        tracing::warn!("the last second of primary latencies was not taken by the recorder");
    }
}

fn push(shard: &Mutex<Shard>, shards: &mpsc::Sender<Shard>) {
    let Ok(room) = shards.try_reserve() else { return };
    let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
    if !shard.is_empty() {
        room.send(shard.take());
    }
}
