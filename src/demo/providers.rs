//! Two sample HTTP providers on loopback: today's, steady; the new one, faster at the median, slower in its tail, faulty.

use crate::demo::answers::{self, Pieces};
use crate::demo::chance::Chance;
use crate::demo::counts::{Counted, Counts};
use crate::demo::people::People;
use crate::demo::{CURRENT, NEW, PROVIDER_HEADER};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The largest request body a sample provider reads.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Why the sample providers could not start.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// No loopback port could be had.
    #[error("no port on 127.0.0.1 for the {name} sample provider ({source}); is loopback up?")]
    Bind {
        /// Which one.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Both providers, running until [`Providers::close`] or drop.
#[derive(Debug)]
pub struct Providers {
    /// `http://127.0.0.1:PORT` of today's provider.
    pub current_url: String,
    /// `http://127.0.0.1:PORT` of the new provider.
    pub new_url: String,
    /// What today's provider counted.
    pub current: Arc<Counts>,
    /// What the new provider counted.
    pub new: Arc<Counts>,
    /// Everyone they know.
    pub people: Arc<People>,
    shutdown: CancellationToken,
    tasks: JoinSet<io::Result<()>>,
}

impl Providers {
    /// Starts both on free loopback ports. The n-th request that a provider gets has the n-th draw of its seed, so the
    /// counts of a run repeat whatever order the calls came in.
    pub async fn start(seed: u64) -> Result<Self, ProviderError> {
        let people = Arc::new(People::new(seed));
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (current, new) = (Arc::new(Counts::default()), Arc::new(Counts::default()));
        let mut urls = Vec::new();
        for (name, counts) in [(CURRENT, &current), (NEW, &new)] {
            let bound = TcpListener::bind("127.0.0.1:0").await;
            let bind = |source| ProviderError::Bind { name, source };
            let listener = bound.map_err(bind)?;
            urls.push(format!("http://{}", listener.local_addr().map_err(bind)?));
            let desk = Desk { name, seed, people: people.clone(), counts: counts.clone(), served: AtomicU64::new(0) };
            let router = Router::new().fallback(serve).with_state(Arc::new(desk));
            // Without this, small chunks wait for acknowledgements and the shape of the latencies is the system's.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            let stop = shutdown.clone().cancelled_owned();
            tasks.spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stop).await });
        }
        let new_url = urls.pop().unwrap_or_default();
        let current_url = urls.pop().unwrap_or_default();
        Ok(Self { current_url, new_url, current, new, people, shutdown, tasks })
    }

    /// Stops both; waits at most `limit` for answers under way.
    pub async fn close(mut self, limit: Duration) {
        self.shutdown.cancel();
        let joined = tokio::time::timeout(limit, async { while self.tasks.join_next().await.is_some() {} });
        if joined.await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// One provider's state.
struct Desk {
    name: &'static str,
    seed: u64,
    people: Arc<People>,
    counts: Arc<Counts>,
    served: AtomicU64,
}

/// What chance holds for one request.
struct Fate {
    delay: Duration,
    fault: Option<Fault>,
    gzip: bool,
    chunked: bool,
}

enum Fault {
    Server5xx,
    Throttled,
    ErrorIn200,
}

fn fate(name: &str, chance: &mut Chance) -> Fate {
    let ms = Duration::from_millis;
    let (roll, slow) = (chance.unit(), chance.unit() < 0.02);
    let (gzip, chunked) = (chance.unit() < 0.3, chance.unit() < 0.3);
    if name == CURRENT {
        return Fate { delay: chance.log_normal(ms(12), 0.15), fault: None, gzip, chunked };
    }
    let delay = if slow { chance.between(ms(80), ms(300)) } else { chance.log_normal(ms(6), 0.25) };
    let fault = match roll {
        0.0..0.015 => Some(Fault::Server5xx),
        0.015..0.025 => Some(Fault::Throttled),
        0.025..0.035 => Some(Fault::ErrorIn200),
        _ => None,
    };
    Fate { delay, fault, gzip, chunked }
}

async fn serve(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    desk.counts.arrived(head.headers.contains_key(header::AUTHORIZATION));
    let mut chance = Chance::new(desk.seed ^ desk.name.len() as u64, desk.served.fetch_add(1, Ordering::Relaxed));
    let fate = fate(desk.name, &mut chance);
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    tokio::time::sleep(fate.delay).await;

    let endpoint = answers::endpoint(&head.method, head.uri.path());
    let newer = desk.name == NEW;
    let (status, document) = match fate.fault {
        None => answers::answer(endpoint, head.uri.path(), &body, &desk.people, newer),
        Some(Fault::Throttled) => (429, json!({"message": "too many requests"})),
        Some(Fault::Server5xx) => (503, json!({"message": "upstream unavailable"})),
        Some(Fault::ErrorIn200) => (200, json!({"error": {"code": "internal", "message": "could not be processed"}})),
    };
    let says_error = document.get("error").is_some();
    desk.counts.answered(Counted { endpoint, status, says_error });

    let takes_gzip =
        head.headers.get(header::ACCEPT_ENCODING).is_some_and(|value| value.as_bytes().starts_with(b"gzip"));
    let (bytes, gzipped) = answers::encode(&document, fate.gzip && takes_gzip);
    let body = if fate.chunked { Body::new(Pieces::cut(bytes, &mut chance)) } else { Body::from(bytes) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(PROVIDER_HEADER, HeaderValue::from_static(desk.name));
    if status == 429 {
        // Without it the mirror would rightly pause for a while, and the demo would show little else.
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
    }
    if gzipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
