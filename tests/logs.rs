//! The log: a line for every recorded call at debug level, failed calls with their redacted bodies, and never a personal
//! value as it came.

use crate::support::{Recorder, Upstream, config_text};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::Value;

const MAIL: &str = "anna.planted@example.org";
const CARD: &str = "4111111111111111";
const TOKEN: &str = "sk_live_planted0123456789abcdef";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_a_line_failed_ones_carry_redacted_bodies_and_nothing_planted_is_in_the_log() {
    let primary = Upstream::replies("{\"mail\":\"anna.planted@example.org\"}").await;
    let answer = format!("{{\"error\":\"no such customer\",\"email\":\"{MAIL}\",\"card_number\":\"{CARD}\"}}");
    let shadow = Upstream::answers(move |_| {
        let kind = [("content-type", "application/json")];
        Some((StatusCode::INTERNAL_SERVER_ERROR, kind, answer.clone()).into_response())
    })
    .await;
    let more = "mirror.allow = [\"POST /customers/{mail}/cards/{card}\"]\nbreaker.min_calls = 1000000";
    let config = config_text(&primary.url, &shadow.url, more);
    let recorder = Recorder::with(&format!("[log]\nlevel = \"debug\"\nformat = \"json\"\n\n{config}"));
    let client = reqwest::Client::new();
    for n in 0..30 {
        let url = format!("{}/customers/{MAIL}/cards/{CARD}?email={MAIL}&n={n}", recorder.traffic);
        let body = format!("{{\"email\":\"{MAIL}\",\"card\":{{\"number\":\"{CARD}\"}},\"note\":\"call {n}\"}}");
        let call = client.post(url).bearer_auth(TOKEN).header("content-type", "application/json").body(body);
        assert_eq!(call.send().await.unwrap().status(), 200);
    }
    assert_eq!(recorder.at_rest().await["recorded"], 30);
    let (_, said) = recorder.everything_said();

    let whole = said.join("\n");
    for planted in [MAIL, "anna.planted", "anna%2Eplanted", CARD, TOKEN] {
        let line = said.iter().find(|line| line.contains(planted));
        assert!(line.is_none(), "{planted} is in the log: {line:?}");
    }
    let lines: Vec<Value> = said.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let calls = |level: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["target"] == "darklaunch::calls" && line["level"] == level).collect()
    };
    assert_eq!(calls("DEBUG").len(), 30, "{whole}");
    let one = &calls("DEBUG")[0]["fields"];
    assert_eq!((&one["shadow_outcome"], &one["shadow_status"]), (&Value::from("server_5xx"), &Value::from(500)));
    assert!(one["path"].as_str().unwrap().starts_with("/customers/"), "{one}");
    // Twenty a minute; the ones left out are told with the next one.
    assert_eq!(calls("WARN").len(), 20, "{whole}");
    let failed = &calls("WARN")[0]["fields"];
    assert!(failed["answer_body"].as_str().unwrap().contains("no such customer"), "{failed}");
    assert!(failed["request_body"].as_str().unwrap().contains("\"note\":\"call "), "{failed}");
}
