//! The store held to its promises.

mod crash;
mod keeping;
mod paging;
mod redo;
mod whole;

use super::*;
use crate::compare::{Difference, Examined, Verdict, What};
use crate::exchange::*;
use crate::latency::{Phase, Series, SeriesKey};
use crate::redact::{Hit, Part, Recording, Side};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use rusqlite::params;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const T0: i64 = 1_700_000_000_000_000;
const DAY_US: i64 = 86_400_000_000;

fn settings(folder: &Path) -> Settings {
    Settings { path: folder.join("t.db"), ..Settings::default() }
}

fn info() -> RunInfo {
    RunInfo { instance: "a".into(), config_hash: "c".into(), started_unix_us: T0, version: "0".into() }
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.append("set-cookie", HeaderValue::from_static("a=1"));
    headers.append("set-cookie", HeaderValue::from_bytes(b"b=\xff\xe9").unwrap());
    headers.append("x-empty", HeaderValue::from_static(""));
    headers
}

fn exchange(role: Role, body: Option<BodyCopy>, outcome: Outcome, total_us: u64) -> Exchange {
    Exchange {
        role,
        started_unix_us: T0,
        failure: body.is_none().then_some(Failure { kind: FailureKind::TotalTimeout }),
        response: body.map(|body| ResponseCopy { status: 200, headers: headers(), body }),
        outcome,
        timings: Timings { queue_wait_us: 7, connect_us: Some(3), ttfb_us: None, total_us },
    }
}

fn recording(at_us: i64, endpoint: &str, request: BodyCopy, old: Option<BodyCopy>, new: Option<BodyCopy>) -> Recording {
    let outcome = if new.is_some() { Outcome::Ok } else { Outcome::Timeout };
    Recording {
        capture: Capture {
            id: id_at(at_us),
            integration: "pay".into(),
            endpoint: endpoint.into(),
            received_unix_us: at_us,
            request: RequestCopy { method: Method::GET, target: "/a?b=1".into(), headers: headers(), body: request },
            primary: old.map(|body| exchange(Role::Primary, Some(body), Outcome::Ok, 10)),
            shadow: exchange(Role::Shadow, new, outcome, 20),
        },
        hits: vec![Hit { rule: "email".into(), side: Side::Request, part: Part::Body, count: 2 }],
        parts_dropped: Default::default(),
        rules_hash: "rules".into(),
        subjects: Vec::new(),
    }
}

fn body(bytes: impl Into<Bytes>) -> BodyCopy {
    BodyCopy::complete(bytes.into())
}

fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 24) as u8
    };
    (0..bytes).map(step).collect()
}

fn append(writer: &mut Writer, recordings: &[Recording]) {
    append_all(writer, recordings, &Verdict::Same);
}

fn append_all(writer: &mut Writer, recordings: &[Recording], verdict: &Verdict) {
    let mut preparer = writer.preparer();
    let examined = Examined { verdict: verdict.clone(), shape: None };
    let prepared = recordings.iter().map(|one| preparer.parts(one, &examined).0).collect();
    writer.append(&Batch { prepared: vec![prepared], ..Batch::default() }).unwrap();
}

/// Prunes until there is nothing more to do.
fn prune_all(writer: &mut Writer, now_us: i64) -> PruneReport {
    let mut all = PruneReport { more: true, ..PruneReport::default() };
    while all.more {
        let one = writer.prune(now_us).unwrap();
        all = PruneReport { bodies: all.bodies + one.bodies, captures: all.captures + one.captures, ..one };
    }
    all
}

/// Ids sort by time, in every run of a test alike.
fn id_at(at_us: i64) -> CaptureId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut id = prune::first_id_at(at_us);
    id[6] = 0x70;
    id[8..].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    CaptureId(uuid::Uuid::from_bytes(id))
}

fn sql(path: &Path, text: &str) {
    Connection::open(path).unwrap().execute_batch(text).unwrap();
}

