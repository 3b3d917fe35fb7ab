//! Family trees (GEDCOM 5.5.1 and 7): lines of a level, perhaps an identifier, a tag, perhaps a value. What a value is, its
//! tag and the tags above it say.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Levels have two digits.
const LEVEL_MAX: usize = 99;
/// Records that are about persons; others are about programs, archives, sources.
const PERSONS: [&str; 3] = ["INDI", "FAM", "SUBM"];
/// Events by which a person is known.
const LIFE: [&str; 7] = ["BIRT", "CHR", "BAPM", "DEAT", "BURI", "CREM", "ADOP"];
/// Months, in their order.
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// Words of a date that are no part of a day.
const DATE_WORDS: [&str; 17] = [
    "ABT",
    "CAL",
    "EST",
    "BEF",
    "AFT",
    "BET",
    "AND",
    "FROM",
    "TO",
    "INT",
    "BCE",
    "B.C.",
    "GREGORIAN",
    "JULIAN",
    "FRENCH_R",
    "HEBREW",
    "UNKNOWN",
];
/// Tags whose values are of a person, and their names.
const TAGS: [(&str, &str); 21] = [
    ("GIVN", "first-name"),
    ("SURN", "last-name"),
    ("SPFX", "last-name"),
    ("_MARNM", "last-name"),
    ("NICK", "nickname"),
    ("ADDR", "street"),
    ("ADR1", "street"),
    ("ADR2", "street"),
    ("ADR3", "street"),
    ("CITY", "city"),
    ("POST", "postal-code"),
    ("PHON", "phone"),
    ("FAX", "phone"),
    ("EMAIL", "email"),
    ("EMAI", "email"),
    ("_EMAIL", "email"),
    ("SSN", "ssn"),
    ("IDNO", "national-id"),
    ("PLAC", "city"),
    ("ALIA", "full-name"),
    ("NAME", "full-name"),
];

/// A line taken apart.
struct Line<'t> {
    level: usize,
    tag: &'t str,
    value: Range<usize>,
}

/// Whether a text is a tree, or some of its records.
pub(in crate::redact) fn is_tree(text: &str) -> bool {
    // Nearly every text ends here.
    let Some((first, rest)) = text.strip_prefix("0 ").and_then(|rest| rest.split_once(['\r', '\n'])) else {
        return false;
    };
    let is_record = first.trim_end() == "HEAD" || first.starts_with('@') && line_of(text, 0..first.len() + 2).is_some();
    is_record && rest.trim_start().starts_with(['0', '1'])
}

/// Redacts line by line.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut walk =
        Walk { patch: Patch::new(text), depth: place.depth, parents: [pass.key("person")], tags: Vec::new() };
    let mut start = 0;
    for line in text.split_inclusive(['\r', '\n']) {
        walk.line(pass, start..start + line.len())?;
        start += line.len();
    }
    Ok(walk.patch.done())
}

/// A line in its parts; `None` if it is none.
fn line_of(text: &str, range: Range<usize>) -> Option<Line<'_>> {
    let range = trimmed(text, range);
    let line = text.get(range.clone())?;
    let (level, rest) = line.split_once(' ')?;
    let level = level.parse().ok().filter(|level| *level <= LEVEL_MAX)?;
    let rest = match rest.strip_prefix('@').and_then(|rest| rest.split_once("@ ")) {
        Some((identifier, rest)) if !identifier.contains('@') => rest,
        _ => rest,
    };
    let tag = rest.split(' ').next().unwrap_or_default();
    let is_tag = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let value = rest.get(tag.len()..).unwrap_or_default();
    is_tag.then(|| Line { level, tag, value: trimmed(text, range.end - value.len()..range.end) })
}

struct Walk<'t, 'k> {
    patch: Patch<'t>,
    depth: u8,
    /// Whatever the tree is carried by, its named values are of persons.
    parents: [Key<'k>; 1],
    /// The tags of the line at hand and of those above it, outermost first.
    tags: Vec<&'t str>,
}

impl<'t> Walk<'t, '_> {
    fn line(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let text = self.patch.whole();
        let Some(Line { level, tag, value }) = line_of(text, range.clone()) else {
            return self.value(pass, trimmed(text, range), None);
        };
        self.tags.truncate(level);
        self.tags.push(tag);
        let raw = self.patch.original(value.clone());
        let pointer = raw.strip_prefix('@').and_then(|rest| rest.strip_suffix('@'));
        if raw.is_empty() || pointer.is_some_and(|inner| !inner.contains(['@', ' '])) {
            return Ok(());
        }
        if !self.tags.first().is_some_and(|record| PERSONS.contains(record)) {
            return self.value(pass, value, None);
        }
        // What goes on is of the kind of what it belongs to.
        let mut tags = self.tags.iter().rev().copied().skip_while(|tag| matches!(*tag, "CONC" | "CONT"));
        let (tag, above) = (tags.next().unwrap_or_default(), tags.next().unwrap_or_default());
        match tag {
            "NAME" => self.full_name(pass, value),
            "TRAN" | "FONE" | "ROMN" if above == "NAME" => self.full_name(pass, value),
            "DATE" if LIFE.contains(&above) => self.date(pass, value),
            "PLAC" if LIFE.contains(&above) => self.value(pass, value, Some("birth-place")),
            _ => {
                let name = TAGS.iter().find(|(known, _)| *known == tag).map(|(_, name)| *name);
                self.value(pass, value, name)
            }
        }
    }

