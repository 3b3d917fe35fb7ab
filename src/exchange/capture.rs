//! Exchanges and the capture that joins them.

use crate::exchange::{BodyCopy, Outcome};
use http::{HeaderMap, Method};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// The id of a capture: UUIDv7, so that ids sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaptureId(pub Uuid);

impl CaptureId {
    /// A new id.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for CaptureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The name of an integration, `^[a-z][a-z0-9_]*$`.
pub type Integration = Arc<str>;

/// Method and path template, `GET /customers/{id}`; `other` past the bound on inferred endpoints.
pub type Endpoint = Arc<str>;

/// Which upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Today's provider: answers the application.
    Primary,
    /// The new provider: answers nobody.
    Shadow,
}

impl Role {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Shadow => "shadow",
        }
    }

    /// The database code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The role of a database code.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Primary),
            1 => Some(Self::Shadow),
            _ => None,
        }
    }
}

/// A request as the application sent it (raw until it is inside `Redacted`).
#[derive(Clone)]
pub struct RequestCopy {
    /// The method.
    pub method: Method,
    /// Path and query as received, never normalised.
    pub target: String,
    /// End-to-end headers, hop-by-hop ones removed; order per name kept.
    pub headers: HeaderMap,
    /// The body.
    pub body: BodyCopy,
}

/// An answer.
#[derive(Clone)]
pub struct ResponseCopy {
    /// The status, 100–999.
    pub status: u16,
    /// End-to-end headers, and behind them the trailers that `Trailer` names.
    pub headers: HeaderMap,
    /// The body.
    pub body: BodyCopy,
}

/// What went wrong when there was no complete answer. A kind, never a text: texts may carry data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// Name, TCP or TLS.
    Connect,
    /// The connection ended before the answer did.
    Reset,
    /// Not HTTP, or an answer over our limits.
    Protocol,
    /// Our connect limit.
    ConnectTimeout,
    /// Our limit between two reads.
    ReadTimeout,
    /// Our limit for the whole call.
    TotalTimeout,
    /// Kill-switch or shutdown.
    Aborted,
    /// The application went away.
    ClientGone,
}

impl FailureKind {
    /// Every kind, in the order of their codes in the database (append only).
    pub const ALL: [Self; 8] = [
        Self::Connect,
        Self::Reset,
        Self::Protocol,
        Self::ConnectTimeout,
        Self::ReadTimeout,
        Self::TotalTimeout,
        Self::Aborted,
        Self::ClientGone,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::ConnectTimeout => "connect_timeout",
            Self::ReadTimeout => "read_timeout",
            Self::TotalTimeout => "total_timeout",
            Self::Aborted => "aborted",
            Self::ClientGone => "client_gone",
        }
    }

    /// The outcome such a failure counts as.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Connect | Self::Reset | Self::Protocol => Outcome::NetworkError,
            Self::ConnectTimeout | Self::ReadTimeout | Self::TotalTimeout => Outcome::Timeout,
            Self::Aborted | Self::ClientGone => Outcome::Aborted,
        }
    }
}

/// A failed call; a status and headers may have arrived before it failed (then `Exchange::response` holds them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
}

/// Where the time went, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// From the request's last byte at the recorder to the call's start.
    pub queue_wait_us: u64,
    /// Name, TCP and TLS; only where a connection was opened for this call.
    pub connect_us: Option<u64>,
    /// From the call's start to the answer's head.
    pub ttfb_us: Option<u64>,
    /// From the call's start to the answer's last byte, or to the failure (then a lower bound if censored).
    pub total_us: u64,
}

/// One request to one upstream and what came of it.
#[derive(Clone)]
pub struct Exchange {
    /// Which upstream.
    pub role: Role,
    /// When the call began, microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// The answer, or as much of it as came.
    pub response: Option<ResponseCopy>,
    /// The failure, if the answer is absent or incomplete.
    pub failure: Option<Failure>,
    /// How it counts.
    pub outcome: Outcome,
    /// Where the time went.
    pub timings: Timings,
}

/// The exchanges of one request under one id: what travels the line.
#[derive(Clone)]
pub struct Capture {
    /// Its id.
    pub id: CaptureId,
    /// The integration.
    pub integration: Integration,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// When the request's head arrived, microseconds since the Unix epoch.
    pub received_unix_us: i64,
    /// The request as the application sent it.
    pub request: RequestCopy,
    /// Today's provider; absent for a sink.
    pub primary: Option<Exchange>,
    /// The new provider.
    pub shadow: Exchange,
}

impl fmt::Debug for RequestCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestCopy({}, {} header lines, {:?})", self.method, self.headers.len(), self.body)
    }
}

impl fmt::Debug for ResponseCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseCopy({}, {} header lines, {:?})", self.status, self.headers.len(), self.body)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({}, {}, {} us)", self.role.name(), self.outcome.name(), self.timings.total_us)
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capture({}, {}, {:?}, {:?})", self.id, self.integration, self.primary, self.shadow)
    }
}
