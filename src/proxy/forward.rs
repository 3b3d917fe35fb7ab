//! One request: routed, forwarded to the primary, its answer passed back; a sink's answered at once.

use crate::exchange::{Clock, Endpoint, FailureKind, NotMirrored};
use crate::latency::Shard;
use crate::mirror::Ticket;
use crate::proxy::answer::{AnswerBody, AnswerCopy, Leg};
use crate::proxy::headers::{asks_upgrade, host_problem, join_cookies, remove_hop_by_hop};
use crate::proxy::refuse::{of_failure, refuse};
use crate::proxy::tee::{Activity, Copying, TeeBody};
use crate::proxy::{Primary, Route, Settings, route};
use crate::upstream::{self, Origin, OriginSettings, Timer, TrailersWanted, failure_of, wants_trailers};
use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

const IDLE_TIMEOUT_MS: u64 = 15_000;

pub(crate) type Answer = Response<Either<AnswerBody, Full<Bytes>>>;

/// What a worker's requests share; all of it belongs to the worker alone, but the routes.
pub(crate) struct Worker {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Arc<Vec<Route>>,
    /// The worker's own connections to the primaries, in the order of the routes; `None` for a sink.
    pub(crate) origins: Vec<Option<Origin<TeeBody>>>,
    /// Only this worker's thread locks it, so that it is never waited for.
    pub(crate) shard: Arc<Mutex<Shard>>,
    pub(crate) clock: Clock,
}

/// A worker's own clients for the primaries.
pub(crate) fn origins(routes: &[Route], settings: &Settings, clock: Clock) -> Vec<Option<Origin<TeeBody>>> {
    let leg = OriginSettings {
        idle_connections_max: settings.primary_idle_connections_max,
        idle_timeout_ms: IDLE_TIMEOUT_MS,
        retry_unsent: true,
    };
    let of = |primary: &Primary| Origin::new(Arc::clone(&primary.target), leg, clock);
    routes.iter().map(|route| route.primary.as_ref().map(of)).collect()
}

