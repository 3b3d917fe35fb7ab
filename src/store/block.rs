//! The block of a capture's details: header lines, redaction hits and differences, as plain bytes before compression.
//!
//! Layout: the request's, the primary's and the shadow's header lines, then hits, then differences; each list is its length
//! and its items, each text its length and its bytes, each number a LEB128 of at most 10 bytes.

use crate::compare::{Difference, What};
use crate::redact::{Hit, Part, Side};
use http::HeaderMap;

/// The sides of a hit, in the order of their numbers here (append only).
const SIDES: [Side; 3] = [Side::Request, Side::Primary, Side::Shadow];
/// The parts of a hit, in the order of their numbers here (append only).
const PARTS: [Part; 3] = [Part::Target, Part::Headers, Part::Body];

/// A list of header lines.
pub type Lines = Vec<(String, String)>;

/// What a block holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Request, primary, shadow.
    pub headers: [Lines; 3],
    /// Rule, side, part, count.
    pub hits: Vec<(String, String, String, u32)>,
    /// Where the answers differ.
    pub differences: Vec<Difference>,
}

/// Writes the block of a capture into `out`, which is emptied first.
pub fn write(out: &mut Vec<u8>, headers: [Option<&HeaderMap>; 3], hits: &[Hit], differences: &[Difference]) {
    out.clear();
    for headers in headers {
        let Some(headers) = headers else {
            number(out, 0);
            continue;
        };
        number(out, headers.len() as u64);
        for (name, value) in headers {
            text(out, name.as_str().as_bytes());
            text(out, value.as_bytes());
        }
    }
    number(out, hits.len() as u64);
    for hit in hits {
        text(out, hit.rule.as_bytes());
        let side = SIDES.iter().position(|side| *side == hit.side).unwrap_or_default();
        let part = PARTS.iter().position(|part| *part == hit.part).unwrap_or_default();
        number(out, (side * PARTS.len() + part) as u64);
        number(out, u64::from(hit.count));
    }
    number(out, differences.len() as u64);
    for difference in differences {
        number(out, u64::from(difference.what.code()));
        text(out, difference.path.as_bytes());
    }
}

/// Hits from rule, side and part by their numbers here, and count.
pub fn hits(rows: Vec<(String, i64, i64, u32)>) -> Vec<Hit> {
    let at = |at: i64| usize::try_from(at).unwrap_or_default();
    let hit = |(rule, side, part, count): (String, i64, i64, u32)| Hit {
        rule: rule.into(),
        side: SIDES[at(side) % SIDES.len()],
        part: PARTS[at(part) % PARTS.len()],
        count,
    };
    rows.into_iter().map(hit).collect()
}

/// Hits by the names of their sides and parts, as [`read`] gives them.
pub fn hits_named(rows: &[(String, String, String, u32)]) -> Vec<Hit> {
    let hit = |(rule, side, part, count): &(String, String, String, u32)| {
        let side = SIDES.into_iter().find(|known| known.name() == side)?;
        let part = PARTS.into_iter().find(|known| known.name() == part)?;
        Some(Hit { rule: rule.as_str().into(), side, part, count: *count })
    };
    rows.iter().filter_map(hit).collect()
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads a block; header bytes that are no UTF-8 become their Latin-1 characters, as RFC 9110 reads them.
///
/// # Errors
/// What is wrong with it.
pub fn read(block: &[u8]) -> Result<Details, String> {
    let mut rest = Rest(block);
    let mut details = Details::default();
    for lines in &mut details.headers {
        for _ in 0..rest.count()? {
            lines.push((rest.text()?, rest.text()?));
        }
    }
    for _ in 0..rest.count()? {
        let rule = rest.text()?;
        let place = rest.number()? as usize;
        let side = SIDES.get(place / PARTS.len()).ok_or("a hit is nowhere")?;
        let part = PARTS[place % PARTS.len()];
        let count = u32::try_from(rest.number()?).map_err(|_| "a count is too large")?;
        details.hits.push((rule, side.name().to_owned(), part.name().to_owned(), count));
    }
    for _ in 0..rest.count()? {
        let what = u8::try_from(rest.number()?).ok().and_then(What::from_code).ok_or("a difference of unknown kind")?;
        details.differences.push(Difference { path: rest.text()?, what });
    }
    if rest.0.is_empty() { Ok(details) } else { Err("bytes after its end".to_owned()) }
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn number(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, after) = self.0.split_first().ok_or("it is cut")?;
            self.0 = after;
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number does not end".to_owned())
    }

    /// The length of a list: an item has a byte at least, so damage cannot make it run long.
    fn count(&mut self) -> Result<u64, String> {
        let count = self.number()?;
        if count > self.0.len() as u64 { Err("a list is longer than the block".to_owned()) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<String, String> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let (bytes, after) = self.0.split_at_checked(length).ok_or("a text is cut")?;
        self.0 = after;
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back_and_every_cut_of_it_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append("a", "1".parse().unwrap());
        headers.append("a", http::HeaderValue::from_bytes(b"\xe9").unwrap());
        let hit = Hit { rule: "email".into(), side: Side::Shadow, part: Part::Headers, count: 300 };
        let difference = Difference { path: "$.x".to_owned(), what: What::Length };
        let mut block = vec![9];
        write(&mut block, [Some(&headers), None, Some(&headers)], &[hit], std::slice::from_ref(&difference));
        let read_back = read(&block).unwrap();
        let lines = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "é".to_owned())];
        assert_eq!(read_back.headers, [lines.clone(), Vec::new(), lines]);
        assert_eq!(read_back.hits, [("email".into(), "shadow".into(), "headers".into(), 300)]);
        assert_eq!(read_back.differences, [difference]);
        for end in 0..block.len() {
            assert!(read(&block[..end]).is_err(), "{end}");
        }
        assert!(read(&[0x80; 20]).is_err());
    }
}
