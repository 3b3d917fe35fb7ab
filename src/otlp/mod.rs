//! Export to an OpenTelemetry collector: metrics, and one trace per sampled capture, as OTLP/JSON over HTTP
//! (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP" and "JSON Protobuf Encoding").
//!
//! **Invariants.** No body, path or query leaves here: a span carries the endpoint's template, counts and times. What the
//! collector does not take is dropped and counted; nothing waits for it.

mod trace;

use crate::exchange::Integration;
use crate::measure::{Metric, Servers, attributes};
use crate::redact::{Recording, Redacted};
use crate::telemetry::Outbox;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Traces that wait for the next export.
const TRACES_WAITING_MAX: usize = 4_096;
/// Traces of one request to the collector.
const TRACES_AT_ONCE: usize = 512;
/// One request, milliseconds.
const TIMEOUT_MS: u64 = 5_000;
/// Attempts for one request, a second apart and then two; what cannot be sent then is dropped.
const ATTEMPTS_MAX: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// At the recorder's end the last export has this long.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
const WHOLE_PPM: u64 = 1_000_000;

/// What a user may choose.
#[derive(Clone)]
pub struct Settings {
    /// The collector's base URL; it may carry a credential.
    pub endpoint: String,
    /// Sent with every request; secret.
    pub headers: http::HeaderMap,
    /// Milliseconds between exports.
    pub interval_ms: u64,
    /// Share of the captures with a trace, parts per million.
    pub traces_ppm: u32,
    /// The version of this program.
    pub version: &'static str,
    /// Which recorder it is.
    pub instance: String,
    /// When it started, microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// Where the providers of each integration are.
    pub servers: HashMap<Integration, Servers>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings(every {} ms, {} ppm of the traces)", self.interval_ms, self.traces_ppm)
    }
}

/// Takes traces from the line. Never waits.
#[derive(Clone)]
pub struct Tracer {
    queue: mpsc::Sender<Value>,
    traces_ppm: u32,
    servers: Arc<HashMap<Integration, Servers>>,
    outbox: Arc<Outbox>,
}

/// What waits to be exported.
pub struct Exporter {
    settings: Settings,
    queue: mpsc::Receiver<Value>,
    outbox: Arc<Outbox>,
}

/// The two ends.
pub fn open(settings: Settings, outbox: Arc<Outbox>) -> (Tracer, Exporter) {
    let (queue, waiting) = mpsc::channel(TRACES_WAITING_MAX);
    let servers = Arc::new(settings.servers.clone());
    let tracer = Tracer { queue, traces_ppm: settings.traces_ppm, servers, outbox: Arc::clone(&outbox) };
    (tracer, Exporter { settings, queue: waiting, outbox })
}

impl Tracer {
    /// Offers the trace of a recording, if the sample has it.
    pub fn offer(&self, recording: &Redacted<Recording>) {
        // The id's last bytes are random.
        let id = recording.capture.id.0.as_u128() as u64;
        if id % WHOLE_PPM >= u64::from(self.traces_ppm) {
            return;
        }
        let capture = &recording.capture;
        let spans = trace::spans(capture, self.servers.get(&capture.integration));
        if self.queue.try_send(spans).is_err() {
            self.outbox.count(&traces(), "queue_full", 1);
        }
    }
}

fn traces() -> Arc<str> {
    Arc::from("otlp_traces")
}

impl Exporter {
    /// Exports until `stop`. `gather` gives every metric now, and the time in microseconds since the Unix epoch.
    pub async fn run(mut self, gather: impl Fn() -> (Vec<Metric>, i64) + Send, stop: CancellationToken) {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(TIMEOUT_MS))
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "nothing can be exported: no client for the collector"),
        };
        let mut ticks = tokio::time::interval(Duration::from_millis(self.settings.interval_ms));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first one is at once.
        ticks.tick().await;
        loop {
            let closing = tokio::select! {
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            let export = self.export(&client, &gather);
            if closing {
                if tokio::time::timeout(CLOSE_WAIT, export).await.is_err() {
                    tracing::warn!("the collector did not take the last export in time");
                }
                return;
            }
            export.await;
        }
    }

    async fn export(&mut self, client: &reqwest::Client, gather: &impl Fn() -> (Vec<Metric>, i64)) {
        let (metrics, now_unix_us) = gather();
        let all: Vec<Value> =
            metrics.iter().map(|metric| metric.to_otlp(self.settings.started_unix_us, now_unix_us)).collect();
        let body = json!({ "resourceMetrics": [{
            "resource": self.resource(),
            "scopeMetrics": [{ "scope": scope(self.settings.version), "metrics": all }],
        }] });
        self.send(client, "v1/metrics", &Arc::from("otlp_metrics"), &body, 1).await;
        let mut some = Vec::new();
        // At most what waited at the beginning: a busy line does not keep the metrics from going out.
        for _ in 0..TRACES_WAITING_MAX / TRACES_AT_ONCE {
            while some.len() < TRACES_AT_ONCE
                && let Ok(spans) = self.queue.try_recv()
            {
                some.push(spans);
            }
            if some.is_empty() {
                return;
            }
            let count = some.len() as u64;
            let spans: Vec<Value> = some
                .drain(..)
                .flat_map(|spans| match spans {
                    Value::Array(spans) => spans,
                    other => vec![other],
                })
                .collect();
            let body = json!({ "resourceSpans": [{
                "resource": self.resource(),
                "scopeSpans": [{ "scope": scope(self.settings.version), "spans": spans }],
            }] });
            self.send(client, "v1/traces", &traces(), &body, count).await;
        }
    }

    fn resource(&self) -> Value {
        let Settings { version, instance, .. } = &self.settings;
        let about = [("service.name", "darklaunch"), ("service.version", version), ("service.instance.id", instance)];
        json!({ "attributes": attributes(about) })
    }

    async fn send(&self, client: &reqwest::Client, path: &str, what: &Arc<str>, body: &Value, count: u64) {
        let url = format!("{}/{path}", self.settings.endpoint.trim_end_matches('/'));
        let mut wait = FIRST_WAIT;
        let mut result = "failed";
        for attempt in 1..=ATTEMPTS_MAX {
            let sent = client.post(&url).headers(self.settings.headers.clone()).json(body).send().await;
            // The error's text would carry the address: only its kind is kept.
            result = match sent {
                Ok(answer) => match answer.status().as_u16() {
                    200..=299 => "delivered",
                    408 | 429 | 500.. => "server_error",
                    _ => "refused",
                },
                Err(error) if error.is_timeout() => "timeout",
                Err(error) if error.is_connect() => "unreachable",
                Err(_) => "failed",
            };
            if matches!(result, "delivered" | "refused") || attempt == ATTEMPTS_MAX {
                break;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        self.outbox.count(what, result, count);
        if result != "delivered" {
            tracing::warn!(what = %what, result, count, "the collector did not take an export; it is dropped and counted");
        }
    }
}

fn scope(version: &str) -> Value {
    json!({ "name": "darklaunch", "version": version })
}
