//! Calls that are about to be sent: redacted and handed to the writer, who tells when they are durable.

use crate::exchange::Capture;
use crate::recorder::Announced;
use crate::recorder::line::{GATHER, Message, TAKEN_AT_ONCE};
use crate::redact::{Recording, Redacted};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use tokio::sync::mpsc;

/// Runs until the mirror has closed.
pub(in crate::recorder) fn run(
    mut announced: mpsc::Receiver<Announced>,
    redact: &(dyn Fn(Capture) -> Redacted<Recording> + Send + Sync),
    writer: &SyncSender<Message>,
) {
    let mut few = Vec::with_capacity(TAKEN_AT_ONCE);
    while announced.blocking_recv_many(&mut few, TAKEN_AT_ONCE) > 0 {
        let some = few.len() < TAKEN_AT_ONCE;
        // Fail closed: what cannot be redacted is not stored, and what is not stored is not sent.
        let redacted =
            few.drain(..).filter_map(|(capture, tell)| match catch_unwind(AssertUnwindSafe(|| redact(capture))) {
                Ok(recording) => Some((recording, tell)),
                Err(_) => {
                    tell(false);
                    None
                }
            });
        if let Err(back) = writer.send(Message::Announced(redacted.collect()))
            && let Message::Announced(all) = back.0
        {
            all.into_iter().for_each(|(_, tell)| tell(false));
        }
        if some {
            std::thread::park_timeout(GATHER);
        }
    }
}
