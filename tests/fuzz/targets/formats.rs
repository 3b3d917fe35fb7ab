//! Every format's parser takes any text: it redacts or drops, an address planted in it never stays, and what came out
//! is redacted already as far as its format is concerned: it parses again.

#![no_main]

use darklaunch::exchange::DropReason;
use darklaunch::redact::{PseudonymKey, Redactor, Settings, builtin};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::compile(&builtin(), PseudonymKey::new([7; 32]), Settings::default()).unwrap());

/// A parser each, and a few charsets.
const TYPES: [&str; 24] = [
    "application/xml",
    "text/html",
    "application/x-www-form-urlencoded",
    "text/csv",
    "text/tab-separated-values",
    "application/graphql",
    "text/event-stream",
    "application/x-ndjson",
    "application/json-seq",
    "multipart/form-data; boundary=b",
    "multipart/mixed",
    "message/http",
    "message/rfc822",
    "application/jwt",
    "text/uri-list",
    "text/vcard",
    "application/yaml",
    "text/plain",
    "",
    "text/plain; charset=utf-16",
    "text/plain; charset=utf-32",
    "application/xml; charset=shift_jis",
    "text/html; charset=iso-2022-jp",
    "text/csv; charset=windows-1252",
];
const PLANTED: &[u8] = b"ada.lovelace@example.org";

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (which, at, bytes) = input;
    let content_type = TYPES[usize::from(which) % TYPES.len()];
    // A letter of another script may end an address or go on with it, so the planted one stands between blanks.
    let at = usize::from(at) % (bytes.len() + 1);
    let body = [&bytes[..at], b" ", PLANTED, b" ", &bytes[at..]].concat();
    let Ok(out) = REDACTOR.body(content_type, &body) else { return };
    assert!(!out.windows(PLANTED.len()).any(|part| part == PLANTED), "{content_type}: {:?}", String::from_utf8_lossy(&body));
    // What two patterns fight over may be dropped later; that is not the format's doing.
    if let Some(reason) = REDACTOR.body(content_type, &out).map(drop).err().filter(|reason| *reason != DropReason::Residue) {
        panic!("{content_type}: {reason:?} the second time: {:?}", String::from_utf8_lossy(&body));
    }
});
