//! A JSON document as a flat row of tokens: one pass, one allocation, texts borrowed from the document, no tree.

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One step of a document. Arrays and objects carry the position one past their last token.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::compare) enum Token<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Key(Cow<'a, str>),
    Array(usize),
    Object(usize),
}

/// The tokens of one document, in its order.
pub(in crate::compare) struct Tape<'a>(Vec<Token<'a>>);

/// Bytes of JSON per token, for the first allocation; a denser document grows it.
const BYTES_PER_TOKEN: usize = 10;

impl<'a> Tape<'a> {
    /// Reads a whole document; none where the bytes are no JSON or are nested deeper than `serde_json` follows.
    pub(in crate::compare) fn read(json: &'a [u8]) -> Option<Self> {
        let mut tape = Self(Vec::with_capacity(json.len() / BYTES_PER_TOKEN + 4));
        // Looked at once as a whole: of bytes, every string would be looked at again.
        let mut document = serde_json::Deserializer::from_str(std::str::from_utf8(json).ok()?);
        Fill(&mut tape.0).deserialize(&mut document).ok()?;
        document.end().ok()?;
        Some(tape)
    }

    pub(in crate::compare) fn token(&self, at: usize) -> &Token<'a> {
        self.0.get(at).unwrap_or(&Token::Null)
    }

    /// The position behind the value at `at`.
    pub(in crate::compare) fn after(&self, at: usize) -> usize {
        match self.token(at) {
            Token::Array(end) | Token::Object(end) => *end,
            _ => at + 1,
        }
    }

    /// The positions of the items of the array, or of the keys of the object, at `at`.
    pub(in crate::compare) fn members(&self, at: usize) -> Members<'_, 'a> {
        let end = self.after(at);
        Members { tape: self, next: at + 1, end }
    }
}

/// See [`Tape::members`].
#[derive(Clone)]
pub(in crate::compare) struct Members<'t, 'a> {
    tape: &'t Tape<'a>,
    next: usize,
    end: usize,
}

impl Iterator for Members<'_, '_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let at = self.next;
        if at >= self.end {
            return None;
        }
        let value = at + usize::from(matches!(self.tape.token(at), Token::Key(_)));
        self.next = self.tape.after(value);
        Some(at)
    }
}

/// Appends one value to the row.
struct Fill<'t, 'a>(&'t mut Vec<Token<'a>>);

impl<'a> DeserializeSeed<'a> for Fill<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Fill<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push(Token::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.push(Token::Bool(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.push(Token::Unsigned(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.push(Token::Signed(value));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.push(Token::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        self.0.push(Token::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(Token::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut items: S) -> Result<(), S::Error> {
        let start = self.0.len();
        self.0.push(Token::Array(0));
        while items.next_element_seed(Fill(self.0))?.is_some() {}
        self.0[start] = Token::Array(self.0.len());
        Ok(())
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<(), M::Error> {
        let start = self.0.len();
        self.0.push(Token::Object(0));
        while members.next_key_seed(Name(self.0))?.is_some() {
            members.next_value_seed(Fill(self.0))?;
        }
        self.0[start] = Token::Object(self.0.len());
        Ok(())
    }
}

/// Appends one key to the row.
struct Name<'t, 'a>(&'t mut Vec<Token<'a>>);

impl<'a> DeserializeSeed<'a> for Name<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        self.0.push(Token::Key(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(Token::Key(Cow::Owned(text.to_owned())));
        Ok(())
    }
}
