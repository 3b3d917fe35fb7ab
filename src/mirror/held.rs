//! The byte budgets, one per integration and one in all: a share is reserved in both before bytes are kept, and returned
//! by dropping it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The byte budget over all integrations; clones are the same budget.
#[derive(Clone, Debug)]
pub struct MemoryInAll(Arc<Pool>);

impl MemoryInAll {
    /// A budget of so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Pool::new(bytes_max)))
    }

    /// Bytes reserved now.
    pub fn bytes_held(&self) -> usize {
        self.0.used()
    }
}

impl Default for MemoryInAll {
    fn default() -> Self {
        Self::new(256 << 20)
    }
}

#[derive(Debug)]
struct Pool {
    used: AtomicUsize,
    max: usize,
}

impl Pool {
    fn new(max: usize) -> Self {
        Self { used: AtomicUsize::new(0), max }
    }

    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// One integration's budget, within the budget in all.
#[derive(Debug)]
pub(crate) struct Budget {
    own: Pool,
    in_all: MemoryInAll,
}

impl Budget {
    pub(crate) fn new(max: usize, in_all: &MemoryInAll) -> Arc<Self> {
        Arc::new(Self { own: Pool::new(max), in_all: in_all.clone() })
    }

    /// Bytes reserved now.
    pub(crate) fn used(&self) -> usize {
        self.own.used()
    }

    fn take(&self, bytes: usize) -> bool {
        if !self.own.take(bytes) {
            return false;
        }
        let taken = self.in_all.0.take(bytes);
        if !taken {
            self.own.give(bytes);
        }
        taken
    }

    fn give(&self, bytes: usize) {
        self.own.give(bytes);
        self.in_all.0.give(bytes);
    }
}

/// A share of the byte budgets.
#[derive(Debug)]
pub struct BytesHeld {
    budget: Arc<Budget>,
    bytes: usize,
}

impl BytesHeld {
    pub(crate) fn none(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), bytes: 0 }
    }

    /// Reserves more; false, and nothing changes, when either budget has not that much.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let taken = self.budget.take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }

    /// Returns a part.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.give(bytes);
    }

    /// Takes over another share of the same budget.
    pub fn join(&mut self, mut other: Self) {
        if Arc::ptr_eq(&self.budget, &other.budget) {
            self.bytes += std::mem::take(&mut other.bytes);
        }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for BytesHeld {
    fn drop(&mut self) {
        self.budget.give(self.bytes);
    }
}
