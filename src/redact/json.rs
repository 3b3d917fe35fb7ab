//! JSON, read strictly and rewritten in place: replacements are spliced into the original text, every other byte stays.

use crate::exchange::DropReason;
use crate::redact::names::Key;
use crate::redact::pass::{Pass, Place};

/// Redacts one JSON document.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut walk = Walk {
        text,
        at: 0,
        copied: 0,
        out: String::with_capacity(text.len()),
        parents: place.parents.to_vec(),
        depth: 0,
        nested: place.depth,
        pass,
    };
    walk.space();
    walk.value(place.key)?;
    walk.space();
    if walk.at != text.len() {
        return Err(DropReason::Unparseable);
    }
    walk.out.push_str(&text[walk.copied..]);
    Ok(walk.out)
}

/// A text as a JSON string, quotes included.
pub(in crate::redact) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct Walk<'t, 'p, 'r> {
    text: &'t str,
    at: usize,
    /// How much of `text` is in `out` already.
    copied: usize,
    out: String,
    parents: Vec<Key>,
    depth: usize,
    nested: u8,
    pass: &'p mut Pass<'r>,
}

impl<'t> Walk<'t, '_, '_> {
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
        self.out.push_str(&self.text[self.copied..start]);
        self.out.push_str(fresh);
        self.copied = self.at;
    }

    fn value(&mut self, key: Option<&Key>) -> Result<(), DropReason> {
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
        key: Option<&Key>,
        inside: fn(&mut Self, Option<&Key>) -> Result<(), DropReason>,
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

    fn object(&mut self, key: Option<&Key>) -> Result<(), DropReason> {
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        self.parents.extend(key.cloned());
        // `{"key": "email", "value": ".."}`: the name of the value is a value itself.
        let mut named: Option<Key> = None;
        loop {
            self.space();
            let start = self.at;
            let name = self.string()?;
            let mut key = self.pass.key(&name);
            if let Some(fresh) = self.pass.name(&name, &key, self.nested)? {
                self.splice(start, &quoted(&fresh));
            }
            self.space();
            self.expect(b':')?;
            self.space();
            if key.joined() == "value"
                && let Some(named) = named.take()
            {
                key = named;
            } else if matches!(key.joined(), "key" | "field" | "param" | "header") && self.peek() == Some(b'"') {
                let back = self.at;
                let name = self.string()?;
                named = Some(self.pass.key(&name));
                self.at = back;
            }
            self.value(Some(&key))?;
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

    fn array(&mut self, key: Option<&Key>) -> Result<(), DropReason> {
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.value(key)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => break,
            }
        }
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

    fn number(&mut self, key: Option<&Key>) -> Result<(), DropReason> {
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

    fn string_value(&mut self, key: Option<&Key>) -> Result<(), DropReason> {
        let start = self.at;
        let raw = self.string()?;
        let place = Place { key, parents: &self.parents, depth: self.nested };
        if let Some(fresh) = self.pass.value(&raw, place)? {
            self.splice(start, &quoted(&fresh));
        }
        Ok(())
    }

    /// The string at the cursor, unescaped.
    fn string(&mut self) -> Result<std::borrow::Cow<'t, str>, DropReason> {
        let start = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0..=0x1f) | None => return Err(DropReason::Unparseable),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        if !escaped {
            return Ok(self.text[start + 1..self.at - 1].into());
        }
        let raw = self.text.get(start..self.at).ok_or(DropReason::Unparseable)?;
        serde_json::from_str::<String>(raw).map(Into::into).map_err(|_| DropReason::Unparseable)
    }
}
