//! UN/EDIFACT interchanges (ISO 9735): segments of elements and components, whose meaning is their place and a qualifier.
//! The tables are those of the messages about persons: passenger lists (PAXLST, PNRGOV), parties and their contacts in
//! trade, payments and health.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Parties that are persons: passengers, crew, patients, insured persons, employees.
const PERSONS: [&str; 9] = ["FL", "FM", "DDU", "DDT", "PAT", "IT", "IN", "EM", "BEN"];
/// Channels of a `COM`: the code, and the name of the value.
const CHANNELS: [(&str, &str); 7] = [
    ("TE", "phone"),
    ("FX", "phone"),
    ("AL", "phone"),
    ("MO", "phone"),
    ("EM", "email"),
    ("EI", "email"),
    ("AH", "url"),
];
/// References of an `RFF` that are about a person.
const REFERENCES: [(&str, &str); 8] = [
    ("AVF", "booking-reference"),
    ("ABO", "booking-reference"),
    ("AEA", "national-id"),
    ("AGU", "member-number"),
    ("SS", "ssn"),
    ("VA", "vat-number"),
    ("AHP", "tax-number"),
    ("FC", "tax-number"),
];
/// Documents of a `DOC`.
const DOCUMENTS: [(&str, &str); 5] = [
    ("P", "passport-number"),
    ("I", "document-number"),
    ("C", "document-number"),
    ("V", "visa-number"),
    ("IP", "passport-number"),
];
/// Names in a `PNA`: the code of what a part of the name is.
const NAME_PARTS: [(&str, &str); 3] = [("SU", "last-name"), ("FO", "first-name"), ("FN", "first-name")];
/// Components of a person's name in one element.
const PERSON_NAME: [&str; 3] = ["last-name", "first-name", "middle-name"];

/// The signs of an interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signs {
    component: u8,
    element: u8,
    release: u8,
    segment: u8,
}

impl Signs {
    /// What holds where no `UNA` says otherwise.
    const USUAL: Self = Self { component: b':', element: b'+', release: b'?', segment: b'\'' };

    /// The signs of an interchange, and where its first segment begins.
    fn of(text: &str) -> (Self, usize) {
        match text.as_bytes() {
            [b'U', b'N', b'A', component, element, _, release, _, segment, ..] => {
                (Self { component: *component, element: *element, release: *release, segment: *segment }, 9)
            }
            _ => (Self::USUAL, 0),
        }
    }

    /// Whether the four are different signs of ASCII; a blank is no release character.
    fn are_told_apart(self) -> bool {
        let all = [self.component, self.element, self.release, self.segment];
        all.iter().all(|b| b.is_ascii() && !b.is_ascii_alphanumeric())
            && (0..4).all(|at| !all[at + 1..].contains(&all[at]))
    }

    /// Where the parts of a range lie between signs that are not released.
    fn split(self, text: &str, range: Range<usize>, sign: u8) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut start, mut released) = (range.start, false);
        for (at, b) in text[range.clone()].bytes().enumerate() {
            if b == sign && !released {
                parts.push(start..range.start + at);
                start = range.start + at + 1;
            }
            released = b == self.release && self.release != b' ' && !released;
        }
        parts.push(start..range.end);
        parts
    }

    fn unescape(self, raw: &str) -> Unescaped<'_> {
        match self.release {
            b' ' => Unescaped::new(raw),
            release => Unescaped::escaped(raw, char::from(release), Some),
        }
    }

    fn escape(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let is_sign =
                [self.component, self.element, self.release, self.segment].iter().any(|b| char::from(*b) == c);
            match c {
                '\r' | '\n' => out.push(' '),
                _ if is_sign && self.release != b' ' => out.extend([char::from(self.release), c]),
                _ if is_sign => out.push(' '),
                _ => out.push(c),
            }
        }
        out
    }
}

/// Whether a text is an interchange: its first segment says which signs, or which characters, it uses. Or a message out
/// of one, whose first segment has the message's type and its directory: `UNH+1+ORDERS:D:96A:UN'`.
pub(in crate::redact) fn is_interchange(text: &str) -> bool {
    if let Some(message) = text.strip_prefix("UNH+") {
        let mut parts = message.split('\'').next().unwrap_or_default().split('+').skip(1);
        let mut kind = parts.next().unwrap_or_default().split(':');
        return message.contains('\'')
            && kind.next().is_some_and(|kind| kind.len() == 6 && kind.bytes().all(|b| b.is_ascii_uppercase()))
            && kind.next().is_some_and(|version| matches!(version, "D" | "S" | "1" | "2"));
    }
    if !text.starts_with("UNA") && !text.starts_with("UNB") {
        return false;
    }
    let (signs, start) = Signs::of(text);
    let first = text.get(start..).unwrap_or_default().trim_start();
    let head = first.strip_prefix("UNB").and_then(|rest| rest.strip_prefix(char::from(signs.element)));
    signs.are_told_apart() && head.is_some_and(|rest| rest.starts_with("UNO") || rest.starts_with("KEC"))
}

/// Redacts an interchange segment by segment.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let blank = text.len() - text.trim_start().len();
    let (signs, head) = Signs::of(&text[blank..]);
    let mut walk = Walk { signs, patch: Patch::new(text), depth: place.depth, parents: [pass.key("passenger")] };
    for segment in signs.split(text, blank + head..text.len(), signs.segment) {
        walk.segment(pass, segment)?;
    }
    Ok(walk.patch.done())
}

