//! The user never notices: whatever the shadow does.

use crate::support::{Recorder, Upstream, clock, eventually, json, status};
use std::time::Duration;

/// Far below the shadow's own limits, far above what loopback needs on a busy machine.
const PROMPT: Duration = Duration::from_secs(5);

async fn served(recorder: &Recorder, count: usize) {
    let client = reqwest::Client::new();
    for _ in 0..count {
        let start = clock();
        let answer = client.get(format!("{}/a", recorder.traffic)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "{}"));
        assert!(start.elapsed() < PROMPT, "the user waited {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_shadow_that_never_answers_is_counted_and_not_felt() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::hangs().await);
    let recorder = Recorder::between(
        &primary,
        &shadow,
        "shadow.total_timeout = \"300ms\"\nmirror.in_flight = 4\nmirror.queue = 4",
    );
    served(&recorder, 40).await;
    let one = recorder.at_rest().await;
    let (mirrored, refused) = (&one["ledger"]["mirrored"], &one["ledger"]["not_mirrored"]);
    let timeouts = mirrored["timeout"].as_u64().unwrap();
    assert!(timeouts >= 4, "{one}");
    let shed: u64 = refused.as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!((timeouts + shed, &one["ledger"]["adds_up"]), (40, &serde_json::json!(true)), "{one}");
    assert_eq!(shadow.seen().len() as u64, timeouts, "what the shadow saw is what was counted");
}

#[tokio::test]
async fn stop_aborts_calls_in_flight() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::hangs().await);
    let recorder =
        Recorder::between(&primary, &shadow, "shadow.total_timeout = \"60s\"\nshadow.read_timeout = \"60s\"");
    served(&recorder, 5).await;
    eventually("five hanging calls", async || (shadow.seen().len() == 5).then_some(())).await;
    let start = clock();
    let console = recorder.console.clone();
    assert!(recorder.cli(&["stop", "--all", "--console", &console]).status.success());
    let one = recorder.at_rest().await;
    assert_eq!(one["ledger"]["mirrored"]["aborted"], 5, "{one}");
    assert!(start.elapsed() < PROMPT, "stopping took {:?}", start.elapsed());
}

#[tokio::test]
async fn a_shadow_that_refuses_connections_or_answers_500_is_theirs() {
    let primary = Upstream::replies("{}").await;
    let failing =
        Upstream::answers(|seen| Some(if seen.target.contains("bad") { status(500) } else { json("{}") })).await;
    let recorder = Recorder::between(&primary, &failing, "");
    served(&recorder, 2).await;
    reqwest::get(format!("{}/bad", recorder.traffic)).await.unwrap();
    let one = recorder.at_rest().await;
    assert_eq!(
        (&one["ledger"]["mirrored"]["ok"], &one["ledger"]["mirrored"]["server_5xx"]),
        (&2.into(), &1.into()),
        "{one}"
    );

    let gone = Upstream::replies("{}").await.url.clone();
    let config = crate::support::config_text(&primary.url, &gone, "");
    let recorder = Recorder::with(&config);
    served(&recorder, 3).await;
    let one = recorder.at_rest().await;
    assert_eq!(one["ledger"]["mirrored"]["network_error"], 3, "{one}");
}

#[tokio::test]
async fn the_primarys_credentials_never_reach_the_shadow() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "shadow.headers = { authorization = \"Bearer shadow-own\" }");
    let client = reqwest::Client::new();
    let request = client.get(format!("{}/a", recorder.traffic));
    let request = request.header("authorization", "Bearer theirs").header("cookie", "s=1").header("x-api-key", "k");
    request.header("proxy-authorization", "Basic eA==").header("x-kept", "yes").send().await.unwrap();
    recorder.at_rest().await;
    let (at_primary, at_shadow) = (primary.seen().remove(0), shadow.seen().remove(0));
    assert_eq!((at_primary.header("authorization"), at_primary.header("x-api-key")), ("Bearer theirs", "k"));
    assert_eq!(at_shadow.header("authorization"), "Bearer shadow-own");
    assert_eq!(
        (at_shadow.header("cookie"), at_shadow.header("x-api-key"), at_shadow.header("proxy-authorization")),
        ("", "", "")
    );
    assert_eq!(at_shadow.header("x-kept"), "yes");
}

#[tokio::test]
async fn only_safe_methods_are_mirrored_unless_an_endpoint_is_allowed() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "mirror.allow = [\"POST /orders\"]");
    let client = reqwest::Client::new();
    for path in ["orders", "refunds"] {
        let request = client.post(format!("{}/{path}", recorder.traffic)).json(&serde_json::json!({"amount": 1}));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let one = recorder.at_rest().await;
    assert_eq!(
        (&one["ledger"]["mirrored"]["ok"], &one["ledger"]["not_mirrored"]["method"]),
        (&1.into(), &1.into()),
        "{one}"
    );
    let seen = shadow.seen().remove(0);
    assert_eq!((seen.target.as_str(), seen.body.as_ref()), ("/orders", br#"{"amount":1}"#.as_slice()));
    assert!(!seen.header("idempotency-key").is_empty());
}

#[tokio::test]
async fn excluded_and_allowed_endpoints_are_matched_as_templates() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let rules = "mirror.exclude = [\"/admin/{rest}\", \"GET /orders/{order}/secret\"]\nmirror.allow = [\"POST /orders/{order}\"]";
    let recorder = Recorder::between(&primary, &shadow, rules);
    let client = reqwest::Client::new();
    for path in ["admin/users", "orders/abc/secret", "orders/12345/secret", "orders/abc"] {
        assert_eq!(client.get(format!("{}/{path}", recorder.traffic)).send().await.unwrap().status(), 200);
    }
    assert_eq!(client.post(format!("{}/orders/abc", recorder.traffic)).send().await.unwrap().status(), 200);
    let one = recorder.at_rest().await;
    assert_eq!(
        (&one["ledger"]["mirrored"]["ok"], &one["ledger"]["not_mirrored"]["endpoint"]),
        (&2.into(), &3.into()),
        "{one}"
    );
    assert!(shadow.seen().iter().all(|seen| seen.target == "/orders/abc"));
}

#[tokio::test]
async fn a_primary_that_is_down_is_told_apart_from_the_provider() {
    let shadow = Upstream::replies("{}").await;
    let recorder = Recorder::with(&crate::support::config_text("http://127.0.0.1:1", &shadow.url, ""));
    let answer = reqwest::get(format!("{}/a", recorder.traffic)).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.headers().contains_key("darklaunch-error"), "{:?}", answer.headers());
}
