//! The calls of one endpoint and role as the store holds them, by outcome and interval.

use crate::exchange::{Outcome, Role};
use crate::latency::{Interval, Phase, SeriesKey, Slots, SlotsSum, Timeline};
use crate::review::ReviewError;
use crate::store::{CountedInterval, Reader, SeriesFilter, StoredSeries};
use std::collections::BTreeMap;

/// All calls of one endpoint and role.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Calls {
    /// Total times, by outcome.
    by_outcome: BTreeMap<Outcome, Timeline>,
    /// The other phases, whenever they were.
    phases: BTreeMap<(Outcome, Phase), Slots>,
}

impl Calls {
    /// What several hold together.
    pub(crate) fn merged<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut totals: BTreeMap<Outcome, Vec<&Timeline>> = BTreeMap::new();
        let mut phases: BTreeMap<(Outcome, Phase), Vec<&Slots>> = BTreeMap::new();
        for calls in all {
            calls.by_outcome.iter().for_each(|(key, one)| totals.entry(*key).or_default().push(one));
            calls.phases.iter().for_each(|(key, one)| phases.entry(*key).or_default().push(one));
        }
        Self {
            by_outcome: totals.into_iter().map(|(outcome, parts)| (outcome, Timeline::merged(parts))).collect(),
            phases: phases.into_iter().map(|(key, parts)| (key, Slots::merged(parts))).collect(),
        }
    }

    /// Total times by outcome.
    pub(crate) fn by_outcome(&self) -> impl Iterator<Item = (Outcome, &Timeline)> {
        self.by_outcome.iter().map(|(outcome, timeline)| (*outcome, timeline))
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
        self.of(|outcome| outcome == Outcome::Ok || outcome.is_censored())
    }

    /// The calls of intervals from a time on, seconds since the Unix epoch; without their phases.
    pub(crate) fn since(&self, unix_s: i64) -> Self {
        self.only(|interval| interval.start_unix_s >= unix_s)
    }

    /// The calls of intervals before a time.
    pub(crate) fn until(&self, unix_s: i64) -> Self {
        self.only(|interval| interval.start_unix_s < unix_s)
    }

    fn only(&self, wanted: impl Fn(&Interval) -> bool) -> Self {
        let parts = self.by_outcome.iter().map(|(outcome, timeline)| (*outcome, timeline.only(&wanted)));
        let by_outcome = parts.filter(|(_, timeline)| timeline.calls() > 0).collect();
        Self { by_outcome, phases: BTreeMap::new() }
    }

    /// Calls of the outcomes that a test picks.
    pub(crate) fn of(&self, wanted: impl Fn(Outcome) -> bool) -> Timeline {
        let wanted = self.by_outcome.iter().filter(|(outcome, _)| wanted(**outcome));
        Timeline::merged(wanted.map(|(_, timeline)| timeline))
    }

    /// How many calls of the outcomes that a test picks.
    pub(crate) fn count(&self, wanted: impl Fn(Outcome) -> bool) -> u64 {
        self.by_outcome.iter().filter(|(outcome, _)| wanted(**outcome)).map(|(_, timeline)| timeline.calls()).sum()
    }

    /// A phase of the calls of the outcomes that a test picks.
    pub(crate) fn phase(&self, phase: Phase, wanted: impl Fn(Outcome) -> bool) -> Slots {
        let wanted = self.phases.iter().filter(|((outcome, of), _)| *of == phase && wanted(*outcome));
        Slots::merged(wanted.map(|(_, slots)| slots))
    }

    /// The parts of the successful calls that were measured, by their stable names.
    pub(crate) fn phases(&self) -> Vec<(&'static str, Slots)> {
        let parts = Phase::ALL.into_iter().filter(|phase| *phase != Phase::Total);
        let named = parts.map(|phase| (phase.name(), self.phase(phase, |outcome| outcome == Outcome::Ok)));
        // The primary's calls never wait for a turn.
        named.filter(|(_, slots)| slots.count_above(0) > 0).collect()
    }

    /// Calls that are no success and not our own bug, and all calls, interval by interval.
    pub(crate) fn failures_by_interval(&self, timeout_us: u64) -> Vec<(u64, u64)> {
        let mut counts: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        for (outcome, timeline) in self.by_outcome.iter().filter(|(outcome, _)| **outcome != Outcome::Client4xx) {
            for interval in timeline.intervals() {
                let calls = interval.calls();
                let bad = if *outcome == Outcome::Ok { interval.above_at_most(timeout_us) } else { calls };
                let one = counts.entry(interval.start_unix_s).or_default();
                *one = (one.0 + bad, one.1 + calls);
            }
        }
        counts.into_values().collect()
    }
}

