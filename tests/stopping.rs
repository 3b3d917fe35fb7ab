//! Stop means stop: how long after the click the last byte leaves for the new provider.

use crate::support::{Recorder, Upstream, clock, eventually};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Calls that never get an answer.
const HANGING: usize = 200;
/// The promise is 100 ms; a machine that builds and tests at the same time schedules later than that.
const STOP_MAX: Duration = Duration::from_secs(2);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// What the new provider noticed.
#[derive(Default)]
struct Noticed {
    hanging: AtomicUsize,
    answered: AtomicUsize,
    last_byte: Mutex<Option<Instant>>,
    last_cut: Mutex<Option<Instant>>,
}

/// Answers at once, but never below `/hang`.
async fn provider(noticed: Arc<Noticed>) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            open.spawn(serve(stream, Arc::clone(&noticed)));
        }
    });
    (url, serving)
}

async fn serve(mut stream: TcpStream, noticed: Arc<Noticed>) {
    let (mut hangs, mut bytes) = (false, [0; 8192]);
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        *noticed.last_byte.lock().unwrap() = Some(clock());
        if bytes[..read].starts_with(b"GET /hang") {
            hangs = true;
            noticed.hanging.fetch_add(1, Ordering::SeqCst);
        } else if stream.write_all(ANSWER).await.is_ok() {
            noticed.answered.fetch_add(1, Ordering::SeqCst);
        }
    }
    if hangs {
        *noticed.last_cut.lock().unwrap() = Some(clock());
        noticed.hanging.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_stops_two_hundred_hanging_calls_while_traffic_goes_on() {
    let primary = Upstream::replies("{}").await;
    let noticed = Arc::<Noticed>::default();
    let (shadow, _serving) = provider(Arc::clone(&noticed)).await;
    let more =
        "shadow.total_timeout = \"60s\"\nshadow.read_timeout = \"60s\"\nmirror.in_flight = 400\nmirror.queue = 400";
    let recorder = Recorder::with(&crate::support::config_text(&primary.url, &shadow, more));
    let client = reqwest::Client::new();
    for _ in 0..HANGING {
        client.get(format!("{}/hang", recorder.traffic)).send().await.unwrap();
    }
    eventually("all hanging", async || (noticed.hanging.load(Ordering::SeqCst) == HANGING).then_some(())).await;

    let (go_on, served) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let mut traffic = JoinSet::new();
    for _ in 0..8 {
        let (url, go_on, served, client) =
            (format!("{}/a", recorder.traffic), Arc::clone(&go_on), Arc::clone(&served), client.clone());
        traffic.spawn(async move {
            // Eight times 250 calls a second.
            let mut pace = tokio::time::interval(Duration::from_millis(4));
            while go_on.load(Ordering::SeqCst) {
                pace.tick().await;
                assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
                served.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    let began = clock();
    eventually("traffic", async || (noticed.answered.load(Ordering::SeqCst) > 2_000).then_some(())).await;
    let per_s = served.load(Ordering::SeqCst) as f64 / began.elapsed().as_secs_f64();

    // The answer leads back to the page, which is not part of the stop.
    let person = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let click = clock();
    let stop = person.post(format!("{}/integrations/payments/stop", recorder.console)).send();
    assert_eq!(stop.await.unwrap().status(), 303);
    let answered = click.elapsed();
    eventually("all cut off", async || (noticed.hanging.load(Ordering::SeqCst) == 0).then_some(())).await;
    let before = served.load(Ordering::SeqCst);
    eventually("users served on", async || (served.load(Ordering::SeqCst) > before + 500).then_some(())).await;
    go_on.store(false, Ordering::SeqCst);
    while let Some(done) = traffic.join_next().await {
        done.unwrap();
    }
    let since_click = |at: &Mutex<Option<Instant>>| at.lock().unwrap().unwrap().saturating_duration_since(click);
    let (last_byte, cut_off) = (since_click(&noticed.last_byte), since_click(&noticed.last_cut));
    eprintln!(
        "{per_s:.0} calls/s: answered after {answered:?}, last byte to the new provider after {last_byte:?}, \
         {HANGING} hanging calls cut off after {cut_off:?}"
    );
    assert!(last_byte < STOP_MAX && cut_off < STOP_MAX, "{last_byte:?} {cut_off:?}");
    let one = recorder.at_rest().await;
    assert_eq!(one["ledger"]["adds_up"], true, "{one}");
    assert!(one["ledger"]["mirrored"]["aborted"].as_u64() >= Some(HANGING as u64), "{one}");

    // It survives a restart.
    let (folder, _) = recorder.stop();
    let recorder = Recorder::inside(folder, &crate::support::config_text(&primary.url, &shadow, more));
    assert_eq!(recorder.status().await["integrations"][0]["state"], "off");
}
