//! Why a request was not mirrored. Every refusal has one of these names and a count.

/// The reason a request that arrived has no shadow exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotMirrored {
    /// Mirroring is switched off.
    Off,
    /// The sample did not choose it.
    NotSampled,
    /// Its method is not allowed.
    Method,
    /// Its endpoint is excluded.
    Endpoint,
    /// Its body is larger than the copy cap.
    BodyTooLarge,
    /// An upgrade or another stream without an end.
    Streaming,
    /// The upload ended before its end.
    UploadAborted,
    /// As many calls are queued or in flight as allowed.
    QueueFull,
    /// The byte budget is spent.
    Memory,
    /// More calls per second than allowed.
    Rate,
    /// The day's calls are used up.
    Budget,
    /// The breaker is open.
    Breaker,
    /// The provider answered 429 and its `Retry-After` has not passed.
    Paused429,
    /// The shadow request could not be built.
    AdaptFailed,
    /// The recorder is shutting down.
    ShuttingDown,
    /// It was malformed, or no integration matches: never forwarded either.
    Refused,
    /// Its method is not safe, and the store could not keep beforehand that it would be sent.
    NotAnnounced,
}

impl NotMirrored {
    /// Every reason, in the order of their codes in the database (append only).
    pub const ALL: [Self; 17] = [
        Self::Off,
        Self::NotSampled,
        Self::Method,
        Self::Endpoint,
        Self::BodyTooLarge,
        Self::Streaming,
        Self::UploadAborted,
        Self::QueueFull,
        Self::Memory,
        Self::Rate,
        Self::Budget,
        Self::Breaker,
        Self::Paused429,
        Self::AdaptFailed,
        Self::ShuttingDown,
        Self::Refused,
        Self::NotAnnounced,
    ];

    /// The stable name in JSON, metrics and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotSampled => "not_sampled",
            Self::Method => "method",
            Self::Endpoint => "endpoint",
            Self::BodyTooLarge => "body_too_large",
            Self::Streaming => "streaming",
            Self::UploadAborted => "upload_aborted",
            Self::QueueFull => "queue_full",
            Self::Memory => "memory",
            Self::Rate => "rate",
            Self::Budget => "budget",
            Self::Breaker => "breaker",
            Self::Paused429 => "paused_429",
            Self::AdaptFailed => "adapt_failed",
            Self::ShuttingDown => "shutting_down",
            Self::Refused => "refused",
            Self::NotAnnounced => "not_announced",
        }
    }

    /// What it means, for a person.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Off => "mirroring was off",
            Self::NotSampled => "not in the sample",
            Self::Method => "method not allowed for mirroring",
            Self::Endpoint => "endpoint excluded",
            Self::BodyTooLarge => "body larger than the copy cap",
            Self::Streaming => "upgrade or endless stream",
            Self::UploadAborted => "the application stopped sending",
            Self::QueueFull => "too many calls waiting or in flight",
            Self::Memory => "byte budget spent",
            Self::Rate => "rate limit",
            Self::Budget => "daily budget used up",
            Self::Breaker => "breaker open",
            Self::Paused429 => "provider asked to wait (429)",
            Self::AdaptFailed => "request could not be adapted",
            Self::ShuttingDown => "recorder shutting down",
            Self::Refused => "malformed, never forwarded",
            Self::NotAnnounced => "the store could not note beforehand that it would be sent",
        }
    }
}
