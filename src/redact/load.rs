//! From rule files to a compiled set, or to every problem in them at once.

use crate::redact::engine::Redactor;
use crate::redact::example::Example;
use crate::redact::names::{NameIndex, NameSet, Names};
use crate::redact::pseudonym::{Kind, WORD_STAND_IN};
use crate::redact::rules::{Action, PseudonymKey, Rule, RuleFile, RuleProblem, RuleSummary, Settings};
use crate::redact::validators::Validator;
use regex::{Regex, RegexBuilder, RegexSetBuilder};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;
use toml::Spanned;

/// Largest compiled pattern, in bytes: past it a pattern is a mistake.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Largest compiled set of all patterns, in bytes.
const SET_BYTES_MAX: usize = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    rule: Vec<Spanned<toml::Table>>,
}

/// A rule as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    r#type: String,
    why: String,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    exclude_parents: Vec<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    params: Vec<String>,
    pattern: Option<String>,
    shape: Option<String>,
    validator: Option<String>,
    #[serde(default)]
    exclude_keys: Vec<String>,
    action: Option<String>,
    #[serde(default)]
    hits: Vec<Example>,
    #[serde(default)]
    misses: Vec<Example>,
}

const FIELDS: [&str; 15] = [
    "id",
    "type",
    "why",
    "keys",
    "parents",
    "exclude_parents",
    "headers",
    "params",
    "pattern",
    "shape",
    "validator",
    "exclude_keys",
    "action",
    "hits",
    "misses",
];

/// Where a problem is, and the list it goes to.
struct Desk<'a> {
    problems: &'a mut Vec<RuleProblem>,
    file: &'a str,
    line: usize,
    rule: String,
}

impl Desk<'_> {
    fn say(&mut self, field: &str, text: impl Into<String>, remedy: &str) {
        self.problems.push(RuleProblem {
            file: self.file.to_owned(),
            line: self.line,
            rule: self.rule.clone(),
            field: field.to_owned(),
            text: text.into(),
            remedy: remedy.to_owned(),
        });
    }
}

/// The set while it grows.
#[derive(Default)]
struct Build {
    rules: Vec<Rule>,
    summaries: Vec<RuleSummary>,
    examples: Vec<(usize, Vec<Example>, Vec<Example>)>,
    patterns: Vec<String>,
    pattern_rules: Vec<usize>,
    keys: NameIndex,
    headers: NameIndex,
    params: NameIndex,
    ids: HashSet<String>,
    canonical: Vec<String>,
}

/// Compiles the files; the order of files and rules is the order of precedence.
pub(in crate::redact) fn compile(
    files: &[RuleFile],
    key: PseudonymKey,
    settings: Settings,
) -> Result<Redactor, Vec<RuleProblem>> {
    let mut problems = Vec::new();
    let mut build = Build::default();
    for file in files {
        read_file(file, &mut build, &mut problems);
    }
    let set = std::iter::once(WORD_STAND_IN).chain(build.patterns.iter().map(String::as_str));
    let set = RegexSetBuilder::new(set).size_limit(SET_BYTES_MAX).dfa_size_limit(SET_BYTES_MAX).build();
    let (set, stand_in) = match (set, Regex::new(WORD_STAND_IN)) {
        (Ok(set), Ok(stand_in)) => (set, stand_in),
        (Err(error), _) | (_, Err(error)) => {
            let mut desk = Desk { problems: &mut problems, file: "(all files)", line: 1, rule: String::new() };
            desk.say("pattern", first_line(&error.to_string()), "fewer or simpler patterns");
            return Err(problems);
        }
    };
    let redactor = Redactor {
        hash: hash(&mut build.canonical),
        rules: build.rules,
        summaries: build.summaries,
        keys: build.keys,
        headers: build.headers,
        params: build.params,
        names: Names::default(),
        set,
        pattern_rules: build.pattern_rules,
        stand_in,
        key,
        settings,
    };
    for (rule, hits, misses) in &build.examples {
        run_examples(&redactor, *rule, hits, misses, files, &mut problems);
    }
    if problems.is_empty() { Ok(redactor) } else { Err(problems) }
}

fn read_file(file: &RuleFile, build: &mut Build, problems: &mut Vec<RuleProblem>) {
    let mut desk = Desk { problems, file: &file.name, line: 1, rule: String::new() };
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
        build.canonical.push(canonical(&table));
        match table.try_into::<RawRule>() {
            Ok(raw) => add_rule(raw, build, &mut desk),
            Err(error) => desk.say("(rule)", first_line(error.message()), "every rule has id, type and why"),
        }
    }
}

