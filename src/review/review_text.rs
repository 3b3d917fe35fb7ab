//! The review for a terminal. Returned, never printed.

use crate::latency::stats::Advice;
use crate::review::checks::refusal_words;
use crate::review::text::{human_us, percent, table};
use crate::review::{Check, EndpointAdvice, Review, Verdict};
use comfy_table::ContentArrangement;
use std::fmt::Write as _;

const WIDTH: u16 = 120;

impl Review {
    /// The review for a person.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: {}\n{}\n\n", self.integration, self.verdict.words(), self.summary);
        let mut checks = table(&["", "check", "answer", "found", "goal", "calls"], 5);
        checks.set_width(WIDTH).set_content_arrangement(ContentArrangement::Dynamic);
        for check in &self.checks {
            checks.add_row([
                check.number.to_string(),
                check.title.to_owned(),
                check.verdict.words().to_owned(),
                check.found.clone(),
                check.goal.clone(),
                check.calls.to_string(),
            ]);
        }
        let _ = writeln!(text, "{checks}");
        for check in self.checks.iter().filter(|check| check.verdict != Verdict::Go || !check.details.is_empty()) {
            text.push_str(&more(check));
        }
        for endpoint in &self.endpoints {
            text.push_str(&endpoint_text(endpoint));
        }
        let _ = writeln!(text, "\nledger of the time reviewed\n{}", self.ledger.to_text());
        text
    }
}

fn more(check: &Check) -> String {
    let mut text = format!("\n{}. {} {}\n", check.number, check.title, check.verdict.words());
    check.details.iter().for_each(|line| text.push_str(&format!("   {line}\n")));
    if !check.next.is_empty() {
        text.push_str(&format!("   Next: {}\n", check.next));
    }
    text
}

/// The advised timeout in one line.
pub(crate) fn timeout_words(advice: &Advice) -> String {
    match advice {
        Advice::Refused(refusal) => format!("cannot say: {}", refusal_words(refusal)),
        Advice::Timeout(timeout) => {
            let worst = match timeout.worst {
                Some(worst) => {
                    let (from, to) = (hour_words(worst.from_hour), hour_words(worst.to_hour + 1));
                    let lost = percent(worst.cut_by_overall);
                    let overall = human_us(timeout.overall_us);
                    match worst.timeout_us {
                        Some(_) => {
                            format!("; the hours {from} to {to} (UTC) decide: {overall} would lose {lost} there")
                        }
                        None => {
                            format!("; no hours are surely worse (most lost by {overall}: {lost}, {from} to {to} UTC)")
                        }
                    }
                }
                None => "; too few calls to look at hours by themselves".to_owned(),
            };
            format!(
                "{}: {} of the good answers lost, at most {}{worst}",
                human_us(timeout.timeout_us),
                percent(timeout.measured_share),
                percent(timeout.share_at_most)
            )
        }
    }
}

fn hour_words(hour: usize) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    format!("{} {:02}:00", DAYS[(hour / 24) % 7], hour % 24)
}

fn endpoint_text(one: &EndpointAdvice) -> String {
    let mut text = format!("\n{}\n  timeout      {}\n", one.endpoint, timeout_words(&one.timeout));
    for attempts in &one.attempts {
        let plan = attempts.plan;
        let _ = writeln!(
            text,
            "  {} x {:<9} {} within {} as failures come, {} if independent, {:.3} calls an operation",
            plan.attempts,
            human_us(plan.timeout_us),
            percent(attempts.measured.success),
            human_us(plan.budget_us),
            percent(attempts.independent.success),
            attempts.measured.calls
        );
    }
    let (usual, hanging) = one.connections;
    let _ = writeln!(text, "  connections  {usual} at the recorded peak, {hanging} if the provider hangs");
    for breaker in &one.breakers {
        let _ = writeln!(
            text,
            "  breaker      opens at {} failures of {} calls: by chance {:.4} times a day",
            breaker.failures, breaker.window, breaker.false_trips_per_day
        );
    }
    if let Some(hedge) = &one.hedge {
        let _ = writeln!(
            text,
            "  hedging      a second call after {} takes the p99 from {} to {} for {} more calls",
            human_us(hedge.after_us),
            human_us(hedge.p99_us),
            human_us(hedge.hedged_p99_us),
            percent(hedge.extra)
        );
    }
    let mut rows =
        table(&["timeout", "good answers lost", "interval", "lost/day", "waits saved/day", "held", "connections"], 1);
    for row in &one.rows {
        let (surely, at_most) = (row.cut.surely, row.cut.at_most);
        let lost = if at_most.k == 0 { format!("at most {}", percent(at_most.high)) } else { percent(surely.value()) };
        rows.add_row([
            human_us(row.cut.timeout_us),
            lost,
            format!("[{}, {}]", percent(surely.low), percent(at_most.high)),
            format!("{:.1}", row.lost_per_day),
            format!("{:.1}", row.saved_per_day),
            human_us(row.held_us as u64),
            row.connections.to_string(),
        ]);
    }
    let _ = writeln!(text, "{rows}");
    text
}
