//! How providers are reached: TLS both ways, HTTP/2, connections that serve again, unix sockets.

use crate::support::{Authority, Provider, Recorder, config_text, talk};
use bytes::Bytes;
use http::Version;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const GET: &[u8] = b"GET /a?x=1 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";

/// One worker, so that there is one set of connections to count.
const ONE_WORKER: &str = "\n[limits]\nworkers = 1\n";

/// The file and what it holds, below the story's folder.
fn keep(folder: &TempDir, name: &str, text: &str) -> String {
    std::fs::write(folder.path().join(name), text).unwrap();
    format!("\"{name}\"")
}

fn recorder(folder: TempDir, primary: &str, shadow: &str, keys: &[String]) -> Recorder {
    let mut more = String::new();
    for key in keys {
        writeln!(more, "{key}").unwrap();
    }
    Recorder::inside(folder, &config_text(primary, shadow, &(more + ONE_WORKER)))
}

fn https(provider: &Provider) -> String {
    format!("https://{}", provider.address)
}

fn http(provider: &Provider) -> String {
    format!("http://{}", provider.address)
}

#[tokio::test]
async fn both_legs_speak_https_to_a_given_authority_and_to_no_other() {
    let (ours, theirs, folder) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    let primary = Provider::on_loopback(Some(ours.server("127.0.0.1", &[], None))).await;
    let shadow = Provider::on_loopback(Some(ours.server("127.0.0.1", &[], None))).await;
    let good = keep(&folder, "ours.pem", &ours.pem);
    let trust = [format!("primary.tls.ca_file = {good}"), format!("shadow.tls.ca_file = {good}")];
    let both = recorder(folder, &https(&primary), &https(&shadow), &trust);
    let said = talk(&both.traffic, GET).await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("x-provider: p"), "{said}");
    let one = both.at_rest().await;
    assert_eq!(
        (&one["ledger"]["mirrored"]["ok"], one["ledger"]["adds_up"].as_bool()),
        (&1.into(), Some(true)),
        "{one}"
    );
    assert_eq!((primary.heard()[0].version, shadow.heard().len()), (Version::HTTP_11, 1));
    let folder = tempfile::tempdir().unwrap();
    let bad = keep(&folder, "theirs.pem", &theirs.pem);
    let trust = [format!("primary.tls.ca_file = {bad}"), format!("shadow.tls.ca_file = {bad}")];
    let none = recorder(folder, &https(&primary), &https(&shadow), &trust);
    let said = talk(&none.traffic, GET).await;
    assert!(said.starts_with("HTTP/1.1 502") && said.contains("darklaunch-error: primary_connect"), "{said}");
    let one = none.at_rest().await;
    assert_eq!(one["primary"]["network_error"], 1, "{one}");
    assert_eq!(one["ledger"]["mirrored"]["network_error"], 1, "{one}");
    assert_eq!((primary.heard().len(), shadow.heard().len()), (1, 1));
}

#[tokio::test]
async fn a_provider_that_asks_for_a_certificate_sees_ours_and_refuses_without() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let primary = Provider::on_loopback(Some(authority.server("127.0.0.1", &["h2"], Some(&authority)))).await;
    let shadow = Provider::on_loopback(None).await;
    let own = authority.identity("recorder.test");
    let ca = format!("primary.tls.ca_file = {}", keep(&folder, "ca.pem", &authority.pem));
    let keys = [
        ca,
        format!("primary.tls.client_cert_file = {}", keep(&folder, "own.pem", &own.cert)),
        format!("primary.tls.client_key_file = {}", keep(&folder, "own.key", &own.key)),
    ];
    let given = recorder(folder, &https(&primary), &http(&shadow), &keys);
    assert!(talk(&given.traffic, GET).await.starts_with("HTTP/1.1 200"));
    let folder = tempfile::tempdir().unwrap();
    let ca = format!("primary.tls.ca_file = {}", keep(&folder, "ca.pem", &authority.pem));
    let without = recorder(folder, &https(&primary), &http(&shadow), &[ca]);
    assert!(talk(&without.traffic, GET).await.starts_with("HTTP/1.1 502"));
    assert_eq!(without.at_rest().await["primary"]["network_error"], 1);
    assert_eq!(primary.heard().len(), 1);
}

