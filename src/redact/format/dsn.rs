//! The declarations of French employers (DSN, norme NEODeS): lines of a heading, a comma, a value in quotes. The heading says
//! which block and which of its values it is.

use crate::exchange::DropReason;
use crate::redact::format::splice::{Patch, trimmed};
use crate::redact::pass::{Pass, Place};

/// Bytes of a heading: `S21.G00.30.001`.
const HEADING_BYTES: usize = 14;
/// Headings of values of persons: the block, the value, its name.
const HEADINGS: [(&str, &[(&str, &str)]); 5] = [
    // Who sends the declaration, and who can be asked.
    ("S10.G00.02", &[("002", "full-name"), ("004", "email"), ("005", "phone"), ("006", "phone")]),
    ("S20.G00.07", &[("001", "full-name"), ("002", "phone"), ("003", "email")]),
    ("S20.G00.08", &[("001", "full-name"), ("002", "phone"), ("003", "email")]),
    // The employee.
    (
        "S21.G00.30",
        &[
            ("001", "ssn"),
            ("002", "last-name"),
            ("003", "last-name"),
            ("004", "first-name"),
            ("006", "birth-date"),
            ("007", "birth-place"),
            ("008", "street"),
            ("009", "postal-code"),
            ("010", "city"),
            ("016", "address-line-2"),
            ("017", "address-line-2"),
            ("018", "email"),
            ("019", "employee-number"),
            ("020", "national-id"),
        ],
    ),
    // What the employee was before.
    ("S21.G00.31", &[("008", "ssn"), ("009", "last-name"), ("010", "first-name"), ("011", "birth-date")]),
];

/// Whether a text is a declaration, or some lines of one.
pub(in crate::redact) fn is_declaration(text: &str) -> bool {
    text.lines().next().and_then(value_of).is_some()
}

/// The heading of a line and its value, without its quotes; `None` if it is no such line.
fn value_of(line: &str) -> Option<(&str, &str)> {
    let (heading, value) = line.trim().split_once(',')?;
    let is_as = |(b, wanted): (u8, u8)| if wanted == b'0' { b.is_ascii_digit() } else { b == wanted };
    let is_heading = heading.len() == HEADING_BYTES && heading.bytes().zip(*b"S00.G00.00.000").all(is_as);
    let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
    is_heading.then_some((heading, value))
}

/// Redacts line by line.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let parents = [pass.key("employee")];
    let mut start = 0;
    for line in text.split_inclusive(['\r', '\n']) {
        let at = trimmed(text, start..start + line.len());
        start += line.len();
        let Some((heading, value)) = value_of(patch.original(at.clone())) else {
            if let Some(fresh) = pass.value(patch.original(at.clone()), Place { key: None, parents: &[], ..place })? {
                patch.put(at, fresh);
            }
            continue;
        };
        let block = HEADINGS.iter().find(|(block, _)| heading.starts_with(block));
        let name = block.and_then(|(_, values)| values.iter().find(|(number, _)| heading.ends_with(number)));
        let key = name.map(|(_, name)| pass.key(name));
        let parents = if key.is_some() { &parents[..] } else { &[] };
        // Days are written without signs, the year last; rules read them with the year first.
        let day = name.filter(|(_, name)| *name == "birth-date").and_then(|_| year_first(value));
        let inner = Place { key: key.as_ref(), parents, ..place };
        if let Some(fresh) = pass.value(day.as_deref().unwrap_or(value), inner)? {
            let fresh = day.and_then(|_| year_last(&fresh)).unwrap_or(fresh);
            let from = at.end - 1 - value.len();
            patch.put(from..from + value.len(), fresh.replace(['\r', '\n'], " "));
        }
    }
    Ok(patch.done())
}

/// `21051973` with the year first; `None` if it is no such day.
fn year_first(day: &str) -> Option<String> {
    let is_day = day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit());
    let (day, rest) = day.split_at_checked(2).filter(|_| is_day)?;
    let (month, year) = rest.split_at_checked(2)?;
    Some([year, month, day].concat())
}

/// `19730521` with the year last; `None` if it is no such day.
fn year_last(day: &str) -> Option<String> {
    let is_day = day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit());
    let (year, rest) = day.split_at_checked(4).filter(|_| is_day)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some([day, month, year].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_told_by_their_first_line() {
        for text in ["S10.G00.00.001,'X'\r\nS10.G00.00.002,'Y'", "S21.G00.30.002,'L'É''"] {
            assert!(is_declaration(text), "{text}");
        }
        for text in
            ["S10.G00.00.001", "S10.G00.00.001,X", "S10.G00.00.01,'X'", "S10.G00.00.00é,'X'", "S10.G00.00.001,'", ""]
        {
            assert!(!is_declaration(text), "{text}");
        }
    }
}
