//! Values in running text: JSON objects, URLs and percent-encoded words, `name: value` pairs, then every pattern in one pass.

use crate::exchange::DropReason;
use crate::redact::claims;
use crate::redact::evidence::names::Key;
use crate::redact::format::{bars, form, json, labelled, mrz, sniff, sql, turns, violation};
use crate::redact::matching::find::{replace_all, splice};
use crate::redact::matching::gate::{COLON, DIGIT, EQUALS, Kinds, PERCENT, SPACE, STRUCTURE, UPPER, kinds_of};
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use crate::redact::stand_in::kind::Kind;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Range;

/// Redacts a text of these kinds of bytes; `Some` if it changed.
pub(in crate::redact) fn scan(
    pass: &mut Pass<'_>,
    raw: &str,
    kinds: Kinds,
    place: Place<'_>,
) -> Result<Option<String>, DropReason> {
    if pass.known.is_none() && kinds & (PERCENT | COLON | EQUALS) == 0 && !pass.redactor.matcher.is_open(kinds) {
        return Ok(None);
    }
    let documents = documents(raw, kinds, place);
    // A statement may hold documents in its literals, and a document may hold a statement in a string.
    let head = documents.first().map_or(raw, |first| &raw[..first.start]);
    if sql::may_hold(head, kinds)
        && let Some(fresh) = statements(pass, raw, place)?
    {
        return Ok(Some(fresh).filter(|fresh| fresh != raw));
    }
    if documents.is_empty() {
        return plain(pass, raw, kinds, place);
    }
    let fresh = around(pass, raw, documents, place, |pass, text, kinds| {
        let fresh = if sql::may_hold(text, kinds) { statements(pass, text, place)? } else { None };
        if fresh.is_some() { Ok(fresh) } else { plain(pass, text, kinds, place) }
    })?;
    Ok((fresh != raw).then_some(fresh))
}

/// Redacts a text in which there are SQL literals whose columns are known; `None` if there are none.
fn statements(pass: &mut Pass<'_>, raw: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let literals = sql::literals(pass, raw, place)?;
    if literals.is_empty() {
        return Ok(None);
    }
    let (mut out, mut at) = (String::with_capacity(raw.len()), 0);
    let end = (raw.len()..raw.len(), None);
    for (range, fresh) in literals.into_iter().chain([end]) {
        let between = &raw[at..range.start];
        let documents = documents(between, kinds_of(between.as_bytes()), place);
        out.push_str(&around(pass, between, documents, place, |pass, text, kinds| plain(pass, text, kinds, place))?);
        at = range.end;
        out.push_str(fresh.as_deref().unwrap_or(&raw[range]));
    }
    Ok(Some(out))
}

/// Redacts the documents in a text, and what stands around them as `between` does.
fn around<'r>(
    pass: &mut Pass<'r>,
    raw: &str,
    documents: Vec<Range<usize>>,
    place: Place<'_>,
    between: impl Fn(&mut Pass<'r>, &str, Kinds) -> Result<Option<String>, DropReason>,
) -> Result<String, DropReason> {
    let inner = Place { depth: place.depth + 1, ..place };
    let (mut out, mut at) = (String::with_capacity(raw.len()), 0);
    let between = |pass: &mut Pass<'r>, out: &mut String, text: &str| {
        let fresh = between(pass, text, kinds_of(text.as_bytes()))?;
        out.push_str(fresh.as_deref().unwrap_or(text));
        Ok(())
    };
    for document in documents {
        between(pass, &mut out, &raw[at..document.start])?;
        // What is too deep to be read is searched as a text.
        match json::document(pass, &raw[document.clone()], inner) {
            Ok(fresh) => out.push_str(&fresh),
            Err(_) => between(pass, &mut out, &raw[document.clone()])?,
        }
        at = document.end;
    }
    between(pass, &mut out, &raw[at..])?;
    Ok(out)
}

/// Places in a text that may turn out to be no start of a document, at most: keeps the search linear.
const FALSE_STARTS_MAX: usize = 16;

/// JSON objects in running text, as logs have them: `body={"email":".."} 200`.
fn documents(text: &str, kinds: Kinds, place: Place<'_>) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    if kinds & STRUCTURE == 0 || place.depth >= NESTED_DEPTH_MAX {
        return documents;
    }
    let (mut at, mut false_starts) = (0, 0);
    while false_starts < FALSE_STARTS_MAX
        && let Some(start) = text[at..].find('{').map(|step| at + step)
    {
        at = start + 1;
        if text.as_bytes()[at..].iter().find(|b| !b.is_ascii_whitespace()).is_none_or(|b| *b != b'"') {
            continue;
        }
        let mut read = serde_json::Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
        match read.next() {
            Some(Ok(_)) => {
                at = start + read.byte_offset();
                documents.push(start..at);
            }
            _ => false_starts += 1,
        }
    }
    documents
}

