//! Alert rules for Prometheus and a dashboard for Grafana, over the recorder's own metrics.
//!
//! What is worth waking somebody for is what lasts: failures of the provider that are too many for too long. 4xx are for
//! the daily report, and alert only where their share is very high.

use crate::exchange::{NotMirrored, Outcome};
use crate::review::Settings;
use crate::review::text::percent;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Failures alert from so many times the share that the review allows.
const FAILURES_FACTOR: f64 = 5.0;
/// 4xx alert from this share.
const CLIENT_ERRORS: f64 = 0.2;
/// 429 alert from this share.
const THROTTLED: f64 = 0.01;
/// Calls left out for want of room alert from this share.
const LEFT_OUT: f64 = 0.001;
/// Fewer calls in the window say nothing.
const CALLS_MIN: u64 = 20;
/// What is lost or broken for good is told after this, seconds; a window that is shorter tells earlier.
const SOON_S: u64 = 60;

/// Over which time, and for how long, something must hold before somebody is told. Seconds of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AlertTimes {
    /// Shares are of the calls of so many seconds.
    pub window_s: u64,
    /// A condition must hold for so long.
    pub lasts_s: u64,
    /// An open breaker, for so long.
    pub breaker_open_s: u64,
}

impl Default for AlertTimes {
    fn default() -> Self {
        Self { window_s: 600, lasts_s: 600, breaker_open_s: 900 }
    }
}

/// A state that holds or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The new provider fails so often that calls are held back.
    BreakerOpen,
    /// The day's calls are used up.
    BudgetUsedUp,
    /// The new provider's answers lost a field, or one has another type.
    ShapeChanged,
    /// Bodies are stored and no rule has ever hit.
    RulesDoNotFit,
}

impl Standing {
    /// The metric that is 1 while it holds, dotted as OpenTelemetry has it.
    pub fn metric(self) -> &'static str {
        match self {
            Self::BreakerOpen => "darklaunch.mirror_breaker_open",
            Self::BudgetUsedUp => "darklaunch.mirror_budget_used_up",
            Self::ShapeChanged => "darklaunch.provider_shape_changed",
            Self::RulesDoNotFit => "darklaunch.redaction_alarm",
        }
    }
}

/// What is asked of an integration's counters. The same value judges here and is written out for Prometheus.
#[derive(Clone, Debug)]
enum Condition {
    /// More than this share of the mirrored calls of the window, and of enough, ended so.
    Outcomes(&'static [Outcome], f64),
    /// More than this share of the requests of the window was left out for these reasons.
    LeftOut(&'static [NotMirrored], f64),
    /// Captures of the window could not be stored.
    NotRecorded,
    State(Standing),
}

/// What happened to an integration within the window, and what holds now.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Requests that arrived.
    pub arrived: u64,
    /// By [`Outcome::code`].
    pub mirrored: [u64; Outcome::ALL.len()],
    /// By position in [`NotMirrored::ALL`].
    pub not_mirrored: [u64; NotMirrored::ALL.len()],
    /// Captures that could not be stored.
    pub not_recorded: u64,
    /// What holds now.
    pub standing: Vec<Standing>,
}

/// One alert of one integration.
#[derive(Clone, Debug)]
pub struct AlertRule {
    /// The stable name.
    pub name: &'static str,
    condition: Condition,
    /// For how long it must hold, seconds.
    pub lasts_s: u64,
    /// `page` or `ticket`.
    pub severity: &'static str,
    /// What is the matter.
    pub summary: String,
    /// What to do.
    pub remedy: String,
}

impl AlertRule {
    /// Whether it holds at this moment, however long already.
    pub fn holds(&self, now: &Watched) -> bool {
        match &self.condition {
            Condition::Outcomes(outcomes, above) => {
                let ended = outcomes.iter().map(|one| now.mirrored[usize::from(one.code())]).sum::<u64>();
                let all = now.mirrored.iter().sum::<u64>();
                all >= CALLS_MIN && ended as f64 / all as f64 > *above
            }
            Condition::LeftOut(reasons, above) => {
                let left = reasons.iter().map(|one| now.not_mirrored[*one as usize]).sum::<u64>();
                left > 0 && left as f64 / now.arrived.max(1) as f64 > *above
            }
            Condition::NotRecorded => now.not_recorded > 0,
            Condition::State(standing) => now.standing.contains(standing),
        }
    }

