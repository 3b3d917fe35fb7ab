//! The keeper of the redaction rules: reloads them when SIGHUP asks or a file changes, and watches whether they fit the
//! data. A thread of its own, off the user's path.
//!
//! **Invariant:** the rules in force change whole or not at all. A generation that does not compile, or that lets a canary
//! through, changes nothing and is told.

use crate::app::build;
use crate::config::{self, Config, Fingerprint};
use crate::console::{Ready, RuleSetShown, RulesInForce, RulesShown};
use crate::exchange::Clock;
use crate::redact::{Canaries, Generation, PseudonymKey, Redactors};
use crate::telemetry::{Ledger, lower_priority_of_this_thread};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the files and the counters are looked at. A change is taken up when two looks see the same, so that a file
/// is not read half-written.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Problems repeated where there is little room.
const PROBLEMS_SHOWN: usize = 4;

/// Parts that problems are told under.
const RELOAD: &str = "rules";
const SELF_CHECK: &str = "redaction_self_check";
const ALARM: &str = "redaction_alarm";

enum Order {
    /// The file that the configuration came from, to be read again.
    Source(PathBuf),
    /// Read everything again.
    Reload,
}

/// The keeper's thread.
pub(crate) struct RulesKeeper {
    orders: SyncSender<Order>,
    thread: JoinHandle<()>,
}

/// What the keeper works on.
struct Kept {
    config: Config,
    key: [u8; 32],
    canaries: Canaries,
    redactors: Arc<Redactors>,
    shown: Arc<RulesInForce>,
    ready: Arc<Ready>,
    ledger: Arc<Ledger>,
}

impl RulesKeeper {
    fn start(kept: Kept) -> std::io::Result<Self> {
        let (orders, told) = sync_channel(4);
        let keeping =
            Keeping { kept, file: None, seen: Fingerprint::default(), changing: None, alarmed: BTreeSet::new() };
        let thread = std::thread::Builder::new().name("dl-rules".into()).spawn(move || {
            lower_priority_of_this_thread();
            keeping.run(&told);
        })?;
        Ok(Self { orders, thread })
    }

    /// From now on the file, and the rule files it names, are watched and read again.
    pub(crate) fn reload_from(&self, file: PathBuf) {
        self.order(Order::Source(file));
    }

    /// Reads everything again.
    pub(crate) fn reload(&self) {
        self.order(Order::Reload);
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("the keeper of the rules is gone");
        }
    }

    pub(crate) fn close(self) {
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::error!("the keeper of the rules ended by a panic");
        }
    }
}

struct Keeping {
    kept: Kept,
    file: Option<PathBuf>,
    /// How the files looked when they were read last.
    seen: Fingerprint,
    /// How they looked at the last look, if that was different.
    changing: Option<Fingerprint>,
    alarmed: BTreeSet<String>,
}

impl Keeping {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(LOOK_EVERY) {
                Ok(Order::Source(file)) => {
                    self.file = Some(file);
                    self.seen = self.fingerprint();
                }
                Ok(Order::Reload) => self.reload(),
                Err(RecvTimeoutError::Timeout) => self.reload_if_changed(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.watch_the_fit();
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        config::fingerprint(&self.kept.config, self.file.as_deref())
    }

    fn reload_if_changed(&mut self) {
        if self.file.is_none() {
            return;
        }
        let now = self.fingerprint();
        if now == self.seen {
            self.changing = None;
        } else if self.changing.as_ref() == Some(&now) {
            self.reload();
        } else {
            self.changing = Some(now);
        }
    }

    fn reload(&mut self) {
        self.seen = self.fingerprint();
        self.changing = None;
        match self.next() {
            Ok(None) => {
                tracing::info!("the redaction rules are as they were");
                self.kept.ready.report(RELOAD, None);
            }
            Ok(Some((config, generation))) => self.take(config, generation),
            Err(problems) => {
                tracing::error!(
                    problems = problems.join("; "),
                    "the new redaction rules are refused as a whole; those in force stay"
                );
                let text = format!("a change was refused, the rules in force stay: {}", few(&problems));
                self.kept.ready.report(RELOAD, Some(text));
            }
        }
        // The folders may be others now.
        self.seen = self.fingerprint();
    }

