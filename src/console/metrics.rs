//! `/metrics`: the ledger as OpenMetrics text, built from one snapshot per scrape. Labels are names from the
//! configuration, never anything a request carried.

use crate::console::{RulesShown, Shared, view};
use crate::control::RampPhase;
use crate::exchange::DropReason;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The content type of what [`text`] returns.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

/// The scrape's text.
pub(crate) fn text(shared: &Shared) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("darklaunch");
    let rules = shared.rules.now();
    let version = vec![("version", shared.version), ("rules_hash", &rules.everyone)];
    let version: Vec<(&str, String)> = version.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    registry.register("build", "The program that speaks", Info::new(version));
    let up: Gauge = Gauge::default();
    up.set(i64::from(shared.ready.is_up()));
    registry.register("ready", "1 while the recorder is up", up);
    let started: Gauge = Gauge::default();
    started.set(shared.started_unix_us / 1_000_000);
    registry.register("start_time_seconds", "When the process started, Unix time", started);
    switches(shared, &mut registry);
    books(shared, &mut registry);
    redaction(shared, &rules, &mut registry);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn switches(shared: &Shared, registry: &mut Registry) {
    let [enabled, paused, sample, held] = [(); 4].map(|()| Gauges::default());
    for switch in shared.switchboard.iter() {
        let state = switch.state();
        let labels: Labels = vec![("integration", switch.integration().to_string())];
        enabled.get_or_create(&labels).set(i64::from(state.on));
        paused.get_or_create(&labels).set(i64::from(state.paused.is_some()));
        let is_held = state.ramp.is_some_and(|ramp| matches!(ramp.phase, RampPhase::Held { .. }));
        held.get_or_create(&labels).set(i64::from(is_held));
        sample.get_or_create(&labels).set(i64::from(state.sample_ppm));
    }
    registry.register("mirror_enabled", "1 while mirroring is switched on", enabled);
    registry.register("mirror_paused", "1 while a limit holds mirroring back although it is on", paused);
    registry.register("mirror_ramp_held", "1 while a gate keeps a ramp from rising", held);
    registry.register("mirror_sample_ppm", "Share of requests mirrored, parts per million", sample);
}

fn books(shared: &Shared, registry: &mut Registry) {
    let [requests, mirrored, not_mirrored, primary] = [(); 4].map(|()| Counters::default());
    let [recorded, not_recorded] = [(); 2].map(|()| Counters::default());
    let pending = Gauges::default();
    for book in shared.ledger.iter() {
        let now = book.snapshot();
        let name = || ("integration", book.integration().to_string());
        requests.get_or_create(&vec![name()]).inc_by(now.arrived);
        recorded.get_or_create(&vec![name()]).inc_by(now.recorded);
        pending.get_or_create(&vec![name()]).set(i64::try_from(now.pending).unwrap_or(i64::MAX));
        for (outcome, count) in view::by_outcome(&now.mirrored) {
            mirrored.get_or_create(&vec![name(), ("outcome", outcome.to_owned())]).inc_by(count);
        }
        for (outcome, count) in view::by_outcome(&now.primary) {
            primary.get_or_create(&vec![name(), ("outcome", outcome.to_owned())]).inc_by(count);
        }
        for (reason, count) in view::by_reason(&now.not_mirrored) {
            not_mirrored.get_or_create(&vec![name(), ("reason", reason.to_owned())]).inc_by(count);
        }
        for (reason, count) in now.not_recorded {
            not_recorded.get_or_create(&vec![name(), ("reason", reason)]).inc_by(count);
        }
    }
    let refused = Counters::default();
    for (kind, count) in view::by_kind(&shared.ledger.refused().snapshot()) {
        refused.get_or_create(&vec![("kind", kind.to_owned())]).inc_by(count);
    }
    registry.register("refused_requests", "Requests that belong to no integration, by kind", refused);
    registry.register("requests", "Requests that arrived", requests);
    registry.register("pending", "Requests not yet in an end state", pending);
    registry.register("mirrored", "Requests repeated to the shadow, by what came of it", mirrored);
    registry.register("not_mirrored", "Requests not repeated, by reason", not_mirrored);
    registry.register("primary", "Requests answered by the primary, by what came of it", primary);
    registry.register("recorded", "Captures stored", recorded);
    registry.register("not_recorded", "Captures that could not be stored, by reason", not_recorded);
}

fn redaction(shared: &Shared, rules: &RulesShown, registry: &mut Registry) {
    let [redactions, dropped, kept] = [(); 3].map(|()| Counters::default());
    let [alarm, self_check] = [(); 2].map(|()| Gauges::default());
    for book in shared.ledger.iter() {
        let now = book.snapshot();
        let name = || ("integration", book.integration().to_string());
        kept.get_or_create(&vec![name()]).inc_by(now.bodies_kept);
        alarm.get_or_create(&vec![name()]).set(i64::from(now.rules_do_not_fit(rules.alarm_bodies)));
        let leaks = rules.own.get(&**book.integration()).is_some_and(|set| !set.leaks.is_empty());
        self_check.get_or_create(&vec![name()]).set(i64::from(!leaks));
        for (reason, count) in DropReason::ALL.iter().zip(now.body_dropped) {
            dropped.get_or_create(&vec![name(), ("reason", reason.name().to_owned())]).inc_by(count);
        }
        for hits in now.redaction_hits {
            let place = [("side", hits.side.to_owned()), ("part", hits.part.to_owned())];
            let labels = [name(), ("rule", hits.rule.to_string())].into_iter().chain(place).collect();
            redactions.get_or_create(&labels).inc_by(hits.count);
        }
    }
    let generation: Gauge = Gauge::default();
    generation.set(i64::try_from(rules.generation).unwrap_or(i64::MAX));
    registry.register("redactions", "Values replaced before storing, by rule and place", redactions);
    registry.register("bodies_kept", "Bodies kept, redacted", kept);
    registry.register("bodies_dropped", "Bodies not kept although their exchange was, by reason", dropped);
    registry.register("redaction_alarm", "1 while bodies are stored and no rule has ever hit", alarm);
    registry.register("redaction_self_check", "1 if the rules found every canary; 0: no body is stored", self_check);
    registry.register("redaction_rules_generation", "Counts the reloads of the rules, from 1", generation);
}
