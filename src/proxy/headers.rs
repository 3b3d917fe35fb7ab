//! Hop-by-hop headers: they belong to one connection and are not passed on.

use http::header::{CONNECTION, COOKIE, HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use hyper::body::Body;

const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Removes them, and those `Connection` names. The others keep their order, which `HeaderMap::remove` would change.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    let of_the_hop = |name: &HeaderName| HOP_BY_HOP.contains(&name.as_str()) || named.contains(name);
    if headers.keys().any(of_the_hop) {
        let mut kept = HeaderMap::with_capacity(headers.len());
        kept.extend(
            headers.iter().filter(|(name, _)| !of_the_hop(name)).map(|(name, value)| (name.clone(), value.clone())),
        );
        *headers = kept;
    }
}

/// Says that a body of unknown length follows: without it, hyper's client sends a GET or HEAD as if it had none.
pub(crate) fn announce_chunks(headers: &mut HeaderMap, body: &impl Body) {
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Whether the client asks for another protocol. `h2c` is only an offer that may be passed over.
pub(crate) fn asks_upgrade(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"h2c"))
}

/// What is wrong with the request's `Host`, if anything: RFC 9112, 3.2 wants exactly one, and a 400 otherwise.
pub(crate) fn host_problem(parts: &Parts) -> Option<&'static str> {
    let hosts = parts.headers.get_all(HOST).iter().count();
    match parts.version {
        _ if hosts > 1 => Some("darklaunch: the request has more than one Host\n"),
        Version::HTTP_11 if hosts == 0 => Some("darklaunch: the request has no Host\n"),
        _ => None,
    }
}

/// HTTP/2 may split cookies over several lines; HTTP/1.1 wants one (RFC 9113, 8.2.3).
pub(crate) fn join_cookies(parts: &mut Parts) {
    if parts.version != Version::HTTP_2 {
        return;
    }
    let crumbs: Vec<&[u8]> = parts.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(mut cookie) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        cookie.set_sensitive(true);
        parts.headers.insert(COOKIE, cookie);
    }
}
