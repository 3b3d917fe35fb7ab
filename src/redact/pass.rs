//! One pass over one capture: what was found, and the way of a value through key rules, nesting and patterns.

use crate::exchange::DropReason;
use crate::redact::engine::Redactor;
use crate::redact::names::{Key, Known};
use crate::redact::pseudonym;
use crate::redact::residue::Residue;
use crate::redact::rules::Rule;
use crate::redact::sealed::{Hit, Part, Side};
use crate::redact::{nested, text};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How deep documents inside strings are followed.
pub(in crate::redact) const NESTED_DEPTH_MAX: u8 = 3;

/// Where a value stands.
#[derive(Clone, Copy)]
pub(in crate::redact) struct Place<'a> {
    /// The nearest name.
    pub key: Option<&'a Key>,
    /// The names above it, outermost first.
    pub parents: &'a [Key],
    /// How many documents it is wrapped in.
    pub depth: u8,
}

impl Place<'_> {
    /// No name at all.
    pub const BARE: Place<'static> = Place { key: None, parents: &[], depth: 0 };
}

/// The state of a pass.
pub(in crate::redact) struct Pass<'r> {
    pub redactor: &'r Redactor,
    pub side: Side,
    pub part: Part,
    pub hits: BTreeMap<(usize, Side, Part), u32>,
    /// Raw values and what replaced them.
    pub found: HashMap<String, String>,
    /// What an earlier pass found, replaced wherever it is mentioned.
    pub known: Option<&'r Residue>,
    /// Runs one rule alone.
    pub only: Option<usize>,
    names: Arc<Known>,
}

impl<'r> Pass<'r> {
    /// A new pass.
    pub fn new(redactor: &'r Redactor) -> Self {
        Self {
            redactor,
            side: Side::Request,
            part: Part::Body,
            hits: BTreeMap::new(),
            found: HashMap::new(),
            known: None,
            only: None,
            names: redactor.names.known(),
        }
    }

    /// The key of a name, with its rules.
    pub fn key(&self, name: &str) -> Key {
        match self.names.get(name) {
            Some(key) => key.clone(),
            None => self.new_key(name),
        }
    }

    /// The key of what may be a name in running text; not learned, since most are none.
    pub fn key_in_text(&self, name: &str) -> Key {
        self.names.get(name).cloned().unwrap_or_else(|| Key::of(name).with(&self.redactor.keys, false))
    }

    fn new_key(&self, name: &str) -> Key {
        // A pass of its own: that a name was looked at is no hit.
        let clean = matches!(Pass::new(self.redactor).value(name, Place::BARE), Ok(None));
        let key = Key::of(name).with(&self.redactor.keys, clean);
        self.redactor.names.learn(name, &key);
        key
    }

    /// A field's name as a text of its own: `Some` if it must change.
    pub fn name(&mut self, name: &str, key: &Key, depth: u8) -> Result<Option<String>, DropReason> {
        // What an earlier pass found, or one rule alone, is asked anew.
        if key.is_clean() && self.known.is_none() {
            return Ok(None);
        }
        self.value(name, Place { key: None, parents: &[], depth })
    }

    /// The counts, by rule and place.
    pub fn into_hits(self) -> Vec<Hit> {
        let rules = &self.redactor.rules;
        let hits = self.hits.into_iter();
        hits.map(|((rule, side, part), count)| Hit { rule: rules[rule].id.clone(), side, part, count }).collect()
    }

    /// Counts a replacement and remembers it for the residue check.
    pub fn note(&mut self, rule: usize, raw: &str, fresh: &str) {
        *self.hits.entry((rule, self.side, self.part)).or_default() += 1;
        if !self.found.contains_key(raw) {
            self.found.insert(raw.to_owned(), fresh.to_owned());
        }
    }

    /// Whether the rule takes part in this pass.
    pub fn allows(&self, rule: usize) -> bool {
        self.only.is_none_or(|only| only == rule)
    }

    /// A text value: `Some` if it must change.
    pub fn value(&mut self, raw: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
        if raw.is_empty() {
            return Ok(None);
        }
        if let Some(rule) = place.key.and_then(|key| self.key_rule(raw, key, place.parents)) {
            return Ok(self.apply(rule, raw));
        }
        if let Some(fresh) = nested::document(self, raw, place)? {
            return Ok(fresh);
        }
        text::scan(self, raw, place)
    }

    /// A number of a document, as written: `Some` if it must change, and then a number again.
    pub fn number(&mut self, raw: &str, place: Place<'_>) -> Option<String> {
        let rule = place.key.and_then(|key| self.key_rule(raw, key, place.parents)).or_else(|| {
            let plain = raw.len() >= 9 && raw.bytes().all(|b| b.is_ascii_digit());
            if plain { text::number_rule(self, raw, place) } else { None }
        })?;
        let Rule { action, kind, .. } = self.redactor.rules[rule];
        let fresh = pseudonym::replace_number(action, kind, raw, &self.redactor.key)?;
        self.note(rule, raw, &fresh);
        Some(fresh)
    }

    /// What a rule makes of a whole value.
    pub fn apply(&mut self, rule: usize, raw: &str) -> Option<String> {
        let Rule { action, kind, .. } = self.redactor.rules[rule];
        let fresh = pseudonym::replace(action, kind, raw, &self.redactor.key)?;
        self.note(rule, raw, &fresh);
        Some(fresh)
    }

    /// The first rule that claims values under this name.
    pub fn key_rule(&self, raw: &str, key: &Key, parents: &[Key]) -> Option<usize> {
        key.rules().iter().copied().find(|&rule| self.allows(rule) && self.claims(rule, raw, key, parents))
    }

    /// Whether a rule that lists a name claims a value there.
    pub fn claims(&self, rule: usize, raw: &str, key: &Key, parents: &[Key]) -> bool {
        let rule = &self.redactor.rules[rule];
        let near = &parents[parents.len().saturating_sub(2)..];
        !rule.exclude_keys.has(key)
            && (rule.parents.is_empty() || near.iter().any(|parent| rule.parents.has(parent)))
            && !near.last().is_some_and(|parent| rule.exclude_parents.has(parent))
            && rule.shape.as_ref().is_none_or(|shape| shape.is_match(raw))
    }
}
