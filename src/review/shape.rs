//! The shape of the new provider's answers: the fields that they always have, and of which type.
//!
//! What was always there is learned from the first answers of an endpoint. A change is told only when all of the latest
//! answers agree in it, and is the new shape after a day.

use crate::exchange::Outcome;
use crate::store::{CaptureFilter, Reader, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Answers from which an endpoint's shape is learned.
const LEARNED_FROM: usize = 20;
/// Latest answers that must agree in a change.
const AGREEING: usize = 10;
/// Answers read at one look, at most.
const READ_MAX: usize = 100;
/// Endpoints whose shape is kept; more are not looked at.
const ENDPOINTS_MAX: usize = 200;
/// Fields of one answer; a wider one is cut there.
const FIELDS_MAX: usize = 500;
/// Levels of one answer.
const DEPTH_MAX: usize = 12;
/// After so long a changed shape is the shape, microseconds.
const ACCEPTED_AFTER_US: i64 = 86_400_000_000;

/// Path and type of every field of one answer.
type Fields = BTreeMap<String, &'static str>;

/// The shapes of one integration's endpoints.
#[derive(Debug, Default)]
pub struct Shapes {
    endpoints: BTreeMap<String, Shape>,
    seen_unix_us: i64,
}

#[derive(Debug, Default)]
struct Shape {
    /// In every answer of those learned from, with one type; empty until there were enough.
    known: Fields,
    learned: bool,
    latest: VecDeque<Fields>,
    changed_unix_us: Option<i64>,
}

impl Shapes {
    /// Takes in what was recorded since the last look; whether some endpoint's answers have changed their shape.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn look(&mut self, reader: &Reader, integration: &str, now_unix_us: i64) -> Result<bool, StoreError> {
        let newest = CaptureFilter {
            integration: Some(integration.to_owned()),
            outcome: Some(Outcome::Ok),
            since_unix_us: Some(self.seen_unix_us.saturating_add(1)),
            limit: READ_MAX,
            ..CaptureFilter::default()
        };
        // The newest come first.
        for one in reader.captures(&newest)?.into_iter().rev() {
            self.seen_unix_us = self.seen_unix_us.max(one.received_unix_us);
            let Some(body) = reader.capture(&one.id)?.and_then(|capture| capture.shadow.body.bytes) else { continue };
            let Ok(answer) = serde_json::from_slice::<Value>(&body) else { continue };
            let mut fields = Fields::new();
            walk(&answer, String::new(), 0, &mut fields);
            self.take(&one.endpoint, fields);
        }
        let mut changed = false;
        for shape in self.endpoints.values_mut() {
            changed |= shape.has_changed(now_unix_us);
        }
        Ok(changed)
    }

    fn take(&mut self, endpoint: &str, fields: Fields) {
        if !self.endpoints.contains_key(endpoint) && self.endpoints.len() >= ENDPOINTS_MAX {
            return;
        }
        let shape = self.endpoints.entry(endpoint.to_owned()).or_default();
        shape.latest.push_back(fields);
        if !shape.learned && shape.latest.len() == LEARNED_FROM {
            shape.learn();
        } else if shape.learned && shape.latest.len() > AGREEING {
            shape.latest.pop_front();
        }
    }
}

impl Shape {
    fn learn(&mut self) {
        let mut all = self.latest.drain(..);
        let mut known = all.next().unwrap_or_default();
        for fields in all {
            known.retain(|path, kind| fields.get(path) == Some(kind));
        }
        (self.known, self.learned, self.changed_unix_us) = (known, true, None);
    }

    fn has_changed(&mut self, now_unix_us: i64) -> bool {
        let full = self.learned && self.latest.len() == AGREEING;
        let other = |(path, kind): (&String, &&'static str)| self.latest.iter().all(|one| one.get(path) != Some(kind));
        if !full || !self.known.iter().any(other) {
            self.changed_unix_us = None;
            return false;
        }
        let since = *self.changed_unix_us.get_or_insert(now_unix_us);
        if now_unix_us.saturating_sub(since) < ACCEPTED_AFTER_US {
            return true;
        }
        self.learn();
        false
    }
}

fn walk(value: &Value, path: String, depth: usize, into: &mut Fields) {
    if into.len() >= FIELDS_MAX || depth > DEPTH_MAX {
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            if let Some(first) = items.first() {
                walk(first, format!("{path}[]"), depth + 1, into);
            }
            "array"
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| walk(value, format!("{path}.{name}"), depth + 1, into));
            "object"
        }
    };
    into.insert(path, kind);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> Fields {
        let mut fields = Fields::new();
        walk(value, String::new(), 0, &mut fields);
        fields
    }

    #[test]
    fn a_change_counts_when_the_latest_answers_agree_and_is_accepted_after_a_day() {
        let mut shapes = Shapes::default();
        let mut answers = |value: Value, times: usize| {
            (0..times).for_each(|_| shapes.take("GET /a", fields(&value)));
            shapes.endpoints.get_mut("GET /a").unwrap().has_changed(0)
        };
        assert!(!answers(json!({ "id": "1", "at": { "city": "x" }, "note": "y" }), LEARNED_FROM - 1));
        // Not in all of them: no part of the shape.
        assert!(!answers(json!({ "id": "1", "at": { "city": "x" } }), 1));
        assert!(!answers(json!({ "id": "1", "at": { "city": "x" } }), AGREEING));
        assert!(!answers(json!({ "id": 1, "at": { "city": "x" } }), AGREEING - 1));
        assert!(answers(json!({ "id": 1, "at": { "city": "x" } }), 1));
        assert!(!answers(json!({ "id": "1", "at": { "city": "x" } }), 1));
        assert!(answers(json!({ "id": "1", "at": {} }), AGREEING));
        let shape = shapes.endpoints.get_mut("GET /a").unwrap();
        assert!(shape.has_changed(ACCEPTED_AFTER_US - 1));
        assert!(!shape.has_changed(ACCEPTED_AFTER_US) && !shape.known.contains_key(".at.city"));
    }
}
