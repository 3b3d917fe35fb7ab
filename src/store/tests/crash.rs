//! What a death leaves behind, and what happens to files.

use super::*;

/// A writer's end as kill -9 makes it: nothing is closed.
fn killed(settings: &Settings, work: impl FnOnce(&mut Writer)) {
    let mut writer = Writer::open(settings, info()).unwrap();
    work(&mut writer);
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(settings.path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    drop(writer);
    for entry in std::fs::read_dir(copy.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), settings.path.with_file_name(entry.file_name())).unwrap();
    }
}

#[test]
fn the_gap_of_a_dead_run_is_noted_and_what_was_pending_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let row = |state: &str, count| LedgerRow { integration: "pay".into(), state: state.into(), count };
    killed(&settings, |writer| {
        let ledger = vec![row("arrived", 5), row("pending", 2), row("mirrored.ok", 3)];
        writer.append(&Batch { ledger, ..Batch::default() }).unwrap();
    });
    let writer = Writer::open(&settings, info()).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let ledger = reader.ledger(Some("pay")).unwrap();
    let ledger: Vec<_> = ledger.iter().map(|(_, state, count)| (state.as_str(), *count)).collect();
    assert_eq!(ledger, [("arrived", 5), ("mirrored.ok", 3), ("unknown", 2)]);
    let runs = reader.runs().unwrap();
    assert_eq!((runs[1].id, runs[1].end), (1, RunEnd::Unknown));
    let gaps = reader.gaps().unwrap();
    assert_eq!((gaps.len(), gaps[0].run, gaps[0].pending), (1, 1, 2));
    assert!(gaps[0].from_unix_us <= gaps[0].to_unix_us);
    writer.close().unwrap();
}

#[test]
fn a_call_that_was_announced_and_not_stored_is_unknown_after_a_death() {
    use crate::redact::{PseudonymKey, Redactor};
    let redactor = Redactor::compile(&[], PseudonymKey::new([7; 32]), crate::redact::Settings::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let announced = |at_us: i64| {
        let mut one = recording(at_us, "POST /a", BodyCopy::empty(), None, None).capture;
        one.request.method = Method::POST;
        one.request.headers = HeaderMap::new();
        one.request.headers.insert("idempotency-key", HeaderValue::from_static("k-1"));
        one
    };
    let (stored, lost) = (announced(T0), announced(T0 + 1));
    killed(&settings, |writer| {
        let intents = vec![redactor.capture(stored.clone()), redactor.capture(lost.clone())];
        writer.append(&Batch { intents, ..Batch::default() }).unwrap();
        let captures = vec![(redactor.capture(stored.clone()), Verdict::Same)];
        writer.append(&Batch { captures, ..Batch::default() }).unwrap();
    });
    Writer::open(&settings, info()).unwrap().close().unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let filter = CaptureFilter { outcome: Some(Outcome::Unknown), ..CaptureFilter::default() };
    let unknown = reader.captures(&filter).unwrap();
    assert_eq!(unknown.iter().map(|one| one.id).collect::<Vec<_>>(), [lost.id]);
    let got = reader.capture(&lost.id).unwrap().unwrap();
    assert_eq!(got.request_headers, [("idempotency-key".to_owned(), "k-1".to_owned())]);
    assert!(got.summary.verdict.contains("may have processed it"), "{}", got.summary.verdict);
    assert_eq!((got.summary.method.as_str(), got.summary.endpoint.as_str()), ("POST", "POST /a"));
    // Once: the next start does not find them again.
    Writer::open(&settings, info()).unwrap().close().unwrap();
    assert_eq!(Reader::open(&settings.path).unwrap().captures(&filter).unwrap().len(), 1);
}

#[test]
fn a_log_cut_anywhere_leaves_whole_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    killed(&settings, |writer| {
        for n in 0..40 {
            append(writer, &[recording(T0 + n, "GET /a", body(noise(3_000, n as u64)), None, None)]);
        }
    });
    let log = folder.path().join("t.db-wal");
    let (whole, database) = (std::fs::read(&log).unwrap(), std::fs::read(&settings.path).unwrap());
    let mut last = 0;
    for part in 0..=12 {
        std::fs::write(&settings.path, &database).unwrap();
        std::fs::write(&log, &whole[..whole.len() * part / 12]).unwrap();
        let _ = std::fs::remove_file(folder.path().join("t.db-shm"));
        // Without its log the file may be from before its schema: then it is made anew.
        let writer = Writer::open(&settings, info()).unwrap();
        let reader = Reader::open(&settings.path).unwrap();
        let found = reader.captures(&CaptureFilter { limit: 1_000, ..CaptureFilter::default() }).unwrap();
        assert!(found.len() >= last, "{} after {last}", found.len());
        last = found.len();
        for one in &found {
            assert!(reader.capture(&one.id).unwrap().unwrap().request_body.bytes.is_some());
        }
        let sound: String = reader.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        drop(reader);
        drop(writer);
    }
    assert_eq!(last, 40);
}