struct Walk<'t, 'k> {
    signs: Signs,
    patch: Patch<'t>,
    depth: u8,
    /// Whatever the interchange is carried by, these are what its values are about.
    parents: [Key<'k>; 1],
}

/// The name that a list gives to a code.
fn named(list: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

impl Walk<'_, '_> {
    fn segment(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let text = self.patch.whole();
        let raw = &text[range.clone()];
        let range = range.end - raw.trim_start().len()..range.end;
        let elements = self.signs.split(text, range, self.signs.element);
        let tag = text[elements[0].clone()].split(char::from(self.signs.component)).next().unwrap_or_default();
        if tag == "COM" {
            return self.channels(pass, &elements[1..]);
        }
        let first = elements.get(1).map_or("", |element| &text[element.clone()]);
        let code = first.split(char::from(self.signs.component)).next().unwrap_or_default();
        // What is no tag is a text like any other.
        let is_tag = tag.len() == 3 && tag.bytes().all(|b| b.is_ascii_uppercase());
        for (at, element) in elements.iter().enumerate().skip(usize::from(is_tag)) {
            let components = self.signs.split(text, element.clone(), self.signs.component);
            let head = &text[components[0].clone()];
            for (number, component) in components.into_iter().enumerate() {
                let name = component_name(tag, code, (at, number), head);
                self.value(pass, name, component)?;
            }
        }
        Ok(())
    }

    /// `COM+33699059894:TE+ada@example.org:EM`; an address may have the sign of an element that nobody released.
    fn channels(&mut self, pass: &mut Pass<'_>, elements: &[Range<usize>]) -> Result<(), DropReason> {
        let text = self.patch.whole();
        let mut start = None;
        for element in elements {
            let start_here = *start.get_or_insert(element.start);
            let components = self.signs.split(text, element.clone(), self.signs.component);
            if let [.., value, code] = &components[..] {
                let name = named(&CHANNELS, &text[code.clone()]);
                self.value(pass, name, start_here..value.end)?;
                if name.is_none() {
                    self.value(pass, None, code.clone())?;
                }
                start = None;
            }
        }
        match (start, elements.last()) {
            (Some(start), Some(last)) => self.value(pass, None, start..last.end),
            _ => Ok(()),
        }
    }

    fn value(
        &mut self,
        pass: &mut Pass<'_>,
        name: Option<&'static str>,
        range: Range<usize>,
    ) -> Result<(), DropReason> {
        let range = trimmed(self.patch.whole(), range);
        let plain = self.signs.unescape(self.patch.original(range.clone()));
        let key = name.map(|name| pass.key(name));
        let place = Place { key: key.as_ref(), parents: &self.parents, depth: self.depth };
        if let Some(fresh) = pass.value(&plain.text, place)? {
            let signs = self.signs;
            self.patch.put(range, plain.graft(&fresh, |text| signs.escape(text)));
        }
        Ok(())
    }
}

/// The name of a component's value: by the segment, its qualifier, the places of element and component (elements from one,
/// components from zero), and the first component of the element.
fn component_name(tag: &str, code: &str, at: (usize, usize), head: &str) -> Option<&'static str> {
    match (tag, at) {
        ("NAD", (4, part)) if PERSONS.contains(&code) => PERSON_NAME.get(part).copied(),
        ("NAD", (4, _)) => Some("nad-name"),
        ("NAD", (3, _)) => Some("address"),
        ("NAD", (5, _)) => Some("street"),
        ("NAD", (6, _)) => Some("city"),
        ("NAD", (8, _)) => Some("postal-code"),
        ("ADR", (2, 1..)) => Some("street"),
        ("ADR", (3, _)) => Some("city"),
        ("ADR", (4, _)) => Some("postal-code"),
        ("CTA", (2, 1)) => Some("contact-name"),
        ("DTM", (1, 1)) if matches!(code, "329" | "182") => Some("birth-date"),
        ("DOC", (2, 0)) => named(&DOCUMENTS, code),
        ("RFF", (1, 1)) => named(&REFERENCES, code),
        ("FII", (2, 0)) => Some("account-number"),
        ("FII", (2, 1..)) => Some("account-holder"),
        ("PNA", (4.., 1)) => named(&NAME_PARTS, head),
        ("TIF", (1, 0)) => Some("last-name"),
        ("TIF", (2.., 0)) => Some("first-name"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interchanges_are_told_by_their_head() {
        for text in [
            "UNH+1+ORDERS:D:96A:UN'BGM+220'",
            "UNA:+.? 'UNB+UNOA:4+A+B'",
            "UNB+UNOC:3+A+B'",
            "UNA:+.? '\r\nUNB+UNOA:4",
            "UNA|*.! ~UNB*UNOA|4~",
        ] {
            assert!(is_interchange(text), "{text}");
        }
        for text in
            ["UNH+1+orders:D'", "UNH+1", "UNABLE", "UNA:::::::UNB:UNO", "UNB", "UNA", "UNB+x", "UNAé:+.? 'UNB+UNOA"]
        {
            assert!(!is_interchange(text), "{text}");
        }
    }

    #[test]
    fn a_released_sign_divides_nothing() {
        let text = "a?+b+c??+d";
        let parts = Signs::USUAL.split(text, 0..text.len(), b'+').into_iter().map(|range| &text[range]);
        assert_eq!(parts.collect::<Vec<_>>(), ["a?+b", "c??", "d"]);
        assert_eq!(Signs::USUAL.unescape("a?+b??").text, "a+b?");
        assert_eq!(Signs::USUAL.escape("a+b?"), "a?+b??");
    }
}
