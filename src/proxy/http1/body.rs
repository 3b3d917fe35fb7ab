//! A request's body, whichever HTTP it comes in.

use crate::http1::Length;
use crate::proxy::guard::Head;
use crate::proxy::http1::Line;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request as it arrives.
pub(crate) enum RequestBody {
    /// There is none.
    Empty,
    Http1(Content),
    Http2(Incoming),
}

/// A body that is read from its connection by whoever polls it.
pub(crate) struct Content {
    line: Line,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
    over: bool,
}

impl RequestBody {
    /// What follows a head on its connection.
    pub(crate) fn behind(head: &Head, line: &Line) -> Self {
        let left = match head.length {
            Length::Sized(0) => return Self::Empty,
            Length::Sized(bytes) => Some(bytes),
            Length::Chunked | Length::ToEnd => None,
        };
        Self::Http1(Content { line: line.clone(), left, over: false })
    }
}

impl Content {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = self.line.state();
        let frame = ready!(state.poll_content(cx));
        self.over = state.is_read() || !matches!(frame, Some(Ok(_)));
        if let (Some(Ok(frame)), Some(left)) = (&frame, &mut self.left) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if !self.over {
            self.line.state().abandon();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Http1(content) if content.over => Poll::Ready(None),
            Self::Http1(content) => content.poll_frame(cx),
            Self::Http2(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Http1(content) => content.over,
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Http1(Content { left, .. }) => left.map_or_else(SizeHint::default, SizeHint::with_exact),
            Self::Http2(body) => body.size_hint(),
        }
    }
}
