//! What was recorded: list, show, follow, forget.

use crate::cli::read::{StoreArg, duration_us, since_us};
use crate::cli::recorder::who;
use crate::cli::{Done, Failure, Output, OutputArg, canary, gate, print};
use crate::exchange::{CaptureId, Clock, DropReason, FailureKind, Outcome};
use crate::store::{
    CaptureFilter, CaptureSummary, Erasure, ExchangeSummary, Reader, StoredBody, StoredCapture, StoredExchange, Upkeep,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};
use std::io::Read;
use std::time::Duration;

/// How often `tail` looks for new recordings.
const TAIL_LOOK: Duration = Duration::from_millis(500);
/// The longest value of a person, bytes.
const SUBJECT_BYTES_MAX: u64 = 4_096;

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
    /// The newest, and then each as it is stored, until interrupted; as JSON, one a line
    Tail {
        /// End after the newest instead of waiting for more
        #[arg(long)]
        once: bool,
        #[command(flatten)]
        filter: FilterArgs,
        /// The newest to begin with
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
        lines: u16,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Forget a person: remove every recording that holds the value in a field that rules designate for it
    ///
    /// Rows and bodies are deleted and their pages overwritten, also those freed before; the write-ahead log is emptied.
    /// A receipt without the value stays, by which `darklaunch store check` proves that the bytes are gone, here and in
    /// backups made afterwards. Recordings still on their way while this runs are found by running it again.
    Erase {
        /// A value of the person: an e-mail address, a customer number; `-` reads it from stdin, so that no shell keeps it
        #[arg(long, value_name = "VALUE")]
        subject: String,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
}

/// Which recordings.
#[derive(Args)]
pub(crate) struct FilterArgs {
    /// Only this integration
    #[arg(long)]
    integration: Option<String>,
    /// Only this endpoint
    #[arg(long)]
    endpoint: Option<String>,
    /// Only this outcome of the shadow: ok, ok_but_error, client_4xx, throttled_429, server_5xx, network_error, timeout,
    /// aborted, or unknown: in flight when the recorder died, so that the provider may have processed it
    #[arg(long)]
    outcome: Option<String>,
    /// Only calls to the shadow that took longer, "800ms"
    #[arg(long, value_name = "DURATION")]
    slower_than: Option<String>,
    /// Only those in which this redaction rule replaced something, "iban"; see darklaunch rules list
    #[arg(long, value_name = "RULE")]
    redacted: Option<String>,
    /// Only the last so long, "24h"
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
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

pub(crate) fn recordings(command: &RecordingsCommand) -> Done {
    match command {
        RecordingsCommand::List(args) => list(args),
        RecordingsCommand::Show { id, store, output } => show(CaptureId(*id), store, *output),
        RecordingsCommand::Tail { once, filter, lines, store, output } => {
            tail(&CaptureFilter { limit: usize::from(*lines), ..filter.filter()? }, *once, store, *output)
        }
        RecordingsCommand::Erase { subject, store, output } => erase(subject, store, *output),
    }
}

impl FilterArgs {
    fn filter(&self) -> Result<CaptureFilter, Failure> {
        let outcome = match &self.outcome {
            Some(name) => Some(Outcome::from_name(name).ok_or_else(|| {
                let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
                Failure::usage(format!("{name:?} is no outcome; one of {}", names.join(", ")))
            })?),
            None => None,
        };
        Ok(CaptureFilter {
            integration: self.integration.clone(),
            endpoint: self.endpoint.clone(),
            outcome,
            slower_than_us: self.slower_than.as_deref().map(duration_us).transpose()?,
            redacted_by: self.redacted.clone(),
            since_unix_us: since_us(self.since.as_deref())?,
            ..CaptureFilter::default()
        })
    }
}

fn list(args: &ListArgs) -> Done {
    let filter =
        CaptureFilter { before: args.before.map(CaptureId), limit: usize::from(args.limit), ..args.filter.filter()? };
    let reader = args.store.reader()?;
    let found = reader.captures(&filter).map_err(Failure::usage)?;
    gate::pass_summaries(&gate::rules(&args.store)?, &reader, &found)?;
    if args.output.output == Output::Json {
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

/// The newest, oldest of them first, then whatever is new each time it looks.
fn tail(filter: &CaptureFilter, once: bool, store: &StoreArg, output: OutputArg) -> Done {
    let reader = store.reader()?;
    let rules = gate::rules(store)?;
    let mut last = None;
    loop {
        let limit = if last.is_some() { 0 } else { filter.limit };
        let found = newest(&reader, &CaptureFilter { limit, ..filter.clone() }, last)?;
        gate::pass_summaries(&rules, &reader, &found)?;
        for one in found.iter().rev() {
            let line = match output.output {
                Output::Json => format!("{}\n", summary_json(one)),
                Output::Text => format!("{}\n", summary_line(one)),
            };
            if !print::streamed(&line)? {
                return Ok(());
            }
        }
        last = found.first().map(|one| one.id).or(last);
        if once {
            return Ok(());
        }
        std::thread::park_timeout(TAIL_LOOK);
    }
}

/// What is newer than `last`, newest first; without it a page.
fn newest(reader: &Reader, filter: &CaptureFilter, last: Option<CaptureId>) -> Result<Vec<CaptureSummary>, Failure> {
    let Some(last) = last else { return reader.captures(filter).map_err(Failure::usage) };
    let (mut all, mut filter) = (Vec::new(), filter.clone());
    loop {
        let page = reader.captures(&filter).map_err(Failure::usage)?;
        filter.before = page.last().map(|one| one.id);
        let end = page.is_empty() || page.iter().any(|one| one.id == last);
        all.extend(page.into_iter().take_while(|one| one.id != last));
        if end {
            return Ok(all);
        }
    }
}

fn summary_line(one: &CaptureSummary) -> String {
    let primary = one.primary.as_ref().map(answer_text).unwrap_or_default();
    let endpoint = visible(&one.endpoint);
    format!(
        "{} {} {endpoint}  {primary} | {}  {}",
        one.id,
        stamp(one.received_unix_us),
        answer_text(&one.shadow),
        one.verdict
    )
}

fn erase(subject: &str, store: &StoreArg, output: OutputArg) -> Done {
    let subject = match subject {
        "-" => from_stdin()?,
        value => value.to_owned(),
    };
    let rules = gate::rules_with_key(store, canary::key_bytes(store)?)?;
    let digests = rules.everyone().subject_digests(&subject);
    if digests.is_empty() {
        return Err(Failure::usage("no kind of personal value looks like this one: nobody can be found by it"));
    }
    let mut upkeep = Upkeep::open(&store.path()?).map_err(Failure::usage)?;
    let receipt = upkeep.erase(&digests, &who(), Clock.unix_us()).map_err(Failure::usage)?;
    match output.output {
        Output::Json => print::json(&receipt_json(&receipt))?,
        Output::Text => print::data(&receipt_text(&receipt))?,
    }
    match receipt.remains {
        0 => Ok(()),
        _ => Err(Failure::no("bytes that must be gone are still in the file or its log; run it again")),
    }
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(SUBJECT_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|why| Failure::usage(format!("cannot read the value from stdin: {why}")))?;
    match text.trim() {
        "" => Err(Failure::usage("stdin holds no value")),
        value => Ok(value.to_owned()),
    }
}

fn receipt_json(receipt: &Erasure) -> Value {
    json!({
        "schema": "darklaunch.erasure/v1",
        "receipt": receipt.id,
        "at": stamp(receipt.at_unix_us),
        "who": receipt.who,
        "captures": receipt.captures,
        "bodies": receipt.bodies,
        "remains": receipt.remains,
    })
}

fn receipt_text(receipt: &Erasure) -> String {
    format!(
        "receipt {}: {} recordings and {} bodies erased at {} by {}",
        receipt.id,
        receipt.captures,
        receipt.bodies,
        stamp(receipt.at_unix_us),
        receipt.who
    )
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
    let text = body.bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let mut value = json!({ "text": text, "seen_bytes": body.seen_bytes, "dropped": body.drop_reason });
    if let Some(bytes) = body.bytes.as_ref().filter(|_| text.is_none()) {
        value["base64"] = json!(STANDARD.encode(bytes));
    }
    value
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
    let place = |(rule, side, part, count): &(_, _, _, _)| format!("{rule} x{count} in {side} {part}");
    let hits: Vec<String> = one.hits.iter().map(place).collect();
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
        (Some(bytes), _) => match std::str::from_utf8(bytes) {
            Ok(body) => text.push_str(&format!("\n{}\n", visible(body))),
            Err(_) => text.push_str(&format!("\n  (binary body of {} bytes: --output json has it)\n", bytes.len())),
        },
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
