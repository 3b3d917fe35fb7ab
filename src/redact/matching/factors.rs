//! Stretches of bytes that patterns without literals cannot do without: `\b[A-Z]{2}[0-9]{2}` needs four bytes of these
//! kinds at the start of a word. All stretches of a rule set are looked for at once, one bit for each of their bytes
//! (the shift-and search of Baeza-Yates and Gonnet, "A new approach to text searching", CACM 1992): some five
//! instructions for a byte of text, where asking a pattern costs hundreds.

use crate::redact::matching::bounds::Bounds;
use crate::redact::matching::needs::{Amounts, Needs};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Bytes of a stretch that are looked at, at most.
const STRETCH_BYTES_MAX: usize = 5;
/// Stretches of one pattern, at most: one for each of its alternatives.
const STRETCHES_MAX: usize = 4;
/// Words of the search, each with bits for the bytes of some stretches: no stretch goes over the end of a word.
pub(in crate::redact) const WORDS: usize = 4;

/// A set of bytes.
type Bytes = [bool; 256];
/// One bit for each place in a stretch.
pub(in crate::redact) type Places = [u64; WORDS];

/// The stretches that are followed through a text, and those met so far.
struct Follow {
    here: Places,
    found: Places,
}

impl Follow {
    /// Goes on with a byte that may stand at these places.
    #[inline]
    fn step(&mut self, starts: &Places, places: &Places) {
        for word in 0..WORDS {
            self.here[word] = (self.here[word] << 1 | starts[word]) & places[word];
            self.found[word] |= self.here[word];
        }
    }
}

/// Which patterns' stretches are in a text.
pub(in crate::redact) struct Factors {
    /// For each byte the places where it may stand.
    at: Box<[Places; 256]>,
    starts: Places,
    ends: Places,
    /// The pattern of each place that ends a stretch.
    pattern_of: Vec<[u16; 64]>,
    /// What a text must have for a place to matter.
    bounds: Bounds,
    /// Patterns without stretches, or for which there was no room.
    always: Vec<u16>,
}

impl Factors {
    /// The search for the stretches of patterns, each with its number and its needs.
    pub fn of<'p>(patterns: impl Iterator<Item = (u16, &'p Hir, &'p Needs)>) -> Self {
        let mut factors = Self {
            at: Box::new([[0; WORDS]; 256]),
            starts: [0; WORDS],
            ends: [0; WORDS],
            pattern_of: vec![[0; 64]; WORDS],
            bounds: Bounds::new(),
            always: Vec::new(),
        };
        let mut used = [0; WORDS];
        for (pattern, hir, needs) in patterns {
            let stretches = stretches(hir, false);
            let bits: usize = stretches.iter().map(Vec::len).sum();
            match used.iter().position(|used| bits > 0 && used + bits <= 64) {
                Some(word) => {
                    for stretch in &stretches {
                        let place = factors.add(stretch, pattern, word, &mut used[word]);
                        factors.bounds.add(&place, &needs.least);
                    }
                }
                None => factors.always.push(pattern),
            }
        }
        factors
    }

    /// Adds a stretch; the place of its last byte.
    fn add(&mut self, stretch: &[Bytes], pattern: u16, word: usize, used: &mut usize) -> Places {
        self.starts[word] |= 1 << *used;
        for bytes in stretch {
            for (places, _) in self.at.iter_mut().zip(bytes).filter(|(_, may)| **may) {
                places[word] |= 1 << *used;
            }
            *used += 1;
        }
        let last = used.saturating_sub(1);
        self.ends[word] |= 1 << last;
        self.pattern_of[word][last] = pattern;
        let mut place = [0; WORDS];
        place[word] = 1 << last;
        place
    }

    /// Hands every pattern to `each` that may match as far as its stretches and amounts tell; some of them more than once.
    pub fn search(&self, text: &[u8], made: &Amounts, mut each: impl FnMut(u16)) {
        self.always.iter().for_each(|pattern| each(*pattern));
        // Before and after a text there is no word.
        let around = &self.at[usize::from(b' ')];
        let mut follow = Follow { here: [0; WORDS], found: [0; WORDS] };
        follow.step(&self.starts, around);
        for byte in text {
            follow.step(&self.starts, &self.at[usize::from(*byte)]);
        }
        follow.step(&self.starts, around);
        let found = follow.found;
        let open = self.bounds.open(made);
        for (word, patterns) in self.pattern_of.iter().enumerate() {
            let mut ends = found[word] & self.ends[word] & open[word];
            while ends != 0 {
                each(patterns[ends.trailing_zeros() as usize]);
                ends &= ends - 1;
            }
        }
    }
}

