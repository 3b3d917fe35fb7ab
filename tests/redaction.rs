//! Redaction around its engine: what is planted is found nowhere, rules of one integration, reload, alarm, canaries, and
//! the gate before whatever leaves.

use crate::support::{Recorder, Upstream, bytes_below, config_text, eventually, json};
use axum::response::IntoResponse;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Output;

const EMAIL: &str = "ada.lovelace7@mail.example";
const CARD: &str = "5555555555554444";
const IBAN: &str = "DE89370400440532013000";
const PHONE: &str = "+4915123456789";
const TOKEN: &str = "Zx9Kq2Lm8Pn4Rt6Vw1Yb3Dc5";
const NAME: &str = "Adelheid Quillfeather";
/// What may be read nowhere, in pieces that no encoding of ours hides.
const PLANTED: [&str; 8] =
    ["203.0.113.7", "ada.lovelace7", CARD, "370400440532013000", "4915123456789", TOKEN, "Quillfeather", "Adelheid"];

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn parsed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

fn assert_clean(place: &str, bytes: &[u8]) {
    for value in PLANTED {
        let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
        assert!(!found, "{value} is readable in {place}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The planted person in a body of every kind: content type, coding, bytes.
fn bodies() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let object = format!(
        r#"{{"customer":{{"name":"{NAME}","email":"{EMAIL}","phone":"{PHONE}"}},"card_number":"{CARD}","number":{CARD},"iban":"{IBAN}","access_token":"{TOKEN}","memo":"write to {EMAIL} of {IBAN}","inner":"{{\"email\":\"{EMAIL}\"}}","{EMAIL}":1}}"#
    );
    let form = format!("email=ada.lovelace7%40mail.example&card_number={CARD}&iban={IBAN}&access_token={TOKEN}");
    let xml = format!(
        "<customer><name>{NAME}</name><email>{EMAIL}</email><iban>{IBAN}</iban><card number=\"{CARD}\"/><accessToken>{TOKEN}</accessToken></customer>"
    );
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n{EMAIL}\r\n--b\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n{TOKEN}\r\n--b\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"scan of {EMAIL}.png\"\r\nContent-Type: image/png\r\n\r\n{EMAIL}\r\n--b--\r\n"
    );
    let csv = format!("email,card_number,iban\n{EMAIL},{CARD},{IBAN}\n");
    let plain = format!("To {EMAIL}, from {IBAN}, paid with {CARD}. Authorization: Bearer {TOKEN}");
    let events = format!("event: paid\ndata: {object}\n\n");
    let bytes = |text: &str| text.as_bytes().to_vec();
    vec![
        ("application/json", "", bytes(&object)),
        ("application/json", "gzip", gzip(object.as_bytes())),
        ("application/x-ndjson", "", format!("{object}\n{object}\n").into_bytes()),
        ("application/x-www-form-urlencoded", "", bytes(&form)),
        ("application/xml", "", bytes(&xml)),
        ("multipart/form-data; boundary=b", "", bytes(&multipart)),
        ("text/csv", "", bytes(&csv)),
        ("text/plain", "", bytes(&plain)),
        ("text/event-stream", "", bytes(&events)),
        // Not what it claims to be, and in a coding that does not decode: dropped, and no word of it anywhere.
        ("application/json", "", bytes(&object[..object.len() / 2])),
        ("application/json", "gzip", bytes(&object)),
        ("image/png", "", bytes(&plain)),
    ]
}

/// Answers with the body, the type and the coding it was sent.
async fn echo() -> Upstream {
    Upstream::answers(|seen| {
        let mut answer = seen.body.clone().into_response();
        for name in ["content-type", "content-encoding"] {
            if let Some(value) = seen.headers.get(name) {
                answer.headers_mut().insert(axum::http::HeaderName::from_static(name), value.clone());
            }
        }
        answer.headers_mut().append("set-cookie", format!("sid={TOKEN}; Path=/").parse().unwrap());
        answer.headers_mut().append("x-account", EMAIL.parse().unwrap());
        Some(answer)
    })
    .await
}

#[tokio::test]
async fn what_is_planted_is_readable_nowhere() {
    let (primary, shadow) = (echo().await, echo().await);
    let more = "mirror.allow = [\"POST /people/{id}/notes\"]\n[log]\nlevel = \"trace\"";
    let recorder = Recorder::between(&primary, &shadow, more);
    let client = reqwest::Client::new();
    let bodies = bodies();
    for (content_type, coding, body) in &bodies {
        let url = format!(
            "{}/people/ada.lovelace7%40mail.example/notes?email=ada.lovelace7%40mail.example&phone=%2B4915123456789&card={CARD}&access_token={TOKEN}&name=Adelheid%20Quillfeather",
            recorder.traffic
        );
        let request = client.post(url).header("content-type", *content_type).body(body.clone());
        let request = request.header("authorization", format!("Bearer {TOKEN}")).header("cookie", format!("s={TOKEN}"));
        let request = request.header("x-api-key", TOKEN).header("referer", format!("https://app.example/?e={EMAIL}"));
        let request = if coding.is_empty() { request } else { request.header("content-encoding", *coding) };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), body, "the user's answer is untouched");
    }
    // Neither digits nor an @ nor long: only the rules know that it is an address of somebody.
    get(&recorder, "/hosts/203.0.113.7/notes").await;
    let one = recorder.at_rest().await;
    assert_eq!(one["recorded"], bodies.len() + 1, "{one}");
    let dropped: u64 = one["body_dropped"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    // Three bodies, in the request and both answers; and a stream of events, which is not copied from the primary.
    assert_eq!(dropped, 10, "{one}");
    // The picture among the fields of the form; its fields stay.
    let parts: u64 = one["part_dropped"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!((parts, &one["part_dropped"]["unknown_type"]), (3, &3.into()), "{one}");
    let told = text(&recorder.cli(&["status", "--console", &recorder.console]));
    assert!(told.contains("parts of bodies not kept: unknown_type 3"), "{told}");
    assert!(one["redaction_places"].as_array().unwrap().len() >= 7, "{one}");

    for path in
        ["/metrics", "/", "/integrations/payments", "/api/v1/status", "/readyz", "/api/v1/integrations/payments"]
    {
        let page = reqwest::get(format!("{}{path}", recorder.console)).await.unwrap();
        assert_clean(path, &page.bytes().await.unwrap());
    }
    let console = recorder.console.clone();
    let list = parsed(&recorder.cli(&["recordings", "list", "--output", "json", "--limit", "100"]));
    assert_clean("recordings list", list.to_string().as_bytes());
    for recording in list["recordings"].as_array().unwrap() {
        let id = recording["id"].as_str().unwrap();
        for args in [&["recordings", "show", id][..], &["recordings", "show", id, "--output", "json"]] {
            let shown = recorder.cli(args);
            assert!(shown.status.success(), "{}", text(&shown));
            assert_clean(&format!("{args:?}"), text(&shown).as_bytes());
        }
    }
    for args in [
        &["status", "--console", &console][..],
        &["status", "--console", &console, "--output", "json"],
        &["latency", "payments"],
        &["recordings", "list"],
        &["export", "payments", "--format", "wiremock", "--out", "fixtures", "--per-endpoint", "50"],
        &["store", "canaries", "--in", "fixtures"],
    ] {
        assert_clean(&format!("{args:?}"), text(&recorder.cli(args)).as_bytes());
    }
    assert!(recorder.folder.path().join("fixtures/manifest.json").exists(), "fixtures were exported");
    for (path, bytes) in bytes_below(recorder.folder.path()) {
        assert_clean(&path.display().to_string(), &bytes);
    }
    let (folder, lines) = recorder.everything_said();
    assert!(lines.len() > 20, "everything is said at this level: {lines:?}");
    assert_clean("the log", lines.join("\n").as_bytes());
    for (path, bytes) in bytes_below(folder.path()) {
        assert_clean(&path.display().to_string(), &bytes);
    }
}

fn rule(id: &str, pattern: &str, hit: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\ntype = \"token\"\nwhy = \"story\"\npattern = '{pattern}'\nhits = [\"{hit}\"]\nmisses = [\"x\"]\n"
    )
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

/// Two integrations by path, the first with rules of its own, the second strict.
fn two(primary: &str, shadow: &str) -> String {
    let base = config_text(primary, shadow, "redaction.rules = [\"own\"]");
    let base = base.replace("match.path_prefix = \"/\"", "match.path_prefix = \"/a\"");
    format!(
        "{base}\n[integrations.quotes]\nmatch.path_prefix = \"/b\"\nprimary.url = \"{primary}\"\nshadow.url = \"{shadow}\"\nmirror.enabled = true\nredaction.keep = [\"id\", \"data.*.status\"]\n"
    )
}

async fn get(recorder: &Recorder, path: &str) {
    reqwest::get(format!("{}{path}", recorder.traffic)).await.unwrap().bytes().await.unwrap();
}

/// Waits until everything that was called is recorded.
async fn recorded(recorder: &Recorder, integration: usize, count: u64) -> Value {
    eventually("the recordings", async || {
        let status = recorder.status().await;
        let one = &status["integrations"][integration];
        (one["recorded"].as_u64() == Some(count)).then(|| one.clone())
    })
    .await
}

fn newest(recorder: &Recorder, integration: &str) -> (String, Output) {
    let output = text(&recorder.cli(&["recordings", "list", "--integration", integration, "--limit", "1"]));
    let uuid = output.split_whitespace().find(|word| word.len() == 36 && word.matches('-').count() == 4);
    let id = uuid.unwrap_or_else(|| panic!("no id in {output}")).to_owned();
    let shown = recorder.cli(&["recordings", "show", &id, "--output", "json"]);
    (id, shown)
}

const ORDER: &str = r#"{"id":"zz-1111","data":{"x":{"status":"open","code":"yy-2222"}},"total":10.50}"#;

#[tokio::test]
async fn each_integration_has_its_rules_and_a_reload_swaps_them_whole_or_not_at_all() {
    let (primary, shadow) = (Upstream::replies(ORDER).await, Upstream::replies(ORDER).await);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "own/a.toml", &rule("zz", "zz-[0-9]{4}", "zz-1234"));
    let config = two(&primary.url, &shadow.url);
    let recorder = Recorder::inside(folder, &config);
    let check = parsed(&recorder.cli(&["check", "--output", "json"]));
    let sets = check["rule_sets"].as_array().unwrap();
    assert_eq!(sets[0]["rules"].as_u64().unwrap(), check["rules"].as_u64().unwrap() + 1, "{check}");
    assert_eq!((&sets[1]["strict"], &check["self_check_failures"]), (&true.into(), &serde_json::json!([])), "{check}");

    get(&recorder, "/a/orders").await;
    get(&recorder, "/b/orders").await;
    let before = recorded(&recorder, 0, 1).await;
    recorded(&recorder, 1, 1).await;
    let own = parsed(&newest(&recorder, "payments").1);
    let body = own["shadow"]["body"]["text"].as_str().unwrap();
    assert!(!body.contains("zz-1111") && body.contains("yy-2222") && body.contains("10.50"), "{body}");
    assert_eq!(own["rules_hash"], before["rules"]["hash"]);
    let strict = parsed(&newest(&recorder, "quotes").1);
    let body = strict["shadow"]["body"]["text"].as_str().unwrap();
    assert!(body.contains("zz-1111") && body.contains("open"), "{body}");
    assert!(!body.contains("yy-2222") && !body.contains("10.50"), "{body}");
    assert_ne!(own["rules_hash"], strict["rules_hash"]);

    // A change that does not compile changes nothing and is told.
    write(recorder.folder.path(), "own/b.toml", &rule("yy", "yy-[0-9]{4}(", "yy-1234"));
    recorder.hang_up();
    eventually("the refusal", async || {
        let problems = recorder.status().await["recorder"]["problems"].to_string();
        problems.contains("the rules in force stay").then_some(())
    })
    .await;
    assert_eq!(reqwest::get(format!("{}/readyz", recorder.console)).await.unwrap().status(), 200);
    assert_eq!(recorder.status().await["integrations"][0]["rules"], before["rules"]);
    get(&recorder, "/a/orders").await;
    recorded(&recorder, 0, 2).await;

    // One that does is taken up by itself.
    write(recorder.folder.path(), "own/b.toml", &rule("yy", "yy-[0-9]{4}", "yy-1234"));
    let status = eventually("the new rules", async || {
        let status = recorder.status().await;
        (status["recorder"]["rules_generation"] == 2).then_some(status)
    })
    .await;
    assert_eq!(status["recorder"]["problems"], serde_json::json!([]), "{status}");
    // What was recorded under the former rules is not shown, nor exported: rule and place are named, the value is not.
    for args in [
        &["recordings", "show", own["id"].as_str().unwrap()][..],
        &["recordings", "list"],
        &["recordings", "list", "--output", "json"],
        &["recordings", "tail", "--once"],
        &["export", "payments", "--format", "wiremock", "--out", "fixtures"],
    ] {
        let refused = recorder.cli(args);
        let said = text(&refused);
        assert_eq!(refused.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("under other rules") && !said.contains("yy-2222"), "{said}");
        assert!(["list", "tail"].contains(&args[1]) || said.contains("body (yy)"), "{said}");
    }
    assert!(!recorder.folder.path().join("fixtures").exists());

    get(&recorder, "/a/orders").await;
    recorded(&recorder, 0, 3).await;
    let (_, shown) = newest(&recorder, "payments");
    let shown = parsed(&shown);
    assert!(!shown["shadow"]["body"]["text"].as_str().unwrap().contains("yy-2222"), "{shown}");
    assert_eq!(shown["rules_hash"], status["integrations"][0]["rules"]["hash"]);
    assert_ne!(shown["rules_hash"], own["rules_hash"]);
}

