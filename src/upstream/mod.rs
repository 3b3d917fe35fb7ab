//! The HTTP client of both upstream legs: connections kept per origin, timed connects, no redirects, no decoding.
//!
//! **Invariants.** A request's bytes are written to one connection at most, ever. Every connection is owned by its
//! [`Origin`] and ends with it. A connection serves again only after an answer that was read to its end. Certificates
//! are always verified: there is no way to switch that off.

mod body;
mod client;
mod connect;
mod error;
mod http1;
mod idle;
mod message;
mod tasks;
mod tls;
#[cfg(test)]
mod tests;

pub use body::AnswerBody;
pub use client::{Origin, OriginSettings, Timer};
pub use connect::{Target, TargetError, TargetSettings, UNIX_PATH_BYTES_MAX};
pub use error::{CallError, failure_of};
pub use http1::Ask;
pub use tls::{PemError, Tls};

use serde::Serialize;

/// Which HTTP an origin is spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum HttpVersion {
    /// What TLS negotiates; HTTP/1.1 without TLS.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1 only.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2 only: negotiated with TLS, by prior knowledge (h2c) without.
    #[serde(rename = "2")]
    Http2,
}
