//! What tells whose a value is: its name and the names around it, its shape, its words.

pub(in crate::redact) mod address;
pub(in crate::redact) mod brands;
pub(in crate::redact) mod captions;
pub(in crate::redact) mod countries;
pub(in crate::redact) mod dicom;
pub(in crate::redact) mod epoch;
pub(in crate::redact) mod given_names;
pub(in crate::redact) mod goods;
pub(in crate::redact) mod keywords;
pub(in crate::redact) mod labels;
pub(in crate::redact) mod looks;
pub(in crate::redact) mod names;
pub(in crate::redact) mod path;
pub(in crate::redact) mod shape;
pub(in crate::redact) mod siblings;
pub(in crate::redact) mod stems;
pub(in crate::redact) mod town;
pub(in crate::redact) mod words;

/// Words that are listed in the program; nobody from outside chooses them, so a hash without a secret does.
type Listed<T> = std::collections::HashSet<T, foldhash::fast::FixedState>;
