//! From patterns to finds: which rules to ask about a text, and what of their candidates stands.

pub(in crate::redact) mod bounds;
pub(in crate::redact) mod factors;
pub(in crate::redact) mod find;
pub(in crate::redact) mod gate;
pub(in crate::redact) mod literals;
pub(in crate::redact) mod matcher;
pub(in crate::redact) mod memo;
pub(in crate::redact) mod needs;
pub(in crate::redact) mod spots;
