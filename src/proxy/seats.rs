//! Connections spread evenly over the workers. The kernel spreads them by chance: of 32 connections one of two workers
//! often gets 22, and a core idles while calls wait for the other.

use crate::proxy::accept::Accepted;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Connections on their way to another worker, for each; what has no room stays where it was accepted.
const ON_THEIR_WAY_MAX: usize = 256;

/// How many connections each worker serves.
#[derive(Debug)]
struct Table(Box<[AtomicUsize]>);

/// A connection's place at a worker, and its share of the limit over all of them.
#[derive(Debug)]
pub(crate) struct Seat {
    table: Arc<Table>,
    worker: usize,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    fn take(table: &Arc<Table>, worker: usize, permit: OwnedSemaphorePermit) -> Self {
        if let Some(open) = table.0.get(worker) {
            open.fetch_add(1, Ordering::Relaxed);
        }
        Self { table: Arc::clone(table), worker, _permit: permit }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(open) = self.table.0.get(self.worker) {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A connection for another worker.
#[derive(Debug)]
pub(crate) struct Guest {
    stream: GuestStream,
    /// The position of its listener in `Settings::listen`.
    at: usize,
    seat: Seat,
}

/// Belongs to no runtime.
#[derive(Debug)]
enum GuestStream {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Guest {
    fn new(stream: Accepted, at: usize, seat: Seat) -> io::Result<Self> {
        let stream = match stream {
            Accepted::Tcp(stream) => GuestStream::Tcp(stream.into_std()?),
            Accepted::Unix(stream) => GuestStream::Unix(stream.into_std()?),
        };
        Ok(Self { stream, at, seat })
    }

    /// Makes it this runtime's.
    pub(crate) fn welcome(self) -> io::Result<(Accepted, usize, Seat)> {
        let stream = match self.stream {
            GuestStream::Tcp(stream) => Accepted::Tcp(TcpStream::from_std(stream)?),
            GuestStream::Unix(stream) => Accepted::Unix(UnixStream::from_std(stream)?),
        };
        Ok((stream, self.at, self.seat))
    }
}

/// One worker's way to the others. The workers' receivers end when all of these are dropped.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    table: Arc<Table>,
    own: usize,
    doors: Vec<mpsc::Sender<Guest>>,
}

/// The seats of so many workers, and what each receives.
pub(crate) fn seats(workers: usize) -> Vec<(Seats, mpsc::Receiver<Guest>)> {
    let table = Arc::new(Table((0..workers).map(|_| AtomicUsize::new(0)).collect()));
    let (doors, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel(ON_THEIR_WAY_MAX)).unzip();
    let of = |(own, receiver)| (Seats { table: Arc::clone(&table), own, doors: doors.clone() }, receiver);
    receivers.into_iter().enumerate().map(of).collect()
}

impl Seats {
    /// Gives a connection to the worker with the fewest: back if that is this one, or if it has no room; nothing of an
    /// error but that the connection is closed.
    pub(crate) fn place(
        &self,
        stream: Accepted,
        at: usize,
        permit: OwnedSemaphorePermit,
    ) -> io::Result<Option<(Accepted, Seat)>> {
        let open = |worker: &usize| self.table.0.get(*worker).map_or(usize::MAX, |open| open.load(Ordering::Relaxed));
        let least = (0..self.doors.len()).min_by_key(open).filter(|least| open(least) < open(&self.own));
        let (worker, room) = match least.and_then(|least| Some((least, self.doors.get(least)?.try_reserve().ok()?))) {
            Some((least, room)) => (least, Some(room)),
            None => (self.own, None),
        };
        let seat = Seat::take(&self.table, worker, permit);
        match room {
            Some(room) => room.send(Guest::new(stream, at, seat)?),
            None => return Ok(Some((stream, seat))),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn each_worker_gets_its_share_whoever_accepts_and_seats_are_given_back() {
        let limit = Arc::new(Semaphore::new(100));
        let mut all = seats(3);
        let mut kept = Vec::new();
        for _ in 0..30 {
            let (stream, _other) = UnixStream::pair().unwrap();
            let permit = Arc::clone(&limit).acquire_owned().await.unwrap();
            kept.extend(all[1].0.place(Accepted::Unix(stream), 0, permit).unwrap());
        }
        let shares =
            |all: &[(Seats, _)]| all[0].0.table.0.iter().map(|open| open.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert_eq!((kept.len(), shares(&all)), (10, vec![10; 3]));
        let guest = all[2].1.recv().await.unwrap();
        let (_stream, at, seat) = guest.welcome().unwrap();
        assert_eq!((at, seat.worker), (0, 2));
        drop((seat, kept));
        assert_eq!((shares(&all), limit.available_permits()), (vec![10, 0, 9], 81));
        // When nobody accepts any more, nobody waits for guests.
        let mut receiver = all.remove(0).1;
        drop(all);
        let mut guests = 0;
        while receiver.recv().await.is_some() {
            guests += 1;
        }
        assert_eq!(guests, 10);
    }
}
