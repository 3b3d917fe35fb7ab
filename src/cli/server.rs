//! Commands that talk to a running recorder through its console.

use crate::cli::recorder::{ConsoleArg, who};
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::config::StateFolder;
use crate::review::human_us;
use clap::Args;
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    console: ConsoleArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct EnableArgs {
    /// The integration to mirror
    integration: String,
    /// Share of calls to mirror, "10%"; ends a ramp [default: as it was]
    #[arg(long, value_name = "PERCENT")]
    sample: Option<String>,
    /// Let a held ramp rise again
    #[arg(long, conflicts_with = "sample")]
    resume_ramp: bool,
    /// Why; kept in the history
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    console: ConsoleArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct StopArgs {
    /// The integration to stop
    #[arg(required_unless_present = "all")]
    integration: Option<String>,
    /// Stop every integration
    #[arg(long, conflicts_with = "integration")]
    all: bool,
    /// Why; kept in the history
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    console: ConsoleArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct SignOffArgs {
    /// The integration
    integration: String,
    /// Whose name it stands under
    #[arg(long)]
    who: String,
    /// The rules that were looked at: refused if others are in force
    #[arg(long, value_name = "HASH")]
    rules_hash: Option<String>,
    #[command(flatten)]
    console: ConsoleArg,
    #[command(flatten)]
    output: OutputArg,
}

/// Vouches for the redaction rules in force on a running recorder.
pub(crate) fn sign_off(args: &SignOffArgs) -> Done {
    let body = json!({ "who": args.who, "rules_hash": args.rules_hash });
    let path = format!("/api/v1/integrations/{}/sign-off", segment(&args.integration)?);
    let state = args.console.call(Method::POST, &path, Some(body))?;
    let text = format!("{} signed off the redaction rules of {}", args.who, args.integration);
    tell(args.output, &state, &text)
}

pub(crate) fn status(args: &StatusArgs) -> Done {
    let status = args.console.call(Method::GET, "/api/v1/status", None)?;
    match args.output.output {
        Output::Json => print::json(&status),
        Output::Text => print::data(&status_text(&status)),
    }
}

pub(crate) fn enable(args: &EnableArgs) -> Done {
    let path = format!("/api/v1/integrations/{}/start", segment(&args.integration)?);
    let mut body = json!({ "who": who(), "reason": args.reason });
    if let Some(sample) = &args.sample {
        body["sample"] = json!(sample);
    }
    if args.resume_ramp {
        body["resume_ramp"] = json!(true);
    }
    let state = args.console.call(Method::POST, &path, Some(body))?;
    tell(args.output, &state, &format!("mirroring of {} is on", args.integration))
}

pub(crate) fn stop(args: &StopArgs) -> Done {
    let body = json!({ "who": who(), "reason": args.reason });
    let (path, text) = match &args.integration {
        Some(name) => {
            (format!("/api/v1/integrations/{}/stop", segment(name)?), format!("mirroring of {name} is stopped"))
        }
        None => ("/api/v1/stop-all".to_owned(), "mirroring of every integration is stopped".to_owned()),
    };
    match args.console.call(Method::POST, &path, Some(body)) {
        Ok(state) => tell(args.output, &state, &text),
        // A stop must work when the console does not, and when it asks for a token that is not at hand: the recorder
        // watches its state folder, and whoever may write there may stop.
        Err(call) if call.not_allowed || call.failure.code == 4 => stop_by_file(args, &call.failure),
        Err(call) => Err(call.failure),
    }
}

fn stop_by_file(args: &StopArgs, failure: &Failure) -> Done {
    let neither = |why: String| Failure {
        code: failure.code,
        text: format!("{}\nand no STOP file could be left: {why}", failure.text),
    };
    let loaded = args.console.config.load().map_err(|problems| neither(problems.text))?;
    let path = &loaded.config.store.path;
    if !path.exists() {
        return Err(neither(format!("{} does not exist, so no recorder runs on it", path.display())));
    }
    let folder = StateFolder::open(path).map_err(|error| neither(error.to_string()))?;
    folder.stop(args.integration.as_deref()).map_err(|error| neither(error.to_string()))?;
    print::talk(&format!(
        "{}\nleft a STOP file in {}: a recorder on this database stops at once; remove the file to start again",
        failure.text,
        folder.path().display()
    ));
    Ok(())
}

fn tell(output: OutputArg, state: &Value, text: &str) -> Done {
    match output.output {
        Output::Json => print::json(state),
        Output::Text => print::data(text),
    }
}

fn segment(integration: &str) -> Result<&str, Failure> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match !integration.is_empty() && integration.bytes().all(fits) {
        true => Ok(integration),
        false => Err(Failure::usage(format!(
            "{integration:?} cannot be an integration's name; names are lower-case letters, digits and _"
        ))),
    }
}

fn status_text(status: &Value) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "integration",
        "state",
        "sample",
        "calls",
        "mirrored",
        "not mirrored",
        "recorded",
        "last change",
    ]);
    for one in status["integrations"].as_array().into_iter().flatten() {
        let ledger = &one["ledger"];
        table.add_row([
            words(&one["name"]),
            words(&one["state"]),
            words(&one["sample"]),
            words(&ledger["arrived"]),
            sum(&ledger["mirrored"]).to_string(),
            sum(&ledger["not_mirrored"]).to_string(),
            words(&one["recorded"]),
            format!("{} {}", words(&one["changed_by"]), words(&one["reason"])),
        ]);
    }
    let mut text = table.to_string();
    for one in status["integrations"].as_array().into_iter().flatten() {
        for line in share_lines(one).into_iter().chain(delay_line(one)).chain(redaction_lines(one)) {
            text.push_str(&format!("\n{}: {line}", words(&one["name"])));
        }
    }
    let problems: Vec<String> = status["recorder"]["problems"].as_array().into_iter().flatten().map(words).collect();
    let refused = sum(&status["refused_requests"]);
    if refused > 0 {
        text.push_str(&format!("\nrefused: {refused} requests that belong to no integration"));
    }
    if !problems.is_empty() {
        text.push_str(&format!("\nproblems: {}", problems.join("; ")));
    }
    text
}

