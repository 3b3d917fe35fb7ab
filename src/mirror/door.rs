//! The one door where work is shed: `consider` at the request's head, `offer` when its body is complete.

use crate::adapt;
use crate::control::{SAMPLE_ALL_PPM, Switch};
use crate::exchange::{CaptureId, Clock, Endpoint, Exchange, Instant, Integration, NotMirrored, RequestCopy};
use crate::mirror::held::Budget;
use crate::mirror::sample::key_hash;
use crate::mirror::{BytesHeld, Settings};
use crate::telemetry::Book;
use crate::upstream::Target;
use http::header::{ACCEPT, CONTENT_LENGTH};
use http::request::Parts;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// What a capture costs beside its bytes: structures, names, header maps.
const OVERHEAD_BYTES: usize = 2048;

/// Where the queue has fewer free places than this, a yes takes its place at once: else, of all who copy meanwhile for
/// the last one, one would get it, and the others would have copied for nothing.
const PLACES_SCARCE: usize = 64;

/// The primary's exchange and the bytes its copy holds.
#[derive(Debug)]
pub struct PrimaryDone {
    /// The exchange.
    pub exchange: Exchange,
    /// Its share of the byte budget.
    pub held: BytesHeld,
}

/// Where the primary's exchange will come from; `None` for a sink.
pub type PrimarySide = Option<oneshot::Receiver<PrimaryDone>>;

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It will be mirrored.
    Taken,
    /// It was shed, and counted.
    Shed(NotMirrored),
}

#[derive(Debug)]
struct Inner {
    settings: Arc<Settings>,
    switch: Arc<Switch>,
    book: Arc<Book>,
    queue: mpsc::Sender<Job>,
    budget: Arc<Budget>,
    closing: AtomicBool,
    clock: Clock,
}

/// The door of one integration; clones are the same door.
#[derive(Clone, Debug)]
pub struct Door(Arc<Inner>);

/// What stands behind a door: give it to [`crate::mirror::run`].
#[derive(Debug)]
pub struct Line {
    pub(crate) integration: Integration,
    pub(crate) settings: Arc<Settings>,
    pub(crate) adapt: adapt::Settings,
    pub(crate) target: Arc<Target>,
    pub(crate) switch: Arc<Switch>,
    pub(crate) book: Arc<Book>,
    pub(crate) queue: mpsc::Receiver<Job>,
    pub(crate) clock: Clock,
}

/// A request taken in, waiting for its shadow call.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: CaptureId,
    pub(crate) endpoint: Endpoint,
    pub(crate) request: RequestCopy,
    pub(crate) received_unix_us: i64,
    pub(crate) complete: Instant,
    pub(crate) primary: PrimarySide,
    pub(crate) held: BytesHeld,
    pub(crate) period: CancellationToken,
}

/// Builds one integration's door and the line behind it. The line ends when every clone of the door is dropped.
pub fn door(
    settings: Settings,
    adapt: adapt::Settings,
    target: Arc<Target>,
    switch: &Arc<Switch>,
    book: &Arc<Book>,
    clock: Clock,
) -> (Door, Line) {
    let settings = Arc::new(settings);
    let (sender, receiver) = mpsc::channel(settings.queue_calls_max.max(1));
    let inner = Inner {
        settings: Arc::clone(&settings),
        switch: Arc::clone(switch),
        book: Arc::clone(book),
        queue: sender,
        budget: Budget::new(settings.bytes_max, &settings.memory_in_all),
        closing: AtomicBool::new(false),
        clock,
    };
    let line = Line {
        integration: Arc::clone(switch.integration()),
        settings,
        adapt,
        target,
        switch: Arc::clone(switch),
        book: Arc::clone(book),
        queue: receiver,
        clock,
    };
    (Door(Arc::new(inner)), line)
}

