//! The go-live review and the latency command on what a running recorder recorded.

use crate::support::{Recorder, Upstream, command, config_text, eventually, json, status};
use darklaunch::exchange::{Outcome, Role};
use darklaunch::latency::{Phase, Series, SeriesKey};
use darklaunch::store::{Batch, LedgerRow, RunInfo, Settings, SwitchRow, Writer};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn calls(recorder: &Recorder, path: &str, count: usize) {
    let client = reqwest::Client::new();
    for n in 0..count {
        client.get(format!("{}{path}/{n}", recorder.traffic)).send().await.unwrap().bytes().await.unwrap();
    }
}

/// The review as JSON, once the shadow's latencies are in the file.
async fn review(recorder: &Recorder, calls: u64) -> (Option<i32>, Value) {
    eventually("the latencies in the file", async || {
        let output = recorder.cli(&["review", "payments", "--output", "json"]);
        let review: Value = serde_json::from_slice(&output.stdout).ok()?;
        let seen: u64 = review["endpoints"].as_array()?.iter().filter_map(|one| one["calls"].as_u64()).sum();
        (seen >= calls).then(|| (output.status.code(), review))
    })
    .await
}

fn check<'a>(review: &'a Value, name: &str) -> &'a Value {
    review["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[tokio::test]
async fn a_provider_that_stalls_behind_a_small_cap_is_cannot_say_and_not_a_good_tail() {
    let primary = Upstream::replies("{}").await;
    let shadow = Upstream::answers(|seen| (!seen.target.contains("/stall/")).then(|| json("{}"))).await;
    // The stall is judged by what it hides, so what it shows is allowed.
    let keys = "shadow.total_timeout = \"400ms\"\nmirror.in_flight = 2\nmirror.queue = 2\nreview.owner = \"team\"\n\
                review.failures = \"60%\"\nreview.success = \"10%\"";
    let recorder = Recorder::between(&primary, &shadow, keys);
    assert!(recorder.cli(&["stop", "payments", "--reason", "drill"]).status.success());
    let again = ["enable", "payments", "--reason", "drill over"];
    assert!(recorder.cli(&again).status.success());
    for _ in 0..50 {
        calls(&recorder, "/good", 1).await;
        recorder.at_rest().await;
    }
    calls(&recorder, "/stall", 40).await;
    let status = recorder.at_rest().await;
    let mirrored: u64 = status["ledger"]["mirrored"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let shed = status["ledger"]["not_mirrored"]["queue_full"].as_u64().unwrap();
    assert!(shed >= 20, "{status}");

    let (code, review) = review(&recorder, mirrored).await;
    assert_eq!((code, &review["verdict"]), (Some(3), &"cannot_say".into()), "{review:#}");
    let honest = check(&review, "recorder_honest");
    assert_eq!(honest["verdict"], "cannot_say");
    assert!(honest["next"].as_str().unwrap().contains("mirror.in_flight"), "{honest}");
    assert_eq!(check(&review, "censoring")["verdict"], "cannot_say");
    assert_eq!(check(&review, "controls")["verdict"], "go");
}

#[tokio::test]
async fn every_distinct_4xx_is_listed_with_an_example_and_a_no_is_exit_code_one() {
    let primary = Upstream::replies("{}").await;
    let shadow = Upstream::answers(|seen| {
        Some(match seen.target.as_str() {
            target if target.contains("/lost/") => status(404),
            target if target.contains("/odd/") => status(422),
            _ => json("{\"error\":\"no\"}"),
        })
    })
    .await;
    let recorder = Recorder::between(&primary, &shadow, "shadow.success.error_pointers = [\"/error\"]");
    for path in ["/lost", "/odd", "/error"] {
        calls(&recorder, path, 10).await;
    }
    recorder.at_rest().await;
    let (code, review) = review(&recorder, 30).await;
    assert_eq!((code, &review["verdict"]), (Some(1), &"no_go".into()), "{review:#}");
    let ours = check(&review, "client_errors");
    let details = ours["details"].to_string();
    assert!(details.contains("404 at GET /lost/{id}: 10 recorded") && details.contains("422 at"), "{details}");
    let example = details.split("example recording ").nth(1).unwrap().split('"').next().unwrap();
    let shown = recorder.cli(&["recordings", "show", example, "--output", "json"]);
    assert!(said(&shown).contains("\"status\": 4"), "{}", said(&shown));
    assert_eq!(check(&review, "no_success")["verdict"], "no_go");

    let page = recorder.folder.path().join("review.html");
    let text = recorder.cli(&["review", "payments", "--html", page.to_str().unwrap()]);
    assert_eq!(text.status.code(), Some(1));
    assert!(said(&text).contains("payments: NO-GO"), "{}", said(&text));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("NO-GO") && page.len() < 300_000);

    let report = recorder.cli(&["report", "--since", "24h", "--output", "json"]);
    let daily: Value = serde_json::from_slice(&report.stdout).unwrap();
    let daily = &daily["integrations"][0];
    assert_eq!((report.status.code(), &daily["calls"]), (Some(0), &30.into()), "{daily:#}");
    assert_eq!(daily["outcomes"]["client_4xx"], 20);
    assert!(daily["to_do"].to_string().contains("are 4xx: mend the requests"), "{daily}");
    assert!(said(&recorder.cli(&["report"])).contains("client_4xx 422 at GET /odd/{id}: 10 recorded"));

    let unknown = recorder.cli(&["review", "payment"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).contains("did you mean \"payments\"?"), "{}", said(&unknown));
}

#[tokio::test]
async fn latency_shows_phases_and_curves_and_writes_a_log() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    calls(&recorder, "/customers", 80).await;
    recorder.at_rest().await;
    review(&recorder, 80).await;
    let log = recorder.folder.path().join("calls.hlog");
    let output = recorder.cli(&["latency", "payments", "--phases", "--curve", "--hlog", log.to_str().unwrap()]);
    let text = said(&output);
    for part in ["queue_wait", "total_new_connection", "_than_primary", "┤", "GET /customers/{id} shadow, 80 calls"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.starts_with("#[Histogram log format version 1.3]") && log.contains("Tag=GET_/customers/{id}_shadow_ok,")
    );
}

