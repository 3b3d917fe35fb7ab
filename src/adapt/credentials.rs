//! What looks like a credential, in headers and in queries, and is therefore kept from the shadow.

use aho_corasick::AhoCorasick;
use http::HeaderName;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Headers that carry credentials, besides those [`CREDENTIAL_WORDS`] catches.
pub const CREDENTIAL_HEADERS: &[&str] = &["cookie", "x-access", "x-auth", "x-client-cert", "x-csrf", "x-key", "dpop"];

/// A header with one of these in its name is a credential: `authorization`, `x-api-key`, `x-amz-security-token`,
/// `stripe-signature`, ...
pub const CREDENTIAL_WORDS: &[&str] = &[
    "authorization",
    "api-key",
    "apikey",
    "api_key",
    "auth-key",
    "access-key",
    "subscription-key",
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "session",
    "signature",
    "x-amz-",
    "x-goog-",
    "x-auth-",
    "x-forwarded-client-cert",
];

/// Query parameters that carry credentials.
pub const CREDENTIAL_QUERY: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth",
    "auth_token",
    "client_secret",
    "id_token",
    "key",
    "password",
    "refresh_token",
    "secret",
    "sig",
    "signature",
    "subscription-key",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
];

/// Headers that carry the address of whoever calls the application: no business of the shadow's.
const CLIENT_ADDRESS_HEADERS: &[&str] = &[
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-cluster-client-ip",
];

pub(crate) fn is_credential_header(name: &HeaderName) -> bool {
    let name = name.as_str();
    // Idempotency keys and trace ids are no credentials; header names are lower case already.
    CREDENTIAL_HEADERS.contains(&name)
        || CLIENT_ADDRESS_HEADERS.contains(&name)
        || WORDS.as_ref().is_none_or(|words| words.is_match(name))
}

/// All of [`CREDENTIAL_WORDS`] at once: every header of every copy is asked. Should they ever not be compiled, every header
/// counts as one that carries a credential.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(CREDENTIAL_WORDS).ok());

/// The target without the query parameters that carry credentials; the others stay byte for byte.
pub(crate) fn without_query_credentials<'t>(target: &'t str, keep: &[String]) -> Cow<'t, str> {
    let Some((path, query)) = target.split_once('?') else { return Cow::Borrowed(target) };
    let secret = |pair: &str| {
        let name = decoded(pair.split('=').next().unwrap_or_default());
        let named = |known: &str| known.eq_ignore_ascii_case(&name);
        CREDENTIAL_QUERY.iter().any(|known| named(known)) && !keep.iter().any(|kept| named(kept))
    };
    if !query.split('&').any(secret) {
        return Cow::Borrowed(target);
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !secret(pair)).collect();
    Cow::Owned(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
}

/// A parameter's name with its percent escapes undone, so that `api%5Fkey` does not slip through.
fn decoded(name: &str) -> String {
    let mut bytes = name.bytes();
    let mut out = Vec::with_capacity(name.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = (byte == b'%').then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?))).flatten();
        match digits {
            Some((high, low)) => {
                out.push(high * 16 + low);
                bytes = ahead;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
