//! The search for canaries: values that every run derived from its key and that no file may ever hold.

use crate::cli::read::StoreArg;
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::config::StateFolder;
use crate::exchange::CaptureId;
use crate::redact::{Canaries, CanaryFound, CanarySearch, PseudonymKey};
use crate::store::{CaptureFilter, Reader, RunEnd, RunRow, StoredCapture, StoredExchange};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Captures read at once.
const PAGE: usize = 500;

/// What SQLite and the recorder keep beside a database.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Where else to look.
#[derive(Args, Clone)]
pub(crate) struct CanaryArgs {
    /// A folder of exported fixtures, or any other, to search besides the database; may be repeated
    #[arg(long = "in", value_name = "DIR")]
    folders: Vec<PathBuf>,
}

/// What was searched, and what was found.
pub(crate) struct CanaryReport {
    runs: usize,
    captures: u64,
    files: u64,
    /// Place and canary.
    found: Vec<(String, CanaryFound)>,
}

impl CanaryReport {
    /// Whether nothing was found.
    pub(crate) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn to_json(&self) -> Value {
        let found = |(place, found): &(String, CanaryFound)| json!({ "place": place, "run": &*found.run, "what": found.what, "count": found.count });
        json!({
            "schema": "darklaunch.canaries/v1",
            "runs": self.runs,
            "captures": self.captures,
            "files": self.files,
            "found": self.found.iter().map(found).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn text(&self) -> String {
        let line = |(place, found): &(String, CanaryFound)| {
            format!("FOUND the {} of run {} in {place}, {} times\n", found.what, found.run, found.count)
        };
        let lines: String = self.found.iter().map(line).collect();
        let verdict = if self.is_clean() { "none is readable" } else { "THEY ARE READABLE" };
        let Self { runs, captures, files, .. } = self;
        format!("{lines}canaries of {runs} runs in {captures} captures and {files} files: {verdict}")
    }
}

/// Searches and tells; a canary that is found is the command's "no".
pub(crate) fn check(store: &StoreArg, args: &CanaryArgs, output: OutputArg) -> Done {
    let report = look(store, args)?;
    match output.output {
        Output::Json => print::json(&report.to_json())?,
        Output::Text => print::data(&report.text())?,
    }
    match report.is_clean() {
        true => Ok(()),
        false => Err(Failure::no("what redaction must hide is readable: see the places above")),
    }
}

/// Searches the database as its reader unpacks it, its files as they lie on the disk (what was deleted may still be
/// there), and the folders.
pub(crate) fn look(store: &StoreArg, args: &CanaryArgs) -> Result<CanaryReport, Failure> {
    let (path, key) = (store.path()?, key(store)?);
    let reader = Reader::open(&path).map_err(Failure::usage)?;
    let runs: Vec<(Arc<str>, Canaries)> =
        reader.runs().map_err(Failure::usage)?.iter().map(|run| of(run, &key)).collect();
    let search = CanarySearch::new(runs.iter().map(|(label, set)| (Arc::clone(label), set)))
        .ok_or_else(|| Failure::cannot_say("too many runs for one search"))?;
    let mut report = CanaryReport { runs: runs.len(), captures: 0, files: 0, found: Vec::new() };
    look_in_captures(&reader, &search, &mut report)?;
    for ending in BESIDE {
        let mut file = path.clone().into_os_string();
        file.push(ending);
        look_in_file(Path::new(&file), &search, &mut report)?;
    }
    for folder in &args.folders {
        look_in_folder(folder, &search, &mut report)?;
    }
    Ok(report)
}

/// A search for the canaries of every run on a database; `None` where nobody knows the key they come from.
pub(crate) fn known(store: &StoreArg, reader: &Reader) -> Result<Option<CanarySearch>, Failure> {
    let path = store.path()?;
    let configured = store.is_configured() && store.load()?.config.redaction.key.is_some();
    if !configured && StateFolder::existing_key(&path).map_err(Failure::usage)?.is_none() {
        return Ok(None);
    }
    let key = key(store)?;
    let runs: Vec<(Arc<str>, Canaries)> =
        reader.runs().map_err(Failure::usage)?.iter().map(|run| of(run, &key)).collect();
    Ok(CanarySearch::new(runs.iter().map(|(label, set)| (Arc::clone(label), set))))
}

/// The canaries of the newest run, to be sent through it on purpose.
pub(crate) fn show(store: &StoreArg, output: OutputArg) -> Done {
    let (path, key) = (store.path()?, key(store)?);
    let runs = Reader::open(&path).and_then(|reader| reader.runs()).map_err(Failure::usage)?;
    let newest = runs.first().ok_or_else(|| Failure::cannot_say("nobody has recorded here yet"))?;
    if newest.end != RunEnd::Open {
        print::talk("no recorder runs on this database now; these are the canaries of the last one");
    }
    let (label, set) = of(newest, &key);
    match output.output {
        Output::Json => print::json(&json!({
            "schema": "darklaunch.canary_set/v1",
            "run": &*label,
            "canaries": set.values().map(|(what, value)| json!({ "what": what, "value": value })).collect::<Vec<_>>(),
        })),
        Output::Text => {
            print::data(&set.values().map(|(what, value)| format!("{what:<7} {value}\n")).collect::<String>())
        }
    }
}

fn of(run: &RunRow, key: &PseudonymKey) -> (Arc<str>, Canaries) {
    let label = Canaries::label(&run.info.instance, run.info.started_unix_us);
    (Arc::from(label.as_str()), Canaries::of_run(key, &label))
}

/// The key of the pseudonyms that the recorder of a database has.
pub(crate) fn key_bytes(store: &StoreArg) -> Result<[u8; 32], Failure> {
    if store.is_configured()
        && let Some(key) = store.load()?.config.redaction.key
    {
        return Ok(key.expose());
    }
    let path = store.path()?;
    let key = StateFolder::existing_key(&path).map_err(Failure::usage)?;
    key.ok_or_else(|| {
        let folder = StateFolder::path_for(&path);
        Failure::cannot_say(format!("{} holds no key: name the configuration that does (--config)", folder.display()))
    })
}

fn key(store: &StoreArg) -> Result<PseudonymKey, Failure> {
    key_bytes(store).map(PseudonymKey::new)
}

fn look_in_captures(reader: &Reader, search: &CanarySearch, report: &mut CanaryReport) -> Done {
    let mut before: Option<CaptureId> = None;
    loop {
        let filter = CaptureFilter { before, limit: PAGE, ..CaptureFilter::default() };
        let page = reader.captures(&filter).map_err(Failure::usage)?;
        for summary in &page {
            // One that was pruned meanwhile is gone.
            if let Some(capture) = reader.capture(&summary.id).map_err(Failure::usage)? {
                report.captures += 1;
                let found = search_capture(&capture, search);
                report.found.extend(found.into_iter().map(|(part, found)| (format!("{} {part}", summary.id), found)));
            }
        }
        match page.last() {
            Some(last) => before = Some(last.id),
            None => return Ok(()),
        }
    }
}

fn search_capture(capture: &StoredCapture, search: &CanarySearch) -> Vec<(String, CanaryFound)> {
    let mut all = Vec::new();
    let mut look = |part: String, bytes: &[u8]| {
        all.extend(search.find_in(bytes).into_iter().map(|found| (part.clone(), found)));
    };
    look("endpoint".to_owned(), capture.summary.endpoint.as_bytes());
    look("target".to_owned(), capture.summary.target.as_bytes());
    let mut message = |side: &str, headers: &[(String, String)], body: Option<&[u8]>| {
        for (name, value) in headers {
            look(format!("{side} header {name}"), format!("{name}: {value}").as_bytes());
        }
        look(format!("{side} body"), body.unwrap_or_default());
    };
    message("request", &capture.request_headers, capture.request_body.bytes.as_deref());
    let mut answer = |side: &str, one: &StoredExchange| message(side, &one.headers, one.body.bytes.as_deref());
    if let Some(primary) = &capture.primary {
        answer("primary", primary);
    }
    answer("shadow", &capture.shadow);
    for difference in &capture.differences {
        look("difference".to_owned(), difference.path.as_bytes());
    }
    all
}

fn look_in_file(path: &Path, search: &CanarySearch, report: &mut CanaryReport) -> Done {
    let file = match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(|why| unread(path, &why))?,
    };
    let found = search.find_in_stream(file).map_err(|why| unread(path, &why))?;
    report.files += 1;
    report.found.extend(found.into_iter().map(|found| (path.display().to_string(), found)));
    Ok(())
}

fn look_in_folder(folder: &Path, search: &CanarySearch, report: &mut CanaryReport) -> Done {
    let mut waiting = vec![folder.to_owned()];
    // A folder that links to itself is entered once.
    let mut entered = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let real = fs::canonicalize(&path).map_err(|why| unread(&path, &why))?;
        if !entered.insert(real) {
            continue;
        }
        for entry in fs::read_dir(&path).map_err(|why| unread(&path, &why))? {
            let entry = entry.map_err(|why| unread(&path, &why))?.path();
            // A value in a name is as readable as one in a file.
            let name = entry.as_os_str().as_encoded_bytes();
            report.found.extend(search.find_in(name).into_iter().map(|found| ("the name of a file".to_owned(), found)));
            match entry.is_dir() {
                true => waiting.push(entry),
                false => look_in_file(&entry, search, report)?,
            }
        }
    }
    Ok(())
}

fn unread(path: &Path, why: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {why}", path.display()))
}
