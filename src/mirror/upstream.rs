//! The HTTP client of one upstream leg: its own connections, timed connects, nothing sent twice, no redirects, no decoding.
//!
//! Both legs use it, each with its own pool: a proxy's worker for the primary, the shadow's dispatch for the shadow.

use crate::exchange::{Clock, FailureKind};
use bytes::Bytes;
use http::{Request, Response, Uri};
use hyper::body::{Body, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Header lines of an answer at most; hyper's own limit of 100 is less than what some providers send.
const HEADER_LINES_MAX: usize = 200;

/// How an upstream leg keeps its connections.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamSettings {
    /// Name, TCP and TLS at most, milliseconds.
    pub connect_timeout_ms: u64,
    /// Idle connections kept at most.
    pub idle_connections_max: usize,
    /// How long an idle one is kept, milliseconds.
    pub idle_timeout_ms: u64,
    /// Whether a request that found its reused connection closed takes another one. Safe for every method: hyper gives the
    /// request back only if it closed the connection before it took the request from its queue, so no byte of it was
    /// written and its body was never polled; and hyper-util tries again only if the connection had served before.
    pub retry_unsent: bool,
}

/// Why a leg could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("tls could not be set up: {0}; check that the system's certificates are installed")]
pub struct UpstreamError(#[from] io::Error);

/// A client with its own connection pool; clones share the pool.
pub struct Upstream<B>(Client<TimedConnector, B>);

impl<B> Clone for Upstream<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B> std::fmt::Debug for Upstream<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upstream")
    }
}

impl<B> Upstream<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    /// A client over the system's trusted certificates.
    pub fn new(settings: UpstreamSettings, clock: Clock) -> Result<Self, UpstreamError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let limit = Duration::from_millis(settings.connect_timeout_ms);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(settings.idle_connections_max)
            .pool_idle_timeout(Duration::from_millis(settings.idle_timeout_ms))
            .retry_canceled_requests(settings.retry_unsent)
            .http1_preserve_header_case(true)
            .http1_max_headers(HEADER_LINES_MAX)
            .build(TimedConnector { inner: tls, limit, clock });
        Ok(Self(client))
    }

    /// Sends one request; resolves at the answer's head.
    pub fn request(&self, request: Request<B>) -> impl Future<Output = Result<Response<Incoming>, Error>> + Send {
        self.0.request(request)
    }
}

/// Receives the duration of the connect made for one call, if one was made.
pub type Timer = Arc<AtomicU64>;

tokio::task_local! {
    static CONNECT_US: Timer;
}

/// Runs one call and learns the microseconds of the connect made for it; `None` when a pooled connection served it.
pub async fn timed<F: Future>(timer: Timer, call: F) -> F::Output {
    CONNECT_US.scope(timer, call).await
}

#[derive(Clone)]
struct TimedConnector {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
    clock: Clock,
}

impl Service<Uri> for TimedConnector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The pool polls this inside the call that needs the connection, so the task-local is that call's.
        let timer = CONNECT_US.try_with(Arc::clone).ok();
        let (clock, limit) = (self.clock, self.limit);
        let connecting = self.inner.call(uri);
        Box::pin(async move {
            let started = clock.now();
            let io = tokio::time::timeout(limit, connecting)
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "connect timeout"))??;
            if let Some(timer) = timer {
                timer.store(clock.elapsed_us(started).max(1), Ordering::Relaxed);
            }
            Ok(io)
        })
    }
}

/// Which failure an error of a call or of an answer's body is.
pub fn failure_of(error: &(dyn StdError + 'static)) -> FailureKind {
    let mut kind = FailureKind::Reset;
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<Error>().is_some_and(Error::is_connect) {
            kind = FailureKind::Connect;
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(|e| e.is_parse() && !e.is_incomplete_message()) {
            return FailureKind::Protocol;
        }
        let timed_out = error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::TimedOut);
        if timed_out && kind == FailureKind::Connect {
            return FailureKind::ConnectTimeout;
        }
        next = error.source();
    }
    kind
}
