//! What one endpoint's calls to the new provider advise: timeout, attempts, connections, breaker; and whether it is two.

use crate::exchange::Outcome;
use crate::latency::stats::{
    self, Advice, Breaker, Budget, CONFIDENCE, Cell, Hedge, Level, Mode, Plan, Ratio, Survival, Weeks, WhatIf,
};
use crate::latency::{Phase, Slots, Timeline};
use crate::review::calls::Calls;
use crate::review::{Ladder, Profile, Settings};
use crate::store::CallShape;
use std::collections::BTreeMap;

/// Timeouts that the table shows beside the advised one, microseconds.
const TABLE_US: [u64; 10] =
    [100_000, 200_000, 300_000, 500_000, 800_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000, 10_000_000];
/// The p95, which comparisons and drift look at.
const P95: Level = Level { name: "p95", num: 95, den: 100 };

/// One row of the table of timeouts.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The share of good answers it would cut.
    pub cut: WhatIf,
    /// Good answers lost a day.
    pub lost_per_day: f64,
    /// Calls a day that fail anyway and would no longer be waited for.
    pub saved_per_day: f64,
    /// How long a call holds a connection on average, microseconds, whatever came of it.
    pub held_us: f64,
    /// Connections that suffice at the recorded peak.
    pub connections: u64,
}

/// A way to try, and what it comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempts {
    /// The way.
    pub plan: Plan,
    /// If failures were independent.
    pub independent: Budget,
    /// As failures really come.
    pub measured: Budget,
}

/// What tells two modes apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The label: `status`, `answer size` or `connection`.
    pub label: &'static str,
    /// The share of the variance it explains, 0 to 1.
    pub explained: f64,
    /// Its values with the p99 of each (or the largest, of few), microseconds, and the calls looked at.
    pub groups: Vec<(String, u64, u64)>,
}

/// Everything said about one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointAdvice {
    /// Method and path template; `rare endpoints` for several that are judged together.
    pub endpoint: String,
    /// The endpoints it is about: itself, or the rare ones.
    pub members: Vec<String>,
    /// Whether it has less than `rare_share` of the calls.
    pub is_rare: bool,
    /// Every call to the new provider.
    pub calls: u64,
    /// Calls by outcome.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The new provider's percentiles.
    pub ladder: Ladder,
    /// Today's provider's percentiles.
    pub today: Option<Ladder>,
    /// New over today's at the p95.
    pub ratio: Option<Ratio>,
    /// On the same request: how often the new one was slower, 0 to 1, and pairs.
    pub slower_share: Option<(f64, u64)>,
    /// The timeout.
    pub timeout: Advice,
    /// The timeout that what follows counts with, microseconds: the advised one, or the budget.
    pub timeout_us: u64,
    /// The table of timeouts.
    pub rows: Vec<Row>,
    /// The correlation of failures, 0 to 1.
    pub correlation: f64,
    /// Ways to try within the budget, best first of its kind: by attempts.
    pub attempts: Vec<Attempts>,
    /// A second call in parallel.
    pub hedge: Option<Hedge>,
    /// Breakers over 20 and 100 calls.
    pub breakers: Vec<Breaker>,
    /// Connections at peak, and if the provider hangs.
    pub connections: (u64, u64),
    /// Calls a second in the busiest ten seconds of all calls.
    pub peak_per_s: f64,
    /// Share of 5xx, network errors and timeouts with its upper bound, 0 to 1.
    pub failures: stats::Share,
    /// The modes of the good answers.
    pub modes: Vec<Mode>,
    /// What tells them apart.
    pub split: Option<Split>,
    /// Week against week.
    pub weeks: Vec<Weeks>,
    /// The 168 hours of the week, above the timeout.
    pub hours: Vec<Cell>,
    /// Beyond what was always waited for, where recordings with several timeouts were made.
    pub survival: Survival,
    /// Phases of the good answers: name and slots.
    pub phases: Vec<(&'static str, Slots)>,
    /// Good answers, for the curve.
    pub answered: Slots,
    /// Those of today's provider; empty without one.
    pub answered_today: Slots,
    /// Calls a day of the new provider's recording.
    pub calls_per_day: f64,
    /// Stretches of time with calls, seconds from first to last.
    pub span_s: i64,
}

/// Whether a call failed by no fault of ours: 5xx, network errors, our own timeouts.
pub(crate) fn failed(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Server5xx | Outcome::NetworkError | Outcome::Timeout)
}

