//! The fifteen checks of a go-live review: first whether the recording can tell at all, then what it tells.

use crate::exchange::Outcome;
use crate::latency::stats::{self, Advice, CLUSTERS_MIN, Refusal};
use crate::review::advice::EndpointAdvice;
use crate::review::check::{Check, Verdict};
use crate::review::evidence::Evidence;
use crate::review::text::{human_us, percent};
use crate::review::{Profile, Settings};

const S_PER_DAY: f64 = 86_400.0;
/// From here on calls lie in another stretch of ten minutes than that in which they came.
const STEP_MS_MOST: u64 = 600_000;

/// All of them, in their order.
pub(crate) fn all(evidence: &Evidence, settings: &Settings) -> Vec<Check> {
    vec![
        enough(evidence, settings),
        coverage(evidence, settings),
        honest(evidence, settings),
        censoring(evidence, settings),
        sampling(evidence, settings),
        fits(evidence, settings),
        success(evidence, settings),
        failures(evidence, settings),
        client_errors(evidence, settings),
        no_success(evidence, settings),
        quota(evidence, settings),
        today(evidence, settings),
        stable(evidence),
        volume(evidence, settings),
        controls(evidence, settings),
    ]
}

/// What a refused timeout needs, for people.
pub(crate) fn refusal_words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Calls { needs, has, days } => {
            let days = match days {
                Some(days) => format!(", about {} more", days_words(*days)),
                None => String::new(),
            };
            format!("needs {needs} calls, has {has}{days}")
        }
        Refusal::Intervals { needs, has } => {
            format!("needs calls in {needs} stretches of ten minutes to see slow episodes, has {has}")
        }
        Refusal::Censored { share, most } => format!(
            "{} of the calls were ended by the recorder before they answered; at most {} may be",
            percent(*share),
            percent(*most)
        ),
    }
}

/// For people: in the largest unit that it fills, rounded up.
pub(crate) fn days_words(days: f64) -> String {
    let (count, unit) = match days {
        d if d < 1.0 / 24.0 => ((d * 1_440.0).ceil(), "minute"),
        d if d < 1.0 => ((d * 24.0).ceil(), "hour"),
        d => (d.ceil(), "day"),
    };
    if count == 1.0 { format!("1 {unit}") } else { format!("{count:.0} {unit}s") }
}

fn enough(evidence: &Evidence, settings: &Settings) -> Check {
    let goal = format!(
        "a timeout that loses at most {} of the good answers, for every endpoint",
        percent(settings.lost_answers)
    );
    let check = Check::new(1, "enough_calls", "Are there enough calls?", goal, evidence.shadow.len());
    let left_out = evidence.negligible(settings);
    let judged = evidence.judged(settings);
    let refused: Vec<String> = judged
        .iter()
        .filter_map(|one| match &one.timeout {
            Advice::Refused(refusal @ (Refusal::Calls { .. } | Refusal::Intervals { .. })) => {
                Some(format!("{}: {}", one.endpoint, refusal_words(refusal)))
            }
            _ => None,
        })
        .collect();
    let rare = evidence.endpoints.iter().filter(|one| one.members.len() > 1).map(|one| {
        format!(
            "{} are {} endpoints with less than {} of the calls each, {} together: {}",
            one.endpoint,
            one.members.len(),
            percent(settings.rare_share),
            percent(one.calls as f64 / evidence.shadow.len().max(1) as f64),
            one.members.join(", ")
        )
    });
    let negligible = left_out.map(|one| {
        format!(
            "{} ({} calls) cannot be judged, and nothing hangs on it: were each of its answers lost, at most {} of all would be",
            one.endpoint,
            one.calls,
            percent(settings.lost_answers)
        )
    });
    let (all, missing) = (judged.len(), refused.len());
    check
        .found(format!("{} of {all} endpoints have enough", all - missing))
        .unless(
            missing == 0,
            Verdict::CannotSay,
            "go on recording, raise mirror.sample, accept a larger review.lost_answers, or judge more endpoints together \
             with a larger review.rare_share",
        )
        .detail(refused)
        .detail(rare)
        .detail(negligible)
}

