//! What databases, validators and filters say of a value, in a text: `Key (email)=(ada@example.org) already exists`
//! (PostgreSQL), `Duplicate entry 'ada' for key 'users.login'` (MySQL, MariaDB), `Invalid value 'ada' for field 'login'`,
//! `login eq 'ada'` (OData, SCIM). The columns and fields are the names of the values.

use crate::redact::claims;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::trimmed;
use crate::redact::matching::find::splice;
use crate::redact::matching::gate::{Kinds, OTHER, STRUCTURE, WIDE};
use crate::redact::pass::Pass;
use std::ops::Range;

/// How far names and values are followed, bytes, and how many there are, at most: keeps the search linear.
const BYTES_MAX: usize = 512;
const VALUES_MAX: usize = 16;
/// What stands between the columns and the values of a key.
const KEY: &str = ")=(";
/// What stands between a value and the index that it breaks.
const ENTRY: &str = "' for key '";
/// Quotes of values, and how many values in quotes are looked at in a text.
const QUOTES: [char; 3] = ['\'', '"', '`'];
const QUOTED_MAX: usize = 64;
/// What opens a quotation, and what closes it.
const QUOTE_PAIRS: [(char, char); 7] =
    [('\'', '\''), ('"', '"'), ('`', '`'), ('“', '”'), ('„', '“'), ('‘', '’'), ('«', '»')];
/// Words of a text that are looked at, at most, and digits that make one a value.
const WORDS_MAX: usize = 64;
const NUMBER_DIGITS_MIN: usize = 4;
/// Shorter words with a digit are nobody's, bytes.
const NAME_BYTES_MIN: usize = 5;
/// How far back the words of a name are looked for, bytes, and how many there are, at most.
const NAME_BYTES_MAX: usize = 48;
const NAME_WORDS_MAX: usize = 3;
/// Words for fields, before the name of one.
const FIELD_WORDS: [&str; 9] =
    ["field", "parameter", "param", "column", "attribute", "property", "argument", "header", "path"];
/// What stands between a name and the value it is compared with, or read from.
const COMPARED: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "like", "LIKE", "from", "=>"];
/// First and last words of the names of indexes, which say nothing of the column.
const INDEX_WORDS: [&str; 10] = ["uk", "uq", "ux", "ix", "idx", "index", "key", "unique", "uniq", "constraint"];

/// Whether a text may hold such values.
pub(in crate::redact) fn may_hold(text: &str, kinds: Kinds) -> bool {
    kinds & STRUCTURE != 0
        || kinds & OTHER != 0 && text.contains('`')
        || kinds & WIDE != 0 && text.contains(['“', '„', '‘', '«'])
}

/// Replaces the values of columns that rules know; `Some` if one changed.
pub(in crate::redact) fn values(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    let mut spans = Vec::new();
    for (at, _) in text.match_indices(KEY) {
        keys(pass, text, at, &mut spans);
    }
    for (at, _) in text.match_indices(ENTRY) {
        entry(pass, text, at, &mut spans);
    }
    quoted(pass, text, &mut spans);
    bracketed(pass, text, &mut spans);
    spans.sort_by_key(|(range, _): &(Range<usize>, String)| range.start);
    // A value that holds the signs of another is replaced once.
    spans.dedup_by(|after, before| after.0.start < before.0.end);
    splice(text, spans)
}

/// Replaces the values in a text that says what is wrong with a field: what stands in quotes, and words with digits, if a
/// rule claims them under the field's name; `Some` if one changed.
pub(in crate::redact) fn about(pass: &mut Pass<'_>, text: &str, key: &Key<'_>, parents: &[Key<'_>]) -> Option<String> {
    let mut ranges: Vec<Range<usize>> = in_quotes(text).collect();
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace).take(WORDS_MAX) {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '+');
        let at = start + word.find(core).unwrap_or(0);
        start += word.len();
        let digits = core.bytes().filter(u8::is_ascii_digit).count();
        // `ada75 is already in use.`
        let is_called = digits > 0 && core.len() >= NAME_BYTES_MIN && core.starts_with(char::is_alphabetic);
        let is_number = digits >= NUMBER_DIGITS_MIN || is_called;
        let end = at + core.len();
        if is_number && !ranges.iter().any(|range| range.start < end && at < range.end) {
            ranges.push(at..end);
        }
    }
    ranges.sort_by_key(|range| range.start);
    // What holds a stand-in was replaced before.
    ranges.retain(|range| !claims::holds_stand_in(&text[range.clone()]));
    let replaced = ranges.into_iter().filter_map(|range| {
        let rule = pass.name_rule(&text[range.clone()], key, parents)?;
        Some((range.clone(), pass.apply(rule, &text[range])?))
    });
    let spans = replaced.collect();
    splice(text, spans)
}

