//! Documents inside strings: JSON and other formats as text, and text in base64 (also below gzip, or in a `data:` URL) or in
//! hexadecimal digits.

use crate::exchange::DropReason;
use crate::redact::format::{coding, decode as formats, json, percent, sniff};
use crate::redact::matching::gate::{
    DASH, DIGIT, EQUALS, Kinds, LOWER, OTHER, PLUS, SLASH, SPACE, STRUCTURE, UNDERSCORE, UPPER,
};
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Kinds of bytes that base64 has.
const BASE64: Kinds = DIGIT | UPPER | LOWER | PLUS | SLASH | DASH | UNDERSCORE | EQUALS | SPACE;
/// Shorter texts hold nothing.
const BYTES_MIN: usize = 12;

/// What the head of gzip is in base64.
const GZIP_IN_BASE64: &str = "H4sI";
/// Longest head of a `data:` URL, in bytes.
const DATA_HEAD_BYTES_MAX: usize = 128;

/// Whether a string of these kinds can hold a document; most cannot, and this tells cheaply.
pub(in crate::redact) fn may_hold(raw: &str, kinds: Kinds) -> bool {
    kinds & STRUCTURE != 0 && raw.trim_end().ends_with(['}', ']', '>'])
        || raw.len() >= BYTES_MIN
            && (kinds & !BASE64 == 0 && (begins_as_text(raw) || begins_as_hex(raw) || raw.starts_with(GZIP_IN_BASE64))
                || DataUrl::of(raw).is_some()
                // A form, or lines of a table, a card or a message of parts.
                || kinds & EQUALS != 0 && kinds & OTHER != 0 && raw.contains('&')
                || kinds & SPACE != 0 && raw.contains(['\r', '\n'])
                // An interchange may be one line.
                || raw.starts_with(['U', 'I', '^']) && sniff::of_records(raw).is_some())
}

/// `Some` if the string holds a document: then what it becomes, if it changes.
pub(in crate::redact) fn document(
    pass: &mut Pass<'_>,
    raw: &str,
    kinds: Kinds,
    place: Place<'_>,
) -> Result<Option<Option<String>>, DropReason> {
    let text = raw.trim();
    if is_json_like(text) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        let inner = Place { depth: deeper(place)?, ..place };
        let fresh = json::document(pass, raw, inner)?;
        return Ok(Some((fresh != raw).then_some(fresh)));
    }
    if let Some(url) = DataUrl::of(text) {
        let fresh = url.redact(pass, place)?;
        return Ok(Some(fresh.map(|fresh| raw.replacen(text, &fresh, 1))));
    }
    if text.starts_with(GZIP_IN_BASE64)
        && kinds & !BASE64 == 0
        && let Some((bytes, coding)) = bytes_of(text)
        && let Some(plain) = coding::gunzip(&bytes, pass.expandable_bytes())
    {
        let plain = plain?;
        pass.expanded_bytes += plain.len();
        let Ok(plain) = String::from_utf8(plain) else { return Ok(Some(None)) };
        let inner = Place { depth: deeper(place)?, ..place };
        let fresh = pass.value(&plain, inner)?;
        pass.keep_text(fresh.as_deref().unwrap_or(&plain));
        let Some(fresh) = fresh else { return Ok(Some(None)) };
        return Ok(Some(Some(coding.encode(text, coding::gzip(&fresh)?))));
    }
    if kinds & !BASE64 == 0
        && let Some((decoded, coding)) = decode(text)
    {
        let Ok(depth) = deeper(place) else {
            return if is_json_like(decoded.trim()) { Err(DropReason::TooDeep) } else { Ok(None) };
        };
        // A plain word may decode to text by chance; only what changes inside is taken for an encoding.
        let fresh = pass.value(&decoded, Place { depth, ..place })?;
        return Ok(fresh.map(|fresh| Some(coding.encode(text, &fresh))));
    }
    formats::nested(pass, raw, place)
}

