//! A provider's answer: its head, how its content is delimited, and the content.

use crate::http1::chunks::{Chunks, Limits, Step, take, trailers};
use crate::http1::fields::{digits, fields, is_of_one_hop, lists, range};
use crate::http1::{Error, Input, Io, Line, Spelling};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use httparse::{ParserConfig, Status};
use hyper::body::Frame;
use memchr::memchr;
use std::mem::MaybeUninit;
use std::task::{Context, Poll, ready};

/// An answer's head at most, bytes.
const HEAD_BYTES_MAX: usize = 256 << 10;

/// Up to so many bytes what is no head is told at once, however it comes.
const EAGER_BYTES_MAX: usize = 4 << 10;

/// Header lines of an answer at most.
const HEADER_LINES_MAX: usize = 200;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes, also none.
    Sized(u64),
    /// Chunks.
    Chunked,
    /// The connection's end.
    ToEnd,
}

/// One answer's head, also that of an interim one.
#[derive(Debug)]
pub struct AnswerHead {
    /// Its status.
    pub status: StatusCode,
    /// Its fields.
    pub headers: HeaderMap,
    /// How they were spelled.
    pub spelling: Spelling,
    /// Where its content ends.
    pub length: Length,
    /// Whether the connection may serve again behind it (RFC 9112, 9.3).
    pub keeps: bool,
}

/// The next head, if all of it is there; `to_head`: of an answer to HEAD. `looked` bytes held no whole head before.
/// At the connection's end, with `looked` at 0 again, what is there is judged as a whole. `verbatim`: a head that may pass as it came has its fields in its spelling only.
///
/// # Errors
/// What is there is no head, or is too large.
pub fn read_answer(
    input: &mut Input,
    to_head: bool,
    looked: &mut usize,
    verbatim: bool,
) -> Result<Option<AnswerHead>, Error> {
    let bytes = input.bytes();
    // A head ends in a line feed: a long one is looked at again only when there is a new one.
    let looked_at = *looked > 0 && bytes.len() > EAGER_BYTES_MAX;
    if looked_at && memchr(b'\n', bytes.get(*looked..).unwrap_or_default()).is_none() {
        *looked = bytes.len();
        return if bytes.len() > HEAD_BYTES_MAX { Err(TOO_LARGE) } else { Ok(None) };
    }
    let mut slots = [const { MaybeUninit::uninit() }; HEADER_LINES_MAX];
    let mut answer = httparse::Response::new(&mut []);
    let length = match ParserConfig::default().parse_response_with_uninit_headers(&mut answer, bytes, &mut slots) {
        Ok(Status::Complete(length)) if length <= HEAD_BYTES_MAX => length,
        Ok(Status::Partial) if bytes.len() <= HEAD_BYTES_MAX => {
            *looked = bytes.len();
            return Ok(None);
        }
        Ok(_) => return Err(TOO_LARGE),
        Err(error) => return Err(of_parser(error)),
    };
    let code = answer.code.and_then(|code| StatusCode::from_u16(code).ok());
    let status = code.ok_or(Error::Malformed("its status is none"))?;
    let one_one = answer.version == Some(1);
    let reason = reason(bytes);
    let mut lines = Vec::with_capacity(answer.headers.len());
    let mut said = Said { plain: true, sized: None, coded: false, chunked: false, close: false, keep_alive: false };
    for line in answer.headers.iter() {
        lines.push(Line::within(bytes, line));
        said.hear(line)?;
    }
    *looked = 0;
    let head = input.take(length);
    let length = said.delimits(status, one_one, to_head)?;
    let keeps = length != Length::ToEnd && !said.close && (one_one || said.keep_alive);
    let passes = verbatim && said.plain && said.sized.is_some() && matches!(length, Length::Sized(1..));
    let headers = if passes { HeaderMap::new() } else { fields(&head, &lines, said.coded)? };
    let spelling = Spelling::new(head, lines, reason).passing(passes);
    Ok(Some(AnswerHead { status, headers, spelling, length, keeps }))
}

/// What header lines say of the content's end and of the connection.
#[derive(Debug)]
struct Said {
    /// No line belongs to one connection, or to another framing than a length: an intermediary may pass all of them.
    plain: bool,
    sized: Option<u64>,
    coded: bool,
    /// The last of the transfer codings is `chunked`.
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Said {
    fn hear(&mut self, line: &httparse::Header<'_>) -> Result<(), Error> {
        // By length first: most names are none of these.
        match line.name.len() {
            10 if line.name.eq_ignore_ascii_case("connection") => {
                self.plain = false;
                self.close |= lists(line.value, b"close");
                self.keep_alive |= lists(line.value, b"keep-alive");
            }
            // All lines and members must be digits and say the same (RFC 9112, 6.3).
            14 if line.name.eq_ignore_ascii_case("content-length") => {
                // One line of one length passes; more are for the map to say once.
                self.plain &= self.sized.is_none() && !line.value.contains(&b',');
                for one in line.value.split(|byte| *byte == b',') {
                    let one = digits(one.trim_ascii()).ok_or(Error::Malformed("the Content-Length is no length"))?;
                    if self.sized.replace(one).is_some_and(|before| before != one) {
                        return Err(Error::Malformed("the Content-Length says two lengths"));
                    }
                }
            }
            17 if line.name.eq_ignore_ascii_case("transfer-encoding") => {
                let last = line.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
                (self.coded, self.plain) = (true, false);
                self.chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            }
            // It announces what is not there.
            7 if line.name.eq_ignore_ascii_case("trailer") => self.plain = false,
            _ => self.plain &= !is_of_one_hop(line.name),
        }
        Ok(())
    }

    /// RFC 9112, 6.3, for answers.
    fn delimits(&self, status: StatusCode, one_one: bool, to_head: bool) -> Result<Length, Error> {
        if to_head || status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Length::Sized(0));
        }
        match (self.coded, self.chunked) {
            (true, _) if !one_one => Err(Error::Malformed("HTTP/1.0 has no Transfer-Encoding")),
            (true, true) => Ok(Length::Chunked),
            (true, false) => Ok(Length::ToEnd),
            (false, _) => Ok(self.sized.map_or(Length::ToEnd, Length::Sized)),
        }
    }
}

