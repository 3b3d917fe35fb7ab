//! Checks that a candidate is what its pattern suggests. Each returns the part of the candidate that passes.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// A named check of rule files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Validator {
    Luhn,
    Iban,
    Email,
    Ipv4,
    Ipv6,
    Jwt,
    Ssn,
    Phone,
}

impl Validator {
    pub const ALL: [(&'static str, Self); 8] = [
        ("luhn", Self::Luhn),
        ("iban", Self::Iban),
        ("email", Self::Email),
        ("ipv4", Self::Ipv4),
        ("ipv6", Self::Ipv6),
        ("jwt", Self::Jwt),
        ("ssn", Self::Ssn),
        ("phone", Self::Phone),
    ];

    /// The part of the candidate that passes the check, if one does.
    pub fn check(self, text: &str) -> Option<Range<usize>> {
        let all = |ok: bool| ok.then_some(0..text.len());
        match self {
            Self::Luhn => card_within(text),
            Self::Iban => iban_within(text),
            Self::Email => all(is_email(text)),
            Self::Ipv4 => all(text.parse::<Ipv4Addr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())),
            Self::Ipv6 => all(text.parse::<Ipv6Addr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())),
            Self::Jwt => all(is_jwt(text)),
            Self::Ssn => all(is_ssn(text)),
            Self::Phone => all((7..=15).contains(&text.bytes().filter(u8::is_ascii_digit).count())),
        }
    }
}

/// The check digit that makes `digits` plus itself pass Luhn.
pub(in crate::redact) fn luhn_digit(digits: &str) -> char {
    let sum = luhn_sum(digits.bytes().rev(), true);
    char::from(b'0' + ((10 - sum % 10) % 10) as u8)
}

/// Whether a run of digits passes Luhn.
pub(in crate::redact) fn is_luhn(digits: &str) -> bool {
    digits.bytes().all(|b| b.is_ascii_digit()) && luhn_sum(digits.bytes().rev(), false).is_multiple_of(10)
}

fn luhn_sum(digits: impl Iterator<Item = u8>, double_first: bool) -> u32 {
    digits
        .enumerate()
        .map(|(at, b)| {
            let digit = u32::from(b.saturating_sub(b'0'));
            if (at % 2 == 0) == double_first { if digit > 4 { digit * 2 - 9 } else { digit * 2 } } else { digit }
        })
        .sum()
}

/// A card number at the start of the candidate: groups after it (an expiry) may have been caught by the pattern too.
/// What stands before it is skipped by the search, which goes on one character further after a failed check.
fn card_within(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let ends = (14..=bytes.len()).rev().filter(|&end| digit(end - 1) && !digit(end));
    for end in ends {
        let digits: String = text[..end].chars().filter(char::is_ascii_digit).collect();
        if is_issued_card(&digits) {
            return Some(0..end);
        }
    }
    None
}

/// Whether the digits are a card number: issuer prefix, length and check digit.
pub(in crate::redact) fn is_issued_card(digits: &str) -> bool {
    is_issued(digits) && is_luhn(digits)
}

/// Whether an issuer hands out numbers of this prefix and length.
fn is_issued(digits: &str) -> bool {
    let head = |len: usize| digits.get(..len).and_then(|head| head.parse::<u32>().ok()).unwrap_or(0);
    match digits.len() {
        14 => matches!(head(2), 30 | 36 | 38 | 39),
        15 => matches!(head(2), 34 | 37),
        16 => head(1) == 4 || matches!(head(2), 35 | 50..=58 | 60 | 62..=65) || matches!(head(4), 2221..=2720),
        18 => matches!(head(2), 50 | 56..=58 | 62 | 63 | 67),
        19 => head(1) == 4 || matches!(head(2), 50 | 56..=58 | 62..=65 | 67),
        _ => false,
    }
}

/// The check digits of an IBAN of this country and BBAN.
pub(in crate::redact) fn iban_check_digits(country: &str, bban: &str) -> Option<u32> {
    Some(98 - mod97(bban.bytes().chain(country.bytes()).chain(*b"00"))?)
}

/// Whether the text, separators aside, is an IBAN with right check digits.
pub(in crate::redact) fn is_iban(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    (15..=34).contains(&compact.len())
        && compact[..2].iter().all(u8::is_ascii_alphabetic)
        && mod97(compact[4..].iter().chain(&compact[..4]).copied()) == Some(1)
}

/// The longest IBAN the candidate starts with: a pattern that allows spaces swallows the next word.
fn iban_within(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    (15..=bytes.len())
        .rev()
        .filter(|&end| {
            bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric()) && bytes[end - 1].is_ascii_alphanumeric()
        })
        .find(|&end| is_iban(&text[..end]))
        .map(|end| 0..end)
}

fn mod97(bytes: impl Iterator<Item = u8>) -> Option<u32> {
    let mut rest = 0;
    for b in bytes {
        let value = char::from(b).to_digit(36)?;
        rest = if value > 9 { rest * 100 + value } else { rest * 10 + value } % 97;
    }
    Some(rest)
}

/// Whether the whole text is one e-mail address.
pub(in crate::redact) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let labels_ok = host.split('.').all(|label| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-')
    });
    text.len() <= 320
        && !local.is_empty()
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c))
        && labels_ok
        && host.contains('.')
        && host.rsplit('.').next().is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()))
}

fn is_jwt(text: &str) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let head = text.split('.').next().unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(head.trim_end_matches('=')).unwrap_or_default();
    text.bytes().filter(|b| *b == b'.').count() >= 2 && decoded.first() == Some(&b'{')
}

fn is_ssn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let number = |range: Range<usize>| digits.get(range).map_or(0, |part| part.iter().fold(0, |n, d| n * 10 + d));
    // The 9xx areas are taxpayer numbers in groups from 50; below lie our stand-ins.
    let area_ok = !matches!(number(0..3), 0 | 666);
    digits.len() == 9 && area_ok && number(3..5) != 0 && number(5..9) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_found_among_their_neighbours() {
        assert_eq!(Validator::Luhn.check("4242424242424242"), Some(0..16));
        assert_eq!(Validator::Luhn.check("4242 4242 4242 4242 12"), Some(0..19));
        assert_eq!(Validator::Luhn.check("4242424242424241"), None);
    }

    #[test]
    fn checks_refuse_near_misses() {
        assert!(is_iban("DE89370400440532013000") && !is_iban("DE88370400440532013000"));
        assert!(is_email("a+b@example.co.uk") && !is_email("a@b") && !is_email("@example.org"));
        assert!(is_ssn("078-05-1120") && !is_ssn("000-05-1120"));
    }
}
