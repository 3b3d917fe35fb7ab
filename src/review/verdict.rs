//! The go-live review of one integration: the checks, what they rest on, and what follows.

use crate::latency::stats::{Advice, confidence_of_look};
use crate::review::advice::EndpointAdvice;
use crate::review::check::{Check, Verdict};
use crate::review::evidence::{Evidence, Rates};
use crate::review::text::{human_us, percent};
use crate::review::{LedgerTally, ReviewError, Settings, checks};
use crate::store::Reader;

/// See the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The integration.
    pub integration: String,
    /// The worst of the checks: GO only if all of them are.
    pub verdict: Verdict,
    /// How much was seen, and what the busiest endpoint's timeout comes to.
    pub seen: String,
    /// What a product manager reads first: that, and which checks are open.
    pub summary: String,
    /// The fifteen checks.
    pub checks: Vec<Check>,
    /// The endpoints, in the order of their names.
    pub endpoints: Vec<EndpointAdvice>,
    /// Call rate and data volume.
    pub rates: Rates,
    /// The ledger of the time reviewed.
    pub ledger: LedgerTally,
    /// What it was held against.
    pub settings: Settings,
    /// When it was made, seconds since the Unix epoch.
    pub made_unix_s: i64,
    /// Calls from this time on, seconds since the Unix epoch.
    pub since_unix_s: Option<i64>,
}

impl Review {
    /// Builds it.
    ///
    /// # Errors
    /// The store's own; an integration that has nothing recorded (with the nearest name); no mirrored call at all.
    pub fn build(
        reader: &Reader,
        integration: &str,
        since_unix_s: Option<i64>,
        now_unix_s: i64,
        settings: &Settings,
    ) -> Result<Self, ReviewError> {
        let evidence = Evidence::read(reader, integration, since_unix_s, now_unix_s, settings)?;
        let checks = checks::all(&evidence, settings);
        let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::CannotSay);
        let seen = seen(&evidence, settings);
        let summary = format!("{seen}{}", open(&checks, verdict));
        Ok(Self {
            integration: evidence.integration,
            verdict,
            seen,
            summary,
            checks,
            endpoints: evidence.endpoints,
            rates: evidence.rates,
            ledger: evidence.ledger,
            settings: settings.clone(),
            made_unix_s: evidence.now_unix_s,
            since_unix_s,
        })
    }

    /// The checks with an answer.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.verdict == verdict)
    }
}

fn seen(evidence: &Evidence, settings: &Settings) -> String {
    let mut text = format!(
        "Seen {} calls over {}.",
        evidence.shadow.len(),
        checks::days_words(evidence.shadow.span_s() as f64 / 86_400.0)
    );
    let busiest = evidence.endpoints.iter().max_by_key(|one| one.calls);
    if let Some((one, Advice::Timeout(timeout))) = busiest.map(|one| (one, one.timeout)) {
        let sure = confidence_of_look(settings.looks) * 100.0;
        text.push_str(&format!(
            " If {} is waited for {}, {} of its good answers are lost ({} at most, {sure:.0} % sure).",
            one.endpoint,
            human_us(timeout.timeout_us),
            percent(timeout.measured_share),
            percent(timeout.share_at_most),
        ));
        if let Some(best) = one.best() {
            text.push_str(&format!(
                " Within {} {} of the operations succeed as failures really come, {} if they were independent.",
                human_us(settings.budget_us),
                percent(best.measured.success),
                percent(best.independent.success)
            ));
        }
    }
    text
}

fn open(checks: &[Check], verdict: Verdict) -> String {
    let open: Vec<&str> = checks.iter().filter(|check| check.verdict == verdict).map(|check| check.title).collect();
    match verdict {
        Verdict::Go => " All fifteen checks hold.".to_owned(),
        Verdict::NoGo => format!(" It does not hold: {}", open.join(" ")),
        Verdict::CannotSay => format!(" The recording cannot tell yet: {}", open.join(" ")),
    }
}
