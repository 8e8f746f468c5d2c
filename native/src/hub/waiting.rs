//! The blocks that wait for one stream, and its writer.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::block::Block;
use super::limits::StreamLimits;

/// An empty queue with more places than this frees its memory.
const KEPT_PLACES: usize = 8;

/// Whether a stream accepts blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// It accepts blocks.
    Open,
    /// Too much waited. It accepts no blocks, and Python will end it.
    Overrun,
    /// It accepts no blocks, except one with the reason.
    Silent,
    /// It accepts no blocks.
    Final,
}

/// Who takes the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// The server without the gateway.
    App,
    /// Nobody yet. The gateway must begin to take them soon.
    Expected(Instant),
    /// The gateway.
    Gateway,
}

/// A block that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub block: Block,
    /// It may be lost.
    is_signal: bool,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub blocks: VecDeque<Entry>,
    /// Number of blocks, counted within those that were put together.
    pub count: usize,
    pub bytes: usize,
    pub writer: Writer,
    /// The writer ends the connection after these blocks.
    pub end: End,
    /// Python waits for a block.
    pub is_awaited: bool,
    /// Python wants to know when no block waits.
    pub reports_empty: bool,
    /// The last time that the writer took blocks, or that the first one began to wait.
    pub moved: Instant,
    /// The writer waits for a block. Otherwise it waits for its socket, and only the end concerns it.
    pub is_idle: bool,
    pub waker: Option<Waker>,
}

impl Waiting {
    /// A queue without blocks, whose writer is the app.
    pub fn new() -> Self {
        Self {
            blocks: VecDeque::new(),
            count: 0,
            bytes: 0,
            writer: Writer::App,
            end: End::Open,
            is_awaited: false,
            reports_empty: false,
            moved: Instant::now(),
            is_idle: false,
            waker: None,
        }
    }

    pub fn append(&mut self, block: Block, is_signal: bool) {
        self.count += block.count();
        self.bytes += block.len();
        self.blocks.push_back(Entry { block, is_signal });
    }

    /// Drops the blocks that may be lost, and returns their number.
    pub fn drop_signals(&mut self) -> usize {
        let before = self.count;
        let lost = self.blocks.iter().filter(|entry| entry.is_signal);
        let (count, bytes) =
            lost.fold((0, 0), |(count, bytes), Entry { block, .. }| (count + block.count(), bytes + block.len()));
        self.count -= count;
        self.bytes -= bytes;
        self.blocks.retain(|entry| !entry.is_signal);
        before - self.count
    }

    /// The address and the size of each block. Streams that share a block have the same address.
    pub fn identities(&self) -> Vec<(usize, usize)> {
        self.blocks.iter().map(|Entry { block, .. }| (block.chunk().as_ptr() as usize, block.chunk().len())).collect()
    }

    pub fn discard(&mut self) {
        self.blocks = VecDeque::new();
        (self.count, self.bytes) = (0, 0);
    }

    /// Frees the memory of an empty queue that nothing has entered for this time.
    pub fn shrink(&mut self, quiet: Duration) {
        if self.blocks.is_empty() && self.moved.elapsed() >= quiet {
            self.blocks = VecDeque::new();
        }
    }

    pub fn is_full(&self, limits: &StreamLimits) -> bool {
        self.blocks.len() > 1 && (self.count > limits.blocks || self.bytes > limits.bytes)
    }

    /// Accepts no more blocks until Python closes the stream. The gateway then sends nothing but the reason, so the
    /// blocks that wait are dropped at once.
    pub fn overrun(&mut self) {
        self.end = End::Overrun;
        if self.writer == Writer::Gateway {
            self.discard();
        }
    }

    /// Returns the writer, which must be woken without the lock.
    pub fn wake(&mut self) -> Option<Waker> {
        self.is_idle = false;
        self.waker.take()
    }

    /// Passes the first blocks to `receive`, up to `limit` bytes but at least one block. Returns their size.
    pub fn take(&mut self, limit: usize, mut receive: impl FnMut(Block)) -> usize {
        let mut size = 0;
        while self.blocks.front().is_some_and(|first| size == 0 || size + first.block.len() <= limit) {
            let Some(Entry { block, .. }) = self.blocks.pop_front() else { break };
            size += block.len();
            self.count -= block.count();
            receive(block);
        }
        if size > 0 {
            self.bytes -= size;
            self.moved = Instant::now();
        }
        if self.blocks.is_empty() && self.blocks.capacity() > KEPT_PLACES {
            self.blocks = VecDeque::new();
        }
        size
    }
}
