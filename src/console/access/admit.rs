//! The gate in front of every answer: who asks, what that needs, and the refusal.

use crate::console::access::address::{self, Peer};
use crate::console::access::caller::{CSRF_FIELD, Caller, Known};
use crate::console::access::limit::Attempts;
use crate::console::access::sessions::{Sessions, Subject};
use crate::console::access::token::{Refusal, same};
use crate::console::access::{AccessSettings, May, TokensInForce, pages};
use crate::console::guard::Hosts;
use crate::console::problem::Problem;
use crate::console::writes::BODY_BYTES_MAX;
use crate::exchange::Clock;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use url::form_urlencoded;

/// What the gate knows.
pub(crate) struct Gate {
    pub(crate) settings: AccessSettings,
    pub(crate) tokens: Arc<TokensInForce>,
    pub(crate) sessions: Sessions,
    pub(crate) attempts: Attempts,
    pub(crate) clock: Clock,
    hosts: Arc<Hosts>,
    /// Only this machine reaches the listener.
    loopback: bool,
    /// Browsers reach it over TLS.
    pub(crate) secure: bool,
    /// How a browser reaches it, as far as it is known here.
    pub(crate) url: String,
    /// Ports share cookies, so that the name holds the port.
    pub(crate) cookie: String,
}

/// What a caller showed, and what came of it.
enum Shown {
    Good(Caller),
    /// A token that is not good.
    Bad(Refusal),
}

/// The session a request came with, so that it can be ended.
#[derive(Clone)]
pub(crate) struct OwnSession(pub(crate) String);

/// What a request's caller was recognised by, for those who make links.
#[derive(Clone)]
pub(crate) struct Recognised(pub(crate) Option<Subject>);

impl Gate {
    pub(crate) fn new(
        settings: AccessSettings,
        tokens: Arc<TokensInForce>,
        hosts: Arc<Hosts>,
        addr: SocketAddr,
        tls: bool,
    ) -> Self {
        let secure = tls || settings.behind_proxy;
        let prefix = if secure { "__Host-" } else { "" };
        Self {
            cookie: format!("{prefix}darklaunch-{}", addr.port()),
            url: format!("{}://{}", if secure { "https" } else { "http" }, hosts.best(addr, settings.behind_proxy)),
            secure,
            loopback: addr.ip().is_loopback(),
            settings,
            tokens,
            sessions: Sessions::default(),
            attempts: Attempts::new(),
            clock: Clock,
            hosts,
        }
    }

    /// Where a request comes from, as far as it can be told.
    pub(crate) fn address(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let direct = match peer {
            Peer::Owner => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Peer::Network(address) => address,
        };
        let spoken_for = if self.settings.behind_proxy { address::forwarded_for(headers) } else { None };
        spoken_for.unwrap_or(direct)
    }

    /// Whether connections from this address are served at all.
    pub(crate) fn answers(&self, from: IpAddr) -> bool {
        address::allowed(from, &self.settings.allow)
    }

    /// What needs no token for this request.
    fn anyone(&self, peer: Peer, headers: &HeaderMap) -> May {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
        let local = || {
            let here = matches!(peer, Peer::Network(address) if address.is_loopback());
            self.loopback && here && self.hosts.own(host) && !address::was_forwarded(headers)
        };
        if self.settings.behind_proxy || local() { self.settings.anyone } else { May::Nothing }
    }

    fn recognise(&self, request: &Request, peer: Peer, anyone: May) -> (Shown, Option<Subject>, Option<OwnSession>) {
        let named = |known: Known, csrf| {
            let own = if let Known::Named { role, .. } = &known { role.may() } else { May::Nothing };
            Shown::Good(Caller { known, may: own.max(anyone), csrf })
        };
        let tokens = self.tokens.now();
        let now_unix_us = self.clock.unix_us();
        match bearer(request.headers()) {
            Some(Ok(text)) => {
                return match tokens.find(text, now_unix_us) {
                    Ok(one) => {
                        let known = Known::Named { name: Arc::from(one.name.as_str()), role: one.role };
                        (named(known, None), Some(Subject::Token(one.digest())), None)
                    }
                    Err(refusal) => (Shown::Bad(refusal), None, None),
                };
            }
            Some(Err(refusal)) => return (Shown::Bad(refusal), None, None),
            None => {}
        }
        if peer == Peer::Owner {
            return (Shown::Good(Caller { known: Known::Owner, may: May::Manage, csrf: None }), None, None);
        }
        for id in cookies(request.headers(), &self.cookie) {
            if let Some((known, csrf, subject)) = self.sessions.of(id, &tokens, self.clock.now(), now_unix_us) {
                return (named(known, Some(csrf)), Some(subject), Some(OwnSession(id.to_owned())));
            }
        }
        (Shown::Good(Caller { known: Known::Anyone, may: anyone, csrf: None }), None, None)
    }
}

