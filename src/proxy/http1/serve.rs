//! One client connection in HTTP/1, request by request.

use crate::http1::Encoder;
use crate::proxy::connection::Client;
use crate::proxy::forward::{Answer, AnswerContent};
use crate::proxy::guard::{Head, Refusal};
use crate::proxy::http1::head::{Asked, put_answer, request};
use crate::proxy::http1::line::Next;
use crate::proxy::http1::{Line, RequestBody};
use crate::proxy::seldom::Seldom;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Either;
use hyper::body::{Body, Frame};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;

/// After an answer that the client may not expect yet, so much is read and thrown away, for so long at most: closing on
/// unread bytes would reset the connection and take the answer with it.
const LINGER_BYTES_MAX: usize = 1 << 20;
const LINGER_MS: u64 = 1_000;

/// How a connection goes on behind an answer.
enum After {
    Next,
    /// It is closed; `unread`: the client may still be sending.
    Close {
        unread: bool,
    },
    /// It is another protocol's.
    Switch,
}

/// Serves to the connection's end; once `stop` is over, the request that runs is the last. Behind a 101 runs its tunnel.
pub(crate) async fn serve(line: Line, client: &Client, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut stop = Stop { over: false, waits: pin!(Seldom::new(stop)) };
    loop {
        let next = poll_fn(|cx| if stop.is_over(cx) { Poll::Ready(Next::End) } else { line.state().poll_next(cx) });
        let after = match next.await {
            Next::End => After::Close { unread: false },
            Next::Refused(refusal) => refuse(&line, client, refusal).await?,
            Next::Request(head, bytes) => answer(&line, client, &mut stop, head, bytes).await?,
        };
        match after {
            After::Next => {}
            After::Close { unread } => return close(&line, unread).await,
            After::Switch => {
                if let Some(tunnel) = client.wire.take_tunnel() {
                    tunnel.run(line.into_upgraded()).await;
                }
                return Ok(());
            }
        }
    }
}

/// Whether the worker stops, asked for at little cost.
struct Stop<'a, F> {
    over: bool,
    waits: Pin<&'a mut Seldom<F>>,
}

impl<F: Future<Output = ()>> Stop<'_, F> {
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.over = self.over || self.waits.as_mut().poll(cx).is_ready();
        self.over
    }
}

/// Answers in its turn what is no request; nothing is read behind it.
async fn refuse(line: &Line, client: &Client, refusal: Refusal) -> io::Result<After> {
    let answer = client.worker.refused(refusal.kind, refusal.text);
    let asked = Asked { head: false, one_one: true, keeps: false, trailers: false };
    send(line, answer, asked).await?;
    Ok(After::Close { unread: true })
}

/// One request and its answer.
async fn answer<F: Future<Output = ()>>(
    line: &Line,
    client: &Client,
    stop: &mut Stop<'_, F>,
    head: Head,
    bytes: Bytes,
) -> io::Result<After> {
    let mut asked = Asked::of(&head);
    let body = RequestBody::behind(&head, line);
    let (request, spelling) = request(head, bytes, body).map_err(io::Error::other)?;
    let (worker, wire) = (&client.worker, &client.wire);
    let mut answering = pin!(worker.answer(request, Some(&spelling), &client.peer, Some(wire), client.alarm.clone()));
    let answer = poll_fn(|cx| {
        stop.is_over(cx);
        let answer = answering.as_mut().poll(cx);
        let mut state = line.state();
        if let Some(interim) = wire.take_interim() {
            state.output.small().extend_from_slice(&interim);
        }
        match answer {
            Poll::Ready(answer) => Poll::Ready(Ok(answer)),
            Poll::Pending => {
                if let Poll::Ready(Err(error)) = state.poll_flush(cx) {
                    return Poll::Ready(Err(error));
                }
                ready!(state.poll_gone(cx));
                Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()))
            }
        }
    });
    let answer = answer.await?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        send(line, answer, asked).await?;
        return Ok(After::Switch);
    }
    asked.keeps &= !stop.over && !worker.ending.is_yielding();
    let keeps = send(line, answer, asked).await?;
    // A body that is still sent on behind its answer is read to its end first.
    let read = poll_fn(|cx| line.state().poll_left(cx)).await;
    Ok(match keeps && read {
        true => After::Next,
        false => After::Close { unread: !read || line.state().has_more() },
    })
}

/// Writes an answer; whether another request may follow.
async fn send(line: &Line, answer: Answer, asked: Asked) -> io::Result<bool> {
    let (parts, body) = answer.into_parts();
    let (encoder, keeps) = {
        let mut state = line.state();
        state.begin_answer();
        let exact = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
        let spelling = match &body {
            Either::Left(body) => body.spelling(),
            Either::Right(_) => parts.extensions.get(),
        };
        put_answer(state.output.small(), &parts, spelling, asked, exact)
    };
    let trailers = asked.trailers;
    let mut sending = Sending { line, body: Some(body).filter(|body| !body.is_end_stream()), encoder, trailers };
    poll_fn(|cx| sending.poll(cx)).await?;
    Ok(keeps)
}

/// An answer's content on its way to the client.
struct Sending<'a> {
    line: &'a Line,
    /// None: all of it waits to be written, or is written.
    body: Option<AnswerContent>,
    encoder: Encoder,
    trailers: bool,
}

impl Sending<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let filled = self.fill(cx);
            let mut state = self.line.state();
            let flushed = state.poll_flush(cx);
            // What there was of an answer that breaks off is sent, and the connection cut.
            let waits = filled?;
            match flushed? {
                Poll::Ready(()) if self.body.is_none() => return Poll::Ready(Ok(())),
                Poll::Ready(()) if !waits => {}
                _ => {
                    ready!(state.poll_gone(cx));
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
    }

    /// Takes of the content what there is and has room; whether it waits for more.
    fn fill(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        while let Some(body) = &mut self.body {
            if self.line.state().output.is_full() {
                return Ok(false);
            }
            let frame = match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Pending => return Ok(true),
                Poll::Ready(frame) => frame.transpose().map_err(io::Error::other)?,
            };
            let over = body.is_end_stream();
            let mut state = self.line.state();
            let trailers = match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    self.encoder.put(&mut state.output, data);
                    if !over {
                        continue;
                    }
                    None
                }
                Some(Err(frame)) => frame.into_trailers().ok().filter(|_| self.trailers),
                None => None,
            };
            self.encoder.end(&mut state.output, trailers.as_ref()).map_err(io::Error::other)?;
            drop(state);
            self.body = None;
        }
        Ok(false)
    }
}

/// Ends the connection; what the client still sends is thrown away first, within limits.
async fn close(line: &Line, unread: bool) -> io::Result<()> {
    poll_fn(|cx| line.state().poll_flush(cx)).await?;
    poll_fn(|cx| line.state().poll_shutdown(cx)).await?;
    let mut thrown = 0;
    let throwing = async {
        while thrown < LINGER_BYTES_MAX {
            match poll_fn(|cx| line.state().poll_throw(cx)).await {
                0 => return,
                bytes => thrown += bytes,
            }
        }
    };
    if unread {
        // The client may go on for ever.
        let _enough = timeout(Duration::from_millis(LINGER_MS), throwing).await;
    }
    Ok(())
}
