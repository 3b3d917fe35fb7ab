//! The door sheds with a reason, and what it takes ends once.

use super::*;
use crate::adapt;
use crate::control::{self, Switchboard};
use crate::exchange::{BodyCopy, Clock, NotMirrored, Outcome, RequestCopy};
use crate::mirror::held::Budget;
use crate::mirror::sample::key_hash;
use crate::telemetry::Ledger;
use crate::upstream::{HttpVersion, Target, TargetSettings, Tls};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Request};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn json_key(share_ppm: u32) -> (Settings, control::Settings) {
    let sample_key = SampleKey::Json(JsonPointer::parse("/customer").unwrap());
    let mirror = Settings { sample_key, methods: vec![Method::POST], ..Settings::default() };
    (mirror, control::Settings { sample_ppm: share_ppm, ..on() })
}

fn from_customer(customer: u64) -> RequestCopy {
    let body = BodyCopy::complete(format!("{{\"n\":[1],\"customer\":{customer}}}").into());
    RequestCopy { method: Method::POST, target: "/".into(), headers: HeaderMap::new(), body }
}

struct Stand {
    board: Arc<Switchboard>,
    ledger: Arc<Ledger>,
    door: Door,
    line: Option<Line>,
}

fn stand(settings: Settings, control: control::Settings) -> Stand {
    let name: Arc<str> = Arc::from("pay");
    let board = Switchboard::new(vec![(Arc::clone(&name), control)], Clock);
    let ledger = Ledger::new(vec![name]);
    // Port 9 on loopback: nobody listens.
    let url = "http://127.0.0.1:9";
    let adapt = adapt::Settings::to(BaseUrl::parse(url).unwrap());
    let reach =
        TargetSettings { socket: None, http: HttpVersion::Auto, tls: Tls::default(), connect_timeout_ms: 5_000 };
    let target = Arc::new(Target::new(&url.parse().unwrap(), reach).unwrap());
    let (door, line) =
        crate::mirror::door(settings, adapt, target, board.get("pay").unwrap(), ledger.of("pay").unwrap(), Clock);
    Stand { board, ledger, door, line: Some(line) }
}

fn on() -> control::Settings {
    control::Settings { enabled: true, ..control::Settings::default() }
}

fn head(method: &str, target: &str) -> Parts {
    Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
}

fn copy() -> RequestCopy {
    RequestCopy { method: Method::GET, target: "/".into(), headers: HeaderMap::new(), body: BodyCopy::empty() }
}

impl Stand {
    fn consider(&self, method: &str, target: &str) -> Result<Ticket, NotMirrored> {
        self.ledger.of("pay").unwrap().arrived();
        self.door.consider(&head(method, target), &Arc::from(format!("{method} {target}")))
    }

    fn counted(&self, reason: NotMirrored) -> u64 {
        let book = self.ledger.of("pay").unwrap().snapshot();
        assert!(book.adds_up());
        book.not_mirrored[reason as usize]
    }
}

#[test]
fn every_refusal_has_its_reason() {
    let rules = vec![
        EndpointRule { endpoint: "POST /charges".into(), mirror: true },
        EndpointRule { endpoint: "GET /health".into(), mirror: false },
    ];
    let settings = Settings { endpoints: rules, queue_calls_max: 1, body_copy_bytes_max: 10, ..Settings::default() };
    let stand = stand(settings, on());
    assert_eq!(stand.consider("POST", "/x").unwrap_err(), NotMirrored::Method);
    assert_eq!(stand.consider("GET", "/health").unwrap_err(), NotMirrored::Endpoint);
    let mut ticket = stand.consider("POST", "/charges").unwrap();
    assert_eq!(ticket.grow(10), Ok(()));
    assert_eq!(ticket.grow(1), Err(NotMirrored::BodyTooLarge));
    ticket.shed(NotMirrored::BodyTooLarge);
    drop(stand.consider("GET", "/").unwrap());
    let late = stand.consider("GET", "/").unwrap();
    assert_eq!(stand.consider("GET", "/").unwrap_err(), NotMirrored::QueueFull);
    assert_eq!(late.offer(copy(), None), Offer::Taken);
    assert_eq!(stand.consider("GET", "/").unwrap_err(), NotMirrored::QueueFull);
    stand.board.stop_all("test", "");
    assert_eq!(stand.consider("GET", "/").unwrap_err(), NotMirrored::Off);
    stand.door.close();
    assert_eq!(stand.consider("GET", "/").unwrap_err(), NotMirrored::ShuttingDown);
    let reasons = [
        (NotMirrored::Method, 1),
        (NotMirrored::Endpoint, 1),
        (NotMirrored::BodyTooLarge, 1),
        (NotMirrored::UploadAborted, 1),
        (NotMirrored::QueueFull, 2),
        (NotMirrored::Off, 1),
        (NotMirrored::ShuttingDown, 1),
    ];
    for (reason, count) in reasons {
        assert_eq!(stand.counted(reason), count, "{reason:?}");
    }
}

