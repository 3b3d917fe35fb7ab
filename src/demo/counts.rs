//! What a sample provider counted itself: the independent witness against which the ledger is held.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// One kind of answer: which endpoint (one of [`crate::demo::ENDPOINTS`], or `other`), which status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The endpoint's template.
    pub endpoint: &'static str,
    /// The status answered.
    pub status: u16,
    /// Whether a 200's body said `error`.
    pub says_error: bool,
}

/// A provider's counters. Cheap to read while it runs.
#[derive(Debug, Default)]
pub struct Counts {
    requests: AtomicU64,
    authorizations: AtomicU64,
    answers: std::sync::Mutex<BTreeMap<Counted, u64>>,
}

impl Counts {
    pub(in crate::demo) fn arrived(&self, with_authorization: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.authorizations.fetch_add(u64::from(with_authorization), Ordering::Relaxed);
    }

    pub(in crate::demo) fn answered(&self, kind: Counted) {
        // A poisoned map still counts: a panic elsewhere must not lose the witness.
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *answers.entry(kind).or_default() += 1;
    }

    /// Requests that arrived, answered yet or not.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests that carried an `Authorization` header: must stay 0 at the new provider.
    pub fn authorizations(&self) -> u64 {
        self.authorizations.load(Ordering::Relaxed)
    }

    /// Answers by kind; their sum is [`Counts::requests`] at rest, less calls that were abandoned half-way.
    pub fn answers(&self) -> BTreeMap<Counted, u64> {
        self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Answers of one kind of status, over all endpoints.
    pub fn with_status(&self, matches: impl Fn(&Counted) -> bool) -> u64 {
        self.answers().iter().filter(|(kind, _)| matches(kind)).map(|(_, count)| count).sum()
    }
}
