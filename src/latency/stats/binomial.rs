//! Exact shares and counts: binomial, beta and Poisson, for whole numbers of calls and for effective ones.

use crate::latency::stats::CONFIDENCE;
use statrs::function::beta::{checked_beta_reg, ln_beta};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};

/// How many of how many, with the interval of the share behind it.
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

impl Share {
    /// The share itself, 0 to 1; 0 without calls.
    pub fn value(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.k as f64 / self.n as f64 }
    }
}

/// The share `k` of `n` with its exact two-sided 95 % interval, for independent calls (Clopper and Pearson 1934): `low`
/// is the 2.5 % quantile of Beta(k, n-k+1), `high` the 97.5 % quantile of Beta(k+1, n-k). Without calls nothing is
/// known: 0 to 1.
pub fn share(k: u64, n: u64) -> Share {
    share_of_few(k, n, 1.0, CONFIDENCE)
}

/// The same where the calls are worth only `n / deff` independent ones (Korn and Graubard 1998: the exact interval at
/// the effective counts), with the given confidence.
pub fn share_of_few(k: u64, n: u64, deff: f64, confidence: f64) -> Share {
    let k = k.min(n);
    let half = (1.0 - confidence) / 2.0;
    let (ke, ne) = (k as f64 / deff, n as f64 / deff);
    let low = if k == 0 { 0.0 } else { beta_quantile(half, ke, ne - ke + 1.0) };
    let high = share_at_most(ke, ne, 1.0 - half);
    // Effective counts of less than one call could turn the bounds round.
    let value = if n == 0 { 0.0 } else { k as f64 / n as f64 };
    Share { k, n, low: low.min(value), high: high.max(value) }
}

/// Whether the interval of [`share_of_few`] lies above `rate`: one look at the distribution, where the interval's end takes
/// fifty.
pub(crate) fn surely_above(k: u64, n: u64, deff: f64, rate: f64, confidence: f64) -> bool {
    let (ke, ne) = (k.min(n) as f64 / deff, n as f64 / deff);
    let below = || checked_beta_reg(ke, ne - ke + 1.0, rate).unwrap_or(1.0);
    k > 0 && k as f64 > rate * n as f64 && below() < (1.0 - confidence) / 2.0
}

/// The one-sided upper bound of the share `k` of `n` (which may be effective counts): it is at most this with at least
/// `confidence`. 1 without calls.
pub fn share_at_most(k: f64, n: f64, confidence: f64) -> f64 {
    if k >= n { 1.0 } else { beta_quantile(confidence, k + 1.0, n - k) }
}

/// P(Binomial(n, q) <= k) through the regularised incomplete beta function, which also continues it between whole `k`
/// and `n`.
pub(crate) fn binomial_at_most(k: f64, n: f64, q: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    if k < 0.0 {
        return 0.0;
    }
    1.0 - checked_beta_reg(k + 1.0, n - k, q).unwrap_or(0.0)
}

/// P(at least k of n are bad) where each is with probability `p` and two of them correlate by `rho` (0 to 1): binomial
/// at 0, else Beta-Binomial with that intra-class correlation (Skellam 1948).
pub fn beta_binomial_at_least(k: u64, n: u64, p: f64, rho: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    if rho <= 1e-6 {
        return 1.0 - binomial_at_most(k as f64 - 1.0, n as f64, p);
    }
    let scale = (1.0 - rho.min(0.999)) / rho.min(0.999);
    let (a, b) = (p * scale, (1.0 - p) * scale);
    let choose = |i: f64| ln_gamma(n as f64 + 1.0) - ln_gamma(i + 1.0) - ln_gamma(n as f64 - i + 1.0);
    let exactly = |i: u64| (choose(i as f64) + ln_beta(a + i as f64, b + (n - i) as f64) - ln_beta(a, b)).exp();
    (k..=n).map(exactly).sum::<f64>().min(1.0)
}

