//! The tasks that drive an origin's connections: owned by the origin, aborted when it ends.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::task::{AbortHandle, JoinSet};

/// Owns the tasks; dropping it aborts them.
#[derive(Default)]
pub(crate) struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// Starts one. Needs the runtime of the origin.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        spawn(&self.0, task)
    }

    /// What a connection starts tasks of its own with: it does not keep their owner alive.
    pub(crate) fn executor(&self) -> Executor {
        Executor(Arc::downgrade(&self.0))
    }
}

fn spawn(set: &Mutex<JoinSet<()>>, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    // What has ended is let go here, so that the set holds what runs.
    while set.try_join_next().is_some() {}
    set.spawn(task)
}

/// Starts an HTTP/2 connection's tasks among its origin's.
#[derive(Clone)]
pub(crate) struct Executor(Weak<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, task: F) {
        // An origin that is gone has no connections, and needs no tasks.
        if let Some(set) = self.0.upgrade() {
            spawn(&set, task);
        }
    }
}
