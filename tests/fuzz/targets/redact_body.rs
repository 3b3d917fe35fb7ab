//! A body of any type and any bytes is redacted or dropped with a reason; what a rule knows never stays.

#![no_main]

use darklaunch::redact::{PseudonymKey, Redactor, Settings, builtin};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::compile(&builtin(), PseudonymKey::new([7; 32]), Settings::default()).unwrap());

const TYPES: [&str; 8] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/xml",
    "text/plain; charset=utf-8",
    "application/x-ndjson",
    "multipart/form-data; boundary=b",
    "text/html; charset=iso-8859-1",
    "application/octet-stream",
];

fuzz_target!(|input: (u8, &[u8])| {
    let kind = TYPES[usize::from(input.0) % TYPES.len()];
    let _ = REDACTOR.body(kind, input.1);
});
