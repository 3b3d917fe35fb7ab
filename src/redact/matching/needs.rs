//! What a pattern cannot do without (an `@`, a digit, a run of letters), read from it once when the rules are loaded; and
//! what a text is made of.

use crate::redact::matching::gate::{COLON, DIGIT, DOT, Kinds, LOWER, UPPER, WIDE, kind_of};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Amounts of what patterns ask for and texts have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Amounts {
    pub bytes: usize,
    pub digits: usize,
    /// The longest run of digits.
    pub digit_run: usize,
    /// The longest run of letters and digits of ASCII.
    pub word_run: usize,
    /// Bytes that are neither.
    pub signs: usize,
    pub dots: usize,
    pub colons: usize,
}

impl Amounts {
    /// Sorts of amounts.
    pub const SORTS: usize = 7;

    /// The amounts, in one order.
    pub fn each(&self) -> [usize; Self::SORTS] {
        let Self { bytes, digits, digit_run, word_run, signs, dots, colons } = *self;
        [bytes, digits, digit_run, word_run, signs, dots, colons]
    }

    /// What a text of these kinds is made of.
    pub fn of(text: &[u8], kinds: Kinds) -> Self {
        let (mut digits, mut digit_run, mut digits_here) = (0, 0, 0);
        let (mut signs, mut word_run, mut word_here) = (0, 0, 0);
        for byte in text {
            let kind = kind_of(*byte);
            let digit = usize::from(kind & DIGIT != 0);
            let sign = usize::from(kind & WORD == 0);
            digits += digit;
            signs += sign;
            digits_here = (digits_here + 1) * digit;
            word_here = (word_here + 1) * (1 - sign);
            digit_run = digit_run.max(digits_here);
            word_run = word_run.max(word_here);
        }
        let count = |kind: Kinds, byte: u8| if kinds & kind == 0 { 0 } else { memchr::memchr_iter(byte, text).count() };
        let (dots, colons) = (count(DOT, b'.'), count(COLON, b':'));
        Self { bytes: text.len(), digits, digit_run, word_run, signs, dots, colons }
    }

    /// The same in one word, to be compared at once.
    pub fn packed(&self) -> Packed {
        Packed(self.each().iter().fold(0, |all, amount| all << 8 | (*amount).min(PACKED_MAX) as u64))
    }

    /// The lesser amount of each.
    fn least(&self, other: &Self) -> Self {
        Self {
            bytes: self.bytes.min(other.bytes),
            digits: self.digits.min(other.digits),
            digit_run: self.digit_run.min(other.digit_run),
            word_run: self.word_run.min(other.word_run),
            signs: self.signs.min(other.signs),
            dots: self.dots.min(other.dots),
            colons: self.colons.min(other.colons),
        }
    }
}

/// Amounts, each in seven bits of a byte of its own: more than the most counts as the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Packed(u64);

/// The most that an amount counts in one byte.
const PACKED_MAX: usize = 0x7f;
/// The bit of each byte that no amount has.
const BORROWS: u64 = 0x8080_8080_8080_8080;

impl Packed {
    /// Whether there is as much of each as another one asks for: no byte of the difference borrows.
    #[inline]
    fn has(self, needed: Self) -> bool {
        ((self.0 | BORROWS) - needed.0) & BORROWS == BORROWS
    }
}

/// Letters and digits of ASCII.
const WORD: Kinds = DIGIT | UPPER | LOWER;
/// Ways in which a pattern can match that are told apart, at most.
const WAYS_MAX: usize = 64;
/// Sets of kinds that one of several ways needs, at most.
const SETS_MAX: usize = 4;

/// What a pattern cannot do without: all that one of its ways needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Needs {
    ways: Vec<Needed>,
    /// What all ways need.
    pub least: Amounts,
}

/// What one way of matching cannot do without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Needed {
    /// Of each set, a text must have at least one kind.
    sets: Vec<Kinds>,
    amounts: Packed,
}

impl Needed {
    /// Whether a text that meets these needs meets the others too: then they alone decide.
    fn implies(&self, other: &Self) -> bool {
        let is_met = |set: &Kinds| self.sets.iter().any(|own| own & set == *own);
        self.amounts.has(other.amounts) && other.sets.iter().all(is_met)
    }

    fn is_open(&self, kinds: Kinds) -> bool {
        self.sets.iter().all(|set| set & kinds != 0)
    }
}

