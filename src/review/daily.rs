//! The daily or weekly report: what the new provider did since, and what of it is ours to mend.

use crate::exchange::{Outcome, Role};
use crate::latency::stats::{CONFIDENCE, Level, estimate};
use crate::review::advice::failed;
use crate::review::calls::{Calls, read_calls};
use crate::review::page::frame;
use crate::review::report::known_integration;
use crate::review::text::{human_us, percent, table};
use crate::review::{LedgerTally, ReviewError, Settings};
use crate::store::{Reader, StatusCount};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

const P95: Level = Level { name: "p95", num: 95, den: 100 };

/// What one integration's new provider did.
#[derive(Clone, Debug, PartialEq)]
pub struct Daily {
    /// The integration.
    pub integration: String,
    /// From this time on, seconds since the Unix epoch.
    pub from_unix_s: i64,
    /// Until then.
    pub to_unix_s: i64,
    /// Calls by outcome.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The same of as long a time before.
    pub before: Vec<(Outcome, u64)>,
    /// The p95 of successful calls, microseconds, where enough calls support it; and that of the time before.
    pub p95_us: (Option<u64>, Option<u64>),
    /// Every distinct status that was no success, with an example.
    pub statuses: Vec<StatusCount>,
    /// The ledger of the time.
    pub ledger: LedgerTally,
    /// Whom to ask.
    pub settings: Settings,
}

impl Daily {
    /// Reads the last `length_s` seconds, and as many before them.
    ///
    /// # Errors
    /// The store's own; an integration that has nothing recorded (with the nearest name).
    pub fn build(
        reader: &Reader,
        integration: &str,
        now_unix_s: i64,
        length_s: i64,
        settings: &Settings,
    ) -> Result<Self, ReviewError> {
        known_integration(reader, integration)?;
        let from_unix_s = now_unix_s.saturating_sub(length_s);
        let all = read_calls(reader, integration, None, Some(from_unix_s.saturating_sub(length_s)))?;
        let shadow = Calls::merged(all.iter().filter(|((_, role), _)| *role == Role::Shadow).map(|(_, calls)| calls));
        let (now, before) = (shadow.since(from_unix_s), shadow.until(from_unix_s));
        let p95 = |calls: &Calls| estimate(&calls.success(), P95, CONFIDENCE).ok().map(|one| one.value_us);
        let ours = |one: &StatusCount| one.outcome != Outcome::Ok;
        let rows = reader.ledger_since(integration, from_unix_s)?;
        let statuses = reader.statuses(integration, Some(from_unix_s.saturating_mul(1_000_000)))?;
        Ok(Self {
            integration: integration.to_owned(),
            from_unix_s,
            to_unix_s: now_unix_s,
            outcomes: now.outcomes(),
            before: before.outcomes(),
            p95_us: (p95(&now), p95(&before)),
            statuses: statuses.into_iter().filter(ours).collect(),
            ledger: LedgerTally::from_rows(rows.iter().map(|(state, count)| (state.as_str(), *count))),
            settings: settings.clone(),
        })
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.outcomes.iter().map(|(_, calls)| calls).sum()
    }

    fn share(counts: &[(Outcome, u64)], wanted: impl Fn(Outcome) -> bool) -> f64 {
        let all: u64 = counts.iter().map(|(_, calls)| calls).sum();
        let some: u64 = counts.iter().filter(|(outcome, _)| wanted(*outcome)).map(|(_, calls)| calls).sum();
        some as f64 / all.max(1) as f64
    }

    /// What to do, a line each; nothing where all is within the limits.
    pub fn to_do(&self) -> Vec<String> {
        let share = |wanted: fn(Outcome) -> bool| Self::share(&self.outcomes, wanted);
        let judged = [
            (share(failed), self.settings.failures, "fail by no fault of ours: take it up with the provider"),
            (share(|of| of == Outcome::Client4xx), self.settings.client_errors, "are 4xx: mend the requests below"),
            (
                share(|of| of == Outcome::OkButError),
                self.settings.no_success,
                "are 200s with an error inside: read the recordings",
            ),
            (share(|of| of == Outcome::Throttled429), 0.0, "are 429s: call less, or ask for a higher limit"),
        ];
        let lines = judged.into_iter().filter(|(share, most, _)| share > most);
        lines
            .map(|(share, most, what)| {
                format!("{} of the calls {what} (at most {} are meant)", percent(share), percent(most))
            })
            .collect()
    }

