//! How much less than so many independent calls they are worth, because slow ones come together.
//!
//! A provider that is slow is slow for minutes: ten thousand calls with three slow episodes tell little more about its
//! tail than three observations. The design effect (Kish 1965) is the factor between the two: the variance of a share
//! over whole clusters of time divided by what independent calls would have. It depends on how long a cluster is, and
//! nobody knows how long episodes last, so several lengths are tried, and a longer one counts if it shows clearly more.

use crate::latency::{Timeline, lower_edge_us};

/// Fewer clusters with calls than this say nothing about episodes.
pub const CLUSTERS_MIN: usize = 20;
/// Lengths of clusters that are tried, seconds: 10 minutes, half an hour, an hour, four hours.
const LENGTHS_S: [i64; 4] = [600, 1_800, 3_600, 14_400];
/// Standard deviations by which an effect must exceed the one of shorter clusters: chance alone does so once in twenty
/// times. Without this, the largest of four noisy figures would make every interval too wide.
const CLEARLY: f64 = 1.645;

/// The design effect at one limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Calls count as `n / deff` independent ones; 1 or more. 1 while it is not known.
    pub deff: f64,
    /// Stretches of ten minutes (or longer ones, of long ago) that hold calls.
    pub clusters: usize,
}

impl Effect {
    /// Calls that are independent, or not known to be anything else.
    pub const INDEPENDENT: Self = Self { deff: 1.0, clusters: 0 };

    /// Whether there are enough stretches of time to tell.
    pub fn is_known(&self) -> bool {
        self.clusters >= CLUSTERS_MIN
    }
}

/// The design effect of the share of calls above `limit_us`: for each length of cluster, with `k` of `n` calls above in
/// cluster j and `p` overall, `J/(J-1) * sum((k_j - p n_j)^2) / (n p (1-p))`. The standard deviation of such a figure over
/// J clusters is about `sqrt(2 / (J-1))` of it. At least 1. Calls we ended ourselves count as above.
pub fn effect(timeline: &Timeline, limit_us: u64) -> Effect {
    let counts: Vec<_> = timeline
        .intervals()
        .iter()
        .map(|interval| (interval.start_unix_s, interval.above_at_most(limit_us) as f64, interval.calls() as f64))
        .collect();
    let (k, n) = counts.iter().fold((0.0, 0.0), |(k, n), one| (k + one.1, n + one.2));
    let mut largest = 1.0_f64;
    let mut clusters = 0;
    for length_s in LENGTHS_S {
        let (number, squares) = squares(&counts, length_s, k / n);
        clusters = clusters.max(number);
        let binomial = k * (1.0 - k / n);
        if number >= CLUSTERS_MIN && binomial > 0.0 {
            let clusters = number as f64;
            let deff = clusters / (clusters - 1.0) * squares / binomial;
            if deff > largest * (1.0 + CLEARLY * (2.0 / (clusters - 1.0)).sqrt()) {
                largest = deff;
            }
        }
    }
    Effect { deff: largest, clusters }
}

/// The larger of the effects just below and at a latency: where many calls share its slot, they are above the one limit
/// and not above the other.
pub(crate) fn effect_around(timeline: &Timeline, us: u64) -> Effect {
    let (below, at) = (effect(timeline, lower_edge_us(us).saturating_sub(1)), effect(timeline, us));
    if below.deff > at.deff { below } else { at }
}

/// How many clusters of that length hold calls, and the sum of `(k_j - p n_j)^2` over them.
fn squares(counts: &[(i64, f64, f64)], length_s: i64, p: f64) -> (usize, f64) {
    let (mut number, mut sum) = (0, 0.0);
    for cluster in counts.chunk_by(|a, b| a.0.div_euclid(length_s) == b.0.div_euclid(length_s)) {
        let (k, n) = cluster.iter().fold((0.0, 0.0), |(k, n), one| (k + one.1, n + one.2));
        number += 1;
        sum += (k - p * n) * (k - p * n);
    }
    (number, sum)
}

/// How much likelier a call is bad when another of the same minutes is: the correlation of two calls of one interval,
/// 0 to 1, by the analysis-of-variance estimator of the intra-class correlation (Donner 1986). `counts` are bad calls
/// and all calls of each interval; 0 where they cannot tell.
///
/// `P(bad again | bad) = p + rho (1 - p)`.
pub fn correlation(counts: &[(u64, u64)]) -> f64 {
    let held: Vec<(f64, f64)> = counts.iter().filter(|(_, n)| *n > 0).map(|(k, n)| (*k as f64, *n as f64)).collect();
    let clusters = held.len() as f64;
    let (k, n, squares) = held.iter().fold((0.0, 0.0, 0.0), |(k, n, s), one| (k + one.0, n + one.1, s + one.1 * one.1));
    if held.len() < CLUSTERS_MIN || k <= 0.0 || k >= n || n <= clusters {
        return 0.0;
    }
    let p = k / n;
    let between = held.iter().map(|(kj, nj)| nj * (kj / nj - p) * (kj / nj - p)).sum::<f64>() / (clusters - 1.0);
    let within = held.iter().map(|(kj, nj)| kj * (1.0 - kj / nj)).sum::<f64>() / (n - clusters);
    let size = (n - squares / n) / (clusters - 1.0);
    let rho = (between - within) / (between + (size - 1.0) * within);
    if rho.is_finite() { rho.clamp(0.0, 1.0) } else { 0.0 }
}