impl Needs {
    /// The needs of a pattern.
    pub fn of(pattern: &Hir) -> Self {
        let bytes = pattern.properties().minimum_len().unwrap_or(0);
        let ways = ways(pattern);
        let least = ways.iter().map(|way| way.amounts(bytes)).reduce(|all, one| all.least(&one)).unwrap_or_default();
        let needed = |way: Way| Needed { amounts: way.amounts(bytes).packed(), sets: way.sets };
        let mut fewest: Vec<Needed> = Vec::new();
        for way in ways.into_iter().map(needed) {
            if !fewest.iter().any(|other| way.implies(other)) {
                fewest.retain(|other| !other.implies(&way));
                fewest.push(way);
            }
        }
        Self { ways: fewest, least }
    }

    /// Whether a text of these kinds can match.
    pub fn are_met(&self, kinds: Kinds) -> bool {
        self.ways.iter().any(|way| way.is_open(kinds))
    }

    /// Whether a text of these kinds that is made so can match.
    pub fn are_met_by(&self, made: Packed, kinds: Kinds) -> bool {
        self.ways.iter().any(|way| made.has(way.amounts) && way.is_open(kinds))
    }

    /// The sets of each way, of which a text must have one kind each.
    pub fn sets(&self) -> impl Iterator<Item = &[Kinds]> {
        self.ways.iter().map(|way| &way.sets[..])
    }
}

/// One way of matching while a pattern is read: its needs, and what those of a longer one are made of.
#[derive(Clone, Debug, Default)]
struct Way {
    sets: Vec<Kinds>,
    bytes: usize,
    digits: usize,
    digit_run: Run,
    word_run: Run,
    signs: usize,
    dots: usize,
    colons: usize,
}

impl Way {
    /// What it needs, and so many bytes.
    fn amounts(&self, bytes: usize) -> Amounts {
        let Self { digits, digit_run, word_run, signs, dots, colons, .. } = *self;
        let (digit_run, word_run) = (digit_run.longest, word_run.longest);
        Amounts { bytes: self.bytes.max(bytes), digits, digit_run, word_run, signs, dots, colons }
    }

    /// A class, of which one byte or character stands there.
    fn one_of(kinds: Kinds) -> Self {
        let is_digit = kinds == DIGIT;
        Self {
            sets: vec![kinds],
            bytes: 1,
            digits: usize::from(is_digit),
            digit_run: Run::one(is_digit),
            word_run: Run::one(kinds & !WORD == 0),
            signs: usize::from(kinds & WORD == 0),
            dots: usize::from(kinds == DOT),
            colons: usize::from(kinds == COLON),
        }
    }

    /// This way and then the other.
    fn then(&self, other: &Self) -> Self {
        Self {
            sets: fewest([&self.sets[..], &other.sets].concat()),
            bytes: self.bytes + other.bytes,
            digits: self.digits + other.digits,
            digit_run: self.digit_run.then(&other.digit_run),
            word_run: self.word_run.then(&other.word_run),
            signs: self.signs + other.signs,
            dots: self.dots + other.dots,
            colons: self.colons + other.colons,
        }
    }

    /// Either way.
    fn or(self, other: &Self) -> Self {
        // A need of the one or a need of the other: the rarest of these.
        let mut sets = fewest(self.sets.iter().flat_map(|one| other.sets.iter().map(move |set| one | set)).collect());
        sets.sort_by_key(|set| commonness(*set));
        sets.truncate(SETS_MAX);
        Self {
            sets,
            bytes: self.bytes.min(other.bytes),
            digits: self.digits.min(other.digits),
            digit_run: self.digit_run.or(&other.digit_run),
            word_run: self.word_run.or(&other.word_run),
            signs: self.signs.min(other.signs),
            dots: self.dots.min(other.dots),
            colons: self.colons.min(other.colons),
        }
    }

    fn repeated(&self, times: usize) -> Self {
        Self {
            sets: self.sets.clone(),
            bytes: self.bytes * times,
            digits: self.digits * times,
            digit_run: self.digit_run.repeated(times),
            word_run: self.word_run.repeated(times),
            signs: self.signs * times,
            dots: self.dots * times,
            colons: self.colons * times,
        }
    }
}

/// The longest run of bytes of one class that a part of a pattern cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Whether the part is nothing but such bytes.
    whole: bool,
    first: usize,
    last: usize,
    longest: usize,
}

