//! Recorded answers as fixtures for the tools that people already use.

use crate::cli::read::{StoreArg, duration_us, since_us};
use crate::cli::{Done, Failure, Output, OutputArg, canary, gate, print};
use crate::exchange::{CaptureId, Outcome};
use crate::fixtures::{Delay, ExportError, ExportRequest, Format, Manifest, export as export_fixtures};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Which captures become fixtures.
#[derive(Args, Clone)]
pub(crate) struct ChoiceArgs {
    /// The most successful answers per endpoint: of each status and shape of JSON the newest, the largest, the one of median
    /// size; every distinct failure is kept besides
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    per_endpoint: u16,
    /// Only the last so long, "7d"
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// Only answers of this outcome
    #[arg(long, value_parser = PossibleValuesParser::new(Outcome::ALL.map(Outcome::name)))]
    outcome: Option<String>,
    /// Only answers that took longer than this, "500ms"
    #[arg(long, value_name = "DURATION")]
    slower_than: Option<String>,
    /// These captures and no others, by their ids with commas
    #[arg(long, value_name = "ID,ID", value_delimiter = ',', conflicts_with_all = ["since", "outcome", "slower_than"])]
    ids: Vec<Uuid>,
}

impl ChoiceArgs {
    /// What is asked for, with everything else as by default.
    pub(crate) fn request(&self, integration: &str) -> Result<ExportRequest, Failure> {
        Ok(ExportRequest {
            integration: integration.to_owned(),
            per_endpoint: usize::from(self.per_endpoint),
            since_unix_us: since_us(self.since.as_deref())?,
            outcome: self.outcome.as_deref().and_then(Outcome::from_name),
            slower_than_us: self.slower_than.as_deref().map(duration_us).transpose()?,
            ids: self.ids.iter().map(|id| CaptureId(*id)).collect(),
            ..ExportRequest::default()
        })
    }
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The integration
    integration: String,
    /// The tool the fixtures are for
    #[arg(long, value_parser = PossibleValuesParser::new(Format::ALL.map(Format::name)))]
    format: String,
    /// Folder to write; an existing one is replaced only if it is an export of ours
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// How long a fixture waits before it answers
    #[arg(long, value_enum, default_value_t = DelayArg::Recorded)]
    delay: DelayArg,
    /// Scheme and host of the requests, for har, vcrpy and openapi [default: INTEGRATION.test, over http]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Ask the written files for every recorded request; unless each is answered as recorded, nothing is kept
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum DelayArg {
    /// As long as the recorded call took
    Recorded,
    /// Drawn anew for each call from a lognormal shape of the endpoint's latencies; where none fits, as recorded
    Distribution,
    /// Not at all
    None,
}

pub(crate) fn export(args: &ExportArgs) -> Done {
    let reader = args.store.reader()?;
    let rules = gate::rules(&args.store)?;
    let canaries = canary::known(&args.store, &reader)?;
    let format = Format::from_name(&args.format).ok_or_else(|| Failure::usage("unknown format"))?;
    let request = ExportRequest {
        out: args.out.clone(),
        format,
        delay: match args.delay {
            DelayArg::Recorded => Delay::Recorded,
            DelayArg::Distribution => Delay::Distribution,
            DelayArg::None => Delay::None,
        },
        base_url: args.base_url.clone(),
        check: args.check,
        ..args.choice.request(&args.integration)?
    };
    let manifest =
        export_fixtures(&reader, rules.of(&args.integration), canaries.as_ref(), &request).map_err(export_failure)?;
    if canaries.is_none() {
        print::talk("the key of the canaries is not known here: they were not looked for");
    }
    match args.output.output {
        Output::Json => print::json(&manifest.to_json()),
        Output::Text => print::data(&manifest_text(&manifest, &args.out, args.check)),
    }
}

/// The failure of an export, or of what is like one.
pub(crate) fn export_failure(error: ExportError) -> Failure {
    match error {
        ExportError::Residue { .. } | ExportError::Check { .. } => Failure::no(error.to_string()),
        error if error.is_too_little_data() => Failure::cannot_say(error),
        other => Failure::usage(other),
    }
}

fn manifest_text(manifest: &Manifest, out: &Path, checked: bool) -> String {
    let mut text = String::new();
    for (endpoint, count) in manifest.per_endpoint() {
        text.push_str(&format!("{count:>4}  {endpoint}\n"));
    }
    for delay in &manifest.delays {
        text.push_str(&format!("delay of {delay}\n"));
    }
    for skipped in &manifest.skipped {
        text.push_str(&format!("skipped {} of {}: {}\n", skipped.captures, skipped.endpoint, skipped.reason));
    }
    for warning in &manifest.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    if checked {
        text.push_str(&format!(
            "{} recorded requests were answered by the files as recorded\n",
            manifest.fixtures.len()
        ));
    }
    text.push_str(&format!(
        "{} fixtures in {}; load them with: {}",
        manifest.fixtures.len(),
        out.display(),
        manifest.command()
    ));
    text
}
