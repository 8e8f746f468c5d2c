//! The body of a request on its way to an upstream, with its limits of time and size.

use std::cell::Cell;
use std::future::Future as _;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::config::Limits;
use super::content::Content;
use super::refusal::Refusal;

/// Added to the time limits of a body. A server that reads the body has the same limits without this time, so it
/// answers first.
const GRACE: Duration = Duration::from_secs(5);

/// How the body of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It has not ended yet.
    Open,
    /// It was forwarded completely.
    Complete,
    /// It was broken off for this reason.
    Broken(Refusal),
}

/// Holds back a body that was announced with `Expect: 100-continue` until the upstream asks for it.
#[derive(Debug, Default)]
pub struct Gate(Mutex<(bool, Option<Waker>)>);

impl Gate {
    /// Lets the body pass.
    pub fn open(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The body of a client's request.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Content,
    ending: Rc<Cell<Ending>>,
    gate: Option<Arc<Gate>>,
    limits: BodyLimits,
    received: u64,
    waiting_since: Option<Instant>,
    waited: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy)]
struct BodyLimits {
    bytes: u64,
    part: Duration,
    whole: Duration,
}

/// The body was broken off.
#[derive(Debug)]
pub struct BrokenBody;

impl std::fmt::Display for BrokenBody {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the body was broken off")
    }
}

impl std::error::Error for BrokenBody {}

impl RequestBody {
    /// Wraps a body. `ending` is set when the body ends, and `gate` holds the body back until the gate opens.
    #[must_use]
    pub fn new(incoming: Content, ending: Rc<Cell<Ending>>, gate: Option<Arc<Gate>>, limits: &Limits) -> Self {
        if incoming.is_end_stream() {
            ending.set(Ending::Complete);
        }
        let limits = BodyLimits {
            bytes: limits.body_bytes,
            part: limits.body_part_seconds + GRACE,
            whole: limits.body_seconds + GRACE,
        };
        let (waiting_since, waited, timer) = (None, Duration::ZERO, None);
        Self { incoming, ending, gate, limits, received: 0, waiting_since, waited, timer }
    }

    /// A body without content.
    #[must_use]
    pub fn empty(ending: Rc<Cell<Ending>>, limits: &Limits) -> Self {
        Self::new(Content::Whole(Full::default()), ending, None, limits)
    }

    /// Waits for the client. Ready when the client is late. The time in which the upstream does not read does not
    /// count.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let deadline = since + self.limits.part.min(self.limits.whole.saturating_sub(self.waited));
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context)
    }

    fn break_off(&mut self, refusal: Refusal) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        self.ending.set(Ending::Broken(refusal));
        Poll::Ready(Some(Err(BrokenBody)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Some(gate) = &this.gate {
            ready!(gate.poll(context));
            this.gate = None;
        }
        loop {
            let Poll::Ready(next) = Pin::new(&mut this.incoming).poll_frame(context) else {
                ready!(this.poll_late(context));
                return this.break_off(Refusal::BodyTimeout);
            };
            if let Some(since) = this.waiting_since.take() {
                this.waited += since.elapsed();
            }
            let frame = match next {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => return this.break_off(Refusal::IncompleteBody),
                None => {
                    this.ending.set(Ending::Complete);
                    return Poll::Ready(None);
                }
            };
            // Trailers are not forwarded.
            if let Ok(data) = frame.into_data() {
                this.received += data.len() as u64;
                if this.received > this.limits.bytes {
                    return this.break_off(Refusal::BodyTooLarge(this.limits.bytes));
                }
                if this.incoming.is_end_stream() {
                    this.ending.set(Ending::Complete);
                }
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
