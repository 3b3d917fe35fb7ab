//! SWIFT messages of accounts (MT940, MT942) and of payments (MT103): fields of a tag between colons. Whom money came from,
//! the field `86` says: in numbered sub-fields (`?32ADA LOVELACE`), after code words (`/NAME/ADA LOVELACE`), or as a text;
//! in payments, the fields `50` and `59` have an account, a name, and lines of an address.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Bytes of the blocks before the text of a message, at most.
const BLOCKS_BYTES_MAX: usize = 512;
/// Code words of a field `86`, and the names of what follows, if it is about a person.
const CODES: [(&str, Option<&str>); 26] = [
    ("NAME", Some("account-holder")),
    ("IBAN", Some("account-number")),
    ("ACCW", Some("account-number")),
    ("ADDR", Some("street")),
    ("CITY", Some("city")),
    ("ULTD", Some("account-holder")),
    ("ULTC", Some("account-holder")),
    ("ULTB", Some("account-holder")),
    ("CNTP", None),
    ("TRTP", None),
    ("BIC", None),
    ("REMI", None),
    ("EREF", None),
    ("KREF", None),
    ("MARF", None),
    ("CSID", None),
    ("ORDP", None),
    ("BENM", None),
    ("PREF", None),
    ("RTRN", None),
    ("PURP", None),
    ("SVCL", None),
    ("ISDT", None),
    ("EXCH", None),
    ("ID", None),
    ("TRCD", None),
];
/// What stands after `/CNTP/`: account, bank, name, town.
const COUNTERPARTY: [Option<&str>; 4] = [Some("account-number"), None, Some("account-holder"), Some("city")];
/// Numbered sub-fields of a field `86`.
const SUBFIELDS: [(&str, &str); 3] = [("31", "account-number"), ("32", "account-holder"), ("33", "account-holder")];

/// A stretch of a field, and the name of its value.
type Named = (Range<usize>, Option<&'static str>);

/// Whether a text is a message, or its fields: the reference comes first, then another field.
pub(in crate::redact) fn is_message(text: &str) -> bool {
    let fields = if text.starts_with("{1:") {
        let head = &text.as_bytes()[..text.len().min(BLOCKS_BYTES_MAX)];
        memchr::memmem::find(head, b"{4:").and_then(|at| text.get(at + 3..)).unwrap_or_default()
    } else {
        text
    };
    let Some(reference) = fields.trim_start().strip_prefix(":20:") else { return false };
    reference.split_once('\n').is_some_and(|(_, next)| tag_of(next).is_some())
}

/// The tag that a line begins with: two digits, perhaps a letter.
fn tag_of(line: &str) -> Option<&str> {
    let tag = line.strip_prefix(':')?.split(':').next()?;
    let line_goes_on = line.len() > tag.len() + 1;
    let is_tag = match tag.as_bytes() {
        [a, b] => a.is_ascii_digit() && b.is_ascii_digit(),
        [a, b, c] => a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_uppercase(),
        _ => false,
    };
    (is_tag && line_goes_on).then_some(tag)
}

/// Redacts field by field.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut walk = Walk { patch: Patch::new(text), depth: place.depth, parents: [pass.key("account")] };
    let mut field = 0..0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // A block may end or begin in a line.
        if tag_of(line).is_some() || line.starts_with(['-', '{']) {
            walk.field(pass, field.clone())?;
            field.start = start;
        }
        start += line.len();
        field.end = start;
    }
    walk.field(pass, field)?;
    Ok(walk.patch.done())
}