/// What is judged together, by its name.
#[derive(Clone, Copy)]
pub(crate) enum Group<'a> {
    /// An endpoint.
    Usual(&'a str),
    /// An endpoint with few of the calls, or several of them.
    Rare(&'a str),
}

/// What is known of an endpoint beside its calls.
pub(crate) struct Around<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) shapes: &'a [CallShape],
    /// Calls a second of this endpoint in the busiest ten seconds.
    pub(crate) peak_per_s: f64,
}

impl EndpointAdvice {
    pub(crate) fn of(
        group: Group<'_>,
        members: Vec<String>,
        shadow: &Calls,
        primary: Option<&Calls>,
        around: &Around<'_>,
    ) -> Self {
        let (endpoint, is_rare) = match group {
            Group::Usual(name) => (name, false),
            Group::Rare(name) => (name, true),
        };
        let settings = around.settings;
        let confidence = stats::confidence_of_look(settings.looks);
        let good = shadow.success();
        let today = primary.map(Calls::success).filter(|today| today.calls() > 0);
        let timeout = stats::advise(&good, settings.lost_answers, confidence);
        let timeout_us = match timeout {
            Advice::Timeout(timeout) => timeout.timeout_us,
            Advice::Refused(_) => settings.budget_us,
        };
        let failures = shadow.of(failed);
        let correlation = stats::correlation(&shadow.failures_by_interval(timeout_us));
        // Several endpoints are several kinds of calls.
        let modes = if members.len() > 1 { Vec::new() } else { stats::modes(good.answered()) };
        let whole = shadow.of(|_| true);
        let all = Slots::merged([whole.answered(), whole.censored()]);
        let rate = whole.calls_per_day() / 86_400.0 / if settings.sample > 0.0 { settings.sample } else { 1.0 };
        // Recordings may have been pruned where latencies are kept: the peak is never below the mean.
        let around = &Around { peak_per_s: around.peak_per_s.max(rate), ..*around };
        let held_us = all.mean_held_us(timeout_us).unwrap_or_default();
        let bad = stats::share(failures.calls(), shadow.count(|outcome| outcome != Outcome::Client4xx));
        let breakers = [20, 100];
        Self {
            endpoint: endpoint.to_owned(),
            members,
            is_rare,
            calls: shadow.len(),
            outcomes: shadow.outcomes(),
            ladder: Ladder::of(&good),
            today: today.as_ref().map(Ladder::of),
            ratio: today.as_ref().and_then(|today| stats::ratio(&good, today, P95, confidence)),
            slower_share: slower_share(shadow),
            timeout,
            timeout_us,
            rows: rows(&good, shadow, &all, timeout_us, around),
            correlation,
            attempts: attempts(shadow, timeout_us, correlation, settings),
            hedge: stats::hedge(good.answered(), correlation),
            breakers: breakers
                .into_iter()
                .filter_map(|window| stats::breaker(window, rate, bad.value(), correlation))
                .collect(),
            connections: (
                stats::connections(around.peak_per_s, held_us),
                stats::connections(around.peak_per_s, timeout_us as f64),
            ),
            peak_per_s: around.peak_per_s,
            failures: bad,
            split: if modes.len() > 1 { split(around.shapes) } else { None },
            modes,
            weeks: stats::weeks(&good, P95),
            hours: stats::hours(&good, timeout_us),
            survival: stats::survival(good.answered(), good.censored()),
            phases: shadow.phases(),
            answered: good.answered().clone(),
            answered_today: today.map(|today| today.answered().clone()).unwrap_or_default(),
            calls_per_day: good.calls_per_day(),
            span_s: good.span_s(),
        }
    }

    /// The best way to try: where more attempts gain less than a tenth of what fails, fewer.
    pub fn best(&self) -> Option<&Attempts> {
        let mut best = self.attempts.first()?;
        for next in &self.attempts[1..] {
            let (lost, left) = (1.0 - best.measured.success, 1.0 - next.measured.success);
            if left < lost * 0.9 {
                best = next;
            }
        }
        Some(best)
    }
}

fn slower_share(shadow: &Calls) -> Option<(f64, u64)> {
    let pairs = |phase| shadow.phase(phase, |_| true).len();
    let (slower, faster) = (pairs(Phase::Slower), pairs(Phase::Faster));
    let all = slower + faster;
    (all > 0).then(|| (slower as f64 / all as f64, all))
}