impl Default for Run {
    fn default() -> Self {
        Self { whole: true, first: 0, last: 0, longest: 0 }
    }
}

impl Run {
    fn one(is_of_class: bool) -> Self {
        let len = usize::from(is_of_class);
        Self { whole: is_of_class, first: len, last: len, longest: len }
    }

    fn then(&self, other: &Self) -> Self {
        Self {
            whole: self.whole && other.whole,
            first: if self.whole { self.longest + other.first } else { self.first },
            last: if other.whole { self.last + other.longest } else { other.last },
            longest: self.longest.max(other.longest).max(self.last + other.first),
        }
    }

    fn or(&self, other: &Self) -> Self {
        Self {
            whole: self.whole && other.whole,
            first: self.first.min(other.first),
            last: self.last.min(other.last),
            longest: self.longest.min(other.longest),
        }
    }

    fn repeated(&self, times: usize) -> Self {
        match times {
            0 => Self { whole: self.whole, first: 0, last: 0, longest: 0 },
            1 => *self,
            _ if self.whole => {
                let len = self.longest * times;
                Self { whole: true, first: len, last: len, longest: len }
            }
            _ => self.then(self),
        }
    }
}

/// The ways in which a pattern can match.
fn ways(hir: &Hir) -> Vec<Way> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Way::default()],
        HirKind::Literal(literal) => {
            let bytes = literal.0.iter().map(|byte| Way::one_of(kind_of(*byte)));
            vec![bytes.fold(Way::default(), |all, one| all.then(&one))]
        }
        HirKind::Class(class) => vec![Way::one_of(kinds_of_class(class))],
        HirKind::Repetition(repetition) => {
            let sub = ways(&repetition.sub);
            match (repetition.min, repetition.max) {
                (1, Some(1)) => sub,
                (0, _) => {
                    let none = united(sub).repeated(0);
                    vec![Way { sets: Vec::new(), ..none }]
                }
                (min, _) => vec![united(sub).repeated(min as usize)],
            }
        }
        HirKind::Capture(capture) => ways(&capture.sub),
        HirKind::Concat(parts) => parts.iter().fold(vec![Way::default()], |heads, part| {
            let mut tails = ways(part);
            if heads.len() * tails.len() > WAYS_MAX {
                tails = vec![united(tails)];
            }
            heads.iter().flat_map(|head| tails.iter().map(|tail| head.then(tail))).collect()
        }),
        HirKind::Alternation(alternatives) => {
            let each: Vec<Way> = alternatives.iter().flat_map(ways).collect();
            if each.len() > WAYS_MAX { vec![united(each)] } else { each }
        }
    }
}

/// The sets that say all that some sets say: one that holds another one is met whenever the other is.
fn fewest(mut sets: Vec<Kinds>) -> Vec<Kinds> {
    sets.sort_unstable();
    sets.dedup();
    let all = sets.clone();
    sets.retain(|set| !all.iter().any(|other| other != set && other & set == *other));
    sets
}

/// What each of some ways needs.
fn united(ways: Vec<Way>) -> Way {
    ways.into_iter().reduce(|all, way| all.or(&way)).unwrap_or_default()
}

/// How often texts meet a need, roughly: letters are everywhere, then digits.
fn commonness(set: Kinds) -> u32 {
    let weighed = [(LOWER, 8), (UPPER, 4), (DIGIT, 2)];
    weighed.iter().filter(|(kind, _)| set & kind != 0).map(|(_, weight)| weight * 16).sum::<u32>() + set.count_ones()
}

