//! International bank account numbers: ISO 13616, with the lengths and structures of the SWIFT IBAN registry.

use crate::redact::validators::checksum::mod97;
use crate::redact::validators::compact::Compact;
use std::ops::Range;

/// Country → structure of what follows the check digits: a length and `n` (digits), `a` (letters) or `c` (either).
#[rustfmt::skip]
const STRUCTURES: [(&str, &str); 89] = [
    ("AD", "8n12c"), ("AE", "19n"), ("AL", "8n16c"), ("AT", "16n"), ("AZ", "4a20c"), ("BA", "16n"), ("BE", "12n"),
    ("BG", "4a6n8c"), ("BH", "4a14c"), ("BI", "23n"), ("BR", "23n1a1c"), ("BY", "4c4n16c"), ("CH", "5n12c"),
    ("CR", "18n"), ("CY", "8n16c"), ("CZ", "20n"), ("DE", "18n"), ("DJ", "23n"), ("DK", "14n"), ("DO", "4c20n"),
    ("EE", "16n"), ("EG", "25n"), ("ES", "20n"), ("FI", "14n"), ("FK", "2a12n"), ("FO", "14n"), ("FR", "10n11c2n"),
    ("GB", "4a14n"), ("GE", "2a16n"), ("GI", "4a15c"), ("GL", "14n"), ("GR", "7n16c"), ("GT", "24c"), ("HN", "4a20n"),
    ("HR", "17n"), ("HU", "24n"), ("IE", "4a14n"), ("IL", "19n"), ("IQ", "4a15n"), ("IS", "22n"), ("IT", "1a10n12c"),
    ("JO", "4a4n18c"), ("KW", "4a22c"), ("KZ", "3n13c"), ("LB", "4n20c"), ("LC", "4a24c"), ("LI", "5n12c"),
    ("LT", "16n"), ("LU", "3n13c"), ("LV", "4a13c"), ("LY", "21n"), ("MC", "10n11c2n"), ("MD", "20c"), ("ME", "18n"),
    ("MK", "3n10c2n"), ("MN", "16n"), ("MR", "23n"), ("MT", "4a5n18c"), ("MU", "4a19n3a"), ("NI", "4a20n"),
    ("NL", "4a10n"), ("NO", "11n"), ("OM", "3n16c"), ("PK", "4a16c"), ("PL", "24n"), ("PS", "4a21c"), ("PT", "21n"),
    ("QA", "4a21c"), ("RO", "4a16c"), ("RS", "18n"), ("RU", "14n15c"), ("SA", "2n18c"), ("SC", "4a20n3a"),
    ("SD", "14n"), ("SE", "20n"), ("SI", "15n"), ("SK", "20n"), ("SM", "1a10n12c"), ("SO", "19n"), ("ST", "21n"),
    ("SV", "4a20n"), ("TL", "19n"), ("TN", "20n"), ("TR", "6n16c"), ("UA", "6n19c"), ("VA", "18n"), ("VG", "4a16n"),
    ("XK", "16n"), ("YE", "4a4n18c"),
];

/// The check digits of an IBAN of this country and BBAN.
pub(in crate::redact) fn iban_check_digits(country: &str, bban: &str) -> Option<u32> {
    Some(98 - mod97(bban.bytes().chain(country.bytes()).chain(*b"00"))?)
}

/// Whether the text, separators aside, is an IBAN: a country of the registry, its length and structure, and right check
/// digits.
pub(in crate::redact) fn is_iban(text: &str) -> bool {
    let Some(compact) = Compact::of(text) else { return false };
    let Some((country, rest)) = compact.split_at_checked(2) else { return false };
    let Some((check, bban)) = rest.split_at_checked(2) else { return false };
    let Ok(at) = STRUCTURES.binary_search_by(|(name, _)| name.as_bytes().cmp(country)) else { return false };
    check.iter().all(u8::is_ascii_digit)
        && has_structure(bban, STRUCTURES[at].1)
        && mod97(bban.iter().chain(country).chain(check).copied()) == Some(1)
}

