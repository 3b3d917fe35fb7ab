//! Which literal texts a pattern cannot do without. A text that holds none of them need not be searched with the
//! pattern, and one automaton over the literals of all patterns tells that for hundreds at once (the idea is that of
//! the filter before RE2's sets of patterns).
//!
//! Literals are in lower case: they are searched without regard to the case of ASCII letters, which lets more texts
//! through, never fewer.

use memchr::memmem;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// Variants of one stretch of a pattern that are spelled out, at most: `[ _-]?` doubles and redoubles them.
const VARIANTS_MAX: usize = 16;
/// Variants of what stands beside a long list of words, at most.
const FEW_VARIANTS: usize = 8;
/// Alternatives of a pattern, each with its own literal, at most.
const LITERALS_MAX: usize = 512;
/// Longer literals are cut by ending a stretch, in bytes.
const LITERAL_BYTES_MAX: usize = 24;
/// Shorter literals are in too many texts, in bytes.
const LITERAL_BYTES_MIN: usize = 3;
/// Of so many literals one may be a byte shorter.
const SHORT_SHARE_MIN: usize = 50;
/// What is searched for of a literal, in bytes: the automaton is small enough to stay near the processor.
const SOUGHT_BYTES_MAX: usize = 6;
/// From this length on a longer literal is no better than a shorter one, in bytes.
const GOOD_BYTES: usize = 4;
/// A class of more characters than this is no literal.
const CLASS_MAX: usize = 6;

/// Texts in lower case of which every match of the pattern has at least one; `None` if there are none worth a search.
pub(in crate::redact) fn required(pattern: &Hir) -> Option<Vec<Vec<u8>>> {
    let part = Part::of(pattern);
    part.best().filter(is_useful)
}

/// The same in fewer and shorter texts: no text has one of those given without having one of these.
pub(in crate::redact) fn fewest(mut texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    texts.iter_mut().for_each(|text| text.truncate(SOUGHT_BYTES_MAX));
    texts.sort_unstable_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let mut fewest: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        if !fewest.iter().any(|one| memmem::find(&text, one).is_some()) {
            fewest.push(text);
        }
    }
    fewest
}

type Texts = Vec<Vec<u8>>;

/// What is known of a part of a pattern.
#[derive(Clone, Default)]
struct Part {
    /// Everything it can match, if that is little.
    exact: Option<Texts>,
    /// The best texts seen inside of which a match has at least one.
    inside: Option<Texts>,
}

impl Part {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::exactly(vec![Vec::new()]),
            HirKind::Literal(literal) => Self::exactly(vec![literal.0.to_ascii_lowercase()]),
            HirKind::Class(class) => Self { exact: texts_of(class), inside: None },
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => Self::repeated(repetition),
            HirKind::Concat(parts) => Stretch::through(parts),
            HirKind::Alternation(ways) => Self::one_of(ways),
        }
    }

    fn exactly(texts: Texts) -> Self {
        Self { exact: Some(texts), inside: None }
    }

    fn repeated(repetition: &Repetition) -> Self {
        let sub = Self::of(&repetition.sub);
        match (repetition.min, repetition.max) {
            (0, Some(1)) => {
                let exact = sub.exact.filter(|texts| texts.len() < VARIANTS_MAX).map(|mut texts| {
                    texts.push(Vec::new());
                    texts
                });
                Self { exact, inside: None }
            }
            (0, _) => Self::default(),
            (1, Some(1)) => sub,
            (min, max) if max == Some(min) => {
                let one = sub.exact.clone();
                let all = (1..min).try_fold(one.clone().unwrap_or_default(), |all, _| crossed(&all, one.as_ref()?));
                Self { exact: one.and(all), inside: sub.best() }
            }
            _ => Self { exact: None, inside: sub.best() },
        }
    }

    fn one_of(ways: &[Hir]) -> Self {
        let ways: Vec<Self> = ways.iter().map(Self::of).collect();
        let exact: Option<Vec<Texts>> = ways.iter().map(|way| way.exact.clone()).collect();
        let inside: Option<Vec<Texts>> = ways.iter().map(Self::best).collect();
        let joined = |texts: Vec<Texts>| {
            let mut texts = texts.concat();
            texts.sort_unstable();
            texts.dedup();
            (texts.len() <= LITERALS_MAX).then_some(texts)
        };
        Self { exact: exact.and_then(joined), inside: inside.and_then(joined) }
    }

    fn best(&self) -> Option<Texts> {
        better(self.exact.clone(), self.inside.clone())
    }
}

/// A stretch of a concatenation that is known exactly, while it grows.
struct Stretch {
    /// All variants of the stretch.
    texts: Texts,
    /// The part of it that has one variant only.
    single: Vec<u8>,
    best: Option<Texts>,
}

