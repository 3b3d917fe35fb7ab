//! Faults on every side: whatever the shadow, the application, the primary or the disk does, the user's answer is the
//! primary's and the ledger adds up. What is refused at the door is counted beside it (see the stories of the wire).

use crate::support::{Raw, Recorder, Upstream, connect, eventually, hear, talk};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";

/// Room for one body expanded to its limit of 8 MiB, with what the allocator keeps; the bomb is 200 MiB, the stream 4 GiB.
const GROWTH_MAX_BYTES: u64 = 80 << 20;

fn mirrored(one: &Value, outcome: &str) -> u64 {
    assert_eq!(one["ledger"]["adds_up"], true, "{one}");
    one["ledger"]["mirrored"][outcome].as_u64().unwrap_or_default()
}

fn not_mirrored(one: &Value, reason: &str) -> u64 {
    assert_eq!(one["ledger"]["adds_up"], true, "{one}");
    one["ledger"]["not_mirrored"][reason].as_u64().unwrap_or_default()
}

/// The one recording, as the command line shows it.
fn recording(recorder: &Recorder) -> Value {
    let list = recorder.cli(&["recordings", "list", "--output", "json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let id = list["recordings"][0]["id"].as_str().unwrap().to_owned();
    let show = recorder.cli(&["recordings", "show", &id, "--output", "json"]);
    serde_json::from_slice(&show.stdout).unwrap()
}

/// One call while the shadow misbehaves: the user gets the primary's answer; the shadow's end has this name.
async fn one_call(shadow: &Raw, more: &str, outcome: &str) -> Recorder {
    let primary = Upstream::replies("{}").await;
    let recorder = Recorder::with(&crate::support::config_text(&primary.url, &shadow.url, more));
    let answer = talk(&recorder.traffic, GET).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n{}"), "{answer}");
    let one = recorder.at_rest().await;
    assert_eq!((mirrored(&one, outcome), &one["recorded"], &one["primary"]["ok"]), (1, &json!(1), &json!(1)), "{one}");
    assert_eq!((primary.seen().len(), shadow.seen().len()), (1, 1), "each upstream is called once");
    recorder
}

#[tokio::test]
async fn a_shadow_that_resets_within_its_answer_is_a_network_error() {
    let shadow = Raw::speaks(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.ok()?;
        // Closing with a reset, not in order.
        stream.set_zero_linger().ok()?;
        None
    })
    .await;
    one_call(&shadow, "", "network_error").await;
}

#[tokio::test]
async fn a_shadow_that_drips_is_ended_by_the_total_timeout() {
    let shadow = Raw::speaks(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.ok()?;
        loop {
            stream.write_all(b"x").await.ok()?;
            let pause = std::time::Duration::from_millis(10);
            let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
        }
    })
    .await;
    one_call(&shadow, "shadow.total_timeout = \"300ms\"", "timeout").await;
}

#[tokio::test]
async fn a_shadow_that_pours_without_end_is_cut_and_memory_stays_bounded() {
    let (to, poured) = tokio::sync::watch::channel(0_u64);
    let shadow = Raw::speaks(move |mut stream| {
        let to = to.clone();
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await.ok()?;
            let megabyte = vec![b'x'; 1 << 20];
            for _ in 0..4096 {
                // Ends when the recorder closes the connection.
                if stream.write_all(&megabyte).await.is_err() {
                    break;
                }
                to.send_modify(|bytes| *bytes += 1 << 20);
            }
            None
        }
    })
    .await;
    let recorder = one_call(&shadow, "", "ok").await;
    let shown = recording(&recorder).to_string();
    assert!(shown.contains("over_cap"), "{shown}");
    assert!(*poured.borrow() < 64 << 20, "{} bytes were taken", *poured.borrow());
    assert!(recorder.memory_growth_bytes() < GROWTH_MAX_BYTES, "{}", recorder.memory_growth_bytes());
}