#[test]
fn a_file_that_is_deleted_is_said_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let one = || recording(T0, "GET /a", body("x"), None, Some(body("y")));
    append(&mut writer, &[one()]);
    for name in ["t.db", "t.db-wal", "t.db-shm", "t.db-lock"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
    let prepare = |writer: &Writer, of: &Recording| {
        writer.preparer().parts(of, &Examined { verdict: Verdict::Same, shape: None }).0
    };
    let lost = Batch { prepared: vec![vec![prepare(&writer, &one())]], ..Batch::default() };
    assert!(matches!(writer.append(&lost), Err(StoreError::Gone { .. })));
    let next = one();
    let batch = Batch { prepared: vec![vec![prepare(&writer, &next)]], ..Batch::default() };
    writer.append(&batch).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    assert_eq!(reader.captures(&CaptureFilter::default()).unwrap().len(), 1);
    assert_eq!(reader.capture(&next.capture.id).unwrap().unwrap().shadow.body.bytes.as_deref(), Some(&b"y"[..]));
    // A file of somebody else in its place is not touched.
    drop(reader);
    std::fs::remove_file(&settings.path).unwrap();
    std::fs::write(&settings.path, "dear diary").unwrap();
    for _ in 0..3 {
        let batch = Batch { prepared: vec![vec![prepare(&writer, &one())]], ..Batch::default() };
        assert!(writer.append(&batch).is_err());
    }
    assert_eq!(std::fs::read(&settings.path).unwrap(), b"dear diary");
}

#[test]
fn a_lock_of_somebody_else_is_waited_for_and_then_said() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let other = Connection::open(&settings.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(writer.append(&Batch::default()), Err(StoreError::Busy { .. })));
    other.execute_batch("ROLLBACK").unwrap();
    append(&mut writer, &[recording(T0, "GET /a", BodyCopy::empty(), None, None)]);
}

