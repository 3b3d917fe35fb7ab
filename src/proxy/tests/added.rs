//! What we add to a call: both ways, without the primary's time, once for every answered call.

use super::*;
use crate::exchange::{Instant, Role};
use crate::latency::Phase;
use crate::proxy::first_byte::FirstByte;
use crate::proxy::forward::{Worker, added_since};
use crate::proxy::http1::Wire;
use std::sync::atomic::AtomicU64;

fn worker() -> Worker {
    let switch = Switchboard::new(vec![(Arc::from("pay"), control::Settings::default())], Clock);
    let ledger = Ledger::new(vec![Arc::from("pay")]);
    let adapt = adapt::Settings::to(PrimaryUrl::parse(ANYWHERE).unwrap());
    let (board, book) = (switch.get("pay").unwrap(), ledger.of("pay").unwrap());
    let (door, _line) = mirror::door(mirror::Settings::default(), adapt, target(ANYWHERE), board, book, Clock);
    let route = Route {
        matcher: Matcher::default(),
        strip_prefix: false,
        primary: None,
        primary_read_timeout_ms: 1,
        passing: Passing::default(),
        endpoints: EndpointNames::new(&[], 1),
        door,
        book: Arc::clone(book),
    };
    Worker {
        settings: Arc::default(),
        routes: Arc::new(vec![route]),
        primaries: Vec::new(),
        shard: Mutex::default(),
        clock: Clock,
        ending: crate::proxy::worker::Ending::default(),
        handshakes_failed: AtomicU64::new(0),
    }
}

fn added_us(shard: &Shard) -> Vec<u64> {
    shard.added().map(|(_, series)| series.sum_us()).collect()
}

#[test]
fn both_ways_count_and_the_primarys_time_does_not() {
    let ms = Duration::from_millis;
    let came = Clock.now();
    let (started, answered) = (came + ms(3), came + ms(1_000));
    let since = added_since(came, started, ms(2), answered).unwrap();
    assert_eq!((answered + ms(40)).saturating_duration_since(since), ms(3 + 2 + 40));
}

#[tokio::test]
async fn it_ends_with_the_answers_first_byte() {
    let hour = Duration::from_secs(3_600);
    let answered = Clock.now();
    // As if the connection had been made before: an hour ago may be before the machine's own beginning.
    let made = answered.checked_sub(hour).unwrap_or(answered);
    let (wire, worker) = (Arc::new(Wire::new(made)), Arc::new(worker()));
    let (client, mut application) = tokio::io::duplex(1 << 10);
    let mut stream = FirstByte { inner: client, wire: Arc::clone(&wire), worker: Arc::clone(&worker) };
    stream.write_all(b"of an earlier answer").await.unwrap();
    assert!(worker.shard.lock().unwrap().is_empty());
    worker.owe(0, made, Some(&wire));
    assert!(worker.shard.lock().unwrap().is_empty(), "it was counted before the answer went back");
    stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
    stream.write_all(b"\r\n").await.unwrap();
    let passed_us = u64::try_from(answered.saturating_duration_since(made).as_micros()).unwrap();
    let shard = worker.shard.lock().unwrap().take();
    assert!(matches!(added_us(&shard)[..], [us] if us >= passed_us), "{:?}", added_us(&shard));
    assert_eq!(shard.added().map(|(_, series)| series.len()).collect::<Vec<_>>(), [1]);
    application.read_buf(&mut Vec::new()).await.unwrap();
}

/// A provider that takes so long for each answer.
async fn slow_provider(listener: tokio::net::TcpListener, takes: Duration) {
    let mut open = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        open.spawn(async move {
            while read_message(&mut stream).await.is_some() {
                let since: Instant = Clock.now();
                until("the provider's time", || Clock.now().saturating_duration_since(since) >= takes).await;
                stream.write_all(OK).await.unwrap_or_default();
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answered_call_is_measured_once_on_both_ways() {
    let takes = Duration::from_millis(200);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(slow_provider(listener, takes));
    let mut stand = Stand::start(Some(url), ANYWHERE, all_methods()).await;
    for _ in 0..3 {
        assert_eq!(stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.as_bytes(), OK);
    }
    let shard = stand.measured().await;
    let phase = |wanted: Phase| -> u64 {
        let of = |key: &crate::latency::SeriesKey| key.role == Role::Primary && key.phase == wanted;
        shard.iter().filter(|(key, _)| of(key)).map(|(_, series)| series.sum_us()).sum()
    };
    let (way_there_us, total_us) = (phase(Phase::QueueWait), phase(Phase::Total));
    assert_eq!(shard.added().map(|(name, series)| (&**name, series.len())).collect::<Vec<_>>(), [("pay", 3)]);
    let added_us = added_us(&shard)[0];
    assert!(total_us >= 3 * 200_000, "{total_us}");
    assert!(way_there_us < added_us && added_us < 3 * 200_000, "{way_there_us} {added_us}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_an_answer_is_not_measured() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut stand = Stand::start(Some(format!("http://{closed}")), ANYWHERE, all_methods()).await;
    assert!(stand.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.starts_with("HTTP/1.1 502"));
    assert_eq!(stand.measured().await.added().count(), 0);
}
