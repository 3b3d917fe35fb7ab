//! Settings that a client runs with today, held against the recording: what it disproves.
//!
//! Understood are resilience4j's instances (`application.yml` or `.properties`) and the options of .NET's standard
//! resilience handler (Polly) as JSON. Keys are compared without case and hyphens, as both frameworks bind them.

use crate::latency::stats::{false_trips_per_day, what_if};
use crate::latency::{Interval, Timeline};
use crate::review::checks::days_words;
use crate::review::lint_file::{Entry, entries};
use crate::review::text::{human_us, percent};
use crate::review::{EndpointAdvice, Review};
use std::collections::BTreeMap;

/// One setting that the recording disproves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// Its line in the file, from 1; the first one of what it belongs to where it is a default.
    pub line: usize,
    /// Its key, or the one whose default is meant.
    pub key: String,
    /// Its value, or the default.
    pub value: String,
    /// What is wrong, with the figure.
    pub says: String,
}

/// Why a file cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LintError {
    /// It is no YAML, JSON or properties file.
    #[error("line {line}: is neither YAML, JSON nor a properties file: {why}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In the parser's words.
        why: String,
    },
    /// A setting has no value that can be read.
    #[error("line {line}: {key} = {value:?} is {expected}")]
    Value {
        /// From 1.
        line: usize,
        /// The key.
        key: String,
        /// As written.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Nothing in it is known.
    #[error(
        "holds no settings that are known: write resilience4j instances (resilience4j.circuitbreaker.instances.NAME...) or \
         options of .NET's standard resilience handler (AttemptTimeout, Retry, CircuitBreaker)"
    )]
    Nothing,
}

/// One client's settings by their keys.
struct Group<'a> {
    entries: BTreeMap<&'a str, &'a Entry>,
    first: &'a Entry,
}

/// What the settings are held against.
struct Traffic<'a> {
    review: &'a Review,
    /// Calls a second, on average and in the quietest tenth of the hours with calls.
    rate: f64,
    quiet: f64,
    failures: f64,
    correlation: f64,
    connections: u64,
}

/// What the recording disproves in a file of settings; nothing where all of it can be true.
///
/// # Errors
/// The file cannot be read as settings.
pub fn lint(text: &str, review: &Review) -> Result<Vec<LintFinding>, LintError> {
    let entries = entries(text)?;
    let traffic = Traffic::of(review);
    let mut found = Vec::new();
    let mut known = false;
    for (is_polly, group) in groups(&entries) {
        known = true;
        found.extend(if is_polly { polly(&group, &traffic)? } else { resilience4j(&group, &traffic)? });
    }
    if known { Ok(found) } else { Err(LintError::Nothing) }
}

/// The entries of each client: by instance for resilience4j, by section for Polly.
fn groups(entries: &[Entry]) -> Vec<(bool, Group<'_>)> {
    const POLLY: [&str; 4] = ["totalrequesttimeout.", "attempttimeout.", "retry.", "circuitbreaker."];
    let mut all: BTreeMap<(bool, String), Group<'_>> = BTreeMap::new();
    for entry in entries {
        let place = match entry.path.strip_prefix("resilience4j.") {
            Some(rest) => rest.split_once(".instances.").and_then(|(module, rest)| {
                let (instance, key) = rest.split_once('.')?;
                Some((false, instance.to_owned(), module_key(module, key)?))
            }),
            None => POLLY.iter().find_map(|section| {
                let at = entry.path.find(section)?;
                let whole = at == 0 || entry.path[..at].ends_with('.');
                whole.then(|| (true, entry.path[..at].to_owned(), &entry.path[at..]))
            }),
        };
        if let Some((is_polly, instance, key)) = place {
            let group = all.entry((is_polly, instance));
            group.or_insert_with(|| Group { entries: BTreeMap::new(), first: entry }).entries.insert(key, entry);
        }
    }
    all.into_iter().map(|((is_polly, _), group)| (is_polly, group)).collect()
}

/// The keys of resilience4j that are judged, by module: the same word may stand in two of them.
fn module_key<'a>(module: &str, key: &'a str) -> Option<&'a str> {
    let known: &[&str] = match module {
        "circuitbreaker" => &[
            "failureratethreshold",
            "slidingwindowsize",
            "slidingwindowtype",
            "minimumnumberofcalls",
            "slowcalldurationthreshold",
            "waitdurationinopenstate",
            "slowcallratethreshold",
        ],
        "timelimiter" => &["timeoutduration"],
        "retry" => &["maxattempts", "waitduration"],
        "bulkhead" => &["maxconcurrentcalls"],
        _ => &[],
    };
    known.contains(&key).then_some(key)
}

