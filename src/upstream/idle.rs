//! The connections that wait for the next request: a stack for HTTP/1.1, the newest on top, and one shared for HTTP/2.

use crate::exchange::Instant;
use crate::upstream::body::Sending;
use crate::upstream::http1::Http1;
use bytes::Bytes;
use hyper::body::Body;
use hyper::client::conn::http2;
use std::collections::VecDeque;
use std::error::Error as StdError;
use std::time::Duration;

/// The open connections of one origin that take requests.
pub(crate) struct Idle<B: Send + 'static> {
    timeout: Duration,
    /// At most, on the stack.
    connections_max: usize,
    stack: VecDeque<(Http1<B>, Instant)>,
    shared: Option<(http2::SendRequest<Sending<B>>, Instant)>,
    /// Whether a task looks after what has waited too long.
    pub(crate) swept: bool,
}

impl<B: Send + 'static> Idle<B> {
    pub(crate) fn new(timeout: Duration, connections_max: usize) -> Self {
        Self { timeout, connections_max, stack: VecDeque::new(), shared: None, swept: false }
    }

    /// The one used last, which is the most likely to be open still, unless it has waited too long.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Http1<B>> {
        while let Some((line, since)) = self.stack.pop_back() {
            if now.saturating_duration_since(since) >= self.timeout {
                // What lies below has waited longer; all of it is for the sweep to end.
                self.stack.push_back((line, since));
                return None;
            }
            if line.is_ready() {
                return Some(line);
            }
        }
        None
    }

    /// Keeps a connection; gives it back if it is one too many.
    pub(crate) fn push(&mut self, line: Http1<B>, now: Instant) -> Option<Http1<B>> {
        if self.stack.len() >= self.connections_max {
            return Some(line);
        }
        self.stack.push_back((line, now));
        None
    }

    /// The HTTP/2 connection, for one more stream.
    pub(crate) fn share(&mut self, now: Instant) -> Option<http2::SendRequest<Sending<B>>> {
        match &mut self.shared {
            Some((sender, used)) if !sender.is_closed() => {
                *used = now;
                Some(sender.clone())
            }
            _ => {
                self.shared = None;
                None
            }
        }
    }

    /// Takes the place of the one before, which ends with its last stream.
    pub(crate) fn set_shared(&mut self, sender: http2::SendRequest<Sending<B>>, now: Instant) {
        self.shared = Some((sender, now));
    }

    /// Lets go what is closed, and hands out what has waited too long. How long until the next look; `None`: nothing waits.
    pub(crate) fn sweep(&mut self, now: Instant) -> (Vec<Http1<B>>, Option<Duration>)
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let timeout = self.timeout;
        let left = |since: &Instant| timeout.saturating_sub(now.saturating_duration_since(*since));
        let waited = self.stack.iter().take_while(|(_, since)| left(since).is_zero()).count();
        let over = self.stack.drain(..waited).map(|(line, _)| line).collect();
        self.stack.retain_mut(|(line, _)| !line.has_closed());
        self.shared.take_if(|(sender, used)| sender.is_closed() || left(used).is_zero());
        let times = self.stack.iter().map(|(_, since)| since).chain(self.shared.as_ref().map(|(_, used)| used));
        (over, times.map(left).min())
    }
}
