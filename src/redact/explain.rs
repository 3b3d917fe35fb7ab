//! Why a value was replaced or left alone: every decision about every candidate of a text, for people who write rules.

use crate::redact::matching::find::Doubt;
use std::sync::Arc;

/// Decisions noted at most: a text has few, a hostile one many.
const DECISIONS_MAX: usize = 10_000;

/// The decisions of a pass.
#[derive(Debug, Default)]
pub(in crate::redact) struct Trace(Vec<(u16, String, Verdict)>);

impl Trace {
    /// A rule replaced a value.
    pub fn struck(&mut self, rule: u16, raw: &str, fresh: &str) {
        self.note(rule, raw, Verdict::Replaced(fresh.to_owned()));
    }

    /// A rule left a candidate alone.
    pub fn doubted(&mut self, rule: u16, raw: &str, doubt: Doubt) {
        self.note(rule, raw, Verdict::Left(doubt));
    }

    fn note(&mut self, rule: u16, raw: &str, verdict: Verdict) {
        if self.0.len() < DECISIONS_MAX {
            self.0.push((rule, raw.to_owned(), verdict));
        }
    }

    /// The decisions, with the ids of their rules.
    pub fn into_decisions(self, id: impl Fn(u16) -> Arc<str>) -> Vec<Decision> {
        self.0.into_iter().map(|(rule, value, verdict)| Decision { rule: id(rule), value, verdict }).collect()
    }
}

/// What came of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was replaced by this.
    Replaced(String),
    /// It was left alone.
    Left(Doubt),
}

/// One decision of one rule about one candidate. It holds the raw candidate, so it is for the screen of the person who
/// holds the text already, and only when they ask: it is never stored or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The candidate, raw.
    pub value: String,
    /// What came of it.
    pub verdict: Verdict,
}

impl Doubt {
    /// The stable name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExcludedName => "excluded_name",
            Self::NoKeyword => "no_keyword",
            Self::Validator => "validator",
            Self::Excluded => "excluded",
            Self::OtherShape => "other_shape",
            Self::StandIn => "stand_in",
            Self::Overlapped => "overlapped",
            Self::Place => "place",
            Self::Shape => "shape",
        }
    }

    /// Why, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ExcludedName => "the rule's exclude_keys lists the name it stands under",
            Self::NoKeyword => "none of the rule's keywords is near, nor in the names above",
            Self::Validator => "the rule's validator refuses it",
            Self::Excluded => "the rule's exclude matches it, or a word of its not_after stands before it",
            Self::OtherShape => "it is part of a UUID, a digest, a timestamp, a decimal or a version",
            Self::StandIn => "it is a stand-in already",
            Self::Overlapped => "another rule claims the same characters",
            Self::Place => "the rule's parents or paths do not include this place",
            Self::Shape => "it has not the rule's shape",
        }
    }
}
