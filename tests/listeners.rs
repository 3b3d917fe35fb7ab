//! Ways in: unix sockets, TLS, and which integration a call by them belongs to.

use crate::support::{Recorder, Upstream, config_text, connect, eventually, hear};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::path::Path;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

/// Idle connections of the crowd, within what this process and the recorder may open.
const CROWD: usize = 5_000;
/// What one of them may cost the recorder at most, bytes.
const IDLE_BYTES_MAX: u64 = 32 << 10;

async fn get<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, target: &str, headers: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nHost: recorder.test\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    hear(stream, "\r\n\r\n{").await.unwrap()
}

#[tokio::test]
async fn a_port_or_a_socket_or_a_header_chooses_the_integration() {
    let (one, two) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let (three, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let more = format!(
        r#"
[integrations.by_socket]
match.listener = "unix:orders.sock"
primary.url = "{}"
shadow.url = "{}"

[integrations.by_header]
match.header = "x-provider: newpay"
primary.url = "{}"
shadow.url = "{}"
"#,
        two.url, shadow.url, three.url, shadow.url
    );
    let config = config_text(&one.url, &shadow.url, &more)
        .replace("traffic = \"127.0.0.1:0\"", "traffic = [\"127.0.0.1:0\", \"unix:orders.sock\", \"unix:pay.sock\"]");
    let recorder = Recorder::with(&config);
    let socket = |name: &str| recorder.folder.path().join(name);
    let mut orders = UnixStream::connect(socket("orders.sock")).await.unwrap();
    let mut pay = UnixStream::connect(socket("pay.sock")).await.unwrap();
    get(&mut orders, "/a", "X-Provider: newpay\r\n").await;
    get(&mut pay, "/b", "X-Provider: newpay\r\n").await;
    get(&mut pay, "/c", "X-Provider: oldpay\r\n").await;
    get(&mut connect(&recorder.traffic).await, "/d", "").await;
    let targets = |upstream: &Upstream| upstream.seen().iter().map(|seen| seen.target.clone()).collect::<Vec<_>>();
    assert_eq!(
        (targets(&one), targets(&two), targets(&three)),
        (vec!["/c".to_owned(), "/d".to_owned()], vec!["/a".to_owned()], vec!["/b".to_owned()],)
    );
    drop((orders, pay));
    let (folder, status) = recorder.stop();
    assert!(status.success());
    assert!(!folder.path().join("orders.sock").exists() && !folder.path().join("pay.sock").exists());
}

#[tokio::test]
async fn a_unix_socket_changes_hands_and_stays() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let config = config_text(&primary.url, &shadow.url, "")
        .replace("traffic = \"127.0.0.1:0\"", "traffic = [\"127.0.0.1:0\", \"unix:pay.sock\"]");
    let (next, old) = Recorder::with(&config).relieved();
    assert_eq!(old.ended().0, Some(0));
    let path = next.folder.path().join("pay.sock");
    get(&mut UnixStream::connect(&path).await.unwrap(), "/", "").await;
    // A recorder that is killed leaves its file; the next one replaces it.
    let again = Recorder::inside(next.kill(), &config);
    let path = again.folder.path().join("pay.sock");
    get(&mut UnixStream::connect(&path).await.unwrap(), "/", "").await;
    assert_eq!(primary.seen().len(), 2);
}

/// Writes an authority, a server's certificate and a client's; gives what the client needs.
fn certificates(folder: &Path) -> (reqwest::Certificate, reqwest::Identity) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let leaf = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &authority).unwrap().pem(), key.serialize_pem())
    };
    let (certificate, key) = leaf("localhost");
    std::fs::write(folder.join("recorder.pem"), certificate).unwrap();
    std::fs::write(folder.join("recorder.key"), key).unwrap();
    std::fs::write(folder.join("clients.pem"), authority.pem()).unwrap();
    let (certificate, key) = leaf("application");
    let identity = reqwest::Identity::from_pem(format!("{key}{certificate}").as_bytes()).unwrap();
    (reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap(), identity)
}

