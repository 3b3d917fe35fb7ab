//! Dictionaries for packing: trained from an integration's own redacted bodies, of what very many of them share.
//!
//! **Invariant:** a dictionary holds no text that only few bodies have, so nobody's data outlives its capture in one. In the
//! place of such text stands text drawn by lot from the same kind of characters: zstd learns from it how often each
//! character comes, and where words end.

use crate::exchange::Integration;
use crate::store::codec::Dictionary;
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Bodies and blocks a dictionary is trained from.
const SAMPLES: usize = 600;
/// Bytes of them at most; more takes longer and packs no better.
const SAMPLES_BYTES_MAX: usize = 1 << 20;
/// The part of one that is looked at, bytes.
const SAMPLE_BYTES_MAX: usize = 8 << 10;
/// Bytes of a dictionary. Most of the gain is in the first few KiB, and packing touches all of it.
const DICTIONARY_BYTES: usize = 16 << 10;
/// A word stays in the samples if one of so many has it.
const WORD_SHARE: usize = 12;
/// The most digits of a word that stays: numbers of more belong to somebody.
const WORD_DIGITS_MAX: usize = 3;
/// Characters that are remembered of each kind of word, to draw from.
const DRAWN_FROM_MAX: usize = 64 << 10;

/// What an integration's dictionary is trained from.
#[derive(Debug)]
pub struct Samples {
    /// Whose.
    pub integration: Integration,
    bodies: Vec<Bytes>,
    bytes: usize,
}

/// The dictionaries in use, and the samples for those that are not there yet.
#[derive(Debug, Default)]
pub struct Dictionaries {
    ready: ArcSwap<HashMap<Integration, Arc<Dictionary>>>,
    /// Those that are no longer in the file, for what was packed with them and is still on its way.
    gone: ArcSwap<HashMap<i64, Arc<Dictionary>>>,
    /// None: they were handed over.
    collecting: Mutex<HashMap<Integration, Option<Samples>>>,
}

impl Dictionaries {
    /// The dictionary of an integration.
    pub fn of(&self, integration: &str) -> Option<Arc<Dictionary>> {
        self.ready.load().get(integration).cloned()
    }

    /// From now on the integration's bodies are packed with it. Its row is committed.
    pub fn use_from_now(&self, integration: Integration, dictionary: Arc<Dictionary>) {
        self.ready.rcu(|now| {
            let mut next = HashMap::clone(now);
            next.insert(Arc::clone(&integration), Arc::clone(&dictionary));
            next
        });
    }

    /// From now on bodies are packed with the last of these of each integration, which are what the file holds; an
    /// integration that lost its dictionary trains another.
    pub fn are_now(&self, rows: Vec<(i64, Integration, Vec<u8>)>) {
        let old = self.ready.load_full();
        let newest: HashMap<Integration, (i64, Vec<u8>)> =
            rows.into_iter().map(|(id, integration, bytes)| (integration, (id, bytes))).collect();
        let mut next: HashMap<Integration, Arc<Dictionary>> = HashMap::new();
        for (integration, (id, bytes)) in newest {
            let known = old.get(&integration).filter(|known| known.id == id).cloned();
            if let Some(ready) = known.or_else(|| Dictionary::new(id, &bytes).map(Arc::new)) {
                next.insert(integration, ready);
            }
        }
        let mut gone = HashMap::clone(&self.gone.load());
        for (integration, dictionary) in old.iter() {
            if next.get(integration).is_none_or(|now| now.id != dictionary.id) {
                gone.insert(dictionary.id, Arc::clone(dictionary));
                self.collecting.lock().unwrap_or_else(PoisonError::into_inner).remove(integration);
            }
        }
        self.gone.store(Arc::new(gone));
        self.ready.store(Arc::new(next));
    }

    /// The dictionary of that number, if it was replaced in the file.
    pub fn gone(&self, id: i64) -> Option<Arc<Dictionary>> {
        let gone = self.gone.load();
        if gone.is_empty() { None } else { gone.get(&id).cloned() }
    }

    /// Adds a sample of an integration without dictionary; the whole lot once there are enough.
    pub fn collect(&self, integration: &Integration, body: &Bytes) -> Option<Samples> {
        let mut all = self.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Some(Samples { integration: Arc::clone(integration), bodies: Vec::new(), bytes: 0 });
        let slot = all.entry(Arc::clone(integration)).or_insert_with(fresh);
        let samples = slot.as_mut()?;
        let part = body.slice(..body.len().min(SAMPLE_BYTES_MAX));
        samples.bytes += part.len();
        samples.bodies.push(part);
        let enough = samples.bodies.len() >= SAMPLES || samples.bytes >= SAMPLES_BYTES_MAX;
        if enough { slot.take() } else { None }
    }
}

