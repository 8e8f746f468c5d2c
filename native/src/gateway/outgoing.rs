//! The blocks that were taken from a live stream and are being written to a socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::live::{Detached, WRITE_BYTES};
use super::socket::Socket;
use super::stall::{KERNEL_BYTES, Stall};
use crate::hub::block::Block;
use crate::hub::streams::Attached;

const MAX_SLICES: usize = 64;

/// How the blocks are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// As chunks of HTTP/1.1.
    Chunked,
    /// Without framing; the end of the connection ends the answer.
    Plain,
    /// As text messages of a WebSocket.
    WebSocket,
}

impl Wire {
    fn bytes(self, block: &Block) -> &[u8] {
        match self {
            Self::Chunked => block.chunk(),
            Self::Plain => block.content(),
            Self::WebSocket => block.frames(),
        }
    }
}

/// The blocks of one connection. It has no buffer while nothing is written.
#[derive(Debug)]
pub struct Outgoing {
    wire: Wire,
    blocks: VecDeque<Block>,
    /// The first bytes of the first block, which are written.
    written: usize,
}

impl Outgoing {
    /// Starts without blocks.
    #[must_use]
    pub fn new(wire: Wire) -> Self {
        Self { wire, blocks: VecDeque::new(), written: 0 }
    }

    /// How the blocks are framed.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Whether everything that was taken is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether a block is written partly.
    #[must_use]
    pub fn is_in_block(&self) -> bool {
        self.written > 0
    }

    /// Whether the last block ends a WebSocket.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.blocks.back().is_some_and(Block::closes)
    }

    /// Size of the blocks.
    #[must_use]
    pub fn size(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }

    /// Drops the blocks that have not begun.
    pub fn drop_unbegun(&mut self) {
        self.blocks.truncate(usize::from(self.is_in_block()));
    }

    /// Takes the next blocks, once everything is written. Ready(false) if the stream has ended.
    pub fn poll_fill(&mut self, attached: &Attached, context: &Context<'_>) -> Poll<bool> {
        self.blocks = VecDeque::new();
        attached.poll_take(context, &mut self.blocks, WRITE_BYTES)
    }

    /// Writes a part of the blocks. Returns its size, for `advance`.
    pub fn poll_write<S: Socket>(&self, socket: &mut S, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = self.blocks.len().min(MAX_SLICES);
        for (slice, block) in slices.iter_mut().zip(&self.blocks) {
            *slice = IoSlice::new(self.wire.bytes(block));
        }
        slices[0] = IoSlice::new(&self.wire.bytes(&self.blocks[0])[self.written..]);
        Pin::new(socket).poll_write_vectored(context, &slices[..count])
    }

    /// Removes what was written.
    pub fn advance(&mut self, mut written: usize) {
        written += self.written;
        while let Some(first) = self.blocks.front() {
            let size = self.wire.bytes(first).len();
            if written < size {
                break;
            }
            written -= size;
            self.blocks.pop_front();
        }
        self.written = written;
    }
}

/// Limits the time for which a socket accepts nothing. `unsent` returns the size of what waits for it.
pub fn judge<T>(
    context: &mut Context<'_>,
    result: Poll<io::Result<T>>,
    stall: &mut Stall,
    stream: &Detached,
    unsent: impl FnOnce() -> usize,
) -> Poll<io::Result<T>> {
    if result.is_ready() {
        if stall.end() {
            stream.attached.set_blocked(false);
        }
        return result;
    }
    if !stall.is_waiting() {
        stream.attached.set_blocked(true);
    }
    let (serving, connection) = stream.request.shared();
    let size = unsent() + KERNEL_BYTES as usize;
    ready!(stall.poll(context, connection, size, &serving.config.limits));
    serving.counters.stalled.add();
    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
}
