//! Two JSON documents side by side: where they differ, and how.

use crate::compare::shape::{self, kind};
use crate::compare::tape::{Tape, Token};
use crate::compare::{DIFFERENCES_MAX, Difference, What};
use std::collections::HashMap;

/// How deep two documents are walked; below it equal or not is all that is said.
const DEPTH_MAX: usize = 64;
/// The longest path kept, bytes.
pub(in crate::compare) const PATH_BYTES_MAX: usize = 512;

/// Adds every place where the documents differ, up to [`DIFFERENCES_MAX`] in all.
pub(in crate::compare) fn values(old: &Tape<'_>, new: &Tape<'_>, found: &mut Vec<Difference>) {
    Walk { old, new, path: Vec::new(), found, places: Vec::new(), most: DIFFERENCES_MAX }.values(0, 0);
}

#[derive(Clone, Copy)]
enum Step<'t> {
    Member(&'t str),
    Item,
}

/// Where the walk stands. Paths are only written out where something differs.
struct Walk<'t, 'a> {
    old: &'t Tape<'a>,
    new: &'t Tape<'a>,
    /// Each step with the hash of all up to it.
    path: Vec<(Step<'t>, u64)>,
    found: &'t mut Vec<Difference>,
    /// Path and kind of what was found, as hashes.
    places: Vec<u64>,
    most: usize,
}

impl<'t> Walk<'t, '_> {
    fn values(&mut self, old_at: usize, new_at: usize) {
        if self.found.len() >= self.most {
            return;
        }
        let (old, new) = (self.old.token(old_at), self.new.token(new_at));
        match (old, new) {
            (Token::Object(_) | Token::Array(_), _) if self.path.len() == DEPTH_MAX && self.equal(old_at, new_at) => {}
            (Token::Object(_) | Token::Array(_), _) if self.path.len() == DEPTH_MAX => self.add(What::Value),
            (Token::Object(_), Token::Object(_)) => self.objects(old_at, new_at),
            (Token::Array(_), Token::Array(_)) => self.arrays(old_at, new_at),
            _ if kind(old) != kind(new) => self.add(What::Type),
            _ if !same_scalar(old, new) => self.add(What::Value),
            _ => {}
        }
    }

    fn objects(&mut self, old_at: usize, new_at: usize) {
        // Two answers of one kind mostly have the same keys in the same order: then nothing is looked for.
        let mut beside = self.new.members(new_at);
        let mut index: Option<HashMap<&'t str, usize>> = None;
        for key in self.old.members(old_at) {
            let Some(name) = name(self.old, key) else { continue };
            let other = match &index {
                Some(index) => index.get(name).copied(),
                None => match beside.next().filter(|at| self::name(self.new, *at) == Some(name)) {
                    Some(at) => Some(at),
                    None => index.insert(keys(self.new, new_at)).get(name).copied(),
                },
            };
            self.step(Step::Member(name));
            match other {
                Some(other) => self.values(key + 1, other + 1),
                None => self.add(What::Missing),
            }
            self.path.pop();
        }
        if index.is_none() && beside.next().is_none() {
            return;
        }
        let known = keys(self.old, old_at);
        for key in self.new.members(new_at) {
            let added = name(self.new, key).filter(|name| !known.contains_key(name));
            if let Some(name) = added {
                self.step(Step::Member(name));
                self.add(What::Added);
                self.path.pop();
            }
        }
    }

    fn arrays(&mut self, old_at: usize, new_at: usize) {
        let (old, new) = (self.old.members(old_at), self.new.members(new_at));
        if old.clone().count() != new.clone().count() {
            self.add(What::Length);
        }
        self.step(Step::Item);
        for (old, new) in old.zip(new) {
            self.values(old, new);
        }
        self.path.pop();
    }

    /// Whether the values are equal all the way down.
    fn equal(&self, old_at: usize, new_at: usize) -> bool {
        let mut found = Vec::new();
        // A path of its own, so that the depth counts anew; the reader's own limit on nesting bounds it.
        Walk { old: self.old, new: self.new, path: Vec::new(), found: &mut found, places: Vec::new(), most: 1 }
            .values(old_at, new_at);
        found.is_empty()
    }

    fn step(&mut self, step: Step<'t>) {
        let path = self.path.last().map_or(shape::BASIS, |(_, hash)| *hash);
        let hash = match step {
            Step::Member(name) => shape::member(path, name.as_bytes()),
            Step::Item => shape::fold(path, shape::ITEM),
        };
        self.path.push((step, hash));
    }

    fn add(&mut self, what: What) {
        let path = self.path.last().map_or(shape::BASIS, |(_, hash)| *hash);
        let place = shape::fold(path, u64::from(what.code()));
        // Array positions share a path, so one habit of a provider is one difference, not a thousand.
        if self.found.len() < self.most && !self.places.contains(&place) {
            self.places.push(place);
            self.found.push(Difference { path: self.written(), what });
        }
    }

    fn written(&self) -> String {
        let mut text = "$".to_owned();
        for (step, _) in &self.path {
            match step {
                Step::Item => text.push_str("[]"),
                Step::Member(key) => {
                    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
                    if plain {
                        text.push('.');
                        text.push_str(key);
                    } else {
                        text.push_str(&format!("[{key:?}]"));
                    }
                }
            }
        }
        text.truncate(text.floor_char_boundary(PATH_BYTES_MAX));
        text
    }
}

fn name<'t>(tape: &'t Tape<'_>, at: usize) -> Option<&'t str> {
    match tape.token(at) {
        Token::Key(name) => Some(name),
        _ => None,
    }
}

/// The keys of the object at `at`; of several of one name the last, as most readers take it.
fn keys<'t>(tape: &'t Tape<'_>, at: usize) -> HashMap<&'t str, usize> {
    tape.members(at).filter_map(|key| Some((name(tape, key)?, key))).collect()
}

/// `1` and `1.0` are one number in JSON.
fn same_scalar(old: &Token<'_>, new: &Token<'_>) -> bool {
    match (number(old), number(new)) {
        (Some(old), Some(new)) => match (old, new) {
            // Both whole: compared whole, a double would merge neighbours past 2^53.
            (Number::Whole(old), Number::Whole(new)) => old == new,
            (old, new) => old.rounded() == new.rounded(),
        },
        _ => old == new,
    }
}

enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    fn rounded(&self) -> f64 {
        match self {
            Self::Whole(value) => *value as f64,
            Self::Float(value) => *value,
        }
    }
}

fn number(token: &Token<'_>) -> Option<Number> {
    match token {
        Token::Unsigned(value) => Some(Number::Whole(i128::from(*value))),
        Token::Signed(value) => Some(Number::Whole(i128::from(*value))),
        Token::Float(value) => Some(Number::Float(*value)),
        _ => None,
    }
}
