//! Words that must stand near a candidate before a rule believes it.

use aho_corasick::{AhoCorasick, BuildError};
use std::ops::Range;

/// How far before a candidate a keyword may end, in bytes, unless the rule says otherwise.
pub(in crate::redact) const BEFORE_BYTES: usize = 40;
/// How far after a candidate a keyword may begin, in bytes.
const AFTER_BYTES: usize = 20;
/// How far before a candidate a word of `not_after` may begin, in bytes.
const RIGHT_BEFORE_BYTES: usize = 20;

/// The keywords of a rule.
pub(in crate::redact) struct Keywords {
    search: AhoCorasick,
    before_bytes: usize,
}

impl Keywords {
    /// The keywords, found without regard to case.
    ///
    /// # Errors
    /// When they are too many for one automaton.
    pub fn of(words: &[String], before_bytes: usize) -> Result<Self, BuildError> {
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(words)?;
        Ok(Self { search, before_bytes })
    }

    /// Whether one of them stands right before the candidate: within a few bytes, as whole words.
    pub fn are_before(&self, text: &[u8], range: &Range<usize>) -> bool {
        let start = range.start.saturating_sub(RIGHT_BEFORE_BYTES);
        // What stands on the line before is about something else.
        let start = memchr::memrchr(b'\n', &text[start..range.start]).map_or(start, |at| start + at);
        self.are_within(text, range, start..range.start)
    }

    /// Whether one of them stands near the candidate at `range`, as whole words.
    pub fn are_near(&self, text: &[u8], range: &Range<usize>) -> bool {
        let start = range.start.saturating_sub(self.before_bytes);
        let end = text.len().min(range.end + AFTER_BYTES);
        // What stands in another parameter or on another line is about something else.
        let apart = |b: &u8| matches!(b, b'&' | b'\n');
        let start = text[start..range.start].iter().rposition(apart).map_or(start, |at| start + at);
        let end = text[range.end..end].iter().position(apart).map_or(end, |at| range.end + at);
        self.are_within(text, range, start..end)
    }

    fn are_within(&self, text: &[u8], range: &Range<usize>, window: Range<usize>) -> bool {
        let letter = |at: usize| text.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
        let whole = |from: usize, to: usize| (from == 0 || !letter(from - 1)) && !letter(to);
        let outside = |from: usize, to: usize| to <= range.start || from >= range.end;
        self.search.find_overlapping_iter(&text[window.clone()]).any(|found| {
            let (from, to) = (window.start + found.start(), window.start + found.end());
            whole(from, to) && outside(from, to)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_words_within_reach() {
        let keywords = Keywords::of(&["ssn".into(), "tax id".into()], 10).unwrap();
        let near = |text: &str| {
            let at = text.find("123").unwrap();
            keywords.are_near(text.as_bytes(), &(at..at + 3))
        };
        assert!(near("SSN: 123") && near("123 (tax id)") && near("my tax id 123"));
        assert!(!near("assn 123") && !near("ssn far far away 123") && !near("ssns 123"));
    }
}