    /// `Bozidara /Simkova/`: the surname stands between slashes, if they are told apart.
    fn full_name(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let raw = self.patch.original(range.clone());
        if !raw.contains('/') {
            return self.value(pass, range, Some("full-name"));
        }
        let mut start = range.start;
        for (number, part) in raw.split('/').enumerate() {
            let name = if number == 1 { "last-name" } else { "first-name" };
            self.value(pass, start..start + part.len(), Some(name))?;
            start += part.len() + 1;
        }
        Ok(())
    }

    /// `BET 21 JAN 1955 AND 3 FEB 1955`: each day by itself.
    fn date(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let mut day: Option<Range<usize>> = None;
        let mut start = range.start;
        for word in self.patch.original(range).split(' ') {
            let at = start..start + word.len();
            start = at.end + 1;
            let is_calendar = word.starts_with('@') || word.ends_with('@');
            if is_calendar || DATE_WORDS.contains(&word) {
                if let Some(day) = day.take() {
                    self.day(pass, day)?;
                }
                if is_calendar {
                    self.value(pass, at, None)?;
                }
            } else {
                day = Some(day.map_or(at.start, |day| day.start)..at.end);
            }
        }
        day.map_or(Ok(()), |day| self.day(pass, day))
    }

    /// A day as rules read it, `1955-01-21`, and back; what is no whole day is a value like any other.
    fn day(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let Some(day) = year_first(self.patch.original(range.clone())) else {
            return self.value(pass, range, Some("birth-date"));
        };
        let key = pass.key("birth-date");
        let place = Place { key: Some(&key), parents: &self.parents, depth: self.depth };
        if let Some(fresh) = pass.value(&day, place)? {
            self.patch.put(range, year_last(&fresh).unwrap_or(fresh));
        }
        Ok(())
    }

    fn value(
        &mut self,
        pass: &mut Pass<'_>,
        range: Range<usize>,
        name: Option<&'static str>,
    ) -> Result<(), DropReason> {
        let range = trimmed(self.patch.whole(), range);
        let raw = self.patch.original(range.clone());
        // An at-sign is written twice in version 5.
        let mut plain = Unescaped::new(raw);
        raw.match_indices("@@").for_each(|(at, twice)| plain.undo(at..at + twice.len(), "@"));
        let plain = plain.done();
        let key = name.map(|name| pass.key(name));
        let parents = if key.is_some() { &self.parents[..] } else { &[] };
        if let Some(fresh) = pass.value(&plain.text, Place { key: key.as_ref(), parents, depth: self.depth })? {
            let at_sign = if raw.contains("@@") { "@@" } else { "@" };
            let encode = |text: &str| text.replace(['\r', '\n'], " ").replace('@', at_sign);
            self.patch.put(range, plain.graft(&fresh, encode));
        }
        Ok(())
    }
}

/// `21 JAN 1955` as `1955-01-21`.
fn year_first(day: &str) -> Option<String> {
    let mut words = day.split_ascii_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))? + 1;
    let is_number = |text: &str, len| text.len() <= len && text.bytes().all(|b| b.is_ascii_digit());
    let is_day = is_number(day, 2) && year.len() == 4 && is_number(year, 4) && words.next().is_none();
    is_day.then(|| format!("{year}-{month:02}-{day:0>2}"))
}

/// `1955-01-21` as `21 JAN 1955`.
fn year_last(day: &str) -> Option<String> {
    let mut parts = day.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    parts.next().is_none().then(|| format!("{day} {month} {year}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_told_by_their_first_line() {
        for text in ["0 HEAD\n1 SOUR X\n0 TRLR", "0 @I1@ INDI\r\n1 NAME A /B/\r\n", "0 HEAD\n  1 SOUR X"] {
            assert!(is_tree(text), "{text}");
        }
        for text in ["0 HEAD", "0 ", "0 items\n1 x", "0 @é\n1 x", "0 HEADS\n1", "0 HEAD\nx", "0", ""] {
            assert!(!is_tree(text), "{text}");
        }
    }

    #[test]
    fn days_are_written_both_ways() {
        assert_eq!(year_first("1 jan 1955").as_deref(), Some("1955-01-01"));
        assert_eq!(year_last("9523-11-22").as_deref(), Some("22 NOV 9523"));
        for text in ["JAN 1955", "1955", "é JAN 1955", "1 X 1955", "1 JAN 55", "1 JAN 1955 x", ""] {
            assert_eq!(year_first(text), None, "{text}");
        }
        for text in ["date-x", "9523-13-01", "9523-00-01", "1-1-1-1", ""] {
            assert_eq!(year_last(text), None, "{text}");
        }
    }

    #[test]
    fn lines_are_taken_apart() {
        let part = |text| line_of(text, 0..str::len(text)).map(|line| (line.level, line.tag, &text[line.value]));
        assert_eq!(part("0 @I1@ INDI\r\n"), Some((0, "INDI", "")));
        assert_eq!(part("  1 NAME É /È/ \n"), Some((1, "NAME", "É /È/")));
        assert_eq!(part("1 HUSB @I2@"), Some((1, "HUSB", "@I2@")));
        for text in ["", "x", "1", "1 ", "100 NAME x", "1 name", "1 É", "-1 A"] {
            assert_eq!(part(text), None, "{text}");
        }
    }
}
