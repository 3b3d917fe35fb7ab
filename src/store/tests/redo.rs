//! What is stored brought under stricter rules, beside a recorder that writes.

use super::*;
use crate::redact::{Generation, PseudonymKey, RuleSource, builtin};

/// In every body, so that a dictionary shares it.
const SHARED: &str = "info@corp.example";

fn rules() -> Generation {
    let source = RuleSource { files: builtin(), settings: crate::redact::Settings::default() };
    Generation::compile(&source, &[], &PseudonymKey::new([7; 32])).unwrap()
}

fn old(n: u64) -> Recording {
    let text = format!(
        r#"{{"contact":"{SHARED}","state":"open","amount":{},"reference":"r{:x}","lines":["a","b"]}}"#,
        n % 100,
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    );
    let endpoint = format!("GET /people/{SHARED}");
    let mut one = recording(T0 + n as i64, &endpoint, body(text.clone()), None, Some(body(text + "\n")));
    let json = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    one.capture.request.headers = json.clone();
    one.capture.shadow.response.iter_mut().for_each(|answer| answer.headers = json.clone());
    one
}

/// Records so many, and uses the dictionary that is trained from the first.
fn recorded(writer: &mut Writer, preparer: &mut Preparer, count: u64) -> Vec<Recording> {
    let examined = Examined { verdict: Verdict::Same, shape: None };
    let mut all = Vec::new();
    for part in 0..count / 100 {
        let some: Vec<_> = (part * 100..part * 100 + 100).map(old).collect();
        let (prepared, samples): (Vec<_>, Vec<_>) = some.iter().map(|one| preparer.parts(one, &examined)).unzip();
        let train =
            |samples: Samples| TrainedDictionary { bytes: samples.train().unwrap(), integration: samples.integration };
        let dictionaries = samples.into_iter().flatten().map(train).collect();
        writer.append(&Batch { prepared: vec![prepared], dictionaries, ..Batch::default() }).unwrap();
        all.extend(some);
    }
    all
}

fn is_in_the_file(path: &Path, text: &str) -> bool {
    let log = path.with_file_name("t.db-wal");
    let holds = |path: &Path| {
        std::fs::read(path).unwrap_or_default().windows(text.len()).any(|window| window == text.as_bytes())
    };
    holds(path) || holds(&log)
}

#[test]
fn what_the_old_rules_let_through_is_in_no_dictionary_and_in_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let mut preparer = writer.preparer();
    let all = recorded(&mut writer, &mut preparer, 800);
    let examined = Examined { verdict: Verdict::Same, shape: None };
    let rules = rules();
    let names = [format!("GET /people/{SHARED}"), rules.of("pay").endpoint(&format!("GET /people/{SHARED}"))];
    let series = |(n, name): (usize, &String)| {
        let mut shard = crate::latency::Shard::new();
        let timings = Timings { total_us: 1_000 * (n as u64 + 1), ..Timings::default() };
        shard.record_exchange(&"pay".into(), &name.as_str().into(), Role::Shadow, Outcome::Ok, &timings);
        shard.into_iter().map(|(key, one)| (key, 600, one)).collect::<Vec<_>>()
    };
    let series: Vec<_> = names.iter().enumerate().flat_map(series).collect();
    writer.append(&Batch { series, ..Batch::default() }).unwrap();
    // Packed with the dictionary that is about to go, and not written yet.
    let late = old(9_999);
    let on_its_way = preparer.parts(&late, &examined).0;
    assert!(is_in_the_file(&settings.path, SHARED), "the dictionary shares it");

    let mut redo = Redo::open(&settings.path, false).unwrap();
    let mut report = RedoReport::default();
    while let Some(step) = redo.step(&rules, false).unwrap() {
        report.add(step);
    }
    assert_eq!((report.stale, report.changed, report.unreadable), (800, 800, 0));
    let end = redo.finish(&rules).unwrap();
    assert_eq!((end.log_emptied, end.dictionaries), (true, 0));
    assert!(end.renamed > 0);
    assert!(!is_in_the_file(&settings.path, SHARED));

    writer.append(&Batch { prepared: vec![vec![on_its_way]], ..Batch::default() }).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    for one in all.iter().chain([&late]).step_by(50) {
        let got = reader.capture(&one.capture.id).unwrap().unwrap();
        let (request, answer) = (got.request_body.bytes.unwrap(), got.shadow.body.bytes.unwrap());
        assert!(answer.starts_with(&request) && request.starts_with(b"{\"contact\":\""));
    }
    let unseen = reader.capture(&late.capture.id).unwrap().unwrap().request_body.bytes.unwrap();
    assert!(unseen.windows(SHARED.len()).any(|window| window == SHARED.as_bytes()), "it came after the command");
    let filter = SeriesFilter { integration: "pay".into(), ..SeriesFilter::default() };
    let total = |(key, series): &(SeriesKey, Series)| {
        (key.phase == Phase::Total).then(|| (key.endpoint.to_string(), series.sum_us()))
    };
    let totals: Vec<_> = reader.series(&filter).unwrap().iter().filter_map(total).collect();
    assert_eq!(totals, [(names[1].clone(), 3_000)]);
    assert_eq!(Upkeep::open(&settings.path).unwrap().verify(&[]).unwrap().findings, []);
    // What is recorded from now on is packed with what was trained from what the rules let through.
    let fresh: i64 =
        reader.db.query_row("SELECT count(*) FROM bodies WHERE coding >= 16", [], |row| row.get(0)).unwrap();
    assert!(fresh > 1_000, "{fresh}");
}

#[test]
fn a_new_file_in_place_of_a_deleted_one_is_readable_without_the_old_dictionaries() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let mut preparer = writer.preparer();
    recorded(&mut writer, &mut preparer, 800);
    let examined = Examined { verdict: Verdict::Same, shape: None };
    let prepared = |preparer: &mut Preparer, n| {
        let one = old(n);
        (one.capture.id, Batch { prepared: vec![vec![preparer.parts(&one, &examined).0]], ..Batch::default() })
    };
    let (on_its_way, batch) = prepared(&mut preparer, 5_000);
    for name in ["t.db", "t.db-wal", "t.db-shm"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert!(matches!(writer.append(&Batch::default()), Err(StoreError::Gone { .. })));
    writer.append(&batch).unwrap();
    let (next, batch) = prepared(&mut preparer, 5_001);
    writer.append(&batch).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    for id in [on_its_way, next] {
        let got = reader.capture(&id).unwrap().unwrap();
        assert!(got.request_body.bytes.is_some() && got.shadow.body.bytes.is_some(), "{:?}", got.shadow.body);
    }
    assert_eq!(Upkeep::open(&settings.path).unwrap().verify(&[]).unwrap().findings, []);
}
