//! The last check: nothing that was just replaced may still be readable in what is kept, in any encoding.
//!
//! The search looks at three bytes at every second place, so it costs the same for one value and for thousands: the first
//! three bytes of every value, and the three after its first one, are marks in a small table, and only where a mark is set
//! is a value looked up, by halving the sorted list of those that begin so. Values are compared by their first 64 bytes at
//! most, which keeps the search linear whatever the values and the text are.

use crate::redact::evidence::looks;
use crate::redact::format::{charset, form, markup, mime, nested};
use crate::redact::matching::gate::{
    COLON, DASH, DIGIT, Kinds, LOWER, OTHER, PERCENT, PLUS, SLASH, SPACE, STRUCTURE, UNDERSCORE, UPPER, kind_of,
};
use crate::redact::rule::rules::{Action, PseudonymKey};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym::replace;
use crate::redact::stand_in::sought::{
    CASES, COMPARED_BYTES_MAX, Needle, Rank, Sought, WORD_BYTES_MIN, start_of, texts,
};
use crate::redact::stand_in::spellings::Spellings;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;
use std::ops::Range;

/// Shorter runs of the base64 alphabet hold no value worth a decoding.
const BASE64_BYTES_MIN: usize = 24;
/// The table of starts has so many marks for each value, so that few are set by chance; and at least 2^12.
const MARKS_PER_VALUE: usize = 128;
const MARKS_MIN: usize = 1 << 12;
const MARKS_MAX: usize = 1 << 24;
/// How far before and after a `+` or a `%` an encoded value may reach, in bytes: twice encoded a byte is `%25uXXXX`.
const PLUS_REACH: usize = COMPARED_BYTES_MAX;
const PERCENT_REACH: usize = 8 * COMPARED_BYTES_MAX;

const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, ANY_PADDING);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, ANY_PADDING);

/// The values of a capture, ready to be searched for.
pub(in crate::redact) struct Residue {
    /// Sorted by their starts, then without regard to case.
    sought: Vec<Sought>,
    marks: Marks,
    spellings: Spellings,
    key: PseudonymKey,
}

/// What values begin with, three bytes each without regard to case: one bit for each, and a few by chance.
struct Marks {
    /// A power of two of bits.
    bits: Box<[u64]>,
    /// How many of a product's upper bits are not a place.
    shift: u32,
}

impl Marks {
    /// Room for the marks of so many values.
    fn of(values: usize) -> Self {
        let count = (values * MARKS_PER_VALUE).next_power_of_two().clamp(MARKS_MIN, MARKS_MAX);
        Self { bits: vec![0; count / 64].into_boxed_slice(), shift: u32::BITS - count.ilog2() }
    }

    /// Where the mark of three bytes is, the lowest of four.
    #[inline]
    fn place_of(&self, three: u32) -> usize {
        ((three << 8).wrapping_mul(0x9E37_79B1) >> self.shift) as usize
    }

    fn set(&mut self, three: u32) {
        let place = self.place_of(three);
        self.bits[place / 64] |= 1 << (place % 64);
    }

    #[inline]
    fn has(&self, three: u32) -> bool {
        let place = self.place_of(three);
        self.bits.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 != 0)
    }
}

