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

/// The kind of one byte.
pub(in crate::redact) fn kind_of(byte: u8) -> Kinds {
    KIND_OF[usize::from(byte)]
}

/// The kinds of a text's bytes.
pub(in crate::redact) fn kinds_of(bytes: &[u8]) -> Kinds {
    bytes.iter().fold(0, |kinds, byte| kinds | kind_of(*byte))
}

/// What a pattern cannot do without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::redact) struct Needs {
    /// Of each set, a text must have at least one kind.
    sets: Vec<Kinds>,
    /// So many digits.
    pub digits: usize,
    /// So many bytes.
    pub bytes: usize,
}

impl Needs {
    /// The needs of a pattern.
    pub fn of(pattern: &Hir) -> Self {
        let mut needs = needs(pattern);
        needs.sort_unstable();
        needs.dedup();
        // A set that holds another one is met whenever the other is.
        let all = needs.clone();
        needs.retain(|set| !all.iter().any(|other| other != set && other & set == *other));
        Self { sets: needs, digits: digits(pattern), bytes: pattern.properties().minimum_len().unwrap_or(0) }
    }

    /// Whether a text of these kinds can match.
    pub fn are_met(&self, kinds: Kinds) -> bool {
        self.sets.iter().all(|set| set & kinds != 0)
    }
}

fn needs(hir: &Hir) -> Vec<Kinds> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().map(|byte| kind_of(*byte)).collect(),
        HirKind::Class(class) => vec![kinds_of_class(class)],
        HirKind::Repetition(repetition) if repetition.min == 0 => Vec::new(),
        HirKind::Repetition(repetition) => needs(&repetition.sub),
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(needs).collect(),
        HirKind::Alternation(ways) => {
            // Of each way its rarest need: a text must meet one of them.
            let strictest = |way: &Hir| needs(way).into_iter().min_by_key(|set| commonness(*set));
            let each: Option<Vec<Kinds>> = ways.iter().map(strictest).collect();
            each.map(|sets| sets.into_iter().fold(0, |all, set| all | set)).into_iter().collect()
        }
    }
}

/// The digits that every match has.
fn digits(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.iter().filter(|byte| byte.is_ascii_digit()).count(),
        HirKind::Class(class) => usize::from(kinds_of_class(class) == DIGIT),
        HirKind::Repetition(repetition) => digits(&repetition.sub) * repetition.min as usize,
        HirKind::Capture(capture) => digits(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(digits).sum(),
        HirKind::Alternation(ways) => ways.iter().map(digits).min().unwrap_or(0),
    }
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
        let mut distinct: Vec<(&Needs, bool)> = Vec::new();
        for (need, literal) in needs {
            if !distinct.iter().any(|(other, of)| *of == literal && other.sets == need.sets) {
                distinct.push((need, literal));
            }
        }
        let any = |kinds, literal| distinct.iter().any(|(needs, of)| *of == literal && needs.are_met(kinds));
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

    fn needs_of(pattern: &str) -> Needs {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        Needs::of(&parser.parse(pattern).unwrap())
    }

    #[test]
    fn a_pattern_tells_what_it_cannot_do_without() {
        assert_eq!(needs_of("[a-z]+@x").sets, [LOWER, AT]);
        assert_eq!(needs_of(r"\b[0-9]{3}-?[0-9]{2}").sets, [DIGIT]);
        assert_eq!(needs_of("(?:sk_|AKIA)[0-9a-z]*").sets, [UPPER | UNDERSCORE]);
        assert_eq!(needs_of("x*").sets, [0; 0]);
        assert_eq!(needs_of(r"(?:[0-9]{3}-?[0-9]{2}[a-f0-9]{9}|1234567)x?").digits, 5);
        assert_eq!(needs_of("(?:sk_|AKIA)[0-9a-z]{8}").bytes, 11);
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
