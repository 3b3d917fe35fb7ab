//! The heads of HTTP/1 messages with a client: a request's as it is passed on, an answer's as it is written.

use crate::http1::{Encoder, Error, Spelling, fields, lists, put_field, put_fields};
use crate::proxy::guard::Head;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, StatusCode, Uri, Version, response};

/// What a request says of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// An answer to HEAD has no content.
    pub(crate) head: bool,
    /// HTTP/1.0 knows no chunks, and ends the connection unless told otherwise.
    pub(crate) one_one: bool,
    /// Another request may follow.
    pub(crate) keeps: bool,
    /// The client takes trailers.
    pub(crate) trailers: bool,
}

impl Asked {
    pub(crate) fn of(head: &Head) -> Self {
        let Head { method, one_one, keeps, trailers, .. } = head;
        Self { head: *method == Method::HEAD, one_one: *one_one, keeps: *keeps, trailers: *trailers }
    }
}

/// The request of a head that was judged, and of which these are the bytes.
pub(crate) fn request<B>(head: Head, bytes: Bytes, body: B) -> Result<(Request<B>, Spelling), Error> {
    let Head { method, target, one_one, lines, .. } = head;
    let target = bytes.slice(target.0 as usize..target.1 as usize);
    let mut request = Request::new(body);
    *request.uri_mut() = Uri::from_maybe_shared(target).map_err(|_| Error::Malformed("the target is none"))?;
    *request.method_mut() = method;
    *request.version_mut() = if one_one { Version::HTTP_11 } else { Version::HTTP_10 };
    *request.headers_mut() = fields(&bytes, &lines, false)?;
    Ok((request, Spelling::new(bytes, lines, (0, 0))))
}

/// Writes an answer's head; `exact`: the bytes of its content, if known. How its content is written, and whether another request may follow.
pub(crate) fn put_answer(
    to: &mut Vec<u8>,
    answer: &response::Parts,
    spelling: Option<&Spelling>,
    asked: Asked,
    exact: Option<u64>,
) -> (Encoder, bool) {
    let status = answer.status;
    to.extend_from_slice(if asked.one_one { b"HTTP/1.1 " } else { b"HTTP/1.0 " });
    to.extend_from_slice(status.as_str().as_bytes());
    to.extend_from_slice(b" ");
    match spelling {
        Some(spelling) => to.extend_from_slice(spelling.reason()),
        None => to.extend_from_slice(status.canonical_reason().unwrap_or("Unknown").as_bytes()),
    }
    to.extend_from_slice(b"\r\n");
    // RFC 9110, 8.6: no length for a 1xx or a 204.
    let bare = status.is_informational() || status == StatusCode::NO_CONTENT;
    let bodiless = asked.head || bare || status == StatusCode::NOT_MODIFIED;
    let encoder = match exact {
        _ if bodiless => Encoder::Sized(0),
        Some(bytes) => Encoder::Sized(bytes),
        None if asked.one_one => Encoder::Chunked,
        None => Encoder::ToEnd,
    };
    let chunked = encoder == Encoder::Chunked;
    // Heads that pass as they came have a length and content.
    let (mut has_length, mut closes) = (spelling.is_some_and(Spelling::passes), false);
    put_fields(to, &answer.headers, spelling, |name, value| match *name {
        TRANSFER_ENCODING => false,
        CONTENT_LENGTH => {
            has_length |= !bare && (bodiless || exact.is_some());
            has_length
        }
        CONNECTION => {
            closes |= lists(value.as_bytes(), b"close");
            true
        }
        TRAILER => chunked,
        _ => true,
    });
    match exact {
        // What a HEAD or 304 would have is not told unless it is known.
        Some(bytes) if !has_length && !bare && (!bodiless || (asked.head && bytes > 0)) => {
            put_field(to, &CONTENT_LENGTH, HeaderValue::from(bytes).as_bytes(), spelling);
        }
        _ if chunked => put_field(to, &TRANSFER_ENCODING, b"chunked", spelling),
        _ => {}
    }
    let keeps = asked.keeps && !closes && encoder != Encoder::ToEnd;
    if status != StatusCode::SWITCHING_PROTOCOLS {
        match (asked.one_one, keeps) {
            (true, false) if !closes => put_field(to, &CONNECTION, b"close", spelling),
            (false, true) => put_field(to, &CONNECTION, b"keep-alive", spelling),
            _ => {}
        }
    }
    to.extend_from_slice(b"\r\n");
    (encoder, keeps)
}
