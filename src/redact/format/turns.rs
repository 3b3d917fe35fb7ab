//! Captions and values in turn, as print is read by machines: `Surname`, `LOVELACE`, `Date of birth`, `10.12.1815`. A line
//! names the one after it if rules list it by itself and claim what comes then.

use crate::redact::evidence::names::Key;
use crate::redact::matching::find::splice;
use crate::redact::pass::Pass;
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::is_word_stand_in;
use std::ops::Range;

/// Lines that are looked at, at most.
const LINES_MAX: usize = 256;
/// Longest line that is looked at, bytes.
const LINE_BYTES_MAX: usize = 96;
/// Longest caption, bytes and words.
const CAPTION_BYTES_MAX: usize = 48;
const CAPTION_WORDS_MAX: usize = 5;
/// Fewer captions with their values may be chance: the texts of a form are captions, and a button comes after them.
const NAMED_MIN: usize = 2;
/// Digits of a number that no button has, and what such a number may be: screens have towns and headings with a year too.
/// One must be among the values.
const DIGITS_MIN: usize = 4;
const NUMBERS: [Kind; 6] = [Kind::Date, Kind::Id, Kind::Ssn, Kind::Digits, Kind::Phone, Kind::Card];

/// The values among lines that the line before them names: their places, with the name.
pub(in crate::redact) fn named<'r>(pass: &mut Pass<'r>, lines: &[&str], parents: &[Key<'_>]) -> Vec<(usize, Key<'r>)> {
    let mut named = Vec::new();
    let mut has_number = false;
    let mut before: Option<Key<'r>> = None;
    for (at, line) in lines.iter().enumerate().take(LINES_MAX) {
        let own = caption(line).and_then(|caption| listed(pass, caption));
        if own.is_none()
            && let Some(key) = before.take()
            && line.len() <= LINE_BYTES_MAX
            && !is_word_stand_in(line)
            && !line.trim_end().ends_with('?')
            && let Some(rule) = pass.name_rule(line.trim(), &key, parents)
        {
            let kind = pass.redactor.rules[usize::from(rule)].kind;
            has_number |= NUMBERS.contains(&kind) && line.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN;
            named.push((at, key));
        }
        before = own;
    }
    if named.len() < NAMED_MIN || !has_number {
        named.clear();
    }
    named
}

/// The key of a caption that rules list, or of its first language: `Surname / Nom`.
fn listed<'r>(pass: &mut Pass<'r>, caption: &str) -> Option<Key<'r>> {
    let whole = pass.key_in_text(caption);
    if !whole.said().values.is_empty() {
        return Some(whole);
    }
    let (first, _) = caption.split_once('/')?;
    let first = pass.key_in_text(first.trim());
    (!first.said().values.is_empty()).then_some(first)
}

/// A line as a caption: a few words, perhaps with the number of a field before them or a colon behind.
fn caption(line: &str) -> Option<&str> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let line = line.trim().trim_end_matches([':', '*']).trim_end();
    let numbered = line
        .split_once(". ")
        .filter(|(number, _)| number.len() <= 2 && number.starts_with(|c: char| c.is_ascii_digit()));
    let words = numbered.map_or(line, |(_, words)| words.trim_start());
    let is_caption = words.len() <= CAPTION_BYTES_MAX
        && words.starts_with(char::is_alphabetic)
        && words.chars().all(|c| c.is_alphanumeric() || " .'’()/-_".contains(c))
        && !words.bytes().any(|b| b.is_ascii_digit())
        && words.split_whitespace().count() <= CAPTION_WORDS_MAX;
    is_caption.then_some(words)
}

/// Replaces such values in a text; `Some` if one changed.
pub(in crate::redact) fn lines(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n').take(LINES_MAX) {
        let value = line.trim();
        if !value.is_empty() {
            let at = start + (line.len() - line.trim_start().len());
            places.push(at..at + value.len());
        }
        start += line.len();
    }
    let lines: Vec<&str> = places.iter().map(|place| &text[place.clone()]).collect();
    let mut spans = Vec::new();
    for (at, key) in named(pass, &lines, &[]) {
        if let Some(rule) = pass.name_rule(lines[at], &key, &[])
            && let Some(fresh) = pass.apply(rule, lines[at])
        {
            spans.push((places[at].clone(), fresh));
        }
    }
    splice(text, spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_a_few_words() {
        for (line, words) in [
            ("Surname", "Surname"),
            (" 1. Name: ", "Name"),
            ("4b. Date of expiry", "Date of expiry"),
            ("Surname / Nom", "Surname / Nom"),
            ("Né(e) le", "Né(e) le"),
            ("Имя", "Имя"),
        ] {
            assert_eq!(caption(line), Some(words), "{line}");
        }
        for line in ["", "12.03.1980", "X1234567", "one two three four five six", "Ada, Countess", "a: b"] {
            assert_eq!(caption(line), None, "{line}");
        }
    }
}
