//! Simulations with known truth and fixed seeds: how often the statistics keep what they promise.
//!
//! The traffic is drawn from 65 536 equally likely latencies, so that the truth is counted and not computed.
//! `SIMULATION_RUNS=400` makes them larger; what came out of that stands in `src/latency/README.md`, beside what a bare
//! percentile does.

use crate::latency::stats::*;
use crate::latency::tests::lognormal;
use crate::latency::{Interval, Slots, Timeline};

/// Equally likely latencies, as positions in the slots that hold any.
struct World {
    drawn: Vec<u16>,
    edges: Vec<u64>,
}

impl World {
    fn new(parts: &[(f64, f64, f64)]) -> Self {
        let of = |(share, median_us, sigma): &(f64, f64, f64)| {
            lognormal(*median_us, *sigma, (65_536.0 * share).round() as u64)
        };
        let all = Slots::merged(parts.iter().map(of).collect::<Vec<_>>().iter());
        let drawn = all.iter().enumerate().flat_map(|(at, (_, calls))| std::iter::repeat_n(at as u16, calls as usize));
        Self { drawn: drawn.collect(), edges: all.iter().map(|(us, _)| us).collect() }
    }

    fn share_above(&self, us: u64) -> f64 {
        let first = self.edges.partition_point(|edge| *edge <= us) as u16;
        (self.drawn.len() - self.drawn.partition_point(|at| *at < first)) as f64 / self.drawn.len() as f64
    }

    fn draw(&self, calls: usize, dice: &mut Dice) -> Slots {
        let mut counts = vec![0; self.edges.len()];
        for _ in 0..calls {
            counts[usize::from(self.drawn[dice.below(self.drawn.len())])] += 1;
        }
        let held = self.edges.iter().copied().zip(counts).filter(|(_, calls)| *calls > 0);
        Slots::from_counts(held)
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
        ((self.next() >> 32) as usize * limit) >> 32
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
        let mut all: Vec<u64> = self.fast.edges.iter().chain(&self.slow.edges).copied().collect();
        all.sort_unstable();
        all[all.partition_point(|us| self.truth_above(*us) > 1.0 - level.share() + 1e-12)]
    }

    fn run(&self, dice: &mut Dice) -> Timeline {
        let mut one = |j: i64| {
            let world = if dice.happens(self.slow_share) { &self.slow } else { &self.fast };
            let answered = world.draw(self.calls_per_interval, dice);
            Interval { start_unix_s: j * 600, length_s: 600, answered, censored: Slots::default() }
        };
        Timeline::new((0..self.intervals).map(&mut one).collect())
    }
}

fn independent(intervals: i64, calls_per_interval: usize) -> Traffic {
    let fast = || World::new(&[(1.0, 120_000.0, 0.5)]);
    Traffic { fast: fast(), slow: fast(), slow_share: 0.0, intervals, calls_per_interval }
}

/// One stretch of ten minutes in thirty is six times slower.
fn episodes(intervals: i64, calls_per_interval: usize) -> Traffic {
    let slow = World::new(&[(1.0, 720_000.0, 0.5)]);
    Traffic { slow, slow_share: 0.03, ..independent(intervals, calls_per_interval) }
}

fn runs(few: u32) -> u32 {
    option_env!("SIMULATION_RUNS").and_then(|runs| runs.parse().ok()).unwrap_or(few)
}

fn of(count: u32, all: u32) -> f64 {
    f64::from(count) / f64::from(all.max(1))
}

/// How often the interval holds the truth where it has both ends, how often the one for independent calls does, and how
/// often there are both ends.
fn coverage(name: &str, traffic: &Traffic, level: Level, runs: u32) -> f64 {
    let (mut dice, truth) = (Dice(1), traffic.truth(level));
    let (mut held, mut bare, mut told) = (0, 0, 0);
    for _ in 0..runs {
        let line = traffic.run(&mut dice);
        let Ok(one) = estimate(&line, level, CONFIDENCE) else { continue };
        let (Some(low), Some(high)) = (one.low_us, one.high_us) else { continue };
        told += 1;
        held += u32::from(low <= truth && truth <= high);
        let all = line.answered().clone();
        let one_interval =
            Timeline::new(vec![Interval { start_unix_s: 0, length_s: 600, answered: all, censored: Slots::default() }]);
        let alone = estimate(&one_interval, level, CONFIDENCE).unwrap();
        bare += u32::from(alone.low_us.unwrap() <= truth && truth <= alone.high_us.unwrap());
    }
    println!(
        "| {name} | {} | {:.1} % | {:.1} % | {:.0} % |",
        level.name,
        of(held, told) * 100.0,
        of(bare, told) * 100.0,
        of(told, runs) * 100.0
    );
    of(held, told)
}

#[test]
fn intervals_cover_what_they_promise_on_independent_traffic() {
    let traffic = independent(144, 5);
    for level in [LADDER[3], LADDER[4]] {
        let covered = coverage("independent, 1 day of one in 2 min", &traffic, level, runs(250));
        assert!((0.92..=0.99).contains(&covered), "{}: {covered}", level.name);
    }
}

/// Four episodes, more or less, tell little of how they vary: what they do tell is widened by it.
#[test]
fn intervals_cover_what_they_promise_on_a_single_day_of_episodes() {
    let traffic = episodes(144, 40);
    for level in [LADDER[3], LADDER[4]] {
        let covered = coverage("episodes, 1 day of 4/min", &traffic, level, runs(120));
        assert!((0.92..=0.99).contains(&covered), "{}: {covered}", level.name);
    }
}

#[test]
fn intervals_cover_what_they_promise_where_slow_calls_come_in_episodes() {
    let traffic = episodes(7 * 144, 20);
    for level in [LADDER[3], LADDER[4]] {
        let covered = coverage("episodes, 7 days of 2/min", &traffic, level, runs(100));
        assert!((0.92..=0.99).contains(&covered), "{}: {covered}", level.name);
    }
}

