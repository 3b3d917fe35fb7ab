//! What the API says, as plain data with stable names. Pages read the same data.

use crate::console::{RuleSetShown, RulesShown, Scan, Shared, words};
use crate::control::{EndpointShare, PausedBy, RampPhase, RampState, SignOff, State, Switch};
use crate::exchange::{DropReason, NotMirrored, Outcome, Refused};
use crate::latency::AddedDelay;
use crate::telemetry::{BookSnapshot, RuleHits};
use serde::Serialize;
use std::collections::BTreeMap;

/// `/api/v1/status`.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    schema: &'static str,
    pub(crate) integrations: Vec<IntegrationView>,
    /// Requests that belong to no integration, by kind.
    refused_requests: BTreeMap<&'static str, u64>,
    pub(crate) recorder: RecorderView,
}

/// The recorder itself.
#[derive(Debug, Serialize)]
pub(crate) struct RecorderView {
    pub(crate) ready: bool,
    pub(crate) problems: Vec<String>,
    version: &'static str,
    started_at: String,
    rules_hash: String,
    /// Counts the reloads of the rules, from 1.
    rules_generation: u64,
    rules_since: String,
    /// The last search of everything that is stored.
    pub(crate) last_scan: Option<Scan>,
    #[serde(skip)]
    pub(crate) rules_since_unix_us: i64,
    #[serde(skip)]
    pub(crate) started_unix_us: i64,
    #[serde(skip)]
    pub(crate) as_of_unix_us: i64,
}

/// One integration.
#[derive(Debug, Serialize)]
pub(crate) struct IntegrationView {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) sample: String,
    sample_ppm: u32,
    /// Endpoints with less than the whole sample.
    pub(crate) shares: Vec<ShareView>,
    /// Where the sample rises by itself.
    pub(crate) ramp: Option<RampView>,
    pub(crate) revision: u64,
    pub(crate) changed_by: String,
    pub(crate) reason: String,
    pub(crate) changed_at: String,
    pub(crate) paused_by: Option<String>,
    pub(crate) daily_calls: Option<DailyCalls>,
    providers: ProvidersView,
    pub(crate) ledger: LedgerView,
    pub(crate) recorded: u64,
    pub(crate) not_recorded: BTreeMap<String, u64>,
    pub(crate) primary: BTreeMap<&'static str, u64>,
    /// What the recorder adds to its calls since the start.
    pub(crate) added_delay: Option<AddedDelayView>,
    pub(crate) redaction_hits: BTreeMap<String, u64>,
    /// The same by place.
    pub(crate) redaction_places: Vec<PlaceView>,
    /// The rules in force.
    pub(crate) rules: RulesView,
    /// Who vouches for them; nobody if they changed since.
    pub(crate) signed_off: Option<SignOffView>,
    /// Why the rules seem not to fit the data.
    pub(crate) redaction_alarm: Option<String>,
    /// Bodies kept, redacted.
    pub(crate) bodies_kept: u64,
    /// Bodies of which only the metadata is kept, by reason.
    pub(crate) body_dropped: BTreeMap<&'static str, u64>,
    /// Parts of multipart bodies that were left out of bodies that are kept, by reason.
    pub(crate) part_dropped: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    pub(crate) changed_unix_us: i64,
}

/// What the recorder adds to an application's calls on both ways; absent while too few calls are measured to say.
#[derive(Debug, Serialize)]
pub(crate) struct AddedDelayView {
    p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) calls: u64,
}

impl From<AddedDelay> for AddedDelayView {
    fn from(AddedDelay { p50_us, p99_us, calls }: AddedDelay) -> Self {
        Self { p50_us, p99_us, calls }
    }
}

/// How often a rule hit in one place.
#[derive(Debug, Serialize)]
pub(crate) struct PlaceView {
    pub(crate) rule: String,
    /// `request`, `primary` or `shadow`.
    pub(crate) side: &'static str,
    /// `target`, `headers` or `body`.
    pub(crate) part: &'static str,
    pub(crate) count: u64,
}

/// The rules of one integration.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RulesView {
    /// Identifies the rules; every recording carries the one it was made with.
    pub(crate) hash: String,
    pub(crate) count: usize,
    /// Only listed paths are kept.
    pub(crate) strict: bool,
    /// Planted values that the self-check found readable; then no body is stored.
    pub(crate) self_check_failures: Vec<String>,
}

impl RulesView {
    fn of(rules: &RulesShown, integration: &str) -> Self {
        let of = |set: &RuleSetShown| Self {
            hash: set.hash.to_string(),
            count: set.rules,
            strict: set.strict,
            self_check_failures: set.leaks.clone(),
        };
        rules.own.get(integration).map(of).unwrap_or_default()
    }
}

/// Who vouches for the rules in force.
#[derive(Debug, Serialize)]
pub(crate) struct SignOffView {
    pub(crate) who: String,
    pub(crate) rules_hash: String,
    at: String,
    #[serde(skip)]
    pub(crate) at_unix_us: i64,
}