/// The smallest m with P(Poisson(mean) <= m) >= p. 0 for a mean that is no positive number.
pub fn poisson_quantile(mean: f64, p: f64) -> u64 {
    if !mean.is_finite() || mean <= 0.0 {
        return 0;
    }
    let at_most = |m: u64| checked_gamma_ur(m as f64 + 1.0, mean).unwrap_or(1.0);
    // A Poisson number is never so far above its mean.
    let (mut low, mut high) = (0_u64, (mean + 40.0 * mean.sqrt() + 100.0).ceil() as u64);
    while low < high {
        let middle = low + (high - low) / 2;
        if at_most(middle) >= p {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The p-quantile of Beta(a, b) by bisection: its distribution function rises, so halving cannot fail to converge.
pub(crate) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // 2^-50 is below what matters of any share.
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if checked_beta_reg(a, b, middle).unwrap_or(1.0) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64, within: f64) -> bool {
        (got - expected).abs() <= within
    }

    #[test]
    fn shares_are_those_of_clopper_and_pearson() {
        let none = share(0, 10_000);
        assert!(none.low == 0.0 && near(none.high, 0.000_369, 5e-7));
        let some = share(340, 10_000);
        assert!(near(some.low, 0.030_534, 5e-5) && near(some.high, 0.037_740, 5e-5), "{some:?}");
        let all = share(10, 10);
        assert!(near(all.low, 0.6915, 5e-5) && all.high == 1.0, "{all:?}");
        let unknown = share(0, 0);
        assert_eq!((unknown.low, unknown.high, unknown.value()), (0.0, 1.0, 0.0));
        assert!(near(share_at_most(0.0, 2_995.0, 0.95), 0.001, 1e-6));
    }

    #[test]
    fn fewer_effective_calls_widen_a_share_and_never_turn_it_round() {
        let (alone, together) = (share(34, 1_000), share_of_few(34, 1_000, 10.0, 0.95));
        assert!(together.low < alone.low && together.high > alone.high);
        for deff in [1.0, 3.0, 500.0, 5_000.0] {
            let one = share_of_few(7, 1_000, deff, 0.95);
            assert!(one.low <= one.value() && one.value() <= one.high && one.high <= 1.0, "{deff}: {one:?}");
        }
    }

    #[test]
    fn a_share_is_surely_above_what_its_interval_lies_above() {
        for (k, n, deff) in [(0, 100, 1.0), (7, 100, 1.0), (7, 100, 4.0), (70, 1_000, 9.0), (100, 100, 1.0)] {
            for rate in [0.001, 0.01, 0.028, 0.029, 0.05, 0.9] {
                let low = share_of_few(k, n, deff, 0.95).low;
                assert_eq!(surely_above(k, n, deff, rate, 0.95), low > rate, "{k} of {n}, {deff}: {low} {rate}");
            }
        }
    }

    #[test]
    fn poisson_quantiles_are_those_of_the_pools() {
        assert_eq!(poisson_quantile(13.6, 0.999), 26);
        assert_eq!(poisson_quantile(68.0, 0.999), 95);
        assert_eq!((poisson_quantile(0.0, 0.999), poisson_quantile(f64::NAN, 0.5)), (0, 0));
        assert!(poisson_quantile(1e6, 0.999).abs_diff(1_003_091) < 5);
    }

    #[test]
    fn correlation_makes_many_at_once_likelier_and_one_less_likely() {
        let (alone, together) = (beta_binomial_at_least(5, 20, 0.01, 0.0), beta_binomial_at_least(5, 20, 0.01, 0.2));
        assert!(together > alone * 10.0, "{alone} {together}");
        assert!(beta_binomial_at_least(1, 20, 0.01, 0.2) < beta_binomial_at_least(1, 20, 0.01, 0.0));
        // Rho near nothing is the binomial.
        let (small, none) = (beta_binomial_at_least(3, 20, 0.05, 1e-4), beta_binomial_at_least(3, 20, 0.05, 0.0));
        assert!(near(small, none, none * 0.01), "{small} {none}");
        assert_eq!((beta_binomial_at_least(0, 5, 0.1, 0.1), beta_binomial_at_least(6, 5, 0.1, 0.1)), (1.0, 0.0));
    }
}
