//! The waiting batch: whoever receives a message appends it, the writer takes what has gathered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::arena::{Pool, Pooled};
use crate::batch::{Columns, Origin};
use crate::error::IntakeFull;
use crate::message::Message;

/// Rows are gathered in segments of this many: a batch of one segment leaves without a copy.
pub const SEGMENT_ROWS: usize = 256;

/// What the writer takes: columns that nobody changes any more, and a ticket a row.
#[derive(Debug)]
pub struct Taken<T> {
    /// The rows.
    pub columns: Pooled<Columns>,
    /// With what each sender waits, row by row.
    pub tickets: Vec<T>,
}

/// The bounded waiting batch, first in, first out. `T` is a ticket: with what a sender waits for the answer.
#[derive(Debug)]
pub struct Intake<T> {
    capacity: usize,
    arena_bytes: usize,
    waiting: Mutex<Waiting<T>>,
    pool: Arc<Pool<Columns>>,
}

#[derive(Debug)]
struct Waiting<T> {
    segments: VecDeque<Segment<T>>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Segment<T> {
    columns: Columns,
    tickets: Vec<T>,
}

impl<T> Intake<T> {
    /// At most `capacity` rows and `arena_bytes` bytes of content may wait.
    #[must_use]
    pub fn new(capacity: usize, arena_bytes: usize) -> Self {
        let waiting = Waiting { segments: VecDeque::new(), rows: 0, bytes: 0 };
        Self { capacity, arena_bytes, waiting: Mutex::new(waiting), pool: Arc::default() }
    }

    /// Appends one message. `Ok(true)` when nothing was waiting before: then the writer is to be woken.
    ///
    /// # Errors
    /// [`IntakeFull`], with the ticket, when it does not fit.
    pub fn push(&self, origin: Origin, message: &Message<'_>, ticket: T) -> Result<bool, (IntakeFull, T)> {
        let fingerprint = message.content.fingerprint();
        let mut waiting = self.lock();
        if !self.has_room(&waiting, 1, message.content.len_bytes()) {
            return Err((IntakeFull, ticket));
        }
        let was_empty = waiting.rows == 0;
        waiting.push(&self.pool, origin, message, fingerprint, ticket);
        Ok(was_empty)
    }

    /// Appends all `messages`, each with its ticket, in order and with nothing between them, or none.
    ///
    /// # Errors
    /// [`IntakeFull`], with the messages and tickets, when not all fit.
    pub fn push_all<'a>(
        &self,
        origin: Origin,
        messages: Vec<(Message<'a>, T)>,
    ) -> Result<bool, (IntakeFull, Vec<(Message<'a>, T)>)> {
        let fingerprints: Vec<i64> = messages.iter().map(|(message, _)| message.content.fingerprint()).collect();
        let bytes = messages.iter().map(|(message, _)| message.content.len_bytes()).sum();
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

    /// Takes the oldest rows, at most `limit` (1 or more); `None` when nothing waits.
    pub fn take(&self, limit: usize) -> Option<Taken<T>> {
        let taken = self.lock().take(&self.pool, limit)?;
        Some(Taken { columns: Pooled::new(taken.columns, Arc::clone(&self.pool)), tickets: taken.tickets })
    }

    /// How many rows wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().rows
    }

    /// Whether no row waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of content wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.lock().bytes
    }

    /// How many rows may wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many emptied sets of columns are kept for reuse.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.pool.spare()
    }

    /// Calls `each` with every waiting ticket; with none when another thread is at work here.
    ///
    /// # Errors
    /// The first one of `each`.
    pub fn try_each_ticket<E>(&self, mut each: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        let Ok(waiting) = self.waiting.try_lock() else { return Ok(()) };
        waiting.segments.iter().flat_map(|segment| &segment.tickets).try_for_each(&mut each)
    }

    fn has_room(&self, waiting: &Waiting<T>, rows: usize, bytes: usize) -> bool {
        waiting.rows + rows <= self.capacity && waiting.bytes + bytes <= self.arena_bytes
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().expect("nothing panics while it holds the intake")
    }
}

impl<T> Waiting<T> {
    fn push(&mut self, pool: &Pool<Columns>, origin: Origin, message: &Message<'_>, fingerprint: i64, ticket: T) {
        if self.segments.back().is_none_or(|last| last.tickets.len() == SEGMENT_ROWS) {
            self.segments.push_back(Segment::new(pool.take()));
        }
        let last = self.segments.back_mut().expect("one was just made sure of");
        last.columns.push(origin, message, fingerprint);
        last.tickets.push(ticket);
        self.rows += 1;
        self.bytes += message.content.len_bytes();
    }

    fn take(&mut self, pool: &Pool<Columns>, limit: usize) -> Option<Segment<T>> {
        let mut taken = match self.segments.front() {
            Some(first) if first.tickets.len() <= limit => self.segments.pop_front()?,
            Some(_) => Segment::new(pool.take()),
            None => return None,
        };
        while taken.tickets.len() < limit {
            let Some(front) = self.segments.front_mut() else { break };
            taken.move_front(front, limit);
            if front.tickets.is_empty() {
                let emptied = self.segments.pop_front()?;
                pool.give(emptied.columns);
            }
        }
        self.rows -= taken.tickets.len();
        self.bytes -= taken.columns.arena.len();
        Some(taken)
    }
}

impl<T> Segment<T> {
    fn new(columns: Columns) -> Self {
        Self { columns, tickets: Vec::with_capacity(SEGMENT_ROWS) }
    }

    /// Moves rows from the front of `source` until there are `limit`.
    fn move_front(&mut self, source: &mut Self, limit: usize) {
        let count = source.tickets.len().min(limit - self.tickets.len());
        self.columns.move_front(&mut source.columns, count);
        self.tickets.extend(source.tickets.drain(..count));
    }
}
