//! From what was written to a [`Config`]: the process's own sections, and what must hold between sections.

use std::net::SocketAddr;

use tracing_subscriber::EnvFilter;

use crate::config::integration::{self, IntegrationConfig, Matcher};
use crate::config::listen::{self, collide};
use crate::config::problem::{Place, Problems};
use crate::config::raw::closest;
use crate::config::reader::{Placed, Reader};
use crate::config::{Config, LimitsConfig, StoreConfig, alerting, console, redaction};
use crate::proxy::Listen;
use crate::telemetry::Priority;

const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];
const DAY_MS: u64 = 86_400_000;

/// Checks everything, then gives the whole or all problems.
pub(crate) fn check(mut reader: Reader<'_>) -> Result<(Config, Vec<String>), Problems> {
    let traffic = listen::traffic(&mut reader);
    let listen_tls = listen::tls(&mut reader, &traffic);
    let console = console::address(&mut reader);
    let console_access = console::access(&mut reader, console.as_ref());
    let listen_console_hosts = reader.texts("listen.console_hosts").into_iter().map(|(text, _)| text).collect();
    let listen_traffic: Vec<Listen> = traffic.into_iter().map(|(listen, _)| listen).collect();
    let addresses: Vec<SocketAddr> = listen_traffic.iter().filter_map(Listen::addr).collect();
    distinct(&mut reader, &addresses, console.as_ref());
    let store = store(&mut reader);
    let redaction = redaction::everyone(&mut reader);
    let (log_filter, log_json) = log(&mut reader);
    let limits = limits(&mut reader);
    let (alerts, otlp) = (alerting::alerts(&mut reader), alerting::otlp(&mut reader));
    let listening: Vec<SocketAddr> = addresses.into_iter().chain(console.as_ref().map(|(own, _)| *own)).collect();
    let integrations = integrations(&mut reader, &listening, &listen_traffic);
    let Reader { raw, warnings, .. } = reader;
    let mut problems = raw.problems;
    let (Some((listen_console, _)), true) = (console, problems.is_empty()) else {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        return Err(Problems(problems));
    };
    let config = Config {
        listen_traffic,
        listen_tls,
        listen_console,
        listen_console_hosts,
        console: console_access,
        store,
        redaction,
        log_filter,
        log_json,
        limits,
        alerts,
        otlp,
        integrations,
    };
    Ok((config, warnings))
}

fn distinct(reader: &mut Reader<'_>, traffic: &[SocketAddr], console: Option<&Placed<SocketAddr>>) {
    if let Some((address, place)) = console
        && traffic.iter().any(|other| collide(*address, *other))
    {
        let value = Some(format!("\"{address}\""));
        let remedy = "give the console a port of its own, such as \"127.0.0.1:9090\"";
        reader.problem(place.clone(), "listen.console", value, "is the address of listen.traffic too", remedy);
    }
}

fn store(reader: &mut Reader<'_>) -> StoreConfig {
    let path = reader.text("store.path").map(|(text, place)| reader.path(&text, &place)).unwrap_or_default();
    StoreConfig {
        path,
        commit_interval_ms: reader.duration_ms("store.commit_interval"),
        age_days_max: u32::try_from(reader.duration_in("store.max_age", DAY_MS, "days")).unwrap_or(u32::MAX),
        size_bytes_max: reader.size_bytes("store.max_size"),
        per_endpoint_max: reader.count("store.max_per_endpoint"),
        keep_newest: reader.count("store.keep_newest").and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        history_days_max: u32::try_from(reader.duration_in("store.max_history", DAY_MS, "days")).unwrap_or(u32::MAX),
    }
}

fn log(reader: &mut Reader<'_>) -> (String, bool) {
    let mut filter = String::new();
    if let Some((text, place)) = reader.text("log.level") {
        // The filter's own grammar takes any word for a module's name, so that a slip in a level would go unseen.
        let plain = !text.contains(['=', ',', '[']);
        if (plain && !LEVELS.contains(&text.as_str())) || EnvFilter::builder().parse(&text).is_err() {
            let remedy = closest(&text, LEVELS).map_or_else(
                || format!("write one of {}, or a filter such as \"info,darklaunch::mirror=debug\"", LEVELS.join(", ")),
                |meant| format!("did you mean \"{meant}\"?"),
            );
            reader.problem(place, "log.level", Some(format!("{text:?}")), "is no level and no filter", remedy);
        }
        filter = text;
    }
    let json = match reader.text("log.format") {
        Some((text, _)) if text == "json" => true,
        Some((text, place)) if text != "text" => {
            let remedy = "write \"text\" or \"json\"";
            reader.problem(place, "log.format", Some(format!("{text:?}")), "is no format", remedy);
            false
        }
        _ => false,
    };
    (filter, json)
}

fn limits(reader: &mut Reader<'_>) -> LimitsConfig {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let whole = |count: Option<u64>| count.and_then(|count| usize::try_from(count).ok());
    LimitsConfig {
        workers: whole(reader.count("limits.workers")).unwrap_or(cores),
        shadow_cores: whole(reader.count("limits.shadow_cores")),
        shadow_priority: shadow_priority(reader),
        connections_max: whole(reader.count("limits.connections")).unwrap_or_default(),
        drain_ms: reader.duration_ms("limits.drain"),
        mirror_memory_bytes_max: reader.size_bytes("limits.mirror_memory"),
    }
}

fn shadow_priority(reader: &mut Reader<'_>) -> Priority {
    match reader.text("limits.shadow_priority") {
        Some((text, _)) if text == "idle" => Priority::Idle,
        Some((text, place)) if text != "low" => {
            let remedy = "write \"low\" or \"idle\"";
            reader.problem(place, "limits.shadow_priority", Some(format!("{text:?}")), "is no priority", remedy);
            Priority::Low
        }
        _ => Priority::Low,
    }
}

fn integrations(reader: &mut Reader<'_>, listening: &[SocketAddr], traffic: &[Listen]) -> Vec<IntegrationConfig> {
    let mut names: Vec<(String, Place)> =
        reader.raw.integrations.iter().map(|(name, place)| (name.clone(), place.clone())).collect();
    if names.is_empty() && !reader.raw.problems.iter().any(|problem| problem.key.starts_with("integrations")) {
        let place = reader.whole();
        let remedy = "add a section such as [integrations.payments] with match.path_prefix and shadow.url";
        reader.missing(place, "integrations", remedy);
    }
    // In the order of the file, so that of two twins the later one is told; then by name, so that order means nothing.
    names.sort_by(|a, b| a.1.cmp(&b.1));
    let mut checked = Vec::new();
    // Kept apart from what was checked: a twin is told even when something else about it is wrong.
    let mut claimed: Vec<(String, Place, Matcher)> = Vec::new();
    for (name, place) in names {
        let (matcher, config) = integration::check(reader, &name, &place, listening, traffic);
        checked.extend(config);
        let Some(matcher) = matcher else { continue };
        if let Some((other, other_place, _)) = claimed.iter().find(|(_, _, other)| *other == matcher) {
            let text = format!("is the same as that of integrations.{other} ({other_place})");
            let remedy =
                "give each integration a match.path_prefix, match.host, match.header or match.listener of its own";
            reader.problem(place.clone(), &format!("integrations.{name}.match"), None, &text, remedy);
        }
        claimed.push((name, place, matcher));
    }
    checked.sort_by(|a, b| a.name.cmp(&b.name));
    checked
}
