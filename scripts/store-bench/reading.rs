//! What people ask of a file: lists, pages, one recording, and the percentiles of two weeks.

use crate::cpu_us;
use darklaunch::exchange::{Clock, Outcome, Role};
use darklaunch::latency::{Phase, Series, SeriesKey};
use darklaunch::store::{Batch, CaptureFilter, Reader, RunInfo, SeriesFilter, Settings, Writer};
use std::error::Error;
use std::path::Path;

/// Series and days of the report.
const SERIES: i64 = 50;
const DAYS: i64 = 14;
const INTERVALS_A_DAY: i64 = 144;
/// Calls of a series in an interval: one a second.
const CALLS: u64 = 600;
/// Each question is asked so often; the median is told.
const TIMES: usize = 11;

/// Prints what each question takes.
pub fn time(path: &Path) -> Result<(), Box<dyn Error>> {
    let reader = Reader::open(path)?;
    let all = CaptureFilter { limit: 100, ..CaptureFilter::default() };
    let page = reader.captures(&all)?;
    let last = page.last().ok_or("nothing is stored")?.id;
    println!("\nquestion                                     median ms   worst ms     CPU ms");
    let filters = [
        ("the newest 100", all.clone()),
        ("the page after them", CaptureFilter { before: Some(last), ..all.clone() }),
        ("of one endpoint", CaptureFilter { endpoint: Some(page[0].endpoint.clone()), ..all.clone() }),
        ("that failed (server_5xx)", CaptureFilter { outcome: Some(Outcome::Server5xx), ..all.clone() }),
        ("slower than 79 ms", CaptureFilter { slower_than_us: Some(79_000), ..all.clone() }),
        ("slower than anything", CaptureFilter { slower_than_us: Some(80_500), ..all.clone() }),
        ("in which a rule struck", CaptureFilter { redacted_by: Some("email".to_owned()), ..all }),
    ];
    for (name, filter) in filters {
        ask(name, || reader.captures(&filter).map(|found| found.len()))?;
    }
    ask("one recording whole", || reader.capture(&last).map(|found| usize::from(found.is_some())))?;
    ask("100 recordings whole", || {
        page.iter().try_fold(0, |count, one| Ok(count + usize::from(reader.capture(&one.id)?.is_some())))
    })?;
    drop(reader);
    let before = path.metadata()?.len();
    let end_s = two_weeks(path)?;
    let grown = path.metadata()?.len().saturating_sub(before);
    let reader = Reader::open(path)?;
    let filter = SeriesFilter { integration: "latencies".to_owned(), endpoint: None, since_unix_s: None };
    ask("percentiles, 14 days x 50 series", || {
        let found = reader.series(&filter)?;
        Ok(found.iter().filter_map(|(_, series)| series.quantile(999, 1_000)).count())
    })?;
    println!(
        "histograms of 50 series: {:.2} MB a day ({} intervals to {end_s})",
        grown as f64 / 1e6 / DAYS as f64,
        DAYS * INTERVALS_A_DAY * SERIES
    );
    Ok(())
}

fn ask(
    name: &str,
    mut question: impl FnMut() -> Result<usize, darklaunch::store::StoreError>,
) -> Result<(), Box<dyn Error>> {
    let mut took = Vec::with_capacity(TIMES);
    let mut found = 0;
    let cpu = cpu_us();
    for _ in 0..TIMES {
        let start = Clock.now();
        found = question()?;
        took.push(Clock.elapsed_us(start) as f64 / 1e3);
    }
    took.sort_by(f64::total_cmp);
    let cpu = cpu_us().saturating_sub(cpu) as f64 / 1e3 / TIMES as f64;
    let (name, median, worst) = (format!("{name} ({found} found)"), took[TIMES / 2], took[TIMES - 1]);
    println!("{name:<42} {median:>11.1} {worst:>10.1} {cpu:>10.1}");
    Ok(())
}

/// Two weeks of ten-minute intervals, as a recorder writes them; when they end, seconds since the Unix epoch.
fn two_weeks(path: &Path) -> Result<i64, Box<dyn Error>> {
    let settings = Settings { path: path.to_owned(), ..Settings::default() };
    let info = RunInfo {
        instance: "latencies".to_owned(),
        config_hash: String::new(),
        started_unix_us: Clock.unix_us(),
        version: String::new(),
    };
    let mut writer = Writer::open(&settings, info)?;
    let start_s = (Clock.unix_us() / 1_000_000 - DAYS * 86_400) / 600 * 600;
    let mut state = 1_u64;
    for interval in 0..DAYS * INTERVALS_A_DAY {
        let t0 = start_s + interval * 600;
        let mut series = Vec::new();
        for n in 0..SERIES {
            let mut one = Series::new();
            for _ in 0..CALLS {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // The sum of a few even draws is bell-shaped; its power of two is a latency's long tail.
                let draw: f64 = (0..4).map(|part| f64::from((state >> (part * 16)) as u16) / 65_536.0).sum();
                one.record((120_000.0 * 2_f64.powf((draw - 2.0) * 1.25)) as u64);
            }
            let key = SeriesKey {
                integration: "latencies".into(),
                endpoint: format!("GET /{n}").into(),
                role: Role::Shadow,
                outcome: Outcome::Ok,
                phase: Phase::Total,
            };
            series.push((key, t0, one));
        }
        writer.append(&Batch { series, ..Batch::default() })?;
    }
    writer.close()?;
    Ok(start_s + DAYS * 86_400)
}
