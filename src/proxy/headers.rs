//! Headers on their way: those of one hop stay behind (RFC 9110, 7.6.1), `Host` and `Forwarded` as configured.

use crate::http1::is_of_one_hop;
use crate::proxy::Peer;
use http::header::{CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, MAX_FORWARDS, TE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use std::net::IpAddr;

/// What `Connection` cannot name: taking these away would change the message for whoever is behind us.
const END_TO_END: [&str; 18] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "max-forwards",
    "range",
    "set-cookie",
    "trailer",
    "via",
    "x-forwarded-for",
    "x-real-ip",
];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Removes them, and those `Connection` names. The others keep their order, which `HeaderMap::remove` would change.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if !headers.keys().any(|name| is_of_one_hop(name.as_str())) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| !END_TO_END.contains(&name.as_str()))
        .collect();
    keep_only(headers, |name| !is_of_one_hop(name.as_str()) && !named.contains(name));
}

fn keep_only(headers: &mut HeaderMap, keep: impl Fn(&HeaderName) -> bool) {
    if headers.keys().all(&keep) {
        return;
    }
    let mut kept = HeaderMap::with_capacity(headers.len());
    kept.extend(headers.iter().filter(|(name, _)| keep(name)).map(|(name, value)| (name.clone(), value.clone())));
    *headers = kept;
}

/// What our own hop to the primary says for itself.
#[derive(Debug, Default)]
pub(crate) struct NextHop {
    /// The application takes trailers.
    trailers: bool,
    /// The protocol it asks for.
    pub(crate) upgrade: Option<HeaderValue>,
}

impl NextHop {
    /// Read from the request's headers of the hop, before they are removed.
    pub(crate) fn of(parts: &Parts) -> Self {
        // Most requests have none of them.
        if !parts.headers.keys().any(|name| matches!(*name, TE | UPGRADE)) {
            return Self::default();
        }
        Self { trailers: lists(&parts.headers, &TE, "trailers"), upgrade: asked_upgrade(parts) }
    }

    /// Says it on the next hop.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        if self.trailers {
            headers.append(TE, HeaderValue::from_static("trailers"));
        }
        let named = match (self.trailers, &self.upgrade) {
            (false, None) => return,
            (true, None) => "TE",
            (false, Some(_)) => "Upgrade",
            (true, Some(_)) => "TE, Upgrade",
        };
        headers.append(CONNECTION, HeaderValue::from_static(named));
        if let Some(protocol) = &self.upgrade {
            headers.append(UPGRADE, protocol.clone());
        }
    }
}

/// Whether a list header has this member, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, member: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(member)))
}

/// The protocol the client asks for. `h2c` is only an offer that may be passed over, and HTTP/1.0 cannot ask.
fn asked_upgrade(parts: &Parts) -> Option<HeaderValue> {
    let wanted = parts.headers.get(UPGRADE).filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"h2c"))?;
    (parts.version == Version::HTTP_11 && lists(&parts.headers, &CONNECTION, "upgrade")).then(|| wanted.clone())
}

/// Takes the headers of the hop off a 101, but what says that the protocol changes.
pub(crate) fn grant_upgrade(headers: &mut HeaderMap) {
    let protocol = headers.get(UPGRADE).cloned();
    remove_hop_by_hop(headers);
    headers.append(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(protocol) = protocol {
        headers.append(UPGRADE, protocol);
    }
}

/// Whether the client waits for a 100 before it sends its body; HTTP/1.0 cannot, and over HTTP/2 nobody could say it.
pub(crate) fn expects_continue(parts: &Parts) -> bool {
    parts.version == Version::HTTP_11
        && parts.headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// What is wrong with the `Host` of an HTTP/2 request, if anything: the guard has judged that of HTTP/1.
pub(crate) fn host_problem(parts: &Parts) -> Option<&'static str> {
    let many = parts.version == Version::HTTP_2 && parts.headers.get_all(HOST).iter().count() > 1;
    many.then_some("darklaunch: the request has more than one Host\n")
}

/// Counts `Max-Forwards` down for OPTIONS and TRACE (RFC 9110, 7.6.2); false: it ends here.
pub(crate) fn may_forward(parts: &mut Parts) -> bool {
    if !matches!(parts.method, Method::OPTIONS | Method::TRACE) {
        return true;
    }
    let left = parts.headers.get(MAX_FORWARDS).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    match left {
        Some(0) => false,
        Some(left) => {
            parts.headers.insert(MAX_FORWARDS, HeaderValue::from(left - 1));
            true
        }
        None => true,
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

/// What the primary hears of who called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarded {
    /// Whatever the application says of it, unchanged.
    #[default]
    Pass,
    /// `Forwarded` (RFC 7239) of our own behind what is there.
    Append,
    /// `X-Forwarded-For`, `-Host` and `-Proto` of our own; the first behind what is there.
    XForwarded,
    /// Nothing: `Forwarded`, `X-Forwarded-*` and `X-Real-IP` are taken off.
    Remove,
}

/// What of the application's call the primary gets to see as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passing {
    /// Who called.
    pub forwarded: Forwarded,
    /// The application's `Host` instead of the provider's.
    pub keep_host: bool,
}

impl Passing {
    /// Sets `Host` and the headers that say who called. `host` is the provider's.
    pub(crate) fn apply(self, parts: &mut Parts, host: &HeaderValue, peer: &Peer) {
        // Looked for only where it is told.
        let called = match (self.forwarded, self.keep_host) {
            (Forwarded::Pass | Forwarded::Remove, false) => None,
            _ => called(parts),
        };
        self.forwarded.apply(&mut parts.headers, called.as_ref(), peer);
        let host = called.filter(|_| self.keep_host).unwrap_or_else(|| host.clone());
        parts.headers.insert(HOST, host);
    }
}

/// The host the application called.
fn called(parts: &Parts) -> Option<HeaderValue> {
    let called = parts.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    called.or_else(|| parts.headers.get(HOST).cloned())
}

impl Forwarded {
    fn apply(self, headers: &mut HeaderMap, host: Option<&HeaderValue>, peer: &Peer) {
        let proto = if peer.tls() { "https" } else { "http" };
        let host = host.and_then(|host| host.to_str().ok());
        match self {
            Self::Pass => {}
            Self::Append => {
                let node = match peer.remote.map(|remote| remote.ip()) {
                    Some(IpAddr::V4(ip)) => ip.to_string(),
                    Some(IpAddr::V6(ip)) => format!("\"[{ip}]\""),
                    None => "unknown".to_owned(),
                };
                let host = host.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
                append(headers, &FORWARDED, &format!("for={node}{host};proto={proto}"));
            }
            Self::XForwarded => {
                if let Some(remote) = peer.remote {
                    append(headers, &X_FORWARDED_FOR, &remote.ip().to_string());
                }
                if let Some(host) = host.and_then(|host| HeaderValue::from_str(host).ok()) {
                    headers.insert(X_FORWARDED_HOST, host);
                }
                headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
            }
            Self::Remove => keep_only(headers, |name| {
                let name = name.as_str();
                name != "forwarded" && name != "x-real-ip" && !name.starts_with("x-forwarded-")
            }),
        }
    }
}

/// Puts one more member behind a list that may have several lines.
fn append(headers: &mut HeaderMap, name: &HeaderName, member: &str) {
    let there: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let mut list = there.join(&b", "[..]);
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(member.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&list) {
        headers.insert(name.clone(), value);
    }
}
