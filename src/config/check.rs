//! From what was written to a [`Config`]: the process's own sections, and what must hold between sections.

use std::net::SocketAddr;
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use crate::config::integration::{self, IntegrationConfig, Matcher};
use crate::config::problem::{Place, Problems};
use crate::config::raw::closest;
use crate::config::reader::{Placed, Reader};
use crate::config::rules;
use crate::config::secret::Reference;
use crate::config::{Config, KeySecret, LimitsConfig, RedactionConfig, StoreConfig};
use crate::redact::RuleFile;

const ADDRESS_REMEDY: &str = "write IP:PORT, such as \"127.0.0.1:8080\"";
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];
const BUILTIN: &str = "builtin";
const DAY_MS: u64 = 86_400_000;

/// Checks everything, then gives the whole or all problems.
pub(crate) fn check(mut reader: Reader<'_>) -> Result<(Config, Vec<String>), Problems> {
    let traffic = traffic(&mut reader);
    let console = console(&mut reader);
    distinct(&mut reader, &traffic, console.as_ref());
    let store = store(&mut reader);
    let redaction = redaction(&mut reader);
    let (log_filter, log_json) = log(&mut reader);
    let limits = limits(&mut reader);
    let listening: Vec<SocketAddr> = traffic.iter().chain(&console).map(|(address, _)| *address).collect();
    let integrations = integrations(&mut reader, &listening);
    let Reader { raw, warnings, .. } = reader;
    let mut problems = raw.problems;
    let (Some((listen_console, _)), true) = (console, problems.is_empty()) else {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        return Err(Problems(problems));
    };
    let listen_traffic = traffic.into_iter().map(|(address, _)| address).collect();
    let config =
        Config { listen_traffic, listen_console, store, redaction, log_filter, log_json, limits, integrations };
    Ok((config, warnings))
}

fn address(reader: &mut Reader<'_>, key: &str, (text, place): Placed<String>) -> Option<Placed<SocketAddr>> {
    match text.parse() {
        Ok(address) => Some((address, place)),
        Err(_) => {
            reader.problem(place, key, Some(format!("{text:?}")), "is no address to listen on", ADDRESS_REMEDY);
            None
        }
    }
}

fn traffic(reader: &mut Reader<'_>) -> Vec<Placed<SocketAddr>> {
    let key = "listen.traffic";
    let texts = reader.texts(key);
    if texts.is_empty() && !reader.raw.problems.iter().any(|problem| problem.key == key) {
        let place = reader.whole();
        reader.missing(place, key, ADDRESS_REMEDY);
    }
    texts.into_iter().filter_map(|text| address(reader, key, text)).collect()
}

fn console(reader: &mut Reader<'_>) -> Option<Placed<SocketAddr>> {
    let key = "listen.console";
    let text = reader.text(key)?;
    let (address, place) = address(reader, key, text)?;
    if !address.ip().is_loopback() {
        let remedy = "write a loopback address, such as \"127.0.0.1:9090\", and reach it through a tunnel";
        let text = "is open to other machines, and the console has no login in this version";
        reader.problem(place, key, Some(format!("\"{address}\"")), text, remedy);
        return None;
    }
    Some((address, place))
}

/// Whether binding one would fail because of the other; port 0 is a new port each time.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let everywhere = |address: SocketAddr| address.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || everywhere(a) || everywhere(b))
}

fn distinct(reader: &mut Reader<'_>, traffic: &[Placed<SocketAddr>], console: Option<&Placed<SocketAddr>>) {
    for (index, (address, place)) in traffic.iter().enumerate() {
        if traffic[..index].iter().any(|(other, _)| collide(*address, *other)) {
            let value = Some(format!("\"{address}\""));
            reader.problem(place.clone(), "listen.traffic", value, "is listed twice", "remove one of the two");
        }
    }
    if let Some((address, place)) = console
        && traffic.iter().any(|(other, _)| collide(*address, *other))
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
    }
}

fn redaction(reader: &mut Reader<'_>) -> RedactionConfig {
    let mut builtin_rules = false;
    let mut rules_folders: Vec<PathBuf> = Vec::new();
    let mut rule_files: Vec<RuleFile> = Vec::new();
    let key = "redaction.rules";
    for (text, place) in reader.texts(key) {
        if text == BUILTIN {
            builtin_rules = true;
            continue;
        }
        let folder = reader.path(&text, &place);
        match rules::read_folder(&folder) {
            Ok(files) => rule_files.extend(files),
            Err(why) => {
                let remedy = "name a readable folder of *.toml rule files, or \"builtin\"";
                reader.problem(place, key, Some(format!("{text:?}")), &why.to_string(), remedy);
            }
        }
        rules_folders.push(folder);
    }
    if !builtin_rules && rules_folders.is_empty() && !reader.raw.problems.iter().any(|problem| problem.key == key) {
        let place = reader.raw.values.get(key).map_or_else(|| reader.whole(), |found| found.place.clone());
        let remedy = "write [\"builtin\"], or remove the key";
        reader.problem(place, key, None, "is empty, so that nothing would be redacted", remedy);
    }
    let body_bytes_max = reader.size_bytes("redaction.max_body");
    RedactionConfig { builtin_rules, rules_folders, rule_files, key: redaction_key(reader), body_bytes_max }
}

fn redaction_key(reader: &mut Reader<'_>) -> Option<KeySecret> {
    let key = "redaction.key";
    let remedy = "write \"env:NAME\" or \"file:PATH\" with 64 hex digits in it (openssl rand -hex 32)";
    let (text, place) = reader.text(key)?;
    let Some(reference) = Reference::parse(&text, reader.folder) else {
        reader.problem(place, key, None, "is not a reference: a secret does not stand in the file", remedy);
        return None;
    };
    match reference.resolve(reader.environment) {
        Ok(secret) => {
            let read = KeySecret::new(secret);
            if read.is_none() {
                let text = format!("refers to {reference}, which does not hold 64 hex digits");
                reader.problem(place, key, None, &text, remedy);
            }
            read
        }
        Err(why) => {
            reader.problem(place, key, None, &why.to_string(), remedy);
            None
        }
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
        connections_max: whole(reader.count("limits.connections")).unwrap_or_default(),
        drain_ms: reader.duration_ms("limits.drain"),
    }
}

fn integrations(reader: &mut Reader<'_>, listening: &[SocketAddr]) -> Vec<IntegrationConfig> {
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
        let (matcher, config) = integration::check(reader, &name, &place, listening);
        checked.extend(config);
        let Some(matcher) = matcher else { continue };
        if let Some((other, other_place, _)) = claimed.iter().find(|(_, _, other)| *other == matcher) {
            let text = format!("is the same as that of integrations.{other} ({other_place})");
            let remedy = "give each integration a match.path_prefix or match.host of its own";
            reader.problem(place.clone(), &format!("integrations.{name}.match"), None, &text, remedy);
        }
        claimed.push((name, place, matcher));
    }
    checked.sort_by(|a, b| a.name.cmp(&b.name));
    checked
}