#[test]
fn a_capture_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let binary = noise(5_000, 1);
    let text = b"{\"a\":1}".repeat(500);
    let one = recording(T0, "GET /a", body(binary.clone()), Some(body(text.clone())), Some(BodyCopy::empty()));
    let differs = Verdict::Differs(vec![Difference { path: "$.a".into(), what: What::Type }]);
    append_all(&mut writer, std::slice::from_ref(&one), &differs);
    let reader = Reader::open(&settings.path).unwrap();
    let got = reader.capture(&one.capture.id).unwrap().unwrap();
    assert_eq!(got.request_body.bytes.as_deref(), Some(&binary[..]));
    let primary = got.primary.unwrap();
    assert_eq!(primary.body.bytes.as_deref(), Some(&text[..]));
    assert_eq!(got.shadow.body, StoredBody { bytes: Some(vec![]), seen_bytes: 0, drop_reason: None });
    let lines: Vec<_> = got.request_headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(lines, [("set-cookie", "a=1"), ("set-cookie", "b=ÿé"), ("x-empty", "")]);
    assert_eq!(got.hits, [("email".into(), "request".into(), "body".into(), 2)]);
    assert_eq!((got.rules_hash.as_str(), got.summary.verdict.as_str()), ("rules", "differs"));
    assert_eq!(got.differences, [Difference { path: "$.a".into(), what: What::Type }]);
    assert_eq!((primary.summary.total_us, primary.summary.connect_us, primary.summary.ttfb_us), (10, Some(3), None));
    assert_eq!(reader.hits("pay").unwrap(), [("email".to_owned(), 2)]);
    assert!(reader.capture(&CaptureId::fresh()).unwrap().is_none());
    assert!(reader.db_is_read_only());
}

#[test]
fn every_body_state_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    for reason in DropReason::ALL {
        let one = recording(T0, "GET /a", BodyCopy::dropped(reason, 9), None, Some(BodyCopy::dropped(reason, 8)));
        append(&mut writer, std::slice::from_ref(&one));
        let got = Reader::open(&settings.path).unwrap().capture(&one.capture.id).unwrap().unwrap();
        let expected = StoredBody { bytes: None, seen_bytes: 9, drop_reason: Some(reason.name().into()) };
        assert_eq!(got.request_body, expected);
        assert_eq!((got.shadow.summary.body_drop, got.shadow.summary.body_bytes), (Some(reason), 8));
        assert!(got.primary.is_none());
    }
    let failed = recording(T0, "GET /a", BodyCopy::empty(), None, None);
    append(&mut writer, std::slice::from_ref(&failed));
    let got = Reader::open(&settings.path).unwrap().capture(&failed.capture.id).unwrap().unwrap();
    assert_eq!(got.shadow.body, StoredBody { bytes: None, seen_bytes: 0, drop_reason: None });
    assert_eq!(got.shadow.summary.failure, Some(FailureKind::TotalTimeout));
    assert_eq!((got.shadow.summary.status, got.shadow.summary.outcome), (None, Outcome::Timeout));
}

#[test]
fn pages_follow_each_other_and_filters_narrow() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let endpoint = |n: i64| if n % 2 == 0 { "GET /a" } else { "GET /b" };
    let new = |n: i64| (n % 5 != 0).then(BodyCopy::empty);
    // Three share one microsecond: paging must not skip or repeat them.
    let all: Vec<_> = (0..30).map(|n| recording(T0 + n / 3, endpoint(n), BodyCopy::empty(), None, new(n))).collect();
    append(&mut writer, &all);
    let reader = Reader::open(&settings.path).unwrap();
    let mut filter = CaptureFilter { integration: Some("pay".into()), limit: 7, ..CaptureFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = reader.captures(&filter).unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        seen.extend(page.into_iter().map(|one| one.id));
    }
    let expected: Vec<_> = all.iter().rev().map(|one| one.capture.id).collect();
    assert_eq!(seen, expected);
    let count = |filter: CaptureFilter| reader.captures(&filter).unwrap().len();
    let pay = || CaptureFilter { integration: Some("pay".into()), ..CaptureFilter::default() };
    assert_eq!(count(CaptureFilter { endpoint: Some("GET /a".into()), ..pay() }), 15);
    assert_eq!(count(CaptureFilter { outcome: Some(Outcome::Timeout), ..pay() }), 6);
    assert_eq!(count(CaptureFilter { slower_than_us: Some(20), ..pay() }), 0);
    assert_eq!(count(CaptureFilter { slower_than_us: Some(19), ..pay() }), 30);
    assert_eq!(count(CaptureFilter { since_unix_us: Some(T0 + 9), ..pay() }), 3);
    assert_eq!(count(CaptureFilter { integration: Some("other".into()), ..pay() }), 0);
    assert_eq!(count(CaptureFilter { outcome: Some(Outcome::Ok), role: Some(Role::Primary), ..pay() }), 0);
    assert_eq!(count(CaptureFilter { endpoint: Some("GET /b".into()), ..CaptureFilter::default() }), 15);
}

