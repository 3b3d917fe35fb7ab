//! Simulations with known truth and fixed seeds: how often the statistics keep what they promise.
//!
//! `SIMULATION_RUNS=2000` makes them larger. The traffic is drawn from 65 536 equally likely latencies, so that the
//! truth is counted and not computed. What came out stands in the README, beside what a bare percentile does.

use super::*;
use crate::latency::stats::compare::tests::lognormal;
use crate::latency::{Interval, Slots, Timeline};

/// Worlds of latencies, in order of size.
struct World(Vec<u64>);

impl World {
    fn new(parts: &[(f64, f64, f64)]) -> Self {
        let of = |(share, median_us, sigma): &(f64, f64, f64)| {
            let slots = lognormal(*median_us, *sigma, (65_536.0 * share).round() as u64);
            slots.iter().flat_map(|(us, calls)| std::iter::repeat_n(us, calls as usize)).collect::<Vec<u64>>()
        };
        let mut all: Vec<u64> = parts.iter().flat_map(of).collect();
        all.sort_unstable();
        Self(all)
    }

    fn share_above(&self, us: u64) -> f64 {
        (self.0.len() - self.0.partition_point(|one| *one <= us)) as f64 / self.0.len() as f64
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 32) as usize * limit >> 32
    }

    fn happens(&mut self, share: f64) -> bool {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64 <= share
    }
}

/// Traffic of a provider that is fast, and slow for ten minutes now and then.
struct Traffic {
    fast: World,
    slow: World,
    slow_share: f64,
    intervals: i64,
    calls_per_interval: usize,
}

impl Traffic {
    fn truth_above(&self, us: u64) -> f64 {
        self.fast.share_above(us) * (1.0 - self.slow_share) + self.slow.share_above(us) * self.slow_share
    }

    /// The true quantile: the smallest latency that at most `1 - q` lie above.
    fn truth(&self, level: Level) -> u64 {
        let mut all: Vec<u64> = self.fast.0.iter().chain(&self.slow.0).copied().collect();
        all.sort_unstable();
        let at = all.partition_point(|us| self.truth_above(*us) > 1.0 - level.share() + 1e-12);
        all[at]
    }

    fn run(&self, dice: &mut Dice) -> Timeline {
        let mut one = |j: i64| {
            let world = if dice.happens(self.slow_share) { &self.slow.0 } else { &self.fast.0 };
            let answered =
                Slots::from_counts((0..self.calls_per_interval).map(|_| (world[dice.below(world.len())], 1)));
            Interval { start_unix_s: j * 600, length_s: 600, answered, censored: Slots::default() }
        };
        Timeline::new((0..self.intervals).map(&mut one).collect())
    }
}

fn independent(intervals: i64, calls_per_interval: usize) -> Traffic {
    let fast = || World::new(&[(1.0, 120_000.0, 0.5)]);
    Traffic { fast: fast(), slow: fast(), slow_share: 0.0, intervals, calls_per_interval }
}

/// One block of ten minutes in thirty is six times slower.
fn episodes(intervals: i64, calls_per_interval: usize) -> Traffic {
    let slow = World::new(&[(1.0, 720_000.0, 0.5)]);
    Traffic { slow, slow_share: 0.03, ..independent(intervals, calls_per_interval) }
}

fn runs(few: u32) -> u32 {
    std::env::var("SIMULATION_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(few)
}

/// How often the interval holds the truth, among the runs in which there was one with both ends; and how often there was
/// none.
fn coverage(traffic: &Traffic, level: Level, runs: u32, seed: u64) -> (f64, f64) {
    let mut dice = Dice(seed);
    let truth = traffic.truth(level);
    let (mut held, mut told) = (0, 0);
    for _ in 0..runs {
        let Ok(one) = estimate(&traffic.run(&mut dice), level, CONFIDENCE) else { continue };
        let (Some(low), Some(high)) = (one.low_us, one.high_us) else { continue };
        told += 1;
        held += u32::from(low <= truth && truth <= high);
    }
    (f64::from(held) / f64::from(told), 1.0 - f64::from(told) / f64::from(runs))
}

/// How often the advice is given, and how often the truth then exceeds the promise, beside a timeout set at the measured
/// percentile; and the mean advice in milliseconds.
fn promises(traffic: &Traffic, level: Level, runs: u32, seed: u64) -> (f64, f64, f64, f64) {
    let mut dice = Dice(seed);
    let rate = 1.0 - level.share();
    let (mut told, mut broken, mut bare, mut sum) = (0, 0, 0, 0.0);
    for _ in 0..runs {
        let line = traffic.run(&mut dice);
        let measured = line.answered().value_at_rank(level.rank(line.calls())).unwrap();
        bare += u32::from(traffic.truth_above(measured) > rate);
        if let Advice::Timeout(timeout) = advise(&line, rate, CONFIDENCE) {
            told += 1;
            broken += u32::from(traffic.truth_above(timeout.overall_us) > rate);
            sum += timeout.overall_us as f64 / 1e3;
        }
    }
    let of = |count: u32, all: u32| f64::from(count) / f64::from(all.max(1));
    (of(told, runs), of(broken, told), of(bare, runs), sum / f64::from(told.max(1)))
}

#[test]
fn explore() {
    let all = [("indep", independent(144, 10)), ("epis7", episodes(7 * 144, 10)), ("epis14", episodes(14 * 144, 5))];
    for (name, traffic) in &all {
        for level in [LADDER[0], LADDER[3], LADDER[4], LADDER[5]] {
            println!("{name} {} {:?}", level.name, coverage(traffic, level, runs(300), 1));
        }
    }
    let all = [
        ("indep", independent(144, 40)),
        ("epis", episodes(144, 40)),
        ("epis7", episodes(7 * 144, 10)),
        ("epis14", episodes(14 * 144, 10)),
    ];
    for (name, traffic) in &all {
        for level in [LADDER[4], LADDER[5]] {
            println!("adv {name} {} {:?}", level.name, promises(traffic, level, runs(200), 1));
        }
    }
}
