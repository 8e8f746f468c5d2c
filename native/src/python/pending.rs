//! The binding of an answer that a request of the gateway waits for.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use crate::pending::{Answer, PendingAnswer};

/// The ticket of a message that came through the gateway.
#[pyclass(module = "fechatter._native", frozen, name = "PendingAnswer")]
pub struct Pending {
    request_id: Arc<str>,
    answer: Mutex<Option<PendingAnswer>>,
}

impl Pending {
    /// Wraps the answer.
    pub fn new(pending: PendingAnswer) -> Self {
        Self { request_id: Arc::clone(pending.request_id()), answer: Mutex::new(Some(pending)) }
    }

    /// Answers the request, unless it was answered before.
    pub fn complete(&self, answer: Answer) {
        let pending = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pending) = pending {
            pending.answer(answer);
        }
    }
}

#[pymethods]
impl Pending {
    /// The id of the request.
    #[getter]
    fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Refuse the message. Does nothing if the request has been answered already.
    fn refuse(&self, status: u16, code: String, headers: Vec<(String, String)>, body: Vec<u8>) {
        self.complete(Answer { status, code: Some(code), headers, body });
    }
}
