//! Which integration a request belongs to.

use crate::mirror::{Door, strip_prefix};
use crate::proxy::{EndpointNames, Passing, Peer, PrimaryUrl};
use crate::telemetry::Book;
use crate::upstream::Target;
use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

/// What Envoy appends to the host of the requests it mirrors.
const SHADOW_SUFFIX: &str = "-shadow";

/// What selects an integration: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Positions in `Settings::listen`; the request came by one of them. `None` for any.
    pub listeners: Option<Vec<usize>>,
    /// The `Host` without its port, in any case; `None` for any.
    pub host: Option<String>,
    /// A header the request carries; `None` for any.
    pub header: Option<HeaderMatch>,
    /// The path's beginning, at a segment boundary; `/` for any.
    pub path_prefix: String,
}

/// A header of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Its name.
    pub name: HeaderName,
    /// Its whole value, one of them if it is repeated; `None`: that it is there.
    pub value: Option<HeaderValue>,
}

impl HeaderMatch {
    fn holds(&self, headers: &HeaderMap) -> bool {
        match &self.value {
            Some(wanted) => headers.get_all(&self.name).iter().any(|value| value == wanted),
            None => headers.contains_key(&self.name),
        }
    }
}

/// How closely a request is matched: listener, host, header (with a value before without), then the prefix's length.
type Weight = (bool, bool, u8, usize);

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
    /// What of the application's call the primary sees as it was.
    pub passing: Passing,
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
    /// The path and query to forward; none if what is left is no path.
    pub(crate) fn target(&self, received: &PathAndQuery) -> Option<PathAndQuery> {
        match self.strip_prefix {
            true => strip_prefix(received.as_str(), Some(&self.matcher.path_prefix)).try_into().ok(),
            false => Some(received.clone()),
        }
    }

    /// Gives a request that Envoy mirrored to a sink the host back that its client called.
    pub(crate) fn restore_host(&self, parts: &mut Parts) {
        let (None, Some(wanted)) = (&self.primary, &self.matcher.host) else { return };
        let Some(given) = parts.headers.get(HOST).and_then(|value| value.to_str().ok()) else { return };
        let (host, port) = split(given);
        if let Some(called) = without_suffix(host)
            && called.eq_ignore_ascii_case(wanted)
            && let Ok(value) = HeaderValue::try_from(format!("{called}{port}"))
        {
            parts.headers.insert(HOST, value);
        }
    }

    fn is_host(&self, wanted: &str, host: &str) -> bool {
        let mirrored =
            || self.primary.is_none() && without_suffix(host).is_some_and(|h| h.eq_ignore_ascii_case(wanted));
        wanted.eq_ignore_ascii_case(host) || mirrored()
    }

    fn weight(&self, host: &str, parts: &Parts, peer: &Peer) -> Option<Weight> {
        let Matcher { listeners, host: wanted, header, path_prefix } = &self.matcher;
        let holds = listeners.as_ref().is_none_or(|listeners| listeners.contains(&peer.listener))
            && wanted.as_ref().is_none_or(|wanted| self.is_host(wanted, host))
            && header.as_ref().is_none_or(|header| header.holds(&parts.headers));
        if !holds {
            return None;
        }
        let path = parts.uri.path();
        let prefix = path_prefix.trim_end_matches('/');
        let rest = path.strip_prefix(prefix)?;
        let matched = rest.is_empty() || rest.starts_with('/') || path == "*";
        let header = header.as_ref().map_or(0, |header| 1 + u8::from(header.value.is_some()));
        matched.then_some((listeners.is_some(), wanted.is_some(), header, prefix.len()))
    }
}

/// The route of a request and its position: a listener wins over a host, a host over a header, a header over a prefix, a longer prefix over
/// a shorter one.
pub(crate) fn find<'r>(routes: &'r [Route], parts: &Parts, peer: &Peer) -> Option<(usize, &'r Route)> {
    // A target in absolute form, and HTTP/2, name the authority themselves; a Host beside it is ignored (RFC 9112, 3.2.2).
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let authority = authority.or_else(|| parts.headers.get(HOST)?.to_str().ok()).unwrap_or_default();
    let (host, _) = split(authority);
    let mut best: Option<(Weight, (usize, &Route))> = None;
    for (at, route) in routes.iter().enumerate() {
        // Of equal weights the first configured wins.
        match route.weight(host, parts, peer) {
            Some(weight) if best.is_none_or(|(most, _)| weight > most) => best = Some((weight, (at, route))),
            _ => {}
        }
    }
    best.map(|(_, found)| found)
}

/// Host and `:port`, which may be empty.
fn split(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, &authority[host.len()..]),
        _ => (authority, ""),
    }
}

fn without_suffix(host: &str) -> Option<&str> {
    let at = host.len().checked_sub(SHADOW_SUFFIX.len())?;
    let suffix = host.get(at..)?;
    suffix.eq_ignore_ascii_case(SHADOW_SUFFIX).then(|| &host[..at])
}
