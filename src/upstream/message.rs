//! A request in the form its connection wants it.

use crate::upstream::Target;
use http::header::{HOST, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri, Version};

const TRAILERS: &str = "trailers";

/// A request's extension: whoever asked for it can take trailers. Said again over HTTP/2, where gRPC needs it.
#[derive(Clone, Copy, Debug)]
pub struct TrailersWanted;

/// Whether the headers, as received, say `TE: trailers`.
pub fn wants_trailers(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case(TRAILERS))
}

/// HTTP/1.1: the path and query as they are, and the `Host`, which is the origin's unless the request has one.
pub(crate) fn for_http1<B>(request: &mut Request<B>, target: &Target) {
    *request.version_mut() = Version::HTTP_11;
    let path = path_of(request);
    *request.uri_mut() = Uri::from(path);
    request.headers_mut().entry(HOST).or_insert_with(|| target.host.clone());
}

/// HTTP/2: the origin's own authority stands in the address, and no `Host` beside it (RFC 9113, 8.3.1).
pub(crate) fn for_http2<B>(request: &mut Request<B>, target: &Target) {
    *request.version_mut() = Version::HTTP_2;
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(target.scheme.clone());
    parts.authority = Some(target.authority.clone());
    parts.path_and_query = Some(path_of(request));
    // All three are there, so that this cannot fail.
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    if headers.contains_key(HOST) {
        // `HeaderMap::remove` would change the order of the others.
        let mut kept = HeaderMap::with_capacity(headers.len());
        let others = headers.iter().filter(|(name, _)| *name != HOST);
        kept.extend(others.map(|(name, value)| (name.clone(), value.clone())));
        *headers = kept;
    }
    if request.extensions().get::<TrailersWanted>().is_some() {
        request.headers_mut().insert(TE, HeaderValue::from_static(TRAILERS));
    }
}

fn path_of<B>(request: &Request<B>) -> PathAndQuery {
    request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
}