impl<'a> Group<'a> {
    fn number(&self, key: &str, default: f64) -> Result<f64, LintError> {
        let Some(entry) = self.entries.get(key) else { return Ok(default) };
        entry.value.parse().map_err(|_| entry.wrong("no number"))
    }

    /// Microseconds.
    fn duration(&self, key: &str, default_us: u64) -> Result<u64, LintError> {
        let Some(entry) = self.entries.get(key) else { return Ok(default_us) };
        crate::review::lint_file::duration_us(&entry.value)
            .ok_or_else(|| entry.wrong("no duration; write 800ms, 2s, PT2S or 00:00:02"))
    }

    fn finding(&self, key: &str, default: &str, says: String) -> LintFinding {
        match self.entries.get(key) {
            Some(entry) => {
                LintFinding { line: entry.line, key: entry.written.clone(), value: entry.value.clone(), says }
            }
            None => {
                let value = format!("{default} (the default)");
                LintFinding { line: self.first.line, key: key.to_owned(), value, says }
            }
        }
    }

    fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.entries.contains_key(key))
    }
}

impl<'a> Traffic<'a> {
    fn of(review: &'a Review) -> Self {
        let (k, n) = review.endpoints.iter().fold((0, 0), |(k, n), one| (k + one.failures.k, n + one.failures.n));
        let mut hours: Vec<f64> = (0..crate::latency::HOURS_OF_WEEK)
            .map(|hour| {
                let cells = review.endpoints.iter().filter_map(|one| one.hours.get(hour));
                cells.map(|cell| cell.calls as f64 / cell.weeks.max(1) as f64 / 3_600.0).sum::<f64>()
            })
            .filter(|rate| *rate > 0.0)
            .collect();
        hours.sort_by(f64::total_cmp);
        // The recording is a sample; the client sees all calls.
        let scale = if review.settings.sample > 0.0 { 1.0 / review.settings.sample } else { 1.0 };
        Self {
            review,
            rate: review.endpoints.iter().map(|one| one.calls_per_day).sum::<f64>() / 86_400.0 * scale,
            quiet: hours.get(hours.len() / 10).copied().unwrap_or_default() * scale,
            failures: k as f64 / n.max(1) as f64,
            correlation: review.endpoints.iter().map(|one| one.correlation).fold(0.0, f64::max),
            connections: review.endpoints.iter().map(|one| one.connections.0).sum(),
        }
    }

    /// The endpoint that loses most of its good answers to a timeout, with the share, if it is more than may be.
    fn loses(&self, timeout_us: u64) -> Option<String> {
        let lost = self.review.endpoints.iter().filter_map(|one| {
            let all = Interval { start_unix_s: 0, length_s: 1, answered: one.answered.clone(), ..Interval::default() };
            let cut = what_if(&Timeline::new(vec![all]), timeout_us, crate::latency::stats::CONFIDENCE)?;
            Some((one, cut.surely.value()))
        });
        let (one, share): (&EndpointAdvice, f64) = lost.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let most = self.review.settings.lost_answers;
        (share > most).then(|| {
            format!(
                "loses {} of the good answers of {}, where {} may be lost",
                percent(share),
                one.endpoint,
                percent(most)
            )
        })
    }

    /// How often a breaker opens by chance, if that is more than once in a hundred days.
    fn trips(&self, window: f64, share: f64) -> Option<String> {
        let (window, failures) = (window.max(1.0), (window.max(1.0) * share).ceil().max(1.0));
        let rate = self.rate;
        let trips = false_trips_per_day(window as u64, failures as u64, rate, self.failures, self.correlation);
        (trips > 0.01).then(|| {
            format!(
                "trips {} a day although the provider is as it always is: {} of its calls fail, and they come together",
                if trips < 1.0 { format!("{trips:.2} times") } else { format!("{trips:.0} times") },
                percent(self.failures)
            )
        })
    }
}

