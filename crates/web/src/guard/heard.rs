//! Connections whose other side reads what it asked for: one that does not for long is at its end, so that nobody holds
//! connections and answers by asking for more than they read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A connection that fails once nothing of what is written to it was taken for so long.
pub struct Heard<S> {
    stream: S,
    patience: Duration,
    /// When that is over, while something waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Heard<S> {
    /// Of a stream, whose other side has `patience` for each part.
    pub fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            stalled: None,
        }
    }

    /// What came of a write or a flush, unless it has waited for too long.
    fn heard<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let deadline = Instant::now() + self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.heard(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.heard(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.heard(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.heard(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn who_reads_nothing_is_not_waited_for() {
        let (here, mut there) = duplex(16);
        let mut heard = Heard::new(here, PATIENCE);
        let failed = heard.write_all(&[1; 64]).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        let mut read = [0; 16];
        there.read_exact(&mut read).await.unwrap();
    }

    #[tokio::test]
    async fn who_reads_slowly_is() {
        let (here, mut there) = duplex(16);
        let mut heard = Heard::new(here, PATIENCE);
        let (sent, read) = tokio::join!(heard.write_all(&[1; 96]), async {
            let mut all = [0; 96];
            for part in all.chunks_mut(16) {
                tokio::time::sleep(PATIENCE / 4).await;
                there.read_exact(part).await?;
            }
            Ok::<_, io::Error>(all)
        });
        sent.unwrap();
        assert_eq!(read.unwrap(), [1; 96]);
    }
}
