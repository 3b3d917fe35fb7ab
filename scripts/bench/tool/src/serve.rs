//! The stand-in provider's sockets: one thread, readiness only, so that it costs little beside what is measured.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::message::{self, Template};
use crate::parse::{self, Head};
use crate::poll::{News, Poll};
use crate::upstream::{Counts, Mode, Order, order, wanted_bytes};

const SLOW: Duration = Duration::from_secs(5);
const DRIP: Duration = Duration::from_millis(20);
const BACKLOG: i32 = 4096;
const TRAFFIC: u64 = 0;
const CONTROL: u64 = 1;
/// Tokens of connections follow.
const FIRST: u64 = 2;

#[derive(clap::Args, Debug)]
pub struct UpstreamArgs {
    /// Where it is called
    #[arg(long)]
    listen: SocketAddr,
    /// Where `GET /counts` and `GET /mode/NAME` are answered; modes: ok, slow, stall, refuse, reset, reset_mid, drip, error
    #[arg(long)]
    control: SocketAddr,
    /// Calls to paths that begin so are read and never answered
    #[arg(long, value_name = "PREFIX")]
    hang: Option<String>,
}

struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
    out: Vec<u8>,
    out_at: usize,
    close: bool,
}

struct Server {
    address: SocketAddr,
    hang: Option<String>,
    listener: Option<TcpListener>,
    control: TcpListener,
    poll: Poll,
    mode: Mode,
    counts: Counts,
    connections: HashMap<u64, Connection>,
    next_token: u64,
    /// Requests that wait for their time, in its order, with the size of the answer.
    slow: VecDeque<(Instant, u64, usize)>,
    /// Requests that are never answered while the mode lasts.
    held: Vec<(u64, usize)>,
    /// Connections with a call that is never answered.
    hanging: HashSet<u64>,
    /// Connections whose answer leaves by the byte.
    dripping: Vec<u64>,
    next_drip: Instant,
    answers: HashMap<usize, Template>,
    error: Template,
    number: u64,
    chunk: Vec<u8>,
}

