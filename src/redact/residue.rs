//! The last check: nothing that was just replaced may still be readable in what is kept.

use crate::redact::form;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::HashMap;
use std::ops::Range;

/// Shorter values occur by chance.
const BYTES_MIN: usize = 6;
/// Texts of our own stand-ins, which a raw value may happen to be part of.
const OWN: &str = "person- user- masked @example.invalid 1900- addr- tok- date-";

/// The values of a capture, ready to be searched for.
pub(in crate::redact) struct Residue {
    search: AhoCorasick,
    fresh: Vec<String>,
}

impl Residue {
    /// The search for what was found; `None` if there is nothing to search for.
    pub fn of(found: &HashMap<String, String>) -> Option<Self> {
        let mut values: Vec<(&str, &str)> = found
            .iter()
            .map(|(raw, fresh)| (raw.trim(), fresh.as_str()))
            .filter(|(raw, _)| raw.len() >= BYTES_MIN && !OWN.contains(&raw.to_lowercase()))
            .collect();
        values.sort_unstable();
        if values.is_empty() {
            return None;
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(values.iter().map(|(raw, _)| raw))
            .ok()?;
        Some(Self { search, fresh: values.iter().map(|(_, fresh)| (*fresh).to_owned()).collect() })
    }

    /// Where the values are mentioned, and their stand-ins.
    pub fn finds<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Range<usize>, &'a str)> {
        self.search.find_iter(text).map(|found| (found.range(), self.fresh[found.pattern().as_usize()].as_str()))
    }

    /// Whether a value can be read in the bytes: as they are, percent-decoded, or with JSON escapes undone.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        if self.search.is_match(bytes) {
            return true;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let percent = bytes.contains(&b'%') || bytes.contains(&b'+');
        percent && form::decode(text, true).is_some_and(|decoded| self.search.is_match(&decoded))
            || bytes.contains(&b'\\') && self.search.is_match(&unescape(text))
    }
}

/// JSON escapes undone wherever they stand, without regard to structure.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let code =
            escape.strip_prefix('u').and_then(|hex| hex.get(..4)).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &escape[5..];
            }
            None => rest = escape,
        }
    }
    out.push_str(rest);
    out
}
