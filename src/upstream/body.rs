//! The body of an answer, which gives its connection back once it was read to its end.

use crate::http1::{Spelling, Upgraded};
use crate::upstream::CallError;
use crate::upstream::client::Lease;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// The body of an answer. Dropped before its end, it closes its HTTP/1.1 connection, or resets its HTTP/2 stream.
pub struct AnswerBody<B: Send + 'static> {
    source: Source<B>,
    spelling: Option<Spelling>,
}

/// Where its content comes from.
pub(crate) enum Source<B: Send + 'static> {
    /// There is no more.
    Over,
    /// The connection, polled here.
    Line(Lease<B>),
    /// The connection behind a 101.
    Switched(Lease<B>),
    /// A task, which still sends the request.
    Task(Behind),
    Http2(Incoming),
}

/// An answer that came before its request was sent. Dropped before its end, it ends the task.
pub(crate) struct Behind {
    pub(crate) frames: mpsc::Receiver<Result<Frame<Bytes>, CallError>>,
    pub(crate) left: Option<u64>,
    pub(crate) task: Option<AbortHandle>,
}

impl Drop for Behind {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Behind {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        let frame = ready!(self.frames.poll_recv(cx));
        if let (Some(Ok(frame)), Some(left)) = (&frame, &mut self.left) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        if frame.is_none() || self.left == Some(0) {
            // The request goes on without us.
            self.task = None;
        }
        Poll::Ready(frame)
    }
}

impl<B> AnswerBody<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(crate) fn new(source: Source<B>, spelling: Option<Spelling>) -> Self {
        Self { source, spelling }
    }

    /// How the answer's head was spelled, if it came in HTTP/1.
    pub fn spelling(&self) -> Option<&Spelling> {
        self.spelling.as_ref()
    }

    /// The connection, if the answer was a 101 that HTTP/1.1 gave.
    pub fn into_upgraded(self) -> Option<Upgraded> {
        match self.source {
            Source::Switched(lease) => Some(lease.into_upgraded()),
            _ => None,
        }
    }

    /// The end, told once: the connection goes to the next call.
    fn end(&mut self) {
        if let Source::Line(lease) = std::mem::replace(&mut self.source, Source::Over) {
            lease.give_back();
        }
    }
}

impl<B: Send + 'static> std::fmt::Debug for AnswerBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.source {
            Source::Over => "AnswerBody(over)",
            Source::Line(_) => "AnswerBody(HTTP/1.1)",
            Source::Switched(_) => "AnswerBody(switched)",
            Source::Task(_) => "AnswerBody(HTTP/1.1, its request is still sent)",
            Source::Http2(_) => "AnswerBody(HTTP/2)",
        })
    }
}

impl<B> Body for AnswerBody<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        let frame = match &mut self.source {
            Source::Over | Source::Switched(_) => None,
            Source::Line(lease) => ready!(lease.line.poll_frame(cx)).map(|frame| frame.map_err(CallError::Http1)),
            Source::Task(behind) => ready!(behind.poll_frame(cx)),
            Source::Http2(body) => {
                return Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(CallError::Http)));
            }
        };
        match &frame {
            // The connection is closed.
            Some(Err(_)) => self.source = Source::Over,
            // Whoever knows that this was the last part may not poll on.
            Some(Ok(_)) if !self.is_end_stream() => {}
            _ => self.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Over | Source::Switched(_) => true,
            Source::Line(lease) => lease.line.is_answered(),
            Source::Task(behind) => behind.left == Some(0),
            Source::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match &self.source {
            Source::Over | Source::Switched(_) => Some(0),
            Source::Line(lease) => lease.line.left(),
            Source::Task(behind) => behind.left,
            Source::Http2(body) => return body.size_hint(),
        };
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
