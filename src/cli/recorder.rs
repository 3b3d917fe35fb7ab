//! The way to a running recorder: the socket that only its own user reaches, or the network with a token.

use crate::cli::{ConfigArg, Failure};
use crate::config::{self, Config, Environment, Reference, StateFolder};
use clap::Args;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The console answers from memory; longer than this means nobody is there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Where a token is looked for when `--token` is not given.
const TOKEN_VARIABLE: &str = "DARKLAUNCH_TOKEN";
/// Where those authorities are when `--console-ca` is not given.
const CA_VARIABLE: &str = "DARKLAUNCH_CONSOLE_CA";

/// Where the recorder's console is, and what it is shown.
#[derive(Args, Clone)]
pub(crate) struct ConsoleArg {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Address of the console: http or https, host and port [default: the configuration's own recorder, which its own
    /// user reaches without a token]
    #[arg(long, value_name = "URL")]
    console: Option<String>,
    /// Where the token is: env:NAME or file:PATH [default: $DARKLAUNCH_TOKEN]
    #[arg(long, value_name = "REFERENCE")]
    token: Option<String>,
    /// Certificates (PEM) of authorities to trust for an https:// console, beside the system's
    #[arg(long, value_name = "FILE", env = CA_VARIABLE)]
    console_ca: Option<PathBuf>,
}

/// Why a call gave nothing.
pub(crate) struct CallFailure {
    pub(crate) failure: Failure,
    /// The recorder answered that whoever asks may not.
    pub(crate) not_allowed: bool,
}

impl From<Failure> for CallFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, not_allowed: false }
    }
}

impl From<CallFailure> for Failure {
    fn from(call: CallFailure) -> Self {
        call.failure
    }
}

enum Way {
    Owner(PathBuf),
    Network(String),
}

impl Way {
    fn base(&self) -> &str {
        match self {
            Self::Owner(_) => "http://localhost",
            Self::Network(base) => base,
        }
    }

    /// As messages name it.
    fn words(&self) -> String {
        match self {
            Self::Owner(path) => path.display().to_string(),
            Self::Network(base) => base.clone(),
        }
    }
}

/// Whom the history names when no token does.
pub(crate) fn who() -> String {
    format!("{} (command line)", config::user_name())
}

impl ConsoleArg {
    /// The recorder of this configuration.
    pub(crate) fn of(config: PathBuf) -> Self {
        Self { config: ConfigArg { config: Some(config) }, console: None, token: None, console_ca: None }
    }

    /// One call.
    pub(crate) fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Result<Value, CallFailure> {
        let token = self.secret()?;
        let trusted = self.console_ca.as_deref().map(authorities).transpose()?.unwrap_or_default();
        crate::app::install_tls();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::unreachable(format!("cannot start a runtime: {error}")))?;
        let mut failed = None;
        for way in self.ways()? {
            match runtime.block_on(ask(&way, (method.clone(), path, body.as_ref()), token.as_deref(), &trusted)) {
                // Left behind by a recorder that died, or another user's.
                Err(gone) if gone.failure.code == 4 => failed = Some(failed.unwrap_or(gone)),
                done => return done,
            }
        }
        Err(failed.unwrap_or_else(|| Failure::unreachable("no recorder is configured").into()))
    }

    fn ways(&self) -> Result<Vec<Way>, Failure> {
        if let Some(url) = &self.console {
            return Ok(vec![Way::Network(url.trim_end_matches('/').to_owned())]);
        }
        let config = self.config.load()?.config;
        let socket = StateFolder::console_socket(&config.store.path);
        let owner = socket.exists().then_some(Way::Owner(socket));
        Ok(owner.into_iter().chain([Way::Network(network(&config))]).collect())
    }

    /// A token is never an argument: every user of the machine can list those.
    fn secret(&self) -> Result<Option<String>, Failure> {
        let environment = Environment::new(config::process_environment());
        let reference = match &self.token {
            Some(text) => Reference::parse(text, Path::new("")).ok_or_else(|| {
                Failure::usage("--token takes a reference, not the token itself: write env:NAME or file:PATH")
            })?,
            None if environment.get(TOKEN_VARIABLE).is_some() => Reference::Environment(TOKEN_VARIABLE.to_owned()),
            None => return Ok(None),
        };
        let secret = reference.resolve(&environment).map_err(|error| Failure::usage(format!("the token {error}")))?;
        let text = std::str::from_utf8(secret.expose()).map(str::trim).ok().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Failure::usage(format!("{} holds no token", secret.reference())))?;
        Ok(Some(text.to_owned()))
    }
}