/// What stands in quotes in a text, in order.
fn in_quotes(text: &str) -> impl Iterator<Item = Range<usize>> {
    let (mut at, mut opened) = (0, 0);
    let next = move || {
        while opened < QUOTED_MAX {
            opened += 1;
            let step = text.get(at..)?.find(|c| QUOTE_PAIRS.iter().any(|(open, _)| *open == c))?;
            let (open, rest) = (at + step, &text[at + step..]);
            let quote = rest.chars().next()?;
            at = open + quote.len_utf8();
            let close = QUOTE_PAIRS.iter().find(|(open, _)| *open == quote).map(|(_, close)| *close)?;
            let near = &text[at..text.floor_char_boundary((at + BYTES_MAX).min(text.len()))];
            // An apostrophe opens nothing.
            if text[..open].ends_with(char::is_alphanumeric) {
                continue;
            }
            if let Some(len) = near.find(close) {
                let range = at..at + len;
                at = range.end + close.len_utf8();
                return Some(range);
            }
        }
        None
    };
    std::iter::from_fn(next)
}

/// `Key (first_name, born)=(Ada, 1980-01-02)`.
fn keys(pass: &mut Pass<'_>, text: &str, at: usize, spans: &mut Vec<(Range<usize>, String)>) {
    let before = &text[text.ceil_char_boundary(at.saturating_sub(BYTES_MAX))..at];
    // `lower(email::text)` has brackets of its own.
    let Some(columns) = before.rsplit("Key (").next().filter(|columns| columns.len() < before.len()) else { return };
    let start = at + KEY.len();
    let near = &text[start..text.floor_char_boundary(start + BYTES_MAX)];
    let end = [") already", ") is not", ") is still", ") conflicts"].iter().filter_map(|after| near.find(after)).min();
    let Some(values) = end.or_else(|| near.find(')')).map(|end| &near[..end]) else { return };
    let columns: Vec<&str> = columns.split(", ").take(VALUES_MAX + 1).collect();
    let values: Vec<&str> = match columns.len() {
        // A value may have commas of its own.
        1 => vec![values],
        _ => values.split(", ").take(VALUES_MAX + 1).collect(),
    };
    if columns.len() != values.len() || columns.len() > VALUES_MAX {
        return;
    }
    let mut value_at = start;
    for (column, value) in columns.into_iter().zip(values) {
        let column = column.split("::").next().unwrap_or_default();
        let column = column.rsplit('(').next().unwrap_or_default().trim_matches(['"', ')', '\\']);
        put(pass, column, value, value_at, spans);
        value_at += value.len() + 2;
    }
}

/// `Duplicate entry 'ada' for key 'users.uk_login'`.
fn entry(pass: &mut Pass<'_>, text: &str, at: usize, spans: &mut Vec<(Range<usize>, String)>) {
    let before = &text[text.ceil_char_boundary(at.saturating_sub(BYTES_MAX))..at];
    let Some(value) = before.rsplit("entry '").next().filter(|value| value.len() < before.len()) else { return };
    let after = &text[at + ENTRY.len()..text.floor_char_boundary(at + ENTRY.len() + BYTES_MAX)];
    let Some(index) = after.split('\'').next() else { return };
    let column = index.rsplit('.').next().unwrap_or_default();
    let words: Vec<&str> =
        column.split('_').filter(|word| !INDEX_WORDS.contains(&word.to_lowercase().as_str())).collect();
    put(pass, &words.join("_"), value, at - value.len(), spans);
}

/// Values in quotes with a name near them: `Invalid value 'ada' for field 'login'`, `could not parse login from 'ada'`,
/// `login eq 'ada'`, `login=>'ada'`.
fn quoted(pass: &mut Pass<'_>, text: &str, spans: &mut Vec<(Range<usize>, String)>) {
    for range in in_quotes(text) {
        let (before, value) = (&text[..range.start], &text[range.clone()]);
        let before = before.trim_end_matches(|c| QUOTE_PAIRS.iter().any(|(open, _)| *open == c));
        let after = text[range.end..].chars().next().map_or("", |quote| &text[range.end + quote.len_utf8()..]);
        let name = name_after(after)
            .or_else(|| name_before(before))
            .or_else(|| name_above(before))
            .or_else(|| words_before(pass, before));
        if let Some(name) = name {
            put(pass, name, value, range.start, spans);
        }
    }
}

