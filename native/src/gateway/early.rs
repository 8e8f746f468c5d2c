//! A socket to an upstream that may answer before it has read the whole request.
//!
//! Such an upstream answers and closes the connection, so writing the rest fails. The answer can still be read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Drops the bytes that the upstream no longer reads.
#[derive(Debug)]
pub struct EarlyAnswers<T> {
    socket: T,
    is_closed: bool,
}

impl<T> EarlyAnswers<T> {
    /// Wraps a socket.
    pub fn new(socket: T) -> Self {
        Self { socket, is_closed: false }
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl<T: AsyncRead + Unpin> AsyncRead for EarlyAnswers<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for EarlyAnswers<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.is_closed {
            match ready!(Pin::new(&mut self.socket).poll_write(context, bytes)) {
                Err(error) if is_closed(&error) => self.is_closed = true,
                result => return Poll::Ready(result),
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_closed {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_closed {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.is_closed {
            match ready!(Pin::new(&mut self.socket).poll_write_vectored(context, slices)) {
                Err(error) if is_closed(&error) => self.is_closed = true,
                result => return Poll::Ready(result),
            }
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn an_early_answer_is_read_after_the_upstream_has_closed() {
        let (ours, mut upstream) = UnixStream::pair().expect("two sockets");
        let mut socket = EarlyAnswers::new(ours);
        socket.write_all(b"the head").await.expect("the upstream is there");
        upstream.write_all(b"no").await.expect("we are there");
        drop(upstream);
        for _ in 0..3 {
            socket.write_all(&vec![0; 100_000]).await.expect("the rest is dropped");
        }
        let mut answer = [0; 2];
        socket.read_exact(&mut answer).await.expect("the answer is there");
        assert_eq!(&answer, b"no");
    }
}
