//! What kinds of bytes a text has, and which groups of patterns can match a text of such bytes at all: most values are
//! waved through by one look-up.

use crate::redact::matching::needs::Needs;

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
        let mut distinct: Vec<(&[Kinds], bool)> =
            needs.flat_map(|(needs, literal)| needs.sets().map(move |sets| (sets, literal))).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let is_open = |sets: &[Kinds], kinds| sets.iter().all(|set| set & kinds != 0);
        let any = |kinds, literal| distinct.iter().any(|(sets, of)| *of == literal && is_open(sets, kinds));
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
    fn the_gate_opens_for_what_can_match() {
        let (at, number) = (needs_of("[a-z]@[a-z]"), needs_of("[0-9]{9}"));
        let gate = Gate::of([(&at, true), (&number, false)].into_iter());
        let open = |text: &str| gate.of_kinds(kinds_of(text.as_bytes()));
        assert_eq!(open("plain words"), Open::default());
        assert_eq!(open("a@b"), Open { literal: true, plain: false });
        assert_eq!(open("12 a@b"), Open { literal: true, plain: true });
    }
}
