//! The report as JSON: stable field names, durations as integer microseconds (`_us`).

use crate::latency::stats::{self, Share, WhatIf};
use crate::review::{LatencyReport, LedgerTally, Rung, Section};
use serde_json::{Map, Value, json};

impl LatencyReport {
    /// The report for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "integration": self.integration,
            "endpoint": self.endpoint,
            "since_unix_s": self.since_unix_s,
            "confidence": stats::CONFIDENCE,
            "sections": self.sections.iter().map(section).collect::<Vec<_>>(),
            "ledger": self.ledger.to_json(),
        })
    }
}

impl LedgerTally {
    /// The counters for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "arrived": self.arrived,
            "pending": self.pending,
            "mirrored": self.mirrored,
            "mirrored_total": self.mirrored_total(),
            "not_mirrored": self.not_mirrored,
            "not_mirrored_total": self.not_mirrored_total(),
            "primary": self.primary,
            "recorded": self.recorded,
            "not_recorded": self.not_recorded,
            "body_dropped": self.body_dropped,
            "part_dropped": self.part_dropped,
            "adds_up": self.adds_up(),
            "clock_steps": self.clock_steps,
        })
    }
}

fn section(section: &Section) -> Value {
    let outcomes: Map<String, Value> =
        section.outcomes.iter().map(|(outcome, calls)| (outcome.name().to_owned(), json!(calls))).collect();
    json!({
        "endpoint": section.endpoint,
        "role": section.role.name(),
        "calls": section.calls,
        "outcomes": outcomes,
        "success": {
            "calls": section.success.calls,
            "censored_calls": section.success.censored_calls,
            "intervals": section.success.intervals,
            "sees_episodes": section.success.sees_episodes(),
            "percentiles": section.success.rungs.iter().map(rung).collect::<Vec<_>>(),
        },
        "what_if": section.what_if.iter().map(what_if).collect::<Vec<_>>(),
        "phases": section.phases.iter().map(|(name, ladder)| json!({
            "phase": name,
            "calls": ladder.calls,
            "percentiles": ladder.rungs.iter().map(rung).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

pub(crate) fn rung(rung: &Rung) -> Value {
    json!({
        "name": rung.name,
        "quantile": rung.quantile,
        "supported": rung.estimate.is_some(),
        "needs_calls": rung.needs_calls,
        "needs_days": rung.needs_days,
        "value_us": rung.estimate.map(|estimate| estimate.value_us),
        "at_least": rung.estimate.map(|estimate| estimate.at_least),
        "low_us": rung.estimate.and_then(|estimate| estimate.low_us),
        "high_us": rung.estimate.and_then(|estimate| estimate.high_us),
        "design_effect": rung.estimate.map(|estimate| estimate.effect.deff),
    })
}

/// A share with its interval.
pub(crate) fn share_json(share: &Share) -> Value {
    json!({ "calls": share.n, "k": share.k, "share": share.value(), "low": share.low, "high": share.high })
}

pub(crate) fn what_if(row: &WhatIf) -> Value {
    json!({
        "timeout_us": row.timeout_us,
        "calls": row.surely.n,
        "cut_calls": row.surely.k,
        "cut_calls_most": row.at_most.k,
        "share": row.surely.value(),
        "share_low": row.surely.low,
        "share_high": row.at_most.high,
        "design_effect": row.deff,
    })
}
