//! The sample key: which value of a request decides whether it is in the sample.

use crate::exchange::{CaptureId, RequestCopy};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;

/// Bytes of a body that are read for its key at most; a key behind them counts as absent.
pub(crate) const SCAN_BYTES_MAX: usize = 64 << 10;

/// What a request's place in the sample is computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SampleKey {
    /// Method, path and query.
    #[default]
    Target,
    /// One header's value; the target where it is absent.
    Header(HeaderName),
    /// A query parameter's value as written; the target where it is absent.
    Query(String),
    /// A cookie's value; the target where it is absent.
    Cookie(String),
    /// A value of the JSON body; the target where it is absent or null.
    Json(JsonPointer),
    /// Nothing: every request draws anew.
    Request,
}

impl SampleKey {
    /// Whether only the body knows it.
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self, Self::Json(_))
    }
}

/// A JSON pointer (RFC 6901), split and unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPointer(Vec<String>);

impl JsonPointer {
    /// Of `/customer/id`; `None` if it does not begin with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        let segments = text.strip_prefix('/')?.split('/');
        Some(Self(segments.map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The value's text in a body: a string's content, any other value as it is written. The walk allocates nothing
    /// for what it skips, and stops at the value. Of a name that stands twice, the first counts.
    pub(crate) fn find<'b>(&self, body: &'b [u8]) -> Option<Cow<'b, str>> {
        let window = body.get(..SCAN_BYTES_MAX).map_or(body, |cut| {
            // A number may go on behind the cut; without its last digits it would be another customer's.
            let number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            let end = cut.iter().rposition(|byte| !number(byte)).map_or(0, |at| at + 1);
            cut.get(..end).unwrap_or_default()
        });
        let mut found = None;
        let walk = Walk { rest: &self.0, found: &mut found };
        // Its end does not matter: an error behind the value is none of ours.
        let _ended = walk.deserialize(&mut serde_json::Deserializer::from_slice(window));
        let text: &'b str = found?.get();
        match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(text).ok().map(Cow::Owned),
            Some(b'n') => None,
            _ => Some(Cow::Borrowed(text)),
        }
    }
}

/// Walks down a pointer; ends with an error, which is the only way to leave a document in its middle.
struct Walk<'p, 'f, 'b> {
    rest: &'p [String],
    found: &'f mut Option<&'b RawValue>,
}

impl<'b> DeserializeSeed<'b> for Walk<'_, '_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.rest.is_empty() {
            *self.found = Some(serde::Deserialize::deserialize(deserializer)?);
            return Err(D::Error::custom("found"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'b> Visitor<'b> for Walk<'_, '_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, rest)) = self.rest.split_first() else { return Ok(()) };
        while let Some(here) = map.next_key_seed(Is(wanted))? {
            if here {
                return map.next_value_seed(Walk { rest, found: self.found });
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((wanted, rest)) = self.rest.split_first() else { return Ok(()) };
        let Ok(wanted) = wanted.parse::<usize>() else { return Err(A::Error::custom("no index")) };
        for _ in 0..wanted {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        list.next_element_seed(Walk { rest, found: self.found }).map(|_| ())
    }
}

/// Whether a name is this one, compared where it stands.
struct Is<'a>(&'a str);

impl<'b> DeserializeSeed<'b> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// The parts of a request that a key may stand in; the body is empty while only the head is known.
#[derive(Clone, Copy)]
pub(crate) struct Keyed<'r> {
    pub(crate) method: &'r str,
    /// Path and query.
    pub(crate) target: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
}

impl<'r> From<&'r RequestCopy> for Keyed<'r> {
    fn from(request: &'r RequestCopy) -> Self {
        let RequestCopy { method, target, headers, body } = request;
        Self { method: method.as_str(), target, headers, body: &body.bytes }
    }
}

impl<'r> From<&'r http::request::Parts> for Keyed<'r> {
    fn from(parts: &'r http::request::Parts) -> Self {
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Self { method: parts.method.as_str(), target, headers: &parts.headers, body: &[] }
    }
}

