//! What is searched for because of a value that was replaced: the value, its digits, the words of a name.

use crate::redact::evidence::looks;
use crate::redact::stand_in::kind::{Kind, digits_of, is_digits_and_separators};

/// Shorter values occur by chance.
const BYTES_MIN: usize = 6;
/// Parts of names down to this length are replaced where they stand as words of their own.
pub(super) const WORD_BYTES_MIN: usize = 4;
/// Parts of names in scripts without capitals, from so many characters on.
const UNCASED_CHARS_MIN: usize = 4;
/// Shorter words of a name are words of identifiers too, in bytes.
const SLUG_WORD_BYTES_MIN: usize = 3;
/// Digits without their separators, from this many on.
const DIGITS_MIN: usize = 8;
/// Texts of our own stand-ins, which a raw value may happen to be part of.
const OWN: &str = "person- user- masked @example.invalid https://example.invalid/ addr- tok- date- word- hash-";
/// What is compared of a longer value, in bytes: who can read so much of a secret can read it.
pub(super) const COMPARED_BYTES_MAX: usize = 64;
/// Longer values are not replaced where they are mentioned, in bytes: the body that shows one is dropped.
pub(super) const REPLACED_BYTES_MAX: usize = 512;
/// A value that was replaced.
pub(in crate::redact) struct Needle<'a> {
    pub raw: &'a str,
    pub fresh: &'a str,
    pub kind: Kind,
    /// Whether it is a word that fields are called by: a Mr Street is replaced where he is mentioned, and no reason to drop
    /// a body with an address.
    pub is_field_name: bool,
}

/// A text to search for.
pub(super) struct Sought {
    /// The first four bytes of the text, case folded.
    pub start: u32,
    /// At most its first 64 bytes, in lower case.
    pub lower: String,
    /// The same as it was written.
    pub text: String,
    /// What follows it in a longer value.
    pub rest: String,
    /// What replaces it; `None`: the stand-in of a name, made where one is found.
    pub fresh: Option<String>,
    pub rank: Rank,
    /// Whether it is a person's name, or a part of one.
    pub person: bool,
    /// The longest other text sought that this one begins with.
    pub shorter: Option<usize>,
}

/// What finding a text means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It is replaced; where that fails the body is dropped.
    Whole,
    /// It was cut to 64 bytes. It is replaced where the rest follows; else the body is dropped.
    Head,
    /// It counts only as a word of its own, in its own case; it is replaced, but is no reason to drop.
    Word,
}

/// The bits in which the cases of four letters differ.
pub(super) const CASES: u32 = 0x2020_2020;

/// The first four bytes, without regard to case.
pub(super) fn start_of(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|four| u32::from_le_bytes(*four) | CASES)
}

/// Adds what is searched for because of one value.
pub(super) fn texts(needle: &Needle<'_>, all: &mut Vec<Sought>) {
    let raw = match needle.kind {
        // The stand-in keeps the head, and the claims that are nobody's: what must not be readable is the proof.
        Kind::Jwt => needle.raw.rsplit('.').next().unwrap_or_default(),
        _ => needle.raw.trim(),
    };
    let mut add = |text: &str, fresh: Option<&str>, rank, person| {
        let head = &text[..text.floor_char_boundary(COMPARED_BYTES_MAX)];
        let lower = head.to_ascii_lowercase();
        // A raw value may happen to be a part of what our own stand-ins are made of, in which there is no digit.
        let is_own = || !lower.bytes().any(|b| b.is_ascii_digit()) && OWN.contains(&lower);
        if let Some(start) = start_of(head.as_bytes()).filter(|_| !is_own()) {
            all.push(Sought {
                start,
                lower,
                text: head.to_owned(),
                rest: if text.len() > REPLACED_BYTES_MAX { String::new() } else { text[head.len()..].to_owned() },
                fresh: fresh.map(str::to_owned),
                rank: if head.len() < text.len() { Rank::Head } else { rank },
                person,
                shorter: None,
            });
        }
    };
    if is_place_name(needle.kind, raw) {
        return;
    }
    if raw.len() >= BYTES_MIN {
        let rank = if needle.is_field_name { Rank::Word } else { Rank::Whole };
        add(raw, Some(needle.fresh), rank, needle.kind == Kind::Person);
    }
    if is_digits_and_separators(raw) {
        let digits = digits_of(raw);
        if digits.len() >= DIGITS_MIN && digits.len() < raw.len() {
            add(&digits, Some(&digits_of(needle.fresh)), Rank::Whole, false);
        }
    }
    if needle.kind == Kind::Person {
        let whole = raw.len() >= BYTES_MIN;
        let names = raw.split_whitespace().filter(|word| word.len() >= WORD_BYTES_MIN && !(whole && *word == raw));
        let names = names.filter(|word| is_written_as_part_of_name(word));
        names.for_each(|word| add(word, None, Rank::Word, true));
        slugs(raw).for_each(|slug| add(&slug, Some(needle.fresh), Rank::Word, true));
        turned(raw).for_each(|name| add(&name, Some(needle.fresh), Rank::Word, true));
    }
    if needle.kind == Kind::Email {
        for name in looks::names_in_mailbox(raw).iter().filter(|name| name.len() >= WORD_BYTES_MIN) {
            add(name, None, Rank::Word, true);
        }
    }
}

/// A name of two words with the last one first, and that in capitals: `Lovelace, Ada`, `LOVELACE ADA`.
fn turned(name: &str) -> impl Iterator<Item = String> {
    let plain = |word: &str| word.len() >= SLUG_WORD_BYTES_MIN && word.chars().all(char::is_alphabetic);
    let (first, last) = name.split_once(' ').unwrap_or_default();
    let first = first.trim_end_matches(',');
    let names = (plain(first) && plain(last)).then(|| {
        let turned = [last, " ", first].concat();
        let capitals = turned.to_uppercase();
        [turned, [last, ", ", first].concat(), capitals]
    });
    names.into_iter().flatten()
}

/// How a name of two words is written in addresses of pages and in identifiers: `ada-lovelace`, `lovelace.ada`.
fn slugs(name: &str) -> impl Iterator<Item = String> {
    let is_plain = |word: &str| word.len() >= SLUG_WORD_BYTES_MIN && word.bytes().all(|b| b.is_ascii_alphabetic());
    let words = name.split_once(' ').filter(|(first, last)| is_plain(first) && is_plain(last));
    words.into_iter().flat_map(|(first, last)| {
        ["-", ".", "_"].into_iter().flat_map(move |sign| {
            [[first, sign, last].concat(), [last, sign, first].concat()].map(|slug| slug.to_ascii_lowercase())
        })
    })
}

/// Whether a word of a name is told from other words by a capital, or by its length where a script has no capitals.
fn is_written_as_part_of_name(word: &str) -> bool {
    word.chars().next().is_some_and(|first| {
        first.is_uppercase()
            || first.is_alphabetic() && !first.is_lowercase() && word.chars().count() >= UNCASED_CHARS_MIN
    })
}

/// A town or a country by itself is in time zones, bank names and product texts too, and leads to nobody.
fn is_place_name(kind: Kind, raw: &str) -> bool {
    kind == Kind::Address && !raw.bytes().any(|b| b.is_ascii_digit()) && raw.split_whitespace().count() == 1
}
