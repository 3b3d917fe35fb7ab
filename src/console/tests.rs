//! The console over real sockets.

use super::*;
use crate::control::Settings as SwitchSettings;
use crate::exchange::{DropReason, NotMirrored, Outcome};
use crate::measure::Server;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(in crate::console) struct Answer {
    status: u16,
    head: String,
    pub(in crate::console) body: String,
}

pub(in crate::console) struct Running {
    addr: SocketAddr,
    pub(in crate::console) shared: Shared,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

const PROVIDER: &str = "api.<b>new</b>.example";

fn rules(leaks: Vec<String>) -> RulesShown {
    let own = RuleSetShown { hash: Arc::from("def"), rules: 31, strict: true, leaks };
    let own = [("payments".to_owned(), own)].into();
    RulesShown { generation: 1, since_unix_us: 1_700_000_000_000_000, everyone: Arc::from("abc"), own, alarm_bodies: 2 }
}

/// Anyone may start: what answers is looked at here; who may is looked at by the stories of `tests/access.rs`.
fn settings(listen: &str) -> Settings {
    let access = AccessSettings { anyone: May::Start, ..AccessSettings::default() };
    Settings { listen: listen.parse().unwrap(), allowed_hosts: vec![], access, tls: None, owner_socket: None }
}

fn door() -> crate::fixtures::Door {
    use crate::redact::{Generation, PseudonymKey, Redactors, RuleSource};
    let (source, key) = (RuleSource { files: Vec::new(), settings: Default::default() }, PseudonymKey::new([0; 32]));
    let redactors = Redactors::new(Generation::compile(&source, &[], &key).unwrap());
    crate::fixtures::Door::new(Arc::new(redactors), key)
}

impl Running {
    pub(in crate::console) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name: Integration = Arc::from("payments");
        let switch = SwitchSettings { enabled: true, sample_ppm: 100_000, ..SwitchSettings::default() };
        let shared = Shared {
            ledger: Ledger::new(vec![Arc::clone(&name)]),
            switchboard: Switchboard::new(vec![(Arc::clone(&name), switch)], Clock),
            providers: vec![Providers {
                integration: name,
                primary: Some("api.current.example".to_owned()),
                shadow: PROVIDER.to_owned(),
                servers: Servers {
                    primary: Some(Server::of(&"https://api.current.example".parse().unwrap())),
                    shadow: Server::of(&"https://api.new.example".parse().unwrap()),
                },
                rate_per_s: Some(15),
                price_per_call: Price::parse("0.002 EUR"),
                documentation: Some("javascript:alert(1)".to_owned()),
                review: crate::review::Settings {
                    support: Some("call <b>Ann</b>".to_owned()),
                    status_page: Some("https://status.new.example".to_owned()),
                    ..Default::default()
                },
            }],
            store_path: folder.path().join("none.db"),
            rules: Arc::new(RulesInForce::new(rules(Vec::new()))),
            outbox: Arc::default(),
            totals: Arc::default(),
            tokens: Arc::new(TokensInForce::default()),
            scans: Arc::default(),
            fixtures: door(),
            ready: Arc::new(Ready::new()),
            version: "0.0.0",
            started_unix_us: 1_700_000_000_000_000,
            clock: Clock,
        };
        let bound = bind(&settings("127.0.0.1:0"), false).unwrap();
        let (addr, stop) = (bound.addr(), CancellationToken::new());
        let (served, shutdown) = (shared.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("console".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(bound.serve(served, shutdown)).unwrap();
        });
        Self { addr, shared, stop, thread: Some(thread.unwrap()), _folder: folder }
    }

    fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head[9..12].parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let (host, length) = (self.addr, body.len());
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    pub(in crate::console) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", "")
    }

    fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        self.send("POST", path, &format!("Content-Type: {kind}\r\n"), body)
    }

    fn on(&self) -> bool {
        self.shared.switchboard.get("payments").unwrap().state().on
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const STOP: &str = "/api/v1/integrations/payments/stop";
const START: &str = "/api/v1/integrations/payments/start";

#[test]
fn an_address_that_other_machines_reach_needs_tls_and_a_token() {
    let identity = rcgen::generate_simple_self_signed(vec!["console.internal".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
    let tls = Arc::new(tls.with_no_client_auth().with_single_cert(vec![identity.cert.into()], key).unwrap());
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let plain = settings(listen);
        let (secret, proxied) = (
            Settings { tls: Some(Arc::clone(&tls)), ..plain.clone() },
            Settings { access: AccessSettings { behind_proxy: true, ..plain.access.clone() }, ..plain.clone() },
        );
        assert!(matches!(bind(&plain, true), Err(ConsoleError::Readable { .. })));
        for settings in [secret, proxied] {
            let error = bind(&settings, false).unwrap_err();
            assert!(error.to_string().contains("darklaunch token create --role admin"), "{error}");
            assert!(bind(&settings, true).is_ok());
        }
    }
}

#[test]
fn a_taken_port_is_known_at_once() {
    let taken = bind(&settings("127.0.0.1:0"), false).unwrap();
    let error = bind(&Settings { listen: taken.addr(), ..settings("127.0.0.1:0") }, false).unwrap_err();
    assert!(error.to_string().contains(&taken.addr().to_string()));
}

#[test]
fn foreign_hosts_are_refused_everywhere() {
    let console = Running::start();
    let port = console.addr.port();
    for (path, method) in [("/", "GET"), ("/metrics", "GET"), ("/api/v1/status", "GET"), (STOP, "POST")] {
        let host = format!("evil.example:{port}");
        let answer = console.raw(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, 421, "{path}");
        assert!(answer.head.contains("application/problem+json"));
    }
    let absolute = format!("GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(console.raw(&absolute).status, 421);
    let local = format!("GET /livez HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(console.raw(&local).status, 200);
    assert!(console.on());
}

#[test]
fn another_sites_page_cannot_change_anything() {
    let console = Running::start();
    let headers = [
        "Origin: https://evil.example\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        format!("Origin: http://127.0.0.1:{}\r\n", console.addr.port().wrapping_add(1)),
        "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
    ];
    for header in &headers {
        for path in ["/integrations/payments/stop", STOP, "/api/v1/stop-all"] {
            let header = format!("{header}Content-Type: {FORM}\r\n");
            assert_eq!(console.send("POST", path, &header, "").status, 403, "{header} {path}");
        }
    }
    assert!(console.on());
    let own = format!("Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {FORM}\r\n", console.addr);
    let answer = console.send("POST", "/integrations/payments/stop", &own, "");
    assert_eq!(answer.status, 303);
    assert!(answer.head.contains("location: /integrations/payments"));
    assert!(!console.on());
}

#[test]
fn stop_needs_nothing_and_start_needs_a_reason() {
    let console = Running::start();
    assert_eq!(console.send("POST", STOP, "", "").status, 200);
    assert!(!console.on());
    for (kind, body) in [
        (FORM, ""),
        (FORM, "reason=+++"),
        ("application/json", "{}"),
        ("application/json", "{\"reason\":\"x\",\"sample\":\"0.5\"}"),
        ("application/json", "{\"reason\":\"x\",\"smaple\":\"1%\"}"),
        ("application/json", "{"),
    ] {
        assert_eq!(console.post(START, kind, body).status, 422, "{body}");
    }
    assert_eq!(console.post(START, "text/plain", "reason=x").status, 415);
    let large = format!("reason={}", "x".repeat(17_000));
    assert_eq!(console.post(START, FORM, &large).status, 413);
    let page = console.post("/integrations/payments/start", FORM, "reason=");
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Not changed") && !console.on());
    let good = console.post(START, "application/json", r#"{"who":"ann","reason":"week two","sample":"2.5%"}"#);
    assert_eq!(good.status, 200);
    let state = console.shared.switchboard.get("payments").unwrap().state();
    assert_eq!(
        (state.on, state.sample_ppm, &*state.changed_by, &*state.reason),
        (true, 25_000, "ann (not logged in)", "week two")
    );
    assert_eq!(console.post("/api/v1/stop-all", "application/json", r#"{"who":"bob"}"#).status, 200);
    assert!(!console.on());
    assert_eq!(console.post("/api/v1/integrations/nobody/stop", FORM, "").status, 404);
}

#[test]
fn a_start_from_a_page_that_is_out_of_date_loses_and_a_stop_always_wins() {
    let console = Running::start();
    let state = || console.shared.switchboard.get("payments").unwrap().state();
    let form = |revision: u64, words: &str| format!("reason={words}&sample=50%25&revision={revision}");
    let seen = state().revision;
    assert!(console.get("/integrations/payments").body.contains(&format!("name=\"revision\" value=\"{seen}\"")));
    assert_eq!(console.post("/integrations/payments/start", FORM, &form(seen, "first")).status, 303);
    let late = console.post("/integrations/payments/start", FORM, &form(seen, "second"));
    assert_eq!((late.status, state().reason.as_str()), (409, "first"));
    assert!(late.body.contains("Not changed: revision"), "{}", late.body);
    let seen = state().revision;
    assert_eq!(console.post("/integrations/payments/stop", FORM, "revision=0").status, 303);
    assert_eq!(console.post(START, FORM, &form(seen, "third")).status, 409);
    for (revision, status) in
        [("1.5", 422), ("-1", 422), ("9007199254740992", 422), ("\"1\"", 422), ("1.0", 409), ("9007199254740991", 409)]
    {
        let body = format!("{{\"reason\":\"x\",\"revision\":{revision}}}");
        assert_eq!(console.post(START, "application/json", &body).status, status, "{revision}");
    }
    assert!(!console.on());
}

#[test]
fn the_status_has_the_promised_shape() {
    let console = Running::start();
    let book = console.shared.ledger.of("payments").unwrap();
    book.arrived();
    book.arrived();
    book.mirrored(Outcome::Ok);
    book.not_mirrored(NotMirrored::NotSampled);
    let status: Value = serde_json::from_str(&console.get("/api/v1/status").body).unwrap();
    assert_eq!(status["schema"], "darklaunch.status/v1");
    let one = &status["integrations"][0];
    assert_eq!((&one["name"], &one["state"], &one["sample"]), (&"payments".into(), &"on".into(), &"10%".into()));
    for key in ["revision", "changed_by", "reason", "changed_at", "paused_by", "recorded", "not_recorded", "primary"] {
        assert!(one.get(key).is_some(), "{key}");
    }
    assert_eq!(one["ledger"]["arrived"], 2);
    assert_eq!(one["ledger"]["mirrored"]["ok"], 1);
    assert_eq!(one["ledger"]["not_mirrored"]["not_sampled"], 1);
    assert_eq!((&one["ledger"]["pending"], &one["ledger"]["adds_up"]), (&0.into(), &true.into()));
    assert_eq!(status["recorder"]["started_at"], "2023-11-14T22:13:20Z");
    let same: Value = serde_json::from_str(&console.get("/api/v1/integrations/payments").body).unwrap();
    assert_eq!(&same, one);
}

#[test]
fn the_api_describes_itself_and_every_route_of_it() {
    let console = Running::start();
    let answer = console.get("/api/v1/openapi.json");
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&document["openapi"], answer.status), (&"3.1.0".into(), 200));
    for (path, methods) in document["paths"].as_object().unwrap() {
        let address = path.replace("{name}", "payments");
        for method in methods.as_object().unwrap().keys() {
            let body = r#"{"reason":"as described","who":"ann"}"#;
            let status = match method.as_str() {
                "get" => console.get(&address).status,
                _ if address.ends_with("login-links") => console.post(&address, "application/json", "").status,
                _ => console.post(&address, "application/json", body).status,
            };
            let held = crate::console::access::needed(&method.to_uppercase().parse().unwrap(), Some(path));
            assert_eq!(methods[method]["x-darklaunch-role"], held.unwrap().role().name(), "{method} {path}");
            let expected = if held == Some(May::Manage) { 401 } else { 200 };
            assert_eq!(status, expected, "{method} {address}");
        }
    }
    let status: Value = serde_json::from_str(&console.get("/api/v1/status").body).unwrap();
    for (schema, value) in [("Status", &status), ("Integration", &status["integrations"][0])] {
        for key in document["components"]["schemas"][schema]["required"].as_array().unwrap() {
            assert!(value.get(key.as_str().unwrap()).is_some(), "{schema} {key}");
        }
    }
}

#[test]
fn readiness_is_told_and_a_problem_of_the_store_does_not_take_traffic_away() {
    let console = Running::start();
    assert_eq!(console.get("/livez").status, 200);
    assert_eq!(console.get("/readyz").status, 503);
    console.shared.ready.set_up(true);
    console.shared.ready.report("store", Some("the disk is full".to_owned()));
    let answer = console.get("/readyz");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("store: the disk is full"));
    assert!(console.get("/").body.contains("the disk is full"));
}

#[test]
fn metrics_are_open_metrics_with_the_ledgers_counts() {
    let console = Running::start();
    let book = console.shared.ledger.of("payments").unwrap();
    book.arrived();
    book.mirrored(Outcome::Server5xx);
    book.redaction_hits(&"card".into(), "request", "body", 3);
    book.body_dropped(DropReason::Bomb);
    let answer = console.get("/metrics");
    assert!(answer.head.contains("application/openmetrics-text"));
    for line in [
        "darklaunch_requests_total{integration=\"payments\"} 1",
        "darklaunch_mirrored_total{integration=\"payments\",outcome=\"server_5xx\"} 1",
        "darklaunch_not_mirrored_total{integration=\"payments\",reason=\"off\"} 0",
        "darklaunch_mirror_enabled{integration=\"payments\"} 1",
        "darklaunch_redactions_total{integration=\"payments\",rule=\"card\",side=\"request\",part=\"body\"} 3",
        "darklaunch_bodies_dropped_total{integration=\"payments\",reason=\"decompression_bomb\"} 1",
        "darklaunch_bodies_kept_total{integration=\"payments\"} 0",
        "darklaunch_redaction_alarm{integration=\"payments\"} 0",
        "darklaunch_redaction_self_check{integration=\"payments\"} 1",
        "darklaunch_redaction_rules_generation 1",
    ] {
        assert!(answer.body.lines().any(|l| l == line), "{line}\n{}", answer.body);
    }
    assert!(answer.body.contains("darklaunch_build_info{version=\"0.0.0\""));
    assert!(answer.body.ends_with("# EOF\n"));
    let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
    for line in samples {
        assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
    }
}

#[test]
fn the_added_delay_is_one_figure_on_the_page_in_the_api_and_in_the_metrics() {
    let console = Running::start();
    let one = || -> Value { serde_json::from_str(&console.get("/api/v1/integrations/payments").body).unwrap() };
    let mut added = crate::latency::Series::new();
    (0..298).for_each(|_| added.record(40));
    console.shared.totals.add_added(&"payments".into(), &added);
    assert_eq!(one()["added_delay"], Value::Null, "298 calls do not tell the slowest hundredth");
    assert!(!console.get("/integrations/payments").body.contains("Added delay"));
    let mut slowest = crate::latency::Series::new();
    (0..4).for_each(|_| slowest.record(200));
    console.shared.totals.add_added(&"payments".into(), &slowest);
    assert_eq!(one()["added_delay"], serde_json::json!({ "p50_us": 40, "p99_us": 200, "calls": 302 }));
    // By another address: a page is kept for a second.
    let page = console.get("/integrations/payments?2").body;
    assert!(page.contains("Added delay for them: at most <strong>200 µs</strong> for 99 of 100 calls"), "{page}");
    assert!(page.contains("measured on 302 calls since"), "{page}");
    let metrics = console.get("/metrics").body;
    for line in ["bucket{le=\"0.00005\",integration=\"payments\"} 298", "count{integration=\"payments\"} 302"] {
        assert!(metrics.contains(&format!("darklaunch_added_delay_seconds_{line}")), "{line}\n{metrics}");
    }
}

#[test]
fn a_stop_is_told_apart_from_its_end() {
    let console = Running::start();
    let book = console.shared.ledger.of("payments").unwrap();
    book.arrived();
    assert_eq!(console.send("POST", STOP, "", "").status, 200);
    for path in ["/?1", "/integrations/payments?1"] {
        let page = console.get(path).body;
        assert!(page.contains("Stopping</span>") && !page.contains("Off</span>"), "{page}");
    }
    assert!(console.get("/integrations/payments?1").body.contains("1 call still on the way is being cut off"));
    book.mirrored(Outcome::Aborted);
    for path in ["/?2", "/integrations/payments?2"] {
        let page = console.get(path).body;
        assert!(page.contains("Off</span>") && !page.contains("Stopping</span>"), "{page}");
    }
}

#[test]
fn what_rules_found_is_shown_by_place_and_rules_that_do_not_fit_raise_an_alarm() {
    let console = Running::start();
    let book = console.shared.ledger.of("payments").unwrap();
    let one = || -> Value { serde_json::from_str(&console.get("/api/v1/integrations/payments").body).unwrap() };
    book.body_kept();
    assert_eq!(one()["redaction_alarm"], Value::Null);
    book.body_kept();
    assert_eq!(one()["redaction_alarm"], "the rules do not fit the data: 2 bodies are stored and no rule has ever hit");
    assert!(console.get("/integrations/payments").body.contains("the rules do not fit the data"));
    assert!(console.get("/metrics").body.contains("darklaunch_redaction_alarm{integration=\"payments\"} 1"));
    book.redaction_hits(&"card".into(), "shadow", "body", 3);
    book.redaction_hits(&"card".into(), "request", "target", 1);
    let now = one();
    assert_eq!((&now["redaction_alarm"], &now["redaction_hits"]["card"]), (&Value::Null, &4.into()));
    assert_eq!(now["redaction_places"][1]["side"], "shadow");
    assert_eq!((&now["rules"]["hash"], &now["rules"]["strict"]), (&"def".into(), &true.into()));
    // By another address: a page is kept for a second.
    let page = console.get("/integrations/payments?2").body;
    assert!(page.contains("The body of the new provider’s answer") && page.contains("strict: only listed"), "{page}");

    console.shared.rules.show(rules(vec!["e-mail is readable in the body of the request".to_owned()]));
    let page = console.get("/integrations/payments?3").body;
    assert!(page.contains("failed their self-check, so no body is stored: a planted e-mail"), "{page}");
    assert!(console.get("/metrics").body.contains("darklaunch_redaction_self_check{integration=\"payments\"} 0"));
}

#[test]
fn pages_show_state_and_stop_without_a_database_and_everything_is_text() {
    let console = Running::start();
    let list = console.get("/");
    assert_eq!(list.status, 200);
    assert!(list.body.contains("payments") && list.body.contains("cannot be read now"));
    let xss = "<script>alert(1)</script>";
    let reason = "reason=%3Cscript%3Ealert(1)%3C/script%3E&who=%22onload=x";
    assert_eq!(console.post("/integrations/payments/start", FORM, reason).status, 303);
    for path in ["/", "/integrations/payments"] {
        let page = console.get(path);
        assert!(page.body.contains("&lt;script&gt;") && !page.body.contains(xss), "{path}");
        assert!(!page.body.contains("<b>new") && !page.body.contains("<script>") && !page.body.contains("style="));
        assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
        assert!(page.head.contains("x-content-type-options: nosniff") && page.head.contains("no-store"));
    }
    let page = console.get("/integrations/payments").body;
    assert!(page.contains("Stop mirroring now") && page.contains("cannot be read now") && page.contains("It adds up"));
    assert_eq!(console.get("/integrations/%3Cscript%3E").status, 404);
    assert!(!console.get("/integrations/%3Cscript%3E").body.contains("<script>"));
    assert!(console.get("/style.css").head.contains("text/css"));
    assert_eq!(console.get("/nowhere").status, 404);
    assert_eq!(console.get("/integrations/payments/stop").status, 405);
}

#[test]
fn the_page_says_whom_to_call_and_links_only_to_the_web() {
    let console = Running::start();
    let page = console.get("/integrations/payments").body;
    for words in [
        "at most 15 per second",
        "call &lt;b&gt;Ann&lt;/b&gt;",
        "<a href=\"https://status.new.example\"",
        "Cost so far",
        "0.00 EUR",
        "javascript:alert(1)",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("href=\"javascript"), "{page}");
    let script = console.get("/app.js");
    assert!(script.head.contains("text/javascript") && script.head.contains("script-src 'self'"), "{}", script.head);
    assert!(!script.body.contains("innerHTML"), "recorded text must never be read as HTML");
}

#[test]
fn slow_clients_cannot_keep_the_stop_switch_from_others() {
    let console = Running::start();
    let silent: Vec<TcpStream> = (0..80).map(|_| TcpStream::connect(console.addr).unwrap()).collect();
    assert_eq!(console.send("POST", STOP, "", "").status, 200);
    assert!(!console.on());
    drop(silent);
}

#[test]
fn the_history_of_the_switch_is_read_from_the_store() {
    let console = Running::start();
    let settings = crate::store::Settings { path: console.shared.store_path.clone(), ..Default::default() };
    let run = crate::store::RunInfo {
        instance: "test".to_owned(),
        config_hash: String::new(),
        started_unix_us: 1,
        version: "0".to_owned(),
    };
    let mut writer = crate::store::Writer::open(&settings, run).unwrap();
    let row = crate::store::SwitchRow {
        integration: "payments".to_owned(),
        on: true,
        sample_ppm: 250_000,
        revision: 1,
        who: "ann <i>".to_owned(),
        reason: "the second week".to_owned(),
        at_unix_us: 1_700_000_000_000_000,
    };
    let batch = crate::store::Batch { switches: vec![row], ..Default::default() };
    writer.append(&batch).unwrap();
    let page = console.get("/integrations/payments").body;
    assert!(!page.contains("cannot be read now"), "{page}");
    for words in ["the second week", "ann &lt;i&gt;", "started with 25%", "2023-11-14 22:13:20 UTC", "No call has been"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(console.get("/").body.contains("no calls yet"));
}
