//! What goes into the store and what comes out of it, as plain data.

use crate::compare::{Difference, Verdict};
use crate::exchange::{CaptureId, DropReason, FailureKind, Integration, Outcome};
use crate::latency::{Series, SeriesKey};
use crate::redact::{Recording, Redacted};
use crate::store::Prepared;

/// Who records: one run of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// The machine's or replica's name.
    pub instance: String,
    /// The hash of the configuration it runs with.
    pub config_hash: String,
    /// When it started, microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// The program's version.
    pub version: String,
}

/// What one transaction stores.
#[derive(Debug, Default)]
pub struct Batch {
    /// New captures with their verdicts, that were not made ready before: the writer does that.
    pub captures: Vec<(Redacted<Recording>, Verdict)>,
    /// New captures, made ready, some at a time and in this order.
    pub prepared: Vec<Vec<Prepared>>,
    /// Calls that are about to be sent and that the provider may process: durable when the transaction is.
    pub intents: Vec<Redacted<Recording>>,
    /// New dictionaries, used for what is made ready from then on.
    pub dictionaries: Vec<TrainedDictionary>,
    /// Series by interval start (seconds since the Unix epoch): the whole of this run and interval so far, which
    /// replaces what was stored of it.
    pub series: Vec<(SeriesKey, i64, Series)>,
    /// The start of the interval of `ledger`, seconds since the Unix epoch.
    pub ledger_interval_unix_s: i64,
    /// This run's totals in that interval so far, which replace what was stored of them.
    pub ledger: Vec<LedgerRow>,
    /// What was switched.
    pub switches: Vec<SwitchRow>,
}

impl Batch {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        let recorded = self.captures.is_empty() && self.prepared.iter().all(Vec::is_empty) && self.intents.is_empty();
        recorded
            && self.series.is_empty()
            && self.ledger.is_empty()
            && self.switches.is_empty()
            && self.dictionaries.is_empty()
    }
}

/// A dictionary for an integration's bodies.
#[derive(Clone, Debug)]
pub struct TrainedDictionary {
    /// Whose bodies.
    pub integration: Integration,
    /// As zstd made it.
    pub bytes: Vec<u8>,
}

/// One total of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The integration.
    pub integration: String,
    /// The state's name.
    pub state: String,
    /// How many requests of this run are in it.
    pub count: u64,
}

/// One turn of a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchRow {
    /// The integration.
    pub integration: String,
    /// Whether mirroring is on since.
    pub on: bool,
    /// The sample since, parts per million.
    pub sample_ppm: u32,
    /// The revision of the switch.
    pub revision: u64,
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, microseconds since the Unix epoch.
    pub at_unix_us: i64,
}

/// One exchange without its headers and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeSummary {
    /// The status, if an answer came.
    pub status: Option<u16>,
    /// How it counted.
    pub outcome: Outcome,
    /// The failure, if there was one.
    pub failure: Option<FailureKind>,
    /// When the call began, microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// Our own delay before the call, microseconds.
    pub queue_wait_us: u64,
    /// The connection's set-up, microseconds, if one was opened.
    pub connect_us: Option<u64>,
    /// From the call's start to its end, microseconds.
    pub total_us: u64,
    /// From the call's start to the answer's head, microseconds.
    pub ttfb_us: Option<u64>,
    /// Bytes of the answer's body on the wire, kept or not.
    pub body_bytes: u64,
    /// Why the body is absent, if it is.
    pub body_drop: Option<DropReason>,
}

/// One capture as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSummary {
    /// Its id.
    pub id: CaptureId,
    /// The integration.
    pub integration: String,
    /// The endpoint.
    pub endpoint: String,
    /// When the request arrived, microseconds since the Unix epoch.
    pub received_unix_us: i64,
    /// The method.
    pub method: String,
    /// Path and query, redacted.
    pub target: String,
    /// Today's provider; absent for a sink.
    pub primary: Option<ExchangeSummary>,
    /// The new provider.
    pub shadow: ExchangeSummary,
    /// `same`, `differs`, or `cannot_say: why`.
    pub verdict: String,
}

