//! Numbers and dates that were replaced, in another spelling: with other separators, with or without the country's code
//! and the trunk's zero, with day and month in another order.
//!
//! A text is read once, group of digits by group of digits. Where a group ends, the last eight digits read so far say
//! which numbers it may be, and the last three groups which dates.

use crate::redact::rule::rules::{Action, PseudonymKey};
use crate::redact::stand_in::date::{date_parts, is_stand_in};
use crate::redact::stand_in::kind::{Kind, digits_of, is_digits_and_separators, phone_digits};
use crate::redact::stand_in::pseudonym::replace;
use crate::redact::stand_in::sought::Needle;
use std::ops::Range;

/// The digits at its end by which a number is known; shorter numbers occur by chance.
const TAIL_DIGITS: usize = 8;
/// Longer numbers are sought as they were written only.
const DIGITS_MAX: usize = 24;
/// Numbers with the same last digits that are compared at one place: the search is linear whatever they are.
const ALIKE_MAX: usize = 16;
/// What may stand between two groups of digits, in bytes: `) - `.
const GAP_BYTES_MAX: usize = 4;
/// Digits of a country's code.
const COUNTRY_DIGITS_MAX: usize = 3;

/// What is sought in other spellings.
#[derive(Default)]
pub(super) struct Spellings {
    /// Sorted by their last digits.
    numbers: Vec<Number>,
    /// Which last two digits they have, a bit for each: most numbers in a text have others.
    ends: u128,
    /// Every reading of each date, as year, month and day in one number, and what replaces it in any spelling, if that is no
    /// date that stands in for it; sorted.
    dates: Vec<(u32, Option<String>)>,
}

struct Number {
    tail: u32,
    digits: String,
    fresh: String,
    is_phone: bool,
}

