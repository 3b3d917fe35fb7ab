//! What the primary says before its answer: interim heads for the application, and whether it wants the body at all.

use http::{HeaderMap, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Interim answers kept at once; more are left out.
const INTERIM_MAX: usize = 8;

/// Whether the request's body may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// The application waits for a 100, and so do we.
    Waits,
    Wanted,
    /// The answer came first, and is over.
    Unwanted,
}

#[derive(Debug)]
struct State {
    body: Body,
    /// Who reads the body.
    waker: Option<Waker>,
    /// Who hears the interim answers.
    hearer: Option<Waker>,
    interim: Vec<(StatusCode, HeaderMap)>,
}

/// Shared by one call, its request's body and the connection to the primary that hears the interim answers.
#[derive(Debug)]
pub(crate) struct Early {
    state: Mutex<State>,
}

impl Early {
    /// `waits`: the application expects a 100 before it sends its body.
    pub(crate) fn new(waits: bool) -> Arc<Self> {
        let body = if waits { Body::Waits } else { Body::Wanted };
        let state = State { body, waker: None, hearer: None, interim: Vec::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An interim answer. A 100 opens the body and goes no further: the connection says its own when the body is read.
    pub(crate) fn heard(&self, status: StatusCode, headers: &HeaderMap) {
        if status == StatusCode::CONTINUE {
            return self.open();
        }
        let mut state = self.state();
        if state.interim.len() < INTERIM_MAX {
            state.interim.push((status, headers.clone()));
            let hearer = state.hearer.take();
            drop(state);
            if let Some(hearer) = hearer {
                hearer.wake();
            }
        }
    }

    /// Whether interim answers are there.
    pub(crate) fn poll_came(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.interim.is_empty() {
            return Poll::Ready(());
        }
        if !state.hearer.as_ref().is_some_and(|hearer| hearer.will_wake(cx.waker())) {
            state.hearer = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Those that came since the last time.
    pub(crate) fn take(&self) -> Vec<(StatusCode, HeaderMap)> {
        std::mem::take(&mut self.state().interim)
    }

    /// Whether the body still waits.
    pub(crate) fn waits(&self) -> bool {
        self.state().body == Body::Waits
    }

    /// The body may be read.
    pub(crate) fn open(&self) {
        self.decide(Body::Wanted);
    }

    fn decide(&self, body: Body) {
        let mut state = self.state();
        if state.body == Body::Waits {
            state.body = body;
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// `Ready(true)`: read it; `Ready(false)`: it is never sent.
    pub(crate) fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.state();
        match state.body {
            Body::Wanted => Poll::Ready(true),
            Body::Unwanted => Poll::Ready(false),
            Body::Waits => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Held as long as an answer runs that came before the body was wanted; then the body is given up.
#[derive(Debug)]
pub(crate) struct Withheld(pub(crate) Arc<Early>);

impl Drop for Withheld {
    fn drop(&mut self) {
        self.0.decide(Body::Unwanted);
    }
}
