//! What one thread has measured since it last handed over: owned, without locks.

use crate::exchange::{Endpoint, Integration, Outcome, Role, Timings};
use crate::latency::Series;
use hashbrown::{Equivalent, HashMap, hash_map};

/// Which part of a call a latency measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// From the request's last byte at the recorder to the call's start; of the primary from its head on. Part of our own
    /// delay, never the provider's.
    QueueWait,
    /// Name, TCP and TLS, of calls that opened a connection.
    Connect,
    /// From the call's start to the answer's head.
    Ttfb,
    /// From the call's start to the answer's last byte or to the failure.
    Total,
    /// The same, of the calls that opened a connection: the others are the rest of `Total`.
    TotalNew,
    /// By how much the shadow was slower than the primary on the same request, where both succeeded.
    Slower,
    /// By how much it was faster.
    Faster,
}

impl Phase {
    /// Every phase, in the order of their codes in the database (append only).
    pub const ALL: [Self; 7] =
        [Self::QueueWait, Self::Connect, Self::Ttfb, Self::Total, Self::TotalNew, Self::Slower, Self::Faster];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueWait => "queue_wait",
            Self::Connect => "connect",
            Self::Ttfb => "ttfb",
            Self::Total => "total",
            Self::TotalNew => "total_new_connection",
            Self::Slower => "slower_than_primary",
            Self::Faster => "faster_than_primary",
        }
    }

    /// The database code: the position in [`Phase::ALL`].
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The phase of a database code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// What a series is about. Outcomes are apart because a timeout's latency is only a lower bound.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The integration.
    pub integration: Integration,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Which upstream.
    pub role: Role,
    /// How the calls counted.
    pub outcome: Outcome,
    /// Which part of the call.
    pub phase: Phase,
}

/// All phases of one kind of call: one look-up records all that happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    integration: Integration,
    endpoint: Endpoint,
    role: Role,
    outcome: Outcome,
}

/// A kind to look up: what is known already needs no reference counted, and those counts are shared by all threads.
#[derive(Hash)]
struct KindSought<'a> {
    integration: &'a Integration,
    endpoint: &'a Endpoint,
    role: Role,
    outcome: Outcome,
}

impl Equivalent<Kind> for KindSought<'_> {
    fn equivalent(&self, kind: &Kind) -> bool {
        self.role == kind.role
            && self.outcome == kind.outcome
            && *self.endpoint == kind.endpoint
            && *self.integration == kind.integration
    }
}

impl From<&KindSought<'_>> for Kind {
    fn from(sought: &KindSought<'_>) -> Self {
        let (integration, endpoint) = (Integration::clone(sought.integration), Endpoint::clone(sought.endpoint));
        Self { integration, endpoint, role: sought.role, outcome: sought.outcome }
    }
}

type Phases = [Option<Series>; Phase::ALL.len()];

/// The series of one thread. As many as there are endpoints, roles and outcomes seen: bounded by the bound on endpoints.
#[derive(Debug, Default)]
pub struct Shard {
    kinds: HashMap<Kind, Phases>,
    /// What we add to the calls of each integration: few enough to look through.
    added: Vec<(Integration, Series)>,
}

impl Shard {
    /// An empty shard.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the timings of one exchange; phases that did not happen are not recorded.
    pub fn record_exchange(
        &mut self,
        integration: &Integration,
        endpoint: &Endpoint,
        role: Role,
        outcome: Outcome,
        timings: &Timings,
    ) {
        record(self.phases(integration, endpoint, role, outcome), timings);
    }

    /// Records how much longer the shadow took than the primary for the same request, in microseconds; both succeeded.
    /// Less than nothing: it was faster.
    pub fn record_difference(&mut self, integration: &Integration, endpoint: &Endpoint, longer_us: i64) {
        let phase = if longer_us < 0 { Phase::Faster } else { Phase::Slower };
        let phases = self.phases(integration, endpoint, Role::Shadow, Outcome::Ok);
        series(phases, phase).record(longer_us.unsigned_abs());
    }

    /// Records what we added to one call of an application, microseconds.
    pub fn record_added(&mut self, integration: &Integration, us: u64) {
        self.added_of(integration).record(us);
    }

    /// What was added to the calls of each integration.
    pub fn added(&self) -> impl Iterator<Item = (&Integration, &Series)> {
        self.added.iter().map(|(integration, series)| (integration, series))
    }

    fn added_of(&mut self, integration: &Integration) -> &mut Series {
        let at = self.added.iter().position(|(known, _)| known == integration).unwrap_or_else(|| {
            self.added.push((integration.clone(), Series::new()));
            self.added.len() - 1
        });
        &mut self.added[at].1
    }

    fn phases(&mut self, integration: &Integration, endpoint: &Endpoint, role: Role, outcome: Outcome) -> &mut Phases {
        self.kinds.entry_ref(&KindSought { integration, endpoint, role, outcome }).or_default()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.added.is_empty()
    }

    /// Hands over what was recorded and starts again.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Adds what another shard recorded.
    pub fn merge(&mut self, other: Self) {
        other.added.iter().for_each(|(integration, series)| self.added_of(integration).merge(series));
        for (kind, phases) in other.kinds {
            match self.kinds.entry(kind) {
                hash_map::Entry::Vacant(slot) => {
                    slot.insert(phases);
                }
                hash_map::Entry::Occupied(mut slot) => merge_phases(slot.get_mut(), phases),
            }
        }
    }

    /// The series and what they are about, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (SeriesKey, &Series)> {
        self.kinds.iter().flat_map(|(kind, phases)| {
            Phase::ALL.into_iter().zip(phases).filter_map(|(phase, series)| Some((key(kind, phase), series.as_ref()?)))
        })
    }
}

impl IntoIterator for Shard {
    type Item = (SeriesKey, Series);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        let mut all = Vec::with_capacity(self.kinds.len() * Phase::ALL.len());
        for (kind, phases) in self.kinds {
            all.extend(Phase::ALL.into_iter().zip(phases).filter_map(|(phase, one)| Some((key(&kind, phase), one?))));
        }
        all.into_iter()
    }
}

fn record(phases: &mut Phases, timings: &Timings) {
    for phase in Phase::ALL {
        let us = match phase {
            Phase::QueueWait => Some(timings.queue_wait_us),
            Phase::Connect => timings.connect_us,
            Phase::Ttfb => timings.ttfb_us,
            Phase::Total => Some(timings.total_us),
            Phase::TotalNew => timings.connect_us.map(|_| timings.total_us),
            // Known only when the primary's answer is there too.
            Phase::Slower | Phase::Faster => None,
        };
        if let Some(us) = us {
            series(phases, phase).record(us);
        }
    }
}

fn series(phases: &mut Phases, phase: Phase) -> &mut Series {
    phases[usize::from(phase.code())].get_or_insert_with(Series::new)
}

fn merge_phases(into: &mut Phases, from: Phases) {
    for (into, from) in into.iter_mut().zip(from) {
        match (into.as_mut(), from) {
            (Some(into), Some(from)) => into.merge(&from),
            (None, from) => *into = from,
            (Some(_), None) => {}
        }
    }
}

fn key(kind: &Kind, phase: Phase) -> SeriesKey {
    SeriesKey {
        integration: kind.integration.clone(),
        endpoint: kind.endpoint.clone(),
        role: kind.role,
        outcome: kind.outcome,
        phase,
    }
}
