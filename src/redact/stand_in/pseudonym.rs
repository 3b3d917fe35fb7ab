//! Stand-ins: a keyed digest of the value, dressed in the format of its kind, and recognisable without the key, so that
//! redacting a stand-in changes nothing.
//!
//! The ranges are ones that no authority hands out: card numbers from 4000009, telephone numbers in +89, networks from 240.0.0.0/4, IBANs of bank code zero, social security numbers of unassigned groups,
//! dates before 1900 or after 2199. The documentation ranges of IPv4 hold 768 addresses, too few to keep different values different.
//! Runs of digits without a range of their own begin with 999: one in a thousand raw numbers does too, and is taken for
//! a stand-in; a shorter mark would be wrong more often, a longer one leaves too few stand-ins to keep numbers apart.

use crate::redact::rule::rules::{Action, PseudonymKey};
use crate::redact::stand_in::date;
use crate::redact::stand_in::kind::{Kind, digits_of, is_digits_and_separators};
use crate::redact::validators::{iban_check_digits, is_luhn, luhn_digit};
use hmac::Mac;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a masked value becomes.
pub(in crate::redact) const MASK: &str = "masked";
/// Heads of the stand-ins that are words; ten or sixteen hex digits follow.
const WORD_HEADS: [&str; 7] = ["person", "addr", "tok", "date", "word", "hash", "id"];
const EMAIL_HOST: &str = "example.invalid";
const URL_HEAD: &str = "https://example.invalid/";
const CARD_PREFIX: &str = "4000009";
const AMEX_PREFIX: &str = "3782829";
/// A country code that is not assigned.
const PHONE_PREFIX: &str = "89";
const IPV6_PREFIX: [u16; 3] = [0x2001, 0x0db8, 0xda7a];
/// Hardware addresses that are locally administered, from a block that documentation uses.
const MAC_PREFIX: &str = "02005e";
/// Fewer digits leave no room for a mark and a digest: they all become nines.
const MARKED_DIGITS_MIN: usize = 7;
/// From so many digits on the mark is one digit longer.
const LONG_DIGITS_MIN: usize = 10;
/// From so many letters, or digits beside a letter, on a stand-in has a check letter.
const CHECKED_LETTERS_MIN: usize = 3;
const CHECKED_DIGITS_MIN: usize = 8;
/// What replaces a value, and the keyed digest of the value's kind and canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::redact) struct Replaced {
    pub fresh: String,
    pub digest: [u8; 32],
    pub kind: Kind,
}

/// What `action` makes of a value, `None` if it is a stand-in already.
pub(in crate::redact) fn replace(action: Action, kind: Kind, raw: &str, key: &PseudonymKey) -> Option<Replaced> {
    let kind = if action == Action::DateShift { Kind::Date } else { kind.of_value(raw) };
    let done = matches!(action, Action::Pseudonym | Action::DateShift);
    if is_word_stand_in(raw) || done && (is_stand_in(kind, raw) || is_card_stand_in(raw)) {
        return None;
    }
    let digest = digest(key, kind, &kind.canonical(raw));
    let fresh = match action {
        Action::Pseudonym => stand_in(kind, raw, key, &digest),
        Action::Mask => MASK.to_owned(),
        Action::Drop => String::new(),
        Action::KeepLast4 => keep_last4(raw),
        Action::Hash => word("hash", &digest, 16),
        Action::DateShift => date::shifted(raw, key).unwrap_or_else(|| stand_in(Kind::Date, raw, key, &digest)),
    };
    (fresh != raw).then_some(Replaced { fresh, digest, kind })
}

