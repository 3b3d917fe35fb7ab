//! JSON, read strictly and rewritten in place: replacements are spliced into the original text, every other byte stays.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::evidence::siblings;
use crate::redact::matching::gate::{Kinds, kinds_of, plain_in_json};
use crate::redact::pass::{Pass, Place};
use std::borrow::Cow;

/// Redacts one JSON document.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let parents = place.parents.to_vec();
    let (out, told) = (String::new(), Vec::new());
    let mut walk = Walk { text, at: 0, copied: 0, out, parents, told, depth: 0, nested: place.depth, pass };
    walk.space();
    walk.value(place.key)?;
    walk.space();
    if walk.at != text.len() {
        return Err(DropReason::Unparseable);
    }
    if walk.copied == 0 {
        return Ok(text.to_owned());
    }
    walk.out.push_str(&text[walk.copied..]);
    Ok(walk.out)
}

/// A text as a JSON string, quotes included.
pub(in crate::redact) fn quoted(text: &str) -> String {
    if text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
        return serde_json::Value::from(text).to_string();
    }
    ["\"", text, "\""].concat()
}

struct Walk<'t, 'k, 'p, 'r> {
    text: &'t str,
    at: usize,
    /// How much of `text` is in `out` already.
    copied: usize,
    out: String,
    parents: Vec<Key<'k>>,
    /// The names that the pairs of the list at hand tell.
    told: Vec<Key<'r>>,
    depth: usize,
    nested: u8,
    pass: &'p mut Pass<'r>,
}