/// What an integration's one figure does not say: its ramp and its endpoints' own shares.
fn share_lines(one: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let ramp = &one["ramp"];
    if ramp.is_object() {
        let days = |key: &str| format!("{:.1}", ramp[key].as_f64().unwrap_or_default() / 86_400.0);
        let (from, to, state) = (words(&ramp["from"]), words(&ramp["to"]), words(&ramp["state"]));
        let (passed, over) = (days("passed_s"), days("over_s"));
        let mut line = format!("ramp {from} -> {to}, {state} at {}, {passed} of {over} days", words(&one["sample"]));
        if ramp["held_because"].is_string() {
            line.push_str(&format!(
                ", since {} because {}; go on with `enable --resume-ramp`",
                words(&ramp["held_at"]),
                words(&ramp["held_because"])
            ));
        }
        lines.push(line);
    }
    let shares = one["shares"].as_array().into_iter().flatten();
    let shares: Vec<String> = shares.map(|s| format!("{} {}", words(&s["endpoint"]), words(&s["share"]))).collect();
    if !shares.is_empty() {
        lines.push(format!("shares {}", shares.join(", ")));
    }
    lines
}

/// What the recorder takes of the application's time.
fn delay_line(one: &Value) -> Option<String> {
    let added = &one["added_delay"];
    let (p99_us, calls) = (added["p99_us"].as_u64()?, words(&added["calls"]));
    Some(format!("added delay, there and back: at most {} for 99 of 100 calls, from {calls} calls", human_us(p99_us)))
}

/// What rules found and where, and bodies that were not kept.
fn redaction_lines(one: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(alarm) = one["redaction_alarm"].as_str() {
        lines.push(format!("ALARM {alarm}"));
    }
    for failure in one["rules"]["self_check_failures"].as_array().into_iter().flatten() {
        lines.push(format!("SELF-CHECK FAILED, no body is stored: a planted {}", words(failure)));
    }
    if let Some(who) = one["signed_off"]["who"].as_str() {
        lines.push(format!("rules signed off by {who}, {}", words(&one["signed_off"]["at"])));
    }
    let places = one["redaction_places"].as_array().into_iter().flatten();
    let places: Vec<String> = places
        .map(|p| format!("{} {} ({} {})", words(&p["rule"]), words(&p["count"]), words(&p["side"]), words(&p["part"])))
        .collect();
    if !places.is_empty() {
        lines.push(format!("redacted {}", places.join(", ")));
    }
    for (what, counts) in [("bodies", &one["body_dropped"]), ("parts of bodies", &one["part_dropped"])] {
        let counts = counts.as_object().into_iter().flatten().filter(|(_, count)| count.as_u64() > Some(0));
        let counts: Vec<String> = counts.map(|(reason, count)| format!("{reason} {count}")).collect();
        if !counts.is_empty() {
            lines.push(format!("{what} not kept: {}", counts.join(", ")));
        }
    }
    lines
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().into_iter().flat_map(|map| map.values()).filter_map(Value::as_u64).sum()
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_added_delay_is_told_once_enough_calls_are_measured() {
        let mut one = json!({ "added_delay": { "p50_us": 60, "p99_us": 210, "calls": 1_000 } });
        let line = "added delay, there and back: at most 210 µs for 99 of 100 calls, from 1000 calls";
        assert_eq!(delay_line(&one).as_deref(), Some(line));
        one["added_delay"] = Value::Null;
        assert_eq!(delay_line(&one), None);
    }
}
