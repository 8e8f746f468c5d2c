//! The blocks that wait for one stream, and its writer.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use super::block::Block;
use super::streams::StreamLimits;

/// An empty queue with more places than this frees its memory.
const KEPT_PLACES: usize = 8;

/// Whether a stream accepts blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It accepts blocks.
    Open,
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

#[derive(Debug)]
pub(super) struct Waiting {
    pub blocks: VecDeque<Block>,
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
    pub fn append(&mut self, block: Block) {
        self.count += block.count();
        self.bytes += block.len();
        self.blocks.push_back(block);
    }

    pub fn discard(&mut self) {
        self.blocks = VecDeque::new();
        (self.count, self.bytes) = (0, 0);
    }

    pub fn is_full(&self, limits: StreamLimits) -> bool {
        self.blocks.len() > 1 && (self.count > limits.blocks || self.bytes > limits.bytes)
    }

    /// Returns the writer, which must be woken without the lock.
    pub fn wake(&mut self) -> Option<Waker> {
        self.is_idle = false;
        self.waker.take()
    }

    /// Passes the first blocks to `receive`, up to `limit` bytes but at least one block. Returns their size.
    pub fn take(&mut self, limit: usize, mut receive: impl FnMut(Block)) -> usize {
        let mut size = 0;
        while self.blocks.front().is_some_and(|first| size == 0 || size + first.len() <= limit) {
            let Some(block) = self.blocks.pop_front() else { break };
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