#[tokio::test]
async fn a_shadow_that_speaks_no_http_or_thousands_of_headers_is_a_network_error() {
    let garbage = Raw::says(b"\x00\xffSSH-2.0-nothing\r\n\r\n\x16\x03\x01".to_vec()).await;
    one_call(&garbage, "", "network_error").await;
    let headers: String = (0..5_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let many = Raw::says(format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n")).await;
    one_call(&many, "", "network_error").await;
}

#[tokio::test]
async fn a_shadow_that_redirects_to_itself_is_not_followed() {
    let shadow = Raw::says("HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n").await;
    let recorder = one_call(&shadow, "", "ok").await;
    let shown = recording(&recorder).to_string();
    assert!(shown.contains("302"), "{shown}");
}

/// Answers with a body of this type and encoding, as its length says.
fn with_body(kind: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

#[tokio::test]
async fn bodies_that_are_not_what_they_claim_are_dropped_with_a_reason_and_their_exchange_is_kept() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..200 {
        gzip.write_all(&zeros).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let json = "Content-Type: application/json";
    let cases = [
        (with_body(&format!("{json}\r\nContent-Encoding: gzip"), &bomb), "decompression_bomb"),
        (with_body(&format!("{json}\r\nContent-Encoding: gzip"), b"no gzip"), "undecodable"),
        (with_body(json, b"{\"name\": "), "unparseable"),
    ];
    for (answer, reason) in cases {
        let shadow = Raw::says(answer).await;
        let recorder = one_call(&shadow, "", "ok").await;
        let shown = recording(&recorder).to_string();
        assert!(shown.contains(reason), "{reason}: {shown}");
        assert!(recorder.memory_growth_bytes() < GROWTH_MAX_BYTES, "{}", recorder.memory_growth_bytes());
    }
}

#[tokio::test]
async fn an_application_that_vanishes_within_its_upload_is_counted_as_such() {
    let (primary, shadow) =
        (Raw::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await, Upstream::replies("{}").await);
    let more = "mirror.allow = [\"POST /up\"]";
    let recorder = Recorder::with(&crate::support::config_text(&primary.url, &shadow.url, more));
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"POST /up HTTP/1.1\r\nHost: app\r\nContent-Length: 1000\r\n\r\nhalf").await.unwrap();
    eventually("the arrival", async || {
        (recorder.status().await["integrations"][0]["ledger"]["arrived"] == 1).then_some(())
    })
    .await;
    drop(stream);
    let one = recorder.at_rest().await;
    assert_eq!(not_mirrored(&one, "upload_aborted"), 1, "{one}");
    assert_eq!((shadow.seen().len(), primary.seen().len()), (0, 0), "nobody got the half of it as a whole");
    let one = eventually("the primary's end", async || {
        let one = recorder.at_rest().await;
        one["primary"].as_object().unwrap().values().any(|count| *count != 0).then_some(one)
    })
    .await;
    assert_eq!(one["primary"]["aborted"], 1, "the application's fault is not the provider's: {one}");
}

#[tokio::test]
async fn an_application_that_vanishes_within_its_answer_is_an_abort_of_the_primarys_call() {
    let primary = Raw::speaks(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.ok()?;
        // The recorder closes when nobody is there to read.
        stream.read_u8().await.ok();
        None
    })
    .await;
    let shadow = Upstream::replies("{}").await;
    let recorder = Recorder::with(&crate::support::config_text(&primary.url, &shadow.url, ""));
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: app\r\n\r\n").await.unwrap();
    hear(&mut stream, "half").await.unwrap();
    drop(stream);
    let one = recorder.at_rest().await;
    assert_eq!((&one["primary"]["aborted"], mirrored(&one, "ok")), (&json!(1), 1), "{one}");
    let shown = recording(&recorder).to_string();
    assert!(shown.contains("client_gone"), "{shown}");
}

/// A disk of its own that can be filled, where the machine lets one be mounted; else a store that refuses captures.
struct Disk {
    path: std::path::PathBuf,
    mounted: bool,
}

impl Disk {
    fn new(folder: &std::path::Path) -> Self {
        let path = folder.join("disk");
        std::fs::create_dir(&path).unwrap();
        let mount =
            std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(&path).output();
        Self { path, mounted: mount.is_ok_and(|mount| mount.status.success()) }
    }

    fn sql(&self, statement: &str) {
        #[expect(clippy::disallowed_types, reason = "a story breaks the store from outside")]
        let db = rusqlite::Connection::open(self.path.join("darklaunch.db")).unwrap();
        db.busy_timeout(crate::support::PATIENCE).unwrap();
        db.execute_batch(statement).unwrap();
    }

    fn fill(&self) {
        if !self.mounted {
            let trigger = "CREATE TRIGGER full BEFORE INSERT ON captures BEGIN SELECT RAISE(ABORT, 'full'); END";
            return self.sql(trigger);
        }
        let mut filler = std::fs::File::create(self.path.join("filler")).unwrap();
        // Byte by byte at the end, so that not a page is left.
        for size in [64 << 10, 4 << 10, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        match self.mounted {
            true => std::fs::remove_file(self.path.join("filler")).unwrap(),
            false => self.sql("DROP TRIGGER full"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = std::process::Command::new("umount").arg("-l").arg(&self.path).output();
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_counted_and_not_felt_and_recording_goes_on_when_it_is_freed() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let told = Upstream::replies("{}").await;
    let alerts = format!("[alerts]\nwebhooks = [\"json:{}\"]\nwindow = \"1s\"\nlasting = \"1s\"\n\n", told.url);
    let config = alerts + &crate::support::config_text(&primary.url, &shadow.url, "");
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    let recorder = Recorder::inside(folder, &config.replace("darklaunch.db", "disk/darklaunch.db"));
    let notice = |state: &str| {
        let all = told.seen().into_iter().map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap());
        all.into_iter().find(|one| one["alert"] == "DarklaunchDoesNotRecord" && one["state"] == state)
    };
    let call = async || {
        let answer = talk(&recorder.traffic, GET).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{answer}");
    };
    call().await;
    assert_eq!(recorder.at_rest().await["recorded"], 1);
    disk.fill();
    // What is left of a page already allocated may still take a few.
    eventually("a capture that could not be stored", async || {
        call().await;
        let one = recorder.at_rest().await;
        one["not_recorded"]["store_failed"].as_u64().map(|_| one)
    })
    .await;
    let ready = reqwest::get(format!("{}/readyz", recorder.console)).await.unwrap();
    assert!(ready.text().await.unwrap().contains("store"), "readiness names the store");
    let fires = eventually("the alert", async || {
        call().await;
        notice("firing")
    });
    let fires = fires.await;
    assert!(fires["remedy"].as_str().unwrap().contains("disk"), "{fires}");
    let one = recorder.at_rest().await;
    // The page of a switch needs no disk, and neither does a stop.
    let page = reqwest::get(format!("{}/integrations/payments", recorder.console)).await.unwrap();
    assert!(page.text().await.unwrap().contains("Stop mirroring now"), "the page has its switch");
    disk.free();
    eventually("its end", async || notice("resolved")).await;
    let before = one["recorded"].as_u64().unwrap();
    let one = eventually("recording again", async || {
        call().await;
        let one = recorder.at_rest().await;
        (one["recorded"].as_u64().unwrap() > before).then_some(one)
    })
    .await;
    assert_eq!(mirrored(&one, "ok"), primary.seen().len() as u64, "{one}");
    assert_eq!(primary.seen().len(), shadow.seen().len());
    let (code, line) = recorder.last_words();
    assert!(code == Some(0) && line.ends_with("the ledger adds up"), "{code:?} {line}");
}
