//! The socket as hyper sees it: it checks the framing, the time limits of heads and of writing, and floods of frames.
//!
//! For HTTP/1.1, hyper receives a head only when it is complete and correct, and only after the answer to the request
//! before it. If a head is refused or late, hyper sees the end of the stream, and the guard sends the refusal itself.

mod writing;

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::floods::Floods;
use super::framing::{Framing, Verdict};
use super::linger::Linger;
use super::quiet::{Connection, Phase};
use super::refusal::Refusal;
use super::serving::Serving;
use super::socket::Socket;
use super::stall::Stall;

/// The first bytes of a client that speaks HTTP/2 without negotiation.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const READ_BYTES: usize = 16 << 10;
/// Bytes of further requests that are read while one is in progress. The read notices that the client leaves.
const MAX_AHEAD_BYTES: usize = 64 << 10;

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 or HTTP/1.0.
    Http1,
    /// HTTP/2.
    Http2,
}

#[derive(Debug)]
enum Check {
    Http1(Framing),
    Http2(Floods),
}

/// A client's socket with its checks.
#[derive(Debug)]
pub struct Guard<S> {
    socket: S,
    serving: Rc<Serving>,
    connection: Rc<Connection>,
    check: Check,
    /// Bytes that were read and are not passed on yet. The first `correct` bytes are checked.
    held: BytesMut,
    correct: usize,
    ended: bool,
    /// What is sent before the connection ends.
    last: Option<Bytes>,
    /// Since when the first bytes of a head have waited for the rest of it. A body or an empty line is not a head.
    head_began: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    stall: Stall,
    linger: Linger,
}

impl<S: Socket> Guard<S> {
    /// Guards a socket that was just accepted.
    pub fn new(socket: S, serving: Rc<Serving>, connection: Rc<Connection>) -> Self {
        let check = Check::Http1(Framing::new(serving.head_limits()));
        Self {
            socket,
            serving,
            connection,
            check,
            held: BytesMut::new(),
            correct: 0,
            ended: false,
            last: None,
            head_began: None,
            timer: None,
            stall: Stall::default(),
            linger: Linger::default(),
        }
    }

    /// Waits for the first bytes and returns the protocol that they belong to.
    ///
    /// # Errors
    /// The socket cannot be read.
    pub async fn protocol(&mut self) -> io::Result<Protocol> {
        std::future::poll_fn(|context| self.poll_protocol(context)).await
    }

    /// Returns the socket, and the bytes that were read and not passed on.
    pub fn into_parts(self) -> (S, BytesMut) {
        (self.socket, self.held)
    }

