//! The only door from raw to storable: rules find values, stand-ins replace them, and what is not understood is dropped.
//!
//! **Invariants.** Only this room makes a [`Redacted`]. A body that cannot be decoded, parsed or proven clean is dropped
//! with a reason; its exchange stays. Equal values get equal stand-ins, and redacting twice changes nothing. No error
//! text carries a value. Every step is linear in the size of its input and bounded.

mod canary;
mod capture;
mod claims;
mod engine;
mod evidence;
mod explain;
mod format;
mod matching;
mod pass;
mod redactors;
mod rule;
mod sealed;
mod stand_in;
mod strict;
mod validators;

#[cfg(test)]
mod tests;

pub use canary::{Canaries, CanaryFound, CanarySearch, Leak};
pub use engine::Redactor;
pub use explain::{Decision, Verdict};
pub use matching::find::Doubt;
pub use redactors::{Generation, Redactors, RuleSource, is_keepable_binary, is_kept_path};
pub use rule::rules::{PseudonymKey, RuleFile, RuleProblem, RuleSummary, Settings, builtin, place_of_file};
pub use sealed::{Hit, Part, Recording, Redacted, Side, SubjectDigest};
