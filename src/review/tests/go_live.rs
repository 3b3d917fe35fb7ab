//! The go-live review over recordings of known shape: what it says, and what it refuses to say.

use crate::exchange::{Outcome, Role};
use crate::latency::stats::Advice;
use crate::latency::{Phase, Series, SeriesKey};
use crate::review::{Check, Profile, Review, ReviewError, Settings, Verdict, paste};
use crate::store::{Batch, LedgerRow, Reader, RunInfo, Settings as StoreSettings, SwitchRow, Writer};
use std::path::Path;

/// Monday 2026-11-02, 00:00 UTC.
pub(crate) const START_S: i64 = 1_793_577_600;
const NOW_S: i64 = START_S + 15 * 86_400;

/// Two weeks of calls, eighty every ten minutes, of which everything can be made worse.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) days: i64,
    pub(crate) calls: u64,
    /// Every so many calls is a failure; 0 for never.
    pub(crate) failure_each: u64,
    /// Slow instead of failing: the calls of one interval in so many take ten times as long.
    pub(crate) slow_interval_each: i64,
    pub(crate) shadow_factor: f64,
    pub(crate) timeouts_each: u64,
    pub(crate) shed: u64,
    pub(crate) stopped: bool,
    /// Other endpoints, and in every so many intervals one call to each.
    pub(crate) rare: Vec<(&'static str, i64)>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            days: 14,
            calls: 80,
            failure_each: 0,
            slow_interval_each: 0,
            shadow_factor: 1.0,
            timeouts_each: 0,
            shed: 0,
            stopped: true,
            rare: Vec::new(),
        }
    }
}