    /// The next configuration and its generation, proven; `None` where nothing about redaction changed.
    fn next(&self) -> Result<Option<(Config, Generation)>, Vec<String>> {
        let Some(file) = &self.file else {
            return Err(vec!["this recorder was not started from a file that could be read again".to_owned()]);
        };
        let loaded = config::load(Some(file), config::process_environment()).map_err(|all| vec![all.to_string()])?;
        let config = self.with_redaction_of(loaded.config)?;
        if build::sources(&config) == build::sources(&self.kept.config)
            && config.redaction.alarm_bodies == self.kept.config.redaction.alarm_bodies
        {
            return Ok(None);
        }
        let generation = build::generation(&config, self.kept.key)?.proven(&self.kept.canaries);
        let leaks = tell_leaks(&generation);
        if leaks.is_empty() { Ok(Some((config, generation))) } else { Err(leaks) }
    }

    /// The running configuration with the redaction of another one.
    fn with_redaction_of(&self, next: Config) -> Result<Config, Vec<String>> {
        let mut config = self.kept.config.clone();
        config.redaction.builtin_rules = next.redaction.builtin_rules;
        config.redaction.rules_folders = next.redaction.rules_folders.clone();
        config.redaction.rule_files = next.redaction.rule_files.clone();
        config.redaction.body_bytes_max = next.redaction.body_bytes_max;
        config.redaction.alarm_bodies = next.redaction.alarm_bodies;
        let mut gone = Vec::new();
        for one in &mut config.integrations {
            match next.integrations.iter().find(|other| other.name == one.name) {
                Some(other) => one.redaction = other.redaction.clone(),
                // Its own rules would be lost while it still records.
                None => gone.push(format!("integrations.{} is recorded and no longer configured: restart", one.name)),
            }
        }
        if gone.is_empty() && config.hash() != next.hash() {
            tracing::info!("of a changed configuration only redaction is taken up now, the rest at the next start");
        }
        if gone.is_empty() { Ok(config) } else { Err(gone) }
    }

    fn take(&mut self, config: Config, generation: Generation) {
        let kept = &mut self.kept;
        let number = kept.redactors.swap(generation);
        kept.config = config;
        let shown = shown(&kept.config, &kept.redactors.now(), Clock.unix_us());
        tracing::info!(generation = number, hash = &*shown.everyone, "new redaction rules are in force");
        kept.shown.show(shown);
        kept.ready.report(RELOAD, None);
        kept.ready.report(SELF_CHECK, None);
    }

    /// Bodies are stored and no rule ever hits: either there is nothing to hide, or the rules do not see it.
    fn watch_the_fit(&mut self) {
        let bodies_min = self.kept.config.redaction.alarm_bodies;
        let mut alarmed = BTreeSet::new();
        for book in self.kept.ledger.iter() {
            let snapshot = book.snapshot();
            if !snapshot.rules_do_not_fit(bodies_min) {
                continue;
            }
            let name = book.integration().to_string();
            if !self.alarmed.contains(&name) {
                tracing::warn!(
                    integration = name,
                    bodies = snapshot.bodies_kept,
                    "the redaction rules do not fit the data: bodies are stored and no rule has ever hit"
                );
            }
            alarmed.insert(name);
        }
        if alarmed != self.alarmed {
            let names: Vec<&str> = alarmed.iter().map(String::as_str).collect();
            let text = format!("the rules do not fit the data of {}: no rule has ever hit", names.join(", "));
            self.kept.ready.report(ALARM, (!names.is_empty()).then_some(text));
            self.alarmed = alarmed;
        }
    }
}

/// The redactors of a run and what is told of them.
pub(crate) struct Rules {
    pub(crate) redactors: Arc<Redactors>,
    pub(crate) shown: Arc<RulesInForce>,
    pub(crate) ready: Arc<Ready>,
    canaries: Canaries,
    key: [u8; 32],
}

impl Rules {
    /// Compiles the rules of the run that starts at this moment on this machine, and has them prove themselves.
    pub(crate) fn build(config: &Config, key: [u8; 32], started_unix_us: i64) -> Result<Self, Vec<String>> {
        let label = Canaries::label(&config::machine_name(), started_unix_us);
        let canaries = Canaries::of_run(&PseudonymKey::new(key), &label);
        let generation = build::generation(config, key)?.proven(&canaries);
        let ready = Arc::new(Ready::new());
        tell_self_check(&generation, &ready);
        let shown = Arc::new(RulesInForce::new(shown(config, &generation, started_unix_us)));
        Ok(Self { redactors: Arc::new(Redactors::new(generation)), shown, ready, canaries, key })
    }

