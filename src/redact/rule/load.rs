//! Rule files as written: TOML tables into drafts of rules, with every problem told by file, line, rule and field.

use crate::redact::rule::example::Example;
use crate::redact::rule::rules::{RuleFile, RuleProblem};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    rule: Vec<Spanned<toml::Table>>,
}

/// A rule as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::redact) struct RawRule {
    pub id: String,
    pub r#type: String,
    pub why: String,
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub parents: Vec<String>,
    #[serde(default)]
    pub exclude_parents: Vec<String>,
    #[serde(default)]
    pub exclude_keys: Vec<String>,
    #[serde(default)]
    pub beside: Vec<String>,
    #[serde(default)]
    pub exclude_beside: Vec<String>,
    pub check: Option<String>,
    #[serde(default)]
    pub paths: Vec<String>,
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default)]
    pub params: Vec<String>,
    pub pattern: Option<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    pub keyword_distance: Option<usize>,
    #[serde(default)]
    pub not_after: Vec<String>,
    pub shape: Option<String>,
    pub exclude: Option<String>,
    pub validator: Option<String>,
    pub action: Option<String>,
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub hits: Vec<Example>,
    #[serde(default)]
    pub misses: Vec<Example>,
}

const FIELDS: [&str; 24] = [
    "id",
    "type",
    "why",
    "keys",
    "parents",
    "exclude_parents",
    "exclude_keys",
    "beside",
    "exclude_beside",
    "check",
    "paths",
    "headers",
    "params",
    "pattern",
    "keywords",
    "keyword_distance",
    "not_after",
    "shape",
    "exclude",
    "validator",
    "action",
    "priority",
    "hits",
    "misses",
];

/// A rule as written, and where.
pub(in crate::redact) struct Draft {
    pub raw: RawRule,
    pub file: Arc<str>,
    /// The line of its table, from 1.
    pub line: usize,
}

/// Where a problem is, and the list it goes to.
pub(in crate::redact) struct Desk<'a> {
    pub problems: &'a mut Vec<RuleProblem>,
    pub file: Arc<str>,
    pub line: usize,
    pub rule: String,
}

impl Desk<'_> {
    /// Adds a problem.
    pub fn say(&mut self, field: &str, text: impl Into<String>, remedy: &str) {
        self.problems.push(RuleProblem {
            file: self.file.to_string(),
            line: self.line,
            rule: self.rule.clone(),
            field: field.to_owned(),
            text: text.into(),
            remedy: remedy.to_owned(),
        });
    }
}

/// The rules of all files, in the order of precedence: by priority, then as written; and the hash of the set.
pub(in crate::redact) fn drafts(files: &[RuleFile], problems: &mut Vec<RuleProblem>) -> (Vec<Draft>, Arc<str>) {
    let mut drafts = Vec::new();
    let mut canonical = Vec::new();
    for file in files {
        read_file(file, &mut drafts, &mut canonical, problems);
    }
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.raw.priority));
    (drafts, hash(&canonical))
}

/// The order of rules is their precedence, so it is part of what is hashed.
fn hash(rules: &[String]) -> Arc<str> {
    let mut digest = Sha256::new();
    for rule in rules {
        digest.update((rule.len() as u64).to_be_bytes());
        digest.update(rule.as_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn read_file(file: &RuleFile, drafts: &mut Vec<Draft>, canonical: &mut Vec<String>, problems: &mut Vec<RuleProblem>) {
    let mut desk = Desk { problems, file: file.name.as_str().into(), line: 1, rule: String::new() };
    let raw: RawFile = match toml::from_str(&file.text) {
        Ok(raw) => raw,
        Err(error) => {
            desk.line = line_of(&file.text, error.span().map_or(0, |span| span.start));
            return desk.say("(file)", first_line(error.message()), "a file is a list of [[rule]] tables");
        }
    };
    for spanned in raw.rule {
        desk.line = line_of(&file.text, spanned.span().start);
        let table = spanned.into_inner();
        desk.rule = table.get("id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
        let unknown: Vec<&String> = table.keys().filter(|name| !FIELDS.contains(&name.as_str())).collect();
        for name in &unknown {
            desk.say(name, "unknown field", &format!("the fields are {}", FIELDS.join(", ")));
        }
        if !unknown.is_empty() {
            continue;
        }
        canonical.push(in_order(&table));
        match table.try_into::<RawRule>() {
            Ok(raw) => drafts.push(Draft { raw, file: desk.file.clone(), line: desk.line }),
            Err(error) => desk.say("(rule)", first_line(error.message()), "every rule has id, type and why"),
        }
    }
}

/// The rule with its fields in order, so that layout and comments do not change the hash.
fn in_order(table: &toml::Table) -> String {
    let mut fields: Vec<String> = table.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.sort();
    fields.join("\n")
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

/// The first line of an error's text.
pub(in crate::redact) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
