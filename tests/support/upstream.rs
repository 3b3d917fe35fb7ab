//! Upstreams that answer, hang, fail and remember what reached them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// One request as an upstream saw it.
#[derive(Clone)]
pub struct Seen {
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Answer = Arc<dyn Fn(&Seen) -> Option<Response> + Send + Sync>;

/// An upstream on loopback. Dropping it closes it.
pub struct Upstream {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _serving: JoinSet<()>,
}

impl Upstream {
    /// Answers every request with what `answer` makes of it; `None` never answers.
    pub async fn answers(answer: impl Fn(&Seen) -> Option<Response> + Send + Sync + 'static) -> Self {
        // The stories' own client needs it as well.
        darklaunch::app::install_tls();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer: Answer = Arc::new(answer);
        let app = Router::new().fallback(serve).with_state((seen.clone(), answer));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, seen, _serving: serving }
    }

    /// Answers 200 with a JSON body.
    pub async fn replies(body: &'static str) -> Self {
        Self::answers(move |_| Some(json(body))).await
    }

    /// Takes every request and never answers.
    pub async fn hangs() -> Self {
        Self::answers(|_| None).await
    }

    /// What has arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

pub fn json(body: &'static str) -> Response {
    ([("content-type", "application/json")], body).into_response()
}

async fn serve(State((seen, answer)): State<(Arc<Mutex<Vec<Seen>>>, Answer)>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
    let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let one = Seen { target, headers: head.headers, body };
    let reply = answer(&one);
    seen.lock().unwrap().push(one);
    match reply {
        Some(reply) => reply,
        None => std::future::pending().await,
    }
}

impl Seen {
    /// A header as text; empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub fn status(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}
