//! The primary's answer on its way back, measured for every call and copied for the mirrored ones.

use crate::exchange::{
    BodyCopy, DropReason, Endpoint, Exchange, Failure, FailureKind, Instant, Outcome, ResponseCopy, Role, Timings,
    append_trailers,
};
use crate::http1::Spelling;
use crate::mirror::{BytesHeld, PrimaryDone};
use crate::proxy::Route;
use crate::proxy::alarm::Alarm;
use crate::proxy::early::Withheld;
use crate::proxy::forward::Worker;
use crate::proxy::tee::TeeBody;
use crate::upstream::{self, failure_of};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::oneshot;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The copy for a mirrored call.
pub(crate) struct AnswerCopy {
    pub(crate) to: oneshot::Sender<PrimaryDone>,
    pub(crate) held: BytesHeld,
    pub(crate) bytes_max: usize,
    pub(crate) started_unix_us: i64,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: BytesMut,
    pub(crate) over_cap: bool,
}

impl AnswerCopy {
    fn keep(&mut self, data: &Bytes) {
        if self.over_cap {
            return;
        }
        if self.bytes.len() + data.len() > self.bytes_max || !self.held.grow(data.len()) {
            self.over_cap = true;
            self.held.shrink(self.bytes.len());
            self.bytes = BytesMut::new();
        } else {
            self.bytes.extend_from_slice(data);
        }
    }
}

/// One call to the primary. However it ends, also by being dropped, it is counted and measured once.
pub(crate) struct Leg {
    pub(crate) worker: Arc<Worker>,
    /// The position of its route.
    pub(crate) route: usize,
    pub(crate) started: Instant,
    /// When the request's head was here.
    pub(crate) came: Instant,
    pub(crate) endpoint: Endpoint,
    pub(crate) copy: Option<Box<AnswerCopy>>,
    pub(crate) status: Option<u16>,
    pub(crate) ttfb_us: Option<u64>,
    pub(crate) connect_us: Option<u64>,
    pub(crate) seen_bytes: u64,
    pub(crate) ended: bool,
}

impl Leg {
    /// The answer's head is here, and was there to be read `at`.
    pub(crate) fn head(&mut self, status: u16, headers: &HeaderMap, at: Instant) {
        self.ttfb_us = Some(us_between(self.started, at));
        self.status = Some(status);
        // Header maps are cloned only for calls that are mirrored.
        let Some(copy) = &mut self.copy else { return };
        copy.headers = headers.clone();
        // A stream of events has no end to wait for: its capture goes on without the primary's body.
        copy.over_cap |= is_event_stream(headers);
    }

    fn keep(&mut self, data: &Bytes) {
        self.seen_bytes += data.len() as u64;
        if let Some(copy) = &mut self.copy {
            copy.keep(data);
        }
    }

    /// The end: counted, measured, and sent to the capture.
    pub(crate) fn end(&mut self, failure: Option<FailureKind>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let outcome = match (failure, self.status) {
            (Some(kind), _) => kind.outcome(),
            (None, Some(status)) => Outcome::of_status(status),
            (None, None) => Outcome::NetworkError,
        };
        let timings = Timings {
            queue_wait_us: us_between(self.came, self.started),
            connect_us: self.connect_us,
            ttfb_us: self.ttfb_us,
            total_us: self.worker.clock.elapsed_us(self.started),
        };
        if let Some(Route { book, .. }) = self.worker.routes.get(self.route) {
            book.primary(outcome);
            let mut shard = self.worker.shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.record_exchange(book.integration(), &self.endpoint, Role::Primary, outcome, &timings);
        }
        let Some(copy) = self.copy.take() else { return };
        let AnswerCopy { to, held, started_unix_us, headers, bytes, over_cap, .. } = *copy;
        let seen_bytes = self.seen_bytes;
        let response = self.status.map(|status| {
            let body = match (over_cap, failure) {
                (true, _) => BodyCopy::dropped(DropReason::OverCap, seen_bytes),
                (false, None) => BodyCopy::complete(bytes.freeze()),
                (false, Some(_)) => BodyCopy::dropped(DropReason::Cut, seen_bytes),
            };
            ResponseCopy { status, headers, body }
        });
        let exchange = Exchange {
            role: Role::Primary,
            started_unix_us,
            response,
            failure: failure.map(|kind| Failure { kind }),
            outcome,
            timings,
        };
        // Nobody there: the call was shed, or its capture went on without us.
        let _unheard = to.send(PrimaryDone { exchange, held });
    }
}

fn us_between(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(http::header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.end(Some(FailureKind::ClientGone));
    }
}

/// The body given to the application.
pub(crate) struct AnswerBody {
    inner: upstream::AnswerBody<TeeBody>,
    leg: Box<Leg>,
    silence: Duration,
    /// Until when the primary may be silent; none if that is not known yet.
    quiet_until: Option<Instant>,
    alarm: Alarm,
    /// The request's body, when the answer came without it.
    _withheld: Option<Withheld>,
}

impl AnswerBody {
    pub(crate) fn new(
        inner: upstream::AnswerBody<TeeBody>,
        mut leg: Box<Leg>,
        silence: Duration,
        alarm: Alarm,
        withheld: Option<Withheld>,
    ) -> Self {
        if inner.is_end_stream() {
            leg.end(None);
        }
        let quiet_until = leg.ttfb_us.map(|us| leg.started + Duration::from_micros(us) + silence);
        Self { inner, leg, silence, quiet_until, alarm, _withheld: withheld }
    }

    /// How its head was spelled, if that came in HTTP/1.
    pub(crate) fn spelling(&self) -> Option<&Spelling> {
        self.inner.spelling()
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Pending => {
                let until = *this.quiet_until.get_or_insert_with(|| this.leg.worker.clock.now() + this.silence);
                ready!(this.alarm.poll(until, cx));
                this.leg.end(Some(FailureKind::ReadTimeout));
                let error = io::Error::new(io::ErrorKind::TimedOut, "the provider stopped within its answer");
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(frame) => {
                this.quiet_until = None;
                match &frame {
                    Some(Ok(frame)) => {
                        if let Some(data) = frame.data_ref() {
                            this.leg.keep(data);
                        }
                        if let (Some(trailers), Some(copy)) = (frame.trailers_ref(), &mut this.leg.copy) {
                            append_trailers(&mut copy.headers, trailers);
                        }
                        // Trailers are the last frame, and nobody polls on after them.
                        if frame.is_trailers() || this.inner.is_end_stream() {
                            this.leg.end(None);
                        }
                    }
                    Some(Err(error)) => this.leg.end(Some(failure_of(error))),
                    None => this.leg.end(None),
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