fn deeper(place: Place<'_>) -> Result<u8, DropReason> {
    if place.depth >= NESTED_DEPTH_MAX { Err(DropReason::TooDeep) } else { Ok(place.depth + 1) }
}

fn is_json_like(text: &str) -> bool {
    text.len() > 2 && (text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']'))
}

/// How a text was encoded.
#[derive(Clone, Copy)]
enum Coding {
    Base64 { url: bool, padded: bool },
    Hex,
}

impl Coding {
    /// Encodes in the style of the original: its alphabet, padding, case and line length.
    fn encode(self, original: &str, text: impl AsRef<[u8]>) -> String {
        let text = text.as_ref();
        let encoded = match self {
            Self::Base64 { url: false, padded: true } => STANDARD.encode(text),
            Self::Base64 { url: false, padded: false } => STANDARD_NO_PAD.encode(text),
            Self::Base64 { url: true, padded: true } => URL_SAFE.encode(text),
            Self::Base64 { url: true, padded: false } => URL_SAFE_NO_PAD.encode(text),
            Self::Hex if original.bytes().any(|b| b.is_ascii_uppercase()) => {
                text.iter().map(|byte| format!("{byte:02X}")).collect()
            }
            Self::Hex => text.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let Some(line) = original.find('\n') else { return encoded };
        let width = original[..line].trim_end().len().max(4);
        let newline = if original[..line].ends_with('\r') { "\r\n" } else { "\n" };
        let lines: Vec<&str> = encoded.as_bytes().chunks(width).filter_map(|c| std::str::from_utf8(c).ok()).collect();
        lines.join(newline)
    }
}

/// Whether a text encodes what stands in for a value of the kind.
pub(in crate::redact) fn encodes_stand_in(text: &str, kind: Kind) -> bool {
    // Nearly every value ends here.
    text.len() >= BYTES_MIN
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b))
        && begins_as_text(text)
        && decode(text).is_some_and(|(plain, _)| pseudonym::replaces(kind, &plain))
}

fn decode(text: &str) -> Option<(String, Coding)> {
    let (bytes, coding) = bytes_of(text)?;
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(|c| c.is_control() && !c.is_whitespace())).then_some((text, coding))
}

/// What a text encodes, whether or not that is text.
fn bytes_of(text: &str) -> Option<(Vec<u8>, Coding)> {
    if begins_as_hex(text) {
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(hex_byte).collect();
        return bytes.map(|bytes| (bytes, Coding::Hex));
    }
    let one_line: String;
    let text = if text.bytes().any(|b| b.is_ascii_whitespace()) {
        // MIME breaks base64 into lines; words with blanks between them are none.
        if text.contains(' ') {
            return None;
        }
        one_line = text.split_ascii_whitespace().collect();
        &one_line
    } else {
        text
    };
    let (url, padded) = (text.contains(['-', '_']), text.ends_with('='));
    // A length that needs no padding says nothing; only the alphabet of URLs is used without.
    let encoded_padded = padded || !url && text.len().is_multiple_of(4);
    let decoded = match (url, padded) {
        (false, true) => STANDARD.decode(text),
        (true, true) => URL_SAFE.decode(text),
        (true, false) => URL_SAFE_NO_PAD.decode(text),
        // Without padding, or of a length that needs none.
        (false, false) => STANDARD_NO_PAD.decode(text),
    };
    decoded.ok().map(|decoded| (decoded, Coding::Base64 { url, padded: encoded_padded }))
}

/// A `data:` URL (RFC 2397) in its parts.
struct DataUrl<'t> {
    /// Up to the comma, and with it.
    head: &'t str,
    is_base64: bool,
    content: &'t str,
}

