//! A client's connection: what was read of it, what waits to be written, and where in a message it is.

use crate::exchange::{Clock, Instant, Refused};
use crate::http1::{Input, Io, Output, Upgraded, trailers};
use crate::proxy::alarm::Alarm;
use crate::proxy::guard::{Framing, Head, Refusal, Step, refusal};
use crate::proxy::{Settings, Speaks};
use bytes::Bytes;
use hyper::body::Frame;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::ReadBuf;

/// What a head has room for at least, bytes.
const HEADER_BYTES_MIN: usize = 8192;

/// One read of what is thrown away.
const THROWN_BYTES: usize = 8192;

/// Parts of a body that nobody wants which are read on, so that the connection can serve again.
const PARTS_MAX: usize = 4;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Shared by the connection's task and the body of the request that runs, mostly in one task and always on one thread.
#[derive(Clone)]
pub(crate) struct Line(Arc<Mutex<State>>);

/// See the file.
pub(crate) struct State {
    io: Box<dyn Io>,
    input: Input,
    pub(crate) output: Output,
    framing: Framing,
    /// The running request's body.
    body: Body,
    /// Who waits for the body's end.
    waiter: Option<Waker>,
    /// A 100 is said when the body is first read.
    continues: bool,
    head_timeout: Duration,
    /// Since when a head is waited for, or from its first byte on.
    since: Option<Since>,
    alarm: Alarm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// There is none, or it was read to its end.
    Over,
    /// Somebody reads it.
    Read,
    /// Nobody reads it any more.
    Abandoned,
    /// It broke off, or is none.
    Broken,
}

#[derive(Clone, Copy, Debug)]
enum Since {
    Idle(Instant),
    FirstByte(Instant),
}

/// What comes next on a connection.
pub(crate) enum Next {
    /// A request, and the bytes of its head.
    Request(Head, Bytes),
    Refused(Refusal),
    /// The client is gone, or says nothing.
    End,
}

impl Line {
    /// `alarm` is that of the task that reads heads.
    pub(crate) fn new(io: Box<dyn Io>, settings: &Settings, alarm: Alarm) -> Self {
        let bytes_max = settings.header_bytes_max.max(HEADER_BYTES_MIN);
        Self(Arc::new(Mutex::new(State {
            io,
            input: Input::default(),
            output: Output::default(),
            framing: Framing::new(bytes_max, settings.header_lines_max),
            body: Body::Over,
            waiter: None,
            continues: false,
            head_timeout: Duration::from_millis(settings.header_read_timeout_ms),
            since: None,
            alarm,
        })))
    }

    /// Held for a moment only.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, from what was read and not used on.
    pub(crate) fn into_upgraded(self) -> Upgraded {
        let mut state = self.state();
        let read = state.input.take(usize::MAX);
        // A body that is still read finds nothing any more.
        let io = std::mem::replace(&mut state.io, Box::new(tokio::io::empty()));
        Upgraded::new(read, io)
    }
}

/// Which HTTP the client begins with, told from its first bytes, which stay to be read.
pub(crate) async fn begins(line: &Line) -> Speaks {
    std::future::poll_fn(|cx| line.state().poll_begins(cx)).await
}

impl State {
    fn poll_begins(&mut self, cx: &mut Context<'_>) -> Poll<Speaks> {
        loop {
            match Framing::begins_http2(self.input.bytes()) {
                Some(true) => return Poll::Ready(Speaks::Http2),
                Some(false) => return Poll::Ready(Speaks::Http1),
                None => {}
            }
            match self.input.poll_fill(&mut *self.io, cx, 0) {
                Poll::Ready(Ok(1..)) => {}
                // The end is told in HTTP/1.
                Poll::Ready(_) => return Poll::Ready(Speaks::Http1),
                Poll::Pending => {
                    ready!(self.poll_late(cx));
                    return Poll::Ready(Speaks::Http1);
                }
            }
        }
    }

