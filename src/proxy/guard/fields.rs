//! One complete head: is it well-formed, and where does its body end?

use crate::exchange::Refused;
use httparse::{Header, ParserConfig, Request};
use std::mem::MaybeUninit;

/// Header lines there is room for, whatever the settings say.
pub(crate) const LINES_MAX: usize = 256;

/// Fields that say where a message ends, where it goes or who sends it: none may follow the body (RFC 9110, 6.5.1).
const NOT_IN_TRAILERS: [&[u8]; 19] = [
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
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"x-http-method-override",
];

/// A refused head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: Refused,
    /// One line for a person.
    pub(crate) text: &'static str,
}

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// So many bytes, also none.
    Sized(u64),
    /// Chunks.
    Chunked,
}

/// What a good head says of what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: Length,
    /// It asks for another protocol behind it.
    pub(crate) upgrade: bool,
}

pub(crate) fn refusal(kind: Refused, text: &'static str) -> Refusal {
    Refusal { kind, text }
}

const fn head_fault(text: &'static str) -> Refusal {
    Refusal { kind: Refused::RequestHead, text }
}

const fn framing_fault(text: &'static str) -> Refusal {
    Refusal { kind: Refused::RequestFraming, text }
}

/// Judges a head whose lines are known to end in CRLF, up to and with its empty line.
pub(crate) fn judge(head: &[u8], lines_max: usize) -> Result<Head, Refusal> {
    let mut slots = [const { MaybeUninit::uninit() }; LINES_MAX];
    let slots = slots.get_mut(..lines_max.min(LINES_MAX)).unwrap_or_default();
    let mut request = Request::new(&mut []);
    match ParserConfig::default().parse_request_with_uninit_headers(&mut request, head, slots) {
        Ok(httparse::Status::Complete(bytes)) if bytes == head.len() => {}
        Ok(_) => return Err(head_fault("darklaunch: the request's head is malformed\n")),
        Err(error) => return Err(of_parser(error)),
    }
    let one_one = request.version == Some(1);
    let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    if method == "CONNECT" {
        let text = "darklaunch: CONNECT is not forwarded; call the recorder as the API's base address\n";
        return Err(refusal(Refused::ConnectMethod, text));
    }
    if !is_target(method, target) {
        return Err(head_fault("darklaunch: the request target is malformed\n"));
    }
    fields(request.headers, one_one)
}

fn of_parser(error: httparse::Error) -> Refusal {
    head_fault(match error {
        httparse::Error::HeaderName => "darklaunch: a header name is malformed, or a line is folded\n",
        httparse::Error::HeaderValue => "darklaunch: a header value holds control characters\n",
        httparse::Error::TooManyHeaders => {
            return refusal(Refused::HeadTooLarge, "darklaunch: the request has too many header lines\n");
        }
        httparse::Error::Version => "darklaunch: the request's version is none that is spoken here\n",
        httparse::Error::Token => "darklaunch: the request's first line is malformed\n",
        _ => "darklaunch: the request's head is malformed\n",
    })
}

/// The forms of RFC 9112, 3.2 without that of CONNECT. A fragment is never sent; dropping it would change the target.
fn is_target(method: &str, target: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%?&=+:;,@!$'()*[]".contains(&byte);
    if target.starts_with('/') {
        return target.bytes().all(plain) || (!target.contains('#') && target.parse::<http::Uri>().is_ok());
    }
    let absolute = || target.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some());
    (target == "*" && method == "OPTIONS") || (!target.contains('#') && absolute())
}

fn fields(headers: &[Header<'_>], one_one: bool) -> Result<Head, Refusal> {
    let (mut hosts, mut sized, mut coded, mut upgrade) = (0_u32, None, Codings::default(), false);
    for Header { name, value } in headers {
        // By length first: most names are none of these.
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => {
                hosts += 1;
                if !is_host(value) {
                    return Err(refusal(Refused::Host, "darklaunch: the request's Host is malformed\n"));
                }
            }
            7 if name.eq_ignore_ascii_case("upgrade") => upgrade = one_one,
            14 if name.eq_ignore_ascii_case("content-length") => {
                let length = length(value).ok_or(framing_fault("darklaunch: the Content-Length is no length\n"))?;
                if sized.replace(length).is_some() {
                    return Err(framing_fault("darklaunch: the request has more than one Content-Length\n"));
                }
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => coded.add(value),
            _ => {}
        }
    }
    match hosts {
        1 => {}
        0 if one_one => return Err(refusal(Refused::Host, "darklaunch: the request has no Host\n")),
        0 => {}
        _ => return Err(refusal(Refused::Host, "darklaunch: the request has more than one Host\n")),
    }
    let length = match (coded.lines, sized) {
        (0, sized) => Length::Sized(sized.unwrap_or(0)),
        (_, Some(_)) => {
            return Err(framing_fault("darklaunch: the request has both Content-Length and Transfer-Encoding\n"));
        }
        (_, None) if !one_one => {
            return Err(framing_fault("darklaunch: HTTP/1.0 has no Transfer-Encoding\n"));
        }
        (_, None) => coded.judge()?,
    };
    Ok(Head { length, upgrade })
}

/// Digits only: no sign, no list, nothing that overflows.
fn length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

/// What may stand in a host and a port; whether it is one, routing finds out.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+;=".contains(byte))
}

/// The transfer codings of all lines, in their order.
#[derive(Default)]
struct Codings {
    lines: u32,
    chunked: u32,
    others: u32,
    last_is_chunked: bool,
}

impl Codings {
    fn add(&mut self, value: &[u8]) {
        self.lines += 1;
        for coding in value.split(|byte| *byte == b',') {
            self.last_is_chunked = coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
            match self.last_is_chunked {
                true => self.chunked += 1,
                false => self.others += 1,
            }
        }
    }

    fn judge(&self) -> Result<Length, Refusal> {
        match (self.chunked, self.others) {
            (1, 0) => Ok(Length::Chunked),
            (1, _) if self.last_is_chunked => {
                Err(refusal(Refused::TransferCoding, "darklaunch: only the transfer coding `chunked` is understood\n"))
            }
            _ => Err(framing_fault("darklaunch: the Transfer-Encoding does not end in one `chunked`\n")),
        }
    }
}

/// Whether the lines behind the last chunk may be passed on.
pub(crate) fn trailers_are_good(block: &[u8], lines_max: usize) -> bool {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let slots = slots.get_mut(..lines_max.min(64)).unwrap_or_default();
    match httparse::parse_headers(block, slots) {
        Ok(httparse::Status::Complete((bytes, fields))) => {
            let forbidden = |field: &Header<'_>| {
                NOT_IN_TRAILERS.iter().any(|name| field.name.as_bytes().eq_ignore_ascii_case(name))
            };
            bytes == block.len() && !fields.iter().any(forbidden)
        }
        _ => false,
    }
}