impl<'t, 'k, 'r: 'k> Walk<'t, 'k, '_, 'r> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), DropReason> {
        if self.peek() != Some(byte) {
            return Err(DropReason::Unparseable);
        }
        self.at += 1;
        Ok(())
    }

    fn splice(&mut self, start: usize, fresh: &str) {
        if self.out.capacity() == 0 {
            self.out.reserve(self.text.len() + self.text.len() / 8 + fresh.len());
        }
        self.out.push_str(&self.text[self.copied..start]);
        self.out.push_str(fresh);
        self.copied = self.at;
    }

    fn value(&mut self, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        match self.peek() {
            Some(b'{') => self.deeper(key, Self::object),
            Some(b'[') => self.deeper(key, Self::array),
            Some(b'"') => self.string_value(key),
            Some(b'-' | b'0'..=b'9') => self.number(key),
            _ => self.literal(),
        }
    }

    fn deeper(
        &mut self,
        key: Option<&Key<'k>>,
        inside: fn(&mut Self, Option<&Key<'k>>) -> Result<(), DropReason>,
    ) -> Result<(), DropReason> {
        if self.depth >= self.pass.redactor.settings.depth_max {
            return Err(DropReason::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        inside(self, key)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        self.parents.extend(key.cloned());
        // Where the string stands that may name a sibling's value.
        let mut naming: Option<usize> = None;
        let opened = self.at;
        let mut beside: Option<Vec<Key<'r>>> = None;
        let pair = siblings::pair(&self.text[opened..]);
        let by_structure = pair.and_then(|pair| self.pass.named_in_pair(pair));
        loop {
            self.space();
            let start = self.at;
            let (name, _) = self.string()?;
            let mut key: Key<'k> = self.pass.key(&name);
            if let Some(fresh) = self.pass.name(&name, &key, self.nested)? {
                self.splice(start, &quoted(&fresh));
            }
            self.space();
            self.expect(b':')?;
            self.space();
            let mut is_value = key.is_named();
            if self.is_scalar() {
                if let Some((_, named)) = by_structure.as_ref().filter(|(member, _)| *member == name) {
                    key = named.clone();
                    is_value = true;
                } else if is_value {
                    let before = naming.and_then(|start| self.name_at(start));
                    key = before.or_else(|| self.name_after()).unwrap_or(key);
                } else if key.is_naming() {
                    naming = Some(self.at);
                }
            } else if self.peek() == Some(b'{') && key.is_naming() {
                // `"type": {"text": "SSN"}`
                let inside = self.at + 1;
                naming = siblings::label(&self.text[inside..]).map(|at| inside + at).or(naming);
            }
            let head = &self.text.as_bytes()[self.at..];
            let head = head.strip_prefix(b"\"").unwrap_or(head);
            let asks = self.is_scalar()
                && self.pass.looks_beside(&key, head)
                && self.plain_scalar().is_none_or(|value| self.pass.looks_beside_for(&key, value, &self.parents));
            if asks {
                let names = beside.get_or_insert_with(|| {
                    let names = siblings::names(&self.text[opened..]).into_iter();
                    names.map(|name| self.pass.key_in_text(name)).collect()
                });
                self.pass.beside.clone_from(names);
                // In a list of pairs the names beside a value stand in the other pairs.
                if is_value || pair.is_some() && head.first().is_some_and(u8::is_ascii_digit) {
                    self.pass.beside.extend(self.told.iter().cloned());
                }
            }
            self.value(Some(&key))?;
            if asks {
                self.pass.beside.clear();
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => break,
            }
        }
        if key.is_some() {
            self.parents.pop();
        }
        self.expect(b'}')
    }

    /// Whether a text or a number begins here.
    fn is_scalar(&self) -> bool {
        matches!(self.peek(), Some(b'"' | b'0'..=b'9'))
    }

    /// The string without escapes, or the number, that begins here.
    fn plain_scalar(&self) -> Option<&'t str> {
        let rest = self.text.get(self.at..)?;
        match rest.strip_prefix('"') {
            Some(string) => {
                let end = memchr::memchr2(b'"', b'\\', string.as_bytes())?;
                string.get(..end).filter(|_| string.as_bytes()[end] == b'"')
            }
            None => rest.get(..rest.bytes().take_while(|b| b.is_ascii_digit() || b".eE+-".contains(b)).count()),
        }
    }

    /// The string that stands at `start` as a name, if rules list it; the cursor stays.
    fn name_at(&mut self, start: usize) -> Option<Key<'r>> {
        let back = std::mem::replace(&mut self.at, start);
        let name = self.string();
        self.at = back;
        let key = self.pass.key_in_text(&name.ok()?.0);
        key.is_listed().then_some(key)
    }

    /// The name of the value at the cursor where it comes after it: `{"value": "..", "type": "email"}`; the cursor stays.
    fn name_after(&mut self) -> Option<Key<'r>> {
        let back = self.at;
        let name = self.sibling_name();
        self.at = back;
        name
    }

    fn sibling_name(&mut self) -> Option<Key<'r>> {
        self.string().ok()?;
        self.space();
        self.expect(b',').ok()?;
        self.space();
        let (name, _) = self.string().ok()?;
        if !self.pass.key_in_text(&name).is_naming() {
            return None;
        }
        self.space();
        self.expect(b':').ok()?;
        self.space();
        self.name_at(self.at)
    }

    fn array(&mut self, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        let told = siblings::told(&self.text[self.at..]).into_iter();
        self.told = told.map(|name| self.pass.key_in_text(name)).collect();
        loop {
            self.space();
            self.value(key)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => break,
            }
        }
        self.told.clear();
        self.expect(b']')
    }

    fn literal(&mut self) -> Result<(), DropReason> {
        for word in ["true", "false", "null"] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(DropReason::Unparseable)
    }

    fn digits(&mut self) -> Result<(), DropReason> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(DropReason::Unparseable) } else { Ok(()) }
    }

    fn number(&mut self, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let place = Place { key, parents: &self.parents, depth: self.nested };
        if let Some(fresh) = self.pass.number(&self.text[start..self.at], place) {
            self.splice(start, &fresh);
        }
        Ok(())
    }

    fn string_value(&mut self, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let start = self.at;
        let (raw, kinds) = self.string()?;
        let place = Place { key, parents: &self.parents, depth: self.nested };
        if let Some(fresh) = self.pass.leaf(&raw, kinds, place)? {
            self.splice(start, &quoted(&fresh));
        }
        Ok(())
    }

    /// The string at the cursor, unescaped, and the kinds of its bytes.
    fn string(&mut self) -> Result<(Cow<'t, str>, Kinds), DropReason> {
        let start = self.at;
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let (len, kinds) = plain_in_json(&bytes[self.at..]);
        self.at += len;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok((self.text[start + 1..self.at - 1].into(), kinds));
        }
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(0..=0x1f) | None => return Err(DropReason::Unparseable),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let raw = self.text.get(start..self.at).ok_or(DropReason::Unparseable)?;
        let text = serde_json::from_str::<String>(raw).map_err(|_| DropReason::Unparseable)?;
        let kinds = kinds_of(text.as_bytes());
        Ok((text.into(), kinds))
    }
}
