//! URLs and request targets: scheme and host stay, user info goes, path, query and fragment are redacted part by part.

use crate::exchange::DropReason;
use crate::redact::format::form;
use crate::redact::format::percent;
use crate::redact::format::splice::Patch;
use crate::redact::pass::{Pass, Place};
use crate::redact::stand_in::pseudonym::MASK;
use std::net::IpAddr;

/// What becomes of a user and a password. No letters: with the host after it, a word would look like an e-mail address.
pub(in crate::redact) const USER_MASK: &str = "***";

/// A URL or a relative reference.
pub(in crate::redact) fn reference(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let scheme_len = scheme(text);
    let (scheme, rest) = text.split_at(scheme_len);
    if let Some(rest) = rest.strip_prefix("//") {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        return Ok([scheme, "//", &self::authority(pass, authority, depth)?, &relative(pass, tail, depth)?].concat());
    }
    match scheme.trim_end_matches(':').to_ascii_lowercase().as_str() {
        "mailto" => Ok(scheme.to_owned() + &opaque(pass, rest, "email", depth)?),
        "tel" | "sms" | "callto" | "fax" => Ok(scheme.to_owned() + &opaque(pass, rest, "phone", depth)?),
        "sip" | "sips" | "xmpp" | "im" => Ok(scheme.to_owned() + &opaque(pass, rest, "", depth)?),
        _ => Ok(scheme.to_owned() + &relative(pass, rest, depth)?),
    }
}

/// The length of `scheme:` at the start, zero if there is none.
fn scheme(text: &str) -> usize {
    let Some(end) = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+.-".contains(c))) else { return 0 };
    let is_scheme = text.as_bytes()[end] == b':' && text.as_bytes()[0].is_ascii_alphabetic();
    if is_scheme { end + 1 } else { 0 }
}

/// What stands after a scheme that knows no path: a value, perhaps with parameters.
fn opaque(pass: &mut Pass<'_>, text: &str, name: &str, depth: u8) -> Result<String, DropReason> {
    let end = text.find(['?', ';', '#']).unwrap_or(text.len());
    let (value, tail) = text.split_at(end);
    let mut patch = Patch::new(value);
    let key = (!name.is_empty()).then(|| pass.key(name));
    let place = Place { key: key.as_ref(), parents: &[], depth };
    let mut at = 0;
    // `mailto:` may list several.
    for one in value.split(',') {
        if let Some(fresh) = percent::rewrite(one, false, &mut |plain| pass.value(plain, place))? {
            patch.put(at..at + one.len(), fresh);
        }
        at += one.len() + 1;
    }
    Ok(patch.done() + &relative(pass, tail, depth)?)
}

/// `user:password@host:port`: the user info is masked, the host stays unless it is an address or a rule claims it.
fn authority(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let (user, host) = text.rsplit_once('@').map_or((None, text), |(user, host)| (Some(user), host));
    let mut out = String::with_capacity(text.len());
    if let Some(user) = user {
        if user != USER_MASK && !user.is_empty() {
            learn(pass, user, depth)?;
        }
        out.push_str(if user.is_empty() { "" } else { USER_MASK });
        out.push('@');
    }
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => (name, &host[name.len() + 2..]),
        None => host.split_at(host.rfind(':').unwrap_or(host.len())),
    };
    let place = Place { key: None, parents: &[], depth };
    match percent::rewrite(name, false, &mut |plain| pass.value(plain, place))? {
        Some(fresh) if is_host(&fresh) && host.starts_with('[') => out.push_str(&format!("[{fresh}]")),
        Some(fresh) if is_host(&fresh) && !fresh.contains(':') => out.push_str(&fresh),
        Some(_) => out.push_str(MASK),
        None => out.push_str(&host[..host.len() - port.len()]),
    }
    out.push_str(port);
    Ok(out)
}

/// Accounts that are nobody's.
const ACCOUNTS: [&str; 22] = [
    "admin", "api", "app", "backend", "backup", "db", "default", "deploy", "guest", "mysql", "postgres", "readonly",
    "reader", "report", "root", "sa", "service", "svc", "test", "user", "web", "worker",
];

/// Lets the rules see what is masked, so that they count it and look for it elsewhere.
fn learn(pass: &mut Pass<'_>, user: &str, depth: u8) -> Result<(), DropReason> {
    let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
    // An account of a service is called like what it does, and so are other things.
    let name = Some(name).filter(|name| !ACCOUNTS.contains(name));
    for (part, key) in [(name, "username"), (password, "password")] {
        let key = pass.key(key);
        let place = Place { key: Some(&key), parents: &[], depth };
        if let Some(part) = part {
            percent::rewrite(part, false, &mut |plain| pass.value(plain, place))?;
        }
    }
    Ok(())
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && (text.parse::<IpAddr>().is_ok() || text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)))
}

/// The target of a request: a path and a query, or a whole URL.
pub(in crate::redact) fn target(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    if text.starts_with('/') { relative(pass, text, depth) } else { reference(pass, text, depth) }
}

/// Path, query and fragment.
fn relative(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, part)| (rest, Some(part)));
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let bare = Place { key: None, parents: &[], depth };
    let mut out = self::path(pass, path, depth)?;
    if let Some(query) = query {
        out.push('?');
        out.push_str(&form::pairs(pass, query, bare)?);
    }
    if let Some(fragment) = fragment {
        out.push('#');
        // `#/route?a=b` of applications that route by fragment.
        let fresh = match fragment.starts_with(['/', '!']) && !fragment.contains('#') {
            true => relative(pass, fragment, depth)?,
            false => form::pairs(pass, fragment, bare)?,
        };
        out.push_str(&fresh);
    }
    Ok(out)
}

fn path(pass: &mut Pass<'_>, text: &str, depth: u8) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let mut before = "";
    let mut at = 0;
    for segment in text.split('/') {
        let mut start = at;
        for (index, part) in segment.split(';').enumerate() {
            let fresh = match part.split_once('=').filter(|_| index > 0) {
                // `;name=value`, a matrix parameter.
                Some(_) => Some(form::pairs(pass, part, Place { key: None, parents: &[], depth })?)
                    .filter(|fresh| fresh != part),
                None => percent::rewrite(part, false, &mut |plain| self::segment(pass, plain, before, depth))?,
            };
            fresh.into_iter().for_each(|fresh| patch.put(start..start + part.len(), fresh));
            start += part.len() + 1;
        }
        before = segment;
        at += segment.len() + 1;
    }
    Ok(patch.done())
}

/// One segment of a path. The segment before may name it, `/phone-numbers/{value}`, but `/phone-numbers/search` is no
/// value: only rules that know what a value looks like are asked.
fn segment(pass: &mut Pass<'_>, plain: &str, before: &str, depth: u8) -> Result<Option<String>, DropReason> {
    if !before.is_empty() && !plain.is_empty() {
        let key = pass.key_in_text(before);
        let rules = &pass.redactor.rules;
        if let Some(rule) = pass.name_rule(plain, &key, &[]).filter(|rule| rules[usize::from(*rule)].shape.is_some()) {
            return Ok(pass.apply(rule, plain));
        }
    }
    pass.value(plain, Place { key: None, parents: &[], depth })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_seen() {
        assert_eq!(scheme("https://x"), 6);
        assert_eq!(scheme("/a:b"), 0);
        assert_eq!(scheme(":x"), 0);
        assert_eq!(scheme("x"), 0);
    }
}
