//! How MIME puts text into few characters: transfer encodings of bodies (RFC 2045), encoded words (RFC 2047) and
//! extended parameters (RFC 8187) in header lines.

use crate::redact::format::charset::Charset;
use crate::redact::format::percent;
use crate::redact::format::splice::Unescaped;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt::Write;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Longest line of a quoted-printable text.
const LINE_BYTES_MAX: usize = 76;
/// Longest encoded word; the standard's limit is 75 bytes, which many exceed.
const WORD_BYTES_MAX: usize = 512;

/// A content transfer encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Transfer {
    Identity,
    Base64,
    QuotedPrintable,
}

impl Transfer {
    /// The encoding of a header's value; `None` if it is unknown.
    pub fn of(value: &str) -> Option<Self> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" | "binary" => Some(Self::Identity),
            "base64" => Some(Self::Base64),
            "quoted-printable" => Some(Self::QuotedPrintable),
            _ => None,
        }
    }

    /// The bytes that are carried; `None` if they are not encoded this way.
    pub fn decode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Identity => Some(bytes.to_vec()),
            Self::Base64 => {
                let compact: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
                BASE64.decode(compact).ok()
            }
            Self::QuotedPrintable => Some(unquote(bytes)),
        }
    }

    /// The bytes encoded, with lines as in the original.
    pub fn encode(self, bytes: &[u8], original: &[u8]) -> Vec<u8> {
        let ending: &[u8] = if memchr::memmem::find(original, b"\r\n").is_some() { b"\r\n" } else { b"\n" };
        match self {
            Self::Identity => bytes.to_vec(),
            Self::Base64 => {
                let text = BASE64.encode(bytes).into_bytes();
                let first = original.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(usize::MAX);
                let mut out = text.chunks(first.max(4)).collect::<Vec<_>>().join(ending);
                if original.ends_with(b"\n") {
                    out.extend_from_slice(ending);
                }
                out
            }
            Self::QuotedPrintable => quote(bytes, ending),
        }
    }
}

fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|digit| digit as u8)
}

/// Undoes quoted-printable; what is no escape stays.
pub(in crate::redact) fn unquote(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at..] {
            [b'=', b'\r', b'\n', ..] => at += 3,
            [b'=', b'\n', ..] => at += 2,
            [b'=', high, low, ..] if hex(high).is_some() && hex(low).is_some() => {
                out.push(hex(high).unwrap_or(0) << 4 | hex(low).unwrap_or(0));
                at += 3;
            }
            [b, ..] => {
                out.push(b);
                at += 1;
            }
            [] => break,
        }
    }
    out
}

fn quote(bytes: &[u8], ending: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut column = 0;
    let mut rest = bytes;
    while let Some((&b, after)) = rest.split_first() {
        let line_ending: &[u8] = if rest.starts_with(b"\r\n") { b"\r\n" } else { b"\n" };
        if rest.starts_with(line_ending) {
            out.extend_from_slice(line_ending);
            rest = &rest[line_ending.len()..];
            column = 0;
            continue;
        }
        let last = after.first().is_none_or(|b| matches!(b, b'\r' | b'\n'));
        let bare = matches!(b, b'!'..=b'<' | b'>'..=b'~') || matches!(b, b' ' | b'\t') && !last;
        let width = if bare { 1 } else { 3 };
        if column + width >= LINE_BYTES_MAX {
            out.push(b'=');
            out.extend_from_slice(ending);
            column = 0;
        }
        if bare {
            out.push(b);
        } else {
            out.extend_from_slice(format!("={b:02X}").as_bytes());
        }
        column += width;
        rest = after;
    }
    out
}

/// Undoes encoded words (`=?utf-8?B?..?=`); words that only white space separates are one text.
pub(in crate::redact) fn words(raw: &str) -> Unescaped<'_> {
    let mut plain = Unescaped::new(raw);
    let mut at = 0;
    while let Some(step) = raw[at..].find("=?") {
        let start = at + step;
        let Some((mut text, mut end)) = word(raw, start) else {
            at = start + 2;
            continue;
        };
        loop {
            let next = end + (raw[end..].len() - raw[end..].trim_start_matches([' ', '\t', '\r', '\n']).len());
            let Some((more, after)) = word(raw, next) else { break };
            text.push_str(&more);
            end = after;
        }
        plain.undo(start..end, &text);
        at = end;
    }
    plain.done()
}