/// Stretches of which every match has at least one, each of at least one byte; none if there are too many.
/// `word`: whether a word begins before them.
fn stretches(hir: &Hir, word: bool) -> Vec<Vec<Bytes>> {
    match hir.kind() {
        HirKind::Capture(capture) => stretches(&capture.sub, word),
        HirKind::Alternation(ways) => {
            let each: Vec<Vec<Vec<Bytes>>> = ways.iter().map(|way| stretches(way, word)).collect();
            let all = each.concat();
            match each.iter().any(Vec::is_empty) {
                true => Vec::new(),
                false if all.len() > STRETCHES_MAX => vec![united(&all)],
                false => all,
            }
        }
        _ => {
            let mut run = Run { word, ..Run::default() };
            run.add(hir);
            run.end();
            run.best
        }
    }
}

/// One stretch that is in a text whenever one of these is: at each place every byte that may stand there in any of them.
fn united(stretches: &[Vec<Bytes>]) -> Vec<Bytes> {
    let len = stretches.iter().map(Vec::len).min().unwrap_or(0);
    (0..len).map(|at| bytes(|b| stretches.iter().any(|one| one[at][usize::from(b)]))).collect()
}

/// The bytes at hand while a pattern is read from left to right.
#[derive(Default)]
struct Run {
    bytes: Vec<Bytes>,
    best: Vec<Vec<Bytes>>,
    /// Whether a word must begin with the next byte.
    word: bool,
}

impl Run {
    fn add(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Look(Look::WordAscii) => self.boundary(),
            HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|byte| self.push(one(*byte))),
            HirKind::Class(class) => self.push(bytes_of(class)),
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.add(part)),
            HirKind::Alternation(_) => {
                let word = self.word && self.bytes.is_empty();
                self.end();
                self.offer(stretches(hir, word));
            }
            HirKind::Repetition(repetition) if repetition.min == 0 => self.end(),
            HirKind::Repetition(repetition) => {
                let times = repetition.min.min(STRETCH_BYTES_MAX as u32);
                (0..times).for_each(|_| self.add(&repetition.sub));
                if repetition.max != Some(repetition.min) || repetition.min > times {
                    // What follows stands next to the last repeat.
                    self.end();
                    if let HirKind::Class(class) = repetition.sub.kind() {
                        (0..times).for_each(|_| self.push(bytes_of(class)));
                    }
                }
            }
        }
    }

    /// A word begins or ends here: which, the bytes around tell.
    fn boundary(&mut self) {
        match self.bytes.last() {
            None => self.word = true,
            Some(last) if (0..=255).all(|b: u8| !last[usize::from(b)] || is_word(b)) => {
                self.bytes.push(bytes(|b| !is_word(b)));
                self.end();
            }
            Some(_) => self.end(),
        }
    }

    fn push(&mut self, set: Bytes) {
        if std::mem::take(&mut self.word) && (0..=255).all(|b: u8| !set[usize::from(b)] || is_word(b)) {
            self.bytes.push(bytes(|b| !is_word(b)));
        }
        self.bytes.push(set);
    }

    fn end(&mut self) {
        self.word = false;
        let run = std::mem::take(&mut self.bytes);
        // The rarest part of a long run.
        let part = run.windows(STRETCH_BYTES_MAX.min(run.len()).max(1)).max_by(|a, b| rarity(a).total_cmp(&rarity(b)));
        if let Some(part) = part {
            self.offer(vec![part.to_vec()]);
        }
    }

    fn offer(&mut self, stretches: Vec<Vec<Bytes>>) {
        let worth = |all: &[Vec<Bytes>]| all.iter().map(|one| rarity(one)).fold(f64::INFINITY, f64::min);
        if !stretches.is_empty() && (self.best.is_empty() || worth(&stretches) > worth(&self.best)) {
            self.best = stretches;
        }
    }
}