/// A stored body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBody {
    /// The redacted bytes, decoded; `None` where they were dropped or pruned.
    pub bytes: Option<Vec<u8>>,
    /// Bytes seen on the wire, kept or not.
    pub seen_bytes: u64,
    /// Why the bytes are absent: a [`DropReason`] name, `pruned`, or `damaged`.
    pub drop_reason: Option<String>,
}

/// One exchange with its headers and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredExchange {
    /// The rest of it.
    pub summary: ExchangeSummary,
    /// The answer's header lines in order; bytes that are no UTF-8 are shown as their Latin-1 characters.
    pub headers: Vec<(String, String)>,
    /// The answer's body.
    pub body: StoredBody,
}

/// One capture with everything stored of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCapture {
    /// What a list shows.
    pub summary: CaptureSummary,
    /// The request's header lines, as in [`StoredExchange::headers`].
    pub request_headers: Vec<(String, String)>,
    /// The request's body.
    pub request_body: StoredBody,
    /// Today's provider; absent for a sink.
    pub primary: Option<StoredExchange>,
    /// The new provider.
    pub shadow: StoredExchange,
    /// Rule, side, part and count of what was redacted.
    pub hits: Vec<(String, String, String, u32)>,
    /// The hash of the rule set that redacted it.
    pub rules_hash: String,
    /// Where the two answers differ.
    pub differences: Vec<Difference>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// It has not, as far as the file tells: it records now, or died and nobody opened the file to write since.
    Open,
    /// It closed the store, at this time in microseconds since the Unix epoch.
    Closed(i64),
    /// It died: its last commit interval is lost, and what was in flight is unknown.
    Unknown,
}

/// One run of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: i64,
    /// Who recorded.
    pub info: RunInfo,
    /// How it ended.
    pub end: RunEnd,
    /// Captures it stored, pruned or not.
    pub captures: u64,
    /// The time of its last commit's newest capture, microseconds since the Unix epoch; `None` without captures.
    pub last_capture_unix_us: Option<i64>,
}

/// What a run that died may have lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapRow {
    /// The run.
    pub run: i64,
    /// Its last commit, microseconds since the Unix epoch.
    pub from_unix_us: i64,
    /// When the file was opened again, likewise.
    pub to_unix_us: i64,
    /// Requests that were pending then, as far as that was committed.
    pub pending: u64,
}

/// The receipt of an erasure; it holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its number.
    pub id: i64,
    /// When, microseconds since the Unix epoch.
    pub at_unix_us: i64,
    /// By whom.
    pub who: String,
    /// Captures removed.
    pub captures: u64,
    /// Bodies removed.
    pub bodies: u64,
    /// Proofs found in the file or its log afterwards: 0 unless something went wrong.
    pub remains: u64,
}

/// What a look at a whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Soundness {
    /// Captures looked at.
    pub captures: u64,
    /// Bodies held against their digests.
    pub bodies: u64,
    /// Histograms held against their checksums.
    pub histograms: u64,
    /// Ledgers, of one integration and run each, added up.
    pub ledgers: u64,
    /// Receipts of erasure whose proofs were looked for in the files.
    pub erasures: u64,
    /// What is wrong; empty means sound.
    pub findings: Vec<Finding>,
}

/// One kind of thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind: `integrity`, `body`, `details`, `count`, `histogram`, `ledger` or `erased`.
    pub what: &'static str,
    /// How many there are.
    pub count: u64,
    /// The first of them; places and figures, never values.
    pub details: Vec<String>,
}

/// What a merge added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Captures of the source.
    pub looked_at: u64,
    /// Those of them that were not there yet.
    pub captures: u64,
    /// Histograms added or replaced.
    pub histograms: u64,
    /// Captures removed here because they were erased there.
    pub erased: u64,
}

/// What pruning removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Bodies removed because of size while their captures stay.
    pub bodies: u64,
    /// Captures removed.
    pub captures: u64,
    /// Bytes of live data after it.
    pub size_bytes: u64,
    /// Whether a limit is still exceeded because the work of one call is bounded: call again.
    pub more: bool,
}
