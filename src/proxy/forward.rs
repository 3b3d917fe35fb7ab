//! One request: routed, forwarded to the primary, its answer passed back; a sink's answered at once.

use crate::exchange::{Clock, Endpoint, FailureKind, Instant, NotMirrored, Refused};
use crate::http1::Spelling;
use crate::latency::Shard;
use crate::mirror::Ticket;
use crate::proxy::alarm::Alarm;
use crate::proxy::answer::{AnswerBody, AnswerCopy, Leg};
use crate::proxy::early::{Early, Withheld};
use crate::proxy::headers::{
    NextHop, expects_continue, grant_upgrade, host_problem, join_cookies, may_forward, remove_hop_by_hop,
};
use crate::proxy::http1::{RequestBody, Wire};
use crate::proxy::refuse::{of_failure, of_refused, refuse};
use crate::proxy::tee::{Activity, Copying, TeeBody};
use crate::proxy::tunnel::Tunnel;
use crate::proxy::worker::Ending;
use crate::proxy::{Peer, Primary, Route, Settings, route};
use crate::upstream::{self, Ask, Origin, OriginSettings, Timer, failure_of};
use bytes::{Bytes, BytesMut};
use http::header::CONNECTION;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Body;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

const IDLE_TIMEOUT_MS: u64 = 15_000;

/// How long a body that waits for a 100 waits for the primary to say it, milliseconds.
const EXPECT_WAIT_MS: u64 = 1_000;

/// Boxed, since it is handed on many times on its way to the connection.
pub(crate) type AnswerContent = Either<Box<AnswerBody>, Full<Bytes>>;

/// The primary's answer, or one of ours.
pub(crate) type Answer = Response<AnswerContent>;

/// What a worker's requests share; all of it belongs to the worker alone, but the routes.
pub(crate) struct Worker {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Arc<Vec<Route>>,
    /// The worker's own clients of the primaries, in the order of the routes; `None` for a sink.
    pub(crate) primaries: Vec<Option<OwnPrimary>>,
    /// Only this worker's thread locks it, so that it is never waited for.
    pub(crate) shard: Mutex<Shard>,
    pub(crate) clock: Clock,
    pub(crate) ending: Ending,
    /// TLS handshakes with clients that came to nothing.
    pub(crate) handshakes_failed: AtomicU64,
}

/// A worker's own side of a primary.
pub(crate) struct OwnPrimary {
    /// Its connections.
    origin: Origin<TeeBody>,
    /// The provider's `Host`; bytes of this worker's own, since all who hold the same ones count themselves in one place.
    host: HeaderValue,
}

impl OwnPrimary {
    fn new(primary: &Primary, settings: &Settings, clock: Clock) -> Self {
        let leg = OriginSettings {
            idle_connections_max: settings.primary_idle_connections_max,
            idle_timeout_ms: IDLE_TIMEOUT_MS,
            retry_unsent: true,
        };
        let host = primary.url.host();
        let host = HeaderValue::from_bytes(host.as_bytes()).unwrap_or_else(|_| host.clone());
        Self { origin: Origin::new(Arc::clone(&primary.target), leg, clock), host }
    }
}

/// A worker's own sides of the primaries.
pub(crate) fn primaries(routes: &[Route], settings: &Settings, clock: Clock) -> Vec<Option<OwnPrimary>> {
    let of = |primary: &Primary| OwnPrimary::new(primary, settings, clock);
    routes.iter().map(|route| route.primary.as_ref().map(of)).collect()
}

/// One request on its way to the primary.
struct Call<'a> {
    route: &'a Route,
    /// The route's position.
    at: usize,
    primary: &'a Primary,
    own: &'a OwnPrimary,
    endpoint: Endpoint,
    ticket: Option<Ticket>,
    hop: NextHop,
    spelling: Option<&'a Spelling>,
    peer: &'a Peer,
    wire: Option<&'a Wire>,
    alarm: Alarm,
    /// When its head was here.
    came: Instant,
}

/// What goes on while a call waits for its answer's head.
struct Waiting<'a> {
    spelling: Option<&'a Spelling>,
    /// Nobody but an HTTP/1 client sees the answer's head.
    verbatim: bool,
    alarm: Alarm,
    activity: Activity,
    silence: Duration,
    /// What the primary says before its answer, for clients that may hear it.
    early: Option<Arc<Early>>,
    wire: Option<&'a Wire>,
    /// An upgrade was asked for.
    upgrade: bool,
}

