//! What a timeout cuts, and the timeout that keeps a promise.
//!
//! Set at the measured p99.9, a timeout cuts more than 0.1 % of the good answers about every second time: the measured
//! percentile is as often too low as too high. The advice here is an upper bound instead: the smallest measured value of
//! which it is sure, with the stated confidence, that no more than the target share lies above it.

use crate::latency::stats::binomial::{Share, binomial_at_most, share_at_most, share_of_few, surely_above};
use crate::latency::stats::episodes::{effect_around, effect_of_part};
use crate::latency::stats::quantile::first_slot;
use crate::latency::stats::{CLUSTERS_MIN, days_until, effect};
use crate::latency::timeline::HOURS_OF_WEEK;
use crate::latency::{Interval, Timeline};

/// What one timeout would cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WhatIf {
    /// The timeout, microseconds.
    pub timeout_us: u64,
    /// Calls surely longer than the timeout, of all: the lower end of the interval is theirs.
    pub surely: Share,
    /// The same if every call we ended earlier than the timeout would have been longer than it: the upper end.
    pub at_most: Share,
    /// How much episodes take from the calls.
    pub deff: f64,
}

/// What a timeout of `timeout_us` would cut, with intervals of `confidence`; `None` without calls. For a table of m rows
/// that are read together, ask for a confidence of `1 - 0.05 / m` (Bonferroni).
pub fn what_if(timeline: &Timeline, timeout_us: u64, confidence: f64) -> Option<WhatIf> {
    let n = timeline.calls();
    if n == 0 {
        return None;
    }
    let (surely, at_most) = timeline.above(timeout_us);
    let effect = effect(timeline, timeout_us);
    let share = |k| share_of_few(k, n, effect.widened, confidence);
    let of_both = share(at_most);
    let surely = if surely == at_most { of_both } else { share(surely) };
    Some(WhatIf { timeout_us, surely, at_most: of_both, deff: effect.deff })
}

/// The worst stretch of the week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worst {
    /// Its first hour of the week, 0 for Monday 00:00 UTC.
    pub from_hour: usize,
    /// Its last hour of the week. Hours are joined until there are calls enough to tell.
    pub to_hour: usize,
    /// The timeout that keeps the promise there, microseconds; `None` where it is not surely worse than the promise, so
    /// that the timeout of the whole week stands.
    pub timeout_us: Option<u64>,
    /// The share of its calls that the timeout of the whole week would cut, 0 to 1.
    pub cut_by_overall: f64,
}

/// A timeout that keeps its promise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeout {
    /// What to set: the larger of both bounds, padded where all calls are alike, rounded up. Microseconds.
    pub timeout_us: u64,
    /// The bound over all calls, microseconds.
    pub overall_us: u64,
    /// The bound of the worst hours; `None` where no part of the week has calls enough by itself.
    pub worst: Option<Worst>,
    /// The share cut by `timeout_us` as measured, 0 to 1.
    pub measured_share: f64,
    /// The share cut by `timeout_us` at most, 0 to 1, with the confidence asked for.
    pub share_at_most: f64,
    /// How much episodes take from the calls.
    pub deff: f64,
}

/// Why no timeout can be named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// Too few calls, at the design effect measured.
    Calls {
        /// Calls needed.
        needs: u64,
        /// Calls there are.
        has: u64,
        /// Days more at the rate so far.
        days: Option<f64>,
    },
    /// Too few stretches of ten minutes to see episodes.
    Intervals {
        /// Stretches needed.
        needs: usize,
        /// Stretches there are.
        has: usize,
    },
    /// Too many calls were ended by ourselves: the timeout would be longer than what was waited for.
    Censored {
        /// Their share of all calls, 0 to 1.
        share: f64,
        /// The share there may be, 0 to 1.
        most: f64,
    },
}

/// The timeout, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advice {
    /// It holds with the confidence asked for.
    Timeout(Timeout),
    /// It would be a guess.
    Refused(Refusal),
}

