//! Commands that read the database: they need no running recorder.

use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, gate, print};
use crate::config::{self, Loaded};
use crate::exchange::Clock;
use crate::latency::{LogLine, Phase, write_interval_log};
use crate::review::{LatencyReport, ReviewError};
use crate::store::{Reader, SeriesFilter, StoredInterval};
use clap::Args;
use std::path::PathBuf;

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
    /// Also where the time went: waiting, connecting, first byte, new connections, difference to the primary
    #[arg(long)]
    phases: bool,
    /// Also draw the percentile curves
    #[arg(long)]
    curve: bool,
    /// Also write every interval as an HdrHistogram log
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn latency(args: &LatencyArgs) -> Done {
    let reader = args.store.reader()?;
    let what_if_us = args.what_if.iter().map(|text| duration_us(text)).collect::<Result<Vec<_>, _>>()?;
    let since_unix_s = since_us(args.since.as_deref())?.map(|us| us / 1_000_000);
    let names = reader.endpoints(&args.integration).map_err(Failure::usage)?;
    gate::pass_endpoints(&gate::rules(&args.store)?, &args.integration, &names)?;
    let report = LatencyReport::build(&reader, &args.integration, args.endpoint.as_deref(), since_unix_s, &what_if_us)
        .map_err(review_failure)?;
    if let Some(path) = &args.hlog {
        let filter =
            SeriesFilter { integration: args.integration.clone(), endpoint: args.endpoint.clone(), since_unix_s };
        print::file(path, &interval_log(&reader, &filter)?)?;
    }
    if args.output.output == Output::Json {
        return print::json(&report.to_json());
    }
    let mut text = report.to_text();
    if args.phases {
        text.push_str(&format!("\n{}", report.phases_text()));
    }
    if args.curve {
        text.push_str(&format!("\n{}", report.curves_text()));
    }
    print::data(&text)
}

/// Every interval's total times, tagged with endpoint, provider and outcome.
fn interval_log(reader: &Reader, filter: &SeriesFilter) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let written: Result<(), Box<dyn std::error::Error>> = write_interval_log(&mut out, |line| {
        Ok(reader.each_interval(
            filter,
            |key| key.phase == Phase::Total,
            |key, one| {
                let tag = format!("{} {} {}", key.endpoint, key.role.name(), key.outcome.name());
                let StoredInterval { start_unix_s, length_s, series, .. } = &one;
                line(LogLine { tag: &tag, start_unix_s: *start_unix_s, length_s: *length_s, series });
            },
        )?)
    });
    written.map_err(Failure::usage)?;
    Ok(out)
}

pub(crate) fn review_failure(error: ReviewError) -> Failure {
    match error.is_too_little_data() {
        true => Failure::cannot_say(error),
        false => Failure::usage(error),
    }
}

pub(crate) fn duration_us(text: &str) -> Result<u64, Failure> {
    let ms =
        config::duration_ms(text).map_err(|bad| Failure::usage(format!("{text:?} {}; {}", bad.text, bad.remedy)))?;
    Ok(ms.saturating_mul(1_000))
}

pub(crate) fn since_us(text: Option<&str>) -> Result<Option<i64>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let back = i64::try_from(duration_us(text)?).map_err(|_| Failure::usage(format!("{text} is too long ago")))?;
    Ok(Some(Clock.unix_us().saturating_sub(back)))
}
