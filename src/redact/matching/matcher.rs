//! Every pattern at once: which rules can have a match in a text. Texts of kinds that no pattern can match are told by
//! one look-up. Of the others, one pass of an automaton over the literals that patterns cannot do without, and over the
//! keywords of rules, tells the rules to ask. Patterns that have no literal (numbers, addresses of networks) are told by
//! the stretches of bytes they need; in a long text they are asked together.

use crate::redact::matching::factors::Factors;
use crate::redact::matching::gate::{Gate, Kinds, Open};
use crate::redact::matching::literals;
use crate::redact::matching::needs::{Amounts, Needs};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{RegexSet, RegexSetBuilder};
use regex_syntax::hir::Hir;
use std::collections::BTreeMap;

/// Largest compiled set of patterns, in bytes.
const SET_BYTES_MAX: usize = 64 << 20;
/// Memory of an automaton's cache per thread, in bytes.
const CACHE_BYTES_MAX: usize = 16 << 20;
/// From so many bytes on one pass for all patterns is cheaper than one for each of those that may match.
const LONG_TEXT_BYTES: usize = 512;
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

/// The patterns of a rule set.
pub(in crate::redact) struct Matcher {
    gate: Gate,
    patterns: Vec<Told>,
    literals: AhoCorasick,
    /// The patterns of each literal.
    of_literal: Vec<Vec<u16>>,
    /// The pattern of each rule.
    of_rule: Vec<Option<u16>>,
    /// What patterns without literals need.
    factors: Factors,
    /// The patterns without literals, asked together.
    plain: RegexSet,
    plain_patterns: Vec<u16>,
}

/// What is known of a pattern.
struct Told {
    rule: u16,
    needs: Needs,
    /// Whether one of some literals, or of the rule's keywords, must be in the text or in the names above it.
    by_literal: bool,
}

impl Matcher {
    /// Compiles the patterns of rules.
    ///
    /// # Errors
    /// What is wrong, if the patterns together are too large.
    pub fn of(sought: &[Sought]) -> Result<Self, String> {
        let mut by_literal: BTreeMap<Vec<u8>, Vec<u16>> = BTreeMap::new();
        let mut patterns = Vec::new();
        let mut of_rule = Vec::new();
        for (at, one) in (0..).zip(sought) {
            let literals = literals(one);
            let told = Told { rule: one.rule, needs: Needs::of(&one.hir), by_literal: !literals.is_empty() };
            patterns.push(told);
            for literal in literals {
                by_literal.entry(literal).or_default().push(at);
            }
            let rule = usize::from(one.rule);
            of_rule.resize(of_rule.len().max(rule + 1), None);
            of_rule[rule] = Some(at);
        }
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(by_literal.keys())
            .map_err(|error| error.to_string())?;
        let plain = || (0_u16..).zip(sought).zip(&patterns).filter(|(_, told)| !told.by_literal).map(|(one, _)| one);
        let set = RegexSetBuilder::new(plain().map(|(_, one)| &one.text))
            .unicode(false)
            .size_limit(SET_BYTES_MAX)
            .dfa_size_limit(CACHE_BYTES_MAX)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            gate: Gate::of(patterns.iter().map(|told| (&told.needs, told.by_literal))),
            factors: Factors::of(plain().map(|(at, one)| (at, &one.hir, &patterns[usize::from(at)].needs))),
            plain_patterns: plain().map(|(at, _)| at).collect(),
            patterns,
            literals,
            of_literal: by_literal.into_values().collect(),
            of_rule,
            plain: set,
        })
    }

    /// Whether any pattern can match a text of these kinds.
    pub fn is_open(&self, kinds: Kinds) -> bool {
        self.gate.of_kinds(kinds) != Open::default()
    }

    /// Puts the rules whose patterns may have a match in the text, in order, in place of what `rules` holds. `named`: the rules of which a keyword stands
    /// in the names above the text.
    pub fn rules(&self, text: &[u8], kinds: Kinds, named: impl Iterator<Item = u16>, rules: &mut Vec<u16>) {
        rules.clear();
        let open = self.gate.of_kinds(kinds);
        if open == Open::default() {
            return;
        }
        let made = Amounts::of(text, kinds);
        let packed = made.packed();
        let mut chosen = Chosen::default();
        let mut take = |at: u16| {
            let told = &self.patterns[usize::from(at)];
            if chosen.is_new(at) && told.needs.are_met_by(packed, kinds) {
                rules.push(told.rule);
            }
        };
        if open.plain && text.len() >= LONG_TEXT_BYTES {
            self.plain.matches(text).into_iter().for_each(|at| take(self.plain_patterns[at]));
        } else if open.plain {
            self.factors.search(text, &made, &mut take);
        }
        if open.literal {
            for found in self.literals.find_overlapping_iter(text) {
                self.of_literal[found.pattern().as_usize()].iter().for_each(|at| take(*at));
            }
            let named = named.filter_map(|rule| self.of_rule.get(usize::from(rule)).copied().flatten());
            named.for_each(take);
        }
        rules.sort_unstable();
    }

    /// The same for a text of which it is known that no pattern has a candidate in it, wherever it stands, but for
    /// those that believe in one because of the names above.
    pub fn rules_by_name(&self, text: &[u8], kinds: Kinds, named: impl Iterator<Item = u16>, rules: &mut Vec<u16>) {
        rules.clear();
        for rule in named {
            let told = self.of_rule.get(usize::from(rule)).copied().flatten().map(|at| &self.patterns[usize::from(at)]);
            if told.is_some_and(|told| told.needs.least.bytes <= text.len() && told.needs.are_met(kinds))
                && !rules.contains(&rule)
            {
                rules.push(rule);
            }
        }
        rules.sort_unstable();
    }
}

/// Patterns that were looked at, each once.
#[derive(Default)]
struct Chosen([u64; RULES_MAX / 64]);

impl Chosen {
    fn is_new(&mut self, at: u16) -> bool {
        let bit = 1 << (at % 64);
        let Some(word) = self.0.get_mut(usize::from(at) / 64).filter(|word| **word & bit == 0) else { return false };
        *word |= bit;
        true
    }
}

/// The literals by which a pattern is told, or else the keywords of its rule.
fn literals(sought: &Sought) -> Vec<Vec<u8>> {
    let keywords = || sought.keywords.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect();
    literals::fewest(literals::required(&sought.hir).unwrap_or_else(keywords))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::matching::gate::kinds_of;
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