/// Whether the characters are as the structure says, all of them.
fn has_structure(bban: &[u8], structure: &str) -> bool {
    let (mut rest, mut len) = (bban, 0);
    for class in structure.bytes() {
        if class.is_ascii_digit() {
            len = len * 10 + usize::from(class - b'0');
            continue;
        }
        let Some((part, after)) = rest.split_at_checked(len) else { return false };
        let right = part.iter().all(|b| match class {
            b'n' => b.is_ascii_digit(),
            b'a' => b.is_ascii_uppercase(),
            _ => b.is_ascii_alphanumeric(),
        });
        if !right {
            return false;
        }
        (rest, len) = (after, 0);
    }
    rest.is_empty()
}

/// An IBAN by country, length and check digits, although its structure is of another registry.
fn is_long_as_iban(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() > 4) else { return false };
    let of_country = STRUCTURES.iter().find(|(country, _)| compact.starts_with(country.as_bytes()));
    let len = |structure: &str| structure.split(['n', 'a', 'c']).filter_map(|n| n.parse::<usize>().ok()).sum::<usize>();
    of_country.is_some_and(|(_, structure)| len(structure) + 4 == compact.len())
        && compact[2..4].iter().all(u8::is_ascii_digit)
        && mod97(compact[4..].iter().chain(&compact[..4]).copied()) == Some(1)
}

/// Whether a country's name and check digits are right although the length or the structure is not: mistyped, invented or
/// of a newer registry.
fn is_near_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    (15..=34).contains(&bytes.len())
        && STRUCTURES.iter().any(|(country, _)| bytes[..2].eq_ignore_ascii_case(country.as_bytes()))
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && mod97(bytes[4..].iter().chain(&bytes[..4]).copied()) == Some(1)
}

/// The longest IBAN the candidate starts with: a pattern that allows spaces swallows the next word. Without separators
/// nothing is swallowed, and the check digits alone are enough.
pub(in crate::redact) fn iban_within(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    (15..=bytes.len().min(48))
        .rev()
        .filter(|&end| {
            bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric()) && bytes[end - 1].is_ascii_alphanumeric()
        })
        .find(|&end| text.get(..end).is_some_and(|part| is_iban(part) || is_long_as_iban(part)))
        .or_else(|| {
            Some(bytes.iter().take_while(|b| b.is_ascii_alphanumeric()).count())
                .filter(|&end| is_near_iban(&text[..end]))
        })
        .map(|end| 0..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;
    use proptest::prelude::*;

    #[test]
    fn the_registry_is_sorted_for_the_search() {
        assert!(STRUCTURES.is_sorted());
    }

    #[test]
    fn countries_lengths_and_structures_count() {
        let right = [
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "nl91 abna 0417 1643 00",
            "LC55HEMM000100010012001200023015",
            "BR1800360305000010009795493C1",
        ];
        // In turn: a wrong check digit, no such country, a letter where a digit belongs, one digit too few, prose.
        let wrong = [
            "DE88370400440532013000",
            "ZZ82WEST12345698765432",
            "DE89370400440532O13000",
            "GB82WEST1234569876543",
            "GB 82 is a good year for wine",
        ];
        judge(Validator::Iban, &right, &wrong);
    }

    #[test]
    fn the_next_word_is_left_out() {
        assert_eq!(Validator::Iban.check("DE89370400440532013000 IS MINE"), Some(0..22));
        assert_eq!(Validator::Iban.check("TR93 5017 4NKP FRFW 0616 KGD0 46"), Some(0..32));
        assert_eq!(Validator::Iban.check("GB86GVXA0455179316149"), Some(0..21));
        assert_eq!(Validator::Iban.check("GB82 WEST 1234 5698 7654 32 12"), Some(0..27));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_never_passes(digits in "[0-9]{18}", at in 2usize..22, add in 1u8..10) {
            let check = iban_check_digits("DE", &digits).unwrap();
            let right = format!("DE{check:02}{digits}");
            prop_assert!(is_iban(&right));
            let mut wrong = right.into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + add) % 10;
            prop_assert_eq!(iban_within(std::str::from_utf8(&wrong).unwrap()), None);
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = iban_within(&text);
        }
    }
}
