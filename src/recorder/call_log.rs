//! The log of single calls: one line each at debug level, and failed calls as warnings with their redacted bodies.
//!
//! Only what is redacted comes here. A provider that fails all day must not fill a disk, so warnings are few a minute and
//! the next one says how many were left out.

use crate::exchange::{Capture, Clock, Exchange, Instant, Integration, Outcome};
use crate::redact::{Recording, Redacted};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Warnings of one integration a minute.
const WARNINGS_MAX: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60);
/// Of a body, bytes at most; bodies are whole in the store.
const BODY_BYTES_MAX: usize = 2_048;
/// What log filters name these lines by.
const TARGET: &str = "darklaunch::calls";

/// See the file.
#[derive(Debug, Default)]
pub struct CallLog(Mutex<BTreeMap<Integration, Minute>>);

#[derive(Debug)]
struct Minute {
    since: Instant,
    written: u32,
    left_out: u64,
}

impl CallLog {
    /// Writes one call.
    pub fn write(&self, recording: &Redacted<Recording>) {
        let capture = &recording.capture;
        let shadow = &capture.shadow;
        let primary = capture.primary.as_ref();
        tracing::debug!(
            target: TARGET,
            capture = %capture.id,
            integration = %capture.integration,
            endpoint = %capture.endpoint,
            path = %capture.request.target,
            primary_outcome = primary.map(|one| one.outcome.name()),
            primary_status = primary.and_then(status),
            primary_us = primary.map(|one| one.timings.total_us),
            shadow_outcome = shadow.outcome.name(),
            shadow_status = status(shadow),
            shadow_us = shadow.timings.total_us,
            "call"
        );
        if has_failed(shadow.outcome)
            && let Some(left_out) = self.may_warn(&capture.integration, Clock.now())
        {
            warn(capture, left_out);
        }
    }

    /// How many warnings were left out since the last one; `None`: this one is left out too.
    fn may_warn(&self, integration: &Integration, now: Instant) -> Option<u64> {
        let mut minutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Minute { since: now, written: 0, left_out: 0 };
        let minute = minutes.entry(integration.clone()).or_insert(fresh);
        if now.saturating_duration_since(minute.since) >= MINUTE {
            (minute.since, minute.written) = (now, 0);
        }
        if minute.written >= WARNINGS_MAX {
            minute.left_out += 1;
            return None;
        }
        minute.written += 1;
        Some(std::mem::take(&mut minute.left_out))
    }
}

fn has_failed(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Ok | Outcome::Throttled429 | Outcome::Aborted)
}

fn status(exchange: &Exchange) -> Option<u16> {
    exchange.response.as_ref().map(|answer| answer.status)
}

fn warn(capture: &Capture, left_out: u64) {
    let shadow = &capture.shadow;
    let answer = shadow.response.as_ref().map(|answer| shown(&answer.body.bytes));
    tracing::warn!(
        target: TARGET,
        capture = %capture.id,
        integration = %capture.integration,
        endpoint = %capture.endpoint,
        path = %capture.request.target,
        outcome = shadow.outcome.name(),
        failure = shadow.failure.map(|failure| failure.kind.name()),
        status = status(shadow),
        took_us = shadow.timings.total_us,
        request_body = shown(&capture.request.body.bytes),
        answer_body = answer,
        left_out_before = left_out,
        "the new provider failed a call; bodies are redacted"
    );
}

/// A body, cut, as text.
fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(BODY_BYTES_MAX)];
    let more = if cut.len() < bytes.len() { ".." } else { "" };
    format!("{}{more}", String::from_utf8_lossy(cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn warnings_are_few_a_minute_and_the_next_says_how_many_were_left_out() {
        let (log, start) = (CallLog::default(), Clock.now());
        let pay: Integration = Arc::from("pay");
        let said = (0..100).filter(|_| log.may_warn(&pay, start).is_some()).count();
        assert_eq!(said, WARNINGS_MAX as usize);
        assert_eq!(log.may_warn(&Arc::from("other"), start), Some(0));
        assert_eq!(log.may_warn(&pay, start + MINUTE), Some(80));
        assert_eq!(log.may_warn(&pay, start + MINUTE), Some(0));
    }

    #[test]
    fn a_long_body_is_cut() {
        assert_eq!(shown(b"{}"), "{}");
        assert_eq!(shown(&[b'a'; 3_000]).len(), BODY_BYTES_MAX + 2);
    }
}
