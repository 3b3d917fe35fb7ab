//! A future that is looked at only after it woke: what a task waits for beside its work costs it nothing per poll.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Wraps a future whose polls are not free (those of tokio's notifications take a lock that all who wait share).
pub(crate) struct Seldom<F> {
    inner: Pin<Box<F>>,
    bell: Arc<Bell>,
    ringer: Waker,
    task: Option<Waker>,
}

/// What wakes the wrapped future: it says so, and wakes the task.
struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        if let Some(task) = &*self.task.lock().unwrap_or_else(PoisonError::into_inner) {
            task.wake_by_ref();
        }
    }
}

impl<F> Seldom<F> {
    pub(crate) fn new(inner: F) -> Self {
        // Rung from the start: the first look is due.
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: Mutex::default() });
        let ringer = Waker::from(Arc::clone(&bell));
        Self { inner: Box::pin(inner), bell, ringer, task: None }
    }
}

impl<F: Future> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if !this.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            this.task = Some(cx.waker().clone());
            *this.bell.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        }
        if !this.bell.rung.load(Ordering::Acquire) || !this.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        this.inner.as_mut().poll(&mut Context::from_waker(&this.ringer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn it_is_looked_at_once_at_first_and_once_when_it_woke() {
        let (token, looks) = (CancellationToken::new(), AtomicUsize::new(0));
        let mut waits = Box::pin(token.cancelled());
        let mut seldom = Seldom::new(poll_fn(|cx| {
            looks.fetch_add(1, Ordering::Relaxed);
            waits.as_mut().poll(cx)
        }));
        for _ in 0..5 {
            assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut seldom).poll(cx))).await.is_pending());
        }
        assert_eq!(looks.load(Ordering::Relaxed), 1);
        let (ended, ()) = tokio::join!(seldom, async { token.cancel() });
        assert_eq!((ended, looks.load(Ordering::Relaxed)), ((), 2));
    }
}