/// The smallest timeout of which it is sure with `confidence` that at most `rate` (0 to 1) of the answers come later.
///
/// It is the first slot above which so few of the n calls lie (k) that P(Binomial(n, rate) <= k) is at most `1 -
/// confidence`, with k and n divided by the design effect there. A part of the week that is surely worse decides. Calls we
/// ended ourselves count as answers that would have come later. Where the value is close to the median it is padded to
/// twice the median (AWS Builders' Library, "Timeouts, retries and backoff with jitter"), and rounded up to two digits.
pub fn advise(timeline: &Timeline, rate: f64, confidence: f64) -> Advice {
    let n = timeline.calls();
    let bare = ((1.0 - confidence).ln() / (1.0 - rate).ln()).ceil();
    let refused_for = |deff: f64| {
        let needs = (bare * deff).ceil() as u64;
        Advice::Refused(Refusal::Calls { needs, has: n, days: days_until(needs, timeline) })
    };
    if (n as f64) < bare {
        return refused_for(1.0);
    }
    let intervals = timeline.intervals().len();
    if intervals < CLUSTERS_MIN {
        return Advice::Refused(Refusal::Intervals { needs: CLUSTERS_MIN, has: intervals });
    }
    let deff = effect_at(timeline, rate);
    if (n as f64) < bare * deff {
        return refused_for(deff);
    }
    let Some(overall_us) = bound(timeline, rate, confidence) else {
        let share = timeline.censored().len() as f64 / n as f64;
        return Advice::Refused(Refusal::Censored { share, most: rate / 2.0 });
    };
    let worst = worst_hours(timeline, overall_us, rate, confidence);
    let safe_us = overall_us.max(worst.and_then(|worst| worst.timeout_us).unwrap_or_default());
    let median = timeline.answered().value_at_rank(n.div_ceil(2)).unwrap_or_default();
    let timeout_us = rounded_up(safe_us.max(median.saturating_mul(2)));
    let above = timeline.above(timeout_us).1;
    Advice::Timeout(Timeout {
        timeout_us,
        overall_us,
        worst,
        measured_share: above as f64 / n as f64,
        share_at_most: share_at_most(above as f64 / deff, n as f64 / deff, confidence),
        deff,
    })
}

/// The design effect at the latency that the measured share `rate` lies above.
fn effect_at(timeline: &Timeline, rate: f64) -> f64 {
    let n = timeline.calls();
    let rank = n - ((n as f64 * rate).floor() as u64).min(n.saturating_sub(1));
    effect_around(timeline, timeline.answered().value_at_rank(rank).unwrap_or(u64::MAX)).deff
}

/// The first latency above which surely no more than `rate` of the calls lie.
fn bound(timeline: &Timeline, rate: f64, confidence: f64) -> Option<u64> {
    let (n, floor) = (timeline.calls() as f64, effect_at(timeline, rate));
    first_slot(timeline.answered(), |us| {
        // Far above, too few calls are left to see that they come together.
        let deff = effect(timeline, us).deff.max(floor);
        binomial_at_most(timeline.above(us).1 as f64 / deff, n / deff, rate) <= 1.0 - confidence
    })
}

/// The calls of one hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// Calls.
    pub calls: u64,
    /// Calls above the limit asked for; those we ended ourselves count as above.
    pub above: u64,
    /// In how many different weeks.
    pub weeks: usize,
}

/// The 168 hours of the week from Monday 00:00 UTC, with the calls above a limit.
pub fn hours(timeline: &Timeline, limit_us: u64) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); HOURS_OF_WEEK];
    let mut last_week = vec![i64::MIN; HOURS_OF_WEEK];
    for interval in timeline.intervals() {
        let hour = interval.hour_of_week();
        let Some((cell, last)) = cells.get_mut(hour).zip(last_week.get_mut(hour)) else { continue };
        cell.calls += interval.calls();
        cell.above += interval.above_at_most(limit_us);
        let week = interval.week();
        if *last != week {
            *last = week;
            cell.weeks += 1;
        }
    }
    cells
}

