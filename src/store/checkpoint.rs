//! Moving the write-ahead log into the file, on a thread of its own: the writer only does the last few pages.
//!
//! The log starts anew once all of it is in the file. Under load that never happens by itself, since the writer appends
//! while the checkpointer copies; so the checkpointer copies until little is left, and the writer does that between two
//! transactions.

use crate::store::error::at;
use crate::store::{Connection, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Frames (pages of 16 KiB) in the log and not yet in the file at which the checkpointer is woken: 48 MiB. A reader, or a
/// start after a crash, has not much more to look through; and each time costs the writer three flushes of the disk.
const WAKE_FRAMES: i64 = 3_072;
/// Frames that the writer may do itself, pages.
const FRAMES_LEFT: i64 = 64;
/// Passes of one wake; each is shorter than the one before.
const PASSES_MAX: usize = 4;

/// The writer's side.
pub struct Checkpoints {
    path: PathBuf,
    /// Started with the first append, so that it has the writer's priority.
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
    nearly: Arc<AtomicBool>,
    /// The log's length when it was woken last, frames.
    woken_at: i64,
}

impl Checkpoints {
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), thread: None, nearly: Arc::default(), woken_at: 0 }
    }

    /// After a commit.
    ///
    /// # Errors
    /// No thread can be started, or what SQLite says of the last pages.
    pub fn committed(&mut self, db: &Connection) -> Result<(), StoreError> {
        if self.nearly.swap(false, Ordering::Acquire) {
            pass(db, PASSIVE).map_err(at(&self.path))?;
        }
        let (log, moved) = pass(db, LOOK).map_err(at(&self.path))?;
        if log < self.woken_at {
            self.woken_at = 0;
        }
        // While a reader keeps the log from being moved it is tried again only when it has grown as much once more.
        if log - moved.max(self.woken_at) >= WAKE_FRAMES {
            self.woken_at = log;
            self.wake()?;
        }
        Ok(())
    }

    fn wake(&mut self) -> Result<(), StoreError> {
        let (wake, _) = match &self.thread {
            Some(thread) => thread,
            None => {
                let (wake, woken) = sync_channel(1);
                let (path, nearly) = (self.path.clone(), Arc::clone(&self.nearly));
                let thread = std::thread::Builder::new().name("dl-checkpoint".into());
                let thread = thread.spawn(move || run(&path, &nearly, &woken));
                let access = |e: std::io::Error| StoreError::Access { path: self.path.clone(), why: e.to_string() };
                self.thread.insert((wake, thread.map_err(access)?))
            }
        };
        // A full channel: it is awake, or about to be.
        let _ = wake.try_send(());
        Ok(())
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some((wake, thread)) = self.thread.take() {
            drop(wake);
            if thread.join().is_err() {
                tracing::error!("the checkpointer ended by a panic");
            }
        }
    }
}

fn run(path: &Path, nearly: &AtomicBool, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        // A connection for each wake: the file may have been replaced since.
        let done = Connection::open(path).and_then(|db| {
            for _ in 0..PASSES_MAX {
                let (log, moved) = pass(&db, PASSIVE)?;
                if log - moved <= FRAMES_LEFT {
                    break;
                }
            }
            Ok(())
        });
        match done {
            Ok(()) => nearly.store(true, Ordering::Release),
            // The writer meets the same trouble, and tells it.
            Err(error) => tracing::debug!(%error, "the write-ahead log could not be moved into the file"),
        }
    }
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Moves nothing.
const LOOK: &str = "PRAGMA wal_checkpoint(NOOP)";

/// One pass; how many frames the log has, and how many of them are in the file.
fn pass(db: &Connection, how: &str) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(how)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}
