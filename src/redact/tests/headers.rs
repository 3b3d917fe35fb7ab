//! Header lines by their own grammars.

use super::*;

fn header(name: &'static str, value: &[u8]) -> Vec<u8> {
    let redact = |value: &[u8]| {
        let mut raw = capture("/", &[], BodyCopy::empty(), json_answer(b"", None));
        raw.request.headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        REDACTOR.capture(raw).capture.request.headers[name].as_bytes().to_vec()
    };
    let out = redact(value);
    assert_eq!(redact(&out), out, "twice: {name} {}", String::from_utf8_lossy(&out));
    out
}

fn text(name: &'static str, value: &str) -> String {
    String::from_utf8(header(name, value.as_bytes())).unwrap()
}

fn fake(value: &str) -> String {
    redact("text/plain", value)
}

#[test]
fn credentials_keep_their_scheme() {
    let basic = text("authorization", "Basic YWRhQGV4YW1wbGUub3JnOmh1bnRlcjI6Mw==");
    let inside = base64::engine::general_purpose::STANDARD.decode(basic.strip_prefix("Basic ").unwrap()).unwrap();
    let inside = String::from_utf8(inside).unwrap();
    let (user, password) = inside.split_once(':').unwrap();
    assert_eq!(user, fake("ada@example.org"));
    assert!(password.starts_with("tok-"));
    assert!(text("authorization", "Bearer abc.def").starts_with("Bearer tok-"));
    assert!(text("authorization", "opaque").starts_with("tok-"));
    assert!(text("authorization", "Token  YWJjZA==").starts_with("Token  tok-"));
    let digest = text(
        "authorization",
        "Digest username=\"ada@example.org\", realm=\"api\", nonce=\"dcd98b\", uri=\"/a?password=hunter2\", qop=auth, nc=00000001, response=\"6629fae4\"",
    );
    for gone in ["ada@", "dcd98b", "hunter2", "6629fae4"] {
        assert!(!digest.contains(gone), "{digest}");
    }
    for kept in ["Digest username=\"user-", "realm=\"api\"", "qop=auth, nc=00000001", "uri=\"/a?password=tok-"] {
        assert!(digest.contains(kept), "{digest}");
    }
    let aws = text(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20240101/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=fe5f80f77d5fa3be",
    );
    assert!(
        aws.contains("/20240101/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=tok-"),
        "{aws}"
    );
    assert!(!aws.contains("AKIA"), "{aws}");
}

#[test]
fn cookies_lose_their_values_only() {
    let out = text("cookie", "sid=abc123; cart=\"dark\";empty=; flag; theme=dark");
    assert!(out.starts_with("sid=tok-") && out.contains("; cart=\"tok-"), "{out}");
    assert!(out.ends_with("\";empty=; flag; theme=dark"), "{out}");
    let out = text("set-cookie", "sid=abc123; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; SameSite=Lax");
    assert!(out.starts_with("sid=tok-"), "{out}");
    assert!(out.ends_with("; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; SameSite=Lax"), "{out}");
}

#[test]
fn links_addresses_and_parameters_are_read() {
    let email = fake("ada@example.org");
    assert_eq!(text("location", "https://u:p@x.example/u/ada@example.org"), format!("https://***@x.example/u/{email}"));
    assert_eq!(text("referer", "/u/ada%40example.org?a=b"), format!("/u/{}?a=b", email.replace('@', "%40")));
    assert_eq!(
        text("link", "</u/ada@example.org?p=2>; rel=\"next\", <https://x.example/>; title=\"ada@example.org\""),
        format!("</u/{email}?p=2>; rel=\"next\", <https://x.example/>; title=\"{email}\"")
    );
    let (v4, v6) = (fake("203.0.113.9"), fake("2001:db9::9"));
    assert_eq!(
        text("x-forwarded-for", "203.0.113.9:443, [2001:db9::9]:80,2001:db9::9"),
        format!("{v4}:443, [{v6}]:80,{v6}")
    );
    assert_eq!(
        text("forwarded", "for=\"[2001:db9::9]:4711\";proto=https, For=203.0.113.9;by=_hidden"),
        format!("for=\"[{v6}]:4711\";proto=https, For={v4};by=_hidden")
    );
    assert_eq!(text("from", "Ada <ada@example.org>"), format!("Ada <{email}>"));
    assert_eq!(
        text(
            "content-disposition",
            "attachment; filename=\"for ada@example.org.pdf\"; filename*=UTF-8''ada%40example.org"
        ),
        format!(
            "attachment; filename=\"for {}\"; filename*=UTF-8''{}",
            fake("ada@example.org.pdf"),
            email.replace('@', "%40")
        )
    );
    assert_eq!(text("subject", "=?utf-8?B?YWRhQGV4YW1wbGUub3Jn?= x"), format!("{email} x"));
    assert_eq!(text("x-meta", "{\"email\":\"ada@example.org\"}"), format!("{{\"email\":\"{email}\"}}"));
    assert_eq!(header("x-note", b"caf\xe9 ada@example.org"), [b"caf\xe9 ".to_vec(), email.into_bytes()].concat());
}

#[test]
fn what_says_how_to_read_stays() {
    for (name, value) in [
        ("content-type", "multipart/form-data; boundary=--------------------4242424242424242"),
        ("content-type", "application/json; charset=utf-8"),
        ("accept", "*/*"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.6099.130"),
        ("etag", "W/\"5d8c72a5edda8\""),
        ("x-request-id", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ] {
        assert_eq!(text(name, value), value);
    }
}
