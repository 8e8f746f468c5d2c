//! All live streams of one node, and what their writer reports to Python.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::block::Block;
use super::lanes::Lanes;
pub use super::limits::StreamLimits;
use super::lock;
use super::stalled;
use super::stream::Stream;
use crate::wake::Wake;

/// An empty queue is freed after this time. A busy stream uses its memory again before.
const SHRUNK: Duration = Duration::from_secs(1);

/// How long a state may last before a stream needs attention.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the gateway takes a stream that was handed over. Its client may have left meanwhile.
    pub attach: Duration,
    /// Until its writer takes a block that waits.
    pub stuck: Duration,
    /// Until it needs a heartbeat.
    pub quiet: Duration,
}

/// What a writer reports about a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// No block waits, and everything is written.
    Empty,
    /// Its connection has ended.
    Left,
    /// More than its limits wait.
    Full,
    /// A block waits that Python awaits.
    Ready,
    /// A message of its client waits.
    Received,
}

/// Which streams need attention.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Attention {
    /// Their writer has not taken a waiting block for some time.
    pub stuck: Vec<u64>,
    /// Nothing was written to them for some time.
    pub quiet: Vec<u64>,
}

/// What all streams share.
#[derive(Debug)]
pub struct Registry {
    limits: StreamLimits,
    /// Which streams see the messages of which chat.
    pub lanes: Lanes,
    wake: Wake,
    streams: Mutex<HashMap<u64, Weak<Stream>>>,
    notices: Mutex<Vec<(u64, Notice)>>,
    writes: AtomicU64,
    written_blocks: AtomicU64,
    written_bytes: AtomicU64,
    dropped_signals: AtomicU64,
    stalled_bytes: AtomicUsize,
    began: Instant,
}

impl Registry {
    pub(super) fn limits(&self) -> &StreamLimits {
        &self.limits
    }

    /// Milliseconds since some time before the first stream; never 0.
    pub(super) fn clock(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// Counts signals that were not sent.
    pub(super) fn count_dropped(&self, signals: usize) {
        self.dropped_signals.fetch_add(signals as u64, Ordering::Relaxed);
    }

    pub(super) fn forget(&self, id: u64) {
        lock(&self.streams).remove(&id);
    }

    pub(super) fn report(&self, id: u64, notice: Notice) {
        let mut notices = lock(&self.notices);
        notices.push((id, notice));
        if notices.len() == 1 {
            self.wake.wake();
        }
    }
}

/// The live streams of one node.
#[derive(Debug)]
pub struct Streams {
    registry: Arc<Registry>,
    next: AtomicU64,
}

impl Streams {
    /// Starts without streams.
    ///
    /// # Errors
    /// No file descriptor is free.
    pub fn new(limits: StreamLimits) -> io::Result<Self> {
        let registry = Registry {
            limits,
            lanes: Lanes::default(),
            wake: Wake::new()?,
            streams: Mutex::default(),
            notices: Mutex::default(),
            writes: AtomicU64::new(0),
            written_blocks: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            dropped_signals: AtomicU64::new(0),
            stalled_bytes: AtomicUsize::new(0),
            began: Instant::now(),
        };
        Ok(Self { registry: Arc::new(registry), next: AtomicU64::new(1) })
    }

    /// Opens a stream. It is forgotten when its last owner drops it.
    #[must_use]
    pub fn open(&self) -> Arc<Stream> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let stream = Arc::new(Stream::new(id, Arc::clone(&self.registry)));
        lock(&self.registry.streams).insert(id, Arc::downgrade(&stream));
        stream
    }

    /// Which streams see the messages of which chat.
    #[must_use]
    pub fn lanes(&self) -> &Lanes {
        &self.registry.lanes
    }

    /// Takes a stream that was handed over. `None` if there is no such stream, or if it was taken before.
    #[must_use]
    pub fn attach(&self, id: u64) -> Option<Attached> {
        let found = lock(&self.registry.streams).get(&id).and_then(Weak::upgrade);
        found.filter(|stream| stream.attach()).map(Attached)
    }

