//! A configuration file of any bytes is loaded or refused with its problems; it never panics.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let file = std::env::temp_dir().join(format!("darklaunch-fuzz-{}.toml", std::process::id()));
    if std::fs::write(&file, text).is_ok() {
        match darklaunch::config::load(Some(&file), std::iter::empty()) {
            Ok(loaded) => assert!(!loaded.config.integrations.is_empty()),
            Err(problems) => assert!(!problems.to_string().is_empty()),
        }
    }
});
