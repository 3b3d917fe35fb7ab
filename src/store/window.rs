//! The bodies of the recent past, so that an equal one is stored once: shared by the threads that prepare and the writer.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SHA-256 of a redacted body.
pub type Digest = [u8; 32];

/// How many bodies back an equal one is found. Bounded memory (about 90 bytes each); repeats are near each other.
const BODIES_MAX: usize = 32_768;

/// Where a body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its row.
    pub body: i64,
    /// The capture it came with.
    pub owner: i64,
}

/// Where a body lay when it was met. The writer, who alone makes rows and loses them, trusts it without looking again as
/// long as [`Window::holds`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    pub place: Place,
    clears: u64,
}

/// What is known of one body: 56 bytes, so that the last tens of thousands stay in a processor's cache.
#[derive(Debug)]
struct Known {
    digest: Digest,
    /// [`NO_PLACE`]: somebody is preparing it.
    place: Place,
    /// Of its JSON; [`NO_ANSWER`]: nobody asked yet.
    shape: u64,
}

/// No row is 0.
const NO_PLACE: Place = Place { body: 0, owner: 0 };
/// No shape is so large: they fit a signed integer.
const NO_ANSWER: u64 = u64::MAX;

/// See the file.
#[derive(Debug, Default)]
pub struct Window {
    inner: Mutex<Inner>,
    /// How often every row was forgotten; changed under the lock.
    clears: AtomicU64,
    /// The newest row that may be gone since.
    gone_up_to: AtomicI64,
}

#[derive(Debug, Default)]
struct Inner {
    /// A ring: once it is full, the next one takes the place of the oldest.
    bodies: Vec<Known>,
    next: usize,
    /// Where in the ring a body is, by the beginning of its digest.
    index: HashMap<u64, u32, BuildHasherDefault<Itself>>,
}

/// A digest is its own hash: nobody can choose one.
#[derive(Debug, Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = beginning(bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

fn beginning(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

/// What the window says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Never seen: whoever asked is to pack it.
    New,
    /// Stored, or about to be: where, if it is, and the shape of its JSON, where that was asked before.
    Known(Option<Sight>, Option<u64>),
}

impl Window {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for a body; one that is not known is from now on.
    pub fn meet(&self, digest: &Digest) -> Met {
        let mut inner = self.inner();
        if let Some(known) = inner.find(digest) {
            let clears = self.clears.load(Ordering::Relaxed);
            let sight = (known.place != NO_PLACE).then_some(Sight { place: known.place, clears });
            return Met::Known(sight, (known.shape != NO_ANSWER).then_some(known.shape));
        }
        inner.remember(*digest, NO_PLACE);
        Met::New
    }

    /// Notes the shape of a body's JSON.
    pub fn has_shape(&self, digest: &Digest, shape: u64) {
        if let Some(known) = self.inner().find(digest) {
            known.shape = shape;
        }
    }

    /// Where a body is stored, if it is.
    pub fn place(&self, digest: &Digest) -> Option<Place> {
        self.inner().find(digest).map(|known| known.place).filter(|place| *place != NO_PLACE)
    }

    /// Whether a body that was seen lies where it lay; asked by the writer.
    pub fn holds(&self, sight: Sight) -> bool {
        sight.clears == self.clears.load(Ordering::Relaxed)
            && sight.place.body > self.gone_up_to.load(Ordering::Relaxed)
    }

    /// Where a body is stored; if it is not, from now on there.
    pub fn place_or(&self, digest: &Digest, there: Place) -> Option<Place> {
        let mut inner = self.inner();
        match inner.find(digest) {
            Some(known) if known.place != NO_PLACE => return Some(known.place),
            Some(known) => known.place = there,
            None => inner.remember(*digest, there),
        }
        None
    }

    /// A body has a row now.
    pub fn stored(&self, digest: &Digest, place: Place) {
        let mut inner = self.inner();
        match inner.find(digest) {
            Some(known) => known.place = place,
            None => inner.remember(*digest, place),
        }
    }

