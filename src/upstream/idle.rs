//! The connections that wait for the next request: a stack for HTTP/1.1, the newest on top, and one shared for HTTP/2.

use crate::exchange::Instant;
use crate::upstream::http1::Http1;
use hyper::client::conn::http2;
use std::collections::VecDeque;
use std::time::Duration;

/// The open connections of one origin that take requests.
pub(crate) struct Idle<B: Send + 'static> {
    timeout: Duration,
    /// At most, on the stack.
    connections_max: usize,
    stack: VecDeque<(Box<Http1<B>>, Instant)>,
    shared: Option<(http2::SendRequest<B>, Instant)>,
    /// Whether a task looks after what has waited too long.
    pub(crate) swept: bool,
}

impl<B: Send + 'static> Idle<B> {
    pub(crate) fn new(timeout: Duration, connections_max: usize) -> Self {
        Self { timeout, connections_max, stack: VecDeque::new(), shared: None, swept: false }
    }

    /// The one used last, which is the most likely to be open still, unless it has waited too long.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Box<Http1<B>>> {
        // What lies below has waited longer; all of it is for the sweep to end.
        let fresh = |(_, since): &mut (_, Instant)| now.saturating_duration_since(*since) < self.timeout;
        self.stack.pop_back_if(fresh).map(|(line, _)| line)
    }

    /// Whether none waits on the stack.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// Keeps a connection, unless it is one too many.
    pub(crate) fn push(&mut self, line: Box<Http1<B>>, now: Instant) {
        if self.stack.len() < self.connections_max {
            self.stack.push_back((line, now));
        }
    }

    /// The HTTP/2 connection, for one more stream.
    pub(crate) fn share(&mut self, now: Instant) -> Option<http2::SendRequest<B>> {
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
    pub(crate) fn set_shared(&mut self, sender: http2::SendRequest<B>, now: Instant) {
        self.shared = Some((sender, now));
    }

    /// Lets go what is closed or has waited too long. How long until the next look; `None`: nothing waits.
    pub(crate) fn sweep(&mut self, now: Instant) -> Option<Duration> {
        let timeout = self.timeout;
        let left = |since: &Instant| timeout.saturating_sub(now.saturating_duration_since(*since));
        self.stack.retain_mut(|(line, since)| !left(since).is_zero() && !line.has_closed());
        self.shared.take_if(|(sender, used)| sender.is_closed() || left(used).is_zero());
        let times = self.stack.iter().map(|(_, since)| since).chain(self.shared.as_ref().map(|(_, used)| used));
        times.map(left).min()
    }
}
