//! What was read of a connection and is not used yet.

use crate::http1::Io;
use bytes::{Bytes, BytesMut};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;
use tokio_util::io::poll_read_buf;

/// Read at once where nothing is known of what comes, bytes: on the stack, so that a connection that waits needs no
/// buffer, and what came is copied into one of its own size.
const READ_BYTES: usize = 8 << 10;

/// Read at once at most, of a body that is known to be long.
const LONG_READ_BYTES: usize = 64 << 10;

/// Bytes that arrived.
#[derive(Debug, Default)]
pub struct Input {
    bytes: BytesMut,
    /// The last read took all there was room for.
    filled: bool,
}

impl Input {
    /// What is there.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How much more is likely to be there, bytes: of what has no known length.
    pub fn likely(&self) -> u64 {
        if self.filled { LONG_READ_BYTES as u64 } else { 0 }
    }

    /// Takes the first `length` bytes.
    pub fn take(&mut self, length: usize) -> Bytes {
        if length >= self.bytes.len() {
            return std::mem::take(&mut self.bytes).freeze();
        }
        self.bytes.split_to(length).freeze()
    }

    /// Takes the first `length` bytes and forgets them.
    pub fn skip(&mut self, length: usize) {
        if length >= self.bytes.len() {
            self.bytes = BytesMut::new();
        } else {
            drop(self.bytes.split_to(length));
        }
    }

    /// Reads once, behind what is there; `expects`: so many bytes are known to come. Ready with how many came; zero: it is
    /// the end.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn poll_fill(&mut self, io: &mut dyn Io, cx: &mut Context<'_>, expects: u64) -> Poll<io::Result<usize>> {
        if expects > READ_BYTES as u64 {
            if self.bytes.capacity() - self.bytes.len() < READ_BYTES {
                let room = usize::try_from(expects).unwrap_or(usize::MAX);
                self.bytes.reserve(room.clamp(READ_BYTES, LONG_READ_BYTES));
            }
            let read = ready!(poll_read_buf(Pin::new(io), cx, &mut self.bytes))?;
            self.filled = read >= READ_BYTES;
            return Poll::Ready(Ok(read));
        }
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(io).poll_read(cx, &mut read))?;
        match self.bytes.is_empty() {
            true => self.bytes = BytesMut::from(read.filled()),
            false => self.bytes.extend_from_slice(read.filled()),
        }
        self.filled = read.filled().len() == READ_BYTES;
        Poll::Ready(Ok(read.filled().len()))
    }
}
