//! ZPL, in which programs tell printers what stands on a label: each text between `^FD` and `^FS` is a line of it.

use crate::exchange::DropReason;
use crate::redact::format::splice::Patch;
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Lines that are looked at together, at most.
const LINES_MAX: usize = 64;

/// Whether a text begins as a label does.
pub(in crate::redact) fn is_label(start: &str) -> bool {
    start.starts_with("^XA")
}

/// Redacts the lines of a label: together, since an address goes over several of them, and each by itself.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let bare = Place { key: None, ..place };
    let fields = fields(text);
    for some in fields.chunks(LINES_MAX) {
        let whole = some.iter().map(|at| &text[at.clone()]).collect::<Vec<_>>().join("\n");
        let fresh = pass.value(&whole, bare)?.unwrap_or(whole);
        let lines: Vec<&str> = fresh.split('\n').collect();
        for (at, line) in some.iter().zip(lines.iter().copied()).filter(|_| lines.len() == some.len()) {
            patch.put(at.clone(), clean(line));
        }
        for at in some.iter().filter(|_| lines.len() != some.len()) {
            if let Some(fresh) = pass.value(&text[at.clone()], bare)? {
                patch.put(at.clone(), clean(&fresh));
            }
        }
    }
    Ok(patch.done())
}

/// A line without what would begin a command.
fn clean(line: &str) -> String {
    line.replace(['^', '~', '\n'], " ")
}

/// Where the lines of a label stand.
fn fields(text: &str) -> Vec<Range<usize>> {
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("^FD").map(|step| at + step + 3) {
        let end = text[start..].find('^').map_or(text.len(), |len| start + len);
        if start < end {
            fields.push(start..end);
        }
        at = end;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_a_command_begins() {
        let label = "^XA^FO50,50^FDAda^FS^FD^FS^FO9,9^FDOpen";
        assert_eq!(fields(label).into_iter().map(|at| &label[at]).collect::<Vec<_>>(), ["Ada", "Open"]);
        assert!(fields("^XA^XZ").is_empty() && fields("").is_empty());
    }
}
