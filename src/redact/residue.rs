//! The last check: nothing that was just replaced may still be readable in what is kept.

use crate::redact::form;
use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Shorter values occur by chance.
const BYTES_MIN: usize = 6;
/// Texts of our own stand-ins, which a raw value may happen to be part of.
const OWN: &str = "person- user- masked @example.invalid 1900- addr- tok- date-";
/// Up to so many values, one search after the other costs less than building an automaton for a few kilobytes.
const FEW_MAX: usize = 48;
/// Stands between pieces of text: no byte of UTF-8.
const SEPARATOR: u8 = 0xff;

/// The values of a capture, ready to be searched for.
pub(in crate::redact) struct Residue {
    /// Raw values in lower case, and their stand-ins.
    values: Vec<(String, String)>,
    few: Option<Vec<Finder<'static>>>,
    /// Built when a capture has many values, or shows one.
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Residue {
    /// The search for what was found; `None` if there is nothing to search for.
    pub fn of(found: &HashMap<String, String>) -> Option<Self> {
        let mut values: Vec<(String, String)> = found
            .iter()
            .filter(|(raw, _)| raw.trim().len() >= BYTES_MIN)
            .map(|(raw, fresh)| (raw.trim().to_ascii_lowercase(), fresh.clone()))
            .filter(|(raw, _)| !OWN.contains(raw.as_str()))
            .collect();
        values.sort_unstable();
        if values.is_empty() {
            return None;
        }
        let finders = || values.iter().map(|(raw, _)| Finder::new(raw.as_bytes()).into_owned()).collect();
        let few = (values.len() <= FEW_MAX).then(finders);
        Some(Self { values, few, automaton: OnceLock::new() })
    }

    fn automaton(&self) -> Option<&AhoCorasick> {
        let build = || {
            let mut builder = AhoCorasick::builder();
            builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
            builder.build(self.values.iter().map(|(raw, _)| raw)).ok()
        };
        self.automaton.get_or_init(build).as_ref()
    }

    /// Where the values are mentioned, and their stand-ins.
    pub fn finds<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Range<usize>, &'a str)> {
        let finds = self.automaton().into_iter().flat_map(move |search| search.find_iter(text));
        finds.map(|found| (found.range(), self.values[found.pattern().as_usize()].1.as_str()))
    }

    /// Whether a value can be read in one piece of text.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.is_in_any(std::iter::once(bytes))
    }

    /// Whether a value can be read in the pieces: as they are, percent-decoded, or with JSON escapes undone.
    pub fn is_in_any<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> bool {
        // All pieces are searched as one: a search costs more to begin than to go on.
        let mut all = Vec::new();
        let mut add = |bytes: &[u8]| {
            all.extend(bytes.iter().map(u8::to_ascii_lowercase));
            all.push(SEPARATOR);
        };
        for piece in pieces {
            add(piece);
            let Ok(text) = std::str::from_utf8(piece) else { continue };
            if memchr::memchr2(b'%', b'+', piece).is_some()
                && let Some(decoded) = form::decode(text, true)
            {
                add(decoded.as_bytes());
            }
            if memchr::memchr(b'\\', piece).is_some() {
                add(unescape(text).as_bytes());
            }
        }
        match &self.few {
            Some(finders) => finders.iter().any(|finder| finder.find(&all).is_some()),
            // What cannot be searched counts as found, so that it is dropped.
            None => self.automaton().is_none_or(|search| search.is_match(&all)),
        }
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