#[test]
fn equal_bodies_share_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let all: Vec<_> = (0..20).map(|n| recording(T0 + n, "GET /a", body("same"), None, Some(body("same")))).collect();
    append(&mut writer, &all);
    let count: i64 =
        Connection::open(&settings.path).unwrap().query_row("SELECT count(*) FROM bodies", [], |r| r.get(0)).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn answers_of_the_same_bytes_have_one_row_and_are_both_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let preparer = &mut writer.preparer();
    let examined = Examined { verdict: Verdict::Same, shape: None };
    let all: Vec<_> =
        [T0, T0 + 1].map(|at| recording(at, "GET /a", body("ask"), Some(body("answer")), Some(body("answer")))).into();
    let prepared: Vec<_> = all.iter().map(|one| preparer.parts(one, &examined).0).collect();
    for one in &prepared {
        let content = one.shadow.part.body.as_ref().map(|body| &body.bytes);
        assert!(matches!(content, Some(prepare::Content::Twin)), "nothing of it is held twice");
    }
    writer.append(&Batch { prepared: vec![prepared], ..Batch::default() }).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    for one in &all {
        let found = reader.capture(&one.capture.id).unwrap().unwrap();
        let primary = found.primary.unwrap().body.bytes;
        assert_eq!([primary.as_deref(), found.shadow.body.bytes.as_deref()], [Some(&b"answer"[..]); 2]);
    }
    let rows = "SELECT (SELECT count(*) FROM bodies), (SELECT count(*) FROM repeats)";
    let rows = reader.db.query_row(rows, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(rows.unwrap(), (2, 2), "two bodies, and the second capture repeats both");
}

#[test]
fn the_log_is_moved_into_the_file_while_it_is_written_and_a_reader_that_stays_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let reader = Connection::open(&settings.path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM captures").unwrap();
    let bytes = |name: &str| folder.path().join(name).metadata().unwrap().len();
    for batch in 0_i64.. {
        let one =
            |n: i64| recording(T0 + n, "GET /a", BodyCopy::empty(), None, Some(body(noise(60_000, n as u64 + 1))));
        append(&mut writer, &(batch * 50..(batch + 1) * 50).map(one).collect::<Vec<_>>());
        let (file, log) = (bytes("t.db"), bytes("t.db-wal"));
        if batch == 20 {
            assert!(log > 60 << 20 && file < 20 << 20, "what the reader sees stays: log {log}, file {file}");
            reader.execute_batch("ROLLBACK").unwrap();
        }
        if file > 60 << 20 && log <= 128 << 20 {
            break;
        }
        assert!(batch < 120, "360 MB later the file has {file} bytes and the log {log}");
    }
}

