//! The connections of one leg to its origin, and the calls over them.

use crate::exchange::{Clock, Instant};
use crate::http1::{AnswerHead, Error, Upgraded};
use crate::upstream::body::{Behind, Source};
use crate::upstream::connect::{Connected, Connector};
use crate::upstream::http1::{Ask, Http1, NotAnswered};
use crate::upstream::idle::Idle;
use crate::upstream::message::{for_http1, for_http2};
use crate::upstream::tasks::Tasks;
use crate::upstream::{AnswerBody, CallError, HttpVersion, Target};
use bytes::Bytes;
use http::header::UPGRADE;
use http::{Request, Response, StatusCode};
use hyper::body::Body;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::PollSender;

/// Headers of an HTTP/2 answer at most, bytes: as of one in HTTP/1.1. hyper's own limit is 16 KiB.
const HEADER_BYTES_MAX: u32 = 256 << 10;

/// While calls run, an HTTP/2 connection is asked for a sign of life this often: all calls share it, so that one whose
/// path died in silence would take every call with it until TCP gives up.
const PING_INTERVAL_MS: u64 = 20_000;

/// Without the sign it is closed.
const PING_TIMEOUT_MS: u64 = 10_000;

/// How a leg keeps its connections.
#[derive(Clone, Copy, Debug)]
pub struct OriginSettings {
    /// Idle HTTP/1.1 connections kept at most.
    pub idle_connections_max: usize,
    /// How long a connection waits for its next call, milliseconds.
    pub idle_timeout_ms: u64,
    /// Whether a request that found its reused connection closed takes another one. Safe for every method: the request
    /// is given back only if no byte of it was written and its body was never polled.
    pub retry_unsent: bool,
}

/// Receives when the steps of one call happened. Survives the call's being cut.
#[derive(Debug)]
pub struct Timer {
    started: Instant,
    /// Zero: none was made.
    connect_us: AtomicU64,
    /// All of them nanoseconds, since the start but for the wait; zero: it did not happen.
    waited_ns: AtomicU64,
    line_ns: AtomicU64,
    sent_ns: AtomicU64,
    answered_ns: AtomicU64,
}

impl Timer {
    /// For a call that begins now.
    pub fn new(started: Instant) -> Self {
        let [connect_us, waited_ns, line_ns, sent_ns, answered_ns] = [(); 5].map(|()| AtomicU64::new(0));
        Self { started, connect_us, waited_ns, line_ns, sent_ns, answered_ns }
    }

    /// Microseconds of the connect; `None`: an open connection served.
    pub fn connect_us(&self) -> Option<u64> {
        Some(self.connect_us.load(Ordering::Relaxed)).filter(|us| *us > 0)
    }

    /// When there was a connection for the call; `None`: there is none yet.
    pub fn connected(&self) -> Option<Instant> {
        self.at(&self.line_ns)
    }

    /// From the start until the head was written, without the wait for a connection. Over HTTP/2, until the connection was
    /// given the request.
    pub fn sending(&self) -> Option<Duration> {
        let sent = Some(self.sent_ns.load(Ordering::Relaxed)).filter(|ns| *ns > 0)?;
        Some(Duration::from_nanos(sent.saturating_sub(self.waited_ns.load(Ordering::Relaxed))))
    }

    /// When the answer's head was there to be read. Over HTTP/2, when the connection gave it.
    pub fn answered(&self) -> Option<Instant> {
        self.at(&self.answered_ns)
    }

    fn at(&self, ns: &AtomicU64) -> Option<Instant> {
        let ns = Some(ns.load(Ordering::Relaxed)).filter(|ns| *ns > 0)?;
        Some(self.started + Duration::from_nanos(ns))
    }

    pub(crate) fn is_sent(&self, now: Instant) {
        self.sent_ns.store(ns_between(self.started, now), Ordering::Relaxed);
    }

    pub(crate) fn is_answered(&self, now: Instant) {
        self.answered_ns.store(ns_between(self.started, now), Ordering::Relaxed);
    }

    fn has_waited(&self, since: Instant, now: Instant) {
        self.waited_ns.fetch_add(ns_between(since, now), Ordering::Relaxed);
        self.line_ns.store(ns_between(self.started, now), Ordering::Relaxed);
    }

    /// An open connection took it from the start.
    fn has_not_waited(&self) {
        self.line_ns.store(1, Ordering::Relaxed);
    }
}

