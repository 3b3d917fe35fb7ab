//! Documents made of lines: a JSON text a line or a record, links a line.

use crate::exchange::DropReason;
use crate::redact::format::{json, url};
use crate::redact::pass::{Pass, Place};

/// Starts a record of a JSON text sequence (RFC 7464).
const RECORD: char = '\u{1e}';

/// A JSON document a line; blank lines stay. One line that is none drops the whole.
pub(in crate::redact) fn json_lines(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    each(text, '\n', |line| match line.trim().is_empty() {
        true => Ok(line.to_owned()),
        false => json::document(pass, line, place),
    })
}

/// A JSON document after each record separator.
pub(in crate::redact) fn json_sequence(
    pass: &mut Pass<'_>,
    text: &str,
    place: Place<'_>,
) -> Result<String, DropReason> {
    let mut first = true;
    each(text, RECORD, |record| {
        let before_first = std::mem::take(&mut first);
        match (before_first, record.trim().is_empty()) {
            (_, true) => Ok(record.to_owned()),
            (true, false) => Err(DropReason::Unparseable),
            (false, false) => json::document(pass, record, place),
        }
    })
}

/// A URL a line, and comments.
pub(in crate::redact) fn links(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    each(text, '\n', |line| match line.starts_with('#') || line.trim().is_empty() {
        true => Ok(pass.value(line, place)?.unwrap_or_else(|| line.to_owned())),
        false => url::reference(pass, line, place.depth),
    })
}

/// Puts pieces together again as they were; a carriage return at the end of a piece stays.
fn each(
    text: &str,
    separator: char,
    mut one: impl FnMut(&str) -> Result<String, DropReason>,
) -> Result<String, DropReason> {
    let mut out = String::with_capacity(text.len());
    for (at, piece) in text.split(separator).enumerate() {
        if at > 0 {
            out.push(separator);
        }
        let bare = piece.strip_suffix('\r').unwrap_or(piece);
        out.push_str(&one(bare)?);
        out.push_str(&piece[bare.len()..]);
    }
    Ok(out)
}
