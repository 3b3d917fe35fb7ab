//! Dates: how they are written, and the dates that stand in for them.
//!
//! Stand-ins are dates of centuries in which nobody lives, some 1.6 million of them: too few for digests, of which two
//! among a few thousand would meet. So the dates on which people are born are permuted among them, in rounds of a Feistel
//! network over years and days (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002): two different
//! dates never share a stand-in.

use crate::redact::rule::rules::PseudonymKey;
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::digest;
use std::ops::RangeInclusive;

/// Centuries of stand-ins: before anybody who lives, and after. Moved dates are all in the first.
const EARLY_YEARS: RangeInclusive<u16> = 1000..=1899;
const LATE_YEARS: RangeInclusive<u16> = 2200..=9899;
/// Years of stand-ins, and days of each: those after the twelfth of a month, up to one that every month has. They are read
/// in one way only, whatever the order of day and month.
const YEARS: u64 = 900 + 7700;
const DAYS: u64 = 12 * DAYS_OF_MONTH;
const DAYS_OF_MONTH: u64 = 16;
const FIRST_DAY: u8 = 13;
/// Years in which people are born, with room on both sides.
const BORN_YEARS: RangeInclusive<u16> = 1900..=2199;
/// Rounds of the permutation, each over both halves.
const ROUNDS: u8 = 4;

/// A date as written: its parts, and where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) struct DateParts {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    /// The order in which the parts stand.
    pub order: DateOrder,
}

impl DateParts {
    /// Whether day and month could change places: `05/06/1980`.
    pub fn is_ambiguous(&self) -> bool {
        self.order == DateOrder::MonthDayYear && self.month <= 12 && self.day <= 12
    }

    /// Its number among the dates on which people are born; what can be read in two ways is a date of its own.
    fn index(&self) -> Option<u64> {
        let year = BORN_YEARS.contains(&self.year).then(|| u64::from(self.year - BORN_YEARS.start()))?;
        let day = (year * 12 + u64::from(self.month - 1)) * 31 + u64::from(self.day - 1);
        Some(day * 2 + u64::from(self.is_ambiguous()))
    }
}

/// The orders in which dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum DateOrder {
    /// `1980-12-31`, also without separators.
    YearMonthDay,
    /// `31.12.1980`.
    DayMonthYear,
    /// `12/31/1980`.
    MonthDayYear,
}

/// Reads a date of digits with a year of four; what follows it (a time) is not looked at.
pub(in crate::redact) fn date_parts(raw: &str) -> Option<DateParts> {
    let runs: Vec<&str> = raw.split(|c: char| !c.is_ascii_digit()).take(3).collect();
    let number = |text: &str| text.parse::<u16>().ok();
    let small = |text: &str| number(text).and_then(|n| u8::try_from(n).ok()).filter(|_| text.len() <= 2);
    let parts = match runs[..] {
        [one, ..] if one.len() == 8 => DateParts {
            year: number(&one[..4])?,
            month: small(&one[4..6])?,
            day: small(&one[6..])?,
            order: DateOrder::YearMonthDay,
        },
        [year, month, day] if year.len() == 4 => {
            DateParts { year: number(year)?, month: small(month)?, day: small(day)?, order: DateOrder::YearMonthDay }
        }
        [first, second, year] if year.len() == 4 => {
            let (first, second, year) = (small(first)?, small(second)?, number(year)?);
            let american = raw.contains('/') && first <= 12;
            let (order, month, day) = match american {
                true => (DateOrder::MonthDayYear, first, second),
                false => (DateOrder::DayMonthYear, second, first),
            };
            DateParts { year, month, day, order }
        }
        _ => return None,
    };
    ((1..=12).contains(&parts.month) && (1..=31).contains(&parts.day)).then_some(parts)
}

/// Whether a date is of the stand-ins' centuries.
pub(in crate::redact) fn is_stand_in(raw: &str) -> bool {
    date_parts(raw).is_some_and(|date| EARLY_YEARS.contains(&date.year) || LATE_YEARS.contains(&date.year))
}

/// The value's date format with the date that stands in for it; a time after it becomes midnight. `digest`: of the value.
pub(in crate::redact) fn stand_in(raw: &str, key: &PseudonymKey, digest: &[u8; 32]) -> Option<String> {
    let date = date_parts(raw)?;
    let (year, day) = match date.index() {
        Some(at) => permuted(key, at),
        None => split(first_of(digest) % (YEARS * DAYS)),
    };
    let month = u8::try_from(day / DAYS_OF_MONTH).ok()? + 1;
    let day = u8::try_from(day % DAYS_OF_MONTH).ok()? + FIRST_DAY;
    let year = EARLY_YEARS.chain(LATE_YEARS).nth(usize::try_from(year).ok()?)?;
    Some(written(raw, date.order, year, month, day))
}

fn split(at: u64) -> (u64, u64) {
    (at / DAYS, at % DAYS)
}

