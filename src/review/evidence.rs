//! Everything a review looks at, read once.

use crate::exchange::Role;
use crate::latency::stats::{Advice, Refusal};
use crate::review::advice::{Around, EndpointAdvice, Group};
use crate::review::calls::{Calls, Recorded, StoredCalls};
use crate::review::report::known_integration;
use crate::review::tally::Tally;
use crate::review::{LedgerTally, ReviewError, Settings};
use crate::store::{CallShape, Reader, StatusCount, SwitchRow};
use std::collections::BTreeMap;

/// Turns of the switch that are looked at.
const SWITCHES_MAX: usize = 200;
const TEN_SECONDS_PER_DAY: i64 = 8_640;

/// Call rate and data volume, as a provider's contract is about them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Recorded calls behind the figures.
    pub calls: u64,
    /// Calls a second in the busiest ten seconds, at the whole traffic.
    pub peak_10s_per_s: f64,
    /// Calls in the busiest minute, at the whole traffic.
    pub peak_minute: f64,
    /// Calls on the busiest day, at the whole traffic.
    pub peak_day: f64,
    /// Bytes of an average request's and answer's body.
    pub mean_bytes: f64,
    /// The largest body met, bytes.
    pub largest_bytes: u64,
}

/// What endpoints that are too rare to be judged alone are called together.
pub(crate) const RARE: &str = "rare endpoints";

/// See the file.
pub(crate) struct Evidence {
    pub(crate) integration: String,
    pub(crate) now_unix_s: i64,
    pub(crate) shadow: Tally,
    pub(crate) primary: Tally,
    pub(crate) endpoints: Vec<EndpointAdvice>,
    /// Endpoints that both providers are called at, with the calls of today's and of the new one.
    pub(crate) mirrored: Vec<(String, u64, u64)>,
    pub(crate) ledger: LedgerTally,
    pub(crate) statuses: Vec<StatusCount>,
    pub(crate) rates: Rates,
    pub(crate) switches: Vec<SwitchRow>,
    /// Runs that died, since the recording began.
    pub(crate) deaths: usize,
    pub(crate) first_unix_s: i64,
}