    /// The report for a person.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}: {} calls to the new provider since {}\n",
            self.integration,
            self.calls(),
            crate::review::page::moment(self.from_unix_s)
        );
        let mut outcomes = table(&["outcome", "calls", "share", "share before"], 1);
        for (outcome, calls) in &self.outcomes {
            let of = |counts: &[(Outcome, u64)]| percent(Self::share(counts, |one| one == *outcome));
            outcomes.add_row([outcome.name(), &calls.to_string(), &of(&self.outcomes), &of(&self.before)]);
        }
        let _ = writeln!(text, "{outcomes}\n{}", self.p95_words());
        self.to_do().iter().for_each(|line| text.push_str(&format!("to do: {line}\n")));
        self.statuses.iter().for_each(|one| text.push_str(&format!("  {}\n", status_words(one))));
        let _ = writeln!(text, "ledger {}", self.ledger.sum_line());
        text
    }

    fn p95_words(&self) -> String {
        let words = |us: Option<u64>| us.map_or_else(|| "too few calls".to_owned(), human_us);
        format!("p95 of successful calls {}, before {}", words(self.p95_us.0), words(self.p95_us.1))
    }

    /// The report for programs.
    pub fn to_json(&self) -> Value {
        let counts = |counts: &[(Outcome, u64)]| -> Map<String, Value> {
            counts.iter().map(|(outcome, calls)| (outcome.name().to_owned(), json!(calls))).collect()
        };
        let status = |one: &StatusCount| {
            json!({
                "endpoint": one.endpoint,
                "outcome": one.outcome.name(),
                "status": one.status,
                "recorded": one.captures,
                "example": one.example.map(|id| id.to_string()),
            })
        };
        json!({
            "integration": self.integration,
            "from_unix_s": self.from_unix_s,
            "to_unix_s": self.to_unix_s,
            "calls": self.calls(),
            "outcomes": counts(&self.outcomes),
            "outcomes_before": counts(&self.before),
            "p95_us": self.p95_us.0,
            "p95_before_us": self.p95_us.1,
            "to_do": self.to_do(),
            "statuses": self.statuses.iter().map(status).collect::<Vec<_>>(),
            "ledger": self.ledger.to_json(),
        })
    }

    fn section(&self) -> Markup {
        html! {
            h2 { (self.integration) }
            p { (self.calls()) " calls to the new provider since " (crate::review::page::moment(self.from_unix_s)) ". " (self.p95_words()) "." }
            (crate::review::chart::outcome_bar(&self.outcomes))
            div.scroll { table {
                thead { tr { th { "Outcome" } th.n { "Calls" } th.n { "Share" } th.n { "Before" } } }
                tbody { @for (outcome, calls) in &self.outcomes { tr {
                    th { (outcome.name()) } td.n { (calls) }
                    td.n { (percent(Self::share(&self.outcomes, |one| one == *outcome))) }
                    td.n { (percent(Self::share(&self.before, |one| one == *outcome))) }
                } } }
            } }
            @if self.to_do().is_empty() { p.go { "Nothing to do." } }
            @else { ul { @for line in self.to_do() { li { strong { (line) } } } } }
            @if !self.statuses.is_empty() { ul { @for one in &self.statuses { li { (status_words(one)) } } } }
            p.small { "Ledger " (self.ledger.sum_line()) "." }
        }
    }
}

fn status_words(one: &StatusCount) -> String {
    let status = one.status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
    let example = one.example.map_or_else(String::new, |id| format!(", for example recording {id}"));
    format!("{} {status} at {}: {} recorded{example}", one.outcome.name(), one.endpoint, one.captures)
}

/// Several integrations as one HTML file.
pub fn daily_page(all: &[Daily]) -> String {
    let body = html! {
        h1 { "What the new providers did" }
        @for one in all { (one.section()) }
    };
    frame("Report", &body)
}