impl Residue {
    /// The search for what was found; `None` if there is nothing to search for.
    pub fn of<'a>(needles: impl Iterator<Item = Needle<'a>>, key: &PseudonymKey) -> Option<Self> {
        let (mut sought, mut spellings) = (Vec::new(), Spellings::default());
        for needle in needles {
            texts(&needle, &mut sought);
            spellings.add(&needle);
        }
        if sought.is_empty() && spellings.is_empty() {
            return None;
        }
        spellings.sort();
        // Of texts that two values are sought by, one and the same is kept, in whatever order the values came.
        sought
            .sort_unstable_by(|a, b| (a.start, &a.lower, a.rank, &a.fresh).cmp(&(b.start, &b.lower, b.rank, &b.fresh)));
        sought.dedup_by(|a, b| a.lower == b.lower);
        let mut marks = Marks::of(sought.len());
        let mut open: Vec<usize> = Vec::new();
        for at in 0..sought.len() {
            while open.last().is_some_and(|&other| !sought[at].lower.starts_with(&sought[other].lower)) {
                open.pop();
            }
            marks.set(sought[at].start);
            marks.set(sought[at].start >> 8);
            sought[at].shorter = open.last().copied();
            open.push(at);
        }
        Some(Self { sought, marks, spellings, key: key.clone() })
    }

    /// Where the values are mentioned, and their stand-ins; in order, without overlaps.
    pub fn finds(&self, text: &str) -> Vec<(Range<usize>, String)> {
        let mut finds: Vec<(Range<usize>, &Sought)> = Vec::new();
        let mut at = 0;
        while let Some((range, sought)) = self.next(text.as_bytes(), at, |_| true) {
            at = range.end;
            if sought.rank == Rank::Head {
                if sought.rest.is_empty() || !text.as_bytes()[at..].starts_with(sought.rest.as_bytes()) {
                    continue;
                }
                at += sought.rest.len();
            }
            let range = range.start..at;
            if text.is_char_boundary(range.start) && text.is_char_boundary(range.end) {
                finds.push((range, sought));
            }
        }
        let mut names: Vec<(Range<usize>, Vec<&Sought>)> = Vec::new();
        for (range, sought) in finds {
            match names.last_mut() {
                // First and last name, found apart and written together, are one name.
                Some((whole, parts)) if sought.person && parts[0].person && &text[whole.end..range.start] == " " => {
                    whole.end = range.end;
                    parts.push(sought);
                }
                _ => names.push((range, vec![sought])),
            }
        }
        // The other part of a name that is all there is: `Ada Quittenbaum` where a customer is called Ada.
        if let [(range, parts)] = &names[..]
            && parts.iter().all(|part| part.person && !part.text.contains(' '))
            && range.len() < text.len()
            && looks::is_written_as_name(text)
        {
            return vec![(0..text.len(), person(text, &self.key))];
        }
        let fresh = |(range, parts): (Range<usize>, Vec<&Sought>)| match parts[..] {
            [Sought { fresh: Some(fresh), .. }] => (range, fresh.clone()),
            _ => (range.clone(), person(&text[range], &self.key)),
        };
        let mut finds: Vec<_> = names.into_iter().map(fresh).collect();
        let is_free = |(range, _): &(Range<usize>, String)| {
            let after = finds.partition_point(|(other, _)| other.end <= range.start);
            finds.get(after).is_none_or(|(other, _)| range.end <= other.start)
        };
        let spelled: Vec<_> = self.spellings.finds(text, &self.key).into_iter().filter(is_free).collect();
        finds.extend(spelled);
        finds.sort_by_key(|(range, _)| range.start);
        finds
    }

    /// Whether a value can be read in a piece: as it is, percent-decoded, quoted-printable, with JSON escapes undone, or in
    /// base64.
    pub fn is_in(&self, piece: &[u8]) -> bool {
        let shows = |piece: &[u8]| self.shows(piece);
        self.shows(piece)
            || is_escaped_in(piece, shows)
            || self.is_base64_in(piece)
            || charset::clear(piece)
                .is_some_and(|text| self.shows(text.as_bytes()) || is_escaped_in(text.as_bytes(), shows))
    }

    /// Whether there is a value in a piece, also in another spelling, or a part of a name that would be replaced there. What stands in base64 is
    /// not looked for: a pass keeps what it decoded.
    pub fn is_mentioned(&self, piece: &[u8]) -> bool {
        // A part of a name may have a line break before it, which ends in a letter where it is escaped.
        let mentions = |piece: &[u8]| self.next(piece, 0, |_| true).is_some() || self.spellings.is_in(piece);
        let seen = |piece: &[u8]| mentions(piece) || is_escaped_in(piece, mentions);
        seen(piece) || charset::clear(piece).is_some_and(|text| seen(text.as_bytes()))
    }

    /// Whether replacing the values may change a text of these kinds of bytes that the rules leave alone: whether a value
    /// is in it, or it may hold one in an encoding, or in a part that is looked at by itself.
    pub fn may_change(&self, text: &str, kinds: Kinds) -> bool {
        kinds & (PERCENT | PLUS | STRUCTURE | OTHER) != 0
            || kinds & COLON != 0 && kinds & SLASH != 0
            || nested::may_hold(text, kinds)
            || self.next(text.as_bytes(), 0, |_| true).is_some()
            || kinds & DIGIT != 0 && self.spellings.is_in(text.as_bytes())
    }

    /// Whether a value can be read in bytes as they are.
    pub fn shows(&self, bytes: &[u8]) -> bool {
        self.next(bytes, 0, is_whole).is_some()
    }

    fn is_base64_in(&self, piece: &[u8]) -> bool {
        let mut decoded = Vec::new();
        base64_runs(piece).any(|run| {
            decoded.clear();
            decode_run(run, &mut decoded);
            self.shows(&decoded)
        })
    }

    /// The first value of a wanted rank at or after `from`: the longest of those that begin there.
    fn next(&self, bytes: &[u8], from: usize, wanted: impl Fn(Rank) -> bool) -> Option<(Range<usize>, &Sought)> {
        let (pairs, _) = bytes.get(from..).unwrap_or_default().as_chunks::<2>();
        for (at, two) in (from..).step_by(2).zip(pairs.windows(2)) {
            let four = u32::from_le_bytes([two[0][0], two[0][1], two[1][0], two[1][1]]) | CASES;
            if !self.marks.has(four) {
                continue;
            }
            // Read as the value's first four bytes, and as those after its first one.
            let here = || self.at(bytes, at, four, &wanted);
            let found = match at.checked_sub(1).filter(|before| *before >= from) {
                Some(before) => {
                    start_of(&bytes[before..]).and_then(|four| self.at(bytes, before, four, &wanted)).or_else(here)
                }
                None => here(),
            };
            if found.is_some() {
                return found;
            }
        }
        // The last place may be one between two of those looked at.
        let last = bytes.len().checked_sub(WORD_BYTES_MIN).filter(|last| *last > from && (last - from) % 2 == 1)?;
        self.at(bytes, last, start_of(bytes.get(last..)?)?, &wanted)
    }

    /// The longest value of a wanted rank that begins at a place.
    fn at(
        &self,
        bytes: &[u8],
        at: usize,
        start: u32,
        wanted: &impl Fn(Rank) -> bool,
    ) -> Option<(Range<usize>, &Sought)> {
        let mut here = self.longest(start, bytes.get(at..)?);
        while let Some(found) = here {
            let one = &self.sought[found];
            let range = at..at + one.text.len();
            let as_word = match (one.rank, one.person) {
                (Rank::Word, _) => bytes[range.clone()] == *one.text.as_bytes() && is_word(bytes, &range),
                (_, true) => is_apart(bytes, &range),
                _ => true,
            };
            if wanted(one.rank) && as_word {
                return Some((range, one));
            }
            here = one.shorter;
        }
        None
    }

    /// The longest text with which `bytes` begin, of those that begin with `start`.
    fn longest(&self, start: u32, bytes: &[u8]) -> Option<usize> {
        // Most marks are met by chance: no value begins so.
        let first = self.sought.partition_point(|one| one.start < start);
        self.sought.get(first).filter(|one| one.start == start)?;
        let bytes = &bytes[..bytes.len().min(COMPARED_BYTES_MAX)];
        let not_after = |one: &Sought| {
            one.start < start || one.start == start && one.lower.bytes().le(bytes.iter().map(u8::to_ascii_lowercase))
        };
        let until = self.sought.partition_point(not_after);
        let mut here = until.checked_sub(1);
        while let Some(at) = here.filter(|&at| !begins_with(bytes, self.sought[at].lower.as_bytes())) {
            here = self.sought[at].shorter;
        }
        here
    }
}

