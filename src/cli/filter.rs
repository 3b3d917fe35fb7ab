//! `redact`: the recorder's own redaction as a filter from stdin to stdout.

use crate::cli::rules::{RulesArg, redactor};
use crate::cli::{Done, Failure, print};
use crate::exchange::{Clock, Instant};
use crate::redact::Redactor;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read, Write};

/// A document or a line larger than this is refused, in bytes.
const INPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Args)]
pub(crate) struct RedactArgs {
    #[command(flatten)]
    rules: RulesArg,
    /// What stdin holds
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// One document a line: {"id","content_type","body"} in, {"id","body"} or {"id","dropped":true,"reason"} out; bytes
    /// that are no text come and go with "encoding":"base64"
    #[arg(long)]
    jsonl: bool,
    /// Tell on stderr how long redaction took, reading and writing not counted
    #[arg(long)]
    timing: bool,
}

pub(crate) fn redact(args: &RedactArgs) -> Done {
    let redactor = redactor(&args.rules)?;
    let mut timing = Timing::default();
    match args.jsonl {
        true => redact_lines(&redactor, &mut timing)?,
        false => redact_document(&redactor, &args.content_type, &mut timing)?,
    }
    if args.timing {
        print::talk(&timing.text());
    }
    Ok(())
}

fn redact_document(redactor: &Redactor, content_type: &str, timing: &mut Timing) -> Done {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_end(&mut input);
    read.map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))?;
    if input.len() as u64 > INPUT_BYTES_MAX {
        return Err(Failure::no(format!("stdin holds more than {INPUT_BYTES_MAX} bytes: nothing was written")));
    }
    match timing.of(input.len(), || redactor.body(content_type, &input)) {
        Ok(body) => written(std::io::stdout().lock().write_all(&body)),
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

#[derive(Deserialize, Serialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Text,
    Base64,
}

impl Encoding {
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Redacted {
    Body {
        id: serde_json::Value,
        body: String,
        #[serde(skip_serializing_if = "Encoding::is_text")]
        encoding: Encoding,
    },
    Dropped {
        id: serde_json::Value,
        dropped: bool,
        reason: &'static str,
    },
}

fn redact_lines(redactor: &Redactor, timing: &mut Timing) -> Done {
    let mut input = std::io::BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
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
            let column = error.column();
            let shape = r#"{"id","content_type","body"}"#;
            Failure::usage(format!("line {number}, column {column}: not {shape} as one JSON object"))
        })?;
        let redacted = redact_line(redactor, parsed, timing);
        let mut text = serde_json::to_vec(&redacted).map_err(|error| Failure::no(error.to_string()))?;
        text.push(b'\n');
        written(out.write_all(&text))?;
        // Whoever talks line by line hears each answer at once.
        if input.buffer().is_empty() {
            written(out.flush())?;
        }
    }
    written(out.flush())
}

fn redact_line(redactor: &Redactor, line: Line, timing: &mut Timing) -> Redacted {
    let dropped = |id, reason| Redacted::Dropped { id, dropped: true, reason };
    let bytes = match line.encoding {
        Encoding::Text => line.body.into_bytes(),
        Encoding::Base64 => match STANDARD.decode(&line.body) {
            Ok(bytes) => bytes,
            Err(_) => return dropped(line.id, "undecodable"),
        },
    };
    let body = match timing.of(bytes.len(), || redactor.body(&line.content_type, &bytes)) {
        Ok(body) => body.into_inner(),
        Err(reason) => return dropped(line.id, reason.name()),
    };
    let (body, encoding) = match String::from_utf8(body) {
        Ok(text) => (text, Encoding::Text),
        Err(error) => (STANDARD.encode(error.as_bytes()), Encoding::Base64),
    };
    Redacted::Body { id: line.id, body, encoding }
}

/// How long redaction took.
#[derive(Default)]
struct Timing {
    bytes: u64,
    total_ns: u64,
    /// Nanoseconds per KiB of each body.
    per_kib_ns: Vec<u64>,
}

impl Timing {
    fn of<T>(&mut self, bytes: usize, work: impl FnOnce() -> T) -> T {
        let start: Instant = Clock.now();
        let done = work();
        let took = u64::try_from(Clock.now().saturating_duration_since(start).as_nanos()).unwrap_or(u64::MAX);
        self.bytes += bytes as u64;
        self.total_ns += took;
        self.per_kib_ns.push(took.saturating_mul(1024) / (bytes as u64).max(1));
        done
    }

    fn text(&mut self) -> String {
        self.per_kib_ns.sort_unstable();
        let quantile = |share: f64| {
            let at = (self.per_kib_ns.len() as f64 * share) as usize;
            self.per_kib_ns.get(at).copied().unwrap_or_default() as f64 / 1000.0
        };
        let rate = self.bytes as f64 * 1000.0 / (self.total_ns as f64).max(1.0);
        format!(
            "redacted {} bodies, {} bytes in {:.3} s: {rate:.1} MB/s; per KiB of a body {:.1} us median, {:.1} us p99; least {:.3} us",
            self.per_kib_ns.len(),
            self.bytes,
            self.total_ns as f64 / 1e9,
            quantile(0.5),
            quantile(0.99),
            quantile(0.0),
        )
    }
}

fn written(result: std::io::Result<()>) -> Done {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::no(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
