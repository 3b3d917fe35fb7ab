//! The file: whose it is, its schema, and how a connection is set up.

use crate::store::error::at;
use crate::store::{Connection, StoreError, convert};
use rusqlite::OpenFlags;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// `DARK`: what `file(1)` and this version see in the header of a store.
pub const APPLICATION_ID: u32 = 0x4441_524b;
/// The steps, oldest first; append only.
const STEPS: [Step; 3] = [
    Step { text: include_str!("schema/0001.sql"), carry_over: None },
    Step { text: include_str!("schema/0002.sql"), carry_over: Some(convert::captures_of_step_1) },
    Step { text: include_str!("schema/0003.sql"), carry_over: None },
];

/// Moves what an older step holds; an error says what could not be read.
type CarryOver = fn(&rusqlite::Transaction<'_>) -> Result<(), String>;

/// One step of the schema.
struct Step {
    /// Its statements; their hash is recorded in every store.
    text: &'static str,
    /// What statements cannot do.
    carry_over: Option<CarryOver>,
}

/// How long a connection waits for another's lock, milliseconds.
const BUSY_TIMEOUT_MS: u64 = 5_000;
/// How the writing connection works. Checkpoints are the checkpointer's; what is deleted is overwritten in its page; the
/// cache holds the page each class grows at.
const SET_UP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 134217728; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;
    PRAGMA secure_delete = FAST;";
/// The part of the file header that tells whose file it is, bytes.
const HEADER_BYTES: usize = 100;

/// Whether a store can be opened at `path`: a missing or empty file is fine (it will be made), a file of something else
/// or of a newer version is not. Reads; creates and changes nothing.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Access`] (also where the folder does not exist).
pub fn check(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(StoreError::Access { path: path.into(), why: format!("no folder {}", folder.display()) });
        }
    }
    is_ours(path).map(|_| ())
}

/// Whether the file exists and is a store; `false` where there is none yet. Looks at the bytes, not through SQLite,
/// which would create files beside it.
pub fn is_ours(path: &Path) -> Result<bool, StoreError> {
    let access = |e: std::io::Error| StoreError::Access { path: path.into(), why: e.to_string() };
    let foreign = |why: String| StoreError::Foreign { path: path.into(), why };
    let mut header = Vec::new();
    match std::fs::File::open(path) {
        Ok(file) => file.take(HEADER_BYTES as u64).read_to_end(&mut header).map_err(access)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(access(e)),
    };
    if header.is_empty() {
        return Ok(false);
    }
    if header.len() < HEADER_BYTES || !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign("not an SQLite file".to_owned()));
    }
    let word = |at: usize| header[at..at + 4].iter().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
    if word(68) != APPLICATION_ID {
        return Err(foreign(format!("application id {:#010x}", word(68))));
    }
    known(path, i64::from(word(60)))?;
    Ok(true)
}

/// Whether the file has the newest schema that this version knows.
///
/// # Errors
/// What the system says.
pub fn is_current(path: &Path) -> Result<bool, StoreError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(at(path))?;
    db.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS)).map_err(at(path))?;
    Ok(schema_of(&db, path)? == STEPS.len() as i64)
}

fn known(path: &Path, found: i64) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    if found > known { Err(StoreError::Newer { path: path.into(), found, known }) } else { Ok(()) }
}

/// The writing connection, its schema made or brought up to date.
pub fn open_to_write(path: &Path) -> Result<Connection, StoreError> {
    is_ours(path)?;
    let mut db = Connection::open(path).map_err(at(path))?;
    db.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS)).map_err(at(path))?;
    // Before anything is written: both are fixed by the first page.
    db.execute_batch("PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL;").map_err(at(path))?;
    migrate(&mut db, path)?;
    // After the first step, so that the header of the main file carries the id even if the WAL is lost.
    db.execute_batch(SET_UP).map_err(at(path))?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let version = schema_of(db, path)?;
    check_history(db, path, version)?;
    for (index, Step { text, carry_over }) in STEPS.iter().enumerate().skip(version as usize) {
        let step = index as i64 + 1;
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(at(path))?;
        tx.execute_batch(text).map_err(at(path))?;
        if let Some(carry_over) = carry_over {
            carry_over(&tx)
                .map_err(|why| StoreError::Sql { path: path.into(), why: format!("schema step {step}: {why}") })?;
        }
        tx.execute("INSERT INTO migrations (step, sha256) VALUES (?1, ?2)", (step, hash(text))).map_err(at(path))?;
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(at(path))?;
        tx.pragma_update(None, "user_version", step).map_err(at(path))?;
        tx.commit().map_err(at(path))?;
    }
    Ok(())
}

fn schema_of(db: &Connection, path: &Path) -> Result<i64, StoreError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(at(path))?;
    known(path, version)?;
    Ok(version.max(0))
}

fn check_history(db: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    for (index, Step { text, .. }) in STEPS.iter().enumerate().take(version as usize) {
        let step = index as i64 + 1;
        let query = "SELECT sha256 FROM migrations WHERE step = ?1";
        let found: Result<String, _> = db.query_row(query, [step], |row| row.get(0));
        match found {
            Ok(found) if found == hash(text) => {}
            Ok(_) | Err(rusqlite::Error::QueryReturnedNoRows) => {
                return Err(StoreError::OtherHistory { path: path.into(), step });
            }
            Err(e) => return Err(at(path)(e)),
        }
    }
    Ok(())
}

pub(in crate::store) fn hash(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A connection that cannot write.
pub fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    if !is_ours(path)? {
        return Err(StoreError::Missing { path: path.into() });
    }
    // Read-write at the file level where that is allowed: the last reader or writer of a WAL file may have to tidy its
    // shared memory after a crash; `query_only` forbids every statement that would change data.
    let open = |flags| Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let db = open(OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| open(OpenFlags::SQLITE_OPEN_READ_ONLY))
        .map_err(at(path))?;
    db.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS)).map_err(at(path))?;
    db.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;").map_err(at(path))?;
    let version = schema_of(&db, path)?;
    check_history(&db, path, version)?;
    Ok(db)
}
