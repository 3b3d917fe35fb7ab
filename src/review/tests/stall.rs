//! A provider that stands still for a minute, mirrored through a cap: the line is simulated call by call on a clock of its
//! own, so that a minute costs nothing. What is left out is left out just when it is slow.

use crate::exchange::{Outcome, Role};
use crate::latency::{Phase, Series};
use crate::review::tests::go_live::{START_S, check, drill, key, latency_us, settings, written};
use crate::review::{Review, Verdict};
use crate::store::{Batch, LedgerRow};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

const CALLS_PER_S: u64 = 50;
const CALLS: u64 = 3_600 * CALLS_PER_S;
const STALL_US: std::ops::Range<u64> = 1_800_000_000..1_860_000_000;

/// An hour of fifty calls a second, at most `cap` at a time: the review, the calls left out, and the true p99.
fn reviewed(cap: usize) -> (Review, u64, u64) {
    let mut busy: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let mut truth = Vec::new();
    let mut by_interval: BTreeMap<u64, Series> = BTreeMap::new();
    let mut shed = 0;
    for call in 0..CALLS {
        let at_us = call * 1_000_000 / CALLS_PER_S;
        let begins_us = if STALL_US.contains(&at_us) { STALL_US.end } else { at_us };
        let ends_us = begins_us + latency_us(call, 1.0);
        truth.push(ends_us - at_us);
        while busy.peek().is_some_and(|Reverse(end)| *end <= at_us) {
            busy.pop();
        }
        if busy.len() >= cap {
            shed += 1;
            continue;
        }
        busy.push(Reverse(ends_us));
        by_interval.entry(at_us / 600_000_000).or_default().record(ends_us - at_us);
    }
    truth.sort_unstable();
    let of = |interval: u64| START_S + interval as i64 * 600;
    let series = by_interval.into_iter().map(|(at, one)| (key(Role::Shadow, Outcome::Ok, Phase::Total), of(at), one));
    let row = |state: &str, count| LedgerRow { integration: "payments".to_owned(), state: state.to_owned(), count };
    let ledger = vec![row("arrived", CALLS), row("mirrored.ok", CALLS - shed), row("not_mirrored.queue_full", shed)];
    let (series, switches) = (series.collect(), drill());
    let batch = Batch { series, ledger_interval_unix_s: START_S, ledger, switches, ..Batch::default() };
    let room = tempfile::tempdir().unwrap();
    let reader = written(&room.path().join("a.db"), &batch);
    let review = Review::build(&reader, "payments", None, START_S + 7_200, &settings()).unwrap();
    (review, shed, truth[truth.len() * 99 / 100])
}

fn p99_us(review: &Review) -> u64 {
    let rungs = &review.endpoints[0].ladder.rungs;
    rungs.iter().find(|rung| rung.name == "p99").unwrap().estimate.unwrap().value_us
}

#[test]
fn a_minute_hidden_by_a_small_cap_is_cannot_say_and_not_a_good_p99() {
    for cap in [10, 50] {
        let (review, shed, truth_us) = reviewed(cap);
        assert!(p99_us(&review) * 20 < truth_us, "cap {cap}: {} for {truth_us}", p99_us(&review));
        let honest = check(&review, "recorder_honest");
        assert_eq!((honest.verdict, review.verdict), (Verdict::CannotSay, Verdict::CannotSay), "cap {cap}");
        assert!(honest.found.starts_with(&format!("{shed} calls left out")), "{honest:?}");
        assert!(honest.next.contains("mirror.in_flight"), "{honest:?}");
        // One sixtieth of the calls came while it stood still, nearly all for longer than the budget.
        let share = honest.details.iter().find(|line| line.contains("whatever was left out")).unwrap();
        let ends: Vec<f64> = share.split(" %").filter_map(|part| part.rsplit(' ').next()?.parse().ok()).collect();
        assert!(ends[0] < 1.5 && 1.6 < ends[1], "{share}");
    }
    // Room for fifty calls a second that last a minute: nothing is left out, and the p99 is the true one.
    let (review, shed, truth_us) = reviewed(5_000);
    assert_eq!((shed, check(&review, "recorder_honest").verdict), (0, Verdict::Go));
    assert!(p99_us(&review).abs_diff(truth_us) < truth_us / 50, "{} for {truth_us}", p99_us(&review));
}
