//! The listener: bound before anything starts, bounded in connections and in every wait.

use crate::console::guard::Hosts;
use crate::console::pace::{Pace, SAMPLE_EVERY};
use crate::console::{Settings, Shared, routes, sign_off};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

/// Connections served at once; more wait in the system's backlog.
const CONNECTIONS_MAX: usize = 64;
/// Wait for a request's head, seconds; also how long an idle connection is kept.
const HEAD_WAIT_S: u64 = 5;
/// Life of a connection, seconds: a reader that never reads cannot hold its place longer.
const CONNECTION_LIFE_S: u64 = 60;
/// Wait for open connections at shutdown, seconds.
const CLOSE_WAIT_S: u64 = 2;
/// Largest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Why the console cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The address can be reached from other machines.
    #[error(
        "console address {addr} is not a loopback address; this version has no login, so listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// The address as given.
        addr: SocketAddr,
    },
    /// The system refused the address.
    #[error("console cannot listen on {addr}: {source}; choose a free port, or stop the program that holds it")]
    Bind {
        /// The address as given.
        addr: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bound listener stopped working.
    #[error("console listener failed: {0}")]
    Listener(#[source] std::io::Error),
}

/// A listener that holds its port and serves nobody yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
    allowed_hosts: Vec<String>,
}

/// Takes the port, so that a taken one is known before anything starts.
///
/// # Errors
/// An address that is not loopback; a port that cannot be had.
pub fn bind(settings: &Settings) -> Result<Bound, ConsoleError> {
    let addr = settings.listen;
    if !addr.ip().is_loopback() {
        return Err(ConsoleError::NotLoopback { addr });
    }
    let listener = TcpListener::bind(addr).map_err(|source| ConsoleError::Bind { addr, source })?;
    listener.set_nonblocking(true).map_err(ConsoleError::Listener)?;
    let addr = listener.local_addr().map_err(ConsoleError::Listener)?;
    Ok(Bound { listener, addr, allowed_hosts: settings.allowed_hosts.clone() })
}

impl Bound {
    /// Goes on with a listener that another process had, or that this one served before.
    ///
    /// # Errors
    /// It is no listener.
    pub fn adopt(listener: TcpListener, allowed_hosts: Vec<String>) -> Result<Self, ConsoleError> {
        listener.set_nonblocking(true).map_err(ConsoleError::Listener)?;
        let addr = listener.local_addr().map_err(ConsoleError::Listener)?;
        Ok(Self { listener, addr, allowed_hosts })
    }

    /// Another handle on the same listener.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn duplicate(&self) -> Result<TcpListener, ConsoleError> {
        self.listener.try_clone().map_err(ConsoleError::Listener)
    }

    /// The address, with the port the system gave.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `shutdown`, then lets open answers finish for two seconds at most. Runs on the caller's runtime
    /// (which needs its I/O and time drivers).
    ///
    /// # Errors
    /// The listener cannot be handed to the runtime.
    pub async fn serve(self, shared: Shared, shutdown: CancellationToken) -> Result<(), ConsoleError> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ConsoleError::Listener)?;
        let hosts = Arc::new(Hosts::new(self.addr.port(), &self.allowed_hosts));
        let (shared, pace) = (Arc::new(shared), Arc::new(Pace::default()));
        let router = routes::router(Arc::clone(&shared), hosts, Arc::clone(&pace));
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        // It ends by the same signal as the connections.
        connections.spawn(sample(shared, pace, shutdown.clone()));
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let Some((stream, place)) = accepted else { continue };
            let (router, shutdown) = (router.clone(), shutdown.clone());
            connections.spawn(async move {
                serve_one(stream, router, shutdown).await;
                drop(place);
            });
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_secs(CLOSE_WAIT_S), all).await.is_err() {
            connections.shutdown().await;
        }
        Ok(())
    }
}

async fn sample(shared: Arc<Shared>, pace: Arc<Pace>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(SAMPLE_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {
                pace.sample(&shared.ledger, shared.clock.now());
                sign_off::void_stale(&shared);
            }
        }
    }
}

async fn accept(
    listener: &tokio::net::TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "console could not accept a connection");
            // Out of file descriptors: trying again at once would only burn the processor.
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn serve_one(stream: TcpStream, router: axum::Router, shutdown: CancellationToken) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        async move { router.call(request.map(axum::body::Body::new)).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_WAIT_S))
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let life = tokio::time::sleep(Duration::from_secs(CONNECTION_LIFE_S));
    tokio::pin!(life);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = &mut life => Ok(()),
    };
    if let Err(error) = done {
        tracing::debug!(%error, "console connection ended early");
    }
}