fn coverage(evidence: &Evidence, settings: &Settings) -> Check {
    let calls = &evidence.shadow;
    let (days, stretches) = (calls.span_s() as f64 / S_PER_DAY, calls.intervals());
    let missing = evidence.hours_missing();
    let step = |of: &str| evidence.ledger.clock_steps.get(of).copied().unwrap_or_default();
    let (ahead_ms, back_ms) = (step("ahead_ms"), step("back_ms"));
    let stepped_ms = ahead_ms.saturating_add(back_ms);
    let goal = format!("{} days, every hour of the week in which today's provider is called", settings.span_days);
    let next = "go on recording until a whole week is covered; nights say nothing about the busy hours";
    Check::new(2, "coverage_in_time", "Does the recording cover the week?", goal, calls.len())
        .found(format!(
            "{} from first to last call, stretches of ten minutes with calls: {stretches}; {missing} hours missing of those in which today's provider was called",
            days_words(days)
        ))
        .unless(
            calls.last_unix_s() <= evidence.now_unix_s,
            Verdict::CannotSay,
            "calls lie in the future: this machine's clock is wrong, or the recorder's was",
        )
        .unless(
            stepped_ms < STEP_MS_MOST,
            Verdict::CannotSay,
            "the hours of what was recorded before are wrong: keep the clock right (chrony, systemd-timesyncd) and review \
             what came after with --since",
        )
        .unless(days >= settings.span_days - 0.01, Verdict::CannotSay, next)
        .unless(stretches >= CLUSTERS_MIN, Verdict::CannotSay, next)
        .unless(missing == 0, Verdict::CannotSay, next)
        .detail((stepped_ms > 0).then(|| {
            format!(
                "the recorder's clock was set ahead by {} and back by {}, or its machine slept: latencies are right, hours are not",
                human_us(ahead_ms.saturating_mul(1_000)),
                human_us(back_ms.saturating_mul(1_000))
            )
        }))
}

/// Own delay that never matters: the mirror gathers calls for two milliseconds, and a call's time begins when it is sent.
const OWN_DELAY_US: u64 = 5_000;

fn honest(evidence: &Evidence, settings: &Settings) -> Check {
    const BUSY: [&str; 5] = ["queue_full", "memory", "rate", "breaker", "paused_429"];
    let refused = |name: &&str| evidence.ledger.not_mirrored.get(*name).copied().unwrap_or_default();
    let (dropped, mirrored) = (BUSY.iter().map(refused).sum::<u64>(), evidence.ledger.mirrored_total());
    let share = dropped as f64 / (dropped + mirrored).max(1) as f64;
    let most = settings.lost_answers * 0.1;
    let wait = evidence.shadow.queue_wait();
    let wait_us = wait.value_at_rank((wait.len() * 999).div_ceil(1_000)).unwrap_or_default();
    let (good, ended) = (evidence.shadow.good(), evidence.shadow.good_or_ended());
    let median_us = good.value_at_rank(ended.div_ceil(2)).unwrap_or_default();
    let reasons: Vec<String> =
        BUSY.iter().filter(|name| refused(name) > 0).map(|name| format!("{name}: {} calls", refused(name))).collect();
    let late = good.count_above(settings.budget_us).saturating_add(ended.saturating_sub(good.len()));
    let (n, k) = (ended.max(1) as f64, late as f64);
    let d = dropped as f64;
    let check = Check::new(
        3,
        "recorder_honest",
        "Did the recorder see the slow calls?",
        format!(
            "at most {} of the calls left out for want of room, own delay below 5 % of the median or 5 ms",
            percent(most)
        ),
        dropped + mirrored,
    );
    let share_words = format!(
        "the share of answers later than {} lies between {} and {}, whatever was left out",
        human_us(settings.budget_us),
        percent(k / (n + d)),
        percent((k + d) / (n + d))
    );
    check
        .found(format!(
            "{dropped} calls left out while the provider was slow or the recorder was full ({}), own delay p99.9 {}",
            percent(share),
            human_us(wait_us)
        ))
        .unless(
            share <= most,
            Verdict::CannotSay,
            "calls are left out just when the provider is slow, so the tail is missing: raise mirror.in_flight and mirror.queue \
             to peak rate x shadow.total_timeout, and thin the traffic with mirror.sample instead",
        )
        .unless(
            wait_us as f64 <= median_us as f64 * 0.05 || wait_us < OWN_DELAY_US,
            Verdict::CannotSay,
            "calls waited for their turn in the recorder: raise mirror.in_flight, or give it more of the machine",
        )
        .detail(reasons)
        .detail((dropped > 0).then_some(share_words))
        .detail((evidence.deaths > 0).then(|| format!("{} runs died; their last commit interval is missing", evidence.deaths)))
}

