//! A series in the few bytes that the statistics need of it: which slots hold calls, and how many lie above each.

use crate::latency::series::each_stored;
use crate::latency::{BadBlob, Exact, Series};
use std::ops::Range;
use std::sync::Arc;

/// Calls counted in the histogram's slots, without the histogram: 8 bytes a slot that holds any. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Arc<[Slot]>);

/// A slot's place among all slots, and above it in the same word how many calls are in it and in all slots above: two
/// weeks of fifty series are a hundred thousand histograms, and this is what they are held in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot(u64);

/// Bits of a count: 2 000 million million calls, and stays there.
const COUNT_BITS: u32 = 51;
const COUNT_MOST: u64 = (1 << COUNT_BITS) - 1;

impl Slot {
    fn new(place: u16, upwards: u64) -> Self {
        Self(u64::from(place) << COUNT_BITS | upwards.min(COUNT_MOST))
    }

    fn place(self) -> u16 {
        (self.0 >> COUNT_BITS) as u16
    }

    fn upwards(self) -> u64 {
        self.0 & COUNT_MOST
    }
}

/// Slots below this value hold one microsecond each; above, 128 of them make an octave.
const EXACT_BELOW_US: u64 = 256;
const BITS_OF_A_SLOT: u32 = 7;

/// How many bits the slot of a value is wide.
fn width_bits(us: u64) -> u32 {
    if us < EXACT_BELOW_US { 0 } else { us.ilog2() - BITS_OF_A_SLOT }
}

/// The smallest value of the slot that holds `us`, microseconds.
pub fn lower_edge_us(us: u64) -> u64 {
    let bits = width_bits(us);
    us >> bits << bits
}

/// The slot's place among all slots, from 0; below 8 192 for any value.
pub(crate) fn place_of(us: u64) -> u16 {
    let bits = width_bits(us);
    ((bits as u16) << BITS_OF_A_SLOT) + (us >> bits) as u16
}

/// The smallest and the largest value of the slot at a place, microseconds.
pub(crate) fn edges_us(place: u16) -> (u64, u64) {
    let bits = u64::from(place >> BITS_OF_A_SLOT).saturating_sub(1);
    let lowest = (u64::from(place) - (bits << BITS_OF_A_SLOT)) << bits;
    (lowest, lowest | ((1 << bits) - 1))
}

impl Slots {
    /// The slots of a series.
    pub fn of(series: &Series) -> Self {
        match series.stored() {
            Some(held) => Self::falling(held.iter().rev().copied()),
            None => Self::from_counts(series.slots()),
        }
    }

    /// The slots of a stored blob and the figures beside it: what [`Slots::of`] makes of its series, without the series.
    ///
    /// # Errors
    /// Those of [`Series::decode`].
    pub fn decode(blob: &[u8], exact: Exact) -> Result<Self, BadBlob> {
        let mut slots: Vec<Slot> = Vec::with_capacity(blob.len());
        let mut upwards = exact.n;
        each_stored(blob, &exact, |place, calls| {
            slots.push(Slot::new(place, upwards));
            upwards = upwards.saturating_sub(calls);
        })?;
        Ok(Self(slots.into()))
    }

    /// Slots from `(a value in microseconds, calls)`, in any order; values of one slot are added.
    pub fn from_counts(counts: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut sum = SlotsSum::default();
        counts.into_iter().for_each(|(us, calls)| sum.add_calls(place_of(us), calls));
        sum.slots()
    }

