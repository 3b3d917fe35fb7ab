//! The connections that wait for the next request: a stack for HTTP/1.1, the newest on top, and one shared for HTTP/2.

use crate::exchange::Instant;
use hyper::client::conn::{http1, http2};
use std::collections::VecDeque;
use std::time::Duration;

/// The open connections of one origin that take requests.
pub(crate) struct Idle<B> {
    timeout: Duration,
    /// At most, on the stack.
    connections_max: usize,
    stack: VecDeque<(http1::SendRequest<B>, Instant)>,
    shared: Option<(http2::SendRequest<B>, Instant)>,
    /// Whether a task looks after what has waited too long.
    pub(crate) swept: bool,
}

impl<B> Idle<B> {
    pub(crate) fn new(timeout: Duration, connections_max: usize) -> Self {
        Self { timeout, connections_max, stack: VecDeque::new(), shared: None, swept: false }
    }

    /// The one used last, which is the most likely to be open still.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<http1::SendRequest<B>> {
        while let Some((sender, since)) = self.stack.pop_back() {
            if now.saturating_duration_since(since) >= self.timeout {
                // What lies below has waited longer.
                self.stack.clear();
                return None;
            }
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    /// Keeps a connection; one too many is closed.
    pub(crate) fn push(&mut self, sender: http1::SendRequest<B>, now: Instant) {
        if self.stack.len() < self.connections_max {
            self.stack.push_back((sender, now));
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

    /// Lets go what has waited too long or is closed. How long until the next look; `None`: nothing waits.
    pub(crate) fn sweep(&mut self, now: Instant) -> Option<Duration> {
        let timeout = self.timeout;
        let left = |since: &Instant| timeout.saturating_sub(now.saturating_duration_since(*since));
        self.stack.retain(|(sender, since)| !sender.is_closed() && !left(since).is_zero());
        self.shared.take_if(|(sender, used)| sender.is_closed() || left(used).is_zero());
        let times = self.stack.iter().map(|(_, since)| since).chain(self.shared.as_ref().map(|(_, used)| used));
        times.map(left).min()
    }
}
