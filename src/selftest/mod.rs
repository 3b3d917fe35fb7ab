//! The self-test: marked requests through the real configuration, and what came of them.
//!
//! A whole recorder is started from the user's configuration, but on free loopback ports, with a store in a temporary
//! folder, and with small servers of our own in place of the providers; they say what they saw, so that nothing rests on
//! the recorder's word alone. With [`Live`] the real providers of one integration are called instead, with one request
//! that the user named. **Invariant:** the user's store, state folder and ports are never touched.

mod call;
mod checks;
mod plants;
mod probes;
mod run;
mod stand_in;
mod stored;

pub use run::{SelftestError, run};

use serde_json::{Value, json};

/// The one request that goes to the real providers, and to whom.
#[derive(Clone, Debug)]
pub struct Live {
    /// Which integration.
    pub integration: String,
    /// `GET` or `HEAD`: nothing else is known to be harmless.
    pub method: &'static str,
    /// Path and query of a request that does no harm.
    pub path: String,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// Nothing can be said, and the detail says why.
    NotChecked,
}

impl Verdict {
    /// The word on a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::NotChecked => "NOT CHECKED",
        }
    }

    /// The stable name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotChecked => "not_checked",
        }
    }
}

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen, or why it was not.
    pub detail: String,
}

impl Check {
    pub(in crate::selftest) fn pass(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Pass, detail: detail.into() }
    }

    pub(in crate::selftest) fn fail(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, detail: detail.into() }
    }

    pub(in crate::selftest) fn not_checked(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::NotChecked, detail: detail.into() }
    }

    /// It holds if nothing speaks against it.
    pub(in crate::selftest) fn unless(name: &'static str, problems: &[String], detail: impl Into<String>) -> Self {
        if problems.is_empty() { Self::pass(name, detail) } else { Self::fail(name, problems.join("; ")) }
    }

    fn to_json(&self) -> Value {
        json!({ "check": self.name, "verdict": self.verdict.name(), "detail": self.detail })
    }
}

/// What was found of one integration.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Its name.
    pub integration: String,
    /// In the order they were made.
    pub checks: Vec<Check>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whether real providers were called.
    pub live: bool,
    /// In the order of their names.
    pub integrations: Vec<Tested>,
    /// Whether the temporary store is gone.
    pub store_removed: Check,
}

impl Report {
    /// How many checks failed.
    pub fn failed(&self) -> usize {
        let checks = self.integrations.iter().flat_map(|one| &one.checks).chain([&self.store_removed]);
        checks.filter(|check| check.verdict == Verdict::Fail).count()
    }

    /// The facts with stable names.
    pub fn to_json(&self) -> Value {
        let of = |one: &Tested| {
            let checks: Vec<Value> = one.checks.iter().map(Check::to_json).collect();
            json!({ "name": one.integration, "checks": checks })
        };
        json!({
            "schema": "darklaunch.selftest/v1",
            "live": self.live,
            "failed": self.failed(),
            "integrations": self.integrations.iter().map(of).collect::<Vec<_>>(),
            "store_removed": self.store_removed.to_json(),
        })
    }
}
