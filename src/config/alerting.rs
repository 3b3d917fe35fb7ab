//! Whom the recorder tells by itself: webhooks for alerts, and where its metrics and traces are sent.

use crate::config::reader::{Placed, Reader};
use crate::config::secret::{Reference, Secret};
use crate::review::AlertTimes;
use http::HeaderName;
use serde::Serialize;
use url::Url;

/// How a webhook wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// `{"text": ".."}`, as Slack, Mattermost, Rocket.Chat and others read it.
    Slack,
    /// Every part under its own name.
    Json,
}

/// One webhook. Its address is a secret: whoever knows it may write there.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookConfig {
    /// How it wants to be told.
    pub format: WebhookFormat,
    /// An http or https URL.
    pub url: Secret,
}

/// When and whom to tell.
#[derive(Clone, Debug, Serialize)]
pub struct AlertsConfig {
    /// Told of every integration.
    pub webhooks: Vec<WebhookConfig>,
    /// How long what must hold.
    pub times: AlertTimes,
    /// An alert that goes on is told again after so many seconds.
    pub repeat_s: u64,
    /// One attempt to deliver, milliseconds.
    pub timeout_ms: u64,
}

/// Where metrics and traces are sent.
#[derive(Clone, Debug, Serialize)]
pub struct OtlpConfig {
    /// The collector's base URL: `/v1/metrics` and `/v1/traces` are put behind it.
    pub endpoint: Secret,
    /// Sent with every export; values may be secret.
    #[serde(serialize_with = "crate::config::integration::header_texts")]
    pub headers: Vec<(HeaderName, Secret)>,
    /// Milliseconds between two exports.
    pub interval_ms: u64,
    /// Share of the captures of which a trace is sent, parts per million.
    pub traces_ppm: u32,
}

/// `[alerts]`
pub(in crate::config) fn alerts(reader: &mut Reader<'_>) -> AlertsConfig {
    let webhooks = webhooks(reader, "alerts.webhooks");
    let mut seconds = |key: &str| reader.duration_in(key, 1_000, "seconds");
    let times = AlertTimes {
        window_s: seconds("alerts.window"),
        lasts_s: seconds("alerts.lasting"),
        breaker_open_s: seconds("alerts.breaker_open"),
    };
    let repeat_s = seconds("alerts.repeat");
    AlertsConfig { webhooks, times, repeat_s, timeout_ms: reader.duration_ms("alerts.timeout") }
}

/// `slack:https://..`, `json:env:NAME`
pub(in crate::config) fn webhooks(reader: &mut Reader<'_>, key: &str) -> Vec<WebhookConfig> {
    let mut all = Vec::new();
    for (text, place) in reader.texts(key) {
        let format = match text.split_once(':') {
            Some(("slack", url)) => Some((WebhookFormat::Slack, url)),
            Some(("json", url)) => Some((WebhookFormat::Json, url)),
            _ => None,
        };
        let Some((format, url)) = format else {
            let remedy = "write \"slack:URL\" or \"json:URL\"; instead of the URL env:NAME or file:PATH keeps it out of this file";
            // It may be the address itself, which is a secret.
            reader.problem(place, key, None, "names no format", remedy);
            continue;
        };
        all.extend(address(reader, key, (url.to_owned(), place)).map(|url| WebhookConfig { format, url }));
    }
    all
}

/// `[otlp]`, if there is an endpoint.
pub(in crate::config) fn otlp(reader: &mut Reader<'_>) -> Option<OtlpConfig> {
    let interval_ms = reader.duration_ms("otlp.interval");
    let traces_ppm = reader.percent_ppm("otlp.traces");
    let mut headers = Vec::new();
    for (name, (value, place)) in reader.headers("otlp.headers") {
        let key = format!("otlp.headers.{name}");
        match (HeaderName::from_bytes(name.as_bytes()), secret(reader, &key, (value, place.clone()))) {
            (Ok(name), Some(value)) => headers.push((name, value)),
            (Ok(_), None) => {}
            (Err(_), _) => {
                reader.problem(place, &key, None, "is no header name", "write one such as \"authorization\"")
            }
        }
    }
    let endpoint = reader.text("otlp.endpoint")?;
    let endpoint = address(reader, "otlp.endpoint", endpoint)?;
    Some(OtlpConfig { endpoint, headers, interval_ms, traces_ppm })
}

fn secret(reader: &mut Reader<'_>, key: &str, (text, place): Placed<String>) -> Option<Secret> {
    let Some(reference) = Reference::parse(&text, reader.folder) else { return Some(Secret::literal(&text)) };
    match reference.resolve(reader.environment) {
        Ok(secret) => Some(secret),
        Err(error) => {
            reader.problem(place, key, None, &error.to_string(), "set it, or write another env:NAME or file:PATH");
            None
        }
    }
}

fn address(reader: &mut Reader<'_>, key: &str, (text, place): Placed<String>) -> Option<Secret> {
    let found = secret(reader, key, (text, place.clone()))?;
    let url = std::str::from_utf8(found.expose()).ok().and_then(|text| Url::parse(text).ok());
    if url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Some(found);
    }
    reader.problem(place, key, None, "is no http or https URL", "write one such as \"https://hooks.example/T0/B0\"");
    None
}
