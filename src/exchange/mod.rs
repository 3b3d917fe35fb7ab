//! The vocabulary: what travels the line, as plain data without I/O.
//!
//! **Invariant:** raw types have no `Serialize`, and their `Debug` prints sizes, never bytes: they cannot be logged or
//! dumped by accident. Only `redact` turns them into something that may be stored.

mod body;
mod capture;
mod clock;
mod courtesy;
mod outcome;
mod reason;
mod refused;
mod trailers;

pub use body::{BodyCopy, BodyState, DropReason};
pub use capture::{
    Capture, CaptureId, Endpoint, Exchange, Failure, FailureKind, Integration, RequestCopy, ResponseCopy, Role, Timings,
};
pub use clock::{Clock, Instant};
pub use courtesy::Courtesy;
pub use outcome::Outcome;
pub use reason::NotMirrored;
pub use refused::Refused;
pub use trailers::append_trailers;
