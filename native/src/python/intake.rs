//! The binding of `Intake`: the sender pushes, and the writer takes.

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::batch::MessageBatch;
use super::errors;
use crate::batch::Origin;
use crate::error::FieldErrors;
use crate::intake;
use crate::message::{Message, parse_batch, parse_message};

/// Parsing a body of this size takes 50 µs or more, so other threads may run in the meantime.
const DETACH_BYTES: usize = 16 << 10;

/// A bounded first-in, first-out queue of messages. Any thread may push and take.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Intake {
    waiting: intake::Intake<Py<PyAny>>,
    extras_allowed: bool,
}

#[pymethods]
impl Intake {
    /// Create an intake for at most `capacity` messages with `max_bytes` bytes of content and extras.
    #[new]
    #[pyo3(signature = (capacity = 4096, max_bytes = 16_777_216, extras_allowed = false))]
    fn new(capacity: usize, max_bytes: usize, extras_allowed: bool) -> PyResult<Self> {
        if capacity == 0 || max_bytes == 0 {
            return Err(PyValueError::new_err("capacity and max_bytes must be positive"));
        }
        Ok(Self { waiting: intake::Intake::new(capacity, max_bytes), extras_allowed })
    }

    /// Parse, check and append one message. Returns True if the caller must wake the writer.
    #[expect(clippy::too_many_arguments, reason = "one call per message, without an object that carries the arguments")]
    #[pyo3(signature = (body, header_key, chat_id, sender_id, session_id, ticket, thread_id = 0))]
    fn push(
        &self,
        py: Python<'_>,
        body: &[u8],
        header_key: Option<&str>,
        chat_id: i64,
        sender_id: i64,
        session_id: i64,
        ticket: Py<PyAny>,
        thread_id: i64,
    ) -> PyResult<bool> {
        let parsed = parse_message(body, header_key, self.extras_allowed);
        let message = parsed.map_err(|rejected| errors::rejected(py, &rejected))?;
        let origin = Origin { chat_id, thread_id, sender_id, session_id };
        self.waiting.push(origin, &message, ticket).map_err(|(full, _)| errors::full(full))
    }

    /// Parse `{"messages": [...]}` and append its valid messages, all or none. Returns (entries, whether to wake).
    #[expect(clippy::too_many_arguments, reason = "the same arguments as `push`")]
    #[pyo3(signature = (body, chat_id, sender_id, session_id, make_ticket, thread_id = 0))]
    fn push_many<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        chat_id: i64,
        sender_id: i64,
        session_id: i64,
        make_ticket: &Bound<'py, PyAny>,
        thread_id: i64,
    ) -> PyResult<(Bound<'py, PyList>, bool)> {
        let parse = || parse_batch(body, self.extras_allowed);
        let parsed = if body.len() < DETACH_BYTES { parse() } else { py.detach(parse) };
        let parsed = parsed.map_err(|rejected| errors::rejected(py, &rejected))?;
        let (entries, valid) = make_entries(py, parsed, make_ticket)?;
        let origin = Origin { chat_id, thread_id, sender_id, session_id };
        let wake = self.waiting.push_all(origin, valid).map_err(|(full, _)| errors::full(full))?;
        Ok((entries, wake))
    }

    /// Take the oldest messages, at most 256; None if none wait.
    fn take(&self, py: Python<'_>) -> PyResult<Option<MessageBatch>> {
        self.waiting.take().map(|taken| MessageBatch::new(py, taken)).transpose()
    }

    fn __len__(&self) -> usize {
        self.waiting.len()
    }

    /// Maximum number of waiting messages.
    #[getter]
    fn capacity(&self) -> usize {
        self.waiting.capacity()
    }

    /// Size of the waiting contents and extras in bytes.
    #[getter]
    fn waiting_bytes(&self) -> usize {
        self.waiting.waiting_bytes()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.waiting.try_each_ticket(|ticket| visit.call(ticket))
    }
}

/// Valid messages with their tickets.
type Valid<'body> = Vec<(Message<'body>, Py<PyAny>)>;

/// Returns the ticket or the error of each message, and the valid messages with their tickets.
fn make_entries<'py, 'body>(
    py: Python<'py>,
    parsed: Vec<Result<Message<'body>, FieldErrors>>,
    make_ticket: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyList>, Valid<'body>)> {
    let entries = PyList::empty(py);
    let mut valid = Vec::with_capacity(parsed.len());
    for message in parsed {
        match message {
            Ok(message) => {
                let ticket = make_ticket.call0()?;
                entries.append(&ticket)?;
                valid.push((message, ticket.unbind()));
            }
            Err(invalid) => entries.append(errors::invalid(py, &invalid)?.into_value(py))?,
        }
    }
    Ok((entries, valid))
}