impl Door {
    /// Decides at the request's head whether it may be mirrored. A refusal is counted here; a yes reserves memory and
    /// ends, through the ticket, in exactly one counted state.
    pub fn consider(&self, parts: &Parts, endpoint: &Endpoint) -> Result<Ticket, NotMirrored> {
        let inner = &self.0;
        let cap_ppm = inner.switch.cap_ppm(parts.method.as_str(), parts.uri.path());
        let considered = self.consider_uncounted(parts, endpoint, cap_ppm);
        let Considered { place, held, admitted } = considered.inspect_err(|reason| inner.book.not_mirrored(*reason))?;
        Ok(Ticket {
            door: self.clone(),
            endpoint: Arc::clone(endpoint),
            received_unix_us: inner.clock.unix_us(),
            period: inner.switch.stopped(),
            body_bytes: 0,
            cap_ppm,
            admitted,
            place,
            held: Some(held),
        })
    }

    /// Refuses everything from now on, as shutting down.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
    }

    /// A share of the integration's byte budget, for the copy of an answer.
    pub fn hold_nothing(&self) -> BytesHeld {
        BytesHeld::none(&self.0.budget)
    }

    /// Bytes of copies held now.
    pub fn bytes_held(&self) -> usize {
        self.0.budget.used()
    }

    /// Calls waiting now.
    pub fn queued(&self) -> usize {
        self.0.queue.max_capacity() - self.0.queue.capacity()
    }

    /// The copy cap of one answer, bytes.
    pub fn answer_bytes_max(&self) -> usize {
        self.0.settings.answer_bytes_max
    }

    fn consider_uncounted(&self, parts: &Parts, endpoint: &Endpoint, cap_ppm: u32) -> Result<Considered, NotMirrored> {
        let Inner { settings, switch, budget, closing, .. } = &*self.0;
        if closing.load(Ordering::Acquire) {
            return Err(NotMirrored::ShuttingDown);
        }
        if !switch.is_on() {
            return Err(NotMirrored::Off);
        }
        match settings.endpoints.iter().find(|rule| *rule.endpoint == **endpoint) {
            Some(rule) if !rule.mirror => return Err(NotMirrored::Endpoint),
            Some(_) => {}
            None if settings.methods.contains(&parts.method) => {}
            None => return Err(NotMirrored::Method),
        }
        if wants_events(parts) {
            return Err(NotMirrored::Streaming);
        }
        let length = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > settings.body_copy_bytes_max as u64) {
            return Err(NotMirrored::BodyTooLarge);
        }
        let place = self.place_if_scarce()?;
        let mut held = BytesHeld::none(budget);
        let head: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if !held.grow(OVERHEAD_BYTES + head) {
            return Err(NotMirrored::Memory);
        }
        // Last, because it takes from the rate and the day's budget. A key in the body is not known yet.
        if settings.sample_key.needs_body() {
            let undecided = Considered { place, held, admitted: false };
            return switch.refuses_all(cap_ppm).map_or(Ok(undecided), Err);
        }
        switch.admit(key_hash(&settings.sample_key, parts), cap_ppm)?;
        Ok(Considered { place, held, admitted: true })
    }

    /// A place in the queue where there are few left; `Ok(None)` where there are enough.
    fn place_if_scarce(&self) -> Result<Option<mpsc::OwnedPermit<Job>>, NotMirrored> {
        let queue = &self.0.queue;
        match queue.capacity() {
            0 if queue.is_closed() => Err(NotMirrored::ShuttingDown),
            0 => Err(NotMirrored::QueueFull),
            1..PLACES_SCARCE => queue.clone().try_reserve_owned().map(Some).map_err(|error| no_place(&error)),
            _ => Ok(None),
        }
    }
}

/// What a yes at the request's head has taken.
struct Considered {
    place: Option<mpsc::OwnedPermit<Job>>,
    held: BytesHeld,
    /// Whether the switch has admitted it already.
    admitted: bool,
}

