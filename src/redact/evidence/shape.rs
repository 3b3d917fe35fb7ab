//! Shapes of things that are nobody's data but look like it: UUIDs, digests, timestamps, decimals, versions; and our own
//! stand-ins. A candidate of letters and digits is judged by the whole token it stands in.

use crate::redact::matching::gate::{DASH, DIGIT, DOT, Kinds, LOWER, UPPER};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::{is_any_number_stand_in, is_word_stand_in};
use crate::redact::validators::is_luhn;
use std::ops::Range;

/// Where the letters of other scripts begin.
const LATIN_END: char = '\u{370}';

/// How far around a candidate its token is followed, in bytes: keeps the search linear.
const TOKEN_BYTES_MAX: usize = 80;
/// Arcs of an object identifier after its first one, at least: an address of a network has three.
const OBJECT_ARCS_MIN: usize = 4;

/// Whether a whole value is of a shape in which no rule by value need look: a UUID, a ULID, a digest, a timestamp, a decimal, a
/// row of a shop's tables. Made for speed: these are most of the values with digits that an API sends.
pub(in crate::redact) fn is_harmless(text: &str, kinds: Kinds) -> bool {
    let bytes = text.as_bytes();
    if kinds & DIGIT == 0 {
        return false;
    }
    match bytes.len() {
        36 if bytes[8] == b'-' => is_uuid(bytes),
        32 | 40 | 64 if kinds & !(DIGIT | LOWER | UPPER) == 0 => is_digest(text),
        26 if kinds & !(DIGIT | UPPER) == 0 && bytes.starts_with(b"01") => is_ulid(bytes),
        15.. if bytes.starts_with(b"gid://") => is_global_id(text),
        10.. if bytes[4] == b'-' && bytes[7] == b'-' => bytes.len() <= 40 && is_whole_timestamp(bytes),
        _ => kinds & !(DIGIT | DOT | DASH) == 0 && is_decimal(text),
    }
}

/// Whether text of digits and capitals is in Crockford's base 32, as a ULID is (github.com/ulid/spec). Those of the years
/// from 2004 to 2039 begin with `01`, which the base 32 of RFC 4648, in which secrets are written, does not have.
fn is_ulid(bytes: &[u8]) -> bool {
    !bytes.iter().any(|b| matches!(b, b'I' | b'L' | b'O' | b'U'))
}

/// Whether it names a row of a shop's tables (`gid://shopify/Order/4303466384710`), whose number may look like a card's.
fn is_global_id(text: &str) -> bool {
    let mut parts = text.strip_prefix("gid://").unwrap_or_default().split('/');
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic() || b == b':' || b == b'-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(is_word)
        && parts.next().is_some_and(is_word)
        && parts.next().is_some_and(is_number)
        && parts.next().is_none()
}

/// Whether a plain number is longer than any of its kind: telephones have fifteen digits at most (ITU-T E.164), numbers of
/// persons and papers with sixteen or more have letters or check digits that rules of their own prove.
pub(in crate::redact) fn is_too_long(kind: Kind, raw: &str) -> bool {
    let digits_max = match kind {
        Kind::Phone | Kind::Ssn | Kind::Id => 15,
        _ => return false,
    };
    // Chinese and Indonesian numbers have eighteen and sixteen digits, and begin with a region.
    let of_asia = raw.len() == 18 || raw.len() == 16 && raw.starts_with(['1', '2', '3', '5', '6']) && !is_luhn(raw);
    raw.len() > digits_max && raw.bytes().all(|b| b.is_ascii_digit()) && !of_asia
}

/// Whether a whole value is a UUID or a digest in hex with letters.
pub(in crate::redact) fn is_opaque(raw: &str) -> bool {
    is_uuid(raw.as_bytes()) || matches!(raw.len(), 32 | 40 | 64) && is_digest(raw)
}

/// Whether the candidate at `range` is only a part of something that looks like it.
pub(in crate::redact) fn is_shape_of_other(text: &str, range: &Range<usize>) -> bool {
    if is_joined(text.as_bytes(), range) {
        return true;
    }
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"._:-+".contains(&b);
    let token = around(text, range, inner);
    let at = range.start - token.start;
    let token = text.get(token).unwrap_or_default().trim_end_matches(['.', ':', ',']);
    is_uuid_over(token, at)
        || is_digest_within(token)
        || is_timestamp(token.as_bytes())
        || is_decimal(token)
        || is_object_identifier(token)
}

