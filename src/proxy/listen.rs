//! Where the application reaches the recorder: TCP, TLS and unix sockets, bound or taken over from another process.

use crate::proxy::Kind;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Connections the system holds for us until they are accepted; it may allow fewer (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// One of `listen.traffic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `IP:PORT`: plain TCP; port 0 takes a free one.
    Tcp(SocketAddr),
    /// `tls:IP:PORT`: TLS with the identity of `listen.tls`.
    Tls(SocketAddr),
    /// `unix:PATH`: a unix socket; whoever may write its file may call.
    Unix(PathBuf),
}

impl Listen {
    /// Reads one as it is written; `None` if it is none of the three.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(PathBuf::from(path)));
        }
        match text.strip_prefix("tls:") {
            Some(addr) => addr.parse().ok().map(Self::Tls),
            None => text.parse().ok().map(Self::Tcp),
        }
    }

    /// The IP address and port; none for a unix socket.
    pub fn addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(addr) | Self::Tls(addr) => Some(*addr),
            Self::Unix(_) => None,
        }
    }

    /// How it is reached.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tcp(_) => Kind::Tcp,
            Self::Tls(_) => Kind::Tls,
            Self::Unix(_) => Kind::Unix,
        }
    }

    /// What a client is given: `http://..`, `https://..` or `unix:..`.
    pub fn url(&self) -> String {
        match self {
            Self::Tcp(addr) => format!("http://{addr}"),
            Self::Tls(addr) => format!("https://{addr}"),
            Self::Unix(_) => self.to_string(),
        }
    }

    fn with_addr(&self, addr: SocketAddr) -> Self {
        match self {
            Self::Tcp(_) => Self::Tcp(addr),
            Self::Tls(_) => Self::Tls(addr),
            Self::Unix(path) => Self::Unix(path.clone()),
        }
    }
}

/// As it is written in the configuration.
impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => write!(f, "{addr}"),
            Self::Tls(addr) => write!(f, "tls:{addr}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The sockets of one [`Listen`], as one process gives them to the next.
#[derive(Debug)]
pub struct Inherited {
    /// As the giving process was configured.
    pub listen: Listen,
    /// They share their queues with the giver's own: what waits there is lost by neither.
    pub sockets: Vec<OwnedFd>,
}

/// One listening socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn of(kind: Kind, socket: OwnedFd) -> Self {
        match kind {
            Kind::Tcp | Kind::Tls => Self::Tcp(socket.into()),
            Kind::Unix => Self::Unix(socket.into()),
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(listener) => listener.try_clone().map(Self::Tcp),
            Self::Unix(listener) => listener.try_clone().map(Self::Unix),
        }
    }

    fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(match self.try_clone()? {
            Self::Tcp(listener) => listener.into(),
            Self::Unix(listener) => listener.into(),
        })
    }
}

/// One bound [`Listen`]: held so that it can be handed over, dropped when nobody may connect any more.
#[derive(Debug)]
pub(crate) struct Bound {
    /// As configured.
    pub(crate) wanted: Listen,
    /// With the port the system gave.
    pub(crate) listen: Listen,
    listeners: Vec<Listener>,
    file: Option<SocketFile>,
}

impl Bound {
    /// Binds for so many workers: a socket with a queue of its own each, but for a unix socket, which cannot.
    pub(crate) fn bind(wanted: &Listen, workers: usize) -> io::Result<Self> {
        let Some(mut addr) = wanted.addr() else { return Self::bind_unix(wanted) };
        let mut listeners = Vec::with_capacity(workers);
        // Only a first socket without SO_REUSEPORT finds out that another process has the address.
        if addr.port() != 0 {
            tcp(addr, false)?;
        }
        for _ in 0..workers {
            let listener = tcp(addr, true)?;
            // With port 0 the first listener's port is everyone's.
            addr = listener.local_addr()?;
            listeners.push(Listener::Tcp(listener));
        }
        Ok(Self { wanted: wanted.clone(), listen: wanted.with_addr(addr), listeners, file: None })
    }

