//! A metric as plain data, gathered once and written in two ways: for Prometheus, and for OpenTelemetry's OTLP/JSON.
//!
//! Names are dotted, as OpenTelemetry has them; Prometheus reads them with underscores, a counter with `_total` and a
//! measure in seconds with `_seconds` behind it.

use crate::exchange::Role;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NativeHistogram, NativeHistogramBuckets, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use serde_json::{Value, json};
use std::fmt;

/// Names and values that tell rows apart; from the configuration and from fixed lists, never from a request.
pub type Labels = Vec<(&'static str, String)>;

/// Calls by duration: one count for each bound, and one for what is above the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// Upper bounds, rising, microseconds.
    pub bounds_us: &'static [u64],
    /// Calls within each bound and above the one before; one more than there are bounds.
    pub counts: Vec<u64>,
    /// The same calls by eighth of a doubling, as [`crate::latency::eighth_of`] numbers them, rising.
    pub eighths: Vec<(i32, u64)>,
    /// Microseconds.
    pub sum_us: u64,
}

/// Prometheus' schema in which a doubling has eight buckets.
const EIGHTHS_SCHEMA: i32 = 3;

/// Runs of buckets without a gap, and counts as differences from the one before: how native histograms are sent
/// (prometheus.io/docs/specs/native_histograms, "Spans and deltas").
#[derive(Debug, Default, PartialEq, Eq)]
struct Sparse {
    spans: Vec<(i32, u32)>,
    deltas: Vec<i64>,
}

impl Sparse {
    fn of(eighths: &[(i32, u64)]) -> Self {
        let (mut sparse, mut next, mut before) = (Self::default(), 0, 0);
        for (at, count) in eighths {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            match sparse.spans.last_mut().filter(|_| *at == next) {
                Some((_, length)) => *length += 1,
                // From the end of the run before; the first from 0.
                None => sparse.spans.push((at.saturating_sub(next), 1)),
            }
            sparse.deltas.push(count - before);
            (next, before) = (at.saturating_add(1), count);
        }
        sparse
    }
}

/// A provider as OpenTelemetry's HTTP conventions name it: `server.address` and `server.port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The host of the configured URL, never one that a request asked for.
    pub address: String,
    /// Its port, also where the URL leaves it to the scheme.
    pub port: String,
}

impl Server {
    /// Of a configured URL.
    pub fn of(url: &http::Uri) -> Self {
        let usual = if url.scheme() == Some(&http::uri::Scheme::HTTP) { 80 } else { 443 };
        let address = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Self { address, port: url.port_u16().unwrap_or(usual).to_string() }
    }
}

/// Both providers of an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// Today's; absent for a sink.
    pub primary: Option<Server>,
    /// The new one.
    pub shadow: Server,
}

impl Servers {
    /// The one in that role.
    pub fn of(&self, role: Role) -> Option<&Server> {
        match role {
            Role::Primary => self.primary.as_ref(),
            Role::Shadow => Some(&self.shadow),
        }
    }
}

/// The rows of a metric.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Only ever rises.
    Counter(Vec<(Labels, u64)>),
    /// Goes up and down.
    Gauge(Vec<(Labels, i64)>),
    /// Durations.
    Durations(Vec<(Labels, Buckets)>),
}

/// One metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Dotted.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// See [`Rows`].
    pub rows: Rows,
}

impl EncodeMetric for Metric {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        match &self.rows {
            Rows::Counter(rows) => rows.iter().try_for_each(|(labels, value)| {
                row(&mut encoder, labels, |one| one.encode_counter::<NoLabelSet, _, f64>(value, None))
            }),
            Rows::Gauge(rows) => {
                rows.iter().try_for_each(|(labels, value)| row(&mut encoder, labels, |one| one.encode_gauge(value)))
            }
            Rows::Durations(rows) => rows.iter().try_for_each(|(labels, buckets)| {
                let bounds = buckets.bounds_us.iter().map(|us| seconds(*us)).chain([f64::INFINITY]);
                let each: Vec<(f64, u64)> = bounds.zip(buckets.counts.iter().copied()).collect();
                let (sum, all) = (seconds(buckets.sum_us), buckets.counts.iter().sum());
                let Sparse { spans, deltas } = Sparse::of(&buckets.eighths);
                let native = NativeHistogram {
                    schema: EIGHTHS_SCHEMA,
                    zero_threshold: 0.0,
                    zero_count: 0,
                    negative: NativeHistogramBuckets { spans: &[], deltas: &[] },
                    positive: NativeHistogramBuckets { spans: &spans, deltas: &deltas },
                    created: None,
                };
                // In text only the classic ones are told.
                let write = |one: &mut MetricEncoder<'_>| {
                    one.encode_histogram_with_native::<NoLabelSet>(sum, all, &each, None, native)
                };
                row(&mut encoder, labels, write)
            }),
        }
    }

    fn metric_type(&self) -> MetricType {
        match &self.rows {
            Rows::Counter(_) => MetricType::Counter,
            Rows::Gauge(_) => MetricType::Gauge,
            Rows::Durations(_) => MetricType::Histogram,
        }
    }

    fn is_empty(&self) -> bool {
        match &self.rows {
            Rows::Counter(rows) => rows.is_empty(),
            Rows::Gauge(rows) => rows.is_empty(),
            Rows::Durations(rows) => rows.is_empty(),
        }
    }
}

