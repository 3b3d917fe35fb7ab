//! How much less than so many independent calls they are worth, because slow ones come together.
//!
//! A provider that is slow is slow for minutes: ten thousand calls with three slow episodes tell little more about its
//! tail than three observations. The design effect (Kish 1965) is the factor between the two: the variance of a share
//! over whole clusters of time divided by what independent calls would have. It depends on how long a cluster is, and
//! nobody knows how long episodes last, so several lengths are tried, and a longer one counts if it shows clearly more.

use crate::latency::{Interval, Timeline, lower_edge_us};
use std::sync::OnceLock;

/// Fewer clusters with calls than this say nothing about episodes.
pub const CLUSTERS_MIN: usize = 20;
/// Lengths of clusters that are tried, seconds: 10 minutes, half an hour, an hour, four hours.
const LENGTHS_S: [i64; 4] = [600, 1_800, 3_600, 14_400];
/// Standard deviations by which an effect must exceed the one of shorter clusters: chance alone does so once in twenty
/// times. Without this, the largest of four noisy figures would make every interval too wide.
const CLEARLY: f64 = 1.645;

/// Degrees of freedom of the effect for each cluster that makes it. Clusters that do are counted as Satterthwaite (1946)
/// does, `(sum d^2)^2 / sum d^4`: four slow hours among a thousand are four. By simulation: with one for each, intervals
/// cover more than they promise.
const FREEDOM: f64 = 4.0;

/// The design effect at one limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Calls count as `n / deff` independent ones; 1 or more. 1 while it is not known.
    pub deff: f64,
    /// The same for the ends of an interval: larger by what its own uncertainty adds, where few clusters make it.
    pub widened: f64,
    /// Stretches of ten minutes (or longer ones, of long ago) that hold calls.
    pub clusters: usize,
}

impl Effect {
    /// Calls that are independent, or not known to be anything else.
    pub const INDEPENDENT: Self = Self { deff: 1.0, widened: 1.0, clusters: 0 };

    /// Whether there are enough stretches of time to tell.
    pub fn is_known(&self) -> bool {
        self.clusters >= CLUSTERS_MIN
    }
}

/// The design effect of the share of calls above `limit_us`: for each length of cluster, with `k` of `n` calls above in
/// cluster j and `p` overall, `J/(J-1) * sum((k_j - p n_j)^2) / (n p (1-p))`. The standard deviation of such a figure over
/// J clusters is about `sqrt(2 / (J-1))` of it. At least 1. Calls we ended ourselves count as above.
pub fn effect(timeline: &Timeline, limit_us: u64) -> Effect {
    timeline.clusters().effect(timeline.answered().after(limit_us))
}

/// The calls of a timeline by interval and by latency: an interval of a percentile asks for the effect at some hundred
/// latencies, and each is the sum of one row.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// For each slot that holds any call, and for none at last: the calls of each interval from that slot up, and those we
    /// ended ourselves.
    above: Vec<u32>,
    /// All calls of each interval.
    calls: Vec<f64>,
    /// For each length, where each cluster of it ends, as a position among the intervals, and its calls.
    ends: [Vec<(usize, f64)>; LENGTHS_S.len()],
    effects: Vec<OnceLock<Effect>>,
}

/// Intervals that are filled in together: a row of so many is one line of a processor's cache.
const TOGETHER: usize = 16;

