//! HTTP/1 as bytes on a connection: reads messages without any library, so that what a library changes is seen.

use crate::support::Dice;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A field's name and value as they stood, without the white space around the value.
pub type Field = (Vec<u8>, Vec<u8>);

/// One request or answer, its chunks put together.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub line: Vec<u8>,
    pub fields: Vec<Field>,
    pub body: Vec<u8>,
    pub trailers: Vec<Field>,
    /// The end of the connection was the end of the body.
    pub to_the_end: bool,
    /// Statuses of the interim answers before this one.
    pub interim: Vec<u16>,
}

/// Whose message is read: it decides what the absence of a length means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Request,
    Answer { to_head: bool },
}

impl Message {
    /// The values of a field, in their order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| &v[..])
    }

    /// Whether a comma-separated field holds the word.
    pub fn has(&self, name: &str, word: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|b| *b == b','))
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Of an answer.
    pub fn status(&self) -> u16 {
        let digits = self.line.split(|b| *b == b' ').nth(1).unwrap_or_default();
        String::from_utf8_lossy(digits).parse().unwrap_or_default()
    }

    pub fn is_http10(&self) -> bool {
        self.line.starts_with(b"HTTP/1.0") || self.line.ends_with(b"HTTP/1.0")
    }

    /// Whether another message may follow on this connection.
    pub fn keeps(&self) -> bool {
        !self.to_the_end
            && !self.has("connection", "close")
            && (!self.is_http10() || self.has("connection", "keep-alive"))
    }

    fn length(&self) -> Option<usize> {
        std::str::from_utf8(self.values("content-length").next()?).ok()?.trim().parse().ok()
    }
}

/// Reads messages from one direction of a connection.
pub struct Reading<R> {
    from: R,
    buffer: Vec<u8>,
    at: usize,
}

impl<R: AsyncRead + Unpin> Reading<R> {
    pub fn new(from: R) -> Self {
        Self { from, buffer: Vec::new(), at: 0 }
    }

    /// The next head; `None` at the end of the connection.
    pub async fn head(&mut self) -> Option<Message> {
        let head = self.until(b"\r\n\r\n").await?;
        let mut lines = lines(&head);
        let line = lines.next().unwrap_or_default().to_vec();
        Some(Message { line, fields: lines.filter_map(field).collect(), ..Message::default() })
    }

    /// The body that belongs to the head; `None` if it breaks off.
    pub async fn body(&mut self, mut head: Message, side: Side) -> Option<Message> {
        let bodiless = match side {
            Side::Request => false,
            Side::Answer { to_head } => to_head || matches!(head.status(), 100..=199 | 204 | 304),
        };
        if bodiless {
            return Some(head);
        }
        if head.has("transfer-encoding", "chunked") {
            loop {
                let line = self.until(b"\r\n").await?;
                let size = line.split(|b| matches!(b, b';' | b'\r')).next().unwrap_or_default();
                let size = usize::from_str_radix(std::str::from_utf8(size).ok()?.trim(), 16).ok()?;
                if size == 0 {
                    break;
                }
                let chunk = self.exactly(size + 2).await?;
                head.body.extend_from_slice(chunk.strip_suffix(b"\r\n")?);
            }
            loop {
                let line = self.until(b"\r\n").await?;
                if line == b"\r\n" {
                    return Some(head);
                }
                head.trailers.extend(lines(&line).filter_map(field));
            }
        }
        match (head.length(), side) {
            (Some(length), _) => head.body = self.exactly(length).await?,
            (None, Side::Request) => {}
            (None, Side::Answer { .. }) => {
                while self.more().await? {}
                head.body = self.buffer.split_off(self.at);
                head.to_the_end = true;
            }
        }
        Some(head)
    }

    /// One whole message.
    pub async fn message(&mut self, side: Side) -> Option<Message> {
        let head = self.head().await?;
        self.body(head, side).await
    }

    /// The next final answer, with what came before it.
    pub async fn answer(&mut self, to_head: bool) -> Option<Message> {
        let mut interim = Vec::new();
        loop {
            let answer = self.message(Side::Answer { to_head }).await?;
            match answer.status() {
                status @ 100..=199 => interim.push(status),
                _ => return Some(Message { interim, ..answer }),
            }
        }
    }

    async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        let mut from = self.at;
        loop {
            if let Some(at) = self.buffer[from..].windows(mark.len()).position(|w| w == mark) {
                return self.exactly(from + at + mark.len() - self.at).await;
            }
            from = self.at.max((self.buffer.len() + 1).saturating_sub(mark.len()));
            if !self.more().await? {
                return None;
            }
        }
    }

    async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() - self.at < count {
            if !self.more().await? {
                return None;
            }
        }
        let bytes = self.buffer[self.at..self.at + count].to_vec();
        self.at += count;
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        Some(bytes)
    }

    async fn more(&mut self) -> Option<bool> {
        self.from.read_buf(&mut self.buffer).await.ok().map(|read| read > 0)
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty())
}

fn field(line: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|b| *b == b':')?;
    Some((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()))
}

/// Writes in pieces that end anywhere, each a segment of its own where the system lets it.
pub async fn write_in_pieces(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8], dice: &mut Dice) -> std::io::Result<()> {
    let mut rest = bytes;
    for _ in 0..dice.below(4) {
        let (piece, after) = rest.split_at(dice.below(rest.len() + 1));
        to.write_all(piece).await?;
        to.flush().await?;
        tokio::task::yield_now().await;
        rest = after;
    }
    to.write_all(rest).await?;
    to.flush().await
}