/// What `action` makes of a JSON number: again a JSON number, of the same length.
pub(in crate::redact) fn replace_number(action: Action, kind: Kind, raw: &str, key: &PseudonymKey) -> Option<Replaced> {
    let plain = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
    let kind = match kind.of_value(raw) {
        kind @ (Kind::Card | Kind::Phone | Kind::Ssn | Kind::Date) => kind,
        kind if kind.is_wordy() => return None,
        _ => Kind::Digits,
    };
    let nines = || raw.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect::<String>();
    let digest = || digest(key, kind, &kind.canonical(raw));
    let fresh = match action {
        Action::Drop => "0".to_owned(),
        Action::Pseudonym | Action::DateShift if plain => match replace(action, kind, raw, key) {
            Some(replaced) => replaced.fresh.trim_start_matches('+').to_owned(),
            None => return None,
        },
        _ => nines(),
    };
    let valid = fresh == "0" || !fresh.starts_with('0') && fresh.bytes().all(|b| b.is_ascii_digit());
    let fresh = if valid || !plain { fresh } else { nines() };
    (fresh != raw).then(|| Replaced { fresh, digest: digest(), kind })
}

fn keep_last4(raw: &str) -> String {
    let count = raw.chars().count();
    let keep = if count >= 8 { 4 } else { 0 };
    raw.chars().enumerate().map(|(at, c)| if at + keep < count { '*' } else { c }).collect()
}

/// Whether a text stands in for a value of the kind, or of what the text looks like.
pub(in crate::redact) fn replaces(kind: Kind, text: &str) -> bool {
    is_word_stand_in(text) || is_stand_in(kind.of_value(text), text) || is_any_number_stand_in(text)
}

/// Whether the value is something this module made for the kind.
pub(in crate::redact) fn is_stand_in(kind: Kind, raw: &str) -> bool {
    let digits = || digits_of(raw);
    match kind {
        Kind::Card => is_card_stand_in(raw) || is_digits_stand_in(raw),
        Kind::Phone => is_phone_stand_in(raw) || digits().len() < MARKED_DIGITS_MIN && is_digits_stand_in(raw),
        Kind::Ssn => {
            let digits = digits();
            digits.len() == 9 && digits.starts_with('9') && digits.as_bytes()[3] == b'0' && is_luhn(&digits)
                || digits.len() != 9 && is_digits_stand_in(raw)
        }
        Kind::Digits => is_digits_stand_in(raw),
        Kind::Id => is_id_stand_in(raw),
        Kind::Iban => {
            let compact = Kind::Iban.canonical(raw);
            compact.len() > 8
                && compact.bytes().skip(4).take(4).all(|b| matches!(b, b'0' | b'X'))
                && compact.get(4..).is_some_and(|bban| with_last(bban) == bban)
        }
        Kind::Ipv4 => raw.parse::<Ipv4Addr>().is_ok_and(|ip| ip.octets()[0] >= 240),
        Kind::Ipv6 => raw.parse::<Ipv6Addr>().is_ok_and(|ip| ip.segments()[..3] == IPV6_PREFIX),
        Kind::Mac => Kind::Mac.canonical(raw).starts_with(MAC_PREFIX),
        Kind::Date => date::is_stand_in(raw),
        Kind::Url => raw.starts_with(URL_HEAD),
        Kind::Email | Kind::Person | Kind::Address | Kind::Token | Kind::Jwt | Kind::Word => is_word_stand_in(raw),
    }
}

/// Whether a number that a pattern found is a stand-in of any kind: the kinds of numbers look like each other.
pub(in crate::redact) fn is_any_number_stand_in(raw: &str) -> bool {
    raw.starts_with('+') && is_phone_stand_in(raw)
        || is_digits_and_separators(raw)
            && (is_stand_in(Kind::Card, raw) || is_written_apart(raw) && is_stand_in(Kind::Ssn, raw))
}

/// Whether nine digits are written as a social security number is: without its hyphens any number could be one.
fn is_written_apart(raw: &str) -> bool {
    raw.len() == 11 && raw.as_bytes()[3] == b'-' && raw.as_bytes()[6] == b'-'
}

