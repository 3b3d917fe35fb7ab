//! ANSI X12 interchanges: segments of elements, whose meaning is their place and a qualifier. The tables are those of the
//! messages about persons: claims and members of health plans (270/271, 276/277, 834, 835, 837), and parties of orders.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Patch, trimmed};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Elements of the header, whose last one and what follows it tell two of the signs.
const HEADER_ELEMENTS: usize = 16;
/// The element of the header that is the sign between repetitions.
const REPETITION_ELEMENT: usize = 11;
/// Bytes of a header that are looked at, at most: it has 106, and some writers do not fill its numbers up.
const HEADER_BYTES_MAX: usize = 128;
/// Identifiers of a person in an `NM1` or an `N1`: the qualifier, and the name of the value.
const IDENTIFIERS: [(&str, &str); 11] = [
    ("MI", "insurance-member-id"),
    ("II", "insurance-member-id"),
    ("N", "insurance-member-id"),
    ("C1", "insurance-member-id"),
    ("HN", "insurance-member-id"),
    ("MR", "insurance-member-id"),
    ("ZZ", "insurance-member-id"),
    ("34", "ssn"),
    ("SY", "ssn"),
    ("24", "tax-number"),
    ("FI", "tax-number"),
];
/// References of a `REF` that are about a person.
const REFERENCES: [(&str, &str); 11] = [
    ("SY", "ssn"),
    ("0F", "insurance-member-id"),
    ("1W", "insurance-member-id"),
    ("1L", "insurance-member-id"),
    ("IG", "insurance-member-id"),
    ("F6", "insurance-member-id"),
    ("EA", "mrn"),
    ("EJ", "patient-account-number"),
    ("4A", "national-id"),
    ("ABB", "national-id"),
    ("TJ", "tax-number"),
];
/// Channels of a `PER`.
const CHANNELS: [(&str, &str); 9] = [
    ("TE", "phone"),
    ("FX", "phone"),
    ("HP", "phone"),
    ("CP", "phone"),
    ("WP", "phone"),
    ("NP", "phone"),
    ("BN", "phone"),
    ("AP", "phone"),
    ("EM", "email"),
];
/// Parties of an `N1` that may be persons: buyer, bill to, ship to, sold to, who is insured.
const PARTIES: [&str; 6] = ["BY", "BT", "ST", "SO", "IL", "QC"];

/// The signs of an interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signs {
    element: u8,
    component: u8,
    /// The same as that of components where the header names none.
    repetition: u8,
    segment: u8,
}

impl Signs {
    /// What the header says; nothing if the text has none.
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let &[b'I', b'S', b'A', element, ..] = bytes else { return None };
        let head = &bytes[..bytes.len().min(HEADER_BYTES_MAX)];
        let mut places = [0; HEADER_ELEMENTS];
        let mut found = memchr::memchr_iter(element, head);
        for place in &mut places {
            *place = found.next()?;
        }
        let [.., last] = places;
        let &[component, segment] = head.get(last + 1..)?.first_chunk()?;
        let repetition = match head.get(places[REPETITION_ELEMENT - 1] + 1..places[REPETITION_ELEMENT]) {
            Some(&[sign]) if is_sign(sign) => sign,
            _ => component,
        };
        let signs = Self { element, component, repetition, segment };
        let are_told_apart = element != component && component != segment && element != segment;
        (are_told_apart && [element, component, segment].into_iter().all(is_sign) && head[..last].is_ascii())
            .then_some(signs)
    }

    fn has(self, c: char) -> bool {
        [self.element, self.component, self.repetition, self.segment].iter().any(|sign| char::from(*sign) == c)
    }
}

fn is_sign(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b' '
}

/// Whether a text is an interchange.
pub(in crate::redact) fn is_interchange(text: &str) -> bool {
    Signs::of(text).is_some()
}

/// Redacts an interchange segment by segment.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let blank = text.len() - text.trim_start().len();
    let Some(signs) = Signs::of(&text[blank..]) else { return Err(DropReason::Unparseable) };
    let mut walk =
        Walk { signs, patch: Patch::new(text), depth: place.depth, parents: [pass.key("patient")], is_person: false };
    for segment in parts(text, blank..text.len(), signs.segment) {
        walk.segment(pass, segment)?;
    }
    Ok(walk.patch.done())
}

