//! Why a request that reached us belongs to no integration. Every such request has one of these names and a count.

/// The kind of a refusal, as the `darklaunch-error` header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refused {
    /// No integration matches its host and path.
    NoIntegration,
    /// It has no `Host`, more than one, or one that is none.
    Host,
    /// `CONNECT`: the recorder is no forward proxy.
    ConnectMethod,
    /// Its first line or one of its header lines is malformed.
    RequestHead,
    /// Where its body ends can be understood in two ways, or in none.
    RequestFraming,
    /// A transfer coding other than `chunked`.
    TransferCoding,
    /// Its head has too many bytes or lines.
    HeadTooLarge,
    /// Its head did not arrive in time.
    HeadTimeout,
}

impl Refused {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::NoIntegration,
        Self::Host,
        Self::ConnectMethod,
        Self::RequestHead,
        Self::RequestFraming,
        Self::TransferCoding,
        Self::HeadTooLarge,
        Self::HeadTimeout,
    ];

    /// The stable name in the error header, JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoIntegration => "no_integration",
            Self::Host => "host",
            Self::ConnectMethod => "connect_method",
            Self::RequestHead => "request_head",
            Self::RequestFraming => "request_framing",
            Self::TransferCoding => "transfer_coding",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTimeout => "head_timeout",
        }
    }
}
