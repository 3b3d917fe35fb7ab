//! `store redact`: brings what is stored under today's rules.

use crate::cli::read::StoreArg;
use crate::cli::store::keep_scan;
use crate::cli::{Done, Failure, Output, OutputArg, canary, gate, print};
use crate::redact::{Canaries, PseudonymKey};
use crate::store::{Redo, RedoEnd, RedoReport};
use clap::Args;
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};

#[derive(Args)]
pub(crate) struct RedactStoredArgs {
    /// Only tell what would be found; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also what was recorded under today's rules: after an update of darklaunch, which may find more by the same rules
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn redact(args: &RedactStoredArgs) -> Done {
    let key = canary::key_bytes(&args.store)?;
    let canaries = Canaries::of_run(&PseudonymKey::new(key), "store redact");
    let rules = gate::rules_with_key(&args.store, key)?.proven(&canaries);
    if !rules.leaks().is_empty() {
        return Err(Failure::no("these rules let planted values through (see darklaunch check): nothing was changed"));
    }
    let mut redo = Redo::open(&args.store.path()?, args.dry_run).map_err(Failure::usage)?;
    let mut report = RedoReport::default();
    while let Some(batch) = redo.step(&rules, args.all).map_err(|error| Failure::no(error.to_string()))? {
        report.add(batch);
    }
    let end = redo.finish(&rules).map_err(|error| Failure::no(error.to_string()))?;
    let (command, changed) = match args.dry_run {
        true => ("store redact --dry-run", "would be changed by today’s rules"),
        false => ("store redact", "were brought under today’s rules"),
    };
    let good = report.unreadable == 0 && (report.changed == 0 || !args.dry_run);
    let found = format!("{} recordings {changed}, {} cannot be read", report.changed, report.unreadable);
    keep_scan(&args.store, command, report.looked_at, good, &found);
    match args.output.output {
        Output::Json => print::json(&to_json(&report, args.dry_run, end))?,
        Output::Text => print::data(&text(&report, args.dry_run))?,
    }
    if !end.log_emptied {
        print::talk("the write-ahead log is in use: what was replaced is in it until the recorder empties it, or ends");
    }
    if end.dictionaries > 0 {
        print::talk(&format!(
            "{} dictionaries, which bodies are packed with, share words that a rule now replaces; {}",
            end.dictionaries,
            if args.dry_run { "they would be replaced" } else { "run it again to replace them" }
        ));
    }
    Ok(())
}

fn to_json(report: &RedoReport, dry_run: bool, end: RedoEnd) -> Value {
    let finding = |((integration, rule, side, part), count): (&(String, std::sync::Arc<str>, _, _), &u64)| {
        let (side, part): (&crate::redact::Side, &crate::redact::Part) = (side, part);
        json!({ "integration": integration, "rule": rule, "side": side.name(), "part": part.name(), "count": count })
    };
    json!({
        "schema": "darklaunch.store_redact/v1",
        "dry_run": dry_run,
        "looked_at": report.looked_at,
        "stale": report.stale,
        "changed": report.changed,
        "unreadable": report.unreadable,
        "bodies_dropped": report.bodies_dropped,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "log_emptied": end.log_emptied,
        "dictionaries_left": end.dictionaries,
        "series_renamed": end.renamed,
    })
}

fn text(report: &RedoReport, dry_run: bool) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["integration", "rule", "place", "values"]);
    for ((integration, rule, side, part), count) in &report.findings {
        let place = format!("{} {}", side.name(), part.name());
        table.add_row([integration.as_str(), rule, &place, &count.to_string()]);
    }
    let findings = if report.findings.is_empty() { String::new() } else { format!("{table}\n") };
    let dropped: String = report
        .bodies_dropped
        .iter()
        .map(|(reason, count)| format!("{count} bodies are not kept: {reason}\n"))
        .collect();
    let unreadable = match report.unreadable {
        0 => String::new(),
        count => format!("{count} recordings cannot be read and stay as they are; no export lets them pass\n"),
    };
    let RedoReport { looked_at, stale, changed, .. } = report;
    let done = if dry_run { "would be changed; nothing was" } else { "were changed" };
    format!(
        "{findings}{dropped}{unreadable}{looked_at} recordings, {stale} under other rules than today's, {changed} {done}"
    )
}
