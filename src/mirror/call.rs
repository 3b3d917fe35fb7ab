//! One call to the shadow: bounded in time and bytes, ended at once by the kill-switch.

use crate::adapt;
use crate::exchange::{
    BodyCopy, Clock, DropReason, Exchange, Failure, FailureKind, Instant, Outcome, ResponseCopy, Role, Timings,
    append_trailers,
};
use crate::mirror::{BytesHeld, Settings};
use crate::upstream::{AnswerBody, Ask, Origin, OriginSettings, Target, Timer, failure_of};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// An answer over the copy cap is still read, up to this multiple of the cap, so that its latency is real and its
/// connection can be used again.
const DRAIN_FACTOR: u64 = 8;

const IDLE_TIMEOUT_MS: u64 = 15_000;

/// Less than this a timer is always late.
const LATE: Duration = Duration::from_millis(10);

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
        let timer = Timer::new(started);
        let mut progress = Progress::default();
        let total = Duration::from_millis(self.settings.total_timeout_ms);
        let work = self.exchange(request, &timer, started, held, &mut progress);
        let end = tokio::select! {
            biased;
            () = cut[0].cancelled() => Err(FailureKind::Aborted),
            () = cut[1].cancelled() => Err(FailureKind::Aborted),
            end = within(self.clock, total, work) => end.unwrap_or(Err(FailureKind::TotalTimeout)),
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
        let answer = self.head(request, timer).await?;
        progress.ttfb_us = Some(self.clock.elapsed_us(started));
        let (parts, mut body) = answer.into_parts();
        progress.head = Some((parts.status.as_u16(), parts.headers));
        loop {
            let frame = within(self.clock, silence, body.frame()).await.ok_or(FailureKind::ReadTimeout)?;
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

    /// The answer's head. A connect has its own limit and must not be taken for a silent provider: the silence begins with
    /// the connection.
    async fn head(
        &self,
        request: Request<Bytes>,
        timer: &Timer,
    ) -> Result<Response<AnswerBody<Full<Bytes>>>, FailureKind> {
        let silence = Duration::from_millis(self.settings.read_timeout_ms);
        let mut call = pin!(self.origin.request(Box::new(request.map(Full::new)), Ask::default(), timer));
        let mut wait = silence;
        loop {
            if let Some(head) = within(self.clock, wait, &mut call).await {
                return head.map_err(|error| failure_of(&error));
            }
            // While it connects, the limit on that ends the call.
            let silent_us = timer.connected().map_or(0, |since| self.clock.elapsed_us(since));
            wait = silence.saturating_sub(Duration::from_micros(silent_us));
            if wait.is_zero() {
                return Err(FailureKind::ReadTimeout);
            }
        }
    }
}

/// Waits so long for some work, and once as much longer as this thread was late to see that the time is over, up to twice as
/// long in all: while it did not run, because the user's path needed its core, an answer may have come that nobody read. That
/// is no timeout of the provider's.
async fn within<T>(clock: Clock, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let (started, mut work) = (clock.now(), pin!(work));
    if let Ok(done) = timeout(limit, &mut work).await {
        return Some(done);
    }
    let late = Duration::from_micros(clock.elapsed_us(started)).saturating_sub(limit);
    if late < LATE {
        return None;
    }
    timeout(late.min(limit), work).await.ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{HttpVersion, TargetSettings, Tls};
    use std::io::Write;
    use tokio::io::AsyncReadExt;

    /// Keeps the thread, as a busy core does.
    fn busy_for(time: Duration) {
        let started = Clock.now();
        while Clock.elapsed_us(started) < time.as_micros() as u64 {
            std::hint::spin_loop();
        }
    }

    /// What becomes of a call to a provider that takes the connection and says nothing.
    async fn to_one_that_is_silent(scheme: &str, connect_timeout_ms: u64) -> FailureKind {
        let provider = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}/", provider.local_addr().unwrap());
        let reach = TargetSettings { socket: None, http: HttpVersion::Auto, tls: Tls::default(), connect_timeout_ms };
        let target = Arc::new(Target::new(&url.parse().unwrap(), reach).unwrap());
        let settings = Arc::new(Settings { read_timeout_ms: 50, ..Settings::default() });
        let shadow = Shadow::new(target, &settings, adapt::SuccessRule::default(), Clock);
        let started = Clock.now();
        let timer = Timer::new(started);
        let request = Request::get(&url).body(Bytes::new()).unwrap();
        let (head, provider) = tokio::join!(shadow.head(request, &timer), provider.accept());
        drop(provider);
        assert!(Clock.elapsed_us(started) < 10_000_000, "neither limit is so long");
        head.expect_err("nobody answers")
    }

    #[tokio::test]
    async fn silence_counts_from_the_connection_however_long_that_may_take() {
        assert_eq!(to_one_that_is_silent("http", 60_000).await, FailureKind::ReadTimeout);
        // No handshake: there is no connection whose silence could be told.
        assert_eq!(to_one_that_is_silent("https", 400).await, FailureKind::ConnectTimeout);
    }

    #[tokio::test]
    async fn an_answer_that_came_while_this_thread_did_not_run_is_no_timeout() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut provider = listener.accept().unwrap().0;
        let mut tasks = tokio::task::JoinSet::new();
        // Read by a task of its own, as a connection's answers are.
        let (tell, told) = tokio::sync::oneshot::channel();
        tasks.spawn(async move {
            tell.send(stream.read_u8().await).unwrap();
        });
        let limit = Duration::from_millis(50);
        let others = async {
            // Both wait by now.
            tokio::task::yield_now().await;
            provider.write_all(b"!").unwrap();
            busy_for(limit + LATE * 3);
        };
        let (read, ()) = tokio::join!(within(Clock, limit, told), others);
        assert_eq!(read.expect("it was there in time").unwrap().unwrap(), b'!');
        tasks.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_never_comes_is_waited_for_twice_as_long_at_most() {
        let limit = Duration::from_millis(20);
        let others = async {
            busy_for(limit * 40);
            Clock.now()
        };
        let (end, seen) = tokio::join!(within(Clock, limit, std::future::pending::<()>()), others);
        assert_eq!(end, None);
        assert!(Clock.elapsed_us(seen) < 400_000, "by how late it was would be 780 ms");
    }
}