/// The configured address as this machine reaches it.
fn network(config: &Config) -> String {
    let scheme = if config.console.tls.is_some() { "https" } else { "http" };
    let mut address = config.listen_console;
    match address.ip() {
        IpAddr::V4(any) if any.is_unspecified() => address.set_ip(IpAddr::from([127, 0, 0, 1])),
        IpAddr::V6(any) if any.is_unspecified() => address.set_ip(IpAddr::from(std::net::Ipv6Addr::LOCALHOST)),
        _ => {}
    }
    format!("{scheme}://{address}")
}

fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    let bad = |why: String| {
        Failure::usage(format!("--console-ca {}: {why}; name a file of PEM certificates", file.display()))
    };
    let read = Reference::File(file.to_owned()).resolve(&Environment::new(std::iter::empty()));
    let read = read.map_err(|error| bad(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(read.expose()).map_err(|error| bad(error.to_string()))?;
    if found.is_empty() { Err(bad("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// Whether what is sent to `base` can be read on the way.
fn readable(base: &str) -> bool {
    let Ok(url) = url::Url::parse(base) else { return false };
    let here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() != "https" && !here
}

async fn ask(
    way: &Way,
    (method, path, body): (reqwest::Method, &str, Option<&Value>),
    token: Option<&str>,
    trusted: &[reqwest::Certificate],
) -> Result<Value, CallFailure> {
    let (base, words) = (way.base(), way.words());
    let gone = |error: reqwest::Error| {
        Failure::unreachable(format!("no recorder answers at {words}: {}; is it running?", innermost(&error)))
    };
    let mut client = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT);
    if let Way::Owner(socket) = way {
        client = client.unix_socket(socket.clone());
    }
    if !trusted.is_empty() {
        client = client.tls_certs_merge(trusted.iter().cloned());
    }
    let client = client.build().map_err(gone)?;
    let mut request = client.request(method, format!("{base}{path}"));
    if let Some(token) = token {
        if readable(base) {
            let words = format!("the token could be read on its way to {base}; write https://, or use a tunnel");
            return Err(Failure::usage(words).into());
        }
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.map_err(gone)?;
    let status = answer.status();
    let value: Value = answer.json().await.map_err(gone)?;
    match status.is_success() {
        true => Ok(value),
        false => Err(CallFailure {
            failure: Failure::usage(problem_text(&value, status.as_u16())),
            not_allowed: matches!(status.as_u16(), 401 | 403 | 429),
        }),
    }
}

/// What the system said: those around it name the address, or that something was sent.
fn innermost(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

fn problem_text(problem: &Value, status: u16) -> String {
    let text = |key| problem.get(key).and_then(Value::as_str);
    match (text("title"), text("detail")) {
        (Some(title), Some(detail)) => format!("{title}: {detail}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => format!("the recorder answered {status}"),
    }
}

/// A link for one log-in, as the recorder answers it, with the `url` by which this command reached it.
pub(crate) fn login_link(console: &ConsoleArg, role: &str) -> Result<Value, Failure> {
    let wanted = json!({ "who": config::user_name(), "role": role });
    let mut link = console.call(reqwest::Method::POST, "/api/v1/login-links", Some(wanted))?;
    if let (Some(url), Some(address)) = (&console.console, link["address"].as_str()) {
        link["url"] = json!(format!("{}{address}", url.trim_end_matches('/')));
    }
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_where_nobody_reads_it_on_the_way() {
        for private in ["https://console.internal", "http://127.0.0.1:9090", "http://[::1]:9090", "http://localhost:1"]
        {
            assert!(!readable(private), "{private}");
        }
        for open in ["http://console.internal", "http://192.0.2.1:9090", "http://127.0.0.1.evil.example"] {
            assert!(readable(open), "{open}");
        }
    }
}
