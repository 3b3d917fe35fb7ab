//! A capture as a trace: one span for the request, and one for each provider's call below it.

use crate::exchange::{Capture, Exchange, Outcome, Role};
use crate::measure::{Servers, attributes, nanos};
use serde_json::{Value, json};

/// `SPAN_KIND_INTERNAL`, `SPAN_KIND_CLIENT` and `STATUS_CODE_ERROR` of opentelemetry.proto.trace.v1.
const INTERNAL: u8 = 1;
const CLIENT: u8 = 3;
const ERROR: u8 = 2;

/// The spans of a capture: its id is the trace's.
pub(in crate::otlp) fn spans(capture: &Capture, servers: Option<&Servers>) -> Value {
    let trace = format!("{:032x}", capture.id.0.as_u128());
    let root = capture.id.0.as_u128() as u64 | 4;
    let exchanges: Vec<&Exchange> = capture.primary.iter().chain([&capture.shadow]).collect();
    let end = exchanges.iter().map(|one| end_of(one)).max().unwrap_or(capture.received_unix_us);
    let mut spans = vec![json!({
        "traceId": trace,
        "spanId": format!("{root:016x}"),
        "name": &*capture.endpoint,
        "kind": INTERNAL,
        "startTimeUnixNano": nanos(capture.received_unix_us),
        "endTimeUnixNano": nanos(end.max(capture.received_unix_us)),
        "attributes": attributes([("darklaunch.integration", &*capture.integration), ("darklaunch.endpoint", &*capture.endpoint)]),
    })];
    spans.extend(exchanges.into_iter().map(|one| call(capture, one, servers, &trace, root)));
    Value::Array(spans)
}

fn end_of(exchange: &Exchange) -> i64 {
    exchange.started_unix_us.saturating_add(i64::try_from(exchange.timings.total_us).unwrap_or(i64::MAX))
}

fn call(capture: &Capture, exchange: &Exchange, servers: Option<&Servers>, trace: &str, root: u64) -> Value {
    let own = match exchange.role {
        Role::Primary => root ^ 1,
        Role::Shadow => root ^ 2,
    };
    // The template, never the path itself.
    let template = capture.endpoint.split_once(' ').map_or(&*capture.endpoint, |(_, template)| template);
    let mut about = vec![
        ("darklaunch.integration", &*capture.integration),
        ("darklaunch.role", exchange.role.name()),
        ("darklaunch.outcome", exchange.outcome.name()),
        ("http.request.method", capture.request.method.as_str()),
        ("url.template", template),
    ];
    let failed = !matches!(exchange.outcome, Outcome::Ok | Outcome::OkButError);
    if failed {
        about.push(("error.type", exchange.failure.map_or(exchange.outcome.name(), |failure| failure.kind.name())));
    }
    if let Some(server) = servers.and_then(|servers| servers.of(exchange.role)) {
        about.extend([("server.address", &*server.address), ("server.port", &*server.port)]);
    }
    let mut attributes = attributes(about);
    if let (Some(answer), Value::Array(all)) = (&exchange.response, &mut attributes) {
        let status = json!({ "intValue": answer.status.to_string() });
        all.push(json!({ "key": "http.response.status_code", "value": status }));
    }
    json!({
        "traceId": trace,
        "spanId": format!("{own:016x}"),
        "parentSpanId": format!("{root:016x}"),
        "name": format!("{} {}", exchange.role.name(), &*capture.endpoint),
        "kind": CLIENT,
        "startTimeUnixNano": nanos(exchange.started_unix_us),
        "endTimeUnixNano": nanos(end_of(exchange)),
        "attributes": attributes,
        "status": if failed { json!({ "code": ERROR }) } else { json!({}) },
    })
}