#[test]
fn memory_is_shed_at_the_door_and_comes_back() {
    let stand = stand(Settings { bytes_max: 5_000, ..Settings::default() }, on());
    let mut first = stand.consider("GET", "/").unwrap();
    assert_eq!(first.grow(2_500), Ok(()));
    assert_eq!(stand.consider("GET", "/").unwrap_err(), NotMirrored::Memory);
    assert_eq!(first.grow(2_000), Err(NotMirrored::Memory));
    first.shed(NotMirrored::Memory);
    assert_eq!(stand.door.bytes_held(), 0);
    assert!(stand.consider("GET", "/").is_ok());
}

#[test]
fn a_stop_between_head_and_body_is_obeyed_and_the_budget_is_given_back() {
    let stand = stand(Settings::default(), control::Settings { daily_calls_max: Some(1), ..on() });
    let ticket = stand.consider("GET", "/").unwrap();
    stand.board.stop_all("test", "");
    assert_eq!(ticket.offer(copy(), None), Offer::Shed(NotMirrored::Off));
    stand.board.get("pay").unwrap().start("test", "again", control::Share::AsItWas).unwrap();
    assert!(stand.consider("GET", "/").is_ok());
}

#[test]
fn shares_of_the_budget_join_and_return() {
    let budget = Budget::new(10, &MemoryInAll::default());
    let (mut one, mut two) = (BytesHeld::none(&budget), BytesHeld::none(&budget));
    assert!(one.grow(6) && two.grow(4) && !two.grow(1));
    one.join(two);
    assert_eq!((one.bytes(), budget.used()), (10, 10));
    one.shrink(3);
    assert_eq!(budget.used(), 7);
    drop(one);
    assert_eq!(budget.used(), 0);
}

#[test]
fn the_same_key_has_the_same_place_on_every_machine() {
    let target = key_hash(&SampleKey::Target, &head("GET", "/a"));
    assert_eq!(target, key_hash(&SampleKey::Target, &head("GET", "/a")));
    assert_ne!(target, key_hash(&SampleKey::Target, &head("GET", "/b")));
    let by_header = SampleKey::Header(HeaderName::from_static("x-user"));
    let mut with = head("GET", "/a");
    assert_eq!(key_hash(&by_header, &with), target);
    with.headers.insert("x-user", http::HeaderValue::from_static("7"));
    let mut other = head("GET", "/b");
    other.headers = with.headers.clone();
    assert_eq!(key_hash(&by_header, &with), key_hash(&by_header, &other));
}

#[tokio::test]
async fn the_line_ends_when_its_doors_are_gone_and_everything_is_recorded() {
    let mut stand = stand(Settings::default(), on());
    for _ in 0..5 {
        assert_eq!(stand.consider("GET", "/").unwrap().offer(copy(), None), Offer::Taken);
    }
    let (recordings, mut taken) = mpsc::channel(8);
    let (shards, mut latencies) = mpsc::channel(8);
    let line = stand.line.take().unwrap();
    let Stand { door, ledger, board: _board, .. } = stand;
    drop(door);
    let outlets = Outlets { recordings, shards, announced: None };
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, run(vec![line], outlets, CancellationToken::new())).await.unwrap();
    let mut count = 0;
    while let Some(taken) = taken.recv().await {
        assert_eq!(taken.capture.shadow.outcome, Outcome::NetworkError);
        count += 1;
    }
    assert_eq!(count, 5);
    assert!(latencies.recv().await.is_some());
    let book = ledger.of("pay").unwrap().snapshot();
    assert!(book.adds_up() && book.pending == 0 && book.mirrored_total() == 5);
}

#[tokio::test]
async fn a_closing_deadline_ends_what_is_queued_as_aborted() {
    let mut stand = stand(Settings::default(), on());
    assert_eq!(stand.consider("GET", "/").unwrap().offer(copy(), None), Offer::Taken);
    let (recordings, mut taken) = mpsc::channel(8);
    let (shards, _latencies) = mpsc::channel(8);
    let line = stand.line.take().unwrap();
    let ledger = Arc::clone(&stand.ledger);
    drop(stand);
    let closing = CancellationToken::new();
    closing.cancel();
    run(vec![line], Outlets { recordings, shards, announced: None }, closing).await;
    assert_eq!(taken.recv().await.unwrap().capture.shadow.outcome, Outcome::Aborted);
    assert_eq!(ledger.of("pay").unwrap().snapshot().mirrored[Outcome::Aborted as usize], 1);
}

