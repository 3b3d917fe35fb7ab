//! One histogram with the exact figures beside it, its encoding, and the guarded way back.

use crate::latency::slots::{edges_us, place_of};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use std::fmt;

/// The smallest distinguishable latency, microseconds.
pub const LOWEST_US: u64 = 1;
/// The largest latency with its own slot, microseconds (600 s); larger ones go to the last slot, and to the exact maximum.
pub const HIGHEST_US: u64 = 600_000_000;
/// Significant decimal digits: the error of a value is below 1 %. A third digit costs four times the bytes and is far
/// below the sampling error of any tail.
const DIGITS: u8 = 2;

/// The `V2` cookie of the HdrHistogram format, uncompressed.
const COOKIE_V2: u32 = 0x1c84_9313;
/// Bytes of the `V2` header.
const HEADER_BYTES: usize = 40;
/// No series of this shape encodes longer than this: 3 072 slots of at most 9 bytes, and the header.
const BLOB_BYTES_MAX: usize = HEADER_BYTES + 4_096 * 9;
/// Slots of this shape.
const SLOTS: usize = 3_072;
/// The figures a histogram rounds, kept exactly beside its blob, and the blob's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    /// Recorded values.
    pub n: u64,
    /// Their sum, microseconds, saturating.
    pub sum_us: u64,
    /// The smallest, microseconds; `None` without values.
    pub min_us: Option<u64>,
    /// The largest, microseconds; `None` without values.
    pub max_us: Option<u64>,
    /// CRC-32 (IEEE) of the blob.
    pub crc32: u32,
}

/// Why a stored histogram was refused. Nothing of it was used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlob {
    /// Too short for a header, or longer than any series of this shape can be.
    #[error(
        "histogram blob of {bytes} bytes: expected {HEADER_BYTES} to {BLOB_BYTES_MAX}; the row is damaged, restore or prune it"
    )]
    Size {
        /// Its length.
        bytes: usize,
    },
    /// The checksum does not match.
    #[error(
        "histogram blob has checksum {found:08x}, its row says {expected:08x}; the row is damaged, restore or prune it"
    )]
    Checksum {
        /// Of the blob.
        found: u32,
        /// Of the row.
        expected: u32,
    },
    /// Another format or shape than this version writes.
    #[error("histogram blob header: {field} is {found}, expected {expected}; written by something else, or damaged")]
    Header {
        /// Which field.
        field: &'static str,
        /// Its value.
        found: u64,
        /// The only accepted value.
        expected: u64,
    },
    /// The counts do not decode.
    #[error("histogram blob does not decode; the row is damaged, restore or prune it")]
    Counts,
    /// The exact figures contradict the counts or each other.
    #[error("histogram row: {what} does not fit the counts; the row is damaged, restore or prune it")]
    Exact {
        /// Which figure.
        what: &'static str,
    },
}

/// CRC-32 (IEEE) of a blob, as kept beside it.
pub fn crc32_of(blob: &[u8]) -> u32 {
    crc32fast::hash(blob)
}

/// Latencies held one by one until there are so many. Most series of a second or of a rare endpoint stay below, and cost
/// 8 bytes a call in place of the 25 kB of a histogram.
const FEW: usize = 256;

/// Latencies of one kind: a histogram (1 µs to 600 s, 2 digits) and the exact count, sum, smallest and largest.
#[derive(Clone)]
pub struct Series {
    counts: Counts,
    n: u64,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
}

