//! `redact` and `rules`: the recorder's own redaction, at the command line.

use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::config;
use crate::redact::{PseudonymKey, Redactor, RuleFile, Settings, builtin};
use base64::Engine;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::{BufRead, Read, Write};
use std::path::PathBuf;

/// A document or a line larger than this is refused, in bytes.
const INPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Args, Clone)]
pub(crate) struct RulesArg {
    /// Folder of rule files [default: the built-in rules]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// File that holds the key of the pseudonyms [default: a key for this call only]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct RedactArgs {
    #[command(flatten)]
    rules: RulesArg,
    /// What stdin holds
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// One document a line: {"id","content_type","body"} in, {"id","body"} or {"id","dropped":true,"reason"} out
    #[arg(long)]
    jsonl: bool,
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
    /// Compile the rules and run their own examples
    Check {
        #[command(flatten)]
        rules: RulesArg,
        #[command(flatten)]
        output: OutputArg,
    },
}

pub(crate) fn redact(args: &RedactArgs) -> Done {
    let redactor = redactor(&args.rules)?;
    match args.jsonl {
        true => redact_lines(&redactor),
        false => redact_document(&redactor, &args.content_type),
    }
}

fn redact_document(redactor: &Redactor, content_type: &str) -> Done {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_end(&mut input);
    read.map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?;
    if input.len() as u64 > INPUT_BYTES_MAX {
        return Err(Failure::no(format!("stdin holds more than {INPUT_BYTES_MAX} bytes: nothing was written")));
    }
    match redactor.body(content_type, &input) {
        Ok(body) => write_out(&body),
        Err(reason) => {
            Err(Failure::no(format!("dropped: {}; the recorder would keep this body's metadata only", reason.name())))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: serde_json::Value,
    content_type: String,
    body: String,
    /// How `body` is written: as text, or as base64 of the bytes.
    #[serde(default)]
    encoding: Encoding,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Text,
    Base64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Redacted {
    Body { id: serde_json::Value, body: String },
    Dropped { id: serde_json::Value, dropped: bool, reason: &'static str },
}

fn redact_lines(redactor: &Redactor) -> Done {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = input.by_ref().take(INPUT_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::usage(format!("line {number}: cannot read stdin: {error}")))?;
        if read == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        // The parser's own text may quote the input, so only its place is told.
        let parsed: Line = serde_json::from_slice(&line).map_err(|error| {
            Failure::usage(format!(
                "line {number}, column {}: not {{\"id\",\"content_type\",\"body\"}} as one JSON object",
                error.column()
            ))
        })?;
        let mut text =
            serde_json::to_vec(&redact_line(redactor, parsed)).map_err(|error| Failure::no(error.to_string()))?;
        text.push(b'\n');
        write_out(&text)?;
    }
    Ok(())
}

fn redact_line(redactor: &Redactor, line: Line) -> Redacted {
    let dropped = |id, reason| Redacted::Dropped { id, dropped: true, reason };
    let bytes = match line.encoding {
        Encoding::Text => line.body.into_bytes(),
        Encoding::Base64 => match base64::engine::general_purpose::STANDARD.decode(&line.body) {
            Ok(bytes) => bytes,
            Err(_) => return dropped(line.id, "undecodable"),
        },
    };
    match redactor.body(&line.content_type, &bytes) {
        Ok(body) => match String::from_utf8(body.into_inner()) {
            Ok(body) => Redacted::Body { id: line.id, body },
            Err(_) => dropped(line.id, "not_text"),
        },
        Err(reason) => dropped(line.id, reason.name()),
    }
}

fn write_out(bytes: &[u8]) -> Done {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::no(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn rules(command: &RulesCommand) -> Done {
    match command {
        RulesCommand::List { rules, output } => list(&redactor(rules)?, *output),
        RulesCommand::Check { rules, output } => check(rules, *output),
    }
}

fn list(redactor: &Redactor, output: OutputArg) -> Done {
    let rules = redactor.rules();
    if output.output == Output::Json {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| {
                json!({ "id": rule.id, "type": rule.kind, "why": rule.why, "file": rule.file, "hits": rule.hits, "misses": rule.misses })
            })
            .collect();
        return print::json(&json!({ "schema": "darklaunch.rules/v1", "hash": redactor.hash(), "rules": rules }));
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["rule", "type", "file", "why"]);
    for rule in rules {
        table.add_row([&rule.id[..], rule.kind, &rule.file[..], &rule.why[..]]);
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

fn redactor(args: &RulesArg) -> Result<Redactor, Failure> {
    let key = match &args.key {
        Some(file) => config::key_from_file(file).map_err(Failure::usage)?,
        None => config::key_for_once().map_err(|error| Failure::no(error.to_string()))?,
    };
    Redactor::compile(&files(args)?, PseudonymKey::new(key), Settings::default())
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
