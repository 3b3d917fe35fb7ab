//! One histogram with the exact figures beside it, its encoding, and the guarded way back.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use std::borrow::Cow;
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
/// Slots below this one hold one microsecond each; above, half as many of them make an octave, and each octave's slots are
/// twice as wide as those before.
const EXACT_SLOTS: usize = 256;

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
    Many(Box<Histogram<u64>>),
}

#[expect(clippy::expect_used, reason = "the bounds are constants the library accepts; every test builds one")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, DIGITS).expect("constant bounds")
}

impl Counts {
    fn record(&mut self, us: u64) {
        match self {
            Self::Few(values) if values.len() < FEW => values.push(us),
            Self::Many(counts) => counts.saturating_record(us),
            Self::Few(_) | Self::Stored(_) => {
                let mut counts = self.histogram().into_owned();
                counts.saturating_record(us);
                *self = Self::Many(Box::new(counts));
            }
        }
    }

    /// Adds what another holds; false: it could not, and nothing changed.
    fn merge(&mut self, other: &Self) -> bool {
        match (&mut *self, other) {
            (Self::Many(counts), Self::Many(more)) => counts.add(&**more).is_ok(),
            (Self::Many(counts), Self::Stored(more)) => {
                add_stored(counts, more);
                true
            }
            (Self::Few(few), Self::Many(more)) => {
                let mut counts = more.clone();
                few.iter().for_each(|us| counts.saturating_record(*us));
                *self = Self::Many(counts);
                true
            }
            (_, Self::Stored(_) | Self::Many(_)) => {
                let counts = self.histogram().into_owned();
                *self = Self::Many(Box::new(counts));
                self.merge(other)
            }
            (_, Self::Few(few)) => {
                few.iter().for_each(|us| self.record(*us));
                true
            }
        }
    }

    fn histogram(&self) -> Cow<'_, Histogram<u64>> {
        match self {
            Self::Few(values) => {
                let mut counts = histogram();
                values.iter().for_each(|us| counts.saturating_record(*us));
                Cow::Owned(counts)
            }
            Self::Stored(slots) => {
                let mut counts = histogram();
                add_stored(&mut counts, slots);
                Cow::Owned(counts)
            }
            Self::Many(counts) => Cow::Borrowed(counts),
        }
    }
}

/// Adds stored slots, each by its lowest value.
fn add_stored(counts: &mut Histogram<u64>, slots: &[(u16, u64)]) {
    for (slot, count) in slots {
        counts.saturating_record_n(edges_us(*slot).0, *count);
    }
}

