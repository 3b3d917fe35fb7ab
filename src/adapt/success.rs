//! What counts as the shadow's success: the status, and for some APIs what the body says of a 200.

use crate::exchange::Outcome;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, RETRY_AFTER};
use serde_json::Value;
use std::io::Read;

/// A body is decoded up to this many bytes to look for errors in it; a larger one counts by its status alone.
pub const DECODED_BYTES_MAX: usize = 1 << 20;

/// A place in a JSON answer that means failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPointer {
    /// RFC 6901, `/status`.
    pub pointer: String,
    /// The text that means failure; `None`: anything there other than null, false, zero and empty.
    pub expected: Option<String>,
}

/// What turns a 2xx into [`Outcome::OkButError`]. The default looks at the status only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuccessRule {
    /// GraphQL: a non-empty top-level `errors`.
    pub graphql: bool,
    /// Places that mean failure.
    pub error_json_pointers: Vec<ErrorPointer>,
}

impl SuccessRule {
    fn looks_at_bodies(&self) -> bool {
        self.graphql || !self.error_json_pointers.is_empty()
    }
}

/// How an answer counts. `body` is as it was on the wire, or `None` when it was not kept.
pub fn outcome(rule: &SuccessRule, status: u16, headers: &HeaderMap, body: Option<&[u8]>) -> Outcome {
    let by_status = Outcome::of_status(status);
    if !(200..300).contains(&status) || !rule.looks_at_bodies() {
        return by_status;
    }
    let document = body.and_then(|body| decode(headers, body)).and_then(|json| serde_json::from_slice(&json).ok());
    match document {
        Some(document) if says_error(rule, &document) => Outcome::OkButError,
        _ => by_status,
    }
}

fn says_error(rule: &SuccessRule, document: &Value) -> bool {
    let graphql = rule.graphql && document.get("errors").is_some_and(is_something);
    graphql
        || rule.error_json_pointers.iter().any(|place| {
            document.pointer(&place.pointer).is_some_and(|found| match (&place.expected, found) {
                (None, found) => is_something(found),
                (Some(expected), Value::String(text)) => text == expected,
                (Some(expected), found) => *expected == found.to_string().as_str(),
            })
        })
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn decode(headers: &HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
    let encoding = match headers.get(CONTENT_ENCODING) {
        None => return (body.len() <= DECODED_BYTES_MAX).then(|| body.to_vec()),
        Some(value) => value.to_str().ok()?.trim().to_ascii_lowercase(),
    };
    match encoding.as_str() {
        "" | "identity" => (body.len() <= DECODED_BYTES_MAX).then(|| body.to_vec()),
        "gzip" | "x-gzip" => bounded(flate2::read::MultiGzDecoder::new(body)),
        "deflate" => bounded(flate2::read::ZlibDecoder::new(body)),
        "br" => bounded(brotli_decompressor::Decompressor::new(body, 4096)),
        "zstd" => bounded(zstd::stream::read::Decoder::new(body).ok()?),
        _ => None,
    }
}

fn bounded(reader: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(DECODED_BYTES_MAX as u64 + 1).read_to_end(&mut out).ok()?;
    (out.len() <= DECODED_BYTES_MAX).then_some(out)
}

/// The wait a `Retry-After` asks for, seconds; both of its forms. `None` when absent or not understood.
pub fn retry_after_s(headers: &HeaderMap, now_unix_us: i64) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds);
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
    Some(u64::try_from(until.saturating_sub(now_unix_us / 1_000_000)).unwrap_or(0))
}
