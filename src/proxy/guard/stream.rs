//! The client's stream as hyper sees it.

use crate::exchange::{Clock, Instant, Refused};
use crate::proxy::Speaks;
use crate::proxy::alarm::Alarm;
use crate::proxy::guard::Wire;
use crate::proxy::guard::fields::{Refusal, refusal};
use crate::proxy::guard::framing::{Framing, Step};
use bytes::{Buf, Bytes, BytesMut};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// One read at most, where the caller's own room is small or bytes are held already.
const READ_BYTES: usize = 8192;

/// Bytes held at most while an upgrade is undecided: what a client sends too early waits in the kernel.
const UNDECIDED_BYTES_MAX: usize = 64 << 10;

/// After a refusal so much is read and thrown away, for so long at most: closing on unread bytes would reset the
/// connection and take the answer with it.
const LINGER_BYTES_MAX: usize = 1 << 20;
const LINGER_MS: u64 = 1_000;

/// What hyper sees instead of a refused head; see [`Wire::begin`].
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused.invalid\r\nconnection: close\r\n\r\n";

/// A stream behind the guard.
pub(crate) struct Guarded<S> {
    inner: S,
    framing: Framing,
    wire: Arc<Wire>,
    /// Bytes that arrived and are not hyper's yet; the first `good` of them may be.
    held: BytesMut,
    good: usize,
    /// Heads that hyper may see.
    heads: u64,
    /// The head behind whose body another protocol may begin.
    undecided: Option<u64>,
    after: After,
    /// Since when a head is incomplete, or the first one awaited.
    head_since: Option<Instant>,
    head_timeout: Duration,
    alarm: Alarm,
    first_head_came: bool,
    interim: Bytes,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

/// What hyper reads when the good bytes are used up.
#[derive(Clone, Copy)]
enum After {
    More,
    Nothing,
    Error(&'static str),
}

impl<S> Guarded<S> {
    /// The limits are of one head: bytes, header lines, and milliseconds from its first byte to its last. `alarm` is that
    /// of the task that reads.
    pub(crate) fn new(
        inner: S,
        wire: Arc<Wire>,
        bytes_max: usize,
        lines_max: usize,
        head_timeout_ms: u64,
        alarm: Alarm,
    ) -> Self {
        wire.set_clear(true);
        Self {
            inner,
            framing: Framing::new(bytes_max, lines_max),
            wire,
            held: BytesMut::new(),
            good: 0,
            heads: 0,
            undecided: None,
            after: After::More,
            head_since: None,
            head_timeout: Duration::from_millis(head_timeout_ms),
            alarm,
            first_head_came: false,
            interim: Bytes::new(),
            linger: None,
        }
    }

    /// How many of the bytes hyper may see; the rest has to be held.
    fn judge(&mut self, bytes: &[u8]) -> usize {
        let mut good = 0;
        while let Some(rest) = bytes.get(good..).filter(|rest| !rest.is_empty()) {
            if self.waits_for_a_decision() {
                break;
            }
            match self.framing.step(rest) {
                Step::Need => break,
                Step::Pass(bytes) => good += bytes,
                Step::Head { bytes, upgrade } => {
                    good += bytes;
                    self.heads += 1;
                    self.first_head_came = true;
                    self.undecided = upgrade.then_some(self.heads);
                }
                Step::Opaque => {
                    self.first_head_came = true;
                    return bytes.len();
                }
                Step::Refuse(refusal) => {
                    self.refuse(refusal);
                    break;
                }
                Step::Broken(text) => {
                    self.after = After::Error(text);
                    break;
                }
            }
        }
        good
    }

    fn waits_for_a_decision(&mut self) -> bool {
        let Some(head) = self.undecided else { return false };
        if self.wire.is_opaque() {
            self.undecided = None;
            self.framing.switch_off();
            return false;
        }
        if self.wire.answers() >= head {
            self.undecided = None;
        }
        self.undecided.is_some() && self.framing.between_messages()
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.wire.refuse(self.heads + 1, refusal);
        self.after = After::Nothing;
    }

    /// Held bytes judged (again): more of them may be good now.
    fn judge_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        self.good += self.judge(held.get(self.good..).unwrap_or_default());
        if !matches!(self.after, After::More) {
            held.truncate(self.good);
            self.stand_in(&mut held);
        }
        self.held = held;
    }

    /// Behind the good bytes: the stand-in of a refused head.
    fn stand_in(&mut self, held: &mut BytesMut) {
        if matches!(self.after, After::Nothing) {
            held.extend_from_slice(STAND_IN);
            self.good = held.len();
        }
    }

