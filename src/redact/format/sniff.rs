//! What a text of unknown kind looks like. Only what is a format beyond doubt is read as one; all else is plain text.

use crate::exchange::DropReason;
use crate::redact::format::media::Format;
use crate::redact::format::{
    assignments, card, csv, dsn, edifact, events, gedcom, graphql, hl7, ldif, message, multipart, nacha, ofx, swift,
    x12, xdt, zpl,
};

/// The format of a text.
///
/// # Errors
/// `TooDeep` for what is nested past any doubt that it is JSON, and past what a parser follows.
pub(in crate::redact) fn format(text: &str, depth_max: usize) -> Result<Format, DropReason> {
    let start = text.trim_start();
    let first = start.lines().next().unwrap_or_default();
    if start.starts_with(['{', '[', '"']) {
        if is_json(text) {
            return Ok(Format::Json);
        }
        if is_deeper(start, depth_max) {
            return Err(DropReason::TooDeep);
        }
        if first.len() < start.trim_end().len() && is_json_lines(start) {
            return Ok(Format::JsonLines);
        }
    }
    if start.starts_with('\u{1e}') && is_json_sequence(start) {
        return Ok(Format::JsonSequence);
    }
    if let Some(found) = of_records(start) {
        return Ok(found);
    }
    if start.starts_with('<') && start[1..].starts_with(|c: char| c.is_alphabetic() || "!?_/".contains(c)) {
        return Ok(Format::Html);
    }
    if card::is_card(text) {
        return Ok(Format::Card);
    }
    if hl7::is_message(text) {
        return Ok(Format::Hl7);
    }
    if ldif::is_entries(start) {
        return Ok(Format::Ldif);
    }
    if multipart::boundary_of(text.as_bytes()).is_some() {
        return Ok(Format::Multipart);
    }
    if events::is_stream(text) {
        return Ok(Format::Events);
    }
    if message::is_message(text) {
        return Ok(Format::Message);
    }
    if is_graphql_like(start) && graphql::is_document(text, depth_max) {
        return Ok(Format::Graphql);
    }
    if is_form(text) {
        return Ok(Format::Form);
    }
    Ok(if csv::is_table(text) { Format::Csv } else { Format::Text })
}

/// The format of a document inside a string of another one: what is one beyond doubt, of those that are carried so.
pub(in crate::redact) fn inside(text: &str) -> Option<Format> {
    let start = text.trim_start();
    if let Some(found) = of_records(start) {
        return Some(found);
    }
    if may_be_markup(text) {
        return Some(Format::Html);
    }
    if card::is_card(start) {
        return Some(Format::Card);
    }
    if hl7::is_message(start) {
        return Some(Format::Hl7);
    }
    if ldif::is_entries(start) {
        return Some(Format::Ldif);
    }
    if multipart::boundary_of(start.as_bytes()).is_some() {
        return Some(Format::Multipart);
    }
    if is_form(text) {
        return Some(Format::Form);
    }
    if !text.trim_end().contains('\n') {
        return None;
    }
    if start.starts_with('{') && is_json_lines(start) {
        return Some(Format::JsonLines);
    }
    if events::is_stream(text) {
        return Some(Format::Events);
    }
    if message::is_message(start) {
        return Some(Format::Message);
    }
    if csv::is_table(text) {
        return Some(Format::Csv);
    }
    assignments::is_list(text).then_some(Format::Assignments)
}

/// The format of records whose values are named by their places, by what such a text begins with; a look at its first byte
/// tells nearly all others.
pub(in crate::redact) fn of_records(start: &str) -> Option<Format> {
    let (is_one, format) = match start.as_bytes().first()? {
        b'U' => (edifact::is_interchange(start), Format::Edifact),
        b'I' => (x12::is_interchange(start), Format::X12),
        b'O' | b'<' => (ofx::is_file(start), Format::Ofx),
        b'0' if xdt::is_record(start) => (true, Format::Xdt),
        b'0' => (gedcom::is_tree(start), Format::Gedcom),
        b'1' => (nacha::is_file(start), Format::Nacha),
        b'^' => (zpl::is_label(start), Format::Zpl),
        b'S' => (dsn::is_declaration(start), Format::Dsn),
        b':' | b'{' => (swift::is_message(start), Format::Swift),
        _ => return None,
    };
    is_one.then_some(format)
}

