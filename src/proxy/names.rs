//! The names of endpoints: declared templates first, then inferred ones, at most so many, then `other`.

use crate::exchange::Endpoint;
use arc_swap::ArcSwap;
use hashbrown::HashSet;
use http::Method;
use memchr::memchr;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

/// Inferred names kept unless configured otherwise.
pub const ENDPOINTS_MAX: usize = 200;

const NAME_BYTES_MAX: usize = 200;
const TOKEN_CHARS_MIN: usize = 12;

/// Names the endpoints of one integration. Reading is lock-free; the first sight of a new name locks for a moment.
#[derive(Debug)]
pub struct EndpointNames {
    declared: Vec<(Endpoint, String, Vec<String>)>,
    inferred: ArcSwap<HashSet<Endpoint>>,
    adding: Mutex<()>,
    endpoints_max: usize,
    other: Endpoint,
}

impl EndpointNames {
    /// With declared templates, `GET /customers/{id}`, and room for `endpoints_max` inferred names.
    pub fn new(declared: &[String], endpoints_max: usize) -> Self {
        let split = |text: &String| {
            let (method, path) = text.split_once(' ')?;
            let segments = path.trim().split('/').map(str::to_owned).collect();
            Some((Arc::from(text.as_str()), method.to_ascii_uppercase(), segments))
        };
        Self {
            declared: declared.iter().filter_map(split).collect(),
            inferred: ArcSwap::default(),
            adding: Mutex::default(),
            endpoints_max,
            other: Arc::from("other"),
        }
    }

    /// The endpoint of a request's method and path (without query).
    pub fn name(&self, method: &Method, path: &str) -> Endpoint {
        let path = &*readable(path);
        let fits = |template: &[String]| {
            // Bytes, not characters: this runs for every request.
            let mut path = path.as_bytes().split(|byte| *byte == b'/');
            let same = template.iter().all(|want| {
                path.next().is_some_and(|got| want.as_bytes() == got || (is_variable(want) && !got.is_empty()))
            });
            same && path.next().is_none()
        };
        if let Some((name, ..)) = self.declared.iter().find(|(_, m, template)| m == method.as_str() && fits(template)) {
            return Arc::clone(name);
        }
        let name = infer(method, path);
        if let Some(known) = self.inferred.load().get(name.as_str()) {
            return Arc::clone(known);
        }
        if name.len() > NAME_BYTES_MAX { Arc::clone(&self.other) } else { self.add(name) }
    }

    fn add(&self, name: String) -> Endpoint {
        if self.inferred.load().len() >= self.endpoints_max {
            return Arc::clone(&self.other);
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.inferred.load_full();
        if known.len() >= self.endpoints_max {
            return known.get(name.as_str()).map_or_else(|| Arc::clone(&self.other), Arc::clone);
        }
        let name: Endpoint = Arc::from(name);
        let mut more = (*known).clone();
        more.insert(Arc::clone(&name));
        self.inferred.store(Arc::new(more));
        name
    }
}

/// The path with its needlessly encoded characters decoded (RFC 3986, 6.2.2.2), for names only: a rule on `/admin` holds
/// for `/%61dmin` as well, since providers take them for the same.
fn readable(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
                rest = &after[2..];
            }
            _ => {
                text.push('%');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

fn infer(method: &Method, path: &str) -> String {
    let mut name = String::with_capacity(path.len() + 8);
    name.push_str(method.as_str());
    name.push(' ');
    let mut rest = path;
    while let Some((segment, after)) = memchr(b'/', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        name.push_str(if looks_like_value(segment) { "{id}" } else { segment });
        name.push('/');
        rest = after.get(1..).unwrap_or_default();
    }
    name.push_str(if looks_like_value(rest) { "{id}" } else { rest });
    name
}

/// Numbers, UUIDs, hex, tokens and addresses: values, and often a person's.
fn looks_like_value(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let all_digits = digits == bytes.len() && digits > 0;
    let hex = bytes.len() >= 8 && digits > 0 && bytes.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    let token = bytes.len() >= TOKEN_CHARS_MIN && digits > 0;
    let long = bytes.len() > 40;
    let odd = bytes.iter().any(|b| matches!(b, b'@' | b'%' | b'=' | b'+'));
    all_digits || hex || token || long || odd
}
