//! What patterns find in a text: candidates, each believed or not for a reason, and the ones that stand when they
//! overlap.

use crate::redact::engine::Redactor;
use crate::redact::evidence::labels;
use crate::redact::evidence::names::{Key, NameIndex};
use crate::redact::evidence::path;
use crate::redact::evidence::shape::{
    is_in_digest, is_in_fingerprint, is_in_stand_in, is_island_of_stand_in, is_network, is_of_machine,
    is_shape_of_other,
};
use crate::redact::evidence::town::with_town;
use crate::redact::matching::gate::Kinds;
use crate::redact::matching::memo;
use crate::redact::pass::{Pass, Place};
use crate::redact::rule::rules::{Pattern, Rule};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::{Replaced, is_any_number_stand_in};
use crate::redact::stand_in::residue::Residue;
use crate::redact::validators::Validator;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

/// Something a pattern found: its place, and what replaces it (`None`: it stands, and shields what is inside).
struct Find {
    range: Range<usize>,
    rule: u16,
    replaced: Option<Replaced>,
}

/// Why a candidate was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The rule's `exclude_keys` lists the name it stands under.
    ExcludedName,
    /// None of the rule's keywords is near.
    NoKeyword,
    /// The rule's validator refuses it.
    Validator,
    /// The rule's `exclude` matches it, or a word of its `not_after` stands before it.
    Excluded,
    /// It is part of a UUID, a digest, a timestamp, a decimal or a version.
    OtherShape,
    /// It is a stand-in already.
    StandIn,
    /// Another rule claims the same characters, or more.
    Overlapped,
    /// The place is not one that the rule's `paths` or `parents` list.
    Place,
    /// The value has not the rule's `shape`.
    Shape,
}

/// Replaces what patterns, or an earlier pass, find in a text; `Some` if it changed.
pub(in crate::redact) fn replace_all(
    pass: &mut Pass<'_>,
    text: &str,
    kinds: Kinds,
    place: Place<'_>,
) -> Option<String> {
    let mut finds = Vec::new();
    let mut rules = std::mem::take(&mut pass.rules_at_hand);
    // A pass for one rule, or for somebody who wants to know every decision, asks each time.
    let remembers = pass.only.is_none() && pass.trace.is_none() && memo::is_kept(text, kinds);
    let is_known = remembers && pass.memo.knows(text);
    match is_known {
        true => pass.redactor.matcher.rules_by_name(text.as_bytes(), kinds, named(place), &mut rules),
        false => candidates(pass, text, kinds, place, &mut rules),
    }
    let mut open = false;
    for &rule in &rules {
        // What is remembered of a text holds wherever it stands, so its place says nothing then.
        if remembers || may_stand(pass, rule, place) {
            open |= of_rule(pass, rule, text, place, &mut finds);
        }
    }
    pass.rules_at_hand = rules;
    if remembers && !is_known && !open {
        pass.memo.learn(text);
    }
    let Some(known) = pass.known else {
        if finds.is_empty() {
            return None;
        }
        let standing = standing(pass, text, finds);
        return splice(text, standing.into_iter().filter_map(|(range, fresh)| Some((range, fresh?))).collect());
    };
    // A mention of a value goes before what rules make of a part of it.
    let mentions = known.finds(text);
    finds.retain(|find| {
        let first = mentions.partition_point(|(mention, _)| mention.end < find.range.end);
        mentions.get(first).is_none_or(|(of, _)| of.start > find.range.start || *of == find.range)
    });
    let standing = standing(pass, text, finds);
    splice(text, with_mentions(known, text, standing))
}

/// The rules whose patterns may match in a text; whoever traces decisions hears of every rule that needs a keyword.
fn candidates(pass: &Pass<'_>, text: &str, kinds: Kinds, place: Place<'_>, rules: &mut Vec<u16>) {
    let Redactor { matcher, rules: all, .. } = pass.redactor;
    let traced = if pass.trace.is_some() { 0..all.len() as u16 } else { 0..0 };
    matcher.rules(text.as_bytes(), kinds, named(place).chain(traced), rules);
}

/// The rules of which a keyword stands in the names above a text.
fn named(place: Place<'_>) -> impl Iterator<Item = u16> {
    place.parents.iter().chain(place.key).flat_map(|name| name.said().keywords.iter().copied())
}

/// The finds that stand, in order: rules of higher precedence first among those of one place, the earlier and longer
/// first. `None` for one that stands as it is.
fn standing(pass: &mut Pass<'_>, text: &str, mut finds: Vec<Find>) -> Vec<(Range<usize>, Option<String>)> {
    finds.sort_by_key(|find| (find.range.start, Reverse(find.range.end), find.rule));
    let mut taken = Taken::default();
    let mut standing = Vec::new();
    for find in finds {
        if !taken.take(&find.range) {
            pass.doubt(find.rule, &text[find.range], Doubt::Overlapped);
            continue;
        }
        standing.push((find.range.clone(), find.replaced.as_ref().map(|replaced| replaced.fresh.clone())));
        if let Some(replaced) = find.replaced {
            pass.note(find.rule, &text[find.range], replaced);
        }
    }
    standing.sort_by_key(|(range, _)| range.start);
    standing
}

