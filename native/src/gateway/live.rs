//! Live streams: the app answers with the id of a stream, and the gateway delivers it from then on.
//!
//! A connection of HTTP/1.1 leaves hyper once the head is sent ([`Detaching`]), and [`super::delivery`] writes to its
//! socket. On HTTP/2, the stream is the body of the answer ([`LiveBody`]).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::{Response, Version, response};

use super::answer::{AnswerBody, InProgress};
use super::handshake;
use super::outgoing::Wire;
use super::quiet::Connection;
use crate::hub::block::Block;
use crate::hub::streams::{Attached, Streams};

/// The header with the id of a stream in an answer of the app.
const STREAM: HeaderName = HeaderName::from_static("x-fechatter-stream");
/// Maximum size of the blocks that are taken at once.
pub const WRITE_BYTES: usize = 64 << 10;

/// A stream whose connection leaves hyper.
#[derive(Debug)]
pub struct Detached {
    /// The stream.
    pub attached: Attached,
    /// The request that it answers.
    pub request: InProgress,
    /// How it is framed.
    pub wire: Wire,
    /// The head of the answer, unless hyper sends it.
    pub head: Vec<u8>,
}

/// Where a stream waits until its head is sent. Each connection of HTTP/1.1 has one.
#[derive(Debug, Default)]
pub struct Exit {
    detached: RefCell<Option<Detached>>,
    /// How often the connection was flushed before the head was written.
    flushes: Cell<Option<u64>>,
}

impl Exit {
    /// The stream leaves, without an answer of hyper, once the answers to earlier requests are sent.
    fn leave(&self, detached: Detached, connection: &Connection) {
        *self.detached.borrow_mut() = Some(detached);
        self.flushes.set(Some(connection.flushes()));
    }

    /// Removes and returns the stream, if hyper has nothing more to send.
    #[must_use]
    pub fn take(&self, connection: &Connection) -> Option<Detached> {
        self.flushes.get().filter(|before| connection.flushes() > *before)?;
        self.detached.borrow_mut().take()
    }
}

/// The body of an answer whose connection leaves hyper. It has no content.
#[derive(Debug)]
pub struct Detaching {
    exit: Rc<Exit>,
    connection: Rc<Connection>,
}

impl Detaching {
    /// Hyper asks for the body when the head is in its buffer, and flushes that buffer next.
    pub fn note_head(&self) {
        if self.exit.flushes.get().is_none() {
            self.exit.flushes.set(Some(self.connection.flushes()));
        }
    }
}

/// A stream as the body of an answer.
#[derive(Debug)]
pub struct LiveBody {
    attached: Rc<Attached>,
    taken: VecDeque<Block>,
}

impl LiveBody {
    /// The stream.
    #[must_use]
    pub fn attached(&self) -> &Rc<Attached> {
        &self.attached
    }

    /// Ready with the next block, or with `None` at the end of the stream.
    pub fn poll_block(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.taken.is_empty() {
            ready!(self.attached.poll_take(context, &mut self.taken, WRITE_BYTES));
        }
        Poll::Ready(self.taken.pop_front().map(|block| block.share()))
    }
}

/// Returns the id of the stream that the app answers with.
#[must_use]
pub fn stream_id(headers: &HeaderMap) -> Option<u64> {
    headers.get(STREAM)?.to_str().ok()?.parse().ok()
}

/// Makes a WebSocket of the connection. It leaves hyper when hyper is polled the next time.
///
/// # Errors
/// The stream does not exist any more, or the connection cannot leave. The error contains the request.
pub fn upgrade(streams: &Streams, id: u64, head: &response::Parts, mut request: InProgress) -> Result<(), InProgress> {
    let Some((attached, (exit, connection))) = streams.attach(id).zip(request.take_exit()) else { return Err(request) };
    let detached = Detached { attached, request, wire: Wire::WebSocket, head: handshake::answer(&head.headers) };
    exit.leave(detached, &connection);
    Ok(())
}

/// Answers with a stream.
///
/// # Errors
/// The stream does not exist any more. The error contains the request.
pub fn answer(
    streams: &Streams,
    id: u64,
    mut head: response::Parts,
    version: Version,
    mut request: InProgress,
) -> Result<Response<AnswerBody>, InProgress> {
    let Some(attached) = streams.attach(id) else { return Err(request) };
    head.headers.remove(CONTENT_LENGTH);
    let Some((exit, connection)) = request.take_exit() else {
        let body = LiveBody { attached: Rc::new(attached), taken: VecDeque::new() };
        return Ok(Response::from_parts(head, AnswerBody::live(body, request)));
    };
    // Requests that the client has sent ahead are not answered.
    head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let wire = if version == Version::HTTP_11 { Wire::Chunked } else { Wire::Plain };
    *exit.detached.borrow_mut() = Some(Detached { attached, request, wire, head: Vec::new() });
    Ok(Response::from_parts(head, AnswerBody::detaching(Detaching { exit, connection })))
}
