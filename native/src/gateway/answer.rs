//! The body of an answer on its way to the client. It knows when the request ends and the connection is free again.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::body::Ending;
use super::content::Content;
use super::quiet::Connection;
use super::serving::Serving;
use super::upstream::{Lease, Upstream};

/// A request in progress. It ends when this value is dropped.
#[derive(Debug)]
pub struct InProgress {
    serving: Rc<Serving>,
    connection: Rc<Connection>,
    complete: Cell<bool>,
}

impl InProgress {
    /// The request has begun already: the guard of HTTP/1.1 reports it with the head.
    #[must_use]
    pub fn new(serving: Rc<Serving>, connection: Rc<Connection>) -> Self {
        Self { serving, connection, complete: Cell::new(false) }
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
    /// Where it belongs.
    pub upstream: Rc<Upstream>,
    /// How the body of the request ended.
    pub ending: Rc<Cell<Ending>>,
}

/// The body of an answer.
#[derive(Debug)]
pub struct AnswerBody {
    content: Content,
    borrowed: Option<Borrowed>,
    request: InProgress,
}

impl AnswerBody {
    /// An answer of the gateway itself.
    #[must_use]
    pub fn own(content: Bytes, request: InProgress) -> Self {
        request.complete.set(true);
        Self { content: Content::Whole(Full::new(content)), borrowed: None, request }
    }

    /// The answer of an upstream.
    #[must_use]
    pub fn forwarded(incoming: Incoming, borrowed: Borrowed, request: InProgress) -> Self {
        let mut body = Self { content: Content::Streaming(incoming), borrowed: Some(borrowed), request };
        if body.content.is_end_stream() {
            body.finish();
        }
        body
    }

    /// Ends the request and gives the connection back to the upstream.
    fn finish(&mut self) {
        self.request.complete.set(true);
        give_back(&mut self.borrowed);
    }
}

fn give_back(borrowed: &mut Option<Borrowed>) {
    if let Some(Borrowed { lease, upstream, ending }) = borrowed.take() {
        // An upstream that answers early may not have read the whole body.
        if ending.get() == Ending::Complete {
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
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
