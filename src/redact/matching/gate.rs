//! What kinds of bytes a text has, and which groups of patterns can match a text of such bytes at all: most values are
//! waved through by one look-up.
//!
//! Every pattern is asked once, when the rules are loaded, what it cannot do without (an `@`, a digit, a literal); the
//! answer is tabulated over all sets of byte kinds.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of byte kinds, one bit each.
pub(in crate::redact) type Kinds = u16;

pub(in crate::redact) const DIGIT: Kinds = 1;
pub(in crate::redact) const UPPER: Kinds = 1 << 1;
pub(in crate::redact) const LOWER: Kinds = 1 << 2;
pub(in crate::redact) const SPACE: Kinds = 1 << 3;
pub(in crate::redact) const AT: Kinds = 1 << 4;
pub(in crate::redact) const DOT: Kinds = 1 << 5;
pub(in crate::redact) const DASH: Kinds = 1 << 6;
pub(in crate::redact) const UNDERSCORE: Kinds = 1 << 7;
pub(in crate::redact) const COLON: Kinds = 1 << 8;
pub(in crate::redact) const SLASH: Kinds = 1 << 9;
pub(in crate::redact) const PLUS: Kinds = 1 << 10;
pub(in crate::redact) const EQUALS: Kinds = 1 << 11;
/// `%` and `?`: the signs of an encoded or a parametrised URL.
pub(in crate::redact) const PERCENT: Kinds = 1 << 12;
/// Every other character of ASCII.
pub(in crate::redact) const OTHER: Kinds = 1 << 13;
pub(in crate::redact) const WIDE: Kinds = 1 << 14;
/// Quotes, brackets and the backslash: the signs of a document inside a text.
pub(in crate::redact) const STRUCTURE: Kinds = 1 << 15;

const KIND_OF: [Kinds; 256] = kinds_of_all();

const fn kinds_of_all() -> [Kinds; 256] {
    let mut table = [OTHER; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = match at as u8 {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b' ' | b'\t' | b'\n' | b'\r' => SPACE,
            b'@' => AT,
            b'.' => DOT,
            b'-' => DASH,
            b'_' => UNDERSCORE,
            b':' => COLON,
            b'/' => SLASH,
            b'+' => PLUS,
            b'=' => EQUALS,
            b'%' | b'?' => PERCENT,
            b'"' | b'\'' | b'\\' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b'(' | b')' => STRUCTURE,
            0x80.. => WIDE,
            _ => OTHER,
        };
        at += 1;
    }
    table
}

/// What ends a run of plain bytes in a JSON string, among the kinds of `JSON_KIND_OF`: a quote, a backslash, a control
/// character.
const JSON_END: u32 = 1 << 16;
const JSON_KIND_OF: [u32; 256] = json_kinds_of_all();

const fn json_kinds_of_all() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let ends = at < 0x20 || at == b'"' as usize || at == b'\\' as usize;
        table[at] = KIND_OF[at] as u32 | if ends { JSON_END } else { 0 };
        at += 1;
    }
    table
}

/// How many bytes of a JSON string stand as they are, and their kinds.
pub(in crate::redact) fn plain_in_json(bytes: &[u8]) -> (usize, Kinds) {
    let (mut len, mut kinds) = (0, 0);
    for byte in bytes {
        let kind = JSON_KIND_OF[usize::from(*byte)];
        if kind & JSON_END != 0 {
            break;
        }
        kinds |= kind;
        len += 1;
    }
    (len, kinds as Kinds)
}

/// The kind of one byte.
pub(in crate::redact) fn kind_of(byte: u8) -> Kinds {
    KIND_OF[usize::from(byte)]
}

/// The kinds of a text's bytes.
pub(in crate::redact) fn kinds_of(bytes: &[u8]) -> Kinds {
    bytes.iter().fold(0, |kinds, byte| kinds | kind_of(*byte))
}

