//! What holds for every format: nothing planted survives, nothing harmless changes, twice is once, no bytes panic.

use super::*;
use crate::redact::format::charset::Charset;

/// Every content type with a parser of its own, and some without.
const TYPES: [&str; 30] = [
    "",
    "application/json",
    "application/x-ndjson",
    "application/json-seq",
    "text/event-stream",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/soap+xml; charset=utf-16",
    "text/html",
    "text/html; charset=shift_jis",
    "text/csv",
    "text/tab-separated-values",
    "application/graphql",
    "multipart/form-data; boundary=b",
    "multipart/mixed",
    "message/http",
    "message/rfc822",
    "application/jwt",
    "text/uri-list",
    "text/vcard",
    "text/calendar",
    "application/yaml",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain; charset=latin1",
    "text/plain; charset=utf-16",
    "text/plain; charset=utf-32",
    "text/plain; charset=iso-2022-jp",
    "text/plain; charset=gb18030",
    "application/octet-stream",
];

/// A value under a name, in every format.
fn planted(key: &str, value: &str) -> Vec<(&'static str, String)> {
    let object = serde_json::json!({ key: value }).to_string();
    let percent: String = value.bytes().map(|b| format!("%{b:02x}")).collect();
    let references: String = value.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let escaped: String = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(value);
    let json64 = base64::engine::general_purpose::STANDARD.encode(&object);
    let json_url = crate::redact::format::percent::encode(&object);
    vec![
        ("application/xml", format!("<a><{key}>{references}</{key}></a>")),
        ("text/xml", format!("<a><x:{key}><![CDATA[{value}]]></x:{key}><b {key}='{value}'/></a>")),
        ("application/xml", format!("<a><p name='{key}' value='{value}'/><entry key='{key}'>{value}</entry></a>")),
        ("application/xml", format!("<a><![CDATA[{object}]]></a>")),
        ("text/html", format!("<p><input name={key} value='{value}'><textarea name={key}>{references}</textarea>")),
        ("text/html", format!("<a href=\"/x?{key}={percent}\">x</a><script type=application/json>{object}</script>")),
        ("application/x-www-form-urlencoded", format!("a=1&{key}={percent}&u[{key}]={percent}")),
        ("application/x-www-form-urlencoded", format!("{key}={}&j={json_url}", percent.replace('%', "%25"))),
        (
            "application/x-www-form-urlencoded",
            format!("next=https%3A%2F%2Fx.example%2F%3F{key}%3D{}", percent.replace('%', "%25")),
        ),
        ("text/csv", format!("id,{key}\r\n1,\"{value}\"\r\n")),
        ("text/csv", format!("id;{key}\n1;{value}\n")),
        ("text/tab-separated-values", format!("id\t{key}\n1\t{value}\n")),
        ("application/graphql", format!("mutation {{ c(in: {{{key}: \"{escaped}\"}}) {{ id }} }}")),
        (
            "application/json",
            serde_json::json!({ "query": format!("{{ c({key}: \"{value}\") {{ id }} }}") }).to_string(),
        ),
        ("application/json", serde_json::json!({ "xml": format!("<a><{key}>{value}</{key}></a>") }).to_string()),
        ("text/event-stream", format!("event: x\ndata: {{\ndata: \"{key}\": \"{escaped}\"}}\n\n")),
        ("application/x-ndjson", format!("{{}}\n{object}\n")),
        ("application/json-seq", format!("\u{1e}{object}\n")),
        (
            "multipart/form-data; boundary=b",
            format!("--b\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n--b--\r\n"),
        ),
        (
            "multipart/form-data; boundary=b",
            format!(
                "--b\nContent-Disposition: form-data; name={key}\nContent-Transfer-Encoding: base64\n\n{base64}\n--b--\n"
            ),
        ),
        (
            "multipart/mixed; boundary=b",
            format!(
                "--b\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\n{json64}\r\n--b--\r\n"
            ),
        ),
        ("message/http", format!("POST /x?{key}={percent} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{object}")),
        ("application/yaml", format!("user:\n  {key}: \"{value}\"\n  - {key}: '{value}'\n")),
        ("application/toml", format!("[user]\n{key} = \"{value}\"\n")),
        ("text/uri-list", format!("https://x.example/a?{key}={percent}\r\n")),
        ("text/plain", format!("{{\"a\": {object}}}")),
        ("", format!("id,{key}\n1,\"{value}\"\n")),
        ("application/octet-stream", object),
    ]
}

