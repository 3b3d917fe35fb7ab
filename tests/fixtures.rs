//! From traffic to a stand-in provider, on the command line: export, stub, verify, and their exit codes.

use crate::support::{Dice, Recorder, Upstream, command, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const BEFORE: &str = r#"{"id":7,"note":"as recorded"}"#;
const AFTER: &str = r#"{"id":"seven"}"#;

/// A stand-in that is ended with its guard.
struct StandIn(Child, String);

impl StandIn {
    fn of(recorder: &Recorder, args: &[&str]) -> Self {
        let mut stub = command();
        stub.arg("stub").args(args).args(["--listen", "127.0.0.1:0"]).current_dir(recorder.folder.path());
        let mut child = stub.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // It says how many there are, and where.
        let url = line.trim().rsplit(' ').next().map(str::to_owned).unwrap_or_default();
        Self(child, url)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_was_recorded_is_served_again_and_held_against_what_comes_later() {
    static CHANGED: AtomicBool = AtomicBool::new(false);
    let primary = Upstream::replies(BEFORE).await;
    let answer = |_: &_| Some(json(if CHANGED.load(Ordering::SeqCst) { AFTER } else { BEFORE }));
    let shadow = Upstream::answers(answer).await;
    let recorder = Recorder::between(&primary, &shadow, "");
    let ask = async |count: usize| {
        for n in 0..count {
            reqwest::get(format!("{}/items/{n}", recorder.traffic)).await.unwrap().text().await.unwrap();
        }
        recorder.at_rest().await;
    };
    ask(10).await;
    // Of an endpoint of its own, so that it becomes a fixture.
    let personal = format!("{}/owners/9?email=ada.lovelace%40corp-mail.com", recorder.traffic);
    reqwest::get(personal).await.unwrap().text().await.unwrap();
    recorder.at_rest().await;
    let integration = recorder.status().await["integrations"][0]["name"].as_str().unwrap().to_owned();
    let code = |args: &[&str]| {
        let output = recorder.cli(args);
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let export = ["export", &integration, "--format", "plain", "--out", "out", "--check", "--delay", "none"];
    assert_eq!(code(&export).0, Some(0), "{}", code(&export).1);

    let first = StandIn::of(&recorder, &["out"]);
    for path in ["/items/9", "/items/9"] {
        let served = reqwest::get(format!("{}{path}", first.1)).await.unwrap();
        assert_eq!((served.status().as_u16(), served.text().await.unwrap()), (200, BEFORE.to_owned()));
    }
    let unknown = reqwest::get(format!("{}/item/9", first.1)).await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("\"part\": \"path\""));
    let store = recorder.folder.path().join("darklaunch.toml");
    let second = StandIn::of(&recorder, &["--config", store.to_str().unwrap(), "--latency", "none"]);
    assert_eq!(reqwest::get(format!("{}/items/9", second.1)).await.unwrap().text().await.unwrap(), BEFORE);

    assert_eq!(code(&["fixtures", "verify", "out"]).0, Some(0), "{}", code(&["fixtures", "verify", "out"]).1);
    CHANGED.store(true, Ordering::SeqCst);
    ask(60).await;
    let (said, text) = code(&["fixtures", "verify", "out"]);
    assert_eq!(said, Some(1), "{text}");
    for expected in ["type changed /id: number -> string", "field removed /note: string -> absent"] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert_eq!(code(&["fixtures", "verify", "out", "--erased"]).0, Some(0));
    let (said, text) = code(&["recordings", "erase", "--subject", "ada.lovelace@corp-mail.com"]);
    assert_eq!(said, Some(0), "{text}");
    let (said, text) = code(&["fixtures", "verify", "out", "--erased"]);
    assert_eq!(said, Some(1), "{text}");
    assert!(text.contains("a person in it was forgotten") && text.contains("1 findings"), "{text}");
    assert_eq!(code(&["fixtures", "verify", "nowhere"]).0, Some(2));
    let only_aborted = ["export", &integration, "--format", "har", "--out", "none", "--outcome", "aborted"];
    assert_eq!(code(&only_aborted).0, Some(3), "too little to export");
    std::fs::create_dir(recorder.folder.path().join("mine")).unwrap();
    std::fs::write(recorder.folder.path().join("mine/file"), "mine").unwrap();
    let foreign = ["export", &integration, "--format", "har", "--out", "mine"];
    assert_eq!(code(&foreign).0, Some(2), "a folder of somebody else stays");
}

/// What a folder holds, by the paths inside it; nothing if there is none.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut waiting) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(place) = waiting.pop() {
        for entry in std::fs::read_dir(&place).into_iter().flatten().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => waiting.push(path),
                path => drop(all.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap())),
            }
        }
    }
    all
}

