//! From the bytes of a JSON document to its tokens, and to its shape on the way.
//!
//! Every answer that is recorded passes here, so structure, plain texts and short integers are read by this pass alone: with
//! the shape it takes little more than half the instructions of a general reader and a walk for the shape. Whatever takes
//! more, escapes and other numbers, is `serde_json`'s; what is a document and what is none is the same for both, which
//! tests hold.

use crate::compare::names::Names;
use crate::compare::shape::{self, BASIS, ITEM, Parts};
use crate::compare::tape::{Tape, Text, Token};

/// Arrays and objects inside each other at most, as `serde_json` has it.
const DEPTH_MAX: usize = 127;
/// Bytes of JSON per token, for the first allocation; a denser document grows it.
const BYTES_PER_TOKEN: usize = 9;
/// Digits that always fit.
const PLAIN_DIGITS_MAX: usize = 18;

/// Reads a whole document; none where the bytes are no JSON or are nested too deeply.
pub(in crate::compare) fn tape<'a>(json: &'a [u8], names: &mut Names) -> Option<Tape<'a>> {
    Reading::new(json, names, None).document().map(|(tape, _)| tape)
}

/// The same, with the document's shape.
pub(in crate::compare) fn tape_and_shape<'a>(json: &'a [u8], names: &mut Names) -> Option<(Tape<'a>, u64)> {
    let (tape, parts) = Reading::new(json, names, Some(Parts::default())).document()?;
    Some((tape, parts.map_or(shape::NO_SHAPE, Parts::shape)))
}

struct Reading<'a, 'n> {
    json: &'a [u8],
    at: usize,
    tape: Tape<'a>,
    names: &'n mut Names,
    parts: Option<Parts>,
    /// The hash of the path of the value that was read last, or is read next.
    path: u64,
    /// The array or object that is open. While it is, the one around it stands in the place of its end.
    inner: usize,
    is_array: bool,
    /// The hash of the path of its items, or of the object itself.
    within: u64,
    depth: usize,
}

impl<'a, 'n> Reading<'a, 'n> {
    fn new(json: &'a [u8], names: &'n mut Names, parts: Option<Parts>) -> Self {
        let tape = Tape { tokens: Vec::with_capacity(json.len() / BYTES_PER_TOKEN + 4), decoded: Vec::new() };
        Self { json, at: 0, tape, names, parts, path: BASIS, inner: 0, is_array: false, within: BASIS, depth: 0 }
    }

    fn document(mut self) -> Option<(Tape<'a>, Option<Parts>)> {
        // Looked at once as a whole: its texts need not be looked at again.
        if !self.json.is_ascii() {
            std::str::from_utf8(self.json).ok()?;
        }
        loop {
            if !self.is_opened()? {
                // Behind a value.
                while self.depth > 0 && !self.goes_on()? {}
            }
            if self.depth == 0 {
                break;
            }
            if !self.is_array {
                self.key()?;
            }
        }
        self.skip_blanks();
        (self.at == self.json.len()).then_some((self.tape, self.parts))
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Reads a value, of an array or object its beginning; whether it has something in it.
    #[inline]
    fn is_opened(&mut self) -> Option<bool> {
        self.skip_blanks();
        let token = match self.peek()? {
            b'"' => Token::Text(self.text()?),
            b'{' => return self.open(Token::Object(self.inner, self.path), b'}'),
            b'[' => return self.open(Token::Array(self.inner, shape::fold(self.path, ITEM)), b']'),
            b't' => self.word(b"true", Token::Bool(true))?,
            b'f' => self.word(b"false", Token::Bool(false))?,
            b'n' => self.word(b"null", Token::Null)?,
            _ => self.number()?,
        };
        self.push(token);
        Some(false)
    }

    #[inline]
    fn push(&mut self, value: Token<'a>) {
        if let Some(parts) = &mut self.parts {
            parts.add(shape::fold(self.path, u64::from(shape::kind(value))));
        }
        self.tape.tokens.push(value);
    }

    fn open(&mut self, token: Token<'a>, end: u8) -> Option<bool> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.depth += 1;
        self.inner = self.tape.tokens.len();
        self.push(token);
        self.is_within(token);
        self.skip_blanks();
        if self.peek()? == end {
            self.at += 1;
            self.close();
            return Some(false);
        }
        if self.is_array {
            self.path = self.within;
        }
        Some(true)
    }

    fn is_within(&mut self, token: Token<'a>) {
        if let Token::Array(_, path) | Token::Object(_, path) = token {
            (self.is_array, self.within) = (matches!(token, Token::Array(..)), path);
        }
    }

    fn close(&mut self) {
        let behind = self.tape.tokens.len();
        if let Some(Token::Array(end, _) | Token::Object(end, _)) = self.tape.tokens.get_mut(self.inner) {
            self.inner = std::mem::replace(end, behind);
        }
        self.depth -= 1;
        self.is_within(self.tape.token(self.inner));
    }

    /// Steps over what stands behind a value: whether another follows in the same array or object, else that one ends.
    #[inline]
    fn goes_on(&mut self) -> Option<bool> {
        self.skip_blanks();
        let byte = self.peek()?;
        self.at += 1;
        if byte == b',' {
            if self.is_array {
                self.path = self.within;
            }
            return Some(true);
        }
        if byte != if self.is_array { b']' } else { b'}' } {
            return None;
        }
        self.close();
        Some(false)
    }

    #[inline]
    fn key(&mut self) -> Option<()> {
        self.skip_blanks();
        if self.peek()? != b'"' {
            return None;
        }
        let rest = self.json.get(self.at + 1..)?;
        let name = match self.names.expected(self.path, self.within, rest) {
            Some((length, path)) => {
                self.path = path;
                self.at += length + 2;
                Text::Plain(rest.get(..length)?)
            }
            None => {
                let name = self.text()?;
                let is_plain = matches!(name, Text::Plain(_));
                self.path = self.names.path(self.path, self.within, self.tape.text(name), is_plain);
                name
            }
        };
        self.tape.tokens.push(Token::Key(name, self.path));
        self.skip_blanks();
        (self.peek()? == b':').then(|| self.at += 1)
    }

    fn word(&mut self, word: &[u8], token: Token<'a>) -> Option<Token<'a>> {
        self.json.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            token
        })
    }