#[test]
fn a_file_of_the_first_schema_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let db = Connection::open(&settings.path).unwrap();
    db.execute_batch(include_str!("../schema/0001.sql")).unwrap();
    let hash = migrate::hash(include_str!("../schema/0001.sql"));
    db.execute("INSERT INTO migrations VALUES (1, ?1)", [hash]).unwrap();
    db.pragma_update(None, "application_id", migrate::APPLICATION_ID).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let plain = b"\x00\x01a\x00\x00\x00\x02b1\x00\x01a\x00\x00\x00\x00";
    let lines = zstd::bulk::compress(plain, -3).unwrap();
    let packed = zstd::bulk::compress(&b"{\"a\":1}".repeat(100), 1).unwrap();
    let id = id_at(T0);
    db.execute_batch(
        "INSERT INTO runs (instance, config_hash, version, started_us, stopped_us) VALUES ('a', 'c', '0', 1700000000000000, 9);
         INSERT INTO integrations VALUES (1, 'pay'); INSERT INTO endpoints VALUES (1, 1, 'GET /a');
         INSERT INTO rule_sets VALUES (1, 'rules'); INSERT INTO hits VALUES (1, 0, 'email', 'shadow', 'body', 3);
         INSERT INTO differences VALUES (1, 0, '$.a', 4); INSERT INTO ledger VALUES ('pay', 'arrived', 1, 7);
         INSERT INTO exchanges VALUES (2, 200, 0, NULL, 1700000000000005, 1, NULL, 2, 3, 1, 700, NULL);
         INSERT INTO exchanges VALUES (3, NULL, 6, 5, 1700000000000006, 1, NULL, NULL, 5000, NULL, 0, NULL);",
    )
    .unwrap();
    db.execute("INSERT INTO headers VALUES (6, ?1)", [&lines]).unwrap();
    db.execute("INSERT INTO bodies VALUES (1, x'00', 700, 1, ?1)", [packed]).unwrap();
    let capture =
        "INSERT INTO captures (id, run, integration, endpoint, rule_set, received_us, outcome, method, target,
        body, body_seen, body_drop, verdict) VALUES (?1, 1, 1, 1, 1, ?2, 6, 'GET', '/a', 1, 700, NULL, 'differs')";
    db.execute(capture, params![id.0.as_bytes().as_slice(), T0]).unwrap();
    drop(db);
    let mut writer = Writer::open(&settings, info()).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let got = reader.capture(&id).unwrap().unwrap();
    assert_eq!(got.request_body.bytes.as_deref(), Some(&b"{\"a\":1}".repeat(100)[..]));
    let lines = [("a".to_owned(), "b1".to_owned()), ("a".to_owned(), String::new())];
    assert_eq!(got.request_headers, lines);
    let primary = got.primary.unwrap();
    assert_eq!((primary.summary.started_unix_us, primary.summary.total_us), (T0 + 5, 3));
    assert_eq!(primary.body.bytes.as_deref().map(<[u8]>::len), Some(700));
    assert_eq!(
        (got.summary.shadow.outcome, got.summary.shadow.failure),
        (Outcome::Timeout, Some(FailureKind::TotalTimeout))
    );
    assert_eq!(got.hits, [("email".into(), "shadow".into(), "body".into(), 3)]);
    assert_eq!(got.differences, [Difference { path: "$.a".into(), what: What::Type }]);
    assert_eq!(reader.ledger(Some("pay")).unwrap(), [("pay".to_owned(), "arrived".to_owned(), 7)]);
    append(&mut writer, &[recording(T0 + 1, "GET /a", body("new"), None, None)]);
    assert_eq!(
        reader.captures(&CaptureFilter { integration: Some("pay".into()), ..CaptureFilter::default() }).unwrap().len(),
        2
    );
    let left: i64 =
        reader.db.query_row("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'old%'", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

/// The file alone on a disk of its own, its log on the large one: a commit finds room, a checkpoint does not. None where
/// nothing can be mounted.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn under(file: &Path) -> Option<Self> {
        let disk = file.with_file_name("small");
        std::fs::create_dir(&disk).unwrap();
        let mounted = Self(disk.clone());
        mount(&["-t", "tmpfs", "-o", "size=1m", "none"], &disk)?;
        let inside = disk.join("t.db");
        std::fs::write(&inside, "").unwrap();
        std::fs::write(file, "").unwrap();
        mount(&["--bind", inside.to_str()?], file)?;
        Some(mounted)
    }

    fn grow(&self) {
        mount(&["-o", "remount,size=500m"], &self.0).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        for at in [self.0.with_file_name("t.db"), self.0.clone()] {
            let _ = std::process::Command::new("umount").arg("-l").arg(at).output();
        }
    }
}

fn mount(how: &[&str], at: &Path) -> Option<()> {
    let done = std::process::Command::new("mount").args(how).arg(at).output().ok()?;
    done.status.success().then_some(())
}

#[test]
fn a_log_that_cannot_be_moved_into_the_file_is_told_loses_nothing_and_is_moved_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let Some(disk) = SmallDisk::under(&settings.path) else { return };
    let mut writer = Writer::open(&settings, info()).unwrap();
    let mut stored = 0;
    let mut more = |writer: &mut Writer| {
        let one =
            |n: i64| recording(T0 + n, "GET /a", BodyCopy::empty(), None, Some(body(noise(60_000, n as u64 + 1))));
        append(writer, &(stored..stored + 50).map(one).collect::<Vec<_>>());
        stored += 50;
        assert!(stored < 10_000, "{:?}", writer.trouble());
    };
    let told = loop {
        more(&mut writer);
        if let Some(trouble) = writer.trouble() {
            break trouble.to_string();
        }
    };
    assert!(told.contains("t.db cannot be moved into it and grows (no space left"), "{told}");
    more(&mut writer);
    assert!(writer.trouble().is_some(), "it goes on being told");
    disk.grow();
    while writer.trouble().is_some() {
        more(&mut writer);
    }
    let reader = Reader::open(&settings.path).unwrap();
    let captures: i64 = reader.db.query_row("SELECT count(*) FROM captures", [], |row| row.get(0)).unwrap();
    drop(reader);
    writer.close().unwrap();
    assert_eq!(captures, stored);
}