/// The latency of a call by its number: spread like a log-normal around 100 ms, the same for each interval.
pub(crate) fn latency_us(call: u64, factor: f64) -> u64 {
    let turn = (call.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / f64::from(1_u32 << 24);
    let z = (turn.clamp(1e-6, 1.0 - 1e-6) / (1.0 - turn.clamp(1e-6, 1.0 - 1e-6))).ln() / 1.702;
    (100_000.0 * factor * (0.4 * z).exp()) as u64
}

pub(crate) fn key(role: Role, outcome: Outcome, phase: Phase) -> SeriesKey {
    SeriesKey { integration: "payments".into(), endpoint: "GET /items/{id}".into(), role, outcome, phase }
}

/// The kill-switch, tried.
pub(crate) fn drill() -> Vec<SwitchRow> {
    let turn = |on, at_s: i64| SwitchRow {
        integration: "payments".to_owned(),
        on,
        sample_ppm: 1_000_000,
        revision: 1,
        who: "test".to_owned(),
        reason: "trying the switch".to_owned(),
        at_unix_us: at_s * 1_000_000,
    };
    vec![turn(false, START_S + 900), turn(true, START_S + 960)]
}

/// A store that holds a batch.
pub(crate) fn written(path: &Path, batch: &Batch) -> Reader {
    let run = RunInfo {
        instance: "test".to_owned(),
        config_hash: "0".to_owned(),
        started_unix_us: START_S * 1_000_000,
        version: "0".to_owned(),
    };
    let mut writer = Writer::open(&StoreSettings { path: path.to_owned(), ..StoreSettings::default() }, run).unwrap();
    writer.append(batch).unwrap();
    writer.close().unwrap();
    Reader::open(path).unwrap()
}

impl Recording {
    fn write(&self, path: &Path) -> Reader {
        let mut series = Vec::new();
        for interval in 0..self.days * 144 {
            series.extend(self.interval(interval));
        }
        let row = |state: &str, count| LedgerRow { integration: "payments".to_owned(), state: state.to_owned(), count };
        let calls = self.days as u64 * 144 * self.calls;
        let batch = Batch {
            series,
            ledger_interval_unix_s: START_S,
            ledger: vec![
                row("arrived", calls + self.shed),
                row("mirrored.ok", calls),
                row("not_mirrored.queue_full", self.shed),
            ],
            switches: if self.stopped { drill() } else { Vec::new() },
            ..Batch::default()
        };
        written(path, &batch)
    }

    fn interval(&self, interval: i64) -> Vec<(SeriesKey, i64, Series)> {
        let at = START_S + interval * 600;
        let mut all: Vec<(SeriesKey, i64, Series)> = Vec::new();
        let mut record = |key: SeriesKey, us: u64| match all.iter_mut().find(|(known, ..)| *known == key) {
            Some((.., series)) => series.record(us),
            None => {
                let mut series = Series::new();
                series.record(us);
                all.push((key, at, series));
            }
        };
        let slow = self.slow_interval_each > 0 && interval % self.slow_interval_each == 0;
        let factor = self.shadow_factor * if slow { 10.0 } else { 1.0 };
        for call in 0..self.calls {
            let number = interval as u64 * self.calls + call;
            let each = |each: u64| each > 0 && number % each == each - 1;
            record(key(Role::Primary, Outcome::Ok, Phase::Total), latency_us(number, 1.0));
            if each(self.timeouts_each) {
                record(key(Role::Shadow, Outcome::Timeout, Phase::Total), 30_000_000);
            } else if each(self.failure_each) {
                record(key(Role::Shadow, Outcome::Server5xx, Phase::Total), 8_000);
            } else {
                record(key(Role::Shadow, Outcome::Ok, Phase::Total), latency_us(number, factor));
                record(key(Role::Shadow, Outcome::Ok, Phase::QueueWait), 20);
            }
        }
        for (at, (name, _)) in self.rare.iter().enumerate().filter(|(_, (_, each))| interval % each == 0) {
            for role in [Role::Primary, Role::Shadow] {
                let rare = SeriesKey { endpoint: (*name).into(), ..key(role, Outcome::Ok, Phase::Total) };
                record(rare, latency_us(interval as u64 + (at as u64 + 1) * 1_000_003, 1.0));
            }
        }
        all
    }

    pub(crate) fn review(&self, settings: &Settings) -> Review {
        let room = tempfile::tempdir().unwrap();
        let reader = self.write(&room.path().join("a.db"));
        Review::build(&reader, "payments", None, NOW_S, settings).unwrap()
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        owner: Some("team payments".to_owned()),
        support: Some("support@new.example".to_owned()),
        recording_timeout_us: Some(30_000_000),
        ..Settings::default()
    }
}

pub(crate) fn check<'a>(review: &'a Review, name: &str) -> &'a Check {
    review.checks.iter().find(|check| check.name == name).unwrap()
}

