//! The redactor: a compiled rule set with a key and limits, and its doors.

use crate::exchange::{Capture, DropReason};
use crate::redact::load;
use crate::redact::names::{NameIndex, Names};
use crate::redact::pass::Pass;
use crate::redact::residue::Residue;
use crate::redact::rules::{PseudonymKey, Rule, RuleFile, RuleProblem, RuleSummary, Settings};
use crate::redact::sealed::{Hit, Recording, Redacted};
use crate::redact::{capture, decode};
use regex::{Regex, RegexSet};
use std::fmt;
use std::sync::Arc;

/// A compiled rule set, shared by every thread that redacts.
pub struct Redactor {
    pub(in crate::redact) rules: Vec<Rule>,
    pub(in crate::redact) summaries: Vec<RuleSummary>,
    pub(in crate::redact) keys: NameIndex,
    pub(in crate::redact) headers: NameIndex,
    pub(in crate::redact) params: NameIndex,
    pub(in crate::redact) names: Names,
    /// Every pattern at once, after the one of our own stand-ins: most values match none, and one pass tells.
    pub(in crate::redact) set: RegexSet,
    /// The rule of each pattern of the set, without the first.
    pub(in crate::redact) pattern_rules: Vec<usize>,
    pub(in crate::redact) stand_in: Regex,
    pub(in crate::redact) key: PseudonymKey,
    pub(in crate::redact) settings: Settings,
    pub(in crate::redact) hash: Arc<str>,
}

impl Redactor {
    /// Compiles rule files and runs the examples of every rule.
    ///
    /// # Errors
    /// Every problem of every file; with one there is no redactor.
    pub fn compile(files: &[RuleFile], key: PseudonymKey, settings: Settings) -> Result<Self, Vec<RuleProblem>> {
        load::compile(files, key, settings)
    }

    /// Redacts a capture. What is not understood is dropped from it with a reason; this never fails.
    pub fn capture(&self, capture: Capture) -> Redacted<Recording> {
        capture::redact(self, capture)
    }

    /// Redacts one body without content coding.
    ///
    /// # Errors
    /// Why the body may not be kept.
    pub fn body(&self, content_type: &str, bytes: &[u8]) -> Result<Redacted<Vec<u8>>, DropReason> {
        let mut pass = Pass::new(self);
        let mut fresh = decode::body(&mut pass, Some(content_type), bytes)?;
        if Residue::of(&pass.found).is_some_and(|residue| residue.is_in(&fresh)) {
            // Named in one place and only mentioned in another: a second pass replaces what the first one learned.
            let known = Residue::of(&pass.found);
            let mut again = Pass::new(self);
            again.known = known.as_ref();
            fresh = decode::body(&mut again, Some(content_type), bytes)?;
            if known.as_ref().is_some_and(|residue| residue.is_in(&fresh)) {
                return Err(DropReason::Residue);
            }
        }
        Ok(Redacted::seal(fresh))
    }

    /// The rules, in the order of precedence.
    pub fn rules(&self) -> &[RuleSummary] {
        &self.summaries
    }

    /// SHA-256 over the rules' contents, in hex; layout and comments do not count.
    pub fn hash(&self) -> Arc<str> {
        self.hash.clone()
    }

    /// What the rules would still change in a body that is about to leave; empty means clean. A body that cannot be
    /// read counts as a hit of the rule `unreadable`.
    pub fn residue(&self, content_type: &str, bytes: &[u8]) -> Vec<Hit> {
        let mut pass = Pass::new(self);
        if decode::body(&mut pass, Some(content_type), bytes).is_err() {
            let (side, part) = (pass.side, pass.part);
            return vec![Hit { rule: "unreadable".into(), side, part, count: 1 }];
        }
        pass.into_hits()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} rules, {})", self.rules.len(), self.hash)
    }
}
