//! The user's path: accept, route to an integration, forward, and tee.
//!
//! **Invariants.** The primary's request carries nothing of ours and its answer goes back untouched. Bodies stream; the
//! copy stops at its cap, the stream goes on. Nothing here waits for the mirror or anything behind it.

mod accept;
mod alarm;
mod answer;
mod connection;
mod early;
mod first_byte;
mod forward;
mod guard;
mod headers;
mod http1;
mod listen;
mod names;
mod peer;
mod refuse;
mod route;
mod seats;
mod seldom;
mod tee;
mod tunnel;
mod tls;
mod worker;
#[cfg(test)]
mod tests;

pub use crate::mirror::BaseUrl as PrimaryUrl;
pub use headers::{Forwarded, Passing};
pub use listen::{Inherited, Listen};
pub use names::{ENDPOINTS_MAX, EndpointNames};
pub use peer::{Kind, Peer, Speaks};
pub use refuse::ERROR_HEADER;
pub use route::{HeaderMatch, Matcher, Primary, Route};
pub use tls::{TlsError, TlsIdentity};

use crate::exchange::Clock;
use crate::latency::Shard;
use crate::proxy::accept::Entry;
use crate::proxy::listen::Bound;
use crate::proxy::worker::Ending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// The traffic side's limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where traffic is taken.
    pub listen: Vec<Listen>,
    /// The certificate of the `tls:` addresses; they cannot be had without.
    pub tls: Option<TlsIdentity>,
    /// A TLS handshake must be done within, milliseconds.
    pub tls_handshake_timeout_ms: u64,
    /// Worker threads, each with its own listeners and its own connections to the primaries.
    pub workers: usize,
    /// Time running requests get at close, milliseconds.
    pub drain_ms: u64,
    /// Client connections at once at most, over all workers.
    pub connections_max: usize,
    /// A request's head must arrive within, milliseconds.
    pub header_read_timeout_ms: u64,
    /// A request's head at most, bytes (8192 at least).
    pub header_bytes_max: usize,
    /// Header lines at most.
    pub header_lines_max: usize,
    /// Idle connections kept per worker and primary at most.
    pub primary_idle_connections_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            tls: None,
            tls_handshake_timeout_ms: 10_000,
            workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            drain_ms: 10_000,
            connections_max: 10_000,
            header_read_timeout_ms: 30_000,
            header_bytes_max: 128 << 10,
            header_lines_max: 200,
            primary_idle_connections_max: 512,
        }
    }
}

/// Why the traffic side could not begin.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// An address is taken or not ours, a unix socket's file is in use or is something else.
    #[error("listen.traffic {listen}: {source}; choose a free address of this machine")]
    Listen {
        /// The address.
        listen: Listen,
        /// What the system said.
        source: io::Error,
    },
    /// No address.
    #[error("listen.traffic is empty; give one address such as 127.0.0.1:8080")]
    NoAddress,
    /// A `tls:` address and no certificate.
    #[error("listen.traffic {0}: has no certificate; give listen.tls.cert_file and listen.tls.key_file")]
    NoCertificate(Listen),
    /// A thread or its runtime.
    #[error("a traffic worker could not be started: {0}; lower the number of workers or raise the process limits")]
    Worker(#[from] io::Error),
}

/// The bound, not yet serving traffic side.
#[derive(Debug)]
pub struct Proxy {
    settings: Arc<Settings>,
    routes: Arc<Vec<Route>>,
    shards: mpsc::Sender<Shard>,
    clock: Clock,
    bound: Vec<Bound>,
    /// One list per worker.
    entries: Vec<Vec<Entry>>,
}

impl Proxy {
    /// Binds every address for every worker before anything starts. `shards` receives the primary's latencies once a
    /// second.
    ///
    /// # Errors
    /// No address, or one that cannot be had; then none is held.
    pub fn bind(
        settings: Settings,
        routes: Vec<Route>,
        shards: mpsc::Sender<Shard>,
        clock: Clock,
    ) -> Result<Self, BindError> {
        Self::bind_after(settings, routes, shards, clock, Vec::new())
    }

