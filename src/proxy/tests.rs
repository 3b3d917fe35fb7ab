//! The user's path over real sockets: untouched answers, a mirror that is never felt, a ledger that adds up.

mod added;

use super::*;
use crate::adapt;
use crate::control::{self, Switchboard};
use crate::exchange::{FailureKind, NotMirrored, Outcome};
use crate::mirror::{self, Outlets, Taken};
use crate::telemetry::{BookSnapshot, Ledger};
use crate::upstream::{HttpVersion, Target, TargetSettings, Tls};
use http::Method;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(10);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nX-Case: a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nhi";

/// Waits for a fact, with a limit.
async fn until(what: &str, mut fact: impl FnMut() -> bool) {
    let wait = async {
        while !fact() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("never came: {what}"));
}

/// A provider that answers every request with the same bytes (none: it hangs), and keeps what it was sent.
struct Provider {
    addr: SocketAddr,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    _tasks: JoinSet<()>,
}

impl Provider {
    async fn start(reply: Option<Vec<u8>>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let kept = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let (reply, kept) = (reply.clone(), Arc::clone(&kept));
                open.spawn(async move {
                    while let Some(request) = read_message(&mut stream).await {
                        kept.lock().unwrap().push(request);
                        match &reply {
                            Some(reply) => stream.write_all(reply).await.unwrap_or_default(),
                            None => std::future::pending().await,
                        }
                    }
                });
            }
        });
        Self { addr, seen, _tasks: tasks }
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

/// One message with a `Content-Length` (absent: no body).
async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if bytes.len() >= head + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Far beyond what any answer of these tests takes.
const READ_TIMEOUT_MS: u64 = 60_000;

/// Where nobody is called.
const ANYWHERE: &str = "http://127.0.0.1:1";

fn target(url: &str) -> Arc<Target> {
    let reach =
        TargetSettings { socket: None, http: HttpVersion::Auto, tls: Tls::default(), connect_timeout_ms: 10_000 };
    Arc::new(Target::new(&url.parse().unwrap(), reach).unwrap())
}

struct Stand {
    running: Option<Running>,
    board: Arc<Switchboard>,
    ledger: Arc<Ledger>,
    taken: mpsc::Receiver<Taken>,
    shards: mpsc::Receiver<Shard>,
    _mirror: JoinSet<()>,
}

impl Stand {
    async fn start(primary: Option<String>, shadow: &str, mirror: mirror::Settings) -> Self {
        Self::with(primary, shadow, mirror, READ_TIMEOUT_MS).await
    }

    async fn with(
        primary: Option<String>,
        shadow: &str,
        mirror: mirror::Settings,
        primary_read_timeout_ms: u64,
    ) -> Self {
        let name: Arc<str> = Arc::from("pay");
        let on = control::Settings { enabled: true, ..control::Settings::default() };
        let board = Switchboard::new(vec![(Arc::clone(&name), on)], Clock);
        let ledger = Ledger::new(vec![name]);
        let (switch, book) = (board.get("pay").unwrap(), ledger.of("pay").unwrap());
        let adapt = adapt::Settings::to(PrimaryUrl::parse(shadow).unwrap());
        let (door, line) = mirror::door(mirror, adapt, target(shadow), switch, book, Clock);
        let (recordings, taken) = mpsc::channel(64);
        let (shards, shard_queue) = mpsc::channel(64);
        let outlets = Outlets { recordings, shards: shards.clone(), announced: None };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { mirror::run(vec![line], outlets, CancellationToken::new()).await });
        let route = Route {
            matcher: Matcher { path_prefix: "/".to_owned(), ..Matcher::default() },
            primary_read_timeout_ms,
            strip_prefix: false,
            passing: Passing::default(),
            primary: primary.map(|url| Primary { url: PrimaryUrl::parse(&url).unwrap(), target: target(&url) }),
            endpoints: EndpointNames::new(&[], ENDPOINTS_MAX),
            door,
            book: Arc::clone(book),
        };
        let settings =
            Settings { listen: vec![Listen::parse("127.0.0.1:0").unwrap()], workers: 2, ..Settings::default() };
        let running = Proxy::bind(settings, vec![route], shards, Clock).unwrap().start().unwrap();
        Self { running: Some(running), board, ledger, taken, shards: shard_queue, _mirror: tasks }
    }

    async fn call(&self, request: &[u8]) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.running.as_ref().unwrap().addr().unwrap()).await.unwrap();
            stream.write_all(request).await.unwrap();
            String::from_utf8_lossy(&read_message(&mut stream).await.unwrap_or_default()).into_owned()
        };
        timeout(LIMIT, exchange).await.unwrap()
    }

    /// Ends the traffic side; all that it measured.
    async fn measured(&mut self) -> Shard {
        let running = self.running.take().unwrap();
        tokio::task::spawn_blocking(move || running.close(LIMIT)).await.unwrap();
        let mut all = Shard::new();
        while let Ok(one) = self.shards.try_recv() {
            all.merge(one);
        }
        all
    }

    fn book(&self) -> BookSnapshot {
        self.ledger.of("pay").unwrap().snapshot()
    }

    async fn settled(&self) -> BookSnapshot {
        until("a settled ledger", || self.book().pending == 0).await;
        let book = self.book();
        assert!(book.adds_up());
        book
    }

    async fn capture(&mut self) -> Taken {
        timeout(LIMIT, self.taken.recv()).await.unwrap().unwrap()
    }
}

