//! Values in running text: URLs and percent-encoded words, `name: value` pairs, then every pattern in one pass.

use crate::exchange::DropReason;
use crate::redact::form;
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use crate::redact::pseudonym::{self, is_stand_in};
use crate::redact::validators::is_shape_of_other;
use std::borrow::Cow;
use std::ops::Range;

/// Redacts a text; `Some` if it changed.
pub(in crate::redact) fn scan(pass: &mut Pass<'_>, raw: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let mut text = Cow::Borrowed(raw);
    // Most texts have no sign that a URL, an encoded word or a pair needs.
    if raw.bytes().any(|b| matches!(b, b'%' | b'?' | b':' | b'=')) {
        if let Some(fresh) = words(pass, &text, place)? {
            text = Cow::Owned(fresh);
        }
        if let Some(fresh) = pairs(pass, &text) {
            text = Cow::Owned(fresh);
        }
    }
    if let Some(fresh) = patterns(pass, &text, place) {
        text = Cow::Owned(fresh);
    }
    Ok((text != raw).then(|| text.into_owned()))
}

/// Words that are URLs or hold percent-encoded text.
fn words(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let relative = |word: &str| word.starts_with('/') && word.contains('?');
    if place.depth >= NESTED_DEPTH_MAX || !(text.contains('%') || text.contains("://") || text.contains('?')) {
        return Ok(None);
    }
    let depth = place.depth + 1;
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| c.is_whitespace() || "\"'<>\\(),;".contains(c)) {
        let end = word.trim_end_matches(|c: char| c.is_whitespace() || "\"'<>\\(),;".contains(c)).len();
        let (word, tail) = word.split_at(end);
        let fresh = if word.contains("://") || relative(word) {
            form::url(pass, word, depth).ok()
        } else if word.contains('%') && form::decode(word, false).is_some_and(|decoded| decoded != word) {
            form::target(pass, word, depth).ok()
        } else {
            None
        };
        out.push_str(fresh.as_deref().unwrap_or(word));
        out.push_str(tail);
    }
    Ok((out != text).then_some(out))
}

/// How far a value in running text is followed, in bytes: keeps the search linear.
const PAIR_BYTES_MAX: usize = 1024;

/// `name: "value"`, `name='value'` and `name=value`: the names of key rules hold in text too (GraphQL, logs, errors).
fn pairs(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut spans: Vec<(Range<usize>, String)> = Vec::new();
    let mut at = 0;
    while let Some(step) = text[at..].find([':', '=']) {
        let sign = at + step;
        at = sign + 1;
        let before = text[..sign].trim_end_matches(['"', '\'', ' ', '\\']);
        let name_start = before.len()
            - before.bytes().rev().take(64).take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b)).count();
        let key = pass.key_in_text(&text[name_start..before.len()]);
        // Most names are nobody's: their values need no search for an end.
        if key.rules().is_empty() {
            continue;
        }
        let mut start = sign + 1;
        while start - sign < 8 && bytes.get(start).is_some_and(|b| b" \\".contains(b)) {
            start += 1;
        }
        let quote = bytes.get(start).copied().filter(|b| b"\"'".contains(b));
        let end = match quote {
            Some(quote) => {
                start += 1;
                let near = &text[start..text.floor_char_boundary(start + PAIR_BYTES_MAX)];
                near.find([char::from(quote), '\n']).map_or(start + near.len(), |len| start + len)
            }
            None if bytes[sign] == b'=' => {
                let stop = |c: char| c.is_whitespace() || "&,;\"'<>(){}[]".contains(c);
                let near = &text[start..text.floor_char_boundary(start + PAIR_BYTES_MAX)];
                near.find(stop).map_or(start + near.len(), |len| start + len)
            }
            None => continue,
        };
        if start >= end {
            continue;
        }
        let value = text[start..end].trim_end_matches('\\');
        if let Some(rule) = pass.key_rule(value, &key, &[])
            && let Some(fresh) = pass.apply(rule, value)
        {
            spans.push((start..start + value.len(), fresh));
            at = end;
        }
    }
    splice(text, spans)
}

