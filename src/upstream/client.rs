//! The connections of one leg to its origin, and the calls over them.

use crate::exchange::{Clock, Instant};
use crate::upstream::body::{Sending, Sent};
use crate::upstream::connect::{Connected, Connector};
use crate::upstream::http1::{Http1, told};
use crate::upstream::idle::Idle;
use crate::upstream::message::{for_http1, for_http2};
use crate::upstream::tasks::Tasks;
use crate::upstream::{AnswerBody, CallError, HttpVersion, Target};
use bytes::Bytes;
use http::header::UPGRADE;
use http::{Request, Response, StatusCode};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{TrySendError, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Headers of an HTTP/2 answer at most; hyper's own limit of 16 KiB is less than what HTTP/1.1 may send.
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
    /// Whether a request that found its reused connection closed takes another one. Safe for every method: hyper gives
    /// the request back only if no byte of it was written and its body was never polled.
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
pub struct Origin<B: Send + 'static>(Arc<Inner<B>>);

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
    Shared(http2::SendRequest<Sending<B>>),
}

/// An HTTP/1.1 connection at work. Dropped, it is closed.
pub(crate) struct Lease<B: Send + 'static> {
    origin: Arc<Inner<B>>,
    line: Http1<B>,
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
    /// needs; its path and query stay as they are. A 101 can be upgraded with `hyper::upgrade::on`.
    ///
    /// # Errors
    /// No connection, or no answer over it; [`crate::upstream::failure_of`] tells them apart.
    pub async fn request(&self, mut request: Request<B>, timer: &Timer) -> Result<Response<AnswerBody<B>>, CallError> {
        let upgrade = self.0.target.may_be_http2() && request.headers().contains_key(UPGRADE);
        if upgrade && self.0.target.http == HttpVersion::Http2 {
            return Err(CallError::Upgrade);
        }
        loop {
            let (line, reused) = match self.0.open_line(upgrade) {
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
            let mut unsent = match line {
                Line::Own(mut lease) => {
                    for_http1(&mut request, &self.0.target);
                    let (request, sent) = sending(request);
                    match lease.line.send(request, timer, self.0.clock).await {
                        Ok(answer) => return Ok(leased(answer, lease, &sent)),
                        Err(unsent) => unsent,
                    }
                }
                Line::Shared(mut sender) => {
                    for_http2(&mut request, &self.0.target);
                    let answer = sender.try_send_request(sending(request).0);
                    timer.is_sent(self.0.clock.now());
                    match answer.await {
                        Ok(answer) => {
                            timer.is_answered(self.0.clock.now());
                            return Ok(answer.map(|body| AnswerBody::new(body, None)));
                        }
                        Err(unsent) => unsent,
                    }
                }
            };
            request = self.given_back(&mut unsent, reused).ok_or_else(|| unsent.into_error())?;
        }
    }

    /// The request, if it may take another connection. A new connection that fails ends the call, so that this ends.
    fn given_back(&self, unsent: &mut TrySendError<Request<Sending<B>>>, reused: bool) -> Option<Request<B>> {
        let unsent = if reused && self.0.retry_unsent { unsent.take_message() } else { None };
        unsent.map(|request| request.map(Sending::into_inner))
    }
}

fn sending<B: Body>(request: Request<B>) -> (Request<Sending<B>>, Sent) {
    let (parts, body) = request.into_parts();
    let (body, sent) = Sending::new(body);
    (Request::from_parts(parts, body), sent)
}

fn leased<B>(answer: Response<Incoming>, mut lease: Lease<B>, sent: &Sent) -> Response<AnswerBody<B>>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    // After a 101 the connection is no longer HTTP's.
    let upgraded = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    if (upgraded || !sent.is_over())
        && let Some(rest) = lease.line.rest()
    {
        lease.origin.tasks.spawn(rest);
    }
    answer.map(|body| AnswerBody::new(body, (!upgraded).then_some(lease)))
}

impl<B: Send + 'static> Inner<B> {
    fn idle(&self) -> MutexGuard<'_, Idle<B>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> Inner<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// An open connection, if there is one.
    fn open_line(self: &Arc<Self>, upgrade: bool) -> Option<Line<B>> {
        let now = self.clock.now();
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

    /// Lets what has waited too long end in good order; how long until the next look.
    fn sweep(&self, idle: &mut Idle<B>) -> Option<Duration> {
        let (over, next) = idle.sweep(self.clock.now());
        over.into_iter().for_each(|line| self.end(line));
        next
    }

    fn end(&self, mut line: Http1<B>) {
        if let Some(rest) = line.rest() {
            self.tasks.spawn(rest);
        }
    }

    /// Starts the task that lets go what has waited too long, unless it runs.
    fn sweep_later(self: &Arc<Self>, idle: &mut Idle<B>) {
        if std::mem::replace(&mut idle.swept, true) {
            return;
        }
        let origin = Arc::downgrade(self);
        let mut wait = self.sweep(idle).unwrap_or_default();
        self.tasks.spawn(async move {
            loop {
                sleep(wait).await;
                let Some(origin) = origin.upgrade() else { return };
                let mut idle = origin.idle();
                match origin.sweep(&mut idle) {
                    Some(next) => wait = next,
                    None => {
                        idle.swept = false;
                        return;
                    }
                }
            }
        });
    }

    fn keep(self: &Arc<Self>, line: Http1<B>) {
        let mut idle = self.idle();
        if let Some(one_too_many) = idle.push(line, self.clock.now()) {
            self.end(one_too_many);
        }
        self.sweep_later(&mut idle);
    }

    /// A new connection, or the one that somebody else made meanwhile; whether it is the latter.
    async fn new_line(self: &Arc<Self>, upgrade: bool, timer: &Timer) -> Result<(Line<B>, bool), CallError> {
        let making = async {
            let mut alone = None;
            if self.target.may_be_http2() && !upgrade {
                alone = Some(self.connecting.lock().await);
                if let Some(line) = self.open_line(upgrade) {
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
            self.tasks.spawn(async move { told(connection.await) });
            self.chose_http1.store(false, Ordering::Relaxed);
            let mut idle = self.idle();
            idle.set_shared(sender.clone(), self.clock.now());
            self.sweep_later(&mut idle);
            return Ok(Line::Shared(sender));
        }
        let line = Http1::begin(io).await?;
        self.chose_http1.store(true, Ordering::Relaxed);
        Ok(Line::Own(Lease { origin: Arc::clone(self), line }))
    }
}

impl<B> Lease<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// Moves the connection on; whether there was anything to move.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        self.line.drive(cx)
    }

    /// The answer was read to its end: the connection serves again as soon as it can.
    pub(crate) fn give_back(self) {
        let Self { origin, mut line } = self;
        if line.is_ready() {
            return origin.keep(line);
        }
        // The answer came before the request's end, or the connection was not polled since.
        let (rest, later) = (line.rest(), Arc::downgrade(&origin));
        if let Some(rest) = rest {
            origin.tasks.spawn(rest);
        }
        if !line.is_closed() {
            origin.tasks.spawn(async move {
                if line.ready().await
                    && let Some(origin) = later.upgrade()
                {
                    origin.keep(line);
                }
            });
        }
    }
}
