//! One client connection, served until it ends or the worker's end reaches it.

use crate::proxy::forward::{Answer, Worker};
use crate::proxy::guard::{Guarded, Wire};
use crate::proxy::{Peer, Speaks};
use http::header::CONNECTION;
use http::{HeaderValue, Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// What hyper needs at least to read a head.
const HEADER_BYTES_MIN: usize = 8192;

/// Serves one connection; once the worker stops, the request that runs is the last.
pub(crate) async fn connection<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    peer: Peer,
    worker: Arc<Worker>,
    _permit: OwnedSemaphorePermit,
) {
    let ending = worker.ending.clone();
    let builder = builder(&worker, peer.speaks);
    let (peer, http2) = (Arc::new(peer), Arc::new(Notify::new()));
    let (wire, guarded) = guarded(stream, &worker);
    let (seen, shared) = (Arc::clone(&http2), Arc::clone(&wire));
    let service = service_fn(move |request: Request<Incoming>| {
        if request.version() == Version::HTTP_2 {
            seen.notify_one();
        }
        answer(Arc::clone(&worker), request, Arc::clone(&peer), Arc::clone(&shared))
    });
    let mut serving = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(guarded), service));
    // HTTP/2 can say goodbye without losing a request, HTTP/1 only in an answer: see `Ending`.
    let http2_may_end = async {
        http2.notified().await;
        ending.yielding.cancelled().await;
    };
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = async { tokio::select! { () = ending.stop.cancelled() => {}, () = http2_may_end => {} } } => {
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

/// The stream behind its framing guard.
fn guarded<S>(stream: S, worker: &Worker) -> (Arc<Wire>, Guarded<S>) {
    let settings = &worker.settings;
    let wire = Arc::<Wire>::default();
    let bytes_max = settings.header_bytes_max.max(HEADER_BYTES_MIN);
    let (lines_max, timeout_ms) = (settings.header_lines_max, settings.header_read_timeout_ms);
    let guarded = Guarded::new(stream, Arc::clone(&wire), bytes_max, lines_max, timeout_ms);
    (wire, guarded)
}

async fn answer(
    worker: Arc<Worker>,
    request: Request<Incoming>,
    peer: Arc<Peer>,
    wire: Arc<Wire>,
) -> Result<Answer, Infallible> {
    let yielding = worker.ending.yielding.clone();
    let http1 = request.version() != Version::HTTP_2;
    let mut answer = worker.answer(request, peer, wire).await?;
    if http1 && yielding.is_cancelled() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}

fn builder(worker: &Worker, speaks: Speaks) -> auto::Builder<TokioExecutor> {
    let settings = &worker.settings;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder = match speaks {
        Speaks::Either => builder,
        Speaks::Http1 => builder.http1_only(),
        Speaks::Http2 => builder.http2_only(),
    };
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
    builder
}
