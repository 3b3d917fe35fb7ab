//! Markup: an element's name is the key of its text, an attribute's name the key of its value.

use crate::exchange::DropReason;
use crate::redact::names::Key;
use crate::redact::pass::{Pass, Place};

/// Redacts XML or HTML. Markup is read leniently: what is no tag is text, and text goes through every pattern.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str) -> Result<String, DropReason> {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<Key<'_>> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(cdata) = rest.strip_prefix("<![CDATA[") {
            let end = cdata.find("]]>").unwrap_or(cdata.len());
            out.push_str("<![CDATA[");
            out.push_str(&leaf(pass, &cdata[..end], &open, false)?);
            rest = &cdata[end..];
            let close = if rest.starts_with("]]>") { 3 } else { 0 };
            out.push_str(&rest[..close]);
            rest = &rest[close..];
        } else if rest.starts_with('<') {
            let end = tag_end(rest);
            let tag = &rest[..end];
            out.push_str(&attributes(pass, tag, &open)?);
            let name = tag[1..].trim_start_matches('/').split(|c: char| c.is_whitespace() || "/>".contains(c)).next();
            let name = name.unwrap_or_default().rsplit(':').next().unwrap_or_default();
            if tag.starts_with("</") {
                open.pop();
            } else if !tag.ends_with("/>") && !tag.starts_with("<!") && !tag.starts_with("<?") {
                if open.len() >= 4 * pass.redactor.settings.depth_max {
                    return Err(DropReason::TooDeep);
                }
                open.push(pass.key(name));
            }
            rest = &rest[end..];
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            out.push_str(&leaf(pass, &rest[..end], &open, true)?);
            rest = &rest[end..];
        }
    }
    Ok(out)
}

/// Where a tag ends; a `>` inside quotes does not end it.
fn tag_end(text: &str) -> usize {
    if text.starts_with("<!--") {
        return text.find("-->").map_or(text.len(), |at| at + 3);
    }
    let mut quote = None;
    for (at, b) in text.bytes().enumerate() {
        match (quote, b) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(open), b) if open == b => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn leaf(pass: &mut Pass<'_>, raw: &str, open: &[Key<'_>], escaped: bool) -> Result<String, DropReason> {
    let core = raw.trim();
    if core.is_empty() {
        return Ok(raw.to_owned());
    }
    let text = if escaped { unescape(core) } else { core.to_owned() };
    let (key, parents) = open.split_last().map_or((None, open), |(key, parents)| (Some(key), parents));
    Ok(match pass.value(&text, Place { key, parents, depth: 0 })? {
        Some(fresh) => raw.replacen(core, &if escaped { escape(&fresh) } else { fresh }, 1),
        None => raw.to_owned(),
    })
}

fn attributes(pass: &mut Pass<'_>, tag: &str, open: &[Key<'_>]) -> Result<String, DropReason> {
    if tag.starts_with("<!--") {
        return Ok(pass.value(tag, Place::BARE)?.unwrap_or_else(|| tag.to_owned()));
    }
    let mut out = String::with_capacity(tag.len());
    let mut rest = tag;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = rest.as_bytes()[at];
        let value = &rest[at + 1..];
        let end = value.find(char::from(quote)).unwrap_or(value.len());
        let before = rest[..at].trim_end().trim_end_matches('=').trim_end();
        let name = before.rsplit(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
        let key = pass.key(name);
        let fresh = pass.value(&unescape(&value[..end]), Place { key: Some(&key), parents: open, depth: 0 })?;
        out.push_str(&rest[..=at]);
        match fresh {
            Some(fresh) => out.push_str(&escape(&fresh)),
            None => out.push_str(&value[..end]),
        }
        let close = (end + 1).min(value.len());
        out.push_str(&value[end..close]);
        rest = &value[close..];
    }
    out.push_str(rest);
    Ok(out)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|b| b == b';').unwrap_or(0);
        let name = rest.get(1..end).unwrap_or_default();
        let number = name.strip_prefix('#').and_then(|n| match n.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => n.parse().ok(),
        });
        let c = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(char::from_u32),
        };
        out.push(c.unwrap_or('&'));
        rest = &rest[if c.is_some() { end + 1 } else { 1 }..];
    }
    out.push_str(rest);
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}
