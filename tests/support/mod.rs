//! The lab: sample upstreams, a recorder process between them, and a way to wait for facts.

mod dice;
pub mod generate;
mod moody;
mod provider;
mod raw;
mod recorder;
mod scribe;
mod upstream;
mod visitor;
mod wire;

pub use dice::Dice;
pub use moody::{Mood, Moody};
pub use provider::{Authority, Provider};
pub use raw::{Raw, connect, hear, talk};
pub use recorder::{Recorder, bytes_below, command, config_text};
pub use scribe::Scribe;
pub use upstream::{Upstream, json, status};
pub use visitor::{Visitor, make_token};
pub use wire::{Message, Reading, Side, write_in_pieces};

use std::time::{Duration, Instant};

/// How long a fact may take on a busy machine before a story fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until the answer is there.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = clock();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for: {what}");
        tokio::task::yield_now().await;
        tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await.unwrap_err();
    }
}

#[expect(clippy::disallowed_methods, reason = "a story's own patience")]
pub fn clock() -> Instant {
    Instant::now()
}
