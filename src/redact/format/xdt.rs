//! xDT (GDT, LDT, BDT), in which the programs of German surgeries tell each other of patients: a line is its length in three
//! digits, the number of a field in four, and the field's value. The numbers are those of the GDT description 2.1.

use crate::exchange::DropReason;
use crate::redact::format::splice::Patch;
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Digits before a value: three of the line's length, four of the field's number.
const LENGTH_DIGITS: usize = 3;
const HEAD_DIGITS: usize = 7;
/// The field that every record begins with.
const RECORD: &str = "8000";
/// Fields of persons.
const FIELDS: [(&str, &str); 19] = [
    ("3000", "patient-id"),
    ("3100", "last-name"),
    ("3101", "last-name"),
    ("3102", "first-name"),
    ("3103", "birth-date"),
    ("3105", "health-insurance-number"),
    ("3106", "postal-code-and-city"),
    ("3107", "street"),
    ("3108", "health-insurance-number"),
    ("3109", "house-number"),
    ("3112", "postal-code"),
    ("3113", "city"),
    ("3115", "address-line-2"),
    ("3119", "health-insurance-number"),
    ("3120", "last-name"),
    ("3201", "last-name"),
    ("3202", "first-name"),
    ("3203", "birth-date"),
    ("3626", "phone"),
];

/// Whether a text begins as a record does.
pub(in crate::redact) fn is_record(start: &str) -> bool {
    let line = start.lines().next().unwrap_or_default();
    let is_head = line.len() >= HEAD_DIGITS + 4 && line.bytes().take(HEAD_DIGITS + 4).all(|b| b.is_ascii_digit());
    is_head && line[LENGTH_DIGITS..].starts_with(RECORD)
}

/// Redacts a record field by field; the lengths of its lines follow.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let parents = [pass.key("patient")];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start..start + line.trim_end_matches(['\r', '\n']).len();
        start += line.len();
        let Some((field, value)) = parts(text, at.clone()) else {
            if let Some(fresh) = pass.value(&text[at.clone()], Place { key: None, parents: &[], ..place })? {
                patch.put(at, fresh);
            }
            continue;
        };
        let name = FIELDS.iter().find(|(number, _)| *number == field).map(|(_, name)| *name);
        let key = name.map(|name| pass.key(name));
        let parents = if key.is_some() { &parents[..] } else { &[] };
        let raw = &text[value.clone()];
        if let Some(fresh) = pass.value(raw, Place { key: key.as_ref(), parents, ..place })? {
            let fresh = fresh.replace(['\r', '\n'], " ");
            patch.put(
                at.start..at.start + LENGTH_DIGITS,
                length(&text[at.start..at.start + LENGTH_DIGITS], raw, &fresh),
            );
            patch.put(value, fresh);
        }
    }
    Ok(patch.done())
}

/// The number of a line's field, and where its value stands; `None` if it is no such line.
fn parts(text: &str, line: Range<usize>) -> Option<(&str, Range<usize>)> {
    let head = text.get(line.start..line.start + HEAD_DIGITS).filter(|_| line.len() > HEAD_DIGITS)?;
    let is_head = head.bytes().all(|b| b.is_ascii_digit());
    is_head.then(|| (&head[LENGTH_DIGITS..], line.start + HEAD_DIGITS..line.end))
}

/// A line's length with another value in it: in bytes of the character set that the record came in, of which each letter
/// is one.
fn length(digits: &str, raw: &str, fresh: &str) -> String {
    let before: usize = digits.parse().unwrap_or_default();
    let after = (before + fresh.chars().count()).saturating_sub(raw.chars().count());
    format!("{:03}", after.min(999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_by_their_first_line() {
        assert!(is_record("01380006302\r\n014810000759\r\n"));
        for text in ["0138000", "0138000630", "0 HEAD\n", "01381006302", "é1380006302", ""] {
            assert!(!is_record(text), "{text}");
        }
        assert_eq!(parts("0193101Ada", 0..10), Some(("3101", 7..10)));
        assert_eq!(parts("0193101", 0..7), None);
        assert_eq!((length("012", "Ada", "Knöpfle"), length("abc", "Ada", "")), ("016".to_owned(), "000".to_owned()));
    }
}