    /// Gives hyper good bytes that are held; whether there were any.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let bytes = self.good.min(buf.remaining());
        if bytes == 0 {
            return false;
        }
        buf.put_slice(self.held.get(..bytes).unwrap_or_default());
        self.held.advance(bytes);
        self.good -= bytes;
        if self.held.is_empty() {
            // An idle connection holds no buffer.
            self.held = BytesMut::new();
        }
        true
    }

    /// Whether the head's time is up.
    fn late(&mut self, cx: &mut Context<'_>) -> bool {
        let waits = self.framing.between_messages() && self.undecided.is_none();
        if !waits || (self.first_head_came && self.held.is_empty()) {
            self.head_since = None;
            return false;
        }
        let since = *self.head_since.get_or_insert_with(|| Clock.now());
        self.alarm.poll(since + self.head_timeout, cx).is_ready()
    }
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Reads and judges; `Ready(false)` at the end of the stream.
    fn fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        if self.held.is_empty() && buf.remaining() >= READ_BYTES / 2 {
            // Straight into hyper's room: what is not good is taken back.
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
            let new = buf.filled().get(before..).unwrap_or_default();
            if new.is_empty() {
                return Poll::Ready(Ok(false));
            }
            let good = self.judge(new);
            let mut rest = BytesMut::new();
            if matches!(self.after, After::More) {
                rest.extend_from_slice(new.get(good..).unwrap_or_default());
            }
            self.stand_in(&mut rest);
            self.held = rest;
            buf.set_filled(before + good);
            return Poll::Ready(Ok(true));
        }
        self.hold(cx)
    }

    /// Reads into what is held, and judges it; `Ready(false)` at the end of the stream.
    fn hold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut read))?;
        if read.filled().is_empty() {
            return Poll::Ready(Ok(false));
        }
        self.held.extend_from_slice(read.filled());
        self.judge_held();
        Poll::Ready(Ok(true))
    }

    /// What to do about a head that is still awaited: `Ready(true)`, read again; `Ready(false)`, this is the end.
    fn await_head(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.late(cx) {
            return Poll::Pending;
        }
        if self.held.is_empty() {
            return Poll::Ready(false);
        }
        self.refuse(refusal(Refused::HeadTimeout, "darklaunch: the request's head did not arrive in time\n"));
        self.judge_held();
        Poll::Ready(true)
    }

    /// Which HTTP the client begins with, told from its first bytes, which stay to be read.
    pub(crate) async fn begins(&mut self) -> Speaks {
        poll_fn(|cx| {
            // A refusal, an error and the end are told in HTTP/1.
            while self.good == 0 && matches!(self.after, After::More) {
                let more = match self.hold(cx) {
                    Poll::Ready(more) => more.unwrap_or(false),
                    Poll::Pending => ready!(self.await_head(cx)),
                };
                if !more {
                    break;
                }
            }
            Poll::Ready(if self.framing.is_opaque() { Speaks::Http2 } else { Speaks::Http1 })
        })
        .await
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.undecided.is_some() && this.good == 0 {
            this.judge_held();
        }
        loop {
            if this.give(buf) || buf.filled().len() > before {
                this.head_since = None;
                return Poll::Ready(Ok(()));
            }
            match this.after {
                After::More => {}
                // hyper only looks whether the client is still there; the stand-in is its last request.
                After::Nothing => return Poll::Pending,
                After::Error(text) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text))),
            }
            if this.undecided.is_some() && this.held.len() >= UNDECIDED_BYTES_MAX {
                return Poll::Pending;
            }
            match this.fill(cx, buf) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    if !ready!(this.await_head(cx)) {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// Interim heads, where nothing of an answer is on its way.
    fn write_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interim.is_empty() {
            match self.wire.interim_now() {
                Some(interim) => self.interim = interim,
                None => return Poll::Ready(Ok(())),
            }
        }
        while !self.interim.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.interim))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.interim.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Throws away what the client still sends behind a refused head, within limits.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (timer, thrown) = self.linger.get_or_insert_with(|| (Box::pin(sleep(Duration::from_millis(LINGER_MS))), 0));
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        while *thrown < LINGER_BYTES_MAX {
            let mut read = ReadBuf::uninit(&mut room);
            match Pin::new(&mut self.inner).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => *thrown += read.filled().len(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return timer.as_mut().poll(cx),
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.write_interim(cx))?;
        self.wire.set_clear(false);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_interim(cx))?;
        self.wire.set_clear(false);
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes its stream only when its own buffer is empty.
        self.wire.set_clear(true);
        ready!(self.write_interim(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        }
        if self.wire.has_refused() || matches!(self.after, After::Error(_)) {
            ready!(self.linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