/// At least one, since none means that nothing happened.
fn ns_between(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// One leg's client: its connections to one target. Clones share them. It belongs to the runtime that first called it,
/// and its connections end when its last clone and its last answer are dropped.
pub struct Origin<B: Send + 'static>(pub(crate) Arc<Inner<B>>);

pub(crate) struct Inner<B: Send + 'static> {
    target: Arc<Target>,
    connector: Connector,
    retry_unsent: bool,
    clock: Clock,
    idle: Mutex<Idle<B>>,
    /// TLS chose HTTP/1.1 the last time: the next connections need not wait for each other.
    chose_http1: AtomicBool,
    /// Held while a connection is made that may turn out to be everyone's.
    connecting: tokio::sync::Mutex<()>,
    tasks: Tasks,
}

/// A connection that takes one request now.
enum Line<B: Send + 'static> {
    Own(Lease<B>),
    Shared(http2::SendRequest<B>),
}

/// An HTTP/1.1 connection at work. Dropped, it is closed.
pub(crate) struct Lease<B: Send + 'static> {
    origin: Arc<Inner<B>>,
    pub(crate) line: Box<Http1<B>>,
}

impl<B: Send + 'static> Clone for Origin<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Send + 'static> std::fmt::Debug for Origin<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Origin").field(&self.0.target).finish()
    }
}

impl<B> Origin<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// A client without a connection yet.
    pub fn new(target: Arc<Target>, settings: OriginSettings, clock: Clock) -> Self {
        let idle = Idle::new(Duration::from_millis(settings.idle_timeout_ms), settings.idle_connections_max);
        Self(Arc::new(Inner {
            connector: Connector::new(target.connect_timeout),
            target,
            retry_unsent: settings.retry_unsent,
            clock,
            idle: Mutex::new(idle),
            chose_http1: AtomicBool::new(false),
            connecting: tokio::sync::Mutex::default(),
            tasks: Tasks::default(),
        }))
    }

    /// Sends one request; resolves at the answer's head. The request's address and version become what the connection
    /// needs; its path and query stay as they are. The connection behind a 101 is its body's:
    /// [`AnswerBody::into_upgraded`].
    ///
    /// # Errors
    /// No connection, or no answer over it; [`crate::upstream::failure_of`] tells them apart.
    pub async fn request(
        &self,
        mut request: Box<Request<B>>,
        ask: Ask<'_>,
        timer: &Timer,
    ) -> Result<Response<AnswerBody<B>>, CallError> {
        let upgrade = self.0.target.may_be_http2() && request.headers().contains_key(UPGRADE);
        if upgrade && self.0.target.http == HttpVersion::Http2 {
            return Err(CallError::Upgrade);
        }
        loop {
            let (line, reused) = match self.0.open_line(upgrade, timer.started) {
                Some(line) => {
                    timer.has_not_waited();
                    (line, true)
                }
                None => {
                    let since = self.0.clock.now();
                    let made = self.0.new_line(upgrade, timer).await;
                    timer.has_waited(since, self.0.clock.now());
                    made?
                }
            };
            let (unsent, error) = match line {
                Line::Own(mut lease) => {
                    for_http1(&mut request, &self.0.target);
                    match lease.line.send(request, ask, timer, self.0.clock).await {
                        Ok(head) => return Ok(answered(head, lease)),
                        Err(NotAnswered::Unsent(request)) => (Some(request), CallError::Http1(Error::Cut)),
                        Err(NotAnswered::Failed(error)) => (None, CallError::Http1(error)),
                    }
                }
                Line::Shared(mut sender) => {
                    for_http2(&mut request, &self.0.target);
                    let answer = sender.try_send_request(*request);
                    timer.is_sent(self.0.clock.now());
                    match answer.await {
                        Ok(answer) => {
                            timer.is_answered(self.0.clock.now());
                            return Ok(answer.map(|body| AnswerBody::new(Source::Http2(body), None)));
                        }
                        Err(mut unsent) => (unsent.take_message().map(Box::new), CallError::Http(unsent.into_error())),
                    }
                }
            };
            // Another connection, if it may take one. A new one that fails ends the call, so that this ends.
            request = unsent.filter(|_| reused && self.0.retry_unsent).ok_or(error)?;
        }
    }
}

fn answered<B>(head: AnswerHead, lease: Lease<B>) -> Response<AnswerBody<B>>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let AnswerHead { status, headers, spelling, .. } = head;
    let source = match (lease.line.is_sent(), lease.line.is_answered()) {
        // After a 101 the connection is no longer HTTP's.
        _ if status == StatusCode::SWITCHING_PROTOCOLS => Source::Switched(lease),
        (true, true) => {
            lease.give_back();
            Source::Over
        }
        (true, false) => Source::Line(lease),
        (false, _) => lease.finish(),
    };
    let mut answer = Response::new(AnswerBody::new(source, Some(spelling)));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

