//! The latency report of one integration: built from the store, plain data.

use crate::exchange::{Outcome, Role};
use crate::latency::stats::{self, CONFIDENCE, WhatIf};
use crate::latency::{Interval, Slots, Timeline};
use crate::review::calls::{Calls, Recorded, StoredCalls, read_calls};
use crate::review::ladder::Ladder;
use crate::review::ledger::LedgerTally;
use crate::store::{Reader, StoreError};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was ever recorded under that name.
    #[error("integration \"{name}\" has nothing recorded; {}recorded are: {}", nearest_text(.nearest.as_deref()), list(.known))]
    UnknownIntegration {
        /// The name asked for.
        name: String,
        /// The recorded name most like it.
        nearest: Option<String>,
        /// Every recorded name.
        known: Vec<String>,
    },
    /// The integration has calls, but none at that endpoint.
    #[error("endpoint \"{name}\" has nothing recorded; {}recorded are: {}", nearest_text(.nearest.as_deref()), list(.known))]
    UnknownEndpoint {
        /// The endpoint asked for.
        name: String,
        /// The recorded endpoint most like it.
        nearest: Option<String>,
        /// Every recorded endpoint of the integration.
        known: Vec<String>,
    },
    /// No call in the time asked for: a report would say nothing.
    #[error("integration \"{integration}\" has no recorded call in the time asked for: widen --since, or record first")]
    NoCalls {
        /// The integration.
        integration: String,
    },
}

impl ReviewError {
    /// Whether the error means "cannot say, too little data" rather than wrong usage or a broken store.
    pub fn is_too_little_data(&self) -> bool {
        matches!(self, Self::NoCalls { .. })
    }
}

fn nearest_text(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("did you mean \"{name}\"? ")).unwrap_or_default()
}

fn list(known: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = known.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if known.is_empty() {
        text.push_str("none");
    } else if known.len() > SHOWN {
        text.push_str(&format!(" and {} more", known.len() - SHOWN));
    }
    text
}

/// The known name most like `name`, if any is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> Option<String> {
    const LIKE: f64 = 0.6;
    known
        .into_iter()
        .map(|other| (strsim::normalized_damerau_levenshtein(name, other), other))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| other.clone())
}

/// One endpoint as one role answered it.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Method and path template.
    pub endpoint: String,
    /// Which upstream.
    pub role: Role,
    /// Every call, whatever came of it.
    pub calls: u64,
    /// Calls by outcome, in the order of [`Outcome::ALL`]; outcomes that did not occur are left out.
    pub outcomes: Vec<(Outcome, u64)>,
    /// Percentiles of the time to the answer's last byte, over the successful calls and the ones we ended ourselves.
    pub success: Ladder,
    /// What each timeout asked for would cut.
    pub what_if: Vec<WhatIf>,
    /// Parts of the successful calls, as far as they were measured: name and percentiles.
    pub phases: Vec<(&'static str, Ladder)>,
    /// Times of the successful calls.
    pub answered: Slots,
}

/// Latencies of one integration, per endpoint and role, with its ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyReport {
    /// The integration.
    pub integration: String,
    /// The one endpoint asked for, or all.
    pub endpoint: Option<String>,
    /// Only calls from this Unix time on (seconds), or all.
    pub since_unix_s: Option<i64>,
    /// By endpoint, the primary before the shadow.
    pub sections: Vec<Section>,
    /// The ledger since recording began (it is not cut to `since_unix_s`).
    pub ledger: LedgerTally,
}

impl LatencyReport {
    /// Builds the report. `since_unix_s` is in Unix seconds, `what_if_us` are timeouts in microseconds.
    ///
    /// # Errors
    /// The store's own; an integration or endpoint that has nothing recorded (with the nearest name); no call at all.
    pub fn build(
        reader: &Reader,
        integration: &str,
        endpoint: Option<&str>,
        since_unix_s: Option<i64>,
        what_if_us: &[u64],
    ) -> Result<Self, ReviewError> {
        known_integration(reader, integration)?;
        let recorded = Recorded::read(reader, integration, endpoint, since_unix_s)?;
        let one = |((name, role), stored): (&(String, Role), &StoredCalls)| {
            Ok(section(name.clone(), *role, &stored.calls()?, what_if_us))
        };
        let sections = recorded.sections().map(one).collect::<Result<Vec<_>, ReviewError>>()?;
        if sections.is_empty() {
            return Err(why_empty(reader, integration, endpoint)?);
        }
        let rows = reader.ledger(Some(integration))?;
        let ledger = LedgerTally::from_rows(rows.iter().map(|(_, state, count)| (state.as_str(), *count)));
        Ok(Self {
            integration: integration.to_owned(),
            endpoint: endpoint.map(str::to_owned),
            since_unix_s,
            sections,
            ledger,
        })
    }
}

/// Refuses a name under which nothing was ever recorded.
pub(crate) fn known_integration(reader: &Reader, integration: &str) -> Result<(), ReviewError> {
    let known = reader.integrations()?;
    if known.iter().any(|name| name == integration) {
        return Ok(());
    }
    let nearest = nearest(integration, &known);
    Err(ReviewError::UnknownIntegration { name: integration.to_owned(), nearest, known })
}

/// One section per role over all endpoints, the primary before the shadow; none where nothing was recorded.
///
/// # Errors
/// The store's own.
pub fn overall(reader: &Reader, integration: &str) -> Result<Vec<Section>, ReviewError> {
    let all = read_calls(reader, integration, None, None)?;
    let of = |role: Role| {
        let calls = Calls::merged(all.iter().filter(|((_, of), _)| *of == role).map(|(_, calls)| calls));
        (!calls.is_empty()).then(|| section("all endpoints".to_owned(), role, &calls, &[]))
    };
    Ok([Role::Primary, Role::Shadow].into_iter().filter_map(of).collect())
}

/// Phases are kept without their intervals: their percentiles take calls as independent.
fn whole(answered: Slots) -> Timeline {
    Timeline::new(vec![Interval { start_unix_s: 0, length_s: 1, answered, censored: Slots::default() }])
}

/// No series matched: is it the endpoint's name, or is there simply no call?
fn why_empty(reader: &Reader, integration: &str, endpoint: Option<&str>) -> Result<ReviewError, ReviewError> {
    let no_calls = ReviewError::NoCalls { integration: integration.to_owned() };
    let Some(name) = endpoint else {
        return Ok(no_calls);
    };
    let all = read_calls(reader, integration, None, None)?;
    let mut known: Vec<String> = all.into_keys().map(|(endpoint, _)| endpoint).collect();
    known.dedup();
    if known.is_empty() || known.iter().any(|endpoint| endpoint == name) {
        return Ok(no_calls);
    }
    Ok(ReviewError::UnknownEndpoint { name: name.to_owned(), nearest: nearest(name, &known), known })
}

fn section(endpoint: String, role: Role, calls: &Calls, what_if_us: &[u64]) -> Section {
    let success = calls.success();
    // Rows read together share the error (Bonferroni).
    let confidence = 1.0 - (1.0 - CONFIDENCE) / what_if_us.len().max(1) as f64;
    Section {
        endpoint,
        role,
        calls: calls.len(),
        outcomes: calls.outcomes(),
        success: Ladder::of(&success),
        what_if: what_if_us.iter().filter_map(|us| stats::what_if(&success, *us, confidence)).collect(),
        phases: calls.phases().into_iter().map(|(name, slots)| (name, Ladder::of(&whole(slots)))).collect(),
        answered: success.answered().clone(),
    }
}
