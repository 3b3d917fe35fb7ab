//! One client connection, served until it ends or the worker stops.

use crate::proxy::Peer;
use crate::proxy::forward::Worker;
use crate::proxy::guard::{Guarded, Wire};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// What hyper needs at least to read a head.
const HEADER_BYTES_MIN: usize = 8192;

/// Serves one connection; at the stop, the request that runs is the last.
pub(crate) async fn connection<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    peer: Peer,
    worker: Arc<Worker>,
    stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
) {
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
    let peer = Arc::new(peer);
    let wire = Arc::<Wire>::default();
    let bytes_max = settings.header_bytes_max.max(HEADER_BYTES_MIN);
    let (lines_max, timeout_ms) = (settings.header_lines_max, settings.header_read_timeout_ms);
    let guarded = Guarded::new(stream, Arc::clone(&wire), bytes_max, lines_max, timeout_ms);
    let shared = Arc::clone(&wire);
    let service =
        service_fn(move |request| Arc::clone(&worker).answer(request, Arc::clone(&peer), Arc::clone(&shared)));
    let mut serving = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(guarded), service));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    match served {
        // Run here, so that whoever waits for the connection waits for it too, and cutting one cuts the other.
        Ok(()) => {
            if let Some(tunnel) = wire.take_tunnel() {
                tunnel.run().await;
            }
        }
        Err(error) => tracing::debug!(%error, "a client connection ended early"),
    }
}
