//! Names of attributes that directories and their assertions use for persons: short ones, object identifiers and URIs of
//! one attribute (X.520, RFC 4519, RFC 2798, RFC 4524, SCHAC, the claims of WS-Federation), and distinguished names.

use crate::exchange::DropReason;
use crate::redact::format::splice::{Unescaped, trimmed};
use crate::redact::pass::{Pass, Place};

/// Attributes: object identifier (empty if few know it), the directory's name in lower case, and the name that rules know.
const ATTRIBUTES: [(&str, &str, &str); 36] = [
    ("2.5.4.3", "cn", "full-name"),
    ("", "commonname", "full-name"),
    ("2.5.4.4", "sn", "last-name"),
    ("2.5.4.42", "givenname", "first-name"),
    ("", "gn", "first-name"),
    ("2.5.4.43", "initials", "initials"),
    ("2.5.4.41", "name", "full-name"),
    ("2.5.4.65", "pseudonym", "nickname"),
    ("2.5.4.7", "l", "city"),
    ("2.5.4.9", "street", "street"),
    ("2.5.4.16", "postaladdress", "address"),
    ("2.5.4.26", "registeredaddress", "address"),
    ("0.9.2342.19200300.100.1.39", "homepostaladdress", "address"),
    ("2.5.4.17", "postalcode", "postal-code"),
    ("2.5.4.18", "postofficebox", "po-box"),
    ("2.5.4.20", "telephonenumber", "phone"),
    ("2.5.4.23", "facsimiletelephonenumber", "phone"),
    ("0.9.2342.19200300.100.1.20", "homephone", "phone"),
    ("", "hometelephonenumber", "phone"),
    ("0.9.2342.19200300.100.1.41", "mobile", "phone"),
    ("", "mobiletelephonenumber", "phone"),
    ("0.9.2342.19200300.100.1.42", "pager", "phone"),
    ("2.5.4.35", "userpassword", "password"),
    ("0.9.2342.19200300.100.1.1", "uid", "username"),
    ("", "userid", "username"),
    ("", "memberuid", "username"),
    ("0.9.2342.19200300.100.1.3", "mail", "email"),
    ("1.2.840.113549.1.9.1", "emailaddress", "email"),
    ("1.3.6.1.4.1.5923.1.1.1.6", "edupersonprincipalname", "email"),
    ("2.16.840.1.113730.3.1.241", "displayname", "full-name"),
    ("2.16.840.1.113730.3.1.3", "employeenumber", "employee-number"),
    ("2.16.840.1.113730.3.1.1", "carlicense", "license-plate"),
    ("1.3.6.1.1.1.1.2", "gecos", "full-name"),
    ("1.3.6.1.4.1.25178.1.2.3", "schacdateofbirth", "birth-date"),
    ("1.3.6.1.4.1.25178.1.2.15", "schacpersonaluniqueid", "national-id"),
    ("1.3.6.1.4.1.25178.1.2.14", "schacpersonaluniquecode", "national-id"),
];
/// Attributes whose values are distinguished names.
const REFERENCES: [&str; 10] =
    ["dn", "manager", "secretary", "member", "uniquemember", "owner", "seealso", "memberof", "newrdn", "newsuperior"];
/// Longest name of an attribute in a distinguished name, bytes.
const NAME_BYTES_MAX: usize = 64;

/// The name that says the same as a directory's; options (`cn;lang-ja`) are no part of it.
pub(in crate::redact) fn meaning(name: &str) -> &str {
    let name = name.split(';').next().unwrap_or_default();
    let told = ATTRIBUTES.iter().find(|(_, short, _)| short.eq_ignore_ascii_case(name));
    told.map_or(name, |(_, _, meaning)| *meaning)
}