/// The worst hours: those that surely lose more than promised and need the longest timeout, else those that lose most.
/// Neighbours are joined until each group has calls and stretches of time enough to keep the promise by itself; `None`
/// where there are not two such groups. The groups share the error (Bonferroni): of eighty, the worst looks bad by chance.
fn worst_hours(timeline: &Timeline, overall_us: u64, rate: f64, confidence: f64) -> Option<Worst> {
    let needed = ((1.0 - confidence).ln() / (1.0 - rate).ln() * 1.5).ceil() as u64;
    let mut by_hour: Vec<Vec<&Interval>> = vec![Vec::new(); HOURS_OF_WEEK];
    for interval in timeline.intervals() {
        by_hour.get_mut(interval.hour_of_week())?.push(interval);
    }
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let (mut from, mut calls, mut intervals) = (0, 0, 0);
    for (hour, held) in by_hour.iter().enumerate() {
        calls += held.iter().map(|interval| interval.calls()).sum::<u64>();
        intervals += held.len();
        if calls >= needed && intervals >= CLUSTERS_MIN {
            groups.push((from, hour));
            (from, calls, intervals) = (hour + 1, 0, 0);
        }
    }
    groups.last_mut()?.1 = HOURS_OF_WEEK - 1;
    if groups.len() < 2 {
        return None;
    }
    let each = 1.0 - 2.0 * (1.0 - confidence) / groups.len() as f64;
    let judged = groups.into_iter().map(|(from_hour, to_hour)| {
        let mut part = by_hour[from_hour..=to_hour].concat();
        part.sort_by_key(|interval| interval.start_unix_s);
        let k: u64 = part.iter().map(|interval| interval.above_at_most(overall_us)).sum();
        let n: u64 = part.iter().map(|interval| interval.calls()).sum();
        let worse = surely_above(k, n, effect_of_part(&part, overall_us).deff, rate, each);
        let timeout_us = worse.then(|| longest_wait(&part, rate, confidence)).flatten();
        Worst { from_hour, to_hour, timeout_us, cut_by_overall: k as f64 / n.max(1) as f64 }
    });
    judged.max_by(|a, b| a.timeout_us.cmp(&b.timeout_us).then(a.cut_by_overall.total_cmp(&b.cut_by_overall)))
}

/// The timeout that keeps the promise in a part of the week, or where none surely does, its longest answer.
fn longest_wait(part: &[&Interval], rate: f64, confidence: f64) -> Option<u64> {
    let part = Timeline::new(part.iter().copied().cloned().collect());
    bound(&part, rate, confidence).or_else(|| part.answered().value_at_rank(part.answered().len()))
}

