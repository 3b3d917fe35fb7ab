//! One kept-alive connection of the generator, with one call at a time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::parse::{self, Head};

/// Loopback answers at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(200);
const READ_BYTES: usize = 128 << 10;

/// What reading brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The answer is not complete.
    Waiting,
    /// A good answer; with `true` the server closes the connection after it.
    Good(bool),
    /// A bad answer or a lost connection, and why. The connection is of no use any more.
    Bad(&'static str),
}

pub struct Client {
    pub socket: TcpStream,
    /// The intended instant of the call under way, in nanoseconds since the start.
    pub call_ns: Option<u64>,
    out: Vec<u8>,
    out_at: usize,
    buffer: Vec<u8>,
    filled: usize,
    head: Option<(u16, Head)>,
}

impl Client {
    pub fn connect(server: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpStream::connect_timeout(&server, CONNECT_TIMEOUT)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let buffer = vec![0; READ_BYTES];
        Ok(Self { socket, call_ns: None, out: Vec::new(), out_at: 0, buffer, filled: 0, head: None })
    }

    /// Starts a call. What the socket does not take at once goes out by [`Client::go_on`].
    pub fn send(&mut self, intended_ns: u64, request: &[u8]) -> Result<(), &'static str> {
        self.call_ns = Some(intended_ns);
        self.filled = 0;
        self.head = None;
        self.out.clear();
        self.out_at = 0;
        match self.socket.write(request) {
            Ok(taken) if taken == request.len() => Ok(()),
            Ok(taken) => {
                self.out.extend_from_slice(&request[taken..]);
                self.flush()
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.out.extend_from_slice(request);
                Ok(())
            }
            Err(_) => Err("closed"),
        }
    }

    fn flush(&mut self) -> Result<(), &'static str> {
        while self.out_at < self.out.len() {
            match self.socket.write(&self.out[self.out_at..]) {
                Ok(taken) => self.out_at += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err("closed"),
            }
        }
        Ok(())
    }

    /// Writes and reads what is possible. `answer_bytes` is how long a good answer's body is; `None` where any length is.
    pub fn go_on(&mut self, answer_bytes: Option<usize>) -> Progress {
        if let Err(why) = self.flush() {
            return Progress::Bad(why);
        }
        loop {
            if self.filled == self.buffer.len() {
                return Progress::Bad("length");
            }
            match self.socket.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Progress::Bad("closed"),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Waiting,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Progress::Bad("reset"),
            }
            match self.judge(answer_bytes) {
                Progress::Waiting => {}
                done => return done,
            }
        }
    }

    fn judge(&mut self, answer_bytes: Option<usize>) -> Progress {
        let bytes = &self.buffer[..self.filled];
        if self.head.is_none() {
            match parse::answer(bytes) {
                Ok(head) => self.head = head,
                Err(()) => return Progress::Bad("no_http"),
            }
        }
        let Some((status, head)) = self.head else { return Progress::Waiting };
        let Some(whole) = head.whole(bytes) else { return Progress::Waiting };
        let length_good = answer_bytes.is_none_or(|wanted| match head.body {
            parse::Body::Sized(size) => size == wanted,
            parse::Body::Chunked => whole - head.head_bytes >= wanted,
        });
        if self.call_ns.is_none() || whole != self.filled {
            return Progress::Bad("unasked");
        }
        match (status, length_good) {
            (200, true) => Progress::Good(head.close),
            (200, false) => Progress::Bad("length"),
            _ => Progress::Bad("status"),
        }
    }
}