struct Walk<'t, 'k> {
    patch: Patch<'t>,
    depth: u8,
    /// Whatever the message is carried by, its values are of an account.
    parents: [Key<'k>; 1],
}

impl Walk<'_, '_> {
    fn field(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let raw = self.patch.original(range.clone()).trim_end();
        let (tag, head) = tag_of(raw).map_or(("", 0), |tag| (tag, tag.len() + 2));
        let raw = raw.get(head..).unwrap_or_default();
        // A line ends after so many characters, wherever that is in a value.
        let mut plain = Unescaped::new(raw);
        for (at, _) in raw.match_indices('\n').filter(|_| tag == "86") {
            let from = if raw[..at].ends_with('\r') { at - 1 } else { at };
            plain.undo(from..at + 1, "");
        }
        let plain = plain.done();
        let values = match tag {
            "86" => told(&plain.text),
            "25" | "25P" => owner(&plain.text).to_vec(),
            "50" | "50F" | "50H" | "50K" | "59" | "59F" => party(&plain.text, tag.ends_with('F')),
            _ => lines(&plain.text).map(|line| (line, None)).collect(),
        };
        let mut fresh = Patch::new(&plain.text);
        for (range, name) in values {
            self.value(pass, &mut fresh, range, name)?;
        }
        let fresh = fresh.done();
        if fresh != plain.text {
            let start = range.start + head;
            self.patch.put(start..start + raw.len(), plain.graft(&fresh, str::to_owned));
        }
        Ok(())
    }

    fn value(
        &self,
        pass: &mut Pass<'_>,
        patch: &mut Patch<'_>,
        range: Range<usize>,
        name: Option<&'static str>,
    ) -> Result<(), DropReason> {
        let range = trimmed(patch.whole(), range);
        let key = name.map(|name| pass.key(name));
        let parents = if key.is_some() { &self.parents[..] } else { &[] };
        let place = Place { key: key.as_ref(), parents, depth: self.depth };
        if let Some(fresh) = pass.value(patch.original(range.clone()), place)? {
            patch.put(range, fresh.replace(['\r', '\n'], " "));
        }
        Ok(())
    }
}

/// `20041010/111111`: bank and account, or an account alone.
fn owner(text: &str) -> [Named; 2] {
    let bank_end = text.find('/').unwrap_or_default();
    let start = bank_end + usize::from(text[bank_end..].starts_with('/'));
    [(0..bank_end, None), (start..text.len(), Some("account-number"))]
}

/// Each line by itself.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        start += line.len();
        start - line.len()..start
    })
}

/// `/DE89...`, a name, lines of an address; where they are numbered, `1/ADA LOVELACE`, the number says what they are.
fn party(text: &str, is_numbered: bool) -> Vec<Named> {
    let mut is_named = false;
    let value = |(place, range): (usize, Range<usize>)| {
        let line = text.get(range.clone()).unwrap_or_default();
        if place == 0 && line.starts_with('/') {
            return [(range.start..range.start + 1, None), (range.start + 1..range.end, Some("account-number"))];
        }
        let name = match line.as_bytes() {
            [b'1', b'/', ..] if is_numbered => "account-holder",
            [b'2', b'/', ..] if is_numbered => "street",
            [b'3', b'/', ..] if is_numbered => "city",
            [b'4', b'/', ..] if is_numbered => "birth-date",
            [b'5', b'/', ..] if is_numbered => "birth-place",
            // Whose number it is, and who gave it out: `NIDN/DE/123`, `7/DE/123`.
            _ if is_numbered => "national-id",
            _ if is_named => "street",
            _ => "account-holder",
        };
        is_named = true;
        let head = match line.as_bytes() {
            _ if !is_numbered => 0,
            [b'1' | b'2' | b'4', b'/', ..] => 2,
            // A country may stand before the value.
            _ => line.rfind('/').map_or(0, |at| at + 1),
        };
        [(range.start..range.start + head, None), (range.start + head..range.end, Some(name))]
    };
    lines(text).enumerate().flat_map(value).collect()
}

/// The values of a field `86`.
fn told(text: &str) -> Vec<Named> {
    match text.as_bytes() {
        [a, b, c, sign, d, e, ..]
            if [a, b, c, d, e].iter().all(|b| b.is_ascii_digit()) && sign.is_ascii_punctuation() =>
        {
            numbered(text, char::from(*sign))
        }
        _ => coded(text),
    }
}

