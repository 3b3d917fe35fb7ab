//! Redact, compare, append: what was taken at the door is recorded or counted.
