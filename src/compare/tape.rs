//! A JSON document as a flat row of tokens: one pass, one allocation, texts borrowed from the document, no tree.

/// One step of a document.
#[derive(Clone, Copy, Debug)]
pub(in crate::compare) enum Token<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Text<'a>),
    /// A member's name, and the hash of the path of its value.
    Key(Text<'a>, u64),
    /// The position one past its last token, and the hash of the path of its items.
    Array(usize, u64),
    /// The position one past its last token, and the hash of its own path.
    Object(usize, u64),
}

/// A text without its quotes; see [`Tape::text`].
#[derive(Clone, Copy, Debug)]
pub(in crate::compare) enum Text<'a> {
    /// As it stands in the document.
    Plain(&'a [u8]),
    /// With escapes, by its number among those.
    Decoded(usize),
}

/// The tokens of one document, in its order.
pub(in crate::compare) struct Tape<'a> {
    pub(in crate::compare) tokens: Vec<Token<'a>>,
    pub(in crate::compare) decoded: Vec<String>,
}

impl<'a> Tape<'a> {
    pub(in crate::compare) fn token(&self, at: usize) -> Token<'a> {
        self.tokens.get(at).copied().unwrap_or(Token::Null)
    }

    /// The position behind the value at `at`.
    pub(in crate::compare) fn after(&self, at: usize) -> usize {
        match self.token(at) {
            Token::Array(end, _) | Token::Object(end, _) => end,
            _ => at + 1,
        }
    }

    /// The UTF-8 of a text.
    pub(in crate::compare) fn text<'t>(&'t self, text: Text<'a>) -> &'t [u8]
    where
        'a: 't,
    {
        match text {
            Text::Plain(text) => text,
            Text::Decoded(n) => self.decoded.get(n).map_or(&[], |text| text.as_bytes()),
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
        let value = at + usize::from(matches!(self.tape.token(at), Token::Key(..)));
        self.next = self.tape.after(value);
        Some(at)
    }
}
