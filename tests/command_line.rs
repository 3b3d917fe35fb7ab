//! Every command against a running recorder, from the smallest configuration.

use crate::support::{Recorder, Upstream, command, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Output, Stdio};

const CUSTOMER: &str = r#"{"id":"c_1","email":"ada.lovelace@mail.example","name":"Ada Lovelace","total":10.50}"#;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn parsed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

async fn calls(recorder: &Recorder, count: usize) {
    let client = reqwest::Client::new();
    for n in 0..count {
        let url = format!("{}/customers/{n}?email=ada.lovelace%40mail.example", recorder.traffic);
        let answer = client.get(url).header("authorization", "Bearer primary-secret-1").send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), CUSTOMER);
    }
}

#[tokio::test]
async fn the_smallest_configuration_mirrors_records_and_reports() {
    let (primary, shadow) = (Upstream::replies(CUSTOMER).await, Upstream::replies(CUSTOMER).await);
    let recorder = Recorder::between(&primary, &shadow, "");
    calls(&recorder, 70).await;
    let status = recorder.at_rest().await;
    assert_eq!(status["ledger"]["arrived"], 70);
    assert_eq!(status["ledger"]["mirrored"]["ok"], 70);
    assert_eq!(status["ledger"]["adds_up"], true);
    assert_eq!((primary.seen().len(), shadow.seen().len()), (70, 70));

    let latency = eventually("latencies in the file", async || {
        let output = recorder.cli(&["latency", "payments", "--what-if", "1ms", "--output", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        (report.to_string().matches("\"calls\":70").count() >= 2).then_some(report)
    })
    .await;
    assert!(latency.to_string().contains("GET /customers/{id}"), "{latency}");
    assert!(text(&recorder.cli(&["latency", "payments"])).contains("needs"), "70 calls cannot support a p99");

    let list = parsed(&recorder.cli(&["recordings", "list", "--limit", "5", "--output", "json"]));
    assert_eq!(list["recordings"].as_array().unwrap().len(), 5);
    let id = list["recordings"][0]["id"].as_str().unwrap();
    let shown = parsed(&recorder.cli(&["recordings", "show", id, "--output", "json"]));
    assert_eq!(shown["shadow"]["status"], 200);
    let shown = shown.to_string();
    for raw in ["ada.lovelace", "Ada Lovelace", "primary-secret-1"] {
        assert!(!shown.contains(raw), "{raw} is readable in {shown}");
    }
    assert!(shown.contains("10.50"), "what is not personal stays byte for byte: {shown}");
    let shown = text(&recorder.cli(&["recordings", "show", id]));
    for place in ["x1 in request target", "x1 in request headers", "x1 in primary body", "x1 in shadow body"] {
        assert!(shown.lines().any(|line| line.starts_with("redacted: ") && line.contains(place)), "{place}: {shown}");
    }
}

#[tokio::test]
async fn fixtures_are_exported_whole_and_hold_nothing_raw() {
    let (primary, shadow) = (Upstream::replies(CUSTOMER).await, Upstream::replies(CUSTOMER).await);
    let recorder = Recorder::between(&primary, &shadow, "");
    calls(&recorder, 5).await;
    recorder.at_rest().await;
    let export = ["export", "payments", "--format", "wiremock", "--out", "fixtures", "--output", "json"];
    parsed(&recorder.cli(&export));
    let files = crate::support::bytes_below(&recorder.folder.path().join("fixtures"));
    assert!(files.iter().any(|(path, _)| path.ends_with("manifest.json")), "{files:?}");
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("ada.lovelace") && !text.contains("Lovelace"), "{}", path.display());
    }
    std::fs::create_dir(recorder.folder.path().join("mine")).unwrap();
    std::fs::write(recorder.folder.path().join("mine/file"), "kept").unwrap();
    let refused = recorder.cli(&["export", "payments", "--format", "wiremock", "--out", "mine"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert_eq!(std::fs::read_to_string(recorder.folder.path().join("mine/file")).unwrap(), "kept");
}

#[tokio::test]
async fn stop_and_enable_take_effect_at_once_and_survive_a_restart() {
    let (primary, shadow) = (Upstream::replies(CUSTOMER).await, Upstream::replies(CUSTOMER).await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let console = recorder.console.clone();
    parsed(&recorder.cli(&["stop", "payments", "--console", &console, "--reason", "story", "--output", "json"]));
    calls(&recorder, 3).await;
    let status = recorder.at_rest().await;
    assert_eq!((status["state"].as_str(), &status["ledger"]["not_mirrored"]["off"]), (Some("off"), &json!(3)));
    assert!(shadow.seen().is_empty());

    let config = std::fs::read_to_string(recorder.folder.path().join("darklaunch.toml")).unwrap();
    let (folder, ended) = recorder.stop();
    assert_eq!(ended.code(), Some(0));
    let recorder = Recorder::inside(folder, &config);
    assert_eq!(recorder.status().await["integrations"][0]["state"], "off", "a stop survives a restart");

    let refused = recorder.cli(&["enable", "payments", "--reason", " "]);
    assert_eq!(refused.status.code(), Some(2), "starting asks for a reason: {}", text(&refused));
    parsed(&recorder.cli(&["enable", "payments", "--reason", "go", "--output", "json"]));
    calls(&recorder, 2).await;
    let status = recorder.at_rest().await;
    assert_eq!((status["state"].as_str(), &status["ledger"]["mirrored"]["ok"]), (Some("on"), &json!(2)));
}

#[tokio::test]
async fn a_file_stops_when_the_console_cannot() {
    let (primary, shadow) = (Upstream::replies(CUSTOMER).await, Upstream::replies(CUSTOMER).await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let left = recorder.cli(&["stop", "--all", "--console", "http://127.0.0.1:1"]);
    assert!(left.status.success(), "{}", text(&left));
    eventually("the STOP file read", async || {
        (recorder.status().await["integrations"][0]["state"] == "off").then_some(())
    })
    .await;
}

#[test]
fn nobody_there_is_exit_code_four() {
    let output = command().args(["status", "--console", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
}

fn filter(args: &[&str], input: &str) -> Output {
    let mut child =
        command().args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_redact_filter_is_the_recorders_engine() {
    let output = filter(&["redact"], CUSTOMER);
    assert!(output.status.success(), "{}", text(&output));
    let kept: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(kept["id"], "c_1");
    assert!(text(&output).contains("\"total\":10.50"), "{}", text(&output));
    assert!(!text(&output).contains("lovelace") && !text(&output).contains("Lovelace"));

    let broken = filter(&["redact"], "{\"email\":");
    assert_eq!(broken.status.code(), Some(1), "fail closed: {}", text(&broken));
    assert!(broken.stdout.is_empty());
}

#[test]
fn redact_jsonl_answers_line_by_line() {
    let lines = format!(
        "{}\n{}\n",
        json!({"id": 1, "content_type": "application/json", "body": CUSTOMER}),
        json!({"id": "two", "content_type": "application/json", "body": "{oops"}),
    );
    let output = filter(&["redact", "--jsonl"], &lines);
    let answers: Vec<Value> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["id"], 1);
    assert!(!answers[0]["body"].as_str().unwrap().contains("lovelace"));
    assert_eq!((&answers[1]["id"], &answers[1]["dropped"]), (&json!("two"), &json!(true)));
    assert!(answers[1]["reason"].is_string());
}

#[test]
fn rules_pass_their_own_examples() {
    let check = parsed(&command().args(["rules", "check", "--output", "json"]).output().unwrap());
    assert_eq!(check["problems"], json!([]));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/redaction-rules");
    let same = parsed(&command().args(["rules", "check", "--rules", folder, "--output", "json"]).output().unwrap());
    assert_eq!(same, check, "the built-in rules are the folder's");
}
