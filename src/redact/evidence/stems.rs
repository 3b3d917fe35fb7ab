//! Parts of words that tell a field's meaning wherever they stand in its name, as languages that join their words need:
//! `geburt` in `versichertengeburtsdatum`, `naiss` in `datenaissance`. A name is looked at once, then remembered.

use crate::redact::evidence::words::Words;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::OnceLock;

/// From stems to the rules that list them.
#[derive(Default)]
pub(in crate::redact) struct Stems {
    stems: Vec<(String, u16)>,
    /// All of them at once; made when the first name is looked at. `None` if they are too many for one automaton.
    search: OnceLock<Option<AhoCorasick>>,
}

impl Stems {
    /// Adds a stem of a rule; all are added before the first name is looked at.
    pub fn add(&mut self, stem: &str, rule: u16) {
        self.stems.push((Words::of(stem).joined().to_owned(), rule));
    }

    /// Adds the rules of the stems in a name to those that list it.
    pub fn extend(&self, words: &Words, rules: &mut Vec<u16>) {
        let before = rules.len();
        let search = self.search.get_or_init(|| {
            let search =
                AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(self.stems.iter().map(|(stem, _)| stem));
            search.ok()
        });
        match search {
            Some(search) => {
                let found = search.find_overlapping_iter(words.joined());
                rules.extend(
                    found.filter_map(|found| self.stems.get(found.pattern().as_usize())).map(|(_, rule)| *rule),
                );
            }
            None => {
                let here = self.stems.iter().filter(|(stem, _)| words.joined().contains(stem.as_str()));
                rules.extend(here.map(|(_, rule)| *rule));
            }
        }
        if rules.len() > before {
            rules.sort_unstable();
            rules.dedup();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_is_found_inside_words() {
        let mut stems = Stems::default();
        stems.add("geburt", 3);
        stems.add("naiss", 1);
        let of = |name: &str| {
            let mut rules = vec![2];
            stems.extend(&Words::of(name), &mut rules);
            rules
        };
        assert_eq!(of("versicherten_Geburtsdatum"), [2, 3]);
        assert_eq!(of("dateNaissance"), [1, 2]);
        assert_eq!(of("date"), [2]);
    }
}
