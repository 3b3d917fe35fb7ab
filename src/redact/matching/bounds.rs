//! How much of each sort a text must have at least for the pattern of a stretch, tabulated: one look for each sort tells
//! the stretches worth following of all patterns at once.

use crate::redact::matching::factors::{Places, WORDS};
use crate::redact::matching::needs::Amounts;

/// Amounts told apart: who needs more is asked from the last one on.
const AMOUNTS_MAX: usize = 64;
/// Every place.
const ALL: Places = [u64::MAX; WORDS];

/// For each sort and each amount of it in a text, the places of the patterns that need no more.
pub(in crate::redact) struct Bounds(Box<[[Places; AMOUNTS_MAX]; Amounts::SORTS]>);

impl Bounds {
    /// No bounds: every place is open.
    pub fn new() -> Self {
        Self(Box::new([[ALL; AMOUNTS_MAX]; Amounts::SORTS]))
    }

    /// Closes places to texts that have less than these amounts.
    pub fn add(&mut self, places: &Places, needed: &Amounts) {
        for (table, least) in self.0.iter_mut().zip(needed.each()) {
            for open in table.iter_mut().take(least.min(AMOUNTS_MAX - 1)) {
                open.iter_mut().zip(places).for_each(|(open, places)| *open &= !places);
            }
        }
    }

    /// The places open to a text that has these amounts.
    pub fn open(&self, made: &Amounts) -> Places {
        let mut all = ALL;
        for (table, amount) in self.0.iter().zip(made.each()) {
            let open = &table[amount.min(AMOUNTS_MAX - 1)];
            for word in 0..WORDS {
                all[word] &= open[word];
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_open_to_whoever_has_enough_of_each_sort() {
        let mut bounds = Bounds::new();
        let needed = |bytes, digits| Amounts { bytes, digits, ..Amounts::default() };
        bounds.add(&[0b10, 0, 0, 0], &needed(5, 2));
        bounds.add(&[0, 1, 0, 0], &needed(200, 0));
        let open = |bytes, digits| bounds.open(&needed(bytes, digits));
        assert!(open(5, 2)[0] & 0b10 != 0 && open(1000, 64)[0] & 0b10 != 0);
        assert!(open(4, 2)[0] & 0b10 == 0 && open(5, 1)[0] & 0b10 == 0 && open(1000, 1)[0] & 0b10 == 0);
        assert!(open(1000, 0)[1] & 1 != 0 && open(62, 0)[1] & 1 == 0);
        assert_eq!(open(0, 0)[2], u64::MAX);
    }
}
