//! Lines of letters, forms, logs and recognised print that say what follows: `Surname: Lovelace`, `Surname ...... Lovelace`,
//! `[surname] => Lovelace`. The words before the sign are a name if rules list it by itself; the value goes on to the end of
//! the line, or to a further name on it.

use crate::redact::evidence::captions;
use crate::redact::evidence::names::Key;
use crate::redact::matching::find::splice;
use crate::redact::matching::gate::{COLON, DOT, EQUALS, Kinds, SPACE, UNDERSCORE, WIDE};
use crate::redact::pass::Pass;
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym;
use std::ops::Range;

/// Lines with a name that are kept for one text, at most: the others are left to the patterns.
const LINES_MAX: usize = 256;
/// Longest name, bytes and words.
const NAME_BYTES_MAX: usize = 48;
const NAME_WORDS_MAX: usize = 5;
/// Longest word before a full stop that may be an abbreviation.
const ABBREVIATION_CHARS_MAX: usize = 4;
/// Longest value, bytes and words: a longer one is a sentence.
const VALUE_BYTES_MAX: usize = 160;
const VALUE_WORDS_MAX: usize = 12;
/// What forms and programs say of a field instead of its value.
const STATES: [&str; 28] = [
    "ok",
    "yes",
    "no",
    "true",
    "false",
    "required",
    "optional",
    "missing",
    "invalid",
    "valid",
    "failed",
    "changed",
    "updated",
    "empty",
    "hidden",
    "redacted",
    "verified",
    "unverified",
    "confirmed",
    "mandatory",
    "read",
    "write",
    "none",
    "null",
    "nil",
    "array",
    "see below",
    "as above",
];
/// What is said of somebody behind the name: `Zeuge: Quittenbaum, Ilvy, wohnhaft Am Deich 9`.
const GOING_ON: [&str; 16] = [
    ", wohnhaft",
    ", geb",
    ", born",
    ", residing",
    ", of ",
    ", né",
    ", nat",
    ", res.",
    ", residente",
    ", domicili",
    ", demeurant",
    ", zam.",
    ", bytem",
    ", bosatt",
    ", woonachtig",
    ", tel",
];
/// How far the end of a value is looked for before the end of its line, bytes.
const END_BYTES_MAX: usize = 256;
/// Names that are looked at as what stands beside a value, at most.
const BESIDE_MAX: usize = 32;

/// Whether a text may hold such lines.
pub(in crate::redact) fn may_hold(text: &str, kinds: Kinds) -> bool {
    let has = |kind: Kinds, signs: &[&str]| kinds & kind != 0 && signs.iter().any(|sign| text.contains(sign));
    kinds & SPACE != 0
        && (kinds & COLON != 0
            || has(EQUALS, &["=> "])
            || has(DOT, &["..."])
            || has(UNDERSCORE, &["___"])
            || has(WIDE, &["：", "…", "···"]))
}

/// Replaces the values of such lines; `Some` if one changed.
pub(in crate::redact) fn lines(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    let mut found: Vec<(Key<'_>, Range<usize>)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let (bare, mut at) = (line.trim_end(), 0);
        while found.len() < LINES_MAX
            && let Some((name, value)) = next(bare, at)
        {
            let key = pass.key_in_text(name);
            // What no rule lists may be the beginning of a sentence that goes on with another name.
            at = if key.is_listed() { value.end } else { value.start };
            if key.is_listed() {
                found.push((key, start + value.start..start + value.end));
            }
        }
        start += line.len();
    }
    if found.iter().all(|(key, _)| key.said().values.is_empty()) {
        return None;
    }
    let mut spans = Vec::new();
    let names: Vec<Key<'_>> = found.iter().map(|(key, _)| key.clone()).take(BESIDE_MAX).collect();
    for (key, range) in found {
        let value = &text[range.clone()];
        if !is_value(value) {
            continue;
        }
        if pass.looks_beside(&key, value.as_bytes()) {
            pass.beside.clone_from(&names);
        }
        let rule = pass.name_rule(value, &key, &[]);
        pass.beside.clear();
        // `Authorization: Bearer x`: of several words one is the secret, which patterns know.
        let is_secret = |rule: &u16| pass.redactor.rules[usize::from(*rule)].kind == Kind::Token;
        let rule = rule.filter(|rule| !is_secret(rule) || !value.contains(' '));
        if let Some(fresh) = rule.and_then(|rule| pass.apply(rule, value)) {
            spans.push((range, fresh));
        }
    }
    splice(text, spans)
}