fn add_rule(raw: RawRule, build: &mut Build, desk: &mut Desk<'_>) {
    if raw.id.is_empty() || !raw.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    {
        desk.say("id", "not a rule id", "lower-case letters, digits, '-', '_' and '.'");
    }
    if !build.ids.insert(raw.id.clone()) {
        desk.say("id", format!("{:?} is used twice", raw.id), "give every rule an id of its own");
    }
    let kind = named(&raw.r#type, "type", Kind::ALL.map(|kind| (kind.name(), kind)).as_slice(), desk);
    let actions = [
        ("pseudonym", Action::Pseudonym),
        ("mask", Action::Mask),
        ("drop", Action::Drop),
        ("keep-last-4", Action::KeepLast4),
    ];
    let action = named(raw.action.as_deref().unwrap_or("pseudonym"), "action", &actions, desk);
    let validator = raw.validator.as_deref().map(|name| named(name, "validator", &Validator::ALL, desk));
    let pattern = raw.pattern.as_deref().and_then(|text| pattern(text, "pattern", desk));
    let shape = raw.shape.as_deref().and_then(|text| pattern_whole(text, desk));
    if raw.keys.is_empty() && raw.headers.is_empty() && raw.params.is_empty() && raw.pattern.is_none() {
        desk.say("pattern", "the rule can never strike", "give it keys, headers, params or a pattern");
    }
    if raw.hits.is_empty() || raw.misses.is_empty() {
        desk.say("hits", "the rule has no examples", "give it at least one of hits and one of misses");
    }
    let (Some(kind), Some(action), Some(validator)) = (kind, action, validator.map_or(Some(None), |v| v.map(Some)))
    else {
        return;
    };
    let at = build.rules.len();
    for name in &raw.keys {
        build.keys.add(name, at);
    }
    for name in &raw.headers {
        build.headers.add(name, at);
    }
    for name in &raw.params {
        build.params.add(name, at);
    }
    if let (Some(text), Some(_)) = (raw.pattern, &pattern) {
        build.patterns.push(text);
        build.pattern_rules.push(at);
    }
    let id: Arc<str> = raw.id.into();
    build.summaries.push(RuleSummary {
        id: id.clone(),
        kind: kind.name(),
        why: raw.why,
        file: desk.file.to_owned(),
        hits: raw.hits.len(),
        misses: raw.misses.len(),
    });
    build.rules.push(Rule {
        id,
        line: desk.line,
        kind,
        parents: NameSet::of(&raw.parents),
        exclude_parents: NameSet::of(&raw.exclude_parents),
        exclude_keys: NameSet::of(&raw.exclude_keys),
        grouped: pattern.as_ref().is_some_and(|p| p.capture_names().flatten().any(|name| name == "value")),
        pattern,
        shape,
        validator,
        action,
    });
    build.examples.push((at, raw.hits, raw.misses));
}

fn named<T: Copy>(name: &str, field: &str, all: &[(&str, T)], desk: &mut Desk<'_>) -> Option<T> {
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        desk.say(field, format!("{name:?} is unknown"), &format!("one of {}", known.join(", ")));
    }
    found
}

fn pattern(text: &str, field: &str, desk: &mut Desk<'_>) -> Option<Regex> {
    match RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build() {
        Ok(regex) if regex.is_match("") => {
            desk.say(field, "matches the empty text", "make it need at least one character");
            None
        }
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(limit)) => {
            desk.say(field, format!("compiles to more than {limit} bytes"), "bound the repetitions, use (?-u) classes");
            None
        }
        Err(error) => {
            let text = error.to_string();
            let what = text.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("not a pattern");
            desk.say(
                field,
                what,
                "the syntax is that of the Rust regex crate, without look-around and back-references",
            );
            None
        }
    }
}

fn pattern_whole(text: &str, desk: &mut Desk<'_>) -> Option<Regex> {
    pattern(&format!("^(?:{text})$"), "shape", desk)
}

fn run_examples(
    redactor: &Redactor,
    rule: usize,
    hits: &[Example],
    misses: &[Example],
    files: &[RuleFile],
    problems: &mut Vec<RuleProblem>,
) {
    let summary = &redactor.summaries[rule];
    let file = files.iter().find(|file| file.name == summary.file).map_or("", |file| &file.name);
    let mut desk = Desk { problems, file, line: redactor.rules[rule].line, rule: summary.id.to_string() };
    for (field, examples, wanted) in [("hits", hits, true), ("misses", misses, false)] {
        for (at, example) in examples.iter().enumerate() {
            match example.strikes(redactor, rule) {
                Ok(struck) if struck == wanted => {}
                Ok(_) => {
                    let text = format!("example {} is {}", at + 1, if wanted { "not found" } else { "found" });
                    desk.say(field, text, "correct the rule or the example");
                }
                Err(reason) => desk.say(field, format!("example {}: {}", at + 1, reason.name()), "correct the example"),
            }
        }
    }
}

/// The rule with its fields in order, so that layout and comments do not change the hash.
fn canonical(table: &toml::Table) -> String {
    let mut fields: Vec<String> = table.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.sort();
    fields.join("\n")
}

fn hash(rules: &mut [String]) -> Arc<str> {
    let mut digest = Sha256::new();
    // The order of rules is their precedence, so it is part of what is hashed.
    for rule in rules {
        digest.update((rule.len() as u64).to_be_bytes());
        digest.update(rule.as_bytes());
    }
    digest.finalize().iter().map(|b| format!("{b:02x}")).collect::<String>().into()
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