    /// The same for Prometheus.
    fn expression(&self, integration: &str, window_s: u64) -> String {
        let of = format!("{{integration=\"{integration}\"}}");
        let window = prometheus_span(window_s);
        match &self.condition {
            Condition::Outcomes(outcomes, above) => {
                let names: Vec<&str> = outcomes.iter().map(|one| one.name()).collect();
                let enough = format!("sum(increase(darklaunch_mirrored_total{of}[{window}])) >= {CALLS_MIN}");
                let (some, all) = (calls(integration, &names.join("|"), &window), calls(integration, ".+", &window));
                format!("{some} / {all} > {above} and {enough}")
            }
            Condition::LeftOut(reasons, above) => {
                let names: Vec<&str> = reasons.iter().map(|one| one.name()).collect();
                let names = names.join("|");
                format!(
                    "sum(rate(darklaunch_not_mirrored_total{{integration=\"{integration}\",reason=~\"{names}\"}}[{window}])) / sum(rate(darklaunch_requests_total{of}[{window}])) > {above}"
                )
            }
            Condition::NotRecorded => format!("sum(increase(darklaunch_not_recorded_total{of}[{window}])) > 0"),
            Condition::State(standing) => format!("{}{of} == 1", standing.metric().replace('.', "_")),
        }
    }
}

/// A span as Prometheus writes it.
fn prometheus_span(s: u64) -> String {
    if s > 0 && s.is_multiple_of(60) { format!("{}m", s / 60) } else { format!("{s}s") }
}

/// A span as people read it.
fn span(s: u64) -> String {
    match s {
        1 => "a second".to_owned(),
        60 => "a minute".to_owned(),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} minutes", s / 60),
        s => format!("{s} seconds"),
    }
}

/// The rules of all integrations, `(name, what the review holds it against)`, as a Prometheus rule file.
pub fn alert_rules(integrations: &[(String, Settings)], times: AlertTimes) -> String {
    let mut text = "# Made by `darklaunch alerts`; check with `promtool check rules FILE`.\ngroups:\n".to_owned();
    for (name, settings) in integrations {
        let _ = writeln!(text, "  - name: {}\n    rules:", quoted(&format!("darklaunch {name}")));
        for rule in rules_of(name, settings, times) {
            text.push_str(&written(&rule, name, settings, times));
        }
    }
    text
}

/// A double-quoted scalar: what JSON writes is YAML too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn written(rule: &AlertRule, name: &str, settings: &Settings, times: AlertTimes) -> String {
    let mut text = format!(
        "      - alert: {}\n        expr: {}\n        for: {}\n        labels:\n          severity: {}\n          integration: {}\n        annotations:\n          summary: {}\n          remedy: {}\n",
        rule.name,
        quoted(&rule.expression(name, times.window_s)),
        prometheus_span(rule.lasts_s),
        rule.severity,
        quoted(name),
        quoted(&rule.summary),
        quoted(&rule.remedy)
    );
    for (key, value) in contacts(settings) {
        let _ = writeln!(text, "          {key}: {}", quoted(value));
    }
    text
}

