//! Calls per minute, from samples of the counters over the last minute.

use crate::exchange::Instant;
use crate::telemetry::Ledger;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the counters are sampled.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Samples kept: a minute of them.
const SAMPLES_MAX: usize = 13;
/// Less time than this tells no rate.
const SPAN_MIN: Duration = Duration::from_secs(5);

/// When, and how many calls had arrived by integration.
type Sample = (Instant, BTreeMap<String, u64>);

/// The samples.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<VecDeque<Sample>>);

impl Pace {
    /// Takes a sample.
    pub(crate) fn sample(&self, ledger: &Ledger, now: Instant) {
        let arrived = ledger.iter().map(|book| (book.integration().to_string(), book.snapshot().arrived));
        self.keep(now, arrived.collect());
    }

    fn keep(&self, now: Instant, arrived: BTreeMap<String, u64>) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() >= SAMPLES_MAX {
            samples.pop_front();
        }
        samples.push_back((now, arrived));
    }

    /// Calls per minute over the last minute; `None` until there are two samples.
    pub(crate) fn per_minute(&self, integration: &str) -> Option<u64> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ((first, before), (last, now)) = (samples.front()?, samples.back()?);
        let span = last.saturating_duration_since(*first);
        let calls = now.get(integration)?.saturating_sub(*before.get(integration)?);
        (span >= SPAN_MIN).then(|| (calls as f64 * 60.0 / span.as_secs_f64()).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Clock;

    #[test]
    fn the_rate_is_of_the_last_minute_and_unknown_before() {
        let (pace, start) = (Pace::default(), Clock.now());
        assert_eq!(pace.per_minute("pay"), None);
        for at in 0..30_u64 {
            let arrived = if at < 15 { 0 } else { (at - 14) * 10 };
            pace.keep(start + SAMPLE_EVERY * at as u32, [("pay".to_owned(), arrived)].into());
            if at == 0 {
                assert_eq!(pace.per_minute("pay"), None);
            }
        }
        assert_eq!((pace.per_minute("pay"), pace.per_minute("other")), (Some(120), None));
    }
}
