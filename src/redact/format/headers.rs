//! Header lines: each by its own grammar, rules by name first, everything else by pattern.

use crate::exchange::DropReason;
use crate::redact::evidence::epoch;
use crate::redact::evidence::names::Key;
use crate::redact::format::form;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::format::{mime, url};
use crate::redact::pass::{Pass, Place};
use crate::redact::rule::rules::Action;
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::{self, MASK};
use http::{HeaderMap, HeaderValue};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

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
/// Headers that hold one URL.
const LINKS: [&str; 9] = [
    "location",
    "contentlocation",
    "referer",
    "origin",
    "destination",
    "xoriginalurl",
    "xoriginaluri",
    "xrewriteurl",
    "xforwardedpath",
];
/// Longest file name extension that is kept, bytes.
const EXTENSION_BYTES_MAX: usize = 8;

/// Redacts every line; a value that cannot be written back is masked.
pub(in crate::redact) fn lines(pass: &mut Pass<'_>, headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        let utf8 = std::str::from_utf8(value.as_bytes()).ok().map(Cow::Borrowed);
        let latin1 = utf8.is_none();
        let raw = utf8.unwrap_or_else(|| value.as_bytes().iter().map(|b| char::from(*b)).collect());
        let fresh = pass.header(name.as_str(), &raw).unwrap_or_else(|_| Some(MASK.to_owned()));
        let Some(fresh) = fresh else { continue };
        let bytes: Option<Vec<u8>> = match latin1 {
            true => fresh.chars().map(|c| u8::try_from(c).ok()).collect(),
            false => Some(fresh.into_bytes()),
        };
        let fresh = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        *value = fresh.unwrap_or(HeaderValue::from_static(MASK));
    }
}

impl Pass<'_> {
    /// One header's value: `Some` if it must change.
    pub fn header(&mut self, name: &str, raw: &str) -> Result<Option<String>, DropReason> {
        if raw.is_empty() || PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(name)) {
            return Ok(None);
        }
        // Words in another charset are looked at in clear.
        let plain = mime::words(raw);
        let fresh = plain_header(self, name, &plain.text)?;
        Ok(fresh.map(|fresh| plain.graft(&fresh, mime::as_word)))
    }
}

fn plain_header(pass: &mut Pass<'_>, name: &str, raw: &str) -> Result<Option<String>, DropReason> {
    let key = pass.key(name);
    let place = Place { key: Some(&key), parents: &[], depth: 0 };
    let rule = pass.header_rule(raw, &key);
    let fresh = match (key.joined(), rule) {
        ("cookie", rule) => pass.cookies(rule, raw, false)?,
        ("setcookie" | "setcookie2", rule) => pass.cookies(rule, raw, true)?,
        ("authorization" | "proxyauthorization", Some(rule)) => pass.authorization(rule, raw)?,
        ("contenttype", _) => content_type(pass, raw)?,
        (_, Some(rule)) => return Ok(pass.apply(rule, raw)),
        ("contentdisposition", _) => return disposition(pass, raw, false),
        (name, _) if LINKS.contains(&name) => url::reference(pass, raw, 0)?,
        ("link", _) => link(pass, raw, place)?,
        ("forwarded", _) => forwarded(pass, raw, place)?,
        _ if is_node_list(raw) => nodes(pass, raw, place)?,
        _ => return pass.value(raw, place),
    };
    Ok((fresh != raw).then_some(fresh))
}

/// The media type stays; of the parameters, those that say how to read the body.
fn content_type(pass: &mut Pass<'_>, raw: &str) -> Result<String, DropReason> {
    with_parameters(pass, raw, &mut |pass, name, text| {
        if matches!(name, "boundary" | "charset" | "profile" | "version" | "q" | "type") {
            return Ok(None);
        }
        let key = pass.key(name);
        pass.value(text, Place { key: Some(&key), parents: &[], depth: 0 })
    })
}

/// `form-data; name="a"; filename="b"`. The name of an upload's file is a person's own words.
pub(in crate::redact) fn disposition(
    pass: &mut Pass<'_>,
    raw: &str,
    upload: bool,
) -> Result<Option<String>, DropReason> {
    let fresh = with_parameters(pass, raw, &mut |pass, name, text| match name {
        "name" => {
            let key = pass.key(text);
            pass.name(text, &key, 0)
        }
        "filename" if upload => file_name(pass, text),
        _ => pass.value(text, Place::BARE),
    })?;
    Ok((fresh != raw).then_some(fresh))
}

/// What is asked of each parameter: its name in lower case, its plain value.
type OfParameter<'f> = dyn FnMut(&mut Pass<'_>, &str, &str) -> Result<Option<String>, DropReason> + 'f;

