//! Rules: read from files, checked against their own examples, compiled.

pub(in crate::redact) mod compile;
pub(in crate::redact) mod example;
pub(in crate::redact) mod load;
pub(in crate::redact) mod rules;
