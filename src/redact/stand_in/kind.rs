//! What a value is, and its canonical form: two spellings of one value are equal in it.

use crate::redact::stand_in::date::date_parts;
use crate::redact::validators::{is_email, is_iban, is_issued_card};
use std::borrow::Cow;
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
    Mac,
    Date,
    Digits,
    Id,
    Person,
    Address,
    Token,
    Jwt,
    Url,
    Word,
}

impl Kind {
    pub const ALL: [Self; 17] = [
        Self::Email,
        Self::Card,
        Self::Iban,
        Self::Phone,
        Self::Ssn,
        Self::Ipv4,
        Self::Ipv6,
        Self::Mac,
        Self::Date,
        Self::Digits,
        Self::Id,
        Self::Person,
        Self::Address,
        Self::Token,
        Self::Jwt,
        Self::Url,
        Self::Word,
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
            Self::Mac => "mac",
            Self::Date => "date",
            Self::Digits => "digits",
            Self::Id => "id",
            Self::Person => "person",
            Self::Address => "address",
            Self::Token => "token",
            Self::Jwt => "jwt",
            Self::Url => "url",
            Self::Word => "word",
        }
    }

    /// Whether its values are runs of digits and letters, which identifiers, times and digests look like too.
    pub fn is_guarded(self) -> bool {
        matches!(self, Self::Card | Self::Phone | Self::Ssn | Self::Ipv4 | Self::Digits | Self::Id)
    }

    /// Whether its values are numbers of papers, accounts and cards.
    pub fn is_of_paper(self) -> bool {
        matches!(self, Self::Card | Self::Iban | Self::Ssn | Self::Id)
    }

    /// Whether its values are numbers that somebody hands out, which no UUID and no digest is.
    pub fn is_numbered(self) -> bool {
        matches!(
            self,
            Self::Card | Self::Iban | Self::Phone | Self::Ssn | Self::Digits | Self::Id | Self::Person | Self::Address
        )
    }

    /// Whether none of its values is a sentence: somebody's password, address or long name may be like one.
    pub fn has_no_sentence(self) -> bool {
        !matches!(self, Self::Person | Self::Address | Self::Token | Self::Jwt | Self::Url | Self::Word)
    }

    /// Whether its values are never a UUID, a digest, a timestamp or a decimal, whatever name they stand under.
    pub fn is_never_a_shape(self) -> bool {
        matches!(self, Self::Person | Self::Address | Self::Phone | Self::Email | Self::Card | Self::Iban)
    }

    /// Whether its values are words, which may be written in numbers only by accident.
    pub fn is_wordy(self) -> bool {
        matches!(self, Self::Person | Self::Email | Self::Url | Self::Word)
    }

    /// The kind of a value that a rule of this kind claims: what the value is by its own checks goes before what its
    /// place says, so that it gets the same stand-in wherever it stands.
    pub fn of_value(self, raw: &str) -> Self {
        let raw = raw.trim();
        match self {
            Self::Jwt | Self::Url => self,
            _ if raw.contains('@') && is_email(raw) => Self::Email,
            // Most names and addresses have nothing that the others cannot do without.
            _ if !raw.bytes().any(|b| b.is_ascii_digit()) && !raw.contains(':') => self,
            Self::Digits
            | Self::Id
            | Self::Ssn
            | Self::Token
            | Self::Word
            | Self::Phone
            | Self::Person
            | Self::Address => {
                if is_iban(raw) {
                    Self::Iban
                } else if is_digits_and_separators(raw) && is_card(self, &digits_of(raw)) {
                    Self::Card
                } else if raw.parse::<Ipv4Addr>().is_ok() {
                    Self::Ipv4
                } else if raw.contains(':') && raw.parse::<Ipv6Addr>().is_ok() {
                    Self::Ipv6
                } else if matches!(self, Self::Id | Self::Digits | Self::Ssn) && is_digits_and_separators(raw) {
                    // One number has one stand-in, whatever its place calls it: nine digits may be a social security
                    // number, others are a number.
                    if digits_of(raw).len() == 9 { Self::Ssn } else { Self::Digits }
                } else if self == Self::Person {
                    // Nobody's name has digits: what a recipient's or a search's field holds then is an address.
                    Self::Address
                } else {
                    self
                }
            }
            _ => self,
        }
    }

    /// The canonical form of a value of this kind.
    pub fn canonical(self, raw: &str) -> Cow<'_, str> {
        let raw = raw.trim();
        match self {
            Self::Email => raw.to_lowercase().into(),
            Self::Card | Self::Ssn | Self::Digits if is_digits_and_separators(raw) => digits_of(raw).into(),
            Self::Phone if is_digits_and_separators(raw) => phone_digits(raw).into(),
            Self::Iban | Self::Id | Self::Ssn | Self::Digits | Self::Card => {
                if raw.is_ascii() {
                    let mut text = String::with_capacity(raw.len());
                    text.extend(
                        raw.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_uppercase())),
                    );
                    return text.into();
                }
                raw.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect::<String>().into()
            }
            Self::Mac => {
                let hex = raw.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase());
                hex.collect::<String>().into()
            }
            Self::Ipv6 => raw.parse::<Ipv6Addr>().map_or_else(|_| raw.to_lowercase(), |ip| ip.to_string()).into(),
            // A date that can be read in two ways is only itself.
            Self::Date => match date_parts(raw).filter(|date| !date.is_ambiguous()) {
                Some(date) => format!("{}-{}-{}", date.year, date.month, date.day).into(),
                None => raw.into(),
            },
            Self::Person | Self::Address | Self::Word | Self::Phone => {
                let mut words = raw.split_whitespace();
                let mut text = String::with_capacity(raw.len());
                text.push_str(words.next().unwrap_or_default());
                words.for_each(|word| text.extend([" ", word]));
                if text.is_ascii() {
                    text.make_ascii_lowercase();
                    return text.into();
                }
                text.to_lowercase().into()
            }
            Self::Ipv4 | Self::Token | Self::Jwt | Self::Url => raw.into(),
        }
    }

    /// Whether a value of this kind leads to one person, so that the person's recordings can be found by it.
    pub fn names_a_person(self) -> bool {
        !matches!(self, Self::Date | Self::Token | Self::Jwt | Self::Url | Self::Word)
    }
}

