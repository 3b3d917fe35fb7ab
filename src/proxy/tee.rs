//! The request's body on its way to the primary, copied as it passes; the copy is offered the instant it is complete.

use crate::exchange::{BodyCopy, Clock, Instant, NotMirrored, RequestCopy};
use crate::mirror::{PrimarySide, Ticket};
use crate::proxy::early::Early;
use crate::proxy::http1::RequestBody;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is offered with the body: the head as it was received, and where the primary's exchange will come from.
pub(crate) struct Copying {
    pub(crate) ticket: Ticket,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) primary: PrimarySide,
}

/// When the upload last moved, microseconds since the request began, and whether it broke off.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    seen: Arc<Seen>,
    since: Instant,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Seen {
    last_us: AtomicU64,
    broken: AtomicBool,
}

impl Activity {
    pub(crate) fn new(since: Instant, clock: Clock) -> Self {
        Self { seen: Arc::default(), since, clock }
    }

    /// It moved now.
    pub(crate) fn mark(&self) {
        self.seen.last_us.store(self.clock.elapsed_us(self.since), Ordering::Relaxed);
    }

    /// Whether the application broke its upload off or sent what is no body.
    pub(crate) fn broken(&self) -> bool {
        self.seen.broken.load(Ordering::Acquire)
    }

    /// Since when the request runs.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Microseconds without movement.
    pub(crate) fn quiet_us(&self) -> u64 {
        self.clock.elapsed_us(self.since).saturating_sub(self.seen.last_us.load(Ordering::Relaxed))
    }
}

/// The body given to the primary's client.
pub(crate) struct TeeBody {
    inner: RequestBody,
    copying: Option<Box<Copying>>,
    copy: BytesMut,
    activity: Activity,
    /// Set while the application waits for the primary to want the body.
    expected: Option<Arc<Early>>,
}

impl TeeBody {
    pub(crate) fn new(inner: RequestBody, copying: Option<Box<Copying>>, activity: Activity) -> Self {
        let mut tee = Self { inner, copying, copy: BytesMut::new(), activity, expected: None };
        // Without a body the request is complete now.
        tee.offer_if_complete();
        tee
    }

    /// Not read before the primary wants it.
    pub(crate) fn expecting(mut self, early: Option<Arc<Early>>) -> Self {
        self.expected = early;
        self
    }

    fn keep(&mut self, data: &Bytes) {
        let Some(copying) = &mut self.copying else { return };
        match copying.ticket.grow(data.len()) {
            Ok(()) => self.copy.extend_from_slice(data),
            Err(reason) => self.shed(reason),
        }
    }

    fn shed(&mut self, reason: NotMirrored) {
        self.copy = BytesMut::new();
        if let Some(copying) = self.copying.take() {
            copying.ticket.shed(reason);
        }
    }

    fn offer_if_complete(&mut self) {
        if self.is_end_stream() {
            self.offer();
        }
    }

    fn offer(&mut self) {
        let Some(copying) = self.copying.take() else { return };
        let Copying { ticket, method, target, headers, primary } = *copying;
        let body = BodyCopy::complete(std::mem::take(&mut self.copy).freeze());
        ticket.offer(RequestCopy { method, target, headers, body }, primary);
    }
}

impl Body for TeeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(early) = &self.expected {
            if !ready!(early.poll_wanted(cx)) {
                let error = io::Error::other("the provider answered without the request's body");
                return Poll::Ready(Some(Err(error.into())));
            }
            self.expected = None;
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.activity.mark();
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.keep(data);
                }
                // A client that knows the length, or has sent the trailers, does not poll for the end.
                match frame.is_trailers() {
                    true => self.offer(),
                    false => self.offer_if_complete(),
                }
            }
            None => self.offer(),
            // The ticket's drop counts it.
            Some(Err(_)) => {
                self.activity.seen.broken.store(true, Ordering::Release);
                self.copying = None;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
