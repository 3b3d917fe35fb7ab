//! What the recorder tells places outside by itself: alerts by webhook, metrics and traces to a collector.

use crate::alerting;
use crate::app::common::Common;
use crate::app::threads::Runner;
use crate::app::{StartError, build};
use crate::config::{self, Config, WebhookConfig, WebhookFormat};
use crate::console;
use crate::exchange::{Clock, Integration};
use crate::otlp::{self, Exporter, Tracer};
use crate::telemetry::{self, Outbox, Priority};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Both ends of the export, if there is a collector.
pub(crate) fn otlp(config: &Config, started_unix_us: i64, outbox: &Arc<Outbox>) -> (Option<Tracer>, Option<Exporter>) {
    let Some(wanted) = &config.otlp else { return (None, None) };
    let mut headers = http::HeaderMap::new();
    for (name, secret) in &wanted.headers {
        if let Ok(mut value) = http::HeaderValue::from_bytes(secret.expose()) {
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
    }
    let settings = otlp::Settings {
        endpoint: String::from_utf8_lossy(wanted.endpoint.expose()).into_owned(),
        headers,
        interval_ms: wanted.interval_ms,
        traces_ppm: wanted.traces_ppm,
        version: env!("CARGO_PKG_VERSION"),
        instance: config::machine_name(),
        started_unix_us,
        servers: config.integrations.iter().map(|one| (build::name(one), build::servers(one))).collect(),
    };
    let (tracer, exporter) = otlp::open(settings, Arc::clone(outbox));
    (Some(tracer), Some(exporter))
}

/// Starts the thread.
pub(crate) fn start(
    config: &Config,
    common: &Common,
    shared: console::Shared,
    exporter: Option<Exporter>,
) -> Result<Runner, StartError> {
    let settings = alerting::Settings {
        receivers: receivers(config),
        times: config.alerts.times,
        repeat_s: config.alerts.repeat_s,
        timeout_ms: config.alerts.timeout_ms,
    };
    let shown = common.shown.clone();
    let inputs = alerting::Inputs {
        ledger: common.ledger.clone(),
        switchboard: common.switchboard.clone(),
        reviews: config.integrations.iter().map(|one| (build::name(one), one.review.clone())).collect(),
        store_path: config.store.path.clone(),
        alarm_bodies: Box::new(move || shown.now().alarm_bodies),
        outbox: common.outbox.clone(),
    };
    let cores = config.limits.shadow_cores;
    let run = move |stop: CancellationToken| async move {
        telemetry::step_back(Priority::Low, cores);
        let export = async {
            if let Some(exporter) = exporter {
                exporter.run(move || (console::gather(&shared), Clock.unix_us()), stop.clone()).await;
            }
        };
        tokio::join!(alerting::run(settings, inputs, stop.clone()), export);
    };
    Runner::start("dl-outward", run).map_err(StartError::one)
}

fn receivers(config: &Config) -> Vec<alerting::Receiver> {
    let all = config.alerts.webhooks.iter().map(|one| (None, one));
    let own = config.integrations.iter().flat_map(|one| {
        let name = build::name(one);
        one.webhooks.iter().map(move |webhook| (Some(Arc::clone(&name)), webhook))
    });
    all.chain(own).enumerate().map(|(at, (only, webhook))| receiver(at + 1, only, webhook)).collect()
}

fn receiver(number: usize, only: Option<Integration>, webhook: &WebhookConfig) -> alerting::Receiver {
    let (format, name) = match webhook.format {
        WebhookFormat::Slack => (alerting::Format::Slack, "slack"),
        WebhookFormat::Json => (alerting::Format::Json, "json"),
    };
    alerting::Receiver {
        name: format!("webhook_{number}_{name}").into(),
        format,
        url: String::from_utf8_lossy(webhook.url.expose()).into_owned(),
        only,
    }
}