fn censoring(evidence: &Evidence, settings: &Settings) -> Check {
    let timeouts = evidence.shadow.count(|outcome| outcome == Outcome::Timeout);
    let good = evidence.shadow.good_or_ended();
    let share = timeouts as f64 / good.max(1) as f64;
    let waited = settings.recording_timeout_us;
    let judged = evidence.judged(settings);
    let longest = judged.iter().map(|one| one.timeout_us).max().unwrap_or_default();
    let advised = judged.iter().any(|one| matches!(one.timeout, Advice::Timeout(_)));
    let chosen = if advised { "longest timeout advised" } else { "no timeout could be advised, the budget is" };
    let words = waited.map_or_else(String::new, |us| format!(", waited for {}", human_us(us)));
    let goal = format!(
        "at most {} ended by the recorder, and three times as long waited for as any timeout chosen",
        percent(settings.lost_answers / 2.0)
    );
    let next = "raise shadow.total_timeout and shadow.read_timeout (60s cost nothing: nobody waits for these calls) and record again";
    Check::new(4, "censoring", "Was every call waited for long enough?", goal, good)
        .found(format!(
            "{timeouts} calls ended by the recorder ({}){words}; {chosen} {}",
            percent(share),
            human_us(longest)
        ))
        .unless(share <= settings.lost_answers / 2.0, Verdict::CannotSay, next)
        .unless(waited.is_none_or(|waited| waited >= longest.saturating_mul(3)), Verdict::CannotSay, next)
}

fn sampling(evidence: &Evidence, _settings: &Settings) -> Check {
    let check = Check::new(
        5,
        "sampling_unbiased",
        "Are the mirrored calls like all calls?",
        "shares of the endpoints differ by at most 2 points",
        evidence.shadow.len(),
    );
    match evidence.mixture() {
        None => check.found("there is no primary to compare with; the sample is drawn by hash"),
        Some((difference, endpoint)) => {
            check.found(format!("largest difference {:.1} points, at {endpoint}", difference * 100.0)).unless(
                difference <= 0.02,
                Verdict::CannotSay,
                "some endpoints are mirrored less: look at mirror.shares, mirror.max_body and what was left out",
            )
        }
    }
}

fn fits(evidence: &Evidence, settings: &Settings) -> Check {
    let judged = evidence.judged(settings);
    let advised: Vec<(&EndpointAdvice, u64)> = judged
        .iter()
        .filter_map(|one| match &one.timeout {
            Advice::Timeout(timeout) => Some((*one, timeout.timeout_us)),
            Advice::Refused(_) => None,
        })
        .collect();
    let goal = format!("every timeout within the budget of {}", human_us(settings.budget_us));
    let calls = advised.iter().map(|(one, _)| one.ladder.calls).sum();
    let check = Check::new(6, "timeout_fits", "Does the timeout fit the time there is?", goal, calls);
    let Some((worst, us)) = advised.iter().max_by_key(|(_, us)| *us) else {
        return check.found("no timeout could be advised").unless(false, Verdict::CannotSay, "see check 1");
    };
    let next = match settings.profile {
        Profile::UserFlow => {
            "nobody waits that long: make it a background call, split the endpoint, or lose more answers knowingly"
        }
        Profile::Background => "raise review.budget, or speak with the provider about these calls",
    };
    check
        .found(format!("longest advised timeout {} ({})", human_us(*us), worst.endpoint))
        .unless(*us <= settings.budget_us, Verdict::NoGo, next)
        .unless(advised.len() == judged.len(), Verdict::CannotSay, "see check 1")
        .detail(advised.iter().map(|(one, us)| format!("{}: {}", one.endpoint, human_us(*us))))
}

