//! Calls that are about to be sent: redacted and handed to the writer, who tells when they are durable.

use crate::exchange::Capture;
use crate::recorder::Announced;
use crate::recorder::line::Message;
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
    while let Some((capture, tell)) = announced.blocking_recv() {
        // Fail closed: what cannot be redacted is not stored, and what is not stored is not sent.
        match catch_unwind(AssertUnwindSafe(|| redact(capture))) {
            Ok(recording) => {
                if let Err(back) = writer.send(Message::Announced(Box::new(recording), tell))
                    && let Message::Announced(_, tell) = back.0
                {
                    tell(false);
                }
            }
            Err(_) => tell(false),
        }
    }
}
