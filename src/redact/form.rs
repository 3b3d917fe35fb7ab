//! URLs, targets and forms: components are decoded, redacted, and encoded again only where they changed.

use crate::exchange::DropReason;
use crate::redact::names::Key;
use crate::redact::pass::{Pass, Place};
use std::fmt::Write;

/// Percent-decodes; `None` if the result is no text.
pub(in crate::redact) fn decode(text: &str, plus: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(step) = memchr::memchr2(b'%', b'+', &bytes[at..]) {
        out.extend_from_slice(&bytes[at..at + step]);
        at += step;
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) if plus => out.push(b' '),
            (b, ..) => out.push(b),
        }
        at += 1;
    }
    out.extend_from_slice(&bytes[at..]);
    String::from_utf8(out).ok()
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~@".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// Path and query of a request, or a relative reference.
pub(in crate::redact) fn target(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, part)| (rest, Some(part)));
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut out = String::with_capacity(text.len());
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        out.push_str(&component(pass, segment, Place { key: None, parents: &[], depth }, false)?);
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(&form(pass, query, depth)?);
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(&form(pass, fragment, depth)?);
    }
    Ok(out)
}

/// `name=value` pairs.
pub(in crate::redact) fn form(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let mut out = String::with_capacity(text.len());
    for (at, pair) in text.split('&').enumerate() {
        if at > 0 {
            out.push('&');
        }
        let Some((name, value)) = pair.split_once('=') else {
            out.push_str(&component(pass, pair, Place { key: None, parents: &[], depth }, true)?);
            continue;
        };
        out.push_str(&component(pass, name, Place { key: None, parents: &[], depth }, true)?);
        out.push('=');
        // `card[number]`, `user.name`: the last part is the name, those before it are its parents.
        let decoded = decode(name, true).ok_or(DropReason::Unparseable)?;
        let mut path: Vec<Key<'_>> =
            decoded.split(['[', ']', '.']).filter(|s| !s.is_empty()).map(|name| pass.key(name)).collect();
        let key = path.pop().unwrap_or_default();
        let raw = decode(value, true).ok_or(DropReason::Unparseable)?;
        let struck = match pass.parameter_rule(&raw, &key, &path) {
            Some(rule) => pass.apply(rule, &raw),
            None => pass.value(&raw, Place { key: Some(&key), parents: &path, depth })?,
        };
        match struck {
            Some(fresh) => out.push_str(&encode(&fresh)),
            None => out.push_str(value),
        }
    }
    Ok(out)
}

fn component(pass: &mut Pass<'_>, text: &str, place: Place<'_>, plus: bool) -> Result<String, DropReason> {
    let raw = decode(text, plus).ok_or(DropReason::Unparseable)?;
    Ok(pass.value(&raw, place)?.map_or_else(|| text.to_owned(), |fresh| encode(&fresh)))
}

/// An absolute URL: user info goes, host stays unless a rule claims it.
pub(in crate::redact) fn url(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let Some((scheme, rest)) = text.split_once("://") else { return target(pass, text, depth) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => format!("masked@{host}"),
        None => authority.to_owned(),
    };
    Ok(format!("{scheme}://{host}{}", target(pass, tail, depth)?))
}

impl Pass<'_> {
    /// Redacts one parameter's decoded value.
    pub fn parameter(&mut self, key: &Key<'_>, raw: &str, depth: u8) -> Result<Option<String>, DropReason> {
        match self.parameter_rule(raw, key, &[]) {
            Some(rule) => Ok(self.apply(rule, raw)),
            None => self.value(raw, Place { key: Some(key), parents: &[], depth }),
        }
    }
}
