//! Forms and queries: `name=value` pairs, decoded one by one and encoded again only where they changed.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::Patch;
use crate::redact::format::{graphql, percent};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

pub(in crate::redact) use crate::redact::format::percent::decode;
pub(in crate::redact) use crate::redact::format::url::{reference as url, target};

/// Names that are looked at as what stands beside a value, at most, and their length in bytes: keeps the search linear.
const NAMES_MAX: usize = 32;
const NAME_BYTES_MAX: usize = 64;

/// A form's body.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let body = text.trim_end_matches(['\r', '\n']);
    Ok(pairs(pass, body, place)? + &text[body.len()..])
}

/// Pairs between `&`, or between `;` where every piece is a pair.
pub(in crate::redact) fn pairs(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut patch = Patch::new(text);
    let mut at = 0;
    for piece in text.split('&') {
        let by_semicolon = piece.contains(';') && piece.split(';').all(|part| part.contains('='));
        let mut start = at;
        for part in piece.split(if by_semicolon { ';' } else { '&' }) {
            pair(pass, &mut patch, start..start + part.len(), place)?;
            start += part.len() + 1;
        }
        at += piece.len() + 1;
    }
    Ok(patch.done())
}

fn pair(pass: &mut Pass<'_>, patch: &mut Patch<'_>, range: Range<usize>, place: Place<'_>) -> Result<(), DropReason> {
    let text = patch.original(range.clone());
    let Some((name, value)) = text.split_once('=') else {
        let bare = Place { key: None, ..place };
        let fresh = percent::rewrite(text, true, &mut |plain| pass.value(plain, bare))?;
        fresh.into_iter().for_each(|fresh| patch.put(range.clone(), fresh));
        return Ok(());
    };
    let middle = range.start + name.len();
    let fresh = percent::rewrite(name, true, &mut |plain| {
        let key = pass.key(plain);
        pass.name(plain, &key, place.depth)
    })?;
    fresh.into_iter().for_each(|fresh| patch.put(range.start..middle, fresh));
    let mut parents = place.parents.to_vec();
    parents.extend(place.key.cloned());
    let own = path(pass, &percent::undo(name, true).text);
    let is_simple = own.len() < 2;
    parents.extend(own);
    let key = parents.pop();
    let inner = Place { key: key.as_ref(), parents: &parents, depth: place.depth };
    if key.as_ref().is_some_and(|key| pass.looks_beside(key, value.as_bytes())) {
        pass.beside = names(pass, patch.whole());
    }
    let fresh = percent::rewrite(value, true, &mut |plain| parameter(pass, plain, inner, is_simple));
    pass.beside.clear();
    let fresh = fresh?;
    fresh.into_iter().for_each(|fresh| patch.put(middle + 1..range.end, fresh));
    Ok(())
}

/// The names of the first pairs, by their last parts.
fn names<'r>(pass: &mut Pass<'r>, text: &str) -> Vec<Key<'r>> {
    let names = text.split('&').take(NAMES_MAX).filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    let last = |name: &str| name.trim_end_matches(']').rsplit(['[', '.']).next().map(|part| pass.key_in_text(part));
    names.filter(|name| name.len() <= NAME_BYTES_MAX).filter_map(last).collect()
}

/// The parts of a composed name, outermost first: `card[number]`, `user.name`, `items[0][email]`. Numbers are no names, and
/// a caption of several words (`Vorname (natürl. Person)`) is one.
pub(in crate::redact) fn path<'r>(pass: &mut Pass<'r>, name: &str) -> Vec<Key<'r>> {
    let is_joint = |c: char| matches!(c, '[' | ']' | '.') && !name.contains(' ');
    let words = || name.split(is_joint).filter(|part| !part.is_empty());
    let is_name = |part: &&str| !part.bytes().all(|b| b.is_ascii_digit());
    let mut path: Vec<Key<'r>> = words().filter(is_name).map(|part| pass.key(part)).collect();
    if path.is_empty() {
        path.extend(words().next_back().map(|part| pass.key(part)));
    }
    // `security.code`, where no rule asks for a `code` below `security`: the name is the whole.
    if let Some((last, parents)) = path.split_last()
        && !parents.is_empty()
        && pass.redactor.strict.is_none()
        && !pass.is_claimed_below(last, parents)
    {
        let whole = pass.key(name);
        if whole.said().values.iter().any(|rule| !last.said().values.contains(rule)) {
            path.pop();
            path.push(whole);
        }
    }
    path
}

/// A cookie's value, which applications percent-encode like a form's.
pub(in crate::redact) fn cookie(pass: &mut Pass<'_>, raw: &str, key: &Key<'_>) -> Result<Option<String>, DropReason> {
    let place = Place { key: Some(key), parents: &[], depth: 0 };
    percent::rewrite(raw, false, &mut |plain| pass.value(plain, place))
}

/// A parameter's value. `is_simple`: its name is one word and not composed, `order[code]`; what rules list for parameters
/// (`code`, `key`, `q`) says too little below another.
fn parameter(
    pass: &mut Pass<'_>,
    plain: &str,
    place: Place<'_>,
    is_simple: bool,
) -> Result<Option<String>, DropReason> {
    let Some(key) = place.key else { return pass.value(plain, place) };
    if let Some(fresh) = graphql::within(pass, plain, place)? {
        return Ok(fresh);
    }
    match pass.parameter_rule(plain, key, place.parents).filter(|_| is_simple) {
        Some(rule) => Ok(pass.apply(rule, plain)),
        None => pass.value(plain, place),
    }
}

impl Pass<'_> {
    /// Redacts one parameter's decoded value.
    pub fn parameter(&mut self, key: &Key<'_>, raw: &str, depth: u8) -> Result<Option<String>, DropReason> {
        parameter(self, raw, Place { key: Some(key), parents: &[], depth }, true)
    }
}
