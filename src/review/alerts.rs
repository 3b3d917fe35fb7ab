//! Alert rules for Prometheus and a dashboard for Grafana, over the recorder's own metrics.
//!
//! What is worth waking somebody for is what lasts: failures of the provider that are too many for too long. 4xx are for
//! the daily report, and alert only where their share is very high.

use crate::review::Settings;
use crate::review::text::percent;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Failures alert from so many times the share that the review allows.
const FAILURES_FACTOR: f64 = 5.0;
/// 4xx alert from this share.
const CLIENT_ERRORS: f64 = 0.2;
/// Fewer calls in the window say nothing.
const CALLS_MIN: u32 = 20;

struct Rule {
    name: &'static str,
    expression: String,
    lasts: &'static str,
    severity: &'static str,
    summary: String,
    remedy: String,
}

/// The rules of all integrations, `(name, what the review holds it against)`, as a Prometheus rule file.
pub fn alert_rules(integrations: &[(String, Settings)]) -> String {
    let mut text = "# Made by `darklaunch alerts`; check with `promtool check rules FILE`.\ngroups:\n".to_owned();
    for (name, settings) in integrations {
        let _ = writeln!(text, "  - name: {}\n    rules:", quoted(&format!("darklaunch {name}")));
        for rule in rules(name, settings) {
            text.push_str(&written(&rule, name, settings));
        }
    }
    text
}

/// A double-quoted scalar: what JSON writes is YAML too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn written(rule: &Rule, name: &str, settings: &Settings) -> String {
    let mut text = format!(
        "      - alert: {}\n        expr: {}\n        for: {}\n        labels:\n          severity: {}\n          integration: {}\n        annotations:\n          summary: {}\n          remedy: {}\n",
        rule.name,
        quoted(&rule.expression),
        rule.lasts,
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

fn contacts(settings: &Settings) -> Vec<(&'static str, &str)> {
    let all = [
        ("owner", &settings.owner),
        ("support", &settings.support),
        ("status_page", &settings.status_page),
        ("expectations", &settings.expectations),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect()
}

/// Calls of an integration per second over ten minutes, of the outcomes that a pattern matches.
fn calls(name: &str, outcomes: &str) -> String {
    format!("sum(rate(darklaunch_mirrored_total{{integration=\"{name}\",outcome=~\"{outcomes}\"}}[10m]))")
}

fn share(name: &str, outcomes: &str, above: f64) -> String {
    let enough = format!("sum(increase(darklaunch_mirrored_total{{integration=\"{name}\"}}[10m])) >= {CALLS_MIN}");
    format!("{} / {} > {above} and {enough}", calls(name, outcomes), calls(name, ".+"))
}

fn rules(name: &str, settings: &Settings) -> Vec<Rule> {
    let failures = (settings.failures * FAILURES_FACTOR).min(0.5);
    let integration = format!("{{integration=\"{name}\"}}");
    vec![
        Rule {
            name: "DarklaunchProviderFails",
            expression: share(name, "server_5xx|network_error|timeout", failures),
            lasts: "10m",
            severity: "page",
            summary: format!(
                "{name}: more than {} of the calls to the new provider fail since ten minutes",
                percent(failures)
            ),
            remedy: "look at the provider's status page, then call its support; your users are not affected".to_owned(),
        },
        Rule {
            name: "DarklaunchManyClientErrors",
            expression: share(name, "client_4xx", CLIENT_ERRORS),
            lasts: "30m",
            severity: "ticket",
            summary: format!(
                "{name}: more than {} of our requests are refused as wrong since half an hour",
                percent(CLIENT_ERRORS)
            ),
            remedy: "darklaunch report --since 24h lists every distinct 4xx with an example".to_owned(),
        },
        Rule {
            name: "DarklaunchThrottled",
            expression: share(name, "throttled_429", 0.01),
            lasts: "10m",
            severity: "ticket",
            summary: format!("{name}: the new provider asks for less (429)"),
            remedy: "lower mirror.sample or mirror.rate, or ask for a higher limit".to_owned(),
        },
        Rule {
            name: "DarklaunchPaused",
            expression: format!("darklaunch_mirror_paused{integration} == 1"),
            lasts: "15m",
            severity: "ticket",
            summary: format!("{name}: a breaker or a limit keeps mirroring back since fifteen minutes"),
            remedy: "darklaunch status says which; until it closes nothing is recorded of the new provider".to_owned(),
        },
        Rule {
            name: "DarklaunchLeavesOut",
            expression: format!(
                "sum(rate(darklaunch_not_mirrored_total{{integration=\"{name}\",reason=~\"queue_full|memory\"}}[10m])) / sum(rate(darklaunch_requests_total{integration}[10m])) > 0.001"
            ),
            lasts: "10m",
            severity: "ticket",
            summary: format!(
                "{name}: calls are left out for want of room, so the slowest are missing from every figure"
            ),
            remedy: "raise mirror.in_flight and mirror.queue, or lower mirror.sample".to_owned(),
        },
        Rule {
            name: "DarklaunchDoesNotRecord",
            expression: format!("sum(increase(darklaunch_not_recorded_total{integration}[10m])) > 0"),
            lasts: "10m",
            severity: "ticket",
            summary: format!("{name}: mirrored calls cannot be stored"),
            remedy: "look at the disk and the recorder's log".to_owned(),
        },
        Rule {
            name: "DarklaunchRulesDoNotFit",
            expression: format!("darklaunch_redaction_alarm{integration} == 1"),
            lasts: "5m",
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
    let of = |outcomes: &str| format!("{} / {}", calls(name, outcomes), calls(name, ".+"));
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
        let text = alert_rules(&[("payments".to_owned(), settings.clone())]);
        for part in ["DarklaunchProviderFails", "for: 10m", "team \\\"pay\\\"", "status.new.example", "> 0.05 and"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let board = dashboard("payments", &settings);
        assert_eq!(board["panels"].as_array().unwrap().len(), 9);
        assert!(board["panels"][0]["options"]["content"].as_str().unwrap().contains("status.new.example"));
    }
}
