//! One live stream: the blocks that wait for its socket.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::block::Block;
use super::inbox::Inbox;
use super::limits::BLOCKED;
use super::lock;
use super::stalled::Stalled;
use super::streams::{Notice, Registry};
use super::waiting::{End, Waiting, Writer};

/// The place of a stream between the threads that fill and empty it.
#[derive(Debug)]
pub struct Stream {
    id: u64,
    registry: Arc<Registry>,
    waiting: Mutex<Waiting>,
    /// The stream has seen the events up to this number. Written by [`super::lanes::Lanes`] only.
    pub(super) after: AtomicU64,
    /// The chats whose lanes contain the stream. Written by [`super::lanes::Lanes`] only.
    pub(super) chats: Mutex<Vec<i64>>,
    /// Since when the socket has accepted nothing, in milliseconds of the registry's clock; 0 if it accepts.
    blocked_since: AtomicU64,
    /// What its client has sent.
    pub inbox: Inbox,
}

impl Stream {
    /// A stream without blocks, whose writer is the app.
    pub(super) fn new(id: u64, registry: Arc<Registry>) -> Self {
        let waiting = Mutex::new(Waiting::new());
        let (after, chats, blocked_since) = (AtomicU64::new(0), Mutex::default(), AtomicU64::new(0));
        Self { id, registry, waiting, after, chats, blocked_since, inbox: Inbox::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    /// Locks the queue after every message that was published before is in it.
    fn settled(&self) -> MutexGuard<'_, Waiting> {
        self.registry.lanes.settle();
        self.lock()
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
        self.settled().count
    }

    /// Size of the blocks that wait.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.settled().bytes
    }

    /// Appends a block, unless the stream has ended. Returns whether its limits are exceeded for the first time.
    pub fn offer(&self, block: Block) -> bool {
        self.registry.lanes.settle();
        self.append(block, false)
    }

    /// Appends a block that may be lost, unless the client already lags behind.
    pub fn offer_signal(&self, block: Block) {
        self.registry.lanes.settle();
        self.push_signal(block);
    }

    /// Appends a block of a lane, and reports if more than the limits wait now.
    pub(super) fn push(&self, block: Block) {
        if self.append(block, false) {
            self.registry.report(self.id, Notice::Full);
        }
    }

    /// Appends a block of a lane that may be lost, unless the client already lags behind.
    pub(super) fn push_signal(&self, block: Block) {
        let limits = self.registry.limits();
        let lags = |waiting: &Waiting| waiting.count >= limits.signal_blocks || waiting.bytes >= limits.signal_bytes;
        if self.is_blocked() || lags(&self.lock()) {
            self.registry.count_dropped(block.count());
        } else {
            self.append(block, true);
        }
    }

    /// Appends a block. Returns whether it is the first one to exceed the limits.
    fn append(&self, block: Block, is_signal: bool) -> bool {
        let mut waiting = self.lock();
        if waiting.end != End::Open || block.is_empty() {
            return false;
        }
        if waiting.blocks.is_empty() {
            waiting.moved = Instant::now();
        }
        let is_awaited = std::mem::take(&mut waiting.is_awaited);
        waiting.append(block, is_signal);
        let overruns = self.overruns(&mut waiting);
        let waker = if waiting.is_idle { waiting.wake() } else { None };
        drop(waiting);
        if is_awaited {
            self.registry.report(self.id, Notice::Ready);
        }
        self.registry.lanes.make_ready(waker);
        overruns
    }

    /// Whether too much waits. Blocks that may be lost are dropped first.
    fn overruns(&self, waiting: &mut Waiting) -> bool {
        let limits = self.registry.limits();
        let exceeds =
            |waiting: &Waiting| waiting.is_full(limits) || (waiting.bytes > limits.slow_bytes && self.is_blocked());
        if !exceeds(waiting) {
            return false;
        }
        self.registry.count_dropped(waiting.drop_signals());
        if exceeds(waiting) {
            waiting.overrun();
        }
        waiting.end == End::Overrun
    }

    /// Drops what waits and reports that too much waits, unless that was done.
    pub(super) fn give_up(&self) {
        let mut waiting = self.settled();
        if waiting.end == End::Open {
            waiting.overrun();
            drop(waiting);
            self.registry.report(self.id, Notice::Full);
        }
    }

    /// Frees the memory of an empty queue that nothing has entered for this time.
    pub(super) fn shrink(&self, quiet: Duration) {
        self.lock().shrink(quiet);
    }

    /// Notes whether the socket accepts nothing.
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        let since = if is_blocked { self.registry.clock() } else { 0 };
        self.blocked_since.store(since, Ordering::Relaxed);
    }

    /// Whether the socket has accepted nothing for some time.
    fn is_blocked(&self) -> bool {
        let since = self.blocked_since.load(Ordering::Relaxed);
        since > 0 && Duration::from_millis(self.registry.clock() - since) >= BLOCKED
    }

    /// What waits, if the socket is blocked or the writer has not taken anything within this time.
    pub(super) fn stalled(&self, limit: Duration) -> Option<Stalled> {
        let is_blocked = self.is_blocked();
        let waiting = self.lock();
        let is_stalled = !waiting.blocks.is_empty() && (is_blocked || waiting.moved.elapsed() >= limit);
        is_stalled.then(|| Stalled { id: self.id, bytes: waiting.bytes, blocks: waiting.identities() })
    }

    /// Reports the next block. Returns false if a block waits already.
    pub fn await_block(&self) -> bool {
        let mut waiting = self.settled();
        waiting.is_awaited = waiting.blocks.is_empty();
        waiting.is_awaited
    }

    /// Removes the first blocks, up to `limit` bytes but at least one, and returns them as one buffer.
    #[must_use]
    pub fn take(&self, limit: usize) -> Vec<u8> {
        let mut waiting = self.settled();
        let mut taken = Vec::with_capacity(waiting.bytes.min(limit));
        waiting.take(limit, |block| taken.extend_from_slice(block.content()));
        taken
    }

    /// Lets the gateway take the blocks from now on.
    pub fn hand_over(&self) {
        self.lock().writer = Writer::Expected(Instant::now());
    }

    /// Reports once no block waits and everything is written.
    pub fn report_empty(&self) {
        let mut waiting = self.settled();
        waiting.reports_empty = true;
        let waker = waiting.wake();
        drop(waiting);
        self.registry.lanes.make_ready(waker);
    }

    /// Appends a last block and accepts no more. `discards`: the blocks that wait are not sent.
    pub fn end(&self, last: Option<Block>, discards: bool) {
        let mut waiting = self.settled();
        if discards {
            waiting.discard();
        }
        if waiting.end == End::Final {
            return;
        }
        waiting.end = if last.is_some() { End::Final } else { End::Silent };
        if let Some(last) = last {
            waiting.append(last, false);
        }
        let waker = waiting.wake();
        drop(waiting);
        self.registry.lanes.make_ready(waker);
    }

    /// Its connection has ended.
    pub(super) fn leave(&self) {
        let mut waiting = self.settled();
        waiting.discard();
        (waiting.end, waiting.is_idle) = (End::Final, false);
    }

    /// Whether the stream ends after the blocks that wait.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.lock().end >= End::Silent
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
        let size = waiting.take(limit, |block| taken.push_back(block));
        match &mut waiting.waker {
            Some(waker) => waker.clone_from(context.waker()),
            None => waiting.waker = Some(context.waker().clone()),
        }
        waiting.is_idle = size == 0 && waiting.end < End::Silent;
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
