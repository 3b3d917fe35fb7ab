//! A JSON document, read strictly and once: what stands where. The walk over it, and the questions what stands beside a
//! value, are then steps from token to token.

use crate::exchange::DropReason;
use crate::redact::matching::gate::{Kinds, kinds_of, plain_in_json};
use std::borrow::Cow;
use std::ops::Range;

/// Bytes of a document for each of its tokens, roughly.
const TOKEN_BYTES: usize = 8;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    /// A string that stands as it is.
    Plain,
    /// A string with escapes, or what should be one.
    Escaped,
    Number,
    /// `true`, `false`, `null`.
    Word,
}

impl Kind {
    /// Whether nothing else is in it.
    pub fn is_scalar(self) -> bool {
        !matches!(self, Self::Object | Self::Array)
    }

    /// Whether it is a string.
    pub fn is_string(self) -> bool {
        matches!(self, Self::Plain | Self::Escaped)
    }
}

/// A value, or the name of a member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    /// The kinds of a plain string's bytes.
    kinds: Kinds,
    start: u32,
    end: u32,
    /// The token after this one and all that it holds.
    next: u32,
}

impl Token {
    /// Where it stands, quotes and brackets included.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// How many tokens it is, with all that it holds; it is the one at `at`.
    pub fn tokens(&self, at: usize) -> usize {
        (self.next as usize).saturating_sub(at)
    }
}

/// A document's tokens, a container's own after it.
pub(super) struct Tokens<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

/// The members of an object: where the tokens of each one's name and value are.
#[derive(Clone)]
pub(super) struct Members<'d> {
    tokens: &'d [Token],
    at: usize,
    end: usize,
}

impl Iterator for Members<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let name = self.at;
        let value = name + 1;
        if value >= self.end {
            return None;
        }
        self.at = self.tokens.get(value)?.next as usize;
        Some((name, value))
    }
}

impl<'t> Tokens<'t> {
    /// Reads a document.
    ///
    /// # Errors
    /// It is no JSON, or deeper than `depth_max`.
    pub fn of(text: &'t str, depth_max: usize) -> Result<Self, DropReason> {
        if u32::try_from(text.len()).is_err() {
            return Err(DropReason::OverCap);
        }
        let tokens = Vec::with_capacity(text.len() / TOKEN_BYTES + 1);
        let mut reader = Reader { text: text.as_bytes(), at: 0, depth: 0, depth_max, tokens };
        reader.space();
        reader.value()?;
        reader.space();
        if reader.at != text.len() {
            return Err(DropReason::Unparseable);
        }
        Ok(Self { text, tokens: reader.tokens })
    }

    /// The document.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// A token.
    pub fn get(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    /// The members of the object at a token.
    pub fn members(&self, at: usize) -> Members<'_> {
        let end = self.tokens.get(at).map_or(0, |object| object.next as usize);
        Members { tokens: &self.tokens, at: at + 1, end }
    }

    /// The elements of the array at a token.
    pub fn elements(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = self.tokens.get(at).map_or(0, |array| array.next as usize);
        let next = |at: &usize| self.tokens.get(*at).map(|element| element.next as usize);
        std::iter::successors(Some(at + 1), next).take_while(move |at| *at < end)
    }

