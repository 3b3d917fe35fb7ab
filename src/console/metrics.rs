//! The recorder's metrics, gathered from one snapshot: `/metrics` writes them as OpenMetrics text or as Prometheus' Protobuf,
//! and they are exported as OTLP. Labels are names from the configuration and from fixed lists, never anything a request carried.

use crate::console::{Shared, view};
use crate::control::{PausedBy, RampPhase};
use crate::exchange::{DropReason, Outcome};
use crate::latency::{ADDED_BOUNDS_US, CALL_BOUNDS_US, Classes};
use crate::measure::{Buckets, Labels, Metric, Rows};
use crate::review::Standing;
use prometheus_client::encoding::prometheus_protobuf::{EncodeError, encode_to_vec};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// OpenMetrics, with the classic histograms.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What Prometheus asks for first when it is told to take native histograms: it alone carries them.
const PROTOBUF: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// A scrape: its content type and its bytes, in the form that is asked for first.
pub(crate) fn scrape(shared: &Shared, accept: &str) -> Result<(&'static str, Vec<u8>), EncodeError> {
    let registry = registry(shared);
    if prefers_protobuf(accept) {
        return Ok((PROTOBUF, encode_to_vec(&registry)?));
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok((TEXT, text.into_bytes()))
}

/// Whether no form that we know stands before it, by weight and then by order (RFC 9110, 12.5.1).
fn prefers_protobuf(accept: &str) -> bool {
    let mut best: Option<(f32, bool)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let mut weight = 1.0;
        let (mut families, mut delimited) = (false, false);
        for part in parts {
            match part.split_once('=') {
                Some(("q", q)) => weight = q.parse().unwrap_or(0.0),
                Some(("proto", proto)) => families = proto == "io.prometheus.client.MetricFamily",
                Some(("encoding", encoding)) => delimited = encoding == "delimited",
                _ => {}
            }
        }
        let protobuf = kind == "application/vnd.google.protobuf" && families && delimited;
        let text = ["application/openmetrics-text", "text/plain", "text/*", "*/*"].contains(&kind);
        if (protobuf || text) && weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, protobuf));
        }
    }
    best.is_some_and(|(_, protobuf)| protobuf)
}

fn registry(shared: &Shared) -> Registry {
    let mut registry = Registry::default();
    let rules = shared.rules.now();
    let version = vec![("version", shared.version), ("rules_hash", &rules.everyone)];
    let version: Vec<(&str, String)> = version.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    registry.register("darklaunch_build", "The program that speaks", Info::new(version));
    for metric in gather(shared) {
        metric.register(&mut registry);
    }
    registry
}

/// Every metric now.
pub fn gather(shared: &Shared) -> Vec<Metric> {
    let mut all = process(shared);
    all.extend(switches(shared));
    all.extend(books(shared));
    all.extend(redaction(shared));
    all.extend(durations(shared));
    all
}

fn counter(name: &'static str, help: &'static str, rows: Vec<(Labels, u64)>) -> Metric {
    Metric { name, help, rows: Rows::Counter(rows) }
}

fn gauge(name: &'static str, help: &'static str, rows: Vec<(Labels, i64)>) -> Metric {
    Metric { name, help, rows: Rows::Gauge(rows) }
}

fn process(shared: &Shared) -> Vec<Metric> {
    let generation = i64::try_from(shared.rules.now().generation).unwrap_or(i64::MAX);
    let kinds = view::by_kind(&shared.ledger.refused().snapshot()).into_iter();
    let refused = kinds.map(|(kind, count)| (vec![("kind", kind.to_owned())], count)).collect();
    let told = |(receiver, result, count): (std::sync::Arc<str>, &'static str, u64)| {
        (vec![("receiver", receiver.to_string()), ("result", result.to_owned())], count)
    };
    vec![
        gauge("darklaunch.ready", "1 while the recorder is up", vec![(vec![], i64::from(shared.ready.is_up()))]),
        gauge(
            "darklaunch.start_time_seconds",
            "When the process started, Unix time",
            vec![(vec![], shared.started_unix_us / 1_000_000)],
        ),
        gauge(
            "darklaunch.redaction_rules_generation",
            "Counts the reloads of the rules, from 1",
            vec![(vec![], generation)],
        ),
        counter("darklaunch.refused_requests", "Requests that belong to no integration, by kind", refused),
        counter(
            "darklaunch.deliveries",
            "What was sent to webhooks and collectors, by result",
            shared.outbox.counts().into_iter().map(told).collect(),
        ),
    ]
}

