//! Commands that read the database: they need no running recorder.

use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, gate, print};
use crate::config::{self, Loaded};
use crate::exchange::{CaptureId, Clock, DropReason, FailureKind, Outcome};
use crate::fixtures::{Delay, ExportError, ExportRequest, Format, Manifest, export as export_fixtures};
use crate::review::{LatencyReport, ReviewError};
use crate::store::{CaptureFilter, CaptureSummary, ExchangeSummary, Reader, StoredBody, StoredCapture, StoredExchange};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Which database.
#[derive(Args, Clone)]
pub(crate) struct StoreArg {
    #[command(flatten)]
    config: ConfigArg,
    /// The SQLite file [default: the configuration's store.path]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

impl StoreArg {
    /// Whether a configuration is meant: one is named, or no file is.
    pub(crate) fn is_configured(&self) -> bool {
        self.store.is_none() || self.config.config.is_some()
    }

    /// The configuration.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        self.config.load()
    }

    /// The database.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        match &self.store {
            Some(path) => Ok(path.clone()),
            None => Ok(self.config.load()?.config.store.path),
        }
    }

    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        Reader::open(&self.path()?).map_err(Failure::usage)
    }
}

#[derive(Args)]
pub(crate) struct LatencyArgs {
    /// The integration
    integration: String,
    /// Only this endpoint, "GET /customers/{id}"
    #[arg(long)]
    endpoint: Option<String>,
    /// Only the last so long, "7d"
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// What share of calls a timeout would cut; may be repeated
    #[arg(long, value_name = "DURATION")]
    what_if: Vec<String>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The integration
    integration: String,
    /// The tool the fixtures are for
    #[arg(long, value_parser = ["wiremock"])]
    format: String,
    /// Folder to write; an existing one is replaced only if it is an export of ours
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Fixtures per endpoint, status and shape of the answer
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    per_endpoint: u16,
    /// How long a fixture waits before it answers
    #[arg(long, value_enum, default_value_t = Wait::Recorded)]
    delay: Wait,
    /// Only the last so long, "7d"
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Wait {
    /// As long as the recorded call took
    Recorded,
    /// Drawn anew for each call from the endpoint's recorded latencies
    Distribution,
    /// Not at all
    None,
}

#[derive(Subcommand)]
pub(crate) enum RecordingsCommand {
    /// The newest first
    List(ListArgs),
    /// Both exchanges of one capture, redacted
    Show {
        /// The capture's id
        id: uuid::Uuid,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this integration
    #[arg(long)]
    integration: Option<String>,
    /// Only this endpoint
    #[arg(long)]
    endpoint: Option<String>,
    /// Only this outcome of the shadow: ok, ok_but_error, client_4xx, throttled_429, server_5xx, network_error, timeout, aborted
    #[arg(long)]
    outcome: Option<String>,
    /// Only calls to the shadow that took longer, "800ms"
    #[arg(long, value_name = "DURATION")]
    slower_than: Option<String>,
    /// Only the last so long, "24h"
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// Only older than this capture: the last id of the page before
    #[arg(long, value_name = "ID")]
    before: Option<uuid::Uuid>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn latency(args: &LatencyArgs) -> Done {
    let reader = args.store.reader()?;
    let what_if_us = args.what_if.iter().map(|text| duration_us(text)).collect::<Result<Vec<_>, _>>()?;
    let since_unix_s = since_us(args.since.as_deref())?.map(|us| us / 1_000_000);
    let report = LatencyReport::build(&reader, &args.integration, args.endpoint.as_deref(), since_unix_s, &what_if_us)
        .map_err(review_failure)?;
    match args.output.output {
        Output::Json => print::json(&report.to_json()),
        Output::Text => print::data(&report.to_text()),
    }
}

fn review_failure(error: ReviewError) -> Failure {
    match error.is_too_little_data() {
        true => Failure::cannot_say(error),
        false => Failure::usage(error),
    }
}

pub(crate) fn export(args: &ExportArgs) -> Done {
    let reader = args.store.reader()?;
    let rules = gate::rules(&args.store)?;
    let request = ExportRequest {
        integration: args.integration.clone(),
        out: args.out.clone(),
        per_endpoint: usize::from(args.per_endpoint),
        since_unix_us: since_us(args.since.as_deref())?,
        format: Format::WireMock,
        delay: match args.delay {
            Wait::Recorded => Delay::Recorded,
            Wait::Distribution => Delay::Distribution,
            Wait::None => Delay::None,
        },
    };
    let manifest = export_fixtures(&reader, rules.of(&args.integration), &request).map_err(|error| match error {
        ExportError::Residue { .. } => Failure::no(error.to_string()),
        error if error.is_too_little_data() => Failure::cannot_say(error),
        other => Failure::usage(other),
    })?;
    match args.output.output {
        Output::Json => print::json(&manifest.to_json()),
        Output::Text => print::data(&manifest_text(&manifest, &args.out)),
    }
}

fn manifest_text(manifest: &Manifest, out: &Path) -> String {
    let mut text = String::new();
    for (endpoint, count) in manifest.per_endpoint() {
        text.push_str(&format!("{count:>4}  {endpoint}\n"));
    }
    for skipped in &manifest.skipped {
        text.push_str(&format!("skipped {} of {}: {}\n", skipped.captures, skipped.endpoint, skipped.reason));
    }
    for warning in &manifest.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text.push_str(&format!(
        "{} fixtures in {}; load them with: {}",
        manifest.fixtures.len(),
        out.display(),
        manifest.command()
    ));
    text
}

pub(crate) fn recordings(command: &RecordingsCommand) -> Done {
    match command {
        RecordingsCommand::List(args) => list(args),
        RecordingsCommand::Show { id, store, output } => show(CaptureId(*id), store, *output),
    }
}

fn list(args: &ListArgs) -> Done {
    let outcome = match &args.outcome {
        Some(name) => Some(Outcome::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
            Failure::usage(format!("{name:?} is no outcome; one of {}", names.join(", ")))
        })?),
        None => None,
    };
    let filter = CaptureFilter {
        integration: args.integration.clone(),
        endpoint: args.endpoint.clone(),
        outcome,
        slower_than_us: args.slower_than.as_deref().map(duration_us).transpose()?,
        since_unix_us: since_us(args.since.as_deref())?,
        before: args.before.map(CaptureId),
        limit: usize::from(args.limit),
        ..CaptureFilter::default()
    };
    let reader = args.store.reader()?;
    let found = reader.captures(&filter).map_err(Failure::usage)?;
    if args.output.output == Output::Json {
        gate::pass_summaries(&gate::rules(&args.store)?, &reader, &found)?;
        let list: Vec<_> = found.iter().map(summary_json).collect();
        return print::json(&json!({ "schema": "darklaunch.recordings/v1", "recordings": list }));
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["id", "received", "endpoint", "primary", "shadow", "verdict"]);
    for one in &found {
        table.add_row([
            one.id.to_string(),
            stamp(one.received_unix_us),
            one.endpoint.to_string(),
            one.primary.as_ref().map(answer_text).unwrap_or_default(),
            answer_text(&one.shadow),
            one.verdict.clone(),
        ]);
    }
    print::data(&format!("{table}\n{} recordings", found.len()))
}

fn show(id: CaptureId, store: &StoreArg, output: OutputArg) -> Done {
    let found = store.reader()?.capture(&id).map_err(Failure::usage)?;
    let capture =
        found.ok_or_else(|| Failure::no(format!("no recording has the id {id}; see darklaunch recordings list")))?;
    gate::pass(&gate::rules(store)?, &capture)?;
    match output.output {
        Output::Json => print::json(&capture_json(&capture)),
        Output::Text => print::data(&capture_text(&capture)),
    }
}

fn answer_text(answer: &ExchangeSummary) -> String {
    let status = answer.status.map_or_else(
        || answer.failure.map(FailureKind::name).unwrap_or_default().to_owned(),
        |status| status.to_string(),
    );
    format!("{status} in {}", millis(answer.total_us))
}

fn millis(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

fn stamp(unix_us: i64) -> String {
    jiff::Timestamp::from_microsecond(unix_us).map(|stamp| stamp.to_string()).unwrap_or_default()
}

fn summary_json(one: &CaptureSummary) -> Value {
    json!({
        "id": one.id.to_string(),
        "integration": one.integration,
        "endpoint": one.endpoint,
        "received_at": stamp(one.received_unix_us),
        "method": one.method,
        "target": one.target,
        "primary": one.primary.as_ref().map(exchange_json),
        "shadow": exchange_json(&one.shadow),
        "verdict": one.verdict,
    })
}

fn exchange_json(one: &ExchangeSummary) -> Value {
    json!({
        "status": one.status,
        "outcome": one.outcome.name(),
        "failure": one.failure.map(FailureKind::name),
        "ttfb_us": one.ttfb_us,
        "total_us": one.total_us,
        "body_bytes": one.body_bytes,
        "body_dropped": one.body_drop.map(DropReason::name),
    })
}

fn body_json(body: &StoredBody) -> Value {
    let text = body.bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes));
    json!({ "text": text, "seen_bytes": body.seen_bytes, "dropped": body.drop_reason })
}