impl SignOffView {
    fn of(signed: Option<SignOff>, rules: &RulesShown, integration: &str) -> Option<Self> {
        let in_force = rules.own.get(integration)?;
        let SignOff { who, rules_hash, at_unix_us } = signed.filter(|signed| *signed.rules_hash == *in_force.hash)?;
        Some(Self { who, rules_hash, at: words::rfc3339(at_unix_us), at_unix_us })
    }
}

/// One endpoint's share.
#[derive(Debug, Serialize)]
pub(crate) struct ShareView {
    pub(crate) endpoint: String,
    /// In force now: its own, or the integration's where that is less.
    pub(crate) share: String,
}

/// A ramp; `sample` is the share it has come to.
#[derive(Debug, Serialize)]
pub(crate) struct RampView {
    /// `rising`, `held`, `reached` or `ended`.
    pub(crate) state: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Time with mirroring on from one to the other, and so far.
    over_s: u64,
    passed_s: u64,
    since: Option<String>,
    pub(crate) held_because: Option<String>,
    held_at: Option<String>,
}

impl RampView {
    fn of(ramp: RampState) -> Self {
        let (state, held) = match ramp.phase {
            RampPhase::Rising => ("rising", None),
            RampPhase::Held { because, at_unix_us } => ("held", Some((because, at_unix_us))),
            RampPhase::Reached => ("reached", None),
            RampPhase::Ended => ("ended", None),
        };
        Self {
            state,
            from: words::percent_of_ppm(ramp.plan.from_ppm),
            to: words::percent_of_ppm(ramp.plan.to_ppm),
            over_s: ramp.plan.over_ms / 1_000,
            passed_s: ramp.passed_us / 1_000_000,
            since: ramp.began_unix_us.map(words::rfc3339),
            held_at: held.as_ref().map(|(_, at)| words::rfc3339(*at)),
            held_because: held.map(|(because, _)| because),
        }
    }

