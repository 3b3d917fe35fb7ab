//! The only door from raw to storable: rules find values, stand-ins replace them, and what is not understood is dropped.
//!
//! **Invariants.** Only this room makes a [`Redacted`]. A body that cannot be decoded, parsed or proven clean is dropped
//! with a reason; its exchange stays. Equal values get equal stand-ins, and redacting twice changes nothing. No error
//! text carries a value. Every step is linear in the size of its input and bounded.

mod assignments;
mod canary;
mod capture;
mod card;
mod charset;
mod coding;
mod compile;
mod credentials;
mod csv;
mod decode;
mod engine;
mod epoch;
mod events;
mod example;
mod explain;
mod factors;
mod find;
mod form;
mod gate;
mod given_names;
mod graphql;
mod headers;
mod html;
mod json;
mod jwt;
mod keywords;
mod kind;
mod labels;
mod lines;
mod literals;
mod load;
mod looks;
mod markup;
mod matcher;
mod media;
mod message;
mod mime;
mod multipart;
mod names;
mod nested;
mod pass;
mod path;
mod percent;
mod pseudonym;
mod redactors;
mod residue;
mod rules;
mod sealed;
mod shape;
mod siblings;
mod sniff;
mod splice;
mod stems;
mod strict;
mod text;
mod url;
mod validators;
mod xml;

#[cfg(test)]
mod tests;

pub use canary::{Canaries, CanaryFound, CanarySearch, Leak};
pub use engine::Redactor;
pub use explain::{Decision, Verdict};
pub use find::Doubt;
pub use redactors::{Generation, Redactors, RuleSource, is_kept_path};
pub use rules::{PseudonymKey, RuleFile, RuleProblem, RuleSummary, Settings, builtin};
pub use sealed::{Hit, Part, Recording, Redacted, Side, SubjectDigest};