    /// The descriptor that becomes readable when there are notices.
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.registry.wake.descriptor()
    }

    /// Removes and returns the notices, in their order.
    #[must_use]
    pub fn notices(&self) -> Vec<(u64, Notice)> {
        let mut notices = lock(&self.registry.notices);
        self.registry.wake.clear();
        std::mem::take(&mut *notices)
    }

    /// Returns the streams that are stuck or quiet, and reports those that the gateway never took. If the blocked ones
    /// keep too much memory in use together, the worst are reported as full.
    #[must_use]
    pub fn examine(&self, patience: Patience) -> Attention {
        // The last owner may drop a stream meanwhile, and that needs the lock.
        let streams: Vec<_> = lock(&self.registry.streams).values().filter_map(Weak::upgrade).collect();
        let mut attention = Attention::default();
        self.limit_stalled(&streams, patience.stuck);
        for stream in streams {
            stream.shrink(SHRUNK);
            if stream.is_forgotten(patience.attach) {
                drop(self.attach(stream.id()));
            } else if stream.is_stuck(patience.stuck) {
                attention.stuck.push(stream.id());
            } else if stream.is_quiet(patience.quiet) {
                attention.quiet.push(stream.id());
            }
        }
        attention
    }

    fn limit_stalled(&self, streams: &[Arc<Stream>], stuck: Duration) {
        let found = streams.iter().filter_map(|stream| stream.stalled(stuck)).collect();
        let (total, worst) = stalled::choose(found, self.registry.limits.stalled_bytes);
        self.registry.stalled_bytes.store(total, Ordering::Relaxed);
        let worst: HashSet<_> = worst.into_iter().collect();
        streams.iter().filter(|stream| worst.contains(&stream.id())).for_each(|stream| stream.give_up());
    }

    /// Memory of the blocks that waited for blocked sockets at the last [`Streams::examine`].
    #[must_use]
    pub fn stalled_bytes(&self) -> usize {
        self.registry.stalled_bytes.load(Ordering::Relaxed)
    }

    /// Number of signals that were not sent because their client lagged behind.
    #[must_use]
    pub fn dropped_signals(&self) -> u64 {
        self.registry.dropped_signals.load(Ordering::Relaxed)
    }

    /// Writes of the gateway, and the number and the size of their blocks.
    #[must_use]
    pub fn written(&self) -> (u64, u64, u64) {
        let Registry { writes, written_blocks, written_bytes, .. } = &*self.registry;
        (writes.load(Ordering::Relaxed), written_blocks.load(Ordering::Relaxed), written_bytes.load(Ordering::Relaxed))
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        // The members of lanes refer to the registry, which contains the lanes.
        self.registry.lanes.clear();
    }
}

/// A stream whose blocks the gateway takes. Dropping it reports that the connection has ended.
#[derive(Debug)]
pub struct Attached(Arc<Stream>);

impl Attached {
    /// Moves the next block into `taken`, and further ones up to `limit` bytes. Ready(false) if the stream has ended.
    pub fn poll_take(&self, context: &Context<'_>, taken: &mut VecDeque<Block>, limit: usize) -> Poll<bool> {
        let before = taken.len();
        let polled = self.0.poll_take(context, taken, limit);
        if polled == Poll::Ready(true) {
            let registry = self.0.registry();
            registry.writes.fetch_add(1, Ordering::Relaxed);
            let blocks: usize = taken.range(before..).map(Block::count).sum();
            registry.written_blocks.fetch_add(blocks as u64, Ordering::Relaxed);
            let bytes: usize = taken.range(before..).map(Block::len).sum();
            registry.written_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        polled
    }

    /// Whether the stream ends after the blocks that wait.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.has_ended()
    }

    /// Notes whether the socket accepts nothing.
    pub fn set_blocked(&self, is_blocked: bool) {
        self.0.set_blocked(is_blocked);
    }

    /// Passes a message of the client to Python.
    pub fn receive(&self, message: Vec<u8>) {
        if self.0.inbox.push(message) {
            self.0.registry().report(self.0.id(), Notice::Received);
        }
    }

    /// Ready if another message of the client may be read.
    pub fn poll_space(&self, context: &Context<'_>) -> Poll<()> {
        self.0.inbox.poll_space(context)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.leave();
        self.0.registry().report(self.0.id(), Notice::Left);
    }
}
