//! Logging in and out, and the links that let a browser in.

use crate::console::access::address::Peer;
use crate::console::access::admit::{Gate, OwnSession, Recognised, too_many};
use crate::console::access::sessions::{LIFE_S, LINK_LIFE_S, Subject};
use crate::console::access::{Caller, Known, Role, TokenError, pages};
use crate::console::problem::Problem;
use crate::console::writes::{BODY_BYTES_MAX, clean};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;
use url::form_urlencoded;

/// Longest name that a link's maker may give.
const NAME_CHARS_MAX: usize = 60;

/// What leads to the page.
#[derive(Deserialize)]
pub(crate) struct Asked {
    next: Option<String>,
    link: Option<String>,
}

/// `GET /login`: who one is, or how to log in.
pub(crate) async fn show(
    State(gate): State<Arc<Gate>>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Response {
    if let Some(code) = asked.link {
        let tokens = gate.tokens.now();
        let known = gate.sessions.link_of(&code, &tokens, gate.clock.now(), gate.clock.unix_us());
        return match known {
            Some(Known::Named { name, role }) => pages::link(&code, &name, role).into_response(),
            _ => (StatusCode::UNAUTHORIZED, pages::login("/", Some(pages::LINK_OVER), false)).into_response(),
        };
    }
    match caller.named() {
        Some(_) => pages::account(&caller).into_response(),
        None => pages::login(&pages::local(asked.next.as_deref().unwrap_or("/")), None, false).into_response(),
    }
}

/// `POST /login`: with a token, or with a link's code.
pub(crate) async fn page(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::Network(Ipv4Addr::UNSPECIFIED.into()));
    let from = gate.address(peer, request.headers());
    if let Err(wait_s) = gate.attempts.one_more(from) {
        let page = pages::login("/", Some(&too_many(wait_s)), false);
        let wait = [(header::RETRY_AFTER, HeaderValue::from(wait_s))];
        return (StatusCode::TOO_MANY_REQUESTS, wait, page).into_response();
    }
    let former = request.extensions().get::<OwnSession>().cloned();
    let Ok(bytes) = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await else {
        let detail = format!("the body could not be read, or is over {BODY_BYTES_MAX} bytes");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
    };
    let (mut token, mut code, mut next) = (None, None, "/".to_owned());
    for (name, value) in form_urlencoded::parse(&bytes) {
        match &*name {
            "token" => token = Some(value.trim().to_owned()),
            "link" => code = Some(value.into_owned()),
            "next" => next = pages::local(&value),
            _ => {}
        }
    }
    let subject = match (token, code) {
        (Some(text), _) => {
            let tokens = gate.tokens.now();
            let found = tokens.find(&text, gate.clock.unix_us());
            found.map(|one| Subject::Token(one.digest())).map_err(|refusal| refusal.to_string())
        }
        (None, Some(code)) => gate
            .sessions
            .follow(&code, &gate.tokens.now(), gate.clock.now(), gate.clock.unix_us())
            .ok_or_else(|| pages::LINK_OVER.to_owned()),
        (None, None) => Err("paste a token".to_owned()),
    };
    let id = subject.and_then(|subject| {
        let begun = gate.sessions.begin(subject, gate.clock.now());
        begun.map_err(|error: TokenError| error.to_string())
    });
    match id {
        Ok(id) => {
            if let Some(OwnSession(former)) = former {
                gate.sessions.end(&former);
            }
            tracing::info!(%from, "somebody logged in at the console");
            to(&next, Some(&cookie(&gate, &id, LIFE_S)))
        }
        Err(why) => {
            tracing::info!(%from, "a log-in at the console was refused");
            (StatusCode::UNAUTHORIZED, pages::login(&next, Some(&why), false)).into_response()
        }
    }
}

/// `POST /logout`.
pub(crate) async fn leave(State(gate): State<Arc<Gate>>, own: Option<Extension<OwnSession>>) -> Response {
    match own {
        Some(Extension(OwnSession(id))) => {
            gate.sessions.end(&id);
            to("/login", Some(&cookie(&gate, "", 0)))
        }
        None => to("/login", None),
    }
}

/// 303: reloading does not repeat it.
fn to(address: &str, cookie: Option<&str>) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    if let Ok(address) = HeaderValue::try_from(address) {
        answer.headers_mut().insert(header::LOCATION, address);
    }
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

fn cookie(gate: &Gate, id: &str, life_s: u64) -> String {
    let secure = if gate.secure { "; Secure" } else { "" };
    format!("{}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}", gate.cookie)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    who: Option<String>,
    role: Option<Role>,
}

/// `POST /api/v1/login-links`: a link that lets one browser in, once and soon.
pub(crate) async fn link(
    State(gate): State<Arc<Gate>>,
    Extension(caller): Extension<Caller>,
    Extension(Recognised(maker)): Extension<Recognised>,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is over {BODY_BYTES_MAX} bytes")))?;
    let wanted: Wanted = match bytes.is_empty() {
        true => Wanted::default(),
        // By way of an object: serde would take an array for the fields in their order.
        false => serde_json::from_slice(&bytes)
            .and_then(|object| serde_json::from_value(serde_json::Value::Object(object)))
            .map_err(|error| {
                let detail = format!("the JSON body is not understood: {error}");
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
            })?,
    };
    let claimed = clean(wanted.who.as_deref().unwrap_or(""), NAME_CHARS_MAX);
    let name: Arc<str> = caller.signs(&claimed, "owner").into();
    let role = wanted.role.unwrap_or(Role::Admin);
    let maker = match maker {
        Some(Subject::Token(digest)) => Some(digest),
        Some(Subject::Link { maker, .. }) => maker,
        None => None,
    };
    let code = gate.sessions.link(Subject::Link { name: Arc::clone(&name), role, maker }, gate.clock.now());
    let code = code.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let address = format!("/login?link={code}");
    let url = format!("{}{address}", gate.url);
    let answer = json!({ "url": url, "address": address, "name": &*name, "role": role, "expires_in_s": LINK_LIFE_S });
    Ok(axum::Json(answer).into_response())
}