#[tokio::test]
async fn the_name_for_tls_can_be_another_than_the_address() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let primary = Provider::on_loopback(Some(authority.server("api.provider.test", &["http/1.1"], None))).await;
    let shadow = Provider::on_loopback(None).await;
    let keys = [
        format!("primary.tls.ca_file = {}", keep(&folder, "ca.pem", &authority.pem)),
        "primary.tls.server_name = \"api.provider.test\"".to_owned(),
    ];
    let recorder = recorder(folder, &https(&primary), &http(&shadow), &keys);
    assert!(talk(&recorder.traffic, GET).await.starts_with("HTTP/1.1 200"));
    assert_eq!(primary.names(), [Some("api.provider.test".to_owned())]);
    assert_eq!(primary.heard()[0].headers["host"], primary.address.as_str());
}

/// What an application of HTTP/1.1 gets through a provider of HTTP/2, and what that provider sees.
async fn speaks_http2(recorder: &Recorder, primary: &Provider) {
    let chunked = b"POST /up?b=%2F HTTP/1.1\r\nHost: app.test\r\nX-CaSe: 1\r\nCookie: a=1; b=2\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n3\r\nabc\r\n0\r\nX-Check: 7\r\n\r\n";
    let said = talk(&recorder.traffic, chunked).await;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.contains("\r\nabc\r\n0\r\nx-sum: 3\r\n"), "{said}");
    let heard = primary.heard().remove(0);
    assert_eq!((heard.version, heard.authority.as_deref()), (Version::HTTP_2, Some(primary.address.as_str())));
    assert_eq!((&heard.headers["te"], &heard.headers["x-case"]), (&"trailers".parse().unwrap(), &"1".parse().unwrap()));
    let hop = ["host", "connection", "transfer-encoding"];
    assert!(hop.iter().all(|name| !heard.headers.contains_key(*name)), "{:?}", heard.headers);
    assert_eq!((&heard.body[..], heard.trailers["x-check"].as_bytes()), (&b"abc"[..], &b"7"[..]));
    let large = Bytes::from((0..6 << 20).map(|at: usize| (at % 251) as u8).collect::<Vec<_>>());
    let client = reqwest::Client::new();
    let once = || async {
        let answer = client.post(format!("{}/up", recorder.traffic)).body(large.clone()).send().await.unwrap();
        assert_eq!(answer.version(), Version::HTTP_11);
        assert!(answer.bytes().await.unwrap() == large, "the body came back changed");
    };
    tokio::join!(once(), once(), once());
    assert_eq!((primary.heard().len(), primary.accepted()), (4, 1), "one connection carries all");
}

#[tokio::test]
async fn http2_is_negotiated_with_trailers_and_large_bodies() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let primary = Provider::on_loopback(Some(authority.server("127.0.0.1", &["h2", "http/1.1"], None))).await;
    let shadow = Provider::on_loopback(Some(authority.server("127.0.0.1", &["h2", "http/1.1"], None))).await;
    let ca = keep(&folder, "ca.pem", &authority.pem);
    let keys = [format!("primary.tls.ca_file = {ca}"), format!("shadow.tls.ca_file = {ca}")];
    let recorder = recorder(folder, &https(&primary), &https(&shadow), &keys);
    speaks_http2(&recorder, &primary).await;
    assert!(talk(&recorder.traffic, GET).await.starts_with("HTTP/1.1 200"));
    assert_eq!(recorder.at_rest().await["ledger"]["mirrored"]["ok"], 1);
    let copy = shadow.heard().remove(0);
    assert_eq!((copy.version, copy.authority.as_deref()), (Version::HTTP_2, Some(shadow.address.as_str())));
}

#[tokio::test]
async fn http2_without_tls_is_spoken_by_prior_knowledge() {
    let (primary, shadow) = (Provider::on_loopback(None).await, Provider::on_loopback(None).await);
    let keys = ["primary.http = \"2\"".to_owned()];
    let recorder = recorder(tempfile::tempdir().unwrap(), &http(&primary), &http(&shadow), &keys);
    speaks_http2(&recorder, &primary).await;
}

#[tokio::test]
async fn http1_can_be_asked_for_where_http2_is_offered() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let primary = Provider::on_loopback(Some(authority.server("127.0.0.1", &["h2", "http/1.1"], None))).await;
    let shadow = Provider::on_loopback(None).await;
    let ca = keep(&folder, "ca.pem", &authority.pem);
    let keys = [format!("primary.tls.ca_file = {ca}"), "primary.http = \"1.1\"".to_owned()];
    let recorder = recorder(folder, &https(&primary), &http(&shadow), &keys);
    assert!(talk(&recorder.traffic, GET).await.starts_with("HTTP/1.1 200"));
    assert_eq!(primary.heard()[0].version, Version::HTTP_11);
}