struct Walk<'t, 'k> {
    signs: Signs,
    patch: Patch<'t>,
    depth: u8,
    /// Whatever the interchange is carried by, these are what its named values are about.
    parents: [Key<'k>; 1],
    /// Whether the last party was a person: the address after it is that person's.
    is_person: bool,
}

impl Walk<'_, '_> {
    fn segment(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let text = self.patch.whole();
        let elements: Vec<Range<usize>> = parts(text, trimmed(text, range), self.signs.element).collect();
        let at = |number: usize| elements.get(number).map_or("", |element| self.patch.original(element.clone()).trim());
        let tag = at(0);
        match tag {
            "NM1" => self.is_person = at(2) == "1",
            "N1" => self.is_person = PARTIES.contains(&at(1)),
            _ => {}
        }
        let is_person = self.is_person;
        let name_at = |number: usize| element_name(tag, number, &at, is_person);
        let names: Vec<Option<&'static str>> = (0..elements.len()).map(name_at).collect();
        for (element, name) in elements.into_iter().zip(names) {
            self.element(pass, element, name)?;
        }
        Ok(())
    }

    fn element(
        &mut self,
        pass: &mut Pass<'_>,
        range: Range<usize>,
        name: Option<&'static str>,
    ) -> Result<(), DropReason> {
        let text = self.patch.whole();
        if let Some(name) = name {
            let key = pass.key(name);
            let parents = self.parents.clone();
            return self.value(pass, range, Place { key: Some(&key), parents: &parents, depth: self.depth });
        }
        let place = Place { key: None, parents: &[], depth: self.depth };
        for repetition in parts(text, range, self.signs.repetition) {
            for component in parts(text, repetition, self.signs.component) {
                self.value(pass, component, place)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, pass: &mut Pass<'_>, range: Range<usize>, place: Place<'_>) -> Result<(), DropReason> {
        let range = trimmed(self.patch.whole(), range);
        if let Some(fresh) = pass.value(self.patch.original(range.clone()), place)? {
            let signs = self.signs;
            self.patch.put(range, fresh.replace(|c: char| signs.has(c) || c == '\r' || c == '\n', " "));
        }
        Ok(())
    }
}

/// The name of an element's value, by the segment, the place in it from one, and its other elements.
fn element_name<'t>(tag: &str, number: usize, at: &impl Fn(usize) -> &'t str, is_person: bool) -> Option<&'static str> {
    match (tag, number) {
        ("NM1", 3) if is_person => Some("last-name"),
        ("NM1", 4) if is_person => Some("first-name"),
        ("NM1", 5) if is_person => Some("middle-name"),
        ("NM1", 9) if is_person => named(&IDENTIFIERS, at(8)),
        ("N1", 2) if is_person => Some("customer-name"),
        ("N1", 4) if at(3) == "34" => Some("ssn"),
        ("N2", _) if is_person && number > 0 => Some("customer-name"),
        ("N3", 1 | 2) if is_person => Some("street"),
        ("N4", 1) if is_person => Some("city"),
        ("N4", 3) if is_person => Some("postal-code"),
        ("DMG", 2) => Some("birth-date"),
        // A person's death.
        ("PAT", 6) | ("INS", 12) => Some("birth-date"),
        ("SBR", 3) => Some("policy-number"),
        ("REF", 2) => named(&REFERENCES, at(1)),
        ("PER", 2) => Some("contact-name"),
        ("PER", 4 | 6 | 8) => named(&CHANNELS, at(number - 1)),
        _ => None,
    }
}

/// The name that a list gives to a code.
fn named(list: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// Where the parts of a range lie between signs, which are of ASCII.
fn parts(text: &str, range: Range<usize>, sign: u8) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    text.get(range).unwrap_or_default().split(char::from(sign)).map(move |part| {
        let at = start..start + part.len();
        start = at.end + 1;
        at
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *261126*1253*^*00501*000000001*0*P*:~";

    #[test]
    fn interchanges_are_told_by_their_header() {
        assert_eq!(Signs::of(HEAD), Some(Signs { element: b'*', component: b':', repetition: b'^', segment: b'~' }));
        let other = HEAD.replace('*', "|").replace(":~", ">\n").replace('^', "U");
        assert_eq!(Signs::of(&other), Some(Signs { element: b'|', component: b'>', repetition: b'>', segment: b'\n' }));
        for text in ["ISA", "ISAAC*1*2", "ISA*00*é", "ISA é", "", &HEAD[..HEAD.len() - 2], &HEAD.replace(":~", "**")]
        {
            assert!(!is_interchange(text), "{text}");
        }
        assert!(!is_interchange(&HEAD.replace("A     ", "é     ")));
    }
}