#[test]
fn the_switchs_refusals_are_counted_each_under_its_own_reason() {
    let refused = |control: control::Settings, prepare: fn(&Stand)| {
        let stand = stand(Settings::default(), control);
        prepare(&stand);
        let reason = stand.consider("GET", "/").unwrap_err();
        assert_eq!(stand.counted(reason), 1);
        reason
    };
    let first = |stand: &Stand| assert_eq!(stand.consider("GET", "/").unwrap().offer(copy(), None), Offer::Taken);
    let none = control::Settings { sample_ppm: 0, ..on() };
    assert_eq!(refused(none, |_| {}), NotMirrored::NotSampled);
    assert_eq!(refused(control::Settings { rate_per_s: Some(1), ..on() }, first), NotMirrored::Rate);
    assert_eq!(refused(control::Settings { daily_calls_max: Some(1), ..on() }, first), NotMirrored::Budget);
    let throttled = |stand: &Stand| stand.board.get("pay").unwrap().observe(Outcome::Throttled429, Some(60), 0);
    assert_eq!(refused(on(), throttled), NotMirrored::Paused429);
    let failing =
        |stand: &Stand| (0..20).for_each(|_| stand.board.get("pay").unwrap().observe(Outcome::Timeout, None, 0));
    assert_eq!(refused(on(), failing), NotMirrored::Breaker);
    let health = control::EndpointShare { method: None, path: "/".into(), share_ppm: 0 };
    assert_eq!(refused(control::Settings { endpoint_shares: vec![health], ..on() }, |_| {}), NotMirrored::NotSampled);
}

#[tokio::test]
async fn what_cannot_be_adapted_is_counted_and_not_called() {
    let mut stand = stand(Settings::default(), control::Settings { daily_calls_max: Some(9), ..on() });
    let body = BodyCopy::dropped(crate::exchange::DropReason::OverCap, 5);
    assert_eq!(stand.consider("GET", "/").unwrap().offer(RequestCopy { body, ..copy() }, None), Offer::Taken);
    let (recordings, _taken) = mpsc::channel(8);
    let (shards, _latencies) = mpsc::channel(8);
    let line = stand.line.take().unwrap();
    let (ledger, board) = (Arc::clone(&stand.ledger), Arc::clone(&stand.board));
    drop(stand);
    run(vec![line], Outlets { recordings, shards, announced: None }, CancellationToken::new()).await;
    let book = ledger.of("pay").unwrap().snapshot();
    assert!(book.adds_up() && book.pending == 0);
    assert_eq!(book.not_mirrored[NotMirrored::AdaptFailed as usize], 1);
    assert_eq!(board.get("pay").unwrap().state().daily_used_of_max, Some((0, 9)));
}

#[test]
fn a_key_in_the_body_is_decided_at_the_offer_and_what_is_out_takes_no_budget() {
    let (settings, control) = json_key(500_000);
    let stand = stand(settings, control::Settings { daily_calls_max: Some(1_000), ..control });
    let offer = |customer| stand.consider("POST", "/").unwrap().offer(from_customer(customer), None);
    let first: Vec<Offer> = (0..60).map(offer).collect();
    let again: Vec<Offer> = (0..60).map(offer).collect();
    assert_eq!(first, again, "the same customer is always in or always out");
    let taken = 2 * first.iter().filter(|offer| **offer == Offer::Taken).count() as u64;
    assert!((20..100).contains(&taken), "{taken} of 120 at half");
    assert_eq!(stand.counted(NotMirrored::NotSampled), 120 - taken);
    let used = stand.board.get("pay").unwrap().state().daily_used_of_max;
    assert_eq!(used, Some((taken, 1_000)));
}