/// What a text is made of, as far as patterns ask.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::redact) struct Made {
    kinds: Kinds,
    bytes: usize,
    digits: usize,
    /// The longest run of digits.
    digit_run: usize,
    /// The longest run of letters and digits of ASCII.
    word_run: usize,
}

impl Made {
    /// What a text of these kinds is made of.
    pub fn of(text: &[u8], kinds: Kinds) -> Self {
        let mut made = Self { kinds, bytes: text.len(), ..Self::default() };
        let (mut digits, mut word) = (0, 0);
        for byte in text {
            let kind = kind_of(*byte);
            let digit = usize::from(kind & DIGIT != 0);
            made.digits += digit;
            digits = (digits + 1) * digit;
            word = (word + 1) * usize::from(kind & WORD != 0);
            made.digit_run = made.digit_run.max(digits);
            made.word_run = made.word_run.max(word);
        }
        made
    }
}

/// Letters and digits of ASCII.
const WORD: Kinds = DIGIT | UPPER | LOWER;
/// Ways in which a pattern can match that are told apart, at most.
const WAYS_MAX: usize = 16;

/// What a pattern cannot do without: all that one of its ways needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Needs {
    ways: Vec<Way>,
    /// So many bytes, whichever way.
    pub bytes: usize,
}

/// What one way of matching cannot do without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    /// Of each set, a text must have at least one kind.
    sets: Vec<Kinds>,
    bytes: usize,
    digits: usize,
    digit_run: Run,
    word_run: Run,
}

impl Needs {
    /// The needs of a pattern.
    pub fn of(pattern: &Hir) -> Self {
        let mut ways = ways(pattern);
        for way in &mut ways {
            way.sets.sort_unstable();
            way.sets.dedup();
            // A set that holds another one is met whenever the other is.
            let all = way.sets.clone();
            way.sets.retain(|set| !all.iter().any(|other| other != set && other & set == *other));
        }
        Self { ways, bytes: pattern.properties().minimum_len().unwrap_or(0) }
    }

    /// Whether a text of these kinds can match.
    pub fn are_met(&self, kinds: Kinds) -> bool {
        self.ways.iter().any(|way| way.is_open(kinds))
    }

    /// Whether a text that is made so can match.
    pub fn are_met_by(&self, made: &Made) -> bool {
        self.bytes <= made.bytes && self.ways.iter().any(|way| way.is_open_for(made))
    }
}

impl Way {
    fn is_open(&self, kinds: Kinds) -> bool {
        self.sets.iter().all(|set| set & kinds != 0)
    }

