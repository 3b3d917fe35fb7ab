//! What the guard and the worker know of one client connection together.

use crate::exchange::Instant;
use crate::proxy::guard::Refusal;
use crate::proxy::tunnel::Tunnel;
use bytes::{Bytes, BytesMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Interim answers of one request at most, bytes; more are left out.
const INTERIM_BYTES_MAX: usize = 16 << 10;

/// Shared by the stream and the requests of one HTTP/1 connection, all on one thread: its locks are never waited for.
#[derive(Debug)]
pub(crate) struct Wire {
    made: Instant,
    begun: AtomicU64,
    answered: AtomicU64,
    opaque: AtomicBool,
    refused: OnceLock<(u64, Refusal)>,
    /// Nothing of hyper's is on its way: what it buffers next is the beginning of an answer.
    clear: AtomicBool,
    has_interim: AtomicBool,
    interim: Mutex<BytesMut>,
    tunnel: Mutex<Option<Tunnel>>,
    /// Since when the answer's first byte is waited for, nanoseconds since the wire was made; 0: it is not.
    owed_ns: AtomicU64,
    owed_route: AtomicUsize,
}

impl Wire {
    pub(crate) fn new(made: Instant) -> Self {
        Self {
            made,
            begun: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            opaque: AtomicBool::new(false),
            refused: OnceLock::new(),
            clear: AtomicBool::new(false),
            has_interim: AtomicBool::new(false),
            interim: Mutex::default(),
            tunnel: Mutex::default(),
            owed_ns: AtomicU64::new(0),
            owed_route: AtomicUsize::new(0),
        }
    }

    /// The next byte that is written is the first of a route's answer; its time counts from `since`. Where a slow client has
    /// not taken an earlier answer yet, that one's rest is mistaken for it: what is its own delay is not ours.
    pub(crate) fn owe(&self, route: usize, since: Instant) {
        let ns = u64::try_from(since.saturating_duration_since(self.made).as_nanos()).unwrap_or(u64::MAX);
        self.owed_route.store(route, Ordering::Relaxed);
        self.owed_ns.store(ns.max(1), Ordering::Relaxed);
    }

    /// What is owed, once.
    pub(crate) fn settle(&self) -> Option<(usize, Instant)> {
        let ns = Some(self.owed_ns.load(Ordering::Relaxed)).filter(|ns| *ns > 0)?;
        self.owed_ns.store(0, Ordering::Relaxed);
        Some((self.owed_route.load(Ordering::Relaxed), self.made + Duration::from_nanos(ns)))
    }

    /// A request begins; its refusal, if it is the stand-in of one.
    pub(crate) fn begin(&self) -> Option<Refusal> {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        self.refused.get().filter(|(at, _)| *at == begun).map(|(_, refusal)| *refusal)
    }

    /// The request's final answer is about to be handed to hyper.
    pub(crate) fn answered(&self) {
        // Behind an earlier answer that still waits in hyper's buffer there is no place before this one.
        if self.has_interim.load(Ordering::Relaxed) && !self.clear.load(Ordering::Relaxed) {
            self.take_interim();
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests answered so far.
    pub(crate) fn answers(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// The head with this number (from 1) is refused.
    pub(crate) fn refuse(&self, at: u64, refusal: Refusal) {
        // Only the first counts: nothing is read behind it.
        let _ = self.refused.set((at, refusal));
    }

    /// Whether a head was refused.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused.get().is_some()
    }

    /// An interim head to be written before the running request's answer. Left out if there are too many.
    pub(crate) fn interim(&self, head: &[u8]) {
        let mut waiting = self.interim.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + head.len() <= INTERIM_BYTES_MAX {
            waiting.extend_from_slice(head);
            self.has_interim.store(true, Ordering::Relaxed);
        }
    }

    /// What waits to be written, if it may be written now.
    pub(crate) fn interim_now(&self) -> Option<Bytes> {
        let now = self.has_interim.load(Ordering::Relaxed) && self.clear.load(Ordering::Relaxed);
        now.then(|| self.take_interim())
    }

    fn take_interim(&self) -> Bytes {
        self.has_interim.store(false, Ordering::Relaxed);
        self.interim.lock().unwrap_or_else(PoisonError::into_inner).split().freeze()
    }

    /// hyper's buffer is empty, or not.
    pub(crate) fn set_clear(&self, clear: bool) {
        self.clear.store(clear, Ordering::Relaxed);
    }

    /// The connection speaks another protocol once its 101 is written.
    pub(crate) fn switch(&self, tunnel: Tunnel) {
        *self.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
        self.opaque.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque.load(Ordering::Relaxed)
    }

    /// The tunnel to run when hyper is done.
    pub(crate) fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
