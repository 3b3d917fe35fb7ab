//! The console as people and tools use it: pages, the stop form, the addresses for machines.

use crate::support::{Recorder, Upstream, eventually, json};
use reqwest::{Client, Response, StatusCode, redirect::Policy};

/// Calls: enough for the 95th percentile (59), too few for the 99th (299).
const CALLS: usize = 70;
const PERSON: &str = r#"{"id":7,"email":"ada.lovelace@mail.example","total":12}"#;
const FORM: &str = "application/x-www-form-urlencoded";

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// A recorder that has seen [`CALLS`] calls, at rest and with everything committed.
async fn busy() -> (Recorder, Upstream, Upstream) {
    let (primary, shadow) = (Upstream::replies(PERSON).await, Upstream::answers(|_| Some(json(PERSON))).await);
    let recorder = Recorder::between(&primary, &shadow, "mirror.endpoints = [\"GET /orders/{id}\"]");
    let client = client();
    for call in 0..CALLS {
        let answer = client.get(format!("{}/orders/{call}", recorder.traffic)).send().await.unwrap();
        assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, PERSON));
    }
    recorder.at_rest().await;
    (recorder, primary, shadow)
}

async fn page(recorder: &Recorder, path: &str) -> String {
    let answer = client().get(format!("{}{path}", recorder.console)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// The page once it shows all of these words: histograms reach the database a moment after the calls.
async fn page_with(recorder: &Recorder, path: &str, words: &[&str]) -> String {
    eventually(&format!("{path} with {words:?}"), async || {
        let page = page(recorder, path).await;
        words.iter().all(|words| page.contains(words)).then_some(page)
    })
    .await
}

async fn post(recorder: &Recorder, path: &str, body: &'static str) -> Response {
    let request = client().post(format!("{}{path}", recorder.console)).header("content-type", FORM);
    request.body(body).send().await.unwrap()
}

#[tokio::test]
async fn both_pages_tell_state_ledger_figures_and_what_was_redacted() {
    let (recorder, _primary, shadow) = busy().await;
    assert_eq!(shadow.seen().len(), CALLS);
    let list = page_with(&recorder, "/", &[r#"data-label="Calls">70<"#, "needs 299 calls"]).await;
    for words in
        ["payments", "On", "100% of the calls", "As configured", "Successful\">100%<", &shadow.url["http://".len()..]]
    {
        assert!(list.contains(words), "{words}: {list}");
    }
    let words = ["70 calls", "from 70 calls", "needs 299"];
    let one = page_with(&recorder, "/integrations/payments", &words).await;
    for words in [
        "Stop mirroring now",
        "<strong>70</strong> copied to",
        "<strong>0</strong> not copied, <strong>0</strong> on the way",
        "It adds up",
        "70 of the copied calls are recorded",
        "p95",
        "GET /orders/{id}",
        "= same",
        "were replaced before anything was stored",
        "<code>email",
    ] {
        assert!(one.contains(words), "{words}: {one}");
    }
    for page in [&list, &one] {
        assert!(!page.contains("ada.lovelace") && page.matches("<script").count() == 1, "{page}");
    }
}

#[tokio::test]
async fn the_stop_form_stops_and_starting_needs_a_reason() {
    let (recorder, _primary, shadow) = busy().await;
    let stopped = post(&recorder, "/integrations/payments/stop", "").await;
    assert_eq!(
        (stopped.status(), &stopped.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/integrations/payments".parse().unwrap())
    );
    let one = page(&recorder, "/integrations/payments").await;
    assert!(one.contains("Mirroring is stopped") && !one.contains("Stop mirroring now"), "{one}");
    assert!(page(&recorder, "/").await.contains("nothing is copied"));
    client().get(format!("{}/orders/71", recorder.traffic)).send().await.unwrap();
    let status = recorder.at_rest().await;
    assert_eq!((&status["ledger"]["not_mirrored"]["off"], shadow.seen().len()), (&1.into(), CALLS), "{status}");

    let refused = post(&recorder, "/integrations/payments/start", "reason=+&sample=50%25").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = refused.text().await.unwrap();
    assert!(text.contains("Not changed") && text.contains("Mirroring is stopped"), "{text}");

    let started = post(&recorder, "/integrations/payments/start", "reason=week+two&who=ann&sample=50%25").await;
    assert_eq!(started.status(), StatusCode::SEE_OTHER);
    let words = ["started with 50%", "week two", "ann", "Stop mirroring now"];
    page_with(&recorder, "/integrations/payments", &words).await;
}

#[tokio::test]
async fn foreign_names_are_refused_and_machines_get_their_answers() {
    let (recorder, _primary, _shadow) = busy().await;
    let foreign = client().get(&recorder.console).header("host", "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(page(&recorder, "/livez").await, "ok\n");
    assert!(page(&recorder, "/readyz").await.contains("\"ready\":true"));
    let metrics = page(&recorder, "/metrics").await;
    for line in [
        "darklaunch_requests_total{integration=\"payments\"} 70",
        "darklaunch_mirrored_total{integration=\"payments\",outcome=\"ok\"} 70",
        "darklaunch_mirror_enabled{integration=\"payments\"} 1",
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line}: {metrics}");
    }
}
