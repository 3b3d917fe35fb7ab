//! Which integration a request belongs to.

use crate::mirror::{Door, strip_prefix};
use crate::proxy::{EndpointNames, PrimaryUrl};
use crate::telemetry::Book;
use http::header::HOST;
use http::request::Parts;
use std::sync::Arc;

/// What selects an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// The `Host` without its port, in any case.
    Host(String),
    /// The path's beginning, at a segment boundary.
    PathPrefix(String),
}

/// One integration on the traffic side.
#[derive(Debug)]
pub struct Route {
    /// What selects it.
    pub matcher: Matcher,
    /// Whether a matching path prefix is taken off before forwarding.
    pub strip_prefix: bool,
    /// Today's provider; `None` is a sink.
    pub primary: Option<PrimaryUrl>,
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
        match &self.matcher {
            Matcher::PathPrefix(prefix) if self.strip_prefix => strip_prefix(received, Some(prefix)),
            _ => received.to_owned(),
        }
    }

    fn weight(&self, host: &str, path: &str) -> Option<usize> {
        match &self.matcher {
            Matcher::Host(wanted) => wanted.eq_ignore_ascii_case(host).then_some(usize::MAX),
            Matcher::PathPrefix(prefix) => {
                let prefix = prefix.trim_end_matches('/');
                let rest = path.strip_prefix(prefix)?;
                (rest.is_empty() || rest.starts_with('/') || path == "*").then_some(prefix.len())
            }
        }
    }
}

/// The route of a request: a host wins over a prefix, a longer prefix over a shorter one.
pub(crate) fn find<'r>(routes: &'r [Route], parts: &Parts) -> Option<&'r Route> {
    let authority = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = authority.or_else(|| parts.uri.authority().map(|a| a.as_str())).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let mut best: Option<(usize, &Route)> = None;
    for route in routes {
        // Of equal weights the first configured wins.
        match route.weight(host, parts.uri.path()) {
            Some(weight) if best.is_none_or(|(most, _)| weight > most) => best = Some((weight, route)),
            _ => {}
        }
    }
    best.map(|(_, route)| route)
}