/// Another year and day for each of the first numbers below `YEARS * DAYS`: each half is moved by a keyed digest of the
/// other, which can be undone, so no two are moved to one.
fn permuted(key: &PseudonymKey, at: u64) -> (u64, u64) {
    let (mut year, mut day) = split(at);
    let keyed = |half: &str, round, other| first_of(&digest(key, Kind::Date, &format!("{half} {round} {other}")));
    for round in 0..ROUNDS {
        year = (year + keyed("year", round, day) % YEARS) % YEARS;
        day = (day + keyed("day", round, year) % DAYS) % DAYS;
    }
    (year, day)
}

fn first_of(digest: &[u8; 32]) -> u64 {
    digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

/// A date put where another one stood.
fn written(raw: &str, order: DateOrder, year: u16, month: u8, day: u8) -> String {
    let parts = match order {
        DateOrder::YearMonthDay => format!("{year:04}{month:02}{day:02}"),
        DateOrder::DayMonthYear => format!("{day:02}{month:02}{year:04}"),
        DateOrder::MonthDayYear => format!("{month:02}{day:02}{year:04}"),
    };
    let mut fresh = parts.chars();
    // A day or month of one digit is widened to two; digits after the date (a time) become zeros.
    let mut out = String::with_capacity(raw.len() + 2);
    let mut runs = 0;
    let widths: [usize; 3] = match order {
        DateOrder::YearMonthDay => [4, 2, 2],
        _ => [2, 2, 4],
    };
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        let mut len = 1;
        while chars.next_if(char::is_ascii_digit).is_some() {
            len += 1;
        }
        let take = if len == 8 && runs == 0 { 8 } else { widths.get(runs).copied().unwrap_or(0) };
        let from: String = fresh.by_ref().take(take).collect();
        if from.is_empty() {
            out.extend(std::iter::repeat_n('0', len));
        } else {
            out.push_str(&from);
        }
        runs += 1;
    }
    out
}

/// The date moved by a keyed number of days, the same for every date, into a century of its own: intervals between
/// dates stay, and a moved date is recognised. The calendar repeats after 400 years.
pub(in crate::redact) fn shifted(raw: &str, key: &PseudonymKey) -> Option<String> {
    let parts = date_parts(raw)?;
    let days = i64::from(digest(key, Kind::Date, "shift")[0]) - 128;
    let date = jiff::civil::Date::new(i16::try_from(parts.year).ok()?, parts.month as i8, parts.day as i8).ok()?;
    let shift = jiff::Span::new().try_years(400).ok()?;
    let moved = date.checked_sub(shift).ok()?.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    let year = u16::try_from(moved.year()).ok().filter(|year| EARLY_YEARS.contains(year))?;
    Some(written(raw, parts.order, year, moved.month() as u8, moved.day() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn key() -> PseudonymKey {
        PseudonymKey::new([7; 32])
    }

    fn fresh(raw: &str) -> String {
        stand_in(raw, &key(), &digest(&key(), Kind::Date, &Kind::Date.canonical(raw))).unwrap()
    }

    #[test]
    fn no_two_dates_share_a_stand_in() {
        let days = || (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day)));
        let dates = || [1900, 1957, 1980, 2004, 2199].into_iter().flat_map(|y| days().map(move |(m, d)| (y, m, d)));
        let plain = dates().map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"));
        let either = dates().filter(|(_, month, day)| *month <= 12 && *day <= 12);
        let all: Vec<String> =
            plain.chain(either.map(|(year, one, other)| format!("{other:02}/{one:02}/{year}"))).collect();
        let stand_ins: HashSet<Vec<u8>> = all
            .iter()
            .map(|raw| {
                let DateParts { year, month, day, .. } = date_parts(&fresh(raw)).unwrap();
                [&year.to_be_bytes()[..], &[month, day]].concat()
            })
            .collect();
        assert_eq!(stand_ins.len(), all.len());
    }

    #[test]
    fn every_spelling_has_the_same_and_it_is_recognised() {
        let (iso, german) = (fresh("1980-12-31"), fresh("31.12.1980"));
        let DateParts { year, month, day, .. } = date_parts(&iso).unwrap();
        assert_eq!(german, format!("{day:02}.{month:02}.{year}"));
        assert!(is_stand_in(&iso) && is_stand_in(&german) && !is_stand_in("1980-12-31"));
        assert_eq!(fresh("1980-12-31T10:20:30Z"), format!("{iso}T00:00:00Z"));
        assert_eq!(fresh("3/4/1980"), fresh("03/04/1980"));
    }

    #[test]
    fn the_halves_of_the_permutation_are_the_years_and_days_of_stand_ins() {
        assert_eq!(EARLY_YEARS.chain(LATE_YEARS).count() as u64, YEARS);
        let last = DateParts { year: *BORN_YEARS.end(), month: 12, day: 31, order: DateOrder::YearMonthDay };
        assert!(last.index().unwrap() + 1 < YEARS * DAYS);
    }

    #[test]
    fn shifted_dates_keep_their_distance() {
        let day = |raw: &str| {
            let text = shifted(raw, &key()).unwrap();
            text.parse::<jiff::civil::Date>().unwrap()
        };
        let days = |from: jiff::civil::Date, to: jiff::civil::Date| from.until(to).unwrap().get_days();
        assert_eq!(days(day("1999-12-31"), day("2000-03-01")), 61);
        assert!(EARLY_YEARS.contains(&(day("2024-02-29").year() as u16)));
    }
}
