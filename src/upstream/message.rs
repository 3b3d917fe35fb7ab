//! A request in the form its connection wants it.

use crate::upstream::Target;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, Request, Uri, Version};

/// HTTP/1.1: the path and query as they are, and the `Host`, which is the origin's unless the request has one.
pub(crate) fn for_http1<B>(request: &mut Request<B>, target: &Target) {
    *request.version_mut() = Version::HTTP_11;
    let path = path_of(request);
    *request.uri_mut() = Uri::from(path);
    request.headers_mut().entry(HOST).or_insert_with(|| target.host.clone());
}

/// HTTP/2: the address carries the authority (the request's `Host` if it has one, else the origin's), and no `Host`
/// stands beside it (RFC 9113, 8.3.1); nor does what speaks of an HTTP/1.1 connection (8.2.2). `TE: trailers` stays.
pub(crate) fn for_http2<B>(request: &mut Request<B>, target: &Target) {
    *request.version_mut() = Version::HTTP_2;
    let host = request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(target.scheme.clone());
    parts.authority = Some(host.unwrap_or_else(|| target.authority.clone()));
    parts.path_and_query = Some(path_of(request));
    // All three are there, so that this cannot fail.
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    let stays = |name: &HeaderName| ![HOST, CONNECTION, TRANSFER_ENCODING, UPGRADE].contains(name);
    if !headers.keys().all(stays) {
        // `HeaderMap::remove` would change the order of the others.
        let mut kept = HeaderMap::with_capacity(headers.len());
        let others = headers.iter().filter(|(name, _)| stays(name));
        kept.extend(others.map(|(name, value)| (name.clone(), value.clone())));
        *headers = kept;
    }
}

fn path_of<B>(request: &Request<B>) -> PathAndQuery {
    request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
}
