//! What a provider's contract is about: how many calls at once, how many bytes, which refusals.

use crate::exchange::{CaptureId, Outcome};
use crate::store::reader::unsigned;
use crate::store::{Reader, StoreError};
use rusqlite::params;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Newest captures of each kind whose sizes and times are looked at.
const NEWEST_MAX: i64 = 2_000;
const TEN_SECONDS_US: i64 = 10_000_000;
/// From so many captures in ten seconds on, on average, they are counted and not read.
const CROWDED_CAPTURES: i64 = 32;

/// One status that an endpoint of the shadow answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCount {
    /// The endpoint.
    pub endpoint: String,
    /// How it counted.
    pub outcome: Outcome,
    /// The status; `None` where there was none, or it was one of too many.
    pub status: Option<u16>,
    /// Captures.
    pub captures: u64,
    /// The newest of them.
    pub example: Option<CaptureId>,
}

/// What one recorded call to the shadow was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallShape {
    /// The status, if an answer came.
    pub status: Option<u16>,
    /// From start to end, microseconds.
    pub total_us: u64,
    /// Bytes of the answer's body.
    pub answer_bytes: u64,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Whether it opened a connection.
    pub new_connection: bool,
}

impl Reader {
    /// What the shadow answered, by endpoint, outcome and status, with an example of each; since `since` (microseconds
    /// since the Unix epoch) or ever.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn statuses(&self, integration: &str, since_unix_us: Option<i64>) -> Result<Vec<StatusCount>, StoreError> {
        let text = "SELECT e.name, k.outcome, k.status,
            CASE WHEN ?2 IS NULL THEN k.captures
                ELSE (SELECT count(*) FROM captures c WHERE c.class = k.id AND c.received_us >= ?2) END,
            (SELECT id FROM captures c WHERE c.class = k.id ORDER BY received_us DESC LIMIT 1)
            FROM classes k JOIN endpoints e ON e.id = k.endpoint JOIN integrations i ON i.id = k.integration
            WHERE i.name = ?1";
        let mut found: BTreeMap<(String, u8, u16), (u64, Option<CaptureId>)> = BTreeMap::new();
        let rows = self.rows(text, params![integration, since_unix_us], |row| {
            let key = (row.get::<_, String>(0)?, row.get::<_, u8>(1)?, row.get::<_, u16>(2)?);
            Ok((key, unsigned(row.get(3)?), row.get::<_, Option<Vec<u8>>>(4)?))
        })?;
        for (key, captures, id) in rows {
            let id = id.and_then(|id| Uuid::from_slice(&id).ok()).map(CaptureId);
            let one = found.entry(key).or_default();
            *one = (one.0.saturating_add(captures), one.1.max(id));
        }
        let counts = found.into_iter().filter(|(_, (captures, _))| *captures > 0);
        let count = counts.filter_map(|((endpoint, outcome, status), (captures, example))| {
            let outcome = Outcome::from_code(outcome)?;
            Some(StatusCount {
                endpoint,
                outcome,
                status: Some(status).filter(|status| *status > 0),
                captures,
                example,
            })
        });
        Ok(count.collect())
    }

    /// Calls that arrived and were recorded, by the ten seconds in which they arrived: the count in each, since `since`
    /// (microseconds since the Unix epoch).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn arrivals(&self, integration: &str, since_unix_us: Option<i64>) -> Result<BTreeMap<i64, u64>, StoreError> {
        let mut all: BTreeMap<i64, u64> = BTreeMap::new();
        let since = since_unix_us.unwrap_or(i64::MIN);
        for class in self.classes_of(integration, None)? {
            self.arrivals_of(class, since, &mut all)?;
        }
        Ok(all)
    }

    /// Adds those of one class. Both ways go along its index without sorting; where many share ten seconds, SQLite counts
    /// them, which takes a quarter of the time that reading each does.
    fn arrivals_of(&self, class: i64, since: i64, all: &mut BTreeMap<i64, u64>) -> Result<(), StoreError> {
        let ends = "SELECT (SELECT min(received_us) FROM captures WHERE class = ?1 AND received_us >= ?2),
            (SELECT max(received_us) FROM captures WHERE class = ?1 AND received_us >= ?2),
            (SELECT captures FROM classes WHERE id = ?1)";
        let ends: Vec<(Option<i64>, Option<i64>, Option<i64>)> =
            self.rows(ends, params![class, since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let Some((Some(first), Some(last), Some(captures))) = ends.into_iter().next() else { return Ok(()) };
        let of = |us: i64| us.div_euclid(TEN_SECONDS_US);
        if captures / (of(last) - of(first) + 1) < CROWDED_CAPTURES {
            let each = "SELECT received_us FROM captures WHERE class = ?1 AND received_us >= ?2";
            self.rows(each, params![class, since], |row| {
                *all.entry(of(row.get(0)?)).or_default() += 1;
                Ok(())
            })?;
            return Ok(());
        }
        let within = "SELECT count(*) FROM captures WHERE class = ?1 AND received_us >= ?2 AND received_us < ?3";
        for at in of(first)..=of(last) {
            let (from, until) = ((at * TEN_SECONDS_US).max(since), (at + 1) * TEN_SECONDS_US);
            let calls = self.rows(within, params![class, from, until], |row| Ok(unsigned(row.get(0)?)))?.pop();
            if let Some(calls @ 1..) = calls {
                *all.entry(at).or_default() += calls;
            }
        }
        Ok(())
    }

    /// The newest successful calls of an endpoint, at most 2 000 of each kind.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shapes(&self, integration: &str, endpoint: &str) -> Result<Vec<CallShape>, StoreError> {
        let text = "SELECT s_status, s_total_us, s_body_seen, body_seen, s_connect_us FROM captures
            WHERE class = ?1 ORDER BY received_us DESC LIMIT ?2";
        let mut all = Vec::new();
        for class in self.classes_of(integration, Some(endpoint))? {
            all.extend(self.rows(text, params![class, NEWEST_MAX], |row| {
                Ok(CallShape {
                    status: row.get(0)?,
                    total_us: unsigned(row.get(1)?),
                    answer_bytes: unsigned(row.get(2)?),
                    request_bytes: unsigned(row.get(3)?),
                    new_connection: row.get::<_, Option<i64>>(4)?.is_some(),
                })
            })?);
        }
        Ok(all)
    }

    /// The ledger of an integration since a time in seconds since the Unix epoch: state and count.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ledger_since(&self, integration: &str, since_unix_s: i64) -> Result<Vec<(String, u64)>, StoreError> {
        let text = "SELECT state, sum(count) FROM ledger WHERE integration = ?1 AND t0 >= ?2 GROUP BY state";
        self.rows(text, params![integration, since_unix_s], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))
    }

    /// The same interval by interval, rising: its start in seconds since the Unix epoch, state and count.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ledger_over_time(
        &self,
        integration: &str,
        since_unix_s: i64,
    ) -> Result<Vec<(i64, String, u64)>, StoreError> {
        let text = "SELECT t0, state, sum(count) FROM ledger WHERE integration = ?1 AND t0 >= ?2
            GROUP BY t0, state ORDER BY t0, state";
        self.rows(text, params![integration, since_unix_s], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row.get(2)?))))
    }

    /// The kinds of captures of an integration; of an endpoint only those that succeeded.
    fn classes_of(&self, integration: &str, endpoint: Option<&str>) -> Result<Vec<i64>, StoreError> {
        let text = "SELECT k.id FROM classes k JOIN endpoints e ON e.id = k.endpoint
            JOIN integrations i ON i.id = k.integration
            WHERE i.name = ?1 AND (?2 IS NULL OR (e.name = ?2 AND k.outcome = 0))";
        self.rows(text, params![integration, endpoint], |row| row.get(0))
    }
}
