//! kill -9 at random moments under load: what was acknowledged is there, what was announced is known, the ledger adds up.
//!
//! The process that is killed is the recorder's line with its own threads and file, without the redaction's rules, whose
//! compiling would take most of the time: this binary starts itself. `KILLS=1000` kills more often.

use crate::support::Dice;
use darklaunch::exchange::{
    BodyCopy, Capture, CaptureId, Clock, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings,
};
use darklaunch::recorder::{self, Announced, Held, Inputs, Stages};
use darklaunch::redact::{PseudonymKey, Redactor};
use darklaunch::store::{CaptureFilter, Reader, RunEnd, RunInfo, Settings, Upkeep, Writer};
use darklaunch::telemetry::Ledger;
use http::{HeaderMap, HeaderValue, Method};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Tells the process that it is the one to be killed, and where its file lies.
const FILE: &str = "KILLS_FILE";
/// Kills without `KILLS`.
const KILLS: usize = 200;
/// A kill comes after so many lines at most.
const LINES_MAX: usize = 400;

#[expect(clippy::disallowed_methods, reason = "how often, and whether this process is the one to be killed")]
fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The process that is killed; by itself it does nothing.
#[test]
fn the_process_that_is_killed() {
    if let Some(path) = from_environment(FILE) {
        record_for_ever(Path::new(&path));
    }
}

/// Says that a capture is acknowledged: dropped after the commit that has it.
struct Acknowledges(CaptureId);

impl Drop for Acknowledges {
    fn drop(&mut self) {
        say('A', self.0);
    }
}

fn say(what: char, id: CaptureId) {
    // Nobody listens any more: the kill is about to come.
    let _ = std::io::stdout().lock().write_all(format!("{what} {id}\n").as_bytes());
}

fn record_for_ever(path: &Path) {
    let settings = Settings { path: path.to_owned(), ..Settings::default() };
    let info = RunInfo {
        instance: "killed".to_owned(),
        config_hash: "c".to_owned(),
        started_unix_us: Clock.unix_us(),
        version: "0".to_owned(),
    };
    let redactor = Arc::new(Redactor::compile(&[], PseudonymKey::new([7; 32]), Default::default()).unwrap());
    let writer = Writer::open(&settings, info).unwrap();
    let (captures, taken) = mpsc::channel::<Capture>(64);
    let (announce, announced) = mpsc::channel::<Announced>(64);
    let (_shards, shards_in) = mpsc::channel(1);
    let ledger = Ledger::new(vec!["pay".into()]);
    let inputs = Inputs {
        taken,
        announced,
        shards: shards_in,
        ledger: Arc::clone(&ledger),
        totals: Arc::default(),
        switches: Box::new(Vec::new),
        report: Box::new(|problem| assert_eq!(problem, None)),
    };
    let again = Arc::clone(&redactor);
    let stages = Stages {
        split: |capture: Capture| {
            let held: Held = Box::new(Acknowledges(capture.id));
            (Arc::clone(&capture.integration), capture, held)
        },
        redact: Arc::new(move |capture| redactor.capture(capture)),
        redact_announced: Arc::new(move |capture| again.capture(capture)),
        observe: Arc::new(|_| ()),
        name_endpoint: Box::new(|_, endpoint| endpoint.to_owned()),
    };
    let recorder = recorder::Settings { commit_interval_ms: 5, totals_interval_ms: 10, ..Default::default() };
    let _recorder = recorder::start(recorder, inputs, stages, writer, |_| ()).unwrap();
    let mut dice = Dice::new(Clock.unix_us() as u64);
    let book = ledger.of("pay").unwrap();
    loop {
        let capture = capture(&mut dice);
        book.arrived();
        if !capture.request.method.is_safe() {
            let (told, tells) = std::sync::mpsc::sync_channel(1);
            let mut before = capture.clone();
            before.shadow.outcome = Outcome::Unknown;
            announce.blocking_send((before, Box::new(move |kept| told.send(kept).unwrap()))).unwrap();
            assert!(tells.recv().unwrap(), "the store keeps what is announced");
            // From here on the provider may have it.
            say('S', capture.id);
        }
        book.mirrored(capture.shadow.outcome);
        captures.blocking_send(capture).unwrap();
    }
}