fn resilience4j(group: &Group<'_>, traffic: &Traffic<'_>) -> Result<Vec<LintFinding>, LintError> {
    let mut found = Vec::new();
    let timeout = group.duration("timeoutduration", 1_000_000)?;
    if group.has(&["timeoutduration"])
        && let Some(says) = traffic.loses(timeout)
    {
        found.push(group.finding("timeoutduration", "1s", says));
    }
    let breaker = ["failureratethreshold", "slidingwindowsize", "minimumnumberofcalls", "slowcalldurationthreshold"];
    if group.has(&breaker) {
        let window = group.number("slidingwindowsize", 100.0)?;
        let least = group.number("minimumnumberofcalls", 100.0)?;
        let threshold = group.number("failureratethreshold", 50.0)? / 100.0;
        let by_time =
            group.entries.get("slidingwindowtype").is_some_and(|entry| entry.value.eq_ignore_ascii_case("TIME_BASED"));
        let calls = if by_time { traffic.rate * window } else { window };
        if let Some(says) = traffic.trips(least.min(calls).max(1.0), threshold) {
            found.push(group.finding("failureratethreshold", "50", says));
        }
        if by_time && traffic.quiet * window < least {
            let says = format!(
                "never works at night: {:.0} calls come in {window:.0} seconds of the quiet hours, and it needs {least:.0}",
                traffic.quiet * window
            );
            found.push(group.finding("minimumnumberofcalls", "100", says));
        } else if !by_time && traffic.quiet > 0.0 && least / traffic.quiet > 600.0 {
            let says = format!(
                "sees an outage of the quiet hours only after {}: so long do {least:.0} calls take",
                days_words(least / traffic.quiet / 86_400.0)
            );
            found.push(group.finding("minimumnumberofcalls", "100", says));
        }
        let slow = group.duration("slowcalldurationthreshold", 60_000_000)?;
        if group.has(&["timeoutduration"]) && slow >= timeout {
            let says = format!("no call is ever that slow: {} ends it before", human_us(timeout));
            found.push(group.finding("slowcalldurationthreshold", "60s", says));
        }
    }
    let attempts = group.number("maxattempts", 3.0)?;
    if group.has(&["maxattempts", "waitduration"]) && group.has(&["timeoutduration"]) {
        let wait = group.duration("waitduration", 500_000)?;
        found.extend(over_budget(group, "maxattempts", "3", (attempts, timeout, wait), traffic));
    }
    let room = group.number("maxconcurrentcalls", 25.0)?;
    if group.has(&["maxconcurrentcalls"]) && room < traffic.connections as f64 {
        let says = format!("refuses calls at the recorded peak, which needs {} at once", traffic.connections);
        found.push(group.finding("maxconcurrentcalls", "25", says));
    }
    Ok(found)
}

fn over_budget(
    group: &Group<'_>,
    key: &str,
    default: &str,
    (attempts, timeout_us, wait_us): (f64, u64, u64),
    traffic: &Traffic<'_>,
) -> Option<LintFinding> {
    let whole = attempts * timeout_us as f64 + (attempts - 1.0).max(0.0) * wait_us as f64;
    let budget_us = traffic.review.settings.budget_us;
    (whole > budget_us as f64).then(|| {
        let says =
            format!("takes up to {} with all attempts, and there are {}", human_us(whole as u64), human_us(budget_us));
        group.finding(key, default, says)
    })
}

fn polly(group: &Group<'_>, traffic: &Traffic<'_>) -> Result<Vec<LintFinding>, LintError> {
    let mut found = Vec::new();
    let attempt = group.duration("attempttimeout.timeout", 10_000_000)?;
    if let Some(says) = traffic.loses(attempt) {
        found.push(group.finding("attempttimeout.timeout", "00:00:10", says));
    }
    let total = group.duration("totalrequesttimeout.timeout", 30_000_000)?;
    let retries = group.number("retry.maxretryattempts", 3.0)?;
    let wait = group.duration("retry.delay", 2_000_000)?;
    let whole = (retries + 1.0) * attempt as f64 + retries * wait as f64;
    if whole > total as f64 {
        let says = format!(
            "total smaller than attempts x per-try: {} attempts of {} with their waits take {}",
            retries + 1.0,
            human_us(attempt),
            human_us(whole as u64)
        );
        found.push(group.finding("totalrequesttimeout.timeout", "00:00:30", says));
    }
    found.extend(over_budget(group, "totalrequesttimeout.timeout", "00:00:30", (1.0, total, 0), traffic));
    let window = group.duration("circuitbreaker.samplingduration", 30_000_000)? as f64 / 1e6;
    let least = group.number("circuitbreaker.minimumthroughput", 100.0)?;
    let ratio = group.number("circuitbreaker.failureratio", 0.1)?;
    if window < 2.0 * attempt as f64 / 1e6 {
        let says = format!("is refused at the start: it must be at least twice the attempt's {}", human_us(attempt));
        found.push(group.finding("circuitbreaker.samplingduration", "00:00:30", says));
    }
    if traffic.rate * window < least {
        let says = format!(
            "never works: on average {:.1} calls come in {window:.0} seconds, and it needs {least:.0}",
            traffic.rate * window
        );
        found.push(group.finding("circuitbreaker.minimumthroughput", "100", says));
    } else {
        if traffic.quiet * window < least {
            let says = format!(
                "never works at night: {:.1} calls come in {window:.0} seconds of the quiet hours, and it needs {least:.0}",
                traffic.quiet * window
            );
            found.push(group.finding("circuitbreaker.minimumthroughput", "100", says));
        }
        if let Some(says) = traffic.trips(least.max(traffic.rate * window), ratio) {
            found.push(group.finding("circuitbreaker.failureratio", "0.1", says));
        }
    }
    Ok(found)
}
