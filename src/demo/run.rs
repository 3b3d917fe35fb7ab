//! The demo as a whole: providers, recorder and application together, and the report of what came of it.

use crate::app::{App, Running};
use crate::demo::application::{Application, Seen};
use crate::demo::providers::Providers;
use crate::exchange::Role;
use crate::fixtures::{Delay, ExportRequest, Format, export};
use crate::latency::Phase;
use crate::review::{LatencyReport, Review, ledger_text};
use crate::store::{Reader, SeriesFilter};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// The integration the demo mirrors.
pub const INTEGRATION: &str = "payments";

/// The same run twice gives the same calls and the same faults.
const SEED: u64 = 0x00da_4c1a;

/// Timeouts the report asks "what if" for, in microseconds.
const WHAT_IF_US: [u64; 3] = [20_000, 100_000, 250_000];

/// File name of the database in the demo's folder.
const STORE: &str = "darklaunch.db";

/// Calls the application goes on with each second while the demo stays.
const STAY_CALLS_PER_S: u32 = 20;

/// What a user may choose.
pub struct DemoSettings {
    /// Calls the application makes.
    pub calls: u32,
    /// Where database and fixtures go.
    pub out: PathBuf,
}

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct DemoError {
    doing: &'static str,
    why: String,
}

fn failed<E: ToString>(doing: &'static str) -> impl Fn(E) -> DemoError {
    move |why| DemoError { doing, why: why.to_string() }
}

/// First line of the demo's configuration: what marks a folder as one the demo may write again.
const MARK: &str = "# Written by darklaunch demo; the next demo replaces this folder.";

/// The providers and the recorder, running.
pub struct Demo {
    runtime: Runtime,
    providers: Providers,
    running: Running,
    settings: DemoSettings,
}

/// The demo after the application's loop; everything still runs.
pub struct Ran {
    demo: Demo,
    seen: Seen,
}

/// What the application saw.
pub struct ApplicationReport {
    /// Calls made.
    pub calls: u64,
    /// Calls that the current provider answered.
    pub answered_by_current: u64,
    /// Calls without a whole answer.
    pub failed: u64,
    /// Mean latency the application saw, less the mean of the recorder's calls to the provider: the same calls,
    /// measured on both sides. Microseconds.
    pub added_mean_us: f64,
}

/// What came of the demo.
pub struct DemoReport {
    /// The mirrored integration.
    pub integration: &'static str,
    /// The application's side.
    pub application: ApplicationReport,
    /// The ledger as a table.
    pub ledger_text: String,
    /// Percentiles and what-if as tables.
    pub latency_text: String,
    /// Whether the new provider may go live.
    pub review: Review,
    /// Values replaced by each rule.
    pub redacted: Vec<(String, u64)>,
    /// The database.
    pub store: PathBuf,
    /// The exported WireMock folder.
    pub fixtures: PathBuf,
    /// How many mappings it holds.
    pub fixture_count: usize,
    json: Value,
}

/// Starts the providers and a recorder between them and the application to come.
///
/// # Errors
/// No loopback ports, or a folder that is neither new nor an earlier demo's.
pub fn start(settings: DemoSettings) -> Result<Demo, DemoError> {
    prepare(&settings.out)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("dl-demo")
        .enable_all()
        .build()
        .map_err(failed("start a runtime"))?;
    let providers = runtime.block_on(Providers::start(SEED)).map_err(failed("start the sample providers"))?;
    let file = settings.out.join("darklaunch.toml");
    let text = config_text(&providers);
    std::fs::write(&file, text).map_err(failed("write the demo's configuration"))?;
    let running = App::start_from(&file).map_err(failed("start the recorder"))?;
    Ok(Demo { runtime, providers, running, settings })
}

/// Every raw value the demo plants where a rule must find it by itself.
pub fn planted() -> Vec<String> {
    let people = crate::demo::People::new(SEED);
    people.planted().into_iter().chain(people.planted_in_fields()).collect()
}

