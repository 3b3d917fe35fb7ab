//! Recordings that are wrong in some way: what the review says of them, and what it does not claim.

use crate::exchange::{Outcome, Role};
use crate::latency::stats::Advice;
use crate::latency::{Phase, Series};
use crate::review::tests::go_live::{START_S, check, key, settings, written};
use crate::review::{Review, Verdict, paste};
use crate::store::{Batch, LedgerRow};

fn reviewed(series: Vec<(Outcome, i64, &[u64])>, ledger: &[(&str, u64)], now_s: i64) -> Review {
    let of = |(outcome, at, values): (Outcome, i64, &[u64])| {
        let mut one = Series::new();
        values.iter().for_each(|us| one.record(*us));
        (key(Role::Shadow, outcome, Phase::Total), at, one)
    };
    let row = |(state, count): &(&str, u64)| LedgerRow {
        integration: "payments".to_owned(),
        state: (*state).to_owned(),
        count: *count,
    };
    let batch = Batch {
        series: series.into_iter().map(of).collect(),
        ledger_interval_unix_s: START_S,
        ledger: ledger.iter().map(row).collect(),
        ..Batch::default()
    };
    let room = tempfile::tempdir().unwrap();
    let reader = written(&room.path().join("a.db"), &batch);
    Review::build(&reader, "payments", None, now_s, &settings()).unwrap()
}

#[test]
fn one_call_supports_no_percentile_and_no_timeout() {
    let review = reviewed(vec![(Outcome::Ok, START_S, &[1_000])], &[("arrived", 1), ("mirrored.ok", 1)], START_S + 60);
    assert_eq!(check(&review, "enough_calls").verdict, Verdict::CannotSay);
    assert!(review.endpoints[0].ladder.rungs.iter().all(|rung| rung.quantile < 0.6 || rung.estimate.is_none()));
    assert!(matches!(review.endpoints[0].timeout, Advice::Refused(_)) && paste(&review).is_empty());
}

#[test]
fn calls_that_all_timed_out_give_no_upper_end_and_no_timeout() {
    let cut = [30_000_000_u64; 500];
    let series = (0..30).map(|n| (Outcome::Timeout, START_S + n * 600, &cut[..])).collect();
    let review = reviewed(series, &[("arrived", 15_000), ("mirrored.timeout", 15_000)], START_S + 86_400);
    let one = &review.endpoints[0];
    let ends = one.ladder.rungs.iter().filter_map(|rung| rung.estimate);
    assert!(ends.clone().count() > 0 && ends.clone().all(|one| one.at_least && one.high_us.is_none()));
    assert!(matches!(one.timeout, Advice::Refused(_)) && paste(&review).is_empty());
    assert_eq!(check(&review, "censoring").verdict, Verdict::CannotSay);
    assert_eq!(check(&review, "success_in_budget").verdict, Verdict::NoGo);
}

#[test]
fn a_clock_that_was_set_makes_hours_unknown_and_says_so() {
    let calls = [100_000_u64; 10];
    let stepped = |ahead_ms, back_ms| {
        let series = (0..30).map(|n| (Outcome::Ok, START_S + n * 600, &calls[..])).collect();
        let steps = [("clock_step.ahead_ms", ahead_ms), ("clock_step.back_ms", back_ms)];
        reviewed(series, &[&[("arrived", 300), ("mirrored.ok", 300)], &steps[..]].concat(), START_S + 86_400)
    };
    let words = |review: &Review| check(review, "coverage_in_time").details.join("\n");
    let set = stepped(7_200_000, 0);
    assert!(check(&set, "coverage_in_time").next.contains("chrony"), "{:?}", check(&set, "coverage_in_time"));
    assert!(words(&set).contains("set ahead by 7200.0 s and back by 0 µs"), "{}", words(&set));
    // Less than a stretch of ten minutes moves no call further than into the next one.
    let little = stepped(0, 2_000);
    assert!(!check(&little, "coverage_in_time").next.contains("chrony") && words(&little).contains("back by 2.00 s"));
    assert!(words(&stepped(0, 0)).is_empty());
}

#[test]
fn calls_of_the_future_are_not_taken_for_a_recording() {
    let series = vec![(Outcome::Ok, START_S + 7_200, &[1_000_u64][..])];
    let review = reviewed(series, &[("arrived", 1), ("mirrored.ok", 1)], START_S);
    assert!(check(&review, "coverage_in_time").next.contains("in the future"));
}
