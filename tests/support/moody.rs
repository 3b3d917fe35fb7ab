//! An upstream whose mood a story changes while it serves; it keeps its own count of what it was asked and what it did.

use crate::support::generate::{ID, Plan};
use crate::support::{Dice, Message, Reading, Side, write_in_pieces};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What happens to a request that has arrived whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mood {
    Well,
    Slow,
    Hang,
    Reset,
    ResetMidBody,
    Drip,
    Garbage,
    ManyHeaders,
    Endless,
    Redirect,
    Error500,
    TooMany,
    /// The port is closed, and so is every connection.
    Down,
}

impl Mood {
    pub const OF_A_SHADOW: [Self; 13] = [
        Self::Well,
        Self::Slow,
        Self::Hang,
        Self::Reset,
        Self::ResetMidBody,
        Self::Drip,
        Self::Garbage,
        Self::ManyHeaders,
        Self::Endless,
        Self::Redirect,
        Self::Error500,
        Self::TooMany,
        Self::Down,
    ];
    pub const OF_A_PRIMARY: [Self; 6] = [Self::Well, Self::Well, Self::Well, Self::Slow, Self::Reset, Self::Error500];
}

const SLOW: Duration = Duration::from_millis(30);
const DRIP: Duration = Duration::from_millis(10);
/// Far more than anyone should take: the recorder ends it.
const ENDLESS_MEGABYTES: usize = 4_096;

#[derive(Default)]
struct Notes {
    plans: HashMap<u64, Arc<Plan>>,
    seen: HashMap<u64, Vec<Mood>>,
    whole: HashMap<Mood, u64>,
    total: u64,
}

/// Dropping it closes it.
pub struct Moody {
    pub url: String,
    mood: watch::Sender<Mood>,
    notes: Arc<Mutex<Notes>>,
    _serving: JoinSet<()>,
}

impl Moody {
    pub async fn start() -> Self {
        darklaunch::app::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, told) = watch::channel(Mood::Well);
        let notes = Arc::<Mutex<Notes>>::default();
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, address, told, Arc::clone(&notes)));
        Self { url: format!("http://{address}"), mood, notes, _serving: serving }
    }

    /// From now on.
    pub fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub fn will_answer(&self, id: u64, plan: Plan) {
        self.notes.lock().unwrap().plans.insert(id, Arc::new(plan));
    }

    /// What happened to the requests with this id; forgotten afterwards.
    pub fn take(&self, id: u64) -> Vec<Mood> {
        let mut notes = self.notes.lock().unwrap();
        notes.plans.remove(&id);
        notes.seen.remove(&id).unwrap_or_default()
    }

    /// Whole requests since the start.
    pub fn total(&self) -> u64 {
        self.notes.lock().unwrap().total
    }

    /// Requests that were met in one of these moods.
    pub fn met(&self, moods: &[Mood]) -> u64 {
        let notes = self.notes.lock().unwrap();
        moods.iter().filter_map(|mood| notes.whole.get(mood)).sum()
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, mut told: watch::Receiver<Mood>, notes: Arc<Mutex<Notes>>) {
    let mut listener = Some(listener);
    let mut open = JoinSet::new();
    loop {
        let down = *told.borrow_and_update() == Mood::Down;
        if down {
            listener = None;
            open.shutdown().await;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return },
            stream = async { listener.as_ref()?.accept().await.ok() }, if listener.is_some() => {
                if let Some((stream, _)) = stream {
                    open.spawn(serve(stream, told.clone(), Arc::clone(&notes)));
                }
            }
            // The port may be another's for a moment.
            () = pause(SLOW), if listener.is_none() && !down => {}
        }
    }
}

async fn serve(stream: TcpStream, told: watch::Receiver<Mood>, notes: Arc<Mutex<Notes>>) {
    stream.set_nodelay(true).unwrap_or_default();
    let (read, mut write) = stream.into_split();
    let mut reading = Reading::new(read);
    while let Some(head) = reading.head().await {
        if head.has("expect", "100-continue") && write.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
            return;
        }
        let Some(request) = reading.body(head, Side::Request).await else { return };
        let mood = *told.borrow();
        let plan = note(&notes, &request, mood);
        if one(mood, &request, plan, &mut reading, &mut write).await.is_none() || !request.keeps() {
            return;
        }
    }
}

fn note(notes: &Mutex<Notes>, request: &Message, mood: Mood) -> Option<Arc<Plan>> {
    let id = request.values(ID).next().and_then(|id| std::str::from_utf8(id).ok()?.parse().ok()).unwrap_or_default();
    // An answer to HEAD is whole with its head, whatever comes of the body it has not.
    let bodiless = request.line.starts_with(b"HEAD ") && matches!(mood, Mood::ResetMidBody | Mood::Drip);
    let counted = if bodiless { Mood::Well } else { mood };
    let mut notes = notes.lock().unwrap();
    notes.seen.entry(id).or_default().push(mood);
    *notes.whole.entry(counted).or_default() += 1;
    notes.total += 1;
    notes.plans.get(&id).cloned()
}

/// One answer, or what there is instead; `None` ends the connection.
async fn one(
    mood: Mood,
    request: &Message,
    plan: Option<Arc<Plan>>,
    reading: &mut Reading<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
) -> Option<()> {
    match mood {
        Mood::Well | Mood::Slow => {
            if mood == Mood::Slow {
                pause(SLOW).await;
            }
            let well = || Arc::new(Plan { bytes: b"HTTP/1.1 204 Well\r\n\r\n".to_vec(), closes: false });
            let plan = plan.unwrap_or_else(well);
            write_in_pieces(write, &plan.bytes, &mut Dice::new(plan.bytes.len() as u64)).await.ok()?;
            return (!plan.closes).then_some(());
        }
        Mood::Hang => {
            reading.head().await;
        }
        Mood::Reset => write.as_ref().set_zero_linger().ok()?,
        Mood::ResetMidBody => {
            write.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf").await.ok()?;
            write.as_ref().set_zero_linger().ok()?;
        }
        Mood::Drip => {
            write.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.ok()?;
            while write.write_all(b"x").await.is_ok() {
                pause(DRIP).await;
            }
        }
        Mood::Garbage => write.write_all(b"\x16\x03\x01 no HTTP \xff\r\n\r\n\0").await.ok()?,
        Mood::ManyHeaders => {
            let many: String = (0..10_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
            write.write_all(format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n").as_bytes()).await.ok()?;
        }
        Mood::Endless => {
            write.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await.ok()?;
            let megabyte = vec![b'x'; 1 << 20];
            for _ in 0..ENDLESS_MEGABYTES {
                write.write_all(&megabyte).await.ok()?;
            }
        }
        Mood::Redirect => return plain(write, request, "302 Found\r\nLocation: /round").await,
        Mood::Error500 => return plain(write, request, "500 Moody").await,
        Mood::TooMany => return plain(write, request, "429 Wait\r\nRetry-After: 1").await,
        Mood::Down => {}
    }
    None
}

async fn plain(write: &mut OwnedWriteHalf, request: &Message, status: &str) -> Option<()> {
    let keeps = if request.is_http10() { "Connection: keep-alive\r\n" } else { "" };
    write.write_all(format!("HTTP/1.1 {status}\r\n{keeps}Content-Length: 0\r\n\r\n").as_bytes()).await.ok()
}

async fn pause(how_long: Duration) {
    let _ = tokio::time::timeout(how_long, std::future::pending::<()>()).await;
}
