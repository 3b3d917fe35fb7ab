//! From bytes to text and back: the charset by byte order mark, by the label of the content type, by the document's own
//! declaration; decoded strictly, and trusted only if encoding gives the same bytes again.

use crate::exchange::DropReason;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// How far a document's own declaration is searched for, bytes (as browsers do).
const DECLARATION_BYTES_MAX: usize = 1024;

/// A charset that bodies are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Charset {
    /// One of the Encoding Standard.
    Standard(&'static Encoding),
    /// Four bytes a character, the least significant first.
    Utf32Le,
    /// Four bytes a character, the most significant first.
    Utf32Be,
}

impl Charset {
    pub const UTF_8: Self = Self::Standard(UTF_8);

    /// The charset of a label; `None` if it is unknown or cannot be decoded.
    pub fn of(label: &str) -> Option<Self> {
        match label.trim().to_ascii_lowercase().as_str() {
            "utf-32" | "utf32" | "utf-32be" | "utf32be" | "ucs-4" | "ucs-4be" | "iso-10646-ucs-4" => {
                Some(Self::Utf32Be)
            }
            "utf-32le" | "utf32le" | "ucs-4le" => Some(Self::Utf32Le),
            // Encodings that the standard refuses have a decoder that only fails.
            label => Encoding::for_label_no_replacement(label.as_bytes()).map(Self::Standard),
        }
    }

    /// The charset of a byte order mark, and the mark's length.
    fn of_mark(bytes: &[u8]) -> Option<(Self, usize)> {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] => Some((Self::Utf32Le, 4)),
            [0, 0, 0xfe, 0xff, ..] => Some((Self::Utf32Be, 4)),
            _ => Encoding::for_bom(bytes).map(|(encoding, len)| (Self::Standard(encoding), len)),
        }
    }

    /// The charset whose zeros show around the first, ASCII, characters (RFC 4627, section 3).
    fn of_zeros(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0, 0, 0, 1..=0x7f, ..] if bytes.len().is_multiple_of(4) => Some(Self::Utf32Be),
            [1..=0x7f, 0, 0, 0, ..] if bytes.len().is_multiple_of(4) => Some(Self::Utf32Le),
            [0, 1..=0x7f, ..] if bytes.len().is_multiple_of(2) => Some(Self::Standard(UTF_16BE)),
            [1..=0x7f, 0, ..] if bytes.len().is_multiple_of(2) => Some(Self::Standard(UTF_16LE)),
            _ => None,
        }
    }

    /// Strictly decoded text; `None` if the bytes are not of this charset.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        let wide = |each: fn([u8; 4]) -> u32| {
            let (units, rest) = bytes.as_chunks::<4>();
            let text: Option<String> = units.iter().map(|unit| char::from_u32(each(*unit))).collect();
            text.filter(|_| rest.is_empty()).map(Cow::Owned)
        };
        match self {
            Self::Standard(encoding) => encoding.decode_without_bom_handling_and_without_replacement(bytes),
            Self::Utf32Le => wide(u32::from_le_bytes),
            Self::Utf32Be => wide(u32::from_be_bytes),
        }
    }

    /// Whether a character of ASCII takes more than one byte.
    fn is_wide(self) -> bool {
        matches!(self, Self::Utf32Le | Self::Utf32Be)
            || [Self::Standard(UTF_16LE), Self::Standard(UTF_16BE)].contains(&self)
    }

    /// The text in this charset; `None` if a character has no place in it.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf32Le => Some(text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()),
            Self::Utf32Be => Some(text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
            // The standard's encoders write UTF-8 where UTF-16 is asked for.
            Self::Standard(encoding) if encoding == UTF_16LE => {
                Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
            Self::Standard(encoding) if encoding == UTF_16BE => {
                Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect())
            }
            Self::Standard(encoding) => {
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable).then(|| bytes.into_owned())
            }
        }
    }
}

/// A body as text, with the way back.
#[derive(Debug)]
pub(in crate::redact) struct Text<'b> {
    mark: &'b [u8],
    charset: Charset,
    /// The text, without a byte order mark.
    pub text: Cow<'b, str>,
}

