//! The answer that a request of the gateway waits for.

use std::fmt;
use std::sync::Arc;

/// A complete answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `code` of the problem; `None` if the message was stored.
    pub code: Option<String>,
    /// The answer's own headers. The gateway adds the headers of every answer.
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// Completes a request. Dropping it without an answer also ends the request: the gateway then answers `not_stored`.
pub struct PendingAnswer {
    request_id: Arc<str>,
    complete: Box<dyn FnOnce(Answer) + Send>,
}

impl PendingAnswer {
    /// Wraps `complete`, which runs on the thread that has the answer and must not block.
    #[must_use]
    pub fn new(request_id: Arc<str>, complete: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self { request_id, complete: Box::new(complete) }
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &Arc<str> {
        &self.request_id
    }

    /// Answers the request.
    pub fn answer(self, answer: Answer) {
        (self.complete)(answer);
    }
}

impl fmt::Debug for PendingAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAnswer").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}
