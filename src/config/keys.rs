//! Every key a user may write, once: its kind, its bounds, its default and its meaning. The walk, the defaults and the
//! reference all read this table.

use std::fmt::Write as _;

use crate::config::units::{show_duration, show_size};

/// What a key holds. Bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One string.
    Text,
    /// A string or a list of strings.
    Texts,
    /// A duration, milliseconds from .. to.
    Duration(u64, u64),
    /// A size, bytes from .. to.
    Size(u64, u64),
    /// A share.
    Percent,
    /// A whole number from .. to.
    Count(u64, u64),
    /// true or false.
    Flag,
    /// Calls per second.
    Rate,
    /// A table of header names and values, which may be secret.
    Headers,
}

/// One row.
pub(crate) struct Key {
    /// Dotted; `NAME` stands for the integration.
    pub path: &'static str,
    pub kind: Kind,
    /// As a user would write it, lists with commas; empty when there is none.
    pub default: &'static str,
    /// What it means and, for a limit, why the default is what it is.
    pub meaning: &'static str,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// No timeout passes what a latency histogram can hold.
const TIMEOUT_MAX: u64 = 600 * SECOND;

const fn key(path: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { path, kind, default, meaning }
}

#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("listen.traffic", Kind::Texts, "", "where the application calls, or a list: `IP:PORT`, `tls:IP:PORT` or `unix:PATH`. Required"),
    key("listen.tls.cert_file", Kind::Text, "", "PEM: the certificate of the `tls:` addresses, then its chain"),
    key("listen.tls.key_file", Kind::Text, "", "PEM: its private key"),
    key("listen.tls.client_ca_file", Kind::Text, "", "PEM: authorities; the application must then show a certificate of one of them"),
    key("listen.tls.handshake_timeout", Kind::Duration(100, TIMEOUT_MAX), "10s", "a client that has not shaken hands by then is let go"),
    key("listen.console", Kind::Text, "127.0.0.1:9090", "IP:PORT of console, API and metrics. An address that other machines reach needs TLS, or a proxy that terminates it, and tokens (`darklaunch token create`)"),
    key("listen.console_hosts", Kind::Texts, "", "names beside its loopback ones by which the console may be opened, such as `console.internal`; whoever comes by one of them needs a token"),
    key("listen.console_tls.cert_file", Kind::Text, "", "PEM: the console's certificate, then its chain"),
    key("listen.console_tls.key_file", Kind::Text, "", "PEM: its private key"),
    key("listen.console_behind_proxy", Kind::Flag, "false", "a proxy in front of the console terminates TLS and is the only one to reach it; the last entry of its `X-Forwarded-For` says who asks"),
    key("listen.console_allow", Kind::Texts, "", "addresses and networks that the console answers, such as `10.0.0.0/8`; all by default, and always this machine"),
    key("listen.console_anyone_may", Kind::Text, "", "what needs no token on this machine: nothing, view, stop or start. `stop` by default, since an emergency has no time for a log-in; `nothing` where other machines reach the console or a proxy stands in front"),
    key("store.path", Kind::Text, "darklaunch.db", "the SQLite file; `<file>.state` beside it holds switches, stop files and the pseudonym key"),
    key("store.commit_interval", Kind::Duration(10, 60 * SECOND), "200ms", "how much a kill -9 may lose at most"),
    key("store.max_age", Kind::Duration(DAY, 3650 * DAY), "30d", "older recordings are deleted; whole days. A month covers a monthly billing cycle"),
    key("store.max_size", Kind::Size(MIB, 1024 * GIB), "5GiB", "the oldest recordings are deleted beyond it, so that a disk is never filled in silence"),
    key("store.max_per_endpoint", Kind::Count(100, 1_000_000_000), "", "captures kept of one endpoint; the oldest go. Without it only age and size count"),
    key("store.keep_newest", Kind::Count(0, 10_000), "20", "so many of the newest of every kind of answer (endpoint, outcome, status, speed, shape) outlive max_size and max_per_endpoint, so that rare errors survive"),
    key("store.max_history", Kind::Duration(DAY, 3650 * DAY), "730d", "latencies and the ledger are kept so long: 10-minute steps for 15 days, hours for 90, then days"),
    key("redaction.rules", Kind::Texts, "builtin", "folders of rule files; the word `builtin` stands for the set in the program and is left out only on purpose"),
    key("redaction.key", Kind::Text, "", "`env:NAME` or `file:PATH` with 64 hex digits; otherwise a key is made on first run in the state folder"),
    key("redaction.max_body", Kind::Size(KIB, 64 * MIB), "1MiB", "a larger body is dropped, not stored unredacted; its exchange is kept with the reason"),
    key("redaction.alarm_bodies", Kind::Count(0, 1_000_000), "50", "so many bodies of an integration stored without a single hit of any rule raise an alarm: the rules do not fit the data; 0 for never"),
    key("log.level", Kind::Text, "info", "error, warn, info, debug, trace, or a filter such as `info,darklaunch::mirror=debug`"),
    key("log.format", Kind::Text, "text", "text or json, to stderr"),
    key("limits.workers", Kind::Count(1, 256), "", "threads on the user's path; one per core by default"),
    key("limits.shadow_cores", Kind::Count(1, 256), "", "cores that shadow, redaction, store and console may use, the machine's last ones; all by default, at a lower priority"),
    key("limits.shadow_priority", Kind::Text, "low", "`low`: shadow and redaction get a tenth of a core that others want too. `idle`: only what nothing else wants, which spares the calls' tail; but on a full machine copies are shed, and late through no fault of the provider"),
    key("limits.connections", Kind::Count(1, 1_000_000), "8192", "connections from the application; more wait in the kernel's queue"),
    key("limits.drain", Kind::Duration(SECOND, TIMEOUT_MAX), "10s", "how long a shutdown waits for calls in flight; a third of the grace that Kubernetes gives"),
    key("limits.mirror_memory", Kind::Size(KIB, 64 * GIB), "256MiB", "bodies held for the shadows of all integrations together; more is shed. Four integrations at their own limit"),
    key("alerts.webhooks", Kind::Texts, "", "who is told of alerts, or a list: `slack:URL` (a `text`, as Slack and its likes read it) or `json:URL` (every part under its own name); `env:NAME` or `file:PATH` in place of the URL keeps it secret"),
    key("alerts.window", Kind::Duration(SECOND, 6 * HOUR), "10m", "alerts on shares look at the calls of so long; whole seconds. `darklaunch alerts` writes the same for Prometheus"),
    key("alerts.lasting", Kind::Duration(SECOND, DAY), "10m", "what must be wrong for so long before somebody is told; three times as long for 4xx"),
    key("alerts.breaker_open", Kind::Duration(SECOND, DAY), "15m", "a breaker that is open for so long is told"),
    key("alerts.repeat", Kind::Duration(SECOND, 30 * DAY), "4h", "an alert that goes on is told again after so long"),
    key("alerts.timeout", Kind::Duration(100, 60 * SECOND), "5s", "one of four attempts to reach a webhook"),
    key("otlp.endpoint", Kind::Text, "", "an OpenTelemetry collector's HTTP address, such as http://127.0.0.1:4318: metrics and traces are sent there as OTLP/JSON, never a body, a path or a query"),
    key("otlp.headers", Kind::Headers, "", "sent with every export; values may be `env:NAME` or `file:PATH`"),
    key("otlp.interval", Kind::Duration(100, HOUR), "30s", "time between two exports"),
    key("otlp.traces", Kind::Percent, "100%", "share of the recorded calls of which a trace is sent; by hash of their id"),
    key("integrations.NAME.match.path_prefix", Kind::Text, "", "requests under this path belong to the integration; `/` when only another match is given. All that is given must hold; of several integrations the one with a listener wins, then with a host, a header, the longest prefix"),
    key("integrations.NAME.match.host", Kind::Text, "", "requests with this Host header belong to the integration; for a sink also with `-shadow` behind it, as Envoy mirrors them"),
    key("integrations.NAME.match.header", Kind::Text, "", "requests with this header belong to the integration: `x-provider: newpay`, or `x-provider` for any value"),
    key("integrations.NAME.match.listener", Kind::Text, "", "requests by this one of listen.traffic belong to the integration: as it is written there, or its IP:PORT, or its port alone"),
    key("integrations.NAME.match.strip_prefix", Kind::Flag, "false", "take match.path_prefix away before calling primary and shadow"),
    key("integrations.NAME.primary.url", Kind::Text, "", "today's provider. Without it the integration is a sink that answers 204 at once"),
    key("integrations.NAME.primary.name", Kind::Text, "", "what pages call it, such as OldPay; its host by default"),
    key("integrations.NAME.primary.http", Kind::Text, "auto", "auto, 1.1 or 2. auto is what TLS negotiates, and HTTP/1.1 over http; 2 over http is h2c by prior knowledge"),
    key("integrations.NAME.primary.socket", Kind::Text, "", "path of a unix socket to connect to; the URL then only gives Host, base path and the name for TLS"),
    key("integrations.NAME.primary.tls.ca_file", Kind::Text, "", "PEM bundle of the authorities to trust, in place of the system's"),
    key("integrations.NAME.primary.tls.client_cert_file", Kind::Text, "", "PEM certificate, then its chain, for a provider that asks for one (mTLS)"),
    key("integrations.NAME.primary.tls.client_key_file", Kind::Text, "", "PEM private key of the client certificate"),
    key("integrations.NAME.primary.tls.server_name", Kind::Text, "", "name asked for (SNI) and verified; the URL's host by default"),
    key("integrations.NAME.primary.connect_timeout", Kind::Duration(1, TIMEOUT_MAX), "10s", "then the application gets a 504; long, since the application's own timeout should come first"),
    key("integrations.NAME.primary.read_timeout", Kind::Duration(1, TIMEOUT_MAX), "60s", "longest silence of the primary; long for the same reason"),
    key("integrations.NAME.primary.host", Kind::Text, "provider", "the Host the primary sees: provider (its own) or keep (the application's)"),
    key("integrations.NAME.primary.forwarded", Kind::Text, "pass", "who called: pass (what the application says, unchanged), append (`Forwarded` of our own behind it), x-forwarded (`X-Forwarded-For`, `-Host`, `-Proto`) or remove (all of them)"),
    key("integrations.NAME.shadow.url", Kind::Text, "", "the new provider. Required"),
    key("integrations.NAME.shadow.name", Kind::Text, "", "what pages call it, such as NewPay; its host by default"),
    key("integrations.NAME.shadow.headers", Kind::Headers, "", "name → value for the shadow only; secrets as `env:NAME`, `file:PATH` or `Bearer env:NAME`"),
    key("integrations.NAME.shadow.drop_headers", Kind::Texts, "", "headers that the shadow does not get, besides the credentials it never gets"),
    key("integrations.NAME.shadow.keep_headers", Kind::Texts, "", "headers the shadow gets although they look like credentials; only what both providers may know"),
    key("integrations.NAME.shadow.keep_query", Kind::Texts, "", "query parameters the shadow gets although they look like credentials"),
    key("integrations.NAME.shadow.http", Kind::Text, "auto", "as primary.http"),
    key("integrations.NAME.shadow.socket", Kind::Text, "", "as primary.socket"),
    key("integrations.NAME.shadow.tls.ca_file", Kind::Text, "", "as primary.tls.ca_file"),
    key("integrations.NAME.shadow.tls.client_cert_file", Kind::Text, "", "as primary.tls.client_cert_file"),
    key("integrations.NAME.shadow.tls.client_key_file", Kind::Text, "", "as primary.tls.client_key_file"),
    key("integrations.NAME.shadow.tls.server_name", Kind::Text, "", "as primary.tls.server_name"),
    key("integrations.NAME.shadow.connect_timeout", Kind::Duration(1, TIMEOUT_MAX), "3s", "one lost packet (a resend after 1 s) must not count as a failure"),
    key("integrations.NAME.shadow.read_timeout", Kind::Duration(1, TIMEOUT_MAX), "30s", "longest silence of the shadow"),
    key("integrations.NAME.shadow.total_timeout", Kind::Duration(1, TIMEOUT_MAX), "30s", "whole shadow call. Longer than any timeout you consider: what it cuts cannot be measured"),
    key("integrations.NAME.shadow.success.graphql", Kind::Flag, "false", "a 200 with `errors` counts as ok_but_error"),
    key("integrations.NAME.shadow.success.error_pointers", Kind::Texts, "", "JSON pointers that make a 200 an ok_but_error: `/error` when there and not null, false, zero or empty, `/status=failed` when equal"),
    key("integrations.NAME.mirror.enabled", Kind::Flag, "false", "on from the first start; later the switch's last state counts. Off, since calling a provider is a decision"),
    key("integrations.NAME.mirror.sample", Kind::Percent, "100%", "share of the calls that is mirrored, by hash of mirror.sample_key"),
    key("integrations.NAME.mirror.sample_key", Kind::Text, "capture", "what is hashed: capture (each call alone), target (method, path and query), header:NAME, query:NAME, cookie:NAME or json:/POINTER (all calls of one value in or out; without it, the target). json: reads the first 64KiB of a body that is not compressed"),
    key("integrations.NAME.mirror.shares", Kind::Texts, "", "smaller shares of single endpoints, such as `GET /health 1%`; by the same hash, and never more than the integration's share"),
    key("integrations.NAME.mirror.ramp", Kind::Text, "", "instead of mirror.sample: a share that rises evenly while mirroring is on, such as `1% -> 25% over 5d`. It holds at an open breaker, a 429, a used up mirror.daily_calls and its gates"),
    key("integrations.NAME.mirror.ramp_gates.failures_share", Kind::Percent, "5%", "share of the last hour's shadow calls that failed at which the ramp holds; 0% is never"),
    key("integrations.NAME.mirror.ramp_gates.min_calls", Kind::Count(1, 1_000_000), "20", "calls in that hour before the share counts: fewer say nothing"),
    key("integrations.NAME.mirror.ramp_gates.slower_than", Kind::Duration(1, TIMEOUT_MAX), "10m", "a shadow call that takes this long or longer counts among the failed ones: the time you mean to give the new provider"),
    key("integrations.NAME.mirror.methods", Kind::Texts, "GET,HEAD", "methods that are mirrored; safe ones only, since the shadow would do the work twice"),
    key("integrations.NAME.mirror.allow", Kind::Texts, "", "endpoints mirrored besides, such as `POST /orders`; they carry an Idempotency-Key"),
    key("integrations.NAME.mirror.exclude", Kind::Texts, "", "endpoints never mirrored, such as `GET /health` or `/admin/{rest}` for all methods"),
    key("integrations.NAME.mirror.max_body", Kind::Size(1, 64 * MIB), "1MiB", "a larger request is not mirrored, a larger answer is cut; it streams to the primary all the same"),
    key("integrations.NAME.mirror.queue", Kind::Count(1, 1_000_000), "1000", "calls waiting for the shadow; more are shed with a count"),
    key("integrations.NAME.mirror.in_flight", Kind::Count(1, 10_000), "64", "shadow calls at once: courtesy to a provider that is not in production yet"),
    key("integrations.NAME.mirror.memory", Kind::Size(KIB, 64 * GIB), "64MiB", "bodies held for the shadow; more is shed. Sixty-four calls of the largest size"),
    key("integrations.NAME.mirror.rate", Kind::Rate, "", "shadow calls per second at most, such as \"15/s\"; no limit by default"),
    key("integrations.NAME.mirror.daily_calls", Kind::Count(1, u64::MAX), "", "shadow calls per UTC day at most; no limit by default"),
    key("integrations.NAME.mirror.endpoints", Kind::Texts, "", "declared endpoints, such as `GET /customers/{id}`; others are inferred"),
    key("integrations.NAME.redaction.rules", Kind::Texts, "", "folders of rule files for this integration alone, besides those of redaction.rules"),
    key("integrations.NAME.redaction.keep_binary", Kind::Texts, "", "media types, such as `image/png`, whose binary bodies are kept if no rule finds anything in the texts within; what a picture shows is not read, so name only types that show nobody. By default no binary body is kept"),
    key("integrations.NAME.redaction.keep", Kind::Texts, "", "strict mode: only values at these paths are kept, such as `id`, `data.*.status` or `**.currency`; everything else is masked by kind, and an empty list keeps nothing. By default the rules decide"),
    key("integrations.NAME.profile", Kind::Text, "user-flow", "user-flow (somebody waits: a budget of seconds, at most one retry) or background (minutes or hours, growing pauses): what the review's other defaults follow from"),
    key("integrations.NAME.review.budget", Kind::Duration(1, 7 * DAY), "", "what a caller has for an operation with all its attempts; 2.5s for a user-flow, 10m in the background"),
    key("integrations.NAME.review.lost_answers", Kind::Percent, "0.1%", "share of the good answers that a timeout may cut; above 0%. A tenth needs a tenth of the calls"),
    key("integrations.NAME.review.success", Kind::Percent, "", "share of the operations that must succeed within the budget; 99.5% for a user-flow, 99.99% in the background"),
    key("integrations.NAME.review.failures", Kind::Percent, "1%", "share of 5xx, network errors and timeouts at most, surely"),
    key("integrations.NAME.review.client_errors", Kind::Percent, "0.1%", "share of 4xx at most: each is a bug of the caller"),
    key("integrations.NAME.review.no_success", Kind::Percent, "0.1%", "share of 200s that are no success, at most"),
    key("integrations.NAME.review.slower", Kind::Percent, "20%", "how much slower than today's provider the new one may be at the p95"),
    key("integrations.NAME.review.span", Kind::Duration(HOUR, 366 * DAY), "7d", "how long a recording must last: a week has all hours that a week has"),
    key("integrations.NAME.review.rare_share", Kind::Percent, "1%", "endpoints with less than this share of the calls are judged together, as one: each alone might never have calls enough; 0% judges each by itself"),
    key("integrations.NAME.review.quota", Kind::Rate, "", "calls per second that the contract allows, such as \"50/s\"; without it only 429s are counted"),
    key("integrations.NAME.review.looks", Kind::Count(1, 100), "1", "dates on which somebody decides: they share the error, since whoever looks daily finds a GO by chance"),
    key("integrations.NAME.review.owner", Kind::Text, "", "who answers for the integration; a review without one is a NO-GO"),
    key("integrations.NAME.provider.support", Kind::Text, "", "the new provider's support contact, for reports and alerts"),
    key("integrations.NAME.provider.status_page", Kind::Text, "", "its status page"),
    key("integrations.NAME.provider.expectations", Kind::Text, "", "what it promises, in its words, such as `99.9 % a month, p95 below 800 ms`"),
    key("integrations.NAME.provider.price", Kind::Text, "", "what calls cost, in the contract's words"),
    key("integrations.NAME.provider.price_per_call", Kind::Text, "", "what one call to the new provider costs, such as \"0.002 EUR\": the console then tells what mirroring cost so far"),
    key("integrations.NAME.provider.documentation", Kind::Text, "", "where its documentation is"),
    key("integrations.NAME.alerts.webhooks", Kind::Texts, "", "told of this integration's alerts, beside alerts.webhooks; written alike"),
    key("integrations.NAME.breaker.failures_share", Kind::Percent, "50%", "share of failed shadow calls that pauses mirroring: half is an outage, not noise"),
    key("integrations.NAME.breaker.min_calls", Kind::Count(1, 1_000_000), "20", "calls in the window before the share counts: fewer say nothing"),
    key("integrations.NAME.breaker.window", Kind::Duration(SECOND, HOUR), "30s", "the window; whole seconds"),
    key("integrations.NAME.breaker.open", Kind::Duration(SECOND, HOUR), "30s", "how long the pause lasts before one call tries again; whole seconds"),
];

