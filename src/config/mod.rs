//! What a user may write, and the only reader of files and environment.
//!
//! `raw` walks file and environment against the table in `keys`; `reader` takes typed values out; `check` and
//! `integration` make the [`Config`]. **Invariant:** a load gives a whole configuration or ALL its problems.

mod alerting;
mod check;
mod console;
mod integration;
mod keys;
mod listen;
mod problem;
mod raw;
mod reader;
mod redaction;
mod rules;
mod scans;
mod secret;
mod state;
mod surroundings;
mod tokens;
mod units;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::redact::RuleFile;
use crate::telemetry::Priority;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use crate::console::Scan;
pub use crate::console::{Role, TokenRecord};
pub use crate::proxy::Listen;
pub use alerting::{AlertsConfig, OtlpConfig, WebhookConfig, WebhookFormat};
pub use console::{ConsoleConfig, ConsoleTlsConfig};
pub use integration::{
    BreakerConfig, EndpointShare, EndpointTemplate, ErrorPointer, IntegrationConfig, Matcher, MirrorConfig,
    PrimaryConfig, RampConfig, ReachConfig, SampleKey, ShadowConfig,
};
pub use keys::reference;
pub use listen::ListenTlsConfig;
pub use problem::{Place, Problem, Problems};
pub use rules::{Fingerprint, RulesError, fingerprint, read_document, read_folder};
pub use secret::{Environment, Reference, Secret, SecretError};
pub use state::{SavedSwitch, StateError, StateFolder, Stops};
pub use surroundings::{key_for_once, key_from_file, machine_name, user_name};
pub use tokens::{FileStamp, TokensError};
pub use units::{BadUnit, duration_ms, percent_ppm, rate_per_s, size_bytes};

/// The variable that names the file.
const FILE_VARIABLE: &str = "DARKLAUNCH_CONFIG";
/// The file that is looked for last.
const FILE_DEFAULT: &str = "darklaunch.toml";
/// A configuration may have this many bytes; the smallest has three hundred.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A loaded configuration.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is to be run.
    pub config: Config,
    /// Not wrong, but worth a line at start.
    pub warnings: Vec<String>,
    /// The file that was read.
    pub file: PathBuf,
}

/// Everything that a user decided or left to its default. Its JSON is what `config show` may print: secrets appear by
/// reference.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// Where the application calls; at least one.
    #[serde(serialize_with = "listen::listen_texts")]
    pub listen_traffic: Vec<Listen>,
    /// The certificate of those with TLS.
    pub listen_tls: Option<ListenTlsConfig>,
    /// Console, API and metrics.
    pub listen_console: SocketAddr,
    /// Names beside its loopback ones by which the console may be opened.
    pub listen_console_hosts: Vec<String>,
    /// Who may do what there.
    pub console: ConsoleConfig,
    /// The database.
    pub store: StoreConfig,
    /// Redaction.
    pub redaction: RedactionConfig,
    /// A filter as `tracing` reads it.
    pub log_filter: String,
    /// JSON lines instead of text.
    pub log_json: bool,
    /// Limits of the process.
    pub limits: LimitsConfig,
    /// When and whom to tell.
    pub alerts: AlertsConfig,
    /// Where metrics and traces are sent.
    pub otlp: Option<OtlpConfig>,
    /// At least one, by name.
    pub integrations: Vec<IntegrationConfig>,
}

/// The database and what it keeps.
#[derive(Clone, Debug, Serialize)]
pub struct StoreConfig {
    /// The SQLite file.
    pub path: PathBuf,
    /// Milliseconds between commits.
    pub commit_interval_ms: u64,
    /// Days after which recordings go.
    pub age_days_max: u32,
    /// Bytes beyond which the oldest recordings go.
    pub size_bytes_max: u64,
    /// Recordings of one endpoint beyond which its oldest go.
    pub per_endpoint_max: Option<u64>,
    /// Recordings of each kind that outlive size and count.
    pub keep_newest: u32,
    /// Days for which latencies and ledger are kept.
    pub history_days_max: u32,
}

/// Where rules and key of the redaction come from, for everyone.
#[derive(Clone, Debug, Serialize)]
pub struct RedactionConfig {
    /// Use the rules in the program.
    pub builtin_rules: bool,
    /// The folders that were read, in order.
    pub rules_folders: Vec<PathBuf>,
    /// Their files; uncompiled.
    #[serde(skip)]
    pub rule_files: Vec<RuleFile>,
    /// The key, when `redaction.key` gives it; otherwise [`StateFolder::pseudonym_key`].
    pub key: Option<KeySecret>,
    /// Bytes of a body that is stored at most.
    pub body_bytes_max: u64,
    /// Bodies stored without a single hit of any rule that raise the alarm; 0 for never.
    pub alarm_bodies: u64,
}

