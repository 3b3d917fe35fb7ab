//! The recorder as a process of its own, as a user runs it.

use crate::support::{Upstream, eventually};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The binary, with an environment that holds nothing of ours but what the examples refer to.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_darklaunch"));
    command.env_remove("DARKLAUNCH_CONFIG").env("NEW_PROVIDER_TOKEN", "shadow-own");
    command
}

/// The smallest configuration between two upstreams, on ports the system chooses, with `more` keys of the integration.
pub fn config_text(primary: &str, shadow: &str, more: &str) -> String {
    format!(
        r#"[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"

[store]
path = "darklaunch.db"

[integrations.payments]
match.path_prefix = "/"
primary.url = "{primary}"
shadow.url = "{shadow}"
mirror.enabled = true
mirror.sample = "100%"
{more}
"#
    )
}

/// A running recorder. Dropping it kills it.
pub struct Recorder {
    pub folder: TempDir,
    pub traffic: String,
    pub console: String,
    child: Child,
    before: Vec<String>,
    // Held so that the recorder never writes into a closed pipe.
    memory_at_start_bytes: u64,
    talk: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Recorder {
    pub fn between(primary: &Upstream, shadow: &Upstream, more: &str) -> Self {
        Self::with(&config_text(&primary.url, &shadow.url, more))
    }

    pub fn with(config: &str) -> Self {
        Self::inside(tempfile::tempdir().unwrap(), config)
    }

    /// Starts in a folder that may already hold a database.
    pub fn inside(folder: TempDir, config: &str) -> Self {
        Self::under(folder, config, &[])
    }

    /// Starts with more in its environment.
    pub fn under(folder: TempDir, config: &str, environment: &[(&str, &Path)]) -> Self {
        std::fs::write(folder.path().join("darklaunch.toml"), config).unwrap();
        Self::start(folder, &["run"], environment)
    }

    /// Takes over from this one: the new recorder, which has the folder, and the old one, which is about to end.
    pub fn relieved(mut self) -> (Self, Self) {
        let next = Self::start(self.take_folder(), &["run", "--takeover"], &[]);
        (next, self)
    }

    #[expect(clippy::disallowed_methods, reason = "the reader of the child's stderr ends with the child")]
    fn start(folder: TempDir, args: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut child = command()
            .args(args)
            .envs(environment.iter().copied())
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut traffic, mut console, mut before) = (None, None, Vec::new());
        while traffic.is_none() || console.is_none() {
            let line = lines.next().unwrap_or_else(|| panic!("the recorder did not start: {before:?}")).unwrap();
            if let Some(url) = line.strip_prefix("traffic on ") {
                // The first address; the console's line comes after all of them.
                traffic.get_or_insert_with(|| url.to_owned());
            } else if let Some(url) = line.strip_prefix("console on ") {
                console = Some(url.to_owned());
            }
            before.push(line);
        }
        let talk = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Self {
            folder,
            traffic: traffic.unwrap(),
            console: console.unwrap(),
            memory_at_start_bytes: peak_bytes(&child),
            child,
            before,
            talk: Some(talk),
        }
    }

    /// `darklaunch ARGS` in the recorder's folder.
    pub fn cli(&self, args: &[&str]) -> Output {
        command().args(args).current_dir(self.folder.path()).output().unwrap()
    }

    /// What it said until it listened.
    pub fn talk_so_far(&self) -> &[String] {
        &self.before
    }

    /// A line as a user types it into a shell, in the recorder's folder.
    pub fn shell(&self, line: &str) -> Output {
        let binary = Path::new(env!("CARGO_BIN_EXE_darklaunch"));
        let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("PATH", path).env("NEW_PROVIDER_TOKEN", "shadow-own");
        shell.current_dir(self.folder.path()).output().unwrap()
    }

    /// The recorder's own count, as its console tells it.
    pub async fn status(&self) -> Value {
        let answer = reqwest::get(format!("{}/api/v1/status", self.console)).await.unwrap();
        answer.json().await.unwrap()
    }

    /// Waits until nothing is pending and everything mirrored is recorded; returns the integration's status.
    pub async fn at_rest(&self) -> Value {
        eventually("the ledger at rest", async || {
            let status = self.status().await;
            let one = &status["integrations"][0];
            let ledger = &one["ledger"];
            let mirrored: u64 = ledger["mirrored"].as_object()?.values().filter_map(Value::as_u64).sum();
            let settled = one["recorded"].as_u64()? + count(&one["not_recorded"]);
            (ledger["pending"] == 0 && settled == mirrored).then(|| one.clone())
        })
        .await
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> (TempDir, std::process::ExitStatus) {
        self.terminate();
        let status = self.child.wait().unwrap();
        (self.take_folder(), status)
    }

    /// Sends SIGTERM and does not wait.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Asks it to stop; the exit code and the last line it said.
    pub fn last_words(mut self) -> (Option<i32>, String) {
        self.terminate();
        let code = self.child.wait().unwrap().code();
        let lines = self.talk.take().unwrap().join().unwrap();
        (code, lines.last().cloned().unwrap_or_default())
    }

    /// Asks it to stop; its folder and every line it ever said.
    pub fn everything_said(mut self) -> (TempDir, Vec<String>) {
        self.terminate();
        self.child.wait().unwrap();
        let mut lines = std::mem::take(&mut self.before);
        lines.extend(self.talk.take().unwrap().join().unwrap());
        (self.take_folder(), lines)
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    /// Waits until it has ended by itself; the exit code and the last line it said.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let lines = self.talk.take().unwrap().join().unwrap();
        (code, lines.last().cloned().unwrap_or_default())
    }

    /// File descriptors it holds.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// By how much its memory ever grew since it was up, bytes.
    pub fn memory_growth_bytes(&self) -> u64 {
        peak_bytes(&self.child) - self.memory_at_start_bytes
    }

    /// The process, for a look into `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory it holds now, bytes, and open descriptors.
    pub fn holds(&self) -> (u64, usize) {
        let folder = format!("/proc/{}", self.pid());
        let open = std::fs::read_dir(format!("{folder}/fd")).unwrap().count();
        (status_bytes(&self.child, "VmRSS:"), open)
    }

    /// kill -9.
    pub fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.take_folder()
    }

    fn take_folder(&mut self) -> TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory a process ever held.
fn peak_bytes(child: &Child) -> u64 {
    status_bytes(child, "VmHWM:")
}

fn status_bytes(child: &Child, line: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = text.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn count(counts: &Value) -> u64 {
    match counts {
        Value::Object(map) => map.values().filter_map(Value::as_u64).sum(),
        other => other.as_u64().unwrap_or_default(),
    }
}

/// Every file below a folder, for looking for what must not be there.
pub fn bytes_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(bytes_below(&path)),
            false if path.is_file() => found.push((path.clone(), std::fs::read(&path).unwrap())),
            // A socket holds nothing.
            false => {}
        }
    }
    found
}
