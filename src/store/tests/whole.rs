//! What is done to a store as a whole: forgetting someone, copies, checks, merges.

use super::*;

const ANN: [u8; 16] = [7; 16];
const BOB: [u8; 16] = [8; 16];

fn about(at_us: i64, person: [u8; 16], text: &str) -> Recording {
    let answer = format!("{{\"person\":\"{text}\",\"noise\":{:?}}}", noise(300, at_us as u64));
    let mut one = recording(at_us, "GET /a", body("shared by all"), None, Some(body(answer)));
    one.subjects = vec![[1; 16], person];
    one
}

/// What an attacker reads: the file, its log, every page.
fn holds(path: &Path, needle: &[u8]) -> bool {
    let of = |path: &Path| std::fs::read(path).unwrap_or_default();
    let log = path.with_file_name("t.db-wal");
    [of(path), of(&log)].iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

/// The stored bytes of a capture's shadow body.
fn packed(path: &Path, id: &CaptureId) -> Vec<u8> {
    let text = "SELECT b.bytes FROM captures c JOIN bodies b ON b.id = c.s_body WHERE c.id = ?1";
    let db = Connection::open(path).unwrap();
    db.query_row(text, [id.0.as_bytes().as_slice()], |row| row.get(0)).unwrap()
}

#[test]
fn a_person_is_forgotten_and_it_is_proven_while_a_recorder_writes() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { age_days_max: Some(5), ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    // One that was pruned before: its bytes may lie in a free page.
    let pruned = about(T0 - 9 * DAY_US, ANN, "ann pruned");
    append(&mut writer, std::slice::from_ref(&pruned));
    let pruned_bytes = packed(&settings.path, &pruned.capture.id);
    prune_all(&mut writer, T0);
    let all: Vec<_> = (0..300).map(|n| about(T0 + n, if n % 3 == 0 { ANN } else { BOB }, &format!("p{n}"))).collect();
    append(&mut writer, &all);
    let (anns, bobs): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.subjects[1] == ANN);
    let bytes: Vec<Vec<u8>> = anns.iter().map(|one| packed(&settings.path, &one.capture.id)).collect();
    assert!(holds(&settings.path, &bytes[0]), "the test looks at the right bytes");

    let mut upkeep = Upkeep::open(&settings.path).unwrap();
    let receipt = upkeep.erase(&[ANN], "officer", T0 + 999).unwrap();
    assert_eq!((receipt.captures, receipt.bodies, receipt.remains), (100, 100, 0));
    for gone in bytes.iter().chain([&pruned_bytes]) {
        assert!(!holds(&settings.path, gone));
    }
    for one in &anns {
        assert!(!holds(&settings.path, one.capture.id.0.as_bytes()));
    }
    // The recorder goes on; what is shared and what is Bob's stays.
    let next = about(T0 + 1_000, BOB, "after");
    append(&mut writer, std::slice::from_ref(&next));
    let reader = Reader::open(&settings.path).unwrap();
    for one in bobs.into_iter().chain([&next]) {
        let got = reader.capture(&one.capture.id).unwrap().unwrap();
        assert_eq!(got.request_body.bytes.as_deref(), Some(&b"shared by all"[..]));
        assert!(got.shadow.body.bytes.is_some());
    }
    assert!(reader.capture(&anns[0].capture.id).unwrap().is_none());
    let sound = upkeep.verify(&[]).unwrap();
    assert_eq!((sound.findings, sound.erasures, sound.captures), (vec![], 1, 201));
    assert_eq!(upkeep.erase(&[ANN], "officer", T0 + 999).unwrap().captures, 0, "twice is no more");
    let copy = folder.path().join("copy.db");
    upkeep.backup(&copy).unwrap();
    assert!(bytes.iter().all(|gone| !holds(&copy, gone)));
    assert_eq!(upkeep.verify(std::slice::from_ref(&copy)).unwrap().findings, []);
    // A copy from before does hold them, and that is found.
    let old = folder.path().join("old.db");
    std::fs::write(&old, bytes.concat()).unwrap();
    let found = upkeep.verify(std::slice::from_ref(&old)).unwrap().findings;
    assert_eq!((found.len(), found[0].what, found[0].details.len()), (1, "erased", 1));
}

