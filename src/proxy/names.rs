//! The names of endpoints: declared templates first, then inferred ones, at most so many, then `other`.

use crate::exchange::Endpoint;
use arc_swap::ArcSwap;
use hashbrown::HashMap;
use http::Method;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Inferred names kept unless configured otherwise.
pub const ENDPOINTS_MAX: usize = 200;

const NAME_BYTES_MAX: usize = 200;
const TOKEN_CHARS_MIN: usize = 12;

/// Whether a segment of a path is a value although it looks like a word.
pub type IsValue = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Names the endpoints of one integration. Reading is lock-free; the first sight of a new name locks for a moment.
pub struct EndpointNames {
    declared: Vec<(Endpoint, String, Vec<String>)>,
    /// What is inferred from paths, and the name it has: without what else turned out to be a value.
    inferred: ArcSwap<HashMap<Endpoint, Endpoint>>,
    is_value: Option<IsValue>,
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
            is_value: None,
            adding: Mutex::default(),
            endpoints_max,
            other: Arc::from("other"),
        }
    }

    /// Asks this of every segment, too, before a path is taken for a name; once for each name, and at most so often as
    /// there may be names.
    #[must_use]
    pub fn without(mut self, is_value: IsValue) -> Self {
        self.is_value = Some(is_value);
        self
    }

    /// The endpoint of a request's method and path (without query).
    pub fn name(&self, method: &Method, path: &str) -> Endpoint {
        let path = &*readable(path);
        let fits = |template: &[String]| {
            let mut path = path.split('/');
            let same = template
                .iter()
                .all(|want| path.next().is_some_and(|got| want == got || (is_variable(want) && !got.is_empty())));
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
        let clean: Endpoint = self.clean(&name);
        // Equal names are one.
        let clean = known.values().find(|other| **other == clean).map_or(clean, Arc::clone);
        let mut more = (*known).clone();
        more.insert(Arc::from(name), Arc::clone(&clean));
        self.inferred.store(Arc::new(more));
        clean
    }

    /// The name without segments that are values all the same.
    fn clean(&self, name: &str) -> Endpoint {
        let (Some(is_value), Some((method, path))) = (&self.is_value, name.split_once(' ')) else {
            return Arc::from(name);
        };
        let segment = |segment| if !is_variable(segment) && is_value(segment) { "{id}" } else { segment };
        let path: Vec<&str> = path.split('/').map(segment).collect();
        Arc::from(format!("{method} {}", path.join("/")))
    }
}

impl fmt::Debug for EndpointNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the names: what they were inferred from may hold what nobody is to read.
        write!(f, "EndpointNames({} declared, {} inferred)", self.declared.len(), self.inferred.load().len())
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
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            name.push('/');
        }
        name.push_str(if looks_like_value(segment) { "{id}" } else { segment });
    }
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
