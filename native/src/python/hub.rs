//! The binding of live streams.

use std::os::fd::RawFd;
use std::sync::Arc;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::errors::duration;
use crate::hub::block::Block;
use crate::hub::lanes::Message;
use crate::hub::stream;
use crate::hub::streams::{self, Notice, Patience, StreamLimits};

/// The live streams of one node.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Streams(Arc<streams::Streams>);

impl Streams {
    /// The streams, for the gateway that delivers them.
    pub fn shared(&self) -> Arc<streams::Streams> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl Streams {
    /// Limit what may wait for one stream.
    #[new]
    fn new(max_blocks: usize, max_bytes: usize) -> PyResult<Self> {
        let limits = StreamLimits { blocks: max_blocks, bytes: max_bytes };
        let streams = streams::Streams::new(limits).map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self(Arc::new(streams)))
    }

    /// Open a stream.
    fn open(&self) -> Stream {
        Stream(self.0.open())
    }

    /// A descriptor that is readable while there are notices.
    #[getter]
    fn descriptor(&self) -> RawFd {
        self.0.descriptor()
    }

    /// Remove and return the notices: the id of a stream and the kind of the notice.
    fn notices(&self) -> Vec<(u64, &'static str)> {
        self.0.notices().into_iter().map(|(id, notice)| (id, name(notice))).collect()
    }

    /// Show a stream the messages of a chat with a higher number than `after`.
    fn enter(&self, chat_id: i64, stream: &Bound<'_, Stream>, after: u64) {
        self.0.lanes().enter(chat_id, &stream.get().0, after);
    }

    /// Show a stream no further messages of a chat.
    fn leave(&self, chat_id: i64, stream: &Bound<'_, Stream>) {
        self.0.lanes().leave(chat_id, stream.get().0.id());
    }

    /// Show messages to the streams of their chats: chat, number and block of each, in the order of the numbers.
    #[expect(clippy::needless_pass_by_value, reason = "the binding creates the value")]
    fn publish(&self, py: Python<'_>, messages: Vec<(i64, u64, PyBackedBytes)>) {
        let copied = messages.iter().map(|(chat_id, seq, block)| {
            let content = block.to_vec();
            Message { chat_id: *chat_id, seq: *seq, content }
        });
        let copied: Vec<_> = copied.collect();
        py.detach(|| self.0.lanes().publish(copied));
    }

    /// Return the ids of stuck streams and of quiet streams. The gateway has not taken a waiting block of a stuck
    /// stream for `stuck_seconds`. It has written nothing to a quiet stream for `quiet_seconds`.
    fn examine(
        &self,
        py: Python<'_>,
        attach_seconds: f64,
        stuck_seconds: f64,
        quiet_seconds: f64,
    ) -> PyResult<(Vec<u64>, Vec<u64>)> {
        let (attach, stuck) = (duration(attach_seconds)?, duration(stuck_seconds)?);
        let patience = Patience { attach, stuck, quiet: duration(quiet_seconds)? };
        let attention = py.detach(|| self.0.examine(patience));
        Ok((attention.stuck, attention.quiet))
    }

    /// Return the writes of the gateway, and the number and the size of their blocks.
    fn written(&self) -> (u64, u64, u64) {
        self.0.written()
    }
}

fn name(notice: Notice) -> &'static str {
    match notice {
        Notice::Empty => "empty",
        Notice::Left => "left",
        Notice::Full => "full",
        Notice::Ready => "ready",
    }
}

/// One live stream: the blocks that wait for its socket.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Stream(Arc<stream::Stream>);

#[pymethods]
impl Stream {
    #[getter]
    fn id(&self) -> u64 {
        self.0.id()
    }

    /// Number of blocks that wait.
    #[getter]
    fn pending(&self) -> usize {
        self.0.pending()
    }

    /// Size of the blocks that wait.
    #[getter]
    fn pending_bytes(&self) -> usize {
        self.0.pending_bytes()
    }

    /// Append a block, unless the stream has ended. Returns whether more than the limits wait now.
    fn offer(&self, block: &[u8]) -> bool {
        self.0.offer(Block::new(block))
    }

    /// Remove the first blocks, up to `limit` bytes but at least one, and return them.
    fn take<'py>(&self, py: Python<'py>, limit: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.take(limit))
    }

    /// Let the gateway take the blocks from now on.
    fn hand_over(&self) {
        self.0.hand_over();
    }

    /// Send a notice with the next block. Returns false if a block waits already.
    fn await_block(&self) -> bool {
        self.0.await_block()
    }

    /// Send a notice once no block waits and everything is written.
    fn report_empty(&self) {
        self.0.report_empty();
    }

    /// Append a last block and accept no more. With `discard`, the blocks that wait are not sent.
    #[pyo3(signature = (last, discard = false))]
    fn end(&self, last: &[u8], discard: bool) {
        self.0.end((!last.is_empty()).then(|| Block::new(last)), discard);
    }
}
