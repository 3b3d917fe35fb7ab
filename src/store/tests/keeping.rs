//! What is kept, for how long, and what goes first.

use super::*;

fn answer(at_us: i64, endpoint: &str, status: u16, body: &str) -> Recording {
    let mut one = recording(at_us, endpoint, BodyCopy::empty(), None, Some(BodyCopy::complete(body.to_owned().into())));
    one.capture.shadow.outcome = Outcome::of_status(status);
    if let Some(response) = &mut one.capture.shadow.response {
        response.status = status;
        response.headers =
            HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    }
    one
}

fn filler(n: u64) -> String {
    let text: String = noise(6_000, n + 1).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    format!("{{\"text\":\"{text}\"}}")
}

/// Rare answers first, then a flood of one kind.
fn flood(writer: &mut Writer, count: u64) -> Vec<Recording> {
    let rare = vec![
        answer(T0, "GET /a", 503, r#"{"error":"busy"}"#),
        answer(T0 + 1, "GET /a", 200, r#"{"text":"x","another":{"shape":1}}"#),
    ];
    append(writer, &rare);
    let many: Vec<_> = (0..count).map(|n| answer(T0 + 10 + n as i64, "GET /a", 200, &filler(n))).collect();
    append(writer, &many);
    rare
}

#[test]
fn rare_answers_outlive_a_flood_of_the_same_under_the_limit_on_size() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { size_bytes_max: Some(3 << 20), variety_captures: 5, ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    let rare = flood(&mut writer, 1_200);
    let report = prune_all(&mut writer, T0);
    assert!(report.size_bytes <= 3 << 20 && report.bodies > 300, "{report:?}");
    let reader = Reader::open(&settings.path).unwrap();
    for one in &rare {
        let got = reader.capture(&one.capture.id).unwrap().unwrap();
        assert!(got.shadow.body.bytes.is_some(), "{:?}", got.summary);
    }
    // The file really gets smaller, and stays within the limit while more comes.
    for round in 0..3 {
        let more: Vec<_> =
            (0..200).map(|n| answer(T0 + DAY_US * (round + 1) + n, "GET /a", 200, &filler(n as u64 * 7 + 3))).collect();
        append(&mut writer, &more);
        prune_all(&mut writer, T0);
    }
    assert!(reader.capture(&rare[0].capture.id).unwrap().unwrap().shadow.body.bytes.is_some());
    drop(reader);
    writer.close().unwrap();
    let bytes = settings.path.metadata().unwrap().len();
    assert!(bytes <= 4 << 20, "{bytes}");
}

#[test]
fn a_limit_that_nothing_can_meet_takes_variety_last_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { size_bytes_max: Some(1), ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    flood(&mut writer, 60);
    let report = prune_all(&mut writer, T0);
    assert_eq!(report.captures, 62, "{report:?}");
    let db = Connection::open(&settings.path).unwrap();
    for table in ["captures", "bodies", "repeats", "kept", "subjects", "subject_runs"] {
        let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let counted: i64 = db.query_row("SELECT sum(captures) FROM classes", [], |row| row.get(0)).unwrap();
    assert_eq!(counted, 0);
}

#[test]
fn too_many_of_an_endpoint_go_and_its_rare_ones_and_other_endpoints_stay() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { per_endpoint_max: Some(40), variety_captures: 3, ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    let rare = flood(&mut writer, 100);
    let other = answer(T0, "GET /b", 200, "{}");
    append(&mut writer, std::slice::from_ref(&other));
    assert_eq!(prune_all(&mut writer, T0).captures, 62);
    let reader = Reader::open(&settings.path).unwrap();
    for one in rare.iter().chain([&other]) {
        assert!(reader.capture(&one.capture.id).unwrap().is_some());
    }
    let filter = CaptureFilter { endpoint: Some("GET /a".into()), limit: 1_000, ..CaptureFilter::default() };
    let left = reader.captures(&filter).unwrap();
    assert_eq!((left.len(), left[0].received_unix_us), (40, T0 + 109), "the newest stay");
}

#[test]
fn a_body_lives_as_long_as_anyone_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { age_days_max: Some(1), ..settings(folder.path()) };
    let mut writer = Writer::open(&settings, info()).unwrap();
    let all: Vec<_> =
        (0..4).map(|n| recording(T0 + n * DAY_US, "GET /a", body("shared"), Some(body("shared")), None)).collect();
    append(&mut writer, &all);
    let bodies = || -> i64 {
        let db = Connection::open(&settings.path).unwrap();
        db.query_row("SELECT count(*) FROM bodies", [], |row| row.get(0)).unwrap()
    };
    for (day, left) in [(2, 3), (3, 2), (4, 1)] {
        prune_all(&mut writer, T0 + day * DAY_US + 1);
        let reader = Reader::open(&settings.path).unwrap();
        assert_eq!((reader.captures(&CaptureFilter::default()).unwrap().len(), bodies()), (left, 1));
        let newest = reader.capture(&all[3].capture.id).unwrap().unwrap();
        assert_eq!(newest.request_body.bytes.as_deref(), Some(&b"shared"[..]));
    }
    prune_all(&mut writer, T0 + 9 * DAY_US);
    assert_eq!(bodies(), 0);
    // What the window remembers of it is forgotten: the next one is stored anew.
    let again = recording(T0 + 9 * DAY_US, "GET /a", body("shared"), None, None);
    append(&mut writer, std::slice::from_ref(&again));
    let got = Reader::open(&settings.path).unwrap().capture(&again.capture.id).unwrap().unwrap();
    assert_eq!(got.request_body.bytes.as_deref(), Some(&b"shared"[..]));
}

#[test]
fn old_latencies_and_ledger_are_rolled_up_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let key = SeriesKey {
        integration: "pay".into(),
        endpoint: "GET /a".into(),
        role: Role::Shadow,
        outcome: Outcome::Ok,
        phase: Phase::Total,
    };
    let start = T0 / 1_000_000 / 86_400 * 86_400;
    let mut whole = Series::new();
    for interval in 0..288 {
        let mut series = Series::new();
        for n in 0..20_u64 {
            let us = 1_000 + (interval as u64 * 7_919 + n * 104_729) % 3_000_000;
            series.record(us);
            whole.record(us);
        }
        let t0 = start + interval * 600;
        let ledger = vec![LedgerRow { integration: "pay".into(), state: "arrived".into(), count: 20 }];
        let series = vec![(key.clone(), t0, series)];
        writer.append(&Batch { series, ledger, ledger_interval_unix_s: t0, ..Batch::default() }).unwrap();
    }
    let filter = SeriesFilter { integration: "pay".into(), ..SeriesFilter::default() };
    let rows = || Reader::open(&settings.path).unwrap().intervals(&filter).unwrap().len();
    let holds = |rows_expected: usize| {
        assert_eq!(rows(), rows_expected);
        let reader = Reader::open(&settings.path).unwrap();
        assert_eq!(reader.series(&filter).unwrap(), [(key.clone(), whole.clone())]);
        assert_eq!(reader.ledger(Some("pay")).unwrap(), [("pay".to_owned(), "arrived".to_owned(), 5_760)]);
    };
    let after = |days: i64| (start + (days + 2) * 86_400) * 1_000_000;
    prune_all(&mut writer, after(10));
    holds(288);
    for _ in 0..4 {
        prune_all(&mut writer, after(15));
    }
    holds(48);
    for _ in 0..4 {
        prune_all(&mut writer, after(91));
    }
    holds(2);
    prune_all(&mut writer, after(731));
    assert_eq!(rows(), 0);
}

#[test]
fn a_damaged_histogram_is_not_rolled_up_and_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let mut shard = crate::latency::Shard::new();
    shard.record_exchange(&"pay".into(), &"GET /a".into(), Role::Shadow, Outcome::Ok, &Timings::default());
    let series: Vec<_> = shard.into_iter().map(|(key, one)| (key, 600, one)).collect();
    let count = series.len() as i64;
    writer.append(&Batch { series, ..Batch::default() }).unwrap();
    sql(&settings.path, "UPDATE hist SET crc32 = crc32 + 1");
    prune_all(&mut writer, 100 * DAY_US);
    let left: (i64, i64) = Connection::open(&settings.path)
        .unwrap()
        .query_row("SELECT count(*), sum(dur_s) FROM hist", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(left, (count, count * 600));
}
