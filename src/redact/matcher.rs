//! Every pattern at once: which rules can have a match in a text. Texts of kinds that no pattern can match are told by
//! one look-up, texts that are too short or have too few digits by a count; the others by one pass of an automaton over
//! all patterns of a group.

use crate::redact::gate::{AT, DIGIT, Gate, Kinds, Needs};
use regex::bytes::{RegexSet, RegexSetBuilder};

/// Largest compiled set of patterns, in bytes.
const SET_BYTES_MAX: usize = 64 << 20;
/// Memory of an automaton's cache per thread, in bytes.
const CACHE_BYTES_MAX: usize = 16 << 20;
/// From so many digits on a pattern is about a number, and most texts with digits have fewer.
const MANY_DIGITS: usize = 5;
/// From so many bytes on a pattern is about a key, and most texts are shorter.
const MANY_BYTES: usize = 16;
const GROUPS: u8 = 5;

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
    /// Digits that each of them needs.
    digits: usize,
    /// Bytes that each of them needs.
    bytes: usize,
}

impl Matcher {
    /// Compiles the patterns of rules, each with its needs.
    ///
    /// # Errors
    /// What is wrong, if the patterns together are too large.
    pub fn of(patterns: &[(u16, String, Needs)]) -> Result<Self, String> {
        let needs: Vec<(Needs, u8)> = patterns.iter().map(|(_, _, needs)| (needs.clone(), group_of(needs))).collect();
        let groups = (0..GROUPS).map(|group| {
            let members = || patterns.iter().filter(|(_, _, needs)| group_of(needs) == group);
            let set = RegexSetBuilder::new(members().map(|(_, text, _)| text))
                .unicode(false)
                .size_limit(SET_BYTES_MAX)
                .dfa_size_limit(CACHE_BYTES_MAX)
                .build()
                .map_err(|error| error.to_string())?;
            Ok(Group {
                set,
                rules: members().map(|(rule, _, _)| *rule).collect(),
                digits: members().map(|(_, _, needs)| needs.digits).min().unwrap_or(0),
                bytes: members().map(|(_, _, needs)| needs.bytes).min().unwrap_or(0),
            })
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
            if open & 1 << at != 0 && text.len() >= group.bytes && has_digits(text, group.digits) {
                rules.extend(group.set.matches(text).iter().map(|pattern| group.rules[pattern]));
            }
        }
    }
}

fn group_of(needs: &Needs) -> u8 {
    if needs.include(AT) {
        0
    } else if needs.digits >= MANY_DIGITS {
        1
    } else if needs.bytes >= MANY_BYTES {
        2
    } else if needs.include(DIGIT) {
        3
    } else {
        4
    }
}

fn has_digits(text: &[u8], wanted: usize) -> bool {
    wanted <= 1 || text.iter().filter(|byte| byte.is_ascii_digit()).nth(wanted - 1).is_some()
}
