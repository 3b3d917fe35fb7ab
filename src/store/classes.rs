//! The kinds of captures and the newest of each: what choosing representatives asks, without reading bodies.

use crate::exchange::{CaptureId, DropReason, Outcome};
use crate::store::erase::{PROOF_BYTES, hash};
use crate::store::reader::unsigned;
use crate::store::{Reader, StoreError};
use rusqlite::params;
use std::collections::HashSet;
use uuid::Uuid;

/// One kind of captures: those of an endpoint whose shadow's answers are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureClass {
    /// Its number.
    pub id: i64,
    /// The endpoint.
    pub endpoint: String,
    /// The shadow's outcome.
    pub outcome: Outcome,
    /// The shadow's status; `None`: no answer, or one of too many statuses.
    pub status: Option<u16>,
    /// The shape of the shadow's JSON; 0: it is none, 1: one of too many.
    pub shape: i64,
    /// How many captures there are.
    pub captures: u64,
}

/// A capture of a class, without what lies in other tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassMember {
    /// Its id.
    pub id: CaptureId,
    /// When it was received, microseconds since the Unix epoch.
    pub received_unix_us: i64,
    /// How long the shadow took, microseconds.
    pub total_us: u64,
    /// Bytes of the shadow's body on the wire.
    pub body_bytes: u64,
    /// Why the shadow's body is absent, if it is.
    pub body_drop: Option<DropReason>,
}

/// The newest of a class.
pub(in crate::store) const MEMBERS: &str = "SELECT id, received_us, s_total_us, s_body_seen, s_body_drop FROM captures
    WHERE class = ?1 AND received_us >= ?2 AND s_total_us >= ?3 ORDER BY received_us DESC, seq DESC LIMIT ?4";

impl Reader {
    /// The classes of an integration that have captures, in the order of endpoint, outcome, status and shape.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where an outcome is unknown; what SQLite says.
    pub fn capture_classes(&self, integration: &str) -> Result<Vec<CaptureClass>, StoreError> {
        let text = "SELECT k.id, e.name, k.outcome, k.status, k.shape, k.captures FROM classes k
            JOIN endpoints e ON e.id = k.endpoint JOIN integrations i ON i.id = k.integration
            WHERE i.name = ?1 AND k.captures > 0";
        let rows = self.rows(text, [integration], |row| {
            let status = row.get::<_, u16>(3)?;
            let head = (row.get(0)?, row.get(1)?, row.get::<_, u8>(2)?);
            Ok((head, (status != 0).then_some(status), row.get(4)?, row.get(5)?))
        })?;
        let class = |((id, endpoint, outcome), status, shape, captures)| {
            let bad = || StoreError::BadRow { table: "classes", id, why: "unknown outcome code".to_owned() };
            let outcome = Outcome::from_code(outcome).ok_or_else(bad)?;
            Ok(CaptureClass { id, endpoint, outcome, status, shape, captures: unsigned(captures) })
        };
        let mut classes = rows.into_iter().map(class).collect::<Result<Vec<CaptureClass>, StoreError>>()?;
        let order = |one: &CaptureClass| (one.endpoint.clone(), one.outcome, one.status, one.shape, one.id);
        classes.sort_by_cached_key(order);
        Ok(classes)
    }

    /// The newest captures of a class, newest first, received at or after `since_unix_us` and at least `slower_us` slow.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where a row is damaged; what SQLite says.
    pub fn class_members(
        &self,
        class: i64,
        since_unix_us: Option<i64>,
        slower_us: u64,
        limit: usize,
    ) -> Result<Vec<ClassMember>, StoreError> {
        let slower = i64::try_from(slower_us).unwrap_or(i64::MAX);
        let values = params![class, since_unix_us.unwrap_or(i64::MIN), slower, limit as i64];
        let rows = self.rows(MEMBERS, values, |row| {
            let id: Vec<u8> = row.get(0)?;
            Ok((id, row.get(1)?, row.get(2)?, row.get(3)?, row.get::<_, Option<u8>>(4)?))
        })?;
        let member = |(id, received_unix_us, total, bytes, dropped): (Vec<u8>, i64, i64, i64, Option<u8>)| {
            let bad = |why: &str| StoreError::BadRow { table: "captures", id: class, why: why.to_owned() };
            let drop = |code: u8| {
                DropReason::ALL.get(usize::from(code)).copied().ok_or_else(|| bad("unknown drop reason code"))
            };
            Ok(ClassMember {
                id: CaptureId(Uuid::from_slice(&id).map_err(|_| bad("its id is no UUID"))?),
                received_unix_us,
                total_us: unsigned(total),
                body_bytes: unsigned(bytes),
                body_drop: dropped.map(drop).transpose()?,
            })
        };
        rows.into_iter().map(member).collect()
    }

    /// Which of these captures were removed because a person was forgotten, by the receipts' proofs.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn erased(&self, ids: &[CaptureId]) -> Result<Vec<CaptureId>, StoreError> {
        let packed: Vec<Vec<u8>> = self.rows("SELECT proofs FROM erasures", [], |row| row.get(0))?;
        let proofs = packed.iter().flat_map(|proofs| proofs.as_chunks().0).map(|bytes| u64::from_le_bytes(*bytes));
        let proofs: HashSet<u64> = proofs.collect();
        let erased = |id: &CaptureId| proofs.contains(&hash(id.0.as_bytes()));
        const { assert!(PROOF_BYTES == 16, "a proof is as long as an id") };
        Ok(ids.iter().copied().filter(erased).collect())
    }
}