    /// From its quote to behind the other.
    fn text(&mut self) -> Option<Text<'a>> {
        let start = self.at + 1;
        let mut end = plain_end(self.json, start);
        if self.json.get(end)? == &b'"' {
            self.at = end + 1;
            return self.json.get(start..end).map(Text::Plain);
        }
        while self.json.get(end)? == &b'\\' {
            end = plain_end(self.json, end + 2);
        }
        if self.json.get(end)? != &b'"' {
            return None;
        }
        self.at = end + 1;
        self.tape.decoded.push(serde_json::from_slice(self.json.get(start - 1..=end)?).ok()?);
        Some(Text::Decoded(self.tape.decoded.len() - 1))
    }

    fn number(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        let is_negative = self.peek() == Some(b'-');
        let first = start + usize::from(is_negative);
        let digits = self.json.get(first..)?;
        let (mut value, mut count) = (0_u64, 0);
        while let Some(digit @ b'0'..=b'9') = digits.get(count)
            && count < PLAIN_DIGITS_MAX
        {
            value = value * 10 + u64::from(digit - b'0');
            count += 1;
        }
        let ends = !matches!(digits.get(count), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        // None begins with 0 but 0 itself; -0 is a fraction.
        let is_plain = count > 0 && ends && (digits[0] != b'0' || (count == 1 && !is_negative));
        if is_plain {
            self.at = first + count;
            let negated = || i64::try_from(value).map_or(Token::Null, |value| Token::Signed(-value));
            return Some(if is_negative { negated() } else { Token::Unsigned(value) });
        }
        let belongs = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        let length = self.json.get(start..)?.iter().take_while(belongs).count();
        let number: serde_json::Number = serde_json::from_slice(self.json.get(start..start + length)?).ok()?;
        self.at = start + length;
        let whole = number.as_u64().map(Token::Unsigned).or_else(|| number.as_i64().map(Token::Signed));
        whole.or_else(|| number.as_f64().map(Token::Float))
    }
}

