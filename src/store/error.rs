//! Why the store could not do what was asked.

use crate::latency::BadBlob;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Each names the file or the thing, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such file.
    #[error("no store at {}; start `darklaunch run` or check store.path", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file of something else; it was not touched.
    #[error("{} is not a darklaunch store ({why}); it was not touched, choose another store.path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        why: String,
    },
    /// Written by a newer version; it was not touched.
    #[error("{} has schema {found}, this version knows up to {known}; it was not touched, use the newer darklaunch", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// A migration is not the one that made the file.
    #[error("{}: schema step {step} is not the one this version carries; use the version that made the file", path.display())]
    OtherHistory {
        /// The file.
        path: PathBuf,
        /// Which step.
        step: i64,
    },
    /// Another process holds the file.
    #[error("{} is locked by another process; stop the other writer, or wait for it", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file was deleted or replaced while it was open.
    #[error("{} was deleted or replaced while it was written; a new one is made", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no space left for {}; free some or lower store.size_max", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// What is committed cannot be moved from the log into the file. Nothing is lost by it.
    #[error("the log beside {} cannot be moved into it and grows ({why}); what is recorded is safe in both, keep them together", path.display())]
    LogStuck {
        /// The file.
        path: PathBuf,
        /// What was said of the file.
        why: String,
    },
    /// The file may not be opened or written.
    #[error("{} cannot be opened or written ({why}); check the folder and its permissions", path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// SQLite says the file is damaged.
    #[error("{} is damaged ({why}); restore a backup, or move it away to start anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// A stored value is not what this version writes.
    #[error("row {id} of {table}: {why}; the row is damaged, restore a backup or prune it")]
    BadRow {
        /// The table.
        table: &'static str,
        /// Its row id.
        id: i64,
        /// What is wrong.
        why: String,
    },
    /// A stored histogram is not what this version writes.
    #[error("row {id} of hist: {source}")]
    BadBlob {
        /// Its row id.
        id: i64,
        /// What is wrong.
        source: BadBlob,
    },
    /// A stored value that SQLite's integers cannot hold, or compression that failed.
    #[error("cannot store {what}: {why}")]
    Unstorable {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Anything else SQLite says.
    #[error("{}: {why}", path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite said; statements only, never values.
        why: String,
    },
}

/// Names the file in what SQLite says.
pub fn at(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        let (path, why) = (path.to_path_buf(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                StoreError::Access { path, why }
            }
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, why },
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { path, why },
            _ => StoreError::Sql { path, why },
        }
    }
}
