//! vCard and iCalendar (RFC 6350, RFC 5545): the property's name is the key of its value, lines may be folded.

use crate::exchange::DropReason;
use crate::redact::format::splice::{Patch, Unescaped};
use crate::redact::pass::{Pass, Place};

/// Properties whose name says too little, and the name that says the same.
const PROPERTIES: [(&str, &str); 13] = [
    ("n", "full-name"),
    ("fn", "full-name"),
    ("cn", "full-name"),
    ("sort-as", "full-name"),
    ("sort-string", "full-name"),
    ("adr", "address"),
    ("label", "address"),
    ("bday", "birth-date"),
    ("geo", "home-coordinates"),
    ("tel", "phone"),
    ("email", "email"),
    ("impp", "username"),
    ("nickname", "nickname"),
];
/// What the components of an address are, in their order.
pub(in crate::redact) const ADDRESS_PARTS: [&str; 7] =
    ["po-box", "address-line-2", "street", "city", "region", "postal-code", "country"];
/// Properties that hold pictures, sounds and keys: what cannot be read is not kept.
const BLOBS: [&str; 4] = ["photo", "logo", "sound", "key"];

/// Redacts property by property.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let mut start = 0;
    while start < text.len() {
        let end = logical_end(text, start);
        let raw = text[start..end].trim_end_matches(['\r', '\n']);
        if !raw.trim().is_empty() {
            let mut plain = Unescaped::new(raw);
            for (at, _) in raw.match_indices('\n') {
                let from = if raw[..at].ends_with('\r') { at - 1 } else { at };
                plain.undo(from..at + 2, "");
            }
            let plain = plain.done();
            let fresh = property(pass, &plain.text, place)?;
            if fresh != plain.text {
                patch.put(start..start + raw.len(), plain.graft(&fresh, str::to_owned));
            }
        }
        start = end;
    }
    Ok(patch.done())
}

/// Whether a text of unknown kind is a card or a calendar.
pub(in crate::redact) fn is_card(text: &str) -> bool {
    ["BEGIN:VCARD", "BEGIN:VCALENDAR"]
        .iter()
        .any(|head| text.get(..head.len()).is_some_and(|t| t.eq_ignore_ascii_case(head)))
}

/// The name that says the same as a property's own, if it has one that says too little.
pub(in crate::redact) fn meaning(property: &str) -> Option<&'static str> {
    PROPERTIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(property)).map(|(_, name)| *name)
}

/// Where a line ends, its folded continuation and its line ending included.
fn logical_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let Some(len) = memchr::memchr(b'\n', &bytes[at..]) else { return bytes.len() };
        at += len + 1;
        if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
}

/// `group.NAME;PARAM=a,"b":value`.
fn property(pass: &mut Pass<'_>, line: &str, place: Place<'_>) -> Result<String, DropReason> {
    let colon = outside_quotes(line, b':').ok_or(DropReason::Unparseable)?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let mut parts = head.split(';');
    let name = parts.next().unwrap_or_default();
    if !is_name(name) {
        return Err(DropReason::Unparseable);
    }
    let name = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let mut out = String::with_capacity(line.len());
    out.push_str(&line[..head.find(';').unwrap_or(head.len())]);
    let mut rest = &head[head.find(';').unwrap_or(head.len())..];
    while let Some(after) = rest.strip_prefix(';') {
        let end = outside_quotes(after, b';').unwrap_or(after.len());
        out.push(';');
        out.push_str(&parameter(pass, &after[..end], place)?);
        rest = &after[end..];
    }
    out.push(':');
    let binary = value.len() > 64 && head.to_ascii_lowercase().contains("encoding=b") || value.starts_with("data:");
    if BLOBS.contains(&name.as_str()) && binary {
        out.push_str(&format!("[dropped: {}\\, {} bytes]", DropReason::UnknownType.name(), value.len()));
        return Ok(out);
    }
    out.push_str(&components(pass, &name, value, place)?);
    Ok(out)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

fn parameter(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_name(name)) else {
        let fresh = pass.value(text, place)?;
        return Ok(fresh.map_or_else(|| text.to_owned(), |fresh| fresh.replace([':', ';', '"'], " ")));
    };
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let fresh = named(pass, &name.to_ascii_lowercase(), inner.unwrap_or(value), place)?;
    Ok(match (fresh, inner) {
        (None, _) => text.to_owned(),
        (Some(fresh), None) if !fresh.contains([':', ';', ',']) => format!("{name}={fresh}"),
        (Some(fresh), _) => format!("{name}=\"{}\"", fresh.replace('"', "'")),
    })
}

/// A value's components, between semicolons that no backslash escapes.
fn components(pass: &mut Pass<'_>, name: &str, value: &str, place: Place<'_>) -> Result<String, DropReason> {
    if !matches!(name, "n" | "adr" | "org" | "gender") {
        return Ok(component(pass, name, value, place)?.unwrap_or_else(|| value.to_owned()));
    }
    let mut out = String::with_capacity(value.len());
    let mut start = 0;
    let mut escaped = false;
    let mut parts = if name == "adr" { &ADDRESS_PARTS[..] } else { &[] }.iter();
    for (at, b) in value.bytes().chain([b';']).enumerate() {
        if b == b';' && !escaped {
            let part = &value[start..at];
            let name = parts.next().copied().unwrap_or(name);
            out.push_str(component(pass, name, part, place)?.as_deref().unwrap_or(part));
            if at < value.len() {
                out.push(';');
            }
            start = at + 1;
        }
        escaped = b == b'\\' && !escaped;
    }
    // An escape at the very end hides the last separator.
    if start <= value.len() {
        out.push_str(component(pass, name, &value[start..], place)?.as_deref().unwrap_or(&value[start..]));
    }
    Ok(out)
}

fn component(pass: &mut Pass<'_>, name: &str, raw: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let plain = Unescaped::escaped(raw, '\\', |c| Some(if matches!(c, 'n' | 'N') { '\n' } else { c }));
    let fresh = named(pass, name, &plain.text, place)?;
    let escape = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;").replace('\n', "\\n");
    Ok(fresh.map(|fresh| plain.graft(&fresh, escape)))
}

fn named(pass: &mut Pass<'_>, name: &str, text: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let key = pass.key(meaning(name).unwrap_or(name));
    pass.value(text, Place { key: Some(&key), ..place })
}

/// The first sign of a kind that stands outside double quotes.
fn outside_quotes(text: &str, sign: u8) -> Option<usize> {
    let mut quoted = false;
    text.bytes().position(|b| {
        quoted ^= b == b'"';
        b == sign && !quoted
    })
}
