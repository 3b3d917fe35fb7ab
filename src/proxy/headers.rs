//! Hop-by-hop headers: they belong to one connection and are not passed on.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderName};

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

/// Whether the client asks for another protocol. `h2c` is only an offer that may be passed over.
pub(crate) fn asks_upgrade(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"h2c"))
}