#[test]
fn series_ledger_and_switches_are_replaced_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let key = SeriesKey {
        integration: "pay".into(),
        endpoint: "GET /a".into(),
        role: Role::Shadow,
        outcome: Outcome::Ok,
        phase: Phase::Total,
    };
    let switch = SwitchRow {
        integration: "pay".into(),
        on: false,
        sample_ppm: 1_000_000,
        revision: 4,
        who: "pm".into(),
        reason: "slow".into(),
        at_unix_us: T0,
    };
    for _run in 0..2 {
        let mut writer = Writer::open(&settings, info()).unwrap();
        let mut series = Series::new();
        for count in 1..=3_u64 {
            series.record(count * 1_000);
            let ledger = vec![LedgerRow { integration: "pay".into(), state: "ok".into(), count }];
            let batch = Batch { series: vec![(key.clone(), 600, series.clone())], ledger, ..Batch::default() };
            writer.append(&batch).unwrap();
        }
        writer.append(&Batch { switches: vec![switch.clone()], ..Batch::default() }).unwrap();
        writer.close().unwrap();
    }
    let reader = Reader::open(&settings.path).unwrap();
    let filter = SeriesFilter { integration: "pay".into(), ..SeriesFilter::default() };
    let merged = reader.series(&filter).unwrap();
    assert_eq!((merged.len(), merged[0].1.len(), merged[0].1.sum_us()), (1, 6, 12_000));
    assert_eq!(reader.series(&SeriesFilter { since_unix_s: Some(601), ..filter.clone() }).unwrap(), []);
    assert_eq!(reader.intervals(&filter).unwrap().len(), 2);
    assert_eq!(reader.ledger(Some("pay")).unwrap(), [("pay".to_owned(), "ok".to_owned(), 6)]);
    assert_eq!(reader.ledger(None).unwrap().len(), 1);
    assert_eq!(reader.switches("pay", 10).unwrap(), [switch.clone(), switch]);
    assert_eq!(reader.integrations().unwrap(), ["pay"]);
}

#[test]
fn a_run_without_a_stop_is_marked_and_its_captures_stay() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    append(&mut writer, &[recording(T0 + 5, "GET /a", BodyCopy::empty(), None, None)]);
    assert!(matches!(Writer::open(&settings, info()), Err(StoreError::Busy { .. })));
    drop(writer);
    assert_eq!(Reader::open(&settings.path).unwrap().runs().unwrap()[0].end, RunEnd::Open);
    Writer::open(&settings, info()).unwrap().close().unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let runs = reader.runs().unwrap();
    assert!(matches!(runs[0].end, RunEnd::Closed(_)));
    assert_eq!((runs[1].end, runs[1].captures, runs[1].last_capture_unix_us), (RunEnd::Unknown, 1, Some(T0 + 5)));
    assert_eq!(reader.captures(&CaptureFilter::default()).unwrap().len(), 1);
}

#[test]
fn files_of_others_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    assert!(matches!(Reader::open(&settings.path), Err(StoreError::Missing { .. })));
    check(&settings.path).unwrap();
    assert!(!settings.path.exists());
    std::fs::write(&settings.path, "dear diary").unwrap();
    let refused = || {
        let before = std::fs::read(&settings.path).unwrap();
        let errors =
            [check(&settings.path).err(), Writer::open(&settings, info()).err(), Reader::open(&settings.path).err()];
        assert_eq!(std::fs::read(&settings.path).unwrap(), before);
        errors.map(|error| error.unwrap().to_string())
    };
    assert!(refused().iter().all(|text| text.contains("is not a darklaunch store")));
    std::fs::remove_file(&settings.path).unwrap();
    sql(&settings.path, "CREATE TABLE theirs (a)");
    assert!(refused().iter().all(|text| text.contains("is not a darklaunch store")));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    std::fs::remove_file(&settings.path).unwrap();
    Writer::open(&settings, info()).unwrap().close().unwrap();
    sql(&settings.path, "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);");
    assert!(refused().iter().all(|text| text.contains("schema 99")));
    sql(&settings.path, "PRAGMA user_version = 2; UPDATE migrations SET sha256 = 'x';");
    assert!(matches!(Writer::open(&settings, info()), Err(StoreError::OtherHistory { step: 1, .. })));
    let nowhere = folder.path().join("no/such/t.db");
    assert!(matches!(check(&nowhere), Err(StoreError::Access { .. })));
}