const VALUES: [(&str, &str); 7] = [
    ("email", "ada.l@example.org"),
    ("card_number", "4242424242424242"),
    ("firstName", "Adalovelace"),
    ("password", "hunter2hunter2"),
    ("iban", "DE89370400440532013000"),
    ("phone", "+442079460958"),
    ("street", "12 Marylebone Road"),
];

#[test]
fn planted_values_survive_in_no_format_and_no_charset() {
    for (key, value) in VALUES {
        for (content_type, body) in planted(key, value) {
            let out = redact(content_type, &body);
            let decoded = [
                crate::redact::format::percent::decode(&out, true).unwrap(),
                crate::redact::format::markup::unescape(&out).text.into_owned(),
            ];
            assert!(!out.contains(value) && !decoded.concat().contains(value), "{content_type}: {body} -> {out}");
            assert_eq!(redact(content_type, &out), out, "twice: {content_type} {body}");
            for label in
                ["utf-16le", "utf-16be", "utf-32le", "utf-32be", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp"]
            {
                let media = crate::redact::format::media::MediaType::of(content_type).essence;
                if media.starts_with("multipart") || media.starts_with("message") || media.is_empty() {
                    continue;
                }
                let charset = Charset::of(label).unwrap();
                let bytes = charset.encode(&body).unwrap();
                let got = REDACTOR.body(&format!("{media}; charset={label}"), &bytes).unwrap().into_inner();
                assert_eq!(charset.decode(&got).unwrap(), out, "{media} in {label}");
            }
        }
    }
}

#[test]
fn harmless_documents_come_back_as_they_were() {
    for (content_type, body) in [
        ("application/json", " {\"a\" : [1.0, \"x\\u0041\\/\"], \"a\":null}\r\n"),
        (
            "application/xml",
            "\u{feff}<?xml version='1.0'?>\r\n<!-- c --><a  b = '1'\n><![CDATA[ ]]>&#65;&amp;<c/></a >\n<?p q?>",
        ),
        (
            "text/html",
            "<!doctype html>\n<P class=x>a & b &nbsp;<br/><script>if(a<b){}</script><img src='/a.png?v=1'></p>\n",
        ),
        ("application/x-www-form-urlencoded", "a=1&&b=%zz&=&c=a+b%20c&d[]=%E9&e;f\r\n"),
        ("text/csv", "id, name of thing,x\r\n1,\"a \"\"b\"\"\",\r\n\r\n2\r\n"),
        ("text/tab-separated-values", "a\tb\n\t\"\n"),
        (
            "application/graphql",
            "\nquery Q($a: Int = 1) @x(y: [1, 2.5]) { a: b(c: $a, d: E) { ...F } } fragment F on T { x }\n",
        ),
        ("text/event-stream", ":\n\ndata\ndata:\nid:1\r\n\r\ndata: x\rother: y\n\n"),
        (
            "multipart/form-data; boundary=b",
            "\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\r\n--b  \r\n\r\n\r\n--b--\r\n",
        ),
        ("message/http", "GET /a HTTP/1.1\nHost: a.example\n\n"),
        ("text/calendar", "BEGIN:VCALENDAR\r\nX-A;B=\"c:d\":e\\,f\r\n g\r\nEND:VCALENDAR\r\n"),
        ("application/yaml", "---\na: 1\nb:\n  - x # y\n  - \"q\"\nc: |\n  text\n"),
        ("text/uri-list", "# c\r\nhttps://x.example/a%20b?c=d&e=%zz#f\r\n"),
        ("text/plain", "Dear all,\n\nnothing to see: 12.5 %, v1.2.3 & more.\n"),
    ] {
        assert_eq!(redact(content_type, body), body, "{content_type}");
    }
}

fn alphabet() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(" ada@example.org ".to_owned()),
        Just("\t4242 4242 4242 4242\t".into()),
        Just("Content-Disposition: form-data; name=\"n\"".into()),
        Just("HTTP/1.1".into()),
        Just("\r\n".into()),
        Just("\r\n\r\n".into()),
        Just("--b".into()),
        Just("--b--".into()),
        Just("<![CDATA[".into()),
        Just("]]>".into()),
        Just("<!--".into()),
        Just("-->".into()),
        Just("<script>".into()),
        Just("</".into()),
        Just("data:".into()),
        Just(": ".into()),
        Just("%40".into()),
        Just("%25".into()),
        Just("&amp;".into()),
        Just("&#64;".into()),
        Just("=?utf-8?q?".into()),
        Just("?=".into()),
        Just("https://a:b@".into()),
        Just("\"\"\"".into()),
        Just("query".into()),
        "[ a-zA-Z0-9\\t\\né€😀_-]{0,6}".prop_map(Into::into),
        "[\\[\\](){}<>\"'=;,&%#|.?/\\\\+@-]{1,4}".prop_map(Into::into),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

static FORGETFUL: LazyLock<Mutex<Redactor>> = LazyLock::new(|| {
    Mutex::new(Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), Settings::default()).unwrap())
});

