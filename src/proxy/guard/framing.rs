//! Where HTTP/1 messages begin and end, told from the bytes alone: bytes in, steps out, no I/O.
//!
//! **Invariants.** However the bytes are split, the steps add up to the same. Work is linear in the bytes; what must be
//! held until it can be judged is bounded: a head, a chunk's size line, the trailers.

use crate::exchange::Refused;
use crate::proxy::guard::fields::{self, Length, Refusal, refusal};
use memchr::memchr;

/// With which HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Empty lines passed over before a head (RFC 9112, 2.2).
const EMPTY_LINES_MAX: usize = 4;

/// Hex digits of a chunk's size at most: more would overflow.
const SIZE_DIGITS_MAX: usize = 16;

/// A chunk's size line with its extensions at most, bytes.
const SIZE_LINE_BYTES_MAX: usize = 256;

/// All chunk extensions of one body at most, bytes.
const EXTENSION_BYTES_MAX: usize = 4096;

/// Trailers at most, bytes and lines.
const TRAILER_BYTES_MAX: usize = 8192;
const TRAILER_LINES_MAX: usize = 64;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Too few to tell: call again with these and more.
    Need,
    /// So many belong to the message under way.
    Pass(usize),
    /// So many are a whole, good head; `upgrade`: what follows its body may be another protocol.
    Head { bytes: usize, upgrade: bool },
    /// All that follows is not ours to read.
    Opaque,
    /// A head that is none: nothing of it is passed, and nothing that follows.
    Refuse(Refusal),
    /// A body that is none.
    Broken(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Head,
    Sized(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Opaque,
}

/// Lines up to an empty one, remembered between calls so that no byte is looked at twice.
#[derive(Debug, Default)]
struct Lines {
    scanned: usize,
    line_start: usize,
    lines: usize,
    empty: usize,
}

enum Fault {
    LineEnd,
    TooMuch,
}

impl Lines {
    /// The bytes up to and with the empty line, if it is there.
    fn end(
        &mut self,
        bytes: &[u8],
        bytes_max: usize,
        lines_max: usize,
        leading: usize,
    ) -> Result<Option<usize>, Fault> {
        while let Some(at) = bytes.get(self.scanned..).and_then(|rest| memchr(b'\n', rest)) {
            let feed = self.scanned + at;
            if feed >= bytes_max {
                return Err(Fault::TooMuch);
            }
            if feed == self.line_start || bytes.get(feed - 1) != Some(&b'\r') {
                return Err(Fault::LineEnd);
            }
            let empty = feed - 1 == self.line_start;
            self.scanned = feed + 1;
            self.line_start = feed + 1;
            match (empty, self.lines) {
                (true, 0) if self.empty < leading => self.empty += 1,
                (true, 0) if leading > 0 => return Err(Fault::LineEnd),
                (true, _) => return Ok(Some(feed + 1)),
                (false, _) => self.lines += 1,
            }
            if self.lines > lines_max {
                return Err(Fault::TooMuch);
            }
        }
        self.scanned = bytes.len();
        if bytes.len() > bytes_max { Err(Fault::TooMuch) } else { Ok(None) }
    }
}

/// Follows one connection's incoming bytes.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    lines: Lines,
    extension_bytes: usize,
    head_bytes_max: usize,
    head_lines_max: usize,
}

impl Framing {
    /// A head has `head_bytes_max` bytes and `head_lines_max` header lines at most.
    pub(crate) fn new(head_bytes_max: usize, head_lines_max: usize) -> Self {
        let head_lines_max = head_lines_max.min(fields::LINES_MAX);
        Self { state: State::Start, lines: Lines::default(), extension_bytes: 0, head_bytes_max, head_lines_max }
    }

    /// Whether the next byte begins a head, and none of it has been passed.
    pub(crate) fn between_messages(&self) -> bool {
        matches!(self.state, State::Start | State::Head)
    }

    /// Whether the bytes are another protocol's.
    pub(crate) fn is_opaque(&self) -> bool {
        self.state == State::Opaque
    }

    /// From here on the bytes are another protocol's.
    pub(crate) fn switch_off(&mut self) {
        self.state = State::Opaque;
    }

