//! Telephone numbers: country codes and national lengths of ITU-T E.164 and its national numbering plans.
//!
//! A table of our own, since the well-kept library costs too much here: `phonenumber` 0.3.10 takes 2 ms a check when
//! countries alternate (its patterns are compiled anew), 69 ms for the first, 23 MB of memory and 3.1 MB of program.

use std::ops::Range;

/// Country code → shortest and longest national number in digits, a leading zero of habit not counted. A digit of
/// tolerance is in the open plans (Germany, Austria, Italy, Finland), whose numbers vary.
#[rustfmt::skip]
const COUNTRIES: [(u32, usize, usize); 213] = [
    (1, 10, 10), (7, 10, 10),
    (20, 8, 10), (27, 9, 9), (30, 10, 10), (31, 9, 9), (32, 8, 9), (33, 9, 9), (34, 9, 9), (36, 8, 9), (39, 6, 11),
    (40, 9, 9), (41, 9, 9), (43, 4, 13), (44, 7, 10), (45, 8, 8), (46, 7, 10), (47, 8, 8), (48, 9, 9), (49, 5, 12),
    (51, 8, 9), (52, 10, 11), (53, 6, 8), (54, 10, 11), (55, 10, 11), (56, 8, 9), (57, 8, 10), (58, 10, 10),
    (60, 8, 10), (61, 9, 9), (62, 7, 12), (63, 8, 10), (64, 8, 10), (65, 8, 8), (66, 8, 9),
    (81, 9, 10), (82, 8, 10), (84, 9, 10), (86, 10, 11), (90, 10, 10), (91, 10, 10), (92, 9, 10), (93, 9, 9),
    (94, 9, 9), (95, 7, 10), (98, 10, 10),
    (211, 9, 9), (212, 9, 9), (213, 8, 9), (216, 8, 8), (218, 8, 9), (220, 7, 7), (221, 9, 9), (222, 8, 8),
    (223, 8, 8), (224, 8, 9), (225, 8, 10), (226, 8, 8), (227, 8, 8), (228, 8, 8), (229, 8, 10), (230, 7, 8),
    (231, 7, 9), (232, 8, 8), (233, 9, 9), (234, 8, 10), (235, 8, 8), (236, 8, 8), (237, 8, 9), (238, 7, 7),
    (239, 7, 7), (240, 9, 9), (241, 7, 8), (242, 9, 9), (243, 9, 9), (244, 9, 9), (245, 7, 9), (246, 7, 7),
    (248, 7, 7), (249, 9, 9), (250, 9, 9), (251, 9, 9), (252, 7, 9), (253, 8, 8), (254, 9, 10), (255, 9, 9),
    (256, 9, 9), (257, 8, 8), (258, 8, 9), (260, 9, 9), (261, 9, 10), (262, 9, 9), (263, 8, 10), (264, 8, 9),
    (265, 7, 9), (266, 8, 8), (267, 7, 8), (268, 8, 8), (269, 7, 7), (290, 4, 5), (291, 7, 7), (297, 7, 7),
    (298, 6, 6), (299, 6, 6),
    (350, 8, 8), (351, 9, 9), (352, 5, 11), (353, 7, 10), (354, 7, 9), (355, 8, 9), (356, 8, 8), (357, 8, 8),
    (358, 5, 12), (359, 7, 9), (370, 8, 8), (371, 8, 8), (372, 7, 8), (373, 8, 8), (374, 8, 8), (375, 9, 9),
    (376, 6, 9), (377, 8, 9), (378, 6, 10), (380, 9, 9), (381, 8, 9), (382, 8, 8), (383, 8, 9), (385, 8, 9),
    (386, 8, 8), (387, 8, 9), (389, 8, 8), (420, 9, 9), (421, 9, 9), (423, 7, 9),
    (500, 5, 5), (501, 7, 7), (502, 8, 8), (503, 8, 8), (504, 8, 8), (505, 8, 8), (506, 8, 8), (507, 7, 8),
    (508, 6, 6), (509, 8, 8), (590, 9, 9), (591, 8, 8), (592, 7, 7), (593, 8, 9), (594, 9, 9), (595, 9, 9),
    (596, 9, 9), (597, 6, 7), (598, 7, 8), (599, 7, 8),
    (670, 7, 8), (672, 6, 6), (673, 7, 7), (674, 7, 7), (675, 7, 8), (676, 5, 7), (677, 5, 7), (678, 5, 7),
    (679, 7, 7), (680, 7, 7), (681, 6, 6), (682, 5, 5), (683, 4, 7), (685, 5, 7), (686, 5, 8), (687, 6, 6),
    (688, 5, 6), (689, 6, 8), (690, 4, 5), (691, 7, 7), (692, 7, 7),
    (800, 8, 8), (808, 8, 8), (850, 8, 10), (852, 8, 8), (853, 8, 8), (855, 8, 9), (856, 8, 10), (870, 9, 9),
    (878, 12, 12), (880, 8, 10), (881, 8, 9), (882, 7, 12), (883, 7, 12), (886, 8, 9), (888, 11, 11),
    (960, 7, 7), (961, 7, 8), (962, 8, 9), (963, 8, 9), (964, 8, 10), (965, 7, 8), (966, 8, 9), (967, 7, 9),
    (968, 7, 8), (970, 8, 9), (971, 8, 9), (972, 8, 9), (973, 8, 8), (974, 7, 8), (975, 7, 8), (976, 8, 8),
    (977, 8, 10), (992, 9, 9), (993, 8, 8), (994, 9, 9), (995, 9, 9), (996, 9, 9), (998, 9, 9),
];