/// The text behind `Authorization: Bearer`; anything else there is no token of ours.
fn bearer(headers: &HeaderMap) -> Option<Result<&str, Refusal>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let first = given.next()?;
    let text = first.to_str().ok().and_then(|text| text.split_once(' '));
    match (text, given.next()) {
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => Some(Ok(token.trim())),
        _ => Some(Err(Refusal::Unknown)),
    }
}

/// The values of every cookie of this name.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(own, _)| *own == name).map(|(_, value)| value)
}

/// What a request needs; `None`: nothing, it is open to all. A change that is not listed needs what a start does.
pub(crate) fn needed(method: &Method, route: Option<&str>) -> Option<May> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match route {
        Some("/style.css" | "/app.js" | "/livez" | "/readyz" | "/login" | "/logout") => None,
        Some("/api/v1/login-links") => Some(May::Manage),
        Some("/integrations/{name}/stop" | "/api/v1/integrations/{name}/stop" | "/api/v1/stop-all") if !reads => {
            Some(May::Stop)
        }
        _ if reads => Some(May::View),
        _ => Some(May::Start),
    }
}

fn is_for_tools(path: &str) -> bool {
    path.starts_with("/api/") || path == "/metrics"
}

/// The layer around every route, within the guard.
pub(crate) async fn admit(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    // A connection without one would be nobody's: treated as one from far away.
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::Network(Ipv4Addr::UNSPECIFIED.into()));
    let from = gate.address(peer, request.headers());
    if peer != Peer::Owner && !gate.answers(from) {
        let detail = format!("{from} is in none of the networks of listen.console_allow");
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let need = needed(request.method(), route.as_deref());
    let anyone = gate.anyone(peer, request.headers());
    let (shown, subject, session) = gate.recognise(&request, peer, anyone);
    let nobody = Caller { known: Known::Anyone, may: anyone, csrf: None };
    let mut caller = match shown {
        Shown::Good(caller) => caller,
        // Whoever may stop without a token may do so with a bad one: a stop is never lost for a formality.
        Shown::Bad(_) if need == Some(May::Stop) && anyone >= May::Stop => nobody.clone(),
        Shown::Bad(_) if need.is_none() => nobody.clone(),
        Shown::Bad(refusal) => {
            return match gate.attempts.one_more(from) {
                Ok(()) => refuse(&request, StatusCode::UNAUTHORIZED, &refusal.to_string(), None),
                Err(wait_s) => refuse(&request, StatusCode::TOO_MANY_REQUESTS, &too_many(wait_s), Some(wait_s)),
            };
        }
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut by_cookie_alone = false;
    if let (Some(secret), false) = (&caller.csrf, reads) {
        let fits = match is_for_tools(request.uri().path()) {
            // Tools show a token; a cookie is what another page might have made a browser send.
            true => false,
            false => match take_secret(&mut request, secret).await {
                Ok(fits) => fits,
                Err(problem) => return problem.into_response(),
            },
        };
        if !fits {
            by_cookie_alone = true;
            caller = nobody;
        }
    }
    if let Some(need) = need.filter(|need| !caller.may(*need)) {
        let (status, words) = refusal(&caller, need, by_cookie_alone);
        return refuse(&request, status, &words, None);
    }
    if !by_cookie_alone {
        request.extensions_mut().insert(Recognised(subject));
        if let Some(session) = session {
            request.extensions_mut().insert(session);
        }
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Takes the secret out of a form's body, so that what answers sees its own fields only. True if it is the session's.
async fn take_secret(request: &mut Request, secret: &str) -> Result<bool, Problem> {
    let body = std::mem::take(request.body_mut());
    let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        let detail = format!("the body could not be read, or is over {BODY_BYTES_MAX} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    let (mut shown, mut fits) = (false, false);
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(&bytes) {
        match &*name {
            CSRF_FIELD => (shown, fits) = (true, same(value.as_bytes(), secret.as_bytes())),
            _ => drop(rest.append_pair(&name, &value)),
        }
    }
    request.headers_mut().remove(header::CONTENT_LENGTH);
    // What showed none is passed on as it came, whatever it is: it may be a stop, which needs no body at all.
    *request.body_mut() = if shown { Body::from(rest.finish()) } else { Body::from(bytes) };
    Ok(fits)
}

fn refusal(caller: &Caller, need: May, by_cookie_alone: bool) -> (StatusCode, String) {
    match caller.named() {
        Some((name, role)) => {
            let (role, least, words) = (role.name(), need.role().name(), need.words());
            let words = format!(
                "{name} is a {role} and may not {words}; that needs a token made with `darklaunch token create --role {least}`"
            );
            (StatusCode::FORBIDDEN, words)
        }
        None if by_cookie_alone => {
            let words = "the form does not belong to this session; open the page again and send it from there. Tools \
                         send a token, `Authorization: Bearer …`, not a cookie";
            (StatusCode::FORBIDDEN, words.to_owned())
        }
        None => {
            let words = need.words();
            let words = format!(
                "nobody may {words} here without logging in; use a token (`darklaunch token create`), or a link for this \
                 browser (`darklaunch token login-link`)"
            );
            (StatusCode::UNAUTHORIZED, words)
        }
    }
}

pub(crate) fn too_many(wait_s: u64) -> String {
    format!("too many attempts that failed; try again in {wait_s} s")
}

/// As a problem for tools, as a page for people.
fn refuse(request: &Request, status: StatusCode, words: &str, wait_s: Option<u64>) -> Response {
    let mut answer = match is_for_tools(request.uri().path()) {
        true => Problem::new(status, words).into_response(),
        false => pages::refused(request, status, words),
    };
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"darklaunch\""));
    }
    if let Some(wait_s) = wait_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_listed_needs_the_right_to_start() {
        let get = |route| needed(&Method::GET, route);
        let post = |route| needed(&Method::POST, route);
        assert_eq!((get(Some("/livez")), get(Some("/login")), post(Some("/login"))), (None, None, None));
        assert_eq!(
            (get(Some("/")), get(Some("/metrics")), get(None)),
            (Some(May::View), Some(May::View), Some(May::View))
        );
        assert_eq!(post(Some("/integrations/{name}/stop")), Some(May::Stop));
        assert_eq!(post(Some("/integrations/{name}/start")), Some(May::Start));
        assert_eq!((post(Some("/something/new/stop")), post(None)), (Some(May::Start), Some(May::Start)));
        assert_eq!(needed(&Method::DELETE, Some("/")), Some(May::Start));
        assert_eq!(post(Some("/api/v1/login-links")), Some(May::Manage));
    }

    #[test]
    fn only_a_bearer_is_a_token_and_only_one_of_it() {
        let headers = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            headers
        };
        assert_eq!(bearer(&headers(&[])), None);
        for (values, found) in [
            (vec!["Bearer x"], Ok("x")),
            (vec!["bEARER  x "], Ok("x")),
            (vec!["Basic x"], Err(Refusal::Unknown)),
            (vec!["Bearer"], Err(Refusal::Unknown)),
            (vec!["Bearer x", "Bearer y"], Err(Refusal::Unknown)),
        ] {
            assert_eq!(bearer(&headers(&values)), Some(found), "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn any_cookie_line_is_read_and_ours_is_found(before in "[ -~]{0,40}", value in "[A-Za-z0-9_-]{1,50}") {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_str(&before).unwrap());
            headers.append(header::COOKIE, HeaderValue::from_str(&format!("a=b; darklaunch-1={value} ;x")).unwrap());
            prop_assert!(cookies(&headers, "darklaunch-1").any(|found| found == value));
        }
    }
}