impl Worker {
    /// Belongs to no integration: counted beside the books.
    pub(crate) fn refused(&self, kind: Refused, text: &'static str) -> Answer {
        // Every book knows the same count.
        if let Some(route) = self.routes.first() {
            route.book.refused().count(kind);
        }
        of_refused(kind, text).map(Either::Right)
    }

    /// Answers one request. `spelling` and `wire` are those of its head and its connection, if they are HTTP/1; `alarm` is
    /// that of the task that answers.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: Request<RequestBody>,
        spelling: Option<&Spelling>,
        peer: &Peer,
        wire: Option<&Wire>,
        alarm: Alarm,
    ) -> Answer {
        let came = self.clock.now();
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::CONNECT {
            return self.refused(Refused::ConnectMethod, "darklaunch: CONNECT is not forwarded\n");
        }
        if let Some(text) = host_problem(&parts) {
            return self.refused(Refused::Host, text);
        }
        let Some((at, route)) = route::find(&self.routes, &parts, peer) else {
            let text = "darklaunch: no integration matches this host and path\n";
            return self.refused(Refused::NoIntegration, text);
        };
        route.book.arrived();
        if !may_forward(&mut parts) {
            route.book.not_mirrored(NotMirrored::Refused);
            return last_hop(&parts.method).map(Either::Right);
        }
        route.restore_host(&mut parts);
        let hop = NextHop::of(&parts);
        remove_hop_by_hop(&mut parts.headers);
        join_cookies(&mut parts);
        let endpoint = route.endpoints.name(&parts.method, parts.uri.path());
        let ticket = match hop.upgrade {
            Some(_) => {
                route.book.not_mirrored(NotMirrored::Streaming);
                None
            }
            None => route.door.consider(&parts, &endpoint).ok(),
        };
        match (&route.primary, self.primaries.get(at)) {
            (Some(primary), Some(Some(own))) => {
                let call = Call { route, at, primary, own, endpoint, ticket, hop, spelling, peer, wire, alarm, came };
                self.forward(call, parts, body).await
            }
            _ => {
                let silence = Duration::from_millis(route.primary_read_timeout_ms);
                self.sink(parts, body, ticket, silence).await.map(Either::Right)
            }
        }
    }

    async fn forward(self: &Arc<Self>, call: Call<'_>, mut parts: Parts, body: RequestBody) -> Answer {
        let Call { route, at, primary, own, endpoint, ticket, hop, spelling, peer, wire, alarm, came } = call;
        let received = target_of(&parts);
        let Some(path) = route.target(&received).and_then(|target| primary.url.path_of(&target)) else {
            if let Some(ticket) = ticket {
                ticket.shed(NotMirrored::Refused);
            }
            let text = "darklaunch: the request target does not fit behind the provider's address\n";
            return refuse(StatusCode::BAD_REQUEST, "target", text).map(Either::Right);
        };
        let started = self.clock.now();
        let (copying, copy) = match ticket {
            Some(ticket) => {
                let (copying, copy) = self.copies(route, &parts, &received, ticket);
                (Some(copying), Some(copy))
            }
            None => (None, None),
        };
        // Boxed, as the request is: both are handed on from step to step.
        let leg = Box::new(Leg {
            worker: Arc::clone(self),
            route: at,
            started,
            came,
            endpoint,
            copy,
            status: None,
            ttfb_us: None,
            connect_us: None,
            seen_bytes: 0,
            ended: false,
        });
        let expects = wire.is_some() && !body.is_end_stream() && expects_continue(&parts);
        let early = (wire.is_some() && parts.version == Version::HTTP_11).then(|| Early::new(expects));
        let upgrade = hop.upgrade.is_some();
        hop.put(&mut parts.headers);
        route.passing.apply(&mut parts, &own.host, peer);
        parts.uri = Uri::from(path);
        parts.version = Version::HTTP_11;
        let activity = Activity::new(started, self.clock);
        let tee = TeeBody::new(body, copying, activity.clone()).expecting(early.clone().filter(|_| expects));
        let request = Box::new(Request::from_parts(parts, tee));
        let silence = Duration::from_millis(route.primary_read_timeout_ms);
        let verbatim = wire.is_some() && leg.copy.is_none();
        let waiting = Waiting { spelling, verbatim, alarm, activity, silence, early, wire, upgrade };
        self.call(&own.origin, request, leg, waiting).await
    }

    /// The copies of a mirrored call: of what is asked, and of what the primary answers.
    fn copies(
        &self,
        route: &Route,
        parts: &Parts,
        received: &PathAndQuery,
        ticket: Ticket,
    ) -> (Box<Copying>, Box<AnswerCopy>) {
        let (to, side) = oneshot::channel();
        let copy = AnswerCopy {
            to,
            held: route.door.hold_nothing(),
            bytes_max: route.door.answer_bytes_max(),
            started_unix_us: self.clock.unix_us(),
            headers: HeaderMap::new(),
            bytes: BytesMut::new(),
            over_cap: false,
        };
        (copying(parts, received, ticket, Some(side)), Box::new(copy))
    }

    async fn call(
        &self,
        origin: &Origin<TeeBody>,
        request: Box<Request<TeeBody>>,
        mut leg: Box<Leg>,
        waiting: Waiting<'_>,
    ) -> Answer {
        let timer = Timer::new(leg.started);
        let head = self.head(origin, request, &timer, &waiting).await;
        leg.connect_us = timer.connect_us();
        let answered = timer.answered().unwrap_or_else(|| self.clock.now());
        if head.is_ok()
            && let Some(sending) = timer.sending()
            && let Some(since) = added_since(leg.came, leg.started, sending, answered)
        {
            self.owe(leg.route, since, waiting.wire);
        }
        match head {
            Err(kind) => {
                // The client only knows that the call failed; that the application broke it off is not the provider's fault.
                let kind = if waiting.activity.broken() { FailureKind::ClientGone } else { kind };
                leg.end(Some(kind));
                of_failure(kind).map(Either::Right)
            }
            Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => switch(answer, *leg, answered, waiting),
            Ok(answer) => {
                let (mut parts, body) = answer.into_parts();
                remove_hop_by_hop(&mut parts.headers);
                parts.version = Version::HTTP_11;
                leg.head(parts.status.as_u16(), &parts.headers, answered);
                let withheld = waiting.early.filter(|early| early.waits()).map(Withheld);
                if withheld.is_some() {
                    // Whether the body still comes nobody knows: nothing can follow on this connection.
                    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
                }
                let body = AnswerBody::new(body, leg, waiting.silence, waiting.alarm, withheld);
                Response::from_parts(parts, Either::Left(Box::new(body)))
            }
        }
    }

    /// What we add to a call is known when its answer's first byte goes out, which HTTP/2 does not tell us.
    pub(crate) fn owe(&self, route: usize, since: Instant, wire: Option<&Wire>) {
        match wire {
            Some(wire) => wire.owe(route, since),
            None => self.added(route, since),
        }
    }

    /// What we added to a call, which ends now: see [`added_since`].
    pub(crate) fn added(&self, route: usize, since: Instant) {
        let us = self.clock.elapsed_us(since);
        if let Some(Route { book, .. }) = self.routes.get(route) {
            let mut shard = self.shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.record_added(book.integration(), us);
        }
    }

    /// The answer's head, or the failure; an upload that moves is not a silent provider. What the primary says before it
    /// is passed on as it comes.
    async fn head(
        &self,
        origin: &Origin<TeeBody>,
        request: Box<Request<TeeBody>>,
        timer: &Timer,
        waiting: &Waiting<'_>,
    ) -> Result<Response<upstream::AnswerBody<TeeBody>>, FailureKind> {
        let (silence, early) = (waiting.silence, waiting.early.as_deref());
        let hears = |status, headers: &HeaderMap| {
            if let Some(early) = early {
                early.heard(status, headers);
            }
        };
        let ask = Ask { spelling: waiting.spelling, verbatim: waiting.verbatim, interim: &hears };
        let mut call = pin!(origin.request(request, ask, timer));
        let wait = match early {
            Some(early) if early.waits() => silence.min(Duration::from_millis(EXPECT_WAIT_MS)),
            _ => silence,
        };
        let mut deadline = waiting.activity.since() + wait;
        loop {
            tokio::select! {
                biased;
                head = &mut call => {
                    waiting.pass_interim();
                    return head.map_err(|error| failure_of(&error));
                }
                () = poll_fn(|cx| poll_came(early, cx)) => waiting.pass_interim(),
                () = waiting.alarm.until(deadline) => {
                    // A provider that knows no 100 waits for the body just so.
                    if let Some(early) = early {
                        early.open();
                    }
                    let quiet = Duration::from_micros(waiting.activity.quiet_us());
                    let left = silence.saturating_sub(quiet);
                    if left.is_zero() {
                        return Err(FailureKind::ReadTimeout);
                    }
                    deadline = self.clock.now() + left;
                }
            }
        }
    }

    /// Reads the request to its end and answers 204: nobody waits for a provider.
    async fn sink(
        &self,
        parts: Parts,
        body: RequestBody,
        ticket: Option<Ticket>,
        silence: Duration,
    ) -> Response<Full<Bytes>> {
        let copying = ticket.map(|ticket| copying(&parts, &target_of(&parts), ticket, None));
        let mut tee = TeeBody::new(body, copying, Activity::new(self.clock.now(), self.clock));
        loop {
            match timeout(silence, tee.frame()).await {
                Ok(Some(Ok(_))) => {}
                Ok(None) => break,
                Ok(Some(Err(_))) => return of_failure(FailureKind::ClientGone),
                Err(_) => {
                    let text = "darklaunch: the request's body did not arrive in time\n";
                    return refuse(StatusCode::REQUEST_TIMEOUT, "request_timeout", text);
                }
            }
        }
        let mut answer = Response::new(Full::new(Bytes::new()));
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    }
}

