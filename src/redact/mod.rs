//! The only door from raw to storable: rules find values, stand-ins replace them, and what is not understood is dropped.
//!
//! **Invariants.** Only this room makes a [`Redacted`]. A body that cannot be decoded, parsed or proven clean is dropped
//! with a reason; its exchange stays. Equal values get equal stand-ins, and redacting twice changes nothing. No error
//! text carries a value. Every step is linear in the size of its input and bounded.

mod capture;
mod compile;
mod decode;
mod engine;
mod example;
mod explain;
mod find;
mod form;
mod gate;
mod headers;
mod json;
mod keywords;
mod kind;
mod load;
mod matcher;
mod names;
mod nested;
mod pass;
mod path;
mod pseudonym;
mod residue;
mod rules;
mod sealed;
mod shape;
mod strict;
mod text;
mod validators;
mod xml;

#[cfg(test)]
mod tests;

pub use engine::Redactor;
pub use explain::{Decision, Verdict};
pub use find::Doubt;
pub use rules::{PseudonymKey, RuleFile, RuleProblem, RuleSummary, Settings, builtin};
pub use sealed::{Hit, Part, Recording, Redacted, Side, SubjectDigest};
