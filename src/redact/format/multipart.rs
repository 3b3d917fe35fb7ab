//! Multipart bodies (RFC 2046): preamble and epilogue are text, each part is a message of its own.

use crate::exchange::DropReason;
use crate::redact::format::media::MediaType;
use crate::redact::format::message;
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use memchr::memmem;
use std::ops::Range;

/// Longest boundary (RFC 2046, section 5.1.1), bytes.
const BOUNDARY_BYTES_MAX: usize = 70;

/// Redacts part by part; everything between the parts stays as it is.
pub(in crate::redact) fn document(
    pass: &mut Pass<'_>,
    media: &MediaType,
    bytes: &[u8],
    place: Place<'_>,
) -> Result<Vec<u8>, DropReason> {
    if place.depth >= NESTED_DEPTH_MAX {
        return Err(DropReason::TooDeep);
    }
    let sniffed = || boundary_of(bytes).map(str::to_owned);
    let boundary = media.parameter("boundary").map(str::to_owned).or_else(sniffed).ok_or(DropReason::Unparseable)?;
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
        return Err(DropReason::Unparseable);
    }
    let dashed = format!("--{boundary}");
    let delimiters = delimiters(bytes, dashed.as_bytes());
    let closed = delimiters.last().is_some_and(|last| last.closing);
    let (Some(first), Some(last)) = (delimiters.first(), delimiters.last().filter(|_| closed)) else {
        return Err(DropReason::Unparseable);
    };
    let inner = Place { depth: place.depth + 1, ..place };
    let mut out = Vec::with_capacity(bytes.len());
    out.extend(around(pass, &bytes[..first.range.start], inner)?);
    for pair in delimiters.windows(2) {
        out.extend_from_slice(&bytes[pair[0].range.clone()]);
        let part = message::part(pass, &bytes[pair[0].range.end..pair[1].range.start], inner)?;
        // Nothing that was put in may end the part early.
        if memmem::find(&part, dashed.as_bytes()).is_some_and(|at| at == 0 || part[at - 1] == b'\n') {
            return Err(DropReason::Internal);
        }
        out.extend(part);
    }
    out.extend_from_slice(&bytes[last.range.clone()]);
    out.extend(around(pass, &bytes[last.range.end..], inner)?);
    Ok(out)
}

/// Preamble or epilogue.
fn around(pass: &mut Pass<'_>, bytes: &[u8], place: Place<'_>) -> Result<Vec<u8>, DropReason> {
    let text = std::str::from_utf8(bytes).map_err(|_| DropReason::Unparseable)?;
    Ok(pass.value(text, place)?.unwrap_or_else(|| text.to_owned()).into_bytes())
}

/// A line between parts, with the line ending before it.
struct Delimiter {
    range: Range<usize>,
    closing: bool,
}

/// Every delimiter up to the closing one.
fn delimiters(bytes: &[u8], dashed: &[u8]) -> Vec<Delimiter> {
    let mut found: Vec<Delimiter> = Vec::new();
    for at in memmem::find_iter(bytes, dashed) {
        if at > 0 && bytes[at - 1] != b'\n' {
            continue;
        }
        let rest = &bytes[at + dashed.len()..];
        let closing = rest.starts_with(b"--");
        let rest = if closing { &rest[2..] } else { rest };
        let blank = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let ending = match &rest[blank..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            // The line ending after the last may be missing, or cut.
            [] | [b'\r'] if closing => 0,
            // A longer word that only begins like the boundary.
            _ => continue,
        };
        // What follows the closing delimiter is the epilogue, its line ending included.
        let end = bytes.len() - rest.len() + if closing { 0 } else { blank + ending };
        let before = match bytes[..at] {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        // An empty part shares the line ending with the delimiter before it.
        let start = (at - before).max(found.last().map_or(0, |last| last.range.end));
        found.push(Delimiter { range: start..end, closing });
        if closing {
            break;
        }
    }
    found
}

/// The boundary that a body without a content type shows: its first line, if header lines follow.
pub(in crate::redact) fn boundary_of(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(b"--")?;
    let end = memchr::memchr(b'\n', &rest[..rest.len().min(BOUNDARY_BYTES_MAX + 2)])?;
    let boundary = std::str::from_utf8(&rest[..end]).ok()?.trim_end_matches('\r');
    let head = rest.get(end + 1..end + 9)?;
    let plain = !boundary.is_empty() && boundary.bytes().all(|b| b.is_ascii_graphic());
    (plain && head.eq_ignore_ascii_case(b"content-")).then_some(boundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_whole_lines() {
        let body = b"pre\r\n--b\r\nA: b\r\n\r\n--bx\r\n--b \r\n\r\n--b--\r\nepilogue";
        let found = delimiters(body, b"--b");
        let texts: Vec<&str> = found.iter().map(|d| std::str::from_utf8(&body[d.range.clone()]).unwrap()).collect();
        assert_eq!(texts, ["\r\n--b\r\n", "\r\n--b \r\n", "\r\n--b--"]);
        assert!(found[2].closing);
        assert!(delimiters(b"--b\r\n\r\n--b--\r", b"--b").last().unwrap().closing);
        assert_eq!(boundary_of(b"--x\r\nContent-Type: a/b\r\n"), Some("x"));
        assert_eq!(boundary_of(b"-- hello\n"), None);
    }
}
