//! The blocks that wait for one stream, and its writer.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use super::block::Block;
use super::streams::StreamLimits;

/// A queue that was longer gives its memory back when it is empty.
const KEPT_PLACES: usize = 8;

/// Whether a stream accepts blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It does.
    Open,
    /// It does not, and the reason may follow.
    Silent,
    /// It does not, and no reason follows.
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

    pub fn pop(&mut self) -> Option<Block> {
        let block = self.blocks.pop_front()?;
        self.count -= block.count();
        self.bytes -= block.len();
        self.moved = Instant::now();
        if self.blocks.is_empty() && self.blocks.capacity() > KEPT_PLACES {
            self.blocks = VecDeque::new();
        }
        Some(block)
    }
}