/// What a histogram is made of, before and after it is worth one.
#[derive(Clone)]
enum Counts {
    Few(Vec<u64>),
    /// As they were stored: slots that hold any, rising, and how many.
    Stored(Box<[(u16, u64)]>),
    Many(Dense),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Counts of a run of slots, as wide as the latencies met: most providers' lie within some octaves of the twenty-four.
#[derive(Clone, Default)]
struct Dense {
    /// The first slot of the run.
    first: usize,
    counts: Vec<u64>,
}

/// A run grows by so many slots: an octave.
const GROWTH: usize = 128;

impl Dense {
    fn add(&mut self, slot: u16, count: u64) {
        let slot = usize::from(slot);
        if self.counts.is_empty() {
            self.first = slot / GROWTH * GROWTH;
        }
        if slot < self.first {
            let first = slot / GROWTH * GROWTH;
            let mut wider = vec![0; self.first - first];
            wider.reserve_exact(self.counts.len());
            wider.append(&mut self.counts);
            (self.first, self.counts) = (first, wider);
        }
        let at = slot - self.first;
        if at >= self.counts.len() {
            let length = (at / GROWTH + 1) * GROWTH;
            self.counts.reserve_exact(length - self.counts.len());
            self.counts.resize(length, 0);
        }
        if let Some(held) = self.counts.get_mut(at) {
            *held = held.saturating_add(count);
        }
    }

    /// Slots that hold any, rising.
    fn slots(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let held = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        held.map(|(at, count)| ((self.first + at) as u16, *count))
    }
}

/// The slot of a latency; those above the range share the last one.
fn slot_of(us: u64) -> u16 {
    place_of(us).min(SLOTS as u16 - 1)
}

#[expect(clippy::expect_used, reason = "the bounds are constants the library accepts; every test builds one")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, DIGITS).expect("constant bounds")
}

impl Counts {
    fn record(&mut self, us: u64) {
        match self {
            Self::Few(values) if values.len() < FEW => values.push(us),
            Self::Many(counts) => counts.add(slot_of(us), 1),
            Self::Few(_) | Self::Stored(_) => self.widen(|counts| counts.add(slot_of(us), 1)),
        }
    }

    /// Adds what another holds.
    fn merge(&mut self, other: &Self) {
        match other {
            Self::Few(few) => few.iter().for_each(|us| self.record(*us)),
            Self::Stored(_) | Self::Many(_) => {
                self.widen(|counts| other.each_slot(|slot, count| counts.add(slot, count)));
            }
        }
    }

    /// Makes a run of slots of it, and changes that.
    fn widen(&mut self, change: impl FnOnce(&mut Dense)) {
        let mut counts = match std::mem::take(self) {
            Self::Many(counts) => counts,
            held => {
                let mut counts = Dense::default();
                held.each_slot(|slot, count| counts.add(slot, count));
                counts
            }
        };
        change(&mut counts);
        *self = Self::Many(counts);
    }

    /// Hands over slots and counts; rising but for few, of which a slot may come several times.
    fn each_slot(&self, mut each: impl FnMut(u16, u64)) {
        match self {
            Self::Few(values) => values.iter().for_each(|us| each(slot_of(*us), 1)),
            Self::Stored(slots) => slots.iter().for_each(|(slot, count)| each(*slot, *count)),
            Self::Many(counts) => counts.slots().for_each(|(slot, count)| each(slot, count)),
        }
    }

    /// Slots that hold any, rising.
    fn slots(&self) -> Vec<(u16, u64)> {
        match self {
            Self::Stored(slots) => slots.to_vec(),
            Self::Many(counts) => counts.slots().collect(),
            Self::Few(values) => {
                let mut slots: Vec<(u16, u64)> = values.iter().map(|us| (slot_of(*us), 1)).collect();
                slots.sort_unstable();
                slots.dedup_by(|next, kept| {
                    let same = next.0 == kept.0;
                    kept.1 += if same { next.1 } else { 0 };
                    same
                });
                slots
            }
        }
    }

    /// The counts as a histogram of the library.
    fn histogram(&self) -> Histogram<u64> {
        let mut counts = histogram();
        self.each_slot(|slot, count| counts.saturating_record_n(edges_us(slot).0, count));
        counts
    }
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        let exact = |series: &Self| (series.n, series.sum_us, series.min_us, series.max_us);
        exact(self) == exact(other) && self.counts.slots() == other.counts.slots()
    }
}

impl Default for Series {
    fn default() -> Self {
        Self::new()
    }
}

