//! Who is at the other end of a client connection, and by which listener it came.

use std::net::SocketAddr;

/// How a listener is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// A unix socket.
    Unix,
}

/// Which HTTP a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Its first bytes tell: HTTP/1, or HTTP/2 with prior knowledge.
    Either,
    /// HTTP/1, as ALPN agreed.
    Http1,
    /// HTTP/2, as ALPN agreed.
    Http2,
}

/// One client connection, the same for all its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its listener: the position in `Settings::listen`, from 0.
    pub listener: usize,
    /// How that is reached.
    pub kind: Kind,
    /// What was agreed to be spoken.
    pub speaks: Speaks,
    /// The address the client connected to; none for a unix socket.
    pub local: Option<SocketAddr>,
    /// The client's address; none for a unix socket.
    pub remote: Option<SocketAddr>,
}

impl Peer {
    /// Whether the client speaks TLS with us.
    pub fn tls(&self) -> bool {
        self.kind == Kind::Tls
    }
}
