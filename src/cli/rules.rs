//! `rules`: what the redaction rules are, whether they hold, and why they do what they do with a text.

use crate::cli::server::{self, SignOffArgs};
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::config;
use crate::redact::{Decision, PseudonymKey, Redactor, RuleFile, Settings, Verdict, builtin};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Args, Clone)]
pub(crate) struct RulesArg {
    /// Folder of rule files [default: the built-in rules]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// File that holds the key of the pseudonyms [default: a key for this call only]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Strict: keep only values at these paths (`id`, `data.*.status`, `**.currency`), mask everything else
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    keep: Option<Vec<String>>,
}

#[derive(Subcommand)]
pub(crate) enum RulesCommand {
    /// The rules, with what they look for and why
    List {
        #[command(flatten)]
        rules: RulesArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Say of each candidate in a document which rule took it, or why not; no value is shown unless asked for
    Test {
        /// The document; `-` for stdin
        file: PathBuf,
        /// What it holds [default: by the file's ending]
        #[arg(long, value_name = "TYPE")]
        content_type: Option<String>,
        /// Show the values and what replaces them
        #[arg(long)]
        show_values: bool,
        #[command(flatten)]
        rules: RulesArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Vouch by name for the rules that a running recorder has in force; void when they change
    SignOff(SignOffArgs),
    /// Compile the rules and run their own examples
    Check {
        #[command(flatten)]
        rules: RulesArg,
        #[command(flatten)]
        output: OutputArg,
    },
}

pub(crate) fn rules(command: &RulesCommand) -> Done {
    match command {
        RulesCommand::SignOff(args) => server::sign_off(args),
        RulesCommand::List { rules, output } => list(&redactor(rules)?, *output),
        RulesCommand::Check { rules, output } => check(rules, *output),
        RulesCommand::Test { file, content_type, show_values, rules, output } => {
            let content_type = content_type.as_deref().unwrap_or_else(|| by_ending(file));
            test(&redactor(rules)?, file, content_type, *show_values, *output)
        }
    }
}

/// The content type that a file's ending suggests; without one, the content decides.
fn by_ending(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "json" => "application/json",
        "ndjson" | "jsonl" => "application/x-ndjson",
        "xml" => "application/xml",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "form" => "application/x-www-form-urlencoded",
        "graphql" | "gql" => "application/graphql",
        "txt" | "log" => "text/plain",
        _ => "",
    }
}

fn test(redactor: &Redactor, file: &Path, content_type: &str, show_values: bool, output: OutputArg) -> Done {
    let document = config::read_document(file).map_err(Failure::usage)?;
    let decisions = redactor.explain(content_type, &document).map_err(|reason| {
        Failure::no(format!(
            "{}: dropped: {}; the recorder would keep this body's metadata only",
            file.display(),
            reason.name()
        ))
    })?;
    if output.output == Output::Json {
        let list: Vec<_> = decisions.iter().map(|decision| decision_json(decision, show_values)).collect();
        return print::json(
            &json!({ "schema": "darklaunch.rules_test/v1", "hash": redactor.hash(), "decisions": list }),
        );
    }
    let mut table = Table::new();
    let mut head = vec!["rule", "characters", "decision"];
    head.extend(show_values.then_some("value"));
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(head);
    for decision in &decisions {
        let what = match &decision.verdict {
            Verdict::Replaced(fresh) if show_values => format!("replaced by {fresh}"),
            Verdict::Replaced(_) => "replaced".to_owned(),
            Verdict::Left(doubt) => format!("left: {}", doubt.words()),
        };
        let mut row = vec![decision.rule.to_string(), decision.value.chars().count().to_string(), what];
        row.extend(show_values.then(|| decision.value.clone()));
        table.add_row(row);
    }
    let replaced = decisions.iter().filter(|decision| matches!(decision.verdict, Verdict::Replaced(_))).count();
    let hint = if show_values { "" } else { "; --show-values shows them" };
    print::data(&format!("{table}\n{replaced} values replaced, {} candidates left{hint}", decisions.len() - replaced))
}

fn decision_json(decision: &Decision, show_values: bool) -> serde_json::Value {
    let (verdict, fresh) = match &decision.verdict {
        Verdict::Replaced(fresh) => ("replaced", Some(fresh.as_str())),
        Verdict::Left(doubt) => (doubt.name(), None),
    };
    let mut value = json!({ "rule": decision.rule, "characters": decision.value.chars().count(), "verdict": verdict });
    if show_values {
        value["value"] = json!(decision.value);
        value["replaced_by"] = json!(fresh);
    }
    value
}

fn list(redactor: &Redactor, output: OutputArg) -> Done {
    let rules = redactor.rules();
    if output.output == Output::Json {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| {
                json!({ "id": rule.id, "type": rule.kind, "action": rule.action, "why": rule.why, "file": rule.file, "hits": rule.hits, "misses": rule.misses })
            })
            .collect();
        return print::json(&json!({ "schema": "darklaunch.rules/v1", "hash": redactor.hash(), "rules": rules }));
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["rule", "type", "action", "file", "why"]);
    for rule in rules {
        table.add_row([&rule.id[..], rule.kind, rule.action, &rule.file[..], &rule.why[..]]);
    }
    print::data(&format!("{table}\n{} rules, hash {}", rules.len(), redactor.hash()))
}

fn check(rules: &RulesArg, output: OutputArg) -> Done {
    let problems = match Redactor::compile(&files(rules)?, once()?, Settings::default()) {
        Ok(redactor) => {
            let examples: usize = redactor.rules().iter().map(|rule| rule.hits + rule.misses).sum();
            let count = redactor.rules().len();
            return match output.output {
                Output::Json => print::json(&json!({
                    "schema": "darklaunch.rules_check/v1", "rules": count, "examples": examples, "problems": [],
                })),
                Output::Text => print::data(&format!("{count} rules, {examples} examples: all as they should be")),
            };
        }
        Err(problems) => problems,
    };
    if output.output == Output::Json {
        let list: Vec<_> = problems.iter().map(ToString::to_string).collect();
        print::json(&json!({ "schema": "darklaunch.rules_check/v1", "problems": list }))?;
    }
    Err(Failure::usage(lines(&problems)))
}

/// A key nobody keeps, for what only asks whether rules match.
pub(crate) fn once() -> Result<PseudonymKey, Failure> {
    config::key_for_once().map(PseudonymKey::new).map_err(|error| Failure::no(error.to_string()))
}

/// The redactor that the arguments describe.
pub(crate) fn redactor(args: &RulesArg) -> Result<Redactor, Failure> {
    let key = match &args.key {
        Some(file) => config::key_from_file(file).map_err(Failure::usage)?,
        None => config::key_for_once().map_err(|error| Failure::no(error.to_string()))?,
    };
    let settings = Settings { kept_paths: args.keep.clone(), ..Settings::default() };
    Redactor::compile(&files(args)?, PseudonymKey::new(key), settings)
        .map_err(|problems| Failure::usage(lines(&problems)))
}

fn files(args: &RulesArg) -> Result<Vec<RuleFile>, Failure> {
    match &args.rules {
        Some(folder) => config::read_folder(folder).map_err(Failure::usage),
        None => Ok(builtin()),
    }
}

fn lines<T: ToString>(problems: &[T]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
