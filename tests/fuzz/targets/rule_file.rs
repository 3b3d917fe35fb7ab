//! A rule file of any text is compiled or refused with its problems; with one there is no redactor.

#![no_main]

use darklaunch::redact::{PseudonymKey, Redactor, RuleFile, Settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = RuleFile { name: "fuzz.toml".to_owned(), text: text.to_owned() };
    if let Err(problems) = Redactor::compile(&[file], PseudonymKey::new([7; 32]), Settings::default()) {
        assert!(!problems.is_empty());
    }
});