/// Whether a text is one JSON object, array or string.
pub(in crate::redact) fn is_json(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with(['{', '[', '"']) && serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok()
}

/// Whether a string in a document holds markup: it begins and ends with a tag.
pub(in crate::redact) fn may_be_markup(raw: &str) -> bool {
    let text = raw.trim();
    text.ends_with('>')
        && text
            .strip_prefix('<')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "!?".contains(c)))
        && (text.contains("</") || text.ends_with("/>"))
}

fn is_json_lines(text: &str) -> bool {
    text.lines().filter(|line| !line.trim().is_empty()).all(is_json)
}

fn is_json_sequence(text: &str) -> bool {
    text.split('\u{1e}').skip(1).all(is_json)
}

/// Whether brackets outside strings open deeper than a document may.
fn is_deeper(text: &str, depth_max: usize) -> bool {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > depth_max {
            return true;
        }
    }
    false
}

fn is_graphql_like(start: &str) -> bool {
    start.contains('{')
        && ["{", "query", "mutation", "subscription", "fragment"].iter().any(|head| start.starts_with(head))
}

/// Pairs of plain names and values without white space, at least two.
fn is_form(text: &str) -> bool {
    let text = text.trim_end_matches(['\r', '\n']);
    text.contains('&') && is_pairs(text)
}

/// Pairs of plain names and values without white space, or a single one.
pub(in crate::redact) fn is_pairs(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 128
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.[]%+$".contains(&b))
            && name.bytes().any(|b| b.is_ascii_alphabetic())
    };
    !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}".contains(c))
        && text.split('&').all(|pair| pair.split_once('=').is_some_and(|(name, _)| is_name(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_show() {
        let cases = [
            ("{\"a\":1}", Format::Json),
            ("[1,2]\n", Format::Json),
            ("{\"a\":1}\n{\"a\":2}\n", Format::JsonLines),
            ("\u{1e}{\"a\":1}\n\u{1e}[]\n", Format::JsonSequence),
            ("<a>b</a>", Format::Html),
            ("<!doctype html><p>", Format::Html),
            ("a=b&c=d", Format::Form),
            ("event: x\ndata: y\n\n", Format::Events),
            ("id,name\n1,Ada\n2,Bob\n", Format::Csv),
            ("id\tfull name\r\n1\tAda\r\n", Format::Csv),
            ("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", Format::Message),
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", Format::Message),
            ("query { a(b: 1) { c } }", Format::Graphql),
            ("{ a(b: \"x\") { c } }", Format::Graphql),
            ("MSH|^~\\&|A|B\rPID|1||7\r", Format::Hl7),
            ("UNA:+.? 'UNB+UNOA:4+A+B'UNZ+1+1'", Format::Edifact),
            ("OFXHEADER:100\n<OFX><CODE>0</OFX>", Format::Ofx),
            ("<OFX><CODE>0</OFX>", Format::Ofx),
            ("0 HEAD\n1 CHAR UTF-8\n0 TRLR\n", Format::Gedcom),
            (":20:X\n:25:Y\n", Format::Swift),
            ("{1:F01A}{2:O940A}{4:\n:20:X\n:25:Y\n-}", Format::Swift),
            ("version: 1\n\ndn: cn=Ada,dc=x\ncn: Ada\n", Format::Ldif),
            ("version: 1\nname: x\n", Format::Text),
            ("BEGIN:VCARD\r\nFN:Ada\r\nEND:VCARD\r\n", Format::Card),
            ("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n", Format::Multipart),
            ("Dear Ada,\nthank you, and goodbye.\n", Format::Text),
            ("Hello, Bob\nBye, Alice", Format::Text),
            ("<3 you", Format::Text),
            ("[note] see below", Format::Text),
            ("a & b = c", Format::Text),
            ("YWJj==", Format::Text),
            ("https://x.example/?a=b&c=d", Format::Text),
            ("query the {data", Format::Text),
            ("", Format::Text),
        ];
        for (text, wanted) in cases {
            assert_eq!(format(text, 64).unwrap(), wanted, "{text}");
        }
        assert_eq!(format(&"[".repeat(1000), 64), Err(DropReason::TooDeep));
    }
}
