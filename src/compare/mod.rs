//! Verdict over two redacted exchanges; pure.