fn success(evidence: &Evidence, settings: &Settings) -> Check {
    let goal = format!(
        "at least {} of the operations succeed within {}",
        percent(settings.success),
        human_us(settings.budget_us)
    );
    let check = Check::new(7, "success_in_budget", "Do operations succeed in time?", goal, evidence.shadow.len());
    let needed = (0.05_f64.ln() / settings.success.ln()).ceil();
    let judged = evidence.judged(settings);
    let judged: Vec<_> = judged.iter().filter_map(|one| Some((*one, one.best()?))).collect();
    let Some((worst, best)) = judged.iter().min_by(|a, b| a.1.measured.success.total_cmp(&b.1.measured.success)) else {
        return check.found("no call succeeded").unless(
            false,
            Verdict::NoGo,
            "look at the outcomes: nothing works yet",
        );
    };
    let (plan, attempts) = (best.plan, best.plan.attempts);
    let tries = if attempts == 1 { "one attempt".to_owned() } else { format!("{attempts} attempts") };
    check
        .found(format!(
            "{} with {tries} of {} (if failures were independent: {}), at {}",
            percent(best.measured.success),
            human_us(plan.timeout_us),
            percent(best.independent.success),
            worst.endpoint
        ))
        .unless(
            best.measured.success >= settings.success,
            Verdict::NoGo,
            if worst.correlation > 0.0 {
                "fewer failures are needed; they come in runs, so that more attempts would not help"
            } else {
                "fewer failures are needed, or a larger review.budget; profile \"background\" allows more attempts"
            },
        )
        .unless(judged.iter().all(|(one, _)| one.calls as f64 >= needed), Verdict::CannotSay, "go on recording")
        .detail(judged.iter().map(|(one, best)| {
            let failure = one.correlation;
            format!("{}: {}, correlation of failures {failure:.2}", one.endpoint, percent(best.measured.success))
        }))
}

fn failures(evidence: &Evidence, settings: &Settings) -> Check {
    let (failed, all) = (evidence.shadow.failed(), evidence.shadow.len());
    let rho = stats::correlation(&evidence.shadow.failures_by_interval());
    let intervals = evidence.shadow.intervals().max(1);
    let deff = 1.0 + rho * (all as f64 / intervals as f64 - 1.0).max(0.0);
    let share = stats::share_of_few(failed, all, deff, 0.9);
    let goal = format!("surely at most {} of the calls", percent(settings.failures));
    let counts = [Outcome::Server5xx, Outcome::NetworkError, Outcome::Timeout]
        .map(|of| format!("{}: {}", of.name(), evidence.shadow.count(|outcome| outcome == of)));
    let check = Check::new(8, "failures", "How often does the provider fail?", goal, all).found(format!(
        "{} ({} of {all}), surely at most {}",
        percent(share.value()),
        failed,
        percent(share.high)
    ));
    check
        .unless(
            share.high <= settings.failures,
            Verdict::CannotSay,
            "go on recording: the figure itself is within the limit, its upper bound is not",
        )
        .unless(
            share.value() <= settings.failures,
            Verdict::NoGo,
            "take it up with the provider; show them the recordings (darklaunch recordings list --outcome server_5xx)",
        )
        .detail(counts)
}

fn statuses(evidence: &Evidence, outcome: Outcome) -> Vec<String> {
    let of = evidence.statuses.iter().filter(|one| one.outcome == outcome);
    let line = |one: &crate::store::StatusCount| {
        let status = one.status.map_or_else(|| "other status".to_owned(), |status| status.to_string());
        let example = one.example.map_or_else(String::new, |id| format!(", for example recording {id}"));
        format!("{status} at {}: {} recorded{example}", one.endpoint, one.captures)
    };
    of.map(line).collect()
}

