//! The listener: bound before anything starts, bounded in connections and in every wait.

use crate::console::access::{Gate, Peer, Places};
use crate::console::guard::Hosts;
use crate::console::pace::{Pace, SAMPLE_EVERY};
use crate::console::tables::Tables;
use crate::console::{Settings, Shared, routes, sign_off};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

/// Connections served at once; more wait in the system's backlog.
const CONNECTIONS_MAX: usize = 64;
/// Connections of the recorder's own user, apart from the others: no crowd keeps the command line out.
const OWNER_CONNECTIONS_MAX: usize = 8;
/// Wait for a request's head, or for a handshake, seconds; also how long an idle connection is kept.
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
    /// Other machines reach the address, and what they send could be read on the way.
    #[error(
        "listen.console {addr} is open to other machines: add listen.console_tls.cert_file and key_file, or say \
         listen.console_behind_proxy = true if a proxy in front of it terminates TLS"
    )]
    Readable {
        /// The address as given.
        addr: SocketAddr,
    },
    /// Other machines reach the address, and nobody could log in.
    #[error(
        "listen.console {addr} is open to other machines and nobody has a token; make one with `darklaunch token create \
         --role admin --name NAME`"
    )]
    NoToken {
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
    settings: Settings,
    owner: Option<std::os::unix::net::UnixListener>,
}

/// Takes the port, so that a taken one is known before anything starts. `anybody`: somebody has a token.
///
/// # Errors
/// An address that other machines reach, without TLS or without a token; a port that cannot be had.
pub fn bind(settings: &Settings, anybody: bool) -> Result<Bound, ConsoleError> {
    refuse_open(settings, anybody)?;
    let addr = settings.listen;
    let listener = TcpListener::bind(addr).map_err(|source| ConsoleError::Bind { addr, source })?;
    Bound::adopt(listener, settings.clone())
}

/// What an address needs that other machines reach.
///
/// # Errors
/// It has no TLS, or nobody has a token.
pub fn refuse_open(settings: &Settings, anybody: bool) -> Result<(), ConsoleError> {
    let addr = settings.listen;
    if addr.ip().is_loopback() {
        return Ok(());
    }
    if settings.tls.is_none() && !settings.access.behind_proxy {
        return Err(ConsoleError::Readable { addr });
    }
    if anybody { Ok(()) } else { Err(ConsoleError::NoToken { addr }) }
}

impl Bound {
    /// Goes on with a listener that another process had, or that this one served before.
    ///
    /// # Errors
    /// It is no listener.
    pub fn adopt(listener: TcpListener, settings: Settings) -> Result<Self, ConsoleError> {
        listener.set_nonblocking(true).map_err(ConsoleError::Listener)?;
        let addr = listener.local_addr().map_err(ConsoleError::Listener)?;
        Ok(Self { listener, addr, settings, owner: None })
    }