impl Series {
    /// An empty series. It grows to 25 kB at most.
    pub fn new() -> Self {
        Self { counts: Counts::Few(Vec::new()), n: 0, sum_us: 0, min_us: u64::MAX, max_us: 0 }
    }

    /// Records one latency in microseconds; never fails, values above the range go to the last slot.
    pub fn record(&mut self, us: u64) {
        self.counts.record(us);
        self.n = self.n.saturating_add(1);
        self.sum_us = self.sum_us.saturating_add(us);
        self.min_us = self.min_us.min(us);
        self.max_us = self.max_us.max(us);
    }

    /// Adds everything `other` holds: the same as having recorded both into one.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.n = self.n.saturating_add(other.n);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Bytes it occupies on the heap, about.
    pub fn heap_bytes(&self) -> usize {
        match &self.counts {
            Counts::Few(values) => values.capacity() * size_of::<u64>(),
            Counts::Stored(slots) => size_of_val(&**slots),
            Counts::Many(run) => run.counts.capacity() * size_of::<u64>(),
        }
    }

    /// How many latencies it holds.
    pub fn len(&self) -> u64 {
        self.n
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The exact sum, microseconds (saturating).
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// The exact smallest, microseconds.
    pub fn min_us(&self) -> Option<u64> {
        (self.n > 0).then_some(self.min_us)
    }

    /// The exact largest, microseconds.
    pub fn max_us(&self) -> Option<u64> {
        (self.n > 0).then_some(self.max_us)
    }

    /// The value of the quantile `num / den` in microseconds: the upper edge of the slot that holds the rank
    /// `ceil(n * num / den)`, so the answer is never below the true value (and less than 1 % above it), and never outside
    /// the exact smallest and largest. `None` without values, or where `num / den` is no number in 0 to 1.
    ///
    /// The rank is computed in integers: in floating point `0.999 * 1000` can come out one rank too high.
    pub fn quantile(&self, num: u64, den: u64) -> Option<u64> {
        if den == 0 || num > den {
            return None;
        }
        let rank = (u128::from(self.n) * u128::from(num)).div_ceil(u128::from(den));
        self.value_at_rank(u64::try_from(rank).ok()?.max(1))
    }

    /// The upper edge of the slot that holds the `rank`-th smallest value (from 1), microseconds.
    pub fn value_at_rank(&self, rank: u64) -> Option<u64> {
        if rank == self.n {
            return self.max_us();
        }
        self.slot_of_rank(rank).map(|slot| edges_us(slot).1.clamp(self.min_us, self.max_us))
    }

    /// The lower edge of the slot that holds the `rank`-th smallest value (from 1), microseconds.
    pub fn lowest_at_rank(&self, rank: u64) -> Option<u64> {
        self.slot_of_rank(rank).map(|slot| edges_us(slot).0.clamp(self.min_us, self.max_us))
    }

    /// The slot that holds the `rank`-th smallest value (from 1).
    fn slot_of_rank(&self, rank: u64) -> Option<u16> {
        let mut seen = 0_u64;
        let after = |(slot, count)| {
            seen = seen.saturating_add(count);
            (seen >= rank).then_some(slot)
        };
        if rank == 0 { None } else { self.counts.slots().into_iter().find_map(after) }
    }

    /// How many latencies are above `us` microseconds. A slot that straddles the limit counts as above: the answer is
    /// never too kind to a timeout.
    pub fn count_above(&self, us: u64) -> u64 {
        if self.n == 0 || us >= self.max_us {
            return 0;
        }
        let mut counted = 0_u64;
        self.counts.each_slot(|slot, count| {
            if edges_us(slot).1 > us {
                counted = counted.saturating_add(count);
            }
        });
        // The exact maximum is above, even where its slot's edge is not (values past the range share the last slot).
        counted.max(1)
    }

    /// The slots that hold anything: upper edge in microseconds and count, smallest first.
    pub fn slots(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.slots().into_iter().map(|(slot, count)| (edges_us(slot).1, count))
    }

    /// Place and count of the slots that hold anything, rising, where it is held as it was stored.
    pub(crate) fn stored(&self) -> Option<&[(u16, u64)]> {
        match &self.counts {
            Counts::Stored(slots) => Some(slots),
            Counts::Few(_) | Counts::Many(_) => None,
        }
    }

    /// The counts in HdrHistogram's `V2` format, which the Java, JavaScript, Go, Python and .NET tools read.
    pub fn encode(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        // Writing to memory fails only for a count above i64::MAX; an empty blob is refused by `decode`, not misread.
        if V2Serializer::new().serialize(&self.counts.histogram(), &mut blob).is_err() {
            blob.clear();
        }
        blob
    }

    /// The counts as a histogram of the library.
    pub(crate) fn histogram(&self) -> Histogram<u64> {
        self.counts.histogram()
    }

    /// The figures to keep beside `blob`, which is this series encoded.
    pub fn exact(&self, blob: &[u8]) -> Exact {
        Exact { n: self.n, sum_us: self.sum_us, min_us: self.min_us(), max_us: self.max_us(), crc32: crc32_of(blob) }
    }

    /// The series of a stored blob and the figures beside it.
    ///
    /// # Errors
    /// [`BadBlob`] for anything this version did not write. The library's decoder is not asked: it allocates what a header
    /// claims (2 GB for a blob of 141 bytes), accepts flipped bits, and makes 25 kB of what is often a hundred slots.
    pub fn decode(blob: &[u8], exact: Exact) -> Result<Self, BadBlob> {
        let mut slots = Vec::with_capacity(blob.len());
        each_stored(blob, &exact, |slot, count| slots.push((slot, count)))?;
        Ok(Self {
            counts: Counts::Stored(slots.into()),
            n: exact.n,
            sum_us: exact.sum_us,
            min_us: exact.min_us.unwrap_or(u64::MAX),
            max_us: exact.max_us.unwrap_or(0),
        })
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Series(n {}, {:?} to {:?} us)", self.n, self.min_us(), self.max_us())
    }
}

/// Hands over the slots of a stored blob that hold any, rising; they count only if all of it is sound, which is known at the
/// end.
pub(crate) fn each_stored(blob: &[u8], exact: &Exact, each: impl FnMut(u16, u64)) -> Result<(), BadBlob> {
    if blob.len() < HEADER_BYTES || blob.len() > BLOB_BYTES_MAX {
        return Err(BadBlob::Size { bytes: blob.len() });
    }
    let found = crc32_of(blob);
    if found != exact.crc32 {
        return Err(BadBlob::Checksum { found, expected: exact.crc32 });
    }
    check_header(blob)?;
    let total = each_slot_of(&blob[HEADER_BYTES..], each).ok_or(BadBlob::Counts)?;
    check_exact(total, exact)
}

/// Refuses every header but the one `encode` writes.
fn check_header(blob: &[u8]) -> Result<(), BadBlob> {
    let payload = (blob.len() - HEADER_BYTES) as u64;
    let expected = [
        ("cookie", 0, 4, u64::from(COOKIE_V2)),
        ("payload length", 4, 4, payload),
        ("normalizing offset", 8, 4, 0),
        ("digits", 12, 4, u64::from(DIGITS)),
        ("lowest value", 16, 8, LOWEST_US),
        ("highest value", 24, 8, HIGHEST_US),
        ("ratio", 32, 8, 1.0_f64.to_bits()),
    ];
    for (field, at, width, expected) in expected {
        let found = blob[at..at + width].iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
        if found != expected {
            return Err(BadBlob::Header { field, found, expected });
        }
    }
    Ok(())
}

/// The slots of a `V2` payload, and how many calls they hold: each number is a slot's count or, below zero, how many empty
/// slots are left out; written as ZigZag LEB128 of at most 9 bytes. None where it is no such payload.
fn each_slot_of(payload: &[u8], mut each: impl FnMut(u16, u64)) -> Option<u128> {
    let (mut at, mut total, mut rest) = (0_u64, 0_u128, payload);
    while let Some((first, after)) = rest.split_first() {
        let bits;
        // Most counts are below 64.
        (bits, rest) = if *first < 0x80 { (u64::from(*first), after) } else { long_number(rest)? };
        let empty = bits & 1 == 1;
        let (number, slot) = (if empty { (bits >> 1).checked_add(1)? } else { bits >> 1 }, at);
        at = at.checked_add(if empty { number } else { 1 })?;
        if at > SLOTS as u64 {
            return None;
        }
        if !empty && number > 0 {
            total += u128::from(number);
            each(u16::try_from(slot).ok()?, number);
        }
    }
    Some(total)
}

/// A number of LEB128 and what follows it. The ninth byte is the last, and has 8 bits of it.
fn long_number(mut rest: &[u8]) -> Option<(u64, &[u8])> {
    let mut bits = 0_u64;
    for shift in (0..56).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        bits |= u64::from(*byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some((bits, rest));
        }
    }
    let (byte, after) = rest.split_first()?;
    Some((bits | u64::from(*byte) << 56, after))
}

