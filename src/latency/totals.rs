//! Latencies since the start in a few classes, for metrics: what the shards hand over, added up off the user's path.

use crate::exchange::{Integration, Outcome, Role};
use crate::latency::{Phase, Series, SeriesKey};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Upper bounds of calls, microseconds: those that OpenTelemetry's HTTP conventions advise, and two above, since a
/// provider's timeouts lie there.
pub const CALL_BOUNDS_US: &[u64] = &[
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000,
    7_500_000, 10_000_000, 30_000_000, 60_000_000,
];
/// Upper bounds of what we add to an application's call, microseconds.
pub const ADDED_BOUNDS_US: &[u64] = &[10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000];
/// Methods that are told apart; others are one, `_OTHER`, as OpenTelemetry has it.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];

/// Fewer calls say too little of the slowest hundredth.
const ADDED_CALLS_MIN: u64 = 299;

/// What we add to an application's calls since the start: from a request's arrival until its head is sent on to the
/// primary, and from the arrival of the answer's head until its first byte is handed to the application's connection.
/// Neither the primary's own time nor a connect is in it, nor what waited unread in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddedDelay {
    /// Half of the calls had at most so much added, microseconds.
    pub p50_us: u64,
    /// 99 of 100 had, microseconds.
    pub p99_us: u64,
    /// Calls measured: those that the primary answered.
    pub calls: u64,
}

/// What calls are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKind {
    /// The integration.
    pub integration: Integration,
    /// Which upstream.
    pub role: Role,
    /// How they counted.
    pub outcome: Outcome,
    /// One of a fixed list, or `_OTHER`.
    pub method: &'static str,
}

/// Counts by class, one more than there are bounds, and the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Calls by class.
    pub counts: Vec<u64>,
    /// The same calls by [`eighth_of`]: at most 240, from 1 µs to ten minutes and above.
    pub eighths: BTreeMap<i32, u64>,
    /// Microseconds.
    pub sum_us: u64,
}

/// The eighth of a doubling in which a latency lies, as Prometheus' native histograms number them in schema 3: number `n`
/// is above `2^((n-1)/8)` and at most `2^(n/8)` seconds (prometheus.io/docs/specs/native_histograms).
pub fn eighth_of(us: u64) -> i32 {
    // What has no microsecond counts as one.
    ((us.max(1) as f64 / 1e6).log2() * 8.0).ceil() as i32
}

#[derive(Debug, Default)]
struct Inner {
    calls: BTreeMap<CallKind, Classes>,
    added: BTreeMap<Integration, Series>,
}

/// All of it. As many rows as integrations, roles, outcomes and methods.
#[derive(Debug, Default)]
pub struct Totals(Mutex<Inner>);

impl Totals {
    /// Adds what a shard recorded of one kind of call.
    pub fn add(&self, key: &SeriesKey, series: &Series) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if key.phase == Phase::Total {
            let SeriesKey { integration, role, outcome, endpoint, .. } = key;
            let named = endpoint.split(' ').next().unwrap_or_default();
            let method = METHODS.into_iter().find(|method| *method == named).unwrap_or("_OTHER");
            let kind = CallKind { integration: integration.clone(), role: *role, outcome: *outcome, method };
            inner.calls.entry(kind).or_insert_with(|| Classes::empty(CALL_BOUNDS_US)).add(series, CALL_BOUNDS_US);
        }
    }

    /// Adds what a shard recorded of the time that we add to an integration's calls.
    pub fn add_added(&self, integration: &Integration, series: &Series) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.added.entry(integration.clone()).or_default().merge(series);
    }

    /// Calls by kind, classes by [`CALL_BOUNDS_US`].
    pub fn calls(&self) -> Vec<(CallKind, Classes)> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.calls.iter().map(|(kind, classes)| (kind.clone(), classes.clone())).collect()
    }

    /// What we add to the calls of each integration, by [`ADDED_BOUNDS_US`].
    pub fn added(&self) -> Vec<(Integration, Classes)> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let classes = |series: &Series| {
            let mut classes = Classes::empty(ADDED_BOUNDS_US);
            classes.add(series, ADDED_BOUNDS_US);
            classes
        };
        inner.added.iter().map(|(name, series)| (name.clone(), classes(series))).collect()
    }

    /// The same in two figures; none where too few calls were measured to know the slowest hundredth.
    pub fn added_delay(&self, integration: &str) -> Option<AddedDelay> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = inner.added.get(integration).filter(|series| series.len() >= ADDED_CALLS_MIN)?;
        Some(AddedDelay { p50_us: series.quantile(1, 2)?, p99_us: series.quantile(99, 100)?, calls: series.len() })
    }
}

impl Classes {
    fn empty(bounds_us: &[u64]) -> Self {
        Self { counts: vec![0; bounds_us.len() + 1], eighths: BTreeMap::new(), sum_us: 0 }
    }

    fn add(&mut self, series: &Series, bounds_us: &[u64]) {
        self.sum_us = self.sum_us.saturating_add(series.sum_us());
        for (us, count) in series.slots() {
            if let Some(class) = self.counts.get_mut(bounds_us.partition_point(|bound| *bound < us)) {
                *class += count;
            }
            *self.eighths.entry(eighth_of(us)).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        #[test]
        fn every_call_is_in_one_class_and_no_class_is_too_kind(all in proptest::collection::vec(1_u64..100_000_000, 1..200)) {
            let (totals, mut series) = (Totals::default(), Series::new());
            all.iter().for_each(|us| series.record(*us));
            let key = SeriesKey {
                integration: Arc::from("pay"),
                endpoint: Arc::from("BREW /a"),
                role: Role::Shadow,
                outcome: Outcome::Ok,
                phase: Phase::Total,
            };
            totals.add(&key, &series);
            let (kind, classes) = totals.calls().pop().unwrap();
            prop_assert_eq!((kind.method, classes.sum_us), ("_OTHER", all.iter().sum::<u64>()));
            prop_assert_eq!(classes.counts.iter().sum::<u64>(), all.len() as u64);
            prop_assert_eq!(classes.eighths.values().sum::<u64>(), all.len() as u64);
            let mut below = 0;
            for (eighth, count) in &classes.eighths {
                below += count;
                let bound_us = (f64::from(*eighth) / 8.0).exp2() * 1e6;
                let truly = all.iter().filter(|us| **us as f64 <= bound_us * 1.000_001).count() as u64;
                let nearly = all.iter().filter(|us| **us as f64 * 1.02 <= bound_us).count() as u64;
                prop_assert!(nearly <= below && below <= truly, "{bound_us}: {nearly} {below} {truly}");
            }
            let mut within = 0;
            for (bound, count) in CALL_BOUNDS_US.iter().zip(&classes.counts) {
                within += count;
                let truly = all.iter().filter(|us| *us <= bound).count() as u64;
                let nearly = all.iter().filter(|us| *us * 102 / 100 <= *bound).count() as u64;
                prop_assert!(nearly <= within && within <= truly, "{bound}: {nearly} {within} {truly}");
            }
        }
    }
}
