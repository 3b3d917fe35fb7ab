//! The demo's output, held to the facts the sample providers counted themselves.

use crate::support::{bytes_below, command};
use darklaunch::demo;
use serde_json::Value;

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
    let planted = aho_corasick::AhoCorasick::new(&raw).unwrap();
    for (path, bytes) in written.iter().chain([&("stderr".into(), output.stderr), &("stdout".into(), output.stdout)]) {
        let found = planted.find(bytes).map(|found| &raw[found.pattern().as_usize()]);
        assert_eq!(found, None, "a planted value is readable in {}", path.display());
    }
}