/// Redacts each parameter of a value; what is none goes through every pattern.
fn with_parameters(pass: &mut Pass<'_>, raw: &str, each: &mut OfParameter<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(raw);
    let mut start = 0;
    for end in signs_outside_quotes(raw, b';').chain([raw.len()]) {
        let sign = raw[start..end].find('=').map_or(end, |equals| start + equals);
        let name = trimmed(raw, start..sign);
        let fresh = pass.value(&raw[name.clone()], Place::BARE)?;
        fresh.into_iter().for_each(|fresh| patch.put(name.clone(), fresh));
        if sign < end {
            let range = trimmed(raw, sign + 1..end);
            let fresh = parameter_value(pass, &raw[name], &raw[range.clone()], each)?;
            fresh.into_iter().for_each(|fresh| patch.put(range.clone(), fresh));
        }
        start = end + 1;
    }
    Ok(patch.done())
}

/// What becomes of the name of an uploaded file: one that people's names may be part of keeps only its extension.
fn file_name(pass: &mut Pass<'_>, raw: &str) -> Result<Option<String>, DropReason> {
    let is_extension = |text: &str| {
        (1..=EXTENSION_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
            && text.bytes().any(|b| b.is_ascii_alphabetic())
    };
    let (stem, extension) = match raw.rsplit_once('.').filter(|(_, extension)| is_extension(extension)) {
        Some((stem, extension)) => (stem, Some(extension)),
        None => (raw, None),
    };
    if stem.is_empty() || !is_worded(stem) {
        return pass.value(raw, Place::BARE);
    }
    let replaced = pseudonym::replace(Action::Pseudonym, Kind::Word, stem, &pass.redactor.key);
    Ok(replaced.map(|replaced| match extension {
        Some(extension) => format!("{}.{extension}", replaced.fresh),
        None => replaced.fresh,
    }))
}

/// Whether a file's name has words in it as people write names: two with capitals next to each other, or letters that
/// programs do not use.
fn is_worded(stem: &str) -> bool {
    let mut before = false;
    stem.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’').any(|word| {
        let mut chars = word.chars();
        let capital = chars.next().is_some_and(char::is_uppercase) && chars.next().is_some_and(char::is_lowercase);
        let two = before && capital;
        before = capital;
        two || word.chars().any(|c| c.is_alphabetic() && !c.is_ascii())
    })
}

/// Redacts a parameter's plain value and writes the result as the original was written.
fn parameter_value(
    pass: &mut Pass<'_>,
    name: &str,
    value: &str,
    each: &mut OfParameter<'_>,
) -> Result<Option<String>, DropReason> {
    let plain_name = name.trim_end_matches('*').to_ascii_lowercase();
    if name.ends_with('*')
        && let Some(plain) = mime::extended(value)
    {
        return Ok(each(pass, &plain_name, &plain)?.map(|fresh| mime::as_extended(&fresh)));
    }
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let plain = unquoted(quoted.unwrap_or(value));
    let Some(fresh) = each(pass, &plain_name, &plain.text)? else { return Ok(None) };
    let fresh = plain.graft(&fresh, |text| text.replace('\\', "\\\\").replace('"', "\\\""));
    let token = fresh.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    Ok(Some(if quoted.is_none() && token { fresh } else { format!("\"{fresh}\"") }))
}

/// The inside of a quoted string: `\"` and `\\` undone; other backslashes are a browser's paths.
fn unquoted(raw: &str) -> Unescaped<'_> {
    let mut plain = Unescaped::new(raw);
    let mut at = 0;
    while let Some(step) = raw[at..].find('\\') {
        let start = at + step;
        at = start + 1;
        if let Some(sign @ ('"' | '\\')) = raw[at..].chars().next() {
            at += 1;
            plain.undo(start..at, sign.encode_utf8(&mut [0; 4]));
        }
    }
    plain.done()
}

/// A range without the double quotes around it.
pub(in crate::redact) fn unquoted_range(raw: &str, range: Range<usize>) -> Range<usize> {
    let quoted = range.len() > 1 && raw[range.clone()].starts_with('"') && raw[range.clone()].ends_with('"');
    if quoted { range.start + 1..range.end - 1 } else { range }
}

/// Where a sign stands outside double quotes.
pub(in crate::redact) fn signs_outside_quotes(raw: &str, sign: u8) -> impl Iterator<Item = usize> {
    let (mut quoted, mut escaped) = (false, false);
    raw.bytes().enumerate().filter_map(move |(at, b)| {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        (b == sign && !quoted).then_some(at)
    })
}

/// `<url>; rel="next", <url>; title="x"`.
fn link(pass: &mut Pass<'_>, raw: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { break };
        out.push_str(pass.value(before, place)?.as_deref().unwrap_or(before));
        out.push('<');
        out.push_str(&url::reference(pass, target, place.depth)?);
        out.push('>');
        rest = after;
    }
    out.push_str(pass.value(rest, place)?.as_deref().unwrap_or(rest));
    Ok(out)
}

