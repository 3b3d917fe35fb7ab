//! Who may ask: only this machine's own pages and tools. Refuses foreign `Host` names (DNS rebinding) and writes that
//! another site's page sends (cross-site request forgery), and puts the protective headers on every answer.

use crate::console::access::Peer;
use crate::console::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use std::net::SocketAddr;
use std::sync::Arc;

/// The hosts this listener answers to.
#[derive(Debug)]
pub(crate) struct Hosts {
    own: Vec<String>,
    allowed: Vec<String>,
    /// The port with which any address is answered, where other machines reach the listener. A page that was rebound to
    /// it still sends its own name.
    numeric: Option<u16>,
}

impl Hosts {
    /// The loopback names with the bound port, and what the settings add.
    pub(crate) fn new(addr: SocketAddr, allowed: &[String]) -> Self {
        let port = addr.port();
        let mut own: Vec<String> =
            ["127.0.0.1", "localhost", "[::1]"].iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            own.extend(["127.0.0.1", "localhost", "[::1]"].map(str::to_owned));
        }
        let numeric = (!addr.ip().is_loopback()).then_some(port);
        Self { own, allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect(), numeric }
    }

    /// Whether it is one of the listener's own loopback names.
    pub(crate) fn own(&self, host: &str) -> bool {
        self.own.contains(&host.to_ascii_lowercase())
    }

    /// The name by which a browser best reaches the listener; behind a proxy the port is the proxy's.
    pub(crate) fn best(&self, addr: SocketAddr, behind_proxy: bool) -> String {
        let port = addr.port();
        match self.allowed.first() {
            Some(name) if behind_proxy || name.contains(':') => name.clone(),
            Some(name) if self.numeric.is_some() => format!("{name}:{port}"),
            _ if addr.ip().is_unspecified() => format!("localhost:{port}"),
            _ => addr.to_string(),
        }
    }

    fn accepts(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &host,
        };
        let numeric = || host.parse().ok().is_some_and(|addr: SocketAddr| Some(addr.port()) == self.numeric);
        self.own.contains(&host) || self.allowed.iter().any(|allowed| *allowed == host || allowed == name) || numeric()
    }
}

/// The layer around every route.
pub(crate) async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let refused = match request.extensions().get::<Peer>() {
        // No page of a browser reaches a socket of the file system.
        Some(Peer::Owner) => Ok(()),
        _ => check_host(&hosts, request.uri(), request.headers())
            .and_then(|host| check_write(request.method(), request.headers(), host)),
    };
    let refused = refused.and_then(|()| check_length(request.headers()));
    let mut response = match refused {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if response.status() == StatusCode::LENGTH_REQUIRED {
        // What follows on this connection might be the body.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    protect(response.headers_mut());
    response
}

fn check_host<'a>(hosts: &Hosts, uri: &Uri, headers: &'a HeaderMap) -> Result<&'a str, Problem> {
    let mut given = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (given.next(), given.next()) else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "exactly one Host header is needed"));
    };
    let host = host.to_str().unwrap_or("");
    let authority_fits = uri.authority().is_none_or(|authority| hosts.accepts(authority.as_str()));
    if authority_fits && hosts.accepts(host) {
        return Ok(host);
    }
    let detail = format!(
        "Host \"{host}\" is not answered here; open the console by its loopback address, or add the name to listen.console_hosts"
    );
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
}

/// Browsers say where a request comes from; tools say nothing and cannot be steered by a page.
fn check_write(method: &Method, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let site_fits = matches!(site, None | Some(b"same-origin" | b"none"));
    let origins = || headers.get_all(header::ORIGIN).iter();
    let fits = |origin: &HeaderValue| {
        let origin = origin.to_str().unwrap_or("");
        let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        named.is_some_and(|named| named.eq_ignore_ascii_case(host))
    };
    if site_fits && origins().all(fits) {
        return Ok(());
    }
    let detail = "the write comes from another site's page; use the console's own pages, or the command line";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// A body's length is told in one way only. Chunks are refused: where a proxy in front reads a request's end otherwise than
/// we do, the rest of one request is taken for the next (request smuggling), and no body here needs them.
fn check_length(headers: &HeaderMap) -> Result<(), Problem> {
    if !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::LENGTH_REQUIRED, "send the body with a Content-Length, not in chunks"))
}

/// `no-referrer` would make browsers send `Origin: null` with our own forms, so the referrer policy is `same-origin`.
fn protect(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_with_the_own_port_and_allowed_ones() {
        let hosts =
            Hosts::new(([127, 0, 0, 1], 9090).into(), &["Console.internal".to_owned(), "other.internal:81".to_owned()]);
        for good in ["127.0.0.1:9090", "LOCALHOST:9090", "[::1]:9090", "console.internal", "console.internal:5"] {
            assert!(hosts.accepts(good), "{good}");
        }
        for bad in ["", "127.0.0.1", "127.0.0.1:80", "evil.example:9090", "localhost.evil:9090", "other.internal"] {
            assert!(!hosts.accepts(bad), "{bad}");
        }
        assert!(!hosts.accepts("192.0.2.1:9090") && !hosts.own("console.internal") && hosts.own("localhost:9090"));
        let open = Hosts::new(([0, 0, 0, 0], 9090).into(), &[]);
        for good in ["192.0.2.1:9090", "[2001:db8::1]:9090", "127.0.0.1:9090"] {
            assert!(open.accepts(good), "{good}");
        }
        for bad in ["192.0.2.1", "192.0.2.1:80", "evil.example:9090", "192.0.2.1.evil.example:9090"] {
            assert!(!open.accepts(bad), "{bad}");
        }
    }
}
