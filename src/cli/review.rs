//! `darklaunch review`: the go-live review of one integration.

use crate::cli::read::{StoreArg, review_failure, since_us};
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::config;
use crate::exchange::Clock;
use crate::review::{Review, Settings, Verdict, lint};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

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
    /// Instead of the review: what the recording disproves of these resilience4j or Polly settings
    #[arg(long, value_name = "FILE", conflicts_with = "html")]
    lint: Option<PathBuf>,
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
    if let Some(path) = &args.lint {
        return lint_file(path, &review, args.output.output);
    }
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

fn lint_file(path: &Path, review: &Review, output: Output) -> Done {
    let bytes = config::read_document(path).map_err(Failure::usage)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{} is not UTF-8", path.display())))?;
    let found = lint(&text, review).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    if output == Output::Json {
        let findings =
            found.iter().map(|one| json!({ "line": one.line, "key": one.key, "value": one.value, "says": one.says }));
        print::json(&json!({ "file": path.display().to_string(), "findings": findings.collect::<Vec<_>>() }))?;
    } else {
        for one in &found {
            print::data(&format!("{}:{}: {} = {}: {}", path.display(), one.line, one.key, one.value, one.says))?;
        }
    }
    match found.len() {
        0 => {
            print::talk("the recording disproves nothing of it");
            Ok(())
        }
        some => Err(Failure::no(format!("{some} settings are disproved by the recording"))),
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