#[tokio::test]
async fn rules_that_do_not_fit_the_data_raise_an_alarm_and_a_hit_ends_it() {
    let answer = r#"{"id":7,"state":"open"}"#;
    let upstream = || {
        Upstream::answers(move |seen| {
            Some(json(if seen.target == "/mail" { r#"{"m":"ada@mail.example"}"# } else { answer }))
        })
    };
    let (primary, shadow) = (upstream().await, upstream().await);
    let recorder = Recorder::between(&primary, &shadow, "[redaction]\nalarm_bodies = 6");
    let alarm = async || recorder.status().await["integrations"][0]["redaction_alarm"].clone();
    for _ in 0..2 {
        get(&recorder, "/orders").await;
    }
    assert_eq!(recorded(&recorder, 0, 2).await["bodies_kept"], 4);
    assert_eq!(alarm().await, Value::Null);
    get(&recorder, "/orders").await;
    recorded(&recorder, 0, 3).await;
    assert!(alarm().await.as_str().unwrap().contains("6 bodies are stored and no rule has ever hit"));
    eventually("the alarm where people look", async || {
        let answer = reqwest::get(format!("{}/readyz", recorder.console)).await.unwrap();
        assert_eq!(answer.status(), 200, "the user's path is fine");
        answer.text().await.unwrap().contains("do not fit the data of payments").then_some(())
    })
    .await;
    let console = recorder.console.clone();
    assert!(text(&recorder.cli(&["status", "--console", &console])).contains("ALARM the rules do not fit"));

    get(&recorder, "/mail").await;
    recorded(&recorder, 0, 4).await;
    assert_eq!(alarm().await, Value::Null);
    eventually("no problem left", async || {
        (recorder.status().await["recorder"]["problems"] == serde_json::json!([])).then_some(())
    })
    .await;
    let (_, lines) = recorder.everything_said();
    assert_eq!(lines.iter().filter(|line| line.contains("rules do not fit the data")).count(), 1, "{lines:?}");
}

#[tokio::test]
async fn rules_that_miss_a_canary_store_no_body_and_everything_else_goes_on() {
    let answer = r#"{"id":7,"state":"open"}"#;
    let (primary, shadow) = (Upstream::replies(answer).await, Upstream::replies(answer).await);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "lax/a.toml", &rule("zz", "zz-[0-9]{4}", "zz-1234"));
    let config = config_text(&primary.url, &shadow.url, "\n[redaction]\nrules = [\"lax\"]");
    let recorder = Recorder::inside(folder, &config);
    let check = recorder.cli(&["check"]);
    assert!(check.status.success() && text(&check).contains("the planted e-mail is readable"), "{}", text(&check));
    let answered = reqwest::get(format!("{}/orders", recorder.traffic)).await.unwrap();
    assert_eq!(answered.text().await.unwrap(), answer);
    let one = recorded(&recorder, 0, 1).await;
    assert_eq!((&one["body_dropped"]["self_check"], &one["bodies_kept"]), (&2.into(), &0.into()), "{one}");
    assert_eq!(one["ledger"]["mirrored"]["ok"], 1);
    let problems = recorder.status().await["recorder"]["problems"].to_string();
    assert!(problems.contains("no body is stored") && problems.contains("e-mail"), "{problems}");
    assert_eq!(reqwest::get(format!("{}/readyz", recorder.console)).await.unwrap().status(), 200);

    // With the rules of the product as well, bodies are stored from then on.
    let path = recorder.folder.path().join("darklaunch.toml");
    std::fs::write(&path, config.replace("[\"lax\"]", "[\"builtin\", \"lax\"]")).unwrap();
    recorder.hang_up();
    eventually("the rules", async || {
        (recorder.status().await["recorder"]["problems"] == serde_json::json!([])).then_some(())
    })
    .await;
    get(&recorder, "/orders").await;
    assert_eq!(recorded(&recorder, 0, 2).await["bodies_kept"], 2);
    let (_, lines) = recorder.everything_said();
    assert!(lines.iter().any(|line| line.contains("REDACTION FAILED ITS SELF-CHECK")), "{lines:?}");
}

#[tokio::test]
async fn canaries_sent_through_are_found_in_no_file_and_one_that_is_planted_is() {
    let (primary, shadow) = (echo().await, echo().await);
    let recorder = Recorder::between(&primary, &shadow, "mirror.allow = [\"POST /notes\"]");
    let set = parsed(&recorder.cli(&["store", "canaries", "--show", "--output", "json"]));
    let value = |at: usize| set["canaries"][at]["value"].as_str().unwrap().to_owned();
    let (email, card, iban, token) = (value(0), value(1), value(2), value(3));
    let client = reqwest::Client::new();
    let body = format!(r#"{{"memo":"to {email}","text":"card {card}","note":"from {iban}","api_key":"{token}"}}"#);
    for kind in ["application/json", "text/plain"] {
        let request = client.post(format!("{}/notes?m={email}", recorder.traffic)).header("content-type", kind);
        assert_eq!(request.body(body.clone()).send().await.unwrap().text().await.unwrap(), body);
    }
    recorded(&recorder, 0, 2).await;
    let clean = parsed(&recorder.cli(&["store", "canaries", "--output", "json"]));
    assert_eq!((&clean["found"], &clean["captures"], &clean["runs"]), (&serde_json::json!([]), &2.into(), &1.into()));
    let database = std::fs::read(recorder.folder.path().join("darklaunch.db")).unwrap();
    assert!(!database.windows(token.len()).any(|window| window == token.as_bytes()));

    write(recorder.folder.path(), "mine/notes.txt", &format!("a fixture of somebody with {iban} in it"));
    let found = recorder.cli(&["store", "canaries", "--in", "mine"]);
    let said = text(&found);
    assert_eq!(found.status.code(), Some(1), "{said}");
    assert!(said.contains("FOUND the IBAN") && said.contains("notes.txt") && !said.contains(&iban), "{said}");
}

#[tokio::test]
async fn what_is_stored_is_brought_under_stricter_rules_beside_a_running_recorder() {
    const RAW: &str = r#"{"id":7,"code":"yy-2222","yy-3333":1}"#;
    let answer = || {
        Upstream::answers(|_| {
            Some(([("x-code", "yy-4444"), ("content-type", "application/json")], RAW).into_response())
        })
    };
    let (primary, shadow) = (answer().await, answer().await);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "own/a.toml", &rule("zz", "zz-[0-9]{4}", "zz-1234"));
    let config = config_text(&primary.url, &shadow.url, "redaction.rules = [\"own\"]");
    let recorder = Recorder::inside(folder, &config);
    for n in 0..120 {
        get(&recorder, &format!("/orders/{n}?ref=yy-5555")).await;
    }
    recorded(&recorder, 0, 120).await;
    let (id, shown) = newest(&recorder, "payments");
    assert!(text(&shown).contains("yy-2222"), "{}", text(&shown));
    write(recorder.folder.path(), "own/b.toml", &rule("yy", "yy-[0-9]{4}", "yy-1234"));
    eventually("the new rules", async || (recorder.status().await["recorder"]["rules_generation"] == 2).then_some(()))
        .await;
    let refused = recorder.cli(&["recordings", "show", &id]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    for place in ["target (yy)", "answer headers (yy)", "answer body (yy)", "primary body (yy)"] {
        assert!(text(&refused).contains(place), "{place}: {}", text(&refused));
    }

    let dry = parsed(&recorder.cli(&["store", "redact", "--dry-run", "--output", "json"]));
    assert_eq!((&dry["stale"], &dry["changed"]), (&120.into(), &120.into()), "{dry}");
    assert_eq!(recorder.cli(&["recordings", "show", &id]).status.code(), Some(1), "a dry run changes nothing");
    let done = parsed(&recorder.cli(&["store", "redact", "--output", "json"]));
    assert_eq!(done["findings"], dry["findings"]);
    let in_bodies = done["findings"].as_array().unwrap().iter().find(|one| one["part"] == "body").unwrap();
    assert_eq!((&in_bodies["rule"], &in_bodies["count"]), (&"yy".into(), &240.into()), "a value and a key: {done}");
    // The recorder goes on beside it.
    get(&recorder, "/orders/7").await;
    recorded(&recorder, 0, 121).await;

    let shown = parsed(&recorder.cli(&["recordings", "show", &id, "--output", "json"]));
    assert!(!shown.to_string().contains("yy-2") && shown.to_string().contains("\"status\":200"), "{shown}");
    assert_eq!(shown["rules_hash"], recorder.status().await["integrations"][0]["rules"]["hash"]);
    let again = parsed(&recorder.cli(&["store", "redact", "--output", "json"]));
    assert_eq!((&again["stale"], &again["changed"]), (&0.into(), &0.into()), "{again}");
    let all = parsed(&recorder.cli(&["store", "redact", "--all", "--output", "json"]));
    assert_eq!((&all["stale"], &all["changed"], &all["findings"]), (&121.into(), &0.into(), &serde_json::json!([])));
    let export = recorder.cli(&["export", "payments", "--format", "wiremock", "--out", "fixtures"]);
    assert!(export.status.success(), "{}", text(&export));
    let (folder, status) = recorder.stop();
    assert!(status.success());
    for (path, bytes) in bytes_below(folder.path()).iter().filter(|(path, _)| !path.ends_with("own/b.toml")) {
        for raw in ["yy-2222", "yy-3333", "yy-4444", "yy-5555"] {
            let found = bytes.windows(raw.len()).any(|window| window == raw.as_bytes());
            assert!(!found, "{raw} is in {}", path.display());
        }
    }
}
