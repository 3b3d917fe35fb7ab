//! Places that an API's documents have again and again: the path of names that leads to a value, and what does not depend
//! on the value there: which rules may claim it.
//!
//! **What is kept.** Numbers of names that are remembered anyway, and numbers of rules.

use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Places remembered at most; an API has a few hundred.
const SPOTS_MAX: usize = 4096;

/// A place: all names that lead to it, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::redact) struct Spot(u32);

impl Spot {
    /// Where no name leads: the top of a document.
    pub const TOP: Self = Self(0);
}

/// The rules that may claim a value at a place, as far as names tell.
#[derive(Debug, Default)]
pub(in crate::redact) struct Claimants {
    /// In the order in which they are asked.
    rules: Vec<u16>,
    /// How many of them list the name; the others are of any name.
    by_name: usize,
}

impl Claimants {
    /// Rules that list the name, and those of any name behind them.
    pub fn of(mut by_name: Vec<u16>, of_any_name: impl IntoIterator<Item = u16>) -> Self {
        let count = by_name.len();
        by_name.extend(of_any_name);
        Self { rules: by_name, by_name: count }
    }

    /// Those that list the name, and those of any name if they `may` claim.
    pub fn get(&self, may: bool) -> &[u16] {
        if may { &self.rules } else { &self.rules[..self.by_name] }
    }
}

/// The places seen so far.
pub(in crate::redact) struct Spots {
    /// From a place, and the number of a name below it, to the place there.
    below: HashMap<(Spot, u64), Spot, RandomState>,
    claimants: Vec<Claimants>,
}

impl Spots {
    /// None but the top.
    pub fn new() -> Self {
        Self { below: HashMap::default(), claimants: vec![Claimants::default()] }
    }

    /// The place below another one.
    pub fn below(&self, spot: Spot, name: u64) -> Option<Spot> {
        self.below.get(&(spot, name)).copied()
    }

    /// Remembers a place while there is room.
    pub fn learn(&mut self, spot: Spot, name: u64, claimants: Claimants) -> Option<Spot> {
        let fresh = u32::try_from(self.claimants.len()).ok().filter(|_| self.claimants.len() < SPOTS_MAX).map(Spot)?;
        self.claimants.push(claimants);
        self.below.insert((spot, name), fresh);
        Some(fresh)
    }

    /// The rules that may claim a value at a place.
    pub fn claimants(&self, spot: Spot) -> Option<&Claimants> {
        self.claimants.get(spot.0 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_all_the_names_above_it() {
        let mut spots = Spots::new();
        let of = |rule| Claimants::of(vec![rule], [7]);
        let customer = spots.learn(Spot::TOP, 1, of(1)).unwrap();
        let its_name = spots.learn(customer, 2, of(2)).unwrap();
        let name = spots.learn(Spot::TOP, 2, of(3)).unwrap();
        assert_eq!(spots.below(Spot::TOP, 1).and_then(|it| spots.below(it, 2)), Some(its_name));
        assert_eq!(spots.below(Spot::TOP, 2), Some(name));
        assert_eq!((spots.below(name, 1), spots.below(its_name, 2)), (None, None));
        assert_eq!(spots.claimants(its_name).map(|it| (it.get(false), it.get(true))), Some((&[2][..], &[2, 7][..])));
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let mut spots = Spots::new();
        let learned = (0..2 * SPOTS_MAX as u64).filter_map(|name| spots.learn(Spot::TOP, name, Claimants::default()));
        assert_eq!(learned.count(), SPOTS_MAX - 1);
        assert_eq!(spots.below.len(), SPOTS_MAX - 1);
    }
}
