//! The calls of one kind by stretch of time: what the statistics need to see slow episodes, busy hours and drift.

use crate::latency::Slots;
use crate::latency::stats::Clusters;
use std::sync::{Arc, OnceLock};

const S_PER_HOUR: i64 = 3_600;
/// Hours of a week.
pub const HOURS_OF_WEEK: usize = 168;
/// The Unix epoch was a Thursday; weeks are counted from Monday, in UTC.
const EPOCH_HOUR_OF_WEEK: i64 = 72;

/// The calls of one stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// Its start, seconds since the Unix epoch.
    pub start_unix_s: i64,
    /// Its length, seconds.
    pub length_s: i64,
    /// Latencies of calls that came to their end.
    pub answered: Slots,
    /// Calls we ended ourselves, by how long they had lasted: their latency is at least that.
    pub censored: Slots,
}

impl Interval {
    /// All calls.
    pub fn calls(&self) -> u64 {
        self.answered.len().saturating_add(self.censored.len())
    }

    /// Calls above a limit if no call we ended ourselves would ever have come back.
    pub fn above_at_most(&self, limit_us: u64) -> u64 {
        self.answered.count_above(limit_us).saturating_add(self.censored.len())
    }

    /// The week of its start, from Monday 00:00 UTC, counted from the Unix epoch.
    pub fn week(&self) -> i64 {
        let hours = self.start_unix_s.div_euclid(S_PER_HOUR).saturating_add(EPOCH_HOUR_OF_WEEK);
        hours.div_euclid(HOURS_OF_WEEK as i64)
    }

    /// The hour of the week of its start, 0 for Monday 00:00 UTC.
    pub fn hour_of_week(&self) -> usize {
        let hours = self.start_unix_s.div_euclid(S_PER_HOUR).saturating_add(EPOCH_HOUR_OF_WEEK);
        hours.rem_euclid(HOURS_OF_WEEK as i64) as usize
    }
}

/// The calls of one kind, interval by interval.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    intervals: Vec<Interval>,
    /// What is computed of them once it is asked for. Clones share it.
    known: Arc<Known>,
}

#[derive(Debug, Default)]
struct Known {
    answered: OnceLock<Slots>,
    censored: OnceLock<Slots>,
    clusters: OnceLock<Clusters>,
}

impl PartialEq for Timeline {
    fn eq(&self, other: &Self) -> bool {
        self.intervals == other.intervals
    }
}

impl Timeline {
    /// A timeline of intervals in any order; those of one start (several runs) become one.
    pub fn new(mut intervals: Vec<Interval>) -> Self {
        intervals.retain(|interval| interval.calls() > 0);
        intervals.sort_by_key(|interval| interval.start_unix_s);
        if intervals.windows(2).any(|pair| pair[0].start_unix_s == pair[1].start_unix_s) {
            intervals = intervals.chunk_by(|a, b| a.start_unix_s == b.start_unix_s).map(joined).collect();
        }
        Self { intervals, known: Arc::default() }
    }

    /// What design effects are computed from.
    pub(crate) fn clusters(&self) -> &Clusters {
        self.known.clusters.get_or_init(|| Clusters::of(self))
    }

    /// What several hold together.
    pub fn merged<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let all: Vec<&Self> = all.into_iter().collect();
        match all[..] {
            [one] => one.clone(),
            _ => Self::new(all.into_iter().flat_map(|one| one.intervals.iter().cloned()).collect()),
        }
    }

    /// The part that a test of each interval picks.
    pub fn only(&self, keep: impl Fn(&Interval) -> bool) -> Self {
        Self::new(self.intervals.iter().filter(|interval| keep(interval)).cloned().collect())
    }

    /// Oldest first; none is empty.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.intervals.iter().fold(0, |sum, interval| sum.saturating_add(interval.calls()))
    }

    /// Latencies of all calls that came to their end.
    pub fn answered(&self) -> &Slots {
        self.known.answered.get_or_init(|| Slots::merged(self.intervals.iter().map(|interval| &interval.answered)))
    }

    /// All calls we ended ourselves.
    pub fn censored(&self) -> &Slots {
        self.known.censored.get_or_init(|| Slots::merged(self.intervals.iter().map(|interval| &interval.censored)))
    }

    /// From the first interval's start to the last one's end, seconds; 0 without calls.
    pub fn span_s(&self) -> i64 {
        let ends = self.intervals.iter().map(|interval| interval.start_unix_s.saturating_add(interval.length_s));
        let first = self.intervals.first().map(|interval| interval.start_unix_s);
        ends.max().zip(first).map_or(0, |(end, first)| end.saturating_sub(first))
    }

    /// Stretches of ten minutes that hold calls; an interval that is longer, of long ago, is several.
    pub fn stretches(&self) -> u64 {
        let ten_minutes = |interval: &Interval| u64::try_from(interval.length_s / 600).unwrap_or_default().max(1);
        self.intervals.iter().map(ten_minutes).sum()
    }

    /// Calls per day of that span; 0 without calls.
    pub fn calls_per_day(&self) -> f64 {
        match self.span_s() {
            0 => 0.0,
            span => self.calls() as f64 * 86_400.0 / span as f64,
        }
    }

    /// Calls surely above a limit, and calls above it if none that we ended ourselves would ever have come back.
    pub fn above(&self, limit_us: u64) -> (u64, u64) {
        let (answered, censored) = (self.answered().count_above(limit_us), self.censored());
        (answered.saturating_add(censored.count_above(limit_us)), answered.saturating_add(censored.len()))
    }
}

/// Intervals of one start as one.
fn joined(same: &[Interval]) -> Interval {
    if let [one] = same {
        return one.clone();
    }
    Interval {
        start_unix_s: same.first().map_or(0, |one| one.start_unix_s),
        length_s: same.iter().map(|one| one.length_s).max().unwrap_or_default(),
        answered: Slots::merged(same.iter().map(|one| &one.answered)),
        censored: Slots::merged(same.iter().map(|one| &one.censored)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_of_one_start_are_one_and_weeks_begin_on_monday() {
        let at = |start_unix_s, us| Interval {
            start_unix_s,
            length_s: 600,
            answered: Slots::from_counts([(us, 2)]),
            censored: Slots::from_counts([(50, 1)]),
        };
        // Monday 2026-11-23, 01:00 UTC.
        let monday = 1_795_395_600;
        let line = Timeline::new(vec![at(monday + 600, 10), at(monday, 10), at(monday, 200), Interval::default()]);
        assert_eq!((line.intervals().len(), line.calls(), line.span_s()), (2, 9, 1_200));
        assert_eq!(line.intervals()[0].hour_of_week(), 1);
        assert_eq!(line.above(60), (2, 5));
        assert_eq!(line.above(20), (5, 5));
        assert_eq!(line.calls_per_day(), 9.0 * 72.0);
        assert_eq!(Timeline::default().calls_per_day(), 0.0);
    }
}
