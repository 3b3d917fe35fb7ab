//! What a client's connection and the call that runs on it tell each other.

use crate::exchange::Instant;
use crate::proxy::tunnel::Tunnel;
use bytes::{Bytes, BytesMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Interim answers of one request at most, bytes; more are left out.
const INTERIM_BYTES_MAX: usize = 16 << 10;

/// Of one HTTP/1 connection; all of it on one thread, so that its locks are never waited for.
#[derive(Debug)]
pub(crate) struct Wire {
    made: Instant,
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

    /// An interim head to be written before the running request's answer. Left out if there are too many.
    pub(crate) fn interim(&self, head: &[u8]) {
        let mut waiting = self.interim.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + head.len() <= INTERIM_BYTES_MAX {
            waiting.extend_from_slice(head);
            self.has_interim.store(true, Ordering::Relaxed);
        }
    }

    /// The interim heads that came since the last time.
    pub(crate) fn take_interim(&self) -> Option<Bytes> {
        if !self.has_interim.load(Ordering::Relaxed) {
            return None;
        }
        self.has_interim.store(false, Ordering::Relaxed);
        Some(self.interim.lock().unwrap_or_else(PoisonError::into_inner).split().freeze())
    }

    /// The connection speaks another protocol once its 101 is written.
    pub(crate) fn switch(&self, tunnel: Tunnel) {
        *self.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
    }

    /// The tunnel to run behind it.
    pub(crate) fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
