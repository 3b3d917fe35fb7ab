//! Random schedules of faults, each from its seed: shadow and primary change their moods while clients call, cancel and
//! break off. The oracle: every answer is what the primary sent for it, or a failure the primary caused; the primary and
//! the shadow are asked at most once; the ledger adds up and agrees with the servers' own counts.
//!
//! `SCHEDULES=200` runs more seeds; `SOAK_MINUTES=60` (scripts/soak) runs them against one recorder and watches what it holds.

use crate::differential::{Client, answer, difference, joined};
use crate::support::generate::Case;
use crate::support::{
    Dice, Message, Mood, Moody, PATIENCE, Reading, Recorder, clock, config_text, connect, eventually, write_in_pieces,
};
use serde_json::Value;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::timeout;

const SEEDS: u64 = 10;
const CLIENTS: u64 = 5;
const CALLS_PER_CLIENT: u64 = 40;
/// The moods change after so many calls of all clients together.
const CALLS_PER_MOOD: u64 = 8;
/// The byte budget of 8 MiB, with the latency series and what the allocator, SQLite and buffers keep.
const GROWTH_MAX_BYTES: u64 = 160 << 20;

/// Small limits, so that a schedule reaches them.
fn limits(breaker: bool) -> String {
    let breaker = if breaker { "" } else { "breaker.min_calls = 1000000" };
    format!(
        "shadow.total_timeout = \"700ms\"\nshadow.read_timeout = \"500ms\"\nmirror.in_flight = 8\nmirror.queue = 16\n\
         mirror.memory = \"8MiB\"\nmirror.max_body = \"64KiB\"\n{breaker}"
    )
}

/// Moods of a shadow after which both sides know what happened: no time runs out, and nothing is cut while it is sent.
const CLEAR: &[Mood] =
    &[Mood::Well, Mood::Slow, Mood::Reset, Mood::Garbage, Mood::Redirect, Mood::Error500, Mood::TooMany];

struct Lab {
    primary: Moody,
    shadow: Moody,
    recorder: Recorder,
    /// The shadow's moods.
    moods: &'static [Mood],
}

impl Lab {
    async fn start(breaker: bool) -> Self {
        let (primary, shadow) = (Moody::start().await, Moody::start().await);
        let recorder = Recorder::with(&config_text(&primary.url, &shadow.url, &limits(breaker)));
        Self { primary, shadow, recorder, moods: &Mood::OF_A_SHADOW }
    }

    /// One in which no call ends by our own clock.
    async fn clear() -> Self {
        let (primary, shadow) = (Moody::start().await, Moody::start().await);
        let limits = "mirror.in_flight = 8\nmirror.queue = 16\nbreaker.min_calls = 1000000";
        let recorder = Recorder::with(&config_text(&primary.url, &shadow.url, limits));
        Self { primary, shadow, recorder, moods: CLEAR }
    }
}

/// Changes the moods as the calls go by.
struct Director {
    dice: Dice,
    calls: u64,
    played: Vec<(Mood, Mood)>,
}

impl Director {
    fn next(&mut self, lab: &Lab) {
        self.calls += 1;
        if self.calls % CALLS_PER_MOOD == 1 {
            let now = (self.dice.pick(&Mood::OF_A_PRIMARY), self.dice.pick(lab.moods));
            lab.primary.is(now.0);
            lab.shadow.is(now.1);
            self.played.push(now);
        }
    }
}

/// The answer as the primary has it ready.
async fn expected(case: &Case) -> Message {
    Reading::new(&case.answer.bytes[..]).answer(case.is_head).await.unwrap()
}

/// Whether what was heard is what the primary's deed must look like.
async fn judge(case: &Case, heard: &[Message], deeds: &[Mood]) -> Result<(), String> {
    let [deed] = deeds else { return Err(format!("the primary saw it {} times", deeds.len())) };
    match (deed, heard) {
        (Mood::Well | Mood::Slow, [heard]) => {
            let wanted = expected(case).await;
            difference("answer", &answer(&wanted, case), &answer(heard, case)).map_or(Ok(()), Err)
        }
        (Mood::Error500, [heard]) if heard.line.ends_with(b"500 Moody") => Ok(()),
        (Mood::Reset, [heard]) if heard.status() == 502 => Ok(()),
        (deed, heard) => {
            let lines: Vec<_> = heard.iter().map(|heard| heard.line.escape_ascii().to_string()).collect();
            Err(format!("the primary was {deed:?}, and the client heard {lines:?}"))
        }
    }
}

