//! Pages and charts as they were last looked at: `tests/golden/console`. `DARKLAUNCH_GOLDEN=write` in the environment of
//! the build writes them anew; look at the difference before it is kept.

use crate::console::charts::{latency_over_time, outcomes_over_time};
use crate::console::insight::{Columns, Differences, Flow, Heat};
use crate::console::tests::Running;
use crate::console::{page_golive, page_recordings, page_times, view};
use crate::exchange::{CaptureId, Outcome};
use crate::store::{CaptureSummary, ExchangeSummary, StoredBody, StoredCapture, StoredExchange};
use regex::Regex;
use std::path::PathBuf;
use uuid::Uuid;

/// Compares with the file of that name, a tag a line so that differences can be read.
fn is_as_it_was(name: &str, text: &str) {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/console").join(name);
    let now = text.replace("><", ">\n<") + "\n";
    if option_env!("DARKLAUNCH_GOLDEN") == Some("write") {
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, &now).unwrap();
    }
    let before = std::fs::read_to_string(&place).unwrap_or_default();
    let differs = now.lines().zip(before.lines()).find(|(now, before)| now != before);
    assert!(now == before, "{name} is not what it was, first in: {differs:?}; see the head of snapshots.rs");
}

/// Without what is different at every start.
fn steady(page: &str) -> String {
    let times = Regex::new("<time[^>]*>[^<]*</time>").unwrap().replace_all(page, "<time>then</time>").into_owned();
    Regex::new("[^ ]*none\\.db[^.]*\\.").unwrap().replace_all(&times, "(no database).").into_owned()
}

#[test]
fn pages_are_as_they_were() {
    let console = Running::start();
    for (name, path) in
        [("index.html", "/"), ("integration.html", "/integrations/payments"), ("lost.html", "/integrations/x")]
    {
        is_as_it_was(name, &steady(&console.get(path).body));
    }
}

#[test]
fn a_recording_is_as_it_was() {
    let exchange = |status: u16, outcome: Outcome, body: &str| StoredExchange {
        summary: ExchangeSummary {
            started_unix_us: 1_700_000_000_000_000,
            status: Some(status),
            outcome,
            failure: None,
            queue_wait_us: 120,
            connect_us: None,
            ttfb_us: Some(12_000),
            total_us: 13_500,
            body_bytes: body.len() as u64,
            body_drop: None,
        },
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: StoredBody { bytes: Some(body.as_bytes().to_vec()), seen_bytes: body.len() as u64, drop_reason: None },
    };
    let (primary, shadow) =
        (exchange(200, Outcome::Ok, "{\"id\":7}"), exchange(503, Outcome::Server5xx, "<script>alert(1)</script>"));
    let stored = StoredCapture {
        summary: CaptureSummary {
            id: CaptureId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)),
            integration: "payments".to_owned(),
            endpoint: "GET /orders/{id}".to_owned(),
            received_unix_us: 1_700_000_000_000_000,
            method: "GET".to_owned(),
            target: "/orders/7".to_owned(),
            primary: Some(primary.summary.clone()),
            shadow: shadow.summary.clone(),
            verdict: "differs".to_owned(),
        },
        request_headers: Vec::new(),
        request_body: StoredBody { bytes: Some(Vec::new()), seen_bytes: 0, drop_reason: None },
        primary: Some(primary),
        shadow,
        hits: vec![("email".to_owned(), "primary".to_owned(), "body".to_owned(), 2)],
        rules_hash: "0123456789abcdef".to_owned(),
        differences: Vec::new(),
    };
    is_as_it_was("recording.html", &page_recordings::detail(&stored, (Some("OldPay"), "NewPay")).0);
}

#[test]
fn charts_are_as_they_were() {
    let columns = Columns::over(1_700_000_000, 1_700_010_000);
    let heat = Heat {
        columns,
        rows_us: vec![1_000, 1_414, 2_000, 2_828, 4_000],
        cells: [((0, 0), 500), ((1, 0), 480), ((1, 3), 2), ((5, 1), 40)].into(),
    };
    is_as_it_was("heat.svg", &latency_over_time(&heat, "payments", Some(2_500)).into_string());
    let column = |ok: u64, failed: u64, off: u64| {
        let all = [("mirrored.ok", ok), ("mirrored.server_5xx", failed), ("not_mirrored.off", off)];
        all.map(|(state, calls)| (state.to_owned(), calls)).into()
    };
    let flow = Flow { columns, cells: vec![column(90, 10, 0), column(50, 0, 50), column(0, 0, 100)] };
    is_as_it_was("outcomes.svg", &outcomes_over_time(&flow).into_string());
    is_as_it_was("outcomes.html", &page_times::outcomes(&flow).into_string());
    let console = Running::start();
    let now = view::IntegrationView::of(&console.shared, console.shared.switchboard.get("payments").unwrap());
    let places = vec![("GET /orders/{id}".to_owned(), "/total".to_owned(), "type", 12)];
    let differences = Differences { compared: 40, same: 28, places };
    is_as_it_was("differences.html", &page_golive::differences(&now, &differences).into_string());
}
