//! An upstream that writes down every request as bytes and answers each as its id was told to be answered.

use crate::support::generate::{ID, Plan};
use crate::support::{Dice, Message, Reading, Side, write_in_pieces};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Default)]
struct Notes {
    plans: HashMap<u64, Arc<Plan>>,
    seen: HashMap<u64, Vec<Message>>,
}

/// Dropping it closes it.
pub struct Scribe {
    pub url: String,
    notes: Arc<Mutex<Notes>>,
    _serving: JoinSet<()>,
}

impl Scribe {
    pub async fn start() -> Self {
        darklaunch::app::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let notes = Arc::<Mutex<Notes>>::default();
        let (shared, mut serving) = (Arc::clone(&notes), JoinSet::new());
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, notes, _serving: serving }
    }

    /// What a request with this id will be answered.
    pub fn will_answer(&self, id: u64, plan: Plan) {
        self.notes.lock().unwrap().plans.insert(id, Arc::new(plan));
    }

    /// The requests with this id, in the order of their arrival.
    pub fn take(&self, id: u64) -> Vec<Message> {
        self.notes.lock().unwrap().seen.remove(&id).unwrap_or_default()
    }
}

async fn serve(stream: TcpStream, notes: Arc<Mutex<Notes>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let (read, mut write) = stream.into_split();
    let mut reading = Reading::new(read);
    loop {
        let head = reading.head().await?;
        if head.has("expect", "100-continue") {
            write.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
        }
        let request = reading.body(head, Side::Request).await?;
        let id =
            request.values(ID).next().and_then(|id| std::str::from_utf8(id).ok()?.parse().ok()).unwrap_or_default();
        let keeps = request.keeps();
        let plan = {
            let mut notes = notes.lock().unwrap();
            notes.seen.entry(id).or_default().push(request);
            notes.plans.get(&id).cloned()
        };
        // An id nobody told it of: the shadow's side of a story.
        let plan = plan.unwrap_or_else(|| Arc::new(Plan { bytes: b"HTTP/1.1 204 No\r\n\r\n".to_vec(), closes: false }));
        write_in_pieces(&mut write, &plan.bytes, &mut Dice::new(id)).await.ok()?;
        if plan.closes || !keeps {
            return Some(());
        }
    }
}
