//! Stand-ins: a keyed digest of the value, dressed in the format of its kind, and recognisable, so that redacting a
//! stand-in changes nothing. Ranges are ones that no authority hands out: card numbers from 4000009, phone numbers in
//! +999, networks from 198.18.0.0/15, IBANs of bank code zero, social security numbers of unassigned groups.

use crate::redact::rules::{Action, PseudonymKey};
use crate::redact::validators::{iban_check_digits, is_email, luhn_digit};
use hmac::Mac;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a value is; decides the format of its stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::redact) enum Kind {
    Email,
    Card,
    Iban,
    Phone,
    Ssn,
    Ipv4,
    Ipv6,
    Date,
    Digits,
    Person,
    Address,
    Token,
}

impl Kind {
    pub const ALL: [Self; 12] = [
        Self::Email,
        Self::Card,
        Self::Iban,
        Self::Phone,
        Self::Ssn,
        Self::Ipv4,
        Self::Ipv6,
        Self::Date,
        Self::Digits,
        Self::Person,
        Self::Address,
        Self::Token,
    ];

    /// The name in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Phone => "phone",
            Self::Ssn => "ssn",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Date => "date",
            Self::Digits => "digits",
            Self::Person => "person",
            Self::Address => "address",
            Self::Token => "token",
        }
    }

    /// Whether its values are runs of digits, which identifiers and times look like too.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Card | Self::Phone | Self::Ssn | Self::Ipv4 | Self::Digits)
    }
}

/// What a masked value becomes.
pub(in crate::redact) const MASK: &str = "masked";
/// Stand-ins of the word kinds, protected from every rule.
pub(in crate::redact) const WORD_STAND_IN: &str = r"(?-u:\b(?:person|addr|tok|date)-[0-9a-f]{10}(?:[0-9a-f]{6})?\b)";
const EMAIL_HOST: &str = "example.invalid";
const CARD_PREFIX: &str = "4000009";
const AMEX_PREFIX: &str = "3782829";
const PHONE_PREFIX: &str = "999";
const DIGITS_PREFIX: &str = "9999";
const IPV6_PREFIX: [u16; 3] = [0x2001, 0x0db8, 0xda7a];

/// What `action` makes of a value, `None` if it is a stand-in already.
pub(in crate::redact) fn replace(action: Action, kind: Kind, raw: &str, key: &PseudonymKey) -> Option<String> {
    match action {
        Action::Pseudonym if is_stand_in(kind, raw) => None,
        Action::Pseudonym => Some(stand_in(kind, raw, key)),
        Action::Mask => (raw != MASK).then(|| MASK.to_owned()),
        Action::Drop => (!raw.is_empty()).then(String::new),
        Action::KeepLast4 => keep_last4(raw),
    }
}

/// What `action` makes of a JSON number: again a JSON number.
pub(in crate::redact) fn replace_number(action: Action, kind: Kind, raw: &str, key: &PseudonymKey) -> Option<String> {
    let plain = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
    let kind = if kind.is_numeric() && kind != Kind::Ipv4 { kind } else { Kind::Digits };
    let fresh = match action {
        Action::Pseudonym if plain => replace(action, kind, raw, key)?,
        Action::Drop => "0".to_owned(),
        _ => raw.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect(),
    };
    let valid = plain && fresh.bytes().all(|b| b.is_ascii_digit()) && !fresh.starts_with('0');
    let fresh = if valid || !plain || action == Action::Drop { fresh } else { "9".repeat(raw.len()) };
    (fresh != raw).then_some(fresh)
}

fn keep_last4(raw: &str) -> Option<String> {
    let count = raw.chars().count();
    let keep = if count >= 8 { 4 } else { 0 };
    let fresh: String = raw.chars().enumerate().map(|(at, c)| if at + keep < count { '*' } else { c }).collect();
    (fresh != raw).then_some(fresh)
}

