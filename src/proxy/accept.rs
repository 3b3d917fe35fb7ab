//! One listener of one worker: accepts within the connection limit, joins what it accepted.

use crate::proxy::connection::connection;
use crate::proxy::forward::Worker;
use crate::proxy::{Kind, Peer};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const ACCEPT_RETRY_MS: u64 = 20;

/// Accepts until stopped, then waits for its connections to end.
pub(crate) async fn accept(
    listener: TcpListener,
    worker: Arc<Worker>,
    connections: Arc<Semaphore>,
    stop: CancellationToken,
) {
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
                if let Some((stream, peer, permit)) = next {
                    open.spawn(connection(stream, peer, Arc::clone(&worker), stop.clone(), permit));
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
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    // The permit first: over the limit, clients wait in the system's backlog.
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, remote)) => {
            let peer = Peer { listener: 0, kind: Kind::Tcp, local: stream.local_addr().ok(), remote: Some(remote) };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection ended before it was served");
                return None;
            }
            Some((stream, peer, permit))
        }
        Err(error) => {
            // Out of descriptors, or the client went away: neither may spin.
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            None
        }
    }
}