/// Stand-ins that are recognised whatever rule meets them.
pub(in crate::redact) fn is_word_stand_in(raw: &str) -> bool {
    let hex = |text: &str, lens: &[usize]| {
        lens.contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    if raw == MASK {
        return true;
    }
    if let Some(local) = raw.strip_suffix(EMAIL_HOST).and_then(|local| local.strip_suffix('@')) {
        return local.strip_prefix("user-").is_some_and(|rest| hex(rest, &[10]));
    }
    let rest = WORD_HEADS.iter().find_map(|head| raw.strip_prefix(head)?.strip_prefix('-'));
    rest.is_some_and(|rest| hex(rest, &[10, 16]))
}

/// A card number of ours, of whatever length: issuers have prefixes for some lengths only, so it need not be one of theirs.
fn is_card_stand_in(raw: &str) -> bool {
    // Most values end here, without a copy.
    if raw.len() < 13 || !matches!(raw.bytes().find(u8::is_ascii_digit), Some(b'3' | b'4')) {
        return false;
    }
    let digits = digits_of(raw);
    (13..=19).contains(&digits.len())
        && (digits.starts_with(CARD_PREFIX) || digits.starts_with(AMEX_PREFIX))
        && is_digits_and_separators(raw)
        && is_luhn(&digits)
}

fn is_digits_stand_in(raw: &str) -> bool {
    let digits = digits_of(raw);
    is_digits_and_separators(raw) && is_marked(&digits)
}

fn is_marked(digits: &str) -> bool {
    match digits.len() {
        0 => false,
        1..MARKED_DIGITS_MIN => digits.bytes().all(|b| b == b'9'),
        len => digits.starts_with(mark(len)),
    }
}

fn mark(len: usize) -> &'static str {
    if len < LONG_DIGITS_MIN { "999" } else { "9999" }
}

