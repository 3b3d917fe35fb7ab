//! Check-digit schemes that several numbers share.

/// Luhn (ISO/IEC 7812-1, annex B): every second digit from the right is doubled, the digit sums add up to tens.
pub(in crate::redact) fn luhn(digits: &[u32]) -> bool {
    luhn_sum(digits.iter().rev().copied(), false).is_multiple_of(10)
}

/// The check digit that makes `digits` plus itself pass Luhn.
pub(in crate::redact) fn luhn_digit(digits: &str) -> char {
    let values = digits.bytes().rev().map(|b| u32::from(b.saturating_sub(b'0')));
    let sum = luhn_sum(values, true);
    char::from(b'0' + ((10 - sum % 10) % 10) as u8)
}

/// Whether a run of digits passes Luhn.
pub(in crate::redact) fn is_luhn(digits: &str) -> bool {
    digits.bytes().all(|b| b.is_ascii_digit())
        && luhn_sum(digits.bytes().rev().map(|b| u32::from(b - b'0')), false).is_multiple_of(10)
}

fn luhn_sum(digits: impl Iterator<Item = u32>, double_first: bool) -> u32 {
    digits.enumerate().map(|(at, digit)| if (at % 2 == 0) == double_first { doubled(digit) } else { digit }).sum()
}

/// Twice a digit, its own digits added.
pub(in crate::redact) fn doubled(digit: u32) -> u32 {
    if digit > 4 { digit * 2 - 9 } else { digit * 2 }
}

/// The sum of digits times their weights, as far as both go.
pub(in crate::redact) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// ISO/IEC 7064 MOD 11,10 (a hybrid system): the last digit checks the others.
pub(in crate::redact) fn iso7064_mod11_10(digits: &[u32]) -> bool {
    let Some((check, rest)) = digits.split_last() else { return false };
    let product = rest.iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        if sum == 0 { 10 * 2 % 11 } else { sum * 2 % 11 }
    });
    (product + check) % 10 == 1
}

/// ISO/IEC 7064 MOD 11-2 (a pure system): the check character may be X, given as 10.
pub(in crate::redact) fn iso7064_mod11_2(digits: &[u32]) -> bool {
    let Some((check, rest)) = digits.split_last() else { return false };
    (rest.iter().fold(0, |sum, digit| (sum + digit) * 2 % 11) + check) % 11 == 1
}

/// The remainder by 97 of the number that characters write when letters stand for 10 to 35 (ISO/IEC 7064 MOD 97-10);
/// `None` if there is anything else.
pub(in crate::redact) fn mod97(bytes: impl Iterator<Item = u8>) -> Option<u32> {
    let mut rest = 0;
    for b in bytes {
        let value = char::from(b).to_digit(36)?;
        rest = if value > 9 { rest * 100 + value } else { rest * 10 + value } % 97;
    }
    Some(rest)
}

/// Verhoeff (J. Verhoeff, Error Detecting Decimal Codes, 1969): the dihedral group of order ten.
pub(in crate::redact) fn verhoeff(digits: &[u32]) -> bool {
    const PERMUTATION: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let mut group = 0;
    for (at, digit) in digits.iter().rev().enumerate() {
        group = dihedral(group, u32::from(PERMUTATION[at % 8][(digit % 10) as usize]));
    }
    group == 0
}

/// The product of two elements of the dihedral group D5: rotations 0 to 4, reflections 5 to 9.
fn dihedral(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b % 5) % 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<u32> {
        text.chars().map(|c| c.to_digit(10).unwrap_or(10)).collect()
    }

    #[test]
    fn published_samples_pass_and_near_misses_fail() {
        for (scheme, right) in [
            (luhn as fn(&[u32]) -> bool, ["79927398713", "4242424242424242"]),
            (iso7064_mod11_10, ["86095742719", "65929970489"]),
            (iso7064_mod11_2, ["11010519491231002X", "000000021694233X"]),
            (verhoeff, ["2363", "234123412346"]),
        ] {
            for text in right {
                let right = values(text);
                assert!(scheme(&right), "{text}");
                for at in 0..right.len() {
                    let mut wrong = right.clone();
                    wrong[at] = (wrong[at] + 1) % 10;
                    assert!(!scheme(&wrong), "{text} {at}");
                }
            }
        }
        assert_eq!(mod97(b"794".iter().copied()), Some(794 % 97));
        assert_eq!(mod97(b"12-".iter().copied()), None);
    }

    /// A number with the check digit that makes it pass, if one of the ten does.
    fn completed(scheme: fn(&[u32]) -> bool, mut digits: Vec<u32>) -> Option<Vec<u32>> {
        digits.push(0);
        let last = digits.len() - 1;
        (0..10).find_map(|check| {
            digits[last] = check;
            scheme(&digits).then(|| digits.clone())
        })
    }

    proptest! {
        #[test]
        fn one_wrong_digit_never_passes(
            digits in prop::collection::vec(0u32..10, 3..20), at in any::<prop::sample::Index>(), add in 1u32..10,
        ) {
            for scheme in [luhn as fn(&[u32]) -> bool, iso7064_mod11_10, iso7064_mod11_2, verhoeff] {
                if let Some(mut number) = completed(scheme, digits.clone()) {
                    let at = at.index(number.len());
                    number[at] = (number[at] + add) % 10;
                    prop_assert!(!scheme(&number));
                }
            }
        }

        #[test]
        fn two_neighbours_never_change_places_unseen(digits in prop::collection::vec(0u32..10, 3..20)) {
            if let Some(number) = completed(verhoeff, digits) {
                for at in 1..number.len() {
                    let mut swapped = number.clone();
                    swapped.swap(at - 1, at);
                    prop_assert!(swapped == number || !verhoeff(&swapped));
                }
            }
        }

        #[test]
        fn the_luhn_digit_completes(digits in "[0-9]{1,18}") {
            let whole = format!("{digits}{}", luhn_digit(&digits));
            prop_assert!(is_luhn(&whole));
        }
    }
}
