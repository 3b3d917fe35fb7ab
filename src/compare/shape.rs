//! The shape of an answer: which paths its JSON has and of which types, as one number. Equal shapes, equal numbers.

use crate::compare::tape::{Tape, Token};

/// The shape of what is no JSON, or absent.
pub const NO_SHAPE: u64 = 0;

// Written down here because the number is stored, and the hashes of libraries may change: each word of eight bytes is
// folded in by a multiplication whose halves are joined.
pub(in crate::compare) const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Parts met last, to meet the items of a list once.
const MET: usize = 128;

struct Parts {
    all: Vec<u64>,
    met: [u64; MET],
}

impl Parts {
    fn add(&mut self, part: u64) {
        let met = &mut self.met[part as usize % MET];
        if *met != part {
            *met = part;
            self.all.push(part);
        }
    }
}

/// The shape of a document: the set of its paths and types, whatever the order, the lengths and the values. Never
/// [`NO_SHAPE`], and fits a signed integer.
pub(in crate::compare) fn of(tape: &Tape<'_>) -> u64 {
    let mut parts = Parts { all: Vec::with_capacity(64), met: [0; MET] };
    walk(tape, 0, BASIS, &mut parts);
    parts.all.sort_unstable();
    parts.all.dedup();
    let whole = parts.all.iter().fold(BASIS, |hash, part| fold(hash, *part));
    (whole >> 1).max(1)
}

fn walk(tape: &Tape<'_>, at: usize, path: u64, parts: &mut Parts) {
    let token = tape.token(at);
    parts.add(fold(path, u64::from(kind(token))));
    match token {
        Token::Object(_) => {
            for key in tape.members(at) {
                if let Token::Key(name) = tape.token(key) {
                    walk(tape, key + 1, member(path, name.as_bytes()), parts);
                }
            }
        }
        Token::Array(_) => {
            let item = fold(path, ITEM);
            tape.members(at).for_each(|at| walk(tape, at, item, parts));
        }
        _ => {}
    }
}

/// The step into a list; no name is so long that its length would be this.
pub(in crate::compare) const ITEM: u64 = u64::MAX;

pub(in crate::compare) fn member(path: u64, name: &[u8]) -> u64 {
    let (words, rest) = name.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash = words.iter().fold(fold(path, name.len() as u64), |hash, word| fold(hash, u64::from_le_bytes(*word)));
    fold(hash, u64::from_le_bytes(last))
}

pub(in crate::compare) fn fold(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word) * u128::from(FACTOR);
    (product as u64 ^ (product >> 64) as u64).rotate_left(23).wrapping_add(BASIS)
}

/// The JSON type of a value; every number is of one type.
pub(in crate::compare) fn kind(token: &Token<'_>) -> u8 {
    match token {
        Token::Null => 0,
        Token::Bool(_) => 1,
        Token::Unsigned(_) | Token::Signed(_) | Token::Float(_) => 2,
        Token::Text(_) | Token::Key(_) => 3,
        Token::Array(_) => 4,
        Token::Object(_) => 5,
    }
}
