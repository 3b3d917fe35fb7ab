//! Delivers notices: one bounded queue and one task per receiver, so that one that hangs keeps nobody waiting.

use crate::alerting::message::body;
use crate::alerting::watch::Notice;
use crate::alerting::{Receiver, Settings};
use crate::telemetry::Outbox;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Notices that wait for one receiver.
const WAITING_MAX: usize = 32;
/// Attempts for one notice.
const ATTEMPTS_MAX: u32 = 4;
/// Wait before the second attempt; each later wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// What is still waiting when the recorder closes has this long.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

struct Box {
    receiver: Receiver,
    queue: mpsc::Sender<Value>,
}

/// See the file.
pub(in crate::alerting) struct Postbox {
    boxes: Vec<Box>,
    tasks: JoinSet<()>,
    outbox: Arc<Outbox>,
}

impl Postbox {
    /// Starts a task per receiver.
    pub(in crate::alerting) fn open(settings: &Settings, outbox: &Arc<Outbox>) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(settings.timeout_ms))
            // A notice goes where it was told to go, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let (mut boxes, mut tasks) = (Vec::new(), JoinSet::new());
        for receiver in &settings.receivers {
            let (queue, waiting) = mpsc::channel(WAITING_MAX);
            tasks.spawn(serve(client.clone(), receiver.clone(), waiting, Arc::clone(outbox)));
            boxes.push(Box { receiver: receiver.clone(), queue });
        }
        Ok(Self { boxes, tasks, outbox: Arc::clone(outbox) })
    }

    /// Hands a notice to everyone it concerns. Never waits.
    pub(in crate::alerting) fn post(&mut self, notice: &Notice) {
        for Box { receiver, queue } in &self.boxes {
            if receiver.only.as_ref().is_none_or(|only| *only == notice.integration)
                && queue.try_send(body(notice, receiver.format)).is_err()
            {
                self.outbox.count(&receiver.name, "queue_full", 1);
            }
        }
    }

    /// Delivers what waits, for a short time.
    pub(in crate::alerting) async fn close(self) {
        let Self { boxes, mut tasks, .. } = self;
        drop(boxes);
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_WAIT, all).await.is_err() {
            tracing::warn!("alerts were still being sent when the recorder closed");
        }
    }
}

async fn serve(client: reqwest::Client, receiver: Receiver, mut waiting: mpsc::Receiver<Value>, outbox: Arc<Outbox>) {
    while let Some(body) = waiting.recv().await {
        let result = deliver(&client, &receiver, &body).await;
        outbox.count(&receiver.name, result, 1);
        if result != "delivered" {
            tracing::warn!(receiver = %receiver.name, result, attempts = ATTEMPTS_MAX, "an alert could not be delivered");
        }
    }
}

/// `delivered`, or why not after the last attempt. What the receiver refuses is not tried again.
async fn deliver(client: &reqwest::Client, receiver: &Receiver, body: &Value) -> &'static str {
    let mut wait = FIRST_WAIT;
    let mut result = "failed";
    for attempt in 1..=ATTEMPTS_MAX {
        result = attempt_once(client, receiver, body).await;
        if matches!(result, "delivered" | "refused") || attempt == ATTEMPTS_MAX {
            break;
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    result
}

async fn attempt_once(client: &reqwest::Client, receiver: &Receiver, body: &Value) -> &'static str {
    // The error's text would carry the address, which is a secret: only its kind is kept.
    match client.post(&receiver.url).json(body).send().await {
        Ok(answer) => match answer.status().as_u16() {
            200..=299 => "delivered",
            408 | 429 | 500.. => "server_error",
            _ => "refused",
        },
        Err(error) if error.is_timeout() => "timeout",
        Err(error) if error.is_connect() => "unreachable",
        Err(_) => "failed",
    }
}