#[test]
fn two_good_weeks_are_a_go_with_a_timeout_that_keeps_its_promise() {
    let review = Recording::default().review(&settings());
    let open: Vec<_> = review.checks.iter().filter(|check| check.verdict != Verdict::Go).collect();
    assert_eq!(review.verdict, Verdict::Go, "{open:#?}");
    assert_eq!(review.checks.iter().map(|check| check.number).collect::<Vec<_>>(), (1..=15).collect::<Vec<_>>());
    let Advice::Timeout(timeout) = review.endpoints[0].timeout else { panic!("{:?}", review.endpoints[0].timeout) };
    // The slowest thousandth of a log-logistic around 100 ms begins at 100 ms x exp(0.4 x 6.9 / 1.702).
    assert!((500_000..600_000).contains(&timeout.timeout_us) && timeout.share_at_most <= 0.001, "{timeout:?}");
    let worst = timeout.worst.unwrap();
    assert!(worst.timeout_us.is_none(), "no hour is worse than another: {worst:?}");
    assert!(review.summary.contains("All fifteen checks hold"), "{}", review.summary);

    let json = review.to_json();
    assert_eq!((&json["verdict"], &json["checks"][0]["name"]), (&"go".into(), &"enough_calls".into()));
    assert_eq!(json["endpoints"][0]["timeout"]["timeout_us"], timeout.timeout_us);
    let text = review.to_text();
    for part in ["payments: GO", "Are there enough calls?", "adds up", "connections", "at the recorded peak"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn the_page_is_one_file_without_the_network() {
    let page = Recording { days: 8, ..Recording::default() }.review(&settings()).to_html();
    assert!(page.len() < 300_000, "{} bytes", page.len());
    for part in
        ["prefers-color-scheme:dark", "@media print", "too few calls", "What if the timeout", "p99.99", "resilience4j"]
    {
        assert!(page.contains(part), "{part}");
    }
    let settings_to_paste = regex::Regex::new("(?s)<pre>.*?</pre>").unwrap();
    let plain = settings_to_paste.replace_all(&page, "");
    for outside in ["http:", "https:", "src=", "<link", "@import", "url("] {
        assert!(!plain.contains(outside), "{outside} reaches outside");
    }
}

#[test]
fn too_little_is_cannot_say_with_what_is_missing() {
    let review = Recording { days: 2, calls: 3, ..Recording::default() }.review(&settings());
    assert_eq!(review.verdict, Verdict::CannotSay);
    let enough = check(&review, "enough_calls");
    assert_eq!(enough.verdict, Verdict::CannotSay);
    assert!(enough.details[0].contains("needs 2995 calls, has 864, about 5 days more"), "{:?}", enough.details);
    assert_eq!(check(&review, "coverage_in_time").verdict, Verdict::CannotSay);
    assert!(paste(&review).is_empty());
    assert!(review.to_html().contains("None: no timeout is known yet"));
}

#[test]
fn what_was_left_out_while_the_provider_was_slow_makes_the_tail_unknown() {
    let review = Recording { shed: 500, ..Recording::default() }.review(&settings());
    let honest = check(&review, "recorder_honest");
    assert_eq!((review.verdict, honest.verdict), (Verdict::CannotSay, Verdict::CannotSay));
    assert!(honest.next.contains("mirror.in_flight") && honest.details[0].contains("queue_full: 500"), "{honest:?}");
}

#[test]
fn calls_cut_by_the_recorder_are_not_waited_for_long_enough() {
    let review = Recording { timeouts_each: 100, ..Recording::default() }.review(&settings());
    let censoring = check(&review, "censoring");
    assert_eq!(censoring.verdict, Verdict::CannotSay, "{censoring:?}");
    assert!(censoring.next.contains("shadow.total_timeout"));
}

#[test]
fn failures_slowness_and_missing_controls_are_a_no_go() {
    let failing = Recording { failure_each: 25, ..Recording::default() }.review(&settings());
    assert_eq!((failing.verdict, check(&failing, "failures").verdict), (Verdict::NoGo, Verdict::NoGo));
    assert!(failing.summary.contains("How often does the provider fail?"), "{}", failing.summary);
    let slower = Recording { shadow_factor: 1.5, ..Recording::default() }.review(&settings());
    let today = check(&slower, "not_worse_than_today");
    assert!(today.verdict == Verdict::NoGo && today.found.starts_with("1.5"), "{today:?}");
    let unowned = Recording { days: 1, ..Recording::default() }.review(&Settings { owner: None, ..settings() });
    assert_eq!(check(&unowned, "controls").verdict, Verdict::NoGo);
    let untried = Recording { days: 1, stopped: false, ..Recording::default() }.review(&settings());
    assert!(check(&untried, "controls").next.contains("darklaunch stop"));
}

#[test]
fn episodes_make_more_calls_needed_and_the_two_modes_are_seen() {
    let review = Recording { slow_interval_each: 36, ..Recording::default() }.review(&settings());
    let one = &review.endpoints[0];
    assert!(one.ladder.deff() > 20.0, "{}", one.ladder.deff());
    assert_eq!(one.modes.len(), 2);
    let stable = check(&review, "stable");
    assert!(stable.verdict == Verdict::NoGo && stable.details.iter().any(|line| line.contains("two kinds of calls")));
}

#[test]
fn rare_endpoints_are_judged_together_and_by_name() {
    // A thousand calls each in two weeks: alone none would ever be known, together they are.
    let rare = vec![("GET /a", 2), ("GET /b", 2), ("POST /c", 2)];
    let recording = Recording { rare: rare.clone(), ..Recording::default() };
    let review = recording.review(&settings());
    assert_eq!(review.verdict, Verdict::Go, "{:#?}", review.checks);
    let names: Vec<&str> = review.endpoints.iter().map(|one| one.endpoint.as_str()).collect();
    assert_eq!(names, ["GET /items/{id}", "rare endpoints"]);
    assert_eq!(review.endpoints[1].members, ["GET /a", "GET /b", "POST /c"]);
    assert!(matches!(review.endpoints[1].timeout, Advice::Timeout(_)));
    let enough = check(&review, "enough_calls").details.join("\n");
    assert!(
        enough.contains("less than 1.0 % of the calls each") && enough.contains("GET /a, GET /b, POST /c"),
        "{enough}"
    );

    let alone = recording.review(&Settings { rare_share: 0.0, ..settings() });
    assert_eq!((alone.verdict, alone.endpoints.len()), (Verdict::CannotSay, 4));
}

#[test]
fn an_endpoint_on_which_nothing_hangs_does_not_hold_up_the_rest() {
    // Twenty-one calls of 161 000: were all of them lost, a seventh of a thousandth would be.
    let review = Recording { rare: vec![("GET /rare", 100)], ..Recording::default() }.review(&settings());
    assert_eq!(review.verdict, Verdict::Go, "{:#?}", review.checks);
    let enough = check(&review, "enough_calls");
    assert!(enough.found.starts_with("1 of 1 endpoints"), "{enough:?}");
    assert!(enough.details[0].contains("GET /rare (21 calls) cannot be judged, and nothing hangs on it"), "{enough:?}");
    assert!(matches!(review.endpoints[1].timeout, Advice::Refused(_)), "no timeout is made up for it");

    let more = Recording { rare: vec![("GET /rare", 2)], ..Recording::default() }.review(&settings());
    assert_eq!(check(&more, "enough_calls").verdict, Verdict::CannotSay, "two thirds of a hundredth are something");
}

#[test]
fn settings_to_paste_are_for_every_client_and_a_background_call_gets_no_breaker() {
    let recording = Recording { days: 8, failure_each: 200, ..Recording::default() };
    let review = recording.review(&settings());
    let all = paste(&review);
    assert_eq!(all.len(), 15);
    let text = |all: &[crate::review::Paste], client: &str| {
        all.iter().find(|one| one.client == client).map(|one| one.text.clone()).unwrap()
    };
    assert!(text(&all, "resilience4j").contains("circuitbreaker"));
    for client in ["gRPC service config", "Polly / .NET resilience"] {
        let _: serde_json::Value = serde_json::from_str(&text(&all, client)).unwrap();
    }
    let background = recording.review(&Settings {
        owner: Some("team".to_owned()),
        recording_timeout_us: Some(30_000_000),
        ..Settings::of(Profile::Background)
    });
    assert!(!text(&paste(&background), "resilience4j").contains("circuitbreaker"));
    assert_eq!(background.endpoints[0].attempts.len(), 5);
    assert_eq!(review.endpoints[0].attempts.len(), 2);
}

#[test]
fn what_is_not_there_is_said() {
    let room = tempfile::tempdir().unwrap();
    let reader = Recording { days: 1, ..Recording::default() }.write(&room.path().join("a.db"));
    let build = |name: &str, since| Review::build(&reader, name, since, NOW_S, &settings()).unwrap_err();
    assert!(build("payment", None).to_string().contains("did you mean \"payments\"?"));
    assert!(matches!(build("payments", Some(NOW_S + 1)), ReviewError::NoCalls { .. }));
}
