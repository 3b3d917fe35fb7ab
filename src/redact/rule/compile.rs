//! From drafts of rules to a compiled set, or to every problem in them at once.

use crate::redact::engine::{Redactor, Registry};
use crate::redact::evidence::keywords::{BEFORE_BYTES, Keywords};
use crate::redact::evidence::names::{Names, Role};
use crate::redact::evidence::path::PathPattern;
use crate::redact::matching::matcher::{Matcher, RULES_MAX, Sought};
use crate::redact::matching::memo::Memos;
use crate::redact::rule::example::Example;
use crate::redact::rule::load::{Desk, Draft, RawRule, drafts, first_line};
use crate::redact::rule::rules::{Action, Pattern, PseudonymKey, Rule, RuleFile, RuleProblem, RuleSummary, Settings};
use crate::redact::stand_in::kind::Kind;
use crate::redact::validators::Validator;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// Largest compiled pattern, in bytes: past it a pattern is a mistake.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Farthest a keyword may stand before its candidate, in bytes: keeps the search linear.
const KEYWORD_DISTANCE_MAX: usize = 300;

/// The set while it grows.
#[derive(Default)]
struct Build {
    rules: Vec<Rule>,
    summaries: Vec<RuleSummary>,
    examples: Vec<(usize, Vec<Example>, Vec<Example>)>,
    patterns: Vec<Sought>,
    registry: Registry,
    ids: HashSet<String>,
}

/// Compiles the files; rules of higher priority come first, then the order of files and rules decides.
pub(in crate::redact) fn compile(
    files: &[RuleFile],
    key: PseudonymKey,
    settings: Settings,
) -> Result<Redactor, Vec<RuleProblem>> {
    let mut problems = Vec::new();
    let (drafts, hash) = drafts(files, &mut problems);
    let mut build = Build::default();
    for draft in drafts {
        let Draft { raw, file, line } = draft;
        let mut desk = Desk { problems: &mut problems, file, line, rule: raw.id.clone() };
        add_rule(raw, &mut build, &mut desk);
    }
    let mut set = Desk { problems: &mut problems, file: "(all files)".into(), line: 1, rule: String::new() };
    if build.rules.len() > RULES_MAX {
        set.say("id", format!("{} rules", build.rules.len()), &format!("at most {RULES_MAX} in all files"));
        return Err(problems);
    }
    let matcher = Matcher::of(&build.patterns);
    if let Err(error) = &matcher {
        set.say("pattern", first_line(error), "fewer or simpler patterns");
    }
    let Ok(matcher) = matcher else { return Err(problems) };
    let needs_digit = |rule: &u16| build.rules[usize::from(*rule)].check.is_some_and(Validator::needs_digit);
    build.registry.any_name_needs_digit = build.registry.of_any_name.iter().all(needs_digit);
    let redactor = Redactor {
        hash,
        rules: build.rules,
        summaries: build.summaries,
        registry: build.registry,
        names: Names::default(),
        matcher,
        memos: Memos::default(),
        endpoints: Mutex::default(),
        strict: None,
        key,
        settings,
    };
    for (rule, hits, misses) in &build.examples {
        run_examples(&redactor, *rule, hits, misses, &mut problems);
    }
    if problems.is_empty() { Ok(redactor) } else { Err(problems) }
}

