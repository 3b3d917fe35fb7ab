//! What replaces a value, and the proof that nothing replaced can still be read.

pub(in crate::redact) mod date;
pub(in crate::redact) mod kind;
pub(in crate::redact) mod pseudonym;
pub(in crate::redact) mod residue;
pub(in crate::redact) mod sought;
mod spellings;
