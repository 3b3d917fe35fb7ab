//! The live stream of the pages (server-sent events): says that something changed, never what; the page then asks again.
//!
//! A stream reads counters in memory once a second and never the store, and ends after a minute: the browser comes back.

use crate::console::Shared;
use bytes::Bytes;
use http_body::{Body, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Streams at once; a page without one works, it only does not renew itself.
pub(crate) const STREAMS_MAX: usize = 24;
/// How often counters are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks of one stream.
const LOOKS_MAX: u32 = 50;

/// One open stream.
pub(crate) struct Events {
    shared: Arc<Shared>,
    ticks: Interval,
    looks: u32,
    last: Option<u64>,
    /// Whether the look before found a change.
    changed: bool,
    _place: OwnedSemaphorePermit,
}

impl Events {
    /// Begins now.
    pub(crate) fn new(shared: Arc<Shared>, place: OwnedSemaphorePermit) -> Self {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { shared, ticks, looks: 0, last: None, changed: false, _place: place }
    }

    /// A number that differs when something shown does.
    fn fingerprint(&self) -> u64 {
        let books = self.shared.ledger.iter().map(|book| {
            let now = book.snapshot();
            now.arrived.wrapping_add(now.recorded.wrapping_mul(31)).wrapping_add(now.pending.wrapping_mul(7))
        });
        let switches = self.shared.switchboard.iter().map(|switch| {
            let state = switch.state();
            state.revision.wrapping_mul(2_654_435_761).wrapping_add(u64::from(state.paused.is_some()))
        });
        books.chain(switches).fold(17, |sum: u64, one| sum.wrapping_mul(1_000_003).wrapping_add(one))
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.looks >= LOOKS_MAX {
            return Poll::Ready(None);
        }
        if self.ticks.poll_tick(context).is_pending() {
            return Poll::Pending;
        }
        self.looks += 1;
        let now = self.fingerprint();
        let text = match self.last.replace(now) {
            None => "retry: 2000\n\n",
            Some(before) => {
                let changed = before != now;
                // Told once more a second later: pages are kept that long, and the last change must not be missed.
                let again = std::mem::replace(&mut self.changed, changed);
                // A comment: the other side is still there.
                if changed || again { "event: change\ndata: {}\n\n" } else { ":\n\n" }
            }
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}
