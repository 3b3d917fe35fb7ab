//! Alerts by webhook: who is told what and when, and that receivers which hang, fail or are late trouble nobody.

use crate::support::{PATIENCE, Raw, Recorder, Upstream, config_text, eventually, json, status};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

/// Stands in every request; no receiver may ever see it.
const PERSONAL: &str = "anna.planted@example.org";

const CONTACTS: &str = "review.owner = \"team payments\"\nprovider.support = \"help@new.example\"\n";

/// The smallest configuration, told to these, on short times.
fn config(primary: &Upstream, shadow: &Upstream, webhooks: &[String], more: &str) -> String {
    let text = config_text(&primary.url, &shadow.url, &format!("{CONTACTS}{more}"));
    format!(
        "[alerts]\nwebhooks = {webhooks:?}\nwindow = \"1s\"\nlasting = \"1s\"\nbreaker_open = \"1s\"\ntimeout = \"300ms\"\n\n{text}"
    )
}

/// Calls the recorder a hundred times a second until dropped; each must be answered by the primary.
struct Traffic {
    calls: Arc<AtomicUsize>,
    _going: JoinSet<()>,
}

impl Traffic {
    fn to(recorder: &Recorder) -> Self {
        let url = format!("{}/customers/{PERSONAL}?mail={PERSONAL}", recorder.traffic);
        let (calls, mut going) = (Arc::<AtomicUsize>::default(), JoinSet::new());
        let counted = Arc::clone(&calls);
        going.spawn(async move {
            let client = reqwest::Client::new();
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            loop {
                pace.tick().await;
                let answer = client.get(&url).timeout(PATIENCE).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { calls, _going: going }
    }
}

fn told(receiver: &Upstream) -> Vec<Value> {
    receiver.seen().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

/// The first notice of an alert in a state.
async fn notice(receiver: &Upstream, alert: &str, state: &str) -> Value {
    let found = |all: Vec<Value>| all.into_iter().find(|one| one["alert"] == alert && one["state"] == state);
    eventually(&format!("{alert} {state}"), async || found(told(receiver))).await
}

async fn metrics(recorder: &Recorder) -> String {
    reqwest::get(format!("{}/metrics", recorder.console)).await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_told_once_with_whom_to_call_and_so_is_their_end_whatever_other_receivers_do() {
    let fails = Arc::new(AtomicBool::new(true));
    let primary = Upstream::replies("{}").await;
    let failing = Arc::clone(&fails);
    let shadow =
        Upstream::answers(move |_| Some(if failing.load(Ordering::SeqCst) { status(503) } else { json("{}") })).await;
    let (slack, plain) = (Upstream::replies("ok").await, Upstream::replies("{}").await);
    let (hangs, broken) = (Upstream::hangs().await, Upstream::answers(|_| Some(status(500))).await);
    let late_calls = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&late_calls);
    // The first answer comes after the recorder has given up, the later ones in time.
    let late = Raw::speaks(move |mut stream| {
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if nth == 0 {
                tokio::time::timeout(Duration::from_millis(800), std::future::pending::<()>()).await.unwrap_err();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.ok()?;
            Some(stream)
        }
    })
    .await;
    let webhooks = [
        format!("slack:{}/T0/secret", slack.url),
        format!("json:{}", hangs.url),
        format!("json:{}", broken.url),
        format!("json:{}", late.url),
    ];
    let more = format!("breaker.min_calls = 1000000\nalerts.webhooks = \"json:{}\"", plain.url);
    let recorder = Recorder::with(&config(&primary, &shadow, &webhooks, &more));
    let traffic = Traffic::to(&recorder);

    let begins = notice(&plain, "DarklaunchProviderFails", "firing").await;
    assert_eq!((&begins["integration"], &begins["severity"]), (&Value::from("payments"), &Value::from("page")));
    assert_eq!(begins["contacts"]["owner"], "team payments");
    assert_eq!(begins["contacts"]["support"], "help@new.example");
    assert!(begins["remedy"].as_str().unwrap().contains("call its support"), "{begins}");
    let text = eventually("slack", async || told(&slack).into_iter().next()).await["text"].as_str().unwrap().to_owned();
    for part in ["[ALERT] payments: more than 5.0 % of the calls", "What to do: ", "support: help@new.example"] {
        assert!(text.contains(part), "{text}");
    }

    // What goes on is not told again, and comes to an end.
    let before = traffic.calls.load(Ordering::SeqCst);
    eventually("users served on", async || (traffic.calls.load(Ordering::SeqCst) > before + 100).then_some(())).await;
    assert_eq!(told(&plain).len(), 1, "{:?}", told(&plain));
    fails.store(false, Ordering::SeqCst);
    notice(&plain, "DarklaunchProviderFails", "resolved").await;
    eventually("the end in slack", async || {
        told(&slack).last().filter(|one| one["text"].as_str().unwrap().starts_with("[OVER]")).map(drop)
    })
    .await;

    // Each of the others is counted under its own reason, by a name that is not its address.
    for counted in [
        "receiver=\"webhook_1_slack\",result=\"delivered\"} 2",
        "receiver=\"webhook_2_json\",result=\"timeout\"}",
        "receiver=\"webhook_3_json\",result=\"server_error\"}",
        "receiver=\"webhook_4_json\",result=\"delivered\"}",
        "receiver=\"webhook_5_json\",result=\"delivered\"} 2",
    ] {
        eventually(counted, async || metrics(&recorder).await.contains(counted).then_some(())).await;
    }
    assert!(late_calls.load(Ordering::SeqCst) >= 2 && broken.seen().len() >= 4 && !hangs.seen().is_empty());
    for receiver in [&slack, &plain, &hangs, &broken] {
        for seen in receiver.seen() {
            assert!(!String::from_utf8_lossy(&seen.body).contains("planted"), "{:?}", seen.body);
        }
    }
    drop(traffic);
    let (_, said) = recorder.everything_said();
    let said = said.join("\n");
    assert!(said.contains("DarklaunchProviderFails") && said.contains("webhook_2_json"), "{said}");
    assert!(!said.contains("secret") && !said.contains("planted"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_breaker_a_spent_budget_and_answers_of_another_shape_are_told() {
    let shape = Arc::new(AtomicUsize::new(0));
    let primary = Upstream::replies("{}").await;
    let now = Arc::clone(&shape);
    let shadow = Upstream::answers(move |_| match now.load(Ordering::SeqCst) {
        0 => Some(json("{\"id\":\"a\",\"amount\":12}")),
        1 => Some(json("{\"id\":\"a\",\"amount\":\"12\"}")),
        _ => Some(status(500)),
    })
    .await;
    let plain = Upstream::replies("{}").await;
    let webhooks = [format!("json:{}", plain.url)];
    let recorder =
        Recorder::with(&config(&primary, &shadow, &webhooks, "breaker.min_calls = 5\nbreaker.open = \"3s\""));
    let traffic = Traffic::to(&recorder);
    let recorded = async |more: u64| {
        let count = async || recorder.status().await["integrations"][0]["recorded"].as_u64().unwrap();
        let before = count().await;
        eventually("recordings", async || (count().await >= before + more).then_some(())).await;
    };
    // One look must have seen them before the shape changes.
    recorded(150).await;
    assert!(metrics(&recorder).await.contains("darklaunch_provider_shape_changed{integration=\"payments\"} 0"));
    shape.store(1, Ordering::SeqCst);
    notice(&plain, "DarklaunchShapeChanged", "firing").await;
    shape.store(0, Ordering::SeqCst);
    notice(&plain, "DarklaunchShapeChanged", "resolved").await;
    shape.store(2, Ordering::SeqCst);
    let open = notice(&plain, "DarklaunchBreakerOpen", "firing").await;
    assert!(open["summary"].as_str().unwrap().contains("since a second"), "{open}");
    shape.store(0, Ordering::SeqCst);
    notice(&plain, "DarklaunchBreakerOpen", "resolved").await;
    drop(traffic);

    let limited = Upstream::replies("{}").await;
    let recorder = Recorder::with(&config(&primary, &limited, &webhooks, "mirror.daily_calls = 3"));
    let _traffic = Traffic::to(&recorder);
    let spent = notice(&plain, "DarklaunchBudgetUsedUp", "firing").await;
    assert!(spent["remedy"].as_str().unwrap().contains("mirror.daily_calls"), "{spent}");
}