impl Stretch {
    fn through(parts: &[Hir]) -> Part {
        let mut stretch = Self { texts: vec![Vec::new()], single: Vec::new(), best: None };
        let mut whole = true;
        for part in parts {
            let Part { exact, inside } = Part::of(part);
            stretch.keep(inside);
            whole &= match exact {
                Some(texts) => stretch.grow(texts),
                None => stretch.end(),
            };
        }
        let exact = whole.then(|| stretch.texts.clone());
        stretch.end();
        Part { exact, inside: stretch.best }
    }

    /// Whether the stretch goes on unbroken.
    fn grow(&mut self, texts: Texts) -> bool {
        match &texts[..] {
            [one] => self.single.extend(one),
            _ => {
                let single = std::mem::take(&mut self.single);
                self.keep(Some(vec![single]));
            }
        }
        self.keep(Some(texts.clone()));
        if let Some(all) = crossed(&self.texts, &texts) {
            self.texts = all;
            return true;
        }
        self.end();
        if let [one] = &texts[..] {
            self.single.clone_from(one);
        }
        self.texts = texts;
        false
    }

    fn end(&mut self) -> bool {
        let texts = std::mem::replace(&mut self.texts, vec![Vec::new()]);
        let single = std::mem::take(&mut self.single);
        self.keep(Some(texts));
        self.keep(Some(vec![single]));
        false
    }

    fn keep(&mut self, texts: Option<Texts>) {
        self.best = better(self.best.take(), texts);
    }
}

/// Every one of `heads` followed by every one of `tails`, unless that is too much.
fn crossed(heads: &Texts, tails: &Texts) -> Option<Texts> {
    let longest = |texts: &Texts| texts.iter().map(Vec::len).max().unwrap_or(0);
    // One side may be a long list of words: `(?:Dear|Hi|..),?[ ]`.
    let few = heads.len().min(tails.len()) <= FEW_VARIANTS || heads.len() * tails.len() <= VARIANTS_MAX;
    let few = few && heads.len() * tails.len() <= LITERALS_MAX;
    if !few || longest(heads) + longest(tails) > LITERAL_BYTES_MAX {
        return None;
    }
    Some(heads.iter().flat_map(|head| tails.iter().map(|tail| [&head[..], tail].concat())).collect())
}

fn shortest(texts: &Texts) -> usize {
    texts.iter().map(Vec::len).min().unwrap_or(0)
}

/// A short literal or two among many longer ones are in few texts still.
fn is_useful(texts: &Texts) -> bool {
    let short = texts.iter().filter(|text| text.len() < LITERAL_BYTES_MIN).count();
    shortest(texts) + 1 >= LITERAL_BYTES_MIN && short * SHORT_SHARE_MIN <= texts.len()
}

/// The list that lets fewer texts through: no short literals, then few of them, then long ones.
fn better(one: Option<Texts>, other: Option<Texts>) -> Option<Texts> {
    let worth = |texts: &Texts| {
        let shortest = shortest(texts);
        (shortest.min(GOOD_BYTES), usize::MAX - texts.len(), shortest)
    };
    match (one, other) {
        (Some(one), Some(other)) => Some(if worth(&other) > worth(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// The characters of a small class, in lower case.
fn texts_of(class: &Class) -> Option<Texts> {
    let mut texts: Texts = Vec::new();
    let mut add = |text: &[u8]| {
        let text = text.to_ascii_lowercase();
        if !texts.contains(&text) {
            texts.push(text);
        }
        texts.len() <= CLASS_MAX
    };
    let small = match class {
        Class::Bytes(class) => class.ranges().iter().flat_map(|r| r.start()..=r.end()).all(|byte| add(&[byte])),
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .all(|c| add(c.encode_utf8(&mut [0; 4]).as_bytes())),
    };
    small.then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Vec<String> {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let texts = required(&parser.parse(pattern).unwrap()).unwrap_or_default();
        texts.into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
    }

    #[test]
    fn literals_are_those_that_let_the_fewest_texts_through() {
        assert_eq!(of(r"\bAKIA[A-Z0-9]{16}\b"), ["akia"]);
        assert_eq!(of("gh[pousr]_[A-Za-z0-9]{36}"), ["gho_", "ghp_", "ghr_", "ghs_", "ghu_"]);
        assert_eq!(of("(?i:social[ _-]?security[ _-]?number)[0-9]+"), ["security"]);
        assert_eq!(of(r"[0-9]{2}-us[0-9]"), ["-us"]);
        assert_eq!(of("(?:of|by)[ ][A-Z]+"), ["by ", "of "]);
        assert_eq!(of("(?:tok_|[0-9]{4}AZDO)x"), ["azdo", "tok_"]);
    }

    #[test]
    fn patterns_without_literals_are_told() {
        for pattern in ["[0-9]{16}", "a?b?", "(?:secret|[0-9]+)", "[A-Za-z]+@[a-z]+", "SK[0-9]+"] {
            assert_eq!(of(pattern), [""; 0], "{pattern}");
        }
    }
}
