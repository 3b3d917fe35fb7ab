//! Every pattern at once: which rules can have a match in a text. Texts of kinds that no pattern can match are told by
//! one look-up. Of the others, one pass of an automaton over the literals that patterns cannot do without, and over the
//! keywords of rules, tells the rules to ask; patterns that have no literal (numbers, addresses of networks) are asked
//! together, by what they need.

use crate::redact::gate::{AT, DIGIT, Gate, Kinds, Needs};
use crate::redact::literals;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{RegexSet, RegexSetBuilder};
use regex_syntax::hir::Hir;
use std::collections::BTreeMap;

/// Largest compiled set of patterns, in bytes.
const SET_BYTES_MAX: usize = 64 << 20;
/// Memory of an automaton's cache per thread, in bytes.
const CACHE_BYTES_MAX: usize = 16 << 20;
/// From so many digits on a pattern is about a long number, and most texts with digits have fewer.
const MANY_DIGITS: usize = 7;
/// Rules in a set, at most.
pub(in crate::redact) const RULES_MAX: usize = 1024;

/// A pattern of a rule, as it is told to the matcher.
pub(in crate::redact) struct Sought {
    /// The number of the rule.
    pub rule: u16,
    /// The pattern.
    pub text: String,
    /// The pattern, parsed.
    pub hir: Hir,
    /// Words of which one stands near every candidate, or in the names above it; none if the rule believes without.
    pub keywords: Vec<String>,
}

/// Ways of telling that a pattern may match, by what it cannot do without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One of some literals, or of the rule's keywords.
    Literals = 0,
    /// An `@`.
    At = 1,
    /// A long number.
    ManyDigits = 2,
    /// Nothing that is rare.
    Little = 3,
}

/// The patterns of a rule set.
pub(in crate::redact) struct Matcher {
    gate: Gate,
    literals: AhoCorasick,
    /// The rules of each literal.
    rules_of_literal: Vec<Vec<u16>>,
    /// What each rule's pattern needs, by the rule's number.
    needs: Vec<Option<Needs>>,
    sets: Vec<Set>,
}

/// Patterns that are asked together.
struct Set {
    way: Way,
    patterns: RegexSet,
    /// The rule of each pattern.
    rules: Vec<u16>,
    /// Digits that each of them needs.
    digits: usize,
    /// Bytes that each of them needs.
    bytes: usize,
}

impl Matcher {
    /// Compiles the patterns of rules.
    ///
    /// # Errors
    /// What is wrong, if the patterns together are too large.
    pub fn of(patterns: &[Sought]) -> Result<Self, String> {
        let mut by_literal: BTreeMap<Vec<u8>, Vec<u16>> = BTreeMap::new();
        let mut needs = Vec::new();
        let mut ways = Vec::new();
        for sought in patterns {
            let need = Needs::of(&sought.hir);
            let (way, literals) = way(sought, &need);
            for literal in literals {
                let rules = by_literal.entry(literal).or_default();
                if !rules.contains(&sought.rule) {
                    rules.push(sought.rule);
                }
            }
            let at = usize::from(sought.rule);
            needs.resize(needs.len().max(at + 1), None);
            needs[at] = Some(need.clone());
            ways.push((need, way as u8));
        }
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(by_literal.keys())
            .map_err(|error| error.to_string())?;
        let members = |way: Way| patterns.iter().zip(&ways).filter(move |(_, (_, of))| *of == way as u8);
        let sets = [Way::At, Way::ManyDigits, Way::Little].map(|way| {
            let of_all = |of: fn(&Needs) -> usize| members(way).map(|(_, (need, _))| of(need)).min().unwrap_or(0);
            Ok(Set {
                way,
                patterns: RegexSetBuilder::new(members(way).map(|(sought, _)| &sought.text))
                    .unicode(false)
                    .size_limit(SET_BYTES_MAX)
                    .dfa_size_limit(CACHE_BYTES_MAX)
                    .build()
                    .map_err(|error| error.to_string())?,
                rules: members(way).map(|(sought, _)| sought.rule).collect(),
                digits: of_all(|need| need.digits),
                bytes: of_all(|need| need.bytes),
            })
        });
        Ok(Self {
            gate: Gate::of(&ways),
            literals,
            rules_of_literal: by_literal.into_values().collect(),
            needs,
            sets: sets.into_iter().collect::<Result<_, String>>()?,
        })
    }

    /// Whether any pattern can match a text of these kinds.
    pub fn is_open(&self, kinds: Kinds) -> bool {
        self.gate.groups(kinds) != 0
    }