/// Whether a token is an object identifier (ITU-T X.660: the first arc is 0, 1 or 2) of so many arcs that it is no
/// address: `1.3.6.1.4.1.31746`.
fn is_object_identifier(token: &str) -> bool {
    let mut arcs = token.split('.');
    let is_number = |arc: &str| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
    arcs.next().is_some_and(|first| ["0", "1", "2"].contains(&first))
        && arcs.clone().count() >= OBJECT_ARCS_MIN
        && arcs.all(is_number)
}

/// Whether groups of two digits go on before or after the address of a device: it is part of a fingerprint. The end of a
/// word (`mac:`) is no group.
pub(in crate::redact) fn is_in_fingerprint(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let ends = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_none_or(|b| !b.is_ascii_alphanumeric());
    let is_group = |at: Option<usize>| {
        let group = at.and_then(|at| bytes.get(at..at + 2));
        group.is_some_and(|group| group.iter().all(u8::is_ascii_hexdigit))
    };
    let is_joined = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&b':');
    let (start, end) = (range.start, range.end);
    is_joined(start.checked_sub(1)) && is_group(start.checked_sub(3)) && ends(start.checked_sub(4))
        || is_joined(Some(end)) && is_group(Some(end + 1)) && ends(Some(end + 3))
}

/// Whether a candidate is the address of a network, with the bits of its prefix behind it: `3.5.140.0/22`, `2600:1f14::/32`.
pub(in crate::redact) fn is_network(text: &str, range: &Range<usize>) -> bool {
    let bits = text[range.end..].strip_prefix('/').map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        &rest[..digits]
    });
    // All the bits are one address.
    let whole = if text[range.clone()].contains(':') { "128" } else { "32" };
    let is_prefix = bits.is_some_and(|bits| (1..=3).contains(&bits.len()) && bits != whole);
    is_prefix && (text[range.clone()].ends_with(".0") || text[range.clone()].ends_with("::"))
}

/// Whether a whole value is a month or a day of our days, with or without a time: no number of somebody.
pub(in crate::redact) fn is_day(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let is_of_our_days = bytes.starts_with(b"19") || bytes.starts_with(b"20");
    let is_of_calendar = || bytes.get(5..7).is_some_and(|month| (&b"01"[..]..=&b"12"[..]).contains(&month));
    is_of_our_days
        && is_of_calendar()
        && (is_whole_timestamp(bytes) || bytes.len() == 7 && is_whole_timestamp(&[bytes, b"-01"].concat()))
}

/// Whether a hyphen or an underscore joins the candidate to more letters or digits: `SKU-413-2013`, `776-862-1528-R2`.
fn is_joined(bytes: &[u8], range: &Range<usize>) -> bool {
    let joint = |at: usize| bytes.get(at).is_some_and(|b| b"-_".contains(b));
    let inner = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    joint(range.end) && inner(range.end + 1) || range.start > 1 && joint(range.start - 1) && inner(range.start - 2)
}

/// Whether the candidate at `range` is a part of one of our stand-ins.
pub(in crate::redact) fn is_in_stand_in(text: &str, range: &Range<usize>) -> bool {
    let token = around(text, range, |b| b.is_ascii_alphanumeric() || b"-@.".contains(&b));
    // Rules for numbers leave the sign of a telephone out.
    let signed = range.start.checked_sub(1).and_then(|start| text.get(start..range.end));
    is_word_stand_in(text.get(token).unwrap_or_default().trim_end_matches('.'))
        || signed.is_some_and(|number| number.starts_with('+') && is_any_number_stand_in(number))
}

/// Whether the candidate at `range` is in another script than ours and stands beside one of our stand-ins: it was no island
/// among Latin words before that came to stand there.
pub(in crate::redact) fn is_island_of_stand_in(text: &str, range: &Range<usize>) -> bool {
    if text[range.clone()].starts_with(|c: char| c < LATIN_END) {
        return false;
    }
    let is_apart = |c: char| " ,:;.،".contains(c);
    let is_no_word = |c: char| !(c.is_ascii_alphanumeric() || "-@.".contains(c));
    let before = text[..range.start].trim_end_matches(is_apart);
    let before = before.rsplit(is_no_word).next().unwrap_or_default();
    let after = text[range.end..].trim_start_matches(is_apart);
    let after = after.split(is_no_word).next().unwrap_or_default();
    is_word_stand_in(before) || is_word_stand_in(after.trim_end_matches('.'))
}

