//! One call to the shadow: bounded in time and bytes, ended at once by the kill-switch.

use crate::adapt;
use crate::exchange::{
    BodyCopy, Clock, DropReason, Exchange, Failure, FailureKind, Instant, Outcome, ResponseCopy, Role, Timings,
    append_trailers,
};
use crate::mirror::{BytesHeld, Settings};
use crate::upstream::{Origin, OriginSettings, Target, Timer, failure_of};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// An answer over the copy cap is still read, up to this multiple of the cap, so that its latency is real and its
/// connection can be used again.
const DRAIN_FACTOR: u64 = 8;

const IDLE_TIMEOUT_MS: u64 = 15_000;

/// The client of one integration's shadow.
#[derive(Clone, Debug)]
pub struct Shadow {
    origin: Origin<Full<Bytes>>,
    settings: Arc<Settings>,
    rule: Arc<adapt::SuccessRule>,
    clock: Clock,
}

/// What is known of a call so far; it survives the call's being cut.
#[derive(Default)]
struct Progress {
    head: Option<(u16, HeaderMap)>,
    ttfb_us: Option<u64>,
    copy: BytesMut,
    seen_bytes: u64,
    over_cap: bool,
}

impl Shadow {
    /// A client with its own connections.
    pub fn new(target: Arc<Target>, settings: &Arc<Settings>, rule: adapt::SuccessRule, clock: Clock) -> Self {
        let leg = OriginSettings {
            idle_connections_max: settings.in_flight_max,
            idle_timeout_ms: IDLE_TIMEOUT_MS,
            retry_unsent: false,
        };
        let origin = Origin::new(target, leg, clock);
        Self { origin, settings: Arc::clone(settings), rule: Arc::new(rule), clock }
    }

    /// Makes the call; `cut` are the tokens that end it at once as aborted.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        queue_wait_us: u64,
        held: &mut BytesHeld,
        cut: [&CancellationToken; 2],
    ) -> Exchange {
        let started = self.clock.now();
        let started_unix_us = self.clock.unix_us();
        let timer = Timer::default();
        let mut progress = Progress::default();
        let total = Duration::from_millis(self.settings.total_timeout_ms);
        let work = self.exchange(request, &timer, started, held, &mut progress);
        let end = tokio::select! {
            biased;
            () = cut[0].cancelled() => Err(FailureKind::Aborted),
            () = cut[1].cancelled() => Err(FailureKind::Aborted),
            end = timeout(total, work) => end.unwrap_or(Err(FailureKind::TotalTimeout)),
        };
        let ttfb_us = progress.ttfb_us;
        let response = progress.into_response(end.is_ok());
        let outcome = match (&end, &response) {
            (Err(kind), _) => kind.outcome(),
            (Ok(()), Some(answer)) => {
                let body = answer.body.drop_reason().is_none().then_some(&answer.body.bytes[..]);
                adapt::outcome(&self.rule, answer.status, &answer.headers, body)
            }
            (Ok(()), None) => Outcome::NetworkError,
        };
        let total_us = self.clock.elapsed_us(started);
        Exchange {
            role: Role::Shadow,
            started_unix_us,
            response,
            failure: end.err().map(|kind| Failure { kind }),
            outcome,
            timings: Timings { queue_wait_us, connect_us: timer.connect_us(), ttfb_us, total_us },
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        timer: &Timer,
        started: Instant,
        held: &mut BytesHeld,
        progress: &mut Progress,
    ) -> Result<(), FailureKind> {
        let silence = Duration::from_millis(self.settings.read_timeout_ms);
        // A connect has its own limit; it must not be taken for a silent provider.
        let first = silence + Duration::from_millis(self.settings.connect_timeout_ms);
        let answer = timeout(first, self.origin.request(request.map(Full::new), timer))
            .await
            .map_err(|_| FailureKind::ReadTimeout)?
            .map_err(|error| failure_of(&error))?;
        progress.ttfb_us = Some(self.clock.elapsed_us(started));
        let (parts, mut body) = answer.into_parts();
        progress.head = Some((parts.status.as_u16(), parts.headers));
        loop {
            let frame = timeout(silence, body.frame()).await.map_err(|_| FailureKind::ReadTimeout)?;
            let Some(frame) = frame else { return Ok(()) };
            let frame = frame.map_err(|error| failure_of(&error))?;
            if let Some(data) = frame.data_ref() {
                progress.keep(data, self.settings.answer_bytes_max, held);
            }
            if let (Some(trailers), Some((_, headers))) = (frame.trailers_ref(), &mut progress.head) {
                append_trailers(headers, trailers);
            }
            let drained = (self.settings.answer_bytes_max as u64).saturating_mul(DRAIN_FACTOR);
            if progress.over_cap && progress.seen_bytes > drained {
                return Ok(());
            }
        }
    }
}

impl Progress {
    fn keep(&mut self, data: &Bytes, cap: usize, held: &mut BytesHeld) {
        self.seen_bytes += data.len() as u64;
        if self.over_cap {
            return;
        }
        if self.copy.len() + data.len() > cap || !held.grow(data.len()) {
            self.over_cap = true;
            held.shrink(self.copy.len());
            self.copy = BytesMut::new();
        } else {
            self.copy.extend_from_slice(data);
        }
    }

    fn into_response(self, complete: bool) -> Option<ResponseCopy> {
        let (status, headers) = self.head?;
        let body = if self.over_cap {
            BodyCopy::dropped(DropReason::OverCap, self.seen_bytes)
        } else if complete {
            BodyCopy::complete(self.copy.freeze())
        } else {
            BodyCopy::dropped(DropReason::Cut, self.seen_bytes)
        };
        Some(ResponseCopy { status, headers, body })
    }
}
