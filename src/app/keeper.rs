//! The keeper of the state folder: saves every change of a switch, obeys stop files, lets the ramps rise, and takes up tokens
//! that were made or revoked and what searches of the store found. It needs neither console nor store, so a stop works, and
//! is remembered, when both are down.

use crate::config::{FileStamp, SavedSwitch, StateFolder, Stops};
use crate::console::{Ready, ScansShown, Tokens, TokensInForce};
use crate::control::{RampPhase, RampState, Switchboard};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often stop files are looked for; half of the 100 ms a stop may take.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Who a stop by file is recorded as.
const BY_FILE: &str = "stop file";

enum Order {
    /// Save what changed, say so, and save nothing more: another process keeps the switches now.
    Freeze(SyncSender<()>),
    /// That process came to nothing.
    Thaw,
}

/// The keeper's thread.
pub(crate) struct Keeper {
    orders: SyncSender<Order>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn start(
        folder: StateFolder,
        switchboard: Arc<Switchboard>,
        (tokens, scans): (&Arc<TokensInForce>, &Arc<ScansShown>),
        ready: Arc<Ready>,
    ) -> std::io::Result<Self> {
        let (orders, told) = sync_channel(1);
        let mut tokens = TokenKeeping { shown: Arc::clone(tokens), ready, stamp: None };
        tokens.take_up(&folder);
        let mut scans = ScanKeeping { shown: Arc::clone(scans), stamp: None };
        scans.take_up(&folder);
        let keeping = Keeping { folder, switchboard, tokens, scans, saved: Vec::new(), warned: false, frozen: false };
        let thread = std::thread::Builder::new().name("dl-keeper".into()).spawn(move || keeping.run(&told))?;
        Ok(Self { orders, thread })
    }

    /// Saves the last changes; nothing more is saved until [`Keeper::thaw`]. Stop files are obeyed all the same.
    pub(crate) fn freeze(&self) {
        let (say, done) = sync_channel(1);
        if self.orders.send(Order::Freeze(say)).is_ok() {
            // An error means that the thread is gone; then nothing is written either.
            let _ = done.recv();
        }
    }

    /// Saves again.
    pub(crate) fn thaw(&self) {
        if self.orders.send(Order::Thaw).is_err() {
            tracing::error!("the keeper of the switches is gone");
        }
    }

    /// Saves the last changes and ends.
    pub(crate) fn close(self) {
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::error!("the keeper of the switches ended by a panic");
        }
    }
}

struct Keeping {
    folder: StateFolder,
    switchboard: Arc<Switchboard>,
    tokens: TokenKeeping,
    scans: ScanKeeping,
    saved: Vec<SavedSwitch>,
    warned: bool,
    frozen: bool,
}

impl Keeping {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            self.obey_stop_files();
            self.tokens.take_up(&self.folder);
            self.scans.take_up(&self.folder);
            self.switchboard.tick();
            self.save_changes();
            match orders.recv_timeout(LOOK_EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.save_changes(),
                Ok(Order::Freeze(say)) => {
                    self.save_changes();
                    self.frozen = true;
                    // Whoever asked may have given up.
                    let _ = say.try_send(());
                }
                Ok(Order::Thaw) => {
                    self.frozen = false;
                    // The other process may have written: the next save is due whatever changed here.
                    self.saved.clear();
                }
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
        if self.frozen || now == self.saved {
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
                    signed: state.signed,
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

/// The tokens as the console knows them.
struct TokenKeeping {
    shown: Arc<TokensInForce>,
    ready: Arc<Ready>,
    stamp: Option<FileStamp>,
}

impl TokenKeeping {
    /// A file that cannot be read lets nobody in: what was revoked since cannot be told.
    fn take_up(&mut self, folder: &StateFolder) {
        let stamp = folder.tokens_stamp();
        if stamp == self.stamp {
            return;
        }
        self.stamp = stamp;
        let (tokens, problem) = match folder.tokens() {
            Ok(tokens) => (tokens, None),
            Err(error) => (Tokens::default(), Some(format!("no token is accepted: {error}"))),
        };
        self.ready.report("tokens", problem);
        self.shown.show(tokens);
    }
}

/// What searches of the store found, as the console knows it.
struct ScanKeeping {
    shown: Arc<ScansShown>,
    stamp: Option<FileStamp>,
}

impl ScanKeeping {
    fn take_up(&mut self, folder: &StateFolder) {
        let stamp = folder.scans_stamp();
        if stamp != self.stamp {
            self.stamp = stamp;
            self.shown.show(folder.scans().unwrap_or_default());
        }
    }
}