    /// Forgets the bodies up to a row: they may be gone.
    pub fn forget_up_to(&self, body: i64) {
        if body > 0 {
            self.gone_up_to.fetch_max(body, Ordering::Relaxed);
            let Inner { bodies, index, .. } = &mut *self.inner();
            let may_be_gone = |at: u32| {
                let place = bodies.get(at as usize).map_or(NO_PLACE, |known| known.place);
                place != NO_PLACE && place.body <= body
            };
            index.retain(|_, at| !may_be_gone(*at));
        }
    }

    /// Forgets every row: they may be gone.
    pub fn clear(&self) {
        let mut inner = self.inner();
        // A file made anew numbers its rows from 1 again.
        self.gone_up_to.store(0, Ordering::Relaxed);
        self.clears.fetch_add(1, Ordering::Relaxed);
        *inner = Inner::default();
    }
}

impl Inner {
    fn find(&mut self, digest: &Digest) -> Option<&mut Known> {
        let at = *self.index.get(&beginning(digest))?;
        self.bodies.get_mut(at as usize).filter(|known| known.digest == *digest)
    }

    fn remember(&mut self, digest: Digest, place: Place) {
        let known = Known { digest, place, shape: NO_ANSWER };
        let at = self.next;
        self.next = (at + 1) % BODIES_MAX;
        match self.bodies.get_mut(at) {
            None => self.bodies.push(known),
            Some(oldest) => {
                let old = beginning(&std::mem::replace(oldest, known).digest);
                if self.index.get(&old) == Some(&(at as u32)) {
                    self.index.remove(&old);
                }
            }
        }
        self.index.insert(beginning(&digest), at as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_holds_until_its_row_may_be_gone() {
        let window = Window::default();
        let (one, two) = (Place { body: 7, owner: 3 }, Place { body: 8, owner: 3 });
        assert_eq!((window.meet(&[1; 32]), window.meet(&[1; 32])), (Met::New, Met::Known(None, None)));
        assert_eq!((window.place_or(&[1; 32], one), window.place_or(&[1; 32], two)), (None, Some(one)));
        assert_eq!((window.place_or(&[2; 32], two), window.place(&[2; 32])), (None, Some(two)));
        let sight = |digest: &Digest| match window.meet(digest) {
            Met::Known(Some(sight), _) => sight,
            other => panic!("{other:?}"),
        };
        let (first, second) = (sight(&[1; 32]), sight(&[2; 32]));
        assert_eq!((first.place, second.place), (one, two));
        window.forget_up_to(7);
        assert_eq!((window.holds(first), window.holds(second), window.place(&[1; 32])), (false, true, None));
        window.clear();
        assert_eq!((window.holds(second), window.place(&[2; 32])), (false, None));
        window.stored(&[1; 32], one);
        assert!(window.holds(sight(&[1; 32])) && !window.holds(first));
    }

    #[test]
    fn the_oldest_makes_room_and_one_that_is_gone_is_new_again() {
        let digest = |n: usize| -> Digest { [(n as u64).to_le_bytes(); 4].concat().try_into().unwrap() };
        let window = Window::default();
        let meet = |n: usize| window.meet(&digest(n));
        for n in 0..BODIES_MAX {
            assert_eq!(meet(n), Met::New);
        }
        window.has_shape(&digest(0), 0);
        assert_eq!((meet(0), meet(1)), (Met::Known(None, Some(0)), Met::Known(None, None)));
        assert_eq!((meet(BODIES_MAX), meet(0), meet(1), meet(2)), (Met::New, Met::New, Met::New, Met::New));
        assert_eq!(meet(4), Met::Known(None, None));
        let at = |body| Place { body, owner: 1 };
        (4..8).for_each(|n| window.stored(&digest(n), at(n as i64)));
        window.forget_up_to(5);
        assert_eq!(window.place(&digest(6)), Some(at(6)));
        assert_eq!((meet(8), meet(4), meet(5)), (Met::Known(None, None), Met::New, Met::New));
        // A dead one's place in the ring is somebody else's, who stays when the ring comes round.
        for n in 2 * BODIES_MAX..3 * BODIES_MAX {
            meet(n);
        }
        assert_eq!(window.inner().index.len(), BODIES_MAX);
        // Two that begin alike are told apart.
        let mut other = digest(3 * BODIES_MAX - 1);
        other[31] ^= 1;
        assert_eq!((window.place(&other), window.meet(&other)), (None, Met::New));
    }
}
