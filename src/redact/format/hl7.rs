//! HL7 version 2, in which hospitals tell each other of their patients: segments of fields between bars, whose meaning is
//! their place. The tables are those of the standard's chapters 3 (patients), 6 (guarantors, insurance) and 4 (orders).

use crate::exchange::DropReason;
use crate::redact::format::splice::Patch;
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// What every message begins with: the segment, and the signs that divide fields, components, repetitions.
const HEAD: &str = "MSH|^~\\&";
/// The places of a name's components: family, given, further given names.
const NAME_PARTS: [&str; 3] = ["last-name", "first-name", "middle-name"];

/// The places of an address's.
const ADDRESS_PARTS: [&str; 6] = ["street", "address-line-2", "city", "region", "postal-code", "country"];

/// What a field holds, which decides how its components are read.
#[derive(Clone, Copy)]
enum Field {
    /// Every component is of this name.
    Each(&'static str),
    /// The first component is of this name, the others say who gave it out.
    First(&'static str),
    /// A person's name.
    Name,
    /// A person's name behind the person's identifier.
    NumberAndName,
    Address,
}

/// The fields of each segment that are about persons.
const SEGMENTS: [(&str, &[(usize, Field)]); 9] = [
    (
        "PID",
        &[
            (2, Field::First("mrn")),
            (3, Field::First("mrn")),
            (4, Field::First("mrn")),
            (5, Field::Name),
            (6, Field::Name),
            (7, Field::Each("birth-date")),
            (9, Field::Name),
            (11, Field::Address),
            (13, Field::Each("phone")),
            (14, Field::Each("phone")),
            (18, Field::First("account-number")),
            (19, Field::Each("ssn")),
            (20, Field::First("driving-licence-number")),
            (21, Field::First("mrn")),
            (23, Field::Each("birth-place")),
        ],
    ),
    ("PD1", &[(4, Field::NumberAndName)]),
    ("MRG", &[(1, Field::First("mrn")), (7, Field::Name)]),
    (
        "NK1",
        &[
            (2, Field::Name),
            (4, Field::Address),
            (5, Field::Each("phone")),
            (6, Field::Each("phone")),
            (30, Field::Name),
        ],
    ),
    (
        "GT1",
        &[
            (3, Field::Name),
            (4, Field::Name),
            (5, Field::Address),
            (6, Field::Each("phone")),
            (7, Field::Each("phone")),
            (8, Field::Each("birth-date")),
            (12, Field::Each("ssn")),
        ],
    ),
    (
        "IN1",
        &[
            (16, Field::Name),
            (18, Field::Each("birth-date")),
            (19, Field::Address),
            (36, Field::First("policy-number")),
            (49, Field::First("subscriber-id")),
        ],
    ),
    (
        "PV1",
        &[(7, Field::NumberAndName), (8, Field::NumberAndName), (9, Field::NumberAndName), (17, Field::NumberAndName)],
    ),
    ("ORC", &[(10, Field::NumberAndName), (11, Field::NumberAndName), (12, Field::NumberAndName)]),
    ("OBR", &[(10, Field::NumberAndName), (16, Field::NumberAndName), (28, Field::NumberAndName)]),
];

impl Field {
    /// The name of a component's value, by its place from zero.
    fn name_at(self, component: usize) -> Option<&'static str> {
        match self {
            Self::Each(name) => Some(name),
            Self::First(name) => (component == 0).then_some(name),
            Self::Name => NAME_PARTS.get(component).copied(),
            Self::NumberAndName => NAME_PARTS.get(component.checked_sub(1)?).copied(),
            Self::Address => ADDRESS_PARTS.get(component).copied(),
        }
    }
}

/// Whether a text is a message with the signs that all the world uses.
pub(in crate::redact) fn is_message(text: &str) -> bool {
    text.starts_with(HEAD)
}

/// Redacts a message segment by segment.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    // Whatever the message is carried by, its fields are those of a patient.
    let parents = [pass.key("patient")];
    let place = Place { key: None, parents: &parents, ..place };
    let mut start = 0;
    for segment in text.split_inclusive(['\r', '\n']) {
        let line = segment.trim_end_matches(['\r', '\n']);
        segment_at(pass, &mut patch, start..start + line.len(), place)?;
        start += segment.len();
    }
    Ok(patch.done())
}

fn segment_at(
    pass: &mut Pass<'_>,
    patch: &mut Patch<'_>,
    range: Range<usize>,
    place: Place<'_>,
) -> Result<(), DropReason> {
    let line = patch.original(range.clone());
    let id = line.split('|').next().unwrap_or_default();
    let known = SEGMENTS.iter().find(|(known, _)| *known == id).map_or(&[][..], |(_, fields)| fields);
    let mut start = range.start;
    for (number, field) in line.split('|').enumerate() {
        let what = known.iter().find(|(at, _)| *at == number).map(|(_, what)| *what);
        // The second field of the head is the signs themselves.
        if number > 0 && !(id == "MSH" && number == 1) {
            for repetition in parts(field, start, '~') {
                for (component, at) in parts(patch.original(repetition.clone()), repetition.start, '^').enumerate() {
                    let key = what.and_then(|what| what.name_at(component)).map(|name| pass.key(name));
                    let inner = Place { key: key.as_ref(), ..place };
                    if let Some(fresh) = pass.value(patch.original(at.clone()), inner)? {
                        patch.put(at, fresh.replace(['|', '^', '~', '&', '\r', '\n'], " "));
                    }
                }
            }
        }
        start += field.len() + 1;
    }
    Ok(())
}

/// Where the parts of a text lie between signs.
fn parts(text: &str, start: usize, sign: char) -> impl Iterator<Item = Range<usize>> {
    let mut at = start;
    text.split(sign).map(move |part| {
        let range = at..at + part.len();
        at = range.end + sign.len_utf8();
        range
    })
}
