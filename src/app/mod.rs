//! The storyboard: build every room from the configuration, start, wait, close from the left.
//!
//! **Invariant:** every port is bound and every file checked before the first thread of the line runs, so a start that
//! fails leaves nothing behind and tells all its problems at once.

mod build;
mod common;
mod descriptors;
mod ending;
mod handover;
mod keeper;
mod outward;
mod rules;
mod threads;

use crate::config::{self, Config, StateFolder};
use crate::console::{self, Ready};
use crate::control::{SavedSwitch, SwitchEvent, Switchboard};
use crate::exchange::{Capture, Clock, Instant};
use crate::latency::Shard;
use crate::mirror::{self, Line, Outlets, Taken};
use crate::otlp::Tracer;
use crate::proxy::{self, Listen, Proxy, Route};
use crate::recorder::{self, CallLog, Recorder};
use crate::redact::{Canaries, Generation, PseudonymKey, Redactors};
use crate::store::{self, RunInfo, SwitchRow, Writer};
use crate::telemetry::{self, Ledger, Priority};
use common::Common;
use handover::Door;
pub use handover::{Predecessor, TakeoverError};
use keeper::Keeper;
use rules::{Rules, RulesKeeper};
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use threads::Runner;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Captures on their way from the mirror to the recorder; small, since the door counts their bytes.
const RECORDINGS_MAX: usize = 1_024;

/// Shards of latencies on their way to the recorder.
const SHARDS_MAX: usize = 64;

/// How long [`Running::settle`] waits at most.
const SETTLE_MAX: Duration = Duration::from_secs(30);

/// How often it looks.
const SETTLE_LOOK: Duration = Duration::from_millis(20);

/// Why nothing was started: every problem, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct StartError(Vec<String>);

impl StartError {
    fn one(problem: impl ToString) -> Self {
        Self(vec![problem.to_string()])
    }
}

/// What `darklaunch check` found to be good.
pub struct Checked {
    /// The integrations, in the order of the configuration.
    pub integrations: Vec<String>,
    /// How many redaction rules for everyone pass their own examples.
    pub rules: usize,
    /// The rules of each integration.
    pub rule_sets: Vec<CheckedRules>,
    /// What the rules let through of planted canaries: bodies would not be stored.
    pub leaks: Vec<String>,
}

/// The rules of one integration.
pub struct CheckedRules {
    /// The integration.
    pub integration: String,
    /// How many rules there are.
    pub rules: usize,
    /// Identifies them.
    pub hash: Arc<str>,
    /// Whether only listed paths are kept.
    pub strict: bool,
}

/// The recorder as a whole.
pub struct App;

/// A recorder that runs.
pub struct Running {
    proxy: proxy::Running,
    console: Option<Runner>,
    console_again: ConsoleAgain,
    console_addr: SocketAddr,
    /// The store's, shared with the recorder's writer.
    lock: OwnedFd,
    takeover: Option<Door>,
    shadow: Runner,
    shadow_deadline: CancellationToken,
    recorder: Recorder,
    keeper: Keeper,
    outward: Runner,
    ledger: Arc<Ledger>,
    redactors: Arc<Redactors>,
    rules: RulesKeeper,
    ready: Arc<Ready>,
    drain: Duration,
    clock: Clock,
}

/// What the console is started from, a second time if a takeover fails.
struct ConsoleAgain {
    /// As configured.
    settings: console::Settings,
    store_path: PathBuf,
    listener: TcpListener,
    shared: console::Shared,
    cores: Option<usize>,
}

/// How a recorder ended.
pub struct Closed {
    /// Requests that arrived during the run.
    pub arrived: u64,
    /// Requests that were refused since they belong to no integration.
    pub refused: u64,
    /// Captures in the database.
    pub recorded: u64,
    /// Whether every request ended in a counted state.
    pub adds_up: bool,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = if self.adds_up { "the ledger adds up" } else { "THE LEDGER DOES NOT ADD UP" };
        let refused = match self.refused {
            0 => String::new(),
            refused => format!(", {refused} refused as belonging to no integration"),
        };
        write!(f, "closed: {} requests, {} recorded{refused}, {sum}", self.arrived, self.recorded)
    }
}