impl Waiting<'_> {
    /// Hands what came to the connection, which writes it before the answer.
    fn pass_interim(&self) {
        let (Some(early), Some(wire)) = (&self.early, self.wire) else { return };
        for (status, mut headers) in early.take() {
            remove_hop_by_hop(&mut headers);
            let reason = status.canonical_reason().unwrap_or_default();
            let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
            for (name, value) in &headers {
                for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                    head.extend_from_slice(part);
                }
            }
            head.extend_from_slice(b"\r\n");
            wire.interim(&head);
        }
    }
}

/// Since when an answer would have been on its way back, had all that we added to its call been added at its end: what it
/// took us to send the request on, before the answer's arrival. Whoever hands the answer on measures both ways from here.
/// None of it is the primary's time, nor the wait for a connection to it.
pub(crate) fn added_since(came: Instant, started: Instant, sending: Duration, answered: Instant) -> Option<Instant> {
    answered.checked_sub(started.saturating_duration_since(came) + sending)
}

fn poll_came(early: Option<&Early>, cx: &mut Context<'_>) -> Poll<()> {
    early.map_or(Poll::Pending, |early| early.poll_came(cx))
}

/// The primary agreed to another protocol: the answer goes back, and both streams are joined behind it.
fn switch(
    answer: Response<upstream::AnswerBody<TeeBody>>,
    mut leg: Leg,
    answered: Instant,
    waiting: Waiting<'_>,
) -> Answer {
    let (mut parts, body) = answer.into_parts();
    let spelling = body.spelling().cloned();
    let (Some(primary), Some(wire)) = (body.into_upgraded().filter(|_| waiting.upgrade), waiting.wire) else {
        // Nobody asked for it.
        leg.end(Some(FailureKind::Protocol));
        return of_failure(FailureKind::Protocol).map(Either::Right);
    };
    grant_upgrade(&mut parts.headers);
    parts.version = Version::HTTP_11;
    leg.head(parts.status.as_u16(), &parts.headers, answered);
    leg.end(None);
    wire.switch(Tunnel { primary, activity: waiting.activity, silence: waiting.silence });
    spelling.into_iter().for_each(|spelling| drop(parts.extensions.insert(spelling)));
    Response::from_parts(parts, Either::Right(Full::default()))
}

/// `Max-Forwards` ends here: we answer as the last recipient, with what little there is to say.
fn last_hop(method: &Method) -> Response<Full<Bytes>> {
    if *method == Method::OPTIONS {
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        return answer;
    }
    refuse(StatusCode::NOT_IMPLEMENTED, "max_forwards", "darklaunch: TRACE ends here, and is not echoed\n")
}

fn target_of(parts: &Parts) -> PathAndQuery {
    parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
}

fn copying(parts: &Parts, target: &PathAndQuery, ticket: Ticket, primary: crate::mirror::PrimarySide) -> Box<Copying> {
    let (method, headers) = (parts.method.clone(), parts.headers.clone());
    Box::new(Copying { ticket, method, target: target.as_str().to_owned(), headers, primary })
}
