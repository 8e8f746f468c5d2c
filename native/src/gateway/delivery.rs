//! Writes a live stream to the socket of a connection that has left hyper, without a buffer of its own.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};

use super::linger::Linger;
use super::live::Detached;
use super::outgoing::{Outgoing, Wire, judge};
use super::socket::Socket;
use super::stall::Stall;

/// Time limit for sending the blocks that still wait after the stream has ended.
const LAST_WRITE: Duration = Duration::from_secs(1);
/// Bytes that a client may send during a stream. They are ignored, and no more are read.
const MAX_IGNORED: usize = 64 << 10;
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One connection with its stream.
#[derive(Debug)]
pub struct Delivery<S> {
    socket: S,
    stream: Detached,
    outgoing: Outgoing,
    ignored: usize,
    stall: Stall,
    /// The last steps, once the stream has ended.
    end: Option<Box<End>>,
}

#[derive(Debug)]
struct End {
    limit: Pin<Box<Sleep>>,
    last: Bytes,
    linger: Linger,
}

impl<S: Socket> Delivery<S> {
    /// Delivers a stream to a socket.
    #[must_use]
    pub fn new(socket: S, stream: Detached) -> Self {
        let (outgoing, stall) = (Outgoing::new(stream.wire), Stall::default());
        Self { socket, stream, outgoing, ignored: 0, stall, end: None }
    }

    /// Reads and ignores what the client sends. Ready when it has left.
    fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut ignored = [0; 512];
        while self.ignored < MAX_IGNORED {
            let mut buffer = ReadBuf::new(&mut ignored);
            match ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.ignored += buffer.filled().len(),
                _ => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Writes until the stream has ended.
    fn poll_blocks(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while !self.outgoing.is_empty() {
                let result = self.outgoing.poll_write(&mut self.socket, context);
                let written = ready!(self.judge(context, result))?;
                self.outgoing.advance(written);
            }
            match self.outgoing.poll_fill(&self.stream.attached, context) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    // TLS buffers what it has accepted.
                    let flushed = Pin::new(&mut self.socket).poll_flush(context);
                    ready!(self.judge(context, flushed))?;
                    return Poll::Pending;
                }
            }
        }
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let Self { socket, stream, outgoing, stall, .. } = self;
        judge(context, result, stall, stream, || outgoing.size() + socket.buffered_bytes())
    }

    /// Sends the end of the answer and ends the connection.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(end) = self.end.as_mut() else { return Poll::Ready(Ok(())) };
        while !end.last.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(context, &end.last))?;
            end.last.advance(written);
        }
        if !end.linger.has_begun() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            if self.ignored == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        end.linger.poll(context, &mut self.socket).map(Ok)
    }

    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stream.attached.has_ended() {
            let end = self.end.get_or_insert_with(|| {
                let last = Bytes::from_static(if self.outgoing.wire() == Wire::Chunked { LAST_CHUNK } else { b"" });
                Box::new(End { limit: Box::pin(sleep(LAST_WRITE)), last, linger: Linger::default() })
            });
            if end.limit.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        } else if self.poll_left(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_blocks(context))?;
        if self.end.is_none() {
            // The stream has ended meanwhile. The next poll starts the time limit.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.poll_end(context))?;
        self.stream.request.complete();
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket> Future for Delivery<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let result = ready!(this.poll_stream(context));
        if result.is_err() {
            this.socket.reset_on_close();
        }
        Poll::Ready(())
    }
}
