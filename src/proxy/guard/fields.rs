//! One complete head: is it well-formed, and where does its body end?

use crate::exchange::Refused;
use crate::http1::{Length, Line, digits, lists, range};
use http::Method;
use httparse::{Header, ParserConfig, Request};
use std::mem::MaybeUninit;

/// Header lines there is room for, whatever the settings say.
pub(crate) const LINES_MAX: usize = 256;

/// A refused head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: Refused,
    /// One line for a person.
    pub(crate) text: &'static str,
}

/// One whole, good head: where its parts are, and what it says of the message and the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Up to and with its empty line.
    pub(crate) bytes: usize,
    pub(crate) method: Method,
    /// Where the target is.
    pub(crate) target: (u32, u32),
    /// HTTP/1.1, not 1.0.
    pub(crate) one_one: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) length: Length,
    /// Another request may follow (RFC 9112, 9.3).
    pub(crate) keeps: bool,
    /// The client waits for a 100 before it sends its body (RFC 9110, 10.1.1).
    pub(crate) expects: bool,
    /// The client takes trailers (RFC 9110, 10.1.4).
    pub(crate) trailers: bool,
}

/// What header lines say.
#[derive(Debug, Default)]
struct Said {
    hosts: u32,
    sized: Option<u64>,
    coded: Codings,
    close: bool,
    keep_alive: bool,
    expects: bool,
    trailers: bool,
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
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| head_fault("darklaunch: the request's first line is malformed\n"))?;
    let said = fields(request.headers)?;
    let length = said.length(one_one)?;
    Ok(Head {
        bytes: head.len(),
        method,
        target: range(head, target.as_bytes()),
        one_one,
        lines: request.headers.iter().map(|line| Line::within(head, line)).collect(),
        length,
        keeps: !said.close && (one_one || said.keep_alive),
        expects: one_one && said.expects,
        trailers: said.trailers,
    })
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

/// Bytes that may stand in any target: only the others need a closer look.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut rest: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/._~%?&=+:;,@!$'()*[]";
    while let [byte, after @ ..] = rest {
        plain[*byte as usize] = true;
        rest = after;
    }
    plain
};

/// The forms of RFC 9112, 3.2 without that of CONNECT. A fragment is never sent; dropping it would change the target.
fn is_target(method: &str, target: &str) -> bool {
    let plain = |byte: u8| PLAIN.get(usize::from(byte)).is_some_and(|plain| *plain);
    if target.starts_with('/') {
        return target.bytes().all(plain) || (!target.contains('#') && target.parse::<http::Uri>().is_ok());
    }
    let absolute = || target.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some());
    (target == "*" && method == "OPTIONS") || (!target.contains('#') && absolute())
}

fn fields(headers: &[Header<'_>]) -> Result<Said, Refusal> {
    let mut said = Said::default();
    for Header { name, value } in headers {
        // By length first: most names are none of these.
        match name.len() {
            2 if name.eq_ignore_ascii_case("te") => said.trailers |= lists(value, b"trailers"),
            4 if name.eq_ignore_ascii_case("host") => {
                said.hosts += 1;
                if !is_host(value) {
                    return Err(refusal(Refused::Host, "darklaunch: the request's Host is malformed\n"));
                }
            }
            6 if name.eq_ignore_ascii_case("expect") => said.expects = value.eq_ignore_ascii_case(b"100-continue"),
            10 if name.eq_ignore_ascii_case("connection") => {
                said.close |= lists(value, b"close");
                said.keep_alive |= lists(value, b"keep-alive");
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                let length = digits(value).ok_or(framing_fault("darklaunch: the Content-Length is no length\n"))?;
                if said.sized.replace(length).is_some() {
                    return Err(framing_fault("darklaunch: the request has more than one Content-Length\n"));
                }
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => said.coded.add(value),
            _ => {}
        }
    }
    Ok(said)
}

impl Said {
    /// Where the body ends (RFC 9112, 6.3), if that can be read in one way only.
    fn length(&self, one_one: bool) -> Result<Length, Refusal> {
        match self.hosts {
            1 => {}
            0 if one_one => return Err(refusal(Refused::Host, "darklaunch: the request has no Host\n")),
            0 => {}
            _ => return Err(refusal(Refused::Host, "darklaunch: the request has more than one Host\n")),
        }
        match (self.coded.lines, self.sized) {
            (0, sized) => Ok(Length::Sized(sized.unwrap_or(0))),
            (_, Some(_)) => {
                Err(framing_fault("darklaunch: the request has both Content-Length and Transfer-Encoding\n"))
            }
            (_, None) if !one_one => Err(framing_fault("darklaunch: HTTP/1.0 has no Transfer-Encoding\n")),
            (_, None) => self.coded.judge(),
        }
    }
}

/// What may stand in a host and a port; whether it is one, routing finds out.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+;=".contains(byte))
}

/// The transfer codings of all lines, in their order.
#[derive(Debug, Default)]
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
