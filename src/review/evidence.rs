//! Everything a review looks at, read once.

use crate::exchange::{Outcome, Role};
use crate::latency::{HOURS_OF_WEEK, Phase, Slots, Timeline};
use crate::review::advice::{Around, EndpointAdvice};
use crate::review::calls::{Calls, CallsBySection, read_calls};
use crate::review::report::known_integration;
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

/// See the file.
pub(crate) struct Evidence {
    pub(crate) integration: String,
    pub(crate) now_unix_s: i64,
    pub(crate) calls: CallsBySection,
    pub(crate) shadow: Calls,
    /// All calls to the new provider, and those that succeeded: merged once.
    pub(crate) whole: Timeline,
    pub(crate) good: Timeline,
    pub(crate) primary: Calls,
    pub(crate) endpoints: Vec<EndpointAdvice>,
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
        let calls = read_calls(reader, integration, None, since_unix_s)?;
        let of = |role: Role| Calls::merged(calls.iter().filter(|((_, of), _)| *of == role).map(|(_, calls)| calls));
        let (shadow, primary) = (of(Role::Shadow), of(Role::Primary));
        if shadow.is_empty() {
            return Err(ReviewError::NoCalls { integration: integration.to_owned() });
        }
        let (whole, good) = (shadow.of(|_| true), shadow.success());
        let first = whole.intervals().first().map_or(0, |interval| interval.start_unix_s);
        let rows = reader.ledger_since(integration, since_unix_s.unwrap_or(i64::MIN))?;
        let arrivals = reader.arrivals(integration, since_unix_s.map(|s| s.saturating_mul(1_000_000)))?;
        let mut rates = rates(&arrivals, settings.sample);
        let mut sizes = Sizes::default();
        let mut endpoints = Vec::new();
        let all = shadow.len().max(1) as f64;
        for ((endpoint, _), calls_of) in calls.iter().filter(|((_, role), _)| *role == Role::Shadow) {
            let shapes = reader.shapes(integration, endpoint)?;
            sizes.add(&shapes);
            let peak_per_s = rates.peak_10s_per_s * calls_of.len() as f64 / all;
            let around = Around { settings, shapes: &shapes, peak_per_s };
            let today = calls.get(&(endpoint.clone(), Role::Primary));
            endpoints.push(EndpointAdvice::of(endpoint, calls_of, today, &around));
        }
        rates.mean_bytes = sizes.bytes as f64 / sizes.calls.max(1) as f64;
        rates.largest_bytes = sizes.largest;
        let gaps = reader.gaps()?;
        Ok(Self {
            integration: integration.to_owned(),
            now_unix_s,
            shadow,
            whole,
            good,
            primary,
            endpoints,
            ledger: LedgerTally::from_rows(rows.iter().map(|(state, count)| (state.as_str(), *count))),
            statuses: reader.statuses(integration, since_unix_s.map(|s| s.saturating_mul(1_000_000)))?,
            rates,
            switches: reader.switches(integration, SWITCHES_MAX)?,
            deaths: gaps.iter().filter(|gap| gap.to_unix_us / 1_000_000 >= first).count(),
            first_unix_s: first,
            calls,
        })
    }

    /// Our own delay before successful calls.
    pub(crate) fn queue_wait(&self) -> Slots {
        self.shadow.phase(Phase::QueueWait, |outcome| outcome == Outcome::Ok)
    }

    /// Hours of the week in which today's provider has calls and the new one has none.
    pub(crate) fn hours_missing(&self) -> usize {
        let held = |line: &Timeline| {
            let mut held = [false; HOURS_OF_WEEK];
            for interval in line.intervals() {
                if let Some(hour) = held.get_mut(interval.hour_of_week()) {
                    *hour = true;
                }
            }
            held
        };
        let (primary, shadow) = (held(&self.primary.of(|_| true)), held(&self.whole));
        primary.iter().zip(shadow).filter(|(primary, shadow)| **primary && !shadow).count()
    }

    /// Where the mirrored calls are another mixture of endpoints than the ones that arrived: the largest difference in
    /// share, 0 to 1, and the endpoint. Endpoints that are not mirrored at all do not count.
    pub(crate) fn mixture(&self) -> Option<(f64, &str)> {
        let mirrored: Vec<(&str, f64, f64)> = self
            .calls
            .iter()
            .filter(|((_, role), _)| *role == Role::Shadow)
            .filter_map(|((endpoint, _), shadow)| {
                let today = self.calls.get(&(endpoint.clone(), Role::Primary))?;
                Some((endpoint.as_str(), today.len() as f64, shadow.len() as f64))
            })
            .collect();
        let (arrived, copied) = mirrored.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.1, sum.1 + one.2));
        let differences = mirrored.iter().map(|one| ((one.1 / arrived - one.2 / copied).abs(), one.0));
        differences.max_by(|a, b| a.0.total_cmp(&b.0))
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