/// Rounded up to two digits: 1 034 ms becomes 1 100 ms.
pub(crate) fn rounded_up(us: u64) -> u64 {
    let unit = 10_u64.pow(us.max(1).ilog10().saturating_sub(1));
    us.div_ceil(unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Slots;

    fn line(intervals: i64, calls: u64, us: impl Fn(i64, u64) -> u64) -> Timeline {
        let one = |j: i64| Interval {
            start_unix_s: j * 600,
            length_s: 600,
            answered: Slots::from_counts((0..calls).map(|c| (us(j, c), 1))),
            censored: Slots::default(),
        };
        Timeline::new((0..intervals).map(one).collect())
    }

    #[test]
    fn what_cannot_be_known_is_refused_with_what_is_missing() {
        let few = line(30, 10, |_, c| 100 + c);
        let Advice::Refused(Refusal::Calls { needs, has, days }) = advise(&few, 0.001, 0.95) else { panic!() };
        assert_eq!((needs, has), (2_995, 300));
        assert!((days.unwrap() - 2_695.0 / 1_440.0).abs() < 1e-6);
        let short = line(19, 1_000, |_, c| 100 + c);
        assert_eq!(advise(&short, 0.01, 0.95), Advice::Refused(Refusal::Intervals { needs: 20, has: 19 }));
        let answered = Slots::from_counts([(100, 95)]);
        let cut = |start_unix_s| Interval {
            start_unix_s,
            length_s: 600,
            answered: answered.clone(),
            censored: Slots::from_counts([(5_000, 5)]),
        };
        let cut = Timeline::new((0..100).map(|j| cut(j * 600)).collect());
        assert!(matches!(advise(&cut, 0.01, 0.95), Advice::Refused(Refusal::Censored { .. })));
    }

    #[test]
    fn as_many_may_lie_above_as_the_table_says() {
        let table =
            [(1_000, 0.01, 4), (10_000, 0.01, 83), (100_000, 0.01, 948), (10_000, 0.001, 4), (30_000, 0.001, 20)];
        for (n, rate, k) in table {
            // Dealt out over the intervals, so that they are independent as far as can be seen; the largest lie apart.
            let dealt = line(100, n / 100, |j, c| 1_000_000 - (j as u64 + c * 100) * 9);
            let Advice::Timeout(timeout) = advise(&dealt, rate, 0.95) else { panic!("{n} {rate}") };
            let above = dealt.above(timeout.overall_us).1;
            assert!(above <= k, "{n} {rate}: {above} for {k}");
        }
        for (n, rate, k) in table.into_iter().chain([(299, 0.01, 0), (2_995, 0.001, 0)]) {
            let sure = |k: u64| binomial_at_most(k as f64, n as f64, rate) <= 0.05;
            assert!(sure(k) && !sure(k + 1), "{n} {rate}");
        }
    }

    #[test]
    fn the_worst_hours_decide() {
        // Busy hours, 12 to 13 on each day, are twice as slow.
        let busy = |j: i64| (j / 6) % 24 == 12;
        let line = line(14 * 144, 100, |j, c| (100_000 + (c * 37 % 100) * 1_000) * if busy(j) { 2 } else { 1 });
        let Advice::Timeout(timeout) = advise(&line, 0.01, 0.95) else { panic!() };
        let worst = timeout.worst.unwrap();
        let own = worst.timeout_us.unwrap();
        assert!(own >= 390_000 && timeout.timeout_us >= own && timeout.overall_us < own, "{timeout:?}");
        assert!(timeout.measured_share <= timeout.share_at_most && timeout.share_at_most <= 0.01);
        let cells = hours(&line, 250_000);
        let busiest = cells.iter().enumerate().max_by_key(|(_, cell)| cell.above).unwrap();
        assert_eq!((busiest.0 % 24, busiest.1.weeks, cells.len()), (12, 2, 168));
    }

    #[test]
    fn a_timeout_close_to_the_median_is_padded_and_read_by_people() {
        let alike = line(40, 100, |_, _| 100_000);
        let Advice::Timeout(timeout) = advise(&alike, 0.01, 0.95) else { panic!() };
        assert!(timeout.timeout_us >= 200_000 && timeout.overall_us < 101_000, "{timeout:?}");
        let rounded = [1, 9, 99, 101, 1_034_000, 1_100_000, 0].map(rounded_up);
        assert_eq!(rounded, [1, 9, 99, 110, 1_100_000, 1_100_000, 0]);
    }

    #[test]
    fn nothing_cut_is_at_most_and_never_nothing() {
        let quick = line(100, 100, |_, _| 200_000);
        let cut = what_if(&quick, 1_000_000, 0.95).unwrap();
        assert_eq!((cut.surely.k, cut.at_most.k), (0, 0));
        assert!((0.000_3..0.000_4).contains(&cut.at_most.high), "{cut:?}");
        assert_eq!(what_if(&Timeline::default(), 1, 0.95), None);
    }
}