/// The next name at or after a place of a line, and where its value stands.
fn next(line: &str, from: usize) -> Option<(&str, Range<usize>)> {
    let mut at = from;
    while let Some((sign, len)) = next_sign(line, at) {
        at = sign + len;
        let Some(name) = name_before(&line[from..sign]) else { continue };
        let rest = &line[at..];
        // `**Name:** Ada` has marks on both sides.
        let after = rest.trim_start_matches(['*', '_']);
        let is_apart = after.starts_with([' ', '\t']) || line[..at].ends_with(LEADERS);
        // Scripts without blanks need none here: `氏名:山田`.
        if !is_apart && name.chars().any(|c| c.is_ascii()) {
            continue;
        }
        let value = after.trim_start();
        let start = line.len() - value.len();
        let end = start + end_of_value(value);
        if start < end {
            return Some((name, start..end));
        }
    }
    None
}

/// What a form leads the eye with from a name to its value: `Surname ........ Lovelace`.
const LEADERS: [char; 4] = ['.', '_', '·', '…'];
/// How many of them it has, at least.
const LEADERS_MIN: usize = 3;

/// The next sign between a name and a value, and its length: a colon, an arrow, or leaders.
fn next_sign(line: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(sign) = line[at..].find(|c: char| c == ':' || c == '：' || c == '=' || LEADERS.contains(&c)) {
        let (sign, rest) = (at + sign, &line[at + sign..]);
        let leaders = rest.len() - rest.trim_start_matches(LEADERS).len();
        let is_leader = rest.chars().take(LEADERS_MIN).filter(|c| LEADERS.contains(c)).count() == LEADERS_MIN;
        match rest.chars().next()? {
            ':' | '：' => return Some((sign, rest.chars().next()?.len_utf8())),
            '=' if rest.starts_with("=> ") => return Some((sign, "=>".len())),
            '…' => return Some((sign, leaders)),
            _ if is_leader => return Some((sign, leaders)),
            _ => at = sign + leaders.max(1),
        }
    }
    None
}

/// The name that a text ends with, which may be a sentence: `could not be saved. Surname`.
fn name_before(text: &str) -> Option<&str> {
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(NAME_BYTES_MAX))..].trim_end();
    let is_mark = |c: char| c.is_whitespace() || "*_-+–•·>#|[]\"'".contains(c);
    let ends = [", ", "; ", "| ", "! ", "? ", ": ", "  ", "\t", " - ", " – ", "，", "；", "。"];
    let after = |end: &str| near.rfind(end).map(|at| at + end.len());
    let start = ends.iter().filter_map(|end| after(end)).max().unwrap_or(0);
    // A full stop behind one short word is that of an abbreviation: `geb. am`.
    let is_short = |head: &str| !head.trim().contains(' ') && head.trim().chars().count() <= ABBREVIATION_CHARS_MAX;
    let stop = near[start..].rfind(". ").filter(|at| !is_short(&near[start..start + at]));
    let start = stop.map_or(start, |at| start + at + 2);
    if start == 0 && near.len() < text.trim_end().len() {
        return None;
    }
    let name = near[start..].trim_matches(is_mark);
    let is_name = name.starts_with(char::is_alphabetic)
        && name.chars().all(|c| c.is_alphanumeric() || " .'’()/-_".contains(c))
        && name.bytes().filter(u8::is_ascii_digit).count() <= 2
        && name.split_whitespace().count() <= NAME_WORDS_MAX;
    is_name.then_some(name)
}

