//! Threads with a runtime of their own, each named, stopped and joined.

use std::future::Future;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Wait for blocking workers once the future has ended, milliseconds.
const WORKERS_WAIT_MS: u64 = 1_000;

/// One thread with a current-thread runtime that runs one future to its end.
pub(crate) struct Runner {
    stop: CancellationToken,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Runner {
    /// Starts the thread; the future is told when to stop.
    pub(crate) fn start<F: Future<Output = ()>>(
        name: &str,
        run: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, (end, ended)) = (CancellationToken::new(), sync_channel(1));
        let told = stop.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(run(told));
            // A blocking worker that hangs (a read of the store) is left behind, not waited for.
            runtime.shutdown_timeout(Duration::from_millis(WORKERS_WAIT_MS));
            // Dropping the sender is the message; a panic drops it as well.
            drop(end);
        })?;
        Ok(Self { stop, ended, thread })
    }

    /// Stops the future and waits for the thread. False: it ended by a panic.
    pub(crate) fn stop(self) -> bool {
        self.stop.cancel();
        self.thread.join().is_ok()
    }

    /// Waits until the future ends by itself; at the limit `hurry` is called, and the wait goes on. False: a panic.
    pub(crate) fn join_within(self, limit: Duration, hurry: impl FnOnce()) -> bool {
        if matches!(self.ended.recv_timeout(limit), Err(RecvTimeoutError::Timeout)) {
            hurry();
        }
        self.thread.join().is_ok()
    }
}

/// Waits for SIGINT or SIGTERM. If the process cannot listen to signals, the system's own handling ends it.
pub(crate) fn wait_for_signal() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
}

/// A panic's text may quote data, so only its place is told.
pub(crate) fn tell_panics_without_their_text() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        tracing::error!(place, "a thread panicked; this is a defect of darklaunch");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_hangs_does_not_hold_the_stop() {
        let (release, hangs) = sync_channel::<()>(1);
        let runner = Runner::start("dl-test", move |stop| async move {
            let worker = tokio::task::spawn_blocking(move || hangs.recv());
            stop.cancelled().await;
            drop(worker);
        });
        // Without the bound this would wait for ever: the worker is released only afterwards.
        assert!(runner.is_ok_and(Runner::stop));
        drop(release);
    }
}
