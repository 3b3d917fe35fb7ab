//! One listener of one worker: accepts within the connection limit, joins what it accepted.

use crate::proxy::connection::connection;
use crate::proxy::forward::Worker;
use crate::proxy::listen::Listener;
use crate::proxy::seats::{Guest, Seat, Seats};
use crate::proxy::{Kind, Listen, Peer, Speaks, TlsIdentity};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

const ACCEPT_RETRY_MS: u64 = 20;

/// One listener.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) listener: Listener,
    /// The position in `Settings::listen`.
    pub(crate) at: usize,
}

/// A listener on the worker's runtime.
enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What was accepted.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Accepts until the worker's end begins, then waits for its connections to end. What the other workers have more room
/// for is handed to them.
pub(crate) async fn accept(entry: Entry, worker: Arc<Worker>, connections: Arc<Semaphore>, seats: Seats) {
    let Entry { listener, at, .. } = entry;
    let listener = match Accepting::on_this_runtime(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "a traffic listener could not be used");
            return;
        }
    };
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let next = tokio::select! {
            biased;
            () = worker.ending.yielding.cancelled() => break,
            next = next(&listener, &connections) => next,
        };
        let Some((stream, permit)) = next else { continue };
        match seats.place(stream, at, permit) {
            Ok(None) => {}
            Ok(Some((stream, seat))) => {
                open.spawn(serve(stream, at, seat, Arc::clone(&worker)));
            }
            Err(error) => tracing::warn!(%error, "a connection could not be handed to another worker"),
        }
    }
    // Closed, not shut down: another process may go on accepting from the same queue.
    drop((listener, seats));
    while open.join_next().await.is_some() {}
}

/// Serves what other workers accepted, until none of them accepts any more and all of it has ended.
pub(crate) async fn receive(mut guests: mpsc::Receiver<Guest>, worker: Arc<Worker>) {
    let mut open = JoinSet::new();
    while let Some(guest) = guests.recv().await {
        while open.try_join_next().is_some() {}
        match guest.welcome() {
            Ok((stream, at, seat)) => {
                open.spawn(serve(stream, at, seat, Arc::clone(&worker)));
            }
            Err(error) => tracing::warn!(%error, "a connection of another worker could not be served"),
        }
    }
    while open.join_next().await.is_some() {}
}

/// One connection, by the kind of its listener.
async fn serve(stream: Accepted, at: usize, seat: Seat, worker: Arc<Worker>) {
    let kind = worker.settings.listen.get(at).map_or(Kind::Tcp, Listen::kind);
    let stream = match stream {
        Accepted::Tcp(stream) => stream,
        Accepted::Unix(stream) => {
            let peer = Peer { listener: at, kind, speaks: Speaks::Either, local: None, remote: None };
            return connection(stream, peer, worker, seat).await;
        }
    };
    let Some(peer) = tcp_peer(&stream, at, kind) else { return };
    match worker.settings.tls.as_ref().filter(|_| kind == Kind::Tls).map(TlsIdentity::acceptor) {
        Some(tls) => handshake(stream, tls, peer, worker, seat).await,
        None => connection(stream, peer, worker, seat).await,
    }
}

impl Accepting {
    fn on_this_runtime(listener: Listener) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => TcpListener::from_std(listener).map(Self::Tcp),
            Listener::Unix(listener) => UnixListener::from_std(listener).map(Self::Unix),
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| Accepted::Tcp(stream)),
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        }
    }
}

async fn next(listener: &Accepting, connections: &Arc<Semaphore>) -> Option<(Accepted, OwnedSemaphorePermit)> {
    // The permit first: over the limit, clients wait in the system's backlog.
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok(stream) => Some((stream, permit)),
        Err(error) => {
            // Out of descriptors, or the client went away: neither may spin.
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            None
        }
    }
}

/// Who connected; none if the client is gone already.
fn tcp_peer(stream: &TcpStream, at: usize, kind: Kind) -> Option<Peer> {
    match stream.set_nodelay(true).and_then(|()| stream.peer_addr()) {
        Ok(remote) => {
            let local = stream.local_addr().ok();
            Some(Peer { listener: at, kind, speaks: Speaks::Either, local, remote: Some(remote) })
        }
        Err(error) => {
            tracing::debug!(%error, "a connection ended before it was served");
            None
        }
    }
}

/// TLS first, within its own deadline and beside the accepting, then as any other connection.
async fn handshake(stream: TcpStream, tls: TlsAcceptor, mut peer: Peer, worker: Arc<Worker>, seat: Seat) {
    let deadline = Duration::from_millis(worker.settings.tls_handshake_timeout_ms);
    let problem = match timeout(deadline, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            // What ALPN agreed on is what is spoken; a client that offers nothing speaks HTTP/1.
            peer.speaks = match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => Speaks::Http2,
                _ => Speaks::Http1,
            };
            return connection(stream, peer, worker, seat).await;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "not done in time".to_owned(),
    };
    let failed = worker.handshakes_failed.fetch_add(1, Ordering::Relaxed) + 1;
    tracing::debug!(problem, failed, "a TLS handshake of a client failed");
}
