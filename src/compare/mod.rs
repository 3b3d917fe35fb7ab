//! Verdict over the two redacted exchanges of a capture; pure.
//!
//! Redaction replaces equal values by equal stand-ins, so values compare as well after it as before. A difference names
//! where and what kind, never the values: it may be shown anywhere.

mod names;
mod read;
mod shape;
mod tape;
#[cfg(test)]
mod tests;
mod walk;

use crate::exchange::{Exchange, ResponseCopy};
use crate::redact::{Recording, Redacted};

pub use names::Names;
pub use shape::NO_SHAPE;

/// The most differences kept for one capture; past it more would not tell more.
pub const DIFFERENCES_MAX: usize = 50;

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
    examine(recording, &mut Names::default()).verdict
}

/// What one look at both answers told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The verdict.
    pub verdict: Verdict,
    /// The shape of the shadow's answer, where comparing read it anyway; else ask [`shape()`].
    pub shape: Option<u64>,
}

/// Compares the two answers of a capture, and tells the shape of the shadow's where that comes for nothing.
pub fn examine(recording: &Redacted<Recording>, names: &mut Names) -> Examined {
    match &recording.capture.primary {
        None => {
            let verdict = Verdict::CannotSay("no primary: this integration is a sink");
            Examined { verdict, shape: None }
        }
        Some(primary) => exchanges(primary, &recording.capture.shadow, names),
    }
}

/// The shape of an answer's JSON: which paths there are and of which types. Equal shapes give equal numbers, which fit a
/// signed integer; [`NO_SHAPE`] where there is no JSON.
pub fn shape(answer: &ResponseCopy, names: &mut Names) -> u64 {
    let read = if is_json(media_type(answer)) { read::tape_and_shape(&answer.body.bytes, names) } else { None };
    read.map_or(NO_SHAPE, |(_, shape)| shape)
}

fn exchanges(primary: &Exchange, shadow: &Exchange, names: &mut Names) -> Examined {
    let (Some(old), Some(new)) = (&primary.response, &shadow.response) else {
        let which = if primary.response.is_none() { "the primary did not answer" } else { "the shadow did not answer" };
        return Examined { verdict: Verdict::CannotSay(which), shape: None };
    };
    let mut found = Vec::new();
    if old.status != new.status {
        found.push(Difference { path: "status".to_owned(), what: What::Status });
    }
    let media = [media_type(old), media_type(new)];
    if !media[0].eq_ignore_ascii_case(media[1]) {
        found.push(Difference { path: "content-type".to_owned(), what: What::ContentType });
    }
    let whole = primary.failure.is_none() && shadow.failure.is_none();
    let kept = old.body.drop_reason().is_none() && new.body.drop_reason().is_none();
    let shape = match whole && kept {
        true => bodies(&old.body.bytes, &new.body.bytes, media, names, &mut found),
        false => None,
    };
    let verdict = match (found.is_empty(), whole, kept) {
        (false, ..) => Verdict::Differs(found),
        (true, false, _) => Verdict::CannotSay("an answer was cut short"),
        (true, true, false) => Verdict::CannotSay("a body was not kept"),
        (true, true, true) => Verdict::Same,
    };
    Examined { verdict, shape }
}

fn bodies(old: &[u8], new: &[u8], media: [&str; 2], names: &mut Names, found: &mut Vec<Difference>) -> Option<u64> {
    // Equal bytes say the same, whatever they are: nothing is read.
    if old == new {
        return None;
    }
    let new = if is_json(media[1]) { read::tape_and_shape(new, names) } else { None };
    let old = if is_json(media[0]) { read::tape(old, names) } else { None };
    match (old, &new) {
        (Some(old), Some((new, _))) => walk::values(&old, new, found),
        _ => found.push(Difference { path: "body".to_owned(), what: What::Value }),
    }
    Some(new.map_or(NO_SHAPE, |(_, shape)| shape))
}

fn is_json(media: &str) -> bool {
    let ends = |suffix: &str| {
        media.len() >= suffix.len()
            && media.as_bytes()[media.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
    };
    media.is_empty()
        || media.eq_ignore_ascii_case("application/json")
        || media.eq_ignore_ascii_case("text/json")
        || ends("+json")
}

/// The media type without parameters, as it is written; empty where there is none.
fn media_type(answer: &ResponseCopy) -> &str {
    let value = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim()
}