/// What one integration adds to the rules for everyone.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IntegrationRedaction {
    /// The folders that were read, in order.
    pub rules_folders: Vec<PathBuf>,
    /// Their files; uncompiled.
    #[serde(skip)]
    pub rule_files: Vec<RuleFile>,
    /// Strict mode: the only paths whose values are kept. `None`: the rules decide.
    pub kept_paths: Option<Vec<String>>,
    /// Media types whose binary bodies are kept if no rule finds anything in them.
    pub kept_binary: Vec<String>,
}

/// A pseudonym key from a reference; `Debug` and JSON give the reference.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct KeySecret {
    secret: Secret,
    #[serde(skip)]
    key: KeyBytes,
}

#[derive(Clone)]
struct KeyBytes([u8; 32]);

impl std::fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl KeySecret {
    fn new(secret: Secret) -> Option<Self> {
        let key = KeyBytes(state::key_from_secret(&secret)?);
        Some(Self { secret, key })
    }

    /// The 32 bytes.
    pub fn expose(&self) -> [u8; 32] {
        self.key.0
    }
}

/// Limits of the process.
#[derive(Clone, Debug, Serialize)]
pub struct LimitsConfig {
    /// Threads on the user's path.
    pub workers: usize,
    /// Cores for all that is not on the user's path; `None` for every core.
    pub shadow_cores: Option<usize>,
    /// How far the work in bulk steps back that is not on the user's path.
    pub shadow_priority: Priority,
    /// Connections from the application.
    pub connections_max: usize,
    /// Milliseconds that a shutdown waits for calls in flight.
    pub drain_ms: u64,
    /// Bytes held for the shadows of all integrations.
    pub mirror_memory_bytes_max: u64,
}

impl Config {
    /// SHA-256 (hex) of the effective configuration: the same for the same behaviour, however it was written. Secrets
    /// count by reference.
    pub fn hash(&self) -> String {
        // A structure of strings and numbers always has a JSON; an empty text would only make hashes equal.
        let json = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The process's environment, for [`load`].
pub fn process_environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// Reads `path`, else the file that `DARKLAUNCH_CONFIG` names, else `./darklaunch.toml`; lays the environment over it
/// and checks the whole. Starts nothing and creates nothing.
///
/// # Errors
/// ALL problems of file and environment at once.
pub fn load(
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, Problems> {
    let environment = Environment::new(environment);
    let named = path.map(Path::to_owned).or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from));
    let file = named.unwrap_or_else(|| PathBuf::from(FILE_DEFAULT));
    let text = read_file(&file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let (config, warnings) = parse(&file.display().to_string(), folder, &text, &environment)?;
    Ok(Loaded { config, warnings, file })
}

fn read_file(file: &Path) -> Result<String, Problems> {
    let problem = |text: String, remedy: &str| {
        let place = Place::Whole(file.display().to_string());
        Problems(vec![Problem { place, key: String::new(), value: None, text, remedy: remedy.to_owned() }])
    };
    let unread = |why: std::io::Error| {
        problem(
            format!("cannot be read: {why}"),
            "`darklaunch init` writes an example, `darklaunch demo` needs no file; name another with --config FILE or \
             DARKLAUNCH_CONFIG",
        )
    };
    let length = std::fs::metadata(file).map_err(unread)?.len();
    if length > FILE_BYTES_MAX {
        return Err(problem(format!("has {length} bytes"), "name a configuration file: they have at most 4MiB"));
    }
    std::fs::read_to_string(file).map_err(unread)
}

/// As [`load`], on a text. `file` is its name in messages; relative paths count from `folder`.
///
/// # Errors
/// As [`load`].
pub fn parse(
    file: &str,
    folder: &Path,
    text: &str,
    environment: &Environment,
) -> Result<(Config, Vec<String>), Problems> {
    let mut raw = raw::read(file, text).map_err(Problems)?;
    raw::overlay(&mut raw, environment);
    let reader = reader::Reader { raw, warnings: Vec::new(), environment, folder, file };
    check::check(reader)
}

/// A complete configuration with a comment for every choice, as `darklaunch init` writes it.
pub const EXAMPLE: &str = include_str!("example.toml");

/// [`EXAMPLE`].
pub fn example() -> &'static str {
    EXAMPLE
}
