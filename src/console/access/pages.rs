//! The pages of logging in: they work without a script, and tell a person what to do next.

use crate::console::access::{Caller, Role};
use crate::console::pages::frame;
use crate::console::words;
use axum::extract::Request;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use maud::{Markup, html};

const TITLE: &str = "Log in";

/// What an old link is answered.
pub(crate) const LINK_OVER: &str =
    "this link was used already, or is older than five minutes; make a new one with `darklaunch token login-link`";

/// How to log in, to go on at `next`. `arrived`: the browser came from another site and so kept its cookie back.
pub(crate) fn login(next: &str, refused: Option<&str>, arrived: bool) -> Html<String> {
    frame(TITLE, None, &form(next, refused, arrived))
}

fn form(next: &str, refused: Option<&str>, arrived: bool) -> Markup {
    html! {
        h1 { (TITLE) }
        @if let Some(why) = refused { p.notice.bad role="alert" { (words::first_upper(why)) "." } }
        @if arrived { p.notice { "You came from another site. If you are logged in, "
            a href=(next) { "go on to the page" } "." } }
        section.card {
            form.start method="post" action="/login" {
                input type="hidden" name="next" value=(next);
                label { "Token" input type="password" name="token" required maxlength="128" autocomplete="current-password"
                    spellcheck="false" aria-describedby="how"; }
                button type="submit" { "Log in" }
            }
            p.quiet #how { "A token looks like " code { "darklaunch_…" } ". Whoever runs this recorder makes one for you: "
                code { "darklaunch token create --role operator --name ann" } ". On the recorder’s own machine "
                code { "darklaunch token login-link" } " gives a link that needs no token." }
        }
    }
}

/// Asks before a link is used up: programs that only look at links must not.
pub(crate) fn link(code: &str, name: &str, role: Role) -> Html<String> {
    let body = html! {
        h1 { (TITLE) }
        section.card {
            p { "This link logs this browser in as " strong { (name) } ", " (role.name()) ". It works once." }
            form method="post" action="/login" {
                input type="hidden" name="link" value=(code);
                button type="submit" { "Log in" }
            }
        }
    };
    frame(TITLE, None, &body)
}

/// Who one is.
pub(crate) fn account(caller: &Caller) -> Html<String> {
    let body = html! {
        h1 { "Account" }
        section.card {
            @if let Some((name, role)) = caller.named() {
                p { "You are " strong { (name) } ", " (role.name()) ": you may " (role.may().words()) "." }
            }
            form method="post" action="/logout" {
                (caller.csrf_field())
                button type="submit" { "Log out" }
            }
        }
    };
    frame("Account", None, &body)
}

/// The page of a refusal: with the form when logging in would help.
pub(crate) fn refused(request: &Request, status: StatusCode, words: &str) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let arrived = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes) == Some(b"cross-site");
    let next = match (reads, request.uri().path_and_query()) {
        (true, Some(asked)) => local(asked.as_str()),
        _ => "/".to_owned(),
    };
    let page = match status {
        StatusCode::FORBIDDEN => {
            let body = html! {
                h1 { "Not allowed" }
                p.notice.bad role="alert" { (words::first_upper(words)) "." }
                p { a href="/" { "To the list of integrations" } " · " a href="/login" { "Who am I, log out" } }
            };
            frame("Not allowed", None, &body)
        }
        _ => login(&next, Some(words), arrived && reads),
    };
    (status, page).into_response()
}

/// A path of this console; anything else leads to the first page (an open redirect lends our name to another site).
pub(crate) fn local(address: &str) -> String {
    let mut letters = address.chars();
    let inside = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if inside && plain { address.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_log_in_leads_to_a_page_of_the_console_only() {
        for good in ["/", "/integrations/payments", "/recordings?outcome=ok&sort=slowest"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nset-cookie:x",
            "/ä",
            "javascript:x",
        ] {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_stays_here(address in "[/\\\\]{0,3}\\PC{0,60}") {
            let here = url::Url::parse("http://console.internal/login").unwrap();
            let there = here.join(&local(&address)).unwrap();
            prop_assert_eq!(there.origin(), here.origin());
        }
    }
}
