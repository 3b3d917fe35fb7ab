//! Header lines between the wire and `HeaderMap`: read once, written with their names as they were spelled.
//!
//! A `HeaderMap` knows names in lower case only. How they were spelled stays in the head they came in, which is kept as
//! long as the message; so a line that nobody touched costs no allocation on its way through.

use crate::http1::{Error, names};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Room for lines of our own, so that a map need not grow for them.
const ADDED_LINES: usize = 4;

/// Fields that belong to one connection: an intermediary passes none of them just so (RFC 9110, 7.6.1).
const OF_ONE_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field of this name, in any case, belongs to one connection.
pub fn is_of_one_hop(name: &str) -> bool {
    OF_ONE_HOP.iter().any(|one| one.len() == name.len() && one.eq_ignore_ascii_case(name))
}

/// Where one header line is within its head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    name: (u32, u32),
    value: (u32, u32),
}

impl Line {
    /// Of a name and a value that lie within `head`.
    pub fn within(head: &[u8], header: &httparse::Header<'_>) -> Self {
        Self { name: range(head, header.name.as_bytes()), value: range(head, header.value) }
    }

    fn name<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        head.get(self.name.0 as usize..self.name.1 as usize).unwrap_or_default()
    }
}

/// The position of a part of `head`. A head is far smaller than what 32 bits count.
pub fn range(head: &[u8], part: &[u8]) -> (u32, u32) {
    let start = (part.as_ptr() as usize).wrapping_sub(head.as_ptr() as usize);
    let at = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (at(start), at(start.saturating_add(part.len())))
}

/// The fields of the lines, in their order, without a copy of any value. `chunked`: the body is delimited by chunks, and a
/// length beside them says nothing (RFC 9112, 6.3).
///
/// # Errors
/// A name or value that is none; the parser has judged them before.
pub fn fields(head: &Bytes, lines: &[Line], chunked: bool) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::with_capacity(lines.len() + ADDED_LINES);
    for line in lines {
        let name = names::known(line.name(head)).ok_or(Error::Malformed("a header name is none"))?;
        if chunked && name == CONTENT_LENGTH {
            continue;
        }
        let (start, end) = line.value;
        let value = head.slice(start as usize..(end as usize).clamp(start as usize, head.len()));
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| Error::Malformed("a header value is none"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// How the names of one message's header lines were spelled, and an answer's reason phrase.
#[derive(Clone, Debug)]
pub struct Spelling {
    head: Bytes,
    lines: Vec<Line>,
    reason: (u32, u32),
    passes: bool,
}

impl Spelling {
    /// Of the lines of a head; `reason`: where an answer's reason phrase is.
    pub fn new(head: Bytes, lines: Vec<Line>, reason: (u32, u32)) -> Self {
        Self { head, lines, reason, passes: false }
    }

    /// The lines are the message's fields: they pass as they came, beside those of the map.
    pub fn passing(self, passes: bool) -> Self {
        Self { passes, ..self }
    }

    /// The reason phrase as it came; empty for requests.
    pub fn reason(&self) -> &[u8] {
        self.head.get(self.reason.0 as usize..self.reason.1 as usize).unwrap_or_default()
    }

    /// Whether all lines pass as they came.
    pub fn passes(&self) -> bool {
        self.passes
    }

    /// The line of a value that lies within the head; `next` is the line it most likely is.
    fn line_of(&self, value: &[u8], next: usize) -> Option<usize> {
        let at = (value.as_ptr() as usize).wrapping_sub(self.head.as_ptr() as usize);
        let at = u32::try_from(at).ok().filter(|at| *at < self.lines.last().map_or(0, |last| last.value.1))?;
        match self.lines.get(next) {
            Some(line) if line.value.0 == at => Some(next),
            _ => self.lines.binary_search_by_key(&at, |line| line.value.0).ok(),
        }
    }

    /// How the name of a field was spelled, in its `nth` line (from 0).
    fn name_of(&self, name: &HeaderName, nth: usize) -> Option<&[u8]> {
        let (name, head) = (name.as_str().as_bytes(), &self.head[..]);
        let same = |line: &&Line| {
            (line.name.1 - line.name.0) as usize == name.len() && line.name(head).eq_ignore_ascii_case(name)
        };
        self.lines.iter().filter(same).nth(nth).map(|line| line.name(head))
    }
}

/// Writes the fields that `stays`, each on its line. A line that is as it came is copied as it came: its value is known by
/// where it is.
pub fn put_fields(
    to: &mut Vec<u8>,
    headers: &HeaderMap,
    spelling: Option<&Spelling>,
    mut stays: impl FnMut(&HeaderName, &HeaderValue) -> bool,
) {
    if let Some(spelling) = spelling.filter(|spelling| spelling.passes) {
        for line in &spelling.lines {
            to.extend_from_slice(spelling.head.get(line.name.0 as usize..line.value.1 as usize).unwrap_or_default());
            to.extend_from_slice(b"\r\n");
        }
    }
    let (mut last, mut nth, mut next): (Option<&HeaderName>, usize, usize) = (None, 0, 0);
    for (name, value) in headers {
        // The lines of one field follow each other.
        nth = if last.is_some_and(|last| std::ptr::eq(last, name)) { nth + 1 } else { 0 };
        last = Some(name);
        if !stays(name, value) {
            continue;
        }
        let Some(spelling) = spelling else {
            put_line(to, name.as_str().as_bytes(), value.as_bytes());
            continue;
        };
        let known = spelling.line_of(value.as_bytes(), next);
        if let Some(at) = known
            && let Some(line) = spelling.lines.get(at)
            && (line.value.1 - line.value.0) as usize == value.len()
            && let Some(whole) = spelling.head.get(line.name.0 as usize..line.value.1 as usize)
        {
            next = at + 1;
            to.extend_from_slice(whole);
            to.extend_from_slice(b"\r\n");
        } else {
            next += 1;
            let spelled = spelling.name_of(name, nth);
            put_line(to, spelled.unwrap_or(name.as_str().as_bytes()), value.as_bytes());
        }
    }
}

/// Writes one field of ours, its name as the message spells it.
pub fn put_field(to: &mut Vec<u8>, name: &HeaderName, value: &[u8], spelling: Option<&Spelling>) {
    let spelled = spelling.and_then(|spelling| spelling.name_of(name, 0));
    put_line(to, spelled.unwrap_or(name.as_str().as_bytes()), value);
}

fn put_line(to: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        to.extend_from_slice(part);
    }
}

/// Whether a comma-separated value has this member, in any case.
pub fn lists(value: &[u8], member: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(member))
}

/// Digits only: no sign, nothing that overflows.
pub fn digits(value: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for byte in value {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!value.is_empty()).then_some(number)
}
