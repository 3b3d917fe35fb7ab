//! The calls of all endpoints of one role together: counted by outcome and interval, added up endpoint by endpoint.

use crate::exchange::Outcome;
use crate::latency::{HOURS_OF_WEEK, Interval, Phase, Slots};
use crate::review::advice::failed;
use crate::review::calls::Calls;
use std::collections::BTreeMap;

/// See the file.
#[derive(Default)]
pub(crate) struct Tally {
    by_outcome: BTreeMap<Outcome, u64>,
    by_interval: BTreeMap<i64, Stretch>,
    /// Successful calls.
    good: Slots,
    /// Our own delay before them.
    queue_wait: Slots,
}

/// The calls of one interval.
#[derive(Clone, Copy, Default)]
struct Stretch {
    length_s: i64,
    /// Calls that are no success and not our own bug, and all calls that are not our own bug.
    failures: (u64, u64),
}

impl Tally {
    pub(crate) fn add(&mut self, calls: &Calls) {
        for (outcome, timeline) in calls.by_outcome() {
            *self.by_outcome.entry(outcome).or_default() += timeline.calls();
            for interval in timeline.intervals() {
                let stretch = self.by_interval.entry(interval.start_unix_s).or_default();
                stretch.length_s = stretch.length_s.max(interval.length_s);
                if outcome != Outcome::Client4xx {
                    let bad = if outcome == Outcome::Ok { 0 } else { interval.calls() };
                    stretch.failures = (stretch.failures.0 + bad, stretch.failures.1 + interval.calls());
                }
            }
        }
        let good = calls.of(|outcome| outcome == Outcome::Ok);
        self.good = Slots::merged([&self.good, good.answered()]);
        let waited = calls.phase(Phase::QueueWait, |outcome| outcome == Outcome::Ok);
        self.queue_wait = Slots::merged([&self.queue_wait, &waited]);
    }

    /// Every call.
    pub(crate) fn len(&self) -> u64 {
        self.by_outcome.values().sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_outcome.is_empty()
    }

    /// How many calls of the outcomes that a test picks.
    pub(crate) fn count(&self, wanted: impl Fn(Outcome) -> bool) -> u64 {
        self.by_outcome.iter().filter(|(outcome, _)| wanted(**outcome)).map(|(_, calls)| calls).sum()
    }

    /// Calls that failed by no fault of ours.
    pub(crate) fn failed(&self) -> u64 {
        self.count(failed)
    }

    /// Calls that are no success and not our own bug, and all calls that are not, interval by interval.
    pub(crate) fn failures_by_interval(&self) -> Vec<(u64, u64)> {
        self.by_interval.values().map(|stretch| stretch.failures).filter(|(_, all)| *all > 0).collect()
    }

    /// Stretches of time with calls.
    pub(crate) fn intervals(&self) -> usize {
        self.by_interval.len()
    }

    /// When the first interval with calls begins, seconds since the Unix epoch; 0 without calls.
    pub(crate) fn first_unix_s(&self) -> i64 {
        self.by_interval.first_key_value().map_or(0, |(start, _)| *start)
    }

    /// When the last interval with calls begins, seconds since the Unix epoch; 0 without calls.
    pub(crate) fn last_unix_s(&self) -> i64 {
        self.by_interval.last_key_value().map_or(0, |(start, _)| *start)
    }

    /// From the first interval's start to the last one's end, seconds.
    pub(crate) fn span_s(&self) -> i64 {
        let ends = self.by_interval.iter().map(|(start, stretch)| start.saturating_add(stretch.length_s));
        ends.max().map_or(0, |end| end.saturating_sub(self.first_unix_s()))
    }

    /// Which hours of the week hold calls.
    pub(crate) fn hours(&self) -> [bool; HOURS_OF_WEEK] {
        let mut held = [false; HOURS_OF_WEEK];
        for start_unix_s in self.by_interval.keys() {
            let interval = Interval { start_unix_s: *start_unix_s, ..Interval::default() };
            if let Some(hour) = held.get_mut(interval.hour_of_week()) {
                *hour = true;
            }
        }
        held
    }

    /// Latencies of the successful calls.
    pub(crate) fn good(&self) -> &Slots {
        &self.good
    }

    /// Successful calls and those we ended ourselves.
    pub(crate) fn good_or_ended(&self) -> u64 {
        self.count(|outcome| outcome == Outcome::Ok || outcome.is_censored())
    }

    /// Our own delay before successful calls.
    pub(crate) fn queue_wait(&self) -> &Slots {
        &self.queue_wait
    }
}
