//! Ways in: unix sockets, TLS, and which integration a call by them belongs to.