    /// Adds the rules whose patterns may have a match in the text, in order. `named`: the rules of which a keyword stands
    /// in the names above the text.
    pub fn rules(&self, text: &[u8], kinds: Kinds, named: impl Iterator<Item = u16>, rules: &mut Vec<u16>) {
        let open = self.gate.groups(kinds);
        let is_open = |way: Way| open & 1 << way as u8 != 0;
        let digits = if kinds & DIGIT == 0 { 0 } else { text.iter().filter(|byte| byte.is_ascii_digit()).count() };
        let mut chosen = Chosen { seen: [0; RULES_MAX / 64], rules };
        if is_open(Way::Literals) {
            let can = |rule: u16| {
                let needs = self.needs.get(usize::from(rule)).and_then(Option::as_ref);
                needs.is_some_and(|needs| needs.digits <= digits && needs.bytes <= text.len() && needs.are_met(kinds))
            };
            for found in self.literals.find_overlapping_iter(text) {
                self.rules_of_literal[found.pattern().as_usize()].iter().for_each(|rule| chosen.add(*rule, can));
            }
            named.for_each(|rule| chosen.add(rule, can));
        }
        for set in &self.sets {
            if is_open(set.way) && text.len() >= set.bytes && digits >= set.digits {
                set.patterns.matches(text).iter().for_each(|pattern| chosen.add(set.rules[pattern], |_| true));
            }
        }
        rules.sort_unstable();
    }
}

/// Rules, each once.
struct Chosen<'r> {
    seen: [u64; RULES_MAX / 64],
    rules: &'r mut Vec<u16>,
}

impl Chosen<'_> {
    fn add(&mut self, rule: u16, can: impl Fn(u16) -> bool) {
        let bit = 1 << (rule % 64);
        let Some(word) = self.seen.get_mut(usize::from(rule) / 64).filter(|word| **word & bit == 0) else { return };
        *word |= bit;
        if can(rule) {
            self.rules.push(rule);
        }
    }
}

/// How to tell that a pattern may match, with the literals if it is by them.
fn way(sought: &Sought, need: &Needs) -> (Way, Vec<Vec<u8>>) {
    if let Some(literals) = literals::required(&sought.hir) {
        (Way::Literals, literals)
    } else if !sought.keywords.is_empty() {
        (Way::Literals, sought.keywords.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect())
    } else if need.include(AT) {
        (Way::At, Vec::new())
    } else if need.digits >= MANY_DIGITS {
        (Way::ManyDigits, Vec::new())
    } else {
        (Way::Little, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::gate::kinds_of;
    use proptest::prelude::*;
    use regex::bytes::Regex;
    use regex::bytes::RegexBuilder;
    use std::sync::LazyLock;

    const PATTERNS: [(&str, &[&str]); 7] = [
        (r"\bAKIA[A-Z0-9]{4}\b", &[]),
        (r"(?i:pass(?:word|code))\s?[:=]\s?[a-z0-9]{3}", &[]),
        (r"[a-z]{1,9}@[a-z]{1,9}", &[]),
        (r"\b[0-9](?:[ -]?[0-9]){6}\b", &[]),
        (r"\b[a-z]{2}[0-9]{2}\b", &[]),
        (r"\b[a-z0-9]{5}\b", &["code", "pin no"]),
        (r"(?:of|by)[ ][A-Z][a-z]", &[]),
    ];

    static MATCHER: LazyLock<(Matcher, Vec<Regex>)> = LazyLock::new(|| {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let sought: Vec<Sought> = (0..)
            .zip(PATTERNS)
            .map(|(rule, (text, keywords))| {
                let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
                Sought { rule, text: text.to_owned(), hir: parser.parse(text).unwrap(), keywords }
            })
            .collect();
        let each = sought.iter().map(|one| RegexBuilder::new(&one.text).unicode(false).build().unwrap());
        (Matcher::of(&sought).unwrap(), each.collect())
    });

    fn rules(matcher: &Matcher, text: &str, named: &[u16]) -> Vec<u16> {
        let mut rules = Vec::new();
        matcher.rules(text.as_bytes(), kinds_of(text.as_bytes()), named.iter().copied(), &mut rules);
        rules
    }

    #[test]
    fn a_rule_that_needs_a_keyword_is_asked_only_near_one() {
        let (matcher, _) = &*MATCHER;
        assert_eq!(rules(matcher, "is ab1cd", &[]), [0; 0]);
        assert_eq!(rules(matcher, "is ab1cd, Code", &[]), [5]);
        assert_eq!(rules(matcher, "is ab1cd", &[5]), [5]);
    }

    proptest! {
        #[test]
        fn no_rule_with_a_match_is_left_out(parts in prop::collection::vec(
            prop::sample::select(vec![
                "AKIA", "akia", "AB12", "Password", "passcode", ":", "=", " ", "ab1", "a@b", "12", "345", "-", "67 89",
                "de", "89", "code", "PIN no", "xy12z", "of ", "By ", "Al", "é", "\n",
            ]),
            0..12,
        )) {
            let text = parts.concat();
            let (matcher, each) = &*MATCHER;
            let asked = rules(matcher, &text, &[]);
            for (rule, regex) in (0_u16..).zip(each) {
                let keywords = PATTERNS[usize::from(rule)].1;
                let near = keywords.is_empty() || keywords.iter().any(|word| text.to_lowercase().contains(word));
                let missed = regex.is_match(text.as_bytes()) && near && !asked.contains(&rule);
                prop_assert!(!missed, "{rule} in {text:?}, asked {asked:?}");
            }
        }
    }
}
