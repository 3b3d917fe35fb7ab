//! From the queue to the shadow: one task per integration, as many calls at once as allowed, each joined.

use crate::adapt::{retry_after_s, shadow_request};
use crate::exchange::{BodyCopy, Capture, Clock, Exchange, NotMirrored, Outcome, Role, Timings};
use crate::latency::Shard;
use crate::mirror::door::Job;
use crate::mirror::{Line, PrimaryDone, Shadow, Taken};
use http::{HeaderMap, HeaderName};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

const SHARD_PUSH_MS: u64 = 1_000;
/// How long calls gather after the first one: the user's call, which is answered meanwhile, does not share the processor
/// with its copy, and the next ones wake nobody. The timer counts in milliseconds, so it is one to two.
const GATHER: Duration = Duration::from_millis(1);
/// A queue of fewer places is emptied at once: it could be full before the others are looked at.
const GATHER_PLACES_MIN: usize = 256;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Where finished work goes.
#[derive(Clone, Debug)]
pub struct Outlets {
    /// Captures, to the recorder. Bounded: a full one holds the dispatch back, and the door sheds.
    pub recordings: mpsc::Sender<Taken>,
    /// The shadow's latencies, once a second.
    pub shards: mpsc::Sender<Shard>,
    /// Calls of methods that are not safe, before they are sent; without it nobody keeps them.
    pub announced: Option<mpsc::Sender<Announced>>,
}

/// A call that is about to be sent and that the provider may process: its capture so far, and whom to tell whether it is
/// kept.
pub type Announced = (Capture, Box<dyn FnOnce(bool) + Send>);

/// Dispatches until every door is dropped and its queue is drained. `closing` is the deadline: cancelled, it ends the
/// calls in flight and those queued as aborted.
pub async fn run(lines: Vec<Line>, outlets: Outlets, closing: CancellationToken) {
    let shard = Arc::new(Mutex::new(Shard::new()));
    let mut dispatchers = JoinSet::new();
    for line in lines {
        let shadow = Shadow::new(line.target, &line.settings, line.adapt.success.clone(), line.clock);
        let work = Work {
            shadow,
            clock: line.clock,
            recordings: outlets.recordings.clone(),
            announced: outlets.announced.clone(),
            shard: Arc::clone(&shard),
            closing: closing.clone(),
            calls: Arc::new(Semaphore::new(line.settings.in_flight_max.max(1))),
            line: LineParts {
                integration: line.integration,
                settings: line.settings,
                adapt: line.adapt,
                switch: line.switch,
                book: line.book,
            },
        };
        dispatchers.spawn(dispatch(line.queue, Arc::new(work)));
    }
    let mut tick = interval(Duration::from_millis(SHARD_PUSH_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = dispatchers.join_next() => if ended.is_none() { break },
            _ = tick.tick() => push(&shard, &outlets.shards),
        }
    }
    let last = shard.lock().unwrap_or_else(PoisonError::into_inner).take();
    if !last.is_empty() {
        let sent = timeout(Duration::from_millis(SHARD_PUSH_MS), outlets.shards.send(last)).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::warn!("the last second of shadow latencies was not taken by the recorder");
        }
    }
}

/// Hands a shard over if there is room; otherwise it goes on filling.
pub(crate) fn push(shard: &Mutex<Shard>, shards: &mpsc::Sender<Shard>) {
    let Ok(room) = shards.try_reserve() else { return };
    let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
    if !shard.is_empty() {
        room.send(shard.take());
    }
}

struct LineParts {
    integration: crate::exchange::Integration,
    settings: Arc<crate::mirror::Settings>,
    adapt: crate::adapt::Settings,
    switch: Arc<crate::control::Switch>,
    book: Arc<crate::telemetry::Book>,
}

struct Work {
    line: LineParts,
    shadow: Shadow,
    clock: Clock,
    recordings: mpsc::Sender<Taken>,
    announced: Option<mpsc::Sender<Announced>>,
    shard: Arc<Mutex<Shard>>,
    closing: CancellationToken,
    calls: Arc<Semaphore>,
}