fn capture(dice: &mut Dice) -> Capture {
    let method = if dice.once_in(40) { Method::POST } else { Method::GET };
    let text = format!("{{\"n\":{},\"text\":\"{:x}\"}}", dice.below(50), dice.next() & 0xff);
    let body = BodyCopy::complete(text.into());
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Capture {
        id: CaptureId::fresh(),
        integration: "pay".into(),
        endpoint: format!("{method} /things/{}", dice.below(5)).into(),
        received_unix_us: Clock.unix_us(),
        request: RequestCopy { method, target: "/things/1".to_owned(), headers: HeaderMap::new(), body: body.clone() },
        primary: None,
        shadow: Exchange {
            role: Role::Shadow,
            started_unix_us: Clock.unix_us(),
            response: Some(ResponseCopy { status: 200, headers, body }),
            failure: None,
            outcome: Outcome::Ok,
            timings: Timings { total_us: 1_000, ..Timings::default() },
        },
    }
}

/// Starts the process, reads so many lines of it, kills it, and reads what it had still said.
fn kill_after(lines: usize, path: &Path) -> (HashSet<CaptureId>, HashSet<CaptureId>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::the_process_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let (mut acknowledged, mut sent) = (HashSet::new(), HashSet::new());
    let mut line = String::new();
    let mut seen = 0;
    let mut killed = false;
    loop {
        if seen >= lines && !killed {
            child.kill().unwrap();
            killed = true;
        }
        line.clear();
        if reader.read_line(&mut line).unwrap() == 0 {
            break;
        }
        // The last line may be cut.
        let words = line.strip_suffix('\n').and_then(|line| line.split_once(' '));
        let Some((what, Ok(id))) = words.map(|(what, id)| (what, id.parse())) else { continue };
        let id = CaptureId(id);
        seen += 1;
        match what {
            "A" => acknowledged.insert(id),
            "S" => sent.insert(id),
            _ => continue,
        };
    }
    child.wait().unwrap();
    (acknowledged, sent)
}

#[test]
fn whatever_the_moment_nothing_acknowledged_is_lost_and_nothing_sent_is_forgotten() {
    let kills = from_environment("KILLS").map_or(KILLS, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("darklaunch.db");
    let mut dice = Dice::new(11);
    let (mut acknowledged, mut sent) = (HashSet::new(), HashSet::new());
    for kill in 0..kills {
        // Now and then while the file is opened.
        let lines = if dice.once_in(8) { 0 } else { dice.below(LINES_MAX) };
        let (now, announced) = kill_after(lines, &path);
        if path.exists() && !now.is_empty() {
            // Before anybody repairs anything.
            let reader = Reader::open(&path).unwrap();
            for id in &now {
                assert!(reader.capture(id).unwrap().is_some(), "kill {kill}: {id} was acknowledged");
            }
        }
        acknowledged.extend(now);
        sent.extend(announced);
        if kill % 25 == 24 || kill + 1 == kills {
            is_sound(&path);
        }
    }
    let reader = Reader::open(&path).unwrap();
    let lost = acknowledged.iter().chain(&sent).filter(|id| reader.capture(id).unwrap().is_none()).count();
    assert_eq!(lost, 0, "of {} acknowledged and {} sent", acknowledged.len(), sent.len());
    let filter = CaptureFilter { outcome: Some(Outcome::Unknown), limit: 1_000, ..CaptureFilter::default() };
    let unknown = reader.captures(&filter).unwrap();
    assert!(unknown.iter().all(|one| one.method == "POST"));
    assert!(acknowledged.len() > kills * 20 && sent.len() > kills, "there was load");
    println!("{kills} kills, {} acknowledged, {} sent, {} unknown", acknowledged.len(), sent.len(), unknown.len());
}

/// The next start closes the run that died; then everything adds up.
fn is_sound(path: &Path) {
    let settings = Settings { path: path.to_owned(), ..Settings::default() };
    let info = RunInfo {
        instance: "check".to_owned(),
        config_hash: "c".to_owned(),
        started_unix_us: Clock.unix_us(),
        version: "0".to_owned(),
    };
    Writer::open(&settings, info).unwrap().close().unwrap();
    let sound = Upkeep::open(path).unwrap().verify(&[]).unwrap();
    assert_eq!(sound.findings, [], "of {} captures", sound.captures);
    let reader = Reader::open(path).unwrap();
    let runs = reader.runs().unwrap();
    let dead = runs.iter().filter(|run| run.end == RunEnd::Unknown).count();
    assert_eq!(reader.gaps().unwrap().len(), dead, "every death has its gap");
}
