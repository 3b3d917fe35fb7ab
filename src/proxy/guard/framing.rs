//! Where HTTP/1 messages begin and end, told from the bytes alone: bytes in, steps out, no I/O.
//!
//! **Invariants.** However the bytes are split, the steps add up to the same. Work is linear in the bytes; what must be
//! held until it can be judged is bounded: a head, a chunk's size line, the trailers.

use crate::exchange::Refused;
use crate::http1::{self, Chunks, Fault, Length, Limits, Lines, take};
use crate::proxy::guard::fields::{self, Head, Refusal, refusal};

/// With which HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Empty lines passed over before a head (RFC 9112, 2.2).
const EMPTY_LINES_MAX: usize = 4;

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Too few to tell: call again with these and more.
    Need,
    /// So many are content.
    Data(usize),
    /// So many are the framing of content.
    Skip(usize),
    /// So many are the trailers of chunked content, and the empty line with which it ends.
    End(usize),
    /// A whole, good head.
    Head(Head),
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
    Chunked,
    Opaque,
}

/// Follows one connection's incoming bytes.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    lines: Lines,
    chunks: Chunks,
    head_bytes_max: usize,
    head_lines_max: usize,
}

impl Framing {
    /// A head has `head_bytes_max` bytes and `head_lines_max` header lines at most.
    pub(crate) fn new(head_bytes_max: usize, head_lines_max: usize) -> Self {
        let head_lines_max = head_lines_max.min(fields::LINES_MAX);
        let (lines, chunks) = (Lines::default(), Chunks::new(Limits::REQUEST));
        Self { state: State::Start, lines, chunks, head_bytes_max, head_lines_max }
    }

    /// Whether a connection begins in HTTP/2, told from its first bytes. `None`: they are too few.
    pub(crate) fn begins_http2(bytes: &[u8]) -> Option<bool> {
        let whole = bytes.starts_with(PREFACE);
        (whole || !PREFACE.starts_with(bytes)).then_some(whole)
    }

    /// Whether the next byte begins a head, and none of it has been passed.
    pub(crate) fn between_messages(&self) -> bool {
        matches!(self.state, State::Start | State::Head)
    }

    /// Bytes that are known to follow; zero where that is not known.
    pub(crate) fn expects(&self) -> u64 {
        match self.state {
            State::Sized(left) => left,
            State::Chunked => self.chunks.expects(),
            State::Start | State::Head | State::Opaque => 0,
        }
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
                Step::Data(pass)
            }
            State::Chunked => match self.chunks.step(bytes) {
                http1::Step::Need => Step::Need,
                http1::Step::Data(bytes) => Step::Data(bytes),
                http1::Step::Skip(bytes) => Step::Skip(bytes),
                http1::Step::End(bytes) => {
                    self.state = State::Head;
                    Step::End(bytes)
                }
                http1::Step::Broken(text) => Step::Broken(text),
            },
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
        self.state = match head.length {
            Length::Sized(0) => State::Head,
            Length::Sized(bytes) => State::Sized(bytes),
            Length::Chunked | Length::ToEnd => {
                self.chunks = Chunks::new(Limits::REQUEST);
                State::Chunked
            }
        };
        Step::Head(head)
    }
}
