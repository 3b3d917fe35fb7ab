//! Taking over from a running recorder without a failed call: its sockets and its lock change hands.
//!
//! The two talk over a socket that only their user can reach. The next one asks, and is given the descriptors; it builds
//! everything; it says [`FREEZE`], and the running one stops its console and writes no switch any more; it starts, accepts
//! from the same queues, and says [`READY`]; the running one yields. Until that last word it goes on as if nothing had
//! happened, whatever becomes of the other.

use crate::app::StartError;
use crate::app::threads::Runner;
use crate::config::{Config, StateFolder};
use crate::proxy::{Inherited, Listen};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage};
use rustix::net::{SendFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The conversation's layout; another one is not understood.
const FORMAT: u32 = 1;
const ASK: u8 = b'?';
const FREEZE: u8 = b'F';
const READY: u8 = b'R';
/// Accompanies a descriptor, and answers [`FREEZE`] and [`READY`].
const YES: u8 = b'.';
/// One answer of a process that has nothing to build, milliseconds.
const ANSWER_MS: u64 = 10_000;
/// Building everything: rules are compiled, a database is opened. Milliseconds.
const BUILD_MS: u64 = 60_000;
/// The list of what is given, bytes at most.
const LIST_BYTES_MAX: u32 = 1 << 20;
/// Sockets of one address at most; more than there can be workers.
const SOCKETS_MAX: usize = 1_024;

/// Everything that changes hands.
pub(crate) struct Offer {
    pub(crate) traffic: Vec<Inherited>,
    /// As configured, and its listener.
    pub(crate) console: (SocketAddr, OwnedFd),
    pub(crate) lock: OwnedFd,
}

/// What precedes the descriptors: which are which.
#[derive(Serialize, Deserialize)]
struct List {
    format: u32,
    traffic: Vec<(String, usize)>,
    console: SocketAddr,
}

/// What the running process is asked, in this order.
pub(crate) enum Event {
    /// For duplicates of everything.
    Asked(oneshot::Sender<Offer>),
    /// To freeze what is kept in files.
    Freeze(oneshot::Sender<()>),
    /// To go on: the other process came to nothing.
    Failed,
    /// To yield: the other process serves.
    Ready,
}

/// Why there is nobody to take over from.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// No recorder listens on the socket.
    #[error("nothing to take over from: no recorder answers on {}; start without --takeover", path.display())]
    Nobody {
        /// The socket.
        path: PathBuf,
    },
    /// It could not be understood.
    #[error("the recorder on {} could not hand over: {why}; it goes on unchanged", path.display())]
    Refused {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

// ---- the running process ----

/// The running process's end; dropping it does not remove the socket's file, closing it does.
pub(crate) struct Door {
    pub(crate) events: mpsc::Receiver<Event>,
    runner: Runner,
    path: PathBuf,
}

impl Door {
    /// Listens beside the database. A file from before is replaced: whoever holds the store's lock is the recorder.
    pub(crate) fn open(database: &Path) -> io::Result<Self> {
        let path = StateFolder::handover_socket(database);
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let _ = fs::remove_file(&beside);
        let listener = std::os::unix::net::UnixListener::bind(&beside)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
        fs::rename(&beside, &path)?;
        let (tell, events) = mpsc::channel(1);
        let runner = Runner::start("dl-handover", move |stop| async move {
            match tokio::net::UnixListener::from_std(listener) {
                Ok(listener) => listen(listener, tell, stop).await,
                Err(error) => tracing::warn!(%error, "this recorder cannot be taken over from"),
            }
        })?;
        Ok(Self { events, runner, path })
    }

    /// Ends; the file goes unless it is another process's by now.
    pub(crate) fn close(self, handed_over: bool) {
        drop(self.events);
        if !self.runner.stop() {
            tracing::error!("the handover thread ended by a panic");
        }
        if !handed_over && let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the handover socket's file could not be removed");
        }
    }
}

async fn listen(listener: tokio::net::UnixListener, tell: mpsc::Sender<Event>, stop: CancellationToken) {
    loop {
        let talk = async {
            let stream = listener.accept().await?.0;
            converse(stream, &tell).await
        };
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = talk => done,
        };
        match done {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "a takeover came to nothing; this recorder goes on");
                if tell.send(Event::Failed).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// One takeover to its end; an error leaves everything as it was.
async fn converse(mut stream: tokio::net::UnixStream, tell: &mpsc::Sender<Event>) -> io::Result<()> {
    if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("another user asked"));
    }
    hear(&mut stream, ASK, ANSWER_MS).await?;
    let (reply, offer) = oneshot::channel();
    tell.send(Event::Asked(reply)).await.map_err(io::Error::other)?;
    let offer = offer.await.map_err(io::Error::other)?;
    timeout(Duration::from_millis(ANSWER_MS), give(&mut stream, offer)).await.map_err(io::Error::other)??;
    hear(&mut stream, FREEZE, BUILD_MS).await?;
    let (reply, frozen) = oneshot::channel();
    tell.send(Event::Freeze(reply)).await.map_err(io::Error::other)?;
    frozen.await.map_err(io::Error::other)?;
    stream.write_all(&[YES]).await?;
    hear(&mut stream, READY, BUILD_MS).await?;
    stream.write_all(&[YES]).await?;
    tell.send(Event::Ready).await.map_err(io::Error::other)
}