#[test]
fn a_copy_is_whole_and_a_second_recorder_may_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let all: Vec<_> = (0..50).map(|n| about(T0 + n, BOB, &format!("p{n}"))).collect();
    append(&mut writer, &all);
    let copy = folder.path().join("copy.db");
    let upkeep = Upkeep::open(&settings.path).unwrap();
    assert!(upkeep.backup(&copy).unwrap() > 0);
    assert!(matches!(upkeep.backup(&copy), Err(StoreError::Access { .. })), "never over an existing file");
    let second = Settings { path: copy, ..settings };
    let opened = Writer::open(&second, info()).unwrap();
    let reader = Reader::open(&second.path).unwrap();
    assert_eq!(reader.captures(&CaptureFilter { limit: 100, ..CaptureFilter::default() }).unwrap().len(), 50);
    let page: i64 = reader.db.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    let vacuum: i64 = reader.db.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)).unwrap();
    assert_eq!((page, vacuum), (16_384, 2));
    opened.close().unwrap();
}

#[test]
fn every_kind_of_damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    append(&mut writer, &[about(T0, BOB, "x"), about(T0 + 1, BOB, "y")]);
    let mut shard = crate::latency::Shard::new();
    shard.record_exchange(&"pay".into(), &"GET /a".into(), Role::Shadow, Outcome::Ok, &Timings::default());
    let series: Vec<_> = shard.into_iter().map(|(key, one)| (key, 0, one)).collect();
    let row = |state: &str, count| LedgerRow { integration: "pay".into(), state: state.into(), count };
    let ledger = vec![row("arrived", 3), row("pending", 1), row("mirrored.ok", 2), row("recorded", 2)];
    writer.append(&Batch { series, ledger, ..Batch::default() }).unwrap();
    writer.close().unwrap();
    let kinds = || -> Vec<&'static str> {
        let sound = Upkeep::open(&settings.path).unwrap().verify(&[]).unwrap();
        sound.findings.iter().map(|one| one.what).collect()
    };
    assert_eq!(kinds(), Vec::<&str>::new());
    for (change, back, kind) in [
        ("UPDATE bodies SET sha256 = x'00' WHERE id = 1", "", "body"),
        ("UPDATE bodies SET bytes = x'28b52ffd' WHERE id = 2", "", "body"),
        ("UPDATE classes SET captures = captures + 1", "UPDATE classes SET captures = captures - 1", "count"),
        ("UPDATE captures SET block = x'00ff' WHERE seq = 1", "", "details"),
        (
            "UPDATE ledger SET count = 9 WHERE state = 'arrived'",
            "UPDATE ledger SET count = 3 WHERE state = 'arrived'",
            "ledger",
        ),
        ("UPDATE runs SET captures = 7", "UPDATE runs SET captures = 2", "ledger"),
        ("UPDATE hist SET n = n + 1", "UPDATE hist SET n = n - 1", "histogram"),
    ] {
        sql(&settings.path, change);
        assert!(kinds().contains(&kind), "{change}: {:?}", kinds());
        sql(&settings.path, back);
    }
}

/// A machine's file: captures, a histogram, a ledger.
fn machine(path: &Path, name: &str, captures: &[Recording], calls: u64) -> Settings {
    let settings = Settings { path: path.join(format!("{name}.db")), ..Settings::default() };
    let mut writer = Writer::open(&settings, RunInfo { instance: name.into(), ..info() }).unwrap();
    append(&mut writer, captures);
    let mut series = Series::new();
    (0..calls).for_each(|n| series.record(1_000 + n));
    let key = SeriesKey {
        integration: "pay".into(),
        endpoint: "GET /a".into(),
        role: Role::Shadow,
        outcome: Outcome::Ok,
        phase: Phase::Total,
    };
    let ledger = vec![
        LedgerRow { integration: "pay".into(), state: "arrived".into(), count: calls },
        LedgerRow { integration: "pay".into(), state: "mirrored.ok".into(), count: calls },
        LedgerRow { integration: "pay".into(), state: "recorded".into(), count: captures.len() as u64 },
    ];
    writer.append(&Batch { series: vec![(key, 600, series)], ledger, ..Batch::default() }).unwrap();
    writer.close().unwrap();
    settings
}

