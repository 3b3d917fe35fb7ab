//! Places for connections: few, so that memory is bounded, and no single address can take them all.

use crate::console::access::address::place;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections of one address at once, of those that the listener has.
const PLACE_CONNECTIONS_MAX: u32 = 24;

/// Connections by address; an address without one is not remembered.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// One connection's place, given back when dropped.
pub(crate) struct Place {
    places: Places,
    of: IpAddr,
}

impl Places {
    /// A place; `None` when the address has all that one may have.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let of = place(address);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(of).or_default();
        if *count >= PLACE_CONNECTIONS_MAX {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_gets_its_share_and_gives_it_back() {
        let places = Places::default();
        let (one, other) = (IpAddr::from([203, 0, 113, 1]), IpAddr::from([203, 0, 113, 2]));
        let held: Vec<Place> = (0..PLACE_CONNECTIONS_MAX).map(|_| places.take(one).unwrap()).collect();
        assert!(places.take(one).is_none() && places.take(other).is_some());
        drop(held);
        assert!(places.take(one).is_some());
        assert!(places.0.lock().unwrap().is_empty());
    }
}
