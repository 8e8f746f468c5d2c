//! The binding of live streams.

use std::os::fd::RawFd;
use std::sync::Arc;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString};

use super::errors::duration;
use crate::hub::block::Block;
use crate::hub::frames;
use crate::hub::lanes::{Message, Signal};
use crate::hub::limits::StreamLimits;
use crate::hub::stream;
use crate::hub::streams::{self, Notice, Patience};

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
        let streams = streams::Streams::new(StreamLimits::new(max_blocks, max_bytes));
        let streams = streams.map_err(|error| PyOSError::new_err(error.to_string()))?;
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

    /// Show a stream the events of some chats with a higher number than `after`.
    #[expect(clippy::needless_pass_by_value, reason = "the binding creates the value")]
    fn enter(&self, chat_ids: Vec<i64>, stream: &Bound<'_, Stream>, after: u64) {
        self.0.lanes().enter(&chat_ids, &stream.get().0, after);
    }

    /// Show a stream no further events of a chat.
    fn leave(&self, chat_id: i64, stream: &Bound<'_, Stream>) {
        self.0.lanes().leave(chat_id, &stream.get().0);
    }

    /// Show a stream no further events of any chat.
    fn leave_all(&self, stream: &Bound<'_, Stream>) {
        self.0.lanes().leave_all(&stream.get().0);
    }

    /// Show no stream further events of a chat.
    fn remove_chat(&self, chat_id: i64) {
        self.0.lanes().remove(chat_id);
    }

    /// Show one event of a chat to one stream, if it sees the chat. It does not receive the event again.
    fn show(&self, chat_id: i64, seq: u64, block: &[u8], stream: &Bound<'_, Stream>) {
        self.0.lanes().show(chat_id, seq, &stream.get().0, Block::new(block));
    }

    /// Show a block that may be lost to the streams of a chat, except some.
    #[expect(clippy::needless_pass_by_value, reason = "the binding creates the value")]
    fn signal(&self, chat_id: i64, block: &[u8], except_streams: Vec<PyRef<'_, Stream>>) {
        let except = except_streams.iter().map(|stream| stream.0.id()).collect();
        self.0.lanes().signal(Signal { chat_id, content: block.to_vec(), except });
    }

    /// Memory of the blocks that wait for blocked sockets, as of the last `examine`.
    #[getter]
    fn stalled_bytes(&self) -> usize {
        self.0.stalled_bytes()
    }

    /// Number of signals that were not sent because their client lagged behind.
    #[getter]
    fn dropped_signals(&self) -> u64 {
        self.0.dropped_signals()
    }

    /// Show events to the streams of their chats: chat, number and block of each, in the order of the numbers.
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
        Notice::Received => "received",
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

    /// Append a block, unless the stream has ended. Returns whether the limits are exceeded for the first time.
    fn offer(&self, block: &[u8]) -> bool {
        self.0.offer(Block::new(block))
    }

    /// Append a block that may be lost, unless the client already lags behind.
    fn offer_signal(&self, block: &[u8]) {
        self.0.offer_signal(Block::new(block));
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

    /// Append a last block and accept no more. With `discard`, the blocks that wait are not sent. A WebSocket ends with
    /// `close_code`.
    #[pyo3(signature = (last, discard = false, close_code = 1000))]
    fn end(&self, last: &[u8], discard: bool, close_code: u16) {
        self.0.end((!last.is_empty()).then(|| Block::last(last, close_code)), discard);
    }

    /// Number of messages of the client that wait.
    #[getter]
    fn received(&self) -> usize {
        self.0.inbox.len()
    }

    /// Remove and return the first message of the client, or `None`.
    fn receive<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.inbox.pop().map(|message| PyBytes::new(py, &message))
    }
}

/// Return the text message of a WebSocket for each block of server-sent events.
#[pyfunction]
pub fn text_messages<'py>(py: Python<'py>, blocks: &[u8]) -> Vec<Bound<'py, PyString>> {
    frames::messages(blocks).map(|message| PyString::new(py, &String::from_utf8_lossy(&message))).collect()
}