    /// As [`Proxy::bind`], with the sockets of a process before this one where it had the same addresses.
    ///
    /// # Errors
    /// As [`Proxy::bind`].
    pub fn bind_after(
        settings: Settings,
        routes: Vec<Route>,
        shards: mpsc::Sender<Shard>,
        clock: Clock,
        mut inherited: Vec<Inherited>,
    ) -> Result<Self, BindError> {
        if settings.listen.is_empty() {
            return Err(BindError::NoAddress);
        }
        let workers = settings.workers.max(1);
        let mut entries: Vec<Vec<Entry>> = (0..workers).map(|_| Vec::new()).collect();
        let mut bound = Vec::new();
        for (at, wanted) in settings.listen.iter().enumerate() {
            if wanted.kind() == Kind::Tls && settings.tls.is_none() {
                return Err(BindError::NoCertificate(wanted.clone()));
            }
            let fail = |source| BindError::Listen { listen: wanted.clone(), source };
            let one = match inherited.iter().position(|given| given.listen == *wanted) {
                Some(given) => Bound::adopt(inherited.remove(given)),
                None => Bound::bind(wanted, workers),
            };
            let one = one.map_err(fail)?;
            for (worker, listeners) in entries.iter_mut().zip(one.spread(workers).map_err(fail)?) {
                worker.extend(listeners.into_iter().map(|listener| Entry { listener, at }));
            }
            bound.push(one);
        }
        for given in inherited {
            tracing::warn!(listen = %given.listen, "no longer listened on: the configuration does not name it any more");
        }
        Ok(Self { settings: Arc::new(settings), routes: Arc::new(routes), shards, clock, bound, entries })
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// A thread, a runtime or a client that could not be made.
    pub fn start(self) -> Result<Running, BindError> {
        let connections = Arc::new(Semaphore::new(self.settings.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
        let listens = self.bound.iter().map(|bound| bound.listen.clone()).collect();
        let routes = Arc::clone(&self.routes);
        let mut running =
            Running { listens, bound: self.bound, ending: Ending::default(), threads: Vec::new(), routes };
        let seats = seats::seats(self.entries.len());
        for (at, (entries, seats)) in self.entries.into_iter().zip(seats).enumerate() {
            let plan = worker::Plan {
                settings: Arc::clone(&self.settings),
                routes: Arc::clone(&self.routes),
                entries,
                seats,
                connections: Arc::clone(&connections),
                shards: self.shards.clone(),
                ending: running.ending.clone(),
                clock: self.clock,
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = std::thread::Builder::new().name(format!("traffic-{at}"));
            running.threads.push(thread.spawn(move || worker::run(&runtime, plan))?);
        }
        Ok(running)
    }
}

/// The serving traffic side.
#[derive(Debug)]
pub struct Running {
    listens: Vec<Listen>,
    bound: Vec<Bound>,
    ending: Ending,
    threads: Vec<JoinHandle<()>>,
    routes: Arc<Vec<Route>>,
}

impl Running {
    /// The first bound IP address.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.listens.iter().find_map(Listen::addr)
    }

    /// Everything that is listened on, with its port, in the order of the settings.
    pub fn listens(&self) -> &[Listen] {
        &self.listens
    }

    /// Duplicates of the listening sockets, for a process that takes over.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn duplicate(&self) -> io::Result<Vec<Inherited>> {
        self.bound.iter().map(Bound::duplicate).collect()
    }

    /// Whether the files of unix sockets go when this process ends: not while another one listens on them. Those taken
    /// over are the other's at first.
    pub fn own_files(&mut self, ours: bool) {
        self.bound.iter_mut().for_each(|bound| bound.own_file(ours));
    }

    /// Stops accepting, lets running requests end within `deadline`, cuts the rest, and joins the threads. Blocks: call
    /// it from a thread that serves nobody.
    pub fn close(mut self, deadline: Duration) {
        self.close_doors();
        self.end(deadline);
    }

    /// Ends after another process accepts from the same sockets: no client loses a request. Connections end with their
    /// next answer; those idle for all of `deadline` are closed then, and what runs gets as long again. Blocks.
    pub fn yield_to_successor(mut self, deadline: Duration) {
        self.own_files(false);
        self.bound.clear();
        self.ending.begin();
        self.wait(deadline);
        self.close_doors();
        self.end(deadline);
    }

    fn close_doors(&self) {
        for route in self.routes.iter() {
            route.door.close();
        }
    }

    /// Whether every worker ended within `limit`.
    fn wait(&self, limit: Duration) -> bool {
        let clock = Clock;
        let started = clock.now();
        loop {
            if self.threads.iter().all(JoinHandle::is_finished) {
                return true;
            }
            if started.elapsed() >= limit {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn end(&mut self, deadline: Duration) {
        // What waits to be accepted is refused from here on, not left waiting.
        self.bound.clear();
        self.ending.begin();
        self.ending.stop.cancel();
        if !self.wait(deadline) {
            self.ending.cut.cancel();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a traffic worker ended by a panic");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}
