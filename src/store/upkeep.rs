//! What is done to a store as a whole, beside a recorder that may be writing it: pruning, backups.

use crate::store::error::at;
use crate::store::lock::Lock;
use crate::store::prune::{self, Pruning};
use crate::store::{Connection, PruneReport, Settings, StoreError, migrate};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long it waits for the recorder's transactions and for readers, seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A second connection that may write. Its transactions are short, so that a recorder only ever waits for a moment; what
/// the recorder remembers of rows it forgets by itself when it sees that somebody else wrote.
#[derive(Debug)]
pub struct Upkeep {
    pub(in crate::store) db: Connection,
    pub(in crate::store) path: PathBuf,
    /// Held if nobody records: then nobody begins to meanwhile.
    _lock: Option<Lock>,
}

impl Upkeep {
    /// Opens an existing store.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Foreign`], [`StoreError::Newer`]; [`StoreError::Busy`] where a recorder of an
    /// older version writes it; what the system says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !migrate::is_ours(path)? {
            return Err(StoreError::Missing { path: path.into() });
        }
        let lock = match Lock::take(path) {
            Ok(lock) => Some(lock),
            // A recorder writes it. Its schema must be ours: it is not to be changed below it.
            Err(StoreError::Busy { .. }) if migrate::is_current(path)? => None,
            Err(error) => return Err(error),
        };
        let db = migrate::open_to_write(path)?;
        db.busy_timeout(PATIENCE).map_err(at(path))?;
        Ok(Self { db, path: path.into(), _lock: lock })
    }

    /// Makes a store, or opens one that nobody writes.
    ///
    /// # Errors
    /// As [`Upkeep::open`]; [`StoreError::Busy`] while a recorder writes it.
    pub fn make(path: &Path) -> Result<Self, StoreError> {
        migrate::is_ours(path)?;
        let lock = Lock::take(path)?;
        Ok(Self { db: migrate::open_to_write(path)?, path: path.into(), _lock: Some(lock) })
    }

    /// Removes everything beyond the limits, however long it takes, and gives the space back.
    ///
    /// # Errors
    /// What SQLite says; what was removed before stays removed.
    pub fn prune(&mut self, settings: &Settings, now_unix_us: i64) -> Result<PruneReport, StoreError> {
        let mut all = PruneReport { more: true, ..PruneReport::default() };
        let mut sweep = None;
        while all.more {
            let (one, _) = Pruning::new(&mut self.db, settings, &mut sweep).run(now_unix_us)?;
            all = PruneReport { captures: all.captures + one.captures, bodies: all.bodies + one.bodies, ..one };
        }
        prune::vacuum(&self.db, &self.path, i64::from(i32::MAX))?;
        self.truncate_log()?;
        Ok(all)
    }

    /// A consistent copy, compact, while a recorder writes. Pages that hold nothing are not in it, so what was erased is
    /// not.
    ///
    /// # Errors
    /// [`StoreError::Access`] where `to` exists or cannot be made; what SQLite says.
    pub fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        let access = |e: std::io::Error| StoreError::Access { path: to.into(), why: e.to_string() };
        // Made here, so that two backups at once cannot both believe that it is theirs.
        std::fs::File::create_new(to).map_err(access)?;
        let name = to.to_str().ok_or_else(|| access(std::io::Error::other("its name is no UTF-8")))?;
        if let Err(error) = self.db.execute("VACUUM INTO ?1", [name]) {
            let _ = std::fs::remove_file(to);
            return Err(at(to)(error));
        }
        let file = std::fs::File::open(to).map_err(access)?;
        file.sync_all().map_err(access)?;
        file.metadata().map(|it| it.len()).map_err(access)
    }

    /// Moves the whole log into the file and empties it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where a reader does not let go of it in time.
    pub fn truncate_log(&self) -> Result<(), StoreError> {
        let busy: i64 =
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(at(&self.path))?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Busy { path: self.path.clone() }) }
    }
}