/// Whether the value is something this module made.
pub(in crate::redact) fn is_stand_in(kind: Kind, raw: &str) -> bool {
    let digits = || digits_of(raw);
    if is_word_stand_in(raw) {
        return true;
    }
    match kind {
        Kind::Card => {
            let digits = digits();
            (13..=19).contains(&digits.len()) && (digits.starts_with(CARD_PREFIX) || digits.starts_with(AMEX_PREFIX))
                || digits_stand_in(raw, &digits)
        }
        Kind::Phone => {
            let digits = digits();
            let rest = if digits.len() == 11 { digits.strip_prefix('1').unwrap_or(&digits) } else { &digits };
            rest.starts_with(PHONE_PREFIX) || digits_stand_in(raw, &digits)
        }
        Kind::Ssn => {
            let digits = digits();
            digits.len() == 9 && digits.starts_with('9') && digits.as_bytes()[3] < b'5'
                || digits.len() != 9 && digits_stand_in(raw, &digits)
        }
        Kind::Digits => digits_stand_in(raw, &digits()),
        Kind::Iban => {
            let compact: Vec<char> = raw.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
            compact.len() > 8 && compact[4..8].iter().all(|c| matches!(c, '0' | 'X'))
        }
        Kind::Ipv4 => raw.parse::<Ipv4Addr>().is_ok_and(|ip| ip.octets()[0] == 198 && ip.octets()[1] & 0xfe == 18),
        Kind::Ipv6 => raw.parse::<Ipv6Addr>().is_ok_and(|ip| ip.segments()[..3] == IPV6_PREFIX),
        Kind::Date => raw.contains("1900"),
        Kind::Email | Kind::Person | Kind::Address | Kind::Token => false,
    }
}

fn digits_stand_in(raw: &str, digits: &str) -> bool {
    let shaped = !digits.is_empty() && is_digits_and_separators(raw);
    shaped && if digits.len() < 9 { digits.bytes().all(|b| b == b'9') } else { digits.starts_with(DIGITS_PREFIX) }
}

