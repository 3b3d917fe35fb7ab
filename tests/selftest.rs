//! The self-test: it passes where the configuration is right, and its line is the right one where it is not.

use crate::support::{Upstream, command, config_text, json};
use serde_json::Value;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

const PRIMARY: &str = "https://api.current.example/v1";
const SHADOW: &str = "https://api.new.example";

/// The folder of a configuration, and nothing else in it.
fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("darklaunch.toml"), config).unwrap();
    folder
}

fn selftest(folder: &Path, args: &[&str]) -> Output {
    command().arg("selftest").args(args).current_dir(folder).output().unwrap()
}

/// The exit code and the JSON of a self-test.
fn report(folder: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let output = selftest(folder, &[args, &["--output", "json"]].concat());
    let talk = String::from_utf8_lossy(&output.stderr);
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {talk}"));
    (output.status.code(), json)
}

/// Verdict and detail of one check of the first integration.
fn check<'r>(report: &'r Value, name: &str) -> (&'r str, &'r str) {
    let all = report["integrations"][0]["checks"].as_array().unwrap();
    let one = all.iter().find(|one| one["check"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"));
    (one["verdict"].as_str().unwrap(), one["detail"].as_str().unwrap())
}

/// The checks that failed.
fn failed(report: &Value) -> Vec<&str> {
    let all = report["integrations"][0]["checks"].as_array().unwrap();
    let failed = all.iter().filter(|one| one["verdict"] == "fail");
    failed.map(|one| one["check"].as_str().unwrap()).collect()
}

/// The report on the smallest configuration with `more` keys.
fn with(more: &str) -> (Option<i32>, Value) {
    report(folder(&config_text(PRIMARY, SHADOW, more)).path(), &[])
}

#[test]
fn the_example_passes_and_leaves_nothing_behind() {
    let example = command().arg("init").output().unwrap().stdout;
    let example = String::from_utf8(example).unwrap();
    let uncommented = example.replace("# shadow.headers", "shadow.headers");
    let folder = folder(&uncommented);
    let temporary = tempfile::tempdir().unwrap();
    let output = command()
        .arg("selftest")
        .env("NEW_API_TOKEN", "the-shadow's-own")
        .env("TMPDIR", temporary.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (text, talk) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{text}{talk}");
    for name in [
        "copy_arrived",
        "answer_identical",
        "primary_untouched",
        "credentials_withheld",
        "shadow_headers",
        "stop_stops",
        "ledger_adds_up",
        "redaction",
    ] {
        assert!(text.contains(&format!("PASS        payments {name}: ")), "{name}:\n{text}");
    }
    assert!(text.contains("GET /selftest/canary, HEAD /selftest/canary, POST /quotes arrived once each"), "{text}");
    assert!(!text.contains("the-shadow's-own"), "a secret is shown:\n{text}");
    let names =
        |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(folder.path()), ["darklaunch.toml"]);
    assert!(names(temporary.path()).is_empty(), "{:?}", names(temporary.path()));
}

#[test]
fn what_mirrors_nothing_is_told_by_its_setting() {
    let text = config_text(PRIMARY, SHADOW, "");
    let everything = "mirror.exclude = [\"/{a}\", \"/{a}/{b}\", \"/{a}/{b}/{c}\", \"/{a}/{b}/{c}/{d}\"]";
    for (from, to, said) in [
        ("mirror.enabled = true", "mirror.enabled = false", "mirror.enabled = false"),
        ("mirror.sample = \"100%\"", "mirror.sample = \"0%\"", "mirror.sample = 0%"),
        ("mirror.sample = \"100%\"", everything, "mirror.exclude"),
    ] {
        let folder = folder(&text.replace(from, to));
        let (code, report) = report(folder.path(), &[]);
        let (verdict, detail) = check(&report, "copy_arrived");
        assert_eq!((code, verdict, failed(&report).len()), (Some(1), "fail", 1), "{to}: {report:#}");
        assert!(detail.contains(said), "{to}: {detail}");
    }
}

#[test]
fn a_share_is_no_fault() {
    let text = config_text(PRIMARY, SHADOW, "mirror.rate = \"1/s\"\nmirror.daily_calls = 1");
    let (code, report) = report(folder(&text.replace("100%", "1%")).path(), &[]);
    assert_eq!(code, Some(0), "{report:#}");
    assert!(check(&report, "copy_arrived").1.contains("less than 100%"), "{report:#}");
}

#[test]
fn a_credential_that_is_let_through_is_found() {
    let (code, report) = with("shadow.keep_headers = [\"authorization\"]\nshadow.keep_query = [\"api_key\"]");
    let (verdict, detail) = check(&report, "credentials_withheld");
    assert_eq!((code, verdict, failed(&report)), (Some(1), "fail", vec!["credentials_withheld"]), "{report:#}");
    assert!(detail.contains("Authorization reached the shadow: shadow.keep_headers"), "{detail}");
    assert!(detail.contains("api_key reached the shadow: shadow.keep_query"), "{detail}");
    assert!(!detail.contains("Cookie"), "{detail}");
}

#[test]
fn a_rule_that_is_missing_is_found() {
    let config = config_text(PRIMARY, SHADOW, "").replace("[store]", "[redaction]\nrules = [\"rules\"]\n\n[store]");
    let folder = folder(&config);
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("redaction-rules");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let kept = text.split("[[rule]]").filter(|rule| !rule.contains("id = \"email\""));
        std::fs::write(rules.join(path.file_name().unwrap()), kept.collect::<Vec<_>>().join("[[rule]]")).unwrap();
    }
    let (code, report) = report(folder.path(), &[]);
    let (verdict, detail) = check(&report, "redaction");
    assert_eq!((code, verdict, failed(&report)), (Some(1), "fail", vec!["redaction"]), "{report:#}");
    assert!(
        detail.contains("the planted e-mail is readable") && detail.contains("no body would be stored"),
        "{detail}"
    );
    assert!(!detail.contains("the planted card") && !detail.contains("mail.example"), "{detail}");
}

#[test]
fn a_sink_and_a_host_are_tested_too() {
    let text = config_text(PRIMARY, SHADOW, "match.host = \"payments.internal\"");
    let text = text.replace(&format!("primary.url = \"{PRIMARY}\"\n"), "");
    let (code, report) = report(folder(&text).path(), &[]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(check(&report, "copy_arrived").0, "pass");
    let (verdict, detail) = check(&report, "answer_identical");
    assert_eq!(verdict, "not_checked");
    assert!(detail.contains("204"), "{detail}");
}

#[test]
fn a_wrong_configuration_is_no_finding() {
    let text = config_text(PRIMARY, "nowhere", "");
    assert_eq!(selftest(folder(&text).path(), &[]).status.code(), Some(2));
    let folder = folder(&config_text(PRIMARY, SHADOW, ""));
    for args in [&["--live"][..], &["--live", "--integration", "other", "--path", "/"], &["--path", "/status"]] {
        assert_eq!(selftest(folder.path(), args).status.code(), Some(2), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_calls_the_providers_with_the_request_that_was_named() {
    let answer = |_: &_| Some(json("{}"));
    let (primary, shadow) = (Upstream::answers(answer).await, Upstream::answers(answer).await);
    let folder = folder(&config_text(&primary.url, &shadow.url, ""));
    let live = ["--live", "--integration", "payments", "--path", "/status?a=1"];
    let (code, report) = tokio::task::block_in_place(|| report(folder.path(), &live));
    assert_eq!((code, check(&report, "copy_arrived").0), (Some(0), "pass"), "{report:#}");
    assert_eq!(check(&report, "stop_stops").0, "pass", "{report:#}");
    let targets = |upstream: &Upstream| upstream.seen().iter().map(|seen| seen.target.clone()).collect::<Vec<_>>();
    assert_eq!(targets(&shadow), ["/status?a=1"]);
    assert_eq!(targets(&primary), ["/status?a=1"; 2]);
    assert!(!shadow.seen()[0].headers.contains_key("authorization"));
    drop(primary);
    drop(shadow);
    let (code, report) = tokio::task::block_in_place(|| self::report(folder.path(), &live));
    assert_eq!((code, check(&report, "copy_arrived").0), (Some(1), "fail"), "{report:#}");
}