/// The value of the first `name=value` in a separated list.
fn named<'a>(list: &'a [u8], separator: u8, name: &str) -> Option<&'a [u8]> {
    list.split(|byte| *byte == separator)
        .find_map(|pair| pair.trim_ascii_start().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// The key's place between 0 and 2^64: the same on every machine and in every version.
pub(crate) fn key_hash<'r>(key: &SampleKey, request: impl Into<Keyed<'r>>) -> u64 {
    let request = request.into();
    let header = |name: &HeaderName| request.headers.get(name).map(HeaderValue::as_bytes);
    let query = || request.target.split_once('?').map_or("", |(_, query)| query).as_bytes();
    let mut hash = Sha256::new();
    let found = match key {
        SampleKey::Header(name) => header(name).map(Cow::Borrowed),
        SampleKey::Query(name) => named(query(), b'&', name).map(Cow::Borrowed),
        SampleKey::Cookie(name) => {
            header(&http::header::COOKIE).and_then(|cookies| named(cookies, b';', name)).map(Cow::Borrowed)
        }
        SampleKey::Json(pointer) => pointer.find(request.body).map(|text| match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }),
        SampleKey::Request | SampleKey::Target => None,
    };
    match (key, found) {
        (_, Some(value)) => hash.update(value),
        (SampleKey::Request, None) => hash.update(CaptureId::fresh().0.as_bytes()),
        (_, None) => {
            hash.update(request.method);
            hash.update(request.target);
        }
    }
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(pointer: &str, body: &str) -> Option<String> {
        JsonPointer::parse(pointer).unwrap().find(body.as_bytes()).map(Cow::into_owned)
    }

    #[test]
    fn a_pointer_finds_its_value_and_nothing_else() {
        for (pointer, body, value) in [
            ("/customer/id", r#"{"a":[{"id":1}],"customer":{"name":"x","id":"c7"},"z":{}}"#, Some("c7")),
            ("/id", r#"{"id":42}"#, Some("42")),
            ("/id", r#"{"id":"42"}"#, Some("42")),
            ("/id", r#"{"id":"a\u0062c"}"#, Some("abc")),
            ("/\u{e9}", "{\"\\u00e9\": true}", Some("true")),
            ("/id", r#"{"id":{"a": 1}}"#, Some(r#"{"a": 1}"#)),
            ("/list/1/id", r#"{"list":[{"id":1},{"id":2}]}"#, Some("2")),
            ("/list/9", r#"{"list":[1]}"#, None),
            ("/list/x", r#"{"list":[1]}"#, None),
            ("/a~1b/~0", r#"{"a/b":{"~":"deep"}}"#, Some("deep")),
            ("/id", r#"{"id":null}"#, None),
            ("/id", r#"{"other":{"id":1}}"#, None),
            ("/id/x", r#"{"id":1}"#, None),
            ("/id", r#"{"id":1,"id":2}"#, Some("1")),
            ("/id", r#"{"id":"first"} not JSON any more"#, Some("first")),
            ("/id", r#"{"id":"cut"#, None),
            ("/id", "id=7", None),
            ("/id", "", None),
        ] {
            assert_eq!(find(pointer, body).as_deref(), value, "{pointer} in {body}");
        }
        assert_eq!(JsonPointer::parse("customer"), None);
    }

    #[test]
    fn only_the_first_bytes_are_read_and_a_cut_number_is_no_number() {
        let body = |before: usize, id: &str| format!("{{\"pad\":\"{}\",\"id\":{id}}}", "x".repeat(before));
        assert_eq!(find("/id", &body(1_000, "7")).as_deref(), Some("7"));
        assert_eq!(find("/id", &body(SCAN_BYTES_MAX, "7")), None);
        for pad in SCAN_BYTES_MAX - 40..SCAN_BYTES_MAX {
            let found = find("/id", &body(pad, "123456789"));
            assert!(found.is_none() || found.as_deref() == Some("123456789"), "{pad}: {found:?}");
        }
        let deep = "[".repeat(SCAN_BYTES_MAX);
        assert_eq!(find("/id", &format!("{{\"a\":{deep}")), None);
    }

    fn request<'r>(headers: &'r HeaderMap, target: &'r str, body: &'r [u8]) -> Keyed<'r> {
        Keyed { method: "POST", target, headers, body }
    }

    proptest! {
        #[test]
        fn no_body_makes_the_walk_panic(body in proptest::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\",:a0-9n. \\\\]{0,80}") {
            let pointer = JsonPointer::parse("/a/0").unwrap();
            let _ = (pointer.find(&body), pointer.find(json.as_bytes()));
        }

        #[test]
        fn the_walk_finds_what_a_whole_parse_finds(id in "\\PC{0,20}", before in "\\PC{0,20}", number: i64) {
            let text = serde_json::json!({ "before": before, "customer": { "id": id, "n": number } }).to_string();
            prop_assert_eq!(find("/customer/id", &text), Some(id));
            prop_assert_eq!(find("/customer/n", &text), Some(number.to_string()));
        }

        #[test]
        fn one_customer_has_one_place_whatever_else_the_request_holds(id in "[a-z0-9]{1,20}", a in "/[a-z]{0,9}", b in "/[a-z]{0,9}") {
            let name = HeaderName::from_static("x-customer");
            let json = SampleKey::Json(JsonPointer::parse("/customer").unwrap());
            let keys = [SampleKey::Header(name.clone()), SampleKey::Query("c".into()), SampleKey::Cookie("c".into()), json];
            let place = |key: &SampleKey, path: &str, more: &str| {
                let mut headers = HeaderMap::new();
                headers.insert(name.clone(), HeaderValue::from_str(&id).unwrap());
                headers.insert("cookie", HeaderValue::from_str(&format!("o={more}; c={id}")).unwrap());
                let body = format!("{{\"more\":\"{more}\",\"customer\":\"{id}\"}}");
                key_hash(key, request(&headers, &format!("{path}?c={id}&more={more}"), body.as_bytes()))
            };
            let places: Vec<u64> = keys.iter().map(|key| place(key, &a, "x")).collect();
            prop_assert_eq!(&places, &keys.iter().map(|key| place(key, &b, "y")).collect::<Vec<_>>());
            prop_assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "one value, one place, over every kind of key");
        }

        #[test]
        fn without_the_value_every_kind_falls_back_to_the_target(a in "/[a-z]{0,9}", body in "\\PC{0,20}") {
            let headers = HeaderMap::new();
            let json = SampleKey::Json(JsonPointer::parse("/customer").unwrap());
            let keys = [SampleKey::Header(HeaderName::from_static("x-c")), SampleKey::Query("c".into()), SampleKey::Cookie("c".into()), json];
            let target = key_hash(&SampleKey::Target, request(&headers, &a, b""));
            for key in keys {
                prop_assert_eq!(key_hash(&key, request(&headers, &a, body.as_bytes())), target);
            }
        }
    }
}
