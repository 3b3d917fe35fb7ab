//! Filters and pages, and that every query has its index.

use super::*;

#[test]
fn filters_find_what_a_walk_over_everything_finds() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let endpoints = ["GET /a", "GET /b", "POST /c"];
    let mut all = Vec::new();
    for n in 0..600_i64 {
        let new = (n % 7 != 0).then(|| body(format!("{{\"n\":{n}}}")));
        let mut one =
            recording(T0 + n / 3, endpoints[(n % 3) as usize], BodyCopy::empty(), Some(BodyCopy::empty()), new);
        one.capture.integration = if n % 5 == 0 { "other".into() } else { "pay".into() };
        one.capture.shadow.timings.total_us = 1 << (n % 23);
        one.hits = match n % 4 {
            0 => vec![],
            1 => vec![Hit { rule: "iban".into(), side: Side::Shadow, part: Part::Body, count: 1 }],
            _ => one.hits,
        };
        all.push(one);
    }
    append(&mut writer, &all);
    let reader = Reader::open(&settings.path).unwrap();
    let base = CaptureFilter { limit: 9, ..CaptureFilter::default() };
    let some = |text: &str| Some(text.to_owned());
    let filters = [
        base.clone(),
        CaptureFilter { integration: some("pay"), ..base.clone() },
        CaptureFilter { integration: some("pay"), endpoint: some("GET /b"), ..base.clone() },
        CaptureFilter { outcome: Some(Outcome::Timeout), ..base.clone() },
        CaptureFilter { outcome: Some(Outcome::Ok), role: Some(Role::Primary), ..base.clone() },
        CaptureFilter { slower_than_us: Some(5_000), ..base.clone() },
        CaptureFilter { slower_than_us: Some(5), role: Some(Role::Primary), ..base.clone() },
        CaptureFilter { slower_than_us: Some(5_000), at_most_us: Some(1 << 17), ..base.clone() },
        CaptureFilter { at_most_us: Some(255), ..base.clone() },
        CaptureFilter { at_most_us: Some(255), role: Some(Role::Primary), ..base.clone() },
        CaptureFilter { at_most_us: Some(300), redacted_by: some("iban"), ..base.clone() },
        CaptureFilter { redacted_by: some("iban"), ..base.clone() },
        CaptureFilter {
            redacted_by: some("email"),
            endpoint: some("POST /c"),
            slower_than_us: Some(99),
            ..base.clone()
        },
        CaptureFilter { since_unix_us: Some(T0 + 150), outcome: Some(Outcome::Ok), ..base.clone() },
        CaptureFilter { redacted_by: some("ib"), ..base },
    ];
    for filter in filters {
        let means = |one: &&Recording| {
            let capture = &one.capture;
            let side =
                if filter.role == Some(Role::Primary) { capture.primary.as_ref() } else { Some(&capture.shadow) };
            filter.integration.as_ref().is_none_or(|name| **name == *capture.integration)
                && filter.endpoint.as_ref().is_none_or(|name| **name == *capture.endpoint)
                && filter.outcome.is_none_or(|outcome| side.is_some_and(|side| side.outcome == outcome))
                && filter.slower_than_us.is_none_or(|us| side.is_some_and(|side| side.timings.total_us > us))
                && filter.at_most_us.is_none_or(|us| side.is_some_and(|side| side.timings.total_us <= us))
                && filter.since_unix_us.is_none_or(|since| capture.received_unix_us >= since)
                && filter.redacted_by.as_ref().is_none_or(|rule| one.hits.iter().any(|hit| *hit.rule == **rule))
        };
        let expected: Vec<_> = all.iter().rev().filter(means).map(|one| one.capture.id).collect();
        let (mut page, mut seen) = (filter.clone(), Vec::new());
        loop {
            let found = reader.captures(&page).unwrap();
            let Some(last) = found.last() else { break };
            page.before = Some(last.id);
            seen.extend(found.iter().map(|one| one.id));
        }
        assert_eq!(seen, expected, "{filter:?}");
    }
}