/// Whether the candidate at `range` is a part of a longer digest in hex.
pub(in crate::redact) fn is_in_digest(text: &str, range: &Range<usize>) -> bool {
    let token = around(text, range, |b| b.is_ascii_alphanumeric());
    token.len() > range.len() && is_digest(&text[token])
}

/// Whether the address of a mailbox is one that a machine made up, of a UUID (`Message-ID`, RFC 5322; `UID`, RFC 5545): it
/// reaches nobody. The candidate may begin inside the UUID.
pub(in crate::redact) fn is_of_machine(text: &str, range: &Range<usize>) -> bool {
    let Some(sign) = text[range.clone()].find('@').map(|at| range.start + at) else { return false };
    let local = around(text, &(sign..sign), |b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let host = &text[sign + 1..];
    // `_accountid_value@OData.Community.Display.V1.FormattedValue`: an annotation's name (OData 4.01, section 4.6).
    // `icon@2x.png`: a picture for screens of twice as many dots.
    let is_scale = matches!(host.as_bytes(), [b'1'..=b'4', b'x', b'.', ..]);
    is_uuid(&text.as_bytes()[local.start..sign]) || is_dated_release(host) || host.starts_with("OData.") || is_scale
}

/// Whether a release's date stands where a host would: `checkout@2023-01-06.acacia`.
fn is_dated_release(text: &str) -> bool {
    text.as_bytes().first_chunk::<10>().is_some_and(|date| {
        date.iter().enumerate().all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() })
    })
}

fn around(text: &str, range: &Range<usize>, inner: impl Fn(u8) -> bool) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut start = range.start;
    while start > 0 && range.start - start < TOKEN_BYTES_MAX && inner(bytes[start - 1]) {
        start -= 1;
    }
    let mut end = range.end;
    while end < bytes.len() && end - range.end < TOKEN_BYTES_MAX && inner(bytes[end]) {
        end += 1;
    }
    start..end
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// A UUID somewhere in the token, over the candidate.
fn is_uuid_over(token: &str, at: usize) -> bool {
    let bytes = token.as_bytes();
    (at.saturating_sub(35)..=at).any(|start| bytes.get(start..start + 36).is_some_and(is_uuid))
}

/// A run of hex digits as long as a digest, with at least one letter.
fn is_digest(run: &str) -> bool {
    matches!(run.len(), 16 | 24 | 32 | 40 | 56 | 64 | 96 | 128)
        && run.bytes().all(|b| b.is_ascii_hexdigit())
        && run.bytes().any(|b| b.is_ascii_alphabetic())
}

fn is_digest_within(token: &str) -> bool {
    token.split(|c: char| !c.is_ascii_alphanumeric()).any(is_digest)
}

/// `2024-01-15`, alone or with a time after it.
fn is_timestamp(b: &[u8]) -> bool {
    let digits = |from: usize, to: usize| b.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    b.len() >= 10
        && digits(0, 4)
        && b[4] == b'-'
        && digits(5, 7)
        && b[7] == b'-'
        && digits(8, 10)
        && b.get(10).is_none_or(|b| matches!(b, b'T' | b't' | b'+' | b'Z'))
}

/// A timestamp and nothing else.
fn is_whole_timestamp(b: &[u8]) -> bool {
    let time = |b: &u8| b.is_ascii_digit() || b":.,+-TtZz ".contains(b);
    (is_timestamp(b) || b.get(10) == Some(&b' ') && is_timestamp(&b[..10])) && b[10..].iter().all(time)
}

