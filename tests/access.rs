//! Who may do what at the console, and what an attacker gets: nothing, while users are served as ever.

use crate::support::{
    Authority, PATIENCE, Recorder, Upstream, Visitor, clock, command, config_text, connect, eventually, hear,
    make_token, talk,
};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const STOP: &str = "/api/v1/integrations/payments/stop";
const START: &str = "/api/v1/integrations/payments/start";

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A recorder with these keys of `[listen]`, and its two providers.
async fn guarded(keys: &str) -> (Recorder, [Upstream; 2]) {
    let both = [Upstream::replies("{}").await, Upstream::replies("{}").await];
    let config = config_text(&both[0].url, &both[1].url, "").replace("[store]", &format!("{keys}\n[store]"));
    (Recorder::with(&config), both)
}

async fn send(request: reqwest::RequestBuilder) -> Response {
    request.send().await.unwrap()
}

/// The switch as the owner sees it.
fn switch(recorder: &Recorder) -> Value {
    let told = recorder.cli(&["status", "--output", "json"]);
    let status: Value = serde_json::from_slice(&told.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&told)));
    status["integrations"][0].clone()
}

/// Once the running recorder accepts a token just made.
async fn accepted(recorder: &Recorder, token: &str) {
    let status = || Client::new().get(format!("{}/api/v1/status", recorder.console)).bearer_auth(token).send();
    eventually("the token accepted", async || (status().await.unwrap().status() == 200).then_some(())).await;
}

async fn served(recorder: &Recorder) {
    assert_eq!(send(Client::new().get(format!("{}/a", recorder.traffic))).await.status(), 200);
}

#[tokio::test]
async fn on_this_machine_anyone_looks_and_stops_and_only_the_owner_and_those_with_a_token_start() {
    let (recorder, _both) = guarded("").await;
    let (client, console) = (Client::new(), recorder.console.clone());
    let page = send(client.get(format!("{console}/integrations/payments"))).await.text().await.unwrap();
    assert!(
        page.contains("Stop mirroring now") && page.contains("Log in") && !page.contains("name=\"reason\""),
        "{page}"
    );
    let refused = send(client.post(format!("{console}{START}")).json(&serde_json::json!({"reason": "x"}))).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["www-authenticate"]),
        (401, &"Bearer realm=\"darklaunch\"".parse().unwrap())
    );
    let problem: Value = refused.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("darklaunch token create"), "{problem}");
    let form = client.post(format!("{console}/integrations/payments/start")).body("reason=x");
    let refused = send(form.header("content-type", "application/x-www-form-urlencoded")).await;
    assert_eq!(refused.status(), 401);
    assert!(refused.text().await.unwrap().contains("name=\"token\""), "a person is shown how to log in");
    let stop = client.post(format!("{console}{STOP}")).json(&serde_json::json!({"who": "ann"}));
    assert_eq!(send(stop).await.status(), 200);
    assert_eq!(
        (switch(&recorder)["state"].as_str(), switch(&recorder)["changed_by"].as_str()),
        (Some("off"), Some("ann (not logged in)"))
    );
    // A proxy on this machine speaks for somebody else.
    let spoken_for = send(client.get(format!("{console}/")).header("x-forwarded-for", "192.0.2.1")).await;
    assert_eq!(spoken_for.status(), 401);

    let socket = recorder.folder.path().join("darklaunch.db.state/console.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let enabled = recorder.cli(&["enable", "payments", "--reason", "go"]);
    assert!(enabled.status.success(), "{}", text(&enabled));
    assert!(switch(&recorder)["changed_by"].as_str().unwrap().ends_with("(command line)"));
    let far = recorder.cli(&["enable", "payments", "--reason", "go", "--console", &console]);
    assert!(far.status.code() == Some(2) && text(&far).contains("without logging in"), "{}", text(&far));
}