/// A telephone number that nobody needs to announce: in the international form (`+` or `00`), checked against the plan
/// of its country, or in the North American form with its separators. An extension behind it is not part of it.
pub(in crate::redact) fn phone_within(text: &str) -> Option<Range<usize>> {
    let trimmed = text.trim_start_matches('(');
    let (number, form) = match (trimmed.strip_prefix('+'), trimmed.strip_prefix("00")) {
        (Some(rest), _) => (rest.trim_start(), Form::Plus),
        (_, Some(rest)) => (rest.trim_start_matches([' ', '-', '.']), Form::Zeros),
        _ => (text, Form::NorthAmerican),
    };
    let start = text.len() - number.len();
    let mut digits = [0u32; 16];
    let mut len = 0;
    let mut found = None;
    let bytes = number.as_bytes();
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        // A zero in brackets is dialled at home only.
        if len > 0 && number[at..].starts_with("(0)") {
            at += 3;
            continue;
        }
        at += 1;
        match b {
            b'0'..=b'9' if len < digits.len() => {
                digits[len] = u32::from(b - b'0');
                len += 1;
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' => continue,
            // `415-555-0132-BLK` is an article.
            _ if form == Form::NorthAmerican && number[..at - 1].ends_with('-') => return None,
            _ => break,
        }
        if bytes.get(at).is_some_and(u8::is_ascii_digit) {
            continue;
        }
        let in_plan = match form {
            Form::NorthAmerican => is_north_american(&digits[..len]),
            Form::Plus | Form::Zeros => beyond_plan(&digits[..len]) == Some(0),
        };
        if in_plan {
            found = Some(0..start + at);
        }
    }
    // After a plus sign nothing but a telephone number is written: mistyped by a digit or two it is still somebody's.
    let near =
        || form == Form::Plus && at == bytes.len() && beyond_plan(&digits[..len]).is_some_and(|by| by.abs() <= 2);
    found.or_else(|| near().then_some(0..text.len()))
}

/// How a number begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plus,
    Zeros,
    NorthAmerican,
}