/// Serves until it is killed.
pub fn run(args: &UpstreamArgs) -> Result<(), String> {
    let mut server = Server::new(args).map_err(|error| error.to_string())?;
    let mut news = Vec::new();
    loop {
        let timeout = server.timeout_ns();
        server.poll.wait(timeout, &mut news).map_err(|error| error.to_string())?;
        for one in &news {
            match one.token {
                TRAFFIC => server.accept(),
                CONTROL => server.obey(),
                _ => server.heard(*one),
            }
        }
        server.tick();
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    fn new(args: &UpstreamArgs) -> std::io::Result<Self> {
        let (listener, control, poll) = (listen(args.listen)?, listen(args.control)?, Poll::new()?);
        poll.watch(&listener, TRAFFIC)?;
        poll.watch(&control, CONTROL)?;
        Ok(Self {
            address: args.listen,
            hang: args.hang.clone(),
            listener: Some(listener),
            control,
            poll,
            mode: Mode::Ok,
            counts: Counts::default(),
            connections: HashMap::new(),
            next_token: FIRST,
            slow: VecDeque::new(),
            held: Vec::new(),
            hanging: HashSet::new(),
            dripping: Vec::new(),
            next_drip: Instant::now(),
            answers: HashMap::new(),
            error: message::answer("500 Internal Server Error", 1024),
            number: 0,
            chunk: vec![0; 256 << 10],
        })
    }

    fn timeout_ns(&self) -> Option<u64> {
        let now = Instant::now();
        let slow = self.slow.front().map(|(due, ..)| *due);
        let drip = (!self.dripping.is_empty()).then_some(self.next_drip);
        let due = [slow, drip].into_iter().flatten().min()?;
        u64::try_from(due.saturating_duration_since(now).as_nanos()).ok()
    }

    fn tick(&mut self) {
        while let Some((due, token, bytes)) = self.slow.front().copied()
            && due <= Instant::now()
        {
            self.slow.pop_front();
            self.answer(token, bytes, None);
        }
        if !self.dripping.is_empty() && Instant::now() >= self.next_drip {
            self.next_drip = Instant::now() + DRIP;
            for token in std::mem::take(&mut self.dripping) {
                if self.write(token, 1) {
                    self.dripping.push(token);
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Some(Ok((socket, _))) = self.listener.as_ref().map(TcpListener::accept) {
            self.counts.accepted += 1;
            let token = self.next_token;
            self.next_token += 1;
            let ready = socket.set_nonblocking(true).and_then(|()| socket.set_nodelay(true));
            if ready.is_ok() && self.poll.watch(&socket, token).is_ok() {
                let connection = Connection { socket, buffer: Vec::new(), out: Vec::new(), out_at: 0, close: false };
                self.connections.insert(token, connection);
            }
        }
    }

    fn heard(&mut self, news: News) {
        let Some(connection) = self.connections.get_mut(&news.token) else { return };
        loop {
            match connection.socket.read(&mut self.chunk) {
                Ok(0) => {
                    self.connections.remove(&news.token);
                    self.hanging.remove(&news.token);
                    self.counts.closed();
                    return;
                }
                Ok(read) => {
                    self.counts.heard();
                    connection.buffer.extend_from_slice(&self.chunk[..read]);
                    if read < self.chunk.len() && !news.gone {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.connections.remove(&news.token);
                    self.hanging.remove(&news.token);
                    self.counts.closed();
                    return;
                }
            }
        }
        if !self.dripping.contains(&news.token) {
            self.write(news.token, usize::MAX);
        }
        while let Some((wanted, close)) = self.take_request(news.token) {
            match wanted {
                Some(bytes) => self.received(news.token, bytes, close),
                None => drop(self.hanging.insert(news.token)),
            }
        }
    }

    /// Takes a whole request from a connection's buffer: the size of the answer it wants, if it gets one, and whether it is
    /// the last.
    fn take_request(&mut self, token: u64) -> Option<(Option<usize>, bool)> {
        let connection = self.connections.get_mut(&token)?;
        let hangs = |path: &str| self.hang.as_deref().is_some_and(|prefix| path.starts_with(prefix));
        let (wanted, head): (Option<usize>, Head) = match parse::request(&connection.buffer) {
            Ok(head) => head.map(|(path, head)| ((!hangs(path)).then(|| wanted_bytes(path)), head))?,
            Err(()) => {
                self.connections.remove(&token);
                return None;
            }
        };
        let whole = head.whole(&connection.buffer)?;
        if whole == connection.buffer.len() {
            connection.buffer.clear();
        } else {
            connection.buffer.drain(..whole);
        }
        Some((wanted, head.close))
    }

    fn received(&mut self, token: u64, wanted: usize, close: bool) {
        self.counts.received(self.mode);
        if let Some(connection) = self.connections.get_mut(&token) {
            connection.close = close;
        }
        match self.mode {
            Mode::Ok | Mode::Refuse => self.answer(token, wanted, None),
            Mode::Error => self.answer(token, wanted, Some(Mode::Error)),
            Mode::Slow => self.slow.push_back((Instant::now() + SLOW, token, wanted)),
            Mode::Stall => self.held.push((token, wanted)),
            Mode::Reset => self.reset(token),
            Mode::ResetMid => {
                self.prepare(token, wanted, None);
                let half = self.connections.get(&token).map_or(0, |connection| connection.out.len() / 2);
                self.write(token, half);
                self.reset(token);
            }
            Mode::Drip => {
                self.prepare(token, wanted, None);
                self.dripping.push(token);
            }
        }
    }

    fn prepare(&mut self, token: u64, wanted: usize, mode: Option<Mode>) {
        self.number += 1;
        let template = match mode {
            Some(Mode::Error) => &mut self.error,
            _ => self.answers.entry(wanted).or_insert_with(|| message::answer("200 OK", wanted)),
        };
        if let Some(connection) = self.connections.get_mut(&token) {
            connection.out.clear();
            connection.out_at = 0;
            connection.out.extend_from_slice(template.with(self.number));
        }
    }

    fn answer(&mut self, token: u64, wanted: usize, mode: Option<Mode>) {
        self.prepare(token, wanted, mode);
        self.write(token, usize::MAX);
    }

    /// Writes at most `most` bytes of what a connection has to say; whether some is left.
    fn write(&mut self, token: u64, most: usize) -> bool {
        let Some(connection) = self.connections.get_mut(&token) else { return false };
        let mut room = most;
        while connection.out_at < connection.out.len() && room > 0 {
            let end = connection.out.len().min(connection.out_at.saturating_add(room));
            match connection.socket.write(&connection.out[connection.out_at..end]) {
                Ok(taken) => {
                    connection.out_at += taken;
                    room -= taken.min(room);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => {
                    self.connections.remove(&token);
                    return false;
                }
            }
        }
        if connection.out_at < connection.out.len() {
            return true;
        }
        if !connection.out.is_empty() {
            connection.out.clear();
            connection.out_at = 0;
            self.counts.answered += 1;
            if connection.close {
                self.connections.remove(&token);
            }
        }
        false
    }

    fn reset(&mut self, token: u64) {
        if let Some(connection) = self.connections.remove(&token) {
            // Without it the close would be an orderly one; a failure leaves the orderly close.
            let _ = rustix::net::sockopt::set_socket_linger(&connection.socket, Some(Duration::ZERO));
        }
    }

    fn obey(&mut self) {
        while let Ok((mut socket, _)) = self.control.accept() {
            let mut request = [0; 4096];
            let ready = socket.set_nonblocking(false).and_then(|()| socket.set_read_timeout(Some(DRIP)));
            let read = ready.and_then(|()| socket.read(&mut request)).unwrap_or(0);
            let asked = match parse::request(&request[..read]) {
                Ok(Some((path, _))) => order(path),
                _ => None,
            };
            let (status, body) = match asked {
                Some(Order::Set(mode)) => match self.set(mode) {
                    Ok(()) => ("200 OK", self.told()),
                    Err(error) => ("500 Internal Server Error", error.to_string()),
                },
                Some(Order::Tell) => ("200 OK", self.told()),
                None => ("404 Not Found", String::new()),
            };
            // Whoever asked and left needs no answer.
            let _ = write!(
                socket,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    }

    fn told(&self) -> String {
        self.counts.to_json(self.mode, self.connections.len(), self.hanging.len()).to_string()
    }

    /// Changes the mode. What waited for an answer gets it now, or is closed with the port.
    fn set(&mut self, mode: Mode) -> std::io::Result<()> {
        self.mode = mode;
        if mode == Mode::Refuse {
            self.listener = None;
            self.connections.clear();
        } else if self.listener.is_none() {
            let listener = listen(self.address)?;
            self.poll.watch(&listener, TRAFFIC)?;
            self.listener = Some(listener);
        }
        for token in std::mem::take(&mut self.dripping) {
            self.write(token, usize::MAX);
        }
        let slow = std::mem::take(&mut self.slow).into_iter().map(|(_, token, wanted)| (token, wanted));
        for (token, wanted) in std::mem::take(&mut self.held).into_iter().chain(slow) {
            self.answer(token, wanted, None);
        }
        Ok(())
    }
}