    fn poll_protocol(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Protocol>> {
        loop {
            let common = self.held.iter().zip(PREFACE).take_while(|(one, other)| one == other).count();
            if common == PREFACE.len() {
                let limits = &self.serving.config.limits;
                self.check = Check::Http2(Floods::new(limits.control_frames));
                return Poll::Ready(Ok(Protocol::Http2));
            }
            if common < self.held.len() || self.ended || self.is_refused() {
                return Poll::Ready(Ok(Protocol::Http1));
            }
            if common > 0 {
                self.note_head();
            }
            match self.poll_fill(context) {
                Poll::Ready(result) => result?,
                Poll::Pending if self.should_close() => return Poll::Ready(Ok(Protocol::Http1)),
                Poll::Pending => ready!(self.poll_deadline(context)),
            }
        }
    }

    /// Whether the connection should close and no request has begun to arrive. A request that has is still answered.
    fn should_close(&self) -> bool {
        let may_close = matches!(self.check, Check::Http1(_)) && self.head_began.is_none();
        self.connection.is_closing() && may_close && !self.socket.has_input()
    }

    /// Notes that a head has begun to arrive.
    fn note_head(&mut self) {
        self.head_began.get_or_insert_with(Instant::now);
    }

    fn is_refused(&self) -> bool {
        self.last.is_some()
    }

    /// Reads more bytes from the socket into `held`.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.held.reserve(READ_BYTES);
        let read = ready!(pin!(self.socket.read_buf(&mut self.held)).poll(context))?;
        if read == 0 {
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Judges the bytes that are held. Returns whether anything can be passed on.
    fn judge(&mut self) -> io::Result<bool> {
        let must_wait = self.connection.in_progress() > 0 || self.is_refused();
        let framing = match &mut self.check {
            Check::Http2(floods) => {
                floods.see(&self.held);
                self.correct = self.held.len();
                if floods.are_too_many() {
                    self.connection.set_flooding();
                }
                return Ok(true);
            }
            Check::Http1(framing) => framing,
        };
        // The next head waits until the answer to this request is complete.
        if framing.in_head() && must_wait {
            return Ok(false);
        }
        match framing.judge(&self.held) {
            Verdict::More => {
                // Only an unfinished head needs more bytes.
                self.note_head();
                return Ok(false);
            }
            Verdict::Pass(count) => {
                self.correct = count;
                self.head_began = None;
            }
            Verdict::Head(count) => {
                self.correct = count;
                self.head_began = None;
                self.serving.counters.requests.add();
                self.serving.connections.begin(&self.connection);
            }
            Verdict::Refuse(refusal) => {
                self.refuse(refusal);
                return Ok(false);
            }
            Verdict::BadBody => return Err(io::Error::new(io::ErrorKind::InvalidData, "malformed chunk")),
        }
        Ok(true)
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.last = Some(self.serving.refusal_bytes(refusal));
    }

    /// Waits until the head is late or the connection has been quiet for too long, and then ends it.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.connection.wake_on_change(context.waker());
        if self.connection.in_progress() > 0 || matches!(self.check, Check::Http2(_)) {
            return Poll::Pending;
        }
        let limits = &self.serving.config.limits;
        let deadline = match (self.head_began, self.connection.phase()) {
            (Some(began), _) => began + limits.head_seconds,
            (None, Phase::Silent) => self.connection.quiet_since() + limits.head_seconds,
            (None, _) => self.connection.quiet_since() + limits.idle_seconds,
        };
        loop {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(context));
            // The timer is only moved when it fires: most requests come before that.
            if Instant::now() >= deadline {
                break;
            }
            timer.as_mut().reset(deadline);
        }
        self.timer = None;
        if self.head_began.is_some() {
            self.refuse(Refusal::HeadTimeout);
        } else {
            self.connection.close();
        }
        Poll::Ready(())
    }

    /// Whether the client may still be sending something that nobody reads.
    fn may_be_sending(&self) -> bool {
        let in_request = match &self.check {
            Check::Http1(framing) => !framing.in_head(),
            Check::Http2(_) => true,
        };
        !self.ended && (in_request || self.is_refused() || !self.held.is_empty())
    }
}

impl<S: Socket> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.correct > 0 || (!this.held.is_empty() && this.judge()?) {
                let count = this.correct.min(buffer.remaining());
                buffer.put_slice(&this.held[..count]);
                this.held.advance(count);
                this.correct -= count;
                return Poll::Ready(Ok(()));
            }
            if this.connection.is_flooding() {
                return Poll::Pending;
            }
            let is_quiet = this.connection.in_progress() == 0;
            if is_quiet && this.stall.is_waiting() {
                // At the end of the stream, hyper would drop what the client has not read yet.
                return Poll::Pending;
            }
            if this.ended || (is_quiet && this.is_refused()) {
                return Poll::Ready(Ok(()));
            }
            if this.held.len() >= MAX_AHEAD_BYTES && !is_quiet {
                this.connection.wake_on_change(context.waker());
                return Poll::Pending;
            }
            match this.poll_fill(context) {
                Poll::Ready(result) => result?,
                Poll::Pending if is_quiet && this.should_close() => return Poll::Ready(Ok(())),
                Poll::Pending => ready!(this.poll_deadline(context)),
            }
        }
    }
}
