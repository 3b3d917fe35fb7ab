//! Parts of words that tell a field's meaning wherever they stand in its name, as languages that join their words need:
//! `geburt` in `versichertengeburtsdatum`, `naiss` in `datenaissance`. A name is looked at once, then remembered.

use crate::redact::names::Words;

/// From stems to the rules that list them.
#[derive(Default)]
pub(in crate::redact) struct Stems(Vec<(String, u16)>);

impl Stems {
    /// Adds a stem of a rule.
    pub fn add(&mut self, stem: &str, rule: u16) {
        self.0.push((Words::of(stem).joined().to_owned(), rule));
    }

    /// Adds the rules of the stems in a name to those that list it.
    pub fn extend(&self, words: &Words, rules: &mut Vec<u16>) {
        let before = rules.len();
        rules.extend(self.0.iter().filter(|(stem, _)| words.joined().contains(stem.as_str())).map(|(_, rule)| *rule));
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
