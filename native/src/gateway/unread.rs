//! Limits the time for which a client accepts nothing of an answer on HTTP/2, and the memory of such answers.
//!
//! Each stream of HTTP/2 has its own window, so a socket that accepts bytes does not show that a stream makes progress.
//! Hyper asks the body of an answer for its next piece only when the client accepts the piece before, so a body that
//! is not asked shows it.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::quiet::Connection;
use super::serving::Serving;
use super::stall::Stall;
use crate::hub::streams::Attached;

/// Size of the pieces. Hyper accepts a whole piece for a window of one byte.
const PIECE_BYTES: usize = 8 << 10;
/// The last piece of each part is not larger, because hyper drops the body when it accepts the last piece.
const LAST_PIECE_BYTES: usize = 1 << 10;
/// Maximum number of bytes of one stream that hyper holds for the socket.
pub const SEND_BYTES: usize = 32 << 10;
/// What a stream needs apart from its content.
const STREAM_BYTES: usize = 8 << 10;
/// What the connection to an upstream needs, while it waits for the client.
const LENT_BYTES: usize = 32 << 10;
/// Time limit for sending the blocks that still wait after a live stream has ended.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// The part of an answer that its client has not accepted yet.
#[derive(Debug, Default)]
pub struct Unread {
    rest: RefCell<Bytes>,
    /// Size of the piece that hyper has; 0 if hyper asks for the next one.
    piece: Cell<usize>,
    accepted: Cell<usize>,
    is_lent: Cell<bool>,
    live: OnceCell<Rc<Attached>>,
}

impl Unread {
    /// Notes that the answer is a live stream.
    pub fn follow(&self, live: &Rc<Attached>) {
        // An answer has one content.
        let _ = self.live.set(Rc::clone(live));
    }

    /// Notes whether the answer keeps a connection to an upstream.
    pub fn set_lent(&self, is_lent: bool) {
        self.is_lent.set(is_lent);
    }

    /// Hyper asks for the next piece. `None` if the next part has to be read first.
    pub fn next(&self) -> Option<Bytes> {
        self.accepted.set(self.accepted.get().saturating_add(self.piece.take()));
        let part = self.rest.take();
        (!part.is_empty()).then(|| self.divide(part))
    }

    /// Returns the first piece of a part and keeps the rest.
    pub fn divide(&self, mut part: Bytes) -> Bytes {
        let size = match part.len() {
            small if small <= LAST_PIECE_BYTES => small,
            size => PIECE_BYTES.min(size - LAST_PIECE_BYTES),
        };
        let piece = part.split_to(size);
        self.piece.set(size);
        self.rest.replace(part);
        piece
    }

    /// Whether a part is not handed out completely.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        !self.rest.borrow().is_empty()
    }

    fn is_waiting(&self) -> bool {
        self.piece.get() > 0
    }

    fn memory(&self) -> usize {
        let content = self.rest.borrow().len() + self.piece.get() + self.accepted.get().min(SEND_BYTES);
        content + STREAM_BYTES + if self.is_lent.get() { LENT_BYTES } else { 0 }
    }

    fn set_blocked(&self, is_blocked: bool) {
        if let Some(live) = self.live.get() {
            live.set_blocked(is_blocked);
        }
    }

    fn has_ended(&self) -> bool {
        self.live.get().is_some_and(|live| live.has_ended())
    }
}

/// Runs the task of one request, and ends it if its client accepts nothing for too long. Hyper then resets the stream.
pub async fn watch(
    task: impl Future<Output = ()>,
    unread: Rc<Unread>,
    serving: Rc<Serving>,
    connection: Rc<Connection>,
) {
    let mut task = pin!(task);
    let mut watch = Watch { stall: Stall::default(), accepted: 0, last: None };
    poll_fn(|context| {
        if task.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let late = watch.poll_late(context, &unread, &serving, &connection);
        if late.is_ready() {
            serving.counters.stalled.add();
        }
        late
    })
    .await;
}

#[derive(Debug)]
struct Watch {
    stall: Stall,
    accepted: usize,
    last: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    fn poll_late(
        &mut self,
        context: &mut Context<'_>,
        unread: &Unread,
        serving: &Serving,
        connection: &Rc<Connection>,
    ) -> Poll<()> {
        let has_progressed = unread.accepted.get() != self.accepted;
        if (has_progressed || !unread.is_waiting()) && self.stall.end() {
            unread.set_blocked(false);
            self.last = None;
        }
        self.accepted = unread.accepted.get();
        if !unread.is_waiting() {
            return Poll::Pending;
        }
        if !self.stall.is_waiting() {
            unread.set_blocked(true);
        }
        if unread.has_ended() {
            let last = self.last.get_or_insert_with(|| Box::pin(sleep(LAST_WRITE)));
            if last.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
        }
        self.stall.poll(context, connection, unread.memory(), &serving.config.limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(size: usize) -> Vec<usize> {
        let (unread, part) = (Unread::default(), Bytes::from(vec![0; size]));
        let mut pieces = vec![unread.divide(part).len()];
        while unread.has_rest() {
            pieces.push(unread.next().expect("a rest").len());
        }
        pieces
    }

    #[test]
    fn a_part_ends_with_a_small_piece() {
        assert_eq!(pieces(1), [1]);
        assert_eq!(pieces(LAST_PIECE_BYTES), [LAST_PIECE_BYTES]);
        assert_eq!(pieces(LAST_PIECE_BYTES + 1), [1, LAST_PIECE_BYTES]);
        assert_eq!(pieces(20 << 10), [PIECE_BYTES, PIECE_BYTES, 3 << 10, LAST_PIECE_BYTES]);
    }

    #[test]
    fn an_answer_waits_until_hyper_asks_again() {
        let unread = Unread::default();
        assert!(!unread.is_waiting());
        unread.divide(Bytes::from(vec![0; 2 * PIECE_BYTES]));
        assert!(unread.is_waiting());
        assert_eq!(unread.memory(), 2 * PIECE_BYTES + STREAM_BYTES);
        unread.set_lent(true);
        assert_eq!(unread.memory(), 2 * PIECE_BYTES + STREAM_BYTES + LENT_BYTES);
        unread.set_lent(false);
        while unread.next().is_some() {
            assert!(unread.is_waiting());
            assert_eq!(unread.memory(), 2 * PIECE_BYTES + STREAM_BYTES);
        }
        assert!(!unread.is_waiting() && !unread.has_rest());
    }
}