/// What replaces finds, and what an earlier pass found wherever there is no find.
fn with_mentions(
    known: &Residue,
    text: &str,
    standing: Vec<(Range<usize>, Option<String>)>,
) -> Vec<(Range<usize>, String)> {
    let mut spans = Vec::with_capacity(standing.len());
    let mentions = |range: Range<usize>| {
        let found = known.finds(&text[range.clone()]).into_iter();
        found.map(move |(at, fresh)| (range.start + at.start..range.start + at.end, fresh))
    };
    let mut start = 0;
    for (range, fresh) in standing {
        spans.extend(mentions(start..range.start));
        start = range.end;
        spans.extend(fresh.map(|fresh| (range, fresh)));
    }
    spans.extend(mentions(start..text.len()));
    spans
}

/// Ranges that do not overlap.
#[derive(Default)]
struct Taken(BTreeMap<usize, usize>);

impl Taken {
    fn take(&mut self, range: &Range<usize>) -> bool {
        let before = self.0.range(..range.end).next_back();
        if range.is_empty() || before.is_some_and(|(_, end)| *end > range.start) {
            return false;
        }
        self.0.insert(range.start, range.end);
        true
    }
}

/// Whether a rule may find something at a place at all; whoever traces decisions hears of every candidate instead.
fn may_stand(pass: &Pass<'_>, rule: u16, place: Place<'_>) -> bool {
    pass.trace.is_some() || doubt_of_place(&pass.redactor.rules[usize::from(rule)], rule, place).is_none()
}

/// Why a rule finds nothing at a place, whatever stands there.
fn doubt_of_place(rule: &Rule, at: u16, place: Place<'_>) -> Option<Doubt> {
    let is_vetoed = |key: &Key<'_>| key.said().vetoes.contains(&at);
    // `{"movie_title": {"value": ".."}}`: the name is the one above.
    let is_below = place.key.is_some_and(|key| key.is_named());
    let above = || place.parents.iter().rfind(|parent| !parent.is_class());
    if place.key.is_some_and(is_vetoed) || is_below && above().is_some_and(is_vetoed) {
        return Some(Doubt::ExcludedName);
    }
    let elsewhere = !rule.paths.is_empty() && !rule.paths.iter().any(|path| path.is_at(place.parents, place.key))
        || path::is_not_below(place.parents, at);
    elsewhere.then_some(Doubt::Place)
}

/// Adds what a rule finds in a text. Whether it may find something in the same text at another place: its pattern
/// matches, and it is not the text alone that speaks against the candidates.
fn of_rule(pass: &mut Pass<'_>, at: u16, text: &str, place: Place<'_>, finds: &mut Vec<Find>) -> bool {
    let redactor = pass.redactor;
    let rule = &redactor.rules[usize::from(at)];
    let Some(pattern) = rule.pattern.as_ref().filter(|_| pass.allows(at)) else { return false };
    let (mut from, mut open) = (0, false);
    while let Some((whole, range)) = candidate(pattern, text, from) {
        let judged = judge(rule, at, pattern, text, range.clone(), place, &redactor.registry.names);
        open |= !matches!(judged, Err(Doubt::Validator | Doubt::Excluded));
        match judged {
            Ok(range) => {
                let range = if rule.kind == Kind::Address { with_town(text, range) } else { range };
                from = range.end.max(whole.start + 1);
                for line in lines(rule.kind, text, range) {
                    let replaced = pass.stand_in(at, &text[line.clone()]);
                    finds.push(Find { range: line, rule: at, replaced });
                }
            }
            Err(Doubt::StandIn) => {
                // It shields what is inside: other rules would take its groups for numbers of their own.
                let part = rule.validator.and_then(|validator| validator.check(&text[range.clone()]));
                let range = part.map_or(range.clone(), |part| range.start + part.start..range.start + part.end);
                pass.doubt(at, &text[range.clone()], Doubt::StandIn);
                from = range.end.max(whole.start + 1);
                finds.push(Find { range, rule: at, replaced: None });
            }
            Err(doubt) => {
                pass.doubt(at, &text[range], doubt);
                // The next candidate may start inside this one; candidates are bounded, so this stays linear.
                from = whole.start + 1;
            }
        }
        from = text.ceil_char_boundary(from);
    }
    open
}

/// The lines of an address, each replaced by itself: a text keeps its lines. Anything else is one value.
fn lines(kind: Kind, text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    text[range].split(move |c| c == '\n' && kind == Kind::Address).filter_map(move |line| {
        let at = start + (line.len() - line.trim_start().len());
        start += line.len() + 1;
        let len = line.trim().len();
        (len > 0).then_some(at..at + len)
    })
}

