//! The keeper of the switches: saves every change beside the database, obeys stop files, and lets the ramps rise. It needs
//! neither console nor store, so a stop works, and is remembered, when both are down.

use crate::config::{SavedSwitch, StateFolder, Stops};
use crate::control::{RampPhase, RampState, Switchboard};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often stop files are looked for; half of the 100 ms a stop may take.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Who a stop by file is recorded as.
const BY_FILE: &str = "stop file";

/// The keeper's thread.
pub(crate) struct Keeper {
    close: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn start(folder: StateFolder, switchboard: Arc<Switchboard>) -> std::io::Result<Self> {
        let (close, closed) = sync_channel(1);
        let keeping = Keeping { folder, switchboard, saved: Vec::new(), warned: false };
        let thread = std::thread::Builder::new().name("dl-keeper".into()).spawn(move || keeping.run(&closed))?;
        Ok(Self { close, thread })
    }

    /// Saves the last changes and ends.
    pub(crate) fn close(self) {
        drop(self.close);
        if self.thread.join().is_err() {
            tracing::error!("the keeper of the switches ended by a panic");
        }
    }
}

struct Keeping {
    folder: StateFolder,
    switchboard: Arc<Switchboard>,
    saved: Vec<SavedSwitch>,
    warned: bool,
}

impl Keeping {
    fn run(mut self, closed: &Receiver<()>) {
        loop {
            self.obey_stop_files();
            self.switchboard.tick();
            self.save_changes();
            if !matches!(closed.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout)) {
                self.save_changes();
                return;
            }
        }
    }

    fn obey_stop_files(&mut self) {
        let stops = match self.folder.stops() {
            Ok(stops) => stops,
            Err(error) => {
                // A stop file might be there and cannot be seen: the safe reading is that it is.
                self.warn(&error.to_string());
                Stops { all: true, integrations: Vec::new() }
            }
        };
        for switch in self.switchboard.iter() {
            if stops.holds(switch.integration()) && switch.state().on {
                switch.stop(
                    BY_FILE,
                    &format!("a STOP file in {}; remove it to start again", self.folder.path().display()),
                );
            }
        }
    }

    fn save_changes(&mut self) {
        let now = self.now();
        if now == self.saved {
            return;
        }
        match self.folder.save(&now) {
            Ok(()) => {
                self.saved = now;
                self.warned = false;
            }
            Err(error) => self.warn(&error.to_string()),
        }
    }

    fn now(&self) -> Vec<SavedSwitch> {
        self.switchboard
            .iter()
            .map(|switch| {
                let state = switch.state();
                let ramp = state.ramp.map(RampState::to_the_minute);
                let rising = ramp.as_ref().filter(|ramp| ramp.phase == RampPhase::Rising);
                SavedSwitch {
                    integration: switch.integration().to_string(),
                    on: state.on,
                    sample_ppm: rising.map_or(state.sample_ppm, |ramp| ramp.plan.share_ppm(ramp.passed_us)),
                    ramp,
                    revision: state.revision,
                    who: state.changed_by,
                    reason: state.reason,
                    at_unix_us: state.changed_unix_us,
                }
            })
            .collect()
    }

    fn warn(&mut self, error: &str) {
        if !self.warned {
            tracing::error!(error, "the state folder fails; switches may not survive a restart");
        }
        self.warned = true;
    }
}
