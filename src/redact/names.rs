//! Field names, compared without regard to camel, snake or kebab case, and sets of them.

use arc_swap::ArcSwap;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Names remembered at most; an API has a few hundred.
const NAMES_MAX: usize = 4096;
/// Longest name that is remembered, bytes.
const NAME_BYTES_MAX: usize = 64;

/// A field name as its words: `customerFirstName`, `customer_first_name` and `Customer-First-Name` are equal. Clones are
/// cheap, since the names above a value are kept while it is redacted.
#[derive(Clone, Debug, Default)]
pub(in crate::redact) struct Key(Arc<Words>);

#[derive(Debug, Default)]
struct Words {
    joined: String,
    /// Where each word starts in `joined`.
    starts: Vec<usize>,
    /// The rules that list the name for values.
    rules: Vec<usize>,
    /// Whether the name as a text of its own is left alone by every rule.
    clean: bool,
}

impl Key {
    /// The key of a name.
    pub fn of(name: &str) -> Self {
        let mut key = Words::default();
        let mut fresh = true;
        let mut before = ' ';
        let mut chars = name.chars().take(256).peekable();
        while let Some(c) = chars.next() {
            if !c.is_alphanumeric() {
                fresh = true;
            } else {
                let hump = c.is_uppercase()
                    && (before.is_lowercase()
                        || before.is_numeric()
                        || (before.is_uppercase() && chars.peek().is_some_and(|n| n.is_lowercase())));
                if fresh || hump {
                    key.starts.push(key.joined.len());
                }
                fresh = false;
                key.joined.extend(c.to_lowercase());
            }
            before = c;
        }
        Self(Arc::new(key))
    }

    /// The key with what the rule set says of it.
    pub fn with(self, index: &NameIndex, clean: bool) -> Self {
        let rules = index.rules(&self).collect();
        Self(Arc::new(Words { joined: self.0.joined.clone(), starts: self.0.starts.clone(), rules, clean }))
    }

    /// The rules that list the name for values.
    pub fn rules(&self) -> &[usize] {
        &self.0.rules
    }

    /// Whether the name as a text of its own is left alone by every rule.
    pub fn is_clean(&self) -> bool {
        self.0.clean
    }

    /// The whole name, its words joined.
    pub fn joined(&self) -> &str {
        &self.0.joined
    }

    /// The name, then the name without its first word, and so on.
    pub fn endings(&self) -> impl Iterator<Item = &str> {
        self.0.starts.iter().map(|&start| &self.0.joined[start..])
    }
}

/// A set of names; a key is in it if it ends with one of them, word by word.
#[derive(Default)]
pub(in crate::redact) struct NameSet(HashSet<String>);

impl NameSet {
    /// The set of these names.
    pub fn of(names: &[String]) -> Self {
        Self(names.iter().map(|name| Key::of(name).joined().to_owned()).collect())
    }

    /// Whether it has no names.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key ends with a name of the set.
    pub fn has(&self, key: &Key) -> bool {
        !self.0.is_empty() && key.endings().any(|ending| self.0.contains(ending))
    }
}

/// From names to the rules that list them.
#[derive(Default)]
pub(in crate::redact) struct NameIndex {
    whole: HashMap<String, Vec<usize>>,
    ending: HashMap<String, Vec<usize>>,
}

impl NameIndex {
    /// Adds a name of a rule; with a leading `*` it also matches as the last words of a longer name.
    pub fn add(&mut self, name: &str, rule: usize) {
        let (map, name) = match name.strip_prefix('*') {
            Some(rest) => (&mut self.ending, rest),
            None => (&mut self.whole, name),
        };
        map.entry(Key::of(name).joined().to_owned()).or_default().push(rule);
    }

    /// The rules that list the key.
    pub fn rules<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = usize> + 'a {
        let whole = self.whole.get(key.joined()).into_iter().flatten();
        whole.chain(key.endings().filter_map(|ending| self.ending.get(ending)).flatten()).copied()
    }
}

/// The names seen so far, as one map to read without a lock.
pub(in crate::redact) type Known = HashMap<Arc<str>, Key>;

/// Remembers names, since an API's bodies have the same few hundred again and again. Only names that no rule changes are
/// remembered.
#[derive(Default)]
pub(in crate::redact) struct Names {
    known: ArcSwap<Known>,
    adding: Mutex<()>,
}

impl Names {
    /// The names seen so far.
    pub fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    /// Remembers a name while there is room.
    pub fn learn(&self, name: &str, key: &Key) {
        if !key.is_clean() || name.len() > NAME_BYTES_MAX || self.known.load().len() >= NAMES_MAX {
            return;
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::clone(&self.known.load());
        known.insert(name.into(), key.clone());
        self.known.store(Arc::new(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_one_name() {
        for name in ["firstName", "first_name", "First-Name", "FIRST_NAME", "first name"] {
            assert_eq!(Key::of(name).joined(), "firstname", "{name}");
        }
        assert_eq!(
            Key::of("customerIBANNumber").endings().collect::<Vec<_>>(),
            ["customeribannumber", "ibannumber", "number"]
        );
    }

    #[test]
    fn endings_are_whole_words() {
        let set = NameSet::of(&["name".into()]);
        assert!(set.has(&Key::of("cardholder_name")));
        assert!(!set.has(&Key::of("filename")));
    }
}
