//! The self-test as a whole: the configuration set apart, the recorder between stand-ins, the calls, and the end.

use crate::app::{App, Running};
use crate::config::{Config, ConsoleConfig, IntegrationConfig, Listen, ReachConfig};
use crate::exchange::Clock;
use crate::selftest::call::{Console, call, marked, plain, sum};
use crate::selftest::checks::{self, Visit};
use crate::selftest::probes::{Probe, any, probes};
use crate::selftest::stand_in::StandIn;
use crate::selftest::stored::{REDACTION, Stored};
use crate::selftest::{Check, Live, Report, Tested};
use http::Uri;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// The whole sample, parts per million.
const SAMPLE_ALL_PPM: u32 = 1_000_000;
/// Requests right before a stop, so that there is something to abort, and right after it.
const AROUND_STOP_CALLS: usize = 10;
/// Longer than a copy may take to arrive after a stop.
const AFTER_STOP: Duration = Duration::from_millis(250);
/// The self-test's own calls are few, so commits need not be rare.
const COMMIT_INTERVAL_MS: u64 = 20;
const DRAIN_MS: u64 = 2_000;
const LIVE: &str = "a real provider cannot be asked what it saw";

/// Why nothing could be tested.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// The configuration does not start, or `--live` names what may not be called.
    #[error("{0}")]
    Configuration(String),
    /// The machine refused something.
    #[error("the self-test could not be made: {0}")]
    Other(String),
}

impl SelftestError {
    pub(in crate::selftest) fn other(why: impl ToString) -> Self {
        Self::Other(why.to_string())
    }
}

/// One integration and who stands in for its providers.
struct Stage {
    config: IntegrationConfig,
    primary: Option<StandIn>,
    shadow: Option<StandIn>,
}

/// What every integration's test needs.
struct Lab {
    /// In the order of the configuration.
    traffic: Vec<SocketAddr>,
    console: Console,
    clock: Clock,
}

/// Tests every integration, or with `live` the one that it names.
///
/// # Errors
/// The configuration does not start, or the machine gives no folder, port or thread.
pub fn run(config: &Config, live: Option<&Live>) -> Result<Report, SelftestError> {
    let folder = tempfile::Builder::new().prefix("darklaunch-selftest-").tempdir().map_err(SelftestError::other)?;
    let mut config = apart(config, folder.path());
    if let Some(live) = live {
        only(&mut config, live)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("dl-selftest")
        .enable_all()
        .build()
        .map_err(SelftestError::other)?;
    let stages = runtime.block_on(set_up(&mut config, live.is_some()))?;
    let running = App::start(&config).map_err(|error| SelftestError::Configuration(error.to_string()))?;
    let tested = lab(&running).and_then(|lab| runtime.block_on(all(&lab, &stages, live)));
    let rules = running.redactors();
    running.close();
    let mut integrations = tested?;
    let stored = Stored::open(&config.store.path)?;
    for one in &mut integrations {
        one.checks.push(match live {
            Some(_) => Check::not_checked(REDACTION, "nothing is planted in requests to real providers"),
            None => stored.redaction(&one.integration, rules.leaks_of(&one.integration))?,
        });
    }
    drop(stored);
    Ok(Report { live: live.is_some(), integrations, store_removed: remove(folder) })
}

/// The same configuration, but nothing of the user's is touched: own ports, own store, no budgets to use up.
fn apart(config: &Config, folder: &Path) -> Config {
    let mut config = config.clone();
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // One for each of theirs, since an integration may be matched by it.
    config.listen_traffic = vec![Listen::Tcp(any_port); config.listen_traffic.len()];
    config.listen_tls = None;
    config.listen_console = any_port;
    config.console = ConsoleConfig::all_here();
    config.store.path = folder.join("selftest.db");
    config.store.commit_interval_ms = COMMIT_INTERVAL_MS;
    config.limits.drain_ms = DRAIN_MS;
    config.limits.workers = 1;
    // What is said here is said in the report; the log is for what goes wrong.
    config.log_filter = "error".to_owned();
    for one in &mut config.integrations {
        one.mirror.rate_per_s = None;
        one.mirror.daily_calls_max = None;
        one.mirror.ramp = None;
        // A share of nothing is a decision; a smaller one would leave the outcome to chance.
        one.mirror.shares.retain(|share| share.share_ppm == 0);
    }
    config
}

/// Keeps the one integration that is tested live, if the request may be mirrored at all.
fn only(config: &mut Config, live: &Live) -> Result<(), SelftestError> {
    config.integrations.retain(|one| one.name == live.integration);
    let Some(one) = config.integrations.first() else {
        return Err(SelftestError::Configuration(format!("no integration is called {:?}", live.integration)));
    };
    if !one.mirror.methods.iter().any(|method| method == live.method) {
        let text = format!("mirror.methods of {} does not name {}, so it is not sent", one.name, live.method);
        return Err(SelftestError::Configuration(text));
    }
    if !live.path.starts_with('/') || live.path.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(SelftestError::Configuration(format!("{:?} is no path; begin with /", live.path)));
    }
    Ok(())
}

