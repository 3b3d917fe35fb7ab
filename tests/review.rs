//! The go-live review and the latency command on what a running recorder recorded.

use crate::support::{Recorder, Upstream, eventually, json, status};
use serde_json::Value;
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