/// Sends a part of the request, or all of it, and goes away.
async fn leave(case: &Case, traffic: &str, dice: &mut Dice) {
    let mut stream = connect(traffic).await;
    let whole = [&case.head[..], &case.body].concat();
    let part = if dice.once_in(2) { whole.len() } else { dice.below(whole.len()) };
    let _ = write_in_pieces(&mut stream, &whole[..part], dice).await;
    if dice.once_in(3) {
        let _ = stream.set_zero_linger();
    }
}

/// One client; how many calls it made, how many it stayed for, and what was wrong.
async fn client(seed: u64, number: u64, lab: &Lab, director: &Mutex<Director>) -> (u64, u64, Vec<String>) {
    let mut dice = Dice::new((seed << 16) ^ number);
    let mut one = Client::new(&lab.recorder.traffic);
    let (mut stayed, mut wrong) = (0, Vec::new());
    for call in 0..CALLS_PER_CLIENT {
        let case = Case::to_few_endpoints((seed << 24) | (number << 16) | call, &mut dice);
        lab.primary.will_answer(case.id, case.answer.clone());
        director.lock().unwrap().next(lab);
        let place = format!("seed {seed} client {number} call {call}");
        let failed = if dice.once_in(6) {
            leave(&case, &lab.recorder.traffic, &mut dice).await;
            // How far it came is the system's affair; twice is too far.
            None
        } else {
            stayed += 1;
            let heard = timeout(PATIENCE, one.send(std::slice::from_ref(&case), &mut dice)).await;
            let heard = heard.unwrap_or_else(|_| panic!("{place}: no answer"));
            judge(&case, &heard, &lab.primary.take(case.id)).await.err()
        };
        let again = lab.shadow.take(case.id).len() + lab.primary.take(case.id).len();
        wrong.extend(failed.map(|failed| format!("{place}: {failed}\n    {}", case.head.escape_ascii())));
        if again > 2 {
            wrong.push(format!("{place}: asked again"));
        }
    }
    (CALLS_PER_CLIENT, stayed, wrong)
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().into_iter().flat_map(|map| map.values()).filter_map(Value::as_u64).sum()
}

/// Runs one schedule to its end; the calls sent and those whose answer was awaited.
async fn play(seed: u64, lab: &Lab) -> (u64, u64) {
    let director = Mutex::new(Director { dice: Dice::new(seed), calls: 0, played: Vec::new() });
    let clients = (0..CLIENTS).map(|number| client(seed, number, lab, &director));
    let (mut sent, mut stayed, mut wrong) = (0, 0, Vec::new());
    for (calls, answered, found) in joined(clients).await {
        sent += calls;
        stayed += answered;
        wrong.extend(found);
    }
    lab.primary.is(Mood::Well);
    lab.shadow.is(Mood::Well);
    let played = director.into_inner().unwrap().played;
    assert!(wrong.is_empty(), "seed {seed}, {played:?}:\n{}", wrong.join("\n"));
    (sent, stayed)
}