#[tokio::test]
async fn a_role_decides_and_a_tokens_name_is_in_the_history() {
    let (recorder, _both) = guarded("console_anyone_may = \"nothing\"").await;
    let console = recorder.console.clone();
    let (vera, ann) = (recorder.token("viewer", "vera", &[]), recorder.token("operator", "ann", &["--expires", "90d"]));
    accepted(&recorder, &ann).await;
    let client = Client::new();
    let get = |path: &str, token: &str| client.get(format!("{console}{path}")).bearer_auth(token).send();
    let post = |path: &str, token: &str| {
        let body = serde_json::json!({"reason": "week two", "who": "somebody else"});
        client.post(format!("{console}{path}")).bearer_auth(token).json(&body).send()
    };
    for path in ["/", "/metrics", "/api/v1/status", "/api/v1/openapi.json", "/recordings", "/nowhere", "/api/v1/events"]
    {
        assert_eq!(send(client.get(format!("{console}{path}"))).await.status(), 401, "{path}");
    }
    for path in ["/livez", "/readyz", "/login", "/style.css"] {
        assert_eq!(send(client.get(format!("{console}{path}"))).await.status(), 200, "{path}");
    }
    assert_eq!(send(client.get(format!("{console}/readyz"))).await.text().await.unwrap(), "{\"ready\":true}");
    assert!(get("/readyz", &vera).await.unwrap().text().await.unwrap().contains("rules_hash"));
    assert_eq!(get("/metrics", &vera).await.unwrap().status(), 200);
    for path in [STOP, START, "/api/v1/stop-all", "/api/v1/login-links"] {
        let refused = post(path, &vera).await.unwrap();
        assert_eq!(refused.status(), 403, "{path}");
        assert!(refused.text().await.unwrap().contains("vera is a viewer and may not"), "{path}");
    }
    let person = Visitor::by_token(&recorder, &vera).await.unwrap();
    let page = person.get("/integrations/payments").await.text().await.unwrap();
    assert!(page.contains("takes an operator") && !page.contains("Stop mirroring now"), "{page}");
    assert_eq!(person.post("/integrations/payments/stop", "").await.status(), 403);
    assert_eq!(switch(&recorder)["state"], "on");

    assert_eq!(post(STOP, &ann).await.unwrap().status(), 200);
    assert_eq!(post(START, &ann).await.unwrap().status(), 200);
    assert_eq!(switch(&recorder)["changed_by"], "ann");
    assert_eq!(post("/api/v1/login-links", &ann).await.unwrap().status(), 403);
    let person = Visitor::by_token(&recorder, &ann).await.unwrap();
    assert_eq!(person.post("/integrations/payments/stop", "who=bob").await.status(), 303);
    let now = switch(&recorder);
    assert_eq!((&now["state"], &now["changed_by"]), (&"off".into(), &"ann".into()));

    let listed = text(&recorder.cli(&["token", "list"]));
    assert!(listed.contains("vera") && listed.contains("operator") && !listed.contains(&ann), "{listed}");
}