/// Less than two days are refused before anything is computed of them.
#[test]
fn the_far_tail_is_covered_from_two_days_on() {
    for (name, traffic, few) in [
        ("independent, 2 days of 4/min", independent(288, 40), 60),
        ("episodes, 2 days of 4/min", episodes(288, 40), 100),
        ("episodes, 7 days of 2/min", episodes(7 * 144, 20), 60),
    ] {
        assert!(traffic.intervals as u64 >= min_stretches(LADDER[5]));
        let covered = coverage(name, &traffic, LADDER[5], runs(few));
        assert!((0.91..=1.0).contains(&covered), "{name}: {covered}");
    }
}

/// How often the advice is given and breaks its promise, and how often a timeout at the measured percentile does.
fn promises(name: &str, traffic: &Traffic, level: Level, runs: u32) -> f64 {
    let (mut dice, rate) = (Dice(2), 1.0 - level.share());
    let (mut told, mut broken, mut bare, mut sum_us, mut bare_us) = (0, 0, 0, 0, 0);
    for _ in 0..runs {
        let line = traffic.run(&mut dice);
        let measured = line.answered().value_at_rank(level.rank(line.calls())).unwrap();
        bare += u32::from(traffic.truth_above(measured) > rate);
        bare_us += measured;
        if let Advice::Timeout(timeout) = advise(&line, rate, CONFIDENCE) {
            told += 1;
            broken += u32::from(traffic.truth_above(timeout.overall_us) > rate);
            sum_us += timeout.overall_us;
        }
    }
    println!(
        "| {name} | {:.1} % | {:.0} % ({} ms) | {:.1} % ({} ms) | {:.0} % | {} ms |",
        rate * 100.0,
        of(bare, runs) * 100.0,
        bare_us / u64::from(runs) / 1_000,
        of(broken, told) * 100.0,
        sum_us / u64::from(told.max(1)) / 1_000,
        (1.0 - of(told, runs)) * 100.0,
        traffic.truth(level) / 1_000
    );
    of(broken, told)
}

#[test]
fn an_advised_timeout_keeps_its_promise() {
    let [.., p99, p999, _] = LADDER;
    for (name, traffic, level, few) in [
        ("independent, 1 day of 7/min", independent(144, 70), p999, 100),
        ("episodes, 1 day of 4/min", episodes(144, 40), p99, 150),
        ("episodes, 7 days of 2/min", episodes(7 * 144, 20), p99, 60),
    ] {
        let broken = promises(name, &traffic, level, runs(few));
        assert!(broken <= 0.05, "{name}: {broken}");
    }
}

#[test]
fn two_modes_are_found_and_one_is_not_taken_for_two() {
    let find = |parts: &[(f64, f64, f64)], calls: usize, runs: u32| {
        let (world, mut dice) = (World::new(parts), Dice(3));
        of((0..runs).map(|_| u32::from(modes(&world.draw(calls, &mut dice)).len() > 1)).sum(), runs)
    };
    let runs = runs(200);
    for (name, slow) in [("97/3", (0.03, 2_000_000.0, 0.3)), ("99/1", (0.01, 5_000_000.0, 0.3))] {
        let found = find(&[(1.0 - slow.0, 120_000.0, 0.5), slow], 10_000, runs);
        println!("two modes, {name}: found in {:.0} % of runs at 10 000 calls", found * 100.0);
        assert!(found >= 0.95, "{name}: {found}");
    }
    assert_eq!(find(&[(0.6, 25_000.0, 0.4), (0.4, 400_000.0, 0.4)], 1_000, runs), 1.0);
    for sigma in [0.5, 1.0] {
        for calls in [1_000, 10_000, 50_000] {
            let runs = if calls > 10_000 { runs / 3 } else { runs };
            assert_eq!(find(&[(1.0, 120_000.0, sigma)], calls, runs), 0.0, "{sigma} {calls}");
        }
    }
}

/// Two percent of the calls take about four seconds; the recordings waited for 1, 3, 10 and 60 seconds in turn.
#[test]
fn several_recording_timeouts_together_tell_what_one_cannot() {
    let world = World::new(&[(0.98, 120_000.0, 0.5), (0.02, 4_000_000.0, 0.4)]);
    let mut dice = Dice(4);
    let mut parts = Vec::new();
    for (limit_us, calls) in [1_000_000, 3_000_000, 10_000_000, 60_000_000].map(|us| (us, 200_000)) {
        let all = world.draw(calls, &mut dice);
        let late = all.count_above(limit_us);
        let answered = Slots::from_counts(all.iter().filter(|(us, _)| *us <= limit_us));
        parts.push((answered, Slots::from_counts([(limit_us, late)])));
    }
    let answered = Slots::merged(parts.iter().map(|(answered, _)| answered));
    let censored = Slots::merged(parts.iter().map(|(_, censored)| censored));
    let curve = survival(&answered, &censored);
    for level in [LADDER[3], Level { name: "p98.5", num: 985, den: 1_000 }, LADDER[4], LADDER[5]] {
        let truth = world.edges[world.edges.partition_point(|us| world.share_above(*us) > 1.0 - level.share() + 1e-12)];
        let (got, bare) = (curve.quantile(level).unwrap(), answered.value_at_rank(level.rank(answered.len())).unwrap());
        println!("| {} | {} ms | {} ms | {} ms |", level.name, truth / 1_000, got / 1_000, bare / 1_000);
        let off = got as f64 / truth as f64 - 1.0;
        assert!(off.abs() <= 0.03, "{}: {got} for {truth}", level.name);
    }
}
