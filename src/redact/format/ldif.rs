//! Entries of directories as lines (LDIF, RFC 2849): the attribute's name is the key of its value, which may be base64
//! (`cn:: QWRh`) and folded over lines; distinguished names are read part by part.

use crate::exchange::DropReason;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::format::{directory, message};
use crate::redact::pass::{Pass, Place};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Lines before the first entry that are looked at, at most.
const LINES_BEFORE_MAX: usize = 16;

/// Whether a text of unknown kind is a list of entries: the first begins with its distinguished name.
pub(in crate::redact) fn is_entries(text: &str) -> bool {
    // Nearly every text ends here.
    if !["version:", "dn:", "#"].iter().any(|head| text.starts_with(head)) {
        return false;
    }
    let is_before = |line: &&str| line.is_empty() || line.starts_with('#') || line.starts_with("version:");
    let first = text.lines().take(LINES_BEFORE_MAX).map(str::trim_end).find(|line| !is_before(line));
    first.and_then(|line| line.strip_prefix("dn:")).is_some_and(|name| name.starts_with(':') || name.contains('='))
}

/// Redacts attribute by attribute.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let mut parents = place.parents.to_vec();
    parents.extend(place.key.cloned());
    let place = Place { key: None, parents: &parents, ..place };
    let mut start = 0;
    while start < text.len() {
        let end = logical_end(text, start);
        let raw = text[start..end].trim_end_matches(['\r', '\n']);
        let mut plain = Unescaped::new(raw);
        for (at, _) in raw.match_indices('\n') {
            let from = if raw[..at].ends_with('\r') { at - 1 } else { at };
            plain.undo(from..at + 2, "");
        }
        let plain = plain.done();
        if let Some(fresh) = line(pass, &plain.text, place)? {
            patch.put(start..start + raw.len(), plain.graft(&fresh, str::to_owned));
        }
        start = end;
    }
    Ok(patch.done())
}

/// Where a line ends, the lines that continue it and its line ending included.
fn logical_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(len) = memchr::memchr(b'\n', &bytes[at..]) {
        at += len + 1;
        if bytes.get(at) != Some(&b' ') {
            return at;
        }
    }
    bytes.len()
}

/// `attribute: value`, `attribute:: base64`, `attribute:< url`; anything else is a text. `Some` if it changed.
fn line(pass: &mut Pass<'_>, line: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.;_".contains(&b));
    let Some((name, rest)) = line.split_once(':').filter(|(name, _)| !name.is_empty() && is_name(name)) else {
        return pass.value(line, place);
    };
    let (sign, value) = match rest.strip_prefix([':', '<']) {
        Some(value) => (&rest[..1], value.trim_start_matches(' ')),
        None => ("", rest.trim_start_matches(' ')),
    };
    let head = &line[..line.len() - value.len()];
    if sign != ":" {
        let fresh = attribute(pass, name, value, place)?;
        return Ok(fresh.map(|fresh| written(name, head, &fresh)));
    }
    let Ok(bytes) = STANDARD.decode(value.trim_end()) else { return pass.value(line, place) };
    let fresh = match String::from_utf8(bytes) {
        Ok(text) if message::is_marker(text.as_bytes()) => None,
        Ok(text) => attribute(pass, name, &text, place)?,
        // A picture, a key, a number of a system: what cannot be read is not kept.
        Err(no_text) => Some(message::marker(DropReason::UnknownType, no_text.as_bytes().len())),
    };
    Ok(fresh.map(|fresh| format!("{head}{}", STANDARD.encode(fresh))))
}

/// A line with a value, in base64 if it is not safe as it is.
fn written(name: &str, head: &str, value: &str) -> String {
    match value.contains(['\r', '\n', '\0']) || value.starts_with([' ', ':', '<']) || value.ends_with(' ') {
        true => format!("{name}:: {}", STANDARD.encode(value)),
        false => format!("{head}{value}"),
    }
}

fn attribute(pass: &mut Pass<'_>, name: &str, value: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    if directory::is_reference(name) {
        return directory::distinguished_name(pass, value, place);
    }
    let key = pass.key(directory::meaning(name));
    let core = trimmed(value, directory::value_start(value)..value.len());
    let fresh = pass.value(&value[core.clone()], Place { key: Some(&key), ..place })?;
    Ok(fresh.map(|fresh| [&value[..core.start], &fresh, &value[core.end..]].concat()))
}