/// Stand-ins in place of all providers, behind the paths of the real ones.
async fn set_up(config: &mut Config, live: bool) -> Result<Vec<Stage>, SelftestError> {
    let mut stages = Vec::new();
    for one in &mut config.integrations {
        let mut stage = Stage { config: one.clone(), primary: None, shadow: None };
        if !live {
            if let Some(primary) = &mut one.primary {
                let stand_in = StandIn::start("primary", Clock).await.map_err(SelftestError::other)?;
                primary.url = at(&stand_in, &primary.url)?;
                // Stand-ins speak plain HTTP/1.1.
                primary.reach = ReachConfig::default();
                stage.primary = Some(stand_in);
            }
            let stand_in = StandIn::start("shadow", Clock).await.map_err(SelftestError::other)?;
            one.shadow.url = at(&stand_in, &one.shadow.url)?;
            one.shadow.reach = ReachConfig::default();
            stage.shadow = Some(stand_in);
        }
        stages.push(stage);
    }
    Ok(stages)
}

fn at(stand_in: &StandIn, real: &Uri) -> Result<Uri, SelftestError> {
    format!("http://{}{}", stand_in.addr, real.path()).parse().map_err(SelftestError::other)
}

fn lab(running: &Running) -> Result<Lab, SelftestError> {
    let tcp = |listen: &Listen| match listen {
        Listen::Tcp(addr) => Ok(*addr),
        Listen::Tls(_) | Listen::Unix(_) => Err(SelftestError::other("it listens elsewhere than it was told")),
    };
    let traffic = running.traffic().iter().map(tcp).collect::<Result<_, _>>()?;
    let console = Console::new(running.console()).map_err(SelftestError::other)?;
    Ok(Lab { traffic, console, clock: Clock })
}

async fn all(lab: &Lab, stages: &[Stage], live: Option<&Live>) -> Result<Vec<Tested>, SelftestError> {
    let mut tested = Vec::new();
    for stage in stages {
        let checks = match (live, &stage.shadow) {
            (Some(live), _) => lab.live(stage, live).await,
            (None, Some(shadow)) => lab.integration(stage, shadow).await,
            (None, None) => Ok(Vec::new()),
        };
        let checks = checks.map_err(SelftestError::other)?;
        tested.push(Tested { integration: stage.config.name.clone(), checks });
    }
    Ok(tested)
}

fn remove(folder: tempfile::TempDir) -> Check {
    let path = folder.path().to_owned();
    let removed = folder.close();
    match removed {
        Ok(()) if !path.exists() => Check::pass("store_removed", "the temporary store is gone"),
        Ok(()) => Check::fail("store_removed", format!("{} is still there", path.display())),
        Err(error) => Check::fail("store_removed", format!("{}: {error}", path.display())),
    }
}

