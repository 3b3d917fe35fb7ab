//! Every command the README shows is one the binary knows, and the configuration it shows is accepted.

use crate::support::command;

const README: &str = include_str!("../README.md");

fn blocks(kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{kind}") {
            found.push(lines.by_ref().take_while(|line| line.trim() != "```").collect::<Vec<_>>().join("\n"));
        }
    }
    found
}

#[test]
fn every_command_is_known() {
    let shown = blocks("sh").join("\n");
    let commands: Vec<_> = shown
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().strip_prefix("darklaunch "))
        .map(|line| line.split_whitespace().next().unwrap_or_default().to_owned())
        .collect();
    assert!(commands.len() >= 8, "the README shows how the product is used: {commands:?}");
    for name in commands {
        let output = command().args([name.as_str(), "--help"]).output().unwrap();
        assert!(
            output.status.success(),
            "README shows `darklaunch {name}`: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn the_configuration_shown_is_accepted() {
    let shown = blocks("toml");
    assert!(!shown.is_empty());
    for config in shown {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("darklaunch.toml"), &config).unwrap();
        let output = command().arg("check").current_dir(folder.path()).env("NEW_PROVIDER_TOKEN", "t").output().unwrap();
        assert!(output.status.success(), "{config}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