#[test]
fn a_key_in_the_body_is_exact_at_all_and_nothing_and_an_abort_gives_nothing_back() {
    for (share_ppm, offer) in [(control::SAMPLE_ALL_PPM, Ok(Offer::Taken)), (0, Err(NotMirrored::NotSampled))] {
        let (settings, control) = json_key(share_ppm);
        let stand = stand(settings, control);
        for customer in 0..50 {
            let offered = stand.consider("POST", "/").map(|ticket| ticket.offer(from_customer(customer), None));
            assert_eq!(offered, offer);
        }
    }
    let (settings, control) = json_key(control::SAMPLE_ALL_PPM);
    let stand = stand(settings, control::Settings { daily_calls_max: Some(2), ..control });
    let taken = stand.consider("POST", "/").unwrap();
    assert_eq!(taken.offer(from_customer(1), None), Offer::Taken);
    drop(stand.consider("POST", "/").unwrap());
    assert_eq!(stand.board.get("pay").unwrap().state().daily_used_of_max, Some((1, 2)));
    let late = stand.consider("POST", "/").unwrap();
    stand.board.get("pay").unwrap().start("test", "none", control::Share::Fixed(0)).unwrap();
    assert_eq!(late.offer(from_customer(1), None), Offer::Shed(NotMirrored::NotSampled));
}

#[test]
fn one_budget_holds_for_all_integrations() {
    let in_all = MemoryInAll::new(5_000);
    let settings = || Settings { memory_in_all: in_all.clone(), ..Settings::default() };
    let (one, other) = (stand(settings(), on()), stand(settings(), on()));
    let first = one.consider("GET", "/").unwrap();
    let second = other.consider("GET", "/").unwrap();
    assert_eq!(other.consider("GET", "/").unwrap_err(), NotMirrored::Memory);
    assert_eq!(other.counted(NotMirrored::Memory), 1);
    assert_eq!(in_all.bytes_held(), one.door.bytes_held() + other.door.bytes_held());
    drop(first);
    assert!(other.consider("GET", "/").is_ok());
    drop(second);
    assert_eq!(in_all.bytes_held(), 0);
}

proptest::proptest! {
    #[test]
    fn no_order_of_growing_and_returning_breaks_the_sum(steps in proptest::collection::vec((0..6_usize, 0..4_u8, 0..60_usize), 0..80)) {
        let in_all = MemoryInAll::new(100);
        let budgets = [Budget::new(80, &in_all), Budget::new(50, &in_all)];
        let mut held: Vec<BytesHeld> = (0..6).map(|at| BytesHeld::none(&budgets[at % 2])).collect();
        for (at, what, bytes) in steps {
            let other = BytesHeld::none(&budgets[at % 2]);
            match what {
                0 | 1 => { let _refused = held[at].grow(bytes); }
                2 => held[at].shrink(bytes),
                _ => {
                    let mut joined = other;
                    joined.join(std::mem::replace(&mut held[at], BytesHeld::none(&budgets[at % 2])));
                    if bytes % 2 == 0 { held[at] = joined; }
                }
            }
            let sum = |of: usize| held.iter().skip(of).step_by(2).map(BytesHeld::bytes).sum::<usize>();
            proptest::prop_assert_eq!([budgets[0].used(), budgets[1].used()], [sum(0), sum(1)]);
            proptest::prop_assert_eq!(in_all.bytes_held(), sum(0) + sum(1));
            proptest::prop_assert!(in_all.bytes_held() <= 100 && sum(0) <= 80 && sum(1) <= 50);
        }
        drop(held);
        proptest::prop_assert_eq!(in_all.bytes_held(), 0);
    }
}

#[test]
fn where_places_are_scarce_a_yes_has_its_own() {
    let stand = stand(Settings { queue_calls_max: 2, ..Settings::default() }, on());
    let (first, second) = (stand.consider("GET", "/").unwrap(), stand.consider("GET", "/").unwrap());
    // Nothing is queued yet, and still a third would copy for nothing.
    assert_eq!(stand.consider("GET", "/").unwrap_err(), NotMirrored::QueueFull);
    first.shed(NotMirrored::BodyTooLarge);
    let third = stand.consider("GET", "/").unwrap();
    assert_eq!(second.offer(copy(), None), Offer::Taken);
    assert_eq!(third.offer(copy(), None), Offer::Taken);
    assert_eq!((stand.door.queued(), stand.counted(NotMirrored::QueueFull)), (2, 1));
}

#[test]
fn where_there_were_places_enough_the_last_to_come_finds_none() {
    let stand = stand(Settings { queue_calls_max: 100, ..Settings::default() }, on());
    let tickets: Vec<_> = (0..101).map(|_| stand.consider("GET", "/").unwrap()).collect();
    let mut offers = tickets.into_iter().map(|ticket| ticket.offer(copy(), None));
    assert!(offers.by_ref().take(100).all(|offer| offer == Offer::Taken));
    assert_eq!(offers.next(), Some(Offer::Shed(NotMirrored::QueueFull)));
}