#[test]
fn an_endpoint_has_no_more_kinds_than_allowed_and_no_capture_is_lost_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    let one = |n: i64| {
        let mut one = recording(T0 + n, "GET /a", BodyCopy::empty(), None, Some(body(format!("{{\"k{n}\":1}}"))));
        one.capture.shadow.response.iter_mut().for_each(|answer| {
            answer.headers = HeaderMap::new();
        });
        one
    };
    for part in 0..4 {
        let some: Vec<_> = (part * 100..part * 100 + 100).map(one).collect();
        append(&mut writer, &some);
        // As if the writer were another one.
        writer.prune(T0).unwrap();
    }
    let db = Connection::open(&settings.path).unwrap();
    let (classes, captures): (i64, i64) =
        db.query_row("SELECT count(*), sum(captures) FROM classes", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!((classes, captures), (257, 400));
    let filter = CaptureFilter { endpoint: Some("GET /a".into()), limit: 1_000, ..CaptureFilter::default() };
    assert_eq!(Reader::open(&settings.path).unwrap().captures(&filter).unwrap().len(), 400);
}

/// Tables that grow with the traffic.
const BIG: [&str; 12] =
    ["captures", "c", "bodies", "b", "repeats", "subjects", "subject_runs", "hist", "h", "ledger", "intents", "kept"];

/// Statements that walk a big table on purpose, and why that is right.
const WALKS: [(&str, &str); 8] = [
    ("FROM kept k JOIN captures", "kept holds a few captures of each class, and is read in its order"),
    ("SELECT bytes FROM bodies ORDER BY id", "a receipt proves nothing with bytes that others have: erasing reads all"),
    ("SELECT block FROM captures ORDER BY seq", "likewise"),
    ("DISTINCT integration FROM ledger", "its key begins with the integration"),
    (
        "FROM captures c JOIN classes k ON k.id = c.class JOIN endpoints e",
        "a merge takes every capture, in pages by id",
    ),
    ("SELECT seq, id FROM captures ORDER BY seq", "a merge looks for what was erased elsewhere"),
    ("h.blob FROM hist h JOIN series", "a merge takes every histogram"),
    ("dur_s, t0, count FROM ledger", "a merge takes the whole ledger"),
];

#[test]
fn every_query_has_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut writer = Writer::open(&settings, info()).unwrap();
    append(&mut writer, &[recording(T0, "GET /a", BodyCopy::empty(), None, None)]);
    // Every file of the room but these: they run once on an old file, make the schema, or read everything as their task.
    let others = ["convert.rs", "migrate.rs", "tests.rs", "verify.rs"];
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let files = std::fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
    let files = files.filter(|file| !others.iter().any(|other| file.ends_with(other)));
    let sources: Vec<String> = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let whole = |text: &&str| ["SELECT ", "DELETE ", "UPDATE ", "INSERT "].iter().any(|verb| text.starts_with(verb));
    let mut texts: Vec<String> = Vec::new();
    for source in &sources {
        let (source, _tests) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
        // Every string literal of the room that is a whole statement.
        texts.extend(source.split('"').filter(whole).filter(|text| !text.contains('{')).map(str::to_owned));
    }
    let alone = page::NEWEST_WITH.replace("hit_set", "0");
    for text in [page::NEWEST_WITH, page::STRUCK, &alone] {
        texts.push(format!("{text} AND s_total_us > ?5 ORDER BY received_us DESC, seq DESC"));
    }
    assert!(texts.len() > 150, "{}", texts.len());
    let db = Connection::open(&settings.path).unwrap();
    for text in texts {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            let mut words = step.split(' ').skip_while(|word| *word != "SCAN").skip(1);
            let walks = words.next().is_some_and(|table| BIG.contains(&table));
            let on_purpose = WALKS.iter().any(|(part, _)| text.contains(part));
            assert!(!walks || on_purpose, "{text}: {step}");
            // Sorting is for small tables only.
            assert!(!step.contains("TEMP B-TREE FOR ORDER BY") || !text.contains("captures"), "{text}: {step}");
        }
    }
}
