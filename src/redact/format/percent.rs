//! Percent-encoding (RFC 3986, and the form flavour with `+`), undone and done again in the style it had.

use crate::exchange::DropReason;
use crate::redact::format::splice::Unescaped;
use std::fmt::Write;

/// How many times a text may be encoded over and over (`%2540` is twice).
const LAYERS_MAX: u8 = 3;

/// Undoes percent-encoding. What is no valid escape stays; bytes that are no UTF-8 are read as Latin-1.
pub(in crate::redact) fn undo(raw: &str, plus: bool) -> Unescaped<'_> {
    let bytes = raw.as_bytes();
    let mut plain = Unescaped::new(raw);
    let mut at = 0;
    while let Some(step) = memchr::memchr2(b'%', b'+', &bytes[at..]) {
        let start = at + step;
        if bytes[start] == b'+' {
            if plus {
                plain.undo(start..start + 1, " ");
            }
            at = start + 1;
            continue;
        }
        let mut end = start;
        let mut run = Vec::new();
        while let Some(byte) = escaped(bytes, end) {
            run.push(byte);
            end += 3;
        }
        if !run.is_empty() {
            plain.undo(start..end, &text(run));
        } else if let Some(c) = wide(raw, start) {
            end = start + 6;
            plain.undo(start..end, c.encode_utf8(&mut [0; 4]));
        }
        at = end.max(start + 1);
    }
    plain.done()
}

/// The byte that `%XX` at a place stands for.
fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    (bytes.get(at) == Some(&b'%')).then(|| Some((hex(at + 1)? * 16 + hex(at + 2)?) as u8)).flatten()
}

/// The character of `%uXXXX`, an old browsers' way.
fn wide(raw: &str, at: usize) -> Option<char> {
    let digits = raw.get(at..at + 6)?.strip_prefix("%u").or_else(|| raw[at..at + 6].strip_prefix("%U"))?;
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)).flatten()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|b| char::from(*b)));
        }
        text
    })
}

/// Percent-decodes; `None` if the result is no text.
pub(in crate::redact) fn decode(text: &str, plus: bool) -> Option<String> {
    Some(undo(text, plus).text.into_owned())
}

/// How a text was encoded, so that its replacement is encoded alike.
struct Style<'t> {
    raw: &'t str,
    plus: bool,
    lower: bool,
    at_sign: bool,
}

impl<'t> Style<'t> {
    fn of(raw: &'t str, plus: bool) -> Self {
        let mut lower = false;
        let mut upper = false;
        let mut rest = raw;
        while let Some((_, after)) = rest.split_once('%') {
            let digits = after.as_bytes().iter().take(2);
            lower |= digits.clone().any(|b| matches!(b, b'a'..=b'f'));
            upper |= digits.clone().any(|b| matches!(b, b'A'..=b'F'));
            rest = after;
        }
        let plus = plus && !raw.contains("%20");
        Self { raw, plus, lower: lower && !upper, at_sign: !raw.contains("%40") }
    }

    /// Whether the character stood bare in the raw text, or may always.
    fn is_bare(&self, b: u8) -> bool {
        match b {
            b'-' | b'.' | b'_' | b'~' => true,
            b'@' => self.at_sign,
            b'%' | b'&' | b'#' | b'+' => false,
            // Also what should not stand bare: to encode it only here would give it another meaning than there.
            _ => b.is_ascii_alphanumeric() || b.is_ascii() && self.raw.contains(char::from(b)),
        }
    }

    fn encode(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for b in text.bytes() {
            let _ = match b {
                b' ' if self.plus => out.write_char('+'),
                b if self.is_bare(b) => out.write_char(char::from(b)),
                b if self.lower => write!(out, "%{b:02x}"),
                b => write!(out, "%{b:02X}"),
            };
        }
        out
    }
}

/// Hands the plain text of an encoded one to `each`, and encodes what it returns as the original was. A text that is
/// encoded over and over is undone to the last layer.
pub(in crate::redact) fn rewrite(
    raw: &str,
    plus: bool,
    each: &mut dyn FnMut(&str) -> Result<Option<String>, DropReason>,
) -> Result<Option<String>, DropReason> {
    layer(raw, plus, LAYERS_MAX, each)
}

fn layer(
    raw: &str,
    plus: bool,
    left: u8,
    each: &mut dyn FnMut(&str) -> Result<Option<String>, DropReason>,
) -> Result<Option<String>, DropReason> {
    let plain = undo(raw, plus);
    let fresh = match left > 1 && is_encoded(&plain.text) {
        true => layer(&plain.text, plus, left - 1, each)?,
        false => each(&plain.text)?,
    };
    Ok(fresh.map(|fresh| plain.graft(&fresh, |text| Style::of(raw, plus).encode(text))))
}

/// Whether a text is nothing but percent-encoding: every `%` an escape, and none of the characters that encoding hides.
fn is_encoded(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut escapes = 0;
    bytes.iter().enumerate().all(|(at, b)| match b {
        b'%' => {
            escapes += 1;
            escaped(bytes, at).is_some()
        }
        b'-' | b'.' | b'_' | b'~' | b'+' | b'!' | b'*' | b'\'' | b'(' | b')' => true,
        b => b.is_ascii_alphanumeric(),
    }) && escapes > 0
}

/// Percent-encodes everything but unreserved characters.
pub(in crate::redact) fn encode(text: &str) -> String {
    Style { raw: "", plus: false, lower: false, at_sign: false }.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(raw: &str, plus: bool) -> String {
        let mut each = |text: &str| Ok(text.contains("a@b").then(|| text.replace("a@b", "x y@é")));
        rewrite(raw, plus, &mut each).unwrap().unwrap_or_else(|| raw.to_owned())
    }

    #[test]
    fn the_style_is_kept() {
        assert_eq!(swap("a@b", true), "x+y@%C3%A9");
        assert_eq!(swap("a%40b", true), "x+y%40%C3%A9");
        assert_eq!(swap("q%3da%40b%20c", true), "q%3dx%20y%40%c3%a9%20c");
        assert_eq!(swap("a@b", false), "x%20y@%C3%A9");
        assert_eq!(swap("a%2540b", true), "x%2By%2540%25C3%25A9");
    }

    #[test]
    fn what_is_no_escape_stays() {
        for raw in ["100%", "%zz", "%4", "%u12", "%é", "a+b"] {
            assert_eq!(undo(raw, false).text, raw);
        }
        assert_eq!(undo("Jos%E9%u0040", false).text, "José@");
        assert_eq!(decode("%C3%A9+", true).as_deref(), Some("é "));
    }
}