fn client_errors(evidence: &Evidence, settings: &Settings) -> Check {
    let (count, all) = (evidence.shadow.count(|outcome| outcome == Outcome::Client4xx), evidence.shadow.len());
    let share = count as f64 / all.max(1) as f64;
    let goal = format!("at most {}: a 4xx is a bug of the caller", percent(settings.client_errors));
    Check::new(9, "client_errors", "Are our requests right?", goal, all)
        .found(format!("{count} of {all} calls ({})", percent(share)))
        .unless(
            share <= settings.client_errors,
            Verdict::NoGo,
            "mend the requests; a longer timeout or a retry does not help",
        )
        .detail(statuses(evidence, Outcome::Client4xx))
}

fn no_success(evidence: &Evidence, settings: &Settings) -> Check {
    let (count, all) = (evidence.shadow.count(|outcome| outcome == Outcome::OkButError), evidence.shadow.len());
    let share = count as f64 / all.max(1) as f64;
    let goal = format!("at most {}", percent(settings.no_success));
    Check::new(10, "no_success", "Are the 200s successes?", goal, all)
        .found(format!("{count} of {all} calls ({}) were a 2xx with an error inside", percent(share)))
        .unless(share <= settings.no_success, Verdict::NoGo, "read the recordings (darklaunch recordings list --outcome ok_but_error) and teach the application to see them")
        .detail(statuses(evidence, Outcome::OkButError))
}

fn quota(evidence: &Evidence, settings: &Settings) -> Check {
    let rates = &evidence.rates;
    let retries =
        evidence.endpoints.iter().filter_map(EndpointAdvice::best).map(|best| best.measured.calls).fold(1.0, f64::max);
    let peak = rates.peak_10s_per_s * retries;
    let throttled = evidence.shadow.count(|outcome| outcome == Outcome::Throttled429);
    let goal = settings.quota_per_s.map_or_else(
        || "no 429 (no review.quota is configured)".to_owned(),
        |quota| format!("peak with retries at most 80 % of {quota} calls/s, no 429"),
    );
    let within = settings.quota_per_s.is_none_or(|quota| peak <= f64::from(quota) * 0.8);
    Check::new(11, "quota", "Does the provider's limit hold our peak?", goal, rates.calls)
        .found(format!(
            "{throttled} answers of 429; busiest ten seconds {peak:.1} calls/s with retries, at the whole traffic"
        ))
        .unless(within && throttled == 0, Verdict::NoGo, "ask for a higher limit, or spread the calls out")
        .detail([
            format!("busiest minute {:.0} calls, busiest day {:.0} calls", rates.peak_minute, rates.peak_day),
            format!("the mirrored share is {}; these figures are scaled up by it", percent(settings.sample)),
        ])
}

fn today(evidence: &Evidence, settings: &Settings) -> Check {
    let goal = format!("p95 surely at most {:.2} times that of today's provider", settings.slower);
    let check =
        Check::new(12, "not_worse_than_today", "Is it as fast as today's provider?", goal, evidence.primary.len());
    let judged = evidence.judged(settings);
    let compared: Vec<_> = judged.iter().filter_map(|one| Some((*one, one.ratio?))).collect();
    let Some((worst, ratio)) = compared.iter().max_by(|a, b| a.1.high.total_cmp(&b.1.high)) else {
        let none = evidence.primary.is_empty();
        let words = if none { "there is no provider today" } else { "too few calls of both to compare" };
        return check.found(words).unless(none, Verdict::CannotSay, "go on recording");
    };
    let pairs = worst.slower_share.map(|(share, pairs)| {
        format!("on the same request it was the slower one in {} of {pairs} pairs", percent(share))
    });
    check
        .found(format!(
            "{:.2} times (95 % interval {:.2} {}) at {}",
            ratio.value,
            ratio.low,
            if ratio.high.is_finite() { format!("to {:.2}", ratio.high) } else { "and more".to_owned() },
            worst.endpoint
        ))
        .unless(
            ratio.high <= settings.slower,
            Verdict::CannotSay,
            "go on recording: the interval reaches beyond the limit",
        )
        .unless(
            ratio.low <= settings.slower,
            Verdict::NoGo,
            "it is slower than the limit; raise review.slower if that is accepted",
        )
        .detail(pairs)
}