fn all_methods() -> mirror::Settings {
    mirror::Settings { methods: vec![Method::GET, Method::POST], ..mirror::Settings::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_answers_pass_untouched_and_credentials_stay_with_the_primary() {
    let (primary, shadow) = (Provider::start(Some(OK.to_vec())).await, Provider::start(Some(OK.to_vec())).await);
    let mut stand = Stand::start(Some(primary.url()), &shadow.url(), all_methods()).await;
    let answer = stand.call(b"GET /a%2Fb//c?x=1&x=%20&api_key=SECRET HTTP/1.1\r\nHost: app\r\nX-CaSe: 1\r\nx-case: 2\r\nAuthorization: SECRET\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n").await;
    assert_eq!(answer.as_bytes(), OK, "{answer}");
    let sent = primary.requests().remove(0);
    let want = format!(
        "GET /a%2Fb//c?x=1&x=%20&api_key=SECRET HTTP/1.1\r\nHost: {}\r\nX-CaSe: 1\r\nx-case: 2\r\nAuthorization: SECRET\r\n\r\n",
        primary.addr
    );
    assert_eq!(sent, want);
    let first = stand.capture().await;
    assert!(!shadow.requests().concat().contains("SECRET"));
    assert_eq!(first.capture.primary.as_ref().unwrap().outcome, Outcome::Ok);
    assert!(first.capture.shadow.timings.connect_us.is_some());
    assert_eq!(&first.capture.shadow.response.as_ref().unwrap().body.bytes[..], b"hi");
    let answer = stand.call(b"POST /p HTTP/1.1\r\nHost: app\r\nContent-Length: 3\r\n\r\n\x00ab").await;
    assert_eq!(answer.as_bytes(), OK);
    assert!(primary.requests()[1].ends_with("Content-Length: 3\r\n\r\n\0ab"), "{:?}", primary.requests());
    assert_eq!(&stand.capture().await.capture.request.body.bytes[..], b"\0ab");
    let book = stand.settled().await;
    assert_eq!((book.arrived, book.mirrored[0], book.primary[0]), (2, 2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_answers_are_not_decoded() {
    let mut gzip = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n".to_vec();
    gzip.extend_from_slice(&[0x1f, 0x01, 0x02, 0x03]);
    let primary = Provider::start(Some(gzip.clone())).await;
    let mut stand = Stand::start(Some(primary.url()), &primary.url(), all_methods()).await;
    let answer = stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer, String::from_utf8_lossy(&gzip));
    let capture = stand.capture().await.capture;
    assert_eq!(&capture.primary.unwrap().response.unwrap().body.bytes[..], [0x1f, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_streams_on_while_its_copy_is_given_up() {
    let (primary, shadow) = (Provider::start(Some(OK.to_vec())).await, Provider::start(Some(OK.to_vec())).await);
    let stand = Stand::start(Some(primary.url()), &shadow.url(), all_methods()).await;
    let size = 5 << 20;
    let mut known = format!("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").into_bytes();
    known.resize(known.len() + size, b'x');
    assert_eq!(stand.call(&known).await.as_bytes(), OK);
    assert!(primary.seen.lock().unwrap()[0].len() > size);
    let book = stand.settled().await;
    assert_eq!(book.not_mirrored[NotMirrored::BodyTooLarge as usize], 1);
    assert!(shadow.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_shadow_is_not_felt_and_stop_ends_it_at_once() {
    let (primary, shadow) = (Provider::start(Some(OK.to_vec())).await, Provider::start(None).await);
    let mut stand = Stand::start(Some(primary.url()), &shadow.url(), all_methods()).await;
    for _ in 0..20 {
        assert_eq!(stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.as_bytes(), OK);
    }
    until("calls in flight", || shadow.requests().len() == 20).await;
    assert_eq!(stand.book().pending, 20);
    stand.board.stop_all("test", "enough");
    let book = stand.settled().await;
    assert_eq!(book.mirrored[Outcome::Aborted as usize], 20);
    let capture = stand.capture().await.capture;
    assert_eq!(capture.shadow.failure.unwrap().kind, FailureKind::Aborted);
    assert_eq!(stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.as_bytes(), OK);
    assert_eq!(stand.settled().await.not_mirrored[NotMirrored::Off as usize], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_down_is_a_502_with_our_header_and_is_recorded() {
    let shadow = Provider::start(Some(OK.to_vec())).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut stand = Stand::start(Some(format!("http://{closed}")), &shadow.url(), all_methods()).await;
    let answer = stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("darklaunch-error: primary_connect"), "{answer}");
    let capture = stand.capture().await.capture;
    assert_eq!(capture.primary.unwrap().failure.unwrap().kind, FailureKind::Connect);
    assert_eq!(stand.settled().await.primary[Outcome::NetworkError as usize], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_primary_is_a_504_and_a_timeout() {
    let (primary, shadow) = (Provider::start(None).await, Provider::start(Some(OK.to_vec())).await);
    let mut stand = Stand::with(Some(primary.url()), &shadow.url(), all_methods(), 50).await;
    let answer = stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("darklaunch-error: primary_timeout"), "{answer}");
    assert_eq!(stand.capture().await.capture.primary.unwrap().outcome, Outcome::Timeout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_is_an_abort_and_its_request_is_still_mirrored() {
    let (primary, shadow) = (Provider::start(None).await, Provider::start(Some(OK.to_vec())).await);
    let mut stand = Stand::start(Some(primary.url()), &shadow.url(), all_methods()).await;
    let mut stream = TcpStream::connect(stand.running.as_ref().unwrap().addr().unwrap()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    until("the request at the primary", || primary.requests().len() == 1).await;
    drop(stream);
    let capture = stand.capture().await.capture;
    assert_eq!(capture.primary.unwrap().failure.unwrap().kind, FailureKind::ClientGone);
    assert_eq!(capture.shadow.outcome, Outcome::Ok);
    assert_eq!(stand.settled().await.primary[Outcome::Aborted as usize], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_unknown_length_is_copied_and_an_abandoned_one_is_counted() {
    let shadow = Provider::start(Some(OK.to_vec())).await;
    let mut stand = Stand::start(None, &shadow.url(), all_methods()).await;
    let chunked = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert!(stand.call(chunked).await.starts_with("HTTP/1.1 204"));
    assert_eq!(&stand.capture().await.capture.request.body.bytes[..], b"abc");
    assert!(shadow.requests()[0].ends_with("\r\n\r\nabc"));
    let mut stream = TcpStream::connect(stand.running.as_ref().unwrap().addr().unwrap()).await.unwrap();
    stream.write_all(b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").await.unwrap();
    until("the second arrival", || stand.book().arrived == 2).await;
    drop(stream);
    assert_eq!(stand.settled().await.not_mirrored[NotMirrored::UploadAborted as usize], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_answers_204_and_mirrors_without_a_primary() {
    let shadow = Provider::start(Some(OK.to_vec())).await;
    let mut stand = Stand::start(None, &shadow.url(), all_methods()).await;
    let answer = stand.call(b"POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let capture = stand.capture().await.capture;
    assert!(capture.primary.is_none());
    assert_eq!(&capture.request.body.bytes[..], b"{}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrades_connect_and_methods_are_passed_refused_or_counted_by_name_and_close_joins() {
    let primary = Provider::start(Some(OK.to_vec())).await;
    let mut stand = Stand::start(Some(primary.url()), &primary.url(), mirror::Settings::default()).await;
    let upgrade = stand.call(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    assert_eq!(upgrade.as_bytes(), OK, "a provider that does not agree answers as ever");
    assert!(stand.call(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").await.starts_with("HTTP/1.1 501"));
    assert_eq!(stand.call(b"DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n").await.as_bytes(), OK);
    let book = stand.settled().await;
    let count = |reason: NotMirrored| book.not_mirrored[reason as usize];
    assert_eq!((book.arrived, count(NotMirrored::Streaming), count(NotMirrored::Method)), (2, 1, 1));
    let running = stand.running.take().unwrap();
    tokio::task::spawn_blocking(move || running.close(LIMIT)).await.unwrap();
}

#[test]
fn headers_of_the_hop_go_and_the_others_keep_their_order() {
    let lines = [
        ("date", "d"),
        ("connection", "close, x-hop"),
        ("set-cookie", "1"),
        ("te", "trailers"),
        ("set-cookie", "2"),
        ("x-hop", "h"),
        ("transfer-encoding", "chunked"),
        ("content-type", "c"),
        ("etag", "e"),
    ];
    let mut map: http::HeaderMap =
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    headers::remove_hop_by_hop(&mut map);
    let left: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(left, [("date", "d"), ("set-cookie", "1"), ("set-cookie", "2"), ("content-type", "c"), ("etag", "e")]);
}

#[test]
fn endpoints_are_declared_inferred_and_bounded() {
    let names = EndpointNames::new(&["GET /customers/{id}".to_owned()], 2);
    let name = |path: &str| names.name(&Method::GET, path).to_string();
    assert_eq!(name("/customers/anna"), "GET /customers/{id}");
    assert_eq!(name("/v1/charges/ch_3MmlLrLkdIwHu7ix0snN0B15"), "GET /v1/charges/{id}");
    assert_eq!(name("/users/a@b.example/7"), "GET /users/{id}/{id}");
    assert_eq!(name("/third"), "other");
    // Spelled with needless escapes it is the same endpoint; an escaped slash is no slash, and nothing is decoded twice.
    assert_eq!(name("/%63ustomer%73/anna"), "GET /customers/{id}");
    assert_eq!(name("/customers/%2F"), "GET /customers/{id}");
    assert_eq!(name("/customers%2fanna"), "other");
    assert_eq!(name("/%2563ustomers/anna"), "other");
}

#[test]
fn the_closest_match_wins_and_envoys_suffix_is_only_a_sinks() {
    let switch = Switchboard::new(vec![(Arc::from("pay"), control::Settings::default())], Clock);
    let ledger = Ledger::new(vec![Arc::from("pay")]);
    let route = |matcher: Matcher, sink: bool| {
        let adapt = adapt::Settings::to(PrimaryUrl::parse(ANYWHERE).unwrap());
        let (board, book) = (switch.get("pay").unwrap(), ledger.of("pay").unwrap());
        let (door, _line) = mirror::door(mirror::Settings::default(), adapt, target(ANYWHERE), board, book, Clock);
        let url = PrimaryUrl::parse(ANYWHERE).unwrap();
        let primary = (!sink).then(|| Primary { url, target: target(ANYWHERE) });
        let endpoints = EndpointNames::new(&[], 1);
        let book = Arc::clone(book);
        Route {
            matcher,
            strip_prefix: false,
            primary,
            primary_read_timeout_ms: 1,
            passing: crate::proxy::Passing::default(),
            endpoints,
            door,
            book,
        }
    };
    let any = || Matcher { path_prefix: "/".to_owned(), ..Matcher::default() };
    let header = |value: Option<&'static str>| {
        let value = value.map(http::HeaderValue::from_static);
        Some(HeaderMatch { name: http::HeaderName::from_static("x-provider"), value })
    };
    let routes = [
        route(any(), false),
        route(Matcher { path_prefix: "/long/prefix".to_owned(), ..any() }, false),
        route(Matcher { header: header(None), ..any() }, false),
        route(Matcher { header: header(Some("newpay")), ..any() }, false),
        route(Matcher { host: Some("pay.internal".to_owned()), ..any() }, false),
        route(Matcher { listeners: Some(vec![1, 2]), ..any() }, false),
        route(Matcher { host: Some("sink.internal".to_owned()), ..any() }, true),
    ];
    let find = |listener: usize, path: &str, lines: &[(&str, &str)]| {
        let mut request = http::Request::builder().uri(path);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let peer = Peer { listener, kind: Kind::Tcp, speaks: Speaks::Either, local: None, remote: None };
        let mut parts = request.body(()).unwrap().into_parts().0;
        let (at, found) = route::find(&routes, &parts, &peer).unwrap();
        found.restore_host(&mut parts);
        let host = parts.headers.get("host").map(|host| host.to_str().unwrap().to_owned());
        (at, host.unwrap_or_default())
    };
    assert_eq!(find(0, "/x", &[]).0, 0);
    assert_eq!(find(0, "/long/prefix/x", &[]).0, 1);
    assert_eq!(find(0, "/long/prefix/x", &[("x-provider", "other")]).0, 2);
    assert_eq!(find(0, "/", &[("x-provider", "other"), ("x-provider", "newpay")]).0, 3);
    assert_eq!(find(0, "/", &[("x-provider", "newpay"), ("host", "PAY.internal:80")]).0, 4);
    assert_eq!(find(2, "/", &[("x-provider", "newpay"), ("host", "pay.internal")]).0, 5);
    assert_eq!(find(0, "/", &[("host", "pay.internal-shadow")]), (0, "pay.internal-shadow".to_owned()));
    assert_eq!(find(0, "/", &[("host", "sink.internal-shadow")]), (6, "sink.internal".to_owned()));
    assert_eq!(find(0, "/", &[("host", "sink.internal-shadow:8080")]), (6, "sink.internal:8080".to_owned()));
}
