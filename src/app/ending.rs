//! How a recorder ends: closed by a signal, or relieved by the next one.

use crate::app::handover::{Door, Event, Offer};
use crate::app::threads::{Next, Signals};
use crate::app::{Closed, Predecessor, Running, StartError, start_console};
use crate::console;
use std::io;
use std::time::Duration;

/// How long the shadow's calls may go on when the recorder closes, beside the proxy's own drain, in milliseconds.
const SHADOW_DRAIN_MS: u64 = 5_000;

impl Running {
    /// Makes the recorder one that can be taken over from. Without the socket it runs all the same.
    pub fn offer_takeover(&mut self) {
        match Door::open(&self.console_again.store_path) {
            Ok(door) => self.takeover = Some(door),
            Err(error) => tracing::warn!(%error, "this recorder cannot be taken over from"),
        }
    }

    /// Tells the recorder before this one that it may go; if it does not hear, this one closes.
    pub(crate) fn relieve(mut self, before: Option<Predecessor>) -> Result<Self, StartError> {
        match before.map_or(Ok(()), Predecessor::ready) {
            Ok(()) => {
                self.proxy.own_files(true);
                Ok(self)
            }
            Err(error) => {
                self.close();
                Err(error)
            }
        }
    }

    /// Watches the configuration's file and its rule files, and reads them again when they change or SIGHUP asks.
    pub fn reload_from(&self, file: &std::path::Path) {
        self.rules.reload_from(file.to_owned());
    }

    /// Waits for SIGINT or SIGTERM, or for a process that takes over, then closes.
    pub fn wait_for_signal(mut self) -> Closed {
        let Ok(mut signals) = Signals::hear() else { return self.close() };
        loop {
            match signals.next(self.takeover.as_mut().map(|door| &mut door.events)) {
                Next::Signal => return self.close(),
                Next::Hangup => self.rules.reload(),
                Next::Event(Event::Ready) => return self.end(true),
                Next::Event(Event::Asked(reply)) => match self.offer() {
                    // Whoever asked may have given up.
                    Ok(offer) => drop(reply.send(offer)),
                    Err(error) => tracing::warn!(%error, "nothing could be handed over"),
                },
                Next::Event(Event::Freeze(reply)) => {
                    self.freeze();
                    let _ = reply.send(());
                }
                Next::Event(Event::Failed) => self.thaw(),
            }
        }
    }

    fn offer(&self) -> io::Result<Offer> {
        Ok(Offer {
            traffic: self.proxy.duplicate()?,
            console: (self.console_again.settings.listen, self.console_again.listener.try_clone()?.into()),
            lock: self.lock.try_clone()?,
        })
    }

    /// No switch changes here from now on: the console, which could change one, ends first.
    fn freeze(&mut self) {
        if !self.console.take().is_none_or(crate::app::Runner::stop) {
            tracing::error!("the console ended by a panic");
        }
        self.keeper.freeze();
    }

    fn thaw(&mut self) {
        if self.console.is_some() {
            return;
        }
        self.keeper.thaw();
        let again = &self.console_again;
        let bound = again.listener.try_clone().map_err(StartError::one);
        let bound =
            bound.and_then(|listener| console::Bound::adopt(listener, again.settings.clone()).map_err(StartError::one));
        match bound.and_then(|bound| start_console(bound, again.shared.clone(), again.cores)) {
            Ok(console) => self.console = Some(console),
            Err(error) => tracing::error!(%error, "the console could not be started again"),
        }
    }

    /// Closes from the left: no new requests, the user's calls drain, the shadow's calls end, the rest is committed.
    pub fn close(self) -> Closed {
        self.end(false)
    }

    fn end(self, handed_over: bool) -> Closed {
        self.ready.set_up(false);
        if let Some(door) = self.takeover {
            door.close(handed_over);
        }
        match handed_over {
            true => self.proxy.yield_to_successor(self.drain),
            false => self.proxy.close(self.drain),
        }
        let deadline = self.shadow_deadline;
        if !self.shadow.join_within(Duration::from_millis(SHADOW_DRAIN_MS), || deadline.cancel()) {
            tracing::error!("the shadow side ended by a panic");
        }
        self.recorder.join();
        self.keeper.close();
        self.rules.close();
        if !self.console.is_none_or(crate::app::Runner::stop) {
            tracing::error!("the console ended by a panic");
        }
        if !self.outward.stop() {
            tracing::error!("the thread of the alerts ended by a panic");
        }
        let refused = self.ledger.refused().snapshot().iter().sum();
        let mut closed = Closed { arrived: 0, refused, recorded: 0, adds_up: true };
        for book in self.ledger.iter() {
            let snapshot = book.snapshot();
            closed.arrived += snapshot.arrived;
            closed.recorded += snapshot.recorded;
            closed.adds_up &= snapshot.adds_up() && snapshot.pending == 0;
        }
        closed
    }
}