async fn hear(stream: &mut tokio::net::UnixStream, word: u8, within_ms: u64) -> io::Result<()> {
    let heard = timeout(Duration::from_millis(within_ms), stream.read_u8()).await.map_err(io::Error::other)??;
    if heard == word { Ok(()) } else { Err(io::Error::other("the other process speaks another version")) }
}

async fn give(stream: &mut tokio::net::UnixStream, offer: Offer) -> io::Result<()> {
    let traffic = offer.traffic.iter().map(|one| (one.listen.to_string(), one.sockets.len())).collect();
    let list = serde_json::to_vec(&List { format: FORMAT, traffic, console: offer.console.0 })?;
    stream.write_u32(u32::try_from(list.len()).map_err(io::Error::other)?).await?;
    stream.write_all(&list).await?;
    let sockets = offer.traffic.into_iter().flat_map(|one| one.sockets);
    for descriptor in sockets.chain([offer.console.1, offer.lock]) {
        let stream = &*stream;
        stream.async_io(Interest::WRITABLE, || send(stream, &descriptor)).await?;
    }
    Ok(())
}

fn send(stream: impl AsFd, descriptor: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(stream, &[IoSlice::new(&[YES])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

// ---- the process that takes over ----

/// The running process, seen from the one that takes over.
pub struct Predecessor {
    stream: UnixStream,
    path: PathBuf,
    traffic: Vec<Inherited>,
    console: Option<(SocketAddr, OwnedFd)>,
    lock: Option<OwnedFd>,
}

impl Predecessor {
    /// Asks the recorder of this database for its sockets and its lock. It goes on until the new one is ready.
    ///
    /// # Errors
    /// Nobody is there, or it does not answer as it should.
    pub fn ask(config: &Config) -> Result<Self, TakeoverError> {
        let path = StateFolder::handover_socket(&config.store.path);
        let stream = UnixStream::connect(&path).map_err(|_| TakeoverError::Nobody { path: path.clone() })?;
        Self::receive(stream, path.clone()).map_err(|why| TakeoverError::Refused { path, why: why.to_string() })
    }

    fn receive(mut stream: UnixStream, path: PathBuf) -> io::Result<Self> {
        stream.set_read_timeout(Some(Duration::from_millis(ANSWER_MS)))?;
        stream.set_write_timeout(Some(Duration::from_millis(ANSWER_MS)))?;
        stream.write_all(&[ASK])?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > LIST_BYTES_MAX {
            return Err(io::Error::other("the list is too long"));
        }
        let mut list = vec![0; length as usize];
        stream.read_exact(&mut list)?;
        let list: List = serde_json::from_slice(&list)?;
        if list.format != FORMAT {
            return Err(io::Error::other(format!("it speaks format {} instead of {FORMAT}", list.format)));
        }
        let mut traffic = Vec::new();
        for (listen, count) in list.traffic {
            let listen = Listen::parse(&listen).filter(|_| count <= SOCKETS_MAX);
            let listen = listen.ok_or_else(|| io::Error::other("an address cannot be read"))?;
            let sockets = (0..count).map(|_| receive(&stream)).collect::<io::Result<_>>()?;
            traffic.push(Inherited { listen, sockets });
        }
        let console = Some((list.console, receive(&stream)?));
        let lock = Some(receive(&stream)?);
        Ok(Self { stream, path, traffic, console, lock })
    }

    pub(crate) fn traffic(&mut self) -> Vec<Inherited> {
        std::mem::take(&mut self.traffic)
    }

    /// The console's listener, if it is configured at the same address.
    pub(crate) fn console(&mut self, wanted: SocketAddr) -> Option<OwnedFd> {
        self.console.take().filter(|(addr, _)| *addr == wanted).map(|(_, listener)| listener)
    }

    pub(crate) fn lock(&mut self) -> Option<OwnedFd> {
        self.lock.take()
    }

    /// From here on the switches' file is ours.
    pub(crate) fn freeze(&mut self) -> Result<(), StartError> {
        self.say(FREEZE)
    }

    /// Lets it go: we serve.
    pub(crate) fn ready(mut self) -> Result<(), StartError> {
        self.say(READY)
    }

    fn say(&mut self, word: u8) -> Result<(), StartError> {
        let mut heard = [0];
        let said = self.stream.write_all(&[word]).and_then(|()| self.stream.read_exact(&mut heard));
        said.map_err(|error| {
            let why = error.to_string();
            StartError::one(TakeoverError::Refused { path: self.path.clone(), why })
        })
    }
}

fn receive(stream: &UnixStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptor = descriptors.next().and_then(|mut descriptors| descriptors.next());
    descriptor.ok_or_else(|| io::Error::other("a socket is missing"))
}
