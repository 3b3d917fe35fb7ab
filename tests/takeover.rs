//! A recorder is replaced by the next one while it works, and nobody who calls it notices.

use crate::support::{Recorder, Upstream, command, connect, eventually, hear, json};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CALL: &[u8] = b"GET /things HTTP/1.1\r\nHost: recorder.test\r\n\r\n";

/// The answer to one call, with its body; none if the connection failed.
async fn call(stream: &mut TcpStream) -> Option<String> {
    stream.write_all(CALL).await.ok()?;
    hear(stream, "\r\n\r\n{}").await
}

/// What the clients together have seen.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Load {
    fn count(&self, answered: bool) {
        let which = if answered { &self.answered } else { &self.failed };
        which.fetch_add(1, Ordering::Relaxed);
    }

    async fn more(&self, calls: u64) {
        let target = self.answered.load(Ordering::Relaxed) + calls;
        eventually("more answers", async || (self.answered.load(Ordering::Relaxed) >= target).then_some(())).await;
    }
}

/// Calls on one connection for as long as the answers let it; never tries a call again.
async fn keep_alive(url: String, load: Arc<Load>) {
    let mut open: Option<TcpStream> = None;
    while !load.stop.load(Ordering::Relaxed) {
        let mut stream = match open.take() {
            Some(stream) => stream,
            None => connect(&url).await,
        };
        let answer = call(&mut stream).await;
        load.count(answer.is_some());
        if answer.is_some_and(|text| !text.to_lowercase().contains("connection: close")) {
            open = Some(stream);
        }
    }
}

/// A connection for each call.
async fn one_by_one(url: String, load: Arc<Load>) {
    while !load.stop.load(Ordering::Relaxed) {
        let answer = call(&mut connect(&url).await).await;
        load.count(answer.is_some());
    }
}

/// The two numbers of `closed: N requests, M recorded, the ledger adds up`.
fn numbers(last: &str) -> (u64, u64) {
    assert!(last.ends_with("the ledger adds up"), "{last}");
    let mut found = last.split(' ').filter_map(|word| word.parse().ok());
    (found.next().unwrap(), found.next().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_takeovers_under_load_fail_no_call_and_lose_no_count() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let mut recorder = Recorder::between(&primary, &shadow, "");
    let url = recorder.traffic.clone();
    let load = Arc::new(Load::default());
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(keep_alive(url.clone(), load.clone()));
    }
    for _ in 0..2 {
        clients.spawn(one_by_one(url.clone(), load.clone()));
    }
    let (mut arrived, mut recorded) = (0, 0);
    let mut add = |(code, last): (Option<i32>, String)| {
        assert_eq!(code, Some(0), "{last}");
        let (requests, captures) = numbers(&last);
        arrived += requests;
        recorded += captures;
        assert!(requests > 0);
    };
    for _ in 0..3 {
        load.more(200).await;
        let (next, old) = tokio::task::spawn_blocking(move || recorder.relieved()).await.unwrap();
        assert_eq!(next.traffic, url);
        // Each connection ends with its next answer, so the old one ends while the load goes on.
        add(tokio::task::spawn_blocking(move || old.ended()).await.unwrap());
        recorder = next;
    }
    load.more(200).await;
    load.stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
    recorder.at_rest().await;
    add(tokio::task::spawn_blocking(move || recorder.last_words()).await.unwrap());
    assert_eq!(load.failed.load(Ordering::Relaxed), 0);
    let answered = load.answered.load(Ordering::Relaxed);
    assert_eq!((arrived, primary.seen().len() as u64), (answered, answered));
    assert_eq!(recorded, shadow.seen().len() as u64);
}

#[tokio::test]
async fn a_switch_and_a_slow_call_survive_the_takeover() {
    let gate = Arc::new(AtomicBool::new(false));
    let held = gate.clone();
    let primary = Upstream::answers(move |seen| {
        let slow = seen.target == "/slow" && !held.swap(true, Ordering::Relaxed);
        (!slow).then(|| json("{}"))
    })
    .await;
    let shadow = Upstream::replies("{}").await;
    let recorder = Recorder::between(&primary, &shadow, "primary.read_timeout = \"3s\"");
    let url = recorder.traffic.clone();
    let stopped = recorder.cli(&["stop", "payments", "--reason", "night", "--console", &recorder.console]);
    assert!(stopped.status.success(), "{stopped:?}");
    // One call runs, one connection is idle: the old recorder answers both, the idle one's next call as well.
    let (mut slow, mut idle) = (connect(&url).await, connect(&url).await);
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n").await.unwrap();
    assert!(call(&mut idle).await.is_some());
    eventually("the slow call", async || gate.load(Ordering::Relaxed).then_some(())).await;
    let (next, old) = recorder.relieved();
    // The old recorder hears that it may go a moment after the new one said that it serves.
    loop {
        let last = call(&mut idle).await.unwrap();
        assert!(last.starts_with("HTTP/1.1 200"), "{last}");
        if last.contains("onnection: close") {
            break;
        }
    }
    let slow = hear(&mut slow, "in time").await.unwrap();
    assert!(slow.starts_with("HTTP/1.1 504"), "the primary's own silence, not a cut connection: {slow}");
    let status = next.status().await;
    assert_eq!(status["integrations"][0]["state"], "off", "{status}");
    assert_eq!(status["integrations"][0]["reason"], "night", "{status}");
    let (code, words) = old.ended();
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("the ledger adds up"), "{words}");
    // The lock changed hands: a third recorder on the same file is refused.
    let third = next.cli(&["run"]);
    assert_eq!(third.status.code(), Some(2), "{third:?}");
}

