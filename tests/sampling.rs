//! How much is mirrored, as an operator sees it: whole customers, less of an endpoint, a share that rises by itself.

use crate::support::{Recorder, Upstream, Visitor, config_text, eventually, status};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CUSTOMERS: usize = 24;

fn customer_of(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["customer"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_customer_in_the_body_is_wholly_in_or_wholly_out() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let more = "mirror.sample_key = \"json:/customer/id\"\nmirror.allow = [\"POST /orders\"]\n\
                mirror.shares = [\"POST /orders 50%\", \"GET /health 0%\"]\nmirror.daily_calls = 1000";
    let recorder = Recorder::between(&primary, &shadow, more);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for round in 0..3 {
        for customer in 0..CUSTOMERS {
            let body = json!({ "round": round, "customer": { "id": format!("c{customer}") } }).to_string();
            let answer = client.post(format!("{}/orders", recorder.traffic)).body(body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        client.get(format!("{}/health", recorder.traffic)).send().await.unwrap();
    }
    let one = recorder.at_rest().await;
    let mut calls = BTreeMap::new();
    for seen in shadow.seen() {
        *calls.entry(customer_of(&seen.body)).or_insert(0) += 1;
    }
    assert!(calls.values().all(|calls| *calls == 3), "{calls:?}");
    assert!((1..CUSTOMERS).contains(&calls.len()), "half of the customers: {calls:?}");
    let out = (CUSTOMERS - calls.len()) * 3 + 3;
    assert_eq!(one["ledger"]["not_mirrored"]["not_sampled"], json!(out), "{one}");
    assert_eq!(one["ledger"]["adds_up"], true);
    assert_eq!(one["daily_calls"]["used"], json!(calls.len() * 3), "what is out takes nothing from the day");
    assert_eq!(one["shares"][0], json!({ "endpoint": "POST /orders", "share": "50%" }));
}

async fn ramp_is(recorder: &Recorder, wanted: &str) -> Value {
    eventually(wanted, async || {
        let one = recorder.status().await["integrations"][0].clone();
        (one["ramp"]["state"] == wanted).then_some(one)
    })
    .await
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn a_ramp_holds_at_a_429_also_over_a_restart_until_a_person_lets_it_go_on() {
    let primary = Upstream::replies("{}").await;
    let shadow = Upstream::answers(|_| Some(status(429))).await;
    let config = config_text(&primary.url, &shadow.url, "mirror.ramp = \"99% -> 100% over 300d\"");
    let recorder = Recorder::with(&config);
    ramp_is(&recorder, "rising").await;
    eventually("a call to the shadow", async || {
        reqwest::get(format!("{}/a", recorder.traffic)).await.unwrap();
        (!shadow.seen().is_empty()).then_some(())
    })
    .await;
    let one = ramp_is(&recorder, "held").await;
    assert_eq!(
        (&one["ramp"]["held_because"], &one["changed_by"]),
        (&json!("the provider answered 429"), &json!("ramp"))
    );
    let told = text(&recorder.cli(&["status", "--console", &recorder.console]));
    assert!(told.contains("ramp 99% -> 100%, held") && told.contains("--resume-ramp"), "{told}");
    let person = Visitor::by_link(&recorder, "operator").await;
    let page = person.get("/integrations/payments").await.text().await.unwrap();
    assert!(page.contains("Ramp from 99% to 100% held since") && page.contains("Let the ramp go on"), "{page}");
    assert!(page.contains("ramp held: the provider answered 429"), "the last change says why");
    let (folder, _) = recorder.stop();
    let recorder = Recorder::inside(folder, &config);
    let one = ramp_is(&recorder, "held").await;
    assert_eq!(one["ramp"]["held_because"], "the provider answered 429");
    let enable = |more: &[&str]| {
        let fixed = ["enable", "payments", "--reason", "they raised the limit"];
        recorder.cli(&[&fixed[..], more].concat())
    };
    assert!(enable(&["--resume-ramp"]).status.success());
    ramp_is(&recorder, "rising").await;
    assert!(enable(&["--sample", "10%"]).status.success());
    assert_eq!(ramp_is(&recorder, "ended").await["sample"], "10%");
    let refused = enable(&["--resume-ramp"]);
    assert!(refused.status.code() == Some(2) && text(&refused).contains("no held ramp"), "{}", text(&refused));
}
