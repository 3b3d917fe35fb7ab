//! Payment card numbers: ISO/IEC 7812, with the ranges and lengths that issuers publish.

use crate::redact::validators::checksum::luhn;
use std::ops::Range;

/// Longest card number, in digits.
const DIGITS_MAX: usize = 19;

/// First and last prefix (of as many digits as written), and the lengths of the numbers below it.
type Issuer = (u32, u32, &'static [usize]);

/// Ranges whose numbers carry a Luhn digit. Where schemes overlap, the lengths of all hold.
#[rustfmt::skip]
const ISSUERS: [Issuer; 30] = [
    (4, 4, &[13, 16, 19]), // Visa
    (51, 55, &[16]), // Mastercard
    (2221, 2720, &[16]), // Mastercard, second range
    (34, 34, &[15]), // American Express
    (37, 37, &[15]), // American Express
    (300, 305, &[14, 16, 19]), // Diners Club
    (3095, 3095, &[14, 16, 19]), // Diners Club
    (36, 36, &[14, 16, 19]), // Diners Club
    (38, 39, &[14, 16, 19]), // Diners Club
    (60, 60, &[16, 19]), // Discover (6011), RuPay, Hipercard
    (644, 649, &[16, 19]), // Discover
    (65, 65, &[16, 19]), // Discover, Verve, RuPay, Troy, Elo
    (35, 35, &[16, 19]), // JCB (3528 to 3589), RuPay with JCB
    (1800, 1800, &[15]), // JCB, first range
    (2131, 2131, &[15]), // JCB, first range
    (62, 62, &[16, 17, 18, 19]), // UnionPay
    (81, 82, &[16, 17, 18, 19]), // UnionPay, RuPay
    (2200, 2204, &[16, 17, 18, 19]), // Mir
    (50, 50, &[16, 18, 19]), // Maestro, RuPay (508), Verve (5060, 5061), Elo (5067)
    (56, 58, &[16, 18, 19]), // Maestro
    (63, 63, &[16, 18, 19]), // Maestro, Elo (6363)
    (67, 67, &[16, 18, 19]), // Maestro
    (5018, 5018, &[12]),            // Maestro, short
    (5020, 5020, &[12]),            // Maestro, short
    (5038, 5038, &[12]),            // Maestro, short
    (56, 58, &[12]),                // Maestro, short
    (6304, 6304, &[12]),            // Maestro, short
    (6390, 6390, &[12]),            // Maestro, short
    (6759, 6763, &[12]),            // Maestro, short
    (9792, 9792, &[16]), // Troy
];

/// A card number at the start of the candidate: groups after it (an expiry) may have been caught by the pattern too.
/// What stands before it is skipped by the search, which goes on one character further after a failed check. Digits
/// with letters among them are none: those are identifiers. Nor is a bar code (UPC-A, EAN-13) that happens to pass.
pub(in crate::redact) fn card_within(text: &str) -> Option<Range<usize>> {
    longest(text, |digits| is_issued(digits) && luhn(digits) && !is_bar_code(digits))
}

/// Whether a run of digits is a card number as a whole, or could be one under another name.
pub(in crate::redact) fn is_issued_card(digits: &str) -> bool {
    longest(digits, |digits| is_issued(digits) && luhn(digits)) == Some(0..digits.len())
}

/// Whether a number may be a card's: those of banks begin with 3 to 6, others are known by their ranges (ISO/IEC 7812).
pub(in crate::redact) fn is_card_like(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.starts_with(['2', '3', '4', '5', '6']) || longest(&digits, is_issued) == Some(0..digits.len())
}

/// The same where a word says that it is a card: bar codes do not stand there.
pub(in crate::redact) fn named_card_within(text: &str) -> Option<Range<usize>> {
    longest(text, |digits| (12..=DIGITS_MAX).contains(&digits.len()) && luhn(digits))
}

/// The longest run of digits and separators from the start that is whole and passes.
fn longest(text: &str, passes: impl Fn(&[u32]) -> bool) -> Option<Range<usize>> {
    let mut digits = [0; DIGITS_MAX];
    let mut len = 0;
    let mut found = None;
    let bytes = text.as_bytes();
    for (at, b) in bytes.iter().enumerate() {
        match b {
            b'0'..=b'9' if len < DIGITS_MAX => {
                digits[len] = u32::from(b - b'0');
                len += 1;
            }
            b'0'..=b'9' => break,
            b' ' | b'-' | b'.' => continue,
            _ => break,
        }
        let next = bytes.get(at + 1);
        if next.is_none_or(|b| !b.is_ascii_alphanumeric()) && passes(&digits[..len]) {
            found = Some(0..at + 1);
        }
    }
    found
}

/// Whether an issuer hands out numbers of this prefix and length.
fn is_issued(digits: &[u32]) -> bool {
    let head = |len: usize| digits.iter().take(len).fold(0, |n, digit| n * 10 + digit);
    digits.len() >= 12
        && ISSUERS.iter().any(|(first, last, lengths)| {
            let prefix = head(first.ilog10() as usize + 1);
            (*first..=*last).contains(&prefix) && lengths.contains(&digits.len())
        })
}

/// GS1 General Specifications, 7.9: digits weigh 3 and 1 from the right, of 12 (UPC-A) or 13 (EAN-13, ISBN-13).
fn is_bar_code(digits: &[u32]) -> bool {
    let weighed = digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 0 { *digit } else { digit * 3 });
    matches!(digits.len(), 12 | 13) && weighed.sum::<u32>().is_multiple_of(10)
}