    /// Opens the socket of the recorder's own user, in the place of one from before: who sees the recorder start finds it.
    #[must_use]
    pub fn open_for_owner(self) -> Self {
        let owner = self.settings.owner_socket.as_deref().and_then(open_for_owner);
        Self { owner, ..self }
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
        let Settings { access, tls, owner_socket, allowed_hosts, .. } = self.settings;
        let hosts = Arc::new(Hosts::new(self.addr, &allowed_hosts));
        let direct = !access.behind_proxy;
        let tokens = Arc::clone(&shared.tokens);
        let gate = Arc::new(Gate::new(access, tokens, Arc::clone(&hosts), self.addr, tls.is_some()));
        let (shared, pace) = (Arc::new(shared), Arc::new(Pace::default()));
        let tables = Tables::new(shared.store_path.clone(), shared.clock);
        let router = routes::router(Arc::clone(&shared), tables.clone(), hosts, Arc::clone(&gate), Arc::clone(&pace));
        let mut connections = JoinSet::new();
        connections.spawn(routes::look_ahead(Arc::clone(&shared), tables));
        // They end by the same signal as the connections.
        connections.spawn(sample(shared, pace, shutdown.clone()));
        if let Some(owner) = self.owner {
            let owner = UnixListener::from_std(owner).map_err(ConsoleError::Listener)?;
            connections.spawn(serve_owner(owner, router.clone(), shutdown.clone()));
        }
        let (seats, places) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), Places::default());
        let tls = tls.map(TlsAcceptor::from);
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = accept(&listener, &seats) => accepted,
            };
            let Some((stream, from, seat)) = accepted else { continue };
            // On this machine and behind a proxy all come from one address.
            let place = if direct && !from.ip().is_loopback() {
                let Some(place) = gate.answers(from.ip()).then(|| places.take(from.ip())).flatten() else {
                    tracing::debug!(%from, "a connection to the console was closed: not allowed, or too many of them");
                    continue;
                };
                Some(place)
            } else {
                None
            };
            let (router, shutdown, tls) = (router.clone(), shutdown.clone(), tls.clone());
            connections.spawn(async move {
                serve_one(stream, Peer::of(from), tls, router, shutdown).await;
                drop((seat, place));
            });
        }
        drop(listener);
        if let Some(path) = &owner_socket {
            // One that is gone, or was never there, is fine.
            drop(fs::remove_file(path));
        }
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

/// The socket that only the recorder's own user can reach; without it everything else works.
fn open_for_owner(path: &Path) -> Option<std::os::unix::net::UnixListener> {
    let open = || -> std::io::Result<std::os::unix::net::UnixListener> {
        // Whoever holds the store's lock is the recorder: a file from before is nobody's.
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        drop(fs::remove_file(&beside));
        let listener = std::os::unix::net::UnixListener::bind(&beside)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
        fs::rename(&beside, path)?;
        Ok(listener)
    };
    let opened = open().inspect_err(|error| {
        let path = path.display();
        tracing::warn!(%error, %path, "the command line needs a token: the socket of the recorder's own user cannot be had");
    });
    opened.ok()
}

async fn serve_owner(listener: UnixListener, router: axum::Router, shutdown: CancellationToken) {
    let seats = Arc::new(Semaphore::new(OWNER_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let seat = Arc::clone(&seats).acquire_owned().await.ok()?;
            listener.accept().await.ok().map(|(stream, _)| (stream, seat))
        };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = next => accepted,
        };
        let Some((stream, seat)) = accepted.filter(|(stream, _)| is_owner(stream)) else {
            tokio::task::yield_now().await;
            continue;
        };
        let (router, shutdown) = (router.clone(), shutdown.clone());
        connections.spawn(async move {
            serve_http(stream, Peer::Owner, router, shutdown).await;
            drop(seat);
        });
    }
    while connections.join_next().await.is_some() {}
}

/// The file's mode says so already; whoever is let in by a wider one is not.
fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn accept(
    listener: &tokio::net::TcpListener,
    seats: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => Some((stream, from, seat)),
        Err(error) => {
            tracing::warn!(%error, "console could not accept a connection");
            // Out of file descriptors: trying again at once would only burn the processor.
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn serve_one(
    stream: TcpStream,
    peer: Peer,
    tls: Option<TlsAcceptor>,
    router: axum::Router,
    shutdown: CancellationToken,
) {
    let Some(tls) = tls else { return serve_http(stream, peer, router, shutdown).await };
    let handshake = tokio::time::timeout(Duration::from_secs(HEAD_WAIT_S), tls.accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = shutdown.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => serve_http(stream, peer, router, shutdown).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake with the console failed"),
        Err(_) => tracing::debug!("a TLS handshake with the console took too long"),
    }
}

async fn serve_http<S>(stream: S, peer: Peer, router: axum::Router, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        let mut router = router.clone();
        request.extensions_mut().insert(peer);
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
