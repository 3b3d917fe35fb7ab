//! Threads with a runtime of their own, each named, stopped and joined.

use std::future::Future;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// Wait for blocking workers once the future has ended, milliseconds.
const WORKERS_WAIT_MS: u64 = 1_000;

/// One thread with a current-thread runtime that runs one future to its end.
pub(crate) struct Runner {
    stop: CancellationToken,
    ended: std::sync::mpsc::Receiver<()>,
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

/// What the main thread waits for.
pub(crate) enum Next<E> {
    /// SIGINT or SIGTERM.
    Signal,
    /// SIGHUP: read the configuration again.
    Hangup,
    /// What another thread tells.
    Event(E),
}

/// SIGINT, SIGTERM and SIGHUP, heard from the moment this is made.
pub(crate) struct Signals {
    runtime: tokio::runtime::Runtime,
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn hear() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let hangup = signal(SignalKind::hangup())?;
        drop(entered);
        Ok(Self { runtime, interrupt, terminate, hangup })
    }

    /// Waits for a signal or, while somebody can send one, an event.
    pub(crate) fn next<E>(&mut self, events: Option<&mut Receiver<E>>) -> Next<E> {
        let Self { runtime, interrupt, terminate, hangup } = self;
        runtime.block_on(async {
            let event = async {
                match events {
                    Some(events) => match events.recv().await {
                        Some(event) => event,
                        None => std::future::pending().await,
                    },
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => Next::Signal,
                _ = terminate.recv() => Next::Signal,
                _ = hangup.recv() => Next::Hangup,
                event = event => Next::Event(event),
            }
        })
    }
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