/// The ledger at rest, against what was sent and what the servers counted.
async fn agrees(lab: &Lab, place: &str, sent: u64, stayed: u64) {
    let one = eventually("the primary's calls at their end", async || {
        let one = lab.recorder.at_rest().await;
        (sum(&one["primary"]) == one["ledger"]["arrived"].as_u64()?).then_some(one)
    })
    .await;
    let ledger = &one["ledger"];
    let arrived = ledger["arrived"].as_u64().unwrap();
    let (mirrored, refused) = (sum(&ledger["mirrored"]), sum(&ledger["not_mirrored"]));
    assert_eq!((arrived, &ledger["adds_up"]), (mirrored + refused, &Value::Bool(true)), "{place}: {one}");
    assert!((stayed..=sent).contains(&arrived), "{place}: {stayed} to {sent} calls: {one}");
    let outcome = |name: &str| ledger["mirrored"][name].as_u64().unwrap_or_default();
    let seen = lab.shadow.total();
    let without_a_status = outcome("network_error") + outcome("timeout") + outcome("aborted");
    assert!(seen <= mirrored, "{place}: the shadow saw {seen}: {one}");
    assert!(mirrored - seen <= without_a_status, "{place}: the shadow saw only {seen}: {one}");
    let met = |moods: &[Mood]| lab.shadow.met(moods);
    assert!(outcome("server_5xx") <= met(&[Mood::Error500]), "{place}: {one}");
    assert!(outcome("throttled_429") <= met(&[Mood::TooMany]), "{place}: {one}");
    let well = met(&[Mood::Well, Mood::Slow, Mood::Endless, Mood::Redirect]);
    assert!(outcome("ok") <= well, "{place}: {well} good answers: {one}");
    assert!(outcome("ok") + without_a_status >= well, "{place}: {well} good answers: {one}");
    if lab.moods == CLEAR {
        // Nothing blurs the shadow's count: each outcome is what it did, to the call.
        let counted = ["ok", "server_5xx", "throttled_429", "network_error"].map(outcome);
        let good = met(&[Mood::Well, Mood::Slow, Mood::Redirect]);
        let did = [good, met(&[Mood::Error500]), met(&[Mood::TooMany]), met(&[Mood::Reset, Mood::Garbage])];
        assert_eq!((seen, counted, sum(&ledger["mirrored"])), (mirrored, did, did.iter().sum()), "{place}: {one}");
        assert_eq!(one["recorded"].as_u64(), Some(mirrored), "{place}: {one}");
    }
    let growth = lab.recorder.memory_growth_bytes();
    assert!(growth < GROWTH_MAX_BYTES, "{place}: {growth} bytes more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_time_runs_out_every_outcome_is_the_shadows_own_count() {
    for seed in 0..3 {
        let lab = Lab::clear().await;
        let (sent, stayed) = play(seed, &lab).await;
        agrees(&lab, &format!("clear seed {seed}"), sent, stayed).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a person asks for more than the quick run")]
fn wanted(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|count| count.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_schedule_of_faults_changes_an_answer_or_loses_a_count() {
    for seed in 1..=wanted("SCHEDULES").unwrap_or(SEEDS) {
        let lab = Lab::start(seed % 3 == 0).await;
        let (sent, stayed) = play(seed, &lab).await;
        agrees(&lab, &format!("seed {seed}"), sent, stayed).await;
        let (code, line) = lab.recorder.last_words();
        assert!(code == Some(0) && line.ends_with("the ledger adds up"), "seed {seed}: {code:?} {line}");
    }
}

/// What one recorder holds must not climb: the last third of a soak against the third before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorder_that_lives_through_many_schedules_holds_no_more_than_before() {
    const THIRD_MIN: usize = 2;
    let lasting = Duration::from_secs(60 * wanted("SOAK_MINUTES").unwrap_or(0));
    let (lab, start) = (Lab::start(false).await, clock());
    let (mut sent, mut stayed, mut held) = (0, 0, Vec::new());
    for seed in 1_000.. {
        let (all, answered) = play(seed, &lab).await;
        sent += all;
        stayed += answered;
        agrees(&lab, &format!("soak, seed {seed}"), sent, stayed).await;
        held.push(lab.recorder.holds());
        if start.elapsed() >= lasting && held.len() >= 3 * THIRD_MIN {
            break;
        }
    }
    let third = held.len() / 3;
    let most = |part: &[(u64, usize)]| part.iter().fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)));
    let (before, after) = (most(&held[third..2 * third]), most(&held[2 * third..]));
    println!("{} schedules, {sent} calls: {before:?} bytes and descriptors, then {after:?}", held.len());
    // A cache may still fill, most of all in a run of seconds; what leaks in an hour leaves these bounds far behind.
    let slack = if lasting.is_zero() { 64 << 20 } else { 8 << 20 };
    assert!(after.0 <= before.0 + slack, "memory climbs: {before:?} to {after:?} bytes");
    assert!(after.1 <= before.1 + 16, "descriptors climb: {before:?} to {after:?}");
}