fn rows(good: &Timeline, shadow: &Calls, all: &Slots, timeout_us: u64, around: &Around<'_>) -> Vec<Row> {
    let mut table: Vec<u64> = TABLE_US.into_iter().chain([timeout_us]).collect();
    table.sort_unstable();
    table.dedup();
    let (per_day, bad) = (good.calls_per_day(), shadow.of(|outcome| outcome != Outcome::Ok));
    let bad_per_day = bad.calls_per_day();
    // Rows read together share the error (Bonferroni).
    let confidence = 1.0 - (1.0 - CONFIDENCE) / table.len() as f64;
    let row = |timeout_us: u64| {
        let held_us = all.mean_held_us(timeout_us)?;
        Some(Row {
            cut: stats::what_if(good, timeout_us, confidence)?,
            lost_per_day: good.above(timeout_us).1 as f64 / good.calls().max(1) as f64 * per_day,
            saved_per_day: bad.above(timeout_us).0 as f64 / bad.calls().max(1) as f64 * bad_per_day,
            held_us,
            connections: stats::connections(around.peak_per_s, held_us),
        })
    };
    table.into_iter().filter_map(row).collect()
}

/// For each number of attempts the timeout that succeeds most often as failures really come.
fn attempts(shadow: &Calls, advised_us: u64, rho: f64, settings: &Settings) -> Vec<Attempts> {
    let good = shadow.of(|outcome| outcome == Outcome::Ok);
    let quick = shadow.of(|outcome| {
        matches!(outcome, Outcome::Server5xx | Outcome::NetworkError | Outcome::Throttled429 | Outcome::OkButError)
    });
    let hangs = shadow.count(|outcome| outcome == Outcome::Timeout);
    let (most, backoff_us) = match settings.profile {
        Profile::UserFlow => (2, 100_000),
        Profile::Background => (5, 10_000_000),
    };
    let budget_us = settings.budget_us;
    let mut timeouts = vec![advised_us.min(budget_us)];
    timeouts.extend((1..=u64::from(most)).map(|share| (budget_us / share).saturating_sub(backoff_us / share)));
    timeouts.retain(|us| *us > 0);
    let best = |attempts: u32| {
        let plans = timeouts.iter().map(|timeout_us| {
            let plan = Plan { timeout_us: *timeout_us, attempts, backoff_us, budget_us };
            let of = |rho| stats::success_within(good.answered(), quick.answered(), hangs, plan, rho);
            Attempts { plan, independent: of(0.0), measured: of(rho) }
        });
        plans.max_by(|a, b| a.measured.success.total_cmp(&b.measured.success))
    };
    if good.calls() == 0 { Vec::new() } else { (1..=most).filter_map(best).collect() }
}

/// A label's name, and what it says of a call.
type Label<'a> = (&'static str, &'a dyn Fn(&CallShape) -> String);

/// The label that tells the modes apart best, if one explains more than half.
fn split(shapes: &[CallShape]) -> Option<Split> {
    let octave = |bytes: u64| match bytes {
        0 => "no body".to_owned(),
        bytes => format!("{} to {} bytes", 1_u64 << bytes.ilog2(), (1_u64 << bytes.ilog2()).saturating_mul(2) - 1),
    };
    let connection = |new: bool| (if new { "new connection" } else { "reused connection" }).to_owned();
    let labels: [Label<'_>; 4] = [
        ("status", &|one| one.status.map_or_else(|| "none".to_owned(), |status| status.to_string())),
        ("answer size", &|one| octave(one.answer_bytes)),
        ("request size", &|one| octave(one.request_bytes)),
        ("connection", &|one| connection(one.new_connection)),
    ];
    let explain = |(label, of): Label<'_>| {
        let mut groups: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        shapes.iter().for_each(|one| groups.entry(of(one)).or_default().push((one.total_us, 1)));
        let groups: Vec<(String, Slots)> =
            groups.into_iter().map(|(name, calls)| (name, Slots::from_counts(calls))).collect();
        let explained = stats::explained(groups.iter().map(|(_, slots)| slots));
        let p99 = |slots: &Slots| slots.value_at_rank((slots.len() * 99).div_ceil(100)).unwrap_or_default();
        let groups = groups.iter().map(|(name, slots)| (name.clone(), p99(slots), slots.len())).collect();
        Split { label, explained, groups }
    };
    let splits = labels.into_iter().map(explain);
    splits.max_by(|a, b| a.explained.total_cmp(&b.explained)).filter(|split| split.explained > 0.5)
}