/// Whether what is found is a value, and not only a part of a name.
fn is_whole(rank: Rank) -> bool {
    rank != Rank::Word
}

fn begins_with(bytes: &[u8], start: &[u8]) -> bool {
    bytes.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The stand-in of a name, or of a part of one.
fn person(name: &str, key: &PseudonymKey) -> String {
    replace(Action::Pseudonym, Kind::Person, name, key).map_or_else(|| name.to_owned(), |replaced| replaced.fresh)
}

/// Whether what is looked for is seen in a piece once its quoting, its escapes, its entities or its percent-encoding are undone.
fn is_escaped_in(piece: &[u8], seen: impl Fn(&[u8]) -> bool) -> bool {
    let escaped = memchr::memchr(b'\\', piece).is_some();
    let entities = memchr::memchr(b'&', piece).is_some() && memchr::memmem::find(piece, b"&#").is_some();
    let encoded = may_be_encoded(piece);
    if may_be_quoted(piece) && seen(&mime::unquote(piece)) {
        return true;
    }
    if !(escaped || entities || encoded) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(piece) else { return false };
    escaped && seen(unescape(text).as_bytes())
        || entities && seen(markup::unescape(text).text.as_bytes())
        || encoded && around_signs(text).any(|part| is_encoded_in(part, &seen))
}

/// Whether what is looked for is seen in a part of a text that is percent-encoded, also twice.
fn is_encoded_in(part: &str, seen: impl Fn(&[u8]) -> bool) -> bool {
    let mut decoded = Some(Cow::Borrowed(part));
    for _ in 0..2 {
        let next = decoded.filter(|text| text.contains(['%', '+'])).and_then(|text| form::decode(&text, true));
        decoded = next.map(Cow::Owned);
        if decoded.as_ref().is_some_and(|text| seen(text.as_bytes())) {
            return true;
        }
    }
    false
}

/// Whether no letter of ASCII goes on before or after: other scripts are written without blanks.
fn is_apart(bytes: &[u8], range: &Range<usize>) -> bool {
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    (range.start == 0 || !letter(range.start - 1)) && !letter(range.end)
}

fn is_word(bytes: &[u8], range: &Range<usize>) -> bool {
    let letter =
        |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80 || b"_-/".contains(b));
    (range.start == 0 || !letter(range.start - 1)) && !letter(range.end)
}