/// The field that is named behind a value: ` for field 'login'`.
fn name_after(text: &str) -> Option<&str> {
    let rest = [" for ", " of ", " in "].iter().find_map(|word| text.strip_prefix(word))?;
    let rest = rest.strip_prefix("the ").unwrap_or(rest);
    let noun = FIELD_WORDS.iter().find_map(|word| rest.strip_prefix(word)?.strip_prefix([' ', ':']));
    let name = noun.unwrap_or(rest).trim_start();
    let bare = name.trim_start_matches(QUOTES);
    // `'ada' for login` may be a sentence.
    let is_told = noun.is_some() || bare.len() < name.len();
    let end = bare.find(|c: char| !is_of_name(c)).unwrap_or(bare.len());
    is_told.then(|| last_part(&bare[..end])).filter(|name| !name.is_empty())
}

/// The field that is named before a value: `login eq `, `login from `, `login=>`.
fn name_before(text: &str) -> Option<&str> {
    let text = without_type(text.trim_end()).trim_end();
    let before = COMPARED.iter().find_map(|sign| text.strip_suffix(sign))?;
    let is_apart = before.len() < text.len() && (text.ends_with('>') || before.ends_with(' '));
    let name = before.trim_end().trim_end_matches(']').trim_end_matches(QUOTES);
    let name = &name[name.rfind(|c: char| !is_of_name(c)).map_or(0, |at| name.ceil_char_boundary(at + 1))..];
    Some(last_part(name)).filter(|name| is_apart && !name.is_empty())
}

/// A text without the type of a value at its end: PHP tells `["plate"]=> string(8) "..."`.
fn without_type(text: &str) -> &str {
    let bare = text.strip_suffix(')').map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_digit()));
    bare.and_then(|rest| rest.strip_suffix("string(")).unwrap_or(text)
}

/// The field whose name stands on the line above a value: pydantic's `input_value='..'` below `customer.phone`, jsonschema's
/// value below `On instance['phone']:`.
fn name_above(text: &str) -> Option<&str> {
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(BYTES_MAX))..];
    let name = match near.strip_suffix("input_value=") {
        Some(line) => line.rsplit('\n').nth(1)?.trim(),
        None => {
            near.trim_end().strip_suffix("]:").filter(|_| near.contains('\n'))?.rsplit('[').next()?.trim_matches(QUOTES)
        }
    };
    Some(last_part(name)).filter(|name| !name.is_empty() && name.chars().all(is_of_name))
}

/// The words before a value that are a field's name: `could not parse date of birth '..'`.
fn words_before<'t>(pass: &mut Pass<'_>, text: &'t str) -> Option<&'t str> {
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(NAME_BYTES_MAX))..];
    let near = near.strip_suffix(' ')?;
    let starts = near.rmatch_indices(' ').map(|(at, _)| at + 1).chain((near.len() == text.len() - 1).then_some(0));
    let mut names: Vec<&str> = starts.take(NAME_WORDS_MAX).map(|start| &near[start..]).collect();
    names.retain(|name| name.chars().all(|c| c.is_alphabetic() || c == ' ' || c == '-' || c == '_'));
    // `secrets "db" not found` is about things that are called so.
    names.retain(|name| name.ends_with("ss") || !name.ends_with('s') || name.contains(' '));
    names.into_iter().rev().find(|name| !pass.key_in_text(name).said().values.is_empty())
}

/// `[street_address] 1 Main St does not match pattern`.
fn bracketed(pass: &mut Pass<'_>, text: &str, spans: &mut Vec<(Range<usize>, String)>) {
    for (at, sign) in text.match_indices("] ").take(VALUES_MAX) {
        let before = &text[text.ceil_char_boundary(at.saturating_sub(BYTES_MAX))..at];
        let Some(name) = before.rsplit('[').next().filter(|name| name.len() < before.len()) else { continue };
        let start = at + sign.len();
        let near = &text[start..text.floor_char_boundary((start + BYTES_MAX).min(text.len()))];
        let end = [" does not match", " is not a valid", " is invalid"].iter().filter_map(|said| near.find(said)).min();
        if let Some(end) = end.filter(|_| name.chars().all(is_of_name)) {
            put(pass, last_part(name), &near[..end], start, spans);
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || "_.-".contains(c)
}

fn last_part(name: &str) -> &str {
    name.trim_matches('.').rsplit('.').next().unwrap_or_default()
}

fn put(pass: &mut Pass<'_>, column: &str, value: &str, at: usize, spans: &mut Vec<(Range<usize>, String)>) {
    if claims::holds_stand_in(value) {
        return;
    }
    let key = pass.key_in_text(column);
    let core = trimmed(value, 0..value.len());
    let range = at + core.start..at + core.end;
    let value = &value[core];
    if let Some(rule) = pass.name_rule(value, &key, &[])
        && let Some(fresh) = pass.apply(rule, value)
    {
        spans.push((range, fresh));
    }
}
