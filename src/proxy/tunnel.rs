//! Two streams joined after a 101: bytes both ways until one side ends, both are silent for too long, or we close.

use crate::http1::Upgraded;
use crate::proxy::tee::Activity;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::time::sleep;

/// An upgrade that the primary agreed to.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) primary: Upgraded,
    pub(crate) activity: Activity,
    /// Silence of both sides at most.
    pub(crate) silence: Duration,
}

impl Tunnel {
    /// Copies until it ends; the buffers are `copy_bidirectional`'s, 8 KiB each way.
    pub(crate) async fn run(self, application: Upgraded) {
        let Self { primary, activity, silence } = self;
        let watch = |inner| Watched { inner, activity: activity.clone() };
        let (mut application, mut primary) = (watch(application), watch(primary));
        activity.mark();
        let mut copied = pin!(copy_bidirectional(&mut application, &mut primary));
        let mut wait = silence;
        loop {
            tokio::select! {
                ended = &mut copied => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "an upgraded connection ended early");
                    }
                    return;
                }
                () = sleep(wait) => {
                    wait = silence.saturating_sub(Duration::from_micros(activity.quiet_us()));
                    if wait.is_zero() {
                        return;
                    }
                }
            }
        }
    }
}

struct Watched {
    inner: Upgraded,
    activity: Activity,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.activity.mark();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
