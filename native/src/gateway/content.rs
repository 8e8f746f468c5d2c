//! A body: still arriving, in memory, or a live stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::live::{Detaching, LiveBody};

/// The body of a request or an answer.
#[derive(Debug)]
pub enum Content {
    /// It arrives while it is read.
    Streaming(Incoming),
    /// It is in memory.
    Whole(Full<Bytes>),
    /// It is a live stream.
    Live(LiveBody),
    /// It has no content, because the connection leaves hyper.
    Detaching(Detaching),
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
            Self::Live(live) => live.poll_block(context).map(|block| block.map(|block| Ok(Frame::data(block)))),
            Self::Detaching(detaching) => {
                detaching.note_head();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Streaming(incoming) => incoming.is_end_stream(),
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Live(_) | Self::Detaching(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Streaming(incoming) => incoming.size_hint(),
            Self::Whole(whole) => whole.size_hint(),
            Self::Live(_) | Self::Detaching(_) => SizeHint::default(),
        }
    }
}