/// Whom to call, as far as the configuration says.
pub fn contacts(settings: &Settings) -> Vec<(&'static str, &str)> {
    let all = [
        ("owner", &settings.owner),
        ("support", &settings.support),
        ("status_page", &settings.status_page),
        ("expectations", &settings.expectations),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect()
}

/// Calls of an integration per second over the window, of the outcomes that a pattern matches.
fn calls(name: &str, outcomes: &str, window: &str) -> String {
    format!("sum(rate(darklaunch_mirrored_total{{integration=\"{name}\",outcome=~\"{outcomes}\"}}[{window}]))")
}

/// What alerts on an integration: read by Prometheus' rule file and by the webhooks, so that both say the same.
pub fn rules_of(name: &str, settings: &Settings, times: AlertTimes) -> Vec<AlertRule> {
    let mut rules = provider_rules(name, settings, times);
    rules.extend(own_rules(name, times));
    rules
}

/// What the new provider does.
fn provider_rules(name: &str, settings: &Settings, times: AlertTimes) -> Vec<AlertRule> {
    let failures = (settings.failures * FAILURES_FACTOR).min(0.5);
    let lasts_s = times.lasts_s;
    vec![
        AlertRule {
            name: "DarklaunchProviderFails",
            condition: Condition::Outcomes(&[Outcome::Server5xx, Outcome::NetworkError, Outcome::Timeout], failures),
            lasts_s,
            severity: "page",
            summary: format!(
                "{name}: more than {} of the calls to the new provider fail since {}",
                percent(failures),
                span(lasts_s)
            ),
            remedy: "look at the provider's status page, then call its support; your users are not affected".to_owned(),
        },
        AlertRule {
            name: "DarklaunchManyClientErrors",
            condition: Condition::Outcomes(&[Outcome::Client4xx], CLIENT_ERRORS),
            lasts_s: lasts_s * 3,
            severity: "ticket",
            summary: format!(
                "{name}: more than {} of our requests are refused as wrong since {}",
                percent(CLIENT_ERRORS),
                span(lasts_s * 3)
            ),
            remedy: "darklaunch report --since 24h lists every distinct 4xx with an example".to_owned(),
        },
        AlertRule {
            name: "DarklaunchThrottled",
            condition: Condition::Outcomes(&[Outcome::Throttled429], THROTTLED),
            lasts_s,
            severity: "ticket",
            summary: format!("{name}: the new provider asks for less (429)"),
            remedy: "lower mirror.sample or mirror.rate, or ask for a higher limit".to_owned(),
        },
        AlertRule {
            name: "DarklaunchBreakerOpen",
            condition: Condition::State(Standing::BreakerOpen),
            lasts_s: times.breaker_open_s,
            severity: "ticket",
            summary: format!(
                "{name}: the breaker keeps mirroring back since {}: the new provider fails",
                span(times.breaker_open_s)
            ),
            remedy: "look at the provider's status page, then call its support; until it closes nothing is recorded"
                .to_owned(),
        },
        AlertRule {
            name: "DarklaunchShapeChanged",
            condition: Condition::State(Standing::ShapeChanged),
            lasts_s: SOON_S.min(times.window_s),
            severity: "ticket",
            summary: format!("{name}: the new provider's answers lost a field, or one has another type now"),
            remedy: "darklaunch fixtures verify names what changed; ask the provider's support whether it was meant"
                .to_owned(),
        },
    ]
}

/// What happens on our own side.
fn own_rules(name: &str, times: AlertTimes) -> Vec<AlertRule> {
    let soon_s = SOON_S.min(times.window_s);
    vec![
        AlertRule {
            name: "DarklaunchBudgetUsedUp",
            condition: Condition::State(Standing::BudgetUsedUp),
            lasts_s: soon_s,
            severity: "ticket",
            summary: format!(
                "{name}: the day's calls to the new provider are used up; mirroring goes on tomorrow (UTC)"
            ),
            remedy: "lower mirror.sample, or raise mirror.daily_calls if the contract allows it".to_owned(),
        },
        AlertRule {
            name: "DarklaunchLeavesOut",
            condition: Condition::LeftOut(&[NotMirrored::QueueFull, NotMirrored::Memory], LEFT_OUT),
            lasts_s: times.lasts_s,
            severity: "ticket",
            summary: format!(
                "{name}: calls are left out for want of room, so the slowest are missing from every figure"
            ),
            remedy: "raise mirror.in_flight and mirror.queue, or lower mirror.sample".to_owned(),
        },
        AlertRule {
            name: "DarklaunchDoesNotRecord",
            condition: Condition::NotRecorded,
            lasts_s: soon_s,
            severity: "ticket",
            summary: format!("{name}: mirrored calls cannot be stored"),
            remedy: "look at the disk and the recorder's log".to_owned(),
        },
        AlertRule {
            name: "DarklaunchRulesDoNotFit",
            condition: Condition::State(Standing::RulesDoNotFit),
            lasts_s: (times.lasts_s / 2).max(1),
            severity: "page",
            summary: format!("{name}: bodies are stored and no redaction rule has ever hit"),
            remedy: "stop mirroring and try the rules on a recording: darklaunch rules test".to_owned(),
        },
    ]
}

/// A Grafana dashboard of one integration; its Prometheus data source is chosen on the page.
pub fn dashboard(name: &str, settings: &Settings) -> Value {
    let contacts: Vec<String> =
        contacts(settings).into_iter().map(|(key, value)| format!("**{}**: {value}", key.replace('_', " "))).collect();
    let about = match contacts.is_empty() {
        true => "No contacts are configured: `provider.support`, `provider.status_page`, `review.owner`.".to_owned(),
        false => contacts.join("  \n"),
    };
    let failures = "server_5xx|network_error|timeout";
    let of = |outcomes: &str| format!("{} / {}", calls(name, outcomes, "10m"), calls(name, ".+", "10m"));
    let by = |metric: &str, label: &str| {
        format!("sum by ({label}) (rate(darklaunch_{metric}_total{{integration=\"{name}\"}}[$__rate_interval]))")
    };
    let series = [
        ("Calls to the new provider by outcome", by("mirrored", "outcome"), "{{outcome}}", "reqps"),
        ("Calls to today's provider by outcome", by("primary", "outcome"), "{{outcome}}", "reqps"),
        ("Share of failures (5xx, network, timeout)", of(failures), "failures", "percentunit"),
        ("Share of 4xx", of("client_4xx"), "4xx", "percentunit"),
        ("Not mirrored, by reason", by("not_mirrored", "reason"), "{{reason}}", "reqps"),
        (
            "Mirrored share",
            format!("darklaunch_mirror_sample_ppm{{integration=\"{name}\"}} / 1e6"),
            "share",
            "percentunit",
        ),
        ("Held back", format!("darklaunch_mirror_paused{{integration=\"{name}\"}}"), "paused", "bool"),
        ("Pending", format!("darklaunch_pending{{integration=\"{name}\"}}"), "pending", "short"),
    ];
    let source = json!({ "type": "prometheus", "uid": "${source}" });
    let mut panels = vec![json!({
        "id": 1,
        "type": "text",
        "title": "Whom to ask",
        "gridPos": { "h": 4, "w": 24, "x": 0, "y": 0 },
        "options": { "mode": "markdown", "content": about },
    })];
    for (at, (title, expression, legend, unit)) in series.iter().enumerate() {
        panels.push(json!({
            "id": at + 2,
            "type": "timeseries",
            "title": title,
            "datasource": source,
            "gridPos": { "h": 8, "w": 12, "x": at % 2 * 12, "y": 4 + at / 2 * 8 },
            "fieldConfig": { "defaults": { "unit": unit, "min": 0 }, "overrides": [] },
            "targets": [{ "refId": "A", "expr": expression, "legendFormat": legend, "datasource": source }],
        }));
    }
    json!({
        "title": format!("darklaunch: {name}"),
        "uid": format!("darklaunch-{name}"),
        "tags": ["darklaunch"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "1m",
        "time": { "from": "now-24h", "to": "now" },
        "templating": { "list": [{ "name": "source", "label": "Data source", "type": "datasource", "query": "prometheus" }] },
        "panels": panels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_dashboard_name_whom_to_ask() {
        let settings = Settings {
            owner: Some("team \"pay\"".to_owned()),
            status_page: Some("status.new.example".to_owned()),
            ..Settings::default()
        };
        let text = alert_rules(&[("payments".to_owned(), settings.clone())], AlertTimes::default());
        for part in ["DarklaunchProviderFails", "for: 10m", "team \\\"pay\\\"", "status.new.example", "> 0.05 and"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let board = dashboard("payments", &settings);
        assert_eq!(board["panels"].as_array().unwrap().len(), 9);
        assert!(board["panels"][0]["options"]["content"].as_str().unwrap().contains("status.new.example"));
    }

    #[test]
    fn every_rule_holds_on_what_it_is_named_for_and_on_nothing_else() {
        let rules = rules_of("pay", &Settings::default(), AlertTimes::default());
        let holding = |now: &Watched| -> Vec<&str> {
            rules.iter().filter(|rule| rule.holds(now)).map(|rule| rule.name).collect()
        };
        let mirrored = |outcome: Outcome, bad: u64| {
            let mut now = Watched { arrived: 100, ..Watched::default() };
            now.mirrored[usize::from(Outcome::Ok.code())] = 100 - bad;
            now.mirrored[usize::from(outcome.code())] += bad;
            now
        };
        assert_eq!(holding(&mirrored(Outcome::Ok, 0)), Vec::<&str>::new());
        assert_eq!(holding(&mirrored(Outcome::Timeout, 5)), Vec::<&str>::new());
        assert_eq!(holding(&mirrored(Outcome::Timeout, 6)), ["DarklaunchProviderFails"]);
        assert_eq!(holding(&mirrored(Outcome::Client4xx, 21)), ["DarklaunchManyClientErrors"]);
        assert_eq!(holding(&mirrored(Outcome::Throttled429, 2)), ["DarklaunchThrottled"]);
        let mut few = Watched { arrived: 19, ..Watched::default() };
        few.mirrored[usize::from(Outcome::Server5xx.code())] = 19;
        assert_eq!(holding(&few), Vec::<&str>::new());
        few.not_mirrored[NotMirrored::Memory as usize] = 1;
        few.not_recorded = 1;
        few.standing = vec![Standing::BreakerOpen, Standing::BudgetUsedUp, Standing::ShapeChanged];
        assert_eq!(
            holding(&few),
            [
                "DarklaunchBreakerOpen",
                "DarklaunchShapeChanged",
                "DarklaunchBudgetUsedUp",
                "DarklaunchLeavesOut",
                "DarklaunchDoesNotRecord"
            ]
        );
    }
}
