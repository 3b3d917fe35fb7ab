//! The guard between the client's stream and hyper: hyper sees a head only when it is whole and good.
//!
//! A refused head is replaced by a harmless stand-in, which the worker answers with the refusal: so it is answered in its
//! turn behind earlier requests, and the connection ends with it. The guard also owns the write side's one gap, the
//! interim answers (1xx) that hyper's server cannot send.

mod fields;
mod framing;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use fields::Refusal;
pub(crate) use stream::Guarded;
pub(crate) use wire::Wire;
