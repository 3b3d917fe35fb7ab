//! The user never notices load and slowness anywhere else: any mood of the shadow, floods, a slow disk, a busy console.

use crate::support::{Mood, Moody, Recorder, Upstream, clock, config_text, eventually};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinSet;

/// Far below every delay that is made here, far above what loopback needs on a busy machine.
const PROMPT: Duration = Duration::from_secs(4);

async fn served(recorder: &Recorder, count: usize) {
    let client = reqwest::Client::new();
    for _ in 0..count {
        let start = clock();
        let answer = client.get(format!("{}/a", recorder.traffic)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "{}"));
        assert!(start.elapsed() < PROMPT, "the user waited {:?}", start.elapsed());
    }
}

fn refused(one: &serde_json::Value, reason: &str) -> u64 {
    one["ledger"]["not_mirrored"][reason].as_u64().unwrap()
}

#[tokio::test]
async fn no_mood_of_the_shadow_is_felt_and_no_redirect_is_followed() {
    const CALLS: u64 = 20;
    let (primary, shadow) = (Upstream::replies("{}").await, Moody::start().await);
    let limits =
        "shadow.total_timeout = \"500ms\"\nmirror.queue = 8\nmirror.in_flight = 8\nbreaker.min_calls = 1000000";
    let recorder = Recorder::with(&config_text(&primary.url, &shadow.url, limits));
    for mood in Mood::OF_A_SHADOW {
        shadow.is(mood);
        let before = shadow.total();
        served(&recorder, CALLS as usize).await;
        recorder.at_rest().await;
        let asked = shadow.total() - before;
        assert!(asked <= CALLS, "{mood:?}: {asked} calls for {CALLS}");
    }
    let one = recorder.at_rest().await;
    let calls = CALLS * Mood::OF_A_SHADOW.len() as u64;
    assert_eq!((&one["ledger"]["arrived"], &one["ledger"]["adds_up"]), (&calls.into(), &true.into()), "{one}");
    assert_eq!(primary.seen().len() as u64, calls);
}

#[tokio::test]
async fn a_flood_of_the_largest_bodies_is_shed_within_the_byte_budget() {
    const BODY_BYTES: usize = 1 << 20;
    const BUDGET_BYTES: u64 = 4 << 20;
    /// Buffers of the connections, and what the allocator keeps.
    const BESIDE_BYTES: u64 = 64 << 20;
    let (primary, shadow) = (Moody::start().await, Upstream::hangs().await);
    let more = "mirror.allow = [\"POST /up\"]\nmirror.memory = \"4MiB\"\nmirror.max_body = \"1MiB\"\nshadow.total_timeout = \"2s\"";
    let recorder = Recorder::with(&config_text(&primary.url, &shadow.url, more));
    let mut flood = JoinSet::new();
    for _ in 0..16 {
        let url = format!("{}/up", recorder.traffic);
        flood.spawn(async move {
            let client = reqwest::Client::new();
            for _ in 0..20 {
                let answer = client.post(&url).body(vec![b'x'; BODY_BYTES]).send().await.unwrap();
                assert_eq!(answer.status(), 204);
            }
        });
    }
    flood.join_all().await;
    let one = recorder.at_rest().await;
    assert!(refused(&one, "memory") > 0 && one["ledger"]["adds_up"] == true, "{one}");
    assert_eq!(primary.total(), 320);
    let growth = recorder.memory_growth_bytes();
    assert!(growth < BUDGET_BYTES + BESIDE_BYTES, "{growth} bytes for 320 MiB of bodies");
}

