//! The shape of an answer: which paths its JSON has and of which types, as one number. Equal shapes, equal numbers.

use crate::compare::tape::{Tape, Token};

/// The shape of what is no JSON, or absent.
pub const NO_SHAPE: u64 = 0;

// FNV-1a: written down here because the number is stored, and the standard library's hashes may change.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The shape of a document: the set of its paths and types, whatever the order, the lengths and the values. Never
/// [`NO_SHAPE`], and fits a signed integer.
pub(in crate::compare) fn of(tape: &Tape<'_>) -> u64 {
    let mut parts = Vec::with_capacity(64);
    walk(tape, 0, BASIS, &mut parts);
    parts.sort_unstable();
    parts.dedup();
    let whole = parts.iter().fold(BASIS, |hash, part| step(hash, &part.to_le_bytes()));
    (whole >> 1).max(1)
}

fn walk(tape: &Tape<'_>, at: usize, path: u64, parts: &mut Vec<u64>) {
    let token = tape.token(at);
    parts.push(step(path, &[kind(token)]));
    match token {
        Token::Object(_) => {
            for key in tape.members(at) {
                if let Token::Key(name) = tape.token(key) {
                    walk(tape, key + 1, step(step(path, b"."), name.as_bytes()), parts);
                }
            }
        }
        Token::Array(_) => {
            let item = step(path, b"[]");
            tape.members(at).for_each(|at| walk(tape, at, item, parts));
        }
        _ => {}
    }
}

fn step(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
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