impl Samples {
    /// The dictionary; none where they have too little in common.
    pub fn train(&self) -> Option<Vec<u8>> {
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for body in &self.bodies {
            let words: HashSet<&[u8]> = words(body).flat_map(|word| parts(word).chain([word])).collect();
            for word in words {
                *counts.entry(word).or_default() += 1;
            }
        }
        let shared = (self.bodies.len() / WORD_SHARE).max(WORD_SHARE);
        let stays = |word: &[u8]| {
            let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
            digits <= WORD_DIGITS_MAX && counts.get(word).is_some_and(|count| *count >= shared)
        };
        let mut lots = Lots::default();
        for word in self.bodies.iter().flat_map(|body| words(body)).filter(|word| !stays(word)) {
            parts(word).filter(|part| !stays(part)).for_each(|part| lots.learn(part));
        }
        let common: Vec<Vec<u8>> = self.bodies.iter().map(|body| common(body, stays, &mut lots)).collect();
        zstd::dict::from_samples(&common, DICTIONARY_BYTES).ok()
    }
}

/// A body with lots in the place of what does not stay.
fn common(body: &[u8], stays: impl Fn(&[u8]) -> bool, lots: &mut Lots) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for piece in pieces(body) {
        if !is_word(piece) || stays(piece) {
            out.extend_from_slice(piece);
            continue;
        }
        for part in piece.chunk_by(|one, next| is_joint(*one) == is_joint(*next)) {
            match is_joint(part[0]) || stays(part) {
                true => out.extend_from_slice(part),
                false => lots.draw(part, &mut out),
            }
        }
    }
    out
}

/// Characters of the words that do not stay, by their kinds, to draw others from: as often as each comes, in no order.
#[derive(Default)]
struct Lots {
    seen: HashMap<(Kind, Kind), Vec<u8>>,
    state: u64,
}

/// Of a word, and of a character in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Digits,
    Hex,
    Lower,
    Upper,
    Other,
}

impl Kind {
    fn of(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digits,
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            _ => Self::Other,
        }
    }

    fn of_word(word: &[u8]) -> Self {
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        match word.iter().any(u8::is_ascii_digit) {
            true if word.iter().all(u8::is_ascii_digit) => Self::Digits,
            true if word.iter().all(hex) => Self::Hex,
            true => Self::Other,
            false => Self::Lower,
        }
    }

    /// The kind under which a character of a word is drawn: hexadecimal digits are one kind.
    fn lot(word: Self, byte: u8) -> (Self, Self) {
        (word, if word == Self::Hex { Self::Hex } else { Self::of(byte) })
    }
}

impl Lots {
    fn learn(&mut self, part: &[u8]) {
        let word = Kind::of_word(part);
        for byte in part {
            let seen = self.seen.entry(Kind::lot(word, *byte)).or_default();
            if seen.len() < DRAWN_FROM_MAX {
                seen.push(*byte);
            }
        }
    }

    fn draw(&mut self, part: &[u8], out: &mut Vec<u8>) {
        let word = Kind::of_word(part);
        for byte in part {
            // Knuth's linear congruential generator: an even spread is all that is asked.
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let seen = self.seen.get(&Kind::lot(word, *byte)).filter(|seen| !seen.is_empty());
            out.push(seen.map_or(b'x', |seen| seen[(self.state >> 33) as usize % seen.len()]));
        }
    }
}

fn is_word(piece: &[u8]) -> bool {
    piece.first().is_some_and(|byte| in_word(*byte))
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || is_joint(byte)
}

/// What joins the parts of a word.
fn is_joint(byte: u8) -> bool {
    matches!(byte, b'_' | b'@' | b'.' | b'-' | b'+' | b'%' | b'\'')
}

/// Words and what stands between them.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.chunk_by(|one, next| in_word(*one) == in_word(*next))
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    pieces(text).filter(|piece| is_word(piece))
}

/// The parts of a word: of `cus_1f2e` the prefix is shared and the rest is somebody's.
fn parts(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    word.split(|byte| is_joint(*byte)).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_packs_better_and_holds_nobody() {
        let dictionaries = Dictionaries::default();
        let integration: Integration = "pay".into();
        let body = |n: usize| {
            let text = format!(
                r#"{{"customer_reference":"c{n}x","full_name":"Person Number{n:x}q","status":"active","currency":"EUR",
                "created_at":"2026-01-01T00:00:00Z","mandate":{{"scheme":"sepa_core","iban":"DE{}"}},"amount":{}}}"#,
                n * 7_919,
                n % 100
            );
            Bytes::from(text)
        };
        let samples = (0..SAMPLES).find_map(|n| dictionaries.collect(&integration, &body(n))).unwrap();
        assert!(dictionaries.collect(&integration, &body(1)).is_none(), "handed over once");
        let bytes = samples.train().unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("customer_reference") && holds("sepa_core"));
        for n in 0..SAMPLES {
            let (name, iban) = (format!("Number{n:x}q"), format!("DE{}", n * 7_919));
            assert!(!holds(&name) && (iban.len() < 7 || !holds(&iban)), "{name} {iban}");
        }
        let dictionary = Dictionary::new(20, &bytes).unwrap();
        let mut packer = crate::store::codec::Packer::default();
        let (with, without) = (packer.pack(&body(9_999), Some(&dictionary)), packer.pack(&body(9_999), None));
        assert!(with.1.len() * 2 < without.1.len(), "{} {}", with.1.len(), without.1.len());
    }
}
