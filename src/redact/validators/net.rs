//! Network addresses: parsed, not matched.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// An IPv4 address that is somebody's: not the own machine, nothing of "this network" (`0.x`, as versions begin), no netmask.
pub(in crate::redact) fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|ip| {
        !ip.is_loopback() && ip.octets()[0] != 0 && !ip.is_broadcast() && ip.octets()[..2] != [255, 255]
    })
}

/// The IPv6 address at the start of the candidate that is somebody's, a zone after `%` included (RFC 4007): a colon or
/// a full stop of the sentence may stand behind it. Words apart by `::` are code, so it has a digit.
pub(in crate::redact) fn ipv6_within(text: &str) -> Option<Range<usize>> {
    (0..=2).find_map(|extra| {
        let end = text.len().checked_sub(extra)?;
        let (part, rest) = (text.get(..end)?, text.get(end..)?);
        let punctuation = rest.bytes().all(|b| b == b':' || b == b'.');
        (punctuation && is_ipv6(part)).then_some(0..end)
    })
}

fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    address.len() >= 4
        && address.bytes().any(|b| b.is_ascii_digit())
        && (1..=16).contains(&zone.len())
        && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !is_fingerprint(address)
        && address.parse::<Ipv6Addr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// Whether every group has two digits, as in the fingerprint or the serial number of a certificate.
fn is_fingerprint(text: &str) -> bool {
    text.split(':').all(|group| group.len() == 2)
}

/// A hardware address (IEEE EUI-48 or EUI-64): two digits a group with `:` or `-`, or four with `.`; not all zeros or ones.
pub(in crate::redact) fn is_mac(text: &str) -> bool {
    let Some(separator) = text.bytes().find(|b| matches!(b, b':' | b'-' | b'.')) else { return false };
    let width = if separator == b'.' { 4 } else { 2 };
    let mut groups = 0;
    for group in text.split(char::from(separator)) {
        groups += 1;
        if group.len() != width || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
    }
    let filler = |digit: u8| text.bytes().all(|b| b == separator || b.eq_ignore_ascii_case(&digit));
    matches!(groups * width, 12 | 16) && !filler(b'0') && !filler(b'f')
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn addresses_parse() {
        judge(
            Validator::Ipv4,
            &["203.0.113.9", "10.0.0.1", "192.168.1.255"],
            &["127.0.0.1", "0.0.0.0", "300.1.2.3", "1.2.3", "255.255.255.0", "01.2.3.4"],
        );
        judge(
            Validator::Ipv6,
            &["2001:db8::8a2e:370:7334", "fe80::1%eth0", "2001:db8:1::", "::ffff:203.0.113.9"],
            &["::1", "::", "12:30:45", "2001:db8", "1::2::3", "fe80::1%", "face::bead", "2001:db8::1:"],
        );
        judge(
            Validator::Mac,
            &["00:1A:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "00:1a:2b:ff:fe:3c:4d:5e"],
            &["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:1a:2b:3c:4d", "12:30:45", "00:1a:2b:3c:4d:5g"],
        );
    }
}