#[tokio::test]
async fn connections_serve_again_on_both_legs() {
    let (primary, shadow) = (Provider::on_loopback(None).await, Provider::on_loopback(None).await);
    let keys = ["mirror.in_flight = 1".to_owned()];
    let recorder = recorder(tempfile::tempdir().unwrap(), &http(&primary), &http(&shadow), &keys);
    for _ in 0..30 {
        assert!(talk(&recorder.traffic, GET).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(recorder.at_rest().await["ledger"]["mirrored"]["ok"], 30);
    assert_eq!((primary.heard().len(), primary.accepted()), (30, 1));
    assert_eq!((shadow.heard().len(), shadow.accepted()), (30, 1));
}

#[tokio::test]
async fn a_provider_on_a_unix_socket_is_called_by_the_name_in_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let primary = Provider::on_socket(&folder.path().join("primary.sock"));
    let shadow = Provider::on_socket(&folder.path().join("shadow.sock"));
    let keys = ["primary.socket = \"primary.sock\"", "shadow.socket = \"shadow.sock\""].map(str::to_owned);
    let recorder = recorder(folder, "http://old.test/v1", "http://new.test/v2", &keys);
    assert!(talk(&recorder.traffic, GET).await.starts_with("HTTP/1.1 200"));
    assert_eq!(recorder.at_rest().await["ledger"]["mirrored"]["ok"], 1);
    assert_eq!(primary.heard()[0].headers["host"], "old.test");
    assert_eq!(shadow.heard()[0].headers["host"], "new.test");
}

/// A provider of HTTP/2 that leaves every connection after so many answers.
struct Leaver {
    address: String,
    connections: Arc<AtomicUsize>,
    heard: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Leaver {
    /// `abruptly`: the last request of a connection is left unanswered with an error; else the connection says that it takes
    /// no more, and answers what came.
    async fn after(answers: usize, abruptly: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (connections, heard) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let mut serving = JoinSet::new();
        let (open, seen) = (connections.clone(), heard.clone());
        serving.spawn(async move {
            let mut each = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.fetch_add(1, Ordering::SeqCst);
                each.spawn(Self::serve(stream, answers, abruptly, seen.clone()));
            }
        });
        Self { address, connections, heard, _serving: serving }
    }

    async fn serve(stream: TcpStream, answers: usize, abruptly: bool, heard: Arc<AtomicUsize>) {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        let mut answered = 0;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            heard.fetch_add(1, Ordering::SeqCst);
            answered += 1;
            if abruptly && answered > answers {
                connection.abrupt_shutdown(h2::Reason::INTERNAL_ERROR);
                continue;
            }
            let mut body = respond.send_response(http::Response::new(()), false).unwrap();
            body.send_data(Bytes::from_static(b"hi"), true).unwrap();
            if !abruptly && answered == answers {
                connection.graceful_shutdown();
            }
        }
    }

    fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.heard.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_provider_that_says_goodbye_gets_its_calls_over_new_connections_and_none_fails() {
    let (primary, shadow) = (Leaver::after(3, false).await, Provider::on_loopback(None).await);
    let keys = ["primary.http = \"2\"".to_owned()];
    let recorder =
        recorder(tempfile::tempdir().unwrap(), &format!("http://{}", primary.address), &http(&shadow), &keys);
    for _ in 0..10 {
        let four = [(); 4].map(|()| talk(&recorder.traffic, GET));
        let [a, b, c, d] = four;
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        for said in [a, b, c, d] {
            assert!(said.starts_with("HTTP/1.1 200") && said.contains("hi"), "{said}");
        }
    }
    let (connections, heard) = primary.counts();
    assert!(heard == 40 && connections >= 4, "{connections} connections, {heard} requests");
}

#[tokio::test]
async fn a_provider_that_breaks_its_connection_off_fails_that_call_once_and_the_next_is_served() {
    let (primary, shadow) = (Leaver::after(2, true).await, Provider::on_loopback(None).await);
    let keys = ["primary.http = \"2\"".to_owned()];
    let recorder =
        recorder(tempfile::tempdir().unwrap(), &format!("http://{}", primary.address), &http(&shadow), &keys);
    for round in 1..=3 {
        for _ in 0..2 {
            assert!(talk(&recorder.traffic, GET).await.starts_with("HTTP/1.1 200"));
        }
        let broken = talk(&recorder.traffic, GET).await;
        assert!(broken.starts_with("HTTP/1.1 502") && broken.contains("darklaunch-error: primary_"), "{broken}");
        // Not one request more: what was written is never sent again.
        assert_eq!(primary.counts(), (round, 3 * round));
    }
    let one = recorder.at_rest().await;
    assert_eq!((&one["primary"]["ok"], &one["primary"]["network_error"]), (&6.into(), &3.into()), "{one}");
}
