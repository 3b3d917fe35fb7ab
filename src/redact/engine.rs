//! The redactor: a compiled rule set with a key and limits, and its doors.

use crate::exchange::{Capture, DropReason};
use crate::redact::capture;
use crate::redact::evidence::names::{NameIndex, Names, Said};
use crate::redact::evidence::stems::Stems;
use crate::redact::evidence::words::Words;
use crate::redact::explain::{Decision, Trace};
use crate::redact::format::decode;
use crate::redact::matching::matcher::Matcher;
use crate::redact::matching::memo::Memos;
use crate::redact::pass::Pass;
use crate::redact::rule::compile;
use crate::redact::rule::rules::{PseudonymKey, Rule, RuleFile, RuleProblem, RuleSummary, Settings};
use crate::redact::sealed::{Hit, Recording, Redacted, SubjectDigest};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::digest;
use crate::redact::strict::Strict;
use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Names of endpoints remembered, at most.
const ENDPOINTS_MAX: usize = 1024;

/// A compiled rule set, shared by every thread that redacts.
pub struct Redactor {
    pub(in crate::redact) rules: Vec<Rule>,
    pub(in crate::redact) summaries: Vec<RuleSummary>,
    pub(in crate::redact) registry: Registry,
    pub(in crate::redact) names: Names,
    pub(in crate::redact) matcher: Matcher,
    pub(in crate::redact) memos: Memos,
    /// Names of endpoints in which no rule finds anything: an API has a few dozen, and every capture has one.
    pub(in crate::redact) endpoints: Mutex<HashSet<Box<str>, RandomState>>,
    pub(in crate::redact) strict: Option<Strict>,
    pub(in crate::redact) key: PseudonymKey,
    pub(in crate::redact) settings: Settings,
    pub(in crate::redact) hash: Arc<str>,
}

/// Which rules list which names.
#[derive(Default)]
pub(in crate::redact) struct Registry {
    pub names: NameIndex,
    /// Parts of words, for keys.
    pub stems: Stems,
    /// Parts of names under which rules leave values alone.
    pub veto_stems: Stems,
    /// Rules whose paths end in a wildcard.
    pub of_any_name: Vec<u16>,
    /// Whether none of those claims a value without a digit.
    pub any_name_needs_digit: bool,
}

impl Registry {
    /// What the rules say of a name.
    pub fn say(&self, words: &Words) -> Said {
        let mut said = self.names.say(words);
        self.stems.extend(words, &mut said.values);
        self.veto_stems.extend(words, &mut said.vetoes);
        said
    }
}

impl Redactor {
    /// Compiles rule files and runs the examples of every rule.
    ///
    /// # Errors
    /// Every problem of every file; with one there is no redactor.
    pub fn compile(files: &[RuleFile], key: PseudonymKey, mut settings: Settings) -> Result<Self, Vec<RuleProblem>> {
        // Examples are about rules: strict mode, which asks no rule before it masks, begins after them.
        let kept = settings.kept_paths.take();
        let mut redactor = compile::compile(files, key, settings)?;
        if let Some(kept) = kept {
            redactor.strict = Strict::of(Some(&kept)).map_err(|path| vec![no_path(&path)])?;
            redactor.hash = hash_with(&redactor.hash, &kept);
            redactor.settings.kept_paths = Some(kept);
        }
        let binary = &redactor.settings.kept_binary;
        if !binary.is_empty() {
            redactor.hash = hash_with(&redactor.hash, binary);
        }
        Ok(redactor)
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
        let names = self.names.known();
        let mut pass = Pass::new(self, &names);
        let mut fresh = decode::body(&mut pass, Some(content_type), bytes)?;
        let (residue, decoded) = (pass.residue(), std::mem::take(&mut pass.decoded));
        let leaves = std::mem::take(&mut pass.leaves);
        pass.into_hits();
        if let Some(residue) = residue.filter(|residue| residue.is_mentioned(&fresh) || residue.shows(&decoded)) {
            // Named in one place and only mentioned in another: a second pass replaces what the first one learned.
            let mut again = Pass::new(self, &names);
            (again.known, again.before) = (Some(&residue), Some(&leaves));
            fresh = decode::body(&mut again, Some(content_type), bytes)?;
            if residue.is_in(&fresh) {
                return Err(DropReason::Residue);
            }
        }
        Ok(Redacted::seal(fresh))
    }

