//! NACHA's files of payments between American banks: records of 94 characters whose values are named by their places
//! (Nacha Operating Rules, appendix three). Only the entries are about persons.

use crate::exchange::DropReason;
use crate::redact::format::splice::{Patch, trimmed};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Where an entry's account begins: behind its kind, its code and the receiving bank.
const ACCOUNT_AT: usize = 12;
const ACCOUNT_CHARS: usize = 17;
const AMOUNT_DIGITS: usize = 10;
/// What stands behind the name: a remark of two, whether more follows, and the number of the entry.
const TAIL_CHARS: usize = 18;
/// What a header has, at least, when the blanks at its end are cut.
const HEADER_CHARS_MIN: usize = 40;
/// Length of a record.
const RECORD_CHARS: usize = 94;

/// Whether a text begins as a file does: the header of the file, then one of a batch.
pub(in crate::redact) fn is_file(start: &str) -> bool {
    let mut lines = start.lines();
    lines.next().is_some_and(|first| first.starts_with("101") && first.is_ascii() && first.len() > HEADER_CHARS_MIN)
        && lines
            .next()
            .is_some_and(|second| second.starts_with('5') && second.is_ascii() && second.len() > HEADER_CHARS_MIN)
}

/// Redacts a file entry by entry; a field keeps its width where what stands in for its value fits.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let parents = [pass.key("receiver")];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start..start + line.trim_end_matches(['\r', '\n']).len();
        start += line.len();
        let Some(fields) = entry(&text[at.clone()]) else {
            if let Some(fresh) = pass.value(&text[at.clone()], Place { key: None, parents: &[], ..place })? {
                patch.put(at, fresh);
            }
            continue;
        };
        for (name, field) in fields {
            let field = at.start + field.start..at.start + field.end;
            let value = trimmed(text, field.clone());
            let key = pass.key(name);
            let inner = Place { key: Some(&key), parents: &parents, ..place };
            if let Some(fresh) = pass.value(&text[value.clone()], inner)? {
                let width = field.end - value.start;
                patch.put(value.start..field.end, format!("{:<width$}", fresh.replace(['\r', '\n'], " ")));
            }
        }
    }
    Ok(patch.done())
}

/// The fields of an entry that are somebody's: the account, the number that the payer has for the receiver, the name. Files
/// that were cut or filled with too few blanks are read by what stands between the blanks.
fn entry(line: &str) -> Option<[(&'static str, Range<usize>); 3]> {
    let is_entry = line.is_ascii()
        && line.starts_with('6')
        && line.len() > ACCOUNT_AT + TAIL_CHARS
        && line.as_bytes()[..ACCOUNT_AT].iter().all(u8::is_ascii_digit);
    if !is_entry {
        return None;
    }
    let (account, amount) = if line.len() >= RECORD_CHARS {
        (ACCOUNT_AT..ACCOUNT_AT + ACCOUNT_CHARS, ACCOUNT_AT + ACCOUNT_CHARS)
    } else {
        let end = ACCOUNT_AT + line[ACCOUNT_AT..].find(' ')?;
        (ACCOUNT_AT..end, end + line[end..].find(|c| c != ' ')?)
    };
    let number = (amount + AMOUNT_DIGITS).min(line.len());
    let end =
        if line.len() >= RECORD_CHARS { RECORD_CHARS - TAIL_CHARS } else { line.len().checked_sub(TAIL_CHARS - 2)? };
    let name = match line.len() >= RECORD_CHARS {
        true => number + 15,
        false => number + line.get(number..)?.find(' ')?,
    };
    let names = [("account-number", account), ("national-id-number", number..name), ("full-name", name..end)];
    names.iter().all(|(_, range)| range.start < range.end && range.end <= line.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_by_their_places() {
        let line = format!(
            "622091000019{:<17}{:010}{:<15}{:<22}  0{:015}",
            "2554372738", 9546, "231219595", "ORVILLE RZEPKA", 7
        );
        assert_eq!(line.len(), RECORD_CHARS);
        let values = |line: &str| entry(line).map(|fields| fields.map(|(_, at)| line[at].trim().to_owned()));
        let expected = ["2554372738", "231219595", "ORVILLE RZEPKA"].map(str::to_owned);
        assert_eq!(values(&line), Some(expected.clone()));
        let cut = "6220910000192554372738      0000009546231219595     ORVILLE RZEPKA  0091000010000001";
        assert_eq!(values(cut), Some(expected));
        for line in ["", "6", "820000000200182000020000000000000000209399001234567890", "62209100001é"] {
            assert_eq!(entry(line), None, "{line}");
        }
    }
}
