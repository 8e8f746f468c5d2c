//! The body of an answer on its way to the client. Its end also ends the request and frees the connection to the
//! upstream.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::balance::Busy;
use super::body::Ending;
use super::content::Content;
use super::counters::Counters;
use super::live::{Detaching, Exit, LiveBody};
use super::quiet::Connection;
use super::serving::Serving;
use super::share::Share;
use super::unread::Unread;
use super::upstream::{Lease, Upstream};

const EVENT_STREAM: &[u8] = b"text/event-stream";

/// A request in progress. It ends when this value is dropped.
#[derive(Debug)]
pub struct InProgress {
    serving: Rc<Serving>,
    connection: Rc<Connection>,
    complete: Cell<bool>,
    /// The way out of hyper, for a live stream on an HTTP/1.1 connection.
    exit: Option<Rc<Exit>>,
    /// What an HTTP/2 client has not accepted of the answer.
    unread: Option<Rc<Unread>>,
}

impl InProgress {
    /// Describes a request that has begun already: for HTTP/1.1, the guard reports it with the head.
    #[must_use]
    pub fn new(serving: Rc<Serving>, connection: Rc<Connection>) -> Self {
        Self { serving, connection, complete: Cell::new(false), exit: None, unread: None }
    }

    /// Adds the exit of an HTTP/1.1 connection, which can leave hyper.
    #[must_use]
    pub fn with_exit(mut self, exit: Rc<Exit>) -> Self {
        self.exit = Some(exit);
        self
    }

    /// Divides the answer into pieces for HTTP/2.
    #[must_use]
    pub fn with_unread(mut self, unread: Rc<Unread>) -> Self {
        self.unread = Some(unread);
        self
    }

    /// Removes and returns the exit of the connection.
    pub fn take_exit(&mut self) -> Option<(Rc<Exit>, Rc<Connection>)> {
        self.exit.take().map(|exit| (exit, Rc::clone(&self.connection)))
    }

    /// Returns the state that all connections share, and the connection of the request.
    #[must_use]
    pub fn shared(&self) -> (&Serving, &Rc<Connection>) {
        (&self.serving, &self.connection)
    }

    /// Notes that the answer is complete.
    pub fn complete(&self) {
        self.complete.set(true);
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        if !self.complete.get() {
            self.serving.counters.abandoned.add();
        }
        self.serving.connections.end(&self.connection, self.complete.get());
    }
}

/// A connection that is used again if both bodies are complete.
#[derive(Debug)]
pub struct Borrowed {
    /// The connection. It ends if it is not put back.
    pub lease: Lease,
    /// The upstream of the connection.
    pub upstream: Rc<Upstream>,
    /// How the body of the request ended.
    pub ending: Rc<Cell<Ending>>,
    /// Whether the upstream has probably read the whole body. An upstream that refuses a body may close the connection
    /// at any time.
    pub is_read: bool,
    /// Counts the request until the end of its answer.
    pub forwarding: Forwarding,
    /// Counts the request for its client address.
    pub share: Option<Share>,
}

/// Counts a request that is forwarded, and whether its answer is a live stream.
#[derive(Debug)]
pub struct Forwarding {
    counters: Arc<Counters>,
    is_stream: bool,
    /// Counts the request at its upstream.
    busy: Option<Busy>,
}

impl Forwarding {
    /// Begins to count a request that is about to be sent.
    #[must_use]
    pub fn begin(counters: &Arc<Counters>) -> Self {
        counters.forwarding.add();
        Self { counters: Arc::clone(counters), is_stream: false, busy: None }
    }

    /// Notes that the answer begins.
    pub fn answered(&mut self, headers: &HeaderMap, busy: Option<Busy>) {
        self.busy = busy;
        if headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(EVENT_STREAM)) {
            self.is_stream = true;
            self.counters.streams.add();
        }
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.counters.forwarding.subtract();
        if self.is_stream {
            self.counters.streams.subtract();
        }
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct AnswerBody {
    content: Content,
    borrowed: Option<Borrowed>,
    /// `None` if a detached live stream owns the request.
    request: Option<InProgress>,
}

impl AnswerBody {
    /// Creates an answer of the gateway itself.
    #[must_use]
    pub fn own(content: Bytes, request: InProgress) -> Self {
        request.complete();
        Self { content: Content::Whole(Full::new(content)), borrowed: None, request: Some(request) }
    }