#[tokio::test]
async fn without_a_running_recorder_there_is_nothing_to_take_over_from() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let (folder, _) = recorder.stop();
    let refused = command().args(["run", "--takeover"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing to take over from"), "{refused:?}");
}

#[tokio::test]
async fn a_takeover_that_cannot_start_leaves_the_running_recorder_alone() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let config = recorder.folder.path().join("darklaunch.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    let taken = primary.url.trim_start_matches("http://");
    std::fs::write(&config, good.replacen("127.0.0.1:0", taken, 1)).unwrap();
    assert_eq!(recorder.cli(&["run", "--takeover"]).status.code(), Some(2));
    std::fs::write(&config, good).unwrap();
    let mut stream = connect(&recorder.traffic).await;
    assert!(call(&mut stream).await.is_some());
    // And it can still be taken over from.
    let (next, old) = recorder.relieved();
    drop(stream);
    assert_eq!(old.ended().0, Some(0));
    assert_eq!(next.status().await["integrations"][0]["name"], "payments");
}

/// Whom the running recorder takes for its successor, up to the word that freezes it; then the process is gone.
fn dies_after_the_freeze(recorder: &Recorder) {
    let find = |folder: &std::path::Path| {
        let here = std::fs::read_dir(folder).unwrap().filter_map(Result::ok).map(|entry| entry.path());
        here.collect::<Vec<_>>()
    };
    let below = find(recorder.folder.path()).into_iter().filter(|path| path.is_dir()).flat_map(|path| find(&path));
    let handover = |path: &std::path::PathBuf| path.ends_with("handover.sock");
    let mut streams = below.filter(handover).filter_map(|path| UnixStream::connect(path).ok());
    let mut stream = streams.next().unwrap();
    stream.write_all(b"?").unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut list = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut list).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let sockets: u64 = list["traffic"].as_array().unwrap().iter().map(|one| one[1].as_u64().unwrap()).sum();
    // A byte for each socket, the console's and the lock; what comes with them is closed unseen.
    let mut given = vec![0; usize::try_from(sockets).unwrap() + 2];
    stream.read_exact(&mut given).unwrap();
    stream.write_all(b"F").unwrap();
    let mut frozen = [0];
    stream.read_exact(&mut frozen).unwrap();
    assert_eq!(&frozen, b".");
}

#[tokio::test]
async fn a_successor_that_dies_between_freeze_and_ready_is_as_if_it_had_never_been() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let mut kept = connect(&recorder.traffic).await;
    assert!(call(&mut kept).await.is_some());
    for _ in 0..2 {
        dies_after_the_freeze(&recorder);
        // The connection from before, a new one, the console and its switch all work, and nothing says goodbye.
        let again = call(&mut kept).await.unwrap();
        assert!(!again.to_lowercase().contains("connection: close"), "{again}");
        assert!(call(&mut connect(&recorder.traffic).await).await.is_some());
        eventually("the console", async || {
            let stopped = recorder.cli(&["stop", "payments", "--reason", "night", "--console", &recorder.console]);
            stopped.status.success().then_some(())
        })
        .await;
    }
    // What was switched after the failed takeover is what the next one finds.
    let (next, old) = recorder.relieved();
    drop(kept);
    let (code, words) = old.ended();
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("the ledger adds up") && words.contains(" 5 requests"), "{words}");
    assert_eq!(next.status().await["integrations"][0]["reason"], "night");
    assert_eq!(primary.seen().len(), 5);
}

/// One frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The whole frames of what was read: kind, stream, payload.
fn frames(mut read: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut found = Vec::new();
    while read.len() >= 9 && read.len() - 9 >= usize::from(read[2]) {
        let (whole, rest) = read.split_at(9 + usize::from(read[2]));
        found.push((whole[3], whole[8], &whole[9..]));
        read = rest;
    }
    found
}

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOODBYE: u8 = 7;

