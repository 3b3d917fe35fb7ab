//! One pass over one capture: what was found, and the way of a value through name rules, nesting and patterns.

use crate::exchange::DropReason;
use crate::redact::claims;
use crate::redact::engine::Redactor;
use crate::redact::evidence::names::{Key, Known, Name, Names};
use crate::redact::evidence::words::Words;
use crate::redact::evidence::{captions, dicom, shape, siblings};
use crate::redact::explain::Trace;
use crate::redact::format::{jwt, nested, text, violation};
use crate::redact::matching::find::{self, Doubt};
use crate::redact::matching::gate::{DIGIT, Kinds, kinds_of};
use crate::redact::matching::memo::{self, Lent};
use crate::redact::matching::spots::Spot;
use crate::redact::rule::rules::{Action, Rule};
use crate::redact::sealed::{Hit, Part, PartsDropped, Side, SubjectDigest};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::{self, Replaced};
use crate::redact::stand_in::residue::{self, Residue};
use crate::redact::stand_in::sought::Needle;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// How deep documents inside strings are followed.
pub(in crate::redact) const NESTED_DEPTH_MAX: u8 = 5;
/// Names noted in one pass for the memory, at most.
const NEW_NAMES_MAX: usize = 256;
/// What may be names in running text, kept for one pass at most.
const TEXT_NAMES_MAX: usize = 256;
/// Digests of personal values kept of one capture, at most.
const SUBJECTS_MAX: usize = 256;

/// Where a value stands.
#[derive(Clone, Copy)]
pub(in crate::redact) struct Place<'a> {
    /// The nearest name.
    pub key: Option<&'a Key<'a>>,
    /// The names above it, outermost first.
    pub parents: &'a [Key<'a>],
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
    /// What an earlier pass found, replaced wherever it is mentioned.
    pub known: Option<&'r Residue>,
    /// What that pass left alone.
    pub before: Option<&'r Leaves>,
    /// What this pass left alone.
    pub leaves: Leaves,
    /// Runs one rule alone.
    pub only: Option<u16>,
    /// Where every decision is noted, if somebody wants to know.
    pub trace: Option<Trace>,
    /// What runs of kept texts say that may be base64, one after the other: searched at the end.
    pub decoded: Vec<u8>,
    /// Parts of multipart bodies that could not be read: a marker stands for each, and the other parts stay.
    pub parts_dropped: PartsDropped,
    /// Rules whose patterns match the text at hand: kept for its memory.
    pub rules_at_hand: Vec<u16>,
    /// The names beside the one at hand, where a rule asks for them and the format tells.
    pub beside: Vec<Key<'r>>,
    /// Texts in which no pattern finds anything.
    pub memo: Lent<'r>,
    /// What came out of something compressed inside the body at hand.
    pub expanded_bytes: usize,
    names: &'r Known,
    new_names: Vec<(Box<str>, Arc<Name>)>,
    text_names: HashMap<Box<str>, Key<'r>, RandomState>,
    hits: Vec<(u16, Side, Part, u32)>,
    /// Raw values and what replaced them.
    found: HashMap<Box<str>, Found, RandomState>,
}

/// Which of the texts of JSON documents a pass left alone, in their order: the pass after it need not ask the rules again.
#[derive(Default)]
pub(in crate::redact) struct Leaves {
    left_alone: Vec<bool>,
    /// Texts seen so far.
    seen: usize,
    /// Whether the pass is in one: what it holds is part of it.
    inside: bool,
}

struct Found {
    rule: u16,
    replaced: Replaced,
}

impl<'r> Pass<'r> {
    /// A new pass that knows these names.
    pub fn new(redactor: &'r Redactor, names: &'r Known) -> Self {
        Self {
            redactor,
            side: Side::Request,
            part: Part::Body,
            known: None,
            before: None,
            leaves: Leaves::default(),
            only: None,
            trace: None,
            decoded: Vec::new(),
            parts_dropped: PartsDropped::default(),
            rules_at_hand: Vec::new(),
            beside: Vec::new(),
            memo: Lent::of(&redactor.memos),
            expanded_bytes: 0,
            names,
            new_names: Vec::new(),
            text_names: HashMap::default(),
            hits: Vec::new(),
            found: HashMap::default(),
        }
    }

