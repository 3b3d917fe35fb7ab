//! Open Financial Exchange 1 (SGML): a value stands after its tag, which nothing ends but the next tag or the end of the
//! line. Aggregates have an end tag. The header before them is lines of settings.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::markup::{escape, unescape};
use crate::redact::format::splice::{Patch, trimmed};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// What a file begins with: its header, or nothing but the outermost aggregate.
const HEADS: [&str; 2] = ["OFXHEADER:", "<OFX>"];
/// Aggregates in one another that are followed, at most.
const OPEN_MAX: usize = 32;
/// Tags whose names are short forms, and what they mean.
const TAGS: [(&str, &str); 24] = [
    ("USERID", "username"),
    ("USERPASS", "password"),
    ("NEWUSERPASS", "password"),
    ("USERKEY", "password"),
    ("USERCRED1", "password"),
    ("USERCRED2", "password"),
    ("AUTHTOKEN", "auth-token"),
    ("ACCESSKEY", "access-key"),
    ("MFAPHRASEA", "security-answer"),
    ("ACCTID", "account-number"),
    ("PAYACCT", "account-number"),
    ("FIRSTNAME", "first-name"),
    ("MIDDLENAME", "middle-name"),
    ("LASTNAME", "last-name"),
    ("ADDR1", "street"),
    ("ADDR2", "address-line-2"),
    ("ADDR3", "address-line-2"),
    ("POSTALCODE", "postal-code"),
    ("DAYPHONE", "phone"),
    ("EVEPHONE", "phone"),
    ("FAXPHONE", "phone"),
    ("TAXID", "tax-number"),
    ("DATEBIRTH", "birth-date"),
    ("NAME", "payee-name"),
];

/// Whether a text is such a file.
pub(in crate::redact) fn is_file(text: &str) -> bool {
    HEADS.iter().any(|head| text.starts_with(head))
}

/// Redacts tag by tag.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let mut open: Vec<(&str, Key<'_>)> = Vec::new();
    let mut at = next_tag(text, 0);
    bare(pass, &mut patch, 0..at)?;
    while at < text.len() {
        let next = next_tag(text, at + 1);
        let (tag, start) = tag_at(text, at);
        let mut value = trimmed(text, start.min(next)..next);
        match tag.strip_prefix('/') {
            Some(ended) => {
                // What was left open in it has ended as well.
                if let Some(level) = open.iter().rposition(|(name, _)| *name == ended) {
                    open.truncate(level);
                }
                bare(pass, &mut patch, value)?;
            }
            None if tag.is_empty() => bare(pass, &mut patch, at..next)?,
            None if value.is_empty() && open.len() < OPEN_MAX => open.push((tag, pass.key_in_text(tag))),
            None => {
                if tag == "NAME" {
                    let start = value.start + payee_start(patch.original(value.clone()));
                    bare(pass, &mut patch, value.start..start)?;
                    value.start = start;
                }
                let parents: Vec<Key<'_>> = open.iter().map(|(_, key)| key.clone()).collect();
                let meant = TAGS.iter().find(|(known, _)| *known == tag).map(|(_, name)| *name);
                let key = match meant {
                    Some(name) => pass.key(name),
                    None => pass.key_in_text(tag),
                };
                let place = Place { key: Some(&key), parents: &parents, depth: place.depth };
                let plain = unescape(patch.original(value.clone()));
                if let Some(fresh) = pass.value(&plain.text, place)? {
                    let written = plain.graft(&fresh, |text| escape(text).replace(['\r', '\n'], " "));
                    patch.put(value, written);
                }
            }
        }
        at = next;
    }
    Ok(patch.done())
}

/// Where the payee's own name begins: `TRANSFER TO ADA LOVELACE`.
fn payee_start(name: &str) -> usize {
    let after = |word: &str| name.rfind(word).map(|at| at + word.len());
    after(" TO ").max(after(" FROM ")).unwrap_or_default()
}

/// A text that is no tag's.
fn bare(pass: &mut Pass<'_>, patch: &mut Patch<'_>, range: Range<usize>) -> Result<(), DropReason> {
    if let Some(fresh) = pass.scan_bare(patch.original(range.clone()))? {
        patch.put(range, fresh);
    }
    Ok(())
}

/// Where the next tag begins, or the text ends.
fn next_tag(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    memchr::memchr(b'<', rest).map_or(text.len(), |at| from + at)
}

/// The name of the tag that begins here, with the slash of an end tag, and where the tag ends; no name if it is none.
fn tag_at(text: &str, at: usize) -> (&str, usize) {
    let rest = text.get(at + 1..).unwrap_or_default();
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/');
    let len = rest.bytes().take_while(|b| is_of_name(*b)).count();
    match rest.as_bytes().get(len) {
        Some(b'>') if len > 0 => (&rest[..len], at + len + 2),
        _ => ("", at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found() {
        assert_eq!(tag_at("<A.B>x", 0), ("A.B", 5));
        assert_eq!(tag_at("é</A>", 2), ("/A", 6));
        for text in ["<", "<>", "<a b>", "<é>", "<a"] {
            assert_eq!(tag_at(text, 0), ("", 1), "{text}");
        }
        assert_eq!(next_tag("é<", 0), 2);
        assert_eq!(next_tag("<", 1), 1);
        assert_eq!(next_tag("", 1), 0);
    }
}
