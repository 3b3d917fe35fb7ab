//! kill -9 loses at most the last commit interval, and the next start says so.

use crate::support::{Recorder, Upstream};

#[tokio::test]
async fn what_was_committed_outlives_a_kill() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let config = std::fs::read_to_string(recorder.folder.path().join("darklaunch.toml")).unwrap();
    for n in 0..20 {
        reqwest::get(format!("{}/things/{n}", recorder.traffic)).await.unwrap();
    }
    assert_eq!(recorder.at_rest().await["recorded"], 20);
    let folder = recorder.kill();

    let recorder = Recorder::inside(folder, &config);
    let list = recorder.cli(&["recordings", "list", "--limit", "100", "--output", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list["recordings"].as_array().unwrap().len(), 20, "no acknowledged capture is missing");
    assert!(recorder.talk_so_far().iter().any(|line| line.contains("did not close")), "{:?}", recorder.talk_so_far());
}