    /// What several hold together.
    pub fn merged<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut held = all.into_iter().filter(|slots| !slots.is_empty());
        let Some(first) = held.next() else { return Self::default() };
        let Some(second) = held.next() else { return first.clone() };
        let mut sum = SlotsSum::default();
        [first, second].into_iter().chain(held).for_each(|slots| sum.add(slots));
        sum.slots()
    }

    /// From place and calls, largest first.
    fn falling(counts: impl Iterator<Item = (u16, u64)>) -> Self {
        let mut above = 0_u64;
        let mut slots: Vec<Slot> = Vec::with_capacity(counts.size_hint().0);
        slots.extend(counts.map(|(place, calls)| {
            above = above.saturating_add(calls);
            Slot::new(place, above)
        }));
        slots.reverse();
        Self(slots.into())
    }

    /// How many calls there are.
    pub fn len(&self) -> u64 {
        self.0.first().map_or(0, |slot| slot.upwards())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many calls are above `us` microseconds; a slot that straddles the limit counts as above.
    pub fn count_above(&self, us: u64) -> u64 {
        self.0.get(self.after(us)).map_or(0, |slot| slot.upwards())
    }

    /// The first slot that holds calls above `us`, as its position among those that hold any.
    pub(crate) fn after(&self, us: u64) -> usize {
        self.0.partition_point(|slot| edges_us(slot.place()).1 <= us)
    }

    /// Place and calls of each slot that holds any, smallest first.
    fn counts(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let next = self.0.iter().skip(1).map(|slot| slot.upwards()).chain([0]);
        self.0.iter().zip(next).map(|(slot, above)| (slot.place(), slot.upwards() - above))
    }

    /// Place of each slot that holds any, smallest first, and how many calls are in it and above.
    pub(crate) fn places(&self) -> impl DoubleEndedIterator<Item = (u16, u64)> + ExactSizeIterator + '_ {
        self.0.iter().map(|slot| (slot.place(), slot.upwards()))
    }

    /// The place of a slot, as its position among those that hold any.
    pub(crate) fn place_at(&self, slot: usize) -> Option<u16> {
        self.0.get(slot).map(|slot| slot.place())
    }

    /// How many calls are in the slots from a place on, where it is known between which of those that hold any it lies.
    pub(crate) fn upwards_from(&self, place: u16, within: Range<u16>) -> u64 {
        let (from, to) = (usize::from(within.start), usize::from(within.end));
        let below = self.0.get(from..to).map_or(0, |near| near.partition_point(|slot| slot.place() < place));
        self.0.get(from + below).map_or(0, |slot| slot.upwards())
    }

    /// Upper edge in microseconds and calls of each slot that holds any, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts().map(|(place, calls)| (edges_us(place).1, calls))
    }

    /// The upper edge of the slot that holds the `rank`-th smallest value (from 1), microseconds.
    pub fn value_at_rank(&self, rank: u64) -> Option<u64> {
        let n = self.len();
        if rank == 0 || rank > n {
            return None;
        }
        // The last slot from which so many calls lie above that the rank is among them.
        let after = self.0.partition_point(|slot| n - slot.upwards() < rank);
        self.0.get(after.checked_sub(1)?).map(|slot| edges_us(slot.place()).1)
    }

    /// The mean of `min(latency, limit)`, microseconds, each call at its slot's upper edge: how long a caller with that
    /// limit holds a connection. `None` without calls.
    pub fn mean_held_us(&self, limit_us: u64) -> Option<f64> {
        let n = self.len();
        let held: f64 = self.iter().map(|(us, calls)| us.min(limit_us) as f64 * calls as f64).sum();
        (n > 0).then(|| held / n as f64)
    }
}

/// Calls by place, while they are added up.
#[derive(Clone, Debug, Default)]
pub struct SlotsSum(Vec<u64>);

impl SlotsSum {
    /// Adds what some slots hold.
    pub fn add(&mut self, slots: &Slots) {
        let Some(last) = slots.0.last() else { return };
        self.reach(usize::from(last.place()));
        let mut upwards = 0;
        for slot in slots.0.iter().rev() {
            if let Some(sum) = self.0.get_mut(usize::from(slot.place())) {
                *sum = sum.saturating_add(slot.upwards() - upwards);
            }
            upwards = slot.upwards();
        }
    }

    fn add_calls(&mut self, place: u16, calls: u64) {
        let place = usize::from(place);
        self.reach(place);
        if let Some(sum) = self.0.get_mut(place) {
            *sum = sum.saturating_add(calls);
        }
    }

    fn reach(&mut self, place: usize) {
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
    }

    /// What was added.
    pub fn slots(self) -> Slots {
        let held = self.0.into_iter().enumerate().rev().filter(|(_, calls)| *calls > 0);
        Slots::falling(held.map(|(place, calls)| (place as u16, calls)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slots_are_those_of_the_series(values in proptest::collection::vec(0..600_000_000_u64, 1..400)) {
            let mut series = Series::new();
            values.iter().for_each(|us| series.record(*us));
            let slots = Slots::of(&series);
            prop_assert_eq!(&slots, &Slots::from_counts(values.iter().map(|us| (*us, 1))));
            prop_assert_eq!(slots.iter().collect::<Vec<_>>(), series.slots().collect::<Vec<_>>());
            for rank in 1..=slots.len() {
                let (slot, exact) = (slots.value_at_rank(rank).unwrap(), series.value_at_rank(rank).unwrap());
                prop_assert!(slot >= exact && lower_edge_us(slot) <= exact);
            }
            prop_assert_eq!(slots.value_at_rank(slots.len() + 1), None);
            let limit = values[0];
            let above = values.iter().filter(|us| edges_us(place_of(**us)).1 > limit).count() as u64;
            prop_assert_eq!(slots.count_above(limit), above);
        }
    }

    #[test]
    fn every_value_lies_within_the_edges_of_its_place() {
        for us in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1, u64::MAX >> bit]) {
            let (low, high) = edges_us(place_of(us));
            assert!(low <= us && us <= high && low == lower_edge_us(us) && place_of(us) < 8_192, "{us}");
        }
        assert_eq!(Slots::from_counts([(5, u64::MAX), (5, 1)]).len(), COUNT_MOST);
    }

    #[test]
    fn what_is_held_is_cut_at_the_limit() {
        let slots = Slots::from_counts([(100, 3), (200, 1)]);
        assert_eq!(slots.mean_held_us(u64::MAX), Some(125.0));
        assert_eq!(slots.mean_held_us(100), Some(100.0));
        assert_eq!(Slots::default().mean_held_us(100), None);
        assert_eq!(Slots::merged([&slots, &slots]).len(), 8);
    }
}