    /// The next head.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self.framing.step(self.input.bytes()) {
                Step::Head(head) => {
                    self.since = None;
                    let bytes = self.input.take(head.bytes);
                    self.body = if self.framing.between_messages() { Body::Over } else { Body::Read };
                    self.continues = head.expects && self.body == Body::Read;
                    return Poll::Ready(Next::Request(head, bytes));
                }
                Step::Refuse(refusal) => return Poll::Ready(Next::Refused(refusal)),
                Step::Need => {}
                // Of a body there is nothing left here, and another protocol's bytes are not read here.
                Step::Data(_) | Step::Skip(_) | Step::End(_) | Step::Broken(_) | Step::Opaque => {
                    return Poll::Ready(Next::End);
                }
            }
            match self.input.poll_fill(&mut *self.io, cx, 0) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Next::End),
                Poll::Pending => {
                    ready!(self.poll_late(cx));
                    if self.input.is_empty() {
                        return Poll::Ready(Next::End);
                    }
                    let text = "darklaunch: the request's head did not arrive in time\n";
                    return Poll::Ready(Next::Refused(refusal(Refused::HeadTimeout, text)));
                }
            }
        }
    }

    /// Whether the time is over in which a head has to begin, and from its first byte to end.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = match (self.since, self.input.is_empty()) {
            (Some(Since::FirstByte(since)), _) | (Some(Since::Idle(since)), true) => since,
            (_, empty) => {
                let now = Clock.now();
                self.since = Some(if empty { Since::Idle(now) } else { Since::FirstByte(now) });
                now
            }
        };
        self.alarm.poll(since + self.head_timeout, cx)
    }

    /// The next part of the request's body: data, or the trailers, which are the last. `None`: it is over.
    pub(crate) fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = self.poll_part(cx);
        match &polled {
            Poll::Ready(Some(Err(_))) => self.leave(Body::Broken),
            Poll::Ready(_) if self.framing.between_messages() => self.leave(Body::Over),
            _ => {}
        }
        polled
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.body != Body::Read {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut self.continues) {
            self.output.small().extend_from_slice(CONTINUE);
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Some(Err(error)));
            }
        }
        loop {
            match self.framing.step(self.input.bytes()) {
                Step::Data(bytes) => {
                    let data = Frame::data(self.input.take(bytes));
                    self.skip_end();
                    return Poll::Ready(Some(Ok(data)));
                }
                Step::Skip(bytes) => self.input.skip(bytes),
                Step::End(bytes) => {
                    return Poll::Ready(trailers(&self.input.take(bytes)).map(|fields| Ok(Frame::trailers(fields))));
                }
                Step::Broken(text) => {
                    return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::InvalidData, text))));
                }
                Step::Need => {
                    let expects = self.framing.expects();
                    match ready!(self.input.poll_fill(&mut *self.io, cx, expects)) {
                        Ok(1..) => {}
                        Ok(0) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                Step::Head(_) | Step::Opaque | Step::Refuse(_) => return Poll::Ready(None),
            }
        }
    }

    /// Passes over the end of a chunked body that is there already, so that whoever got the last data knows it.
    fn skip_end(&mut self) {
        if self.framing.between_messages() || !self.input.bytes().starts_with(b"\r\n0\r\n\r\n") {
            return;
        }
        loop {
            match self.framing.step(self.input.bytes()) {
                Step::Skip(bytes) => self.input.skip(bytes),
                Step::End(bytes) => return self.input.skip(bytes),
                _ => return,
            }
        }
    }

    /// Whether the running request's body was read to its end.
    pub(crate) fn is_read(&self) -> bool {
        self.body == Body::Over
    }

    /// Whether the client sent more than was read.
    pub(crate) fn has_more(&self) -> bool {
        !self.input.is_empty()
    }

    fn leave(&mut self, body: Body) {
        self.body = body;
        self.continues = false;
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// Nobody reads the request's body any more.
    pub(crate) fn abandon(&mut self) {
        if self.body == Body::Read {
            self.leave(Body::Abandoned);
        }
    }

    /// The final answer begins: no 100 comes behind it.
    pub(crate) fn begin_answer(&mut self) {
        self.continues = false;
    }

    /// Waits until nobody reads the request's body any more; whether another request may follow: all of it was read, or what
    /// is left of it is here.
    pub(crate) fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        match self.body {
            Body::Over => Poll::Ready(true),
            Body::Broken => Poll::Ready(false),
            Body::Read => {
                self.waiter = Some(cx.waker().clone());
                Poll::Pending
            }
            Body::Abandoned => {
                self.body = Body::Read;
                for _ in 0..PARTS_MAX {
                    let Poll::Ready(Some(Ok(_))) = self.poll_content(cx) else { break };
                }
                Poll::Ready(self.body == Body::Over)
            }
        }
    }

    /// Ready when the client is gone. Its next request is read at most once: what more comes waits in the kernel.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.body == Body::Read || !self.input.is_empty() {
            return Poll::Pending;
        }
        match ready!(self.input.poll_fill(&mut *self.io, cx, 0)) {
            Ok(1..) => Poll::Pending,
            Ok(0) | Err(_) => Poll::Ready(()),
        }
    }

    /// Writes what waits to be written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(&mut *self.io, cx)
    }

    /// Ends our side of the connection.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io).poll_shutdown(cx)
    }

    /// Throws away what the client still sends, once; how much it was. Zero: it is the end.
    pub(crate) fn poll_throw(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let mut room = [MaybeUninit::uninit(); THROWN_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        match ready!(Pin::new(&mut *self.io).poll_read(cx, &mut read)) {
            Ok(()) => Poll::Ready(read.filled().len()),
            Err(_) => Poll::Ready(0),
        }
    }
}