/// How seldom a stretch is met by chance, were all bytes of ASCII alike.
fn rarity(stretch: &[Bytes]) -> f64 {
    let of_one = |bytes: &Bytes| (128.0 / bytes[..128].iter().filter(|may| **may).count().max(1) as f64).ln();
    stretch.iter().map(of_one).sum()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn bytes(may: impl Fn(u8) -> bool) -> Bytes {
    std::array::from_fn(|at| may(at as u8))
}

fn one(byte: u8) -> Bytes {
    bytes(|b| b == byte)
}

/// The bytes of a class; for one of characters beyond ASCII all that such characters are made of.
fn bytes_of(class: &Class) -> Bytes {
    match class {
        Class::Bytes(class) => bytes(|b| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b))),
        Class::Unicode(class) => bytes(|b| {
            let has = |c: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
            !b.is_ascii() || has(char::from(b))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::matching::gate::kinds_of;
    use proptest::prelude::*;
    use regex::bytes::RegexBuilder;
    use std::collections::BTreeSet;

    const PATTERNS: [&str; 9] = [
        r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){4,9}\b",
        r"\b[0-9](?:[ -]?[0-9]){5,9}\b",
        r"(?:^|[^0-9])[0-9]{1,3}(?:[./][0-9]{1,3}){1,3}\b",
        r"[a-z.]{1,9}@(?:[a-z]{1,5}\.){1,2}[a-z]",
        r"\b(?:[0-9]{3}[A-Z]|[A-Z]{2}[0-9]|x?[0-9]{2}-)z?",
        r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){2}\b",
        r"[0-9a-f]{0,4}:[0-9a-f]{0,4}:",
        r"\b[A-Z0-9]{3}\b",
        "x*",
    ];

    fn parsed(pattern: &str) -> Hir {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).unwrap()
    }

    fn found(text: &str) -> BTreeSet<u16> {
        let hirs = PATTERNS.map(parsed);
        let mut found = BTreeSet::new();
        let needs = hirs.each_ref().map(Needs::of);
        let patterns = (0..).zip(&hirs).zip(&needs).map(|((at, hir), needs)| (at, hir, needs));
        let made = Amounts::of(text.as_bytes(), kinds_of(text.as_bytes()));
        Factors::of(patterns).search(text.as_bytes(), &made, |pattern| {
            found.insert(pattern);
        });
        found
    }

    #[test]
    fn a_text_without_a_stretch_is_told() {
        assert_eq!(found("cus_8fAB12hdkTYb"), BTreeSet::from([8]));
        assert_eq!(found("DE89 3704"), BTreeSet::from([0, 1, 4, 8]));
        assert_eq!(found("a@b"), BTreeSet::from([8]));
        assert_eq!(found("a@b.c"), BTreeSet::from([3, 8]));
    }

    proptest! {
        #[test]
        fn no_pattern_with_a_match_is_left_out(text in "[ABde0-9x .:@_é-]{0,24}") {
            let found = found(&text);
            for (at, pattern) in (0_u16..).zip(PATTERNS) {
                let regex = RegexBuilder::new(pattern).unicode(false).build().unwrap();
                prop_assert!(!regex.is_match(text.as_bytes()) || found.contains(&at), "{pattern} in {text:?}");
            }
        }
    }
}
