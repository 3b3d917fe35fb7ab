//! The user's path: accept, route to an integration, forward, and tee.
//!
//! **Invariants.** The primary's request carries nothing of ours and its answer goes back untouched. Bodies stream; the
//! copy stops at its cap, the stream goes on. Nothing here waits for the mirror or anything behind it.

mod accept;
mod answer;
mod connection;
mod forward;
mod headers;
mod names;
mod refuse;
mod route;
mod tee;
mod worker;
#[cfg(test)]
mod tests;

pub use crate::mirror::BaseUrl as PrimaryUrl;
pub use names::{ENDPOINTS_MAX, EndpointNames};
pub use refuse::ERROR_HEADER;
pub use route::{Matcher, Primary, Route};

use crate::exchange::Clock;
use crate::latency::Shard;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

const BACKLOG: i32 = 1024;

/// The traffic side's limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses of the traffic listener; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
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
    /// An address is taken or not ours.
    #[error("listen.traffic {addr}: {source}; choose a free address of this machine")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No address.
    #[error("listen.traffic is empty; give one address such as 127.0.0.1:8080")]
    NoAddress,
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
    /// One list of listeners per worker.
    listeners: Vec<Vec<TcpListener>>,
    addrs: Vec<SocketAddr>,
}

impl Proxy {
    /// Binds every address for every worker before anything starts. `shards` receives the primary's latencies once a
    /// second.
    pub fn bind(
        settings: Settings,
        routes: Vec<Route>,
        shards: mpsc::Sender<Shard>,
        clock: Clock,
    ) -> Result<Self, BindError> {
        if settings.listen.is_empty() {
            return Err(BindError::NoAddress);
        }
        let workers = settings.workers.max(1);
        let mut listeners: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
        let mut addrs = Vec::new();
        for wanted in &settings.listen {
            let mut addr = *wanted;
            for (at, worker) in listeners.iter_mut().enumerate() {
                let fail = |source| BindError::Listen { addr, source };
                // Only a first socket without SO_REUSEPORT finds out that another process has the address.
                if at == 0 && addr.port() != 0 {
                    listen(addr, false).map_err(fail)?;
                }
                let listener = listen(addr, true).map_err(fail)?;
                // With port 0 the first listener's port is everyone's.
                addr = listener.local_addr().map_err(fail)?;
                worker.push(listener);
            }
            addrs.push(addr);
        }
        Ok(Self { settings: Arc::new(settings), routes: Arc::new(routes), shards, clock, listeners, addrs })
    }

    /// Starts the workers.
    pub fn start(self) -> Result<Running, BindError> {
        let stop = CancellationToken::new();
        let cut = CancellationToken::new();
        let connections = Arc::new(Semaphore::new(self.settings.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
        let mut running =
            Running { addrs: self.addrs, stop, cut, threads: Vec::new(), routes: Arc::clone(&self.routes) };
        for (at, listeners) in self.listeners.into_iter().enumerate() {
            let plan = worker::Plan {
                settings: Arc::clone(&self.settings),
                routes: Arc::clone(&self.routes),
                listeners,
                connections: Arc::clone(&connections),
                shards: self.shards.clone(),
                stop: running.stop.clone(),
                cut: running.cut.clone(),
                clock: self.clock,
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = std::thread::Builder::new().name(format!("traffic-{at}"));
            running.threads.push(thread.spawn(move || worker::run(&runtime, plan))?);
        }
        Ok(running)
    }
}

fn listen(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    if shared {
        socket.listen(BACKLOG)?;
    }
    Ok(socket.into())
}

/// The serving traffic side.
#[derive(Debug)]
pub struct Running {
    addrs: Vec<SocketAddr>,
    stop: CancellationToken,
    cut: CancellationToken,
    threads: Vec<JoinHandle<()>>,
    routes: Arc<Vec<Route>>,
}

impl Running {
    /// The first bound address.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addrs.first().copied()
    }

    /// Every bound address, in the order of the settings.
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// Stops accepting, lets running requests end within `deadline`, cuts the rest, and joins the threads. Blocks: call
    /// it from a thread that serves nobody.
    pub fn close(mut self, deadline: Duration) {
        for route in self.routes.iter() {
            route.door.close();
        }
        self.end(deadline);
    }

    fn end(&mut self, deadline: Duration) {
        self.stop.cancel();
        let clock = Clock;
        let started = clock.now();
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && !self.cut.is_cancelled() {
                if started.elapsed() >= deadline {
                    self.cut.cancel();
                }
                std::thread::park_timeout(Duration::from_millis(2));
            }
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