/// Makes TLS ready; called before the first client is built. Calling it again changes nothing.
pub fn install_tls() {
    // The only error is that a provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Checks what a start would check, and starts nothing.
///
/// # Errors
/// Every problem at once.
pub fn check(config: &Config) -> Result<Checked, StartError> {
    let mut problems = Vec::new();
    let generation = match build::generation(config, [0; 32]) {
        Ok(generation) => Some(generation.proven(&Canaries::of_run(&PseudonymKey::new([0; 32]), "check"))),
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    for one in &config.integrations {
        let primary = one.primary.as_ref().and_then(|provider| build::primary(one, provider).err());
        problems.extend(build::adapt(one).err().into_iter().chain(build::shadow_target(one).err()).chain(primary));
    }
    if let Err(error) = store::check(&config.store.path) {
        problems.push(error.to_string());
    }
    problems.extend(StateFolder::tokens_of(&config.store.path).err().map(|error| error.to_string()));
    problems.extend(
        console::refuse_open(&build::console(config), build::anybody(config)).err().map(|error| error.to_string()),
    );
    match generation {
        Some(generation) if problems.is_empty() => Ok(checked(config, &generation)),
        _ => Err(StartError(problems)),
    }
}

fn checked(config: &Config, generation: &Generation) -> Checked {
    let rules_of = |one: &config::IntegrationConfig| CheckedRules {
        integration: one.name.clone(),
        rules: generation.of(&one.name).rules().len(),
        hash: generation.of(&one.name).hash(),
        strict: one.redaction.kept_paths.is_some(),
    };
    Checked {
        integrations: config.integrations.iter().map(|one| one.name.clone()).collect(),
        rules: generation.everyone().rules().len(),
        rule_sets: config.integrations.iter().map(rules_of).collect(),
        leaks: rules::tell_leaks(generation),
    }
}

/// What is bound and opened before anything runs.
struct Built {
    routes: Vec<Route>,
    lines: Vec<Line>,
    ledger: Arc<Ledger>,
    switchboard: Arc<Switchboard>,
}

impl App {
    /// Starts from a file alone, whatever the environment says.
    ///
    /// # Errors
    /// Every problem of the file, or as [`App::start`].
    pub fn start_from(file: &Path) -> Result<Running, StartError> {
        let loaded = config::load(Some(file), std::iter::empty()).map_err(StartError::one)?;
        Self::start(&loaded.config)
    }

    /// Builds everything and starts it.
    ///
    /// # Errors
    /// Every problem of rules, ports and files at once; nothing is then running.
    pub fn start(config: &Config) -> Result<Running, StartError> {
        Self::start_after(config, None)
    }

    /// As [`App::start`], in the place of a running recorder: its sockets are served on, and it ends when this one
    /// serves. No call fails, and whoever waits to be accepted does not notice.
    ///
    /// # Errors
    /// As [`App::start`]; the running recorder then goes on.
    pub fn start_after(config: &Config, mut before: Option<Predecessor>) -> Result<Running, StartError> {
        install_tls();
        // A demo starts a second recorder's worth of logging in tests: the first set-up stands.
        if let Err(error) = telemetry::init_tracing(&config.log_filter, config.log_json) {
            tracing::debug!(%error, "logging stays as it was set up first");
        }
        threads::tell_panics_without_their_text();
        descriptors::raise(config);
        let clock = Clock;
        let (shards, shards_in) = mpsc::channel(SHARDS_MAX);
        if let Err(StartError(mut problems)) = check(config) {
            // Taken ports belong into the same message.
            let bound = bind(config, Vec::new(), shards, clock, &mut before);
            problems.extend(bound.err().map(|error| error.0).unwrap_or_default());
            return Err(StartError(problems));
        }
        let built = build_line(config, clock)?;
        let (console, proxy) = bind(config, built.routes, shards.clone(), clock, &mut before)?;
        let state = StateFolder::open(&config.store.path).map_err(StartError::one)?;
        let key = build::pseudonym_key(config, &state).map_err(StartError::one)?;
        let started_unix_us = clock.unix_us();
        let rules = Rules::build(config, key, started_unix_us).map_err(StartError)?;
        let writer = open_writer(config, started_unix_us, before.as_mut())?;
        tell_hits_of_earlier_runs(config, &built.ledger);
        let lock = writer.share_lock().map_err(StartError::one)?;
        if let Some(before) = &mut before {
            before.freeze()?;
        }
        let switches = built.switchboard.clone();
        switches.restore(&saved(&state)?);
        let (redactors, ready) = (rules.redactors.clone(), rules.ready.clone());
        let (common, exporter) = Common::new(config, (&built.ledger, &switches), &rules, started_unix_us);
        // Before the console, which then knows every token from its first answer on.
        let keeper =
            Keeper::start(state, switches, (&common.tokens, &common.scans), ready.clone()).map_err(StartError::one)?;
        let shared = common.shared(config, key, started_unix_us);
        let outward = outward::start(config, &common, shared.clone(), exporter)?;
        let started = start_line(config, common, writer, built.lines, (shards, shards_in))?;
        let (console_addr, listener) = (console.addr(), console.duplicate().map_err(StartError::one)?);
        let console_again = ConsoleAgain {
            settings: build::console(config),
            store_path: config.store.path.clone(),
            listener,
            shared: shared.clone(),
            cores: config.limits.shadow_cores,
        };
        let console = start_console(console, shared, console_again.cores)?;
        let rules = rules.keep(config, &built.ledger).map_err(StartError::one)?;
        let proxy = proxy.start().map_err(StartError::one)?;
        ready.set_up(true);
        let running = Running {
            proxy,
            console: Some(console),
            console_again,
            console_addr,
            lock,
            takeover: None,
            shadow: started.shadow,
            shadow_deadline: started.deadline,
            recorder: started.recorder,
            keeper,
            outward,
            ledger: built.ledger,
            redactors,
            rules,
            ready,
            drain: Duration::from_millis(config.limits.drain_ms),
            clock,
        };
        running.relieve(before)
    }
}

fn start_console(console: console::Bound, shared: console::Shared, cores: Option<usize>) -> Result<Runner, StartError> {
    let console = console.open_for_owner();
    let serve = move |stop| async move {
        telemetry::step_back(Priority::Low, cores);
        if let Err(error) = console.serve(shared, stop).await {
            tracing::error!(%error, "the console ended");
        }
    };
    Runner::start("dl-console", serve).map_err(StartError::one)
}

/// Binds both listeners, or tells the problems of both.
fn bind(
    config: &Config,
    routes: Vec<Route>,
    shards: mpsc::Sender<Shard>,
    clock: Clock,
    before: &mut Option<Predecessor>,
) -> Result<(console::Bound, Proxy), StartError> {
    let settings = build::console(config);
    let inherited = before.as_mut().map(Predecessor::traffic).unwrap_or_default();
    let console = match before.as_mut().and_then(|before| before.console(config.listen_console)) {
        Some(listener) => console::Bound::adopt(listener.into(), settings),
        None => console::bind(&settings, build::anybody(config)),
    };
    match (console, Proxy::bind_after(proxy_settings(config), routes, shards, clock, inherited)) {
        (Ok(console), Ok(proxy)) => Ok((console, proxy)),
        (console, proxy) => {
            let problems = [console.err().map(|e| e.to_string()), proxy.err().map(|e| e.to_string())];
            Err(StartError(problems.into_iter().flatten().collect()))
        }
    }
}

fn open_writer(config: &Config, started_unix_us: i64, before: Option<&mut Predecessor>) -> Result<Writer, StartError> {
    let run = RunInfo {
        instance: config::machine_name(),
        config_hash: config.hash(),
        started_unix_us,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let settings = build::store_settings(config);
    if let Some(lock) = before.and_then(Predecessor::lock) {
        return Writer::open_beside(&settings, run, lock).map_err(StartError::one);
    }
    let writer = Writer::open(&settings, run).map_err(StartError::one)?;
    tell_crash(config);
    Ok(writer)
}

/// Says what the run before this one lost, if it died.
fn tell_crash(config: &Config) {
    let runs = store::Reader::open(&config.store.path).and_then(|reader| reader.runs());
    let Ok(runs) = runs else { return };
    // The newest is this run.
    if let Some(dead) = runs.get(1).filter(|run| run.end == store::RunEnd::Unknown) {
        tracing::warn!(
            run = dead.id,
            captures = dead.captures,
            commit_interval_ms = config.store.commit_interval_ms,
            "the run before this one did not close: at most its last commit interval is lost, and calls that were in \
             flight then may have been processed by the new provider or not"
        );
    }
}

/// The store's settings of a configuration.
pub fn store_settings(config: &Config) -> store::Settings {
    build::store_settings(config)
}

/// The redactors of a configuration. With a key of no meaning they still tell whether a rule matches.
///
/// # Errors
/// Every problem of the rules.
pub fn generation(config: &Config, key: [u8; 32]) -> Result<Generation, StartError> {
    build::generation(config, key).map_err(StartError)
}

/// Rules that hit in an earlier run fit the data, however long the next hit takes.
fn tell_hits_of_earlier_runs(config: &Config, ledger: &Ledger) {
    let Ok(reader) = store::Reader::open(&config.store.path) else { return };
    for book in ledger.iter() {
        if reader.hits(book.integration()).is_ok_and(|hits| !hits.is_empty()) {
            book.rules_hit_before();
        }
    }
}

fn build_line(config: &Config, clock: Clock) -> Result<Built, StartError> {
    let names: Vec<_> = config.integrations.iter().map(build::name).collect();
    let ledger = Ledger::new(names.clone());
    let switches = config.integrations.iter().map(|one| (build::name(one), build::switch(one))).collect();
    let switchboard = Switchboard::new(switches, clock);
    let memory = build::memory_in_all(config);
    let (mut routes, mut lines) = (Vec::new(), Vec::new());
    for (one, name) in config.integrations.iter().zip(&names) {
        let (Some(switch), Some(book)) = (switchboard.get(name), ledger.of(name)) else { continue };
        let adapt = build::adapt(one).map_err(StartError::one)?;
        let target = build::shadow_target(one).map_err(StartError::one)?;
        let (door, line) = mirror::door(build::mirror(one, &memory), adapt, target, switch, book, clock);
        routes.push(build::route(one, door, book.clone()).map_err(StartError::one)?);
        lines.push(line);
    }
    Ok(Built { routes, lines, ledger, switchboard })
}

struct Started {
    recorder: Recorder,
    shadow: Runner,
    deadline: CancellationToken,
}

/// The recorder first, then the shadow side that feeds it.
fn start_line(
    config: &Config,
    common: Common,
    writer: Writer,
    lines: Vec<Line>,
    (shards, shards_in): (mpsc::Sender<Shard>, mpsc::Receiver<Shard>),
) -> Result<Started, StartError> {
    let Common { ledger, switchboard, redactors, ready, totals, tracer, .. } = common;
    let (recordings, taken) = mpsc::channel(RECORDINGS_MAX);
    let (announce, announced) = mpsc::channel(RECORDINGS_MAX);
    let inputs = recorder::Inputs {
        taken,
        announced,
        shards: shards_in,
        ledger,
        totals,
        switches: Box::new(move || switchboard.events().into_iter().map(switch_row).collect()),
        report: Box::new(move |problem| ready.report("store", problem)),
    };
    let settings =
        recorder::Settings { commit_interval_ms: config.store.commit_interval_ms, ..recorder::Settings::default() };
    let (most, cores) = (config.limits.shadow_priority, config.limits.shadow_cores);
    // What may be idle is what `limits.shadow_priority` says.
    let step_back = move |priority: Priority| telemetry::step_back(priority.max(most), cores);
    let recorder =
        recorder::start(settings, inputs, stages(redactors, tracer), writer, step_back).map_err(StartError::one)?;
    let deadline = CancellationToken::new();
    let (closing, outlets) = (deadline.clone(), Outlets { recordings, shards, announced: Some(announce) });
    let shadow = Runner::start("dl-shadow", move |_| async move {
        step_back(Priority::Idle);
        mirror::run(lines, outlets, closing).await;
    })
    .map_err(StartError::one)?;
    Ok(Started { recorder, shadow, deadline })
}

fn stages(redactors: Arc<Redactors>, tracer: Option<Tracer>) -> recorder::Stages<Taken, Capture> {
    let (announced, named) = (Arc::clone(&redactors), Arc::clone(&redactors));
    let log = CallLog::default();
    recorder::Stages {
        observe: Arc::new(move |recording| {
            log.write(recording);
            if let Some(tracer) = &tracer {
                tracer.offer(recording);
            }
        }),
        split: |taken| (Arc::clone(&taken.capture.integration), taken.capture, Box::new(taken.held)),
        redact: Arc::new(move |capture| redactors.capture(capture)),
        redact_announced: Arc::new(move |capture| announced.capture(capture)),
        name_endpoint: Box::new(move |integration, endpoint| named.of(integration).endpoint(endpoint)),
    }
}

fn switch_row(event: SwitchEvent) -> SwitchRow {
    let SwitchEvent { integration, on, sample_ppm, revision, who, reason, at_unix_us } = event;
    SwitchRow { integration: integration.to_string(), on, sample_ppm, revision, who, reason, at_unix_us }
}

fn saved(state: &StateFolder) -> Result<Vec<SavedSwitch>, StartError> {
    let saved = state.load().map_err(StartError::one)?;
    let restore = |one: crate::config::SavedSwitch| SavedSwitch {
        ramp: one.ramp,
        signed: one.signed,
        last: SwitchEvent {
            integration: one.integration.into(),
            on: one.on,
            sample_ppm: one.sample_ppm,
            revision: one.revision,
            who: one.who,
            reason: one.reason,
            at_unix_us: one.at_unix_us,
        },
    };
    Ok(saved.into_iter().map(restore).collect())
}

fn proxy_settings(config: &Config) -> proxy::Settings {
    proxy::Settings {
        listen: config.listen_traffic.clone(),
        tls: config.listen_tls.as_ref().map(|tls| tls.identity.clone()),
        tls_handshake_timeout_ms: config
            .listen_tls
            .as_ref()
            .map_or(proxy::Settings::default().tls_handshake_timeout_ms, |tls| tls.handshake_timeout_ms),
        workers: config.limits.workers,
        connections_max: config.limits.connections_max,
        drain_ms: config.limits.drain_ms,
        ..proxy::Settings::default()
    }
}

impl Running {
    /// Where traffic is taken, in the order of the configuration.
    pub fn traffic(&self) -> &[Listen] {
        self.proxy.listens()
    }

    /// Where the console is.
    pub fn console(&self) -> SocketAddr {
        self.console_addr
    }

    /// The redactors in force.
    pub fn redactors(&self) -> Arc<Generation> {
        self.redactors.now()
    }

    /// Waits until nothing is pending and what was mirrored is committed with its totals, for half a minute at most.
    pub fn settle(&self) {
        let start = self.clock.now();
        let mut quiet_since: Option<Instant> = None;
        let (_never, wait) = std::sync::mpsc::sync_channel::<()>(1);
        while self.clock.now().saturating_duration_since(start) < SETTLE_MAX {
            let now = self.clock.now();
            match (self.at_rest(), quiet_since) {
                // The totals are written once a second; two of those after the last capture, the file is complete.
                (true, Some(since)) if now.saturating_duration_since(since) > Duration::from_millis(2_200) => return,
                (true, None) => quiet_since = Some(now),
                (true, Some(_)) => {}
                (false, _) => quiet_since = None,
            }
            // The only way this ends is its time: a wait with a limit.
            let _ = wait.recv_timeout(SETTLE_LOOK);
        }
        tracing::warn!("the recorder did not come to rest in time");
    }

    fn at_rest(&self) -> bool {
        self.ledger.iter().all(|book| {
            let snapshot = book.snapshot();
            let lost: u64 = snapshot.not_recorded.iter().map(|(_, count)| count).sum();
            snapshot.pending == 0 && snapshot.recorded + lost == snapshot.mirrored_total()
        })
    }
}