/// What was found at a place.
enum Found<'a> {
    Number(&'a Number),
    /// With what replaces it, unless a date stands in for it.
    Date(Option<&'a String>),
}

impl Spellings {
    /// Adds what is sought because of one value.
    pub fn add(&mut self, needle: &Needle<'_>) {
        let raw = needle.raw.trim();
        match needle.kind {
            Kind::Date => {
                let other = Some(needle.fresh).filter(|fresh| !is_stand_in(fresh)).map(str::to_owned);
                self.dates.extend(readings_of(raw).map(|date| (date, other.clone())));
            }
            Kind::Phone | Kind::Card | Kind::Ssn | Kind::Digits if is_digits_and_separators(raw) => {
                let is_phone = needle.kind == Kind::Phone;
                let digits = if is_phone { phone_digits(raw) } else { digits_of(raw) };
                let digits = if is_phone { digits.trim_start_matches('0') } else { &digits };
                let tail = digits.len().checked_sub(TAIL_DIGITS).and_then(|at| digits[at..].parse().ok());
                if let Some(tail) = tail.filter(|_| digits.len() <= DIGITS_MAX) {
                    let (digits, fresh) = (digits.to_owned(), needle.fresh.to_owned());
                    self.numbers.push(Number { tail, digits, fresh, is_phone });
                }
            }
            _ => {}
        }
    }

    /// Makes ready for searching.
    pub fn sort(&mut self) {
        self.numbers.sort_unstable_by(|a, b| (a.tail, &a.digits, &a.fresh).cmp(&(b.tail, &b.digits, &b.fresh)));
        self.numbers.dedup_by(|a, b| a.digits == b.digits);
        self.ends = self.numbers.iter().fold(0, |ends, number| ends | 1 << (number.tail % 100));
        self.dates.sort_unstable();
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.dates.is_empty()
    }

    /// Whether something sought is in a text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.next(text, 0).is_some()
    }

    /// Where a text has what is sought, and the stand-ins; in order, without overlaps.
    pub fn finds(&self, text: &str, key: &PseudonymKey) -> Vec<(Range<usize>, String)> {
        let mut finds = Vec::new();
        let mut from = 0;
        while let Some((range, found)) = self.next(text.as_bytes(), from) {
            from = range.end;
            let raw = &text[range.clone()];
            let fresh = match found {
                Found::Date(Some(fresh)) => Some(fresh.clone()),
                Found::Date(None) => replace(Action::Pseudonym, Kind::Date, raw, key).map(|replaced| replaced.fresh),
                Found::Number(number) if number.is_phone => Some(number.fresh.clone()),
                Found::Number(number) => Some(laid_out(raw, &number.fresh)),
            };
            finds.extend(fresh.map(|fresh| (range, fresh)));
        }
        finds
    }

    /// The first of what is sought that begins at or after `from`.
    fn next(&self, bytes: &[u8], from: usize) -> Option<(Range<usize>, Found<'_>)> {
        if self.is_empty() {
            return None;
        }
        let mut at = from;
        while let Some(start) = next_digit(bytes, at) {
            at = start;
            if start.checked_sub(1).is_some_and(|before| is_of_word(bytes[before])) {
                at += bytes[at..].iter().take_while(|b| b.is_ascii_digit() || is_of_word(**b)).count();
                continue;
            }
            let mut run = Run::from(at);
            while let Some(end) = run.read_group(bytes, at) {
                at = end;
                // Of digits in a word, as identifiers and digests have them, none are a number's.
                if is_in_word(bytes, run.groups[2]) {
                    break;
                }
                let found = self.number_at(bytes, &run).or_else(|| self.date_at(bytes, &run));
                if found.is_some() {
                    return found;
                }
                while at < end + GAP_BYTES_MAX && bytes.get(at).is_some_and(|b| is_separator(*b)) {
                    at += 1;
                }
            }
        }
        None
    }

    /// The number that ends where a run does.
    fn number_at(&self, bytes: &[u8], run: &Run) -> Option<(Range<usize>, Found<'_>)> {
        let end = run.groups[2].1;
        if run.digits < TAIL_DIGITS {
            return None;
        }
        let last = bytes[end - 1] - b'0';
        let before = bytes[run.start..end - 1].iter().rev().find(|b| b.is_ascii_digit())? - b'0';
        if self.ends >> (before * 10 + last) & 1 == 0 {
            return None;
        }
        let tail = run.tail(bytes);
        let first = self.numbers.partition_point(|number| number.tail < tail);
        let mut alike = self.numbers[first..].iter().take_while(|number| number.tail == tail).take(ALIKE_MAX);
        alike.find_map(|number| Some((run.start_of(bytes, number)?..end, Found::Number(number))))
    }

    /// The date that ends where a run does.
    fn date_at(&self, bytes: &[u8], run: &Run) -> Option<(Range<usize>, Found<'_>)> {
        if self.dates.is_empty() {
            return None;
        }
        let range = run.date_start(bytes)?..run.groups[2].1;
        let text = std::str::from_utf8(&bytes[range.clone()]).ok()?;
        let found = readings_of(text).find_map(|date| {
            let at = self.dates.binary_search_by_key(&date, |(known, _)| *known).ok()?;
            Some(self.dates[at].1.as_ref())
        });
        found.map(|fresh| (range, Found::Date(fresh)))
    }
}

/// Where digits begin and end.
type Group = (usize, usize);

/// The groups of digits read so far, with nothing but separators between them.
#[derive(Default)]
struct Run {
    start: usize,
    digits: usize,
    /// Where the last three groups begin and end.
    groups: [Group; 3],
}

