//! Every command the README shows is run, and the configuration it shows is accepted.

use crate::support::{Recorder, Upstream, command, eventually};

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

/// A port nobody holds at this moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The README's configuration, between two upstreams of ours and on free ports.
fn config(primary: &Upstream, shadow: &Upstream) -> String {
    blocks("toml")[0]
        .replace("https://api.current.example", &primary.url)
        .replace("https://api.new.example", &shadow.url)
        .replace(":8080", &format!(":{}", free_port()))
        .replace(":9090", &format!(":{}", free_port()))
}

#[tokio::test]
async fn every_command_does_what_it_says() {
    let body = r#"{"id":"c_1","email":"ada.lovelace@mail.example"}"#;
    let (primary, shadow) = (Upstream::replies(body).await, Upstream::replies(body).await);
    let recorder = Recorder::with(&config(&primary, &shadow));
    for n in 0..300 {
        let answer = reqwest::get(format!("{}/customers/{n}", recorder.traffic)).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), body);
    }
    recorder.at_rest().await;
    eventually("latencies in the file", async || recorder.cli(&["latency", "payments"]).status.success().then_some(()))
        .await;
    std::fs::write(recorder.folder.path().join("body"), body).unwrap();
    let lines = blocks("sh").join("\n");
    let commands: Vec<_> = lines.lines().filter(|line| line.starts_with("darklaunch ")).collect();
    assert!(commands.len() >= 10, "the README shows how the product is used: {commands:?}");
    for line in commands {
        // Those that do not end: the recorder running here, and the stand-in, which tests of its own start.
        if line.starts_with("darklaunch run ") || line.starts_with("darklaunch stub ") {
            continue;
        }
        let output = recorder.shell(line);
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_configuration_shown_is_accepted() {
    let shown = blocks("toml");
    assert!(!shown.is_empty());
    for config in shown {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("darklaunch.toml"), &config).unwrap();
        let output = command().arg("check").current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{config}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
