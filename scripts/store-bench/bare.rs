//! The yardstick: the same raw bytes in one row of one table without an index.

use darklaunch::exchange::{BodyCopy, Capture};
use http::HeaderMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// The connection and what was written.
pub struct Bare {
    #[expect(clippy::disallowed_types, reason = "the yardstick is SQLite without the store")]
    db: rusqlite::Connection,
    path: PathBuf,
    batch: usize,
    rows: u64,
}

impl Bare {
    #[expect(clippy::disallowed_types, reason = "the yardstick is SQLite without the store")]
    pub fn open(path: &Path, batch: usize) -> Result<Self, Box<dyn Error>> {
        let db = rusqlite::Connection::open(path)?;
        db.execute_batch(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE raw (id BLOB, at INTEGER, endpoint TEXT, target TEXT, head BLOB, request BLOB,
                head_1 BLOB, answer_1 BLOB, head_2 BLOB, answer_2 BLOB)",
        )?;
        Ok(Self { db, path: path.into(), batch, rows: 0 })
    }

    pub fn write(&mut self, chunk: &[Capture]) -> Result<(), Box<dyn Error>> {
        // The same bytes a million times would only fill the disk.
        if self.rows >= 1_000_000 {
            *self = {
                let (path, batch) = (self.path.clone(), self.batch);
                self.db.execute_batch("PRAGMA journal_mode = DELETE")?;
                std::fs::remove_file(&path)?;
                Self::open(&path, batch)?
            };
        }
        for part in chunk.chunks(self.batch) {
            let tx = self.db.transaction()?;
            let mut insert = tx.prepare_cached("INSERT INTO raw VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
            for one in part {
                let empty = BodyCopy::empty();
                let answer = |side: Option<&darklaunch::exchange::Exchange>| {
                    let answer = side.and_then(|side| side.response.as_ref());
                    (answer.map(|it| head(&it.headers)), answer.map_or(&empty, |it| &it.body).bytes.clone())
                };
                let (head_1, answer_1) = answer(one.primary.as_ref());
                let (head_2, answer_2) = answer(Some(&one.shadow));
                insert.execute(rusqlite::params![
                    one.id.0.as_bytes().as_slice(),
                    one.received_unix_us,
                    &*one.endpoint,
                    one.request.target,
                    head(&one.request.headers),
                    &one.request.body.bytes[..],
                    head_1,
                    &answer_1[..],
                    head_2,
                    &answer_2[..],
                ])?;
            }
            drop(insert);
            tx.commit()?;
        }
        self.rows += chunk.len() as u64;
        Ok(())
    }
}

fn head(lines: &HeaderMap) -> Vec<u8> {
    let mut text = Vec::with_capacity(512);
    for (name, value) in lines {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text
}
