//! The bodies of the recent past, so that an equal one is stored once: shared by the threads that prepare and the writer.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SHA-256 of a redacted body.
pub type Digest = [u8; 32];

/// How many bodies back an equal one is found. Bounded memory (about 120 bytes each); repeats are near each other.
const BODIES_MAX: usize = 32_768;

/// Where a body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its row.
    pub body: i64,
    /// The capture it came with.
    pub owner: i64,
}

#[derive(Debug, Default)]
struct Known {
    /// None: somebody is preparing it.
    place: Option<Place>,
    shape: Option<u64>,
}

/// See the file.
#[derive(Debug, Default)]
pub struct Window(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<Digest, Known, BuildHasherDefault<FirstBytes>>,
    oldest: VecDeque<Digest>,
}

/// A digest is its own hash: nobody can choose one.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    }

    /// The length before the digest tells nothing.
    fn write_usize(&mut self, _: usize) {}
}

/// What the window says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Never seen: whoever asked is to pack it.
    New,
    /// Stored, or about to be; and the shape of its JSON, where that was asked before.
    Known(Option<u64>),
}

impl Window {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for a body; one that is not known is from now on.
    pub fn meet(&self, digest: &Digest) -> Met {
        let mut inner = self.inner();
        if let Some(known) = inner.known.get(digest) {
            return Met::Known(known.shape);
        }
        inner.remember(*digest, Known::default());
        Met::New
    }

    /// Notes the shape of a body's JSON.
    pub fn has_shape(&self, digest: &Digest, shape: u64) {
        if let Some(known) = self.inner().known.get_mut(digest) {
            known.shape = Some(shape);
        }
    }

    /// Where a body is stored, if it is.
    pub fn place(&self, digest: &Digest) -> Option<Place> {
        self.inner().known.get(digest)?.place
    }

    /// A body has a row now.
    pub fn stored(&self, digest: &Digest, place: Place) {
        let mut inner = self.inner();
        match inner.known.get_mut(digest) {
            Some(known) => known.place = Some(place),
            None => inner.remember(*digest, Known { place: Some(place), shape: None }),
        }
    }

    /// Forgets the bodies up to a row: they may be gone.
    pub fn forget_up_to(&self, body: i64) {
        if body > 0 {
            self.inner().known.retain(|_, known| known.place.is_none_or(|place| place.body > body));
        }
    }

    /// Forgets every row: they may be gone.
    pub fn clear(&self) {
        *self.inner() = Inner::default();
    }
}

impl Inner {
    fn remember(&mut self, digest: Digest, known: Known) {
        if self.oldest.len() >= BODIES_MAX
            && let Some(old) = self.oldest.pop_front()
        {
            self.known.remove(&old);
        }
        self.oldest.push_back(digest);
        self.known.insert(digest, known);
    }
}
