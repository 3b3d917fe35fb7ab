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

/// Bytes appended after which the checkpointer is woken. The log is then about this long, and a reader or a start after
/// a crash has no more to look through.
const WAKE_BYTES: u64 = 24 << 20;
/// Frames that the writer may do itself, pages.
const FRAMES_LEFT: i64 = 64;
/// Passes of one wake; each is shorter than the one before.
const PASSES_MAX: usize = 8;

/// The writer's side.
pub struct Checkpoints {
    path: PathBuf,
    /// Started with the first append, so that it has the writer's priority.
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
    nearly: Arc<AtomicBool>,
    appended: u64,
}

impl Checkpoints {
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), thread: None, nearly: Arc::default(), appended: 0 }
    }

    /// After a commit that appended about so many bytes to the log.
    ///
    /// # Errors
    /// No thread can be started, or what SQLite says of the last pages.
    pub fn committed(&mut self, db: &Connection, bytes: u64) -> Result<(), StoreError> {
        if self.nearly.swap(false, Ordering::Acquire) {
            pass(db).map_err(at(&self.path))?;
        }
        self.appended += bytes;
        if self.appended >= WAKE_BYTES {
            self.appended = 0;
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
                if pass(&db)? <= FRAMES_LEFT {
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

/// One pass; how many frames are left in the log.
fn pass(db: &Connection) -> rusqlite::Result<i64> {
    let counts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let (log, moved) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], counts)?;
    Ok(log - moved)
}