/// The card number of the second track of a magnetic stripe (ISO/IEC 7813): `;NUMBER=YYMM...`, or of the first,
/// `%BNUMBER^NAME^YYMM...`.
pub(in crate::redact) fn is_track(text: &str) -> bool {
    let inner = text.trim_start_matches([';', '%', 'B', 'b']);
    let len = inner.bytes().take_while(u8::is_ascii_digit).count();
    card_within(&inner[..len]) == Some(0..len)
        && inner[len..].starts_with(['=', '^', 'D'])
        && inner.bytes().rev().take_while(|b| *b != b'=' && *b != b'^').filter(u8::is_ascii_digit).count() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::Validator;
    use crate::redact::validators::checksum::luhn_digit;
    use crate::redact::validators::tests::judge;
    use proptest::prelude::*;

    #[test]
    fn issuers_lengths_and_luhn_count() {
        // The test numbers that payment providers publish.
        let right = [
            "4242424242424242",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "30569309025904",
            "36227206271667",
            "3566002020360505",
            "6200000000000005",
            "2200000000000004",
            "6759649826438453",
            "4111-1111-1111-1111",
            "9792030394440796",
            "5066 9911 1111 1118",
        ];
        // In turn: a wrong digit, no issuer, a length Visa has not, an IMEI, an EAN-13, letters, a lone prefix.
        let wrong = [
            "4242424242424241",
            "1000000000000008",
            "42424242424242",
            "490154203237518",
            "9780306406157",
            "4242a42424242424",
            "4",
        ];
        judge(Validator::Luhn, &right, &wrong);
    }

    #[test]
    fn neighbours_are_left_out() {
        assert_eq!(Validator::Luhn.check("4242 4242 4242 4242 12"), Some(0..19));
        assert_eq!(Validator::Luhn.check("4242 4242 4242 4242 123"), Some(0..19));
        assert_eq!(Validator::Luhn.check("4242424242424242a"), None);
    }

    #[test]
    fn tracks_hold_a_card() {
        judge(
            Validator::Track,
            &[
                "4242424242424242=25121010000000000000",
                "%B4242424242424242^LOVELACE/ADA^2512101",
                ";4111111111111111=2512",
            ],
            &["4242424242424241=2512", "a=1234", "4242424242424242", "4242424242424242=25"],
        );
    }

    proptest! {
        #[test]
        fn one_wrong_digit_never_passes(rest in "[0-9]{14}", at in 0usize..16, add in 1u8..10) {
            let head = format!("4{rest}");
            let right = format!("{head}{}", luhn_digit(&head));
            prop_assert_eq!(card_within(&right), Some(0..16));
            let mut wrong = right.into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + add) % 10;
            prop_assert_ne!(card_within(std::str::from_utf8(&wrong).unwrap()), Some(0..16));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = (card_within(&text), is_track(&text));
        }
    }
}