fn kinds_of_class(class: &Class) -> Kinds {
    match class {
        Class::Bytes(class) => {
            let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            bytes.fold(0, |kinds, byte| kinds | kind_of(byte))
        }
        Class::Unicode(class) => class.ranges().iter().fold(0, |kinds, range| {
            let ascii = u32::from(range.start())..=u32::from(range.end()).min(0x7f);
            let kinds = ascii.filter_map(|code| u8::try_from(code).ok()).fold(kinds, |kinds, b| kinds | kind_of(b));
            if u32::from(range.end()) > 0x7f { kinds | WIDE } else { kinds }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::matching::gate::{AT, DASH, SPACE, UNDERSCORE, kinds_of};
    use proptest::prelude::*;

    fn needs_of(pattern: &str) -> Needs {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        Needs::of(&parser.parse(pattern).unwrap())
    }

    fn ways_of(pattern: &str) -> Vec<Way> {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        ways(&parser.parse(pattern).unwrap())
    }

    fn are_met(needs: &Needs, text: &str) -> bool {
        let kinds = kinds_of(text.as_bytes());
        needs.are_met_by(Amounts::of(text.as_bytes(), kinds).packed(), kinds)
    }

    #[test]
    fn amounts_are_compared_at_once() {
        let amounts = |bytes, colons| Amounts { bytes, colons, ..Amounts::default() }.packed();
        assert!(amounts(500, 3).has(amounts(127, 3)) && amounts(5, 0).has(amounts(5, 0)));
        assert!(!amounts(500, 2).has(amounts(1, 3)) && !amounts(4, 3).has(amounts(5, 3)));
    }

    #[test]
    fn a_pattern_tells_what_it_cannot_do_without() {
        let sets = |pattern: &str| united(ways_of(pattern)).sets;
        assert_eq!(sets("[a-z]+@x"), [LOWER, AT]);
        assert_eq!(sets(r"\b[0-9]{3}-?[0-9]{2}"), [DIGIT]);
        assert_eq!(sets("(?:sk_|AKIA)[0-9a-z]*"), [UPPER | UNDERSCORE, UPPER | LOWER]);
        assert_eq!(sets("x*"), [0; 0]);
        assert_eq!(sets("(?:[a-z]+ [0-9]|[A-Z]* -)"), [SPACE, DIGIT | DASH, LOWER | DASH]);
        assert_eq!(needs_of(r"(?:[0-9]{3}-?[0-9]{2}[a-f0-9]{9}|1234567)x?").least.digits, 5);
        assert_eq!(needs_of("(?:sk_|AKIA)[0-9a-z]{8}").least.bytes, 11);
        let mac = needs_of(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}").least;
        assert_eq!((mac.signs, mac.dots, mac.word_run), (2, 0, 2));
    }

    #[test]
    fn each_way_has_needs_of_its_own() {
        let needs = needs_of(r"(?:^|[ ])(?:[a-z]{16}|[A-Z][0-9]{6}(?:-[0-9])?)\b");
        let met = |text: &str| are_met(&needs, text);
        assert!(met("A123456") && met("abcdefghijklmnop"));
        assert!(!met("abcdefghijklmno") && !met("A12-3456") && !met("1234567") && !met("abcdefgh ijklmnop"));
    }

    #[test]
    fn a_way_that_needs_more_than_another_one_is_not_asked() {
        assert_eq!(needs_of("[a-z]{3}|[a-z]{5}|[a-z]{3}[0-9]").ways.len(), 1);
        assert_eq!(needs_of("[a-z]{3}|[0-9]{2}").ways.len(), 2);
    }

    #[test]
    fn runs_go_over_parts() {
        let runs = |pattern: &str| {
            let way = united(ways_of(pattern));
            (way.digit_run.longest, way.word_run.longest)
        };
        assert_eq!(runs("[0-9]{4}[0-9]{3,9}x[a-z]?[0-9]"), (7, 9));
        assert_eq!(runs("[0-9](?:[ -]?[0-9]){11}"), (1, 1));
        assert_eq!(runs("0x[0-9a-f]{40}|[1-9A-HJ-NP-Za-km-z]{26,35}"), (0, 26));
        assert_eq!(runs("(?:[0-9]{2}-){3}[0-9]{2}"), (2, 2));
        assert_eq!(runs("(?:[0-9]{2}x|[0-9]{3})[0-9]"), (2, 4));
    }

    proptest! {
        #[test]
        fn what_matches_meets_the_needs(text in "[ABab01 .:@_é-]{0,16}") {
            for pattern in [
                "[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){2,9}", "(?:[a-z]{3}|[0-9]{2}-?)[0-9]", "(?:[0-9]-){2}", "x?[01]{3,4}[a-b]*@?",
                "(?:a|b1|[0-9]{3})(?:[.:]|-[0-9]{2}|B)?[A-Z]", "é[01]+", r"\b[a-b0-9]{5}\b|@",
                r"[01](?:\.[a-b]?){2}|(?::[AB01]*){2,3}", "(?:A b|B 0|[.]1)(?:0:|: )",
            ] {
                let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).build().unwrap();
                let met = are_met(&needs_of(pattern), &text);
                prop_assert!(!regex.is_match(text.as_bytes()) || met, "{} in {:?}", pattern, text);
            }
        }
    }
}
