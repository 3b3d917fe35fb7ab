//! Stories of the review room.

mod go_live;
mod lints;
mod odd;
mod stall;

use super::*;
use crate::exchange::{Outcome, Role};
use crate::latency::stats::what_if;
use crate::latency::{Interval, Phase, Series, SeriesKey, Slots, Timeline};
use crate::review::report::nearest;
use crate::store::{Batch, LedgerRow, Reader, RunInfo, Settings, Writer};

fn series(values: impl IntoIterator<Item = u64>) -> Series {
    let mut series = Series::new();
    values.into_iter().for_each(|us| series.record(us));
    series
}

fn rung<'a>(ladder: &'a Ladder, name: &str) -> &'a Rung {
    ladder.rungs.iter().find(|rung| rung.name == name).unwrap()
}

/// All calls in one stretch of ten minutes.
fn timeline(answered: &Series, censored: &Series) -> Timeline {
    let (answered, censored) = (Slots::of(answered), Slots::of(censored));
    Timeline::new(vec![Interval { start_unix_s: 0, length_s: 600, answered, censored }])
}

#[test]
fn a_percentile_too_few_calls_support_is_not_given() {
    let ladder = Ladder::of(&timeline(&series((1..=298).map(|n| n * 1_000)), &Series::new()));
    assert!(rung(&ladder, "p95").estimate.is_some());
    assert_eq!((rung(&ladder, "p99").estimate, rung(&ladder, "p99").needs_calls), (None, 299));
    let ladder = Ladder::of(&timeline(&series((1..=299).map(|n| n * 1_000)), &Series::new()));
    assert!(rung(&ladder, "p99").estimate.is_some() && !ladder.sees_episodes());
}

#[test]
fn our_own_timeouts_are_at_least_that_long_and_never_dropped() {
    // 2 % of the calls ended by our own timeout at 3 s.
    let ladder = Ladder::of(&timeline(&series((0..9_800).map(|n| 100_000 + n * 10)), &series([3_000_000; 200])));
    assert_eq!((ladder.calls, ladder.censored_calls), (10_000, 200));
    let p99 = rung(&ladder, "p99").estimate.unwrap();
    assert!(p99.at_least && p99.value_us >= 2_970_000 && p99.high_us.is_none(), "{p99:?}");
    let p50 = rung(&ladder, "p50").estimate.unwrap();
    assert!(!p50.at_least && p50.high_us.is_some(), "{p50:?}");
    assert!(p50.low_us.unwrap() <= p50.value_us && p50.value_us <= p50.high_us.unwrap());
}

#[test]
fn early_aborts_widen_a_figure_and_hide_nothing() {
    let cut = what_if(&timeline(&series([200_000; 900]), &series([1_000; 100])), 500_000, 0.95).unwrap();
    assert_eq!((cut.surely.n, cut.surely.k, cut.at_most.k), (1_000, 0, 100));
    assert!(cut.at_most.high > 0.1, "{cut:?}");
}

#[test]
fn the_ledger_says_whether_it_adds_up() {
    let rows = |arrived: u64| {
        [("arrived", arrived), ("pending", 1), ("mirrored.ok", 5), ("mirrored.timeout", 1), ("not_mirrored.off", 3)]
            .map(|(state, count)| ("payments".to_owned(), state.to_owned(), count))
    };
    assert!(ledger_text(&rows(10)).contains("adds up: 10 arrived = 6 mirrored + 3 not mirrored + 1 pending"));
    assert!(ledger_text(&rows(11)).contains("DOES NOT ADD UP"));
    assert!(ledger_text(&[]).contains("no request"));
    let tally = LedgerTally::from_rows([("arrived", 2), ("mirrored.ok", 2), ("recorded", 2), ("new_state.x", 7)]);
    assert_eq!(tally.to_json()["adds_up"], true);
}

#[test]
fn the_nearest_name_is_offered() {
    let known = ["payments".to_owned(), "mail".to_owned()];
    assert_eq!(nearest("paymets", &known).as_deref(), Some("payments"));
    assert_eq!(nearest("zzzz", &known), None);
}

#[test]
fn durations_read_well() {
    let read: Vec<String> = [870, 12_400, 350_000, 1_250_000, 90_000_000].map(human_us).into();
    assert_eq!(read, ["870 µs", "12.4 ms", "350 ms", "1.25 s", "90.0 s"]);
}

fn store(path: &std::path::Path) -> Reader {
    let run = RunInfo {
        instance: "test".to_owned(),
        config_hash: "0".to_owned(),
        started_unix_us: 1_700_000_000_000_000,
        version: "0".to_owned(),
    };
    let mut writer = Writer::open(&Settings { path: path.to_owned(), ..Settings::default() }, run).unwrap();
    let key = |role, outcome| SeriesKey {
        integration: "payments".into(),
        endpoint: "GET /items/{id}".into(),
        role,
        outcome,
        phase: Phase::Total,
    };
    let at = 1_700_000_000;
    let row = |state: &str, count| LedgerRow { integration: "payments".to_owned(), state: state.to_owned(), count };
    let batch = Batch {
        series: vec![
            (key(Role::Shadow, Outcome::Ok), at, series((0..500).map(|n| 80_000 + n * 20))),
            (key(Role::Shadow, Outcome::Ok), at + 60, series((500..1_000).map(|n| 80_000 + n * 20))),
            (key(Role::Shadow, Outcome::Timeout), at, series([3_000_000; 5])),
            (key(Role::Primary, Outcome::Server5xx), at, series([9_000; 3])),
        ],
        ledger: vec![row("arrived", 1_005), row("mirrored.ok", 1_000), row("mirrored.timeout", 5)],
        ..Batch::default()
    };
    writer.append(&batch).unwrap();
    writer.close().unwrap();
    Reader::open(path).unwrap()
}

#[test]
fn a_report_merges_intervals_and_counts_every_outcome() {
    let room = tempfile::tempdir().unwrap();
    let reader = store(&room.path().join("a.db"));
    let report = LatencyReport::build(&reader, "payments", None, None, &[90_000]).unwrap();
    let json = report.to_json();
    let [primary, shadow] = &json["sections"].as_array().unwrap()[..] else { panic!("{json:#}") };
    assert_eq!((&primary["role"], &primary["outcomes"]["server_5xx"]), (&"primary".into(), &3.into()));
    assert_eq!(primary["success"]["calls"], 0);
    assert_eq!(shadow["calls"], 1_005);
    let p50 = &shadow["success"]["percentiles"][0];
    assert!(p50["value_us"].as_u64().unwrap().abs_diff(90_000) < 1_500, "{p50}");
    assert_eq!(shadow["what_if"][0]["calls"], 1_005);
    assert_eq!(json["ledger"]["adds_up"], true);

    let text = report.to_text();
    for part in ["GET /items/{id}", "needs 2995", "server_5xx", "adds up: 1005 arrived", "at least that long"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let room = tempfile::tempdir().unwrap();
    let reader = store(&room.path().join("a.db"));
    let build = |name, endpoint, since| LatencyReport::build(&reader, name, endpoint, since, &[]).unwrap_err();
    assert!(build("payment", None, None).to_string().contains("did you mean \"payments\"?"));
    assert!(build("payments", Some("GET /item/{id}"), None).to_string().contains("did you mean \"GET /items/{id}\"?"));
    assert!(build("payments", None, Some(1_800_000_000)).is_too_little_data());
    assert!(!build("payment", None, None).is_too_little_data());
}
