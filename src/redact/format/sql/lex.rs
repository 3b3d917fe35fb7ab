//! The words, names, literals and signs of SQL, one after the other and without a copy.

use std::ops::Range;

/// Longest name in brackets, bytes.
const NAME_BYTES_MAX: usize = 128;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes, backticks or square brackets.
    Quoted,
    /// A literal in single quotes; an open one goes to the end of the text.
    Text {
        closed: bool,
    },
    /// A literal in single quotes after an arrow: a member's name.
    Field,
    Number,
    /// `=`, `<>`, `>=`, `:=` and the like.
    Comparison,
    Sign(u8),
}

/// Reads token by token; comments and casts (`::date`) are passed over.
pub(super) struct Lexer<'t> {
    text: &'t str,
    pub at: usize,
    /// Whether the last token was an arrow.
    arrow: bool,
}

impl<'t> Lexer<'t> {
    pub fn of(text: &'t str) -> Self {
        Self { text, at: 0, arrow: false }
    }

    fn take_while(&mut self, is: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|b| !is(*b)).unwrap_or(rest.len());
        self.at
    }

    /// Passes over what begins at the cursor and ends with `end`, or with the text.
    fn skip_past(&mut self, end: &str) {
        let rest = &self.text[self.at..];
        self.at += rest.find(end).map_or(rest.len(), |at| at + end.len());
    }

    /// Passes over white space, comments and casts.
    fn skip(&mut self) {
        loop {
            self.take_while(|b| b.is_ascii_whitespace());
            let rest = &self.text[self.at..];
            if rest.starts_with("-- ") || rest.starts_with("--\n") {
                self.skip_past("\n");
            } else if rest.starts_with("/*") && !rest.starts_with("/*!") {
                self.skip_past("*/");
            } else if rest.starts_with("::") {
                self.at += 2;
                self.take_while(|b| is_of_word(b) || b == b'.');
            } else {
                return;
            }
        }
    }

    /// A literal; its quote doubled inside is one of its text, MySQL has backslashes before one too.
    fn literal(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(step) = memchr::memchr(b'\'', &bytes[self.at..]) {
            self.at += step + 1;
            if bytes.get(self.at) == Some(&b'\'') {
                self.at += 1;
                continue;
            }
            // No word begins right after a literal: the quote has a backslash of MySQL's, or nobody doubled it.
            if !bytes.get(self.at).is_some_and(|b| is_of_word(*b)) {
                return true;
            }
        }
        self.at = bytes.len();
        false
    }

    fn quoted(&mut self, closing: char) -> Option<Token> {
        let rest = &self.text[self.at + 1..];
        // A bracket need not have another one.
        let near = if closing == ']' { &rest[..rest.floor_char_boundary(NAME_BYTES_MAX)] } else { rest };
        let len = near.find([closing, '\n']).filter(|len| near[*len..].starts_with(closing))?;
        self.at += 1 + len + closing.len_utf8();
        Some(Token::Quoted)
    }
}

impl Iterator for Lexer<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip();
        let bytes = self.text.as_bytes();
        let start = self.at;
        let after_arrow = std::mem::take(&mut self.arrow);
        let token = match *bytes.get(start)? {
            b'\'' => match self.literal() {
                true if after_arrow => Token::Field,
                closed => Token::Text { closed },
            },
            quote @ (b'"' | b'`') => self.quoted(char::from(quote)).unwrap_or_else(|| self.sign()),
            b'[' => self.quoted(']').unwrap_or_else(|| self.sign()),
            b'0'..=b'9' => {
                self.take_while(|b| is_of_word(b) || b == b'.');
                Token::Number
            }
            b if is_of_word(b) => {
                self.take_while(is_of_word);
                Token::Word
            }
            b':' if bytes.get(start + 1) != Some(&b'=') => self.sign(),
            b'=' | b'<' | b'>' | b'!' | b'~' | b':' => {
                self.take_while(|b| b"=<>!~:".contains(&b));
                Token::Comparison
            }
            b'-' if bytes.get(start + 1) == Some(&b'>') => {
                self.at += 1;
                self.take_while(|b| b == b'>');
                self.arrow = true;
                Token::Sign(b'>')
            }
            _ => self.sign(),
        };
        Some((token, start..self.at))
    }
}

impl Lexer<'_> {
    /// One character that is nothing else.
    fn sign(&mut self) -> Token {
        let sign = self.text.as_bytes()[self.at];
        self.at = self.text.ceil_char_boundary(self.at + 1);
        Token::Sign(sign)
    }
}

fn is_of_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'#' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let told =
            |text: &str| Lexer::of(text).map(|(token, range)| (token, text[range].to_owned())).collect::<Vec<_>>();
        let text = |raw: &str| (Token::Text { closed: true }, raw.to_owned());
        assert_eq!(told("'O''Brien' -- it's\n/* 'a' */'x'::date"), [text("'O''Brien'"), text("'x'")]);
        assert_eq!(told(r"'O\'Brien','C:\'"), [text(r"'O\'Brien'"), (Token::Sign(b','), ",".into()), text(r"'C:\'")]);
        assert_eq!(told("'O'Brien','x'"), [text("'O'Brien'"), (Token::Sign(b','), ",".into()), text("'x'")]);
        assert_eq!(told("d->>'e'")[2], (Token::Field, "'e'".to_owned()));
        assert_eq!(told("'open"), [(Token::Text { closed: false }, "'open".to_owned())]);
        let kinds: Vec<Token> = told("`a` >= \"b\" [c] 4.5é~").into_iter().map(|(token, _)| token).collect();
        assert_eq!(kinds[..4], [Token::Quoted, Token::Comparison, Token::Quoted, Token::Quoted]);
        assert_eq!(kinds[4..], [Token::Number, Token::Comparison]);
    }
}
