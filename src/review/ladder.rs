//! One endpoint's success latencies as a ladder of percentiles, and what a timeout would cut.
//!
//! A call that we ended ourselves (our timeout, the kill-switch) has a true latency nobody saw: at least what was
//! measured. Both readings are kept: `least` counts it at the measured value, `most` as if the answer had never come.
//! The truth lies between, and where the two differ the figure says so.

use crate::latency::{Series, stats};

/// Percentiles on the ladder: name, numerator, denominator.
pub(crate) const LADDER: [(&str, u64, u64); 5] =
    [("p50", 50, 100), ("p90", 90, 100), ("p95", 95, 100), ("p99", 99, 100), ("p99.9", 999, 1000)];

/// "The answer never came", microseconds: the top of what a series can hold (600 s).
const NEVER_US: u64 = 600_000_000;

/// A percentile that enough calls support. All values in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The percentile, with calls we ended ourselves counted at the value measured.
    pub value_us: u64,
    /// True if calls we ended ourselves could make the true value larger.
    pub at_least: bool,
    /// Lower end of the 95 % interval, where one exists.
    pub low_us: Option<u64>,
    /// Upper end of the 95 % interval; absent where too few calls, or calls we ended ourselves, leave it open.
    pub high_us: Option<u64>,
}

/// One percentile of a ladder: a figure, or how many calls it would need.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// `p50` … `p99.9`.
    pub name: &'static str,
    /// 0.5 … 0.999.
    pub quantile: f64,
    /// Calls needed before this percentile is shown.
    pub needs_calls: u64,
    /// The figure; `None` while there are too few calls.
    pub estimate: Option<Estimate>,
}

/// The percentiles of the successful calls of one endpoint and role.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// Calls behind the ladder: successful ones and the ones we ended ourselves.
    pub calls: u64,
    /// Of these, the ones we ended ourselves: counted as "at least this long".
    pub censored_calls: u64,
    /// The percentiles, rising.
    pub rungs: Vec<Rung>,
}

/// What one timeout would cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WhatIf {
    /// The timeout, microseconds.
    pub timeout_us: u64,
    /// Calls behind the figure, as in [`Ladder::calls`].
    pub calls: u64,
    /// Calls surely longer than the timeout.
    pub cut_calls: u64,
    /// The same if every call we ended earlier than the timeout would have been longer than it.
    pub cut_calls_most: u64,
    /// `cut_calls / calls`, 0–1.
    pub share: f64,
    /// Lower end of the 95 % interval, 0–1.
    pub share_low: f64,
    /// Upper end of the 95 % interval, 0–1; from `cut_calls_most`.
    pub share_high: f64,
}

/// The two readings of one population.
pub(crate) struct Population {
    least: Series,
    most: Series,
    censored_calls: u64,
}

impl Population {
    /// Joins the successful calls with the ones we ended ourselves.
    pub(crate) fn new(success: &Series, censored: &Series) -> Self {
        let mut least = Series::new();
        least.merge(success);
        least.merge(censored);
        let mut most = Series::new();
        most.merge(success);
        for _ in 0..censored.len() {
            most.record(NEVER_US);
        }
        Self { least, most, censored_calls: censored.len() }
    }

    /// The percentiles that enough calls support.
    pub(crate) fn ladder(&self) -> Ladder {
        let rungs = LADDER.into_iter().map(|(name, num, den)| self.rung(name, num, den)).collect();
        Ladder { calls: self.least.len(), censored_calls: self.censored_calls, rungs }
    }

    /// What a timeout of `timeout_us` would cut; `None` without calls.
    pub(crate) fn what_if(&self, timeout_us: u64) -> Option<WhatIf> {
        let calls = self.least.len();
        if calls == 0 {
            return None;
        }
        let surely = stats::share_above(&self.least, timeout_us);
        let at_most = stats::share_above(&self.most, timeout_us);
        Some(WhatIf {
            timeout_us,
            calls,
            cut_calls: surely.k,
            cut_calls_most: at_most.k,
            share: surely.k as f64 / calls as f64,
            share_low: surely.low,
            share_high: at_most.high,
        })
    }

    fn rung(&self, name: &'static str, num: u64, den: u64) -> Rung {
        let quantile = num as f64 / den as f64;
        let needs_calls = stats::min_calls(quantile);
        let estimate = if self.least.len() >= needs_calls { self.estimate(num, den) } else { None };
        Rung { name, quantile, needs_calls, estimate }
    }

    fn estimate(&self, num: u64, den: u64) -> Option<Estimate> {
        let value_us = self.least.quantile(num, den)?;
        let at_least = self.most.quantile(num, den) != Some(value_us);
        let low_us = stats::quantile_interval(&self.least, num, den, stats::CONFIDENCE).map(|(low, _)| low);
        // Between the counts that a one-sided and a two-sided bound need, the upper one alone exists.
        let high_us = stats::quantile_interval(&self.most, num, den, stats::CONFIDENCE)
            .map(|(_, high)| high)
            .or_else(|| stats::upper_bound(&self.most, num, den, stats::CONFIDENCE))
            .filter(|high| self.censored_calls == 0 || *high < NEVER_US);
        Some(Estimate { value_us, at_least, low_us, high_us })
    }
}
