//! Sampling, `offer`, and the dispatch to the shadow.
//!
//! **Invariants.** Work is shed at one door, before anything is spent, with a reason and a count. Nothing here makes the
//! user's path wait: `consider` and `offer` never block. What was taken ends as `mirrored` exactly once.

mod call;
mod dispatch;
mod door;
mod held;
mod sample;
#[cfg(test)]
mod tests;

pub use crate::adapt::{BaseUrl, strip_prefix};
pub use call::Shadow;
pub use dispatch::{Announced, Outlets, run};
pub use door::{Door, Line, Offer, PrimaryDone, PrimarySide, Ticket, door};
pub use held::{BytesHeld, MemoryInAll};
pub use sample::{JsonPointer, SampleKey};

use crate::exchange::Capture;
use http::Method;

/// An exception for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRule {
    /// The endpoint's name, `POST /charges`.
    pub endpoint: String,
    /// True: mirrored whatever its method; false: never.
    pub mirror: bool,
}

/// One integration's limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Methods mirrored.
    pub methods: Vec<Method>,
    /// Exceptions by endpoint.
    pub endpoints: Vec<EndpointRule>,
    /// Copy of one request body at most.
    pub body_copy_bytes_max: usize,
    /// Calls waiting at most.
    pub queue_calls_max: usize,
    /// Shadow calls at once at most.
    pub in_flight_max: usize,
    /// Bytes of copies held at once at most, from the request's head until stored.
    pub bytes_max: usize,
    /// Bytes of copies held at once by all integrations that share it.
    pub memory_in_all: MemoryInAll,
    /// Silence between two reads at most, milliseconds.
    pub read_timeout_ms: u64,
    /// One shadow call at most, milliseconds.
    pub total_timeout_ms: u64,
    /// Copy of one answer at most, either upstream's.
    pub answer_bytes_max: usize,
    /// What the sample is drawn from.
    pub sample_key: SampleKey,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            methods: vec![Method::GET, Method::HEAD],
            endpoints: Vec::new(),
            body_copy_bytes_max: 1 << 20,
            queue_calls_max: 1024,
            in_flight_max: 64,
            bytes_max: 64 << 20,
            memory_in_all: MemoryInAll::default(),
            read_timeout_ms: 30_000,
            total_timeout_ms: 60_000,
            answer_bytes_max: 1 << 20,
            sample_key: SampleKey::default(),
        }
    }
}

/// A finished capture on its way to the recorder.
#[derive(Debug)]
pub struct Taken {
    /// The capture.
    pub capture: Capture,
    /// Its share of the byte budget: keep it until the capture is stored.
    pub held: BytesHeld,
}
