//! Readiness of sockets, edge-triggered, with timeouts to the nanosecond.

use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

/// Events taken at once.
const EVENTS_MAX: usize = 256;

/// One socket's news.
#[derive(Clone, Copy, Debug)]
pub struct News {
    pub token: u64,
    /// The other side has closed or reset.
    pub gone: bool,
}

/// The sockets that are watched.
pub struct Poll {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poll {
    pub fn new() -> std::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Watches a socket until it is closed.
    pub fn watch(&self, socket: impl AsFd, token: u64) -> std::io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(token), flags)?)
    }

    /// Waits for news, at most `timeout_ns`; `None` waits for ever.
    pub fn wait(&mut self, timeout_ns: Option<u64>, news: &mut Vec<News>) -> std::io::Result<()> {
        let timeout = timeout_ns.map(|ns| Timespec {
            tv_sec: i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(ns % 1_000_000_000).unwrap_or(0),
        });
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        news.clear();
        for event in &self.events {
            let (flags, data) = (event.flags, event.data);
            let gone = flags.intersects(epoll::EventFlags::RDHUP | epoll::EventFlags::HUP | epoll::EventFlags::ERR);
            news.push(News { token: data.u64(), gone });
        }
        Ok(())
    }
}