/// The next match of a pattern, and the part of it that would be replaced.
fn candidate(pattern: &Pattern, text: &str, from: usize) -> Option<(Range<usize>, Range<usize>)> {
    let bytes = text.as_bytes();
    let whole = pattern.regex.find_at(bytes, from)?.range();
    let group =
        || pattern.regex.captures_at(bytes, whole.start).and_then(|groups| groups.name("value").map(|m| m.range()));
    let range = if pattern.grouped { group().unwrap_or_else(|| whole.clone()) } else { whole.clone() };
    // Classes of bytes may begin or end inside a character of another script.
    Some((whole, text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end)))
}

/// The part of a candidate that the rule claims, or why it claims nothing.
fn judge(
    rule: &Rule,
    at: u16,
    pattern: &Pattern,
    text: &str,
    range: Range<usize>,
    place: Place<'_>,
    names_of_rules: &NameIndex,
) -> Result<Range<usize>, Doubt> {
    if let Some(doubt) = doubt_of_place(rule, at, place) {
        return Err(doubt);
    }
    let names = || place.parents.iter().chain(place.key);
    // What proves itself by a checksum is not explained away by a name in the text.
    let told = || {
        matches!(rule.kind, Kind::Ipv4 | Kind::Phone | Kind::Person)
            && !rule.validator.is_some_and(Validator::believes_words)
            && labels::name_before(text, &range).is_some_and(|name| names_of_rules.say(&name).vetoes.contains(&at))
    };
    if told() {
        return Err(Doubt::ExcludedName);
    }
    let raw = &text[range.clone()];
    let range = match rule.validator {
        Some(validator) => {
            let part = validator.check(raw).ok_or(Doubt::Validator)?;
            range.start + part.start..range.start + part.end
        }
        None => range,
    };
    let raw = &text[range.clone()];
    let excluded = pattern.exclude.as_ref().is_some_and(|exclude| exclude.is_match(raw.as_bytes()));
    if excluded || pattern.not_after.as_ref().is_some_and(|words| words.are_before(text.as_bytes(), &range)) {
        return Err(Doubt::Excluded);
    }
    if rule.validator.is_some_and(Validator::believes_words) && labels::are_before(text, &range) {
        return Err(Doubt::Excluded);
    }
    if rule.kind.is_guarded()
        && (is_shape_of_other(text, &range) || labels::is_instant(text, &range, place.key.map(|key| key.joined())))
    {
        return Err(Doubt::OtherShape);
    }
    if rule.kind == Kind::Email && is_of_machine(text, &range) {
        return Err(Doubt::OtherShape);
    }
    if matches!(rule.kind, Kind::Ipv4 | Kind::Ipv6) && is_network(text, &range) {
        return Err(Doubt::OtherShape);
    }
    let is_in_longer = match rule.kind {
        Kind::Iban => is_in_digest(text, &range),
        Kind::Mac => is_in_fingerprint(text, &range),
        _ => false,
    };
    if is_in_longer {
        return Err(Doubt::OtherShape);
    }
    if is_in_stand_in(text, &range)
        || is_any_number_stand_in(raw)
        || rule.kind == Kind::Person && is_island_of_stand_in(text, &range)
    {
        return Err(Doubt::StandIn);
    }
    if let Some(keywords) = &pattern.keywords {
        let named = names().any(|name: &Key<'_>| name.said().keywords.contains(&at));
        if !named && !keywords.are_near(text.as_bytes(), &range) {
            return Err(Doubt::NoKeyword);
        }
    }
    Ok(range)
}

/// The pattern rule that claims a whole plain number.
pub(in crate::redact) fn number_rule(pass: &mut Pass<'_>, raw: &str, kinds: Kinds, place: Place<'_>) -> Option<u16> {
    let mut rules = std::mem::take(&mut pass.rules_at_hand);
    candidates(pass, raw, kinds, place, &mut rules);
    let claimed = rules.iter().copied().find(|&at| {
        let rule = &pass.redactor.rules[usize::from(at)];
        let Some(pattern) = rule.pattern.as_ref().filter(|_| pass.allows(at)) else { return false };
        if doubt_of_place(rule, at, place).is_some() {
            return false;
        }
        let whole = candidate(pattern, raw, 0).is_some_and(|(_, range)| range == (0..raw.len()));
        let index = &pass.redactor.registry.names;
        whole && judge(rule, at, pattern, raw, 0..raw.len(), place, index).is_ok_and(|range| range.len() == raw.len())
    });
    pass.rules_at_hand = rules;
    claimed
}

/// Puts replacements into a text; `None` if there are none.
pub(in crate::redact) fn splice(text: &str, spans: Vec<(Range<usize>, String)>) -> Option<String> {
    if spans.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (range, fresh) in spans {
        out.push_str(&text[copied..range.start]);
        out.push_str(&fresh);
        copied = range.end;
    }
    out.push_str(&text[copied..]);
    Some(out)
}