impl Run {
    fn from(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    /// Reads the group of digits at a place; where it ends, `None` if there is none.
    fn read_group(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let len = bytes.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        self.digits += len;
        self.groups = [self.groups[1], self.groups[2], (at, at + len)];
        (len > 0).then_some(at + len)
    }

    /// The last eight digits as a number.
    fn tail(&self, bytes: &[u8]) -> u32 {
        let digits = bytes[self.start..self.groups[2].1].iter().rev().filter(|b| b.is_ascii_digit());
        let values = digits.take(TAIL_DIGITS).map(|digit| u32::from(digit - b'0'));
        values.zip(0..).map(|(value, place)| value * 10_u32.pow(place)).sum()
    }

    /// Where a number begins that ends where the run does, if it is in it whole; a telephone's may lack its first digits.
    fn start_of(&self, bytes: &[u8], number: &Number) -> Option<usize> {
        let run = self.start..self.groups[2].1;
        let digits = run.rev().filter(|at| bytes[*at].is_ascii_digit());
        let same = digits.zip(number.digits.bytes().rev()).take_while(|(at, digit)| bytes[*at] == *digit);
        let (count, first) = same.fold((0, None), |(count, _), (at, _)| (count + 1, Some(at)));
        let is_whole = count == number.digits.len();
        let start = if number.is_phone { phone_start(bytes, first?, is_whole)? } else { first.filter(|_| is_whole)? };
        let before = start.checked_sub(1).map(|at| bytes[at]);
        before.is_none_or(|b| !b.is_ascii_alphanumeric() && b != b'_').then_some(start)
    }

    /// Where a date begins that ends with this run: three groups with the same sign between them, or eight digits.
    fn date_start(&self, bytes: &[u8]) -> Option<usize> {
        let [a, b, c] = self.groups;
        let start = match [a.1 - a.0, b.1 - b.0, c.1 - c.0] {
            [.., 8] => c.0,
            [4, 1 | 2, 1 | 2] | [1 | 2, 1 | 2, 4] => a.0,
            _ => return None,
        };
        let sign = |left: Group, right: Group| match bytes.get(left.1..right.0) {
            Some([sign]) => Some(*sign),
            _ => None,
        };
        let is_written = start == c.0 || sign(a, b).is_some_and(|one| sign(b, c) == Some(one));
        let before = start.checked_sub(1).map(|at| bytes[at]);
        let is_apart = before.is_none_or(|b| !b.is_ascii_alphanumeric() && !b"_-/.+".contains(&b));
        // A time may follow.
        let goes_on = bytes.get(c.1).is_some_and(|b| b.is_ascii_alphanumeric() && *b != b'T' || *b == b'_');
        (is_written && is_apart && !goes_on).then_some(start)
    }
}

/// Where a telephone's number begins of which the digits from `first` on are known: at the sign or the zeros before them, and
/// at a country's code with its sign. `is_whole`: whether they are all digits that are sought.
fn phone_start(bytes: &[u8], first: usize, is_whole: bool) -> Option<usize> {
    let before = |at: usize| at.checked_sub(1).map(|at| bytes[at]);
    let mut start = first;
    while before(start) == Some(b'0') {
        start -= 1;
    }
    if before(start).is_some_and(|b| b.is_ascii_digit()) {
        // A country's code that the number sought was written without.
        let code = bytes[..start].iter().rev().take(COUNTRY_DIGITS_MAX + 1).take_while(|b| b.is_ascii_digit()).count();
        start -= code;
        let has_sign = before(start) == Some(b'+') || bytes[start..].starts_with(b"00");
        if !is_whole || !has_sign {
            return None;
        }
    }
    if matches!(before(start), Some(b'+' | b'(')) {
        start -= 1;
    }
    Some(start)
}

/// The digits of a stand-in where the digits of a text stand; the stand-in, if it has more or fewer.
fn laid_out(text: &str, fresh: &str) -> String {
    let digits = digits_of(fresh);
    if digits.len() != text.bytes().filter(u8::is_ascii_digit).count() {
        return fresh.to_owned();
    }
    let mut digits = digits.chars();
    text.chars().filter_map(|c| if c.is_ascii_digit() { digits.next() } else { Some(c) }).collect()
}

/// The place of the next digit, eight bytes at a time: most are none.
fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let rest = bytes.get(from..)?;
    let (words, _) = rest.as_chunks::<8>();
    let none = words.iter().take_while(|word| {
        // Without the bits of `0` a digit is less than ten: adding 0x76 leaves its highest bit unset.
        let turned = u64::from_le_bytes(**word) ^ (ONES * 0x30);
        let over = ((turned & (ONES * 0x7f)) + ONES * 0x76) | turned;
        over & (ONES * 0x80) == ONES * 0x80
    });
    let start = 8 * none.count();
    rest[start..].iter().position(u8::is_ascii_digit).map(|at| from + start + at)
}

/// Whether digits are part of a word of letters.
fn is_in_word(bytes: &[u8], (start, end): Group) -> bool {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    before.is_some_and(is_of_word) || bytes.get(end).is_some_and(|b| b.is_ascii_alphabetic() && *b != b'T')
}

