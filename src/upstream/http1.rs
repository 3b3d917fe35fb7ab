//! One HTTP/1.1 connection, driven by whoever uses it.
//!
//! A call runs in one task: the connection is polled where its answer is awaited, so that neither wakes the other. It gets
//! a task of its own where it must go on without its user: while a body is still sent behind an answer, at an upgrade, and
//! to end in good order.

use crate::exchange::Clock;
use crate::upstream::Timer;
use crate::upstream::body::Sending;
use crate::upstream::connect::Io;
use crate::upstream::joined::Joined;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Header lines of an answer at most; hyper's own limit of 100 is less than what some providers send.
const HEADER_LINES_MAX: usize = 200;

type Driver = Pin<Box<dyn Future<Output = Result<(), hyper::Error>> + Send>>;

/// A connection. Dropped, it is closed.
pub(crate) struct Http1<B: Send + 'static> {
    sender: http1::SendRequest<Sending<B>>,
    /// None: a task drives it, or it has ended.
    driver: Option<Driver>,
}

impl<B: Send + 'static> Http1<B> {
    /// Whether it takes a request.
    pub(crate) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until it takes a request; false: it never will.
    pub(crate) async fn ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }
}

impl<B> Http1<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// Begins to speak over a connection.
    pub(crate) async fn begin(io: Box<dyn Io>) -> Result<Self, hyper::Error> {
        let mut builder = http1::Builder::new();
        builder.preserve_header_case(true).max_headers(HEADER_LINES_MAX).writev(true);
        let (sender, connection) = builder.handshake(TokioIo::new(Joined(io))).await?;
        Ok(Self { sender, driver: Some(Box::pin(connection.with_upgrades())) })
    }

    /// Moves the connection on as far as it goes; whether there was anything to move.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(driver) = &mut self.driver else { return false };
        if let Poll::Ready(ended) = driver.as_mut().poll(cx) {
            told(ended);
            self.driver = None;
        }
        true
    }

    /// Whether the other side has closed it meanwhile.
    pub(crate) fn has_closed(&mut self) -> bool {
        // Nobody waits for it: whoever uses it next looks again.
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.is_closed()
    }

    /// Sends a request; resolves at its answer's head.
    pub(crate) async fn send(
        &mut self,
        request: Request<Sending<B>>,
        timer: &Timer,
        clock: Clock,
    ) -> Result<Response<Incoming>, TrySendError<Request<Sending<B>>>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        let mut sent = false;
        poll_fn(|cx| {
            // What woke us may be the answer, which is read below.
            let woken = sent.then(|| clock.now());
            if let Some(Poll::Ready(ended)) = driver.as_mut().map(|driver| driver.as_mut().poll(cx)) {
                told(ended);
                *driver = None;
            }
            let woken = woken.unwrap_or_else(|| clock.now());
            // The connection writes what it can when it is first polled.
            if !std::mem::replace(&mut sent, true) {
                timer.is_sent(woken);
            }
            let answer = answer.as_mut().poll(cx);
            if answer.is_ready() {
                timer.is_answered(woken);
            }
            answer
        })
        .await
    }

    /// What is left to do for the connection without its user; none if a task does it already.
    pub(crate) fn rest(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        self.driver.take().map(|driver| async move { told(driver.await) })
    }
}

/// The call over the connection tells its caller; without a call it does not matter.
pub(crate) fn told(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to a provider ended");
    }
}