/// Whether a value may stand in a piece in the encoding of URLs and forms: there is a `%` with its digits, or a `+` that
/// may be the blank inside a value, which is neither the first nor the last character of one.
fn may_be_encoded(piece: &[u8]) -> bool {
    let inner = |at: Option<usize>| {
        let byte = at.and_then(|at| piece.get(at));
        byte.is_some_and(|b| kind_of(*b) & SPACE == 0 && !b"\"':=>".contains(b))
    };
    memchr::memchr2_iter(b'%', b'+', piece).any(|at| match piece[at] {
        b'%' => piece.get(at + 1).is_some_and(u8::is_ascii_hexdigit),
        _ => inner(at.checked_sub(1)) && inner(Some(at + 1)),
    })
}

/// Whether a piece may be quoted-printable: an `=` with its digits, or at the end of a line.
fn may_be_quoted(piece: &[u8]) -> bool {
    memchr::memchr_iter(b'=', piece).any(|at| match &piece[at + 1..] {
        [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        [b'\n', ..] | [b'\r', b'\n', ..] => true,
        _ => false,
    })
}

/// The parts of a text around the signs of the encoding of URLs and forms, as far as a value over a sign may reach; in
/// order, without overlaps.
fn around_signs(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let reach = if memchr::memchr(b'%', bytes).is_some() { PERCENT_REACH } else { PLUS_REACH };
    let mut signs = memchr::memchr2_iter(b'%', b'+', bytes).peekable();
    std::iter::from_fn(move || {
        let first = signs.next()?;
        let mut last = first;
        while let Some(next) = signs.next_if(|next| next - last <= 2 * reach) {
            last = next;
        }
        let start = text.floor_char_boundary(first.saturating_sub(reach));
        text.get(start..text.ceil_char_boundary(last + reach + 1))
    })
}

/// Adds what the runs of a text say that may be base64, each with a blank after it. Such a run has letters of both
/// cases.
pub(in crate::redact) fn decode_runs(text: &str, kinds: Kinds, decoded: &mut Vec<u8>) {
    if text.len() >= BASE64_BYTES_MIN && kinds & UPPER != 0 && kinds & LOWER != 0 {
        for run in base64_runs(text.as_bytes()) {
            decode_run(run, decoded);
            decoded.push(b' ');
        }
    }
}

/// Adds what a run says; what is no base64 says nothing.
fn decode_run(run: &[u8], decoded: &mut Vec<u8>) {
    let engine = if run.iter().any(|b| b"-_".contains(b)) { &BASE64_URL } else { &BASE64 };
    let before = decoded.len();
    if engine.decode_vec(run, decoded).is_err() {
        decoded.truncate(before);
    }
}

/// Runs of the base64 alphabet that are long enough to hold a value, and no digest or UUID.
fn base64_runs(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    const INNER: Kinds = DIGIT | UPPER | LOWER | PLUS | SLASH | DASH | UNDERSCORE;
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < piece.len() {
            let start = at;
            let mut kinds = 0;
            while let Some(kind) = piece.get(at).map(|b| kind_of(*b)).filter(|kind| kind & INNER != 0) {
                kinds |= kind;
                at += 1;
            }
            let run = &piece[start..at];
            at += 1;
            // Text has letters of both cases in base64, hexadecimal digits have not.
            if run.len() >= BASE64_BYTES_MIN && kinds & UPPER != 0 && kinds & LOWER != 0 {
                return Some(run);
            }
        }
        None
    })
}

