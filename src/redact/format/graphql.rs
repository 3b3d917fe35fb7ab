//! GraphQL documents: an argument's name is the key of its value, the fields around it are its parents.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Patch, Unescaped};
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use std::fmt::Write;
use std::ops::Range;

/// Names under which requests carry a document.
const CARRIERS: [&str; 6] = ["query", "mutation", "subscription", "graphql", "document", "operation"];
/// Names above a value that are kept, innermost last.
const NAMES_MAX: usize = 4;
/// Opens and closes a block string, and how it stands inside one.
const BLOCK_MARK: &str = "\"\"\"";
const BLOCK_ESCAPE: &str = "\\\"\"\"";

/// Redacts an executable document.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let depth_max = pass.redactor.settings.depth_max;
    // Read twice: what turns out to be no document must leave no trace.
    read(text, depth_max, &mut |_, _, _| Ok(()))?;
    let mut patch = Patch::new(text);
    read(text, depth_max, &mut |kind, range, names| {
        let mut keys: Vec<Key<'_>> = place.parents.to_vec();
        keys.extend(names[names.len().saturating_sub(NAMES_MAX)..].iter().map(|name| pass.key(name)));
        let key = keys.pop();
        let inner = Place { key: key.as_ref(), parents: &keys, depth: place.depth };
        if let Some(fresh) = leaf(pass, kind, &text[range.clone()], inner)? {
            patch.put(range, fresh);
        }
        Ok(())
    })?;
    Ok(patch.done())
}

fn leaf(pass: &mut Pass<'_>, kind: Kind, raw: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    match kind {
        Kind::Number => Ok(pass.number(raw, place, None)),
        Kind::Comment => pass.value(raw, Place { key: None, ..place }),
        Kind::String => {
            let plain = unescape(raw)?;
            Ok(pass.value(&plain.text, place)?.map(|fresh| plain.graft(&fresh, escape)))
        }
        Kind::Block => {
            let mut plain = Unescaped::new(raw);
            raw.match_indices(BLOCK_ESCAPE).for_each(|(at, mark)| plain.undo(at..at + mark.len(), BLOCK_MARK));
            let plain = plain.done();
            let fresh = pass.value(&plain.text, place)?;
            Ok(fresh.map(|fresh| plain.graft(&fresh, |text| text.replace(BLOCK_MARK, BLOCK_ESCAPE))))
        }
    }
}

/// A document carried by a value: `Some` if the value's name and text say that it is one, then what it becomes, if it
/// changes.
pub(in crate::redact) fn within(
    pass: &mut Pass<'_>,
    text: &str,
    place: Place<'_>,
) -> Result<Option<Option<String>>, DropReason> {
    let carried = place.key.is_some_and(|key| CARRIERS.contains(&key.joined())) && text.contains('{');
    if !carried || !is_document(text, pass.redactor.settings.depth_max) {
        return Ok(None);
    }
    if place.depth >= NESTED_DEPTH_MAX {
        return Err(DropReason::TooDeep);
    }
    let fresh = document(pass, text, Place { key: None, parents: &[], depth: place.depth + 1 })?;
    Ok(Some((fresh != text).then_some(fresh)))
}

/// Whether a text is an executable document.
pub(in crate::redact) fn is_document(text: &str, depth_max: usize) -> bool {
    read(text, depth_max, &mut |_, _, _| Ok(())).is_ok()
}

/// What a reader finds: the text inside the quotes of a string, a number, a comment.
#[derive(Clone, Copy)]
enum Kind {
    String,
    Block,
    Number,
    Comment,
}

/// Is told what was found, where, and below which names.
type Visit<'v> = dyn FnMut(Kind, Range<usize>, &[&str]) -> Result<(), DropReason> + 'v;

fn read(text: &str, depth_max: usize, visit: &mut Visit<'_>) -> Result<(), DropReason> {
    let mut reader = Reader { text, at: 0, left: depth_max, names: Vec::new(), visit };
    reader.blank()?;
    loop {
        reader.definition()?;
        if reader.at >= text.len() {
            return Ok(());
        }
    }
}

