//! The demo's output, held to the facts the sample providers counted themselves.

use crate::support::{bytes_below, command};
use darklaunch::demo;
use darklaunch::store::{CaptureFilter, Reader};
use serde_json::Value;
use std::path::Path;

#[test]
fn the_demo_tells_the_truth_and_leaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = command()
        .args(["demo", "--calls", "1200", "--output", "json", "--out"])
        .arg(&out)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{talk}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {talk}"));

    let ledger = &report["ledger"];
    let sum = |counts: &Value| counts.as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    let (mirrored, refused) = (sum(&ledger["mirrored"]), sum(&ledger["not_mirrored"]));
    assert_eq!(report["application"]["calls"], 1200);
    assert_eq!(report["application"]["answered_by_current"], 1200, "the user only ever sees the current provider");
    assert_eq!(ledger["arrived"], 1200);
    assert_eq!(mirrored + refused, 1200, "{ledger}");
    assert_eq!(report["providers"]["current"]["seen"], 1200);
    assert_eq!(report["providers"]["new"]["seen"].as_u64(), Some(mirrored), "{ledger}");
    assert_eq!(report["providers"]["new"]["answered_5xx"], ledger["mirrored"]["server_5xx"]);
    assert_eq!(report["providers"]["new"]["answered_429"], ledger["mirrored"]["throttled_429"]);
    assert_eq!(report["providers"]["new"]["answered_200_with_error"], ledger["mirrored"]["ok_but_error"]);
    assert_eq!(report["recorded"].as_u64(), Some(mirrored));

    let written = bytes_below(&out);
    assert!(written.iter().any(|(path, _)| path.extension().is_some_and(|ending| ending == "db")));
    assert!(written.iter().any(|(path, _)| path.ends_with("manifest.json")));
    let raw = demo::planted();
    assert!(raw.len() > 20, "the demo plants personal data");
    // Bodies are compressed in the file, so what is stored is also read back and searched as text.
    let stored = stored_texts(&out.join("darklaunch.db"));
    assert_eq!(stored.len() as u64, mirrored);
    let planted = aho_corasick::AhoCorasick::new(&raw).unwrap();
    for (path, bytes) in written.iter().chain([&("stderr".into(), output.stderr), &("stdout".into(), output.stdout)]) {
        let found = planted.find(bytes).map(|found| &raw[found.pattern().as_usize()]);
        assert_eq!(found, None, "a planted value is readable in {}", path.display());
    }
    for text in &stored {
        let found = planted.find(text).map(|found| &raw[found.pattern().as_usize()]);
        assert_eq!(found, None, "a planted value is stored:\n{text}");
    }
}

/// Every capture as text: targets, headers and bodies of both sides.
fn stored_texts(path: &Path) -> Vec<String> {
    let reader = Reader::open(path).unwrap();
    let mut filter = CaptureFilter { limit: 1_000, ..CaptureFilter::default() };
    let mut texts = Vec::new();
    loop {
        let page = reader.captures(&filter).unwrap();
        let Some(last) = page.last() else { return texts };
        filter.before = Some(last.id);
        for summary in &page {
            let capture = reader.capture(&summary.id).unwrap().unwrap();
            let answers = [capture.primary.as_ref(), Some(&capture.shadow)].into_iter().flatten();
            let bodies = answers.clone().map(|answer| &answer.body).chain([&capture.request_body]);
            let bodies: Vec<_> = bodies.filter_map(|body| body.bytes.as_deref()).map(String::from_utf8_lossy).collect();
            let headers: Vec<_> = answers.map(|answer| &answer.headers).chain([&capture.request_headers]).collect();
            texts.push(format!("{} {headers:?} {bodies:?}", summary.target));
        }
    }
}
