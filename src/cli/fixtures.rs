//! Exported fixtures against what was recorded since.

use crate::cli::export::export_failure;
use crate::cli::read::StoreArg;
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::fixtures::{Drift, DriftReport, erased, open, verify};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum FixturesCommand {
    /// Compare a folder of fixtures with the newest recordings: fields added, removed or of another type, other statuses and
    /// latencies, forgotten persons. Exit code 1 if there is any, 3 if there are too few new recordings
    Verify(VerifyArgs),
}

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// A folder that `darklaunch export` wrote
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only tell which fixtures hold a person who was forgotten since
    #[arg(long)]
    erased: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn fixtures(command: &FixturesCommand) -> Done {
    let FixturesCommand::Verify(args) = command;
    let opened = open(&args.folder).map_err(Failure::usage)?;
    let reader = args.store.reader()?;
    let report = match args.erased {
        true => {
            let findings = erased(&reader, &opened).map_err(export_failure)?;
            DriftReport { fixtures: opened.origins.len(), findings, ..DriftReport::default() }
        }
        false => verify(&reader, &opened).map_err(export_failure)?,
    };
    match args.output.output {
        Output::Json => print::json(&report.to_json())?,
        Output::Text => print::data(&text(&report, opened.origins.len()))?,
    }
    if !report.findings.is_empty() {
        return Err(Failure::no(format!("{} findings: export again, or tell the provider", report.findings.len())));
    }
    if report.fixtures == 0 {
        return Err(Failure::cannot_say("no fixture has enough new recordings to be compared with"));
    }
    Ok(())
}

fn text(report: &DriftReport, fixtures: usize) -> String {
    let finding = |one: &Drift| {
        let what = one.what.replace('_', " ");
        format!("{:<7} {}: {what} {}: {} -> {}\n", one.level.name(), one.endpoint, one.place, one.before, one.now)
    };
    let mut text: String = report.findings.iter().map(finding).collect();
    for unknown in &report.unknown {
        text.push_str(&format!("cannot say {unknown}\n"));
    }
    let of =
        if report.recordings > 0 { format!(", held against {} recordings", report.recordings) } else { String::new() };
    text.push_str(&format!("{} of {fixtures} fixtures{of}: {} findings", report.fixtures, report.findings.len()));
    text
}