fn add_rule(raw: RawRule, build: &mut Build, desk: &mut Desk<'_>) {
    check_head(&raw, build, desk);
    let kind = named(&raw.r#type, "type", Kind::ALL.map(|kind| (kind.name(), kind)).as_slice(), desk);
    let action = named(raw.action.as_deref().unwrap_or("pseudonym"), "action", &Action::ALL, desk);
    let validator = raw.validator.as_deref().map(|name| named(name, "validator", Validator::ALL, desk));
    let check = raw.check.as_deref().map(|name| named(name, "check", Validator::ALL, desk));
    let at = build.rules.len();
    let number = u16::try_from(at).unwrap_or(u16::MAX);
    let pattern = pattern(&raw, number, build, desk);
    let shape = raw.shape.as_deref().and_then(|text| whole(text, "shape", desk));
    let paths = paths(&raw, desk);
    let given = |check: Option<Option<Validator>>| check.map_or(Some(None), |check| check.map(Some));
    let (Some(kind), Some(action), Some(validator), Some(check)) = (kind, action, given(validator), given(check))
    else {
        return;
    };
    register(&raw, number, &paths, &mut build.registry);
    let id: Arc<str> = raw.id.into();
    build.summaries.push(RuleSummary {
        id: id.clone(),
        kind: kind.name(),
        action: action.name(),
        why: raw.why,
        file: desk.file.to_string(),
        hits: raw.hits.len(),
        misses: raw.misses.len(),
    });
    build.rules.push(Rule {
        id,
        line: desk.line,
        kind,
        action,
        has_parents: !raw.parents.is_empty(),
        has_beside: !raw.beside.is_empty(),
        looks_beside: !(raw.beside.is_empty() && raw.exclude_beside.is_empty()),
        paths,
        pattern,
        shape,
        check,
        validator,
    });
    build.examples.push((at, raw.hits, raw.misses));
}

fn check_head(raw: &RawRule, build: &mut Build, desk: &mut Desk<'_>) {
    let of_id = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if raw.id.is_empty() || !raw.id.bytes().all(of_id) {
        desk.say("id", "not a rule id", "lower-case letters, digits, '-', '_' and '.'");
    }
    if !build.ids.insert(raw.id.clone()) {
        desk.say("id", format!("{:?} is used twice", raw.id), "give every rule an id of its own");
    }
    let places = [&raw.keys, &raw.headers, &raw.params, &raw.paths];
    if places.iter().all(|names| names.is_empty()) && raw.pattern.is_none() {
        desk.say("pattern", "the rule can never strike", "give it keys, paths, headers, params or a pattern");
    }
    if raw.hits.is_empty() || raw.misses.is_empty() {
        desk.say("hits", "the rule has no examples", "give it at least one of hits and one of misses");
    }
    let of_patterns = [
        ("keywords", !raw.keywords.is_empty()),
        ("not_after", !raw.not_after.is_empty()),
        ("exclude", raw.exclude.is_some()),
    ];
    for (field, _) in of_patterns.iter().filter(|(_, given)| *given && raw.pattern.is_none()) {
        desk.say(field, "is about a pattern, and there is none", "give the rule a pattern, or take the field out");
    }
    if raw.keyword_distance.is_some_and(|distance| distance > KEYWORD_DISTANCE_MAX) {
        desk.say("keyword_distance", "too far", &format!("at most {KEYWORD_DISTANCE_MAX} bytes"));
    }
}

fn register(raw: &RawRule, rule: u16, paths: &[PathPattern], registry: &mut Registry) {
    let names = &mut registry.names;
    for (listed, role) in [(&raw.keys, Role::Value), (&raw.headers, Role::Header), (&raw.params, Role::Param)] {
        listed.iter().filter(|name| !name.starts_with('~')).for_each(|name| names.add(name, role, rule));
    }
    // Names above and beside are told by their last words, or by their first ones if the rule says `x*`.
    for (listed, role) in [
        (&raw.parents, Role::Below),
        (&raw.exclude_parents, Role::NotBelow),
        (&raw.beside, Role::Beside),
        (&raw.exclude_beside, Role::NotBeside),
    ] {
        for name in listed {
            let ending = if name.ends_with('*') { name.clone() } else { format!("*{name}") };
            names.add(&ending, role, rule);
        }
    }
    for path in paths {
        match path.last_name() {
            Some(name) => names.add(name, Role::Value, rule),
            None => registry.of_any_name.push(rule),
        }
    }
    for name in &raw.exclude_keys {
        match name.strip_prefix('~') {
            Some(stem) => registry.veto_stems.add(stem, rule),
            None => names.add(&format!("*{}", name.trim_start_matches('*')), Role::Veto, rule),
        }
    }
    for word in &raw.keywords {
        names.add(&format!("*{word}*"), Role::Keyword, rule);
    }
    for stem in raw.keys.iter().filter_map(|name| name.strip_prefix('~')) {
        registry.stems.add(stem, rule);
    }
}

fn paths(raw: &RawRule, desk: &mut Desk<'_>) -> Vec<PathPattern> {
    let mut paths = Vec::new();
    for text in &raw.paths {
        match PathPattern::of(text) {
            Some(path) => paths.push(path),
            None => desk.say("paths", format!("{text:?} is no path"), "dotted names, `*` for one, `**` for any number"),
        }
    }
    paths
}

fn pattern(raw: &RawRule, rule: u16, build: &mut Build, desk: &mut Desk<'_>) -> Option<Pattern> {
    let text = raw.pattern.as_deref()?;
    // Classes and boundaries are those of ASCII unless the pattern says (?u): the fast engines need it.
    let regex = regex(text, false, "pattern", desk)?;
    let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(text);
    let distance = raw.keyword_distance.unwrap_or(BEFORE_BYTES).min(KEYWORD_DISTANCE_MAX);
    let keywords = words(&raw.keywords, distance, "keywords", desk);
    let not_after = words(&raw.not_after, distance, "not_after", desk);
    let exclude = raw.exclude.as_deref().and_then(|text| whole(text, "exclude", desk));
    match hir {
        Ok(hir) => build.patterns.push(Sought { rule, text: text.to_owned(), hir, keywords: raw.keywords.clone() }),
        Err(error) => desk.say("pattern", first_line(&error.to_string()), "a simpler pattern"),
    }
    let grouped = regex.capture_names().flatten().any(|name| name == "value");
    Some(Pattern { regex, grouped, keywords, not_after, exclude })
}

fn words(words: &[String], distance: usize, field: &str, desk: &mut Desk<'_>) -> Option<Keywords> {
    if words.is_empty() {
        return None;
    }
    let keywords = Keywords::of(words, distance);
    keywords.inspect_err(|error| desk.say(field, first_line(&error.to_string()), "fewer words")).ok()
}

fn named<T: Copy>(name: &str, field: &str, all: &[(&str, T)], desk: &mut Desk<'_>) -> Option<T> {
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        desk.say(field, format!("{name:?} is unknown"), &format!("one of {}", known.join(", ")));
    }
    found
}

/// An expression over a whole value, with the classes of Unicode: it is asked seldom.
fn whole(text: &str, field: &str, desk: &mut Desk<'_>) -> Option<Regex> {
    regex(&format!("^(?:{text})$"), true, field, desk)
}

fn regex(text: &str, unicode: bool, field: &str, desk: &mut Desk<'_>) -> Option<Regex> {
    match RegexBuilder::new(text).unicode(unicode).size_limit(PATTERN_BYTES_MAX).build() {
        Ok(regex) if regex.is_match(b"") => {
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

fn run_examples(
    redactor: &Redactor,
    rule: usize,
    hits: &[Example],
    misses: &[Example],
    problems: &mut Vec<RuleProblem>,
) {
    let summary = &redactor.summaries[rule];
    let file = summary.file.as_str().into();
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