/// Refuses exact figures that the counts contradict.
fn check_exact(total: u128, exact: &Exact) -> Result<(), BadBlob> {
    let fits = |ok: bool, what| if ok { Ok(()) } else { Err(BadBlob::Exact { what }) };
    fits(total == u128::from(exact.n), "n")?;
    let (Some(min), Some(max)) = (exact.min_us, exact.max_us) else {
        return fits(exact.n == 0 && exact.min_us == exact.max_us && exact.sum_us == 0, "min or max");
    };
    fits(exact.n > 0 && min <= max, "min or max")?;
    let (n, sum) = (u128::from(exact.n), u128::from(exact.sum_us));
    let saturated = exact.sum_us == u64::MAX;
    fits(saturated || (n * u128::from(min) <= sum && sum <= n * u128::from(max)), "sum")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::Deserializer;
    use proptest::prelude::*;

    fn stored_slots(payload: &[u8]) -> Option<Vec<(u16, u64)>> {
        let mut slots = Vec::new();
        let total = each_slot_of(payload, |slot, count| slots.push((slot, count)))?;
        assert_eq!(total, slots.iter().map(|(_, count)| u128::from(*count)).sum::<u128>());
        Some(slots)
    }

    proptest! {
        #[test]
        fn slots_are_read_as_the_library_reads_them(
            values in proptest::collection::vec((0..700_000_000_u64, 1..9_u64), 0..400), more in 1..u64::from(u32::MAX),
        ) {
            let mut series = Series::new();
            for (us, times) in &values {
                (0..*times).for_each(|_| series.record(us >> (us % 23)));
            }
            let mut counts = series.counts.histogram();
            counts.saturating_record_n(77_777, more);
            let mut blob = Vec::new();
            V2Serializer::new().serialize(&counts, &mut blob).unwrap();
            let slots = stored_slots(&blob[HEADER_BYTES..]).unwrap();
            let library: Histogram<u64> = Deserializer::new().deserialize(&mut &*blob).unwrap();
            let theirs: Vec<(u64, u64)> =
                library.iter_recorded().map(|slot| (slot.value_iterated_to(), slot.count_at_value())).collect();
            let ours: Vec<(u64, u64)> = slots.iter().map(|(slot, count)| (edges_us(*slot).1, *count)).collect();
            prop_assert_eq!(ours, theirs);
            prop_assert_eq!(Counts::Stored(slots.into()).histogram(), library);
        }

        #[test]
        fn no_payload_is_a_panic_or_a_slot_too_many(payload in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(slots) = stored_slots(&payload) {
                prop_assert!(slots.iter().all(|(slot, count)| usize::from(*slot) < SLOTS && *count > 0));
            }
        }
    }

    #[test]
    fn the_shape_has_so_many_slots() {
        assert_eq!(histogram().distinct_values(), SLOTS);
    }
}
