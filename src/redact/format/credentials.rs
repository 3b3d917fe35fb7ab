//! `Authorization`: the scheme stays, the secret goes, and what is left is still valid in its scheme.

use crate::exchange::DropReason;
use crate::redact::format::headers::{signs_outside_quotes, unquoted_range};
use crate::redact::format::splice::{Patch, trimmed};
use crate::redact::format::{jwt, url};
use crate::redact::pass::{Pass, Place};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Parameters that say how something was computed, and hold no secret.
const KEPT: [&str; 17] = [
    "realm",
    "algorithm",
    "qop",
    "nc",
    "charset",
    "userhash",
    "stale",
    "domain",
    "scope",
    "error",
    "signedheaders",
    "oauth_version",
    "oauth_signature_method",
    "oauth_timestamp",
    "version",
    "headers",
    "created",
];

impl Pass<'_> {
    /// What becomes of the value of an `Authorization` header.
    pub fn authorization(&mut self, rule: u16, raw: &str) -> Result<String, DropReason> {
        let Some((scheme, rest)) = raw.split_once(' ') else {
            return Ok(self.apply(rule, raw).unwrap_or_else(|| raw.to_owned()));
        };
        let secret = rest.trim();
        let fresh = match scheme.to_ascii_lowercase().as_str() {
            "basic" => self.basic(rule, secret),
            _ if jwt::is_signed(secret) => self.signed_token(rule, secret),
            _ if is_parameters(secret) => Some(self.scheme_parameters(rule, secret)?),
            _ => self.apply(rule, secret),
        };
        Ok(fresh.map_or_else(|| raw.to_owned(), |fresh| format!("{scheme} {}", rest.replacen(secret, &fresh, 1))))
    }

    /// User and password, each by itself, encoded again.
    fn basic(&mut self, rule: u16, secret: &str) -> Option<String> {
        let decoded = STANDARD.decode(secret).or_else(|_| STANDARD_NO_PAD.decode(secret)).ok();
        let decoded = decoded.map(|bytes| {
            String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|b| char::from(*b)).collect())
        });
        let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
            return self.apply(rule, secret);
        };
        let mut one = |text: &str| if text.is_empty() { None } else { self.apply(rule, text) };
        let (fresh_user, fresh_password) = (one(user), one(password));
        if fresh_user.is_none() && fresh_password.is_none() {
            return None;
        }
        let user = fresh_user.as_deref().unwrap_or(user);
        Some(STANDARD.encode(format!("{user}:{}", fresh_password.as_deref().unwrap_or(password))))
    }

    fn signed_token(&mut self, rule: u16, secret: &str) -> Option<String> {
        let replaced = jwt::replace(self, secret)?;
        let fresh = replaced.fresh.clone();
        self.note(rule, secret, replaced);
        Some(fresh)
    }

    /// `name="value", name=value`: all values but those known to be harmless.
    fn scheme_parameters(&mut self, rule: u16, secret: &str) -> Result<String, DropReason> {
        let mut patch = Patch::new(secret);
        let mut start = 0;
        for end in signs_outside_quotes(secret, b',').chain([secret.len()]) {
            let piece = &secret[start..end];
            if let Some((name, value)) = piece.split_once('=') {
                let name = name.trim().to_ascii_lowercase();
                let range = unquoted_range(secret, trimmed(secret, end - value.len()..end));
                let core = &secret[range.clone()];
                let fresh = match name.as_str() {
                    name if KEPT.contains(&name) || core.is_empty() => self.value(core, Place::BARE)?,
                    "uri" => Some(url::target(self, core, 0)?),
                    // `AKIA.../20240101/eu-west-1/s3/aws4_request`: what follows the key is its scope.
                    "credential" => {
                        let id = core.split('/').next().unwrap_or_default();
                        self.apply(rule, id).map(|fresh| fresh + &core[id.len()..])
                    }
                    _ => self.apply(rule, core),
                };
                fresh.into_iter().for_each(|fresh| patch.put(range.clone(), fresh));
            }
            start = end + 1;
        }
        Ok(patch.done())
    }
}

/// Whether the text is parameters and no single token; `=` at a token's end is padding.
fn is_parameters(text: &str) -> bool {
    signs_outside_quotes(text, b',').chain([text.len()]).try_fold(0, |start, end| {
        let (name, value) = text.get(start..end)?.split_once('=')?;
        let name = name.trim();
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        (named && !value.trim_matches(['=', ' ']).is_empty()).then_some(end + 1)
    }) == Some(text.len() + 1)
}
