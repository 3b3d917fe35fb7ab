//! Tells people who have no Prometheus: watches the counters, judges by the review's own alert rules, and calls webhooks.
//!
//! **Invariants.** Nothing here is on the user's path: it reads counters and the store, and never waits for a receiver
//! while it judges. What is told comes from the configuration and from counts: no body, no path, nothing that a request
//! carried. Every notice is delivered or counted with the reason.

mod deliver;
mod message;
mod samples;
mod watch;

use crate::control::{PausedBy, Switchboard};
use crate::exchange::{Clock, Integration};
use crate::review::{self, AlertTimes, Shapes, Standing};
use crate::store::Reader;
use crate::telemetry::{Ledger, Outbox};
use deliver::Postbox;
use samples::Samples;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use watch::Watch;

/// Counters are looked at so often in a window.
const LOOKS_A_WINDOW: u64 = 20;
/// Shortest and longest time between two looks, milliseconds.
const LOOK_MS: (u64, u64) = (100, 60_000);
/// Looks at counters between two looks at the shape of answers, which read the store.
const SHAPE_EVERY: u32 = 4;

/// How a webhook wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `{"text": ".."}`.
    Slack,
    /// Every part under its own name.
    Json,
}

/// One webhook.
#[derive(Clone)]
pub struct Receiver {
    /// What logs and metrics call it: its address is a secret.
    pub name: Arc<str>,
    /// How it wants to be told.
    pub format: Format,
    /// Its address.
    pub url: String,
    /// The one integration whose alerts it is told; `None` for all.
    pub only: Option<Integration>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({}, {:?}, {:?})", self.name, self.format, self.only)
    }
}

/// What a user may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom to tell.
    pub receivers: Vec<Receiver>,
    /// How long what must hold.
    pub times: AlertTimes,
    /// An alert that goes on is told again after so many seconds.
    pub repeat_s: u64,
    /// One attempt to deliver, milliseconds.
    pub timeout_ms: u64,
}

/// What is watched.
pub struct Inputs {
    /// The live counters.
    pub ledger: Arc<Ledger>,
    /// The live switches.
    pub switchboard: Arc<Switchboard>,
    /// What each integration is held against, with whom to call.
    pub reviews: Vec<(Integration, review::Settings)>,
    /// The database, for the shape of answers.
    pub store_path: PathBuf,
    /// So many bodies without a hit of any rule are an alarm.
    pub alarm_bodies: Box<dyn Fn() -> u64 + Send>,
    /// Where deliveries are counted.
    pub outbox: Arc<Outbox>,
}

/// Watches and tells until `stop`. Runs on the caller's runtime, which needs its I/O and time drivers.
pub async fn run(settings: Settings, inputs: Inputs, stop: CancellationToken) {
    let every_ms = (settings.times.window_s.saturating_mul(1_000) / LOOKS_A_WINDOW).clamp(LOOK_MS.0, LOOK_MS.1);
    let clock = Clock;
    let Inputs { ledger, switchboard, reviews, store_path, alarm_bodies, outbox } = inputs;
    let mut postbox = match Postbox::open(&settings, &outbox) {
        Ok(postbox) => postbox,
        Err(error) => return tracing::error!(%error, "alerts cannot be sent: no client for webhooks"),
    };
    let mut samples = Samples::new(settings.times.window_s);
    let mut watches: Vec<Watch> =
        reviews.iter().map(|(name, review)| Watch::new(name, review, settings.times, settings.repeat_s)).collect();
    let mut shapes = ShapeWatch::new(reviews.iter().map(|(name, _)| Arc::clone(name)).collect(), store_path);
    let mut ticks = tokio::time::interval(Duration::from_millis(every_ms));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for look in 0_u32.. {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        if look.is_multiple_of(SHAPE_EVERY) {
            shapes.look(&ledger).await;
        }
        let now = clock.now();
        samples.take(&ledger, now);
        for watch in &mut watches {
            let mut watched = samples.watched(watch.integration());
            watched.standing = standing(&ledger, &switchboard, watch.integration(), alarm_bodies());
            for notice in watch.look(&watched, now, clock.unix_us()) {
                tracing::warn!(
                    integration = %notice.integration, alert = notice.rule, state = notice.state.name(), "{}", notice.summary
                );
                postbox.post(&notice);
            }
        }
    }
    postbox.close().await;
}

fn standing(ledger: &Ledger, switchboard: &Switchboard, integration: &str, alarm_bodies: u64) -> Vec<Standing> {
    let paused = switchboard.get(integration).and_then(|switch| switch.state().paused);
    let book = ledger.of(integration).map(|book| book.snapshot());
    let all = [
        (Standing::BreakerOpen, paused == Some(PausedBy::Breaker)),
        (Standing::BudgetUsedUp, paused == Some(PausedBy::Budget)),
        (Standing::ShapeChanged, book.as_ref().is_some_and(|book| book.shape_changed)),
        (Standing::RulesDoNotFit, book.as_ref().is_some_and(|book| book.rules_do_not_fit(alarm_bodies))),
    ];
    all.into_iter().filter_map(|(standing, holds)| holds.then_some(standing)).collect()
}

/// The shapes by integration, and whether each has changed; nothing where the store could not be read.
type ShapesRead = (Vec<(Integration, Shapes)>, Vec<Option<bool>>);

/// The shapes of answers, read from the store by one worker: a store that hangs holds that one, and no look.
struct ShapeWatch {
    store_path: PathBuf,
    resting: Option<Vec<(Integration, Shapes)>>,
    worker: Option<tokio::task::JoinHandle<ShapesRead>>,
}

impl ShapeWatch {
    fn new(integrations: Vec<Integration>, store_path: PathBuf) -> Self {
        let resting = integrations.into_iter().map(|name| (name, Shapes::default())).collect();
        Self { store_path, resting: Some(resting), worker: None }
    }

    /// Takes up what the last reading found, and starts the next one.
    async fn look(&mut self, ledger: &Ledger) {
        if let Some(worker) = self.worker.take_if(|worker| worker.is_finished())
            && let Ok((shapes, changed)) = worker.await
        {
            for ((name, _), changed) in shapes.iter().zip(changed) {
                if let (Some(book), Some(changed)) = (ledger.of(name), changed) {
                    book.shape_changed(changed);
                }
            }
            self.resting = Some(shapes);
        }
        let Some(mut shapes) = self.resting.take() else { return };
        let path = self.store_path.clone();
        self.worker = Some(tokio::task::spawn_blocking(move || {
            let reader = Reader::open(&path);
            let now = Clock.unix_us();
            let mut look =
                |(name, shapes): &mut (Integration, Shapes)| shapes.look(reader.as_ref().ok()?, name, now).ok();
            let changed = shapes.iter_mut().map(&mut look).collect();
            (shapes, changed)
        }));
    }
}