    /// Creates the answer of an upstream.
    #[must_use]
    pub fn forwarded(incoming: Incoming, borrowed: Borrowed, request: InProgress) -> Self {
        let mut body = Self { content: Content::Streaming(incoming), borrowed: Some(borrowed), request: Some(request) };
        if body.content.is_end_stream() {
            body.finish();
        } else if let Some(unread) = body.unread() {
            unread.set_lent(true);
        }
        body
    }

    /// A live stream.
    #[must_use]
    pub fn live(live: LiveBody, request: InProgress) -> Self {
        if let Some(unread) = &request.unread {
            unread.follow(live.attached());
        }
        Self { content: Content::Live(live), borrowed: None, request: Some(request) }
    }

    /// Creates an answer whose connection leaves hyper after the head of the answer.
    #[must_use]
    pub fn detaching(detaching: Detaching) -> Self {
        Self { content: Content::Detaching(detaching), borrowed: None, request: None }
    }

    /// Returns the same answer with another content. The original content must have been read to the end.
    #[must_use]
    pub fn replaced(self, content: Bytes) -> Self {
        Self { content: Content::Whole(Full::new(content)), ..self }
    }

    /// Reads the rest of the body into one buffer.
    ///
    /// # Errors
    /// The upstream broke off. The error contains the part that arrived before.
    pub async fn read(&mut self) -> Result<Bytes, Bytes> {
        // The upstream usually announces the size. The buffer then has no unused capacity.
        let size = self.size_hint().lower();
        let mut parts = BytesMut::with_capacity(usize::try_from(size).unwrap_or_default());
        while let Some(frame) = self.frame().await {
            match frame {
                Ok(frame) => parts.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => return Err(parts.freeze()),
            }
        }
        Ok(parts.freeze())
    }

    /// Reads the rest of the body into memory and returns it. If the upstream breaks off, this returns `None`, and the
    /// answer to the client breaks off at the same place.
    pub async fn collect(&mut self) -> Option<Bytes> {
        let read = self.read().await;
        let (Ok(body) | Err(body)) = &read;
        self.content = Content::Whole(Full::new(body.clone()));
        read.ok()
    }

    /// Returns the first piece of a part that was read.
    fn first_piece(&self, part: Frame<Bytes>) -> Frame<Bytes> {
        match self.unread() {
            Some(unread) => part.map_data(|part| unread.divide(part)),
            None => part,
        }
    }

    fn unread(&self) -> Option<&Unread> {
        self.request.as_ref()?.unread.as_deref()
    }

    /// Ends the request and returns the connection to the upstream.
    fn finish(&mut self) {
        if let Some(request) = &self.request {
            request.complete();
        }
        if let Some(unread) = self.unread() {
            unread.set_lent(false);
        }
        give_back(&mut self.borrowed);
    }
}

/// Lets other requests use the connection of a complete answer.
pub fn give_back(borrowed: &mut Option<Borrowed>) {
    if let Some(Borrowed { lease, upstream, ending, is_read, .. }) = borrowed.take() {
        // An upstream that answers early may not have read the whole body.
        if is_read && ending.get() == Ending::Complete {
            upstream.put(lease);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Some(piece) = this.unread().and_then(Unread::next) {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        loop {
            match ready!(Pin::new(&mut this.content).poll_frame(context)) {
                None => {
                    this.finish();
                    return Poll::Ready(None);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // Trailers are not forwarded.
                Some(Ok(frame)) if !frame.is_data() => {}
                Some(Ok(frame)) => {
                    if this.content.is_end_stream() {
                        this.finish();
                    }
                    return Poll::Ready(Some(Ok(this.first_piece(frame))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream() && !self.unread().is_some_and(Unread::has_rest)
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
