//! `darklaunch review`: the go-live review of one integration.

use crate::cli::read::{StoreArg, review_failure, since_us};
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::exchange::Clock;
use crate::review::{Review, Settings, Verdict};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct ReviewArgs {
    /// The integration
    integration: String,
    /// Only the last so long, "14d"
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// Also write the review as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn review(args: &ReviewArgs) -> Done {
    let settings = settings(&args.store, &args.integration)?;
    let reader = args.store.reader()?;
    let since = since_us(args.since.as_deref())?.map(|us| us / 1_000_000);
    let now = Clock.unix_us() / 1_000_000;
    let review = Review::build(&reader, &args.integration, since, now, &settings).map_err(review_failure)?;
    if let Some(path) = &args.html {
        print::file(path, review.to_html().as_bytes())?;
    }
    match args.output.output {
        Output::Json => print::json(&review.to_json())?,
        Output::Text => print::data(&review.to_text())?,
    }
    match review.verdict {
        Verdict::Go => Ok(()),
        Verdict::NoGo => Err(Failure::no("NO-GO")),
        Verdict::CannotSay => Err(Failure::cannot_say("CANNOT SAY")),
    }
}

/// The thresholds of the configuration; the defaults where only a file is named.
pub(crate) fn settings(store: &StoreArg, integration: &str) -> Result<Settings, Failure> {
    if !store.is_configured() {
        return Ok(Settings::default());
    }
    let loaded = store.load()?;
    let one = loaded.config.integrations.into_iter().find(|one| one.name == integration);
    // Recorded earlier and no longer configured: the defaults.
    Ok(one.map(|one| one.review).unwrap_or_default())
}
