//! One client connection, served until it ends or the worker's end reaches it.

use crate::proxy::alarm::Alarm;
use crate::proxy::first_byte::FirstByte;
use crate::proxy::forward::{Answer, Worker};
use crate::proxy::guard::{Guarded, Wire};
use crate::proxy::seats::Seat;
use crate::proxy::seldom::Seldom;
use crate::proxy::{Peer, Speaks};
use crate::upstream::Joined;
use http::header::CONNECTION;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// What hyper needs at least to read a head.
const HEADER_BYTES_MIN: usize = 8192;

/// What the requests of one connection share.
pub(crate) struct Client {
    pub(crate) worker: Arc<Worker>,
    pub(crate) peer: Peer,
    /// The guard's side of an HTTP/1 connection.
    pub(crate) wire: Arc<Wire>,
    /// The timer of the connection's task, in which HTTP/1 requests are answered; those of HTTP/2 have tasks of their own.
    pub(crate) alarm: Alarm,
}

/// Serves one connection; once the worker stops, the request that runs is the last.
pub(crate) async fn connection<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    peer: Peer,
    worker: Arc<Worker>,
    _seat: Seat,
) {
    let alarm = Alarm::default();
    let (wire, mut guarded) = guarded(stream, &worker, &alarm);
    let speaks = match peer.speaks {
        Speaks::Either => tokio::select! {
            biased;
            speaks = guarded.begins() => speaks,
            () = worker.ending.stop.cancelled() => return,
        },
        agreed => agreed,
    };
    let client = Arc::new(Client { worker, peer, wire: Arc::clone(&wire), alarm });
    let served = match speaks {
        Speaks::Http2 => serve_http2(guarded, client).await,
        Speaks::Http1 | Speaks::Either => serve_http1(guarded, client).await,
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

async fn serve_http1<S>(guarded: Guarded<S>, client: Arc<Client>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let settings = &client.worker.settings;
    let mut builder = http1::Builder::new();
    builder
        .timer(client.alarm.clone())
        .header_read_timeout(Duration::from_millis(settings.header_read_timeout_ms))
        .preserve_header_case(true)
        .half_close(false)
        .auto_date_header(false)
        .writev(true)
        .max_headers(settings.header_lines_max)
        .max_buf_size(settings.header_bytes_max.max(HEADER_BYTES_MIN));
    let stop = client.worker.ending.stop.clone().cancelled_owned();
    let service = service_fn(move |request| answer_http1(Arc::clone(&client), request));
    let serving = builder.serve_connection(TokioIo::new(guarded), service).with_upgrades();
    until(pin!(serving), stop, http1::UpgradeableConnection::graceful_shutdown).await
}

async fn serve_http2<S>(guarded: Guarded<S>, client: Arc<Client>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).auto_date_header(false);
    // HTTP/2 can say goodbye without losing a request, HTTP/1 only in an answer: see `Ending`.
    let yielding = client.worker.ending.yielding.clone().cancelled_owned();
    let service = service_fn(move |request| {
        let client = Arc::clone(&client);
        async move { Ok::<_, Infallible>(client.worker.answer(request, &client.peer, None, Alarm::default()).await) }
    });
    let serving = builder.serve_connection(TokioIo::new(guarded), service);
    until(pin!(serving), yielding, http2::Connection::graceful_shutdown).await
}

/// Serves to the connection's end, which is asked for once `ends` is over.
async fn until<C: Future>(
    mut serving: Pin<&mut C>,
    ends: impl Future<Output = ()>,
    ask: impl FnOnce(Pin<&mut C>),
) -> C::Output {
    tokio::select! {
        biased;
        served = serving.as_mut() => served,
        () = Seldom::new(ends) => {
            ask(serving.as_mut());
            serving.await
        }
    }
}

/// The stream behind its framing guard.
fn guarded<S>(stream: S, worker: &Arc<Worker>, alarm: &Alarm) -> (Arc<Wire>, Guarded<FirstByte<Joined<S>>>) {
    let settings = &worker.settings;
    let wire = Arc::new(Wire::new(worker.clock.now()));
    let stream = FirstByte { inner: Joined(stream), wire: Arc::clone(&wire), worker: Arc::clone(worker) };
    let bytes_max = settings.header_bytes_max.max(HEADER_BYTES_MIN);
    let (lines_max, timeout_ms) = (settings.header_lines_max, settings.header_read_timeout_ms);
    let guarded = Guarded::new(stream, Arc::clone(&wire), bytes_max, lines_max, timeout_ms, alarm.clone());
    (wire, guarded)
}

async fn answer_http1(client: Arc<Client>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (worker, wire) = (&client.worker, &client.wire);
    let mut answer = worker.answer(request, &client.peer, Some(wire), client.alarm.clone()).await;
    if worker.ending.is_yielding() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}
