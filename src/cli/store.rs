//! `store`: what is done to a database as a whole.

use crate::cli::canary::{self, CanaryArgs};
use crate::cli::read::{StoreArg, duration_us};
use crate::cli::{Done, Failure, Output, OutputArg, print, redo};
use crate::config::{self, Scan, StateFolder};
use crate::exchange::Clock;
use crate::store::{Settings, Soundness, Upkeep};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

const US_PER_DAY: u64 = 86_400_000_000;

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Redact again what was recorded under other rules than today's, and tell what was found
    Redact(redo::RedactStoredArgs),
    /// Look for canaries: planted values of every run, derived anew from its key, that no file may ever hold
    Canaries {
        #[command(flatten)]
        canaries: CanaryArgs,
        /// Instead, show those of the running recorder, to be sent through it on purpose
        #[arg(long, conflicts_with = "folders")]
        show: bool,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Look at everything: the file's integrity, bodies against their digests, histograms against their checksums, the
    /// ledger against itself, what was erased against the bytes of the files, canaries
    Check {
        /// Look for what was erased in this backup too; may be repeated
        #[arg(long = "backup", value_name = "FILE")]
        backups: Vec<PathBuf>,
        #[command(flatten)]
        canaries: CanaryArgs,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Write a consistent, compact copy while the recorder goes on; what was erased is not in it
    Backup {
        /// The copy; it must not exist
        to: PathBuf,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Remove what is beyond the limits now, and give the space back to the file system
    Prune {
        /// Instead of the configuration's store.max_age, "7d"; whole days
        #[arg(long, value_name = "DURATION")]
        max_age: Option<String>,
        /// Instead of the configuration's store.max_size, "2GiB"
        #[arg(long, value_name = "SIZE")]
        max_size: Option<String>,
        /// Instead of the configuration's store.max_per_endpoint
        #[arg(long, value_name = "N")]
        max_per_endpoint: Option<u64>,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
    /// Put many machines' databases into one: captures by id, latencies exactly; doing it again changes nothing
    Merge {
        /// The databases, which stay as they are; their recorders may go on
        #[arg(required = true, value_name = "FILE")]
        from: Vec<PathBuf>,
        /// The one they are put into; made if it is not there, and not written by a recorder meanwhile
        #[arg(long, value_name = "FILE")]
        into: PathBuf,
        #[command(flatten)]
        output: OutputArg,
    },
}

pub(crate) fn store(command: &StoreCommand) -> Done {
    match command {
        StoreCommand::Redact(args) => redo::redact(args),
        StoreCommand::Canaries { show: true, store, output, .. } => canary::show(store, *output),
        StoreCommand::Canaries { canaries, store, output, .. } => canary::check(store, canaries, *output),
        StoreCommand::Check { backups, canaries, store, output } => check(backups, canaries, store, *output),
        StoreCommand::Backup { to, store, output } => backup(to, store, *output),
        StoreCommand::Prune { max_age, max_size, max_per_endpoint, store, output } => {
            let mut limits = limits(store)?;
            if let Some(age) = max_age {
                limits.age_days_max = Some(u32::try_from(duration_us(age)? / US_PER_DAY).unwrap_or(u32::MAX));
            }
            if let Some(size) = max_size {
                let bad = |bad: config::BadUnit| Failure::usage(format!("{size:?} {}; {}", bad.text, bad.remedy));
                limits.size_bytes_max = Some(config::size_bytes(size).map_err(bad)?);
            }
            limits.per_endpoint_max = max_per_endpoint.or(limits.per_endpoint_max);
            prune(&limits, *output)
        }
        StoreCommand::Merge { from, into, output } => merge(from, into, *output),
    }
}

/// The configuration's limits; with only a file named, none.
fn limits(store: &StoreArg) -> Result<Settings, Failure> {
    let path = store.path()?;
    if !store.is_configured() {
        return Ok(Settings { path, ..Settings::default() });
    }
    Ok(Settings { path, ..crate::app::store_settings(&store.load()?.config) })
}

fn check(backups: &[PathBuf], canaries: &CanaryArgs, store: &StoreArg, output: OutputArg) -> Done {
    let found = Upkeep::open(&store.path()?).and_then(|upkeep| upkeep.verify(backups)).map_err(Failure::usage)?;
    // Without the key nobody can tell what was planted; the rest is told all the same.
    let canaries = canary::look(store, canaries);
    let clean = canaries.as_ref().is_ok_and(canary::CanaryReport::is_clean);
    let good = found.findings.is_empty() && (canaries.is_err() || clean);
    let words = match (good, &canaries) {
        (false, _) => "not as it should be; run it again to see the places",
        (true, Ok(_)) => "sound, and no planted value is readable",
        (true, Err(_)) => "sound; planted values were not looked for",
    };
    keep_scan(store, "store check", found.captures, good, words);
    match output.output {
        Output::Json => {
            let findings = found.findings.iter();
            let findings = findings.map(|one| json!({ "what": one.what, "count": one.count, "details": one.details }));
            print::json(&json!({
                "schema": "darklaunch.store_check/v1",
                "sound": found.findings.is_empty(),
                "captures": found.captures,
                "bodies": found.bodies,
                "histograms": found.histograms,
                "ledgers": found.ledgers,
                "erasures": found.erasures,
                "findings": findings.collect::<Vec<_>>(),
                "canaries": canaries.as_ref().map(canary::CanaryReport::to_json).ok(),
            }))?;
        }
        Output::Text => {
            let canaries = match &canaries {
                Ok(report) => report.text(),
                Err(why) => format!("canaries not looked for: {}", why.text),
            };
            print::data(&format!("{}{canaries}", sound_text(&found)))?;
        }
    }
    if good { Ok(()) } else { Err(Failure::no("the store is not sound: see above")) }
}

/// Leaves the result where the console shows it; what was asked for is done all the same.
pub(crate) fn keep_scan(store: &StoreArg, command: &str, recordings: u64, good: bool, found: &str) {
    let scan =
        Scan { at_unix_us: Clock.unix_us(), command: command.to_owned(), recordings, good, found: found.to_owned() };
    let kept = store.path().map(|path| StateFolder::keep_scan(&path, scan));
    if let Ok(Err(why)) = kept {
        print::talk(&format!("the console will not show this result: {why}"));
    }
}

fn sound_text(found: &Soundness) -> String {
    let mut text = String::new();
    for one in &found.findings {
        text.push_str(&format!("{}: {}\n", one.what, one.count));
        text.extend(one.details.iter().map(|detail| format!("  {detail}\n")));
    }
    let Soundness { captures, bodies, histograms, ledgers, erasures, findings } = found;
    let verdict = if findings.is_empty() { "sound" } else { "NOT SOUND" };
    text.push_str(&format!(
        "{captures} captures, {bodies} bodies, {histograms} histograms, {ledgers} ledgers, {erasures} erasures: {verdict}\n"
    ));
    text
}

fn backup(to: &std::path::Path, store: &StoreArg, output: OutputArg) -> Done {
    let bytes = Upkeep::open(&store.path()?).and_then(|upkeep| upkeep.backup(to)).map_err(Failure::usage)?;
    match output.output {
        Output::Json => print::json(&json!({ "schema": "darklaunch.store_backup/v1", "file": to, "bytes": bytes })),
        Output::Text => print::data(&format!("{bytes} bytes in {}", to.display())),
    }
}

fn prune(limits: &Settings, output: OutputArg) -> Done {
    let mut upkeep = Upkeep::open(&limits.path).map_err(Failure::usage)?;
    let done = upkeep.prune(limits, Clock.unix_us()).map_err(Failure::usage)?;
    match output.output {
        Output::Json => print::json(&json!({
            "schema": "darklaunch.store_prune/v1",
            "captures": done.captures,
            "bodies": done.bodies,
            "size_bytes": done.size_bytes,
        })),
        Output::Text => print::data(&format!(
            "{} captures and {} bodies of others removed; {} bytes are left",
            done.captures, done.bodies, done.size_bytes
        )),
    }
}

fn merge(from: &[PathBuf], into: &std::path::Path, output: OutputArg) -> Done {
    let mut upkeep = Upkeep::make(into).map_err(Failure::usage)?;
    let mut all = Vec::new();
    for file in from {
        let merged = upkeep.merge(file).map_err(Failure::usage)?;
        all.push((file, merged));
    }
    match output.output {
        Output::Json => {
            let merged = all.iter().map(|(file, merged)| {
                json!({
                    "file": file,
                    "captures": merged.looked_at,
                    "captures_new": merged.captures,
                    "histograms": merged.histograms,
                    "erased": merged.erased,
                })
            });
            print::json(&json!({ "schema": "darklaunch.store_merge/v1", "merged": merged.collect::<Vec<_>>() }))
        }
        Output::Text => {
            let line = |(file, merged): &(&PathBuf, crate::store::Merged)| {
                let (new, all) = (merged.captures, merged.looked_at);
                format!("{new} of {all} captures and {} histograms from {}\n", merged.histograms, file.display())
            };
            print::data(&all.iter().map(line).collect::<String>())
        }
    }
}