impl Evidence {
    pub(crate) fn read(
        reader: &Reader,
        integration: &str,
        since_unix_s: Option<i64>,
        now_unix_s: i64,
        settings: &Settings,
    ) -> Result<Self, ReviewError> {
        known_integration(reader, integration)?;
        let recorded = Recorded::read(reader, integration, None, since_unix_s)?;
        let rows = reader.ledger_since(integration, since_unix_s.unwrap_or(i64::MIN))?;
        let arrivals = reader.arrivals(integration, since_unix_s.map(|s| s.saturating_mul(1_000_000)))?;
        let mut rates = rates(&arrivals, settings.sample);
        let (mut shadow, mut primary) = (Tally::default(), Tally::default());
        let mut sizes = Sizes::default();
        let mut endpoints = Vec::new();
        let counts = recorded.sections().filter(|((_, role), _)| *role == Role::Shadow);
        let counts: Vec<(&str, u64)> = counts.map(|((name, _), stored)| (name.as_str(), stored.len())).collect();
        let all = counts.iter().map(|(_, calls)| calls).sum::<u64>().max(1) as f64;
        for (name, members) in groups(&counts, settings.rare_share) {
            let (mut of, mut today, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
            for member in &members {
                let new = recorded.get(member, Role::Shadow).map(StoredCalls::calls).transpose()?;
                of.extend(new.inspect(|calls| shadow.add(calls)));
                let old = recorded.get(member, Role::Primary).map(StoredCalls::calls).transpose()?;
                today.extend(old.inspect(|calls| primary.add(calls)));
                shapes.extend(reader.shapes(integration, member)?);
            }
            sizes.add(&shapes);
            let (of, today) = (together(of), (!today.is_empty()).then(|| together(today)));
            let peak_per_s = rates.peak_10s_per_s * of.len() as f64 / all;
            let around = Around { settings, shapes: &shapes, peak_per_s };
            let members = members.iter().map(|member| (*member).to_owned()).collect();
            endpoints.push(EndpointAdvice::of(name, members, &of, today.as_ref(), &around));
        }
        if shadow.is_empty() {
            return Err(ReviewError::NoCalls { integration: integration.to_owned() });
        }
        let mut mirrored = Vec::new();
        for ((name, _), stored) in recorded.sections().filter(|((_, role), _)| *role == Role::Primary) {
            match recorded.get(name, Role::Shadow) {
                Some(copied) => mirrored.push((name.clone(), stored.len(), copied.len())),
                None => primary.add(&stored.calls()?),
            }
        }
        rates.mean_bytes = sizes.bytes as f64 / sizes.calls.max(1) as f64;
        rates.largest_bytes = sizes.largest;
        let (gaps, first) = (reader.gaps()?, shadow.first_unix_s());
        Ok(Self {
            integration: integration.to_owned(),
            now_unix_s,
            shadow,
            primary,
            endpoints,
            mirrored,
            ledger: LedgerTally::from_rows(rows.iter().map(|(state, count)| (state.as_str(), *count))),
            statuses: reader.statuses(integration, since_unix_s.map(|s| s.saturating_mul(1_000_000)))?,
            rates,
            switches: reader.switches(integration, SWITCHES_MAX)?,
            deaths: gaps.iter().filter(|gap| gap.to_unix_us / 1_000_000 >= first).count(),
            first_unix_s: first,
        })
    }

    /// Rare endpoints that are too few to be judged even together, where nothing hangs on them: were each of their answers
    /// lost, no more than `lost_answers` of all would be.
    pub(crate) fn negligible(&self, settings: &Settings) -> Option<&EndpointAdvice> {
        let most = self.shadow.len() as f64 * settings.lost_answers;
        let refused = |one: &&EndpointAdvice| {
            matches!(one.timeout, Advice::Refused(Refusal::Calls { .. } | Refusal::Intervals { .. }))
        };
        self.endpoints.iter().filter(|one| one.is_rare && one.calls as f64 <= most).find(refused)
    }

    /// The endpoints that the checks are about: all but negligible ones.
    pub(crate) fn judged(&self, settings: &Settings) -> Vec<&EndpointAdvice> {
        let left_out = self.negligible(settings).map(|one| &one.endpoint);
        self.endpoints.iter().filter(|one| Some(&one.endpoint) != left_out).collect()
    }

    /// Hours of the week in which today's provider has calls and the new one has none.
    pub(crate) fn hours_missing(&self) -> usize {
        self.primary.hours().iter().zip(self.shadow.hours()).filter(|(primary, shadow)| **primary && !shadow).count()
    }

    /// Where the mirrored calls are another mixture of endpoints than the ones that arrived: the largest difference in
    /// share, 0 to 1, and the endpoint. Endpoints that are not mirrored at all do not count.
    pub(crate) fn mixture(&self) -> Option<(f64, &str)> {
        let counts = self.mirrored.iter().map(|(name, today, new)| (name.as_str(), *today as f64, *new as f64));
        let (arrived, copied) = counts.clone().fold((0.0, 0.0), |sum, one| (sum.0 + one.1, sum.1 + one.2));
        let differences = counts.map(|one| ((one.1 / arrived - one.2 / copied).abs(), one.0));
        differences.max_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// The endpoints as they are judged: each by itself, and those with less than the share of all calls together, if they
/// are several. In the order of their names; the rare ones last.
fn groups<'a>(counts: &[(&'a str, u64)], rare_share: f64) -> Vec<(Group<'a>, Vec<&'a str>)> {
    let all: u64 = counts.iter().map(|(_, calls)| calls).sum();
    let (rare, usual): (Vec<_>, Vec<_>) =
        counts.iter().copied().partition(|(_, calls)| (*calls as f64) < all as f64 * rare_share);
    let mut groups: Vec<_> = usual.into_iter().map(|(name, _)| (Group::Usual(name), vec![name])).collect();
    let names: Vec<&str> = rare.into_iter().map(|(name, _)| name).collect();
    match names[..] {
        [] => {}
        [one] => groups.push((Group::Rare(one), names)),
        _ => groups.push((Group::Rare(RARE), names)),
    }
    groups
}

/// One as it is; several as one.
fn together(mut calls: Vec<Calls>) -> Calls {
    match calls.len() {
        1 => calls.swap_remove(0),
        _ => Calls::merged(calls.iter()),
    }
}

fn rates(arrivals: &BTreeMap<i64, u64>, sample: f64) -> Rates {
    let scale = if sample > 0.0 { 1.0 / sample } else { 1.0 };
    let grouped = |size: i64| {
        let mut groups: BTreeMap<i64, u64> = BTreeMap::new();
        arrivals.iter().for_each(|(at, calls)| *groups.entry(at.div_euclid(size)).or_default() += calls);
        groups.into_values().max().unwrap_or_default() as f64 * scale
    };
    Rates {
        calls: arrivals.values().sum(),
        peak_10s_per_s: grouped(1) / 10.0,
        peak_minute: grouped(6),
        peak_day: grouped(TEN_SECONDS_PER_DAY),
        ..Rates::default()
    }
}

/// Sizes of the newest calls of each kind, summed.
#[derive(Default)]
struct Sizes {
    bytes: u64,
    calls: u64,
    largest: u64,
}

impl Sizes {
    fn add(&mut self, shapes: &[CallShape]) {
        for one in shapes {
            let bytes = one.answer_bytes.saturating_add(one.request_bytes);
            self.bytes = self.bytes.saturating_add(bytes);
            self.calls += 1;
            self.largest = self.largest.max(bytes);
        }
    }
}