/// What makes a word, as identifiers and digests are, of the digits after it.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// What stands between the groups of a number.
fn is_separator(byte: u8) -> bool {
    b" -./()".contains(&byte)
}

/// The dates that a text may say, as year, month and day in one number.
fn readings_of(text: &str) -> impl Iterator<Item = u32> {
    let date = date_parts(text);
    let number = |year: u16, month: u8, day: u8| u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day);
    let turned = date.filter(|date| date.is_ambiguous()).map(|date| number(date.year, date.day, date.month));
    date.map(|date| number(date.year, date.month, date.day)).into_iter().chain(turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings(kind: Kind, raw: &str, fresh: &str) -> Spellings {
        let mut spellings = Spellings::default();
        spellings.add(&Needle { raw, fresh, kind, is_field_name: false });
        spellings.sort();
        spellings
    }

    fn found(kind: Kind, raw: &str, text: &str) -> String {
        let key = PseudonymKey::new([1; 32]);
        let mut out = text.to_owned();
        for (range, _) in spellings(kind, raw, "1000-01-13").finds(text, &key).into_iter().rev() {
            out.replace_range(range, "X");
        }
        out
    }

    #[test]
    fn a_telephone_is_found_with_and_without_its_country() {
        for raw in ["+49 30 1234567", "0049301234567", "030 / 123 45 67", "+49 (0)30 1234567", "(030) 1234567"] {
            for text in ["call X now", "X"] {
                for spelling in
                    ["+49 30 1234567", "+49301234567", "0049 30 1234567", "030/1234567", "0301234567", "(030) 123-4567"]
                {
                    let said = found(Kind::Phone, raw, &text.replace('X', spelling));
                    assert!(!said.contains("4567") && !said.contains("123-"), "{raw} in {spelling}: {said}");
                }
            }
            for other in ["order 130 1234567", "+49 40 1234567", "id1301234567"] {
                assert_eq!(found(Kind::Phone, raw, other), other, "{raw}");
            }
        }
    }

    #[test]
    fn other_numbers_are_found_whole_with_other_separators() {
        for text in ["4012-8888 8888 1881", "4012888888881881", "4012.8888.8888.1881"] {
            assert_eq!(found(Kind::Card, "4012 8888 8888 1881", text), "X");
        }
        for text in ["94012888888881881", "4012 8888 8888 18813", "8888 8888 1881", "a4012888888881881"] {
            assert_eq!(found(Kind::Card, "4012 8888 8888 1881", text), text);
        }
        let finds =
            spellings(Kind::Digits, "123456789", "999456789").finds("no 123-456-789.", &PseudonymKey::new([1; 32]));
        assert_eq!(finds, [(3..14, "999-456-789".to_owned())]);
    }

    #[test]
    fn the_next_digit_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut text = [byte; 20];
                text[at] = b'7';
                let first = if byte.is_ascii_digit() { 0 } else { at };
                assert_eq!(next_digit(&text, 0), Some(first), "{byte} {at}");
            }
            assert_eq!(next_digit(&[byte; 19], 3).is_some(), byte.is_ascii_digit(), "{byte}");
        }
    }

    #[test]
    fn a_date_is_found_in_every_order() {
        for raw in ["1984-02-23", "23.02.1984", "19840223", "02/23/1984"] {
            for text in ["born 1984-02-23", "born 23/02/1984,", "born 23.2.1984.", "born 19840223", "born 02-23-1984"] {
                let left = found(Kind::Date, raw, text);
                assert_eq!(left.contains("1984"), text.contains("02-23-1984"), "{raw} in {text}: {left}");
            }
            for text in ["1984-02-24", "v1984.02.23", "11984-02-23", "1984-02-23x", "1984-02/23"] {
                assert_eq!(found(Kind::Date, raw, text), text, "{raw}");
            }
        }
        assert_eq!(found(Kind::Date, "03/04/1984", "1984-04-03, 1984-03-04"), "X, X");
        let finds = |fresh| spellings(Kind::Date, "1984-02-23", fresh).finds("23.02.1984", &PseudonymKey::new([1; 32]));
        assert_eq!(finds("masked"), [(0..10, "masked".to_owned())]);
        assert!(is_stand_in(&finds("1000-01-13")[0].1));
    }
}
