//! A chunked body (RFC 9112, 7.1) told from its bytes: bytes in, steps out, no I/O.
//!
//! **Invariants.** However the bytes are split, the steps add up to the same. What must be held until it can be judged is
//! bounded: a size line, the trailers.

use crate::http1::lines::{Fault, Lines};
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

/// Hex digits of a chunk's size at most: more would overflow.
const SIZE_DIGITS_MAX: usize = 16;

/// A chunk's size line with its extensions at most, bytes.
const SIZE_LINE_BYTES_MAX: usize = 256;

/// Trailer lines at most.
const TRAILER_LINES_MAX: usize = 64;

/// Fields that say where a message ends, where it goes or who sends it: none may follow the body (RFC 9110, 6.5.1).
const NOT_IN_TRAILERS: [&[u8]; 20] = [
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"content-type",
    b"cookie",
    b"expect",
    b"host",
    b"keep-alive",
    b"max-forwards",
    b"proxy-authorization",
    b"range",
    b"set-cookie",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"x-http-method-override",
];

/// How strictly a chunked body is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All chunk extensions of one body at most, bytes.
    extension_bytes_max: usize,
    /// Trailers at most, bytes.
    trailer_bytes_max: usize,
    /// White space may follow a chunk's size: some servers pad it.
    padded: bool,
    /// Fields that may not stand in trailers break the body; else they are left out.
    strict: bool,
}

impl Limits {
    /// Of requests: nothing that anybody could read in another way.
    pub const REQUEST: Self =
        Self { extension_bytes_max: 4 << 10, trailer_bytes_max: 8 << 10, padded: false, strict: true };
    /// Of answers: what providers are known to send.
    pub const ANSWER: Self =
        Self { extension_bytes_max: 16 << 10, trailer_bytes_max: 16 << 10, padded: true, strict: false };
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Too few to tell: call again with these and more.
    Need,
    /// So many are the content's.
    Data(usize),
    /// So many are the framing's.
    Skip(usize),
    /// So many are the trailers and the empty line behind them, with which the body ends.
    End(usize),
    /// This is no chunked body.
    Broken(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailers,
}

/// Follows one chunked body.
#[derive(Debug)]
pub struct Chunks {
    state: State,
    lines: Lines,
    extension_bytes: usize,
    limits: Limits,
}

impl Chunks {
    /// At its beginning.
    pub fn new(limits: Limits) -> Self {
        Self { state: State::Size, lines: Lines::default(), extension_bytes: 0, limits }
    }

    /// What the rest of the current chunk will have, bytes; zero where that is not known.
    pub fn expects(&self) -> u64 {
        match self.state {
            State::Data(left) => left,
            _ => 0,
        }
    }

    /// What the bytes begin with. After [`Step::Need`] the same bytes come again, with more behind them; all other steps
    /// take theirs away. After [`Step::End`] this is at the beginning of the next body.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        if bytes.is_empty() {
            return Step::Need;
        }
        match self.state {
            State::Size => self.size(bytes),
            State::Data(left) => {
                let (pass, left) = take(bytes, left);
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                Step::Data(pass)
            }
            State::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.state = State::Size;
                    Step::Skip(2)
                }
                [b'\r'] => Step::Need,
                _ => Step::Broken("a chunk does not end where its size says"),
            },
            State::Trailers => self.end(bytes),
        }
    }

    fn size(&mut self, bytes: &[u8]) -> Step {
        let window = bytes.get(..SIZE_LINE_BYTES_MAX).unwrap_or(bytes);
        let Some(feed) = memchr(b'\n', window) else {
            return if window.len() == SIZE_LINE_BYTES_MAX {
                Step::Broken("a chunk's size line is too long")
            } else {
                Step::Need
            };
        };
        let Some(line) = window.get(..feed).and_then(|line| line.strip_suffix(b"\r")) else {
            return Step::Broken("a chunk's size line does not end in CRLF");
        };
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits == 0 || digits > SIZE_DIGITS_MAX {
            return Step::Broken("a chunk's size is none");
        }
        let (size, extension) = line.split_at(digits);
        let extension = if self.limits.padded { extension.trim_ascii_start() } else { extension };
        let control = |byte: &u8| *byte != b'\t' && (*byte < b' ' || *byte == 0x7f);
        if !(extension.is_empty() || extension.starts_with(b";")) || extension.iter().any(control) {
            return Step::Broken("a chunk's size is followed by what is no extension");
        }
        self.extension_bytes += extension.len();
        if self.extension_bytes > self.limits.extension_bytes_max {
            return Step::Broken("the chunk extensions are too long");
        }
        let size = std::str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
        self.state = match size {
            Some(0) => State::Trailers,
            Some(size) => State::Data(size),
            None => return Step::Broken("a chunk's size is none"),
        };
        Step::Skip(feed + 1)
    }

    fn end(&mut self, bytes: &[u8]) -> Step {
        match self.lines.end(bytes, self.limits.trailer_bytes_max, TRAILER_LINES_MAX, 0) {
            Ok(Some(end)) => {
                let block = bytes.get(..end).unwrap_or_default();
                if end > 2 && !are_good(block, self.limits.strict) {
                    return Step::Broken("the trailers are malformed or hold what may not stand there");
                }
                *self = Self::new(self.limits);
                Step::End(end)
            }
            Ok(None) => Step::Need,
            Err(Fault::LineEnd) => Step::Broken("a trailer line does not end in CRLF"),
            Err(Fault::TooMuch) => Step::Broken("the trailers are too large"),
        }
    }
}

/// How many of the bytes the rest of a body takes, and what is left of it.
pub fn take(bytes: &[u8], left: u64) -> (usize, u64) {
    let pass = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
    (pass, left - pass as u64)
}

/// Whether a field of this name may stand in trailers.
pub fn may_follow(name: &[u8]) -> bool {
    !NOT_IN_TRAILERS.iter().any(|other| name.eq_ignore_ascii_case(other))
}

fn are_good(block: &[u8], strict: bool) -> bool {
    let mut slots = [httparse::EMPTY_HEADER; TRAILER_LINES_MAX];
    match httparse::parse_headers(block, &mut slots) {
        Ok(httparse::Status::Complete((bytes, fields))) => {
            bytes == block.len() && !(strict && fields.iter().any(|field| !may_follow(field.name.as_bytes())))
        }
        _ => false,
    }
}

/// The fields of a block that [`Step::End`] gave, without those that may not stand there. `None`: there are none.
pub fn trailers(block: &[u8]) -> Option<HeaderMap> {
    if block.len() <= 2 {
        return None;
    }
    let mut slots = [httparse::EMPTY_HEADER; TRAILER_LINES_MAX];
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(block, &mut slots) else { return None };
    let mut trailers = HeaderMap::with_capacity(fields.len());
    for field in fields.iter().filter(|field| may_follow(field.name.as_bytes())) {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value))
        {
            trailers.append(name, value);
        }
    }
    (!trailers.is_empty()).then_some(trailers)
}