/// Midnight, so many days ago: recordings that end today.
fn days_ago(days: i64) -> i64 {
    let now_s = darklaunch::exchange::Clock.unix_us() / 1_000_000;
    now_s - now_s.rem_euclid(86_400) - days * 86_400
}

/// Spread like a log-normal around 100 ms.
fn latency_us(call: u64) -> u64 {
    let turn = (call.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / f64::from(1_u32 << 24);
    let turn = turn.clamp(1e-6, 1.0 - 1e-6);
    (100_000.0 * (0.4 * (turn / (1.0 - turn)).ln() / 1.702).exp()) as u64
}

/// Writes eight days of generated calls: one busy endpoint, three rare ones that are a hundredth together, and a drill
/// with the kill-switch.
fn eight_days(path: &Path) {
    let started_s = days_ago(8);
    let (instance, config_hash, version) = ("generated".to_owned(), String::new(), String::new());
    let run = RunInfo { instance, config_hash, started_unix_us: started_s * 1_000_000, version };
    let mut writer = Writer::open(&Settings { path: path.to_owned(), ..Settings::default() }, run).unwrap();
    let endpoints = [("GET /items/{id}", 1, 120), ("GET /a", 1, 1), ("GET /b", 1, 1), ("POST /c", 1, 1)];
    let mut batch = Batch { ledger_interval_unix_s: started_s, ..Batch::default() };
    let mut calls = 0;
    for interval in 0..8 * 144_i64 {
        for (at, (endpoint, each, count)) in endpoints.into_iter().enumerate() {
            if interval % each != 0 {
                continue;
            }
            calls += count;
            let mut one = Series::new();
            let first = interval as u64 * count + at as u64 * 1_000_003;
            (first..first + count).for_each(|call| one.record(latency_us(call)));
            for role in [Role::Primary, Role::Shadow] {
                let (integration, endpoint) = ("payments".into(), endpoint.into());
                let key = SeriesKey { integration, endpoint, role, outcome: Outcome::Ok, phase: Phase::Total };
                batch.series.push((key, started_s + interval * 600, one.clone()));
            }
        }
    }
    let row = |state: &str, count| LedgerRow { integration: "payments".to_owned(), state: state.to_owned(), count };
    batch.ledger = vec![row("arrived", calls), row("mirrored.ok", calls)];
    let turn = |on, at_s: i64| SwitchRow {
        integration: "payments".to_owned(),
        on,
        sample_ppm: 1_000_000,
        revision: 1,
        who: "generated".to_owned(),
        reason: "drill".to_owned(),
        at_unix_us: at_s * 1_000_000,
    };
    batch.switches = vec![turn(false, started_s + 900), turn(true, started_s + 960)];
    writer.append(&batch).unwrap();
    writer.close().unwrap();
}

/// A command with a configuration of `more` keys, in a folder that may hold a store.
fn asked(folder: &Path, more: &str, args: &[&str]) -> Output {
    std::fs::write(folder.join("darklaunch.toml"), config_text("http://127.0.0.1:9", "http://127.0.0.1:9", more))
        .unwrap();
    command().args(args).current_dir(folder).output().unwrap()
}

#[test]
fn a_good_week_is_a_go_with_exit_code_zero_although_some_endpoints_are_rare() {
    let folder = tempfile::tempdir().unwrap();
    eight_days(&folder.path().join("darklaunch.db"));
    let owner = "review.owner = \"team payments\"";
    let go = asked(folder.path(), owner, &["review", "payments"]);
    assert_eq!(go.status.code(), Some(0), "{}", said(&go));
    let text = said(&go);
    for part in ["payments: GO", "rare endpoints", "GET /a, GET /b, POST /c", "All fifteen checks hold"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let alone = asked(folder.path(), &format!("{owner}\nreview.rare_share = \"0%\""), &["review", "payments"]);
    assert_eq!(alone.status.code(), Some(3), "{}", said(&alone));
    assert!(said(&alone).contains("GET /a: needs 2995 calls, has 1152"), "{}", said(&alone));
    let unowned = asked(folder.path(), "", &["review", "payments"]);
    assert_eq!(unowned.status.code(), Some(1), "{}", said(&unowned));
}

#[test]
fn what_is_not_there_is_said_in_words_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let none = asked(folder.path(), "", &["review", "payments"]);
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    assert!(said(&none).contains("darklaunch.db"), "{}", said(&none));

    eight_days(&folder.path().join("darklaunch.db"));
    for command in ["latency", "review", "report"] {
        let unknown = asked(folder.path(), "", &[command, "payment"]);
        assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
        assert!(said(&unknown).contains("did you mean \"payments\"?"), "{}", said(&unknown));
        assert!(unknown.stdout.is_empty(), "no figure is shown: {}", said(&unknown));
        let negative = asked(folder.path(), "", &[command, "payments", "--since=-1h"]);
        assert_eq!(negative.status.code(), Some(2), "{}", said(&negative));
    }
    // The recording ended before the time asked for.
    for command in ["latency", "review"] {
        let late = asked(folder.path(), "", &[command, "payments", "--since", "1ms"]);
        assert_eq!((late.status.code(), late.stdout.len()), (Some(3), 0), "{}", said(&late));
        assert!(said(&late).contains("no recorded call in the time asked for"), "{}", said(&late));
    }
    let endpoint = asked(folder.path(), "", &["latency", "payments", "--endpoint", "GET /item/{id}"]);
    assert_eq!(endpoint.status.code(), Some(2), "{}", said(&endpoint));
    assert!(said(&endpoint).contains("did you mean \"GET /items/{id}\"?"), "{}", said(&endpoint));
}

#[tokio::test]
async fn one_call_and_calls_that_all_timed_out_give_no_figure_that_is_not_there() {
    let primary = Upstream::replies("{}").await;
    let shadow = Upstream::answers(|seen| (!seen.target.contains("/never/")).then(|| json("{}"))).await;
    let recorder = Recorder::between(&primary, &shadow, "shadow.total_timeout = \"50ms\"");
    // Known from the first commit on, with no call at all.
    eventually("the ledger in the file", async || {
        let none = recorder.cli(&["review", "payments"]);
        (none.status.code() == Some(3) && none.stdout.is_empty()).then_some(())
    })
    .await;
    calls(&recorder, "/once", 1).await;
    recorder.at_rest().await;
    let (code, one) = review(&recorder, 1).await;
    assert_eq!((code, &one["endpoints"][0]["timeout"]["timeout_us"]), (Some(1), &Value::Null), "{one:#}");
    assert!(said(&recorder.cli(&["latency", "payments"])).contains("needs 59"));

    calls(&recorder, "/never", 30).await;
    recorder.at_rest().await;
    let (_, cut) = review(&recorder, 31).await;
    let never = cut["endpoints"].as_array().unwrap().iter().find(|one| one["endpoint"] == "GET /never/{id}").unwrap();
    assert_eq!(never["timeout"]["timeout_us"], Value::Null, "{never:#}");
    assert_eq!(check(&cut, "censoring")["verdict"], "cannot_say");
    let text = said(&recorder.cli(&["latency", "payments", "--endpoint", "GET /never/{id}"]));
    assert!(text.contains("≥ ") && text.contains("counted as at least that long"), "{text}");
}