async fn dispatch(mut queue: mpsc::Receiver<Job>, work: Arc<Work>) {
    let settings = &work.line.settings;
    // Tasks whose call has ended wait for the primary or the recorder; they are bounded too.
    let tasks_max = settings.in_flight_max.saturating_add(settings.queue_calls_max).max(1);
    let mut tasks = JoinSet::new();
    loop {
        // Taken before the job, so that what cannot be called yet stays in the queue, where the door sees it.
        let Ok(permit) = Arc::clone(&work.calls).acquire_owned().await else { break };
        while tasks.len() >= tasks_max {
            tasks.join_next().await;
        }
        while tasks.try_join_next().is_some() {}
        let Some(job) = next(&mut queue).await else { break };
        let work = Arc::clone(&work);
        tasks.spawn(async move {
            if let Some(ended) = work.shadow_call(job).await {
                drop(permit);
                work.finish(ended).await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// The next call; where none waits, those that come just after it gather first.
async fn next(queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
    if let Ok(job) = queue.try_recv() {
        return Some(job);
    }
    let first = queue.recv().await?;
    if queue.max_capacity() >= GATHER_PLACES_MIN {
        sleep(GATHER).await;
    }
    Some(first)
}

/// How much longer the shadow took for the same request, microseconds, where both succeeded.
fn primary_to_shadow_us(primary: Option<&Exchange>, shadow: &Exchange) -> Option<i64> {
    let primary = primary.filter(|primary| primary.outcome == Outcome::Ok && shadow.outcome == Outcome::Ok)?;
    let us = |exchange: &Exchange| i64::try_from(exchange.timings.total_us).ok();
    Some(us(shadow)? - us(primary)?)
}

struct Ended {
    job: Job,
    shadow: Exchange,
}

impl Work {
    async fn shadow_call(&self, mut job: Job) -> Option<Ended> {
        let LineParts { adapt, switch, book, integration, .. } = &self.line;
        let request = match shadow_request(adapt, &job.request, job.id) {
            Ok(request) => request,
            Err(error) => {
                tracing::debug!(%integration, %error, "not mirrored");
                switch.give_back();
                book.not_mirrored(NotMirrored::AdaptFailed);
                return None;
            }
        };
        if !request.method().is_safe() && !self.announce(&job, request.headers()).await {
            tracing::debug!(%integration, "not mirrored: the store could not note that it would be sent");
            switch.give_back();
            book.not_mirrored(NotMirrored::NotAnnounced);
            return None;
        }
        let queue_wait_us = self.clock.elapsed_us(job.complete);
        let period = job.period.clone();
        let shadow = self.shadow.call(request, queue_wait_us, &mut job.held, [&period, &self.closing]).await;
        let headers = shadow.response.as_ref().map(|answer| &answer.headers);
        let wait_s = headers.and_then(|headers| retry_after_s(headers, self.clock.unix_us()));
        switch.observe(shadow.outcome, wait_s, shadow.timings.total_us);
        book.mirrored(shadow.outcome);
        let mut shard = self.shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.record_exchange(integration, &job.endpoint, Role::Shadow, shadow.outcome, &shadow.timings);
        drop(shard);
        Some(Ended { job, shadow })
    }

    /// Has it kept that this call is about to be sent, so that after a crash it is known that the provider may have
    /// processed it. False: it is not to be sent.
    async fn announce(&self, job: &Job, sent: &HeaderMap) -> bool {
        let Some(announced) = &self.announced else { return true };
        let mut request = job.request.clone();
        request.headers = sent.get(IDEMPOTENCY_KEY).map(|key| (IDEMPOTENCY_KEY, key.clone())).into_iter().collect();
        request.body = BodyCopy::empty();
        let capture = Capture {
            id: job.id,
            integration: Arc::clone(&self.line.integration),
            endpoint: Arc::clone(&job.endpoint),
            received_unix_us: job.received_unix_us,
            request,
            primary: None,
            shadow: Exchange {
                role: Role::Shadow,
                started_unix_us: self.clock.unix_us(),
                response: None,
                failure: None,
                outcome: Outcome::Unknown,
                timings: Timings::default(),
            },
        };
        let (tell, told) = oneshot::channel();
        // Nobody listens any more if the call was cut meanwhile.
        let tell = Box::new(move |kept| tell.send(kept).unwrap_or_default());
        announced.send((capture, tell)).await.is_ok() && told.await.unwrap_or(false)
    }

    async fn finish(&self, ended: Ended) {
        let Ended { mut job, shadow } = ended;
        let primary = match job.primary.take() {
            Some(side) => self.primary(side, &job).await,
            None => None,
        };
        let exchange = primary.map(|PrimaryDone { exchange, held }| {
            job.held.join(held);
            exchange
        });
        if let Some(longer_us) = primary_to_shadow_us(exchange.as_ref(), &shadow) {
            let mut shard = self.shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.record_difference(&self.line.integration, &job.endpoint, longer_us);
        }
        let capture = Capture {
            id: job.id,
            integration: Arc::clone(&self.line.integration),
            endpoint: job.endpoint,
            received_unix_us: job.received_unix_us,
            request: job.request,
            primary: exchange,
            shadow,
        };
        if self.recordings.send(Taken { capture, held: job.held }).await.is_err() {
            self.line.book.not_recorded("recorder_closed", 1);
        }
    }

    /// The primary's exchange, if it ends while this call's total limit lasts once more.
    async fn primary(&self, side: tokio::sync::oneshot::Receiver<PrimaryDone>, job: &Job) -> Option<PrimaryDone> {
        let limit = Duration::from_millis(self.line.settings.total_timeout_ms);
        let came = tokio::select! {
            came = timeout(limit, side) => came.ok().and_then(Result::ok),
            () = self.closing.cancelled() => None,
        };
        if came.is_none() {
            tracing::debug!(capture = %job.id, "the primary's exchange did not end in time to join its capture");
        }
        came
    }
}
