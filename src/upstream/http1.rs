//! One HTTP/1.1 connection to a provider, driven by whoever uses it: no task, no channel.
//!
//! A call runs in one task: the connection is polled where its answer is awaited, so that neither wakes the other. It gets
//! a task of its own where it must go on without its user: while a body is still sent behind an answer.

use crate::exchange::Clock;
use crate::http1::{
    AnswerHead, Content, Encoder, Error, Input, Io, Length, Output, Spelling, Upgraded, digits, lists, put_field,
    put_fields, read_answer,
};
use crate::upstream::{CallError, Timer};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::{Body, Frame};
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use tokio_util::sync::PollSender;

/// What a call over HTTP/1.1 says and hears beside its request and its answer.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// How the names of the request's header lines are spelled.
    pub spelling: Option<&'a Spelling>,
    /// The answer's head is only written on: where it may pass line by line, its header map stays empty, and its lines are
    /// those of its spelling.
    pub verbatim: bool,
    /// Hears the interim answers (1xx).
    pub interim: &'a (dyn Fn(StatusCode, &HeaderMap) + Sync),
}

impl Default for Ask<'_> {
    /// As the request's map has it, with nobody who hears more than the answer.
    fn default() -> Self {
        Self { spelling: None, verbatim: false, interim: &|_, _| {} }
    }
}

/// What an answer's content comes as, where a task reads it.
pub(crate) type Frames = PollSender<Result<Frame<Bytes>, CallError>>;

/// A connection. Dropped, it is closed.
pub(crate) struct Http1<B> {
    io: Box<dyn Io>,
    input: Input,
    output: Output,
    upload: Option<Upload<B>>,
    /// Of the answer.
    content: Content,
    /// Whether another call may follow this one.
    keeps: bool,
}

/// A request's content on its way.
struct Upload<B> {
    body: B,
    encoder: Encoder,
}

/// Why there is no answer.
pub(crate) enum NotAnswered<B> {
    /// The connection had ended: no byte was written, and the body was not polled.
    Unsent(Box<Request<B>>),
    Failed(Error),
}

impl<B> Http1<B> {
    pub(crate) fn new(io: Box<dyn Io>) -> Self {
        let (input, output, content) = (Input::default(), Output::default(), Content::new(Length::Sized(0)));
        Self { io, input, output, upload: None, content, keeps: true }
    }

    /// Whether it takes a request.
    pub(crate) fn is_ready(&self) -> bool {
        self.keeps && self.is_sent() && self.content.is_over() && self.input.is_empty()
    }

    /// Whether the request is written.
    pub(crate) fn is_sent(&self) -> bool {
        self.upload.is_none() && self.output.is_empty()
    }

    /// Whether the answer is read.
    pub(crate) fn is_answered(&self) -> bool {
        self.content.is_over()
    }

    /// Bytes of the answer's content that are still to come, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.content.left()
    }

    /// Whether a connection without a call has ended, or says what nobody asked for.
    pub(crate) fn has_closed(&mut self) -> bool {
        // Nobody waits for it: whoever uses it next looks again.
        self.poll_closed(&mut Context::from_waker(Waker::noop()))
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> bool {
        self.keeps &= self.is_ready() && self.input.poll_fill(&mut *self.io, cx, 0).is_pending();
        !self.keeps
    }

    /// The next part of the answer's content.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.content.poll_frame(&mut self.input, &mut *self.io, cx)
    }

    /// The connection behind a 101.
    pub(crate) fn into_upgraded(mut self) -> Upgraded {
        let read = self.input.take(usize::MAX);
        Upgraded::new(read, self.io)
    }
}

