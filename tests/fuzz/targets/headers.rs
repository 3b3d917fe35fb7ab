//! Any target and any header line: nothing panics, and a planted address stays in none.

#![no_main]

use darklaunch::exchange::{
    BodyCopy, Capture, CaptureId, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings,
};
use darklaunch::redact::{PseudonymKey, Redactor, Settings, builtin};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::compile(&builtin(), PseudonymKey::new([7; 32]), Settings::default()).unwrap());

const NAMES: [&str; 12] = [
    "authorization",
    "cookie",
    "set-cookie",
    "location",
    "link",
    "forwarded",
    "x-forwarded-for",
    "content-disposition",
    "content-type",
    "from",
    "x-meta",
    "www-authenticate",
];
const PLANTED: &str = "ada.lovelace@example.org";

fuzz_target!(|input: (u8, u16, &str, &[u8])| {
    let (which, at, target, value) = input;
    let name = NAMES[usize::from(which) % NAMES.len()];
    let at = usize::from(at) % (value.len() + 1);
    let line = [&value[..at], b" ", PLANTED.as_bytes(), b" ", &value[at..]].concat();
    let Ok(line) = HeaderValue::from_bytes(&line) else { return };
    let answer = ResponseCopy { status: 200, headers: HeaderMap::new(), body: BodyCopy::empty() };
    let shadow = Exchange {
        role: Role::Shadow,
        started_unix_us: 0,
        response: Some(answer),
        failure: None,
        outcome: Outcome::Ok,
        timings: Timings::default(),
    };
    let headers = HeaderMap::from_iter([(HeaderName::from_static(name), line)]);
    let request = RequestCopy { method: Method::GET, target: target.to_owned(), headers, body: BodyCopy::empty() };
    let id = CaptureId::fresh();
    let raw = Capture {
        id,
        integration: "i".into(),
        endpoint: "GET /".into(),
        received_unix_us: 0,
        request,
        primary: None,
        shadow,
    };
    let done = REDACTOR.capture(raw);
    let kept = done.capture.request.headers[name].as_bytes();
    assert!(!String::from_utf8_lossy(kept).contains(PLANTED), "{name}: {:?}", String::from_utf8_lossy(value));
});
