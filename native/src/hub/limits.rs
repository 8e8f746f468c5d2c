//! The limits of what may wait for streams.

use std::time::Duration;

/// How long a socket must have accepted nothing until it counts as blocked.
///
/// A client that reads makes some progress in every round trip, and 100 ms is more than most round trips. At 20,000
/// events a second, 1 MiB of them waits after about this time.
pub const BLOCKED: Duration = Duration::from_millis(100);

/// Limits of the blocks that wait for one stream, and for all of them.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Maximum number of blocks.
    pub blocks: usize,
    /// Maximum size of the blocks.
    pub bytes: usize,
    /// If so many blocks wait, signals are dropped. A stream is slow at twice this number.
    pub signal_blocks: usize,
    /// If blocks of this size wait, signals are dropped.
    pub signal_bytes: usize,
    /// Maximum size of the blocks while the socket is blocked.
    pub slow_bytes: usize,
    /// Maximum memory of the blocks that wait for blocked sockets. A block that waits for several of them counts once.
    pub stalled_bytes: usize,
}

impl StreamLimits {
    /// The default limits of blocked sockets.
    #[must_use]
    pub fn new(blocks: usize, bytes: usize) -> Self {
        let (signal_blocks, signal_bytes) = (128, 512 << 10);
        Self { blocks, bytes, signal_blocks, signal_bytes, slow_bytes: 1 << 20, stalled_bytes: 64 << 20 }
    }
}