/// Stand-ins that are recognised whatever rule meets them.
fn is_word_stand_in(raw: &str) -> bool {
    let hex = |text: &str, lens: &[usize]| {
        lens.contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    if raw == MASK {
        return true;
    }
    if let Some((local, host)) = raw.split_once('@') {
        return host == EMAIL_HOST && local.strip_prefix("user-").is_some_and(|rest| hex(rest, &[10]));
    }
    matches!(raw.split_once('-'), Some(("person" | "addr" | "tok" | "date", rest)) if hex(rest, &[10, 16]))
}

/// The stand-in of a value.
fn stand_in(kind: Kind, raw: &str, key: &PseudonymKey) -> String {
    let kind = if !matches!(kind, Kind::Email) && is_email(raw.trim()) { Kind::Email } else { kind };
    let digits = digits_of(raw);
    let numeric = is_digits_and_separators(raw);
    match kind {
        Kind::Email => format!("user-{}@{EMAIL_HOST}", hex(key, kind, &raw.trim().to_lowercase(), 10)),
        Kind::Card if numeric && (13..=19).contains(&digits.len()) => {
            let prefix = if digits.len() == 15 { AMEX_PREFIX } else { CARD_PREFIX };
            let mut fresh = format!("{prefix}{}", decimals(key, kind, &digits, digits.len() - 8));
            fresh.push(luhn_digit(&fresh));
            pour(raw, &fresh)
        }
        Kind::Phone if numeric && digits.len() >= 7 => {
            let head = if digits.len() == 11 && digits.starts_with('1') { "1999" } else { PHONE_PREFIX };
            pour(raw, &format!("{head}{}", decimals(key, kind, &digits, digits.len() - head.len())))
        }
        Kind::Ssn if numeric && digits.len() == 9 => {
            let mut fresh: Vec<char> = format!("9{}", decimals(key, kind, &digits, 8)).chars().collect();
            fresh[3] = char::from(b'0' + (fresh[3] as u8 - b'0') % 5);
            pour(raw, &fresh.into_iter().collect::<String>())
        }
        Kind::Iban => iban(raw, key).unwrap_or_else(|| word("tok", Kind::Token, raw, key)),
        Kind::Ipv4 => {
            let bytes = digest(key, kind, raw);
            Ipv4Addr::new(198, 18 | (bytes[0] & 1), bytes[1], bytes[2]).to_string()
        }
        Kind::Ipv6 => {
            let canonical = raw.parse::<Ipv6Addr>().map_or_else(|_| raw.to_lowercase(), |ip| ip.to_string());
            let d = digest(key, kind, &canonical);
            let at = |i: usize| u16::from_be_bytes([d[i], d[i + 1]]) | 0x1000;
            Ipv6Addr::new(IPV6_PREFIX[0], IPV6_PREFIX[1], IPV6_PREFIX[2], at(0), at(2), at(4), at(6), at(8)).to_string()
        }
        Kind::Date => date(raw, key),
        Kind::Card | Kind::Phone | Kind::Ssn | Kind::Digits if numeric && !digits.is_empty() => {
            let kind = Kind::Digits;
            let fresh = if digits.len() < 9 {
                "9".repeat(digits.len())
            } else {
                format!("{DIGITS_PREFIX}{}", decimals(key, kind, &digits, digits.len() - 4))
            };
            pour(raw, &fresh)
        }
        Kind::Person => word("person", kind, raw, key),
        Kind::Address => word("addr", kind, raw, key),
        Kind::Card | Kind::Phone | Kind::Ssn | Kind::Digits | Kind::Token => word("tok", Kind::Token, raw, key),
    }
}

fn word(head: &str, kind: Kind, raw: &str, key: &PseudonymKey) -> String {
    let (canonical, len) = match kind {
        Kind::Token => (raw.to_owned(), 16),
        _ => (raw.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(), 10),
    };
    format!("{head}-{}", hex(key, kind, &canonical, len))
}

fn date(raw: &str, key: &PseudonymKey) -> String {
    let bytes = digest(key, Kind::Date, raw);
    let (month, day) = (bytes[0] % 12 + 1, bytes[1] % 28 + 1);
    let shape: String = raw.chars().take(10).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let rest = raw.get(10..).unwrap_or_default();
    match shape.as_str() {
        "0000-00-00" if rest.is_empty() || rest.starts_with('T') => {
            format!("1900-{month:02}-{day:02}{}", if rest.is_empty() { "" } else { "T00:00:00Z" })
        }
        "00/00/0000" if rest.is_empty() => format!("{:02}/{:02}/1900", month, month.min(day)),
        "00.00.0000" if rest.is_empty() => format!("{day:02}.{month:02}.1900"),
        "0000/00/00" if rest.is_empty() => format!("1900/{month:02}/{day:02}"),
        _ => word("date", Kind::Date, raw, key),
    }
}

fn iban(raw: &str, key: &PseudonymKey) -> Option<String> {
    let compact: String = raw.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    if compact.len() < 15 || raw.chars().any(|c| !c.is_ascii_alphanumeric() && c != ' ' && c != '-') {
        return None;
    }
    let (country, bban) = (compact.get(..2)?, compact.get(4..)?);
    let mut random = decimals(key, Kind::Iban, &compact, bban.len()).into_bytes().into_iter();
    let fresh: String = bban
        .chars()
        .enumerate()
        .map(|(at, c)| {
            let digit = random.next().unwrap_or(b'0');
            match (at < 4, c.is_ascii_digit()) {
                (true, true) => '0',
                (true, false) => 'X',
                (false, true) => char::from(digit),
                (false, false) => char::from(b'A' + (digit - b'0')),
            }
        })
        .collect();
    let check = iban_check_digits(country, &fresh)?;
    Some(pour_all(raw, &format!("{country}{check:02}{fresh}")))
}

/// Puts new digits where the old ones stood, separators kept.
fn pour(raw: &str, digits: &str) -> String {
    let mut fresh = digits.chars();
    raw.chars().map(|c| if c.is_ascii_digit() { fresh.next().unwrap_or('9') } else { c }).collect()
}

fn pour_all(raw: &str, text: &str) -> String {
    let mut fresh = text.chars();
    raw.chars().map(|c| if c.is_ascii_alphanumeric() { fresh.next().unwrap_or('9') } else { c }).collect()
}

fn digits_of(raw: &str) -> String {
    raw.chars().filter(char::is_ascii_digit).collect()
}

fn is_digits_and_separators(raw: &str) -> bool {
    raw.len() <= 64 && raw.bytes().all(|b| b.is_ascii_digit() || b" -./()+".contains(&b))
}

/// HMAC-SHA-256 over the kind and the canonical value.
fn digest(key: &PseudonymKey, kind: Kind, canonical: &str) -> [u8; 32] {
    let mut mac = key.0.clone();
    mac.update(kind.name().as_bytes());
    mac.update(b"\0");
    mac.update(canonical.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(key: &PseudonymKey, kind: Kind, canonical: &str, len: usize) -> String {
    let nibbles = digest(key, kind, canonical).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.take(len).map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)])).collect()
}

