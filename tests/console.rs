//! The console as people and tools use it: pages, the stop form, the addresses for machines.

use crate::support::{Recorder, Upstream, Visitor, eventually, json};
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

    let ann = Visitor::by_link(&recorder, "operator").await;
    let refused = ann.post("/integrations/payments/start", "reason=+&sample=50%25").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = refused.text().await.unwrap();
    assert!(text.contains("Not changed") && text.contains("Mirroring is stopped"), "{text}");

    let started = ann.post("/integrations/payments/start", "reason=week+two&sample=50%25").await;
    assert_eq!(started.status(), StatusCode::SEE_OTHER);
    let words = ["started with 50%", "week two", "ann", "Stop mirroring now"];
    page_with(&recorder, "/integrations/payments", &words).await;
}

#[tokio::test]
async fn foreign_names_are_refused_and_machines_get_their_answers() {
    let (recorder, primary, shadow) = busy().await;
    let foreign = client().get(&recorder.console).header("host", "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::MISDIRECTED_REQUEST);
    let config = crate::support::config_text(&primary.url, &shadow.url, "")
        .replace("[store]", "console_hosts = [\"console.internal\"]\n[store]");
    let behind_a_proxy = Recorder::with(&config);
    // By another name somebody else may have come: a token is needed.
    for (host, status) in [("console.internal", 401), ("evil.example", 421)] {
        let asked = client().get(&behind_a_proxy.console).header("host", host).send().await.unwrap();
        assert_eq!(asked.status(), status, "{host}");
    }
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

/// Answers 4xx, 5xx and success, with markup in path, header and body.
async fn hostile() -> (Recorder, Upstream, Upstream) {
    let primary = Upstream::replies(PERSON).await;
    let shadow = Upstream::answers(|seen| {
        let evil = r#"{"note":"<script>alert(1)</script><img src=x onerror=alert(2)>"}"#;
        let status = match () {
            () if seen.target.contains("refuse") => 422,
            () if seen.target.contains("break") => 503,
            () => 200,
        };
        let mut answer = json(evil);
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer.headers_mut().insert("x-evil", "<script>alert(3)</script>".parse().unwrap());
        Some(answer)
    })
    .await;
    let recorder = Recorder::between(&primary, &shadow, "mirror.endpoints = [\"GET /orders/{id}\"]");
    for path in ["orders/1", "orders/refuse", "orders/break", "orders/break", "%3Cscript%3Ealert(4)%3C/script%3E"] {
        client().get(format!("{}/{path}", recorder.traffic)).send().await.unwrap();
    }
    recorder.at_rest().await;
    (recorder, primary, shadow)
}

#[tokio::test]
async fn recordings_are_filtered_shown_side_by_side_and_stay_text() {
    let (recorder, _primary, _shadow) = hostile().await;
    let all = page_with(&recorder, "/recordings", &["422", "503"]).await;
    assert_eq!(all.matches("href=\"/recordings/").count(), 5, "{all}");
    let refused = page(&recorder, "/recordings?integration=payments&outcome=client_4xx&sort=slowest").await;
    assert_eq!(refused.matches("href=\"/recordings/").count(), 1, "{refused}");
    let none = page(&recorder, "/recordings?until=1000000000").await;
    assert!(none.contains("No recording fits"), "{none}");
    for (bad, words) in
        [("outcome=fine", "outcome"), ("before=../../etc/passwd", "before"), ("from=%3Cscript%3E", "from")]
    {
        let answer = client().get(format!("{}/recordings?{bad}", recorder.console)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(answer.text().await.unwrap().contains(words), "{bad}");
    }
    let at = refused.find("href=\"/recordings/").unwrap() + "href=\"".len();
    let address = &refused[at..at + refused[at..].find('"').unwrap()];
    let one = page(&recorder, address).await;
    for words in ["422", "x-evil", "&lt;script&gt;alert(1)", "What was redacted", "--format wiremock --ids"] {
        assert!(one.contains(words), "{words}: {one}");
    }
    for page in [&all, &one, &page(&recorder, "/integrations/payments").await] {
        assert!(page.matches("<script").count() == 1 && !page.contains("<img"), "{page}");
    }
    let each = all.split("href=\"/recordings/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut hostile_paths = 0;
    for id in each {
        let one = page(&recorder, &format!("/recordings/{id}")).await;
        assert!(one.matches("<script").count() == 1 && !one.contains("<img"), "{one}");
        hostile_paths += usize::from(one.contains("%3Cscript%3Ealert(4)"));
    }
    assert_eq!(hostile_paths, 1, "the path is shown as it was recorded");
    for path in
        ["/recordings/../../etc/passwd", "/recordings/%2e%2e%2f", "/recordings/00000000-0000-0000-0000-000000000000"]
    {
        let answer = client().get(format!("{}{path}", recorder.console)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn findings_tell_ours_from_theirs_and_history_tells_who_and_why() {
    let (recorder, _primary, _shadow) = hostile().await;
    let found = page_with(&recorder, "/findings", &["422", "503"]).await;
    let (ours, theirs) = found.split_once("Theirs: failures").unwrap();
    assert!(ours.contains("422") && !ours.contains("503"), "{found}");
    assert!(theirs.contains("503") && theirs.contains("newest") && !theirs.contains("422"), "{found}");
    post(&recorder, "/integrations/payments/stop", "who=ann&reason=too+many+503").await;
    page_with(&recorder, "/history", &["ann", "too many 503", "○ stopped"]).await;
}

#[tokio::test]
async fn a_page_hears_of_a_change_while_it_is_open() {
    let (recorder, _primary, _shadow) = hostile().await;
    let mut stream = client().get(format!("{}/api/v1/events", recorder.console)).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut heard = String::new();
    while !heard.contains("retry:") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    post(&recorder, "/integrations/payments/stop", "").await;
    while !heard.contains("event: change") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
}

#[tokio::test]
async fn rules_are_signed_off_by_name_and_other_rules_void_it() {
    let (primary, shadow) = (Upstream::replies(PERSON).await, Upstream::replies(PERSON).await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let hash = recorder.status().await["integrations"][0]["rules"]["hash"].as_str().unwrap().to_owned();
    page_with(&recorder, "/integrations/payments", &["Nobody has signed off", "every planted value was found"]).await;
    assert_eq!(post(&recorder, "/integrations/payments/sign-off", "who=eve").await.status(), 401);
    let ann = Visitor::by_link(&recorder, "operator").await;
    assert_eq!(ann.post("/integrations/payments/sign-off", "rules_hash=old").await.status(), 409);
    let by_hand = recorder.cli(&["rules", "sign-off", "payments", "--who", "Eve Adams", "--rules-hash", &hash]);
    assert!(by_hand.status.success(), "{by_hand:?}");
    let one = &recorder.status().await["integrations"][0];
    assert_eq!(
        (&one["signed_off"]["who"], &one["signed_off"]["rules_hash"]),
        (&"Eve Adams".into(), &hash.as_str().into())
    );
    page_with(&recorder, "/integrations/payments", &["Eve Adams", "When the rules change, this is void"]).await;
    page_with(&recorder, "/history", &["Eve Adams", "signed off the redaction rules"]).await;

    // It survives a restart, and the change of a single rule ends it.
    let (folder, _) = recorder.stop();
    let config = crate::support::config_text(&primary.url, &shadow.url, "");
    let recorder = Recorder::inside(folder, &config);
    assert_eq!(recorder.status().await["integrations"][0]["signed_off"]["who"], "Eve Adams");
    let (folder, _) = recorder.stop();
    let recorder = Recorder::inside(folder, &format!("{config}redaction.keep = [\"id\"]\n"));
    assert!(recorder.status().await["integrations"][0]["signed_off"].is_null());
    page_with(&recorder, "/history", &["the sign-off by Eve Adams is void"]).await;
}

#[tokio::test]
async fn a_cell_of_the_heat_map_leads_to_its_calls() {
    let (recorder, _primary, _shadow) = busy().await;
    let cells = eventually("all calls in the chart", async || {
        let page = page(&recorder, "/integrations/payments").await;
        let links = page.split("<a href=\"/recordings?integration=payments&amp;outcome=ok&amp;from=").skip(1);
        let cell = |text: &str| {
            let link = text.split('"').next().unwrap().replace("&amp;", "&");
            let calls =
                text.split("aria-label=\"").nth(1).unwrap().split(' ').next().unwrap().parse::<usize>().unwrap();
            (link, calls)
        };
        let cells: Vec<(String, usize)> = links.map(cell).collect();
        (cells.iter().map(|(_, calls)| calls).sum::<usize>() == CALLS).then_some(cells)
    })
    .await;
    let mut all = 0;
    for (link, calls) in cells {
        let path = format!("/recordings?integration=payments&outcome=ok&from={link}");
        let listed = page(&recorder, &path).await.matches("<tbody>").count();
        // A page has fifty rows; ten minutes may begin between a call's arrival and its end.
        assert!(listed.abs_diff(calls.min(50)) <= 1, "{path}: {listed} instead of {calls}");
        all += listed;
    }
    assert!(all >= 50, "{all}");
}

#[tokio::test]
async fn the_last_search_of_the_store_is_told() {
    let (recorder, _primary, _shadow) = busy().await;
    page_with(&recorder, "/integrations/payments", &["What is stored has not been searched yet"]).await;
    assert!(recorder.cli(&["store", "check"]).status.success());
    let words = ["Last search of everything stored", "sound, and no planted value is readable", "70 recordings"];
    page_with(&recorder, "/integrations/payments", &words).await;
    assert!(recorder.cli(&["store", "redact", "--dry-run"]).status.success());
    page_with(&recorder, "/integrations/payments", &["darklaunch store redact --dry-run", "0 recordings would be"])
        .await;
    assert_eq!(recorder.status().await["recorder"]["last_scan"]["good"], true);
}

#[tokio::test]
async fn pages_are_sent_packed_and_made_once_for_all_readers() {
    let (recorder, _primary, _shadow) = busy().await;
    let get = |path: &str| client().get(format!("{}{path}", recorder.console));
    let packed = get("/integrations/payments").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    assert!(packed.headers().contains_key("content-security-policy"));
    let (mut text, bytes) = (String::new(), packed.bytes().await.unwrap());
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert!(text.contains("Stop mirroring now") && bytes.len() * 2 < text.len(), "{} of {}", bytes.len(), text.len());
    let plain = get("/integrations/payments").send().await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    // A stop shows at once, whatever is kept.
    assert_eq!(post(&recorder, "/integrations/payments/stop", "").await.status(), 303);
    assert!(page(&recorder, "/integrations/payments").await.contains("Mirroring is stopped."));
}

#[tokio::test]
async fn a_recording_is_downloaded_as_a_fixture_through_the_gate() {
    let (recorder, _primary, _shadow) = busy().await;
    let list = page_with(&recorder, "/recordings", &["/recordings/0"]).await;
    let id = list.split("/recordings/").nth(1).unwrap().split('"').next().unwrap();
    let ask = async |format: &str| {
        let url = format!("{}/recordings/{id}/fixture?format={format}", recorder.console);
        client().get(url).send().await.unwrap()
    };
    for format in ["wiremock", "har", "openapi"] {
        let answer = ask(format).await;
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::OK, &"application/x-tar".parse().unwrap())
        );
        assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename="));
        let archive = answer.bytes().await.unwrap();
        let mut names = Vec::new();
        for file in tar::Archive::new(&archive[..]).entries().unwrap() {
            names.push(file.unwrap().path().unwrap().display().to_string());
        }
        assert!(names.contains(&"manifest.json".to_owned()) && names.len() > 1, "{names:?}");
        assert!(!String::from_utf8_lossy(&archive).contains("ada.lovelace"));
    }
    assert_eq!(ask("zip").await.status(), 422);
}