struct Reader<'t, 'v> {
    text: &'t str,
    at: usize,
    /// Levels that may still be opened.
    left: usize,
    names: Vec<&'t str>,
    visit: &'v mut Visit<'v>,
}

impl<'t> Reader<'t, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips what means nothing: white space, commas, comments.
    fn blank(&mut self) -> Result<(), DropReason> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => self.at += 1,
                Some(b'#') => {
                    let start = self.at + 1;
                    let rest = &self.text.as_bytes()[start..];
                    self.at = memchr::memchr2(b'\r', b'\n', rest).map_or(self.text.len(), |len| start + len);
                    (self.visit)(Kind::Comment, start..self.at, &self.names)?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn accept(&mut self, sign: &str) -> Result<bool, DropReason> {
        let found = self.text[self.at..].starts_with(sign);
        if found {
            self.at += sign.len();
            self.blank()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: &str) -> Result<(), DropReason> {
        if self.accept(sign)? { Ok(()) } else { Err(DropReason::Unparseable) }
    }

    fn name(&mut self) -> Result<Option<&'t str>, DropReason> {
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        if len == 0 || rest[0].is_ascii_digit() {
            return Ok(None);
        }
        let name = &self.text[self.at..self.at + len];
        self.at += len;
        self.blank()?;
        Ok(Some(name))
    }

    fn needed_name(&mut self) -> Result<&'t str, DropReason> {
        self.name()?.ok_or(DropReason::Unparseable)
    }

    fn deeper(&mut self, inside: fn(&mut Self) -> Result<(), DropReason>) -> Result<(), DropReason> {
        self.left = self.left.checked_sub(1).ok_or(DropReason::TooDeep)?;
        inside(self)?;
        self.left += 1;
        Ok(())
    }

    fn definition(&mut self) -> Result<(), DropReason> {
        if self.peek() == Some(b'{') {
            return self.selections();
        }
        match self.needed_name()? {
            "query" | "mutation" | "subscription" => {
                self.name()?;
                if self.accept("(")? {
                    while !self.accept(")")? {
                        self.variable()?;
                    }
                }
            }
            "fragment" => {
                self.needed_name()?;
                if self.needed_name()? != "on" {
                    return Err(DropReason::Unparseable);
                }
                self.needed_name()?;
            }
            _ => return Err(DropReason::Unparseable),
        }
        self.directives()?;
        self.selections()
    }

    fn variable(&mut self) -> Result<(), DropReason> {
        self.expect("$")?;
        let name = self.needed_name()?;
        self.expect(":")?;
        self.deeper(Self::of_type)?;
        if self.accept("=")? {
            self.names.push(name);
            self.deeper(Self::value)?;
            self.names.pop();
        }
        self.directives()
    }

    fn of_type(&mut self) -> Result<(), DropReason> {
        if self.accept("[")? {
            self.deeper(Self::of_type)?;
            self.expect("]")?;
        } else {
            self.needed_name()?;
        }
        self.accept("!")?;
        Ok(())
    }

    fn directives(&mut self) -> Result<(), DropReason> {
        while self.accept("@")? {
            self.needed_name()?;
            self.arguments()?;
        }
        Ok(())
    }

    fn arguments(&mut self) -> Result<(), DropReason> {
        if self.accept("(")? {
            self.members(")")?;
        }
        Ok(())
    }

    fn members(&mut self, close: &str) -> Result<(), DropReason> {
        while !self.accept(close)? {
            let name = self.needed_name()?;
            self.expect(":")?;
            self.names.push(name);
            self.deeper(Self::value)?;
            self.names.pop();
        }
        Ok(())
    }

    fn selections(&mut self) -> Result<(), DropReason> {
        self.expect("{")?;
        while !self.accept("}")? {
            self.deeper(Self::selection)?;
        }
        Ok(())
    }

    fn selection(&mut self) -> Result<(), DropReason> {
        let mut field = None;
        if self.accept("...")? {
            if self.name()? == Some("on") {
                self.needed_name()?;
            }
        } else {
            let mut name = self.needed_name()?;
            if self.accept(":")? {
                name = self.needed_name()?;
            }
            field = Some(name);
        }
        self.names.extend(field);
        if field.is_some() {
            self.arguments()?;
        }
        self.directives()?;
        if self.peek() == Some(b'{') {
            self.selections()?;
        }
        if field.is_some() {
            self.names.pop();
        }
        Ok(())
    }

    fn value(&mut self) -> Result<(), DropReason> {
        match self.peek() {
            Some(b'$') => {
                self.accept("$")?;
                self.needed_name().map(drop)
            }
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[') => {
                self.accept("[")?;
                while !self.accept("]")? {
                    self.deeper(Self::value)?;
                }
                Ok(())
            }
            Some(b'{') => {
                self.accept("{")?;
                self.members("}")
            }
            _ => self.needed_name().map(drop),
        }
    }

    fn number(&mut self) -> Result<(), DropReason> {
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let range = self.at..self.at + len;
        // The same as a JSON number.
        serde_json::from_str::<serde_json::Number>(&self.text[range.clone()]).map_err(|_| DropReason::Unparseable)?;
        (self.visit)(Kind::Number, range, &self.names)?;
        self.at += len;
        self.blank()
    }

    fn string(&mut self) -> Result<(), DropReason> {
        let bytes = self.text.as_bytes();
        let block = self.text[self.at..].starts_with(BLOCK_MARK);
        let mark = if block { 3 } else { 1 };
        let start = self.at + mark;
        let mut at = start;
        loop {
            at += bytes
                .get(at..)
                .and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest))
                .ok_or(DropReason::Unparseable)?;
            match bytes[at] {
                b'\\' if block => at += if self.text[at..].starts_with(BLOCK_ESCAPE) { 4 } else { 1 },
                b'\\' => at += 2,
                b'"' if !block || self.text[at..].starts_with(BLOCK_MARK) => break,
                b'\n' if !block => return Err(DropReason::Unparseable),
                _ => at += 1,
            }
        }
        let kind = if block { Kind::Block } else { Kind::String };
        (self.visit)(kind, start..at, &self.names)?;
        self.at = at + mark;
        self.blank()
    }
}