/// How many digits an international number has more (or less, if below 0) than its country's plan allows; `None` if there
/// is no such country or no such number in its plan.
fn beyond_plan(digits: &[u32]) -> Option<isize> {
    let (code, national, (_, shortest, longest)) = (1..=3).find_map(|len| {
        let code = digits.get(..len)?.iter().fold(0, |n, digit| n * 10 + digit);
        let at = COUNTRIES.binary_search_by_key(&code, |country| country.0).ok()?;
        Some((code, &digits[len..], COUNTRIES[at]))
    })?;
    // Italy keeps the zero; elsewhere people write it although it is not dialled.
    let trunk = usize::from(code != 39 && national.first() == Some(&0));
    let len = national.len() - trunk;
    if digits.len() > 15 || (code == 1 && national.first().is_some_and(|digit| *digit < 2)) {
        return None;
    }
    Some(len.saturating_sub(longest) as isize - shortest.saturating_sub(len) as isize)
}

/// North American Numbering Plan: areas begin with 2 to 9, exchanges too, but invented numbers often do not keep to the
/// latter.
fn is_north_american(digits: &[u32]) -> bool {
    let number = match digits {
        [1, rest @ ..] if rest.len() == 10 => rest,
        other => other,
    };
    number.len() == 10 && number[0] >= 2 && number[3] >= 1
}

/// A number where a word says that it is a telephone's: 6 to 15 digits (E.164, 6.1), no date, no decimal, no address.
pub(in crate::redact) fn is_announced_phone(text: &str) -> bool {
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    let b = text.as_bytes();
    let whole = b.len() == 10 || b.get(10).is_some_and(|b| !b.is_ascii_digit());
    let dated = |sign: u8| whole && ((b[4] == sign && b[7] == sign) || (b[2] == sign && b[5] == sign));
    let points = text.bytes().filter(|b| *b == b'.').count();
    let decimal = points == 1 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (6..=15).contains(&count) && !dated(b'-') && !dated(b'/') && !dated(b'.') && !decimal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;
    use proptest::prelude::*;

    #[test]
    fn codes_are_sorted_and_none_begins_with_another() {
        assert!(COUNTRIES.is_sorted());
        for (code, ..) in COUNTRIES {
            let text = code.to_string();
            assert!(
                (1..text.len()).all(|len| COUNTRIES.iter().all(|other| other.0.to_string() != text[..len])),
                "{code}"
            );
        }
    }

    #[test]
    fn plans_decide() {
        let right = [
            "+44 20 7946 0958",
            "+442079460958",
            "+49 (0)30 901820",
            "0049 30 901820",
            "+33 6 12 34 56 78",
            "+1 (415) 555-0132",
            "+39 06 6982",
            "+353 1 679 7900",
            "+55 11 98765-4321",
            "(415) 555-0132",
            "1-415-555-0132",
        ];
        // In turn: no such country, too short, too long for France, area 123, exchange 055, prose.
        let wrong = [
            "+210 123 4567",
            "+44 123",
            "0033 6 12 34 56 78 9",
            "+33 6 12 34 56 78 90 12",
            "(123) 555-0132",
            "(415) 055-0132",
            "+",
            "00",
        ];
        judge(Validator::Phone, &right, &wrong);
    }

    #[test]
    fn announced_numbers_need_no_plan_but_are_no_dates() {
        judge(
            Validator::PhoneAnnounced,
            &["0151 2345678", "555-0132 ext", "01 23 45 67 89", "030/901820"],
            &["2024-01-15", "2024-01-15 10", "15.01.2024", "12345.678", "12", "1234567890123456"],
        );
    }

    #[test]
    fn what_follows_is_left_out() {
        assert_eq!(Validator::Phone.check("+44 20 7946 0958 12 34"), Some(0..16));
        assert_eq!(Validator::Phone.check("415-555-0132 x99"), Some(0..12));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = (phone_within(&text), is_announced_phone(&text));
        }

        #[test]
        fn a_number_is_one_however_it_is_grouped(digits in "[2-9][0-9]{2}[2-9][0-9]{6}", sign in "[ .-]") {
            let grouped = format!("+1{sign}{}{sign}{}{sign}{}", &digits[..3], &digits[3..6], &digits[6..]);
            prop_assert_eq!(phone_within(&grouped), Some(0..grouped.len()));
        }
    }
}