impl Metric {
    /// Adds it to what Prometheus is told.
    pub fn register(self, registry: &mut Registry) {
        let (name, help) = (self.name.replace('.', "_"), self.help);
        match self.rows {
            Rows::Durations(_) => registry.register_with_unit(name, help, Unit::Seconds, self),
            _ => registry.register(name, help, self),
        }
    }

    /// The same as OTLP/JSON; times are microseconds since the Unix epoch.
    pub fn to_otlp(&self, start_unix_us: i64, now_unix_us: i64) -> Value {
        let point = |labels: &Labels, value: Value| {
            let mut point = json!({
                "attributes": attributes(labels.iter().map(|(name, value)| (*name, value.as_str()))),
                "startTimeUnixNano": nanos(start_unix_us),
                "timeUnixNano": nanos(now_unix_us),
            });
            if let (Value::Object(point), Value::Object(value)) = (&mut point, value) {
                point.extend(value);
            }
            point
        };
        // 2: cumulative since the start.
        match &self.rows {
            Rows::Counter(rows) => {
                let points: Vec<Value> =
                    rows.iter().map(|(labels, count)| point(labels, json!({ "asInt": count.to_string() }))).collect();
                let sum = json!({ "dataPoints": points, "aggregationTemporality": 2, "isMonotonic": true });
                json!({ "name": self.name, "description": self.help, "unit": "1", "sum": sum })
            }
            Rows::Gauge(rows) => {
                let points: Vec<Value> =
                    rows.iter().map(|(labels, value)| point(labels, json!({ "asInt": value.to_string() }))).collect();
                json!({ "name": self.name, "description": self.help, "unit": "1", "gauge": { "dataPoints": points } })
            }
            Rows::Durations(rows) => {
                let points: Vec<Value> = rows
                    .iter()
                    .map(|(labels, buckets)| {
                        point(
                            labels,
                            json!({
                                "count": buckets.counts.iter().sum::<u64>().to_string(),
                                "sum": seconds(buckets.sum_us),
                                "bucketCounts": buckets.counts.iter().map(u64::to_string).collect::<Vec<_>>(),
                                "explicitBounds": buckets.bounds_us.iter().map(|us| seconds(*us)).collect::<Vec<_>>(),
                            }),
                        )
                    })
                    .collect();
                let histogram = json!({ "dataPoints": points, "aggregationTemporality": 2 });
                json!({ "name": self.name, "description": self.help, "unit": "s", "histogram": histogram })
            }
        }
    }
}

/// Without labels there are no braces either.
fn row(
    encoder: &mut MetricEncoder<'_>,
    labels: &Labels,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    match labels.is_empty() {
        true => write(encoder),
        false => write(&mut encoder.encode_family(&prometheus_labels(labels))?),
    }
}

fn prometheus_labels(labels: &Labels) -> Vec<(String, &str)> {
    labels.iter().map(|(name, value)| (name.replace('.', "_"), value.as_str())).collect()
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// OTLP/JSON writes 64-bit numbers as text.
pub fn nanos(unix_us: i64) -> String {
    unix_us.saturating_mul(1_000).to_string()
}

/// Attributes as OTLP/JSON has them.
pub fn attributes<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    // The conventions have one number among them, which OTLP/JSON writes as text too.
    let kind = |name: &str| if name == "server.port" { "intValue" } else { "stringValue" };
    all.into_iter().map(|(name, value)| json!({ "key": name, "value": { kind(name): value } })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn a_server_is_its_host_and_port() {
        for (url, address, port) in [
            ("https://api.new.example/v1", "api.new.example", "443"),
            ("http://api.new.example", "api.new.example", "80"),
            ("http://[::1]:9090", "::1", "9090"),
        ] {
            assert_eq!(
                Server::of(&url.parse().unwrap()),
                Server { address: address.to_owned(), port: port.to_owned() }
            );
        }
    }

    #[test]
    fn native_buckets_are_runs_and_differences() {
        let sparse = Sparse::of(&[(-62, 2), (-61, 5), (-58, 1), (0, 1)]);
        assert_eq!(sparse, Sparse { spans: vec![(-62, 2), (2, 1), (57, 1)], deltas: vec![2, 3, -4, 0] });
        assert_eq!(Sparse::of(&[]), Sparse::default());
    }

    #[test]
    fn both_ways_tell_the_same_buckets() {
        let buckets = Buckets {
            bounds_us: &[5_000, 10_000],
            counts: vec![2, 0, 1],
            eighths: vec![(-62, 2), (-60, 1)],
            sum_us: 1_500_000,
        };
        let metric = Metric {
            name: "http.client.request.duration",
            help: "Calls",
            rows: Rows::Durations(vec![(vec![("http.request.method", "GET".to_owned())], buckets)]),
        };
        let point = &metric.to_otlp(1, 2)["histogram"]["dataPoints"][0];
        assert_eq!((&point["bucketCounts"], &point["count"]), (&json!(["2", "0", "1"]), &json!("3")));
        assert_eq!((&point["explicitBounds"], &point["sum"]), (&json!([0.005, 0.01]), &json!(1.5)));
        let mut registry = Registry::default();
        metric.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "http_client_request_duration_seconds_bucket{le=\"0.005\",http_request_method=\"GET\"} 2",
            "http_client_request_duration_seconds_bucket{le=\"+Inf\",http_request_method=\"GET\"} 3",
            "http_client_request_duration_seconds_sum{http_request_method=\"GET\"} 1.5",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