    fn bind_unix(wanted: &Listen) -> io::Result<Self> {
        let Listen::Unix(path) = wanted else { return Err(io::ErrorKind::InvalidInput.into()) };
        free(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile::at(path, true)?;
        socket.listen(BACKLOG)?;
        let listeners = vec![Listener::Unix(socket.into())];
        Ok(Self { wanted: wanted.clone(), listen: wanted.clone(), listeners, file: Some(file) })
    }

    /// Takes another process's sockets over; its files are left to it until [`Bound::own_file`].
    pub(crate) fn adopt(given: Inherited) -> io::Result<Self> {
        let kind = given.listen.kind();
        let listeners: Vec<_> = given.sockets.into_iter().map(|socket| Listener::of(kind, socket)).collect();
        let addr = match listeners.first() {
            Some(Listener::Tcp(listener)) => Some(listener.local_addr()?),
            Some(Listener::Unix(_)) => None,
            None => return Err(io::Error::other("the other process gave no socket")),
        };
        for listener in &listeners {
            match listener {
                Listener::Tcp(listener) => listener.set_nonblocking(true)?,
                Listener::Unix(listener) => listener.set_nonblocking(true)?,
            }
        }
        let file = match &given.listen {
            Listen::Unix(path) => Some(SocketFile::at(path, false)?),
            Listen::Tcp(_) | Listen::Tls(_) => None,
        };
        let listen = addr.map_or_else(|| given.listen.clone(), |addr| given.listen.with_addr(addr));
        Ok(Self { wanted: given.listen, listen, listeners, file })
    }

    /// For each worker what it accepts from: every queue has at least one worker, every worker at least one queue.
    pub(crate) fn spread(&self, workers: usize) -> io::Result<Vec<Vec<Listener>>> {
        let mut spread: Vec<Vec<Listener>> = (0..workers).map(|_| Vec::new()).collect();
        let queues = self.listeners.len();
        for at in 0..workers.max(queues) {
            spread[at % workers].push(self.listeners[at % queues].try_clone()?);
        }
        Ok(spread)
    }

    /// Duplicates for the next process.
    pub(crate) fn duplicate(&self) -> io::Result<Inherited> {
        let sockets = self.listeners.iter().map(Listener::duplicate).collect::<io::Result<_>>()?;
        Ok(Inherited { listen: self.wanted.clone(), sockets })
    }

    /// Whether the file of a unix socket is this process's to remove: not while another one listens on it.
    pub(crate) fn own_file(&mut self, ours: bool) {
        if let Some(file) = &mut self.file {
            file.ours = ours;
        }
    }
}

fn tcp(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
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

/// Makes room for a unix socket: the file of a dead process is removed, anything else is refused.
fn free(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::other("there is a file that is no socket; it was not touched"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens on it")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// The file of a unix socket, removed when dropped if it is still the one that was made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
    ours: bool,
}

impl SocketFile {
    fn at(path: &Path, ours: bool) -> io::Result<Self> {
        let identity = identity(path)?;
        Ok(Self { path: path.to_owned(), identity, ours })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.ours
            && identity(&self.path).is_ok_and(|now| now == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a unix socket's file could not be removed");
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_in_three_ways() {
        for text in ["127.0.0.1:8080", "tls:[::1]:8443", "unix:/run/dl.sock"] {
            assert_eq!(Listen::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "8080", "unix:", "tls:", "tls:unix:/x", "localhost:80", "http://127.0.0.1:1"] {
            assert_eq!(Listen::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_live_or_foreign_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dl.sock");
        let listen = Listen::Unix(path.clone());
        // Left behind by a process that was killed: the file without a listener.
        drop(UnixListener::bind(&path).unwrap());
        let bound = Bound::bind(&listen, 2).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        assert!(Bound::bind(&listen, 2).unwrap_err().to_string().contains("another process listens"));
        assert!(UnixStream::connect(&path).is_ok());
        drop(bound);
        assert!(!path.exists(), "removed at close");
        fs::write(&path, "notes").unwrap();
        assert!(Bound::bind(&listen, 2).unwrap_err().to_string().contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
    }

    #[test]
    fn every_queue_has_a_worker_and_every_worker_a_queue() {
        let bound = Bound::bind(&Listen::parse("127.0.0.1:0").unwrap(), 3).unwrap();
        let shares = |workers| bound.spread(workers).unwrap().iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!((shares(2), shares(3), shares(5)), (vec![2, 1], vec![1; 3], vec![1; 5]));
        let next = Bound::adopt(bound.duplicate().unwrap()).unwrap();
        assert_eq!((next.listen.clone(), next.listeners.len()), (bound.listen.clone(), 3));
    }
}
