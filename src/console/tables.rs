//! What the pages show from the store, read by few workers with a limit on the wait.

use crate::console::insight::{self, Insight};
use crate::exchange::{Clock, Instant};
use crate::review;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Reads of the store at once.
const READERS_MAX: usize = 2;
/// Wait for a reader and its answer, seconds; then the page shows a notice instead.
const READ_WAIT_S: u64 = 3;
/// What took long to read is shown for so many times that long before it is read again.
const KEPT_TIMES: u32 = 20;
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

/// What was read of an integration, until when it is shown.
type Kept = Arc<Mutex<BTreeMap<String, (Instant, Arc<Insight>)>>>;

/// The door to the store.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    path: Arc<Path>,
    readers: Arc<Semaphore>,
    kept: Kept,
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
        Self { path: Arc::from(path), readers: Arc::new(Semaphore::new(READERS_MAX)), kept: Kept::default(), clock }
    }

    /// The review and the charts of an integration, or why there are none. They are read again only after a multiple of
    /// the time the reading took; a reading that outlasts the wait is there for the next page.
    pub(crate) async fn insight(&self, integration: &str, settings: review::Settings) -> Result<Arc<Insight>, String> {
        let (kept, clock, name) = (Arc::clone(&self.kept), self.clock, integration.to_owned());
        if let Some(found) = fresh(&kept, &name, clock) {
            return Ok(found);
        }
        self.read(move |path| {
            // Another page may have read it while this one waited for its turn.
            if let Some(found) = fresh(&kept, &name, clock) {
                return Ok(found);
            }
            let began = clock.now();
            let read = Arc::new(insight::read(path, &name, &settings, clock.unix_us() / 1_000_000)?);
            let took = clock.now().saturating_duration_since(began);
            let until = clock.now() + (took * KEPT_TIMES).max(KEPT_MIN);
            kept.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (until, Arc::clone(&read)));
            Ok(read)
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

    /// Runs `work` on a worker. The place is given back by the worker, not by the waiting page: a store that hangs
    /// occupies at most [`READERS_MAX`] threads, however often the page is loaded.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, String>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> Result<T, String> + Send + 'static,
    {
        let (path, readers) = (Arc::clone(&self.path), Arc::clone(&self.readers));
        let reading = async move {
            let place = readers.acquire_owned().await.map_err(|_| "the console is closing".to_owned())?;
            let worker = tokio::task::spawn_blocking(move || {
                let read = work(&path);
                drop(place);
                read
            });
            worker.await.unwrap_or_else(|_| Err("reading the recordings failed unexpectedly".to_owned()))
        };
        let waited = tokio::time::timeout(Duration::from_secs(READ_WAIT_S), reading).await;
        waited.unwrap_or_else(|_| Err(format!("the recordings did not answer within {READ_WAIT_S} s")))
    }
}

fn fresh(kept: &Kept, integration: &str, clock: Clock) -> Option<Arc<Insight>> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get(integration).filter(|(until, _)| *until > clock.now()).map(|(_, found)| Arc::clone(found))
}