    /// The key of a name, with its rules.
    pub fn key(&mut self, name: &str) -> Key<'r> {
        match self.names.get(name) {
            Some(known) => Key::Known(known),
            None => Key::New(self.new_name(name)),
        }
    }

    /// The key of what may be a name in running text; remembered for this pass only, since most are none.
    pub fn key_in_text(&mut self, name: &str) -> Key<'r> {
        if let Some(known) = self.names.get(name) {
            return Key::Known(known);
        }
        if let Some(key) = self.text_names.get(name) {
            return key.clone();
        }
        // What was a name may be a stand-in by now: then it says nothing, and a second redaction finds what the first did.
        if pseudonym::is_word_stand_in(name) {
            return Key::default();
        }
        let is_kept = memo::is_kept(name, kinds_of(name.as_bytes()));
        if let Some(kept) = is_kept.then(|| self.memo.name(name)).flatten() {
            return Key::New(kept);
        }
        let words = Words::of(name);
        let said = self.redactor.registry.say(&words);
        let told = Arc::new(Name::new(words, said, false));
        if is_kept {
            self.memo.learn_name(name, &told);
        }
        let key = Key::New(told);
        if self.text_names.len() < TEXT_NAMES_MAX {
            self.text_names.insert(name.into(), key.clone());
        }
        key
    }

    /// What an object says it is, if some rule looks below such a name.
    pub fn class(&mut self, name: &str) -> Option<Key<'r>> {
        if let Some(known) = self.names.get(name) {
            return (!known.said().below.is_empty()).then(|| Key::Class(known.clone(), true));
        }
        if self.key_in_text(name).said().below.is_empty() {
            return None;
        }
        // As good as a name of the API's: remembered like them.
        Some(Key::Class(self.new_name(name), false))
    }

    fn new_name(&mut self, text: &str) -> Arc<Name> {
        if let Some((_, name)) = self.new_names.iter().find(|(known, _)| **known == *text) {
            return name.clone();
        }
        // What stands in for somebody whom a member was called by says nothing of its value.
        let words = if pseudonym::is_word_stand_in(text) { Words::default() } else { Words::of(dicom::meaning(text)) };
        let said = self.redactor.registry.say(&words);
        // A pass of its own: that a name was looked at is no hit.
        let clean = matches!(Pass::new(self.redactor, self.names).value(text, Place::BARE), Ok(None));
        let name = Arc::new(Name::new(words, said, clean));
        if Names::is_worth(text, &name) && self.new_names.len() < NEW_NAMES_MAX {
            self.new_names.push((text.into(), name.clone()));
        }
        name
    }

    /// A field's name as a text of its own: `Some` if it must change.
    pub fn name(&mut self, name: &str, key: &Key<'_>, depth: u8) -> Result<Option<String>, DropReason> {
        // What an earlier pass found is asked anew, but a field that rules list is no mention of a person called like it.
        let is_mention = || self.known.is_some_and(|known| known.may_change(name, kinds_of(name.as_bytes())));
        if key.is_clean() && (key.is_listed() || !is_mention()) {
            return Ok(None);
        }
        let strict = self.redactor.strict.is_some();
        let place = Place { key: None, parents: &[], depth };
        if strict { text::scan(self, name, kinds_of(name.as_bytes()), place) } else { self.value(name, place) }
    }

    /// Ends the pass: remembers its names, and gives the counts by rule and place.
    pub fn into_hits(self) -> Vec<Hit> {
        self.redactor.names.learn(self.new_names);
        let rules = &self.redactor.rules;
        let hit = |(rule, side, part, count)| Hit { rule: rules[usize::from(rule)].id.clone(), side, part, count };
        let mut hits: Vec<Hit> = self.hits.into_iter().map(hit).collect();
        hits.sort_by(|a, b| (&a.rule, a.side, a.part).cmp(&(&b.rule, b.side, b.part)));
        hits
    }

    /// Whether nothing was found so far.
    pub fn is_clean(&self) -> bool {
        self.hits.is_empty()
    }

    /// The search for what was found; `None` if there is nothing to search for.
    pub fn residue(&self) -> Option<Residue> {
        let needles = self.found.iter().map(|(raw, found)| Needle {
            raw,
            fresh: &found.replaced.fresh,
            kind: found.replaced.kind,
            is_field_name: found.replaced.kind == Kind::Person && self.is_field_name(raw),
        });
        Residue::of(needles, &self.redactor.key)
    }

    /// Whether a word is a name that rules list for fields.
    fn is_field_name(&self, word: &str) -> bool {
        word.bytes().all(|b| b.is_ascii_alphabetic()) && self.redactor.registry.names.say(&Words::of(word)).is_listed()
    }

    /// Keyed digests of the values found that lead to a person, each once, in order.
    pub fn subjects(&self) -> Vec<SubjectDigest> {
        let of_persons = self.found.values().filter(|found| found.replaced.kind.names_a_person());
        let mut subjects: Vec<SubjectDigest> =
            of_persons.filter_map(|found| found.replaced.digest.first_chunk().copied()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects.truncate(SUBJECTS_MAX);
        subjects
    }

    /// Counts a replacement and remembers it for the residue check.
    pub fn note(&mut self, rule: u16, raw: &str, replaced: Replaced) {
        let (side, part) = (self.side, self.part);
        match self.hits.iter_mut().find(|hit| (hit.0, hit.1, hit.2) == (rule, side, part)) {
            Some((.., count)) => *count += 1,
            None => self.hits.push((rule, side, part, 1)),
        }
        if let Some(trace) = &mut self.trace {
            trace.struck(rule, raw, &replaced.fresh);
        }
        if !self.found.contains_key(raw) {
            self.found.insert(raw.into(), Found { rule, replaced });
        }
    }

    /// Counts what was found in the body at hand for the other answer too, which has the same one. `before`: the parts
    /// dropped before it.
    pub fn count_body_again(&mut self, side: Side, before: &PartsDropped) {
        let of_body = self.hits.iter().filter(|hit| (hit.1, hit.2) == (self.side, Part::Body));
        let again: Vec<_> = of_body.map(|&(rule, _, part, count)| (rule, side, part, count)).collect();
        self.hits.extend(again);
        for (now, before) in self.parts_dropped.iter_mut().zip(before) {
            *now += *now - before;
        }
    }

    /// Tells why a candidate was left alone, if somebody listens.
    pub fn doubt(&mut self, rule: u16, raw: &str, doubt: Doubt) {
        if let Some(trace) = &mut self.trace {
            trace.doubted(rule, raw, doubt);
        }
    }

    /// Whether the rule takes part in this pass.
    pub fn allows(&self, rule: u16) -> bool {
        self.only.is_none_or(|only| only == rule)
    }

    /// A text value: `Some` if it must change.
    pub fn value(&mut self, raw: &str, place: Place<'_>) -> Result<Option<String>, DropReason> {
        self.value_of(raw, kinds_of(raw.as_bytes()), place)
    }

    /// A text without a name, by the rules alone: strict mode does not ask it. `Some` if it must change.
    pub fn scan_bare(&mut self, raw: &str) -> Result<Option<String>, DropReason> {
        text::scan(self, raw, kinds_of(raw.as_bytes()), Place::BARE)
    }

    /// A text of a document that every pass walks in the same order: `Some` if it must change. `spot`: its place, if that
    /// is remembered.
    pub fn leaf(
        &mut self,
        raw: &str,
        kinds: Kinds,
        place: Place<'_>,
        spot: Option<Spot>,
    ) -> Result<Option<String>, DropReason> {
        if self.leaves.inside {
            return self.value_at(raw, kinds, place, None);
        }
        let at = self.leaves.seen;
        self.leaves.seen += 1;
        match (self.known, self.before) {
            (Some(known), Some(before)) => {
                let left_alone = before.left_alone.get(at).copied().unwrap_or_default();
                if left_alone && !known.may_change(raw, kinds) {
                    return Ok(None);
                }
            }
            _ => self.leaves.left_alone.push(false),
        }
        let is_plain = self.known.is_none() && self.redactor.strict.is_none() && self.beside.is_empty();
        let kept_at = spot.filter(|_| is_plain && memo::is_kept(raw, kinds));
        if kept_at.is_some_and(|spot| self.memo.leaves(spot, raw)) {
            if let Some(left_alone) = self.leaves.left_alone.get_mut(at) {
                *left_alone = true;
            }
            return Ok(None);
        }
        self.leaves.inside = true;
        let decoded = self.decoded.len();
        let fresh = self.value_at(raw, kinds, place, spot);
        self.leaves.inside = false;
        if let Some(spot) = kept_at.filter(|_| matches!(fresh, Ok(None)) && self.decoded.len() == decoded) {
            self.memo.learn_left(spot, raw);
        }
        if fresh.is_err() {
            // The walk ends here, and need not end here in the other pass.
            self.before = None;
        }
        if let Some(left_alone) = self.leaves.left_alone.get_mut(at) {
            *left_alone = matches!(fresh, Ok(None));
        }
        fresh
    }

    /// A text value whose kinds of bytes are known: `Some` if it must change.
    pub fn value_of(&mut self, raw: &str, kinds: Kinds, place: Place<'_>) -> Result<Option<String>, DropReason> {
        self.value_at(raw, kinds, place, None)
    }

    fn value_at(
        &mut self,
        raw: &str,
        kinds: Kinds,
        place: Place<'_>,
        spot: Option<Spot>,
    ) -> Result<Option<String>, DropReason> {
        if raw.is_empty() {
            return Ok(None);
        }
        // `"postcode": " 38654\n"`: what somebody left around a value is no part of it.
        let core = raw.trim();
        if !core.is_empty()
            && let Some(key) = place.key
            && let Some(rule) = self.rule_at(core, key, place.parents, spot)
            && !self.is_read_as_link(core, rule)
        {
            if is_cookies(key, core) {
                let fresh = self.cookies(Some(rule), raw, key.joined().starts_with("set"))?;
                return Ok((fresh != raw).then_some(fresh));
            }
            let tells_of_it = self.tells_of(key, core, rule);
            let fresh = if tells_of_it { violation::about(self, core, key, place.parents) } else { None };
            // What is left must still be a sentence about the field, also for who redacts it again.
            if !tells_of_it || fresh.as_ref().is_some_and(|fresh| !self.tells_of(key, fresh, rule)) {
                let padded = |fresh: String| if core.len() < raw.len() { raw.replacen(core, &fresh, 1) } else { fresh };
                return Ok(self.apply(rule, core).map(padded));
            }
            if let Some(fresh) = fresh {
                return self.rest_of(raw.replacen(core, &fresh, 1), place).map(Some);
            }
        } else if self.redactor.strict.is_none()
            && let Some(key) = place.key.filter(|key| !key.said().values.is_empty() && captions::is_verdict(core))
            && let Some(fresh) = violation::about(self, raw, key, place.parents)
        {
            return self.rest_of(fresh, place).map(Some);
        }
        if nested::may_hold(raw, kinds)
            && let Some(fresh) = nested::document(self, raw, kinds, place)?
        {
            self.keep_decoded(fresh.as_deref().unwrap_or_default());
            return Ok(fresh);
        }
        if let Some(strict) = &self.redactor.strict
            && !strict.keeps(place.parents, place.key)
        {
            let masked = pseudonym::is_word_stand_in(raw);
            return Ok((!masked).then(|| pseudonym::MASK.to_owned()));
        }
        if self.known.is_none() && shape::is_harmless(raw, kinds) {
            return Ok(None);
        }
        let fresh = text::scan(self, raw, kinds, place)?;
        match &fresh {
            Some(fresh) => self.keep_decoded(fresh),
            None => residue::decode_runs(raw, kinds, &mut self.decoded),
        }
        Ok(fresh)
    }

    /// Whether what a rule claims as a secret is a link that holds one, which is looked for in it: `postgres://app:x@db/prod`.
    fn is_read_as_link(&self, core: &str, rule: u16) -> bool {
        self.redactor.strict.is_none()
            && self.redactor.rules[usize::from(rule)].kind == Kind::Token
            && claims::is_link_with_password(core)
    }

    /// The rest of a sentence about a field, in which the value was replaced: looked at as a text without a name.
    fn rest_of(&mut self, text: String, place: Place<'_>) -> Result<String, DropReason> {
        let rest = self.value_at(&text, kinds_of(text.as_bytes()), Place { key: None, ..place }, None)?;
        Ok(rest.unwrap_or(text))
    }

    /// Whether what a rule claims under a field's name only says what is wrong with the field. A secret may be a sentence that
    /// somebody chose, and an address one that tells the way: it must name its field.
    pub fn tells_of(&self, key: &Key<'_>, text: &str, rule: u16) -> bool {
        let kind = self.redactor.rules[usize::from(rule)].kind;
        let names_field = || {
            let last = key.joined();
            let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            let is_subject = |(word, rest): (&str, &str)| {
                word.bytes().any(|b| b.is_ascii_digit())
                    && ["is ", "has ", "ist ", "est ", "existe "].iter().any(|verb| rest.starts_with(verb))
            };
            bare.contains(last)
                // What was replaced in it once.
                || claims::holds_stand_in(text)
                || text.contains(['\'', '"', '“', '„', '‘', '«'])
                // `ada75 is already in use.`
                || text.split_once(' ').is_some_and(is_subject)
        };
        self.redactor.strict.is_none()
            && captions::is_verdict(text)
            && (kind.has_no_sentence() || matches!(kind, Kind::Person | Kind::Address) && names_field())
    }

    /// How many bytes may still come out of what is compressed inside the body at hand: all of it together is no larger than
    /// a body may be.
    pub fn expandable_bytes(&self) -> usize {
        self.redactor.settings.expanded_bytes_max.saturating_sub(self.expanded_bytes)
    }

    /// Keeps a text that stands in the document in a coding which the residue check does not undo.
    pub fn keep_text(&mut self, text: &str) {
        self.decoded.extend_from_slice(text.as_bytes());
        self.decoded.push(b' ');
    }

    /// What is kept of a text that changed; what was replaced in it is not.
    fn keep_decoded(&mut self, fresh: &str) {
        residue::decode_runs(fresh, kinds_of(fresh.as_bytes()), &mut self.decoded);
    }

    /// A number of a document, as written: `Some` if it must change, and then a number again.
    pub fn number(&mut self, raw: &str, place: Place<'_>, spot: Option<Spot>) -> Option<String> {
        let rule = place.key.and_then(|key| self.rule_at(raw, key, place.parents, spot)).or_else(|| {
            let plain = raw.len() >= 9 && raw.bytes().all(|b| b.is_ascii_digit());
            if plain { find::number_rule(self, raw, DIGIT, place) } else { None }
        });
        let Some(rule) = rule else {
            let strict = self.redactor.strict.as_ref().filter(|strict| !strict.keeps(place.parents, place.key));
            strict?;
            let nines: String = raw.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
            return (nines != raw).then_some(nines);
        };
        let Rule { action, kind, .. } = self.redactor.rules[usize::from(rule)];
        let replaced = pseudonym::replace_number(action, kind, raw, &self.redactor.key)?;
        let fresh = replaced.fresh.clone();
        self.note(rule, raw, replaced);
        Some(fresh)
    }

    /// What a rule makes of a whole value.
    pub fn apply(&mut self, rule: u16, raw: &str) -> Option<String> {
        let replaced = self.stand_in(rule, raw)?;
        let fresh = replaced.fresh.clone();
        self.note(rule, raw, replaced);
        Some(fresh)
    }

    /// What stands in for a value that a rule found; `None` if it is a stand-in already.
    pub fn stand_in(&mut self, rule: u16, raw: &str) -> Option<Replaced> {
        // The same value again: no digest need be made.
        let known = self.found.get(raw).filter(|found| found.rule == rule).map(|found| found.replaced.clone());
        if known.is_some() {
            return known;
        }
        let Rule { action, kind, .. } = self.redactor.rules[usize::from(rule)];
        if nested::encodes_stand_in(raw, kind) {
            return None;
        }
        match (action, kind) {
            (Action::Pseudonym, Kind::Jwt) => jwt::replace(self, raw),
            _ => pseudonym::replace(action, kind, raw, &self.redactor.key),
        }
    }

    /// The member of a pair that the other one's value names, and that name, if rules with a shape list it.
    pub fn named_in_pair<'t>(&mut self, pair: [(&'t str, &'t str); 2]) -> Option<(&'t str, Key<'r>)> {
        let is_name = |name: &str| siblings::may_be_name(name) && !pseudonym::is_word_stand_in(name);
        let mut namings = siblings::namings(pair).filter(|(name, _)| is_name(name));
        let namings = [namings.next(), namings.next()];
        let mut each = namings.iter().flatten();
        let named = each.find_map(|(name, member)| Some((*member, self.key_with_rule(member, name)?)));
        // A name by which rules leave numbers alone is as good as one that they list.
        named.or_else(|| {
            let harmless = |(name, member): &(&str, &'t str)| {
                let key = (!self.key_in_text(member).is_listed()).then(|| self.key_in_text(name))?;
                (!key.said().vetoes.is_empty()).then_some((*member, key))
            };
            namings.iter().flatten().find_map(harmless)
        })
    }

    /// The key of the name that a pair gives its other member, if a rule claims values under it.
    fn key_with_rule(&mut self, member: &str, name: &str) -> Option<Key<'r>> {
        let own = self.key_in_text(member);
        let rules = &self.redactor.rules;
        let alone = |rule: &u16| !rules[usize::from(*rule)].has_parents;
        // Most pairs end here: what their values would say as names need not be known.
        // A number is one of what is named: `{"type": "PASSPORT", "number": ".."}`.
        let is_number = matches!(own.joined(), "number" | "num" | "nr" | "no");
        if !own.is_named() && !is_number && (own.said().values.iter().any(alone) || !own.said().keywords.is_empty()) {
            return None;
        }
        let key = self.key_in_text(name);
        let mut listed = key.said().values.iter().map(|rule| &rules[usize::from(*rule)]);
        let has_rule = if own.is_named() {
            // A member that is called a value may be a secret, which has no shape.
            listed.next().is_some()
        } else if is_number || own.is_listed() || name.contains(' ') {
            // `{"scheme": "passport", "id": ".."}`: an identifier is somebody's if what is named has numbers.
            listed.any(|rule| rule.kind.is_of_paper() && (is_number || rule.shape.is_some()))
        } else {
            // Another member may be about the field.
            listed.any(|rule| rule.shape.is_some() || rule.check.is_some())
        };
        has_rule.then_some(key)
    }
}

/// Whether a value is a list of cookies under their header's name.
fn is_cookies(key: &Key<'_>, value: &str) -> bool {
    let name = key.joined();
    (name.ends_with("cookie") || name.ends_with("cookies"))
        && value.contains('=')
        && !value.starts_with(['{', '[', '"'])
}