fn is_decimal(token: &str) -> bool {
    let token = token.strip_prefix(['-', '+']).unwrap_or(token);
    token.split_once('.').is_some_and(|(whole, part)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::matching::gate::kinds_of;

    #[test]
    fn an_address_of_a_device_is_told_from_a_fingerprint() {
        let inside = |text: &str, mac: &str| {
            let at = text.find(mac).unwrap();
            is_in_fingerprint(text, &(at..at + mac.len()))
        };
        let mac = "00:1a:2b:3c:4d:5e";
        for text in ["98:8c:00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5e:af:80", "x 98:00:1a:2b:3c:4d:5e"] {
            assert!(inside(text, mac), "{text}");
        }
        for text in ["00:1a:2b:3c:4d:5e", "mac:00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5e: up", "é:00:1a:2b:3c:4d:5e:face"]
        {
            assert!(!inside(text, mac), "{text}");
        }
    }

    #[test]
    fn networks_days_and_releases_are_nobodys() {
        let network = |text: &str| is_network(text, &(0..text.find('/').unwrap_or(text.len())));
        assert!(network("3.5.140.0/22") && network("2600:1f14::/32") && !network("203.0.113.9/22"));
        assert!(!network("203.0.113.0/32") && !network("2600:1f14::/128") && !network("203.0.113.0"));
        assert!(["2025-01", "1999-12-31", "2025-10-27T10:07:38Z"].iter().all(|day| is_day(day)));
        assert!(!["2025-13", "20251027", "é025-01", "2025-01-02-33", "1800-01-01", ""].iter().any(|day| is_day(day)));
        let release = "checkout@2023-01-06.acacia";
        assert!(is_of_machine(release, &(0..release.len())));
        assert!(!is_dated_release("2023-01.example.org") && !is_dated_release(""));
    }

    #[test]
    fn rows_of_a_shop_are_told_from_addresses() {
        assert!(is_global_id("gid://shopify/Order/4303466384710"));
        for text in [
            "gid://shopify/Order/ada",
            "gid://shopify/4303466384710",
            "https://shopify/Order/4303466384710",
            "gid://a/B/1/2",
        ] {
            assert!(!is_global_id(text), "{text}");
        }
    }

    #[test]
    fn other_shapes_are_seen() {
        let over = |text: &str, part: &str| {
            let at = text.find(part).unwrap();
            is_shape_of_other(text, &(at..at + part.len()))
        };
        assert!(over("id 12345678-1234-1234-1234-123456789012", "123456789012"));
        assert!(over("d41d8cd98f00b204e9800998ecf8427e", "98"));
        assert!(over("2024-01-15T12:00:00Z", "2024-01-15"));
        assert!(over("776-862-1528-R2", "776-862-1528") && over("SKU-413-2013", "413-2013"));
        assert!(!over("card 4242424242424242.", "4242424242424242"));
        assert!(
            is_in_digest("W/\"be5829812c7d25b50d0ed5f96bb17fb6\"", &(3..19))
                && !is_in_digest("be68539007547034", &(0..16))
        );
    }

    #[test]
    fn harmless_values_need_no_look() {
        let harmless = |text: &str| is_harmless(text, kinds_of(text.as_bytes()));
        for text in [
            "123e4567-e89b-12d3-a456-426614174000",
            "d41d8cd98f00b204e9800998ecf8427e",
            "2024-01-15",
            "2024-01-15T12:00:00.123+02:00",
            "2024-01-15 12:00:00",
            "-113.42060352112769",
            "01G07FNA9G3DST53HV47RHWTX9",
        ] {
            assert!(harmless(text), "{text}");
        }
        // A secret in base 32, and what only begins like a ULID.
        for text in ["JBSWY3DPEHPK3PXPJBSWY3DPEH", "01G07FNA9G3DST53HV47RHWTXO", "01g07fna9g3dst53hv47rhwtx9"] {
            assert!(!harmless(text), "{text}");
        }
        for text in ["4242424242424242", "ada@example.org", "2024-01-15 call 4155550132", "415.555.0132", "12"] {
            assert!(!harmless(text), "{text}");
        }
    }

    #[test]
    fn no_paper_has_so_many_digits() {
        assert!(is_too_long(Kind::Id, "7149979868661499") && is_too_long(Kind::Phone, "4242424242424242"));
        assert!(!is_too_long(Kind::Id, "11010519491231002X") && !is_too_long(Kind::Digits, "7149979868661499"));
        assert!(is_opaque("d41d8cd98f00b204e9800998ecf8427e") && !is_opaque("11010519491231002X"));
    }

    #[test]
    fn stand_ins_are_seen_around_a_candidate() {
        let text = "for person-0123456789, user-0123456789@example.invalid.";
        let first = text.find("0123456789").unwrap();
        let last = text.rfind("0123456789").unwrap();
        assert!(is_in_stand_in(text, &(first..first + 10)) && is_in_stand_in(text, &(last..last + 10)));
        assert!(!is_in_stand_in("card 4242424242424242", &(5..21)));
    }
}
