//! One question of the review and its answer.

use serde::Serialize;

/// What a check, or the whole review, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Go,
    /// The recording cannot tell.
    CannotSay,
    /// It does not hold.
    NoGo,
}

impl Verdict {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::CannotSay => "cannot_say",
            Self::NoGo => "no_go",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::CannotSay => "CANNOT SAY",
            Self::NoGo => "NO-GO",
        }
    }
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// 1 to 15.
    pub number: u8,
    /// The stable name.
    pub name: &'static str,
    /// The question, for people.
    pub title: &'static str,
    /// The answer.
    pub verdict: Verdict,
    /// What was found, with its figure.
    pub found: String,
    /// What was hoped for.
    pub goal: String,
    /// Calls behind it.
    pub calls: u64,
    /// What to do next; empty where there is nothing to do.
    pub next: String,
    /// More, line by line.
    pub details: Vec<String>,
}

impl Check {
    pub(crate) fn new(
        number: u8,
        name: &'static str,
        title: &'static str,
        goal: impl Into<String>,
        calls: u64,
    ) -> Self {
        let (verdict, goal) = (Verdict::Go, goal.into());
        Self {
            number,
            name,
            title,
            verdict,
            found: String::new(),
            goal,
            calls,
            next: String::new(),
            details: Vec::new(),
        }
    }

    pub(crate) fn found(mut self, found: impl Into<String>) -> Self {
        self.found = found.into();
        self
    }

    /// The answer where a condition does not hold; the worse of two answers stays, with its remedy.
    pub(crate) fn unless(mut self, holds: bool, verdict: Verdict, next: impl Into<String>) -> Self {
        if !holds && verdict > self.verdict {
            self.verdict = verdict;
            self.next = next.into();
        }
        self
    }

    pub(crate) fn detail(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }
}