    /// The text of a token.
    pub fn slice(&self, token: &Token) -> &'t str {
        self.text.get(token.range()).unwrap_or_default()
    }

    /// A string as it is written, without its quotes.
    pub fn inside(&self, token: &Token) -> &'t str {
        self.text.get(token.start as usize + 1..token.end as usize - 1).unwrap_or_default()
    }

    /// A string that stands as it is.
    pub fn plain(&self, at: usize) -> Option<&'t str> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Plain)?;
        Some(self.inside(token))
    }

    /// A string, unescaped, and the kinds of its bytes.
    ///
    /// # Errors
    /// Its escapes are none of JSON.
    pub fn string(&self, token: &Token) -> Result<(Cow<'t, str>, Kinds), DropReason> {
        if token.kind == Kind::Plain {
            return Ok((self.inside(token).into(), token.kinds));
        }
        let text = serde_json::from_str::<String>(self.slice(token)).map_err(|_| DropReason::Unparseable)?;
        let kinds = kinds_of(text.as_bytes());
        Ok((text.into(), kinds))
    }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    depth_max: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
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

    fn push(&mut self, kind: Kind, kinds: Kinds, start: usize) {
        let next = self.tokens.len() as u32 + 1;
        self.tokens.push(Token { kind, kinds, start: start as u32, end: self.at as u32, next });
    }

    fn value(&mut self) -> Result<(), DropReason> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.container(Kind::Object, b'}', Self::member),
            Some(b'[') => self.container(Kind::Array, b']', Self::value),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn container(
        &mut self,
        kind: Kind,
        closing: u8,
        part: fn(&mut Self) -> Result<(), DropReason>,
    ) -> Result<(), DropReason> {
        if self.depth >= self.depth_max {
            return Err(DropReason::TooDeep);
        }
        self.depth += 1;
        let own = self.tokens.len();
        self.push(kind, 0, self.at);
        self.at += 1;
        self.space();
        if self.peek() != Some(closing) {
            loop {
                part(self)?;
                self.space();
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
                self.space();
            }
        }
        self.expect(closing)?;
        self.depth -= 1;
        let next = self.tokens.len() as u32;
        if let Some(token) = self.tokens.get_mut(own) {
            (token.end, token.next) = (self.at as u32, next);
        }
        Ok(())
    }

    fn member(&mut self) -> Result<(), DropReason> {
        self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        self.value()
    }

    fn string(&mut self) -> Result<(), DropReason> {
        let start = self.at;
        self.expect(b'"')?;
        let (len, kinds) = plain_in_json(&self.text[self.at..]);
        self.at += len;
        if self.peek() == Some(b'"') {
            self.at += 1;
            self.push(Kind::Plain, kinds, start);
            return Ok(());
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
        self.push(Kind::Escaped, 0, start);
        Ok(())
    }

    fn number(&mut self) -> Result<(), DropReason> {
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
        self.push(Kind::Number, 0, start);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), DropReason> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(DropReason::Unparseable) } else { Ok(()) }
    }

    fn word(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at..];
        let word = [&b"true"[..], b"false", b"null"].into_iter().find(|word| rest.starts_with(word));
        let start = self.at;
        self.at += word.ok_or(DropReason::Unparseable)?.len();
        self.push(Kind::Word, 0, start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEPTH_MAX: usize = 8;

    #[test]
    fn members_and_elements_are_found() {
        let text = r#" {"a": {"x": [1, {}]}, "b\u0063" : "d:" , "e": [] } "#;
        let tokens = Tokens::of(text, DEPTH_MAX).unwrap();
        let told =
            |(name, value)| (tokens.slice(&tokens.get(name).unwrap()), tokens.slice(&tokens.get(value).unwrap()));
        let members: Vec<_> = tokens.members(0).map(told).collect();
        assert_eq!(members, [("\"a\"", r#"{"x": [1, {}]}"#), (r#""b\u0063""#, "\"d:\""), ("\"e\"", "[]")]);
        let list = (0..).find(|at| tokens.get(*at).unwrap().kind == Kind::Array).unwrap();
        let of = |at| tokens.elements(at).map(|at| tokens.slice(&tokens.get(at).unwrap())).collect::<Vec<_>>();
        assert_eq!(of(list), ["1", "{}"]);
        let name = tokens.members(0).nth(1).unwrap().0;
        assert_eq!(tokens.string(&tokens.get(name).unwrap()).unwrap().0, "bc");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n| "[".repeat(n) + &"]".repeat(n);
        assert!(Tokens::of(&deep(DEPTH_MAX), DEPTH_MAX).is_ok());
        assert_eq!(Tokens::of(&deep(DEPTH_MAX + 1), DEPTH_MAX).err(), Some(DropReason::TooDeep));
    }

    proptest! {
        /// The peer is serde_json; strings' escapes are looked at later, and it knows numbers that are too large for it.
        #[test]
        fn what_is_json_is_what_others_call_json(text in prop_oneof![
            "[\"\\\\{}\\[\\]:,0-9.eE+\\-truefalsn a\\x01é]{0,24}",
            r#"[{\[]{0,2}("[a-z]{0,2}":)?("[a-z\\"]{0,3}"|-?[0-9.]{1,4}(e[+\-]?[0-9]?)?|true|null)[,}\] ]{0,3}"#,
        ]) {
            let wanted = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            let read = Tokens::of(&text, 64);
            let valid = read.as_ref().is_ok_and(|tokens| tokens.tokens.iter().all(|token| {
                token.kind != Kind::Escaped || tokens.string(token).is_ok()
            }));
            prop_assert_eq!(valid, wanted, "{}", text);
        }

        #[test]
        fn every_token_is_passed_once(value in crate::redact::tests::json_value()) {
            let text = value.to_string();
            let tokens = Tokens::of(&text, 64).unwrap();
            let mut seen = vec![0; tokens.tokens.len()];
            let mut open = vec![0];
            while let Some(at) = open.pop() {
                seen[at] += 1;
                let token = tokens.get(at).unwrap();
                match token.kind {
                    Kind::Object => open.extend(tokens.members(at).flat_map(|(name, value)| [name, value])),
                    Kind::Array => open.extend(tokens.elements(at)),
                    _ => {}
                }
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
        }
    }
}
