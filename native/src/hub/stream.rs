//! One live stream: the blocks that wait for its socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::block::Block;
use super::streams::{Notice, Registry};

/// A queue that was longer gives its memory back when it is empty.
const KEPT_PLACES: usize = 8;

/// The place of a stream between the threads that fill and empty it.
#[derive(Debug)]
pub struct Stream {
    id: u64,
    registry: Arc<Registry>,
    waiting: Mutex<Waiting>,
}

/// Who takes the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// The server without the gateway.
    App,
    /// Nobody yet. The gateway must begin to take them soon.
    Expected(Instant),
    /// The gateway.
    Gateway,
}

#[derive(Debug)]
struct Waiting {
    blocks: VecDeque<Block>,
    bytes: usize,
    writer: Writer,
    /// The writer ends the connection after these blocks.
    ended: bool,
    /// Python wants to know when no block waits.
    reports_empty: bool,
    /// The last time that the writer took blocks, or that the first one began to wait.
    moved: Instant,
    /// The writer waits for a block. Otherwise it waits for its socket, and only the end concerns it.
    is_idle: bool,
    waker: Option<Waker>,
}

impl Waiting {
    /// Returns the writer, which must be woken without the lock.
    fn wake(&mut self) -> Option<Waker> {
        self.is_idle = false;
        self.waker.take()
    }

    fn pop(&mut self) -> Option<Block> {
        let block = self.blocks.pop_front()?;
        self.bytes -= block.len();
        self.moved = Instant::now();
        if self.blocks.is_empty() && self.blocks.capacity() > KEPT_PLACES {
            self.blocks = VecDeque::new();
        }
        Some(block)
    }
}

impl Stream {
    /// A stream without blocks, whose writer is the app.
    pub(super) fn new(id: u64, registry: Arc<Registry>) -> Self {
        let waiting = Waiting {
            blocks: VecDeque::new(),
            bytes: 0,
            writer: Writer::App,
            ended: false,
            reports_empty: false,
            moved: Instant::now(),
            is_idle: false,
            waker: None,
        };
        Self { id, registry, waiting: Mutex::new(waiting) }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Its id, unique in its registry.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Number of blocks that wait.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.lock().blocks.len()
    }

    /// Size of the blocks that wait.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Appends a block, unless the stream has ended. Returns whether more than its limits wait now.
    pub fn offer(&self, block: Block) -> bool {
        let mut waiting = self.lock();
        if waiting.ended || block.is_empty() {
            return false;
        }
        let is_first = waiting.blocks.is_empty();
        if is_first {
            waiting.moved = Instant::now();
        }
        waiting.bytes += block.len();
        waiting.blocks.push_back(block);
        let waker = if waiting.is_idle { waiting.wake() } else { None };
        let limits = self.registry.limits();
        let is_full = !is_first && (waiting.blocks.len() > limits.blocks || waiting.bytes > limits.bytes);
        drop(waiting);
        wake(waker);
        is_full
    }

    /// Removes the first blocks, up to `limit` bytes but at least one, and returns them as one buffer.
    #[must_use]
    pub fn take(&self, limit: usize) -> Vec<u8> {
        let mut waiting = self.lock();
        let mut taken = Vec::with_capacity(waiting.bytes.min(limit));
        while let Some(first) = waiting.blocks.front() {
            if !taken.is_empty() && taken.len() + first.len() > limit {
                break;
            }
            taken.extend_from_slice(first.content());
            waiting.pop();
        }
        taken
    }

    /// Lets the gateway take the blocks from now on.
    pub fn hand_over(&self) {
        self.lock().writer = Writer::Expected(Instant::now());
    }

    /// Reports once no block waits and everything is written.
    pub fn report_empty(&self) {
        let mut waiting = self.lock();
        waiting.reports_empty = true;
        let waker = waiting.wake();
        drop(waiting);
        wake(waker);
    }

    /// Appends a last block and accepts no more. `discards`: the blocks that wait are not sent.
    pub fn end(&self, last: Option<Block>, discards: bool) {
        let mut waiting = self.lock();
        if discards {
            waiting.blocks = VecDeque::new();
            waiting.bytes = 0;
        }
        if std::mem::replace(&mut waiting.ended, true) {
            return;
        }
        if let Some(last) = last {
            waiting.bytes += last.len();
            waiting.blocks.push_back(last);
        }
        let waker = waiting.wake();
        drop(waiting);
        wake(waker);
    }

    /// Whether the stream ends after the blocks that wait.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Whether the gateway may take the blocks: they were handed over, and nobody has taken them.
    pub(super) fn attach(&self) -> bool {
        let mut waiting = self.lock();
        let is_expected = matches!(waiting.writer, Writer::Expected(_));
        if is_expected {
            waiting.writer = Writer::Gateway;
        }
        is_expected
    }

    /// Whether the gateway has not begun to take the blocks within this time.
    pub(super) fn is_forgotten(&self, limit: Duration) -> bool {
        matches!(self.lock().writer, Writer::Expected(since) if since.elapsed() >= limit)
    }

    /// Whether the writer has not taken a waiting block within this time.
    pub(super) fn is_stuck(&self, limit: Duration) -> bool {
        let waiting = self.lock();
        waiting.writer == Writer::Gateway && !waiting.blocks.is_empty() && waiting.moved.elapsed() >= limit
    }

    /// Whether the gateway has written nothing for this time and has nothing to write.
    pub(super) fn is_quiet(&self, limit: Duration) -> bool {
        let waiting = self.lock();
        waiting.writer == Writer::Gateway && waiting.is_idle && waiting.moved.elapsed() >= limit
    }

    /// Moves the next block into `taken`, and further ones up to `limit` bytes. Ready(false) if the stream has ended.
    pub(super) fn poll_take(&self, context: &Context<'_>, taken: &mut VecDeque<Block>, limit: usize) -> Poll<bool> {
        let mut waiting = self.lock();
        let mut size = 0;
        while let Some(first) = waiting.blocks.front() {
            if size > 0 && size + first.len() > limit {
                break;
            }
            size += first.len();
            taken.extend(waiting.pop());
        }
        match &mut waiting.waker {
            Some(waker) => waker.clone_from(context.waker()),
            None => waiting.waker = Some(context.waker().clone()),
        }
        waiting.is_idle = size == 0 && !waiting.ended;
        if !waiting.is_idle {
            return Poll::Ready(size > 0);
        }
        if std::mem::take(&mut waiting.reports_empty) {
            drop(waiting);
            self.registry.report(self.id, Notice::Empty);
        }
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.registry.forget(self.id);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