/// JSON escapes undone wherever they stand, without regard to structure.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let code =
            escape.strip_prefix('u').and_then(|hex| hex.get(..4)).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &escape[5..];
            }
            // A letter that stands for white space is no part of the word behind it.
            None if escape.starts_with(['n', 'r', 't']) => {
                out.push(' ');
                rest = &escape[1..];
            }
            None => rest = escape,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::stand_in::sought::REPLACED_BYTES_MAX;

    fn residue(raw: &str, kind: Kind) -> Residue {
        Residue::of(
            std::iter::once(Needle { raw, fresh: "X", kind, is_field_name: false }),
            &PseudonymKey::new([1; 32]),
        )
        .unwrap()
    }

    #[test]
    fn a_value_is_seen_in_every_encoding() {
        let email = residue("ada@example.org", Kind::Email);
        for text in [
            "to ADA@Example.org.",
            "ada%40example.org",
            "ada%2540example.org",
            r"ada\u0040example.org",
            "to: ada=40example.org",
            "ada@exam=\r\nple.org",
            "x=eyJlIjoiYWRhQGV4YW1wbGUub3JnIn0",
        ] {
            assert!(email.is_in(text.as_bytes()), "{text}");
        }
        assert!(!email.is_in(b"bob@example.org"));
    }

    #[test]
    fn digits_are_seen_without_their_separators() {
        assert!(residue("12-3456-78", Kind::Digits).is_in(b"account 12345678"));
    }

    #[test]
    fn parts_of_names_are_replaced_as_words_only() {
        let name = residue("Ada Mayer", Kind::Person);
        assert_eq!(name.finds("Mr Mayer, Mayers, mayer").len(), 1);
        assert!(!name.is_in(b"Mr Mayer"));
    }

    #[test]
    fn the_longest_value_that_begins_somewhere_is_found() {
        let values = ["annabel", "annabella", "annabella.smith", "annalisa"];
        let needles = values.iter().map(|raw| Needle { raw, fresh: raw, kind: Kind::Token, is_field_name: false });
        let residue = Residue::of(needles, &PseudonymKey::new([1; 32])).unwrap();
        let found: Vec<String> =
            residue.finds("Annabella.smit annabellas ANNALISA annabe").into_iter().map(|(_, fresh)| fresh).collect();
        assert_eq!(found, ["annabella", "annabella", "annalisa"]);
    }

    #[test]
    fn long_values_are_known_by_their_heads() {
        for (len, is_replaced) in [(65, true), (REPLACED_BYTES_MAX, true), (REPLACED_BYTES_MAX + 1, false)] {
            let long = "k".repeat(len - 1) + "z";
            let residue = residue(&long, Kind::Token);
            assert!(residue.is_in(format!("x{long}").as_bytes()));
            let finds = residue.finds(&format!("x{long}y"));
            assert_eq!(finds.first().map(|(range, _)| range.clone()), is_replaced.then_some(1..len + 1), "{len}");
            assert!(residue.finds(&long[..len - 1]).is_empty());
        }
    }

    #[test]
    fn first_and_last_name_found_apart_are_one_name_where_they_stand_together() {
        let key = PseudonymKey::new([1; 32]);
        let names = ["Grace", "Hopper"].map(|raw| Needle { raw, fresh: "X", kind: Kind::Person, is_field_name: false });
        let residue = Residue::of(names.into_iter(), &key).unwrap();
        assert_eq!(residue.finds("to Grace Hopper."), [(3..15, person("Grace Hopper", &key))]);
    }

    #[test]
    fn towns_are_left_where_they_stand_by_themselves() {
        let town = Needle { raw: "London", fresh: "X", kind: Kind::Address, is_field_name: false };
        assert!(Residue::of(std::iter::once(town), &PseudonymKey::new([1; 32])).is_none());
    }
}
