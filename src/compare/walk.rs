//! Two JSON documents side by side: where they differ, and how.

use crate::compare::shape::{self, kind};
use crate::compare::tape::{Tape, Token};
use crate::compare::{DIFFERENCES_MAX, Difference, What};
use std::collections::HashMap;

/// How deep two documents are walked; below it equal or not is all that is said.
const DEPTH_MAX: usize = 64;
/// The longest path kept, bytes.
pub(in crate::compare) const PATH_BYTES_MAX: usize = 512;

/// Room for most paths, bytes.
const USUAL_PATH_BYTES: usize = 48;

/// Adds every place where the documents differ, up to [`DIFFERENCES_MAX`] in all.
pub(in crate::compare) fn values(old: &Tape<'_>, new: &Tape<'_>, found: &mut Vec<Difference>) {
    Walk { old, new, path: Vec::new(), found, places: Vec::new(), most: DIFFERENCES_MAX }.values(0, 0, shape::BASIS);
}

#[derive(Clone, Copy)]
enum Step<'t> {
    Member(&'t [u8]),
    Item,
}

/// Where the walk stands. Paths are only written out where something differs.
struct Walk<'t, 'a> {
    old: &'t Tape<'a>,
    new: &'t Tape<'a>,
    path: Vec<Step<'t>>,
    found: &'t mut Vec<Difference>,
    /// Path and kind of what was found, as hashes.
    places: Vec<u64>,
    most: usize,
}

