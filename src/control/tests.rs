//! The switch decides as it promises: stop wins, samples grow, breakers try again, budgets end.

use super::*;
use crate::control::breaker::Breaker;
use crate::control::limits::DailyBudget;
use crate::control::switch::in_sample;
use crate::exchange::{NotMirrored, Outcome};
use proptest::prelude::*;

const SECOND_US: u64 = 1_000_000;

fn board(settings: Settings) -> Arc<Switchboard> {
    Switchboard::new(vec![(Arc::from("pay"), settings)], Clock)
}

fn on() -> Settings {
    Settings { enabled: true, ..Settings::default() }
}

proptest! {
    #[test]
    fn a_larger_sample_contains_every_smaller_one(hash: u64, a in 0..=SAMPLE_ALL_PPM, b in 0..=SAMPLE_ALL_PPM) {
        let (small, large) = (a.min(b), a.max(b));
        prop_assert!(!in_sample(hash, small) || in_sample(hash, large));
        prop_assert!(!in_sample(hash, 0));
        prop_assert!(in_sample(hash, SAMPLE_ALL_PPM));
    }
}

#[test]
fn stop_refuses_cancels_and_leaves_a_trace() {
    let board = board(on());
    let switch = board.get("pay").unwrap();
    assert_eq!(switch.admit(0, SAMPLE_ALL_PPM), Ok(()));
    let in_flight = switch.stopped();
    assert!(!in_flight.is_cancelled());
    switch.stop("maria", "refunds look odd");
    assert!(in_flight.is_cancelled());
    assert!(switch.stopped().is_cancelled());
    assert_eq!(switch.admit(0, SAMPLE_ALL_PPM), Err(NotMirrored::Off));
    assert_eq!(switch.start("maria", "  ", Share::AsItWas), Err(StartError::NoReason));
    switch.start("maria", "fixed", Share::Fixed(250_000)).unwrap();
    assert!(!switch.stopped().is_cancelled());
    let events = board.events();
    let seen: Vec<_> = events.iter().map(|e| (e.on, e.revision, e.sample_ppm, e.reason.as_str())).collect();
    assert_eq!(seen, [(false, 1, SAMPLE_ALL_PPM, "refunds look odd"), (true, 2, 250_000, "fixed")]);
    assert!(board.events().is_empty());
}

#[test]
fn a_saved_stop_outlives_a_restart_and_an_older_one_does_not_win() {
    let before = board(on());
    before.stop_all("ops", "night");
    let saved: Vec<_> = before.events().into_iter().map(|last| SavedSwitch { last, ramp: None }).collect();
    let after = board(on());
    after.restore(&saved);
    assert!(!after.get("pay").unwrap().state().on);
    after.get("pay").unwrap().start("ops", "morning", Share::AsItWas).unwrap();
    after.restore(&saved);
    assert!(after.get("pay").unwrap().state().on);
}

#[test]
fn a_429_holds_calls_back_and_says_until_when() {
    let board = board(on());
    let switch = board.get("pay").unwrap();
    switch.observe(Outcome::Throttled429, Some(60));
    assert_eq!(switch.admit(7, SAMPLE_ALL_PPM), Err(NotMirrored::Paused429));
    assert!(matches!(switch.state().paused, Some(PausedBy::Retry429 { .. })));
}

#[test]
fn rate_and_daily_budget_end_and_given_back_calls_count_again() {
    let limited = board(Settings { rate_per_s: Some(1), ..on() });
    assert_eq!(limited.get("pay").unwrap().admit(1, SAMPLE_ALL_PPM), Ok(()));
    assert_eq!(limited.get("pay").unwrap().admit(1, SAMPLE_ALL_PPM), Err(NotMirrored::Rate));
    let daily = board(Settings { daily_calls_max: Some(1), ..on() });
    let switch = daily.get("pay").unwrap();
    assert_eq!(switch.admit(1, SAMPLE_ALL_PPM), Ok(()));
    assert_eq!(switch.admit(1, SAMPLE_ALL_PPM), Err(NotMirrored::Budget));
    assert_eq!(switch.state().paused, Some(PausedBy::Budget));
    switch.give_back();
    assert_eq!(switch.admit(1, SAMPLE_ALL_PPM), Ok(()));
}

#[test]
fn the_budget_is_new_each_utc_day_and_not_when_the_clock_steps_back() {
    let budget = DailyBudget::new(Some(1));
    let noon = 20_000 * 86_400_000_000_i64 + 43_200_000_000;
    assert!(budget.take(noon));
    assert!(!budget.take(noon + 1));
    assert!(!budget.take(noon - 86_400_000_000));
    assert!(budget.take(noon + 86_400_000_000));
}

#[test]
fn the_breaker_opens_on_failures_tries_one_call_and_closes_on_success() {
    let settings = BreakerSettings { failures_share_percent: 50, min_calls: 4, window_s: 10, open_s: 5 };
    let breaker = Breaker::new(settings);
    for _ in 0..2 {
        breaker.observe(Outcome::Ok, 0);
        breaker.observe(Outcome::Timeout, 0);
    }
    assert!(breaker.is_open());
    assert!(!breaker.admits(SECOND_US));
    assert!(breaker.admits(5 * SECOND_US), "one call tries");
    assert!(!breaker.admits(5 * SECOND_US), "and only one");
    breaker.observe(Outcome::Server5xx, 6 * SECOND_US);
    assert!(!breaker.admits(10 * SECOND_US), "open again for its whole time");
    assert!(breaker.admits(11 * SECOND_US));
    breaker.observe(Outcome::Ok, 12 * SECOND_US);
    assert!(!breaker.is_open() && breaker.admits(12 * SECOND_US));
}

#[test]
fn few_calls_old_windows_and_aborts_do_not_open_the_breaker() {
    let settings = BreakerSettings { failures_share_percent: 50, min_calls: 3, window_s: 1, open_s: 5 };
    let breaker = Breaker::new(settings);
    breaker.observe(Outcome::Timeout, 0);
    breaker.observe(Outcome::Timeout, 0);
    breaker.observe(Outcome::Timeout, 3 * SECOND_US);
    for _ in 0..9 {
        breaker.observe(Outcome::Aborted, 3 * SECOND_US);
    }
    assert!(!breaker.is_open());
}

#[test]
fn the_list_of_changes_is_bounded() {
    let board = board(on());
    for _ in 0..EVENTS_MAX + 5 {
        board.stop_all("loop", "test");
    }
    assert_eq!(board.events().len(), EVENTS_MAX);
}