/// `166?00TRANSFER?32ADA LOVELACE`.
fn numbered(text: &str, sign: char) -> Vec<Named> {
    let number_at = |at: usize| text.get(at + 1..at + 3).filter(|two| two.bytes().all(|b| b.is_ascii_digit()));
    let marks: Vec<(usize, &str)> =
        text.match_indices(sign).filter_map(|(at, _)| number_at(at).map(|number| (at, number))).collect();
    let value = |(place, (at, number)): (usize, &(usize, &str))| {
        let end = marks.get(place + 1).map_or(text.len(), |(next, _)| *next);
        let name = SUBFIELDS.iter().find(|(known, _)| known == number).map(|(_, name)| *name);
        (at + 3..end, name)
    };
    marks.iter().enumerate().map(value).collect()
}

/// `/TRTP/SEPA/IBAN/DE.../NAME/ADA LOVELACE/REMI/rent`: what stands before the first code word is a text as well.
fn coded(text: &str) -> Vec<Named> {
    let mut values = Vec::new();
    let mut code: (&str, Option<&'static str>) = ("", None);
    let (mut from, mut start) = (0, 0);
    for token in text.split('/') {
        // A code word stands between slashes.
        let end = start + token.len();
        let is_between = start > 0 && end < text.len();
        if let Some(next) = CODES.iter().find(|(known, _)| is_between && *known == token) {
            // Two of them may have two slashes between.
            push(&mut values, text, from..(start - 1).max(from), code);
            code = *next;
            from = end + 1;
        }
        start = end + 1;
    }
    push(&mut values, text, from..text.len(), code);
    values
}

fn push(values: &mut Vec<Named>, text: &str, range: Range<usize>, (code, name): (&str, Option<&'static str>)) {
    if code != "CNTP" {
        return values.push((range, name));
    }
    let mut start = range.start;
    for (place, part) in text.get(range).unwrap_or_default().split('/').enumerate() {
        values.push((start..start + part.len(), COUNTERPARTY.get(place).copied().flatten()));
        start += part.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(&str, Option<&'static str>)> {
        told(text).into_iter().map(|(range, name)| (&text[range], name)).collect()
    }

    #[test]
    fn messages_are_told_by_their_reference() {
        for text in [":20:X\r\n:25:Y", "{1:F01X}{2:O940}{4:\r\n:20:X\n:25:Y\n-}", ":20:X\n:28C:1/1"] {
            assert!(is_message(text), "{text}");
        }
        for text in [":20:", ":20:30 o'clock\nnext", "{1:2}", "{1:é", "{4:\n:20:X\n:25:Y", ":21:X\n:25:Y", ""] {
            assert!(!is_message(text), "{text}");
        }
    }

    #[test]
    fn the_text_for_the_owner_is_taken_apart() {
        assert_eq!(
            parts("166?00PAY?20a?30BANK?31DE1?32Ada?33é"),
            [
                ("PAY", None),
                ("a", None),
                ("BANK", None),
                ("DE1", Some("account-number")),
                ("Ada", Some("account-holder")),
                ("é", Some("account-holder")),
            ]
        );
        assert_eq!(parts("x/NAME/Ada/B/REMI/a/b"), [("x", None), ("Ada/B", Some("account-holder")), ("a/b", None)]);
        assert_eq!(
            parts("/CNTP/N1/BIC2/Ada/Oslo/REMI/"),
            [
                ("", None),
                ("N1", Some("account-number")),
                ("BIC2", None),
                ("Ada", Some("account-holder")),
                ("Oslo", Some("city")),
                ("", None),
            ]
        );
        let told = |text: &'static str, is_numbered| {
            let named =
                party(text, is_numbered).into_iter().filter_map(|(range, name)| Some((text[range].trim(), name?)));
            named.collect::<Vec<_>>()
        };
        let wanted = [("DE1", "account-number"), ("ADA", "account-holder"), ("É 9", "street"), ("OSLO", "street")];
        assert_eq!(told("/DE1\r\nADA\r\nÉ 9\r\nOSLO\r\n", false), wanted);
        let wanted = [("7é", "national-id"), ("ADA", "account-holder"), ("OSLO", "city"), ("19730521", "birth-date")];
        assert_eq!(told("NIDN/NO/7é\n1/ADA\n3/NO/OSLO\n4/19730521", true), wanted);
        for text in ["/", "//", "/NAME/IBAN/", "/NAME", "123?", "123?4é", "é/NAME/é", "123/NAME/é"] {
            let _ = parts(text);
        }
    }
}