#[tokio::test]
async fn tokens_that_expired_or_were_revoked_are_refused_with_words_and_their_sessions_end() {
    let (recorder, _both) = guarded("console_anyone_may = \"nothing\"").await;
    let (short, ann) = (recorder.token("admin", "short", &["--expires", "2s"]), recorder.token("admin", "ann", &[]));
    accepted(&recorder, &ann).await;
    let person = Visitor::by_token(&recorder, &ann).await.unwrap();
    assert_eq!(person.get("/").await.status(), 200);
    let told = async |token: &str| {
        let answer = send(Client::new().get(format!("{}/api/v1/status", recorder.console)).bearer_auth(token)).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    eventually("the end of the token", async || {
        let (status, words) = told(&short).await;
        (status == 401).then(|| assert!(words.contains("the token short has expired"), "{words}"))
    })
    .await;
    assert!(recorder.cli(&["token", "revoke", "ann"]).status.success());
    eventually("the token refused", async || (told(&ann).await.0 == 401).then_some(())).await;
    assert!(told(&ann).await.1.contains("the token ann was revoked"));
    assert_eq!(person.get("/").await.status(), 401, "its session ended with it");
    let again = recorder.cli(&["token", "revoke", "ann"]);
    assert!(again.status.code() == Some(2) && text(&again).contains("no token is called"), "{}", text(&again));
    let kept = std::fs::read_to_string(recorder.folder.path().join("darklaunch.db.state/tokens.json")).unwrap();
    assert!(!kept.contains(&ann) && !kept.contains(&ann["darklaunch_".len()..]), "{kept}");
}

#[tokio::test]
async fn a_session_cannot_be_planted_forged_or_lent_to_another_page() {
    let (recorder, _both) = guarded("console_anyone_may = \"nothing\"").await;
    let ann = recorder.token("operator", "ann", &[]);
    accepted(&recorder, &ann).await;
    let (client, console) =
        (Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(), &recorder.console);
    let person = Visitor::by_token(&recorder, &ann).await.unwrap();
    let name = person.cookie.split('=').next().unwrap().to_owned();
    // An id that the visitor brought along is not taken over (session fixation).
    let planted = format!("{name}={}", "A".repeat(43));
    let login = client.post(format!("{console}/login")).header("cookie", &planted);
    let login = login
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={ann}&next=//evil.example"));
    let entered = send(login).await;
    let set = entered.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("; HttpOnly; SameSite=Strict; Max-Age=43200") && !set.starts_with(&planted), "{set}");
    assert_eq!(entered.headers()["location"], "/", "another site is no place to go on to");
    assert_eq!(send(client.get(format!("{console}/")).header("cookie", &planted)).await.status(), 401);

    // A cookie alone changes nothing, nor does another session's secret, nor a page of another site.
    let other = Visitor::by_token(&recorder, &ann).await.unwrap().secret("/login").await.unwrap();
    for fields in ["", "csrf=", &format!("csrf={other}")] {
        assert_eq!(person.post_as_is("/integrations/payments/stop", fields).await.status(), 403, "{fields}");
    }
    let api = client.post(format!("{console}{STOP}")).header("cookie", &person.cookie);
    assert_eq!(send(api).await.status(), 403);
    let own = person.secret("/login").await.unwrap();
    let foreign = client.post(format!("{console}/integrations/payments/stop")).header("cookie", &person.cookie);
    let foreign = foreign.header("content-type", "application/x-www-form-urlencoded").body(format!("csrf={own}"));
    assert_eq!(send(foreign.header("origin", "https://evil.example")).await.status(), 403);
    let rebound = client.get(format!("{console}/")).header("cookie", &person.cookie).header("host", "evil.example");
    assert_eq!(send(rebound).await.status(), 421);
    assert_eq!(switch(&recorder)["state"], "on");

    assert_eq!(person.post("/logout", "").await.status(), 303);
    assert_eq!(person.get("/").await.status(), 401);
    // A link is good for one browser, once.
    let link = String::from_utf8(recorder.cli(&["token", "login-link"]).stdout).unwrap();
    let code = link.trim().split("link=").nth(1).unwrap().to_owned();
    for status in [303, 401] {
        let follow =
            client.post(format!("{console}/login")).header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(send(follow.body(format!("link={code}"))).await.status(), status);
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_says_until_when_while_those_with_a_token_go_on() {
    let (recorder, _both) = guarded("console_anyone_may = \"nothing\"").await;
    let ann = recorder.token("operator", "ann", &[]);
    accepted(&recorder, &ann).await;
    let mut refused = 0;
    for n in 0..40 {
        let Err(answer) = Visitor::by_token(&recorder, &format!("darklaunch_{n}")).await else {
            panic!("it was let in")
        };
        match answer.status() {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::TOO_MANY_REQUESTS => {
                let wait_s: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                assert!((1..=7).contains(&wait_s) && answer.text().await.unwrap().contains("try again in"));
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(refused >= 20, "{refused}");
    let guess = Client::new().get(format!("{}/api/v1/status", recorder.console)).bearer_auth("darklaunch_x");
    let answer = send(guess).await;
    assert!(answer.status() == 429 && answer.headers().contains_key("retry-after"), "{}", answer.status());
    accepted(&recorder, &ann).await;
    let stop = Client::new().post(format!("{}{STOP}", recorder.console)).bearer_auth(&ann);
    assert_eq!(send(stop).await.status(), 200);
    served(&recorder).await;
}

#[tokio::test]
async fn bytes_that_are_made_to_confuse_or_to_hold_a_place_get_nothing() {
    let (recorder, _both) = guarded("").await;
    let console = recorder.console.clone();
    let host = console.trim_start_matches("http://").to_owned();
    let hidden = format!("POST {STOP} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
    let chunked = format!("0\r\n\r\n{hidden}");
    let head = |more: &str| format!("POST /nowhere HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
    for (request, status) in [
        // What a proxy in front could have read as one request.
        (
            format!(
                "{}{chunked}",
                head(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()))
            ),
            "",
        ),
        (format!("{}{chunked}", head("Transfer-Encoding: chunked\r\n")), "411"),
        (format!("{}{chunked}", head("Transfer-Encoding: xchunked\r\n")), ""),
        (format!("{}{hidden}", head(&format!("Content-Length: 0\r\nContent-Length: {}\r\n", hidden.len()))), "400"),
        (format!("{}{hidden}", head(&format!("Content-Length : {}\r\n", hidden.len()))), "400"),
        (format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n"), "400"),
        (format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n", "a".repeat(40_000)), "431"),
    ] {
        let answer = talk(&console, request.as_bytes()).await;
        let first = answer.split_whitespace().nth(1).unwrap_or_default().to_owned();
        assert!(first.starts_with('4') && first.starts_with(status), "{request}\n{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "a second request was found in:\n{request}\n{answer}");
    }
    let large = format!("reason={}", "x".repeat(100_000));
    for (path, status) in [("/login", 413), (STOP, 413), (START, 401)] {
        let form = Client::new().post(format!("{console}{path}")).body(large.clone());
        let answer = send(form.header("content-type", "application/x-www-form-urlencoded")).await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    for path in [
        "/recordings/..%2f..%2fdarklaunch.db",
        "/style.css/../../tokens.json",
        "/integrations/%2e%2e%2fx",
        "//etc/passwd",
    ] {
        let answer =
            talk(&console, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
                .await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    assert_eq!(switch(&recorder)["state"], "on");
}

#[tokio::test]
async fn those_who_hold_places_are_let_go_and_nobody_waits_for_them() {
    let (recorder, _both) = guarded("").await;
    let console = recorder.console.clone();
    let host = console.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for n in 0..90 {
        let mut stream = connect(&console).await;
        let begin = match n % 3 {
            0 => String::new(),
            1 => format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
            _ => format!("POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\ntok"),
        };
        // The listener has fewer places; what is written waits in the system's own buffers.
        stream.write_all(begin.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    served(&recorder).await;
    let begun = clock();
    let enabled = recorder.cli(&["enable", "payments", "--reason", "nobody waits"]);
    assert!(enabled.status.success(), "{}", text(&enabled));
    let owner = begun.elapsed();
    served(&recorder).await;
    let stop = Client::builder().timeout(PATIENCE).build().unwrap().post(format!("{console}{STOP}"));
    assert_eq!(send(stop).await.status(), 200);
    let (mut dripping, mut heard) = (slow.swap_remove(2), Vec::new());
    tokio::time::timeout(PATIENCE, dripping.read_to_end(&mut heard)).await.unwrap().unwrap();
    let heard = String::from_utf8_lossy(&heard).into_owned();
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{heard}");
    eprintln!("with 90 slow connections the owner's command took {owner:?}");
    served(&recorder).await;
}

#[tokio::test]
async fn an_address_that_other_machines_reach_wants_tls_and_a_token_and_trusts_nobody_for_being_near() {
    let both = [Upstream::replies("{}").await, Upstream::replies("{}").await];
    let authority = Authority::new();
    let identity = authority.identity("localhost");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cert.pem"), &identity.cert).unwrap();
    std::fs::write(folder.path().join("key.pem"), &identity.key).unwrap();
    let keys = "console_tls.cert_file = \"cert.pem\"\nconsole_tls.key_file = \"key.pem\"\n";
    let config = config_text(&both[0].url, &both[1].url, "")
        .replace("console = \"127.0.0.1:0\"\n", &format!("console = \"0.0.0.0:0\"\n{keys}"));
    std::fs::write(folder.path().join("darklaunch.toml"), &config).unwrap();
    for args in [["run"], ["check"]] {
        let refused = command().args(args).current_dir(folder.path()).output().unwrap();
        let words = "is open to other machines and nobody has a token";
        assert!(refused.status.code() == Some(2) && text(&refused).contains(words), "{}", text(&refused));
    }
    let ann = make_token(folder.path(), "operator", "ann", &[]);
    let recorder = Recorder::inside(folder, &config);
    let port = recorder.console.rsplit(':').next().unwrap();
    let console = format!("https://localhost:{port}");
    let trusted = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([trusted]).redirect(reqwest::redirect::Policy::none());
    let client = client.no_proxy().build().unwrap();
    assert_eq!(send(client.get(format!("{console}/"))).await.status(), 401);
    assert_eq!(send(client.post(format!("{console}{STOP}"))).await.status(), 401);
    assert_eq!(send(client.get(format!("{console}/")).bearer_auth(&ann)).await.status(), 200);
    let login = client.post(format!("{console}/login")).header("content-type", "application/x-www-form-urlencoded");
    let entered = send(login.body(format!("token={ann}"))).await;
    let set = entered.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-darklaunch-") && set.ends_with("; Secure"), "{set}");
    std::fs::write(recorder.folder.path().join("ca.pem"), &authority.pem).unwrap();
    let status = |more: &[&str]| {
        let mut command = command();
        command.env("DARKLAUNCH_TOKEN", &ann).current_dir(recorder.folder.path());
        command.args(["status", "--console", &console]).args(more).output().unwrap()
    };
    assert_eq!(status(&[]).status.code(), Some(4), "nobody vouches for that certificate");
    let known = status(&["--console-ca", "ca.pem"]);
    assert!(known.status.success(), "{}", text(&known));
    for (bad, why) in [("key.pem", "holds no certificate"), ("absent.pem", "cannot be read")] {
        let refused = status(&["--console-ca", bad]);
        assert!(refused.status.code() == Some(2) && text(&refused).contains(why), "{}", text(&refused));
    }
    let plain = talk(&format!("127.0.0.1:{port}"), b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
    assert!(recorder.cli(&["stop", "payments"]).status.success(), "the owner needs neither");
}

#[tokio::test]
async fn behind_a_declared_proxy_the_callers_address_counts_and_nobody_is_trusted_for_being_near() {
    let (recorder, _both) = guarded("console_behind_proxy = true\nconsole_allow = [\"203.0.113.0/24\"]").await;
    let ann = recorder.token("viewer", "ann", &[]);
    let asked = async |from: &str, token: Option<&str>| {
        let request = Client::new().get(format!("{}/", recorder.console)).header("x-forwarded-for", from);
        send(
            token.map_or_else(|| request.try_clone().unwrap(), |token| request.try_clone().unwrap().bearer_auth(token)),
        )
        .await
        .status()
    };
    eventually("the token accepted", async || (asked("203.0.113.9", Some(&ann)).await == 200).then_some(())).await;
    assert_eq!(asked("203.0.113.9", None).await, 401);
    assert_eq!(asked("198.51.100.7", Some(&ann)).await, 403);
    assert_eq!(asked("203.0.113.9, 198.51.100.7", Some(&ann)).await, 403, "the caller's own words count for nothing");
    assert_eq!(send(Client::new().get(format!("{}/", recorder.console))).await.status(), 401);
}

#[tokio::test]
async fn commands_take_a_token_by_reference_and_a_stop_needs_none() {
    let (recorder, _both) = guarded("console_anyone_may = \"nothing\"").await;
    let (ann, vera) = (recorder.token("operator", "ann", &[]), recorder.token("viewer", "vera", &[]));
    accepted(&recorder, &ann).await;
    let console = recorder.console.clone();
    std::fs::write(recorder.folder.path().join("token"), format!("{ann}\n")).unwrap();
    let by_file =
        recorder.cli(&["enable", "payments", "--reason", "go", "--console", &console, "--token", "file:token"]);
    assert!(by_file.status.success(), "{}", text(&by_file));
    assert_eq!(switch(&recorder)["changed_by"], "ann");
    let literal = recorder.cli(&["status", "--token", &ann]);
    assert!(
        literal.status.code() == Some(2) && text(&literal).contains("write env:NAME or file:PATH"),
        "{}",
        text(&literal)
    );
    let with = |args: &[&str], token: &str| {
        let mut command = command();
        command.args(args).env("DARKLAUNCH_TOKEN", token).current_dir(recorder.folder.path()).output().unwrap()
    };
    assert!(with(&["status", "--console", &console], &vera).status.success());
    let refused = with(&["enable", "payments", "--reason", "go"], &vera);
    assert!(refused.status.code() == Some(2) && text(&refused).contains("vera is a viewer"), "{}", text(&refused));
    let leak = with(&["status", "--console", "http://console.internal:1"], &vera);
    assert!(leak.status.code() == Some(2) && text(&leak).contains("could be read on its way"), "{}", text(&leak));
    // Refused at the console, the stop is left as a file, where the folder's own rights decide.
    let stopped = recorder.cli(&["stop", "payments", "--console", &console]);
    assert!(stopped.status.success() && text(&stopped).contains("left a STOP file"), "{}", text(&stopped));
    eventually("the stop", async || (switch(&recorder)["state"] == "off").then_some(())).await;
}

#[tokio::test]
async fn what_was_recorded_is_text_on_every_page_and_a_users_call_is_answered_meanwhile() {
    let (recorder, _both) = guarded("").await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let call = Client::new()
        .get(format!("{}/{evil}?q={evil}", recorder.traffic))
        .header("x-evil", "<img src=x onerror=alert(2)>");
    assert_eq!(send(call).await.status(), 200);
    recorder.at_rest().await;
    let reason = format!("{}%0d%0aset-cookie:x", evil);
    let ann = Visitor::by_link(&recorder, "operator").await;
    assert_eq!(ann.post("/integrations/payments/start", &format!("reason={reason}&sample=50%25")).await.status(), 303);
    for path in [
        "/",
        "/integrations/payments",
        "/recordings",
        "/findings",
        "/history",
        &format!("/login?next={evil}"),
        "/login?link=%22%3E%3Cscript%3E",
    ] {
        let answer = ann.get(path).await;
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"), "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.matches("<script").count() == 1 && !page.contains("<img"), "{path}: {page}");
    }
    let stranger = connect(&recorder.console).await;
    let (mut read, mut write) = stranger.into_split();
    let host = recorder.console.trim_start_matches("http://");
    write.write_all(format!("GET /login?next={evil} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let heard = hear(&mut read, "</html>").await.unwrap();
    assert!(!heard.contains("<script>alert"), "{heard}");
}