fn answer_json(one: &StoredExchange) -> Value {
    let mut value = exchange_json(&one.summary);
    value["headers"] = json!(one.headers);
    value["body"] = body_json(&one.body);
    value
}

fn capture_json(one: &StoredCapture) -> Value {
    let mut value = summary_json(&one.summary);
    value["schema"] = json!("darklaunch.recording/v1");
    value["request"] = json!({ "headers": one.request_headers, "body": body_json(&one.request_body) });
    value["primary"] = one.primary.as_ref().map_or(Value::Null, answer_json);
    value["shadow"] = answer_json(&one.shadow);
    value["redacted"] = one
        .hits
        .iter()
        .map(|(rule, side, part, count)| json!({ "rule": rule, "side": side, "part": part, "count": count }))
        .collect();
    value["rules_hash"] = json!(one.rules_hash);
    value["differences"] = one
        .differences
        .iter()
        .map(|difference| json!({ "path": difference.path, "what": difference.what.name() }))
        .collect();
    value
}

fn capture_text(one: &StoredCapture) -> String {
    let summary = &one.summary;
    let mut text =
        format!("{} {}\n{} {}\n", summary.id, stamp(summary.received_unix_us), summary.method, summary.target);
    push_message(&mut text, &one.request_headers, &one.request_body);
    for (name, answer) in [("primary", one.primary.as_ref()), ("shadow", Some(&one.shadow))] {
        if let Some(answer) = answer {
            text.push_str(&format!("\n{name}: {} ({})\n", answer_text(&answer.summary), answer.summary.outcome.name()));
            push_message(&mut text, &answer.headers, &answer.body);
        }
    }
    let hits: Vec<_> = one.hits.iter().map(|(rule, _, _, count)| format!("{rule} x{count}")).collect();
    text.push_str(&format!("\nverdict: {}\nredacted: {}\n", summary.verdict, hits.join(", ")));
    for difference in &one.differences {
        text.push_str(&format!("differs: {} {}\n", difference.path, difference.what.name()));
    }
    text
}

fn push_message(text: &mut String, headers: &[(String, String)], body: &StoredBody) {
    for (name, value) in headers {
        text.push_str(&format!("  {name}: {}\n", visible(value)));
    }
    match (&body.bytes, &body.drop_reason) {
        (Some(bytes), _) => text.push_str(&format!("\n{}\n", visible(&String::from_utf8_lossy(bytes)))),
        (None, reason) => text.push_str(&format!(
            "\n  (body of {} bytes not kept: {})\n",
            body.seen_bytes,
            reason.as_deref().unwrap_or("pruned")
        )),
    }
}

/// Recorded text is hostile: control characters could drive the terminal.
fn visible(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

fn duration_us(text: &str) -> Result<u64, Failure> {
    let ms =
        config::duration_ms(text).map_err(|bad| Failure::usage(format!("{text:?} {}; {}", bad.text, bad.remedy)))?;
    Ok(ms.saturating_mul(1_000))
}

fn since_us(text: Option<&str>) -> Result<Option<i64>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let back = i64::try_from(duration_us(text)?).map_err(|_| Failure::usage(format!("{text} is too long ago")))?;
    Ok(Some(Clock.unix_us().saturating_sub(back)))
}
