//! What production does to the file and the clock: the user notices nothing, the recorder says it and goes on by itself.

use crate::support::{Recorder, Upstream, config_text, eventually, talk};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";

async fn call(recorder: &Recorder) {
    let answer = talk(&recorder.traffic, GET).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{answer}");
}

async fn ready(recorder: &Recorder) -> String {
    reqwest::get(format!("{}/readyz", recorder.console)).await.unwrap().text().await.unwrap()
}

/// Calls until the store refuses one, then until it takes one again after `repair`; everything is counted and told.
async fn refuses_and_resumes(recorder: &Recorder, repair: impl FnOnce()) -> Value {
    eventually("a capture that could not be stored", async || {
        call(recorder).await;
        recorder.status().await["integrations"][0]["not_recorded"]["store_failed"].as_u64()
    })
    .await;
    assert!(ready(recorder).await.contains("store"), "readiness names the store");
    let status = recorder.status().await;
    assert!(status["recorder"]["problems"].to_string().contains("darklaunch.db"), "{status}");
    repair();
    let before = recorder.status().await["integrations"][0]["recorded"].as_u64().unwrap();
    eventually("recording again", async || {
        call(recorder).await;
        let now = recorder.status().await["integrations"][0]["recorded"].as_u64().unwrap();
        (now > before).then_some(())
    })
    .await;
    let one = recorder.at_rest().await;
    assert_eq!(one["ledger"]["adds_up"], true, "{one}");
    eventually("no problem any more", async || (!ready(recorder).await.contains("store")).then_some(())).await;
    one
}

fn listed(recorder: &Recorder) -> Vec<Value> {
    let list = recorder.cli(&["recordings", "list", "--limit", "1000", "--output", "json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    list["recordings"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_file_that_is_deleted_is_said_and_made_again() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    call(&recorder).await;
    assert_eq!(recorder.at_rest().await["recorded"], 1);
    for name in ["darklaunch.db", "darklaunch.db-wal", "darklaunch.db-shm"] {
        std::fs::remove_file(recorder.folder.path().join(name)).unwrap();
    }
    let one = refuses_and_resumes(&recorder, || ()).await;
    let lost = one["not_recorded"]["store_failed"].as_u64().unwrap();
    let recorded = one["recorded"].as_u64().unwrap();
    assert_eq!(primary.seen().len() as u64, lost + recorded);
    assert_eq!(listed(&recorder).len() as u64, recorded - 1, "the first one was in the file that is gone");
}

#[tokio::test]
async fn a_file_system_that_turns_read_only_is_said_and_waited_for() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    call(&recorder).await;
    assert_eq!(recorder.at_rest().await["recorded"], 1);
    let names = ["darklaunch.db", "darklaunch.db-wal"];
    let files: Vec<PathBuf> = names.iter().map(|name| recorder.folder.path().join(name)).collect();
    let change =
        |flag: &str| Command::new("chattr").arg(flag).args(&files).output().is_ok_and(|it| it.status.success());
    if !change("+i") {
        // Without the right to make a file immutable there is nothing that refuses a write to a file that is open.
        return;
    }
    let one = refuses_and_resumes(&recorder, || assert!(change("-i"))).await;
    assert_eq!(listed(&recorder).len() as u64, one["recorded"].as_u64().unwrap());
}

#[tokio::test]
async fn a_file_that_somebody_else_holds_is_said_and_waited_for() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    call(&recorder).await;
    assert_eq!(recorder.at_rest().await["recorded"], 1);
    #[expect(clippy::disallowed_types, reason = "a story holds the store from outside")]
    let other = rusqlite::Connection::open(recorder.folder.path().join("darklaunch.db")).unwrap();
    other.busy_timeout(crate::support::PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let one = refuses_and_resumes(&recorder, || other.execute_batch("ROLLBACK").unwrap()).await;
    assert_eq!(listed(&recorder).len() as u64, one["recorded"].as_u64().unwrap());
}

fn clock_back(folder: &Path) -> PathBuf {
    let library = folder.join("clock_back.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/clock_back.c");
    let built =
        Command::new("gcc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(built.is_ok_and(|built| built.success()), "the clock is built with gcc, as SQLite is");
    library
}

#[tokio::test]
async fn a_clock_that_steps_back_a_day_loses_nothing_and_counts_nothing_twice() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let tools = tempfile::tempdir().unwrap();
    let (library, switch) = (clock_back(tools.path()), tools.path().join("back"));
    let environment = [("LD_PRELOAD", library.as_path()), ("CLOCK_BACK_SWITCH", switch.as_path())];
    let config = config_text(&primary.url, &shadow.url, "");
    let recorder = Recorder::under(tempfile::tempdir().unwrap(), &config, &environment);
    for step in 0..3 {
        for _ in 0..10 {
            call(&recorder).await;
        }
        assert_eq!(recorder.at_rest().await["recorded"], (step + 1) * 10);
        match step {
            0 => std::fs::write(&switch, "").unwrap(),
            _ => drop(std::fs::remove_file(&switch)),
        }
    }
    let all = listed(&recorder);
    assert_eq!(all.len(), 30);
    let behind = all.iter().filter(|one| one["received_at"].as_str() < all[19]["received_at"].as_str()).count();
    assert_eq!(behind, 10, "those of the day before are the oldest");
    let slowest = all.iter().map(|one| one["shadow"]["total_us"].as_u64().unwrap()).max().unwrap();
    assert!(slowest < 60_000_000, "latencies are from the other clock: {slowest}");
    let check = recorder.cli(&["store", "check"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}
