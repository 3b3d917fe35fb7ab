//! Commands that read the database: they need no running recorder.

use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, print};
use crate::config::{self, Loaded};
use crate::exchange::Clock;
use crate::review::{LatencyReport, ReviewError};
use crate::store::Reader;
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