/// Where a value ends on its line: before wide space, a bar, a semicolon, or a further name.
fn end_of_value(whole: &str) -> usize {
    let value = &whole[..whole.floor_char_boundary(END_BYTES_MAX)];
    let apart = ["  ", "\t", " |", ";", "。"].iter().filter_map(|sign| value.find(sign));
    let apart = apart.chain(next_sentence(value)).min().unwrap_or(value.len());
    let is_named = |at: usize| {
        let near = value[at + 1..apart.max(at + 1)].char_indices().take(NAME_BYTES_MAX);
        let end = near.clone().find(|(_, c)| !(c.is_alphanumeric() || " .-'’()/".contains(*c)));
        end.is_some_and(|(_, c)| c == ':')
    };
    let goes_on = |at: usize| GOING_ON.iter().any(|word| value[at..].starts_with(word));
    let named = value[..apart].match_indices(',').map(|(at, _)| at).find(|at| is_named(*at) || goes_on(*at));
    if apart == value.len() && named.is_none() {
        return whole.trim_end_matches('*').len();
    }
    value[..named.unwrap_or(apart)].trim_end().trim_end_matches(['*', ',']).len()
}

/// Where another sentence begins in a value: behind a full stop that ends a word which is not cut short.
fn next_sentence(value: &str) -> Option<usize> {
    let is_end = |at: &usize| {
        let word = value[..*at].rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        word.chars().count() >= ABBREVIATION_CHARS_MAX
            && word.chars().skip(1).all(char::is_lowercase)
            && value[at + 2..].starts_with(char::is_uppercase)
    };
    value.match_indices(". ").map(|(at, _)| at).find(is_end)
}

/// Whether a value may be somebody's: no sentence in small letters, nothing that is read elsewhere or was replaced.
fn is_value(text: &str) -> bool {
    let words = text.split_whitespace().count();
    text.len() <= VALUE_BYTES_MAX
        && words <= VALUE_WORDS_MAX
        && (words == 1 || text.chars().any(|c| c.is_uppercase() || c.is_ascii_digit() || !c.is_ascii()))
        && !captions::is_blank(text)
        && !STATES.iter().any(|state| state.eq_ignore_ascii_case(text.trim_end_matches(['.', '!', '}', ')'])))
        // `[CODE]`, `<name>`: a place for one.
        && !text.starts_with(['[', '<', '{'])
        // Addresses have patterns; pairs and what stands in quotes are read elsewhere.
        && !text.contains(['@', '=', '"'])
        && !opens_quote(text)
        && !text.contains("://")
        && !text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(pseudonym::is_word_stand_in)
}

/// Whether an apostrophe begins something: names have them between letters.
fn opens_quote(text: &str) -> bool {
    text.match_indices('\'').any(|(at, _)| !text[..at].ends_with(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_of_lines_are_told() {
        for (line, name, value) in [
            ("Surname: Lovelace", "Surname", "Lovelace"),
            ("  - **Given names:** Ada Maria", "Given names", "Ada Maria"),
            ("Passport No.: X1, State: open", "Passport No.", "X1"),
            ("Address: 12 Main St, Springfield | x", "Address", "12 Main St, Springfield"),
            ("> Né(e) le:\t1973  a", "Né(e) le", "1973"),
            ("氏名:五十嵐 千尋", "氏名", "五十嵐 千尋"),
            ("住所：高松市", "住所", "高松市"),
            ("住所：高松市。注文 5", "住所", "高松市"),
            ("Anschrift: Amselweg 119, 24103 Kiel. Mobil 5", "Anschrift", "Amselweg 119, 24103 Kiel"),
            ("Adresse: 5 Bd. Gambetta, Nice", "Adresse", "5 Bd. Gambetta, Nice"),
            ("    [first_name] => Ada", "first_name", "Ada"),
            ("Date of birth ......... 10/12/1815", "Date of birth", "10/12/1815"),
            ("Town.....London", "Town", "London"),
            ("12:30 WARN not saved, surname: Lovelace, town: x", "surname", "Lovelace"),
            ("Patient: Lovelace, Ada   DOB: 1815-12-10", "Patient", "Lovelace, Ada"),
        ] {
            assert_eq!(next(line, 0).map(|(name, range)| (name, &line[range])), Some((name, value)), "{line}");
        }
        for line in ["", ":", "Name:", "Name:x", "12:30: x", "http://a b", "a, b:c", "one two three four five six: x"] {
            assert_eq!(next(line, 0), None, "{line}");
        }
    }
}
