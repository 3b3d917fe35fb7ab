//! The review for programs: stable field names, durations as integer microseconds (`_us`).

use crate::latency::stats::{Advice, Budget, LADDER, Refusal};
use crate::review::checks::refusal_words;
use crate::review::json::{rung, share_json, what_if};
use crate::review::paste::paste;
use crate::review::{Attempts, Check, EndpointAdvice, Ladder, Review, Row, Split};
use serde_json::{Map, Value, json};

impl Review {
    /// The review for programs.
    pub fn to_json(&self) -> Value {
        let rates = &self.rates;
        json!({
            "schema": "darklaunch.review/v1",
            "integration": self.integration,
            "verdict": self.verdict.name(),
            "summary": self.summary,
            "made_unix_s": self.made_unix_s,
            "since_unix_s": self.since_unix_s,
            "settings": self.settings,
            "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
            "endpoints": self.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
            "rates": {
                "recorded_calls": rates.calls,
                "peak_10s_calls_per_s": rates.peak_10s_per_s,
                "peak_minute_calls": rates.peak_minute,
                "peak_day_calls": rates.peak_day,
                "mean_call_bytes": rates.mean_bytes,
                "largest_call_bytes": rates.largest_bytes,
            },
            "ledger": self.ledger.to_json(),
            "settings_to_paste": paste(self).iter().map(|one| json!({
                "client": one.client,
                "language": one.language,
                "text": one.text,
                "meaning": one.meaning,
            })).collect::<Vec<_>>(),
        })
    }
}

fn check(check: &Check) -> Value {
    json!({
        "number": check.number,
        "name": check.name,
        "title": check.title,
        "verdict": check.verdict.name(),
        "found": check.found,
        "goal": check.goal,
        "calls": check.calls,
        "next": check.next,
        "details": check.details,
    })
}

fn endpoint(one: &EndpointAdvice) -> Value {
    let outcomes: Map<String, Value> =
        one.outcomes.iter().map(|(outcome, calls)| (outcome.name().to_owned(), json!(calls))).collect();
    json!({
        "endpoint": one.endpoint,
        "members": one.members,
        "calls": one.calls,
        "calls_per_day": one.calls_per_day,
        "outcomes": outcomes,
        "percentiles": ladder(&one.ladder),
        "percentiles_today": one.today.as_ref().map(ladder),
        "p95_ratio": one.ratio.map(|ratio| json!({ "value": ratio.value, "low": ratio.low, "high": finite(ratio.high) })),
        "slower_on_the_same_request": one.slower_share.map(|(share, pairs)| json!({ "share": share, "pairs": pairs })),
        "timeout": timeout(&one.timeout),
        "what_if": one.rows.iter().map(row).collect::<Vec<_>>(),
        "failures": share_json(&one.failures),
        "failure_correlation": one.correlation,
        "attempts": one.attempts.iter().map(attempts).collect::<Vec<_>>(),
        "hedge": one.hedge.map(|hedge| json!({
            "after_us": hedge.after_us,
            "p99_us": hedge.p99_us,
            "hedged_p99_us": hedge.hedged_p99_us,
            "p99_9_us": hedge.p999_us,
            "hedged_p99_9_us": hedge.hedged_p999_us,
            "extra_calls_share": hedge.extra,
        })),
        "breakers": one.breakers.iter().map(|breaker| json!({
            "window_calls": breaker.window,
            "failures": breaker.failures,
            "false_trips_per_day": breaker.false_trips_per_day,
        })).collect::<Vec<_>>(),
        "peak_calls_per_s": one.peak_per_s,
        "connections_at_peak": one.connections.0,
        "connections_if_it_hangs": one.connections.1,
        "modes": one.modes.iter().map(|mode| json!({ "peak_us": mode.peak_us, "share": mode.share })).collect::<Vec<_>>(),
        "split": one.split.as_ref().map(split),
        "weeks": one.weeks.iter().map(|week| json!({
            "start_unix_s": week.start_unix_s,
            "p95_ratio": week.ratio.value,
            "low": week.ratio.low,
            "high": finite(week.ratio.high),
            "moved": week.moved(),
        })).collect::<Vec<_>>(),
        "kaplan_meier": kaplan_meier(one),
    })
}

/// JSON has no infinity: an open end is null.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn ladder(ladder: &Ladder) -> Value {
    json!({
        "calls": ladder.calls,
        "censored_calls": ladder.censored_calls,
        "intervals": ladder.intervals,
        "sees_episodes": ladder.sees_episodes(),
        "rungs": ladder.rungs.iter().map(rung).collect::<Vec<_>>(),
    })
}

fn timeout(advice: &Advice) -> Value {
    match advice {
        Advice::Timeout(timeout) => json!({
            "known": true,
            "timeout_us": timeout.timeout_us,
            "overall_us": timeout.overall_us,
            "measured_share": timeout.measured_share,
            "share_at_most": timeout.share_at_most,
            "design_effect": timeout.deff,
            "worst_hours": timeout.worst.map(|worst| json!({
                "from_hour_of_week": worst.from_hour,
                "to_hour_of_week": worst.to_hour,
                "timeout_us": worst.timeout_us,
                "cut_by_overall": worst.cut_by_overall,
            })),
        }),
        Advice::Refused(refusal) => {
            let mut value = json!({ "known": false, "why": refusal_words(refusal) });
            if let Refusal::Calls { needs, has, days } = refusal {
                value["needs_calls"] = json!(needs);
                value["has_calls"] = json!(has);
                value["needs_days"] = json!(days);
            }
            value
        }
    }
}

fn row(row: &Row) -> Value {
    let mut value = what_if(&row.cut);
    value["lost_per_day"] = json!(row.lost_per_day);
    value["saved_per_day"] = json!(row.saved_per_day);
    value["held_us"] = json!(row.held_us.round() as u64);
    value["connections"] = json!(row.connections);
    value
}

fn attempts(attempts: &Attempts) -> Value {
    let budget = |budget: &Budget| json!({ "success": budget.success, "calls_per_operation": budget.calls });
    let plan = attempts.plan;
    json!({
        "attempts": plan.attempts,
        "timeout_us": plan.timeout_us,
        "backoff_us": plan.backoff_us,
        "budget_us": plan.budget_us,
        "as_measured": budget(&attempts.measured),
        "if_independent": budget(&attempts.independent),
    })
}

fn split(split: &Split) -> Value {
    let group = |(name, p99_us, calls): &(String, u64, u64)| json!({ "value": name, "p99_us": p99_us, "calls": calls });
    json!({
        "label": split.label,
        "explained": split.explained,
        "groups": split.groups.iter().map(group).collect::<Vec<_>>(),
    })
}

fn kaplan_meier(one: &EndpointAdvice) -> Value {
    let quantiles: Map<String, Value> =
        LADDER.iter().map(|level| (level.name.to_owned(), json!(one.survival.quantile(*level)))).collect();
    json!({ "known_up_to": one.survival.known_up_to(), "quantiles_us": quantiles })
}