/// The row of a concrete path such as `integrations.payments.mirror.sample`.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    let general = general(path);
    KEYS.iter().find(|key| key.path == general)
}

/// Whether some key lies below `path`.
pub(crate) fn is_section(path: &str) -> bool {
    let prefix = format!("{}.", general(path));
    KEYS.iter().any(|key| key.path.starts_with(&prefix))
}

/// The names that may stand directly below `path` (empty for the top).
pub(crate) fn children(path: &str) -> Vec<&'static str> {
    let prefix = if path.is_empty() { String::new() } else { format!("{}.", general(path)) };
    let mut names: Vec<&str> = Vec::new();
    for rest in KEYS.iter().filter_map(|key| key.path.strip_prefix(&prefix)) {
        let name = rest.split('.').next().unwrap_or(rest);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The path with the integration's name replaced by `NAME`.
pub(crate) fn general(path: &str) -> String {
    let mut segments: Vec<&str> = path.split('.').collect();
    if segments.len() > 1 && segments[0] == "integrations" {
        segments[1] = "NAME";
    }
    segments.join(".")
}

/// All keys as a Markdown table, made from the table that the loader itself reads.
pub fn reference() -> String {
    let mut out = String::from("| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in KEYS {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let meaning = key.meaning.replace('|', "\\|");
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{}` | {} | {default} | {meaning} |", key.path, kind_text(key.kind));
    }
    out
}

/// The kind and its bounds in words.
pub(crate) fn kind_text(kind: Kind) -> String {
    match kind {
        Kind::Text => "string".to_owned(),
        Kind::Texts => "string or list of strings".to_owned(),
        Kind::Duration(from, to) => format!("duration, {} to {}", show_duration(from), show_duration(to)),
        Kind::Size(from, to) => format!("size, {} to {}", show_size(from), show_size(to)),
        Kind::Percent => "percentage".to_owned(),
        Kind::Count(from, u64::MAX) => format!("number, from {from}"),
        Kind::Count(from, to) => format!("number, {from} to {to}"),
        Kind::Flag => "true or false".to_owned(),
        Kind::Rate => "calls per second".to_owned(),
        Kind::Headers => "table of strings".to_owned(),
    }
}
