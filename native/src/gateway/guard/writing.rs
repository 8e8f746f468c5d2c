//! The writing half of the guard: a client that does not read is reset, and the last answer is sent completely.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use tokio::io::AsyncWrite;

use super::Guard;
use crate::gateway::socket::Socket;
use crate::gateway::stall::KERNEL_BYTES;

impl<S: Socket> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_write(context, bytes);
        this.judge_write(context, result, bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_write_vectored(context, parts);
        this.judge_write(context, result, parts.iter().map(|part| part.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // TLS buffers bytes that it has accepted, so they must be flushed.
        let result = Pin::new(&mut this.socket).poll_flush(context);
        if matches!(result, Poll::Ready(Ok(()))) {
            this.connection.note_flush();
        }
        this.judge_write(context, result, 0)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while let Some(last) = this.last.as_mut().filter(|last| !last.is_empty()) {
            let Poll::Ready(result) = Pin::new(&mut this.socket).poll_write(context, last) else {
                let unsent = last.len();
                return this.poll_stalled(context, unsent);
            };
            last.advance(result?);
        }
        if !this.linger.has_begun() {
            let Poll::Ready(result) = Pin::new(&mut this.socket).poll_shutdown(context) else {
                return this.poll_stalled(context, 0);
            };
            result?;
            if !this.may_be_sending() {
                return Poll::Ready(Ok(()));
            }
        }
        this.linger.poll(context, &mut this.socket).map(Ok)
    }
}

impl<S: Socket> Guard<S> {
    fn judge_write<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
        unsent: usize,
    ) -> Poll<io::Result<T>> {
        self.connection.set_stalled(result.is_pending());
        if result.is_pending() {
            return self.poll_stalled(context, unsent);
        }
        if self.stall.end() {
            // Wake the reader: while an answer was unread, it could not report the end of the stream.
            context.waker().wake_by_ref();
        }
        result
    }

    fn poll_stalled<T>(&mut self, context: &mut Context<'_>, unsent: usize) -> Poll<io::Result<T>> {
        let (limits, unsent) =
            (&self.serving.config.limits, unsent + self.socket.buffered_bytes() + KERNEL_BYTES as usize);
        ready!(self.stall.poll(context, &self.connection, unsent, limits));
        self.serving.counters.stalled.add();
        self.socket.reset_on_close();
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }
}
