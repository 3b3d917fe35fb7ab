//! One client connection, served until it ends or the worker's end reaches it.

use crate::http1::Upgraded;
use crate::proxy::alarm::Alarm;
use crate::proxy::first_byte::FirstByte;
use crate::proxy::forward::Worker;
use crate::proxy::http1::{Line, RequestBody, Wire, begins, serve};
use crate::proxy::seats::Seat;
use crate::proxy::seldom::Seldom;
use crate::proxy::{Peer, Speaks};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// What the requests of one connection share.
pub(crate) struct Client {
    pub(crate) worker: Arc<Worker>,
    pub(crate) peer: Peer,
    /// What an HTTP/1 connection and its calls tell each other.
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
    let (wire, alarm) = (Arc::new(Wire::new(worker.clock.now())), Alarm::default());
    let stream = FirstByte { inner: stream, wire: Arc::clone(&wire), worker: Arc::clone(&worker) };
    let line = Line::new(Box::new(stream), &worker.settings, alarm.clone());
    let speaks = match peer.speaks {
        Speaks::Either => tokio::select! {
            biased;
            speaks = begins(&line) => speaks,
            () = worker.ending.stop.cancelled() => return,
        },
        agreed => agreed,
    };
    let client = Client { worker, peer, wire, alarm };
    let problem = match speaks {
        Speaks::Http2 => serve_http2(line.into_upgraded(), client).await.err().map(|error| error.to_string()),
        Speaks::Http1 | Speaks::Either => {
            let stop = client.worker.ending.stop.clone().cancelled_owned();
            serve(line, &client, stop).await.err().map(|error| error.to_string())
        }
    };
    if let Some(problem) = problem {
        tracing::debug!(problem, "a client connection ended early");
    }
}

async fn serve_http2(stream: Upgraded, client: Client) -> hyper::Result<()> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).auto_date_header(false);
    // HTTP/2 can say goodbye without losing a request, HTTP/1 only in an answer: see `Ending`.
    let yielding = client.worker.ending.yielding.clone().cancelled_owned();
    let client = Arc::new(client);
    let service = service_fn(move |request: Request<Incoming>| {
        let (client, request) = (Arc::clone(&client), request.map(RequestBody::Http2));
        async move { Ok::<_, Infallible>(client.worker.answer(request, None, &client.peer, None, Alarm::default()).await) }
    });
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        served = serving.as_mut() => served,
        () = Seldom::new(yielding) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    }
}
