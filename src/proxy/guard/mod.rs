//! The guard of the user's path: what a client sends is a request only when its head is whole, good, and can be read in one
//! way only; what is none is refused before anyone sees it.

mod fields;
mod framing;
#[cfg(test)]
mod tests;

pub(crate) use fields::{Head, Refusal, refusal};
pub(crate) use framing::{Framing, Step};