fn stable(evidence: &Evidence) -> Check {
    let moved: Vec<String> = evidence
        .endpoints
        .iter()
        .flat_map(|one| one.weeks.iter().filter(|week| week.moved()).map(move |week| (one, week)))
        .map(|(one, week)| format!("{}: p95 {:.2} times that of the week before", one.endpoint, week.ratio.value))
        .collect();
    let double: Vec<&EndpointAdvice> = evidence.endpoints.iter().filter(|one| one.modes.len() > 1).collect();
    let weeks = evidence.endpoints.iter().map(|one| one.weeks.len()).max().unwrap_or_default();
    let unexplained = double.iter().filter(|one| one.split.is_none()).count();
    let split = |one: &&EndpointAdvice| match &one.split {
        None => format!("{}: two kinds of calls, and no recorded label tells them apart", one.endpoint),
        Some(split) => {
            let groups: Vec<String> = split
                .groups
                .iter()
                .map(|(name, us, calls)| format!("{name} p99 {} of {calls}", human_us(*us)))
                .collect();
            format!(
                "{}: two kinds of calls by {} ({}); give each its own timeout",
                one.endpoint,
                split.label,
                groups.join(", ")
            )
        }
    };
    let drift =
        if weeks == 0 { "less than two whole weeks, so no drift can be seen" } else { "week against week compared" };
    Check::new(
        13,
        "stable",
        "Is it one provider that stays the same?",
        "no week moved by more than a tenth, no unexplained second mode",
        evidence.shadow.len(),
    )
    .found(format!(
        "{drift}; {} weeks moved, {} endpoints have two modes, {unexplained} unexplained",
        moved.len(),
        double.len()
    ))
    .unless(moved.is_empty(), Verdict::NoGo, "find out what changed, and record until it stays")
    .unless(
        unexplained == 0,
        Verdict::NoGo,
        "split the endpoint with mirror.endpoints: one timeout cannot serve both kinds",
    )
    .detail(moved)
    .detail(double.iter().map(split))
}

fn volume(evidence: &Evidence, settings: &Settings) -> Check {
    let rates = &evidence.rates;
    let per_day = rates.peak_day * rates.mean_bytes;
    let chatty = evidence.endpoints.iter().filter(|one| one.peak_per_s >= 10.0).map(|one| {
        format!(
            "{}: {:.0} calls/s at peak; a candidate for batching, if the provider offers it",
            one.endpoint, one.peak_per_s
        )
    });
    Check::new(14, "data_volume", "How much data is it?", "known, for the contract", rates.calls)
        .found(format!(
            "about {} on the busiest day, {} a call, largest {}",
            bytes(per_day),
            bytes(rates.mean_bytes),
            bytes(rates.largest_bytes as f64)
        ))
        .detail(settings.price.as_ref().map(|price| format!("price: {price}; busiest day {:.0} calls", rates.peak_day)))
        .detail(chatty)
}

fn bytes(bytes: f64) -> String {
    match bytes {
        b if b < 1e3 => format!("{b:.0} B"),
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

fn controls(evidence: &Evidence, settings: &Settings) -> Check {
    let first_us = evidence.first_unix_s.saturating_mul(1_000_000);
    let stopped = evidence.switches.iter().filter(|turn| !turn.on && turn.at_unix_us >= first_us).count();
    let tried = if stopped > 0 {
        format!("stopped {stopped} times while recording")
    } else {
        "never stopped while recording".to_owned()
    };
    let owner = settings.owner.as_ref().map_or_else(|| "no owner named".to_owned(), |owner| format!("owner {owner}"));
    Check::new(
        15,
        "controls",
        "Can it be stopped, and who answers for it?",
        "the kill-switch tried, an owner named",
        evidence.shadow.len(),
    )
    .found(format!("kill-switch {tried}, {owner}"))
    .unless(settings.owner.is_some(), Verdict::NoGo, "name the owner in review.owner")
    .unless(stopped > 0, Verdict::NoGo, "try it: darklaunch stop, then darklaunch enable with a reason")
}
