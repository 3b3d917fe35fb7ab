//! Whether the recorder is up, and what troubles it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Readiness, told by app and recorder and shown by `/readyz`. A problem off the user's path (a full disk, an unreadable
/// store) is listed but does not make the recorder unready: requests are still forwarded, and an orchestrator that took
/// the traffic away would make the user notice.
#[derive(Debug, Default)]
pub struct Ready {
    up: AtomicBool,
    problems: Mutex<BTreeMap<&'static str, String>>,
}

impl Ready {
    /// Not up yet, no problem known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Up: listeners bound and serving. Down: starting, or shutting down.
    pub fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Release);
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    /// Tells the present problem of one part (`store`, `recorder`, …), or that it has none any more.
    pub fn report(&self, part: &'static str, problem: Option<String>) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        match problem {
            Some(text) => problems.insert(part, text),
            None => problems.remove(part),
        };
    }

    /// The present problems, `part: text`.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.iter().map(|(part, text)| format!("{part}: {text}")).collect()
    }
}