fn is_phone_stand_in(raw: &str) -> bool {
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    digits.len() == 12 && digits.starts_with(PHONE_PREFIX) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Letters and digits in the shape of the value; there are enough digits to bear the mark.
fn is_id_stand_in(raw: &str) -> bool {
    let digits = digits_of(raw);
    if has_room_for_mark(raw, &digits) {
        digits.starts_with("999")
            && check_letter(raw).is_none_or(|(at, letter)| raw.as_bytes()[at].to_ascii_uppercase() == letter)
    } else {
        is_digits_stand_in(raw)
    }
}

/// Where there is room for it the last letter is a check letter, since papers begin with 999 too (`LI999706019K9DG`):
/// where it stands, and the sum over the letters and digits around it.
fn check_letter(raw: &str) -> Option<(usize, u8)> {
    let count = |is: fn(&u8) -> bool| raw.bytes().filter(is).count();
    let has_room =
        count(u8::is_ascii_alphabetic) >= CHECKED_LETTERS_MIN || count(u8::is_ascii_digit) >= CHECKED_DIGITS_MIN;
    let last = raw.bytes().rposition(|b| b.is_ascii_alphabetic()).filter(|_| has_room)?;
    let others = raw.bytes().take(last).chain(raw.bytes().skip(last + 1));
    let weighed = others.filter(u8::is_ascii_alphanumeric).zip(1_u32..);
    let sum: u32 = weighed.map(|(b, weight)| u32::from(b.to_ascii_uppercase()) * weight).sum();
    Some((last, b'A' + (sum % 26) as u8))
}

fn has_room_for_mark(raw: &str, digits: &str) -> bool {
    let letters = raw.chars().filter(char::is_ascii_alphabetic).count();
    let others = raw.chars().filter(|c| !c.is_ascii_alphanumeric() && !" -./".contains(*c)).count();
    others == 0 && digits.len() >= 4 && digits.len() + letters >= 8 && letters > 0
}

/// The stand-in of a value.
fn stand_in(kind: Kind, raw: &str, key: &PseudonymKey, digest: &[u8; 32]) -> String {
    match kind {
        Kind::Email => [&word("user", digest, 10), "@", EMAIL_HOST].concat(),
        Kind::Person => word("person", digest, 10),
        Kind::Address => word("addr", digest, 10),
        Kind::Word => word("word", digest, 10),
        Kind::Token | Kind::Jwt => word("tok", digest, 16),
        Kind::Url => [URL_HEAD, &word("tok", digest, 16)].concat(),
        Kind::Date => date::stand_in(raw, key, digest).unwrap_or_else(|| word("date", digest, 10)),
        _ => stand_in_of_number(kind, raw, digest),
    }
}

/// The stand-in of a value that has digits.
fn stand_in_of_number(kind: Kind, raw: &str, digest: &[u8; 32]) -> String {
    let digits = digits_of(raw);
    let numeric = is_digits_and_separators(raw);
    match kind {
        Kind::Card if numeric && (13..=19).contains(&digits.len()) => {
            let prefix = if digits.len() == 15 { AMEX_PREFIX } else { CARD_PREFIX };
            let mut fresh = format!("{prefix}{}", decimals(digest, digits.len() - 8));
            fresh.push(luhn_digit(&fresh));
            pour(raw, &fresh)
        }
        // Always in the international form: spellings of one number are many, and its stand-in is one.
        Kind::Phone if numeric && digits.len() >= MARKED_DIGITS_MIN => {
            format!("+{PHONE_PREFIX}{}", decimals(digest, 10))
        }
        Kind::Ssn if numeric && digits.len() == 9 => {
            let mut fresh: Vec<char> = format!("9{}", decimals(digest, 7)).chars().collect();
            // One in a thousand numbers of nine digits looks like this too; a stronger mark leaves too few stand-ins.
            fresh[3] = '0';
            let mut fresh: String = fresh.into_iter().collect();
            fresh.push(luhn_digit(&fresh));
            pour(raw, &fresh)
        }
        Kind::Iban => iban(raw, digest).unwrap_or_else(|| word("tok", digest, 16)),
        Kind::Ipv4 => Ipv4Addr::new(240 | (digest[0] % 15), digest[1], digest[2], digest[3]).to_string(),
        Kind::Ipv6 => {
            let at = |i: usize| u16::from_be_bytes([digest[i], digest[i + 1]]) | 0x1000;
            let [a, b, c] = IPV6_PREFIX;
            Ipv6Addr::new(a, b, c, at(0), at(2), at(4), at(6), at(8)).to_string()
        }
        Kind::Mac => pour_all(raw, &format!("{MAC_PREFIX}{}", hex(digest, 6))),
        Kind::Id if has_room_for_mark(raw, &digits) => {
            let fresh = format!("999{}", decimals(digest, digits.len() - 3));
            with_check_letter(pour_letters(&pour(raw, &fresh), digest))
        }
        Kind::Card | Kind::Phone | Kind::Ssn | Kind::Digits | Kind::Id if numeric => {
            let fresh = match digits.len() {
                len @ 0..MARKED_DIGITS_MIN => "9".repeat(len),
                len => format!("{}{}", mark(len), decimals(digest, len - mark(len).len())),
            };
            pour(raw, &fresh)
        }
        Kind::Id => word("id", digest, 16),
        _ => word("tok", digest, 16),
    }
}

fn word(head: &str, digest: &[u8; 32], len: usize) -> String {
    let mut text = String::with_capacity(head.len() + 1 + len);
    text.push_str(head);
    text.push('-');
    push_hex(&mut text, digest, len);
    text
}

fn iban(raw: &str, digest: &[u8; 32]) -> Option<String> {
    let compact = Kind::Iban.canonical(raw);
    if compact.len() < 15 || raw.chars().any(|c| !c.is_ascii_alphanumeric() && !" -.".contains(c)) {
        return None;
    }
    let (country, bban) = (compact.get(..2)?, compact.get(4..)?);
    let mut random = decimals(digest, bban.len()).into_bytes().into_iter().zip(0..);
    let fresh = rewritten(bban, |c| {
        let (digit, at) = random.next().unwrap_or((b'0', 0));
        match (at < 4, c.is_ascii_digit()) {
            (true, true) => '0',
            (true, false) => 'X',
            (false, true) => char::from(digit),
            (false, false) => char::from(b'A' + (digit - b'0')),
        }
    });
    let fresh = with_last(&fresh);
    let check = iban_check_digits(country, &fresh)?;
    Some(pour_all(raw.trim(), &format!("{country}{check:02}{fresh}")))
}

/// An account with the last of its characters made of the others, a digit or a letter as it was: real accounts may have a
/// bank of code zero too, in data that somebody made up.
fn with_last(bban: &str) -> String {
    let mut bytes = bban.as_bytes().to_vec();
    let Some((last, others)) = bytes.split_last_mut() else { return String::new() };
    let sum: u32 = others.iter().zip(1_u32..).map(|(b, weight)| u32::from(*b) * weight).sum();
    *last = if last.is_ascii_digit() { b'0' + (sum % 10) as u8 } else { b'A' + (sum % 26) as u8 };
    String::from_utf8(bytes).unwrap_or_default()
}

/// Puts new digits where the old ones stood, separators kept.
fn pour(raw: &str, digits: &str) -> String {
    let mut fresh = digits.chars();
    rewritten(raw, |c| if c.is_ascii_digit() { fresh.next().unwrap_or('9') } else { c })
}

/// Puts new letters and digits where the old ones stood.
fn pour_all(raw: &str, text: &str) -> String {
    let mut fresh = text.chars();
    rewritten(raw, |c| if c.is_ascii_alphanumeric() { fresh.next().unwrap_or('9') } else { c })
}

/// A text with other characters of about the same length.
fn rewritten(raw: &str, each: impl FnMut(char) -> char) -> String {
    let mut text = String::with_capacity(raw.len());
    text.extend(raw.chars().map(each));
    text
}

/// The text with its check letter, in the case of the letter that it replaces.
fn with_check_letter(mut text: String) -> String {
    if let Some((at, letter)) = check_letter(&text) {
        let lower = text.as_bytes()[at].is_ascii_lowercase();
        let letter = char::from(if lower { letter.to_ascii_lowercase() } else { letter });
        text.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
    }
    text
}

/// New letters for old ones, in the same case.
fn pour_letters(raw: &str, digest: &[u8; 32]) -> String {
    let mut at = 0;
    rewritten(raw, |c| {
        if !c.is_ascii_alphabetic() {
            return c;
        }
        let letter = b'A' + digest[31 - at % 16] % 26;
        at += 1;
        if c.is_ascii_uppercase() { char::from(letter) } else { char::from(letter.to_ascii_lowercase()) }
    })
}

/// HMAC-SHA-256 over the kind and the canonical value.
pub(in crate::redact) fn digest(key: &PseudonymKey, kind: Kind, canonical: &str) -> [u8; 32] {
    let mut mac = key.0.clone();
    mac.update(kind.name().as_bytes());
    mac.update(b"\0");
    mac.update(canonical.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(digest: &[u8; 32], len: usize) -> String {
    let mut text = String::with_capacity(len);
    push_hex(&mut text, digest, len);
    text
}

fn push_hex(text: &mut String, digest: &[u8; 32], len: usize) {
    for at in 0..len.min(64) {
        let nibble = digest[at / 2] >> (4 * (1 - at % 2)) & 15;
        text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
    }
}

fn decimals(digest: &[u8; 32], len: usize) -> String {
    let mut text = String::with_capacity(len);
    text.extend((0..len).map(|at| char::from(b'0' + digest[at % 32].wrapping_add((at / 32) as u8) % 10)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::is_iban;
    use std::sync::LazyLock;

    static KEY: LazyLock<PseudonymKey> = LazyLock::new(|| PseudonymKey::new([7; 32]));

    fn fresh(kind: Kind, raw: &str) -> String {
        replace(Action::Pseudonym, kind, raw, &KEY).map_or_else(|| raw.to_owned(), |replaced| replaced.fresh)
    }

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
            (Kind::Phone, "ext. 12"),
            (Kind::Ssn, "078-05-1120"),
            (Kind::Ipv4, "203.0.113.9"),
            (Kind::Ipv6, "2001:db8::1"),
            (Kind::Mac, "00:1a:2b:3c:4d:5e"),
            (Kind::Date, "1980-12-31"),
            (Kind::Date, "12/31/1980"),
            (Kind::Date, "31.1.1980"),
            (Kind::Date, "19801231"),
            (Kind::Date, "1980-12-31T10:20:30Z"),
            (Kind::Date, "yesterday"),
            (Kind::Digits, "00123456789"),
            (Kind::Digits, "12-345-678"),
            (Kind::Digits, "123"),
            (Kind::Digits, "X1234567"),
            (Kind::Id, "X1234567"),
            (Kind::Id, "RSSMRA85T10A562S"),
            (Kind::Id, "abc"),
            (Kind::Person, "Ada Lovelace"),
            (Kind::Address, "1 Main St"),
            (Kind::Token, "hunter2"),
            (Kind::Url, "https://example.org/ada"),
            (Kind::Word, "analyst"),
        ];
        for (kind, raw) in cases {
            let once = fresh(kind, raw);
            assert_ne!(once, raw);
            assert_eq!(fresh(kind, &once), once, "{kind:?} {raw}");
        }
    }

    #[test]
    fn a_paper_that_begins_as_a_stand_in_does_is_replaced() {
        for raw in ["99999706019K9DG", "LI999706019K9DG", "li999706019k9dg"] {
            let once = fresh(Kind::Id, raw);
            assert!(once != raw && fresh(Kind::Id, &once) == once, "{raw} {once}");
        }
    }

    #[test]
    fn a_plain_number_is_not_taken_for_a_stand_in_of_another_kind() {
        for raw in ["912345678", "96.7.228.170", "45661203", "17650206"] {
            assert!(!is_any_number_stand_in(raw), "{raw}");
        }
        assert!(is_any_number_stand_in(&fresh(Kind::Ssn, "078-05-1120")));
    }

    #[test]
    fn every_action_is_done_once() {
        for (_, action) in Action::ALL {
            for raw in ["1980-12-31", "ada@example.org", "4242424242424242", "x", "2000-02-29"] {
                for kind in Kind::ALL {
                    let once = replace(action, kind, raw, &KEY).map_or_else(|| raw.to_owned(), |r| r.fresh);
                    let twice = replace(action, kind, &once, &KEY).map_or_else(|| once.clone(), |r| r.fresh);
                    assert_eq!(once, twice, "{action:?} {kind:?} {raw}");
                }
            }
        }
    }

    #[test]
    fn formats_stay_valid_and_spellings_do_not_matter() {
        let card = fresh(Kind::Card, "4242-4242-4242-4242");
        assert!(is_luhn(&digits_of(&card)));
        assert_eq!(digits_of(&card), fresh(Kind::Card, "4242424242424242"));
        assert!(is_iban(&fresh(Kind::Iban, "DE89 3704 0044 0532 0130 00")));
        assert!(is_iban(&fresh(Kind::Iban, "GB82WEST12345698765432")));
        assert_eq!(fresh(Kind::Phone, "+1 (415) 555-0132"), fresh(Kind::Phone, "415.555.0132"));
        assert_eq!(digits_of(&fresh(Kind::Date, "1980-12-31")).len(), 8);
    }

    #[test]
    fn numbers_stay_numbers() {
        for raw in ["4242424242424242", "12", "-1.5e3", "0", "0.25", "123456789", "4155550132", "19801231"] {
            for kind in Kind::ALL {
                for (_, action) in Action::ALL {
                    let once = |raw: &str| {
                        replace_number(action, kind, raw, &KEY)
                            .map_or_else(|| raw.to_owned(), |replaced| replaced.fresh)
                    };
                    let fresh = once(raw);
                    assert!(serde_json::from_str::<serde_json::Number>(&fresh).is_ok(), "{raw} -> {fresh}");
                    assert_eq!(once(&fresh), fresh, "{action:?} {kind:?} {raw} {fresh}");
                }
            }
        }
    }
}
