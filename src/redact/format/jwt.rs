//! JSON Web Tokens (RFC 7519): the header stays, claims about a person are replaced, the signature becomes a dummy that
//! is known again, and the result is still a token that parses.

use crate::redact::format::json;
use crate::redact::pass::{Pass, Place};
use crate::redact::rule::rules::Action;
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::{self, Replaced};
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::Mac;
use serde_json::Value;

/// Base64url as tokens have it, read leniently.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// String claims that say what a token is for, not whom it is about. Every other one is replaced.
const KEPT: [&str; 28] = [
    "iss",
    "aud",
    "azp",
    "typ",
    "alg",
    "kid",
    "enc",
    "cty",
    "crit",
    "acr",
    "amr",
    "scope",
    "scp",
    "scopes",
    "token_use",
    "token_type",
    "roles",
    "role",
    "permissions",
    "authorities",
    "entitlements",
    "client_id",
    "appid",
    "gty",
    "grant_type",
    "ver",
    "locale",
    "zoneinfo",
];
/// The first bytes of a dummy signature.
const MARK: &[u8; 10] = b"darklaunch";
/// Bytes of a dummy signature; as many as the most usual real one has.
const SIGNATURE_BYTES: usize = 32;

/// What becomes of a token; `None` if it was redacted before. What is no signed token of JSON (an encrypted one, say)
/// gets an opaque stand-in.
pub(in crate::redact) fn replace(pass: &mut Pass<'_>, token: &str) -> Option<Replaced> {
    let opaque = pseudonym::replace(Action::Pseudonym, Kind::Jwt, token, &pass.redactor.key)?;
    match rewrite(pass, token) {
        Some(fresh) => (fresh != token).then_some(Replaced { fresh, ..opaque }),
        None => Some(opaque),
    }
}

/// The token with its claims replaced; `None` if it is no signed token of JSON.
pub(in crate::redact) fn rewrite(pass: &mut Pass<'_>, token: &str) -> Option<String> {
    let parts: Vec<&str> = token.split('.').collect();
    match parts[..] {
        [header, payload] => signed(pass, header, payload, None),
        [header, payload, signature] => signed(pass, header, payload, Some(signature)),
        _ => None,
    }
}

/// Whether a text is a token with a JSON header and payload.
pub(in crate::redact) fn is_signed(token: &str) -> bool {
    let mut parts = token.split('.');
    let both = [parts.next(), parts.next()].map(|part| part.and_then(object).is_some());
    both == [true, true] && parts.next().is_some() && parts.next().is_none()
}

/// The JSON object that a part encodes.
fn object(part: &str) -> Option<String> {
    let text = String::from_utf8(BASE64.decode(part).ok()?).ok()?;
    let object: Option<serde_json::Map<String, Value>> = serde_json::from_str(&text).ok();
    object.map(|_| text)
}

fn signed(pass: &mut Pass<'_>, header: &str, payload: &str, signature: Option<&str>) -> Option<String> {
    let head = object(header)?;
    let body = object(payload)?;
    if signature.is_some_and(|signature| signature == dummy(pass, header, payload)) {
        return Some(format!("{header}.{payload}.{}", signature.unwrap_or_default()));
    }
    let parents = [pass.key("jwt")];
    let place = Place { key: None, parents: &parents, depth: 1 };
    let fresh_head = json::document(pass, &head, Place { parents: &[], ..place }).ok()?;
    let struck = json::document(pass, &body, place).ok()?;
    let fresh_body = claims(pass, &body, &struck)?;
    // What did not change keeps its spelling, whatever it was.
    let header = if fresh_head == head { header.to_owned() } else { BASE64.encode(fresh_head) };
    let (payload, kept) =
        if fresh_body == body { (payload.to_owned(), true) } else { (BASE64.encode(fresh_body), false) };
    let signature = match signature {
        None => return Some(format!("{header}.{payload}")),
        Some(signature) if signature.is_empty() || kept && is_dummy(signature) => signature.to_owned(),
        Some(_) => dummy(pass, &header, &payload),
    };
    Some(format!("{header}.{payload}.{signature}"))
}

/// Replaces every string claim that the rules left and that is not known to be harmless.
fn claims(pass: &Pass<'_>, before: &str, after: &str) -> Option<String> {
    let old: Value = serde_json::from_str(before).ok()?;
    let mut new: Value = serde_json::from_str(after).ok()?;
    mask(pass, "", Some(&old), &mut new);
    // Written anew, so that of claims given twice only those seen here stay.
    serde_json::to_string(&new).ok()
}

fn mask(pass: &Pass<'_>, name: &str, old: Option<&Value>, new: &mut Value) {
    if KEPT.contains(&name) {
        return;
    }
    match new {
        Value::String(new) if old.and_then(Value::as_str) == Some(new.as_str()) && !is_stand_in(new) => {
            if let Some(replaced) = pseudonym::replace(Action::Pseudonym, Kind::Token, new, &pass.redactor.key) {
                *new = replaced.fresh;
            }
        }
        Value::Array(new) => {
            for (at, new) in new.iter_mut().enumerate() {
                mask(pass, name, old.and_then(|old| old.get(at)), new);
            }
        }
        // A name may itself have been replaced: then its value was looked at under the old one.
        Value::Object(new) => {
            for (name, new) in new.iter_mut() {
                mask(pass, name, old.and_then(|old| old.get(name)), new);
            }
        }
        _ => {}
    }
}

/// Whether a claim is a stand-in: then it was redacted before, perhaps under another key.
fn is_stand_in(text: &str) -> bool {
    let kinds = [Kind::Token.of_value(text), Kind::Phone, Kind::Ssn, Kind::Date, Kind::Digits];
    kinds.iter().any(|kind| pseudonym::is_stand_in(*kind, text))
}

fn is_dummy(signature: &str) -> bool {
    BASE64.decode(signature).is_ok_and(|bytes| bytes.len() == SIGNATURE_BYTES && bytes.starts_with(MARK))
}

/// A signature that nobody can verify: a mark, then a keyed digest, so that equal tokens stay equal.
fn dummy(pass: &Pass<'_>, header: &str, payload: &str) -> String {
    let mut mac = pass.redactor.key.0.clone();
    mac.update(b"jwt\0");
    mac.update(header.as_bytes());
    mac.update(b".");
    mac.update(payload.as_bytes());
    let digest = mac.finalize().into_bytes();
    let bytes: Vec<u8> = MARK.iter().chain(digest.iter()).copied().take(SIGNATURE_BYTES).collect();
    BASE64.encode(bytes)
}
