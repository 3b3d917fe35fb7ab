//! Who may do what at the console, and how they prove who they are.
//!
//! **Invariants.** Whoever is not recognised may do what `anyone` says and nothing else, and only from this machine. A
//! session's cookie alone never changes anything: a form must carry the session's own secret as well. No secret is kept:
//! tokens, sessions and links are known by their SHA-256 alone. Everything remembered has a bound.

mod address;
mod admit;
mod caller;
mod limit;
mod login;
mod places;
mod pages;
mod sessions;
mod token;

pub(crate) use address::Peer;
#[cfg(test)]
pub(crate) use admit::needed;
pub(crate) use admit::{Gate, admit};
use caller::Known;
pub(crate) use caller::{CSRF_FIELD, Caller};
pub(crate) use login::{leave, link, page, show};
pub(crate) use places::Places;
pub use token::{Refusal, TokenError, TokenRecord, Tokens, TokensInForce};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What somebody may do; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// Not even look.
    Nothing,
    /// Read every page, the API and the metrics.
    View,
    /// Stop mirroring.
    Stop,
    /// Start mirroring, change its share, and all other changes.
    Start,
    /// Make log-in links for others.
    Manage,
}

impl May {
    /// What `listen.console_anyone_may` may say.
    pub const WORDS: [(&'static str, Self); 4] =
        [("nothing", Self::Nothing), ("view", Self::View), ("stop", Self::Stop), ("start", Self::Start)];

    /// From one of [`May::WORDS`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, may)| *may)
    }

    /// The least role that may do this.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Nothing | Self::View => Role::Viewer,
            Self::Stop | Self::Start => Role::Operator,
            Self::Manage => Role::Admin,
        }
    }

    /// As in "may … ".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Nothing => "do nothing",
            Self::View => "look",
            Self::Stop => "stop mirroring",
            Self::Start => "start mirroring or change anything",
            Self::Manage => "make log-in links",
        }
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Stops and starts.
    Operator,
    /// Makes log-in links too.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// As written in commands, files and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// From its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What it allows.
    pub fn may(self) -> May {
        match self {
            Self::Viewer => May::View,
            Self::Operator => May::Start,
            Self::Admin => May::Manage,
        }
    }
}

/// What a user may choose.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// What needs no token: from this machine, or, with `behind_proxy`, by whomever the proxy lets through.
    pub anyone: May,
    /// A proxy in front terminates TLS; `X-Forwarded-For` tells who asks.
    pub behind_proxy: bool,
    /// The networks that are answered; empty for all. This machine always is.
    pub allow: Vec<IpNet>,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self { anyone: May::Stop, behind_proxy: false, allow: Vec::new() }
    }
}