impl<B: Send + 'static> Inner<B> {
    pub(crate) fn idle(&self) -> MutexGuard<'_, Idle<B>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> Inner<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// An open connection, if there is one.
    fn open_line(self: &Arc<Self>, upgrade: bool, now: Instant) -> Option<Line<B>> {
        let mut idle = self.idle();
        if !upgrade
            && self.target.may_be_http2()
            && let Some(sender) = idle.share(now)
        {
            return Some(Line::Shared(sender));
        }
        loop {
            let mut line = idle.pop(now)?;
            // A request that met a closed connection goes to the next where that is allowed; else it must not meet one.
            if self.retry_unsent || !line.has_closed() {
                return Some(Line::Own(Lease { origin: Arc::clone(self), line }));
            }
        }
    }

    /// Starts the task that lets go what has waited too long, unless it runs.
    fn sweep_later(self: &Arc<Self>, idle: &mut Idle<B>) {
        if std::mem::replace(&mut idle.swept, true) {
            return;
        }
        let origin = Arc::downgrade(self);
        let mut wait = idle.sweep(self.clock.now()).unwrap_or_default();
        self.tasks.spawn(async move {
            loop {
                sleep(wait).await;
                let Some(origin) = origin.upgrade() else { return };
                let mut idle = origin.idle();
                match idle.sweep(origin.clock.now()) {
                    Some(next) => wait = next,
                    None => {
                        idle.swept = false;
                        return;
                    }
                }
            }
        });
    }

    fn keep(self: &Arc<Self>, line: Box<Http1<B>>) {
        let mut idle = self.idle();
        idle.push(line, self.clock.now());
        self.sweep_later(&mut idle);
    }

    /// A new connection, or the one that somebody else made meanwhile; whether it is the latter.
    async fn new_line(self: &Arc<Self>, upgrade: bool, timer: &Timer) -> Result<(Line<B>, bool), CallError> {
        let making = async {
            let mut alone = None;
            if self.target.may_be_http2() && !upgrade {
                alone = Some(self.connecting.lock().await);
                if let Some(line) = self.open_line(upgrade, self.clock.now()) {
                    return Ok((line, true));
                }
            }
            if self.chose_http1.load(Ordering::Relaxed) {
                alone = None;
            }
            let started = self.clock.now();
            let line = self.connect(upgrade).await?;
            timer.connect_us.store(self.clock.elapsed_us(started).max(1), Ordering::Relaxed);
            drop(alone);
            Ok((line, false))
        };
        timeout(self.target.connect_timeout, making).await.map_err(|_| CallError::ConnectTimeout)?
    }

    async fn connect(self: &Arc<Self>, upgrade: bool) -> Result<Line<B>, CallError> {
        let made = self.connector.connect(&self.target, upgrade).await;
        let Connected { io, http2 } = made.map_err(CallError::of_connect)?;
        if http2 {
            let mut builder = http2::Builder::new(self.tasks.executor());
            builder
                .timer(TokioTimer::new())
                .keep_alive_interval(Duration::from_millis(PING_INTERVAL_MS))
                .keep_alive_timeout(Duration::from_millis(PING_TIMEOUT_MS))
                .max_header_list_size(HEADER_BYTES_MAX);
            let (sender, connection) = builder.handshake(TokioIo::new(io)).await?;
            self.tasks.spawn(async move {
                // The calls over the connection tell their callers; without a call it does not matter.
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to a provider ended");
                }
            });
            self.chose_http1.store(false, Ordering::Relaxed);
            let mut idle = self.idle();
            idle.set_shared(sender.clone(), self.clock.now());
            self.sweep_later(&mut idle);
            return Ok(Line::Shared(sender));
        }
        let line = Box::new(Http1::new(io));
        self.chose_http1.store(true, Ordering::Relaxed);
        Ok(Line::Own(Lease { origin: Arc::clone(self), line }))
    }
}

impl<B> Lease<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// The answer was read to its end: the connection serves again, if it may.
    pub(crate) fn give_back(self) {
        if self.line.is_ready() {
            self.origin.keep(self.line);
        }
    }

    /// A task of the origin's goes on sending the request, and reads the answer that came before its end.
    fn finish(self) -> Source<B> {
        let Self { origin, mut line } = self;
        let (later, left) = (Arc::downgrade(&origin), line.left());
        let (frames, answer) = match line.is_answered() {
            true => (None, None),
            false => {
                let (to, frames) = mpsc::channel(1);
                (Some(PollSender::new(to)), Some(frames))
            }
        };
        let task = origin.tasks.spawn(async move {
            if line.finish(frames).await
                && let Some(origin) = later.upgrade()
            {
                origin.keep(line);
            }
        });
        answer.map_or(Source::Over, |frames| Source::Task(Behind { frames, left, task: Some(task) }))
    }
}

impl<B: Send + 'static> Lease<B> {
    pub(crate) fn into_upgraded(self) -> Upgraded {
        self.line.into_upgraded()
    }
}