#[tokio::test]
async fn tls_speaks_what_alpn_agrees_on_and_can_ask_for_the_applications_certificate() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let folder = tempfile::tempdir().unwrap();
    let (authority, identity) = certificates(folder.path());
    let files =
        "tls.cert_file = \"recorder.pem\"\ntls.key_file = \"recorder.key\"\ntls.client_ca_file = \"clients.pem\"";
    let config = config_text(&primary.url, &shadow.url, "")
        .replace("traffic = \"127.0.0.1:0\"", &format!("traffic = \"tls:127.0.0.1:0\"\n{files}"));
    let recorder = Recorder::inside(folder, &config);
    let url = recorder.traffic.replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://"), "{url}");
    let client = || reqwest::Client::builder().no_proxy().tls_certs_only([authority.clone()]);
    let http2 = client().identity(identity.clone()).build().unwrap();
    let http1 = client().identity(identity.clone()).http1_only().build().unwrap();
    assert_eq!(http2.get(&url).send().await.unwrap().version(), reqwest::Version::HTTP_2);
    assert_eq!(http1.get(&url).send().await.unwrap().version(), reqwest::Version::HTTP_11);
    // Neither a client without a certificate nor one that never shakes hands is in anyone's way.
    let silent = connect(&recorder.traffic.replace("https", "http")).await;
    assert!(client().build().unwrap().get(&url).send().await.is_err());
    assert!(http1.get(&url).send().await.unwrap().status().is_success());
    drop(silent);
    assert_eq!(recorder.at_rest().await["ledger"]["arrived"], 3);
}

#[tokio::test]
async fn a_sink_understands_the_host_that_envoy_gives_to_mirrored_requests() {
    let shadow = Upstream::replies("{}").await;
    let config = config_text("http://127.0.0.1:1", &shadow.url, "match.host = \"payments.internal\"")
        .replace("primary.url = \"http://127.0.0.1:1\"\n", "");
    let recorder = Recorder::with(&config);
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: payments.internal-shadow:8080\r\n\r\n").await.unwrap();
    assert!(hear(&mut stream, "\r\n\r\n").await.unwrap().starts_with("HTTP/1.1 204"));
    recorder.at_rest().await;
    let list = recorder.cli(&["recordings", "list", "--output", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let id = list["recordings"][0]["id"].as_str().unwrap();
    let shown = recorder.cli(&["recordings", "show", id]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("payments.internal:8080") && !shown.contains("-shadow"), "{shown}");
}

/// `DARKLAUNCH_CROWD` or [`CROWD`], and no more than this process may open.
fn crowd() -> usize {
    let named = darklaunch::config::process_environment().into_iter().find(|(name, _)| name == "DARKLAUNCH_CROWD");
    let wanted = named.and_then(|(_, text)| text.to_str()?.parse().ok()).unwrap_or(CROWD);
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    wanted.min(limit.maximum.map_or(wanted, |most| most as usize - 500))
}

#[tokio::test]
async fn a_crowd_of_idle_connections_is_cheap_and_in_nobodys_way() {
    let (primary, shadow) = (Upstream::replies("{}").await, Upstream::replies("{}").await);
    let wanted = crowd();
    let limits = format!("\n[limits]\nconnections = {}\n", wanted + 10);
    let recorder = Recorder::between(&primary, &shadow, &limits);
    let mut caller = connect(&recorder.traffic).await;
    let mut crowd = Vec::with_capacity(wanted);
    for n in 0..wanted {
        crowd.push(connect(&recorder.traffic).await);
        if n % 500 == 0 {
            get(&mut caller, "/", "").await;
        }
    }
    eventually("all of them accepted", async || (recorder.descriptors() >= wanted).then_some(())).await;
    get(&mut caller, "/", "").await;
    let growth = recorder.memory_growth_bytes();
    assert!(growth < wanted as u64 * IDLE_BYTES_MAX, "{growth} bytes for {wanted} idle connections");
    drop(crowd);
    eventually("all of them gone", async || (recorder.descriptors() < 200).then_some(())).await;
    get(&mut caller, "/", "").await;
}
