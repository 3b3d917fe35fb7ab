//! A provider's stand-in on loopback: answers everything with planted data, and remembers what it saw.

use crate::exchange::{Clock, Instant};
use crate::selftest::plants;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The largest request body it reads; ours have a few hundred bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Requests it remembers; a test of one integration sends fewer than a hundred.
const SEEN_MAX: usize = 1_000;

/// One request as the provider would have got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

impl Seen {
    /// Whether the text stands anywhere in it.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let within = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        self.target.contains(text) || within(&self.body) || self.headers.values().any(|value| within(value.as_bytes()))
    }
}

type Memory = Arc<Mutex<Vec<Seen>>>;

/// A server that lives as long as this.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) addr: SocketAddr,
    memory: Memory,
    _serving: JoinSet<io::Result<()>>,
}

impl StandIn {
    pub(crate) async fn start(role: &'static str, clock: Clock) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (addr, memory) = (listener.local_addr()?, Memory::default());
        let router = Router::new().fallback(serve).with_state((memory.clone(), role, clock));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { addr, memory, _serving: serving })
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests with this mark.
    pub(crate) fn with_mark(&self, mark: &str) -> Vec<Seen> {
        let wanted = format!("selftest={mark}&");
        self.seen().into_iter().filter(|seen| seen.target.contains(&wanted)).collect()
    }
}

async fn serve(State((memory, role, clock)): State<(Memory, &'static str, Clock)>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default().to_vec();
    let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut seen = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.len() < SEEN_MAX {
        seen.push(Seen { target, headers: head.headers, body, at: clock.now() });
    }
    drop(seen);
    let mut response = Response::new(Body::from(plants::body()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-answered-by", HeaderValue::from_static(role));
    // A repeated header and its order are part of the answer.
    headers.append(header::SET_COOKIE, HeaderValue::from_static("a=1"));
    headers.append(header::SET_COOKIE, HeaderValue::from_static("b=2"));
    response
}