impl<'t> Walk<'t, '_> {
    /// `path`: the hash of the path to both.
    #[inline]
    fn values(&mut self, old_at: usize, new_at: usize, path: u64) {
        let (old, new) = (self.old.token(old_at), self.new.token(new_at));
        match (old, new) {
            (Token::Object(..) | Token::Array(..), _) => self.nested(old_at, new_at, path),
            _ if kind(old) != kind(new) => self.add(What::Type, path),
            _ if !self.same_scalar(old, new) => self.add(What::Value, path),
            _ => {}
        }
    }

    fn nested(&mut self, old_at: usize, new_at: usize, path: u64) {
        if self.found.len() >= self.most {
            return;
        }
        if self.path.len() == DEPTH_MAX {
            if !self.equal(old_at, new_at) {
                self.add(What::Value, path);
            }
            return;
        }
        match (self.old.token(old_at), self.new.token(new_at)) {
            (Token::Object(..), Token::Object(..)) => self.objects(old_at, new_at, path),
            (Token::Array(..), Token::Array(_, items)) => self.arrays(old_at, new_at, path, items),
            _ => self.add(What::Type, path),
        }
    }

    fn objects(&mut self, old_at: usize, new_at: usize, path: u64) {
        let (old_end, new_end) = (self.old.after(old_at), self.new.after(new_at));
        let (mut old_key, mut new_key) = (old_at + 1, new_at + 1);
        // Two answers of one kind mostly have the same keys in the same order: then nothing is looked for.
        while old_key < old_end && new_key < new_end {
            let (Token::Key(name, _), Token::Key(other, path)) = (self.old.token(old_key), self.new.token(new_key))
            else {
                break;
            };
            let name = self.old.text(name);
            if name != self.new.text(other) {
                break;
            }
            self.path.push(Step::Member(name));
            self.values(old_key + 1, new_key + 1, path);
            self.path.pop();
            (old_key, new_key) = (self.old.after(old_key + 1), self.new.after(new_key + 1));
        }
        if old_key < old_end || new_key < new_end {
            self.reordered(old_at, new_at, old_key, path);
        }
    }

    /// The members from `old_key` on by their names, and what only the new object has.
    fn reordered(&mut self, old_at: usize, new_at: usize, old_key: usize, path: u64) {
        let (old_keys, new_keys) = (keys(self.old, old_at), keys(self.new, new_at));
        for key in self.old.members(old_at).skip_while(|key| *key < old_key) {
            let Some(name) = name(self.old, key) else { continue };
            self.path.push(Step::Member(name));
            match new_keys.get(name).map(|other| (*other, self.new.token(*other))) {
                Some((other, Token::Key(_, path))) => self.values(key + 1, other + 1, path),
                _ => self.add(What::Missing, shape::member(path, name)),
            }
            self.path.pop();
        }
        for key in self.new.members(new_at) {
            if let Token::Key(name, path) = self.new.token(key) {
                let name = self.new.text(name);
                if !old_keys.contains_key(name) {
                    self.path.push(Step::Member(name));
                    self.add(What::Added, path);
                    self.path.pop();
                }
            }
        }
    }

    /// `items`: the hash of the path to the items.
    fn arrays(&mut self, old_at: usize, new_at: usize, path: u64, items: u64) {
        let (old, new) = (self.old.members(old_at), self.new.members(new_at));
        if old.clone().count() != new.clone().count() {
            self.add(What::Length, path);
        }
        self.path.push(Step::Item);
        for (old, new) in old.zip(new) {
            self.values(old, new, items);
        }
        self.path.pop();
    }

    /// Whether the values are equal all the way down.
    fn equal(&self, old_at: usize, new_at: usize) -> bool {
        let mut found = Vec::new();
        // A path of its own, so that the depth counts anew; the reader's own limit on nesting bounds it.
        Walk { old: self.old, new: self.new, path: Vec::new(), found: &mut found, places: Vec::new(), most: 1 }.values(
            old_at,
            new_at,
            shape::BASIS,
        );
        found.is_empty()
    }

    /// Notes a difference where the walk stands; `path` is the hash of that.
    fn add(&mut self, what: What, path: u64) {
        let place = shape::fold(path, u64::from(what.code()));
        // Array positions share a path, so one habit of a provider is one difference, not a thousand.
        if self.found.len() < self.most && !self.places.contains(&place) {
            self.places.push(place);
            self.found.push(Difference { path: self.written(), what });
        }
    }

    fn written(&self) -> String {
        // Grown step by step, most paths would be moved twice.
        let mut text = String::with_capacity(USUAL_PATH_BYTES);
        text.push('$');
        for step in &self.path {
            match step {
                Step::Item => text.push_str("[]"),
                Step::Member(name) => {
                    // A document is UTF-8 as a whole, so its names are.
                    let name = std::str::from_utf8(name).unwrap_or_default();
                    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
                    if plain {
                        text.push('.');
                        text.push_str(name);
                    } else {
                        text.push_str(&format!("[{name:?}]"));
                    }
                }
            }
        }
        text.truncate(text.floor_char_boundary(PATH_BYTES_MAX));
        text
    }

    /// `1` and `1.0` are one number in JSON.
    fn same_scalar(&self, old: Token<'_>, new: Token<'_>) -> bool {
        match (old, new) {
            (Token::Text(old), Token::Text(new)) => self.old.text(old) == self.new.text(new),
            // Both whole: compared whole, a double would merge neighbours past 2^53.
            (Token::Unsigned(old), Token::Unsigned(new)) => old == new,
            (Token::Signed(old), Token::Signed(new)) => old == new,
            // Signed ones are below zero.
            (Token::Unsigned(_), Token::Signed(_)) | (Token::Signed(_), Token::Unsigned(_)) => false,
            (Token::Bool(old), Token::Bool(new)) => old == new,
            (Token::Null, Token::Null) => true,
            (old, new) => rounded(old).is_some_and(|old| rounded(new) == Some(old)),
        }
    }
}

/// The name at a position.
fn name<'t>(tape: &'t Tape<'_>, at: usize) -> Option<&'t [u8]> {
    match tape.token(at) {
        Token::Key(name, _) => Some(tape.text(name)),
        _ => None,
    }
}

/// The keys of the object at `at`; of several of one name the last, as most readers take it.
fn keys<'t>(tape: &'t Tape<'_>, at: usize) -> HashMap<&'t [u8], usize> {
    tape.members(at).filter_map(|key| Some((name(tape, key)?, key))).collect()
}

fn rounded(number: Token<'_>) -> Option<f64> {
    match number {
        Token::Unsigned(value) => Some(value as f64),
        Token::Signed(value) => Some(value as f64),
        Token::Float(value) => Some(value),
        _ => None,
    }
}