    fn is_open_for(&self, made: &Made) -> bool {
        self.bytes <= made.bytes
            && self.digits <= made.digits
            && self.digit_run.longest <= made.digit_run
            && self.word_run.longest <= made.word_run
            && self.is_open(made.kinds)
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
        }
    }

    /// This way and then the other.
    fn then(&self, other: &Self) -> Self {
        Self {
            sets: [&self.sets[..], &other.sets].concat(),
            bytes: self.bytes + other.bytes,
            digits: self.digits + other.digits,
            digit_run: self.digit_run.then(&other.digit_run),
            word_run: self.word_run.then(&other.word_run),
        }
    }

    /// Either way.
    fn or(self, other: &Self) -> Self {
        // Of each way its rarest need: a text must meet one of them.
        let rarest = |sets: &[Kinds]| sets.iter().copied().min_by_key(|set| commonness(*set));
        let both = rarest(&self.sets).zip(rarest(&other.sets)).map(|(one, other)| one | other);
        Self {
            sets: both.into_iter().collect(),
            bytes: self.bytes.min(other.bytes),
            digits: self.digits.min(other.digits),
            digit_run: self.digit_run.or(&other.digit_run),
            word_run: self.word_run.or(&other.word_run),
        }
    }

    fn repeated(&self, times: usize) -> Self {
        Self {
            sets: self.sets.clone(),
            bytes: self.bytes * times,
            digits: self.digits * times,
            digit_run: self.digit_run.repeated(times),
            word_run: self.word_run.repeated(times),
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

/// Which patterns a text can match as far as its kinds of bytes tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Open {
    /// Some that are told by literals.
    pub literal: bool,
    /// Some that have none.
    pub plain: bool,
}

/// The needs of all patterns, tabulated over all sets of byte kinds.
pub(in crate::redact) struct Gate(Box<[Open]>);

impl Gate {
    /// Tabulates needs, each with whether its pattern is told by literals.
    pub fn of<'n>(needs: impl Iterator<Item = (&'n Needs, bool)>) -> Self {
        let mut distinct: Vec<(&Way, bool)> = Vec::new();
        for (way, literal) in needs.flat_map(|(needs, literal)| needs.ways.iter().map(move |way| (way, literal))) {
            if !distinct.iter().any(|(other, of)| *of == literal && other.sets == way.sets) {
                distinct.push((way, literal));
            }
        }
        let any = |kinds, literal| distinct.iter().any(|(way, of)| *of == literal && way.is_open(kinds));
        Self((0..=Kinds::MAX).map(|kinds| Open { literal: any(kinds, true), plain: any(kinds, false) }).collect())
    }

    /// What a text of these kinds can match.
    pub fn of_kinds(&self, kinds: Kinds) -> Open {
        self.0[usize::from(kinds)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs_of(pattern: &str) -> Needs {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        Needs::of(&parser.parse(pattern).unwrap())
    }

    #[test]
    fn a_pattern_tells_what_it_cannot_do_without() {
        let sets = |pattern: &str| united(needs_of(pattern).ways).sets;
        assert_eq!(sets("[a-z]+@x"), [LOWER, AT]);
        assert_eq!(sets(r"\b[0-9]{3}-?[0-9]{2}"), [DIGIT]);
        assert_eq!(sets("(?:sk_|AKIA)[0-9a-z]*"), [UPPER | UNDERSCORE]);
        assert_eq!(sets("x*"), [0; 0]);
        assert_eq!(united(needs_of(r"(?:[0-9]{3}-?[0-9]{2}[a-f0-9]{9}|1234567)x?").ways).digits, 5);
        assert_eq!(needs_of("(?:sk_|AKIA)[0-9a-z]{8}").bytes, 11);
    }

    #[test]
    fn each_way_has_needs_of_its_own() {
        let needs = needs_of(r"(?:^|[ ])(?:[a-z]{16}|[A-Z][0-9]{6}(?:-[0-9])?)\b");
        let met = |text: &str| needs.are_met_by(&Made::of(text.as_bytes(), kinds_of(text.as_bytes())));
        assert!(met("A123456") && met("abcdefghijklmnop"));
        assert!(!met("abcdefghijklmno") && !met("A12-3456") && !met("1234567") && !met("abcdefgh ijklmnop"));
    }

    #[test]
    fn runs_go_over_parts() {
        let runs = |pattern: &str| {
            let way = united(needs_of(pattern).ways);
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
            ] {
                let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).build().unwrap();
                let met = needs_of(pattern).are_met_by(&Made::of(text.as_bytes(), kinds_of(text.as_bytes())));
                prop_assert!(!regex.is_match(text.as_bytes()) || met, "{} in {:?}", pattern, text);
            }
        }
    }

    #[test]
    fn the_gate_opens_for_what_can_match() {
        let (at, number) = (needs_of("[a-z]@[a-z]"), needs_of("[0-9]{9}"));
        let gate = Gate::of([(&at, true), (&number, false)].into_iter());
        let open = |text: &str| gate.of_kinds(kinds_of(text.as_bytes()));
        assert_eq!(open("plain words"), Open::default());
        assert_eq!(open("a@b"), Open { literal: true, plain: false });
        assert_eq!(open("12 a@b"), Open { literal: true, plain: true });
    }
}
