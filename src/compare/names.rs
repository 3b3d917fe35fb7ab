//! Names of members met lately, by what stood before them: in documents of one kind a name is followed by the same one
//! every time, so most names are told by one comparison of bytes, with the hash of their path.

use crate::compare::shape;
use std::fmt;

/// Names remembered, a power of two: a name that falls on another's place takes it.
const NAMES_MAX: usize = 256;
/// The longest that is remembered, bytes; with the rest an entry fills 64.
const NAME_BYTES_MAX: usize = 39;

/// One thread's memory of names; see the file. It lasts from document to document.
pub struct Names(Box<[Met]>);

#[derive(Clone, Copy)]
struct Met {
    /// The hash of the path before it: of the member before, or of the object.
    before: u64,
    /// The hash of the path of its object.
    object: u64,
    /// The hash of the path of its value.
    path: u64,
    length: u8,
    name: [u8; NAME_BYTES_MAX],
}

impl Default for Names {
    fn default() -> Self {
        let none = Met { before: 0, object: 0, path: 0, length: 0, name: [0; NAME_BYTES_MAX] };
        Self(vec![none; NAMES_MAX].into())
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    /// The length of the name that `json` begins with, and the hash of its path, if it is the one that followed last time
    /// and its quote follows it.
    pub(in crate::compare) fn expected(&self, before: u64, object: u64, json: &[u8]) -> Option<(usize, u64)> {
        let met = self.0.get(before as usize % NAMES_MAX)?;
        let length = usize::from(met.length);
        let is_it = met.before == before && met.object == object && json.get(length) == Some(&b'"');
        // No text of a document has a quote within, so what is the same up to the quote is the same name.
        (is_it && length > 0 && json.get(..length) == met.name.get(..length)).then_some((length, met.path))
    }

    /// The hash of a member's path, remembered if `is_plain`: it stands in its document without escapes.
    pub(in crate::compare) fn path(&mut self, before: u64, object: u64, name: &[u8], is_plain: bool) -> u64 {
        let path = shape::member(object, name);
        if is_plain
            && let Some(met) = self.0.get_mut(before as usize % NAMES_MAX)
            && let Some(place) = met.name.get_mut(..name.len())
        {
            place.copy_from_slice(name);
            (met.before, met.object, met.path, met.length) = (before, object, path, name.len() as u8);
        }
        path
    }
}
