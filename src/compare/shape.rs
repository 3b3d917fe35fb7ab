//! The shape of an answer: which paths its JSON has and of which types, as one number. Equal shapes, equal numbers.

use crate::compare::tape::Token;

/// The shape of what is no JSON, or absent.
pub const NO_SHAPE: u64 = 0;

// Written down here because the number is stored, and the hashes of libraries may change: each word of eight bytes is
// folded in by a multiplication whose halves are joined.
pub(in crate::compare) const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Parts met last, to meet the items of a list once.
const MET: usize = 128;

/// The paths of a document, each with the type of what is there.
pub(in crate::compare) struct Parts {
    all: Vec<u64>,
    met: [u64; MET],
}

impl Default for Parts {
    fn default() -> Self {
        Self { all: Vec::with_capacity(64), met: [0; MET] }
    }
}

impl Parts {
    pub(in crate::compare) fn add(&mut self, part: u64) {
        let met = &mut self.met[part as usize % MET];
        if *met != part {
            *met = part;
            self.all.push(part);
        }
    }

    /// The shape of the document: the set of its parts, whatever the order, the lengths and the values. Never
    /// [`NO_SHAPE`], and fits a signed integer.
    pub(in crate::compare) fn shape(mut self) -> u64 {
        self.all.sort_unstable();
        self.all.dedup();
        let whole = self.all.iter().fold(BASIS, |hash, part| fold(hash, *part));
        (whole >> 1).max(1)
    }
}

/// The step into a list; no name is so long that its length would be this.
pub(in crate::compare) const ITEM: u64 = u64::MAX;

pub(in crate::compare) fn member(path: u64, name: &[u8]) -> u64 {
    let (words, rest) = name.as_chunks::<8>();
    let hash = words.iter().fold(fold(path, name.len() as u64), |hash, word| fold(hash, u64::from_le_bytes(*word)));
    fold(hash, last_word(rest))
}

/// Fewer than eight bytes as a word, without a call to copy them.
fn last_word(bytes: &[u8]) -> u64 {
    let (mut word, mut rest, mut bits) = (0, bytes, 0);
    if let Some((four, after)) = rest.split_first_chunk() {
        (word, rest, bits) = (u64::from(u32::from_le_bytes(*four)), after, 32);
    }
    if let Some((two, after)) = rest.split_first_chunk() {
        word |= u64::from(u16::from_le_bytes(*two)) << bits;
        (rest, bits) = (after, bits + 16);
    }
    word | rest.first().map_or(0, |byte| u64::from(*byte) << bits)
}

pub(in crate::compare) fn fold(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word) * u128::from(FACTOR);
    (product as u64 ^ (product >> 64) as u64).rotate_left(23).wrapping_add(BASIS)
}

/// The JSON type of a value; every number is of one type.
pub(in crate::compare) fn kind(token: Token<'_>) -> u8 {
    match token {
        Token::Null => 0,
        Token::Bool(_) => 1,
        Token::Unsigned(_) | Token::Signed(_) | Token::Float(_) => 2,
        Token::Text(_) | Token::Key(..) => 3,
        Token::Array(..) => 4,
        Token::Object(..) => 5,
    }
}
