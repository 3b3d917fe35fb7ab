//! What compare says of pairs of answers.

use super::*;
use crate::compare::walk::PATH_BYTES_MAX;
use crate::exchange::{BodyCopy, DropReason, Failure, FailureKind, Outcome, Role, Timings};
use http::{HeaderMap, HeaderValue};

fn answer(status: u16, media: &'static str, body: BodyCopy) -> Exchange {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(media));
    Exchange {
        role: Role::Shadow,
        started_unix_us: 0,
        response: Some(ResponseCopy { status, headers, body }),
        failure: None,
        outcome: Outcome::Ok,
        timings: Timings::default(),
    }
}

fn json(text: &str) -> Exchange {
    answer(200, "application/json; charset=utf-8", BodyCopy::complete(text.to_owned().into()))
}

fn differences(old: &str, new: &str) -> Vec<(String, What)> {
    match exchanges(&json(old), &json(new), &mut Names::default()).verdict {
        Verdict::Differs(found) => found.into_iter().map(|one| (one.path, one.what)).collect(),
        Verdict::Same => Vec::new(),
        Verdict::CannotSay(why) => panic!("{why}"),
    }
}

fn at(path: &str, what: What) -> (String, What) {
    (path.to_owned(), what)
}

#[test]
fn order_spacing_and_number_spelling_are_no_difference() {
    assert_eq!(differences(r#"{"a":1,"b":[true,null]}"#, "{ \"b\": [true, null], \"a\": 1.0 }"), []);
}

#[test]
fn every_kind_has_its_place() {
    let old = r#"{"a":1,"b":"x","c":[{"d":1},{"d":2}],"e":null,"odd key":1}"#;
    let new = r#"{"a":2,"b":7,"c":[{"d":3},{"d":4},{"d":5}],"f":1,"odd key":2}"#;
    let expected = [
        at("$.a", What::Value),
        at("$.b", What::Type),
        at("$.c", What::Length),
        at("$.c[].d", What::Value),
        at("$.e", What::Missing),
        at("$[\"odd key\"]", What::Value),
        at("$.f", What::Added),
    ];
    assert_eq!(differences(old, new), expected);
    assert_eq!(differences("9007199254740993", "9007199254740992"), [at("$", What::Value)]);
}

#[test]
fn status_and_content_type_count_and_bodies_of_other_types_compare_whole() {
    let old = answer(200, "text/plain", BodyCopy::complete("a".into()));
    let new = answer(201, "text/html", BodyCopy::complete("b".into()));
    let Verdict::Differs(found) = exchanges(&old, &new, &mut Names::default()).verdict else { panic!() };
    let found: Vec<_> = found.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(found, ["status", "content-type", "body"]);
}

#[test]
fn what_is_not_known_is_not_said() {
    let dropped = answer(200, "application/json; charset=utf-8", BodyCopy::dropped(DropReason::OverCap, 9));
    assert_eq!(
        exchanges(&json("{}"), &dropped, &mut Names::default()).verdict,
        Verdict::CannotSay("a body was not kept")
    );
    let mut cut = json("{}");
    cut.failure = Some(Failure { kind: FailureKind::Reset });
    assert_eq!(
        exchanges(&json("{}"), &cut, &mut Names::default()).verdict,
        Verdict::CannotSay("an answer was cut short")
    );
    cut.response = None;
    assert_eq!(
        exchanges(&cut, &json("{}"), &mut Names::default()).verdict,
        Verdict::CannotSay("the primary did not answer")
    );
    assert_eq!(
        exchanges(&json("{}"), &cut, &mut Names::default()).verdict,
        Verdict::CannotSay("the shadow did not answer")
    );
}

#[test]
fn differences_and_paths_are_bounded() {
    let many: String = (0..200).map(|n| format!("\"k{n}\":1,")).collect();
    let found = differences(&format!("{{{many}\"z\":1}}"), "{}");
    assert_eq!(found.len(), DIFFERENCES_MAX);
    let long = format!("{{\"{}\":1}}", "é".repeat(5_000));
    assert!(differences(&long, "{}")[0].0.len() <= PATH_BYTES_MAX);
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(differences(&deep("1"), &deep("2")).len(), 1);
}

#[test]
fn keys_in_another_order_missing_and_added_are_told_apart() {
    let found = differences(r#"{"a":1,"b":2,"c":3,"d":4}"#, r#"{"a":1,"c":3,"b":5,"e":4}"#);
    assert_eq!(found, [at("$.b", What::Value), at("$.d", What::Missing), at("$.e", What::Added)]);
    // Of two keys of one name the last counts.
    assert_eq!(differences(r#"{"b":0,"a":1}"#, r#"{"a":2,"b":0,"a":1}"#), []);
    let escaped = differences(r#"{"\u0061":"\u0062"}"#, r#"{"a":"b"}"#);
    assert_eq!(escaped, []);
}

#[test]
fn a_shape_is_the_set_of_paths_and_types() {
    let shape = |text: &str| shape(json(text).response.as_ref().unwrap(), &mut Names::default());
    let one = shape(r#"{"a":1,"b":[{"c":"x"}]}"#);
    assert_eq!(one, shape(r#"{"b":[{"c":"y"},{"c":""}],"a":2.5}"#));
    let others =
        [r#"{"a":"1","b":[{"c":"x"}]}"#, r#"{"a":1,"b":[{"c":"x","d":0}]}"#, r#"{"a":1,"b":[]}"#, "{}", "[]", "1"];
    let mut all: Vec<u64> = others.iter().map(|text| shape(text)).chain([one]).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), others.len() + 1);
    assert!(all.iter().all(|shape| *shape != NO_SHAPE && i64::try_from(*shape).is_ok()));
    assert_eq!(shape("no json"), NO_SHAPE);
    // The number is stored: it must not change with a version.
    assert_eq!(shape(r#"{"a":1}"#), 8_792_573_242_775_470_079);
}

#[test]
fn an_answer_that_was_read_for_comparing_tells_its_shape_at_once() {
    let (old, new) = (json(r#"{"a":1}"#), json(r#"{"a":2}"#));
    assert_eq!(
        exchanges(&old, &new, &mut Names::default()).shape,
        Some(shape(new.response.as_ref().unwrap(), &mut Names::default()))
    );
    assert_eq!(exchanges(&old, &old, &mut Names::default()).shape, None);
}