fn prepare(out: &Path) -> Result<(), DemoError> {
    let doing = |why: std::io::Error| failed("prepare the demo's folder")(why);
    let config = out.join("darklaunch.toml");
    let ours = std::fs::read_to_string(&config).is_ok_and(|text| text.starts_with(MARK));
    let empty = std::fs::read_dir(out).map(|mut entries| entries.next().is_none()).unwrap_or(true);
    if out.exists() && !empty && !ours {
        return Err(failed("prepare the demo's folder")(format!(
            "{} holds something else; name an empty or new folder with --out",
            out.display()
        )));
    }
    if ours {
        std::fs::remove_dir_all(out).map_err(doing)?;
    }
    std::fs::create_dir_all(out).map_err(&doing)
}

fn config_text(providers: &Providers) -> String {
    let endpoints: Vec<String> = crate::demo::ENDPOINTS.iter().map(|endpoint| format!("{endpoint:?}")).collect();
    format!(
        r#"{MARK}
[listen]
traffic = "127.0.0.1:0"
console = "127.0.0.1:0"

[store]
path = "{STORE}"

[log]
level = "warn,darklaunch::calls=error"

[integrations.{INTEGRATION}]
match.path_prefix = "/"
primary.url = "{current}"
primary.name = "OldPay"
shadow.url = "{new}"
shadow.name = "NewPay"
shadow.success.error_pointers = ["/error"]
mirror.enabled = true
mirror.sample = "100%"
mirror.allow = ["{allowed}"]
mirror.endpoints = [{endpoints}]
"#,
        current = providers.current_url,
        new = providers.new_url,
        allowed = crate::demo::NEW_PAYMENT,
        endpoints = endpoints.join(", "),
    )
}

impl Demo {
    /// The console's address.
    pub fn console(&self) -> std::net::SocketAddr {
        self.running.console()
    }

    /// Where the application calls the recorder.
    pub fn traffic(&self) -> Option<std::net::SocketAddr> {
        self.running.traffic().first().and_then(|listen| listen.addr())
    }

    /// Runs the application to its end; `progress` is told the calls done so far.
    ///
    /// # Errors
    /// The application could not run.
    pub fn run_application(self, progress: &mut dyn FnMut(u64)) -> Result<Ran, DemoError> {
        let traffic = self.traffic().ok_or_else(|| failed("find the recorder")("it listens nowhere"))?;
        let application = Application::new(format!("http://{traffic}"), self.settings.calls as usize, SEED);
        let people = self.providers.people.clone();
        let run = application.run(people, crate::exchange::Clock, |done, _| progress(done as u64));
        let seen = self.runtime.block_on(run).map_err(failed("run the sample application"))?;
        Ok(Ran { demo: self, seen })
    }
}

impl Ran {
    /// The console's address.
    pub fn console(&self) -> std::net::SocketAddr {
        self.demo.console()
    }

    /// The report while everything keeps running: waits until what was mirrored is recorded.
    ///
    /// # Errors
    /// The database or the export failed.
    pub fn report(&self) -> Result<DemoReport, DemoError> {
        self.demo.running.settle();
        self.build()
    }

    /// Closes everything from the left, and reports.
    ///
    /// # Errors
    /// The database or the export failed.
    pub fn close(self) -> Result<DemoReport, DemoError> {
        self.demo.running.settle();
        let report = self.build();
        let Demo { runtime, providers, running, .. } = self.demo;
        running.close();
        runtime.block_on(providers.close(std::time::Duration::from_secs(2)));
        report
    }

    /// Keeps everything running until a signal; the application goes on with its calls.
    ///
    /// # Errors
    /// The application could not run.
    pub fn stay(self) -> Result<(), DemoError> {
        let Demo { runtime, providers, running, .. } = self.demo;
        let traffic = running.traffic().first().and_then(|listen| listen.addr());
        let people = providers.people.clone();
        let traffic_task = traffic.map(|traffic| {
            let mut application = Application::new(format!("http://{traffic}"), usize::MAX, SEED);
            application.calls_per_s = STAY_CALLS_PER_S;
            runtime.spawn(async move { application.run(people, crate::exchange::Clock, |_, _| ()).await.map(drop) })
        });
        running.wait_for_signal();
        if let Some(task) = traffic_task {
            task.abort();
            // An aborted task's end is the only thing it could tell.
            drop(runtime.block_on(task));
        }
        runtime.block_on(providers.close(std::time::Duration::from_secs(2)));
        Ok(())
    }

