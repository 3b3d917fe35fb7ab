//! Field names, compared without regard to camel, snake or kebab case, and sets of them.

use std::collections::{HashMap, HashSet};

/// A field name as its words: `customerFirstName`, `customer_first_name` and `Customer-First-Name` are equal.
#[derive(Clone, Debug, Default)]
pub(in crate::redact) struct Key {
    joined: String,
    /// Where each word starts in `joined`.
    starts: Vec<usize>,
}

impl Key {
    /// The key of a name.
    pub fn of(name: &str) -> Self {
        let mut key = Self::default();
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
        key
    }

    /// The whole name, its words joined.
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// The name, then the name without its first word, and so on.
    pub fn endings(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(|&start| &self.joined[start..])
    }
}

/// A set of names; a key is in it if it ends with one of them, word by word.
#[derive(Default)]
pub(in crate::redact) struct NameSet(HashSet<String>);

impl NameSet {
    /// The set of these names.
    pub fn of(names: &[String]) -> Self {
        Self(names.iter().map(|name| Key::of(name).joined).collect())
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
        map.entry(Key::of(name).joined).or_default().push(rule);
    }

    /// The rules that list the key.
    pub fn rules<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = usize> + 'a {
        let whole = self.whole.get(key.joined()).into_iter().flatten();
        whole.chain(key.endings().filter_map(|ending| self.ending.get(ending)).flatten()).copied()
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
