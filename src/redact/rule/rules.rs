//! Rules as the room's neighbours see them: files, problems, summaries, limits; and a rule as the engine sees it.

use crate::redact::evidence::keywords::Keywords;
use crate::redact::evidence::path::PathPattern;
use crate::redact::stand_in::kind::Kind;
use crate::redact::validators::Validator;
use hmac::{Hmac, KeyInit};
use regex::bytes::Regex;
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;

/// The text of one rule file; `config` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// What problems call it: a path.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// The rule files that come with the program, in the order in which their rules take precedence.
const BUILTIN: [(&str, &str); 10] = [
    ("credentials.toml", include_str!("../../../redaction-rules/credentials.toml")),
    ("secrets.toml", include_str!("../../../redaction-rules/secrets.toml")),
    ("national-ids.toml", include_str!("../../../redaction-rules/national-ids.toml")),
    ("payment.toml", include_str!("../../../redaction-rules/payment.toml")),
    ("contact.toml", include_str!("../../../redaction-rules/contact.toml")),
    ("personal.toml", include_str!("../../../redaction-rules/personal.toml")),
    ("address.toml", include_str!("../../../redaction-rules/address.toml")),
    ("network.toml", include_str!("../../../redaction-rules/network.toml")),
    ("native.toml", include_str!("../../../redaction-rules/native.toml")),
    ("wide.toml", include_str!("../../../redaction-rules/wide.toml")),
];

/// The rule files that come with the program.
pub fn builtin() -> Vec<RuleFile> {
    let file = |(name, text): (&str, &str)| RuleFile { name: format!("redaction-rules/{name}"), text: text.to_owned() };
    BUILTIN.map(file).into()
}

/// The place of a file among those that come with the program, by its name; any other comes after them. A folder that began
/// as a copy of theirs keeps their order.
pub fn place_of_file(name: &str) -> usize {
    BUILTIN.iter().position(|(builtin, _)| *builtin == name).unwrap_or(BUILTIN.len())
}

/// One thing wrong with the rules. A rule set with any problem is refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: rule {rule:?}, {field}: {text}; {remedy}")]
pub struct RuleProblem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule's id, empty where the file itself is wrong.
    pub rule: String,
    /// The field.
    pub field: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

/// One rule for lists and pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSummary {
    /// Its id, unique in the set.
    pub id: Arc<str>,
    /// What it finds (`email`, `card`, ...).
    pub kind: &'static str,
    /// What happens to what it finds (`pseudonym`, `mask`, ...).
    pub action: &'static str,
    /// Why it exists.
    pub why: String,
    /// The file it comes from.
    pub file: String,
    /// How many examples it must find.
    pub hits: usize,
    /// How many examples it must leave alone.
    pub misses: usize,
}

/// The key of the pseudonyms: 32 bytes held outside the database. The same key gives the same stand-ins.
#[derive(Clone)]
pub struct PseudonymKey(pub(in crate::redact) Hmac<Sha256>);

impl PseudonymKey {
    /// A key of 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        // HMAC pads a key shorter than its block with zeros; a whole block cannot be of a wrong length.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&bytes);
        Self(<Hmac<Sha256> as KeyInit>::new(&block.into()))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

/// The limits of redaction. Past a limit a body is dropped with a reason, never passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Largest body as received, in bytes.
    pub body_bytes_max: usize,
    /// Largest body after its content coding is undone, in bytes.
    pub expanded_bytes_max: usize,
    /// Deepest nesting of a document.
    pub depth_max: usize,
    /// Strict mode: only values at these paths are kept, everything else is masked by kind. `None`: the rules decide.
    pub kept_paths: Option<Vec<String>>,
    /// Media types (`image/png`, in lower case) whose binary bodies are kept if no rule finds anything in them.
    pub kept_binary: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            expanded_bytes_max: 8 << 20,
            depth_max: 64,
            kept_paths: None,
            kept_binary: Vec::new(),
        }
    }
}

/// What happens to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Action {
    /// A keyed stand-in of the same format.
    Pseudonym,
    /// A fixed word.
    Mask,
    /// Nothing stays.
    Drop,
    /// Stars and the last four characters.
    KeepLast4,
    /// A keyed digest without a format.
    Hash,
    /// A date moved by the same keyed number of days as every other one, into a century of its own.
    DateShift,
}

impl Action {
    /// All of them, with their names in rule files.
    pub const ALL: [(&'static str, Self); 6] = [
        ("pseudonym", Self::Pseudonym),
        ("mask", Self::Mask),
        ("drop", Self::Drop),
        ("keep-last-4", Self::KeepLast4),
        ("hash", Self::Hash),
        ("date-shift", Self::DateShift),
    ];

    /// The name in rule files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

/// A compiled rule.
pub(in crate::redact) struct Rule {
    /// The line of its table in its file.
    pub line: usize,
    pub id: Arc<str>,
    pub kind: Kind,
    pub action: Action,
    /// Whether it strikes only below some names.
    pub has_parents: bool,
    /// Whether it strikes only beside some names.
    pub has_beside: bool,
    /// Whether it asks what stands beside.
    pub looks_beside: bool,
    pub paths: Vec<PathPattern>,
    pub pattern: Option<Pattern>,
    /// What a whole value must look like for a name rule to apply.
    pub shape: Option<Regex>,
    /// What a whole value must pass for a name rule to apply.
    pub check: Option<Validator>,
    pub validator: Option<Validator>,
}

/// What a rule looks for in a text.
pub(in crate::redact) struct Pattern {
    pub regex: Regex,
    /// Whether the pattern has a group `value`, the only part that is replaced.
    pub grouped: bool,
    /// One of these words must stand near, or in the names above.
    pub keywords: Option<Keywords>,
    /// Right after one of these words a candidate is left alone.
    pub not_after: Option<Keywords>,
    /// Candidates that match this as a whole are left alone.
    pub exclude: Option<Regex>,
}
