//! Tests of the whole room: the built-in rules, every placement, and hostile input.

use crate::exchange::{
    BodyCopy, BodyState, Capture, CaptureId, DropReason, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings,
};
use crate::redact::*;
use base64::Engine;
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use std::io::Write;
use std::sync::{LazyLock, Mutex};

mod carried;
mod classes;
mod dialects;
mod formats;
mod headers;
mod mentions;
mod pages;
mod placed;
mod places;
mod properties;
mod said;
mod told;
mod trades;
mod wrapped;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), Settings::default()).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
});

fn redact(content_type: &str, text: &str) -> String {
    String::from_utf8(REDACTOR.body(content_type, text.as_bytes()).unwrap().into_inner()).unwrap()
}

/// Redacts, and again, which must change nothing.
fn once(content_type: &str, body: &str) -> String {
    let out = redact(content_type, body);
    assert_eq!(redact(content_type, &out), out, "twice: {body}");
    out
}

fn json_once(body: &serde_json::Value) -> serde_json::Value {
    serde_json::from_str(&once("application/json", &body.to_string())).unwrap()
}

fn capture(target: &str, headers: &[(&'static str, &str)], request: BodyCopy, answer: ResponseCopy) -> Capture {
    let mut lines = HeaderMap::new();
    for (name, value) in headers {
        lines.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let exchange = |role| Exchange {
        role,
        started_unix_us: 0,
        response: Some(answer.clone()),
        failure: None,
        outcome: Outcome::Ok,
        timings: Timings::default(),
    };
    Capture {
        id: CaptureId::fresh(),
        integration: "payments".into(),
        endpoint: "GET /customers".into(),
        received_unix_us: 0,
        request: RequestCopy { method: Method::GET, target: target.into(), headers: lines, body: request },
        primary: Some(exchange(Role::Primary)),
        shadow: exchange(Role::Shadow),
    }
}

fn json_answer(bytes: &[u8], coding: Option<&'static str>) -> ResponseCopy {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(coding) = coding {
        headers.insert("content-encoding", HeaderValue::from_static(coding));
    }
    ResponseCopy { status: 200, headers, body: BodyCopy::complete(bytes.to_vec().into()) }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn builtin_rules_pass_their_own_examples() {
    assert!(REDACTOR.rules().len() > 20);
    assert_eq!(REDACTOR.hash().len(), 64);
}

#[test]
fn every_problem_is_told_with_its_line() {
    let text = r#"
[[rule]]
id = "a"
type = "email"
why = "w"
pattern = "(?=x)y"
hits = ["y"]
misses = ["z"]

[[rule]]
id = "a"
type = "nonsense"
why = "w"
pattern = "x*"
colour = "red"

[[rule]]
id = "b"
type = "token"
why = "w"
pattern = "abc"
hits = ["xyz"]
misses = ["abc"]

[[rule]]
id = "b"
type = "token"
why = "w"
pattern = "x*"
hits = ["x"]
misses = ["y"]
"#;
    let file = RuleFile { name: "r.toml".into(), text: text.into() };
    let problems = Redactor::compile(&[file], PseudonymKey::new([0; 32]), Settings::default()).map(drop).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let all = told.join("\n");
    for part in ["look-around", "colour", "used twice", "empty text", "example 1 is not found", "example 1 is found"] {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    assert!(all.contains("r.toml:2: rule \"a\", pattern"), "{all}");
    assert!(all.contains("r.toml:17: rule \"b\", hits"), "{all}");
}

#[test]
fn other_bytes_of_json_stay_as_they_were() {
    let text =
        "{ \"id\" : 1.50, \"u\":\"\\u0041\\/\",\n \"email\":\"ada\\u0040example.org\", \"lat\": -113.42060352112769 }";
    let out = redact("application/json", text);
    assert!(out.starts_with("{ \"id\" : 1.50, \"u\":\"\\u0041\\/\",\n \"email\":\"user-"), "{out}");
    assert!(out.ends_with("@example.invalid\", \"lat\": -113.42060352112769 }"), "{out}");
}

#[test]
fn identifiers_and_times_stay() {
    for text in [
        r#"{"id":"123e4567-e89b-12d3-a456-426614174000","created":1700000000,"at":"2024-01-15T12:00:00.123Z"}"#,
        r#"{"trace":"4bf92f3577b34da6a3ce929d0e0e4736","version":"1.2.3.4","amount":1999,"ok":true,"none":null}"#,
        r#"{"ean":"4006381333931","ms":1700000000123,"lat":52.520008,"customer":"cus_9s6XKzkNRiz8i3"}"#,
    ] {
        assert_eq!(redact("application/json", text), text);
    }
}

#[test]
fn equal_values_get_equal_stand_ins() {
    let out =
        redact("application/json", r#"{"a":"4242 4242 4242 4242","b":4242424242424242,"c":"4242-4242-4242-4242"}"#);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    let digits = |name: &str| value[name].to_string().replace(|c: char| !c.is_ascii_digit(), "");
    assert_eq!(digits("a"), digits("b"));
    assert_eq!(digits("b"), digits("c"));
    assert!(value["b"].is_u64());
}

#[test]
fn bodies_that_are_not_understood_are_dropped() {
    let reason = |content_type: &str, bytes: &[u8]| REDACTOR.body(content_type, bytes).map(drop).unwrap_err();
    assert_eq!(reason("application/json", b"{\"a\":"), DropReason::Unparseable);
    assert_eq!(reason("application/json", b"\xff\xfe"), DropReason::Unparseable);
    assert_eq!(reason("image/png", b"\x89PNG"), DropReason::UnknownType);
    assert_eq!(reason("multipart/form-data; boundary=x", b"--x"), DropReason::Unparseable);
    assert_eq!(reason("text/plain; charset=utf-16", b"a"), DropReason::Unparseable);
    assert_eq!(reason("text/plain; charset=klingon", b"a"), DropReason::UnknownCharset);
    assert_eq!(reason("application/json", "[".repeat(100_000).as_bytes()), DropReason::TooDeep);
    assert_eq!(REDACTOR.body("application/json", b"").unwrap().into_inner(), b"");
}

#[test]
fn a_capture_is_decoded_and_clean() {
    let body = br#"{"customer":{"name":"Ada Lovelace","email":"ada@example.org"},"note":"for Ada Lovelace"}"#;
    let raw = capture(
        "/customers/ada%40example.org?email=ada%40example.org&access_token=hunter2secret",
        &[
            ("authorization", "Bearer hunter2secret"),
            ("cookie", "sid=abcdef123; theme=darkness"),
            ("x-note", "Ada Lovelace"),
        ],
        BodyCopy::empty(),
        json_answer(&gzip(body), Some("gzip")),
    );
    let seen = raw.shadow.response.as_ref().unwrap().body.seen_bytes;
    let done = REDACTOR.capture(raw).into_inner();
    let answer = done.capture.shadow.response.clone().unwrap();
    assert_eq!(answer.body.state, BodyState::Complete);
    assert_eq!(answer.body.seen_bytes, seen);
    let text = String::from_utf8(answer.body.bytes.to_vec()).unwrap();
    let all = format!("{text} {} {:?}", done.capture.request.target, done.capture.request.headers);
    for value in ["Ada", "ada@", "ada%40", "hunter2", "abcdef123"] {
        assert!(!all.contains(value), "{value} in {all}");
    }
    let user = text.split('"').find(|part| part.starts_with("user-")).unwrap();
    assert!(done.capture.request.target.replace("%40", "@").contains(user), "{all}");
    assert!(done.hits.iter().any(|hit| &*hit.rule == "email" && hit.part == Part::Target));
}

#[test]
fn content_codings_are_undone_within_limits() {
    let bomb = gzip(&vec![b' '; 9 << 20]);
    for (bytes, coding, reason) in [
        (bomb, "gzip", DropReason::Bomb),
        (b"plain".to_vec(), "gzip", DropReason::Undecodable),
        (b"plain".to_vec(), "br", DropReason::Undecodable),
        (b"plain".to_vec(), "zstd", DropReason::Undecodable),
        (b"plain".to_vec(), "rot13", DropReason::Undecodable),
        (vec![b' '; (1 << 20) + 1], "identity", DropReason::OverCap),
    ] {
        let done = REDACTOR.capture(capture("/", &[], BodyCopy::empty(), json_answer(&bytes, Some(coding))));
        let body = &done.capture.shadow.response.as_ref().unwrap().body;
        assert_eq!(body.drop_reason(), Some(reason), "{coding}");
    }
}

/// The placements of a value; each is (content type, body).
fn placements(key: &str, value: &str) -> Vec<(&'static str, String)> {
    let object = serde_json::json!({ key: value }).to_string();
    let escaped: String = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let percent: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&object);
    vec![
        ("application/json", object.clone()),
        ("application/json", format!("{{\"a\":[{{\"{key}\":\"{escaped}\"}}]}}")),
        ("application/json", serde_json::json!({ "payload": object }).to_string()),
        ("application/json", serde_json::json!({ "payload": base64 }).to_string()),
        ("application/json", serde_json::json!({ "url": format!("https://x.example/a?{key}={percent}") }).to_string()),
        (
            "application/json",
            serde_json::json!({ "query": format!("{{ c({key}: \"{value}\") {{ id }} }}") }).to_string(),
        ),
        ("application/x-www-form-urlencoded", format!("a=b&{key}={percent}")),
        ("application/x-ndjson", format!("{object}\n{object}\n")),
        ("text/event-stream", format!("event: x\ndata: {object}\n\n")),
        ("text/plain", object),
        ("application/xml", format!("<c><{key}>{value}</{key}><x {key}=\"{value}\"/></c>")),
    ]
}

#[test]
fn planted_values_survive_nowhere() {
    let values = [
        ("firstName", "Adalovelace"),
        ("email", "ada.l@example.org"),
        ("card_number", "4242424242424242"),
        ("iban", "DE89370400440532013000"),
        ("phone", "+442079460958"),
        ("street", "12 Marylebone Rd"),
        ("password", "hunter2hunter2"),
        ("api_key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("ssn", "078-05-1120"),
    ];
    for (key, value) in values {
        for (content_type, body) in placements(key, value) {
            let out = redact(content_type, &body);
            assert_ne!(out, body);
            assert!(!out.contains(value), "{key} in {content_type}: {body} -> {out}");
            assert_eq!(redact(content_type, &out), out, "twice: {content_type} {body}");
        }
    }
}

pub(super) fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[ -~é€😀]{0,24}".prop_map(Into::into),
        "[a-z]{1,8}@[a-z]{1,8}\\.(org|com)".prop_map(Into::into),
        "[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}".prop_map(Into::into),
        "\\+[0-9]{8,14}".prop_map(Into::into),
    ];
    let key = prop_oneof![
        "[a-z_]{1,6}",
        Just("name".to_owned()),
        Just("phone".into()),
        Just("iban".into()),
        Just("dob".into()),
        Just("ssn".into()),
        Just("card_number".into()),
        Just("cvc".into()),
        Just("password".into())
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_stays_json_and_twice_is_once(value in json_value()) {
        let text = value.to_string();
        if let Ok(once) = REDACTOR.body("application/json", text.as_bytes()) {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&once).is_ok());
            let twice = REDACTOR.body("application/json", &once).unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once));
        }
    }

    #[test]
    fn hostile_bytes_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\PC\\\\\"'{}\\[\\]<>&;%=:@+ ]{0,200}",
    ) {
        let types = ["application/json", "text/plain", "text/html", "application/x-www-form-urlencoded",
            "text/event-stream", "application/x-ndjson", "", "text/plain; charset=latin1", "a/b; charset"];
        for content_type in types {
            let _ = REDACTOR.body(content_type, &bytes);
            let _ = REDACTOR.body(content_type, text.as_bytes());
        }
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let _ = REDACTOR.capture(capture(&text, &[], BodyCopy::empty(), json_answer(&bytes, Some(coding))));
        }
    }
}

#[test]
fn a_sibling_names_a_value_in_either_order() {
    for text in [
        r#"{"key":"vorname","value":"Ramon"}"#,
        r#"{"value":"Ramon","name":"vorname"}"#,
        r#"{"attributeName":"vorname","attributeValue":"Ramon"}"#,
        r#"{"k":"vorname","v":"Ramon"}"#,
    ] {
        assert!(!redact("application/json", text).contains("Ramon"), "{text}");
    }
    let harmless = r#"{"key":"colour","value":"Ramon"}"#;
    assert_eq!(redact("application/json", harmless), harmless);
}

#[test]
fn a_value_named_in_one_place_does_not_stay_in_base64_in_another() {
    let text = r#"{"email":"ada@mail.example","note":"see x=eyJlIjoiYWRhQG1haWwuZXhhbXBsZSJ9 there"}"#;
    let kept =
        REDACTOR.body("application/json", text.as_bytes()).map(|body| String::from_utf8_lossy(&body).into_owned());
    assert!(!kept.is_ok_and(|kept| kept.contains("YWRhQG1haWwuZXhhbXBsZ")));
}
