//! One worker: a thread, a runtime, its listeners, its connections. Nothing of it is shared but the routes.

use crate::exchange::Clock;
use crate::latency::Shard;
use crate::mirror::Upstream;
use crate::proxy::forward::Worker;
use crate::proxy::tee::TeeBody;
use crate::proxy::{Route, Settings};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

const SHARD_PUSH_MS: u64 = 1_000;
const ACCEPT_RETRY_MS: u64 = 20;
/// What hyper needs at least to read a head.
const HEADER_BYTES_MIN: usize = 8192;

/// What a worker is made of.
pub(crate) struct Plan {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Arc<Vec<Route>>,
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) shards: mpsc::Sender<Shard>,
    pub(crate) stop: CancellationToken,
    pub(crate) cut: CancellationToken,
    pub(crate) clock: Clock,
}

/// Serves until stopped and drained, or cut.
pub(crate) fn run(runtime: &tokio::runtime::Runtime, plan: Plan, upstream: Upstream<TeeBody>) {
    let worker = Arc::new(Worker {
        settings: Arc::clone(&plan.settings),
        routes: Arc::clone(&plan.routes),
        upstream,
        shard: Arc::new(Mutex::new(Shard::new())),
        clock: plan.clock,
    });
    runtime.block_on(serve(plan, worker));
}

async fn serve(plan: Plan, worker: Arc<Worker>) {
    let Plan { listeners, connections, shards, stop, cut, .. } = plan;
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        let (worker, connections) = (Arc::clone(&worker), Arc::clone(&connections));
        acceptors.spawn(accept(listener, worker, connections, stop.clone()));
    }
    let mut tick = interval(Duration::from_millis(SHARD_PUSH_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = acceptors.join_next() => if ended.is_none() { break },
            () = cut.cancelled() => break,
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

async fn accept(listener: TcpListener, worker: Arc<Worker>, connections: Arc<Semaphore>, stop: CancellationToken) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "a traffic listener could not be used");
            return;
        }
    };
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            next = next(&listener, &connections) => {
                if let Some((stream, permit)) = next {
                    open.spawn(connection(stream, Arc::clone(&worker), stop.clone(), permit));
                }
            }
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn next(
    listener: &tokio::net::TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // The permit first: over the limit, clients wait in the system's backlog.
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // Out of descriptors, or the client went away: neither may spin.
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, worker: Arc<Worker>, stop: CancellationToken, _permit: OwnedSemaphorePermit) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it was served");
        return;
    }
    let settings = Arc::clone(&worker.settings);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(settings.header_read_timeout_ms))
        .preserve_header_case(true)
        .half_close(false)
        .auto_date_header(false)
        .max_headers(settings.header_lines_max)
        .max_buf_size(settings.header_bytes_max.max(HEADER_BYTES_MIN));
    builder.http2().timer(TokioTimer::new()).auto_date_header(false);
    let service = service_fn(move |request| Arc::clone(&worker).answer(request));
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a client connection ended early");
    }
}