fn no_place<T>(error: &mpsc::error::TrySendError<T>) -> NotMirrored {
    match error {
        mpsc::error::TrySendError::Full(_) => NotMirrored::QueueFull,
        mpsc::error::TrySendError::Closed(_) => NotMirrored::ShuttingDown,
    }
}

/// Whether the application asks for a stream of events and for nothing else: it has no end to compare.
fn wants_events(parts: &Parts) -> bool {
    let accepted = parts.headers.get(ACCEPT).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let kind = accepted.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

/// The permission to mirror one request. Dropping it without an offer counts as an aborted upload.
#[derive(Debug)]
pub struct Ticket {
    door: Door,
    endpoint: Endpoint,
    received_unix_us: i64,
    period: CancellationToken,
    body_bytes: usize,
    /// The endpoint's share at most, parts per million.
    cap_ppm: u32,
    /// Whether the switch has admitted it; false while its key may be in the body.
    admitted: bool,
    /// Its place in the queue, where places were scarce.
    place: Option<mpsc::OwnedPermit<Job>>,
    /// `None` once the ticket's request is in an end state or in the queue.
    held: Option<BytesHeld>,
}

impl Ticket {
    /// Reserves room for more bytes of the body's copy; on a refusal call [`Ticket::shed`] with the reason.
    pub fn grow(&mut self, bytes: usize) -> Result<(), NotMirrored> {
        let body_bytes = self.body_bytes.saturating_add(bytes);
        if body_bytes > self.door.0.settings.body_copy_bytes_max {
            return Err(NotMirrored::BodyTooLarge);
        }
        if !self.held.as_mut().is_some_and(|held| held.grow(bytes)) {
            return Err(NotMirrored::Memory);
        }
        self.body_bytes = body_bytes;
        Ok(())
    }

    /// The most one body's copy may hold, bytes.
    pub fn body_copy_bytes_max(&self) -> usize {
        self.door.0.settings.body_copy_bytes_max
    }

    /// Ends it without a shadow call, for this reason.
    pub fn shed(mut self, reason: NotMirrored) {
        self.end(reason);
    }

    /// Hands the complete request over. Never waits.
    pub fn offer(mut self, request: RequestCopy, primary: PrimarySide) -> Offer {
        let inner = Arc::clone(&self.door.0);
        if self.period.is_cancelled() {
            return self.end(NotMirrored::Off);
        }
        if !self.admitted {
            if let Err(reason) = inner.switch.admit(self.late_key_hash(&request), self.cap_ppm) {
                return self.end(reason);
            }
            self.admitted = true;
        }
        let place = match self.place.take().map_or_else(|| inner.queue.clone().try_reserve_owned(), Ok) {
            Ok(place) => place,
            Err(error) => return self.end(no_place(&error)),
        };
        let Some(held) = self.held.take() else { return Offer::Shed(NotMirrored::Memory) };
        place.send(Job {
            id: CaptureId::fresh(),
            endpoint: Arc::clone(&self.endpoint),
            request,
            received_unix_us: self.received_unix_us,
            complete: inner.clock.now(),
            primary,
            held,
            period: self.period.clone(),
        });
        Offer::Taken
    }

    /// The body is read for its key only where the key decides. The last place stands in for any other: it is in the
    /// sample only of everything, so that a share lowered this instant refuses it.
    fn late_key_hash(&self, request: &RequestCopy) -> u64 {
        let inner = &self.door.0;
        match inner.switch.share_ppm(self.cap_ppm) {
            SAMPLE_ALL_PPM => u64::MAX,
            _ => key_hash(&inner.settings.sample_key, request),
        }
    }

    fn end(&mut self, reason: NotMirrored) -> Offer {
        if self.held.take().is_some() {
            self.door.0.book.not_mirrored(reason);
            if self.admitted {
                self.door.0.switch.give_back();
            }
        }
        Offer::Shed(reason)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.end(NotMirrored::UploadAborted);
    }
}
