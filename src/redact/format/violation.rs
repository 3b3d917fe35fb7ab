//! What databases say of a value that breaks a constraint, in a text: `Key (email)=(ada@example.org) already exists`
//! (PostgreSQL), `Duplicate entry 'ada' for key 'users.login'` (MySQL, MariaDB). The columns are the names of the values.

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