    /// For people: `rising from 1% to 25%`, `held: the breaker opened`.
    pub(crate) fn words(&self) -> String {
        let Self { state, from, to, .. } = self;
        match (&self.held_because, &self.held_at) {
            (Some(because), Some(at)) => format!("ramp from {from} to {to} held since {at}: {because}"),
            _ => format!("ramp from {from} to {to}: {state}"),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct DailyCalls {
    pub(crate) used: u64,
    pub(crate) max: u64,
}

/// What the providers are called.
#[derive(Debug, Serialize)]
struct ProvidersView {
    primary: Option<String>,
    shadow: String,
}

/// Where every request ended.
#[derive(Debug, Serialize)]
pub(crate) struct LedgerView {
    pub(crate) arrived: u64,
    pub(crate) pending: u64,
    pub(crate) mirrored: BTreeMap<&'static str, u64>,
    pub(crate) not_mirrored: BTreeMap<&'static str, u64>,
    pub(crate) adds_up: bool,
}

impl LedgerView {
    /// Requests with a shadow exchange.
    pub(crate) fn mirrored_total(&self) -> u64 {
        self.mirrored.values().sum()
    }
}

impl IntegrationView {
    /// The present state of one integration.
    pub(crate) fn of(shared: &Shared, switch: &Switch) -> Self {
        let name = switch.integration().to_string();
        let state = switch.state();
        let (primary, shadow) = shared
            .providers_of(&name)
            .map_or_else(|| (None, "new provider".to_owned()), |both| (both.primary.clone(), both.shadow.clone()));
        let book = shared.ledger.of(&name).map(|book| book.snapshot());
        let rules = shared.rules.now();
        Self {
            state: state_word(&state),
            sample: words::percent_of_ppm(state.sample_ppm),
            sample_ppm: state.sample_ppm,
            shares: shares(switch, state.sample_ppm),
            ramp: state.ramp.map(RampView::of),
            revision: state.revision,
            changed_at: words::rfc3339(state.changed_unix_us),
            changed_unix_us: state.changed_unix_us,
            paused_by: state.paused.map(paused_word),
            daily_calls: state.daily_used_of_max.map(|(used, max)| DailyCalls { used, max }),
            changed_by: state.changed_by,
            reason: state.reason,
            providers: ProvidersView { primary, shadow },
            ledger: ledger_view(book.as_ref()),
            recorded: book.as_ref().map_or(0, |book| book.recorded),
            not_recorded: book.iter().flat_map(|book| book.not_recorded.iter().cloned()).collect(),
            primary: book.as_ref().map(|book| by_outcome(&book.primary)).unwrap_or_default(),
            added_delay: shared.totals.added_delay(&name).map(Into::into),
            redaction_hits: book.as_ref().map(hits_by_rule).unwrap_or_default(),
            redaction_places: book.iter().flat_map(|book| &book.redaction_hits).map(place).collect(),
            signed_off: SignOffView::of(state.signed, &rules, &name),
            rules: RulesView::of(&rules, &name),
            redaction_alarm: book.as_ref().and_then(|book| alarm(book, rules.alarm_bodies)),
            bodies_kept: book.as_ref().map_or(0, |book| book.bodies_kept),
            body_dropped: book.as_ref().map(|book| by_drop_reason(book.body_dropped)).unwrap_or_default(),
            part_dropped: book.as_ref().map(|book| by_drop_reason(book.parts_dropped)).unwrap_or_default(),
            name,
        }
    }

    /// Stopped, while calls from before are still being cut off.
    pub(crate) fn is_stopping(&self) -> bool {
        self.state == "off" && self.ledger.pending > 0
    }

    /// Today's provider's name; absent for a sink.
    pub(crate) fn primary_name(&self) -> Option<&str> {
        self.providers.primary.as_deref()
    }

    /// The new provider's name.
    pub(crate) fn shadow_name(&self) -> &str {
        &self.providers.shadow
    }
}

/// The whole status.
pub(crate) fn status(shared: &Shared) -> Status {
    Status {
        schema: "darklaunch.status/v1",
        integrations: shared.switchboard.iter().map(|switch| IntegrationView::of(shared, switch)).collect(),
        refused_requests: by_kind(&shared.ledger.refused().snapshot()),
        recorder: recorder(shared),
    }
}

/// The recorder's own part.
pub(crate) fn recorder(shared: &Shared) -> RecorderView {
    let rules = shared.rules.now();
    RecorderView {
        ready: shared.ready.is_up(),
        problems: shared.ready.problems(),
        version: shared.version,
        started_at: words::rfc3339(shared.started_unix_us),
        rules_hash: rules.everyone.to_string(),
        rules_generation: rules.generation,
        rules_since: words::rfc3339(rules.since_unix_us),
        last_scan: shared.scans.newest(),
        rules_since_unix_us: rules.since_unix_us,
        started_unix_us: shared.started_unix_us,
        as_of_unix_us: shared.clock.unix_us(),
    }
}

fn by_drop_reason(counts: [u64; DropReason::ALL.len()]) -> BTreeMap<&'static str, u64> {
    DropReason::ALL.iter().map(|reason| reason.name()).zip(counts).collect()
}

fn hits_by_rule(book: &BookSnapshot) -> BTreeMap<String, u64> {
    let mut hits = BTreeMap::new();
    for one in &book.redaction_hits {
        *hits.entry(one.rule.to_string()).or_default() += one.count;
    }
    hits
}

fn place(hits: &RuleHits) -> PlaceView {
    PlaceView { rule: hits.rule.to_string(), side: hits.side, part: hits.part, count: hits.count }
}

fn alarm(book: &BookSnapshot, bodies_min: u64) -> Option<String> {
    let bodies = book.bodies_kept;
    book.rules_do_not_fit(bodies_min)
        .then(|| format!("the rules do not fit the data: {bodies} bodies are stored and no rule has ever hit"))
}

fn shares(switch: &Switch, sample_ppm: u32) -> Vec<ShareView> {
    let view = |one: &EndpointShare| ShareView {
        endpoint: one.endpoint(),
        share: words::percent_of_ppm(one.share_ppm.min(sample_ppm)),
    };
    switch.endpoint_shares().iter().map(view).collect()
}

fn state_word(state: &State) -> &'static str {
    match (state.on, state.paused) {
        (false, _) => "off",
        (true, None) => "on",
        (true, Some(_)) => "paused",
    }
}

fn paused_word(paused: PausedBy) -> String {
    match paused {
        PausedBy::Breaker => "breaker",
        PausedBy::Retry429 { .. } => "retry_after",
        PausedBy::Budget => "budget",
    }
    .to_owned()
}

/// Every name is always there, also with 0: whoever reads the JSON need not guess.
pub(crate) fn by_outcome(counts: &[u64; 9]) -> BTreeMap<&'static str, u64> {
    Outcome::ALL.iter().map(|outcome| outcome.name()).zip(counts.iter().copied()).collect()
}

/// Counts by reason, every reason named.
pub(crate) fn by_reason(counts: &[u64; 17]) -> BTreeMap<&'static str, u64> {
    NotMirrored::ALL.iter().map(|reason| reason.name()).zip(counts.iter().copied()).collect()
}

/// Refused requests by kind, every kind named.
pub(crate) fn by_kind(counts: &[u64; 8]) -> BTreeMap<&'static str, u64> {
    Refused::ALL.iter().map(|kind| kind.name()).zip(counts.iter().copied()).collect()
}

fn ledger_view(book: Option<&BookSnapshot>) -> LedgerView {
    LedgerView {
        arrived: book.map_or(0, |book| book.arrived),
        pending: book.map_or(0, |book| book.pending),
        mirrored: book.map(|book| by_outcome(&book.mirrored)).unwrap_or_default(),
        not_mirrored: book.map(|book| by_reason(&book.not_mirrored)).unwrap_or_default(),
        adds_up: book.is_none_or(BookSnapshot::adds_up),
    }
}
