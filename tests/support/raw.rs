//! Bytes as they are: an upstream that says exactly what a story wants, and a client that does the same.

use crate::support::PATIENCE;
use std::future::Future;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// An upstream whose answers are a script over the connection. Dropping it closes it.
pub struct Raw {
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Raw {
    /// For each request the script gets the connection; it gives it back to be used again, or keeps it.
    pub async fn speaks<F, Fut>(script: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Option<TcpStream>> + Send,
    {
        Self::start(script, true).await
    }

    /// Answers as soon as the head is there, whatever of the body is still to come.
    pub async fn hears_heads_and_says(bytes: &'static str) -> Self {
        let script = move |mut stream: TcpStream| async move {
            stream.write_all(bytes.as_bytes()).await.ok()?;
            // Stays open until the other side has heard it.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok();
            None
        };
        Self::start(script, false).await
    }

    /// As [`Raw::speaks`], but the script begins as soon as the head is there.
    pub async fn hears_heads<F, Fut>(script: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Option<TcpStream>> + Send,
    {
        Self::start(script, false).await
    }

    async fn start<F, Fut>(script: F, whole: bool) -> Self
    where
        F: Fn(TcpStream) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Option<TcpStream>> + Send,
    {
        darklaunch::app::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&seen);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (script, kept) = (script.clone(), Arc::clone(&kept));
                open.spawn(async move {
                    let mut next = Some(stream);
                    while let Some(mut stream) = next {
                        let Some(message) = message(&mut stream, whole).await else { return };
                        kept.lock().unwrap().push(message);
                        next = script(stream).await;
                    }
                });
            }
        });
        Self { url, seen, _serving: serving }
    }

    /// Says the same to everyone and keeps the connection.
    pub async fn says(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Arc::new(bytes.into());
        Self::speaks(move |mut stream| {
            let bytes = Arc::clone(&bytes);
            async move { stream.write_all(&bytes).await.ok().map(|()| stream) }
        })
        .await
    }

    /// The requests so far, heads and bodies.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// One request: its head, and if wanted its body, by length or by chunks.
async fn message(stream: &mut TcpStream, with_body: bool) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let whole = match text.contains("transfer-encoding: chunked") {
                _ if !with_body => true,
                true => bytes.ends_with(b"\r\n\r\n") && bytes[head..].windows(3).any(|w| w == b"0\r\n"),
                false => bytes.len() >= head + 4 + length.unwrap_or(0),
            };
            if whole {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A connection of the application's.
pub async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("http://")).await.unwrap()
}

/// Says it and reads until the other side closes.
pub async fn talk(url: &str, bytes: &[u8]) -> String {
    let (mut read, mut write) = connect(url).await.into_split();
    let mut answer = Vec::new();
    let both = async {
        // A refused request may be closed before it is read to its end.
        let _ = tokio::join!(write.write_all(bytes), read.read_to_end(&mut answer));
    };
    timeout(PATIENCE, both).await.unwrap_or_else(|_| panic!("the connection stayed open"));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until the text is there; `None`: closed before.
pub async fn hear<S: AsyncRead + Unpin>(stream: &mut S, text: &str) -> Option<String> {
    let mut answer = Vec::new();
    let heard = async {
        while !String::from_utf8_lossy(&answer).contains(text) {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        }
        Some(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("waited in vain for {text:?}"))
}
