//! The waiting batch: request handlers append messages, and the writer takes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::batch::{Columns, Origin};
use crate::error::IntakeFull;
use crate::message::Message;
use crate::pending::PendingAnswer;
use crate::pool::{Pool, Pooled};

/// Maximum number of rows in one batch.
pub const BATCH_ROWS: usize = 256;

/// A batch that the writer has taken: read-only columns, and the ticket of each row.
#[derive(Debug)]
pub struct Taken<T> {
    /// The rows.
    pub columns: Pooled<Columns>,
    /// The ticket of each row.
    pub tickets: Vec<T>,
}

/// Accepts messages from the gateway, on any thread.
pub trait AcceptMessages: Send + Sync {
    /// Appends one message and wakes the writer.
    ///
    /// # Errors
    /// [`IntakeFull`], with the answer that is still pending, if the message does not fit.
    fn accept(
        &self,
        origin: Origin,
        message: &Message<'_>,
        pending: PendingAnswer,
    ) -> Result<(), (IntakeFull, PendingAnswer)>;

    /// Appends all `messages` in order, or none of them, and wakes the writer.
    ///
    /// # Errors
    /// [`IntakeFull`] if they do not all fit. Their pending answers are dropped.
    fn accept_all(&self, origin: Origin, messages: Vec<(Message<'_>, PendingAnswer)>) -> Result<(), IntakeFull>;

    /// Whether messages may have extras.
    fn extras_allowed(&self) -> bool;
}

/// A bounded first-in, first-out queue of messages. A ticket of type `T` identifies the sender of a message.
#[derive(Debug)]
pub struct Intake<T> {
    max_rows: usize,
    max_bytes: usize,
    waiting: Mutex<Waiting<T>>,
    pool: Arc<Pool<Columns>>,
}

/// The waiting batches. All except the last are full.
#[derive(Debug)]
struct Waiting<T> {
    batches: VecDeque<Gathering<T>>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Gathering<T> {
    columns: Columns,
    tickets: Vec<T>,
}

impl<T> Intake<T> {
    /// Creates an intake for at most `max_rows` rows with `max_bytes` bytes of content and extras.
    #[must_use]
    pub fn new(max_rows: usize, max_bytes: usize) -> Self {
        let waiting = Waiting { batches: VecDeque::new(), rows: 0, bytes: 0 };
        Self { max_rows, max_bytes, waiting: Mutex::new(waiting), pool: Arc::default() }
    }

    /// Appends one message. Returns `true` if the intake was empty: the caller must then wake the writer.
    ///
    /// # Errors
    /// [`IntakeFull`], with the ticket, if the message does not fit.
    pub fn push(&self, origin: Origin, message: &Message<'_>, ticket: T) -> Result<bool, (IntakeFull, T)> {
        let fingerprint = message.fingerprint();
        let mut waiting = self.lock();
        if !self.has_room(&waiting, 1, message.len_bytes()) {
            return Err((IntakeFull, ticket));
        }
        let was_empty = waiting.rows == 0;
        waiting.push(&self.pool, origin, message, fingerprint, ticket);
        Ok(was_empty)
    }

    /// Appends all `messages` in order, without other messages between them, or none of them. Returns the same as
    /// [`Intake::push`].
    ///
    /// # Errors
    /// [`IntakeFull`], with the messages and tickets, if they do not all fit.
    pub fn push_all<'a>(
        &self,
        origin: Origin,
        messages: Vec<(Message<'a>, T)>,
    ) -> Result<bool, (IntakeFull, Vec<(Message<'a>, T)>)> {
        let fingerprints: Vec<i64> = messages.iter().map(|(message, _)| message.fingerprint()).collect();
        let bytes = messages.iter().map(|(message, _)| message.len_bytes()).sum();
        let mut waiting = self.lock();
        if !self.has_room(&waiting, messages.len(), bytes) {
            return Err((IntakeFull, messages));
        }
        let was_empty = waiting.rows == 0 && !messages.is_empty();
        for ((message, ticket), fingerprint) in messages.into_iter().zip(fingerprints) {
            waiting.push(&self.pool, origin, &message, fingerprint, ticket);
        }
        Ok(was_empty)
    }

    /// Takes the oldest rows, at most [`BATCH_ROWS`]; `None` if the intake is empty.
    pub fn take(&self) -> Option<Taken<T>> {
        let Gathering { columns, tickets } = self.lock().take()?;
        Some(Taken { columns: Pooled::new(columns, Arc::clone(&self.pool)), tickets })
    }

    /// Number of waiting rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().rows
    }

    /// Whether no row waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size of the waiting contents and extras in bytes.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Maximum number of waiting rows.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.max_rows
    }

    /// Number of emptied batches whose memory waits for reuse.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.pool.spare()
    }

    /// Calls `visit` with every waiting ticket. Does nothing if another thread holds the lock.
    ///
    /// # Errors
    /// The first error that `visit` returns.
    pub fn try_each_ticket<E>(&self, mut visit: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        let Ok(waiting) = self.waiting.try_lock() else { return Ok(()) };
        waiting.batches.iter().flat_map(|batch| &batch.tickets).try_for_each(&mut visit)
    }

    fn has_room(&self, waiting: &Waiting<T>, rows: usize, bytes: usize) -> bool {
        waiting.rows + rows <= self.max_rows && waiting.bytes + bytes <= self.max_bytes
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().expect("no thread panics while it holds the lock")
    }
}

impl<T> Waiting<T> {
    fn push(&mut self, pool: &Pool<Columns>, origin: Origin, message: &Message<'_>, fingerprint: i64, ticket: T) {
        if self.batches.back().is_none_or(|last| last.tickets.len() == BATCH_ROWS) {
            self.batches.push_back(Gathering { columns: pool.take(), tickets: Vec::with_capacity(BATCH_ROWS) });
        }
        let last = self.batches.back_mut().expect("the previous statement ensures that a batch exists");
        last.columns.push(origin, message, fingerprint);
        last.tickets.push(ticket);
        self.rows += 1;
        self.bytes += message.len_bytes();
    }

    fn take(&mut self) -> Option<Gathering<T>> {
        let taken = self.batches.pop_front()?;
        self.rows -= taken.tickets.len();
        self.bytes -= taken.columns.len_bytes();
        Some(taken)
    }
}
