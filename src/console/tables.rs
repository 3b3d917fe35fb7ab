//! What the pages show from the store, read by few workers with a limit on the wait.

use crate::console::insight::{self, Insight};
use crate::exchange::{Clock, Instant};
use crate::review;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Reads of the store at once.
const READERS_MAX: usize = 2;
/// Wait for a reader and its answer, seconds; then the page shows a notice instead.
const READ_WAIT_S: u64 = 3;
/// Wait for a newer review, milliseconds; then the page shows the one before.
const NEWER_WAIT_MS: u64 = 60;
/// What took long to read is shown for so many times that long before it is read again: a fiftieth of a core, or [`KEPT_MAX`].
const KEPT_TIMES: u32 = 50;
/// And never longer: on a busy machine the page would tell of long ago.
const KEPT_MAX: Duration = Duration::from_secs(10);
/// Shortest time between two readings.
const KEPT_MIN: Duration = Duration::from_secs(1);
/// Recordings listed.
pub(crate) const RECENT_MAX: usize = 20;
/// Changes of the switch listed.
pub(crate) const HISTORY_MAX: usize = 20;

/// One percentile: a figure, or how many calls it needs.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) text: Option<String>,
    pub(crate) needs_calls: u64,
}

/// One provider at one endpoint, or at all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleFigures {
    /// Every call.
    pub(crate) calls: u64,
    /// Of these, the successful ones.
    pub(crate) ok_calls: u64,
    /// Calls behind the percentiles: successful ones, and the ones we ended ourselves.
    pub(crate) counted_calls: u64,
    pub(crate) censored_calls: u64,
    pub(crate) figures: Vec<Figure>,
}

/// One endpoint, or all of them, and both providers.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndpointFigures {
    pub(crate) endpoint: String,
    pub(crate) primary: Option<RoleFigures>,
    pub(crate) shadow: Option<RoleFigures>,
}

/// One call of one recording, in words.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) answer: String,
    pub(crate) took: String,
    pub(crate) good: bool,
}

/// One recording of the list.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    pub(crate) received_unix_us: i64,
    pub(crate) endpoint: String,
    pub(crate) primary: Option<Call>,
    pub(crate) shadow: Call,
    pub(crate) verdict: String,
}

/// One change of the switch.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at_unix_us: i64,
    pub(crate) on: bool,
    pub(crate) sample_ppm: u32,
    pub(crate) who: String,
    pub(crate) reason: String,
}

/// What the page of one integration shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub(crate) overall: EndpointFigures,
    pub(crate) endpoints: Vec<EndpointFigures>,
    pub(crate) hits: Vec<(String, u64)>,
    pub(crate) recent: Vec<Recent>,
    pub(crate) history: Vec<Change>,
}

/// Both providers over all endpoints, by integration.
pub(crate) type Overview = BTreeMap<String, EndpointFigures>;

/// Where a reading under way puts what came of it.
type Reading = watch::Receiver<Option<Result<Arc<Insight>, String>>>;

/// What is known of one integration's review.
#[derive(Debug, Default)]
struct Reviewed {
    /// The newest reading, and until when it is not read again.
    newest: Option<(Instant, Arc<Insight>)>,
    /// The reading under way.
    under_way: Option<Reading>,
}

/// The review and the charts of an integration, as far as they are there.
#[derive(Clone, Debug)]
pub(crate) enum Looked {
    /// The newest reading.
    At(Arc<Insight>),
    /// It is being read for the first time.
    BeingRead,
    /// Why there is none.
    Failed(String),
}

/// A reading under way, and what was read before it.
type UnderWay = (Reading, Option<Arc<Insight>>);

/// The door to the store.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    path: Arc<Path>,
    readers: Arc<Semaphore>,
    known: Arc<Mutex<BTreeMap<String, Reviewed>>>,
    /// At most one an integration; they end with the last page that could ask.
    readings: Arc<Mutex<JoinSet<()>>>,
    clock: Clock,
}

impl RoleFigures {
    /// The percentile of that name.
    pub(crate) fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

impl Tables {
    pub(crate) fn new(path: PathBuf, clock: Clock) -> Self {
        Self {
            path: Arc::from(path),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            known: Arc::default(),
            readings: Arc::default(),
            clock,
        }
    }