const TOO_LARGE: Error = Error::Malformed("its head is too large");

fn of_parser(error: httparse::Error) -> Error {
    Error::Malformed(match error {
        httparse::Error::HeaderName => "a header name is malformed, or a line is folded",
        httparse::Error::HeaderValue => "a header value holds control characters",
        httparse::Error::TooManyHeaders => "it has too many header lines",
        httparse::Error::Version => "its version is none that is spoken here",
        httparse::Error::Status => "its status is none",
        _ => "its first line is malformed",
    })
}

/// Where the reason phrase of a whole head is; it may hold obsolete bytes (RFC 9112, 4), which the parser leaves out.
fn reason(head: &[u8]) -> (u32, u32) {
    let begins = head.iter().position(|byte| *byte != b'\r' && *byte != b'\n').unwrap_or(0);
    let line = head.get(begins..).unwrap_or_default();
    let line = line.get(..memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    range(head, line.get("HTTP/1.1 200 ".len()..).unwrap_or(&line[line.len()..]))
}

/// The content of one message that is read.
#[derive(Debug)]
pub struct Content(Kind);

#[derive(Debug)]
enum Kind {
    Sized(u64),
    Chunked(Chunks),
    ToEnd,
    Over,
}

impl Content {
    /// Of an answer.
    pub fn new(length: Length) -> Self {
        Self(match length {
            Length::Sized(0) => Kind::Over,
            Length::Sized(left) => Kind::Sized(left),
            Length::Chunked => Kind::Chunked(Chunks::new(Limits::ANSWER)),
            Length::ToEnd => Kind::ToEnd,
        })
    }

    /// Whether all of it was read.
    pub fn is_over(&self) -> bool {
        matches!(self.0, Kind::Over)
    }

    /// Bytes left, where that is known.
    pub fn left(&self) -> Option<u64> {
        match self.0 {
            Kind::Over => Some(0),
            Kind::Sized(left) => Some(left),
            Kind::Chunked(_) | Kind::ToEnd => None,
        }
    }

    /// The next part: data, or the trailers, which are the last. `None`: it is over.
    pub fn poll_frame(
        &mut self,
        input: &mut Input,
        io: &mut dyn Io,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            match self.next(input) {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            let expects = match &self.0 {
                Kind::Sized(left) => *left,
                Kind::Chunked(chunks) => chunks.expects(),
                Kind::ToEnd => input.likely(),
                Kind::Over => 0,
            };
            match ready!(input.poll_fill(io, cx, expects)) {
                Ok(0) if matches!(self.0, Kind::ToEnd) => self.0 = Kind::Over,
                Ok(0) => return Poll::Ready(Some(Err(Error::Cut))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    /// The next part of what is there.
    fn next(&mut self, input: &mut Input) -> Result<Option<Frame<Bytes>>, Error> {
        if input.is_empty() {
            return Ok(None);
        }
        let data = match &mut self.0 {
            Kind::Over => return Ok(None),
            Kind::ToEnd => input.bytes().len(),
            Kind::Sized(left) => {
                let (data, rest) = take(input.bytes(), *left);
                *left = rest;
                if rest == 0 {
                    self.0 = Kind::Over;
                }
                data
            }
            Kind::Chunked(chunks) => loop {
                match chunks.step(input.bytes()) {
                    Step::Need => return Ok(None),
                    Step::Data(data) => break data,
                    Step::Skip(bytes) => input.skip(bytes),
                    Step::End(bytes) => {
                        self.0 = Kind::Over;
                        return Ok(trailers(&input.take(bytes)).map(Frame::trailers));
                    }
                    Step::Broken(text) => return Err(Error::Malformed(text)),
                }
            },
        };
        let data = Frame::data(input.take(data));
        self.skip_end(input);
        Ok(Some(data))
    }

    /// Passes over the end of a chunked body that is there already, so that whoever got the last data knows it.
    fn skip_end(&mut self, input: &mut Input) {
        let Kind::Chunked(chunks) = &mut self.0 else { return };
        if input.bytes() == b"\r\n0\r\n\r\n" && chunks.expects() == 0 {
            input.skip(7);
            self.0 = Kind::Over;
        }
    }
}