    /// An endpoint's name without the segments in which a rule finds something: `{id}` stands for them.
    pub fn endpoint(&self, name: &str) -> String {
        if self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).contains(name) {
            return name.to_owned();
        }
        let fresh = self.endpoint_anew(name);
        if fresh == name {
            let mut clean = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
            if clean.len() < ENDPOINTS_MAX {
                clean.insert(name.into());
            }
        }
        fresh
    }

    fn endpoint_anew(&self, name: &str) -> String {
        let names = self.names.known();
        let segment = |segment| {
            let variable = str::starts_with(segment, '{') && str::ends_with(segment, '}');
            let clean = matches!(Pass::new(self, &names).scan_bare(segment), Ok(None));
            if variable || clean { segment } else { "{id}" }
        };
        name.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    /// The rules, in the order of precedence.
    pub fn rules(&self) -> &[RuleSummary] {
        &self.summaries
    }

    /// SHA-256 over the rules' contents and what is kept besides (paths in strict mode, binary media types), in hex; layout
    /// and comments do not count.
    pub fn hash(&self) -> Arc<str> {
        self.hash.clone()
    }

    /// The digests under which a person's captures are found, given one of the person's values in any spelling; one for
    /// each kind that the value may be.
    pub fn subject_digests(&self, value: &str) -> Vec<SubjectDigest> {
        let mut kinds: Vec<Kind> = Kind::ALL.iter().map(|kind| kind.of_value(value)).collect();
        kinds.retain(|kind| kind.names_a_person());
        kinds.sort_unstable();
        kinds.dedup();
        let of = |kind: &Kind| digest(&self.key, *kind, &kind.canonical(value)).first_chunk().copied();
        kinds.iter().filter_map(of).collect()
    }

    /// What the rules would still change in a body that is about to leave; empty means clean. A body that cannot be
    /// read counts as a hit of the rule `unreadable`.
    pub fn residue(&self, content_type: &str, bytes: &[u8]) -> Vec<Hit> {
        let names = self.names.known();
        let mut pass = Pass::new(self, &names);
        if decode::body(&mut pass, Some(content_type), bytes).is_err() {
            let (side, part) = (pass.side, pass.part);
            return vec![Hit { rule: "unreadable".into(), side, part, count: 1 }];
        }
        pass.into_hits()
    }

    /// Every decision about every candidate of a body, replaced or left alone; for people who write rules.
    ///
    /// # Errors
    /// Why the body would be dropped.
    pub fn explain(&self, content_type: &str, bytes: &[u8]) -> Result<Vec<Decision>, DropReason> {
        let names = self.names.known();
        let mut pass = Pass::new(self, &names);
        pass.trace = Some(Trace::default());
        decode::body(&mut pass, Some(content_type), bytes)?;
        let decisions = pass.trace.unwrap_or_default();
        Ok(decisions.into_decisions(|rule| self.rules[usize::from(rule)].id.clone()))
    }
}

fn no_path(path: &str) -> RuleProblem {
    RuleProblem {
        file: "(all files)".to_owned(),
        line: 1,
        rule: String::new(),
        field: "kept_paths".to_owned(),
        text: format!("{path:?} is no path"),
        remedy: "dotted names, `*` for one, `**` for any number".to_owned(),
    }
}

/// The hash of rules that keep something besides, paths or media types; their order changes nothing.
fn hash_with(rules: &str, kept: &[String]) -> Arc<str> {
    let mut paths: Vec<&String> = kept.iter().collect();
    paths.sort_unstable();
    paths.dedup();
    let mut digest = Sha256::new();
    for part in std::iter::once(rules).chain(paths.into_iter().map(String::as_str)) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} rules, {})", self.rules.len(), self.hash)
    }
}