/// Whether digits are a card's: of twelve or thirteen digits in a place for telephones a telephone is the likelier
/// reading.
fn is_card(place: Kind, digits: &str) -> bool {
    (place != Kind::Phone || digits.len() > 13) && is_issued_card(digits)
}

/// The digits of a text.
pub(in crate::redact) fn digits_of(raw: &str) -> String {
    let mut digits = String::with_capacity(raw.len());
    digits.extend(raw.bytes().filter(u8::is_ascii_digit).map(char::from));
    digits
}

/// Whether a text is digits and what is written between them.
pub(in crate::redact) fn is_digits_and_separators(raw: &str) -> bool {
    raw.len() <= 64
        && raw.bytes().any(|b| b.is_ascii_digit())
        && raw.bytes().all(|b| b.is_ascii_digit() || b" -./()+".contains(&b))
}

/// The digits of a telephone number without what some spellings leave out: `00` for `+`, the `1` of North America, and
/// a bracketed trunk zero.
pub(in crate::redact) fn phone_digits(raw: &str) -> String {
    let digits = digits_of(&raw.replacen("(0)", "", 1));
    let international = digits.strip_prefix("00").unwrap_or(&digits);
    match international.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest.to_owned(),
        _ => international.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_equal() {
        let same = |kind: Kind, a: &str, b: &str| assert_eq!(kind.canonical(a), kind.canonical(b), "{a} {b}");
        same(Kind::Email, "Ada@Example.org ", "ada@example.org");
        same(Kind::Card, "4242-4242 42424242", "4242424242424242");
        same(Kind::Iban, "de89 3704 0044 0532 0130 00", "DE89370400440532013000");
        same(Kind::Phone, "+1 (415) 555-0132", "415.555.0132");
        same(Kind::Phone, "+44 (0)20 7946 0958", "0044 20 79460958");
        same(Kind::Date, "1980-12-31", "31.12.1980");
        same(Kind::Date, "19801231", "12/31/1980");
        assert_ne!(Kind::Date.canonical("05/06/1980"), Kind::Date.canonical("1980-05-06"));
        same(Kind::Mac, "00:1A:2b:3c:4d:5e", "001a.2b3c.4d5e");
        same(Kind::Person, " Ada  Lovelace", "ADA LOVELACE");
    }

    #[test]
    fn what_a_value_is_goes_before_its_place() {
        assert_eq!(["501800000009", "4915151038887"].map(|raw| Kind::Phone.of_value(raw)), [Kind::Phone; 2]);
        assert_eq!(Kind::Token.of_value("ada@example.org"), Kind::Email);
        assert_eq!(Kind::Digits.of_value("4242 4242 4242 4242"), Kind::Card);
        assert_eq!(Kind::Id.of_value("DE89370400440532013000"), Kind::Iban);
        assert_eq!(Kind::Token.of_value("203.0.113.9"), Kind::Ipv4);
        assert_eq!(Kind::Token.of_value("hunter2"), Kind::Token);
        assert_eq!(Kind::Person.of_value("Skolstigen 4, 83041 Borås"), Kind::Address);
        assert_eq!(Kind::Person.of_value("Ada Lovelace"), Kind::Person);
        assert_eq!(Kind::Address.of_value("203.0.113.9"), Kind::Ipv4);
        assert_eq!([Kind::Id, Kind::Digits, Kind::Ssn].map(|kind| kind.of_value("078-05-1120")), [Kind::Ssn; 3]);
        assert_eq!([Kind::Id, Kind::Digits].map(|kind| kind.of_value("1234567")), [Kind::Digits; 2]);
    }
}
