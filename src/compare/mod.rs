//! Verdict over the two redacted exchanges of a capture; pure.
//!
//! Redaction replaces equal values by equal stand-ins, so values compare as well after it as before. A difference names
//! where and what kind, never the values: it may be shown anywhere.

#[cfg(test)]
mod tests;

use crate::exchange::{Exchange, ResponseCopy};
use crate::redact::{Recording, Redacted};
use serde_json::Value;

/// The most differences kept for one capture; past it more would not tell more.
pub const DIFFERENCES_MAX: usize = 50;
/// How deep two JSON documents are walked; below it equal or not is all that is said.
const DEPTH_MAX: usize = 64;
/// The longest path kept, bytes.
const PATH_BYTES_MAX: usize = 512;

/// What two answers to one request say of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Status, content type and body say the same.
    Same,
    /// They do not; at most [`DIFFERENCES_MAX`] places.
    Differs(Vec<Difference>),
    /// Not enough is known, and why.
    CannotSay(&'static str),
}

impl Verdict {
    /// The stable name in JSON and the database.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs(_) => "differs",
            Self::CannotSay(_) => "cannot_say",
        }
    }
}

/// One place where the shadow's answer is not the primary's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Difference {
    /// `status`, `content-type`, `body`, or a JSON path below `$`, array positions as `[]`.
    pub path: String,
    /// What is different there.
    pub what: What,
}

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// Another status.
    Status,
    /// Another content type.
    ContentType,
    /// Only the primary's answer has it.
    Missing,
    /// Only the shadow's answer has it.
    Added,
    /// Another JSON type.
    Type,
    /// Another value of the same type.
    Value,
    /// Arrays of different lengths.
    Length,
}

impl What {
    /// Every kind, in the order of their codes in the database (append only).
    pub const ALL: [Self; 7] =
        [Self::Status, Self::ContentType, Self::Missing, Self::Added, Self::Type, Self::Value, Self::Length];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::ContentType => "content_type",
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Type => "type",
            Self::Value => "value",
            Self::Length => "length",
        }
    }

    /// The database code: the position in [`What::ALL`].
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The kind of a database code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Compares the two answers of a capture.
pub fn compare(recording: &Redacted<Recording>) -> Verdict {
    match &recording.capture.primary {
        None => Verdict::CannotSay("no primary: this integration is a sink"),
        Some(primary) => exchanges(primary, &recording.capture.shadow),
    }
}

fn exchanges(primary: &Exchange, shadow: &Exchange) -> Verdict {
    let (Some(old), Some(new)) = (&primary.response, &shadow.response) else {
        let which = if primary.response.is_none() { "the primary did not answer" } else { "the shadow did not answer" };
        return Verdict::CannotSay(which);
    };
    let mut found = Found(Vec::new());
    if old.status != new.status {
        found.add("status", What::Status);
    }
    if media_type(old) != media_type(new) {
        found.add("content-type", What::ContentType);
    }
    let whole = primary.failure.is_none() && shadow.failure.is_none();
    let kept = old.body.drop_reason().is_none() && new.body.drop_reason().is_none();
    if whole && kept {
        bodies(old, new, &mut found);
    }
    match (found.0.is_empty(), whole, kept) {
        (false, ..) => Verdict::Differs(found.0),
        (true, false, _) => Verdict::CannotSay("an answer was cut short"),
        (true, true, false) => Verdict::CannotSay("a body was not kept"),
        (true, true, true) => Verdict::Same,
    }
}

fn bodies(old: &ResponseCopy, new: &ResponseCopy, found: &mut Found) {
    if old.body.bytes == new.body.bytes {
        return;
    }
    match (parsed(old), parsed(new)) {
        (Some(old), Some(new)) => values("$", &old, &new, 0, found),
        _ => found.add("body", What::Value),
    }
}

fn parsed(answer: &ResponseCopy) -> Option<Value> {
    let media = media_type(answer);
    let json = media == "application/json" || media.ends_with("+json") || media == "text/json" || media.is_empty();
    if json { serde_json::from_slice(&answer.body.bytes).ok() } else { None }
}

/// The media type without parameters, in lower case; empty where there is none.
fn media_type(answer: &ResponseCopy) -> String {
    let value = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

struct Found(Vec<Difference>);

impl Found {
    fn full(&self) -> bool {
        self.0.len() >= DIFFERENCES_MAX
    }

    fn add(&mut self, path: &str, what: What) {
        let difference = Difference { path: path[..path.floor_char_boundary(PATH_BYTES_MAX)].to_owned(), what };
        // Array positions share a path, so one habit of a provider is one difference, not a thousand.
        if !self.full() && !self.0.contains(&difference) {
            self.0.push(difference);
        }
    }
}

fn values(path: &str, old: &Value, new: &Value, depth: usize, found: &mut Found) {
    if found.full() {
        return;
    }
    if depth >= DEPTH_MAX {
        if old != new {
            found.add(path, What::Value);
        }
        return;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let below = below(path, key);
                match new.get(key) {
                    Some(other) => values(&below, value, other, depth + 1, found),
                    None => found.add(&below, What::Missing),
                }
            }
            for key in new.keys().filter(|key| !old.contains_key(*key)) {
                found.add(&below(path, key), What::Added);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            if old.len() != new.len() {
                found.add(path, What::Length);
            }
            let item = format!("{path}[]");
            for (old, new) in old.iter().zip(new) {
                values(&item, old, new, depth + 1, found);
            }
        }
        _ if kind(old) != kind(new) => found.add(path, What::Type),
        _ if !same_scalar(old, new) => found.add(path, What::Value),
        _ => {}
    }
}

fn below(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain { format!("{path}.{key}") } else { format!("{path}[{key:?}]") }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// `1` and `1.0` are one number in JSON.
fn same_scalar(old: &Value, new: &Value) -> bool {
    match (old, new) {
        // Both whole: compared whole, a double would merge neighbours past 2^53.
        (Value::Number(a), Value::Number(b)) if !a.is_f64() && !b.is_f64() => a == b,
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => old == new,
    }
}
