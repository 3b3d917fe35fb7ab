//! The shadow gets the same request without the primary's credentials, and a 200 that is an error is seen as one.

use super::*;
use crate::exchange::{BodyCopy, Outcome};
use proptest::prelude::*;
use std::io::Write;

fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> RequestCopy {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    let body = BodyCopy::complete(Bytes::copy_from_slice(body.as_bytes()));
    RequestCopy { method, target: target.to_owned(), headers: map, body }
}

fn to(url: &str) -> Settings {
    Settings::to(BaseUrl::parse(url).unwrap())
}

#[test]
fn credentials_stay_behind_and_the_rest_goes_through() {
    let came = request(
        Method::GET,
        "/v1/a%2Fb?x=1&api%5Fkey=SECRET&x=2&Token=SECRET",
        &[
            ("host", "app.internal"),
            ("authorization", "Bearer SECRET"),
            ("cookie", "sid=SECRET"),
            ("x-api-key", "SECRET"),
            ("x-amz-security-token", "SECRET"),
            ("x-my-session-id", "SECRET"),
            ("accept", "a"),
            ("accept", "b"),
        ],
        "",
    );
    let mut settings = to("https://new.example/base/");
    settings.headers_set.push((http::header::AUTHORIZATION, HeaderValue::from_static("Bearer shadows-own")));
    let id = CaptureId::fresh();
    let sent = shadow_request(&settings, &came, id).unwrap();
    assert!(!format!("{:?} {:?}", sent.uri(), sent.headers()).contains("SECRET"));
    assert_eq!(sent.uri(), "https://new.example/base/v1/a%2Fb?x=1&x=2");
    assert_eq!(sent.headers().get_all("accept").iter().count(), 2);
    assert_eq!(sent.headers()["authorization"], "Bearer shadows-own");
    assert_eq!(sent.headers()[CAPTURE_HEADER], id.to_string());
    assert!(!sent.headers().contains_key("idempotency-key") && !sent.headers().contains_key("host"));
    settings.headers_keep.push(HeaderName::from_static("x-api-key"));
    settings.query_keep.push("token".to_owned());
    let sent = shadow_request(&settings, &came, id).unwrap();
    assert_eq!(sent.headers()["x-api-key"], "SECRET");
    assert!(sent.uri().to_string().ends_with("&Token=SECRET"));
}

#[test]
fn unsafe_methods_carry_an_idempotency_key_their_own_first() {
    let id = CaptureId::fresh();
    let none = request(Method::POST, "/charges", &[], "{}");
    let own = request(Method::POST, "/charges", &[("idempotency-key", "k1")], "{}");
    let settings = to("http://new.example");
    assert_eq!(shadow_request(&settings, &none, id).unwrap().headers()["idempotency-key"], id.to_string());
    assert_eq!(shadow_request(&settings, &own, id).unwrap().headers()["idempotency-key"], "k1");
}

#[test]
fn a_body_that_was_not_kept_is_never_sent_as_an_empty_one() {
    let mut copy = request(Method::POST, "/", &[], "");
    copy.body = BodyCopy::dropped(DropReason::OverCap, 9);
    let made = shadow_request(&to("http://new.example"), &copy, CaptureId::fresh());
    assert_eq!(made.unwrap_err(), AdaptError::NoBody(DropReason::OverCap));
}

#[test]
fn prefixes_come_off_at_segment_boundaries() {
    for (target, prefix, left) in [
        ("/pay/charges?a=1", "/pay", "/charges?a=1"),
        ("/pay", "/pay/", "/"),
        ("/pay?a=1", "/pay", "/?a=1"),
        ("/payments", "/pay", "/payments"),
        ("/x", "/", "/x"),
    ] {
        assert_eq!(strip_prefix(target, Some(prefix)), left);
    }
}

#[test]
fn addresses_with_secrets_queries_or_other_schemes_are_refused() {
    assert_eq!(BaseUrl::parse("https://u:p@x.example").unwrap_err(), BaseUrlError::UserInfo);
    assert_eq!(BaseUrl::parse("https://x.example/?a=1").unwrap_err(), BaseUrlError::Query);
    assert_eq!(BaseUrl::parse("ftp://x.example/").unwrap_err(), BaseUrlError::Scheme("ftp".to_owned()));
    assert_eq!(BaseUrl::parse("/only/path").unwrap_err(), BaseUrlError::NotAUrl);
}

#[test]
fn a_200_with_errors_is_ok_but_error_also_compressed() {
    let rule = SuccessRule {
        graphql: true,
        error_json_pointers: vec![ErrorPointer { pointer: "/status".into(), expected: Some("failed".into()) }],
    };
    let plain = HeaderMap::new();
    let judge = |body: &[u8]| outcome(&rule, 200, &plain, Some(body));
    assert_eq!(judge(br#"{"errors":[{"message":"no"}]}"#), Outcome::OkButError);
    assert_eq!(judge(br#"{"errors":[],"status":"done"}"#), Outcome::Ok);
    assert_eq!(judge(br#"{"status":"failed"}"#), Outcome::OkButError);
    assert_eq!(judge(b"not json"), Outcome::Ok);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(br#"{"errors":[1]}"#).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(outcome(&rule, 200, &headers, Some(&gzip.finish().unwrap())), Outcome::OkButError);
    assert_eq!(outcome(&rule, 503, &plain, None), Outcome::Server5xx);
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("120"));
    assert_eq!(retry_after_s(&headers, 0), Some(120));
    headers.insert("retry-after", HeaderValue::from_static("Thu, 01 Jan 1970 00:01:00 GMT"));
    assert_eq!(retry_after_s(&headers, 20_000_000), Some(40));
    headers.insert("retry-after", HeaderValue::from_static("soon"));
    assert_eq!(retry_after_s(&headers, 0), None);
}

proptest! {
    #[test]
    fn no_parameter_named_like_a_credential_survives(names in proptest::collection::vec("[a-z]{1,6}", 0..5), at in 0usize..5) {
        let mut pairs: Vec<String> = names.iter().map(|name| format!("{name}x=1")).collect();
        let expected = pairs.clone();
        pairs.insert(at.min(pairs.len()), "access_token=S".to_owned());
        let target = format!("/p?{}", pairs.join("&"));
        let left = credentials::without_query_credentials(&target, &[]);
        let want = if expected.is_empty() { "/p".to_owned() } else { format!("/p?{}", expected.join("&")) };
        prop_assert_eq!(left, want);
    }
}
