//! What leaves the room: the sealed type and the recording inside it.

use crate::exchange::{Capture, DropReason};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value that went through redaction. Only this room can make one, so a function that takes `Redacted<_>` cannot be
/// handed raw data.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Seals a value; only the room calls it, at its doors.
    pub(in crate::redact) fn seal(value: T) -> Self {
        Self(value)
    }

    /// The value, for those who store or show it.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redacted").field(&self.0).finish()
    }
}

/// Where in a capture a rule struck: which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The request.
    Request,
    /// The primary's answer.
    Primary,
    /// The shadow's answer.
    Shadow,
}

impl Side {
    /// The stable name in JSON and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Primary => "primary",
            Self::Shadow => "shadow",
        }
    }
}

/// Where in a message a rule struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Path and query.
    Target,
    /// Header lines.
    Headers,
    /// The body.
    Body,
}

impl Part {
    /// The stable name in JSON and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Headers => "headers",
            Self::Body => "body",
        }
    }
}

/// How often one rule struck in one place. Names and counts, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule's id.
    pub rule: Arc<str>,
    /// Which message.
    pub side: Side,
    /// Which part of it.
    pub part: Part,
    /// How many values it replaced there.
    pub count: u32,
}

/// Parts of multipart bodies for which a marker stands, in the order of [`DropReason::ALL`].
pub type PartsDropped = [u32; DropReason::ALL.len()];

/// The keyed digest of one person's value in a designated field: finds the person's captures without holding the value.
pub type SubjectDigest = [u8; 16];

/// A capture after redaction, with what was found and by which rules.
#[derive(Clone, Debug)]
pub struct Recording {
    /// All of it redacted; bodies without their content coding.
    pub capture: Capture,
    /// What was replaced.
    pub hits: Vec<Hit>,
    /// What was left out of bodies that are kept.
    pub parts_dropped: PartsDropped,
    /// The hash of the rule set that did it.
    pub rules_hash: Arc<str>,
    /// Whose data it holds; see [`SubjectDigest`].
    pub subjects: Vec<SubjectDigest>,
}
