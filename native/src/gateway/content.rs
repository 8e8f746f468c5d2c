//! A body: still arriving, or in memory.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The body of a request or an answer.
#[derive(Debug)]
pub enum Content {
    /// It arrives while it is read.
    Streaming(Incoming),
    /// It is in memory.
    Whole(Full<Bytes>),
}

impl Body for Content {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Streaming(incoming) => Pin::new(incoming).poll_frame(context),
            Self::Whole(whole) => Pin::new(whole).poll_frame(context).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Streaming(incoming) => incoming.is_end_stream(),
            Self::Whole(whole) => whole.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Streaming(incoming) => incoming.size_hint(),
            Self::Whole(whole) => whole.size_hint(),
        }
    }
}
