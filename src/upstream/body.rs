//! The bodies of a call: an answer's, which gives its connection back once it was read to its end, and a request's, which
//! tells when it is over.

use crate::upstream::client::Lease;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// The body of an answer. Dropped before its end, it closes its HTTP/1.1 connection, or resets its HTTP/2 stream.
pub struct AnswerBody<B: Send + 'static> {
    inner: Incoming,
    lease: Option<Lease<B>>,
}

impl<B> AnswerBody<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(crate) fn new(inner: Incoming, lease: Option<Lease<B>>) -> Self {
        let mut body = Self { inner, lease };
        if body.inner.is_end_stream() {
            body.give_back();
        }
        body
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    /// What is there, or, if nothing is, what the connection has when it is driven.
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if polled.is_pending()
            && let Some(lease) = &mut self.lease
            && lease.drive(cx)
        {
            return Pin::new(&mut self.inner).poll_frame(cx);
        }
        polled
    }
}

impl<B: Send + 'static> std::fmt::Debug for AnswerBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

impl<B> Body for AnswerBody<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let polled = this.poll_inner(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.give_back(),
            Poll::Ready(Some(Err(_))) => this.lease = None,
            // Trailers are the last frame, and whoever knows the length may not poll on.
            Poll::Ready(Some(Ok(frame))) => {
                if frame.is_trailers() || this.inner.is_end_stream() {
                    this.give_back();
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of a request on its way.
pub(crate) struct Sending<B> {
    inner: B,
    _over: Option<Over>,
}

/// Dropped with the body: it was sent, or nobody wants it any more.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Whether a request's body is over.
pub(crate) struct Sent(Option<Arc<AtomicBool>>);

impl Sent {
    pub(crate) fn is_over(&self) -> bool {
        self.0.as_ref().is_none_or(|over| over.load(Ordering::Acquire))
    }
}

impl<B: Body> Sending<B> {
    pub(crate) fn new(inner: B) -> (Self, Sent) {
        let over = (!inner.is_end_stream()).then(Arc::<AtomicBool>::default);
        (Self { inner, _over: over.clone().map(Over) }, Sent(over))
    }

    /// The body, if it was not sent.
    pub(crate) fn into_inner(self) -> B {
        self.inner
    }
}

impl<B: Body + Unpin> Body for Sending<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
