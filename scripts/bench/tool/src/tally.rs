//! What the load found: latencies over all and per half second, and every call that had no good answer.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Length of a window, in nanoseconds.
pub const WINDOW_NS: u64 = 500_000_000;
/// A call sent this long after its instant is late, in nanoseconds.
const LATE_NS: u64 = 1_000_000;
/// Longest latency told apart, in nanoseconds.
const LATENCY_MAX_NS: u64 = 600_000_000_000;

/// Collects the calls of one load. Instants are nanoseconds since its start.
pub struct Tally {
    warmup_ns: u64,
    all: Histogram<u64>,
    windows: BTreeMap<u64, Histogram<u64>>,
    sent: u64,
    answered: u64,
    measured: u64,
    late: u64,
    unfinished: u64,
    failed: BTreeMap<&'static str, u64>,
    last_answer_ns: u64,
}

impl Tally {
    /// Calls whose instant lies before `warmup_ns` are counted but not measured.
    pub fn new(warmup_ns: u64) -> Result<Self, String> {
        Ok(Self {
            warmup_ns,
            all: histogram(3)?,
            windows: BTreeMap::new(),
            sent: 0,
            answered: 0,
            measured: 0,
            late: 0,
            unfinished: 0,
            failed: BTreeMap::new(),
            last_answer_ns: 0,
        })
    }

    /// A call left, `now` against the instant it was meant to.
    pub fn sent(&mut self, intended_ns: u64, now_ns: u64) {
        self.sent += 1;
        if intended_ns >= self.warmup_ns && now_ns.saturating_sub(intended_ns) > LATE_NS {
            self.late += 1;
        }
    }

    /// A good answer came.
    pub fn answered(&mut self, intended_ns: u64, now_ns: u64) {
        self.answered += 1;
        self.last_answer_ns = now_ns;
        if intended_ns >= self.warmup_ns {
            self.measured += 1;
            self.latency(intended_ns, now_ns);
        }
    }

    /// A bad answer or none. Its latency is not recorded, since a quick failure would look like a quick answer.
    pub fn failed(&mut self, why: &'static str) {
        *self.failed.entry(why).or_default() += 1;
    }

    /// No answer by the end: recorded at its age, which is the least that its latency can be.
    pub fn unfinished(&mut self, intended_ns: u64, end_ns: u64) {
        self.unfinished += 1;
        if intended_ns >= self.warmup_ns {
            self.latency(intended_ns, end_ns);
        }
    }

    fn latency(&mut self, intended_ns: u64, now_ns: u64) {
        let latency = now_ns.saturating_sub(intended_ns).max(1);
        self.all.saturating_record(latency);
        let window = (intended_ns - self.warmup_ns) / WINDOW_NS;
        if let Some(known) = self.windows.get_mut(&window) {
            known.saturating_record(latency);
        } else if let Ok(mut fresh) = histogram(2) {
            fresh.saturating_record(latency);
            self.windows.insert(window, fresh);
        }
    }

    /// Everything, latencies in microseconds. Throughput counts answers between the end of the warm-up and `end_ns`.
    pub fn to_json(&self, end_ns: u64) -> Value {
        let measured_s = end_ns.saturating_sub(self.warmup_ns) as f64 / 1e9;
        let windows: Vec<Value> = self
            .windows
            .iter()
            .map(|(window, of)| {
                json!({ "at_ms": window * WINDOW_NS / 1_000_000, "calls": of.len(), "p99_us": at(of, 0.99),
                    "max_us": micros(of.max()) })
            })
            .collect();
        json!({
            "sent": self.sent,
            "answered": self.answered,
            "failed": self.failed.values().sum::<u64>(),
            "failures": self.failed,
            "unfinished": self.unfinished,
            "late_sends": self.late,
            "calls_per_s": if measured_s > 0.0 { self.measured as f64 / measured_s } else { 0.0 },
            "p50_us": at(&self.all, 0.50),
            "p90_us": at(&self.all, 0.90),
            "p99_us": at(&self.all, 0.99),
            "p999_us": at(&self.all, 0.999),
            "max_us": micros(self.all.max()),
            "last_answer_ms": self.last_answer_ns / 1_000_000,
            "windows": windows,
        })
    }
}

fn histogram(digits: u8) -> Result<Histogram<u64>, String> {
    Histogram::new_with_bounds(1, LATENCY_MAX_NS, digits).map_err(|error| error.to_string())
}

fn at(of: &Histogram<u64>, quantile: f64) -> f64 {
    micros(of.value_at_quantile(quantile))
}

fn micros(ns: u64) -> f64 {
    (ns as f64 / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn near(found: &Value, wanted_us: f64) -> bool {
        found.as_f64().is_some_and(|found| (found - wanted_us).abs() <= wanted_us * 0.01)
    }

    #[test]
    fn latency_counts_from_the_intended_instant() {
        let mut tally = Tally::new(0).unwrap();
        // Meant for 10 ms, sent at 60 ms since no connection was free, answered at 61 ms.
        tally.sent(10 * MS, 60 * MS);
        tally.answered(10 * MS, 61 * MS);
        let found = tally.to_json(100 * MS);
        assert!(near(&found["p50_us"], 51_000.0), "{found}");
        assert_eq!(found["late_sends"], 1);
    }

    #[test]
    fn what_is_unanswered_counts_at_its_age() {
        let mut tally = Tally::new(0).unwrap();
        for call in 0..98 {
            tally.answered(call * MS, call * MS + MS / 10);
        }
        tally.unfinished(0, 4_000 * MS);
        tally.unfinished(MS, 4_000 * MS);
        let found = tally.to_json(4_000 * MS);
        assert!(near(&found["p99_us"], 4_000_000.0), "{found}");
        assert!(near(&found["p50_us"], 100.0), "{found}");
        assert_eq!((&found["unfinished"], &found["answered"]), (&json!(2), &json!(98)));
    }

    #[test]
    fn the_warm_up_is_counted_but_not_measured() {
        let mut tally = Tally::new(500 * MS).unwrap();
        tally.sent(0, 400 * MS);
        tally.answered(0, 400 * MS);
        tally.answered(500 * MS, 501 * MS);
        let found = tally.to_json(1_500 * MS);
        assert_eq!((&found["answered"], &found["late_sends"]), (&json!(2), &json!(0)));
        assert!(near(&found["max_us"], 1_000.0), "{found}");
        assert_eq!(found["calls_per_s"], 1.0);
    }

    #[test]
    fn windows_are_half_seconds_of_intended_instants() {
        let mut tally = Tally::new(0).unwrap();
        tally.answered(499 * MS, 900 * MS);
        tally.answered(500 * MS, 501 * MS);
        let found = tally.to_json(1_000 * MS);
        assert_eq!(found["windows"].as_array().unwrap().len(), 2);
        assert!(near(&found["windows"][0]["p99_us"], 401_000.0), "{found}");
        assert_eq!(found["windows"][1]["at_ms"], 500);
    }

    #[test]
    fn a_failure_is_counted_by_its_reason_and_has_no_latency() {
        let mut tally = Tally::new(0).unwrap();
        tally.failed("status");
        tally.failed("status");
        tally.failed("closed");
        let found = tally.to_json(1_000 * MS);
        assert_eq!((&found["failed"], &found["failures"]["status"]), (&json!(3), &json!(2)));
        assert_eq!(found["windows"].as_array().unwrap().len(), 0);
    }
}
