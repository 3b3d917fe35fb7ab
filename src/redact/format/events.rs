//! Server-sent events: the data lines of an event are one text, redacted as one and put back line by line.

use crate::exchange::DropReason;
use crate::redact::format::splice::Patch;
use crate::redact::format::{json, sniff};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Redacts a stream of events.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let mut data: Vec<Range<usize>> = Vec::new();
    for line in lines(text) {
        let raw = &text[line.clone()];
        if raw.is_empty() {
            event(pass, &mut patch, &std::mem::take(&mut data), place)?;
            continue;
        }
        let (field, value) = raw.split_once(':').unwrap_or((raw, ""));
        let start = line.end - value.len();
        let start = if value.starts_with(' ') { start + 1 } else { start };
        match field {
            "data" => data.push(start..line.end),
            "retry" if text[start..line.end].bytes().all(|b| b.is_ascii_digit()) => {}
            // A comment, an id, a type of event, or something clients ignore.
            _ => {
                let known = matches!(field, "" | "event" | "id" | "retry") && raw.contains(':');
                let range = if known { start..line.end } else { line };
                if let Some(fresh) = pass.value(&text[range.clone()], place)? {
                    patch.put(range, fresh.replace(['\r', '\n'], " "));
                }
            }
        }
    }
    // An event that was not ended is not delivered, but it is stored.
    event(pass, &mut patch, &data, place)?;
    Ok(patch.done())
}

/// One event's data.
fn event(
    pass: &mut Pass<'_>,
    patch: &mut Patch<'_>,
    lines: &[Range<usize>],
    place: Place<'_>,
) -> Result<(), DropReason> {
    let Some((last, head)) = lines.split_last() else { return Ok(()) };
    let joined: Vec<&str> = lines.iter().map(|line| patch.original(line.clone())).collect();
    let joined = joined.join("\n");
    let fresh = match sniff::is_json(&joined) {
        true => Some(json::document(pass, &joined, place)?).filter(|fresh| *fresh != joined),
        false => pass.value(&joined, place)?,
    };
    let Some(fresh) = fresh else { return Ok(()) };
    let mut rest = fresh.as_str();
    for line in head {
        let (one, after) = rest.split_once('\n').unwrap_or((rest, ""));
        patch.put(line.clone(), one);
        rest = after;
    }
    patch.put(last.clone(), rest.replace(['\r', '\n'], "\ndata: "));
    Ok(())
}

/// Lines end with CR LF, LF or CR.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let start = at;
        let end = memchr::memchr2(b'\r', b'\n', &bytes[start..]).map_or(bytes.len(), |len| start + len);
        at = if bytes[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        Some(start..end)
    })
}

/// Whether a text of unknown kind is a stream of events: nothing but fields, one of them data.
pub(in crate::redact) fn is_stream(text: &str) -> bool {
    let mut data = false;
    let all = lines(text).all(|line| {
        let line = &text[line];
        let field = line.split(':').next().unwrap_or_default();
        data |= line.starts_with("data:");
        line.is_empty() || line.starts_with(':') || matches!(field, "data" | "event" | "id" | "retry")
    });
    all && data
}
