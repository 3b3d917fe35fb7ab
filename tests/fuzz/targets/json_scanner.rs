//! What our JSON scanner keeps is JSON, and it keeps nothing that is none.

#![no_main]

use darklaunch::redact::{PseudonymKey, Redactor, Settings, builtin};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::compile(&builtin(), PseudonymKey::new([7; 32]), Settings::default()).unwrap());

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = REDACTOR.body("application/json", bytes) else { return };
    if !body.is_empty() {
        assert!(serde_json::from_slice::<Box<serde_json::value::RawValue>>(&body).is_ok(), "{:?}", String::from_utf8_lossy(&body));
    }
});
