//! Moving the write-ahead log into the file, on a thread of its own: the writer only does the last few pages.
//!
//! The log starts anew once all of it is in the file. Under load that never happens by itself, since the writer appends
//! while the checkpointer copies; so the checkpointer copies until little is left, and the writer does that between two
//! transactions.

use crate::exchange::{Clock, Instant};
use crate::store::error::at;
use crate::store::{Connection, StoreError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Frames (pages of 16 KiB) in the log and not yet in the file at which the checkpointer is woken: 48 MiB. A reader, or a
/// start after a crash, has not much more to look through; and each time costs the writer three flushes of the disk.
const WAKE_FRAMES: i64 = 3_072;
/// Frames that the writer may do itself, pages.
const FRAMES_LEFT: i64 = 64;
/// Passes of one wake; each is shorter than the one before.
const PASSES_MAX: usize = 4;
/// How long after a failure it is tried again, microseconds.
const TRY_AGAIN_US: u64 = 1_000_000;

/// How the last wake ended, until the writer has seen it.
type Ended = Arc<Mutex<Option<Result<(), StoreError>>>>;

/// The writer's side.
pub struct Checkpoints {
    path: PathBuf,
    /// Started with the first append, so that it has the writer's priority.
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
    ended: Ended,
    /// The log's length when it was woken last, frames.
    woken_at: i64,
    /// Why the log stays as it is, and when that was tried last.
    stuck: Option<(StoreError, Instant)>,
}

impl Checkpoints {
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), thread: None, ended: Ended::default(), woken_at: 0, stuck: None }
    }

    /// Why the log cannot be moved into the file. What is committed is safe in it, and it grows.
    pub fn trouble(&self) -> Option<StoreError> {
        let (why, _) = self.stuck.as_ref()?;
        Some(StoreError::LogStuck { path: self.path.clone(), why: why.to_string() })
    }

    /// After a commit.
    pub fn committed(&mut self, db: &Connection) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = ended {
            let moved = ended.and_then(|()| pass(db, PASSIVE).map_err(at(&self.path)).map(drop));
            self.stuck = moved.err().map(|why| (why, Clock.now()));
        }
        if let Err(why) = self.wake_if_due(db) {
            self.stuck = Some((why, Clock.now()));
        }
    }

    fn wake_if_due(&mut self, db: &Connection) -> Result<(), StoreError> {
        let (log, moved) = pass(db, LOOK).map_err(at(&self.path))?;
        if log < self.woken_at {
            self.woken_at = 0;
        }
        // While a reader keeps the log from being moved it is tried again only when it has grown as much once more.
        let grown = log - moved.max(self.woken_at) >= WAKE_FRAMES;
        let again = self.stuck.as_ref().is_some_and(|(_, tried)| Clock.elapsed_us(*tried) >= TRY_AGAIN_US);
        if grown || again {
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
                let (path, ended) = (self.path.clone(), Arc::clone(&self.ended));
                let thread = std::thread::Builder::new().name("dl-checkpoint".into());
                let thread = thread.spawn(move || run(&path, &ended, &woken));
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

fn run(path: &Path, ended: &Ended, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let moved = move_most(path).map_err(at(path));
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(moved);
    }
}

fn move_most(path: &Path) -> rusqlite::Result<()> {
    // A connection for each wake: the file may have been replaced since.
    let db = Connection::open(path)?;
    for _ in 0..PASSES_MAX {
        let (log, moved) = pass(&db, PASSIVE)?;
        if log - moved <= FRAMES_LEFT {
            break;
        }
    }
    Ok(())
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Moves nothing.
const LOOK: &str = "PRAGMA wal_checkpoint(NOOP)";

/// One pass; how many frames the log has, and how many of them are in the file.
fn pass(db: &Connection, how: &str) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(how)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}
