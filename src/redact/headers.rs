//! Header lines: rules by name, cookies by part, everything else by pattern.

use crate::exchange::DropReason;
use crate::redact::pass::{Pass, Place};
use crate::redact::pseudonym::MASK;
use http::{HeaderMap, HeaderValue};

/// Headers whose grammar has no room for a person's data.
const PLAIN: [&str; 14] = [
    "accept",
    "accept-encoding",
    "accept-ranges",
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "expires",
    "last-modified",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "vary",
];
/// Attributes of `Set-Cookie`, which are no cookies.
const ATTRIBUTES: [&str; 8] = ["domain", "expires", "httponly", "max-age", "path", "samesite", "secure", "partitioned"];

/// Redacts every line; a value that cannot be written back is masked.
pub(in crate::redact) fn lines(pass: &mut Pass<'_>, headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        if PLAIN.contains(&name.as_str()) {
            continue;
        }
        let raw: String = value.as_bytes().iter().map(|b| char::from(*b)).collect();
        let raw = String::from_utf8(value.as_bytes().to_vec()).unwrap_or(raw);
        let fresh = pass.header(name.as_str(), &raw).unwrap_or_else(|_| Some(MASK.to_owned()));
        if let Some(fresh) = fresh {
            *value = HeaderValue::from_str(&fresh).unwrap_or(HeaderValue::from_static(MASK));
        }
    }
}

impl Pass<'_> {
    /// One header's value: `Some` if it must change.
    pub fn header(&mut self, name: &str, raw: &str) -> Result<Option<String>, DropReason> {
        let key = self.key(name);
        let rule = self.header_rule(raw, &key);
        let Some(rule) = rule.filter(|_| !raw.is_empty()) else {
            return self.value(raw, Place { key: Some(&key), parents: &[], depth: 0 });
        };
        match key.joined() {
            "cookie" | "setcookie" => Ok(self.cookies(rule, raw, key.joined() == "setcookie")),
            "authorization" | "proxyauthorization" => Ok(match raw.split_once(' ') {
                Some((scheme, secret)) => self.apply(rule, secret.trim()).map(|fresh| format!("{scheme} {fresh}")),
                None => self.apply(rule, raw),
            }),
            _ => Ok(self.apply(rule, raw)),
        }
    }

    fn cookies(&mut self, rule: u16, raw: &str, set: bool) -> Option<String> {
        let parts: Vec<String> = raw
            .split(';')
            .enumerate()
            .map(|(at, part)| {
                let Some((name, value)) = part.split_once('=') else { return part.to_owned() };
                let attribute = ATTRIBUTES.contains(&name.trim().to_ascii_lowercase().as_str());
                if set && at > 0 && attribute || value.is_empty() {
                    return part.to_owned();
                }
                let fresh = self.apply(rule, value.trim().trim_matches('"'));
                format!("{name}={}", fresh.as_deref().unwrap_or(value))
            })
            .collect();
        let fresh = parts.join(";");
        (fresh != raw).then_some(fresh)
    }
}