    fn build(&self) -> Result<DemoReport, DemoError> {
        let store = self.demo.settings.out.join(STORE);
        let reader = Reader::open(&store).map_err(failed("open the recordings"))?;
        let report = LatencyReport::build(&reader, INTEGRATION, None, None, &WHAT_IF_US)
            .map_err(failed("read the latencies"))?;
        let now = crate::exchange::Clock.unix_us() / 1_000_000;
        let review =
            Review::build(&reader, INTEGRATION, None, now, &Default::default()).map_err(failed("make the review"))?;
        let rows = reader.ledger(Some(INTEGRATION)).map_err(failed("read the ledger"))?;
        let redacted = reader.hits(INTEGRATION).map_err(failed("read what was redacted"))?;
        let fixtures = self.demo.settings.out.join("fixtures");
        let request = ExportRequest {
            integration: INTEGRATION.to_owned(),
            out: fixtures.clone(),
            per_endpoint: 2,
            format: Format::WireMock,
            delay: Delay::Recorded,
            check: true,
            ..ExportRequest::default()
        };
        let manifest = export(&reader, self.demo.running.redactors().of(INTEGRATION), None, &request)
            .map_err(failed("export the fixtures"))?;
        let application = self.application(&reader)?;
        let json = self.json(&application, &rows, &redacted, report.to_json(), manifest.fixtures.len());
        Ok(DemoReport {
            integration: INTEGRATION,
            application,
            ledger_text: ledger_text(&rows),
            latency_text: report.tables_text(),
            review,
            redacted,
            store,
            fixtures,
            fixture_count: manifest.fixtures.len(),
            json,
        })
    }

    fn application(&self, reader: &Reader) -> Result<ApplicationReport, DemoError> {
        let filter = SeriesFilter { integration: INTEGRATION.to_owned(), endpoint: None, since_unix_s: None };
        let series = reader.series(&filter).map_err(failed("read the latencies"))?;
        let primary = series.iter().filter(|(key, _)| key.role == Role::Primary && key.phase == Phase::Total);
        let (calls, sum_us) = primary.fold((0, 0), |(n, sum), (_, one)| (n + one.len(), sum + one.sum_us()));
        let primary_mean_us = sum_us as f64 / calls.max(1) as f64;
        Ok(ApplicationReport {
            calls: self.seen.answered + self.seen.failed,
            answered_by_current: self.seen.by_provider.get(crate::demo::CURRENT).copied().unwrap_or_default(),
            failed: self.seen.failed,
            added_mean_us: (self.seen.latency_us.mean() - primary_mean_us).max(0.0),
        })
    }

    fn json(
        &self,
        application: &ApplicationReport,
        rows: &[(String, String, u64)],
        redacted: &[(String, u64)],
        latency: Value,
        fixtures: usize,
    ) -> Value {
        let below = |prefix: &str| -> BTreeMap<&str, u64> {
            rows.iter().filter_map(|(_, state, count)| Some((state.strip_prefix(prefix)?, *count))).collect()
        };
        let one = |name: &str| rows.iter().find(|(_, state, _)| state == name).map_or(0, |(_, _, count)| *count);
        let (current, new) = (&self.demo.providers.current, &self.demo.providers.new);
        json!({
            "schema": "darklaunch.demo/v1",
            "application": {
                "calls": application.calls,
                "answered_by_current": application.answered_by_current,
                "failed": application.failed,
                "added_mean_us": application.added_mean_us.round() as u64,
            },
            "ledger": {
                "arrived": one("arrived"),
                "pending": one("pending"),
                "mirrored": below("mirrored."),
                "not_mirrored": below("not_mirrored."),
            },
            "recorded": one("recorded"),
            "not_recorded": below("not_recorded."),
            "body_dropped": below("body_dropped."),
            "providers": {
                "current": { "seen": current.requests() },
                "new": {
                    "seen": new.requests(),
                    "answered_5xx": new.with_status(|one| (500..600).contains(&one.status)),
                    "answered_429": new.with_status(|one| one.status == 429),
                    "answered_200_with_error": new.with_status(|one| one.status == 200 && one.says_error),
                },
            },
            "redacted": redacted.iter().cloned().collect::<BTreeMap<_, _>>(),
            "latency": latency,
            "fixtures": fixtures,
        })
    }
}

impl DemoReport {
    /// The facts with stable names.
    pub fn to_json(&self) -> Value {
        self.json.clone()
    }
}