/// Undoes the escapes of a string.
fn unescape(raw: &str) -> Result<Unescaped<'_>, DropReason> {
    let mut plain = Unescaped::new(raw);
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'\\', &raw.as_bytes()[at..]) {
        let start = at + step;
        let (c, len) = escaped(&raw[start..]).ok_or(DropReason::Unparseable)?;
        at = start + len;
        plain.undo(start..at, c.encode_utf8(&mut [0; 4]));
    }
    Ok(plain.done())
}

/// The character of the escape at the start, and the escape's length.
fn escaped(text: &str) -> Option<(char, usize)> {
    let plain = |c| Some((c, 2));
    match text.as_bytes().get(1)? {
        b'"' => plain('"'),
        b'\\' => plain('\\'),
        b'/' => plain('/'),
        b'b' => plain('\u{8}'),
        b'f' => plain('\u{c}'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'u' if text.as_bytes().get(2) == Some(&b'{') => {
            let end = text.bytes().take(16).position(|b| b == b'}')?;
            Some((char::from_u32(u32::from_str_radix(text.get(3..end)?, 16).ok()?)?, end + 1))
        }
        b'u' => {
            let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
            let first = unit(2)?;
            if let Some(c) = char::from_u32(first.into()) {
                return Some((c, 6));
            }
            let second = unit(8).filter(|_| text.get(6..8) == Some("\\u"))?;
            char::decode_utf16([first, second]).next()?.ok().map(|c| (c, 12))
        }
        _ => None,
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => out.write_str("\\n"),
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)),
            c => out.write_char(c),
        };
    }
    out
}