/// Builds the disk that can be slowed.
fn slow_disk(folder: &Path) -> PathBuf {
    let library = folder.join("slow_disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/slow_disk.c");
    let built =
        Command::new("gcc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(built.is_ok_and(|built| built.success()), "the slow disk is built with gcc, as SQLite is");
    library
}

#[tokio::test]
async fn a_disk_that_takes_five_seconds_a_write_is_counted_and_not_felt() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let tools = tempfile::tempdir().unwrap();
    let (library, switch) = (slow_disk(tools.path()), tools.path().join("slow"));
    let config = config_text(
        &primary.url,
        &shadow.url,
        "mirror.memory = \"128KiB\"\nmirror.max_body = \"16KiB\"\nmirror.queue = 16",
    );
    let environment = [("LD_PRELOAD", library.as_path()), ("SLOW_DISK_SWITCH", switch.as_path())];
    let recorder = Recorder::under(tempfile::tempdir().unwrap(), &config, &environment);
    served(&recorder, 5).await;
    assert_eq!(recorder.at_rest().await["recorded"], 5);

    std::fs::write(&switch, "").unwrap();
    served(&recorder, 300).await;
    let one = eventually("calls shed by a named limit", async || {
        let one = recorder.status().await["integrations"][0].clone();
        (refused(&one, "memory") + refused(&one, "queue_full") > 0).then_some(one)
    })
    .await;
    let recorded = one["recorded"].as_u64().unwrap();
    assert!(recorded < 305, "the disk was not slow: {one}");

    std::fs::remove_file(&switch).unwrap();
    let one = recorder.at_rest().await;
    assert!(one["recorded"].as_u64().unwrap() > recorded && one["ledger"]["arrived"] == 305, "{one}");
    let before = one["recorded"].as_u64().unwrap();
    served(&recorder, 5).await;
    let one = recorder.at_rest().await;
    assert_eq!((&one["recorded"], &one["ledger"]["adds_up"]), (&(before + 5).into(), &true.into()), "{one}");
}

#[tokio::test]
async fn a_console_that_twenty_people_refresh_is_not_felt() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let recorder = Recorder::between(&primary, &shadow, "");
    let mut people = JoinSet::new();
    for person in 0..20 {
        let page = ["/", "/metrics", "/api/v1/status", "/integrations/payments"][person % 4];
        let url = format!("{}{page}", recorder.console);
        people.spawn(async move {
            let client = reqwest::Client::new();
            loop {
                let answer = client.get(&url).send().await.unwrap();
                assert!(answer.status().is_success(), "{url}: {}", answer.status());
                answer.bytes().await.unwrap();
            }
        });
    }
    served(&recorder, 200).await;
    let lost = people.try_join_next();
    assert!(lost.is_none(), "a page failed: {lost:?}");
    people.shutdown().await;
    assert_eq!(recorder.at_rest().await["ledger"]["arrived"], 200);
}

#[tokio::test]
async fn hundreds_of_connections_are_served_while_the_shadow_hangs() {
    const CONNECTIONS: usize = 150;
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::hangs().await);
    let limits = "shadow.total_timeout = \"500ms\"\nmirror.queue = 8\nmirror.in_flight = 8";
    let recorder = Recorder::between(&primary, &shadow, limits);
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(crate::support::connect(&recorder.traffic).await);
    }
    // Each is kept open, so that all are open at once.
    for _ in 0..2 {
        for stream in &mut open {
            let request = b"GET /a HTTP/1.1\r\nHost: app\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(stream, request).await.unwrap();
            crate::support::hear(stream, "\r\n\r\n{}").await.unwrap();
        }
    }
    let one = recorder.at_rest().await;
    assert_eq!(
        (&one["ledger"]["arrived"], &one["ledger"]["adds_up"]),
        (&(2 * CONNECTIONS).into(), &true.into()),
        "{one}"
    );
}

#[tokio::test]
async fn threads_off_the_users_path_keep_to_their_cores_and_step_back() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let config = format!("{}\n[limits]\nshadow_cores = 1\n", config_text(&primary.url, &shadow.url, ""));
    let recorder = Recorder::with(&config);
    served(&recorder, 3).await;
    recorder.at_rest().await;
    let cores = |status: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:")).unwrap().trim().replace(',', "");
        mask.chars().map(|digit| digit.to_digit(16).unwrap().count_ones()).sum::<u32>()
    };
    let own = cores(&std::fs::read_to_string("/proc/self/status").unwrap());
    let (mut on_path, mut off_path) = (0, 0);
    for task in std::fs::read_dir(format!("/proc/{}/task", recorder.pid())).unwrap() {
        let task = task.unwrap().path();
        let read = |name: &str| std::fs::read_to_string(task.join(name)).unwrap();
        let (name, allowed) = (read("comm"), cores(&read("status")));
        let stat = read("stat");
        // The nineteenth field; the second ends with the last bracket.
        let nice = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().to_owned();
        if name.starts_with("traffic-") {
            assert_eq!((allowed, nice.as_str()), (own, "0"), "{name}");
            on_path += 1;
        } else if ["dl-shadow", "dl-redact", "dl-writer", "dl-console"].iter().any(|off| name.starts_with(off)) {
            assert_eq!((allowed, nice.as_str()), (1, "10"), "{name}");
            off_path += 1;
        }
    }
    assert!(on_path >= 1 && off_path >= 4, "{on_path} threads on the path, {off_path} beside it");
}