/// `for="[2001:db8::1]:4711";proto=https, for=192.0.2.43` (RFC 7239).
fn forwarded(pass: &mut Pass<'_>, raw: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(raw);
    let signs: Vec<usize> = raw.match_indices([',', ';']).map(|(at, _)| at).chain([raw.len()]).collect();
    let mut start = 0;
    for end in signs {
        let from = raw[start..end].find('=').map_or(start, |at| start + at + 1);
        let name = trimmed(raw, start..from);
        let fresh = pass.value(&raw[name.clone()], place)?;
        fresh.into_iter().for_each(|fresh| patch.put(name.clone(), fresh));
        let core = unquoted_range(raw, trimmed(raw, from..end));
        if let Some(fresh) = node(pass, &raw[core.clone()], place)? {
            patch.put(core, fresh);
        }
        start = end + 1;
    }
    Ok(patch.done())
}

/// Whether a value is nothing but addresses, with or without ports and brackets.
fn is_node_list(raw: &str) -> bool {
    raw.split(',').all(|one| address_in(one.trim()).is_some())
}

fn nodes(pass: &mut Pass<'_>, raw: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(raw);
    let mut start = 0;
    for one in raw.split(',') {
        let core = trimmed(raw, start..start + one.len());
        if let Some(fresh) = node(pass, &raw[core.clone()], place)? {
            patch.put(core, fresh);
        }
        start += one.len() + 1;
    }
    Ok(patch.done())
}

/// Where the address stands in `192.0.2.1:80`, `[2001:db8::1]:80` or a bare address.
fn address_in(text: &str) -> Option<Range<usize>> {
    if let Some(rest) = text.strip_prefix('[') {
        let end = rest.find(']')?;
        let address = rest[..end].split('%').next().unwrap_or_default();
        return address.parse::<Ipv6Addr>().ok().map(|_| 1..1 + address.len());
    }
    let end = match text.rsplit_once(':') {
        Some((head, port)) if !head.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => head.len(),
        _ => text.len(),
    };
    text[..end].parse::<IpAddr>().ok().map(|_| 0..end)
}

/// One hop: its address, else whatever a rule sees in it.
fn node(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
    let range = address_in(text).unwrap_or(0..text.len());
    let fresh = pass.value(&text[range.clone()], place)?;
    Ok(fresh.map(|fresh| [&text[..range.start], &fresh, &text[range.end..]].concat()))
}

/// Attributes of `Set-Cookie`, which are no cookies.
const ATTRIBUTES: [&str; 9] =
    ["domain", "expires", "httponly", "max-age", "path", "samesite", "secure", "partitioned", "priority"];

/// Cookies that keep how a page is shown.
const PREFERENCES: [&str; 11] = [
    "lang",
    "language",
    "locale",
    "currency",
    "country",
    "theme",
    "timezone",
    "tz",
    "abbucket",
    "variant",
    "colorscheme",
];
/// Longer values are no preference, bytes.
const PREFERENCE_BYTES_MAX: usize = 24;

/// Whether a cookie only keeps how a page is shown: `lang=en-US`.
fn is_preference(key: &Key<'_>, value: &str) -> bool {
    value.len() <= PREFERENCE_BYTES_MAX
        && PREFERENCES.contains(&key.joined())
        && value.bytes().all(|b| b.is_ascii_alphabetic() || b"-_/".contains(&b))
}

impl Pass<'_> {
    /// `name=value; name=value`, or one cookie and its attributes: each value by the rule for cookies, else by its name.
    pub(in crate::redact) fn cookies(&mut self, rule: Option<u16>, raw: &str, set: bool) -> Result<String, DropReason> {
        let mut patch = Patch::new(raw);
        let mut start = 0;
        for (at, part) in raw.split(';').enumerate() {
            let range = start..start + part.len();
            start = range.end + 1;
            let Some((name, value)) = part.split_once('=') else {
                let fresh = self.value(part.trim(), Place::BARE)?;
                fresh.into_iter().for_each(|fresh| patch.put(range.clone(), fresh));
                continue;
            };
            let plain_name = name.trim();
            if set && at > 0 && ATTRIBUTES.contains(&plain_name.to_ascii_lowercase().as_str()) {
                let fresh = self.value(value, Place::BARE)?;
                fresh.into_iter().for_each(|fresh| patch.put(range.end - value.len()..range.end, fresh));
                continue;
            }
            let key = self.key(plain_name);
            if let Some(fresh) = self.name(plain_name, &key, 0)? {
                patch.put(range.start..range.start + name.len(), name.replacen(plain_name, &fresh, 1));
            }
            let core = unquoted_range(raw, trimmed(raw, range.end - value.len()..range.end));
            let is_kept = self.redactor.strict.is_none() && is_preference(&key, &raw[core.clone()]);
            if core.is_empty() || is_kept || epoch::is_only_instants(&raw[core.clone()]) {
                continue;
            }
            let fresh = match rule {
                Some(rule) => self.apply(rule, &raw[core.clone()]),
                None => form::cookie(self, &raw[core.clone()], &key)?,
            };
            fresh.into_iter().for_each(|fresh| patch.put(core.clone(), fresh));
        }
        Ok(patch.done())
    }
}
