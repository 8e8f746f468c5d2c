//! A live stream as a WebSocket: writes its blocks, and passes the client's messages to the app.
//!
//! The connection has left hyper, as in [`super::delivery`]. It has no buffer while nothing is under way.

use std::future::Future;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep, sleep};

use super::linger::Linger;
use super::live::Detached;
use super::outgoing::{Outgoing, judge};
use super::socket::Socket;
use super::stall::Stall;
use super::websocket_pulse::{Beat, Pulse};
use super::websocket_reader::{Reader, Received, Violation};
use crate::hub::frames::{close_frame, ping_frame, pong_frame};

/// Time limit for sending the blocks that still wait after the stream has ended.
const LAST_WRITE: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 4 << 10;
/// While more of our own frames wait for the socket, pings are not answered. A client must answer to the last one only.
const MAX_OWN_BYTES: usize = 1 << 10;

const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const TOO_SLOW: u16 = 1008;

/// One connection with its stream.
#[derive(Debug)]
pub struct Conversation<S> {
    socket: S,
    stream: Detached,
    outgoing: Outgoing,
    /// The answer to the handshake, pings, pongs and the last frame. They are written between two blocks.
    own: Vec<u8>,
    reader: Reader,
    /// What was read, but waits for space in the stream's inbox.
    unread: Vec<u8>,
    pulse: Pulse,
    stall: Stall,
    /// The last steps, once either side has ended the conversation.
    end: Option<Box<End>>,
}

#[derive(Debug)]
struct End {
    limit: Pin<Box<Sleep>>,
    linger: Linger,
    /// Whether the last frame is among those that are written.
    is_said: bool,
}

impl End {
    fn begin(is_said: bool) -> Self {
        Self { limit: Box::pin(sleep(LAST_WRITE)), linger: Linger::default(), is_said }
    }
}

impl<S: Socket> Conversation<S> {
    /// Begins with the answer to the handshake. `ahead`: what the client has sent behind its request.
    #[must_use]
    pub fn new(socket: S, mut stream: Detached, ahead: Vec<u8>) -> Self {
        let (outgoing, own) = (Outgoing::new(stream.wire), std::mem::take(&mut stream.head));
        let (reader, stall, pulse) = (Reader::default(), Stall::default(), Pulse::new(Instant::now()));
        Self { socket, stream, outgoing, own, reader, unread: ahead, pulse, stall, end: None }
    }

    /// Reads what the client sends. Ready if it has left without a last frame.
    fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut buffer = [0; READ_BYTES];
        while self.end.is_none() && self.stream.attached.poll_space(context).is_ready() {
            let unread = std::mem::take(&mut self.unread);
            if !unread.is_empty() {
                self.receive(&unread);
                continue;
            }
            let mut read = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut self.socket).poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {
                    self.pulse.hear(Instant::now());
                    self.receive(read.filled());
                }
                _ => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Handles frames until the inbox is full or the conversation ends.
    fn receive(&mut self, mut input: &[u8]) {
        // The caller looks for space in the inbox before each message.
        while self.end.is_none() {
            match self.reader.read(&mut input) {
                Ok(None) => break,
                Ok(Some(Received::Message(message))) => {
                    self.stream.attached.receive(message);
                    self.unread = input.to_vec();
                    break;
                }
                Ok(Some(Received::Ping(content))) => {
                    if self.own.len() < MAX_OWN_BYTES {
                        pong_frame(&content, &mut self.own);
                    }
                }
                Ok(Some(Received::Pong)) => {}
                Ok(Some(Received::Close(code))) => self.close(code.unwrap_or(NORMAL)),
                Err(Violation(code)) => self.close(code),
            }
        }
        self.pulse.note_progress(self.reader.is_in_progress(), Instant::now());
    }

    /// Sends the last frame after the block in progress, and nothing else.
    fn close(&mut self, code: u16) {
        self.outgoing.drop_unbegun();
        close_frame(code, &mut self.own);
        self.end = Some(Box::new(End::begin(true)));
    }

    /// Sends pings. Breaks if the client does not answer.
    fn beat(&mut self, context: &mut Context<'_>) -> ControlFlow<()> {
        let is_reading = self.stream.attached.poll_space(context).is_ready();
        match self.pulse.poll(context, is_reading) {
            Poll::Pending => {}
            Poll::Ready(Beat::Ping) => ping_frame(&mut self.own),
            Poll::Ready(Beat::TooSlow) => self.close(TOO_SLOW),
            Poll::Ready(Beat::Dead) => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// Writes what waits. Ready once the last frame is written.
    fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if !self.own.is_empty() && !self.outgoing.is_in_block() {
                let result = Pin::new(&mut self.socket).poll_write(context, &self.own);
                let written = ready!(self.judge(context, result))?;
                self.own.drain(..written);
            } else if !self.outgoing.is_empty() {
                let result = self.outgoing.poll_write(&mut self.socket, context);
                let written = ready!(self.judge(context, result))?;
                self.outgoing.advance(written);
            } else if self.end.as_ref().is_some_and(|end| end.is_said) {
                return Poll::Ready(Ok(()));
            } else {
                self.own = Vec::new();
                ready!(self.poll_next(context))?;
            }
        }
    }

    /// Takes the next blocks, or prepares the last frame.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.outgoing.poll_fill(&self.stream.attached, context) {
            Poll::Ready(true) => {
                if self.outgoing.closes() {
                    self.end.get_or_insert_with(|| Box::new(End::begin(true))).is_said = true;
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(false) => {
                self.close(GOING_AWAY);
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                // TLS buffers what it has accepted.
                let flushed = Pin::new(&mut self.socket).poll_flush(context);
                ready!(self.judge(context, flushed))?;
                Poll::Pending
            }
        }
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let Self { socket, stream, outgoing, own, stall, .. } = self;
        let unsent = || outgoing.size() + own.len() + socket.buffered_bytes();
        judge(context, result, stall, stream, unsent)
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(end) = self.end.as_mut() else { return Poll::Ready(Ok(())) };
        if !end.linger.has_begun() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
        }
        // The client's last frame, and what it has sent before it knew of ours.
        end.linger.poll(context, &mut self.socket).map(Ok)
    }

    fn poll_conversation(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.is_none() {
            if self.poll_input(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if self.beat(context).is_break() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        if self.end.is_none() && self.stream.attached.has_ended() {
            self.end = Some(Box::new(End::begin(false)));
        }
        let written = self.poll_output(context)?;
        if let Some(end) = self.end.as_mut().filter(|end| !end.linger.has_begun()) {
            if end.limit.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        ready!(written);
        ready!(self.poll_end(context))?;
        self.stream.request.complete();
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket> Future for Conversation<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let result = ready!(this.poll_conversation(context));
        if result.is_err() {
            this.socket.reset_on_close();
        }
        Poll::Ready(())
    }
}