#[test]
fn damage_is_reported_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let one = recording(T0, "GET /a", body(b"abc".repeat(100)), None, Some(body("x")));
    append(&mut writer, std::slice::from_ref(&one));
    let mut series = Series::new();
    series.record(5);
    let mut shard = crate::latency::Shard::new();
    shard.record_exchange(&"pay".into(), &"GET /a".into(), Role::Shadow, Outcome::Ok, &Timings::default());
    let series = shard.into_iter().map(|(key, one)| (key, 0, one)).collect();
    writer.append(&Batch { series, ..Batch::default() }).unwrap();
    writer.close().unwrap();
    let damaged_body = |change: &str| {
        sql(&settings.path, change);
        Reader::open(&settings.path).unwrap().capture(&one.capture.id).unwrap().unwrap().request_body.drop_reason
    };
    assert_eq!(damaged_body("UPDATE bodies SET size = 99999999999 WHERE coding = 1").as_deref(), Some("damaged"));
    assert_eq!(damaged_body("UPDATE bodies SET bytes = x'00' WHERE coding = 1").as_deref(), Some("damaged"));
    assert_eq!(damaged_body("DELETE FROM bodies").as_deref(), Some("pruned"));
    sql(&settings.path, "UPDATE hist SET blob = x'00ff'");
    let reader = Reader::open(&settings.path).unwrap();
    let filter = SeriesFilter { integration: "pay".into(), ..SeriesFilter::default() };
    assert!(matches!(reader.series(&filter), Err(StoreError::BadBlob { .. })));
    sql(&settings.path, "UPDATE captures SET block = x'ff'");
    assert!(matches!(reader.capture(&one.capture.id), Err(StoreError::BadRow { table: "captures", .. })));
    sql(&settings.path, "UPDATE captures SET s_outcome = 77");
    assert!(matches!(reader.captures(&CaptureFilter::default()), Err(StoreError::BadRow { table: "captures", .. })));
}

#[test]
fn age_goes_whole_and_shared_bodies_stay() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { age_days_max: Some(7), ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    let old = recording(T0, "GET /a", body("shared"), None, Some(body("only old")));
    let new = recording(T0 + 10 * DAY_US, "GET /a", body("shared"), None, Some(body("new")));
    append(&mut writer, &[old.clone(), new.clone()]);
    assert_eq!(prune_all(&mut writer, T0 + 11 * DAY_US).captures, 1);
    let reader = Reader::open(&settings.path).unwrap();
    assert!(reader.capture(&old.capture.id).unwrap().is_none());
    let kept = reader.capture(&new.capture.id).unwrap().unwrap();
    assert_eq!(kept.request_body.bytes.as_deref(), Some(&b"shared"[..]));
    let rows = |table: &str| -> i64 {
        let db = Connection::open(&settings.path).unwrap();
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!([rows("bodies"), rows("captures"), rows("repeats")], [2, 1, 1]);
}

#[test]
fn size_takes_bodies_before_rows() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { size_bytes_max: Some(6 << 20), ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    let one = |n: i64| recording(T0 + n, "GET /a", BodyCopy::empty(), None, Some(body(noise(8_000, n as u64 + 1))));
    let all: Vec<_> = (0..1_500).map(one).collect();
    append(&mut writer, &all);
    let report = prune_all(&mut writer, T0);
    assert!(report.bodies > 0 && report.captures == 0, "{report:?}");
    assert!(report.size_bytes <= 6 << 20, "{report:?}");
    let reader = Reader::open(&settings.path).unwrap();
    let first = reader.capture(&all[0].capture.id).unwrap().unwrap();
    assert_eq!((first.shadow.body.bytes, first.shadow.body.drop_reason.as_deref()), (None, Some("pruned")));
    assert!(reader.capture(&all[1_499].capture.id).unwrap().unwrap().shadow.body.bytes.is_some());
    // Row numbers never come back: a new body must not appear in an old capture.
    append(&mut writer, &[recording(T0, "GET /a", body("new"), None, None)]);
    assert!(reader.capture(&all[0].capture.id).unwrap().unwrap().shadow.body.bytes.is_none());
}

#[test]
fn the_views_answer() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    append(&mut writer, &[recording(T0, "GET /a", BodyCopy::empty(), Some(BodyCopy::empty()), None)]);
    let db = Connection::open(&settings.path).unwrap();
    let mut statement = db.prepare("SELECT role, outcome FROM v_exchanges ORDER BY role").unwrap();
    let rows: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [("primary".into(), "ok".into()), ("shadow".into(), "timeout".into())]);
    // Every statement and every column that the README shows.
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("## The database").unwrap();
    let (statements, tables) = section.split_once("```sql").unwrap().1.split_once("```").unwrap();
    statements
        .split_inclusive(';')
        .filter(|text| text.contains("SELECT"))
        .for_each(|text| drop(db.prepare(text).unwrap()));
    let (tables, _) = tables.split_once("\n`darklaunch store").unwrap();
    let mut shown = Vec::new();
    for (part, view) in tables.split("| column of ").skip(1).zip(["v_exchanges", "v_latency"]) {
        let cells = part.lines().skip(2).filter_map(|line| line.split('|').nth(1));
        let names: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        let columns = db.prepare(&format!("SELECT * FROM {view}")).unwrap();
        let (mut names, mut columns) = (names, columns.column_names());
        names.sort_unstable();
        columns.sort_unstable();
        assert_eq!(names, columns, "{view}");
        shown.push(view);
    }
    assert_eq!(shown.len(), 2);
}