/// Something a pattern found: its place, and what replaces it (`None`: it stands, and shields what is inside).
struct Find {
    range: Range<usize>,
    rule: Option<usize>,
    fresh: Option<String>,
}

fn patterns(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Option<String> {
    let mut finds = Vec::new();
    for hit in pass.redactor.set.matches(text).iter() {
        match hit.checked_sub(1) {
            None => finds.extend(pass.redactor.stand_in.find_iter(text).map(|m| Find {
                range: m.range(),
                rule: None,
                fresh: None,
            })),
            Some(at) => pattern(pass, pass.redactor.pattern_rules[at], text, place, &mut finds),
        }
    }
    if let Some(known) = pass.known {
        finds.extend(known.finds(text).map(|(range, fresh)| Find { range, rule: None, fresh: Some(fresh.to_owned()) }));
    }
    // The earliest wins, then the longest, then the first rule.
    finds.sort_by_key(|find| (find.range.start, std::cmp::Reverse(find.range.end), find.rule.unwrap_or(usize::MAX)));
    let mut spans = Vec::new();
    let mut end = 0;
    for find in finds.into_iter().filter(|find| !find.range.is_empty()) {
        if find.range.start < end {
            continue;
        }
        end = find.range.end;
        if let Some(fresh) = find.fresh {
            if let Some(rule) = find.rule {
                pass.note(rule, &text[find.range.clone()], &fresh);
            }
            spans.push((find.range, fresh));
        }
    }
    splice(text, spans)
}

fn pattern(pass: &Pass<'_>, at: usize, text: &str, place: Place<'_>, finds: &mut Vec<Find>) {
    let rule = &pass.redactor.rules[at];
    let Some(regex) = rule.pattern.as_ref().filter(|_| pass.allows(at)) else { return };
    if place.key.is_some_and(|key| rule.exclude_keys.has(key)) {
        return;
    }
    let mut from = 0;
    while let Some(found) = regex.find_at(text, from) {
        let mut range = found.range();
        if rule.grouped {
            let group = regex.captures_at(text, from).and_then(|groups| groups.name("value").map(|m| m.range()));
            range = group.unwrap_or(range);
        }
        let passed = match rule.validator {
            Some(validator) => {
                validator.check(&text[range.clone()]).map(|r| range.start + r.start..range.start + r.end)
            }
            None => Some(range.clone()),
        };
        let passed = passed.filter(|r| !rule.kind.is_numeric() || !is_shape_of_other(text, r));
        if let Some(range) = passed {
            let raw = &text[range.clone()];
            let fresh = pseudonym::replace(rule.action, rule.kind, raw, &pass.redactor.key);
            from = range.end.max(found.start() + 1);
            finds.push(Find { range, rule: Some(at), fresh });
        } else {
            // The next candidate may start inside this one; candidates are bounded, so this stays linear.
            from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
        }
        while !text.is_char_boundary(from) {
            from += 1;
        }
    }
}

/// The pattern rule that claims a whole plain number.
pub(in crate::redact) fn number_rule(pass: &Pass<'_>, raw: &str, place: Place<'_>) -> Option<usize> {
    let hits = pass.redactor.set.matches(raw);
    hits.iter().filter_map(|hit| hit.checked_sub(1)).map(|at| pass.redactor.pattern_rules[at]).find(|&at| {
        let rule = &pass.redactor.rules[at];
        let whole =
            rule.pattern.as_ref().and_then(|regex| regex.find(raw)).is_some_and(|found| found.len() == raw.len());
        pass.allows(at)
            && whole
            && !place.key.is_some_and(|key| rule.exclude_keys.has(key))
            && rule.validator.is_none_or(|validator| validator.check(raw).is_some())
            && !is_stand_in(rule.kind, raw)
    })
}

fn splice(text: &str, spans: Vec<(Range<usize>, String)>) -> Option<String> {
    if spans.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (range, fresh) in spans {
        out.push_str(&text[copied..range.start]);
        out.push_str(&fresh);
        copied = range.end;
    }
    out.push_str(&text[copied..]);
    Some(out)
}
