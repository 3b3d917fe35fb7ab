//! What so many calls can tell: which percentiles may be printed, and how far a measured figure may be from the truth.
//!
//! Sources: order-statistic intervals for quantiles, Hahn and Meeker, *Statistical Intervals* (chapter 5; also
//! arXiv:2402.19109); exact binomial intervals, Clopper and Pearson (1934). Both hold whatever the distribution is. Both
//! assume independent calls: where a provider has slow episodes the true uncertainty is larger, so these bounds are the
//! least that must be said, never the most.

use crate::latency::Series;
use statrs::function::beta::checked_beta_reg;

/// The confidence a printed percentile needs: a one-sided 95 % upper bound must exist.
pub const CONFIDENCE: f64 = 0.95;

/// The fewest calls for which a one-sided 95 % upper bound of `quantile` exists: `ceil(ln 0.05 / ln quantile)`, because
/// the largest of n calls lies above the quantile with probability `1 - quantile^n`. 59 for 0.95, 299 for 0.99, 2 995 for
/// 0.999. A quantile of 1 or more is supported by no number of calls (`u64::MAX`).
pub fn min_calls(quantile: f64) -> u64 {
    if quantile.is_nan() || quantile >= 1.0 {
        return u64::MAX;
    }
    if quantile <= 0.0 {
        return 1;
    }
    ((1.0 - CONFIDENCE).ln() / quantile.ln()).ceil().max(1.0) as u64
}

/// The two-sided interval that holds the true quantile `num / den` with at least `confidence` (0 to 1), in microseconds:
/// the lower edge of the slot of rank l and the upper edge of the slot of rank u, where the number of calls below the
/// true quantile is Binomial(n, q). `None` where n is too small for either bound to exist.
pub fn quantile_interval(series: &Series, num: u64, den: u64, confidence: f64) -> Option<(u64, u64)> {
    let q = proper(num, den, confidence)?;
    let (n, half) = (series.len(), (1.0 - confidence) / 2.0);
    let low = ranks_with_at_most(n, q, half);
    let high = rank_reaching(n, q, 1.0 - half)?;
    Some((series.lowest_at_rank(low)?, series.value_at_rank(high)?))
}

/// The one-sided upper bound of the quantile `num / den` in microseconds: the true quantile is at most this with at
/// least `confidence`. `None` where n is too small for it to exist ([`min_calls`] at 95 %).
pub fn upper_bound(series: &Series, num: u64, den: u64, confidence: f64) -> Option<u64> {
    let q = proper(num, den, confidence)?;
    series.value_at_rank(rank_reaching(series.len(), q, confidence)?)
}

/// How many of how many, with an exact 95 % interval of the share behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Calls that did.
    pub k: u64,
    /// All calls.
    pub n: u64,
    /// The lower end of the interval, 0 to 1.
    pub low: f64,
    /// The upper end of the interval, 0 to 1. For 0 of n it is not 0: "at most this".
    pub high: f64,
}

/// The share of calls above `limit_us`, with its exact two-sided 95 % interval.
pub fn share_above(series: &Series, limit_us: u64) -> Share {
    share(series.count_above(limit_us), series.len())
}

/// The share `k` of `n` with its exact two-sided 95 % interval (Clopper–Pearson): `low` is the `(1-c)/2` quantile of
/// Beta(k, n-k+1), `high` the `(1+c)/2` quantile of Beta(k+1, n-k). Without calls nothing is known: 0 to 1.
pub fn share(k: u64, n: u64) -> Share {
    let k = k.min(n);
    let half = (1.0 - CONFIDENCE) / 2.0;
    let (kf, nf) = (k as f64, n as f64);
    let low = if k == 0 { 0.0 } else { beta_quantile(half, kf, nf - kf + 1.0) };
    let high = if k == n { 1.0 } else { beta_quantile(1.0 - half, kf + 1.0, nf - kf) };
    Share { k, n, low, high }
}

fn proper(num: u64, den: u64, confidence: f64) -> Option<f64> {
    let proper = num > 0 && num < den && confidence > 0.0 && confidence < 1.0;
    proper.then(|| num as f64 / den as f64)
}

/// P(Binomial(n, q) <= k), through the regularised incomplete beta function.
fn binomial_at_most(k: u64, n: u64, q: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    1.0 - checked_beta_reg(k as f64 + 1.0, (n - k) as f64, q).unwrap_or(0.0)
}

/// The largest l with P(Binomial(n, q) <= l - 1) <= p; 0 where there is none.
fn ranks_with_at_most(n: u64, q: f64, p: f64) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if binomial_at_most(middle - 1, n, q) <= p {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The smallest u with P(Binomial(n, q) <= u - 1) >= p; none where even the largest value is not enough.
fn rank_reaching(n: u64, q: f64, p: f64) -> Option<u64> {
    if n == 0 || binomial_at_most(n - 1, n, q) < p {
        return None;
    }
    let (mut low, mut high) = (1, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_at_most(middle - 1, n, q) >= p {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// The p-quantile of Beta(a, b) by bisection: its distribution function rises, so halving cannot fail to converge.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // 2^-60 is below what a double resolves near the shares that matter.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if checked_beta_reg(a, b, middle).unwrap_or(1.0) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}
