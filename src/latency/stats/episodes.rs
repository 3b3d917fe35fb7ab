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
    timeline.clusters().effect(timeline, timeline.answered().after(limit_us))
}

/// The same for a part of a timeline of which no other limit is asked for: a look at each interval, and no table.
pub(crate) fn effect_of_part(part: &[&Interval], limit_us: u64) -> Effect {
    let above: Vec<u32> = part.iter().map(|interval| counted(interval.above_at_most(limit_us))).collect();
    Lengths::of(part.iter().copied()).effect(&above)
}

/// Slots between two that are marked.
const STEP: usize = 16;

/// Where to look in each interval of a timeline: an interval of a percentile asks for the effect at some hundred latencies.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// For each sixteenth slot of the timeline, and for none at last: in each interval, how many of its slots lie below.
    marks: Vec<u16>,
    lengths: Lengths,
    /// For each slot of the timeline, and for none at last.
    effects: Vec<OnceLock<Effect>>,
}

/// The clusters of each length.
#[derive(Debug)]
struct Lengths {
    /// All calls of each interval.
    calls: Vec<u64>,
    /// For each length, where each cluster of it ends, as a position among the intervals, and its calls.
    ends: [Vec<(usize, f64)>; LENGTHS_S.len()],
}

impl Lengths {
    fn of<'a>(intervals: impl Iterator<Item = &'a Interval> + Clone) -> Self {
        let calls: Vec<u64> = intervals.clone().map(Interval::calls).collect();
        let ends = LENGTHS_S.map(|length_s| {
            let mut ends: Vec<(usize, f64)> = Vec::new();
            let mut last = None;
            for ((at, interval), calls) in intervals.clone().enumerate().zip(&calls) {
                let cluster = Some(interval.start_unix_s.div_euclid(length_s));
                match ends.last_mut().filter(|_| last == cluster) {
                    Some((end, sum)) => (*end, *sum) = (at + 1, *sum + *calls as f64),
                    None => ends.push((at + 1, *calls as f64)),
                }
                last = cluster;
            }
            ends
        });
        Self { calls, ends }
    }

    /// Of so many calls of each interval.
    fn effect(&self, above: &[u32]) -> Effect {
        let k = above.iter().map(|k| u64::from(*k)).sum::<u64>() as f64;
        let n = self.calls.iter().sum::<u64>() as f64;
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

impl Clusters {
    pub(crate) fn of(timeline: &Timeline) -> Self {
        let (intervals, places) = (timeline.intervals(), timeline.answered().places().map(|(place, _)| place));
        let effects = (0..=places.len()).map(|_| OnceLock::new()).collect();
        let marked: Vec<u16> = places.step_by(STEP).chain([u16::MAX]).collect();
        let mut marks = vec![0; marked.len() * intervals.len()];
        for (column, interval) in intervals.iter().enumerate() {
            let (mut below, mut held) = (0, interval.answered.places().peekable());
            for (row, place) in marked.iter().enumerate() {
                while held.next_if(|(one, _)| one < place).is_some() {
                    below += 1;
                }
                marks[row * intervals.len() + column] = below;
            }
        }
        Self { marks, lengths: Lengths::of(intervals.iter()), effects }
    }

    /// Of the calls from a slot up, as its position among those of the timeline.
    fn effect(&self, timeline: &Timeline, slot: usize) -> Effect {
        let known = self.effects.get(slot);
        known.map_or(Effect::INDEPENDENT, |known| *known.get_or_init(|| self.computed(timeline, slot)))
    }

    fn computed(&self, timeline: &Timeline, slot: usize) -> Effect {
        let (intervals, place) = (timeline.intervals(), timeline.answered().place_at(slot));
        let row = |at: usize| self.marks.get(at * intervals.len()..(at + 1) * intervals.len()).unwrap_or_default();
        let (from, to) = (row(slot / STEP), row(slot / STEP + 1));
        let above = intervals.iter().enumerate().map(|(at, interval)| {
            let answered = match (place, from.get(at), to.get(at)) {
                (Some(place), Some(from), Some(to)) => interval.answered.upwards_from(place, *from..*to),
                _ => 0,
            };
            counted(answered.saturating_add(interval.censored.len()))
        });
        self.lengths.effect(&above.collect::<Vec<_>>())
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
        let k = above[from..*to].iter().map(|k| u64::from(*k)).sum::<u64>() as f64;
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
