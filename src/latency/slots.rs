//! A series in the few bytes that the statistics need of it: which slots hold calls, and how many lie above each.

use crate::latency::Series;
use std::sync::Arc;

/// Calls counted in the histogram's slots, without the histogram: 16 bytes a slot that holds any. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(Arc<[Slot]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    upper_us: u64,
    /// Calls in this slot and in all above it.
    from_here_up: u64,
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

fn upper_edge_us(us: u64) -> u64 {
    lower_edge_us(us) | ((1 << width_bits(us)) - 1)
}

/// The slot's place among all slots, for counting.
fn place_of(us: u64) -> usize {
    let bits = width_bits(us);
    ((bits as usize) << BITS_OF_A_SLOT) + (us >> bits) as usize
}

impl Slots {
    /// The slots of a series.
    pub fn of(series: &Series) -> Self {
        Self::rising(series.slots().collect())
    }

    /// Slots from `(upper edge in microseconds, calls)`, in any order; equal edges are added.
    pub fn from_counts(counts: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut places: Vec<(u64, u64)> = Vec::new();
        for (us, calls) in counts {
            let place = place_of(us);
            if places.len() <= place {
                places.resize(place + 1, (0, 0));
            }
            places[place].0 = upper_edge_us(us);
            places[place].1 = places[place].1.saturating_add(calls);
        }
        places.retain(|(_, calls)| *calls > 0);
        Self::rising(places)
    }

    /// What several hold together.
    pub fn merged<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::from_counts(all.into_iter().flat_map(Self::iter))
    }

    fn rising(counts: Vec<(u64, u64)>) -> Self {
        let mut above = 0_u64;
        let mut slots: Vec<Slot> = Vec::with_capacity(counts.len());
        for (upper_us, calls) in counts.into_iter().rev() {
            above = above.saturating_add(calls);
            slots.push(Slot { upper_us, from_here_up: above });
        }
        slots.reverse();
        Self(slots.into())
    }

    /// How many calls there are.
    pub fn len(&self) -> u64 {
        self.0.first().map_or(0, |slot| slot.from_here_up)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many calls are above `us` microseconds; a slot that straddles the limit counts as above.
    pub fn count_above(&self, us: u64) -> u64 {
        let first = self.0.partition_point(|slot| slot.upper_us <= us);
        self.0.get(first).map_or(0, |slot| slot.from_here_up)
    }

    /// Upper edge in microseconds and calls of each slot that holds any, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let next = self.0.iter().skip(1).map(|slot| slot.from_here_up).chain([0]);
        self.0.iter().zip(next).map(|(slot, above)| (slot.upper_us, slot.from_here_up - above))
    }

    /// The upper edge of the slot that holds the `rank`-th smallest value (from 1), microseconds.
    pub fn value_at_rank(&self, rank: u64) -> Option<u64> {
        let n = self.len();
        if rank == 0 || rank > n {
            return None;
        }
        // The last slot from which so many calls lie above that the rank is among them.
        let after = self.0.partition_point(|slot| n - slot.from_here_up < rank);
        self.0.get(after.checked_sub(1)?).map(|slot| slot.upper_us)
    }

    /// The mean of `min(latency, limit)`, microseconds, each call at its slot's upper edge: how long a caller with that
    /// limit holds a connection. `None` without calls.
    pub fn mean_held_us(&self, limit_us: u64) -> Option<f64> {
        let n = self.len();
        let held: f64 = self.iter().map(|(us, calls)| us.min(limit_us) as f64 * calls as f64).sum();
        (n > 0).then(|| held / n as f64)
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
            let above = values.iter().filter(|us| upper_edge_us(**us) > limit).count() as u64;
            prop_assert_eq!(slots.count_above(limit), above);
        }
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