    /// The review and the charts of an integration. They are read anew after a multiple of the time the reading took, and
    /// no page waits long for that: it shows the reading before, whose time stands beside it.
    pub(crate) async fn insight(&self, integration: &str, settings: review::Settings) -> Looked {
        let (mut reading, before) = match self.begin(integration, settings) {
            Ok(newest) => return Looked::At(newest),
            Err(under_way) => under_way,
        };
        let waited =
            tokio::time::timeout(Duration::from_millis(NEWER_WAIT_MS), reading.wait_for(Option::is_some)).await;
        let read = waited.ok().and_then(Result::ok).and_then(|read| read.clone());
        match (read, before) {
            (Some(Ok(newest)), _) => Looked::At(newest),
            (Some(Err(why)), _) => Looked::Failed(why),
            (None, Some(before)) => Looked::At(before),
            (None, None) => Looked::BeingRead,
        }
    }

    /// What is fresh; else the reading under way, begun if there is none, and what was read before it.
    fn begin(&self, integration: &str, settings: review::Settings) -> Result<Arc<Insight>, UnderWay> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(integration.to_owned()).or_default();
        let before = match &known.newest {
            Some((until, newest)) if *until > self.clock.now() => return Ok(Arc::clone(newest)),
            Some((_, before)) => Some(Arc::clone(before)),
            None => None,
        };
        if let Some(under_way) = &known.under_way {
            return Err((under_way.clone(), before));
        }
        let (done, reading) = watch::channel(None);
        known.under_way = Some(reading.clone());
        // Without the set that it stands in itself.
        let tables = Self { readings: Arc::default(), ..self.clone() };
        let name = integration.to_owned();
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        while readings.try_join_next().is_some() {}
        readings.spawn(async move {
            let read = tables.read_insight(name.clone(), settings).await;
            let mut all = tables.known.lock().unwrap_or_else(PoisonError::into_inner);
            let known = all.entry(name).or_default();
            known.under_way = None;
            let read = read.map(|(until, insight)| {
                known.newest = Some((until, Arc::clone(&insight)));
                insight
            });
            // Whoever waited may have gone.
            drop(done.send(Some(read)));
        });
        Err((reading, before))
    }

    async fn read_insight(&self, name: String, settings: review::Settings) -> Result<(Instant, Arc<Insight>), String> {
        let clock = self.clock;
        self.work(move |path| {
            let began = clock.now();
            let read = Arc::new(insight::read(path, &name, &settings, clock.unix_us())?);
            let took = clock.now().saturating_duration_since(began);
            Ok((clock.now() + (took * KEPT_TIMES).clamp(KEPT_MIN, KEPT_MAX), read))
        })
        .await
    }

    /// Figures of these integrations, or why there are none.
    pub(crate) async fn overview(&self, integrations: Vec<String>) -> Result<Overview, String> {
        self.read(move |path| crate::console::reading::overview(path, &integrations)).await
    }

    /// Everything stored that the page of one integration shows, or why it cannot.
    pub(crate) async fn details(&self, integration: String) -> Result<Details, String> {
        self.read(move |path| crate::console::reading::details(path, &integration)).await
    }

    /// Runs `work` on a worker and waits for it, [`READ_WAIT_S`] at most.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, String>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> Result<T, String> + Send + 'static,
    {
        let waited = tokio::time::timeout(Duration::from_secs(READ_WAIT_S), self.work(work)).await;
        waited.unwrap_or_else(|_| Err(format!("the recordings did not answer within {READ_WAIT_S} s")))
    }

    /// The place is given back by the worker, not by the waiting page: a store that hangs occupies at most
    /// [`READERS_MAX`] threads, however often the page is loaded.
    async fn work<T, F>(&self, work: F) -> Result<T, String>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> Result<T, String> + Send + 'static,
    {
        let (path, readers) = (Arc::clone(&self.path), Arc::clone(&self.readers));
        let place = readers.acquire_owned().await.map_err(|_| "the console is closing".to_owned())?;
        let worker = tokio::task::spawn_blocking(move || {
            let read = work(&path);
            drop(place);
            read
        });
        worker.await.unwrap_or_else(|_| Err("reading the recordings failed unexpectedly".to_owned()))
    }
}