fn switches(shared: &Shared) -> Vec<Metric> {
    let [mut enabled, mut paused, mut sample, mut held, mut breaker, mut budget] = [(); 6].map(|()| Vec::new());
    for switch in shared.switchboard.iter() {
        let state = switch.state();
        let labels: Labels = vec![("integration", switch.integration().to_string())];
        enabled.push((labels.clone(), i64::from(state.on)));
        paused.push((labels.clone(), i64::from(state.paused.is_some())));
        breaker.push((labels.clone(), i64::from(state.paused == Some(PausedBy::Breaker))));
        budget.push((labels.clone(), i64::from(state.paused == Some(PausedBy::Budget))));
        let is_held = state.ramp.is_some_and(|ramp| matches!(ramp.phase, RampPhase::Held { .. }));
        held.push((labels.clone(), i64::from(is_held)));
        sample.push((labels, i64::from(state.sample_ppm)));
    }
    vec![
        gauge("darklaunch.mirror_enabled", "1 while mirroring is switched on", enabled),
        gauge("darklaunch.mirror_paused", "1 while a limit holds mirroring back although it is on", paused),
        gauge(Standing::BreakerOpen.metric(), "1 while the breaker holds mirroring back", breaker),
        gauge(Standing::BudgetUsedUp.metric(), "1 while the day's calls are used up", budget),
        gauge("darklaunch.mirror_ramp_held", "1 while a gate keeps a ramp from rising", held),
        gauge("darklaunch.mirror_sample_ppm", "Share of requests mirrored, parts per million", sample),
    ]
}

fn books(shared: &Shared) -> Vec<Metric> {
    let [mut requests, mut mirrored, mut not_mirrored, mut primary] = [(); 4].map(|()| Vec::new());
    let [mut recorded, mut not_recorded] = [(); 2].map(|()| Vec::new());
    let [mut pending, mut shape] = [(); 2].map(|()| Vec::new());
    for book in shared.ledger.iter() {
        let now = book.snapshot();
        let name = || ("integration", book.integration().to_string());
        let with = |label: &'static str, value: &str| vec![name(), (label, value.to_owned())];
        requests.push((vec![name()], now.arrived));
        recorded.push((vec![name()], now.recorded));
        pending.push((vec![name()], i64::try_from(now.pending).unwrap_or(i64::MAX)));
        shape.push((vec![name()], i64::from(now.shape_changed)));
        let outcomes = |counts| view::by_outcome(counts).into_iter();
        mirrored.extend(outcomes(&now.mirrored).map(|(outcome, count)| (with("outcome", outcome), count)));
        primary.extend(outcomes(&now.primary).map(|(outcome, count)| (with("outcome", outcome), count)));
        let reasons = view::by_reason(&now.not_mirrored).into_iter();
        not_mirrored.extend(reasons.map(|(reason, count)| (with("reason", reason), count)));
        not_recorded.extend(now.not_recorded.iter().map(|(reason, count)| (with("reason", reason), *count)));
    }
    vec![
        counter("darklaunch.requests", "Requests that arrived", requests),
        gauge("darklaunch.pending", "Requests not yet in an end state", pending),
        counter("darklaunch.mirrored", "Requests repeated to the shadow, by what came of it", mirrored),
        counter("darklaunch.not_mirrored", "Requests not repeated, by reason", not_mirrored),
        counter("darklaunch.primary", "Requests answered by the primary, by what came of it", primary),
        counter("darklaunch.recorded", "Captures stored", recorded),
        counter("darklaunch.not_recorded", "Captures that could not be stored, by reason", not_recorded),
        gauge(
            Standing::ShapeChanged.metric(),
            "1 while the new provider's latest answers have another shape than they had",
            shape,
        ),
    ]
}