/// Redacts a text in which there is no document; `Some` if it changed.
fn plain(pass: &mut Pass<'_>, raw: &str, kinds: Kinds, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let mut text = Cow::Borrowed(raw);
    let mut kinds = kinds;
    if bars::may_hold(&text, kinds)
        && let Some(fresh) = bars::cells(pass, &text)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if bars::may_be_spaced(&text, kinds)
        && let Some(fresh) = bars::spaced_cells(pass, &text)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if kinds & (PERCENT | COLON) != 0
        && let Some(fresh) = words(pass, &text, place)?
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if labelled::may_hold(&text, kinds)
        && let Some(fresh) = labelled::lines(pass, &text)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if kinds & SPACE != 0
        && kinds & DIGIT != 0
        && text.contains('\n')
        && let Some(fresh) = turns::lines(pass, &text)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if violation::may_hold(&text, kinds)
        && let Some(fresh) = violation::values(pass, &text)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if kinds & (COLON | EQUALS) != 0
        && let Some(fresh) = pairs(pass, &text, place)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if kinds & STRUCTURE != 0
        && kinds & UPPER != 0
        && let Some(fresh) = mrz::lines(pass, &text)
    {
        kinds = kinds_of(fresh.as_bytes());
        text = Cow::Owned(fresh);
    }
    if let Some(fresh) = replace_all(pass, &text, kinds, place) {
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
            match sniff::is_pairs(word) {
                true => form::document(pass, word, Place { depth, ..place }).ok(),
                false => form::target(pass, word, depth).ok(),
            }
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
fn pairs(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Option<String> {
    let bytes = text.as_bytes();
    let mut spans: Vec<(Range<usize>, String)> = Vec::new();
    let mut at = 0;
    while let Some(step) = text[at..].find([':', '=']) {
        let sign = at + step;
        at = sign + 1;
        let mut start = sign + 1;
        while start - sign < 8 && bytes.get(start).is_some_and(|b| b" \\".contains(b)) {
            start += 1;
        }
        let quote = bytes.get(start).copied().filter(|b| b"\"'".contains(b));
        if quote.is_none() && bytes[sign] == b':' {
            continue;
        }
        let before = text[..sign].trim_end_matches(['"', '\'', ' ', '\\']);
        let name_start = before.len()
            - before.bytes().rev().take(64).take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b)).count();
        let key = pass.key_in_text(&text[name_start..before.len()]);
        // Most names are nobody's: their values need no search for an end.
        if key.said().values.is_empty() {
            continue;
        }
        let end = match quote {
            Some(quote) => {
                start += 1;
                let near = &text[start..text.floor_char_boundary(start + PAIR_BYTES_MAX)];
                near.find([char::from(quote), '\n']).map_or(start + near.len(), |len| start + len)
            }
            None => {
                let stop = |c: char| c.is_whitespace() || "&,;\"'<>(){}[]".contains(c);
                let near = &text[start..text.floor_char_boundary(start + PAIR_BYTES_MAX)];
                near.find(stop).map_or(start + near.len(), |len| start + len)
            }
        };
        if start >= end {
            continue;
        }
        let end = if quote.is_none() { end_of_name(pass, text, start..end, &key) } else { end };
        let value = text[start..end].trim_end_matches('\\');
        // An encoded value was looked at in clear, as part of a word.
        let encoded = || value.contains('%') && form::decode(value, false).is_some_and(|plain| plain != value);
        if quote.is_none() && place.depth < NESTED_DEPTH_MAX && encoded() {
            continue;
        }
        if let Some(rule) = pass.name_rule(value, &key, &[])
            && let Some(fresh) = pass.apply(rule, value)
        {
            spans.push((start..start + value.len(), fresh));
            at = end;
        }
    }
    splice(text, spans)
}

/// Words of a name without quotes, at most.
const NAME_WORDS_MAX: usize = 5;

/// Where a person's name without quotes ends, whose first word is given: `User(name=Ada Maria Lovelace, id=7)`.
fn end_of_name(pass: &mut Pass<'_>, text: &str, first: Range<usize>, key: &Key<'_>) -> usize {
    let near = &text[first.start..text.floor_char_boundary((first.start + PAIR_BYTES_MAX).min(text.len()))];
    let Some(len) = near.find([',', ')', ']', '}', '=', '\n', ';', '&', '"', '\'']) else { return first.end };
    let whole = &near[..len];
    let is_closed = near[len..].starts_with([',', ')', ']', '}']);
    let is_name = whole.len() > first.len()
        && !claims::holds_stand_in(whole)
        && whole.split(' ').count() <= NAME_WORDS_MAX
        && whole.split(' ').all(|word| word.starts_with(char::is_alphabetic));
    let is_person = |rule: u16| pass.redactor.rules[usize::from(rule)].kind == Kind::Person;
    let names = is_closed && is_name && pass.name_rule(whole, key, &[]).is_some_and(is_person);
    if names { first.start + len } else { first.end }
}
