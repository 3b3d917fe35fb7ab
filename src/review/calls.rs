//! The calls of one endpoint and role as the store holds them, by outcome and interval.

use crate::exchange::{Outcome, Role};
use crate::latency::{Interval, Phase, Slots, Timeline};
use crate::review::ReviewError;
use crate::store::{Reader, SeriesFilter};
use std::collections::BTreeMap;

/// Total times of all calls of one endpoint and role, by outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    by_outcome: BTreeMap<Outcome, Timeline>,
}

impl Calls {
    /// What several hold together.
    pub(crate) fn merged<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut parts: BTreeMap<Outcome, Vec<&Timeline>> = BTreeMap::new();
        for calls in all {
            for (outcome, timeline) in &calls.by_outcome {
                parts.entry(*outcome).or_default().push(timeline);
            }
        }
        let merged = parts.into_iter().map(|(outcome, parts)| (outcome, Timeline::merged(parts)));
        Self { by_outcome: merged.collect() }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_outcome.is_empty()
    }

    /// Every call.
    pub(crate) fn len(&self) -> u64 {
        self.by_outcome.values().map(Timeline::calls).sum()
    }

    /// Calls by outcome, in the order of [`Outcome::ALL`]; outcomes that did not occur are left out.
    pub(crate) fn outcomes(&self) -> Vec<(Outcome, u64)> {
        self.by_outcome.iter().map(|(outcome, timeline)| (*outcome, timeline.calls())).collect()
    }

    /// Successful calls, with the ones we ended ourselves as censored.
    pub(crate) fn success(&self) -> Timeline {
        let wanted = self.by_outcome.iter().filter(|(outcome, _)| **outcome == Outcome::Ok || outcome.is_censored());
        Timeline::merged(wanted.map(|(_, timeline)| timeline))
    }
}

/// The calls of an integration by endpoint and role.
pub(crate) type CallsBySection = BTreeMap<(String, Role), Calls>;

/// Reads them.
pub(crate) fn read_calls(
    reader: &Reader,
    integration: &str,
    endpoint: Option<&str>,
    since_unix_s: Option<i64>,
) -> Result<CallsBySection, ReviewError> {
    let filter = SeriesFilter { integration: integration.into(), endpoint: endpoint.map(Into::into), since_unix_s };
    let mut parts: BTreeMap<(String, Role, Outcome), Vec<Interval>> = BTreeMap::new();
    reader.each_interval(
        &filter,
        |key| key.phase == Phase::Total,
        |key, stored| {
            let slots = Slots::of(&stored.series);
            let (answered, censored) =
                if key.outcome.is_censored() { (Slots::default(), slots) } else { (slots, Slots::default()) };
            let interval =
                Interval { start_unix_s: stored.start_unix_s, length_s: stored.length_s, answered, censored };
            parts.entry((key.endpoint.to_string(), key.role, key.outcome)).or_default().push(interval);
        },
    )?;
    let mut sections = CallsBySection::new();
    for ((endpoint, role, outcome), intervals) in parts {
        let timeline = Timeline::new(intervals);
        if timeline.calls() > 0 {
            sections.entry((endpoint, role)).or_default().by_outcome.insert(outcome, timeline);
        }
    }
    Ok(sections)
}