fn redaction(shared: &Shared) -> Vec<Metric> {
    let rules = shared.rules.now();
    let [mut redactions, mut dropped, mut parts, mut kept] = [(); 4].map(|()| Vec::new());
    let [mut alarm, mut self_check] = [(); 2].map(|()| Vec::new());
    for book in shared.ledger.iter() {
        let now = book.snapshot();
        let name = || ("integration", book.integration().to_string());
        kept.push((vec![name()], now.bodies_kept));
        alarm.push((vec![name()], i64::from(now.rules_do_not_fit(rules.alarm_bodies))));
        let leaks = rules.own.get(&**book.integration()).is_some_and(|set| !set.leaks.is_empty());
        self_check.push((vec![name()], i64::from(!leaks)));
        for (reason, count) in DropReason::ALL.iter().zip(now.body_dropped) {
            dropped.push((vec![name(), ("reason", reason.name().to_owned())], count));
        }
        for (reason, count) in DropReason::ALL.iter().zip(now.parts_dropped).filter(|(_, count)| *count > 0) {
            parts.push((vec![name(), ("reason", reason.name().to_owned())], count));
        }
        for hits in now.redaction_hits {
            let place = [("side", hits.side.to_owned()), ("part", hits.part.to_owned())];
            let labels = [name(), ("rule", hits.rule.to_string())].into_iter().chain(place).collect();
            redactions.push((labels, hits.count));
        }
    }
    vec![
        counter("darklaunch.redactions", "Values replaced before storing, by rule and place", redactions),
        counter("darklaunch.bodies_kept", "Bodies kept, redacted", kept),
        counter("darklaunch.bodies_dropped", "Bodies not kept although their exchange was, by reason", dropped),
        counter("darklaunch.body_parts_dropped", "Parts of multipart bodies not kept, by reason", parts),
        gauge(Standing::RulesDoNotFit.metric(), "1 while bodies are stored and no rule has ever hit", alarm),
        gauge("darklaunch.redaction_self_check", "1 if the rules found every canary; 0: no body is stored", self_check),
    ]
}

/// Named as OpenTelemetry's conventions for HTTP name them, where they fit. Aborts and timeouts last at least so long.
fn durations(shared: &Shared) -> Vec<Metric> {
    let buckets = |bounds_us, Classes { counts, eighths, sum_us }| {
        let eighths = eighths.into_iter().collect();
        Buckets { bounds_us, counts, eighths, sum_us }
    };
    let calls = shared.totals.calls().into_iter().map(|(kind, classes)| {
        let mut labels: Labels = vec![
            ("integration", kind.integration.to_string()),
            ("role", kind.role.name().to_owned()),
            ("outcome", kind.outcome.name().to_owned()),
            ("http.request.method", kind.method.to_owned()),
        ];
        let servers = shared.providers_of(&kind.integration).map(|both| &both.servers);
        if let Some(server) = servers.and_then(|servers| servers.of(kind.role)) {
            labels.push(("server.address", server.address.clone()));
            labels.push(("server.port", server.port.clone()));
        }
        if kind.outcome != Outcome::Ok {
            labels.push(("error.type", kind.outcome.name().to_owned()));
        }
        (labels, buckets(CALL_BOUNDS_US, classes))
    });
    let added = shared.totals.added().into_iter();
    let added =
        added.map(|(name, classes)| (vec![("integration", name.to_string())], buckets(ADDED_BOUNDS_US, classes)));
    vec![
        Metric {
            name: "http.client.request.duration",
            help: "Calls to today's provider (primary) and the new one (shadow), from their start to the answer's last byte",
            rows: Rows::Durations(calls.collect()),
        },
        Metric {
            name: "darklaunch.added_delay",
            help: "What the recorder adds to an application's call on both ways, without the provider's own time and network",
            rows: Rows::Durations(added.collect()),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_is_asked_for_first_is_sent() {
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        let text = "application/openmetrics-text;version=1.0.0";
        for (accept, expected) in [
            (String::new(), false),
            ("*/*".to_owned(), false),
            (protobuf.to_owned(), true),
            (format!("{protobuf},{text};q=0.8,text/plain;version=0.0.4;q=0.7,*/*;q=0.1"), true),
            (format!("{protobuf};q=0.6,{text};q=0.5,*/*;q=0.2"), true),
            (format!("{text};q=0.6,{protobuf};q=0.5,*/*;q=0.2"), false),
            (format!("{protobuf};q=0"), false),
            (protobuf.replace("delimited", "text"), false),
            ("application/vnd.google.protobuf".to_owned(), false),
        ] {
            assert_eq!(prefers_protobuf(&accept), expected, "{accept}");
        }
    }
}