#[tokio::test]
async fn the_last_goodbye_names_the_last_call_that_was_processed() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    // GET http://a.test/, as HPACK writes it, and that it is all of the request.
    let get = |stream| frame(HEADERS, 5, stream, b"\x82\x86\x84\x41\x06a.test");
    let begin = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, b""), get(1)].concat();
    let mut wire = connect(&recorder.traffic).await;
    wire.write_all(&begin).await.unwrap();
    let mut read = Vec::new();
    let has = |read: &[u8], kind| frames(read).iter().any(|one| one.0 == kind);
    while !has(&read, HEADERS) {
        assert_ne!(wire.read_buf(&mut read).await.unwrap(), 0);
    }
    let (next, old) = recorder.relieved();
    while !has(&read, PING) {
        assert_ne!(wire.read_buf(&mut read).await.unwrap(), 0);
    }
    // A client may answer the ping before it writes the call it holds.
    let ping = frames(&read).iter().find(|one| one.0 == PING).unwrap().2.to_vec();
    wire.write_all(&[frame(PING, 1, 0, &ping), get(3)].concat()).await.unwrap();
    // Closing with a call unread may be a reset.
    while wire.read_buf(&mut read).await.unwrap_or(0) > 0 {}
    let goodbyes: Vec<_> =
        frames(&read).into_iter().filter(|one| one.0 == GOODBYE).map(|one| one.2[..4].to_vec()).collect();
    assert_eq!(goodbyes, [[127, 255, 255, 255], [0, 0, 0, 1]]);
    assert_eq!(frames(&read).iter().filter(|one| one.0 == HEADERS).map(|one| one.1).collect::<Vec<_>>(), [1]);
    assert_eq!(primary.seen().len(), 1);
    let (code, last) = old.ended();
    assert_eq!((code, numbers(&last).0), (Some(0), 1), "{last}");
    drop(next);
}

/// Whether a goodbye named the call as one that was not processed: such a call may be sent again (RFC 9113, section 6.8).
fn not_processed(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| cause.is_go_away() && cause.is_remote() && cause.reason() == Some(h2::Reason::NO_ERROR))
}

/// Calls over HTTP/2 connections, a few at once on each; what was not processed goes to the next connection, as a client
/// may. That it was not is held by the counts: whatever arrived was answered to somebody.
async fn http2_calls(url: String, load: Arc<Load>) {
    let authority = url.trim_start_matches("http://").to_owned();
    let get = || http::Request::get(format!("http://{authority}/things")).body(Empty::<Bytes>::new()).unwrap();
    while !load.stop.load(Ordering::Relaxed) {
        let io = TokioIo::new(connect(&url).await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let mut goes_on = true;
        while goes_on && !load.stop.load(Ordering::Relaxed) {
            let mut few = JoinSet::new();
            for _ in 0..4 {
                let (mut sender, request) = (sender.clone(), get());
                few.spawn(async move { sender.try_send_request(request).await });
            }
            while let Some(answer) = few.join_next().await {
                match answer.unwrap() {
                    Ok(answer) => load.count(answer.status() == 200 && answer.into_body().collect().await.is_ok()),
                    Err(mut error) => match error.take_message() {
                        Some(_unsent) => goes_on = false,
                        // It crossed the last goodbye, as in the story above.
                        None if not_processed(error.error()) => goes_on = false,
                        None => load.count(false),
                    },
                }
            }
            goes_on &= !sender.is_closed();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_connections_say_goodbye_at_a_takeover_and_no_stream_fails() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let mut recorder = Recorder::between(&primary, &shadow, "");
    let load = Arc::new(Load::default());
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        clients.spawn(http2_calls(recorder.traffic.clone(), load.clone()));
    }
    let mut arrived = 0;
    for _ in 0..2 {
        load.more(200).await;
        let (next, old) = tokio::task::spawn_blocking(move || recorder.relieved()).await.unwrap();
        let (code, last) = tokio::task::spawn_blocking(move || old.ended()).await.unwrap();
        assert_eq!(code, Some(0), "{last}");
        arrived += numbers(&last).0;
        recorder = next;
    }
    load.more(200).await;
    load.stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
    recorder.at_rest().await;
    arrived += tokio::task::spawn_blocking(move || numbers(&recorder.last_words().1).0).await.unwrap();
    let answered = load.answered.load(Ordering::Relaxed);
    assert_eq!((load.failed.load(Ordering::Relaxed), arrived, primary.seen().len() as u64), (0, answered, answered));
}
