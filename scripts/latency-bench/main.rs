//! What latencies cost: recording a call, holding a series, and reading two weeks of fifty of them.
//!
//! One question a process, so that its processor time and its largest memory are its own; `run` asks them all.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use clap::{Parser, Subcommand};
use darklaunch::exchange::{Clock, Endpoint, Integration, Outcome, Role, Timings};
use darklaunch::latency::{Phase, Series, SeriesKey, Shard};
use darklaunch::review::{LatencyReport, Review, Settings};
use darklaunch::store::{self, Batch, Reader, RunInfo, Writer};
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const INTEGRATION: &str = "payments";
/// Monday 2026-11-02, 00:00 UTC: the same file on every day.
const START_S: i64 = 1_793_577_600;
const INTERVALS_A_DAY: i64 = 144;

#[derive(Parser)]
#[command(about = "Recording a call, holding a series, reading two weeks of fifty")]
struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    /// Nanoseconds to record a call of one role, and bytes of an open series
    Record,
    /// Write two weeks of both providers' calls, with slow episodes
    Write {
        file: PathBuf,
        #[arg(long, default_value_t = 25)]
        endpoints: u64,
        #[arg(long, default_value_t = 14)]
        days: i64,
        /// Calls of a series in ten minutes
        #[arg(long, default_value_t = 600)]
        calls: u64,
    },
    /// Build the go-live review; with a file for it, the JSON is written there
    Review { file: PathBuf, out: Option<PathBuf> },
    /// Build the latency report
    Latency { file: PathBuf, out: Option<PathBuf> },
}

fn main() -> Result<(), Box<dyn Error>> {
    match Args::parse().question {
        Question::Record => record(),
        Question::Write { file, endpoints, days, calls } => write(&file, endpoints, days, calls),
        Question::Review { file, out } => ask("review", out.as_deref(), || {
            let now_s = START_S + 15 * 86_400;
            let review = Review::build(&Reader::open(&file)?, INTEGRATION, None, now_s, &Settings::default())?;
            black_box(review.to_html());
            Ok(serde_json::to_vec_pretty(&review.to_json())?)
        }),
        Question::Latency { file, out } => ask("latency", out.as_deref(), || {
            let report = LatencyReport::build(&Reader::open(&file)?, INTEGRATION, None, None, &[800_000])?;
            black_box(report.to_text());
            Ok(serde_json::to_vec_pretty(&report.to_json())?)
        }),
    }
}

fn ask(
    name: &str,
    out: Option<&Path>,
    question: impl Fn() -> Result<Vec<u8>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (before_us, start) = (cpu_us(), Clock.now());
    let answer = question()?;
    let (wall_us, spent_us) = (Clock.elapsed_us(start), cpu_us() - before_us);
    if let Some(out) = out {
        std::fs::write(out, answer)?;
    }
    let peak = status_bytes("VmHWM:");
    println!("{name:<8} {:>5} ms, {:>5} ms of CPU, {:>4} MB at most", wall_us / 1_000, spent_us / 1_000, peak >> 20);
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Around 120 ms: a sum of even draws is bell-shaped, and its power of two has a latency's long tail.
    fn latency_us(&mut self, factor: f64) -> u64 {
        let bits = self.next();
        let sum: f64 = (0..4).map(|part| f64::from((bits >> (part * 16)) as u16) / 65_536.0).sum();
        (120_000.0 * factor * 2_f64.powf((sum - 2.0) * 1.25)) as u64
    }
}

fn endpoints(count: u64) -> Vec<Endpoint> {
    (0..count).map(|n| format!("GET /things-{n}/{{id}}").into()).collect()
}

/// A call has four phases on a kept connection, and every tenth opens a new one.
fn timings(dice: &mut Dice) -> Timings {
    let total_us = dice.latency_us(1.0);
    let connect_us = dice.next().is_multiple_of(10).then_some(total_us / 3);
    Timings { queue_wait_us: total_us % 90, connect_us, ttfb_us: Some(total_us - total_us / 9), total_us }
}

fn record() -> Result<(), Box<dyn Error>> {
    const CALLS: usize = 1 << 20;
    const TURNS: usize = 21;
    let (integration, names): (Integration, _) = (INTEGRATION.into(), endpoints(25));
    let mut dice = Dice(1);
    let calls: Vec<(usize, Timings)> =
        (0..CALLS).map(|_| (dice.next() as usize % names.len(), timings(&mut dice))).collect();
    let mut shard = Shard::new();
    let mut turns: Vec<f64> = Vec::new();
    for turn in 0..TURNS {
        let role = if turn % 2 == 0 { Role::Shadow } else { Role::Primary };
        let start = Clock.now();
        for (at, timings) in &calls {
            shard.record_exchange(&integration, &names[*at], role, Outcome::Ok, timings);
        }
        turns.push(Clock.elapsed_us(start) as f64 * 1_000.0 / CALLS as f64);
    }
    turns.sort_by(f64::total_cmp);
    println!(
        "recording a call of one role, four or six of its phases, 50 kinds: {:.0} ns (median of {TURNS} turns; {:.0} to {:.0})",
        turns[TURNS / 2],
        turns[0],
        turns[TURNS - 1]
    );
    let open = shard.iter().count() as u64;
    drop(shard);

    let idle = status_bytes("VmRSS:");
    let mut shards: Vec<Shard> = Vec::new();
    for _ in 0..20 {
        let mut shard = Shard::new();
        for (at, timings) in calls.iter().take(100_000) {
            for role in [Role::Primary, Role::Shadow] {
                shard.record_exchange(&integration, &names[*at], role, Outcome::Ok, timings);
            }
        }
        shards.push(shard);
    }
    let held = status_bytes("VmRSS:").saturating_sub(idle);
    println!(
        "an open series of thousands of calls: {:.1} kB of the process ({} series)",
        held as f64 / 1e3 / (open * 20) as f64,
        open * 20
    );
    Ok(())
}

fn write(path: &Path, count: u64, days: i64, calls: u64) -> Result<(), Box<dyn Error>> {
    let run = RunInfo {
        instance: "bench".to_owned(),
        config_hash: String::new(),
        started_unix_us: START_S * 1_000_000,
        version: String::new(),
    };
    let mut writer = Writer::open(&store::Settings { path: path.to_owned(), ..store::Settings::default() }, run)?;
    let (names, mut dice) = (endpoints(count), Dice(2));
    for interval in 0..days * INTERVALS_A_DAY {
        let at = START_S + interval * 600;
        let mut series = Vec::new();
        for endpoint in &names {
            for role in [Role::Primary, Role::Shadow] {
                let factor = if dice.next().is_multiple_of(33) { 6.0 } else { 1.0 };
                let mut one = Series::new();
                (0..calls).for_each(|_| one.record(dice.latency_us(factor)));
                let endpoint = Endpoint::clone(endpoint);
                let (integration, outcome, phase) = (INTEGRATION.into(), Outcome::Ok, Phase::Total);
                series.push((SeriesKey { integration, endpoint, role, outcome, phase }, at, one));
            }
        }
        writer.append(&Batch { series, ..Batch::default() })?;
    }
    writer.close()?;
    println!("{} series, {days} days, {calls} calls in ten minutes: {} MB", count * 2, path.metadata()?.len() >> 20);
    Ok(())
}

fn status_bytes(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() << 10
}

/// Of every thread of the process, microseconds; the kernel counts in hundredths of a second.
fn cpu_us() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, the name, may hold blanks; it ends with the last bracket.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) * 10_000
}
