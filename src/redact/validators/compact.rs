//! Candidates without their separators, in fixed arrays: nothing is allocated while numbers are checked.

use std::ops::Deref;

/// Longest number that a check looks at, without separators; a machine-readable passport line has 44 characters.
const COMPACT_MAX: usize = 48;

/// What people put between the groups of a number.
fn is_separator(b: u8) -> bool {
    matches!(b, b' ' | b'-' | b'.' | b'/')
}

/// Exactly `N` digits, whatever separates them; `None` if there is anything else.
pub(in crate::redact) fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let mut found = [0; N];
    let mut len = 0;
    for b in text.bytes().filter(|b| !is_separator(*b)) {
        *found.get_mut(len)? = char::from(b).to_digit(10)?;
        len += 1;
    }
    (len == N).then_some(found)
}

/// Letters (made upper case) and digits of a candidate.
#[derive(Clone, Copy)]
pub(in crate::redact) struct Compact {
    bytes: [u8; COMPACT_MAX],
    len: usize,
}

impl Compact {
    /// The letters and digits of a text; `None` if there is anything else but separators, or too much.
    pub fn of(text: &str) -> Option<Self> {
        Self::with(text, |b| b.is_ascii_alphanumeric())
    }

    /// The same for a text where brackets and fillers count: every byte that `part` takes is kept.
    pub fn with(text: &str, part: impl Fn(u8) -> bool) -> Option<Self> {
        let mut compact = Self { bytes: [0; COMPACT_MAX], len: 0 };
        for b in text.bytes().filter(|b| !is_separator(*b)) {
            if !part(b) {
                return None;
            }
            *compact.bytes.get_mut(compact.len)? = b.to_ascii_uppercase();
            compact.len += 1;
        }
        Some(compact)
    }
}

impl Deref for Compact {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The number that digits write.
pub(in crate::redact) fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |n, digit| n * 10 + u64::from(*digit))
}

/// The digits that ASCII bytes write, as many as there are places for; `None` if one is no digit or there are others.
pub(in crate::redact) fn digits_of<const N: usize>(bytes: &[u8]) -> Option<[u32; N]> {
    let mut found = [0; N];
    if bytes.len() != N {
        return None;
    }
    for (place, b) in found.iter_mut().zip(bytes) {
        *place = char::from(*b).to_digit(10)?;
    }
    Some(found)
}

/// A digit's value, or 10 for A, 11 for B and so on; other bytes count as 0.
pub(in crate::redact) fn alphanumeric(b: u8) -> u32 {
    char::from(b).to_digit(36).unwrap_or(0)
}

/// Whether the day exists (leap years by the Gregorian rule).
pub(in crate::redact) fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether the day exists in some century: two-digit years do not say which.
pub(in crate::redact) fn is_short_date(year: u64, month: u64, day: u64) -> bool {
    is_date(2000 + year % 100, month, day) || is_date(1900 + year % 100, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_do_not_count_and_anything_else_refuses() {
        assert_eq!(digits::<4>("1 2-3.4"), Some([1, 2, 3, 4]));
        assert_eq!(digits::<4>("123"), None);
        assert_eq!(digits::<4>("12345"), None);
        assert_eq!(digits::<4>("12a4"), None);
        assert_eq!(Compact::of("ab-12").as_deref(), Some(b"AB12".as_slice()));
        assert!(Compact::of("ab_12").is_none() && Compact::of(&"1".repeat(COMPACT_MAX + 1)).is_none());
    }

    #[test]
    fn days_exist_or_not() {
        assert!(is_date(2000, 2, 29) && !is_date(1900, 2, 29) && !is_date(2023, 2, 29));
        assert!(is_short_date(0, 2, 29) && !is_short_date(1, 2, 29) && !is_short_date(20, 13, 1));
        assert!(!is_date(2020, 4, 31) && !is_date(2020, 1, 0));
    }
}