impl<'t> DataUrl<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let scheme = text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"))?;
        let comma = text.bytes().take(DATA_HEAD_BYTES_MAX).position(|b| b == b',')?;
        let (head, content) = text.split_at(comma + 1);
        let kind = head[scheme.len()..comma].trim_end();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/;=+.-_".contains(&b);
        // `data: Ada, Grace` is no such URL.
        (kind.contains(['/', ';']) && kind.bytes().all(is_plain)).then(|| {
            let is_base64 = kind.rsplit(';').next().is_some_and(|last| last.eq_ignore_ascii_case("base64"));
            Self { head, is_base64, content }
        })
    }

    /// The URL with what must change in it; pictures and the like are left alone.
    fn redact(&self, pass: &mut Pass<'_>, place: Place<'_>) -> Result<Option<String>, DropReason> {
        let head = pass.scan_bare(self.head)?;
        let content = self.fresh_content(pass, place)?;
        let is_same = head.is_none() && content.is_none();
        let whole = || [head.as_deref().unwrap_or(self.head), content.as_deref().unwrap_or(self.content)].concat();
        Ok((!is_same).then(whole))
    }

    fn fresh_content(&self, pass: &mut Pass<'_>, place: Place<'_>) -> Result<Option<String>, DropReason> {
        if !self.is_base64 {
            let inner = Place { depth: deeper(place)?, ..place };
            return percent::rewrite(self.content, false, &mut |plain| pass.value(plain, inner));
        }
        // Some percent-encode the signs of base64.
        let content = percent::undo(self.content, false).text;
        let Some((plain, coding)) = decode(&content) else { return pass.scan_bare(self.content) };
        let fresh = pass.value(&plain, Place { depth: deeper(place)?, ..place })?;
        Ok(fresh.map(|fresh| coding.encode(&content, &fresh)))
    }
}

/// Whether the first characters, taken for base64, decode to text: an identifier's rarely do.
fn begins_as_text(raw: &str) -> bool {
    let Some(head) = raw.trim_ascii_start().as_bytes().first_chunk::<8>() else { return false };
    let mut decoded = [0; 6];
    for (four, three) in head.chunks(4).zip(decoded.chunks_mut(3)) {
        let mut bits = 0;
        for &byte in four {
            let Some(sextet) = sextet(byte) else { return false };
            bits = bits << 6 | sextet;
        }
        three.copy_from_slice(&bits.to_be_bytes()[1..]);
    }
    // A character of several bytes may be cut at the end.
    let whole = match std::str::from_utf8(&decoded) {
        Ok(_) => decoded.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return false,
    };
    whole > 0 && decoded[..whole].iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..))
}

fn sextet(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Whether the text may be hexadecimal digits of text: an even number of them, the first of letters and signs.
fn begins_as_hex(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 2 * BYTES_MIN
        && bytes.len().is_multiple_of(2)
        && bytes[..2 * BYTES_MIN].chunks(2).all(|two| hex_byte(two).is_some_and(|b| matches!(b, 0x20..=0x7e)))
}

fn hex_byte(two: &[u8]) -> Option<u8> {
    let digit = |at: usize| two.get(at).and_then(|b| char::from(*b).to_digit(16));
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::matching::gate::kinds_of;

    #[test]
    fn identifiers_hold_nothing() {
        for raw in ["cus_8f2hdkTYbXwq", "4242424242424242", "order-2024-0001", "d41d8cd98f00b204e9800998ecf8427e"] {
            assert!(!may_hold(raw, kinds_of(raw.as_bytes())), "{raw}");
        }
    }

    #[test]
    fn encodings_are_seen_and_put_back_in_their_style() {
        let text = r#"{"email":"ada@example.org","n":1}"#;
        let broken: Vec<String> =
            STANDARD.encode(text).as_bytes().chunks(20).map(|c| String::from_utf8_lossy(c).into()).collect();
        let hex: String = text.bytes().map(|b| format!("{b:02X}")).collect();
        for raw in [STANDARD.encode(text), URL_SAFE_NO_PAD.encode(text), broken.join("\r\n"), hex] {
            assert!(may_hold(&raw, kinds_of(raw.as_bytes())), "{raw}");
            let (decoded, coding) = decode(&raw).unwrap();
            assert_eq!(decoded, text);
            assert_eq!(coding.encode(&raw, &decoded), raw);
        }
    }
}
