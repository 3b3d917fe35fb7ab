//! The commands that keep a database: forget a person, follow, copy, check, prune, merge; while its recorder goes on.

use crate::support::{Recorder, Upstream, json};
use serde_json::Value;

fn answer(recorder: &Recorder, args: &[&str]) -> (Option<i32>, Value) {
    let done = recorder.cli(&[args, &["--output", "json"]].concat());
    let text = String::from_utf8(done.stdout).unwrap();
    let value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&done.stderr)));
    (done.status.code(), value)
}

#[tokio::test]
async fn a_person_is_forgotten_beside_a_running_recorder_and_the_check_proves_it() {
    let upstream = || {
        Upstream::answers(|seen| {
            Some(match seen.target.as_str() {
                "/ann" => json(r#"{"customer":{"email":"ann.lee@corp.example","plan":"gold"}}"#),
                _ => json(r#"{"customer":{"email":"bob.ray@corp.example","plan":"gold"}}"#),
            })
        })
    };
    let (primary, shadow) = (upstream().await, upstream().await);
    let recorder = Recorder::between(&primary, &shadow, "");
    for path in ["ann", "bob", "ann", "bob", "bob"] {
        reqwest::get(format!("{}/{path}", recorder.traffic)).await.unwrap();
    }
    recorder.at_rest().await;
    let (code, receipt) = answer(&recorder, &["recordings", "erase", "--subject", "Ann.Lee@corp.example"]);
    assert_eq!((code, &receipt["captures"], &receipt["remains"]), (Some(0), &Value::from(2), &Value::from(0)));
    let (_, list) = answer(&recorder, &["recordings", "list"]);
    let targets: Vec<_> = list["recordings"].as_array().unwrap().iter().map(|one| one["target"].clone()).collect();
    assert_eq!(targets, ["/bob", "/bob", "/bob"]);
    reqwest::get(format!("{}/bob", recorder.traffic)).await.unwrap();
    assert_eq!(recorder.at_rest().await["recorded"], 6, "recording goes on");
    let (code, copy) = answer(&recorder, &["store", "backup", "copy.db"]);
    assert!(code == Some(0) && copy["bytes"].as_u64() > Some(0), "{copy}");
    let (code, check) = answer(&recorder, &["store", "check", "--backup", "copy.db"]);
    assert_eq!((code, &check["sound"], &check["erasures"]), (Some(0), &true.into(), &1.into()), "{check}");
    assert_eq!(check["captures"], 4);
    let (code, nobody) = answer(&recorder, &["recordings", "erase", "--subject", "eve.doe@corp.example"]);
    assert_eq!((code, &nobody["captures"]), (Some(0), &0.into()), "{nobody}");
}

#[tokio::test]
async fn databases_are_followed_merged_and_pruned() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    for n in 0..6 {
        reqwest::get(format!("{}/things/{n}", recorder.traffic)).await.unwrap();
    }
    recorder.at_rest().await;
    let tail = recorder.cli(&["recordings", "tail", "--once", "--lines", "4", "--output", "json"]);
    let lines: Vec<Value> =
        String::from_utf8(tail.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let targets: Vec<_> = lines.iter().map(|one| one["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["/things/2", "/things/3", "/things/4", "/things/5"]);
    for expected in [6, 0] {
        let (code, merged) = answer(&recorder, &["store", "merge", "darklaunch.db", "--into", "all.db"]);
        assert_eq!((code, &merged["merged"][0]["captures_new"]), (Some(0), &Value::from(expected)), "{merged}");
    }
    let busy = recorder.cli(&["store", "merge", "all.db", "--into", "darklaunch.db"]);
    assert_eq!(busy.status.code(), Some(2), "never into what a recorder writes");
    let (code, list) = answer(&recorder, &["recordings", "list", "--store", "all.db"]);
    assert_eq!((code, list["recordings"].as_array().unwrap().len()), (Some(0), 6));
    let (code, pruned) = answer(&recorder, &["store", "prune", "--max-per-endpoint", "2", "--store", "all.db"]);
    assert_eq!((code, &pruned["captures"]), (Some(0), &0.into()), "variety keeps the newest 20: {pruned}");
    let (code, pruned) = answer(&recorder, &["store", "prune", "--max-age", "0s", "--store", "all.db"]);
    assert_eq!((code, &pruned["captures"]), (Some(0), &6.into()), "{pruned}");
    let (code, check) = answer(&recorder, &["store", "check", "--store", "all.db"]);
    assert_eq!((code, &check["captures"]), (Some(0), &0.into()), "{check}");
}