impl Worker {
    /// Answers one request.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::CONNECT {
            let text = "darklaunch: CONNECT is not forwarded; call the recorder as the API's base address\n";
            return Ok(refuse(StatusCode::NOT_IMPLEMENTED, "connect_method", text).map(Either::Right));
        }
        if let Some(text) = host_problem(&parts) {
            return Ok(refuse(StatusCode::BAD_REQUEST, "host", text).map(Either::Right));
        }
        let Some(route) = route::find(&self.routes, &parts) else {
            let text = "darklaunch: no integration matches this host and path\n";
            return Ok(refuse(StatusCode::NOT_FOUND, "no_integration", text).map(Either::Right));
        };
        route.book.arrived();
        if asks_upgrade(&parts.headers) {
            route.book.not_mirrored(NotMirrored::Streaming);
            let text = "darklaunch: protocol upgrades are not forwarded\n";
            return Ok(refuse(StatusCode::NOT_IMPLEMENTED, "upgrade", text).map(Either::Right));
        }
        if wants_trailers(&parts.headers) {
            parts.extensions.insert(TrailersWanted);
        }
        remove_hop_by_hop(&mut parts.headers);
        join_cookies(&mut parts);
        let endpoint = route.endpoints.name(&parts.method, parts.uri.path());
        let ticket = route.door.consider(&parts, &endpoint).ok();
        match (&route.primary, self.origin(route)) {
            (Some(primary), Some(origin)) => {
                Ok(self.forward(route, (primary, origin), parts, body, endpoint, ticket).await)
            }
            _ => {
                let silence = Duration::from_millis(route.primary_read_timeout_ms);
                Ok(self.sink(parts, body, ticket, silence).await.map(Either::Right))
            }
        }
    }

    async fn forward(
        &self,
        route: &Route,
        (primary, origin): (&Primary, &Origin<TeeBody>),
        mut parts: Parts,
        body: Incoming,
        endpoint: Endpoint,
        ticket: Option<Ticket>,
    ) -> Answer {
        let received = target_of(&parts);
        let Some(uri) = primary.url.join(&route.target(&received)) else {
            if let Some(ticket) = ticket {
                ticket.shed(NotMirrored::Refused);
            }
            let text = "darklaunch: the request target does not fit behind the provider's address\n";
            return refuse(StatusCode::BAD_REQUEST, "target", text).map(Either::Right);
        };
        let started = self.clock.now();
        let (copying, copy) = match ticket {
            Some(ticket) => {
                let (to, side) = oneshot::channel();
                let (held, bytes_max) = (route.door.hold_nothing(), route.door.answer_bytes_max());
                let copy = AnswerCopy { to, held, bytes_max, bytes: BytesMut::new(), over_cap: false };
                (Some(copying(&parts, received, ticket, Some(side))), Some(copy))
            }
            None => (None, None),
        };
        let leg = Leg {
            clock: self.clock,
            started,
            started_unix_us: self.clock.unix_us(),
            book: Arc::clone(&route.book),
            endpoint,
            shard: Arc::clone(&self.shard),
            copy,
            head: None,
            ttfb_us: None,
            connect_us: None,
            seen_bytes: 0,
            ended: false,
        };
        parts.uri = uri;
        parts.version = Version::HTTP_11;
        parts.headers.insert(HOST, primary.url.host().clone());
        let activity = Activity::new(started, self.clock);
        let tee = TeeBody::new(body, copying, activity.clone());
        let silence = Duration::from_millis(route.primary_read_timeout_ms);
        self.call(origin, Request::from_parts(parts, tee), leg, &activity, silence).await
    }

    /// The primary's client of a route of this worker's.
    fn origin(&self, route: &Route) -> Option<&Origin<TeeBody>> {
        let at = self.routes.iter().position(|one| std::ptr::eq(one, route))?;
        self.origins.get(at)?.as_ref()
    }

    async fn call(
        &self,
        origin: &Origin<TeeBody>,
        request: Request<TeeBody>,
        mut leg: Leg,
        activity: &Activity,
        silence: Duration,
    ) -> Answer {
        let timer = Timer::default();
        let head = self.head(origin, request, &timer, silence, activity).await;
        leg.connect_us = timer.connect_us();
        match head {
            Err(kind) => {
                // The client only knows that the call failed; that the application broke it off is not the provider's fault.
                let kind = if activity.broken() { FailureKind::ClientGone } else { kind };
                leg.end(Some(kind));
                of_failure(kind).map(Either::Right)
            }
            Ok(answer) => {
                let (mut parts, body) = answer.into_parts();
                remove_hop_by_hop(&mut parts.headers);
                parts.version = Version::HTTP_11;
                leg.head(parts.status.as_u16(), &parts.headers);
                Response::from_parts(parts, Either::Left(AnswerBody::new(body, leg, silence)))
            }
        }
    }

    /// The answer's head, or the failure; an upload that moves is not a silent provider.
    async fn head(
        &self,
        origin: &Origin<TeeBody>,
        request: Request<TeeBody>,
        timer: &Timer,
        silence: Duration,
        activity: &Activity,
    ) -> Result<Response<upstream::AnswerBody<TeeBody>>, FailureKind> {
        let mut call = pin!(origin.request(request, timer));
        let mut wait = silence;
        loop {
            tokio::select! {
                biased;
                head = &mut call => return head.map_err(|error| failure_of(&error)),
                () = sleep(wait) => {
                    let quiet = Duration::from_micros(activity.quiet_us());
                    wait = silence.saturating_sub(quiet);
                    if wait.is_zero() {
                        return Err(FailureKind::ReadTimeout);
                    }
                }
            }
        }
    }

    /// Reads the request to its end and answers 204: nobody waits for a provider.
    async fn sink(
        &self,
        parts: Parts,
        body: Incoming,
        ticket: Option<Ticket>,
        silence: Duration,
    ) -> Response<Full<Bytes>> {
        let received = target_of(&parts);
        let copying = ticket.map(|ticket| copying(&parts, received, ticket, None));
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

fn target_of(parts: &Parts) -> String {
    parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned()
}

fn copying(parts: &Parts, target: String, ticket: Ticket, primary: crate::mirror::PrimarySide) -> Copying {
    Copying { ticket, method: parts.method.clone(), target, headers: parts.headers.clone(), primary }
}