impl<B> Http1<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// Sends a request; resolves at its answer's head. What is left of the request's content is sent by whoever polls on.
    pub(crate) async fn send(
        &mut self,
        request: Box<Request<B>>,
        ask: Ask<'_>,
        timer: &Timer,
        clock: Clock,
    ) -> Result<AnswerHead, NotAnswered<B>> {
        let to_head = *request.method() == Method::HEAD;
        let (mut request, mut looked) = (Some(request), 0);
        poll_fn(|cx| {
            let Some(request) = request.take() else {
                // What woke us may be the answer, which is read below.
                let woken = clock.now();
                if !self.is_sent()
                    && let Poll::Ready(Err(error)) = self.poll_upload(cx)
                {
                    return Poll::Ready(Err(NotAnswered::Failed(error)));
                }
                let answer = ready!(self.poll_answer(cx, to_head, &mut looked, ask));
                timer.is_answered(woken);
                return Poll::Ready(answer.map_err(NotAnswered::Failed));
            };
            // From here on this task is woken by what comes.
            if self.poll_closed(cx) {
                return Poll::Ready(Err(NotAnswered::Unsent(request)));
            }
            self.begin(*request, ask.spelling);
            let sent = self.poll_upload(cx);
            // What could be written at once is written.
            timer.is_sent(clock.now());
            match sent {
                Poll::Ready(Err(error)) => Poll::Ready(Err(NotAnswered::Failed(error))),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn begin(&mut self, request: Request<B>, spelling: Option<&Spelling>) {
        let (parts, body) = request.into_parts();
        let to = self.output.small();
        to.extend_from_slice(parts.method.as_str().as_bytes());
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        to.extend_from_slice(if target.starts_with(['/', '*']) { b" " } else { b" /" });
        to.extend_from_slice(target.as_bytes());
        to.extend_from_slice(b" HTTP/1.1\r\n");
        // RFC 9112, 6.1 and 6.2: one way to tell where the body ends, chunks before a length.
        let (sends, headers) = (!body.is_end_stream(), &parts.headers);
        let (exact, length) = match sends {
            true => (body.size_hint().exact(), headers.get(CONTENT_LENGTH).and_then(|value| digits(value.as_bytes()))),
            false => (Some(0), None),
        };
        let chunked = sends && (headers.contains_key(TRANSFER_ENCODING) || (length.is_none() && exact.is_none()));
        let mut closes = false;
        put_fields(to, headers, spelling, |name, value| match *name {
            TRANSFER_ENCODING => false,
            CONTENT_LENGTH => !sends || (!chunked && length.is_some()),
            CONNECTION => {
                closes |= lists(value.as_bytes(), b"close");
                true
            }
            _ => true,
        });
        let encoder = match (sends, chunked) {
            (false, _) => Encoder::Sized(0),
            (true, true) => {
                put_field(to, &TRANSFER_ENCODING, b"chunked", spelling);
                Encoder::Chunked
            }
            (true, false) => {
                let bytes = length.or(exact).unwrap_or_default();
                if length.is_none() {
                    put_field(to, &CONTENT_LENGTH, bytes.to_string().as_bytes(), spelling);
                }
                Encoder::Sized(bytes)
            }
        };
        to.extend_from_slice(b"\r\n");
        self.keeps = !closes;
        self.upload = sends.then_some(Upload { body, encoder });
    }

    /// Writes the request on, as far as it goes. A provider that does not take it may have answered all the same: only
    /// content that breaks off is an error.
    pub(crate) fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            let waits = self.fill(cx)?;
            if !self.output.is_empty()
                && let Err(error) = ready!(self.output.poll_flush(&mut *self.io, cx))
            {
                tracing::debug!(%error, "a provider does not take a request");
                self.keeps = false;
                self.upload = None;
                self.output = Output::default();
            }
            match self.upload {
                None => return Poll::Ready(Ok(())),
                Some(_) if waits => return Poll::Pending,
                Some(_) => {}
            }
        }
    }

    /// Takes of the content what there is and has room; whether it waits for more.
    fn fill(&mut self, cx: &mut Context<'_>) -> Result<bool, Error> {
        while let Some(Upload { body, encoder }) = &mut self.upload {
            if self.output.is_full() {
                return Ok(false);
            }
            let frame = match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Pending => return Ok(true),
                Poll::Ready(frame) => frame,
            };
            let ended = match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    encoder.put(&mut self.output, data);
                    if !body.is_end_stream() {
                        continue;
                    }
                    encoder.end(&mut self.output, None)
                }
                Some(Ok(Err(frame))) => encoder.end(&mut self.output, frame.trailers_ref()),
                None => encoder.end(&mut self.output, None),
                Some(Err(error)) => Err(Error::Content(error.into())),
            };
            self.upload = None;
            self.keeps &= ended.is_ok();
            ended?;
        }
        Ok(false)
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        to_head: bool,
        looked: &mut usize,
        ask: Ask<'_>,
    ) -> Poll<Result<AnswerHead, Error>> {
        loop {
            match read_answer(&mut self.input, to_head, looked, ask.verbatim)? {
                Some(head) if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS => {
                    (ask.interim)(head.status, &head.headers);
                }
                Some(head) => {
                    self.content = Content::new(head.length);
                    self.keeps &= head.keeps && head.status != StatusCode::SWITCHING_PROTOCOLS;
                    return Poll::Ready(Ok(head));
                }
                None => {
                    if ready!(self.input.poll_fill(&mut *self.io, cx, 0))? == 0 {
                        // What is no head is told from one that was cut.
                        *looked = 0;
                        read_answer(&mut self.input, to_head, looked, false)?;
                        return Poll::Ready(Err(Error::Cut));
                    }
                }
            }
        }
    }

    /// Sends the rest of the request, and meanwhile reads the answer for `frames`, if anybody waits for it. Whether the
    /// connection may serve again.
    pub(crate) async fn finish(&mut self, mut frames: Option<Frames>) -> bool {
        poll_fn(|cx| {
            let mut broken = match self.poll_upload(cx) {
                Poll::Ready(Err(error)) => Some(error),
                Poll::Ready(Ok(())) | Poll::Pending => None,
            };
            while let Some(to) = &mut frames {
                if self.content.is_over() && broken.is_none() {
                    frames = None;
                    break;
                }
                match to.poll_reserve(cx) {
                    Poll::Ready(Ok(())) => {}
                    // Its user is gone.
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending => break,
                }
                let frame = match broken.take() {
                    Some(error) => Poll::Ready(Some(Err(error))),
                    None => self.poll_frame(cx),
                };
                let Poll::Ready(frame) = frame else { break };
                let Some(frame) = frame else { continue };
                let failed = frame.is_err();
                if to.send_item(frame.map_err(CallError::Http1)).is_err() || failed {
                    return Poll::Ready(false);
                }
            }
            if broken.is_some() {
                return Poll::Ready(false);
            }
            match self.is_sent() && self.content.is_over() {
                true => Poll::Ready(self.is_ready()),
                false => Poll::Pending,
            }
        })
        .await
    }
}
