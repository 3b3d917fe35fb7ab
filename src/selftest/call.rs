//! The application's side of the self-test: bytes over a socket, compared as bytes; and the recorder's console.

use crate::config::IntegrationConfig;
use crate::selftest::plants::{API_KEY, AUTHORIZATION, COOKIE, PERSONAL, QUERY_KEY, QUERY_TOKEN, body};
use crate::selftest::probes::Probe;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long one call may take.
const CALL_MAX: Duration = Duration::from_secs(70);
/// How long the recorder may take to come to rest.
const REST_MAX: Duration = Duration::from_secs(40);
/// How often it is asked.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The most of an answer that is read.
const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// Lines of an answer that belong to the connection or the moment.
const OF_THE_HOP: [&str; 4] = ["date", "connection", "keep-alive", "transfer-encoding"];

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status line and the headers in order, without those of the hop.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let name = |line: &str| line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let kept = head.split("\r\n").filter(|line| !OF_THE_HOP.contains(&name(line).as_str()));
        Some(Self { head: kept.map(str::to_owned).collect(), body: bytes[end + 4..].to_vec() })
    }

    /// The status; 0 where there is none.
    pub(crate) fn status(&self) -> u16 {
        let line = self.head.first().map(String::as_str).unwrap_or_default();
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
    }

    /// The first digits of the body's SHA-256.
    pub(crate) fn body_hash(&self) -> String {
        Sha256::digest(&self.body).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// One marked request with everything planted, as bytes.
pub(crate) fn marked(one: &IntegrationConfig, probe: &Probe, mark: &str) -> Vec<u8> {
    let email = PERSONAL[0].value;
    let target = format!(
        "{}?selftest={mark}&memo={email}&api_key={}&access_token={}",
        probe.path, QUERY_KEY.value, QUERY_TOKEN.value
    );
    let mut head = vec![
        format!("{} {target} HTTP/1.1", probe.method),
        format!("Host: {}", host(one)),
        format!("Authorization: Bearer {}", AUTHORIZATION.value),
        format!("Cookie: session={}", COOKIE.value),
        format!("X-Api-Key: {}", API_KEY.value),
        format!("X-Note: from {email}"),
        "Accept: application/json".to_owned(),
    ];
    head.extend(matched(one));
    let body = if probe.has_body() { body() } else { String::new() };
    if probe.has_body() {
        head.push("Content-Type: application/json".to_owned());
        head.push(format!("Content-Length: {}", body.len()));
    }
    head.push("Connection: close".to_owned());
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// A request for a real provider: nothing is planted in it.
pub(crate) fn plain(one: &IntegrationConfig, method: &str, path: &str) -> Vec<u8> {
    let matched = matched(one).map(|line| format!("{line}\r\n")).unwrap_or_default();
    let host = host(one);
    let lines = format!("Host: {host}\r\n{matched}Accept: */*\r\nConnection: close\r\n\r\n");
    format!("{method} {path} HTTP/1.1\r\n{lines}").into_bytes()
}

/// The header by which the integration's requests are known.
fn matched(one: &IntegrationConfig) -> Option<String> {
    let (name, value) = one.matcher.header.as_ref()?;
    Some(format!("{name}: {}", value.as_deref().unwrap_or("selftest")))
}

fn host(one: &IntegrationConfig) -> &str {
    one.matcher.host.as_deref().unwrap_or("localhost")
}

/// Says it and hears the answer to its end.
pub(crate) async fn call(addr: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    let talk = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request).await?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await?;
        Answer::parse(&bytes).ok_or_else(|| io::Error::other("no whole answer came"))
    };
    tokio::time::timeout(CALL_MAX, talk).await.unwrap_or_else(|_| Err(io::Error::other("no answer in time")))
}

/// The recorder's console, as `darklaunch status`, `enable` and `stop` use it.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    client: reqwest::Client,
    addr: SocketAddr,
}

impl Console {
    pub(crate) fn new(addr: SocketAddr) -> reqwest::Result<Self> {
        Ok(Self { client: reqwest::Client::builder().no_proxy().timeout(CALL_MAX).build()?, addr })
    }

    /// One integration's status.
    pub(crate) async fn status(&self, integration: &str) -> reqwest::Result<Value> {
        let url = format!("http://{}/api/v1/status", self.addr);
        let status: Value = self.client.get(url).send().await?.error_for_status()?.json().await?;
        let all = status["integrations"].as_array().cloned().unwrap_or_default();
        Ok(all.into_iter().find(|one| one["name"] == integration).unwrap_or_default())
    }

    /// The status once `sent` requests have arrived and everything has ended and is recorded; the last one where that
    /// does not come true in time.
    pub(crate) async fn at_rest(&self, integration: &str, sent: u64) -> reqwest::Result<Value> {
        let mut last = self.status(integration).await?;
        let wait = async {
            loop {
                let ledger = &last["ledger"];
                let kept = last["recorded"].as_u64().unwrap_or_default() + sum(&last["not_recorded"]);
                let rest = ledger["pending"] == 0 && kept == sum(&ledger["mirrored"]);
                if rest && ledger["arrived"].as_u64() >= Some(sent) {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_EVERY).await;
                last = self.status(integration).await?;
            }
        };
        match tokio::time::timeout(REST_MAX, wait).await {
            Ok(Err(error)) => Err(error),
            _ => Ok(last),
        }
    }

    /// Switches on, with everything in the sample.
    pub(crate) async fn start(&self, integration: &str) -> reqwest::Result<()> {
        self.write(integration, "start", json!({ "reason": "selftest", "sample": "100%" })).await
    }

    pub(crate) async fn stop(&self, integration: &str) -> reqwest::Result<()> {
        self.write(integration, "stop", json!({ "reason": "selftest" })).await
    }

    async fn write(&self, integration: &str, what: &str, body: Value) -> reqwest::Result<()> {
        let url = format!("http://{}/api/v1/integrations/{integration}/{what}", self.addr);
        self.client.post(url).json(&body).send().await?.error_for_status().map(drop)
    }
}

/// The sum of a table of counts.
pub(crate) fn sum(counts: &Value) -> u64 {
    counts.as_object().map(|map| map.values().filter_map(Value::as_u64).sum()).unwrap_or_default()
}