/// The encoded word at a place, and where it ends.
fn word(raw: &str, start: usize) -> Option<(String, usize)> {
    let rest = raw.get(start..)?.strip_prefix("=?")?;
    let near = &rest[..rest.floor_char_boundary(WORD_BYTES_MAX)];
    let (label, after) = near.split_once('?')?;
    let (encoding, after) = after.split_once('?')?;
    let (text, _) = after.split_once('?').filter(|(text, tail)| !text.is_empty() && tail.starts_with('='))?;
    let end = start + 2 + label.len() + 1 + encoding.len() + 1 + text.len() + 2;
    let bytes = match encoding {
        "B" | "b" => BASE64.decode(text).ok()?,
        "Q" | "q" => unquote(text.replace('_', " ").as_bytes()),
        _ => return None,
    };
    // A language may follow the charset: `utf-8*en`.
    let charset = Charset::of(label.split('*').next()?)?;
    Some((charset.decode(&bytes)?.into_owned(), end))
}

/// A text for a header line: as it is, or as an encoded word.
pub(in crate::redact) fn as_word(text: &str) -> String {
    let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if plain { text.to_owned() } else { format!("=?utf-8?B?{}?=", BASE64.encode(text)) }
}

/// The text of an extended parameter, `utf-8'en'%E2%82%AC`.
pub(in crate::redact) fn extended(raw: &str) -> Option<String> {
    let mut parts = raw.splitn(3, '\'');
    let (label, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    if label.eq_ignore_ascii_case("utf-8") {
        return percent::decode(text, false);
    }
    // Each character below U+0100 that percent-decoding gives is a byte here.
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let byte = rest.strip_prefix('%').and_then(|r| u8::from_str_radix(r.get(..2)?, 16).ok());
        bytes.push(byte.or_else(|| u8::try_from(c).ok())?);
        rest = &rest[if byte.is_some() { 3 } else { c.len_utf8() }..];
    }
    Charset::of(label)?.decode(&bytes).map(|text| text.into_owned())
}

/// A text as an extended parameter.
pub(in crate::redact) fn as_extended(text: &str) -> String {
    let mut out = "UTF-8''".to_owned();
    let _ = out.write_str(&percent::encode(text));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_encodings_come_back() {
        let original = b"QWRhIExv\r\ndmVsYWNl\r\n";
        let bytes = Transfer::Base64.decode(original).unwrap();
        assert_eq!(bytes, b"Ada Lovelace");
        assert_eq!(Transfer::Base64.encode(&bytes, original), original);
        let long = "é= ".repeat(60) + "\r\nend ";
        let quoted = Transfer::QuotedPrintable.encode(long.as_bytes(), b"\r\n");
        assert!(quoted.split(|b| *b == b'\n').all(|line| line.len() <= LINE_BYTES_MAX + 1));
        assert_eq!(Transfer::QuotedPrintable.decode(&quoted).unwrap(), long.as_bytes());
        assert_eq!(Transfer::QuotedPrintable.decode(b"a=\r\nb=3D=zz=").unwrap(), b"ab==zz=");
    }

    #[test]
    fn words_and_parameters_are_read() {
        assert_eq!(words("a =?UTF-8?B?w6k=?= =?iso-8859-1?Q?_b=E9?= c =?x").text, "a é bé c =?x");
        assert_eq!(words(&as_word("é")).text, "é");
        assert_eq!(extended("UTF-8'en'%E2%82%AC").as_deref(), Some("€"));
        assert_eq!(extended("iso-8859-1''%A3").as_deref(), Some("£"));
        assert_eq!(extended(&as_extended("a b€")).as_deref(), Some("a b€"));
        for text in ["=?", "=??=", "=?a?b?c?=", "=?utf-8?B?*?=", "=?é?Q?=é?=", "'", "x'%", "x''%é"] {
            let _ = words(text);
            let _ = extended(text);
        }
    }
}
