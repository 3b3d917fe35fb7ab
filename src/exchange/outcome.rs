//! What came of one call to one upstream.

/// The outcome of an exchange. Timeouts and aborts are censored latencies: the true one is at least what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// An answer that counts as success (1xx–3xx, or as the integration's success rule says).
    Ok,
    /// A 2xx whose body says it is no success; GraphQL `errors`.
    OkButError,
    /// 4xx other than 429: ours to fix.
    Client4xx,
    /// 429: the provider asks for less.
    Throttled429,
    /// 5xx: theirs.
    Server5xx,
    /// Connect, reset, TLS or protocol error.
    NetworkError,
    /// Our own limit was reached.
    Timeout,
    /// The kill-switch, shutdown, or the application going away ended it.
    Aborted,
    /// In flight when the process died: nobody knows whether it was processed.
    Unknown,
}

impl Outcome {
    /// Every outcome, in the order of their codes in the database (append only).
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::OkButError,
        Self::Client4xx,
        Self::Throttled429,
        Self::Server5xx,
        Self::NetworkError,
        Self::Timeout,
        Self::Aborted,
        Self::Unknown,
    ];

    /// The stable name in JSON, metrics and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkButError => "ok_but_error",
            Self::Client4xx => "client_4xx",
            Self::Throttled429 => "throttled_429",
            Self::Server5xx => "server_5xx",
            Self::NetworkError => "network_error",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
            Self::Unknown => "unknown",
        }
    }

    /// The database code: the position in [`Outcome::ALL`].
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The outcome of a database code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The outcome of a stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// What a status alone says (the body may still turn `Ok` into `OkButError`).
    pub fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Throttled429,
            400..=499 => Self::Client4xx,
            500..=599 => Self::Server5xx,
            _ => Self::Ok,
        }
    }

    /// Whether the measured latency is only a lower bound.
    pub fn is_censored(self) -> bool {
        matches!(self, Self::Timeout | Self::Aborted | Self::Unknown)
    }
}