#[test]
fn what_redaction_sealed_is_appended() {
    use crate::redact::{PseudonymKey, Redactor};
    let key = PseudonymKey::new([7; 32]);
    let redactor = Redactor::compile(&[], key, crate::redact::Settings::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let sealed = redactor.capture(recording(T0, "GET /a", BodyCopy::empty(), None, Some(body("raw"))).capture);
    let verdict = crate::compare::compare(&sealed);
    let id = sealed.capture.id;
    writer.append(&Batch { captures: vec![(sealed, verdict)], ..Batch::default() }).unwrap();
    let got = Reader::open(&settings.path).unwrap().capture(&id).unwrap().unwrap();
    assert_eq!(got.summary.verdict, "cannot_say: no primary: this integration is a sink");
}

#[test]
fn a_writer_that_takes_over_appends_beside_the_one_before_and_keeps_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { age_days_max: Some(10), ..settings(folder.path()) };
    let mut old = Writer::open(&settings, info()).unwrap();
    let shared = body("both have this body");
    let at = |day: i64| recording(T0 + day * DAY_US, "GET /a", shared.clone(), None, Some(BodyCopy::empty()));
    append(&mut old, &[at(0)]);
    let mut new = Writer::open_beside(&settings, info(), old.share_lock().unwrap()).unwrap();
    append(&mut new, &[at(20)]);
    // What the new one prunes the old one still remembers: it must not refer to a body that is gone.
    assert_eq!(new.prune(T0 + 40 * DAY_US).unwrap().captures, 2);
    let last = at(40);
    append(&mut old, std::slice::from_ref(&last));
    old.close().unwrap();
    assert!(matches!(Writer::open(&settings, info()), Err(StoreError::Busy { .. })), "the lock outlives the old one");
    append(&mut new, &[at(40)]);
    let reader = Reader::open(&settings.path).unwrap();
    let got = reader.capture(&last.capture.id).unwrap().unwrap();
    assert_eq!(got.request_body.bytes.as_deref(), Some(&b"both have this body"[..]));
    let ends: Vec<_> = reader.runs().unwrap().iter().map(|run| run.end == RunEnd::Open).collect();
    assert_eq!(ends, [true, false], "newest first: one records, one closed, neither died");
    new.close().unwrap();
    let foreign = std::fs::File::create(folder.path().join("other")).unwrap();
    let refused = Writer::open_beside(&settings, info(), foreign.into());
    assert!(matches!(refused, Err(StoreError::Access { .. })));
    Writer::open(&settings, info()).unwrap().close().unwrap();
}
