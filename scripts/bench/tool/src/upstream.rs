//! What a stand-in provider does with a request, and what it has counted.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// How the stand-in behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Answers at once.
    Ok,
    /// Answers after five seconds.
    Slow,
    /// Reads and never answers, until the mode changes.
    Stall,
    /// The port is closed and so is every connection.
    Refuse,
    /// Resets the connection when a request has arrived.
    Reset,
    /// The same in the middle of the answer's body.
    ResetMid,
    /// A byte of the answer every 20 ms.
    Drip,
    /// Answers 500.
    Error,
}

impl Mode {
    pub const ALL: [Self; 8] =
        [Self::Ok, Self::Slow, Self::Stall, Self::Refuse, Self::Reset, Self::ResetMid, Self::Drip, Self::Error];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow => "slow",
            Self::Stall => "stall",
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::ResetMid => "reset_mid",
            Self::Drip => "drip",
            Self::Error => "error",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// What a stand-in has seen since it started.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections accepted.
    pub accepted: u64,
    /// Whole requests, by the mode in which each arrived.
    pub received: BTreeMap<&'static str, u64>,
    /// Whole answers written.
    pub answered: u64,
    /// When the last byte arrived, microseconds since the Unix epoch.
    pub last_byte_unix_us: u64,
    /// When the other side last closed a connection.
    pub last_close_unix_us: u64,
}

fn now_unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Counts {
    pub fn received(&mut self, mode: Mode) {
        *self.received.entry(mode.name()).or_default() += 1;
    }

    pub fn heard(&mut self) {
        self.last_byte_unix_us = now_unix_us();
    }

    pub fn closed(&mut self) {
        self.last_close_unix_us = now_unix_us();
    }

    pub fn to_json(&self, mode: Mode, open: usize, hanging: usize) -> Value {
        json!({
            "mode": mode.name(),
            "accepted": self.accepted,
            "open": open,
            "hanging": hanging,
            "last_byte_unix_us": self.last_byte_unix_us,
            "last_close_unix_us": self.last_close_unix_us,
            "received": self.received,
            "received_total": self.received.values().sum::<u64>(),
            "answered": self.answered,
        })
    }
}

/// The body size that a path such as `/answers/1024/..` asks for; 1 KiB when it asks for none.
pub fn wanted_bytes(path: &str) -> usize {
    let size =
        path.strip_prefix("/answers/").and_then(|rest| rest.split('/').next()).and_then(|size| size.parse().ok());
    size.unwrap_or(1024).min(1 << 20)
}

/// What a line to the control port asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    Tell,
    Set(Mode),
}

/// Reads the path of a control request: `/counts` or `/mode/NAME`.
pub fn order(path: &str) -> Option<Order> {
    match path.strip_prefix("/mode/") {
        Some(name) => Mode::from_name(name).map(Order::Set),
        None => (path == "/counts").then_some(Order::Tell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_found_by_its_name() {
        for mode in Mode::ALL {
            assert_eq!(order(&format!("/mode/{}", mode.name())), Some(Order::Set(mode)));
        }
        assert_eq!((order("/counts"), order("/mode/nonsense"), order("/")), (Some(Order::Tell), None, None));
    }

    #[test]
    fn the_path_says_how_large_an_answer_is() {
        assert_eq!(wanted_bytes("/answers/65536/customers/1"), 65_536);
        assert_eq!((wanted_bytes("/"), wanted_bytes("/answers/x/")), (1024, 1024));
    }

    #[test]
    fn requests_are_counted_by_mode() {
        let mut counts = Counts::default();
        [Mode::Ok, Mode::Ok, Mode::Stall].into_iter().for_each(|mode| counts.received(mode));
        let told = counts.to_json(Mode::Stall, 3, 0);
        assert_eq!(
            (&told["received"]["ok"], &told["received_total"], &told["open"]),
            (&json!(2), &json!(3), &json!(3))
        );
    }
}
