//! The lock beside the file that makes a second writer impossible, and which file is which.

use crate::store::StoreError;
use std::fs::{File, Metadata, TryLockError};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and inode.
pub type Identity = (u64, u64);

fn of(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// Which file lies at `path`.
///
/// # Errors
/// [`StoreError::Gone`] where there is none.
pub fn identity(path: &Path) -> Result<Identity, StoreError> {
    path.metadata().map(|found| of(&found)).map_err(|_| StoreError::Gone { path: path.into() })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

/// Held: the system frees it when the last process that shares it ends in whatever way.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock of a store.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another process has it; what the system says.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let access = |e: std::io::Error| StoreError::Access { path: path.into(), why: e.to_string() };
        let file = File::options().create(true).truncate(false).write(true).open(beside(path)).map_err(access)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: path.into() }),
            Err(TryLockError::Error(e)) => Err(access(e)),
        }
    }

    /// The lock that another process took and shares.
    ///
    /// # Errors
    /// [`StoreError::Access`] where it is not the one of this store.
    pub fn shared(path: &Path, lock: OwnedFd) -> Result<Self, StoreError> {
        let lock = Self(File::from(lock));
        if lock.is_beside(path) && lock.0.try_lock().is_ok() {
            return Ok(lock);
        }
        let why = "the lock that was handed over is not the one of this store".to_owned();
        Err(StoreError::Access { path: path.into(), why })
    }

    /// Whether its file still lies beside the store.
    pub fn is_beside(&self, path: &Path) -> bool {
        match (self.0.metadata(), beside(path).metadata()) {
            (Ok(held), Ok(found)) => of(&held) == of(&found),
            _ => false,
        }
    }

    /// Another descriptor of the same lock.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn duplicate(&self) -> std::io::Result<OwnedFd> {
        self.0.try_clone().map(OwnedFd::from)
    }
}
