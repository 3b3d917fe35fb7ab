//! What a go-live review holds the recording against.

use serde::Serialize;

/// What the calls are for: it sets the defaults, the advice and the checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Somebody waits: a budget of seconds, at most one retry, a breaker, a pool of its own.
    #[default]
    UserFlow,
    /// Nobody waits: a budget of minutes or hours, retries with growing pauses and full jitter, no breaker.
    Background,
}

impl Profile {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserFlow => "user-flow",
            Self::Background => "background",
        }
    }

    /// The profile of a stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::UserFlow, Self::Background].into_iter().find(|profile| profile.name() == name)
    }
}

/// The thresholds of one integration. Shares are 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// What the calls are for.
    pub profile: Profile,
    /// What a caller has for an operation with all its attempts, microseconds.
    pub budget_us: u64,
    /// The share of good answers that a timeout may cut.
    pub lost_answers: f64,
    /// The share of operations that succeed within the budget, at least.
    pub success: f64,
    /// The share of 5xx, network errors and timeouts, at most.
    pub failures: f64,
    /// The share of 4xx other than 429, at most.
    pub client_errors: f64,
    /// The share of 200s that are no success, at most.
    pub no_success: f64,
    /// The p95 of the new provider over that of today's, at most.
    pub slower: f64,
    /// Days that a recording covers, at least.
    pub span_days: f64,
    /// Endpoints with less than this share of the calls are judged together.
    pub rare_share: f64,
    /// Calls a second that the provider's contract allows; `None`: no limit is known.
    pub quota_per_s: Option<u32>,
    /// Dates on which somebody decides: they share the error.
    pub looks: u32,
    /// Who answers for the integration.
    pub owner: Option<String>,
    /// The provider's support contact.
    pub support: Option<String>,
    /// The provider's status page.
    pub status_page: Option<String>,
    /// What the provider promises, in its words.
    pub expectations: Option<String>,
    /// What a thousand calls cost, in the contract's words.
    pub price: Option<String>,
    /// The share of calls that is mirrored.
    pub sample: f64,
    /// How long a recorded call is waited for, microseconds; `None`: not known.
    pub recording_timeout_us: Option<u64>,
}

impl Settings {
    /// The defaults of a profile.
    pub fn of(profile: Profile) -> Self {
        let (budget_us, success) = match profile {
            Profile::UserFlow => (2_500_000, 0.995),
            Profile::Background => (600_000_000, 0.9999),
        };
        Self {
            profile,
            budget_us,
            lost_answers: 0.001,
            success,
            failures: 0.01,
            client_errors: 0.001,
            no_success: 0.001,
            slower: 1.2,
            span_days: 7.0,
            rare_share: 0.01,
            quota_per_s: None,
            looks: 1,
            owner: None,
            support: None,
            status_page: None,
            expectations: None,
            price: None,
            sample: 1.0,
            recording_timeout_us: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}
