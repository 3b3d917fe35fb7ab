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
    let saved: Vec<_> =
        before.events().into_iter().map(|last| SavedSwitch { last, ramp: None, signed: None }).collect();
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
    switch.observe(Outcome::Throttled429, Some(60), 0);
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

const HOUR_US: u64 = 3_600 * SECOND_US;
const PLAN: RampPlan = RampPlan { from_ppm: 10_000, to_ppm: 250_000, over_ms: 24 * 3_600_000 };

fn ramping() -> Arc<Switchboard> {
    board(Settings { ramp: Some(PLAN), ..on() })
}

fn phase(switch: &Switch) -> RampPhase {
    switch.state().ramp.unwrap().phase
}

fn held_because(switch: &Switch) -> String {
    match phase(switch) {
        RampPhase::Held { because, at_unix_us } => {
            assert_eq!(at_unix_us, 7);
            because
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_ramp_only_rises_and_keeps_within_its_ends(from in 0..SAMPLE_ALL_PPM, rise in 0..SAMPLE_ALL_PPM, over_ms in 1..u64::MAX / 1_000, a: u64, b: u64) {
        let to_ppm = (from + rise).min(SAMPLE_ALL_PPM);
        let plan = RampPlan { from_ppm: from, to_ppm, over_ms };
        prop_assert!(plan.share_ppm(a.min(b)) <= plan.share_ppm(a.max(b)));
        prop_assert!((from..=to_ppm).contains(&plan.share_ppm(a)));
        prop_assert_eq!((plan.share_ppm(0), plan.share_ppm(over_ms * 1_000)), (from, to_ppm));
    }

    #[test]
    fn the_smaller_of_live_share_and_cap_decides(hash: u64, live in 0..=SAMPLE_ALL_PPM, cap in 0..=SAMPLE_ALL_PPM) {
        let board = board(Settings { sample_ppm: live, ..on() });
        let admitted = board.get("pay").unwrap().admit(hash, cap).is_ok();
        prop_assert_eq!(admitted, in_sample(hash, live.min(cap)));
    }
}

#[test]
fn a_ramp_rises_evenly_while_mirroring_is_on_and_stops_at_its_end() {
    let board = ramping();
    let switch = board.get("pay").unwrap();
    assert_eq!(switch.state().sample_ppm, 10_000);
    switch.tick_at(12 * HOUR_US, 7);
    assert_eq!(switch.state().sample_ppm, 130_000);
    switch.stop("ops", "night");
    switch.tick_at(20 * HOUR_US, 7);
    switch.start("ops", "morning", Share::AsItWas).unwrap();
    switch.tick_at(20 * HOUR_US, 7);
    assert_eq!(switch.state().sample_ppm, 130_000, "time while it was off does not count");
    switch.tick_at(26 * HOUR_US, 7);
    assert_eq!(switch.state().sample_ppm, 190_000);
    switch.tick_at(60 * HOUR_US, 7);
    assert_eq!((switch.state().sample_ppm, phase(switch)), (250_000, RampPhase::Reached));
    let last = board.events().pop().unwrap();
    assert_eq!((&*last.who, &*last.reason, last.sample_ppm), ("ramp", "ramp reached its end", 250_000));
    assert_eq!(switch.start("ops", "more", Share::ResumeRamp), Err(StartError::NoRamp));
}

#[test]
fn every_gate_holds_the_ramp_and_a_person_lets_it_go_on() {
    type Trip = fn(&Switch);
    let gates: [(&str, Trip); 5] = [
        ("the breaker opened", |switch| (0..20).for_each(|_| switch.observe_at(Outcome::Timeout, None, 0, HOUR_US))),
        ("the provider answered 429", |switch| switch.observe_at(Outcome::Throttled429, Some(0), 0, HOUR_US)),
        ("the day's calls were used up", |switch| (0..50).for_each(|_| switch.admit(0, SAMPLE_ALL_PPM).unwrap())),
        ("1 of 20 shadow calls of the last hour failed", |switch| {
            switch.observe_at(Outcome::Server5xx, None, 0, HOUR_US);
            (0..19).for_each(|_| switch.observe_at(Outcome::Ok, None, 0, HOUR_US));
        }),
        ("1 of 20 shadow calls of the last hour failed, 1 took 2000 ms or longer", |switch| {
            // What failed is counted once, however long it took.
            switch.observe_at(Outcome::Server5xx, None, 9_000_000, HOUR_US);
            switch.observe_at(Outcome::Ok, None, 2_000_000, HOUR_US);
            (0..18).for_each(|_| switch.observe_at(Outcome::Ok, None, 1_999_000, HOUR_US));
        }),
    ];
    for (because, trip) in gates {
        let ramp_gates = RampGates { slower_than_ms: 2_000, ..RampGates::default() };
        let board = board(Settings { ramp: Some(PLAN), ramp_gates, daily_calls_max: Some(50), ..on() });
        let switch = board.get("pay").unwrap();
        let today = Clock.unix_us();
        switch.tick_at(HOUR_US, today);
        assert_eq!((switch.state().sample_ppm, phase(switch)), (20_000, RampPhase::Rising));
        trip(switch);
        // A used up day is told by the day; for the other gates any stamp does.
        let stamp = if because.starts_with("the day") { today } else { 7 };
        switch.tick_at(2 * HOUR_US - 1, stamp);
        switch.tick_at(9 * HOUR_US, stamp);
        assert_eq!(switch.state().sample_ppm, 20_000, "{because}: not one step further");
        if stamp == 7 {
            assert_eq!(held_because(switch), because);
        }
        let last = board.events().pop().unwrap();
        assert_eq!((last.on, &*last.who, last.reason), (true, "ramp", format!("ramp held: {because}")));
        switch.start("ann", "looked", Share::AsItWas).unwrap();
        assert!(matches!(phase(switch), RampPhase::Held { .. }), "a start alone does not let it go on");
        switch.start("ann", "fixed", Share::ResumeRamp).unwrap();
        switch.tick_at(10 * HOUR_US, 7 + 86_400_000_000 * 40_000);
        assert_eq!((switch.state().sample_ppm, phase(switch)), (30_000, RampPhase::Rising), "{because}");
    }
}

#[test]
fn few_or_old_failures_do_not_hold_the_ramp() {
    let board = ramping();
    let switch = board.get("pay").unwrap();
    (0..19).for_each(|_| switch.observe_at(Outcome::Server5xx, None, 0, 0));
    switch.tick_at(1, 7);
    assert_eq!(phase(switch), RampPhase::Rising, "too few calls say nothing");
    (0..300).for_each(|_| switch.observe_at(Outcome::Ok, None, 0, HOUR_US));
    switch.tick_at(HOUR_US, 7);
    assert_eq!(phase(switch), RampPhase::Rising, "failures of an hour ago are forgotten");
}

#[test]
fn a_share_set_by_hand_ends_the_ramp() {
    let board = ramping();
    let switch = board.get("pay").unwrap();
    switch.start("ann", "more at once", Share::Fixed(500_000)).unwrap();
    switch.tick_at(20 * HOUR_US, 7);
    assert_eq!((switch.state().sample_ppm, phase(switch)), (500_000, RampPhase::Ended));
    assert_eq!(switch.start("ann", "back", Share::ResumeRamp), Err(StartError::NoRamp));
    let plain = self::board(on());
    assert_eq!(plain.get("pay").unwrap().start("ann", "x", Share::ResumeRamp), Err(StartError::NoRamp));
}

fn saved(switch: &Switch) -> SavedSwitch {
    let state = switch.state();
    let last = SwitchEvent {
        integration: Arc::clone(switch.integration()),
        on: state.on,
        sample_ppm: state.sample_ppm,
        revision: state.revision,
        who: state.changed_by,
        reason: state.reason,
        at_unix_us: state.changed_unix_us,
    };
    SavedSwitch { last, ramp: state.ramp.map(RampState::to_the_minute), signed: state.signed }
}

#[test]
fn a_restart_goes_on_with_the_ramp_and_a_new_plan_begins_anew() {
    let before = ramping();
    before.get("pay").unwrap().tick_at(12 * HOUR_US + 59 * SECOND_US, 7);
    let saved = saved(before.get("pay").unwrap());
    let after = ramping();
    after.restore(std::slice::from_ref(&saved));
    let switch = after.get("pay").unwrap();
    assert_eq!(switch.state().sample_ppm, 130_000, "at most a minute is lost");
    switch.tick_at(HOUR_US, 7);
    assert_eq!(switch.state().sample_ppm, 140_000);
    let other = RampPlan { to_ppm: 500_000, ..PLAN };
    let changed = board(Settings { ramp: Some(other), ..on() });
    changed.restore(std::slice::from_ref(&saved));
    assert_eq!(changed.get("pay").unwrap().state().sample_ppm, 10_000);
    let without = board(on());
    without.restore(std::slice::from_ref(&saved));
    let state = without.get("pay").unwrap().state();
    assert!(state.ramp.is_none() && (130_000..131_000).contains(&state.sample_ppm), "{state:?}");
}

#[test]
fn a_held_ramp_stays_held_over_a_restart() {
    let before = ramping();
    let switch = before.get("pay").unwrap();
    switch.observe_at(Outcome::Throttled429, Some(0), 0, 0);
    switch.tick_at(HOUR_US, 7);
    let after = ramping();
    after.restore(&[saved(switch)]);
    let switch = after.get("pay").unwrap();
    switch.tick_at(9 * HOUR_US, 7);
    assert_eq!((switch.state().sample_ppm, &*held_because(switch)), (10_000, "the provider answered 429"));
}