/// The name that an object identifier or a URI stands for; `None` if a text is neither.
pub(in crate::redact) fn identified(name: &str) -> Option<&str> {
    let digits = |text: &str| text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = ["urn:oid:", "oid:", "OID."].iter().find_map(|head| name.strip_prefix(head)).unwrap_or(name);
    if digits(number) {
        return ATTRIBUTES.iter().find(|(oid, ..)| *oid == number).map(|(.., meaning)| *meaning);
    }
    let is_uri = name.starts_with("urn:") || name.contains("://");
    is_uri.then(|| meaning(name.trim_end_matches('/').rsplit(['/', '#', ':']).next().unwrap_or_default()))
}

/// Where the value itself begins: SCHAC's are URNs that say before it who gave the number out
/// (`urn:schac:personalUniqueID:se:NIN:..`).
pub(in crate::redact) fn value_start(text: &str) -> usize {
    let is_urn =
        text.starts_with("urn:schac:personalUnique") || text.starts_with("urn:mace:terena.org:schac:personalUnique");
    if is_urn { text.rfind(':').map_or(0, |at| at + 1) } else { 0 }
}

/// Whether an attribute's values are distinguished names.
pub(in crate::redact) fn is_reference(attribute: &str) -> bool {
    REFERENCES.iter().any(|known| known.eq_ignore_ascii_case(attribute))
}

/// Redacts a distinguished name (RFC 4514) part by part; `Some` if it changed.
pub(in crate::redact) fn distinguished_name(
    pass: &mut Pass<'_>,
    text: &str,
    place: Place<'_>,
) -> Result<Option<String>, DropReason> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = unescaped_end(rest);
        let (part, after) = rest.split_at(end);
        let sign = after.chars().next().map_or(0, char::len_utf8);
        match part.split_once('=').filter(|(name, _)| name.len() <= NAME_BYTES_MAX) {
            Some((name, value)) => {
                let core = trimmed(value, 0..value.len());
                let plain = unescape(&value[core.clone()]);
                let key = pass.key(meaning(name.trim()));
                let fresh = pass.value(&plain.text, Place { key: Some(&key), ..place })?;
                let fresh = fresh.map(|fresh| plain.graft(&fresh, escape));
                out.extend([name, "=", &value[..core.start]]);
                out.push_str(fresh.as_deref().unwrap_or(&value[core.clone()]));
                out.push_str(&value[core.end..]);
            }
            None => out.push_str(pass.value(part, Place { key: None, ..place })?.as_deref().unwrap_or(part)),
        }
        out.push_str(&after[..sign]);
        rest = &after[sign..];
    }
    Ok((out != text).then_some(out))
}

/// Where the first sign between two parts stands that no backslash escapes.
fn unescaped_end(text: &str) -> usize {
    let mut escaped = false;
    let is_end = |b: u8| {
        let ends = !escaped && matches!(b, b',' | b'+' | b';');
        escaped = b == b'\\' && !escaped;
        ends
    };
    text.bytes().position(is_end).unwrap_or(text.len())
}

fn unescape(raw: &str) -> Unescaped<'_> {
    // Hexadecimal digits stand for bytes, of which a character may need several: they are left alone.
    Unescaped::escaped(raw, '\\', |c| (!c.is_ascii_hexdigit()).then_some(c))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if ",+\"<>;=".contains(c) {
            out.push('\\');
        }
        out.push(if matches!(c, '\r' | '\n' | '\\') { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_known_by_all_their_names() {
        assert_eq!(meaning("SN"), "last-name");
        assert_eq!(meaning("cn;lang-ja"), "full-name");
        assert_eq!(meaning("loginShell"), "loginShell");
        assert_eq!(identified("urn:oid:2.5.4.42"), Some("first-name"));
        assert_eq!(identified("0.9.2342.19200300.100.1.3"), Some("email"));
        assert_eq!(identified("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"), Some("surname"));
        assert_eq!(identified("urn:mace:dir:attribute-def:sn"), Some("last-name"));
        assert_eq!(identified("urn:oid:1.2.3"), None);
        assert_eq!(identified("email"), None);
        let urn = "urn:schac:personalUniqueID:se:NIN:1";
        assert_eq!((&urn[value_start(urn)..], value_start("urn:x:1")), ("1", 0));
    }
}