/// The smallest and the largest value of a slot, microseconds: slots of one microsecond, then octaves of 128 slots.
fn edges_us(slot: u16) -> (u64, u64) {
    let (slot, octave) = (u64::from(slot), EXACT_SLOTS as u64 / 2);
    let bits = (slot / octave).saturating_sub(1);
    let lowest = (slot - bits * octave) << bits;
    (lowest, lowest + (1 << bits) - 1)
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        let exact = |series: &Self| (series.n, series.sum_us, series.min_us, series.max_us);
        exact(self) == exact(other) && self.counts.histogram() == other.counts.histogram()
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
        // One shape for all series, so adding cannot fail; if it did, the exact figures must not run ahead of the counts.
        if self.counts.merge(&other.counts) {
            self.n = self.n.saturating_add(other.n);
            self.sum_us = self.sum_us.saturating_add(other.sum_us);
            self.min_us = self.min_us.min(other.min_us);
            self.max_us = self.max_us.max(other.max_us);
        }
    }

    /// Bytes it occupies on the heap, about.
    pub fn heap_bytes(&self) -> usize {
        match &self.counts {
            Counts::Few(values) => values.capacity() * size_of::<u64>(),
            Counts::Stored(slots) => size_of_val(&**slots),
            Counts::Many(counts) => size_of::<Histogram<u64>>() + counts.distinct_values() * size_of::<u64>(),
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
        let counts = self.counts.histogram();
        slot_of_rank(&counts, rank).map(|value| counts.highest_equivalent(value).clamp(self.min_us, self.max_us))
    }

    /// The lower edge of the slot that holds the `rank`-th smallest value (from 1), microseconds.
    pub fn lowest_at_rank(&self, rank: u64) -> Option<u64> {
        let counts = self.counts.histogram();
        slot_of_rank(&counts, rank).map(|value| counts.lowest_equivalent(value).clamp(self.min_us, self.max_us))
    }

    /// How many latencies are above `us` microseconds. A slot that straddles the limit counts as above: the answer is
    /// never too kind to a timeout.
    pub fn count_above(&self, us: u64) -> u64 {
        if self.n == 0 || us >= self.max_us {
            return 0;
        }
        let counts = self.counts.histogram();
        let above = counts.iter_recorded().filter(|slot| counts.highest_equivalent(slot.value_iterated_to()) > us);
        let counted = above.fold(0_u64, |sum, slot| sum.saturating_add(slot.count_at_value()));
        // The exact maximum is above, even where its slot's edge is not (values past the range share the last slot).
        counted.max(1)
    }

    /// The slots that hold anything: upper edge in microseconds and count, smallest first.
    pub fn slots(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let held: Vec<_> = match &self.counts {
            Counts::Stored(slots) => slots.iter().map(|(slot, count)| (edges_us(*slot).1, *count)).collect(),
            counts => {
                let slots = counts.histogram();
                slots.iter_recorded().map(|slot| (slot.value_iterated_to(), slot.count_at_value())).collect()
            }
        };
        held.into_iter()
    }

    /// The counts in HdrHistogram's `V2` format, which the Java, JavaScript, Go, Python and .NET tools read.
    pub fn encode(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        // Writing to memory fails only for a count above i64::MAX; an empty blob is refused by `decode`, not misread.
        if V2Serializer::new().serialize(&*self.counts.histogram(), &mut blob).is_err() {
            blob.clear();
        }
        blob
    }

    /// The counts as a histogram of the library.
    pub(crate) fn histogram(&self) -> Cow<'_, Histogram<u64>> {
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
        if blob.len() < HEADER_BYTES || blob.len() > BLOB_BYTES_MAX {
            return Err(BadBlob::Size { bytes: blob.len() });
        }
        let found = crc32_of(blob);
        if found != exact.crc32 {
            return Err(BadBlob::Checksum { found, expected: exact.crc32 });
        }
        check_header(blob)?;
        let slots = stored_slots(&blob[HEADER_BYTES..]).ok_or(BadBlob::Counts)?;
        check_exact(&slots, &exact)?;
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

/// The slot that holds the `rank`-th smallest value (from 1).
fn slot_of_rank(counts: &Histogram<u64>, rank: u64) -> Option<u64> {
    if rank == 0 {
        return None;
    }
    let mut seen = 0_u64;
    for slot in counts.iter_recorded() {
        seen = seen.saturating_add(slot.count_at_value());
        if seen >= rank {
            return Some(slot.value_iterated_to());
        }
    }
    None
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

/// The slots of a `V2` payload: each number is a slot's count or, below zero, how many empty slots are left out; written as
/// ZigZag LEB128 of at most 9 bytes, whose last has 8 bits of the number. None where it is no such payload.
fn stored_slots(payload: &[u8]) -> Option<Vec<(u16, u64)>> {
    let mut slots = Vec::with_capacity(payload.len());
    let (mut at, mut rest) = (0_u64, payload);
    while !rest.is_empty() {
        let mut bits = 0_u64;
        for shift in (0..).step_by(7) {
            let (byte, after) = rest.split_first()?;
            rest = after;
            if shift == 56 {
                bits |= u64::from(*byte) << shift;
                break;
            }
            bits |= u64::from(*byte & 0x7f) << shift;
            if *byte < 0x80 {
                break;
            }
        }
        let empty = bits & 1 == 1;
        let (number, slot) = (if empty { (bits >> 1).checked_add(1)? } else { bits >> 1 }, at);
        at = at.checked_add(if empty { number } else { 1 })?;
        if at > SLOTS as u64 {
            return None;
        }
        if !empty && number > 0 {
            slots.push((u16::try_from(slot).ok()?, number));
        }
    }
    Some(slots)
}

/// Refuses exact figures that the counts contradict.
fn check_exact(slots: &[(u16, u64)], exact: &Exact) -> Result<(), BadBlob> {
    let fits = |ok: bool, what| if ok { Ok(()) } else { Err(BadBlob::Exact { what }) };
    let total: u128 = slots.iter().map(|(_, count)| u128::from(*count)).sum();
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

    proptest! {
        #[test]
        fn slots_are_read_as_the_library_reads_them(
            values in proptest::collection::vec((0..700_000_000_u64, 1..9_u64), 0..400), more in 1..u64::from(u32::MAX),
        ) {
            let mut series = Series::new();
            for (us, times) in &values {
                (0..*times).for_each(|_| series.record(us >> (us % 23)));
            }
            let mut counts = series.counts.histogram().into_owned();
            counts.saturating_record_n(77_777, more);
            let mut blob = Vec::new();
            V2Serializer::new().serialize(&counts, &mut blob).unwrap();
            let slots = stored_slots(&blob[HEADER_BYTES..]).unwrap();
            let library: Histogram<u64> = Deserializer::new().deserialize(&mut &*blob).unwrap();
            let theirs: Vec<(u64, u64)> =
                library.iter_recorded().map(|slot| (slot.value_iterated_to(), slot.count_at_value())).collect();
            let ours: Vec<(u64, u64)> = slots.iter().map(|(slot, count)| (edges_us(*slot).1, *count)).collect();
            prop_assert_eq!(ours, theirs);
            prop_assert_eq!(Counts::Stored(slots.into()).histogram().into_owned(), library);
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