fn decimals(key: &PseudonymKey, kind: Kind, canonical: &str, len: usize) -> String {
    let bytes = digest(key, kind, canonical);
    (0..len).map(|at| char::from(b'0' + bytes[at % 32].wrapping_add((at / 32) as u8) % 10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::{is_iban, is_luhn};
    use std::sync::LazyLock;

    static KEY: LazyLock<PseudonymKey> = LazyLock::new(|| PseudonymKey::new([7; 32]));

    #[test]
    fn stand_ins_keep_their_format_and_are_recognised() {
        let cases = [
            (Kind::Email, "Ada.Lovelace@example.org"),
            (Kind::Card, "4242 4242 4242 4242"),
            (Kind::Card, "378282246310005"),
            (Kind::Card, "12"),
            (Kind::Iban, "DE89 3704 0044 0532 0130 00"),
            (Kind::Iban, "GB82WEST12345698765432"),
            (Kind::Phone, "+44 20 7946 0958"),
            (Kind::Phone, "(415) 555-0132"),
            (Kind::Ssn, "078-05-1120"),
            (Kind::Ipv4, "203.0.113.9"),
            (Kind::Ipv6, "2001:db8::1"),
            (Kind::Date, "1980-12-31"),
            (Kind::Date, "12/31/1980"),
            (Kind::Date, "yesterday"),
            (Kind::Digits, "00123456789"),
            (Kind::Digits, "123"),
            (Kind::Digits, "X1234567"),
            (Kind::Person, "Ada Lovelace"),
            (Kind::Address, "1 Main St"),
            (Kind::Token, "hunter2"),
        ];
        for (kind, raw) in cases {
            let fresh = stand_in(kind, raw, &KEY);
            assert_ne!(fresh, raw);
            assert!(is_stand_in(kind, &fresh), "{kind:?} {fresh}");
            assert!(!is_stand_in(kind, raw), "{kind:?} {raw}");
        }
    }

    #[test]
    fn formats_stay_valid_and_separators_do_not_matter() {
        let card = stand_in(Kind::Card, "4242-4242-4242-4242", &KEY);
        assert!(is_luhn(&digits_of(&card)));
        assert_eq!(digits_of(&card), stand_in(Kind::Card, "4242424242424242", &KEY));
        assert!(is_iban(&stand_in(Kind::Iban, "DE89 3704 0044 0532 0130 00", &KEY)));
        assert!(is_iban(&stand_in(Kind::Iban, "GB82WEST12345698765432", &KEY)));
    }

    #[test]
    fn numbers_stay_numbers() {
        for raw in ["4242424242424242", "12", "-1.5e3", "0", "0.25", "123456789"] {
            for kind in Kind::ALL {
                for action in [Action::Pseudonym, Action::Mask, Action::Drop, Action::KeepLast4] {
                    let fresh = replace_number(action, kind, raw, &KEY).unwrap_or_else(|| raw.into());
                    assert!(serde_json::from_str::<serde_json::Number>(&fresh).is_ok(), "{raw} -> {fresh}");
                    assert_eq!(replace_number(action, kind, &fresh, &KEY), None, "{action:?} {kind:?} {raw} {fresh}");
                }
            }
        }
    }
}
