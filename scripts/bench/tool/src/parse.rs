//! Where a message ends: just enough of HTTP/1.1 to serve and to check.

use httparse::{EMPTY_HEADER, Header, Status};

const HEADERS_MAX: usize = 64;
/// The end of a chunked body; our bodies hold no such line.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// What a head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of the head, in bytes, with its blank line.
    pub head_bytes: usize,
    pub body: Body,
    /// The connection ends after this message.
    pub close: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Sized(usize),
    Chunked,
}

impl Head {
    /// The length of the whole message, once `bytes` hold all of it.
    pub fn whole(&self, bytes: &[u8]) -> Option<usize> {
        match self.body {
            Body::Sized(size) => (bytes.len() >= self.head_bytes + size).then_some(self.head_bytes + size),
            Body::Chunked => {
                let from = self.head_bytes.saturating_sub(2);
                let end = bytes.get(from..)?.windows(LAST_CHUNK.len()).position(|window| window == LAST_CHUNK)?;
                Some(from + end + LAST_CHUNK.len())
            }
        }
    }
}

/// An answer's head and status, once complete. `Err` when it is no HTTP.
pub fn answer(bytes: &[u8]) -> Result<Option<(u16, Head)>, ()> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    match answer.parse(bytes) {
        Ok(Status::Complete(head_bytes)) => {
            let head = framing(answer.headers, head_bytes, answer.version == Some(0));
            Ok(Some((answer.code.unwrap_or(0), head)))
        }
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(()),
    }
}

/// A request's head and its path, once complete. `Err` when it is no HTTP.
pub fn request(bytes: &[u8]) -> Result<Option<(&str, Head)>, ()> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Complete(head_bytes)) => {
            let head = framing(request.headers, head_bytes, request.version == Some(0));
            Ok(Some((request.path.unwrap_or("/"), head)))
        }
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(()),
    }
}

fn framing(headers: &[Header<'_>], head_bytes: usize, old: bool) -> Head {
    let mut head = Head { head_bytes, body: Body::Sized(0), close: old };
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            let size = std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse().ok());
            head.body = Body::Sized(size.unwrap_or(0));
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.body = Body::Chunked;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.close = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sized_answer_ends_where_it_says() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP";
        let (status, head) = answer(bytes).unwrap().unwrap();
        assert_eq!((status, head.whole(bytes), head.close), (200, Some(bytes.len() - 4), false));
        assert_eq!(head.whole(&bytes[..bytes.len() - 5]), None);
    }

    #[test]
    fn a_chunked_body_ends_with_the_last_chunk() {
        let bytes = b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let (path, head) = request(bytes).unwrap().unwrap();
        assert_eq!((path, head.whole(bytes)), ("/a", Some(bytes.len())));
        let empty = b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        assert_eq!(request(empty).unwrap().unwrap().1.whole(empty), Some(empty.len()));
    }

    #[test]
    fn a_part_is_no_message_and_garbage_is_an_error() {
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\nConte").unwrap(), None);
        assert!(answer(b"nonsense\r\n\r\n").is_err());
        let (_, head) = request(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap().unwrap();
        assert!(head.close);
    }
}
