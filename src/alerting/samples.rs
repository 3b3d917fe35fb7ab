//! The counters of the last window, so that shares are of its calls and not of all since the start.

use crate::exchange::{Instant, NotMirrored, Outcome};
use crate::review::Watched;
use crate::telemetry::{BookSnapshot, Ledger};
use std::collections::VecDeque;
use std::time::Duration;

/// Samples kept, whatever the window.
const SAMPLES_MAX: usize = 512;

/// See the file.
pub(in crate::alerting) struct Samples {
    window: Duration,
    /// The oldest is the last one that is not younger than the window.
    kept: VecDeque<(Instant, Vec<BookSnapshot>)>,
}

impl Samples {
    pub(in crate::alerting) fn new(window_s: u64) -> Self {
        Self { window: Duration::from_secs(window_s), kept: VecDeque::new() }
    }

    /// Takes a sample.
    pub(in crate::alerting) fn take(&mut self, ledger: &Ledger, now: Instant) {
        self.kept.push_back((now, ledger.iter().map(|book| book.snapshot()).collect()));
        let old_enough = |at: &Instant| now.saturating_duration_since(*at) >= self.window;
        while self.kept.get(1).is_some_and(|(at, _)| old_enough(at)) || self.kept.len() > SAMPLES_MAX {
            self.kept.pop_front();
        }
    }

    /// What happened within the window, or since the start.
    pub(in crate::alerting) fn watched(&self, integration: &str) -> Watched {
        let of = |all: &[BookSnapshot]| all.iter().find(|one| &*one.integration == integration).cloned();
        let ends = (self.kept.front().and_then(|(_, all)| of(all)), self.kept.back().and_then(|(_, all)| of(all)));
        let (Some(before), Some(now)) = ends else { return Watched::default() };
        let lost = |one: &BookSnapshot| one.not_recorded.iter().map(|(_, count)| count).sum::<u64>();
        Watched {
            arrived: now.arrived.saturating_sub(before.arrived),
            mirrored: std::array::from_fn::<_, { Outcome::ALL.len() }, _>(|at| {
                now.mirrored[at].saturating_sub(before.mirrored[at])
            }),
            not_mirrored: std::array::from_fn::<_, { NotMirrored::ALL.len() }, _>(|at| {
                now.not_mirrored[at].saturating_sub(before.not_mirrored[at])
            }),
            not_recorded: lost(&now).saturating_sub(lost(&before)),
            standing: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Clock;
    use std::sync::Arc;

    #[test]
    fn only_the_window_counts() {
        let ledger = Ledger::new(vec![Arc::from("pay")]);
        let (mut samples, start) = (Samples::new(10), Clock.now());
        let book = ledger.of("pay").unwrap();
        for second in 0..60 {
            if second < 30 {
                book.arrived();
                book.mirrored(Outcome::Timeout);
            }
            samples.take(&ledger, start + Duration::from_secs(second));
            let timeouts = samples.watched("pay").mirrored[usize::from(Outcome::Timeout.code())];
            let expected = if second < 30 { second.min(10) } else { 39_u64.saturating_sub(second) };
            assert_eq!(timeouts, expected, "after {second} s");
        }
        assert_eq!(samples.watched("other").arrived, 0);
    }
}