/// Where the next quote, backslash or control character is, from `at` on; the length where there is none.
fn plain_end(json: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // Eight bytes at once: the lowest of the marked ones is exact (Mycroft's test for a byte of zero).
    while let Some(eight) = json.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*eight);
        let (quotes, backslashes) = (word ^ (ONES * u64::from(b'"')), word ^ (ONES * u64::from(b'\\')));
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let marked = (zero(quotes) | zero(backslashes) | controls) & (ONES << 7);
        if marked != 0 {
            return at + marked.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && !matches!(**byte, b'"' | b'\\');
    at + json.get(at..).map_or(0, |rest| rest.iter().take_while(is_plain).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    /// The value at a position, as a general reader gives it.
    fn tree(tape: &Tape<'_>, at: usize) -> Value {
        let text = |of: Text<'_>| String::from_utf8(tape.text(of).to_vec()).unwrap();
        match tape.token(at) {
            Token::Null => Value::Null,
            Token::Bool(value) => json!(value),
            Token::Unsigned(value) => json!(value),
            Token::Signed(value) => json!(value),
            Token::Float(value) => json!(value),
            Token::Text(of) => Value::String(text(of)),
            Token::Array(..) => tape.members(at).map(|item| tree(tape, item)).collect(),
            Token::Object(..) => {
                let member = |key: usize| match tape.token(key) {
                    Token::Key(name, _) => (text(name), tree(tape, key + 1)),
                    other => panic!("{other:?}"),
                };
                Value::Object(tape.members(at).map(member).collect::<Map<String, Value>>())
            }
            Token::Key(..) => panic!("a key is no value"),
        }
    }

    fn agree(json: &[u8]) {
        let general = serde_json::from_slice::<Value>(json).ok();
        // The second time most names are known.
        let mut names = Names::default();
        let (bare, shaped) = (tape(json, &mut names), tape_and_shape(json, &mut names));
        let anew = tape_and_shape(json, &mut Names::default());
        assert_eq!(shaped.as_ref().map(|(_, shape)| *shape), anew.map(|(_, shape)| shape));
        let text = || String::from_utf8_lossy(json).into_owned();
        assert_eq!(bare.map(|tape| tree(&tape, 0)), general, "{}", text());
        assert_eq!(shaped.map(|(tape, _)| tree(&tape, 0)), general, "{}", text());
    }

    const ODD: &[&str] = &[
        "",
        " ",
        "1",
        " 1 ",
        "1 2",
        "01",
        "-",
        "-0",
        "-0.0",
        "0",
        "00",
        "1.",
        ".5",
        "1e5",
        "1E+5",
        "1e",
        "1.5e-3",
        "1e999",
        "-1e999",
        "1-2",
        "+1",
        "123456789012345678",
        "1234567890123456789",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "tru",
        "true",
        "truex",
        "nul",
        "false ",
        "null",
        "[]",
        "[ ]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "[",
        "]",
        "{}",
        "{ }",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" : 1 , \"a\" : 2}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1]",
        "[1}",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\",
        "\"\\n\"",
        "\"\\x\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\u12\"",
        "\"a\nb\"",
        "\"\u{7f}é\u{10ffff}\"",
        "\"12345678\"",
        "\"1234567\\\"89\"",
        "\u{feff}1",
        "{\"\\u0061\":[]}",
        "[[],{},[{}],{\"\":[[]]}]",
        "\t[\r\n1 , 2\t]\n",
        "nan",
        "'a'",
        "[1]]",
        "/**/1",
        "\"\u{0}\"",
        "\u{b}1",
    ];

    #[test]
    fn what_is_a_document_and_what_is_none_is_as_a_general_reader_says() {
        for json in ODD {
            agree(json.as_bytes());
        }
        agree(b"\"\xff\"");
        for depth in [1, DEPTH_MAX, DEPTH_MAX + 1, 200] {
            agree(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
            agree(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes());
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(|value| json!(value)),
            any::<u64>().prop_map(|value| json!(value)),
            any::<i64>().prop_map(|value| json!(value)),
            any::<f64>().prop_map(|value| json!(value)),
            ".{0,20}".prop_map(Value::String),
            "[a-z\"\\\\\n]{0,12}".prop_map(Value::String),
        ];
        leaf.prop_recursive(6, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                prop::collection::vec(("[a-c\u{e9}\"]{0,9}", inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn documents_read_alike(document in documents(), pretty: bool) {
            let text = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) };
            agree(&text.unwrap());
        }

        #[test]
        fn damaged_documents_read_alike(
            document in documents(),
            places in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\"\\{}[],:0-.e1tn \x01u\xc3".to_vec())), 1..4),
            cut: Option<prop::sample::Index>,
        ) {
            let mut text = serde_json::to_vec(&document).unwrap();
            for (at, byte) in places {
                let at = at.index(text.len());
                text[at] = byte;
            }
            if let Some(cut) = cut {
                text.truncate(cut.index(text.len()));
            }
            agree(&text);
        }
    }
}