impl<'b> Text<'b> {
    /// Decodes a body. `label` is the content type's charset; `markup` says that the document may declare one itself.
    pub fn decode(bytes: &'b [u8], label: Option<&str>, markup: bool) -> Result<Self, DropReason> {
        let (charset, mark_len) = match Charset::of_mark(bytes) {
            Some((charset, len)) => (charset, len),
            None => (chosen(bytes, label, markup)?, 0),
        };
        let (mark, body) = bytes.split_at(mark_len);
        let text = charset.decode(body).ok_or(DropReason::Unparseable)?;
        // UTF-8 that is valid is its own encoding.
        if charset != Charset::UTF_8 && charset.encode(&text).as_deref() != Some(body) {
            return Err(DropReason::UnknownCharset);
        }
        Ok(Self { mark, charset, text })
    }

    /// What a reader who knows nothing of a wide charset sees in the bytes: the characters of ASCII, other bytes as marks.
    /// `None` if the charset is not wide.
    pub fn ascii_seen(&self, bytes: &[u8]) -> Option<String> {
        let seen = |b: &u8| if matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n') { char::from(*b) } else { '\u{1}' };
        self.charset.is_wide().then(|| bytes.iter().map(seen).collect())
    }

    /// Whether the search for what is left cannot read the bytes as they are, nor as [`clear`] gives them.
    pub fn is_hard_to_search(&self) -> bool {
        let plain = [Charset::UTF_8, Charset::Standard(WINDOWS_1252)].contains(&self.charset);
        !(plain || self.charset.is_wide())
    }

    /// The redacted text in the charset of the original.
    pub fn encode(&self, fresh: String) -> Result<Vec<u8>, DropReason> {
        if self.charset == Charset::UTF_8 && self.mark.is_empty() {
            return Ok(fresh.into_bytes());
        }
        let body = self.charset.encode(&fresh).ok_or(DropReason::Internal)?;
        Ok([self.mark, &body].concat())
    }
}

/// Bytes that are no UTF-8, or hold zeros, as text to be searched; `None` if they can be searched as they are.
pub(in crate::redact) fn clear(bytes: &[u8]) -> Option<String> {
    if memchr::memchr(0, bytes).is_none() && std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let marked = Charset::of_mark(bytes).filter(|(charset, _)| charset.is_wide());
    let wide = marked.or_else(|| Charset::of_zeros(bytes).map(|charset| (charset, 0)));
    let text = wide.and_then(|(charset, len)| charset.decode(&bytes[len..]).map(Cow::into_owned));
    Some(text.unwrap_or_else(|| bytes.iter().filter(|b| **b != 0).map(|b| char::from(*b)).collect()))
}

fn chosen(bytes: &[u8], label: Option<&str>, markup: bool) -> Result<Charset, DropReason> {
    if let Some(label) = label.filter(|label| !label.trim().is_empty()) {
        let ascii = label.trim().to_ascii_lowercase().contains("ascii");
        // Who says ASCII and sends more sends UTF-8, as a rule.
        if ascii && std::str::from_utf8(bytes).is_ok() {
            return Ok(Charset::UTF_8);
        }
        let charset = Charset::of(label).ok_or(DropReason::UnknownCharset)?;
        // `utf-16` and `utf-32` leave the order of bytes open; without a mark the first zeros tell.
        let open = matches!(label.trim().to_ascii_lowercase().as_str(), "utf-16" | "utf16" | "utf-32" | "utf32");
        return Ok(Charset::of_zeros(bytes).filter(|_| open).unwrap_or(charset));
    }
    if let Some(charset) = Charset::of_zeros(bytes) {
        return Ok(charset);
    }
    let declared = markup.then(|| declared(bytes)).flatten();
    let charset = match declared {
        Some(label) => Charset::of(&label).ok_or(DropReason::UnknownCharset)?,
        None => return Ok(Charset::UTF_8),
    };
    // A declaration that could be read byte by byte is not in a wide charset, whatever it says.
    Ok(if charset.is_wide() { Charset::UTF_8 } else { charset })
}

/// The charset that an XML declaration or an HTML `meta` names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head: String = bytes.iter().take(DECLARATION_BYTES_MAX).map(|b| char::from(b.to_ascii_lowercase())).collect();
    if head.trim_start().starts_with("<?xml") {
        let declaration = head.split("?>").next().unwrap_or_default();
        return Some(after_equals(declaration.split_once("encoding")?.1)?.to_owned());
    }
    for tag in head.split("<meta").skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        if let Some(label) = tag.split_once("charset").and_then(|(_, rest)| after_equals(rest)) {
            return Some(label.to_owned());
        }
    }
    None
}