#[test]
fn files_of_machines_become_one_and_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let a: Vec<_> = (0..40).map(|n| about(T0 + n * 2, if n < 5 { ANN } else { BOB }, &format!("a{n}"))).collect();
    let b: Vec<_> = (0..30).map(|n| about(T0 + n * 2 + 1, BOB, &format!("b{n}"))).collect();
    let (one, two) = (machine(folder.path(), "a", &a, 100), machine(folder.path(), "b", &b, 50));
    let path = folder.path().join("all.db");
    let merge = |expected: [u64; 2]| {
        let mut all = Upkeep::make(&path).unwrap();
        let added = [&one, &two].map(|from| all.merge(&from.path).unwrap().captures);
        assert_eq!(added, expected);
        assert_eq!(all.verify(&[]).unwrap().findings, []);
    };
    merge([40, 30]);
    merge([0, 0]);
    let reader = Reader::open(&path).unwrap();
    let hits = || reader.hits("pay").unwrap();
    assert_eq!(hits(), [("email".to_owned(), 2 * 70)], "counted once however often it is merged");
    let got = reader.captures(&CaptureFilter { limit: 100, ..CaptureFilter::default() }).unwrap();
    assert_eq!(got.len(), 70);
    assert!(got.windows(2).all(|pair| pair[0].received_unix_us > pair[1].received_unix_us), "in the order of time");
    for one in a.iter().chain(&b) {
        let (here, there) = (reader.capture(&one.capture.id).unwrap().unwrap(), &one.capture);
        let body = &there.shadow.response.as_ref().unwrap().body.bytes;
        assert_eq!(here.shadow.body.bytes.as_deref(), Some(&body[..]));
        assert_eq!((here.hits.len(), here.request_headers.len()), (1, 3));
    }
    let filter = SeriesFilter { integration: "pay".into(), ..SeriesFilter::default() };
    let whole = || Reader::open(&path).unwrap().series(&filter).unwrap()[0].1.len();
    assert_eq!((whole(), reader.intervals(&filter).unwrap().len()), (150, 2));
    assert_eq!(reader.ledger(Some("pay")).unwrap()[0], ("pay".to_owned(), "arrived".to_owned(), 150));
    // Rolled up there, and merged again: an hour holds what its parts held.
    let mut writer = Writer::open(&one, info()).unwrap();
    prune_all(&mut writer, 40 * DAY_US);
    writer.close().unwrap();
    merge([0, 0]);
    assert_eq!(whole(), 150);
    // Rolled up here, and merged with the parts: they are in it already.
    let mut writer = Writer::open(&Settings { path: path.clone(), ..Settings::default() }, info()).unwrap();
    prune_all(&mut writer, 40 * DAY_US);
    writer.close().unwrap();
    merge([0, 0]);
    assert_eq!(whole(), 150);
    // What was pruned there was counted before.
    let later = RunInfo { instance: "b".into(), started_unix_us: T0 + 1, ..info() };
    let mut writer = Writer::open(&Settings { age_days_max: Some(1), ..two.clone() }, later).unwrap();
    assert_eq!(prune_all(&mut writer, T0 + 9 * DAY_US).captures, 30);
    append(&mut writer, &[about(T0 + 200, BOB, "c")]);
    writer.close().unwrap();
    merge([0, 1]);
    assert_eq!(hits(), [("email".to_owned(), 2 * 71)]);
    // Erased in one file: gone from the whole with the next merge, and never back from the other.
    Upkeep::open(&one.path).unwrap().erase(&[ANN], "officer", T0).unwrap();
    let mut all = Upkeep::make(&path).unwrap();
    assert_eq!(all.merge(&one.path).unwrap().erased, 5);
    assert_eq!(all.merge(&two.path).unwrap().captures, 0);
    assert_eq!(
        Reader::open(&path).unwrap().captures(&CaptureFilter { limit: 100, ..CaptureFilter::default() }).unwrap().len(),
        66
    );
    Upkeep::open(&two.path).unwrap();
    drop(all);
    let third = machine(folder.path(), "c", &a, 1);
    assert_eq!(Upkeep::make(&path).unwrap().merge(&third.path).unwrap().captures, 0, "known or erased, each of them");
}
