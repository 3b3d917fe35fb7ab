//! One endpoint that is really two: a second mode of the latencies, and what tells it apart.

use crate::latency::Slots;

/// One hill of the distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Its top, microseconds.
    pub peak_us: u64,
    /// Where it begins, microseconds: the lowest point before it.
    pub from_us: u64,
    /// The share of calls in it, 0 to 1.
    pub share: f64,
}

/// Bins of an octave.
const PER_OCTAVE: f64 = 8.0;
/// Bins from 1 microsecond to beyond the longest call.
const BINS: usize = 8 * 31;
/// A valley lower than this share of the lower hill parts two modes.
const VALLEY: f64 = 0.75;
/// ... and it must be lower by so many standard deviations of a Poisson count that was smoothed.
const SIGMA: f64 = 4.0;
/// A hill with a smaller share of the calls is none.
const SHARE_MIN: f64 = 0.005;

/// The modes of a distribution, fastest first; one where it has one, none without calls.
///
/// Counts on a logarithmic axis, smoothed by binomial weights (more often for few calls); two neighbouring hills are one
/// unless the valley between them is clearly lower than both.
pub fn modes(slots: &Slots) -> Vec<Mode> {
    let n = slots.len();
    if n == 0 {
        return Vec::new();
    }
    let mut bins = vec![0.0; BINS];
    for (us, calls) in slots.iter() {
        if let Some(bin) = bins.get_mut(bin_of(us)) {
            *bin += calls as f64;
        }
    }
    let passes = match n {
        0..2_000 => 8,
        2_000..20_000 => 5,
        _ => 3,
    };
    let smooth = (0..passes).fold(bins.clone(), |bins, _| smoothed(&bins));
    let mut hills = hills(&smooth);
    // Binomial smoothing spreads a count over a bell with the variance of half the passes; what it averages over is
    // 2 sqrt(pi) of its standard deviations wide.
    let averaged = 2.0 * (std::f64::consts::PI * f64::from(passes) / 2.0).sqrt();
    while let Some(at) = weakest(&hills, &smooth, &bins, averaged) {
        hills.remove(at);
    }
    let bounds = bounds(&hills, &smooth);
    let mode = |(index, peak): (usize, &usize)| {
        let (from, to) = (bounds[index], bounds[index + 1]);
        let calls: f64 = bins[from..to].iter().sum();
        Mode { peak_us: us_of(*peak), from_us: us_of(from), share: calls / n as f64 }
    };
    hills.iter().enumerate().map(mode).collect()
}

fn bin_of(us: u64) -> usize {
    ((us.max(1) as f64).log2() * PER_OCTAVE) as usize
}

fn us_of(bin: usize) -> u64 {
    if bin == 0 { 0 } else { ((bin as f64) / PER_OCTAVE).exp2() as u64 }
}

fn smoothed(bins: &[f64]) -> Vec<f64> {
    let at = |bin: usize, by: isize| bin.checked_add_signed(by).and_then(|bin| bins.get(bin)).copied().unwrap_or(0.0);
    (0..bins.len()).map(|bin| (at(bin, -1) + 2.0 * at(bin, 0) + at(bin, 1)) / 4.0).collect()
}

/// The tops of all hills; a flat top counts once.
fn hills(smooth: &[f64]) -> Vec<usize> {
    let mut tops = Vec::new();
    let mut rising = true;
    for bin in 0..smooth.len() {
        let (here, next) = (smooth[bin], smooth.get(bin + 1).copied().unwrap_or(0.0));
        if rising && next < here {
            tops.push(bin);
            rising = false;
        } else if next > here {
            rising = true;
        }
    }
    tops
}

/// The bins at which each hill begins, and the end.
fn bounds(hills: &[usize], smooth: &[f64]) -> Vec<usize> {
    let lowest = |pair: &[usize]| {
        let bins = pair[0]..=pair[1];
        bins.min_by(|a, b| smooth[*a].total_cmp(&smooth[*b])).unwrap_or(pair[1])
    };
    let between = hills.windows(2).map(lowest);
    std::iter::once(0).chain(between).chain([smooth.len()]).collect()
}

/// The lowest hill that is not clearly parted from a neighbour, or too small.
fn weakest(hills: &[usize], smooth: &[f64], bins: &[f64], averaged: f64) -> Option<usize> {
    if hills.len() < 2 {
        return None;
    }
    let (bounds, n) = (bounds(hills, smooth), bins.iter().sum::<f64>());
    let parted = |top: f64, valley: f64| valley < VALLEY * top && top - valley > SIGMA * (top / averaged).sqrt();
    let weak = |at: &usize| {
        let top = smooth[hills[*at]];
        let calls: f64 = bins[bounds[*at]..bounds[*at + 1]].iter().sum();
        // Only against a higher neighbour: the lower of two decides.
        let left = at.checked_sub(1).filter(|left| smooth[hills[*left]] >= top).map(|_| smooth[bounds[*at]]);
        let right = hills.get(*at + 1).filter(|right| smooth[**right] >= top).map(|_| smooth[bounds[*at + 1]]);
        calls < SHARE_MIN * n || [left, right].into_iter().flatten().any(|valley| !parted(top, valley))
    };
    (0..hills.len()).filter(weak).min_by(|a, b| smooth[hills[*a]].total_cmp(&smooth[hills[*b]]))
}

/// How much of the variance of the logarithm of the latency a label explains, 0 to 1: eta squared, the variance between
/// the groups over the whole (Fisher 1925). Above one half the label is what tells the modes apart.
pub fn explained<'a>(groups: impl IntoIterator<Item = &'a Slots>) -> f64 {
    let (mut n, mut sum, mut squares, mut between) = (0.0, 0.0, 0.0, 0.0);
    for group in groups {
        let (mut calls, mut total) = (0.0, 0.0);
        for (us, count) in group.iter() {
            let log = (us.max(1) as f64).ln();
            calls += count as f64;
            total += log * count as f64;
            squares += log * log * count as f64;
        }
        if calls > 0.0 {
            between += total * total / calls;
            n += calls;
            sum += total;
        }
    }
    let whole = squares - sum * sum / n;
    // All alike: nothing to explain.
    if n < 2.0 || whole <= 1e-9 * squares { 0.0 } else { ((between - sum * sum / n) / whole).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::tests::lognormal;

    #[test]
    fn two_modes_are_two_and_one_is_one() {
        let (fast, slow) = (lognormal(120_000.0, 0.5, 9_700), lognormal(2_000_000.0, 0.3, 300));
        let two = modes(&Slots::merged([&fast, &slow]));
        assert_eq!(two.len(), 2, "{two:?}");
        assert!((two[1].share - 0.03).abs() < 0.005 && two[1].peak_us.abs_diff(2_000_000) < 300_000, "{two:?}");
        assert_eq!(modes(&lognormal(120_000.0, 1.0, 10_000)).len(), 1);
        assert_eq!(modes(&Slots::from_counts([(5, 100)])).len(), 1);
        assert!(modes(&Slots::default()).is_empty());
    }

    #[test]
    fn a_label_that_tells_modes_apart_explains_them() {
        let (fast, slow) = (lognormal(25_000.0, 0.4, 600), lognormal(400_000.0, 0.4, 400));
        let mixed = Slots::merged([&fast, &slow]);
        assert!(explained([&fast, &slow]) > 0.8);
        assert!(explained([&mixed, &mixed]) < 0.01);
        assert_eq!(explained([&Slots::default()]), 0.0);
    }
}