    /// Starts their keeper.
    pub(crate) fn keep(self, config: &Config, ledger: &Arc<Ledger>) -> std::io::Result<RulesKeeper> {
        let Self { redactors, shown, ready, canaries, key } = self;
        let ledger = Arc::clone(ledger);
        RulesKeeper::start(Kept { config: config.clone(), key, canaries, redactors, shown, ready, ledger })
    }
}

/// Says what the first generation lets through, if anything; bodies are then withheld.
fn tell_self_check(generation: &Generation, ready: &Ready) {
    let leaks = tell_leaks(generation);
    if leaks.is_empty() {
        tracing::info!("the redaction rules found every canary");
        return;
    }
    tracing::error!(
        leaks = leaks.join("; "),
        "REDACTION FAILED ITS SELF-CHECK: no body is stored until the rules find every canary; all else goes on"
    );
    ready.report(SELF_CHECK, Some(format!("no body is stored: {}", few(&leaks))));
}

/// `the rules of payments, quotes: the planted e-mail is readable in the body of the request and 3 more places`.
pub(crate) fn tell_leaks(generation: &Generation) -> Vec<String> {
    let mut told = Vec::new();
    for (names, leaks) in generation.leaks() {
        let who = if names.is_empty() { "everyone".to_owned() } else { names.join(", ") };
        for one in leaks.chunk_by(|a, b| a.what == b.what) {
            let more = if one.len() > 1 { format!(" and {} more places", one.len() - 1) } else { String::new() };
            told.extend(one.first().map(|leak| format!("the rules of {who}: the planted {leak}{more}")));
        }
    }
    // The e-mail first: leaks are in the order of their names.
    told.sort_by_key(|line| !line.contains("e-mail"));
    told
}

/// What pages show of a generation.
fn shown(config: &Config, generation: &Generation, since_unix_us: i64) -> RulesShown {
    let set = |name: &str| {
        let redactor = generation.of(name);
        let strict = config.integrations.iter().any(|one| one.name == name && one.redaction.kept_paths.is_some());
        let leaks = generation.leaks_of(name).iter().map(ToString::to_string).collect();
        RuleSetShown { hash: redactor.hash(), rules: redactor.rules().len(), strict, leaks }
    };
    RulesShown {
        generation: generation.number,
        since_unix_us,
        everyone: generation.everyone().hash(),
        own: config.integrations.iter().map(|one| (one.name.clone(), set(&one.name))).collect(),
        alarm_bodies: config.redaction.alarm_bodies,
    }
}

fn few(problems: &[String]) -> String {
    let mut text = problems.iter().take(PROBLEMS_SHOWN).cloned().collect::<Vec<_>>().join("; ").replace('\n', " ");
    if problems.len() > PROBLEMS_SHOWN {
        text.push_str(&format!("; and {} more", problems.len() - PROBLEMS_SHOWN));
    }
    text
}
