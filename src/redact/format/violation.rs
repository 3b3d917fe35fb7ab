//! What databases, validators and filters say of a value, in a text: `Key (email)=(ada@example.org) already exists`
//! (PostgreSQL), `Duplicate entry 'ada' for key 'users.login'` (MySQL, MariaDB), `Invalid value 'ada' for field 'login'`,
//! `login eq 'ada'` (OData, SCIM). The columns and fields are the names of the values.

use crate::redact::format::splice::trimmed;
use crate::redact::matching::find::splice;
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
/// Words for fields, before the name of one.
const FIELD_WORDS: [&str; 9] =
    ["field", "parameter", "param", "column", "attribute", "property", "argument", "header", "path"];
/// What stands between a name and the value it is compared with, or read from.
const COMPARED: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "like", "LIKE", "from", "=>"];
/// First and last words of the names of indexes, which say nothing of the column.
const INDEX_WORDS: [&str; 10] = ["uk", "uq", "ux", "ix", "idx", "index", "key", "unique", "uniq", "constraint"];

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
    let (mut at, mut seen) = (0, 0);
    while let Some(open) = text[at..].find(QUOTES).map(|step| at + step)
        && seen < QUOTED_MAX
    {
        seen += 1;
        let quote = char::from(text.as_bytes()[open]);
        let start = open + 1;
        let near = &text[start..text.floor_char_boundary((start + BYTES_MAX).min(text.len()))];
        let Some(end) = near.find(quote).map(|len| start + len) else {
            at = start;
            continue;
        };
        // An apostrophe opens nothing, and what is right behind a word closes something.
        if text[..open].ends_with(char::is_alphanumeric) {
            at = start;
            continue;
        }
        at = end + 1;
        let name = name_after(&text[end + 1..]).or_else(|| name_before(&text[..open]));
        if let Some(name) = name {
            put(pass, name, &text[start..end], start, spans);
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
    let text = text.trim_end();
    let before = COMPARED.iter().find_map(|sign| text.strip_suffix(sign))?;
    let is_apart = before.len() < text.len() && (text.ends_with('>') || before.ends_with(' '));
    let name = before.trim_end().trim_end_matches(QUOTES);
    let name = &name[name.rfind(|c: char| !is_of_name(c)).map_or(0, |at| name.ceil_char_boundary(at + 1))..];
    Some(last_part(name)).filter(|name| is_apart && !name.is_empty())
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
