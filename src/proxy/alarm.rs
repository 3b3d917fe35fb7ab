//! The one timer of a task: everything the task waits for shares it, so that a call sets up no timer of its own.
//!
//! A timer that is armed for earlier than it is needed stays so: it wakes the task once too often, and is armed again for
//! what is then waited for. So a connection whose calls all may take a minute arms one timer a minute.

use crate::exchange::Instant;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::time::{Sleep, sleep_until};

/// One task's timer; clones are the same timer, and all belong to that task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarm(Arc<Mutex<Option<Armed>>>);

#[derive(Debug)]
struct Armed {
    sleep: Pin<Box<Sleep>>,
    /// Who is woken; none if it was not polled since it was armed.
    task: Option<Waker>,
}

impl Alarm {
    /// Whether `deadline` is over; if not, the task is woken when it is.
    pub(crate) fn poll(&self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = tokio::time::Instant::from_std(deadline);
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = slot.get_or_insert_with(|| Armed { sleep: Box::pin(sleep_until(deadline)), task: None });
        if armed.sleep.deadline() > deadline {
            armed.set(deadline);
        }
        loop {
            let wakes_us = armed.task.as_ref().is_some_and(|task| task.will_wake(cx.waker()));
            if wakes_us && !armed.sleep.is_elapsed() {
                return Poll::Pending;
            }
            if armed.sleep.as_mut().poll(cx).is_pending() {
                armed.task = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if armed.sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            armed.set(deadline);
        }
    }

    /// Waits for `deadline`.
    pub(crate) async fn until(&self, deadline: Instant) {
        poll_fn(|cx| self.poll(deadline, cx)).await;
    }
}

impl Armed {
    fn set(&mut self, deadline: tokio::time::Instant) {
        self.sleep.as_mut().reset(deadline);
        self.task = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Clock;
    use std::time::Duration;

    #[tokio::test]
    async fn every_wait_of_a_task_ends_in_its_time_and_none_before() {
        let (alarm, began) = (Alarm::default(), Clock.now());
        let ended = async |ms| {
            alarm.until(began + Duration::from_millis(ms)).await;
            Clock.elapsed_us(began) / 1_000
        };
        // One armed earlier, one armed later than another that is there already.
        let (long, short, middle) = tokio::join!(ended(60), ended(20), ended(40));
        assert!((20..40).contains(&short) && middle >= 40 && long >= 60, "{short} {middle} {long}");
        // Armed for what is over, or for later than what is waited for.
        assert!(ended(80).await >= 80);
        let never = alarm.until(began + Duration::from_secs(3_600));
        tokio::select! {
            () = never => panic!("an hour has passed"),
            after = ended(100) => assert!(after >= 100),
        }
    }
}