/// The calls of an integration by endpoint and role.
pub(crate) type CallsBySection = BTreeMap<(String, Role), Calls>;

/// Reads them, all at once.
pub(crate) fn read_calls(
    reader: &Reader,
    integration: &str,
    endpoint: Option<&str>,
    since_unix_s: Option<i64>,
) -> Result<CallsBySection, ReviewError> {
    let recorded = Recorded::read(reader, integration, endpoint, since_unix_s)?;
    let sections = recorded.sections().map(|(section, stored)| Ok((section.clone(), stored.calls()?)));
    sections.collect()
}

/// The calls of an integration as they are stored: a tenth of the memory, decoded endpoint by endpoint.
pub(crate) struct Recorded(BTreeMap<(String, Role), StoredCalls>);

/// Those of one endpoint and role.
#[derive(Default)]
pub(crate) struct StoredCalls(Vec<(SeriesKey, StoredSeries)>);

impl Recorded {
    pub(crate) fn read(
        reader: &Reader,
        integration: &str,
        endpoint: Option<&str>,
        since_unix_s: Option<i64>,
    ) -> Result<Self, ReviewError> {
        let filter = SeriesFilter { integration: integration.into(), endpoint: endpoint.map(Into::into), since_unix_s };
        let mut sections: BTreeMap<(String, Role), StoredCalls> = BTreeMap::new();
        for (key, series) in reader.stored_series(&filter)? {
            sections.entry((key.endpoint.to_string(), key.role)).or_default().0.push((key, series));
        }
        sections.retain(|_, stored| stored.len() > 0);
        Ok(Self(sections))
    }

    pub(crate) fn sections(&self) -> impl Iterator<Item = (&(String, Role), &StoredCalls)> {
        self.0.iter()
    }

    pub(crate) fn get(&self, endpoint: &str, role: Role) -> Option<&StoredCalls> {
        self.0.get(&(endpoint.to_owned(), role))
    }
}

impl StoredCalls {
    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().filter(|(key, _)| key.phase == Phase::Total).map(|(_, series)| series.calls()).sum()
    }

    /// Decoded.
    pub(crate) fn calls(&self) -> Result<Calls, ReviewError> {
        let mut parts = Parts::default();
        for (key, series) in &self.0 {
            for stored in series.intervals() {
                parts.add(key, stored?);
            }
        }
        Ok(parts.calls())
    }
}

/// Calls as they are read, interval by interval.
#[derive(Default)]
struct Parts {
    totals: BTreeMap<Outcome, Vec<Interval>>,
    phases: BTreeMap<(Outcome, Phase), SlotsSum>,
}

impl Parts {
    fn add(&mut self, key: &SeriesKey, stored: CountedInterval) {
        let CountedInterval { start_unix_s, length_s, slots } = stored;
        if key.phase != Phase::Total {
            return self.phases.entry((key.outcome, key.phase)).or_default().add(&slots);
        }
        let (answered, censored) =
            if key.outcome.is_censored() { (Slots::default(), slots) } else { (slots, Slots::default()) };
        self.totals.entry(key.outcome).or_default().push(Interval { start_unix_s, length_s, answered, censored });
    }

    fn calls(self) -> Calls {
        let totals = self.totals.into_iter().map(|(outcome, intervals)| (outcome, Timeline::new(intervals)));
        let phases = self.phases.into_iter().map(|(key, sum)| (key, sum.slots()));
        Calls {
            by_outcome: totals.filter(|(_, timeline)| timeline.calls() > 0).collect(),
            phases: phases.filter(|(_, slots)| !slots.is_empty()).collect(),
        }
    }
}
