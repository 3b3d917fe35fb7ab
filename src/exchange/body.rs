//! A bounded copy of a body that streamed past, and how much of it the copy holds.

use bytes::Bytes;
use std::fmt;

/// Why a body is absent although its exchange is kept (fail-closed: metadata stays, bytes go).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Larger than the copy cap; the live stream was not touched.
    OverCap,
    /// The stream ended before its end (client gone, reset, timeout).
    Cut,
    /// The claimed `Content-Encoding` is unknown or does not decode.
    Undecodable,
    /// Decoding would expand past the limit.
    Bomb,
    /// The body is not what its `Content-Type` claims.
    Unparseable,
    /// A content type redaction does not understand.
    UnknownType,
    /// The claimed charset is not one we decode.
    UnknownCharset,
    /// Nested deeper than redaction follows.
    TooDeep,
    /// A value just redacted could still be read elsewhere in the same capture.
    Residue,
    /// A value would need a length or shape that redaction could not keep.
    Internal,
    /// The redaction's check of itself failed: its rules let a canary through, so they are trusted with no body.
    SelfCheck,
    /// A binary body of a type that is kept shows something that a rule finds.
    BinaryFinding,
}

impl DropReason {
    /// Every reason, in the order of their codes in the database (append only).
    pub const ALL: [Self; 12] = [
        Self::OverCap,
        Self::Cut,
        Self::Undecodable,
        Self::Bomb,
        Self::Unparseable,
        Self::UnknownType,
        Self::UnknownCharset,
        Self::TooDeep,
        Self::Residue,
        Self::Internal,
        Self::SelfCheck,
        Self::BinaryFinding,
    ];

    /// The stable name in JSON, metrics and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::OverCap => "over_cap",
            Self::Cut => "cut",
            Self::Undecodable => "undecodable",
            Self::Bomb => "decompression_bomb",
            Self::Unparseable => "unparseable",
            Self::UnknownType => "unknown_type",
            Self::UnknownCharset => "unknown_charset",
            Self::TooDeep => "too_deep",
            Self::Residue => "residue",
            Self::Internal => "internal",
            Self::SelfCheck => "self_check",
            Self::BinaryFinding => "binary_finding",
        }
    }

    /// What it means, for a person: `3 larger than we keep`.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::OverCap => "larger than we keep",
            Self::Cut => "ended before their end",
            Self::Undecodable => "in a coding that does not decode",
            Self::Bomb => "expanding beyond all measure",
            Self::Unparseable => "not what they claim to be",
            Self::UnknownType => "of a type that is not understood",
            Self::UnknownCharset => "in an unknown character set",
            Self::TooDeep => "nested too deeply",
            Self::Residue => "still showing a replaced value",
            Self::Internal => "that could not be redacted in their form",
            Self::SelfCheck => "withheld since the rules failed their self-check",
            Self::BinaryFinding => "binary, with something that a rule finds",
        }
    }
}

/// How much of a body its copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyState {
    /// All of it (an empty body is complete).
    Complete,
    /// None of it, for a reason.
    Dropped(DropReason),
}

/// The copy of one body. `bytes` is empty unless `state` is [`BodyState::Complete`]: a partial body is never kept,
/// because half a document cannot be redacted safely.
#[derive(Clone, PartialEq, Eq)]
pub struct BodyCopy {
    /// The kept bytes, as they were on the wire (before any decoding); after redaction: decoded.
    pub bytes: Bytes,
    /// Bytes that passed on the wire, kept or not.
    pub seen_bytes: u64,
    /// Whether `bytes` is the body.
    pub state: BodyState,
}

impl BodyCopy {
    /// A body of no bytes.
    pub fn empty() -> Self {
        Self::complete(Bytes::new())
    }

    /// The whole body.
    pub fn complete(bytes: Bytes) -> Self {
        Self { seen_bytes: bytes.len() as u64, bytes, state: BodyState::Complete }
    }

    /// Metadata only.
    pub fn dropped(reason: DropReason, seen_bytes: u64) -> Self {
        Self { bytes: Bytes::new(), seen_bytes, state: BodyState::Dropped(reason) }
    }

    /// The reason the bytes are absent, if they are.
    pub fn drop_reason(&self) -> Option<DropReason> {
        match self.state {
            BodyState::Complete => None,
            BodyState::Dropped(reason) => Some(reason),
        }
    }
}

impl fmt::Debug for BodyCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyCopy({} of {} bytes, {:?})", self.bytes.len(), self.seen_bytes, self.state)
    }
}
