//! Tags as they are written: what is one, its name, and where its attributes stand.

use crate::redact::format::markup::Attribute;

/// How many bytes of a text's start are a `<br>` without attributes.
pub(super) fn line_break(text: &str) -> Option<usize> {
    let tag = text.get(..3).filter(|tag| tag.eq_ignore_ascii_case("<br"))?;
    let rest = &text[tag.len()..];
    let end = rest.find(|c: char| c != '/' && !c.is_ascii_whitespace())?;
    rest[end..].starts_with('>').then_some(tag.len() + end + 1)
}

/// Whether what stands after `<` is a tag; `<ada@example.org>` is none.
pub(super) fn is_tag(text: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    let end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    let after = text.as_bytes().get(end);
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && after.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
}

/// A start tag.
pub(super) struct Tag<'t> {
    pub name: &'t str,
    pub attributes: Vec<Attribute<'t>>,
    /// Whether it closes itself.
    pub closed: bool,
    /// Where the text goes on behind it.
    pub end: usize,
}

impl<'t> Tag<'t> {
    /// Reads the tag whose `<` stands at `at`.
    pub fn of(text: &'t str, at: usize) -> Self {
        let bytes = text.as_bytes();
        let until = |from: usize, stop: fn(u8) -> bool| {
            bytes[from..].iter().position(|b| stop(*b)).map_or(bytes.len(), |len| from + len)
        };
        let name_end = until(at + 1, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
        let name = &text[at + 1..name_end];
        let mut attributes = Vec::new();
        let mut at = name_end;
        loop {
            let start = until(at, |b| !b.is_ascii_whitespace() && b != b'/');
            if start >= bytes.len() || bytes[start] == b'>' {
                let closed =
                    start > name_end && bytes[start - 1] == b'/' || start == name_end && text[..start].ends_with('/');
                return Self { name, attributes, closed, end: (start + 1).min(text.len()) };
            }
            // A name may begin with `=`, which then is part of it.
            let end = until(start + 1, |b| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/'));
            let equals = until(end, |b| !b.is_ascii_whitespace());
            if bytes.get(equals) != Some(&b'=') {
                attributes.push(Attribute {
                    name: &text[start..end],
                    name_start: start,
                    value: end..end,
                    quoted: true,
                });
                at = end;
                continue;
            }
            let open = until(equals + 1, |b| !b.is_ascii_whitespace());
            let quote = bytes.get(open).copied().filter(|b| matches!(b, b'"' | b'\''));
            let value = match quote {
                Some(quote) => {
                    let len = memchr::memchr(quote, &bytes[open + 1..]).unwrap_or(bytes.len() - open - 1);
                    open + 1..open + 1 + len
                }
                None => open..until(open, |b| b.is_ascii_whitespace() || b == b'>'),
            };
            at = if quote.is_some() { (value.end + 1).min(bytes.len()) } else { value.end };
            attributes.push(Attribute { name: &text[start..end], name_start: start, value, quoted: quote.is_some() });
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }
}