impl Lab {
    /// Where the integration's requests are taken.
    fn traffic_of(&self, one: &IntegrationConfig) -> SocketAddr {
        let at = one.matcher.listeners.as_ref().and_then(|listeners| listeners.first()).copied().unwrap_or_default();
        self.traffic.get(at).or(self.traffic.first()).copied().unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())
    }

    async fn integration(&self, stage: &Stage, shadow: &StandIn) -> reqwest::Result<Vec<Check>> {
        let one = &stage.config;
        let (mut probes, mut found) = probes(one);
        let nothing_mirrored = probes.is_empty();
        if nothing_mirrored {
            probes.push(any(one));
        }
        let mut sent = 0;
        let mut note = "";
        if !one.mirror.enabled || one.mirror.sample_ppm == 0 {
            // As configured first: that nothing arrives is the finding, and the rest is then tested all the same.
            let visit = self.visit(one, &probes[0], "silent".to_owned()).await;
            sent += 1;
            let status = self.console.at_rest(&one.name, sent).await?;
            if shadow.with_mark(&visit.mark).is_empty() {
                found.extend(checks::reasons(one, &status["ledger"]["not_mirrored"]));
            }
        } else if one.mirror.sample_ppm < SAMPLE_ALL_PPM {
            note = " (mirror.sample is less than 100%; for this test all was sampled)";
        }
        let before = if one.mirror.enabled && one.mirror.sample_ppm == SAMPLE_ALL_PPM {
            Value::Null
        } else {
            self.console.start(&one.name).await?;
            self.console.status(&one.name).await?["ledger"]["not_mirrored"].clone()
        };
        let mut visits = Vec::new();
        for (number, probe) in probes.iter().enumerate() {
            visits.push(self.visit(one, probe, format!("probe{number}")).await);
            sent += 1;
        }
        let status = self.console.at_rest(&one.name, sent).await?;
        let why = checks::reasons(one, &since(&before, &status["ledger"]["not_mirrored"]));
        let wanted: &[Visit] = if nothing_mirrored { &[] } else { &visits };
        let mut checks = vec![checks::copy(wanted, shadow, found, &why, note)];
        checks.extend(self.primary_side(stage, &visits).await);
        let seen = shadow.seen();
        checks.push(checks::withheld(one, &seen));
        checks.push(checks::own_headers(one, &seen));
        checks.push(self.stop(one, &visits[0].probe, shadow, &mut sent).await?);
        let status = self.console.at_rest(&one.name, sent).await?;
        checks.push(checks::ledger(&status, sent, Some(shadow.seen().len() as u64)));
        Ok(checks)
    }

    async fn visit(&self, one: &IntegrationConfig, probe: &Probe, mark: String) -> Visit {
        let answer = call(self.traffic_of(one), &marked(one, probe, &mark)).await.map_err(|error| error.to_string());
        Visit { probe: probe.clone(), mark, answer }
    }

    async fn primary_side(&self, stage: &Stage, visits: &[Visit]) -> [Check; 2] {
        let Some(primary) = &stage.primary else {
            return [checks::sink(visits), Check::not_checked(checks::UNTOUCHED, "a sink has no primary")];
        };
        let mut pairs = Vec::new();
        for visit in visits {
            let request = marked(&stage.config, &visit.probe, &format!("direct-{}", visit.mark));
            pairs.push((visit, call(primary.addr, &request).await.map_err(|error| error.to_string())));
        }
        [checks::identical(&pairs), checks::untouched(&stage.config, visits, primary)]
    }

    /// Copies are under way when the stop comes; after it none may arrive.
    async fn stop(
        &self,
        one: &IntegrationConfig,
        probe: &Probe,
        shadow: &StandIn,
        sent: &mut u64,
    ) -> reqwest::Result<Check> {
        for number in 0..AROUND_STOP_CALLS {
            self.visit(one, probe, format!("before{number}")).await;
        }
        self.console.stop(&one.name).await?;
        let stopped = self.clock.now();
        let mut marks = Vec::new();
        for number in 0..AROUND_STOP_CALLS {
            marks.push(self.visit(one, probe, format!("after{number}")).await.mark);
        }
        *sent += 2 * AROUND_STOP_CALLS as u64;
        tokio::time::sleep(AFTER_STOP).await;
        let late = shadow.seen().iter().map(|seen| seen.at.saturating_duration_since(stopped)).max();
        let late_us = late.map_or(0, |late| u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
        let after: usize = marks.iter().map(|mark| shadow.with_mark(mark).len()).sum();
        if shadow.seen().is_empty() {
            return Ok(Check::not_checked(checks::STOP, "no copy ever arrived, so that there is nothing to stop"));
        }
        let mut problems = Vec::new();
        if after > 0 {
            problems.push(format!("{after} of {AROUND_STOP_CALLS} requests after the stop were mirrored"));
        }
        if late_us > checks::STOP_US_MAX {
            problems.push(format!("a copy arrived {:.1} ms after the stop", late_us as f64 / 1_000.0));
        }
        let detail = format!(
            "the last copy arrived {:.1} ms after the stop (at most {} ms); none of {AROUND_STOP_CALLS} later requests \
             was mirrored",
            late_us as f64 / 1_000.0,
            checks::STOP_US_MAX / 1_000,
        );
        Ok(Check::unless(checks::STOP, &problems, detail))
    }

    /// One request to the real providers and one after a stop; all that is known comes from the ledger.
    async fn live(&self, stage: &Stage, live: &Live) -> reqwest::Result<Vec<Check>> {
        let one = &stage.config;
        let name = format!("{} {}", live.method, live.path);
        let request = plain(one, live.method, &live.path);
        self.console.start(&one.name).await?;
        let answer = call(self.traffic_of(one), &request).await;
        let first = self.console.at_rest(&one.name, 1).await?;
        self.console.stop(&one.name).await?;
        // Only the primary gets this one.
        let _ = call(self.traffic_of(one), &request).await;
        let second = self.console.at_rest(&one.name, 2).await?;
        let mirrored = |status: &Value| sum(&status["ledger"]["mirrored"]);
        let outcome = first["ledger"]["mirrored"].as_object().and_then(|counts| {
            counts.iter().find(|(_, count)| count.as_u64() > Some(0)).map(|(outcome, _)| outcome.clone())
        });
        let copy = match outcome.as_deref() {
            Some(outcome @ ("network_error" | "timeout")) => {
                Check::fail(checks::COPY, format!("{name} did not get an answer from the shadow: {outcome}"))
            }
            Some(outcome) => Check::pass(checks::COPY, format!("the shadow answered {name}: {outcome}")),
            None => {
                let why = checks::reasons(one, &first["ledger"]["not_mirrored"]).join(", ");
                Check::fail(checks::COPY, format!("{name} was not mirrored: {why}"))
            }
        };
        let identical = match answer {
            Ok(answer) => {
                format!("two real answers may differ by themselves; the primary's status was {}", answer.status())
            }
            Err(error) => format!("the primary gave no answer: {error}"),
        };
        let stop = match mirrored(&second) == mirrored(&first) {
            true => Check::pass(checks::STOP, "the request after the stop was not mirrored"),
            false => Check::fail(checks::STOP, "the request after the stop was mirrored"),
        };
        Ok(vec![
            copy,
            Check::not_checked(checks::IDENTICAL, identical),
            Check::not_checked(checks::UNTOUCHED, LIVE),
            Check::not_checked(checks::WITHHELD, LIVE),
            Check::not_checked(checks::HEADERS, LIVE),
            stop,
            checks::ledger(&second, 2, None),
        ])
    }
}

/// What was counted between two looks.
fn since(before: &Value, after: &Value) -> Value {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let grown = |(name, now): (&String, &Value)| {
        let more = count(now).saturating_sub(count(&before[name]));
        (name.clone(), Value::from(more))
    };
    after.as_object().into_iter().flatten().map(grown).collect()
}
