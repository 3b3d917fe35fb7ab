//! Every pattern at once: which rules can have a match in a text. Texts of kinds that no pattern can match are told by
//! one look-up; the others by one pass of an automaton over all patterns of a group.

use crate::redact::gate::{AT, DIGIT, Gate, Kinds, Needs};
use regex::bytes::{RegexSet, RegexSetBuilder};

/// Largest compiled set of patterns, in bytes.
const SET_BYTES_MAX: usize = 64 << 20;
/// Memory of an automaton's cache per thread, in bytes.
const CACHE_BYTES_MAX: usize = 16 << 20;

/// The patterns of a rule set.
pub(in crate::redact) struct Matcher {
    gate: Gate,
    groups: Vec<Group>,
}

/// Patterns that need the same thing.
struct Group {
    set: RegexSet,
    /// The rule of each pattern.
    rules: Vec<u16>,
}

impl Matcher {
    /// Compiles the patterns of rules, each with its needs.
    ///
    /// # Errors
    /// What is wrong, if the patterns together are too large.
    pub fn of(patterns: &[(u16, String, Needs)]) -> Result<Self, String> {
        let group_of = |needs: &Needs| match needs {
            needs if needs.include(AT) => 0,
            needs if needs.include(DIGIT) => 1,
            _ => 2,
        };
        let needs: Vec<(Needs, u8)> = patterns.iter().map(|(_, _, needs)| (needs.clone(), group_of(needs))).collect();
        let groups = (0..3).map(|group| {
            let members = || patterns.iter().filter(|(_, _, needs)| group_of(needs) == group);
            let set = RegexSetBuilder::new(members().map(|(_, text, _)| text))
                .unicode(false)
                .size_limit(SET_BYTES_MAX)
                .dfa_size_limit(CACHE_BYTES_MAX)
                .build()
                .map_err(|error| error.to_string())?;
            Ok(Group { set, rules: members().map(|(rule, _, _)| *rule).collect() })
        });
        Ok(Self { gate: Gate::of(&needs), groups: groups.collect::<Result<_, String>>()? })
    }

    /// Whether any pattern can match a text of these kinds.
    pub fn is_open(&self, kinds: Kinds) -> bool {
        self.gate.groups(kinds) != 0
    }

    /// The rules whose patterns have a match in the text.
    pub fn rules(&self, text: &[u8], kinds: Kinds, rules: &mut Vec<u16>) {
        let open = self.gate.groups(kinds);
        for (at, group) in self.groups.iter().enumerate() {
            if open & 1 << at != 0 {
                rules.extend(group.set.matches(text).iter().map(|pattern| group.rules[pattern]));
            }
        }
    }
}
