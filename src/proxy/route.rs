//! Which integration a request belongs to.

use crate::mirror::{Door, strip_prefix};
use crate::proxy::{EndpointNames, PrimaryUrl};
use crate::telemetry::Book;
use crate::upstream::Target;
use http::header::HOST;
use http::request::Parts;
use std::sync::Arc;

/// What selects an integration: host and path, both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// The `Host` without its port, in any case; `None` for any.
    pub host: Option<String>,
    /// The path's beginning, at a segment boundary; `/` for any.
    pub path_prefix: String,
}

/// Today's provider: its address as requests carry it, and how it is reached.
#[derive(Clone, Debug)]
pub struct Primary {
    /// Scheme, authority and base path.
    pub url: PrimaryUrl,
    /// What connections are made to.
    pub target: Arc<Target>,
}

/// One integration on the traffic side.
#[derive(Debug)]
pub struct Route {
    /// What selects it.
    pub matcher: Matcher,
    /// Whether a matching path prefix is taken off before forwarding.
    pub strip_prefix: bool,
    /// Today's provider; `None` is a sink.
    pub primary: Option<Primary>,
    /// The primary's silence at most, before and within its answer, milliseconds.
    pub primary_read_timeout_ms: u64,
    /// How its endpoints are named.
    pub endpoints: EndpointNames,
    /// Its door to the mirror.
    pub door: Door,
    /// Its counters.
    pub book: Arc<Book>,
}

impl Route {
    /// The path and query to forward.
    pub(crate) fn target(&self, received: &str) -> String {
        match self.strip_prefix {
            true => strip_prefix(received, Some(&self.matcher.path_prefix)),
            false => received.to_owned(),
        }
    }

    /// How closely the request is matched, if it is: a named host first, then the length of the prefix.
    fn weight(&self, host: &str, path: &str) -> Option<(bool, usize)> {
        if let Some(wanted) = &self.matcher.host
            && !wanted.eq_ignore_ascii_case(host)
        {
            return None;
        }
        let prefix = self.matcher.path_prefix.trim_end_matches('/');
        let rest = path.strip_prefix(prefix)?;
        let matched = rest.is_empty() || rest.starts_with('/') || path == "*";
        matched.then_some((self.matcher.host.is_some(), prefix.len()))
    }
}

/// The route of a request: a host wins over a prefix, a longer prefix over a shorter one.
pub(crate) fn find<'r>(routes: &'r [Route], parts: &Parts) -> Option<&'r Route> {
    // A target in absolute form, and HTTP/2, name the authority themselves; a Host beside it is ignored (RFC 9112, 3.2.2).
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let authority = authority.or_else(|| parts.headers.get(HOST)?.to_str().ok()).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let mut best: Option<((bool, usize), &Route)> = None;
    for route in routes {
        // Of equal weights the first configured wins.
        match route.weight(host, parts.uri.path()) {
            Some(weight) if best.is_none_or(|(most, _)| weight > most) => best = Some((weight, route)),
            _ => {}
        }
    }
    best.map(|(_, route)| route)
}