/// What an export that was killed left beside its folder.
fn left_behind(room: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(room).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("out.")).collect()
}

#[tokio::test]
async fn an_export_that_is_killed_leaves_the_whole_old_folder_or_the_whole_new_one() {
    const KILLS: usize = 20;
    let provider = Upstream::replies(BEFORE).await;
    let recorder = Recorder::between(&provider, &provider, "");
    for n in 0..120 {
        reqwest::get(format!("{}/things-{}/{n}", recorder.traffic, n % 24)).await.unwrap().text().await.unwrap();
    }
    recorder.at_rest().await;
    let integration = recorder.status().await["integrations"][0]["name"].as_str().unwrap().to_owned();
    // Stopped, so that no latency is added between two exports.
    let (folder, _) = recorder.stop();
    let room = folder.path().join("room");
    std::fs::create_dir(&room).unwrap();
    let export = |out: &str, per_endpoint: &str| {
        let mut export = command();
        export.args([
            "export",
            &integration,
            "--format",
            "plain",
            "--check",
            "--per-endpoint",
            per_endpoint,
            "--out",
            out,
        ]);
        export.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        export
    };
    let whole = ["1", "3"].map(|per_endpoint| {
        assert!(export(per_endpoint, per_endpoint).status().unwrap().success());
        contents(&folder.path().join(per_endpoint))
    });
    assert!(whole[0].len() > 24 && whole[1].len() > whole[0].len());

    let (out, mut dice) = (room.join("out"), Dice::new(7));
    // Each kind of the state that a kill may leave, and how many exports were killed in the middle.
    let (mut seen, mut in_the_middle, mut left) = ([0, 0, 0], 0, 0);
    let is_over = |running: &mut Child| running.try_wait().unwrap().is_some();
    let begun = |per_endpoint: &str| {
        let before = left_behind(&room);
        let mut running = export("room/out", per_endpoint).spawn().unwrap();
        while left_behind(&room).is_subset(&before) && !is_over(&mut running) {}
        running
    };
    // How many looks a whole one takes from the moment that it writes: kills fall before and after its end.
    let mut whole_one = begun("3");
    let looks_max = (0..).take_while(|_: &u32| !is_over(&mut whole_one)).count() * 5 / 4;
    for kill in 0..10 * KILLS {
        let mut running = begun(["1", "3"][kill % 2]);
        let looks = dice.below(looks_max + 1);
        let over = (0..looks).any(|_| is_over(&mut running));
        running.kill().unwrap();
        running.wait().unwrap();
        in_the_middle += usize::from(!over);
        left += left_behind(&room).len();
        let found = contents(&out);
        let kind = whole.iter().position(|whole| *whole == found).unwrap_or(2);
        assert!(kind < 2 || found.is_empty(), "a half: {:?}", found.keys());
        seen[kind] += 1;
        if in_the_middle >= KILLS {
            break;
        }
    }
    assert!(in_the_middle >= KILLS, "{seen:?}");
    assert!(left > 0 && seen[0] > 0 && seen[1] > 0, "{seen:?}, {left} left behind");
    assert!(export("room/out", "3").status().unwrap().success());
    assert_eq!(left_behind(&room), BTreeSet::new(), "the next one cleans up");
    assert_eq!(contents(&out), whole[1]);
}