/// Short words: some are found only below some names, some only where the words around say so.
fn remembered() -> impl Strategy<Value = String> {
    let words = [
        "eur",
        "succeeded",
        "Ada",
        "Lovelace",
        "Mr",
        "Dear",
        "Payment complete.",
        "name",
        "customer",
        "ssn",
        "token",
        "card",
        "ada.lovelace",
        "to",
        "Main Street",
        "from",
        "signed",
        "hunter",
        "id",
        "passport",
        "Berlin",
        "type",
        "person",
        "value",
        "of",
        "é",
        "Zażółć",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 1..4).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn twice_is_once_and_no_address_is_left(text in alphabet()) {
        for content_type in TYPES {
            let Ok(once) = REDACTOR.body(content_type, text.as_bytes()) else { continue };
            prop_assert!(!String::from_utf8_lossy(&once).contains("ada@example.org"), "{content_type}: {text:?}");
            let twice = REDACTOR.body(content_type, &once);
            let twice = twice.map(|body| String::from_utf8_lossy(&body).into_owned());
            prop_assert_eq!(twice.as_deref(), Ok(&*String::from_utf8_lossy(&once)), "{}: {:?}", content_type, text);
        }
    }

    #[test]
    fn a_redactor_with_a_memory_does_what_one_without_does(
        values in prop::collection::vec(remembered(), 1..8), keys in prop::collection::vec(remembered(), 8), rounds in 1..3_usize,
    ) {
        let mut body = serde_json::Map::new();
        for (key, value) in keys.into_iter().zip(values) {
            body.insert(key, serde_json::json!({ "value": value, "note": format!("to {value}"), "list": [value] }));
        }
        let body = serde_json::Value::from(body).to_string();
        let mut forgetful = FORGETFUL.lock().unwrap();
        forgetful.memos = Default::default();
        forgetful.names = Default::default();
        let wanted = forgetful.body("application/json", body.as_bytes()).map(|body| body.into_inner());
        for _ in 0..rounds {
            let got = REDACTOR.body("application/json", body.as_bytes()).map(|body| body.into_inner());
            prop_assert_eq!(&got, &wanted, "{}", body);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in alphabet()) {
        for content_type in TYPES {
            let _ = REDACTOR.body(content_type, &bytes);
        }
        let mut raw = capture("/", &[], BodyCopy::empty(), json_answer(b"{}", None));
        raw.request.target = text.clone();
        for name in ["cookie", "set-cookie", "authorization", "link", "forwarded", "content-disposition", "location", "x-a"] {
            for value in [text.as_bytes(), &bytes] {
                raw.request.headers.extend(HeaderValue::from_bytes(value).map(|value| (http::HeaderName::from_static(name), value)));
            }
        }
        let _ = REDACTOR.capture(raw);
    }
}