    /// What the bytes begin with. After [`Step::Need`] the same bytes come again, with more behind them; all other steps
    /// take theirs away.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Step {
        let Some(first) = bytes.first() else { return Step::Need };
        match self.state {
            State::Opaque => Step::Opaque,
            State::Start => self.start(bytes),
            State::Head => self.head(bytes, *first),
            State::Sized(left) => {
                let (pass, left) = take(bytes, left);
                self.state = if left == 0 { State::Head } else { State::Sized(left) };
                Step::Pass(pass)
            }
            State::ChunkSize => self.chunk_size(bytes),
            State::ChunkData(left) => {
                let (pass, left) = take(bytes, left);
                self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                Step::Pass(pass)
            }
            State::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.state = State::ChunkSize;
                    Step::Pass(2)
                }
                [b'\r'] => Step::Need,
                _ => Step::Broken("a chunk does not end where its size says"),
            },
            State::Trailers => self.trailers(bytes),
        }
    }

    fn start(&mut self, bytes: &[u8]) -> Step {
        if bytes.starts_with(PREFACE) {
            self.state = State::Opaque;
            return Step::Opaque;
        }
        if PREFACE.starts_with(bytes) {
            return Step::Need;
        }
        self.state = State::Head;
        self.step(bytes)
    }

    fn head(&mut self, bytes: &[u8], first: u8) -> Step {
        let fault = |text| Step::Refuse(refusal(Refused::RequestHead, text));
        if !(first.is_ascii_graphic() || first == b'\r' || first == b'\n') {
            return fault("darklaunch: this is not HTTP\n");
        }
        let lines_max = self.head_lines_max + 1;
        let end = match self.lines.end(bytes, self.head_bytes_max, lines_max, EMPTY_LINES_MAX) {
            Ok(Some(end)) => end,
            Ok(None) => return Step::Need,
            Err(Fault::LineEnd) => return fault("darklaunch: a line does not end in CRLF\n"),
            Err(Fault::TooMuch) => {
                return Step::Refuse(refusal(Refused::HeadTooLarge, "darklaunch: the request's head is too large\n"));
            }
        };
        self.lines = Lines::default();
        let head = match fields::judge(bytes.get(..end).unwrap_or_default(), self.head_lines_max) {
            Ok(head) => head,
            Err(refusal) => return Step::Refuse(refusal),
        };
        self.extension_bytes = 0;
        self.state = match head.length {
            Length::Sized(0) => State::Head,
            Length::Sized(bytes) => State::Sized(bytes),
            Length::Chunked => State::ChunkSize,
        };
        Step::Head { bytes: end, upgrade: head.upgrade }
    }

    fn chunk_size(&mut self, bytes: &[u8]) -> Step {
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
        let control = |byte: &u8| *byte != b'\t' && (*byte < b' ' || *byte == 0x7f);
        if !(extension.is_empty() || extension.starts_with(b";")) || extension.iter().any(control) {
            return Step::Broken("a chunk's size is followed by what is no extension");
        }
        self.extension_bytes += extension.len();
        if self.extension_bytes > EXTENSION_BYTES_MAX {
            return Step::Broken("the chunk extensions are too long");
        }
        let size = std::str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
        self.state = match size {
            Some(0) => State::Trailers,
            Some(size) => State::ChunkData(size),
            None => return Step::Broken("a chunk's size is none"),
        };
        Step::Pass(feed + 1)
    }

    fn trailers(&mut self, bytes: &[u8]) -> Step {
        match self.lines.end(bytes, TRAILER_BYTES_MAX, TRAILER_LINES_MAX, 0) {
            Ok(Some(end)) => {
                self.lines = Lines::default();
                if !fields::trailers_are_good(bytes.get(..end).unwrap_or_default(), TRAILER_LINES_MAX) {
                    return Step::Broken("the trailers are malformed or hold what may not stand there");
                }
                self.state = State::Head;
                Step::Pass(end)
            }
            Ok(None) => Step::Need,
            Err(Fault::LineEnd) => Step::Broken("a trailer line does not end in CRLF"),
            Err(Fault::TooMuch) => Step::Broken("the trailers are too large"),
        }
    }
}

/// How many of the bytes the rest of a body takes, and what is left of it.
fn take(bytes: &[u8], left: u64) -> (usize, u64) {
    let pass = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
    (pass, left - pass as u64)
}
