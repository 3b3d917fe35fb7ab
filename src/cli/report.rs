//! `darklaunch report`, what happened since; and `darklaunch alerts`, for Prometheus and Grafana.

use crate::cli::read::{StoreArg, duration_us, review_failure};
use crate::cli::review::settings;
use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, print};
use crate::exchange::Clock;
use crate::review::{Daily, alert_rules, daily_page, dashboard};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The integration [default: all that are recorded]
    integration: Option<String>,
    /// How long back, "24h" or "7d"
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    since: String,
    /// Also write the report as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct AlertsArgs {
    /// Write a Grafana dashboard of this integration instead of the alert rules of all
    #[arg(long, value_name = "INTEGRATION")]
    dashboard: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

pub(crate) fn report(args: &ReportArgs) -> Done {
    let reader = args.store.reader()?;
    let length_s = i64::try_from(duration_us(&args.since)? / 1_000_000).unwrap_or(i64::MAX);
    let now = Clock.unix_us() / 1_000_000;
    let names = match &args.integration {
        Some(name) => vec![name.clone()],
        None => reader.integrations().map_err(Failure::usage)?,
    };
    let mut all = Vec::new();
    for name in &names {
        let thresholds = settings(&args.store, name)?;
        all.push(Daily::build(&reader, name, now, length_s, &thresholds).map_err(review_failure)?);
    }
    if let Some(path) = &args.html {
        print::file(path, daily_page(&all).as_bytes())?;
    }
    match args.output.output {
        Output::Json => {
            print::json(
                &json!({ "schema": "darklaunch.report/v1", "integrations": all.iter().map(Daily::to_json).collect::<Vec<_>>() }),
            )?;
        }
        Output::Text => print::data(&all.iter().map(Daily::to_text).collect::<Vec<_>>().join("\n"))?,
    }
    match all.iter().all(|one| one.calls() == 0) {
        true => Err(Failure::cannot_say(format!("no call to a new provider in the last {}", args.since))),
        false => Ok(()),
    }
}

pub(crate) fn alerts(args: &AlertsArgs) -> Done {
    let config = args.config.load()?.config;
    let all: Vec<_> = config.integrations.into_iter().map(|one| (one.name, one.review)).collect();
    let Some(wanted) = &args.dashboard else { return print::data(&alert_rules(&all, config.alerts.times)) };
    match all.iter().find(|(name, _)| name == wanted) {
        Some((name, settings)) => print::json(&dashboard(name, settings)),
        None => {
            let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            Err(Failure::usage(format!("no integration is called {wanted:?}; configured are: {}", names.join(", "))))
        }
    }
}
