//! Bad input is refused at start: one message, every problem, nothing half-started, nothing overwritten.

use crate::support::{Upstream, command, config_text};
use std::path::Path;
use std::process::Output;

fn run_in(folder: &Path, config: &str) -> Output {
    std::fs::write(folder.join("darklaunch.toml"), config).unwrap();
    command().arg("run").current_dir(folder).output().unwrap()
}

fn refused(folder: &Path, config: &str, words: &[&str]) {
    let output = run_in(folder, config);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

#[test]
fn every_problem_is_told_at_once_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = r#"[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"
trafic = 1

[store]
path = "darklaunch.db"
commit_interval = 200

[redaction]
rules = ["nowhere"]

[integrations.one]
match.path_prefix = "/"
primary.url = "https://user:secret-word@api.example"
shadow.url = "https://api.example#part"

[integrations.two]
match.path_prefix = "/"
primary.url = "https://api.example"
shadow.url = "https://api.example"
"#;
    let words = [
        "darklaunch.toml:4",
        "traffic",
        "darklaunch.toml:8",
        "nowhere",
        "darklaunch.toml:15",
        "darklaunch.toml:16",
        "darklaunch.toml:18",
    ];
    refused(folder.path(), config, &words);
    let text = String::from_utf8(run_in(folder.path(), config).stderr).unwrap();
    assert!(!text.contains("secret-word"), "credentials are never shown: {text}");
    assert!(!folder.path().join("darklaunch.db").exists(), "nothing is half-started");
}

#[test]
fn a_rule_whose_own_example_fails_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let rule = "[[rule]]\nid = \"never\"\ntype = \"token\"\nwhy = \"story\"\npattern = 'abc[0-9]+'\nhits = [\"xyz\"]\nmisses = []\n";
    std::fs::write(folder.path().join("rules/mine.toml"), rule).unwrap();
    let config = config_text("http://127.0.0.1:1", "http://127.0.0.1:1", "\n[redaction]\nrules = [\"rules\"]\n");
    refused(folder.path(), &config, &["mine.toml", "never"]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = Upstream::replies("{}").await;
    let address = taken.url.trim_start_matches("http://");
    let folder = tempfile::tempdir().unwrap();
    let config = config_text("http://127.0.0.1:1", "http://127.0.0.1:1", "");
    let config = config.replace("console = \"127.0.0.1:0\"", &format!("console = \"{address}\""));
    refused(folder.path(), &config, &[address]);
    // And it stands in one message with what else is wrong.
    std::fs::write(folder.path().join("darklaunch.db"), "somebody's notes, not a database at all").unwrap();
    refused(folder.path(), &config, &[address, "darklaunch.db"]);
}

#[test]
fn a_file_of_another_program_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("darklaunch.db");
    std::fs::write(&file, "somebody's notes, not a database at all").unwrap();
    let config = config_text("http://127.0.0.1:1", "http://127.0.0.1:1", "");
    refused(folder.path(), &config, &["darklaunch.db"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's notes, not a database at all");
}

#[test]
fn the_example_configuration_is_accepted_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let example = command().arg("init").output().unwrap();
    std::fs::write(folder.path().join("darklaunch.toml"), example.stdout).unwrap();
    let output = command().arg("check").current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