impl Clusters {
    pub(crate) fn of(timeline: &Timeline) -> Self {
        let intervals = timeline.intervals();
        let places: Vec<u16> = timeline.answered().places().map(|(place, _)| place).collect();
        let mut row_of = vec![0_usize; places.last().map_or(0, |last| usize::from(*last) + 1)];
        places.iter().enumerate().for_each(|(row, place)| row_of[usize::from(*place)] = row);
        let mut above = vec![0_u32; (places.len() + 1) * intervals.len()];
        let mut rows = vec![[0_u32; TOGETHER]; places.len() + 1];
        for (turn, some) in intervals.chunks(TOGETHER).enumerate() {
            for (column, interval) in some.iter().enumerate() {
                let ended = interval.censored.len();
                let (mut count, mut to) = (counted(ended), places.len() + 1);
                for (place, upwards) in interval.answered.places().rev() {
                    let row = row_of[usize::from(place)];
                    rows[row + 1..to].iter_mut().for_each(|one| one[column] = count);
                    (count, to) = (counted(upwards.saturating_add(ended)), row + 1);
                }
                rows[..to].iter_mut().for_each(|one| one[column] = count);
            }
            for (row, counts) in rows.iter().enumerate() {
                let at = row * intervals.len() + turn * TOGETHER;
                above[at..at + some.len()].copy_from_slice(&counts[..some.len()]);
            }
        }
        let calls: Vec<f64> = intervals.iter().map(|interval| interval.calls() as f64).collect();
        let ends = LENGTHS_S.map(|length_s| {
            let of = |interval: &Interval| interval.start_unix_s.div_euclid(length_s);
            let (mut from, mut ends) = (0, Vec::new());
            for cluster in intervals.chunk_by(|a, b| of(a) == of(b)) {
                let to = from + cluster.len();
                ends.push((to, calls[from..to].iter().sum()));
                from = to;
            }
            ends
        });
        let effects = (0..=places.len()).map(|_| OnceLock::new()).collect();
        Self { above, calls, ends, effects }
    }

    /// Of the calls from a slot up, as its position among those that hold any.
    fn effect(&self, slot: usize) -> Effect {
        self.effects.get(slot).map_or(Effect::INDEPENDENT, |known| *known.get_or_init(|| self.computed(slot)))
    }

    fn computed(&self, slot: usize) -> Effect {
        let width = self.calls.len();
        let above = &self.above[slot * width..(slot + 1) * width];
        let (k, n) = (above.iter().map(|k| f64::from(*k)).sum::<f64>(), self.calls.iter().sum::<f64>());
        let (mut largest, mut widened) = (1.0_f64, 1.0_f64);
        let mut clusters = 0;
        for ends in &self.ends {
            clusters = clusters.max(ends.len());
            let binomial = k * (1.0 - k / n);
            if ends.len() >= CLUSTERS_MIN && binomial > 0.0 {
                let number = ends.len() as f64;
                let (squares, fourths) = powers(above, ends, k / n);
                let deff = number / (number - 1.0) * squares / binomial;
                if deff > largest * (1.0 + CLEARLY * (2.0 / (number - 1.0)).sqrt()) {
                    (largest, widened) = (deff, deff * widening(FREEDOM * squares * squares / fourths));
                }
            }
        }
        Effect { deff: largest, widened, clusters }
    }
}

/// The larger of the effects just below and at a latency: where many calls share its slot, they are above the one limit
/// and not above the other.
pub(crate) fn effect_around(timeline: &Timeline, us: u64) -> Effect {
    let (below, at) = (effect(timeline, lower_edge_us(us).saturating_sub(1)), effect(timeline, us));
    if below.deff > at.deff { below } else { at }
}

/// Calls of one interval: never more than four thousand million.
fn counted(calls: u64) -> u32 {
    u32::try_from(calls).unwrap_or(u32::MAX)
}

/// The sums of `(k_j - p n_j)^2` and of its square over clusters.
fn powers(above: &[u32], ends: &[(usize, f64)], p: f64) -> (f64, f64) {
    let (mut from, mut squares, mut fourths) = (0, 0.0, 0.0);
    for (to, n) in ends {
        let k: f64 = above[from..*to].iter().map(|k| f64::from(*k)).sum();
        let square = (k - p * n) * (k - p * n);
        squares += square;
        fourths += square * square;
        from = *to;
    }
    (squares, fourths)
}

/// By how much a variance of so many degrees of freedom widens an interval: the square of Student's over the normal
/// quantile at 97.5 % (series of Abramowitz and Stegun 26.7.5; within 0.6 % from four degrees on).
fn widening(freedom: f64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    let (z, f) = (Z, freedom.max(FREEDOM));
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    let t = z
        + (z3 + z) / (4.0 * f)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * f * f)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * f * f * f);
    (t / z) * (t / z)
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
