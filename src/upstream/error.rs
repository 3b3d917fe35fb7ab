//! Why a call ended without its answer, and which failure that is in the ledger.

use crate::exchange::FailureKind;
use crate::http1::Error;
use std::error::Error as StdError;
use std::io;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Name, TCP, unix socket or TLS.
    #[error("the connection could not be made: {0}")]
    Connect(#[source] io::Error),
    /// The connect took longer than it may.
    #[error("the connection could not be made in time")]
    ConnectTimeout,
    /// The request asks for an upgrade, which HTTP/2 does not have.
    #[error("an upgrade needs HTTP/1.1, and this origin is spoken to in HTTP/2 only")]
    Upgrade,
    /// The HTTP/1.1 connection failed during the call, or what came is no HTTP.
    #[error("the call failed: {0}")]
    Http1(#[source] Error),
    /// The same over HTTP/2.
    #[error("the call failed: {0}")]
    Http(#[from] hyper::Error),
}

impl CallError {
    /// The system's own limit, or one address's share of ours, is a timeout too.
    pub(crate) fn of_connect(error: io::Error) -> Self {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(cause) = next {
            if cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
                return Self::ConnectTimeout;
            }
            // An io::Error hides the error it is made of behind that one's source.
            next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => cause.source(),
            };
        }
        Self::Connect(error)
    }
}

/// Which failure an error of a call or of an answer's body is.
pub fn failure_of(error: &(dyn StdError + 'static)) -> FailureKind {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<CallError>() {
            Some(CallError::Connect(_)) => return FailureKind::Connect,
            Some(CallError::ConnectTimeout) => return FailureKind::ConnectTimeout,
            Some(CallError::Upgrade | CallError::Http1(Error::Malformed(_))) => return FailureKind::Protocol,
            Some(CallError::Http1(_) | CallError::Http(_)) | None => {}
        }
        let unreadable =
            error.downcast_ref::<hyper::Error>().is_some_and(|e| e.is_parse() && !e.is_incomplete_message());
        if unreadable || error.downcast_ref::<h2::Error>().is_some_and(breaks_http2) {
            return FailureKind::Protocol;
        }
        next = error.source();
    }
    FailureKind::Reset
}

/// Whether the frames made no sense to one side. A peer that resets a stream or leaves is no such case.
fn breaks_http2(error: &h2::Error) -> bool {
    let told = error.reason().is_some_and(|reason| {
        matches!(
            reason,
            h2::Reason::PROTOCOL_ERROR
                | h2::Reason::FRAME_SIZE_ERROR
                | h2::Reason::COMPRESSION_ERROR
                | h2::Reason::FLOW_CONTROL_ERROR
                | h2::Reason::STREAM_CLOSED
                | h2::Reason::HTTP_1_1_REQUIRED
        )
    });
    told || error.get_io().is_some_and(|io| io.kind() == io::ErrorKind::InvalidData)
}