/// The word after `=`, with or without quotes.
fn after_equals(text: &str) -> Option<&str> {
    let value = text.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| c.is_whitespace() || "\"'/>;?".contains(c)).unwrap_or(value.len());
    (end > 0).then(|| &value[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], label: Option<&str>) -> Result<String, DropReason> {
        Text::decode(bytes, label, true).map(|text| text.text.into_owned())
    }

    #[test]
    fn marks_labels_and_declarations_tell() {
        assert_eq!(decode(b"\xef\xbb\xbfa\xc3\xa9", Some("latin1")).unwrap(), "aé");
        assert_eq!(decode(b"a\xe9", Some("ISO-8859-1")).unwrap(), "aé");
        assert_eq!(decode(b"\xff\xfea\0\xe9\0", None).unwrap(), "aé");
        assert_eq!(decode(b"\0{\0}", None).unwrap(), "{}");
        assert_eq!(decode(b"{\0\0\0}\0\0\0", None).unwrap(), "{}");
        assert_eq!(decode(b"\0{\0}", Some("utf-16")).unwrap(), "{}");
        assert_eq!(decode(b"\0\0\xfe\xff\0\0\0a", None).unwrap(), "a");
        assert!(decode(b"<?xml version='1.0' encoding='windows-1251'?><a>\xff</a>", None).unwrap().contains('я'));
        assert!(decode(b"<meta http-equiv=x content=\"text/html; charset=koi8-r\">\xc1", None).unwrap().ends_with('а'));
        assert_eq!(decode("é".as_bytes(), Some("us-ascii")).unwrap(), "é");
    }

    #[test]
    fn doubt_is_a_drop() {
        assert_eq!(decode(b"\xff", None), Err(DropReason::Unparseable));
        assert_eq!(decode(b"a", Some("klingon")), Err(DropReason::UnknownCharset));
        assert_eq!(decode(b"a", Some("iso-2022-kr")), Err(DropReason::UnknownCharset));
        assert_eq!(decode(b"a\0b", Some("utf-16le")), Err(DropReason::Unparseable));
        assert_eq!(decode(b"\0\xd8a\0", Some("utf-16le")), Err(DropReason::Unparseable));
        // Plain bytes can be taken for wide characters, but whoever stores them stores what they say.
        let plain = Text::decode(b"ada@example.org!", Some("utf-16le"), false).unwrap();
        assert_eq!(plain.ascii_seen(b"a\0@").as_deref(), Some("a\u{1}@"));
        // A needless escape sequence would not come back.
        assert_eq!(decode(b"\x1b(Ba", Some("iso-2022-jp")), Err(DropReason::UnknownCharset));
    }

    #[test]
    fn what_is_hidden_in_other_charsets_can_be_searched() {
        assert_eq!(clear("é".as_bytes()), None);
        assert_eq!(clear(b"caf\xe9").as_deref(), Some("café"));
        assert_eq!(clear(b"a\0b\0").as_deref(), Some("ab"));
        assert_eq!(clear(b"\xff\xfe\xe9\0").as_deref(), Some("é"));
        assert_eq!(clear(b"a\0b").as_deref(), Some("ab"));
    }

    #[test]
    fn every_charset_comes_back() {
        for label in [
            "gbk",
            "gb18030",
            "big5",
            "euc-jp",
            "shift_jis",
            "iso-2022-jp",
            "euc-kr",
            "windows-1252",
            "utf-16le",
            "utf-16be",
            "utf-32le",
            "utf-32be",
            "iso-8859-15",
            "macintosh",
            "x-user-defined",
        ] {
            let charset = Charset::of(label).unwrap();
            let text = if charset.encode("日本").is_some() { "{\"a\":\"日本 x\"}" } else { "{\"a\":\"x\"}" };
            let bytes = charset.encode(text).unwrap();
            let decoded = Text::decode(&bytes, Some(label), false).unwrap();
            assert_eq!(decoded.text, text, "{label}");
            assert_eq!(decoded.encode(text.to_owned()).unwrap(), bytes, "{label}");
        }
    }
}
