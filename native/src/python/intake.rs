//! The binding of `Intake`: the sender pushes, and the writer takes.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::batch::MessageBatch;
use super::errors;
use super::pending::Pending;
use crate::batch::Origin;
use crate::error::{self, FieldErrors};
use crate::intake::{self, AcceptMessages};
use crate::message::{Message, parse_batch, parse_message};
use crate::panics;
use crate::pending::PendingAnswer;
use crate::wake::Wake;

/// Parsing a body of this size takes 50 µs or more, so other threads may run in the meantime.
const DETACH_BYTES: usize = 16 << 10;

/// Identifies the sender of a message.
#[derive(Debug)]
pub enum Ticket {
    /// An object of the Python sender.
    Python(Py<PyAny>),
    /// A request of the gateway.
    Gateway(PendingAnswer),
}

impl Ticket {
    /// Returns the ticket as a Python object.
    pub fn into_object(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Python(ticket) => Ok(ticket),
            Self::Gateway(pending) => Ok(Py::new(py, Pending::new(pending))?.into_any()),
        }
    }
}

/// The waiting messages of both entry points.
pub struct Queue {
    waiting: intake::Intake<Ticket>,
    extras_allowed: bool,
    wake: Wake,
}

impl AcceptMessages for Queue {
    fn accept(
        &self,
        origin: Origin,
        message: &Message<'_>,
        pending: PendingAnswer,
    ) -> Result<(), (error::IntakeFull, PendingAnswer)> {
        match self.waiting.push(origin, message, Ticket::Gateway(pending)) {
            Ok(true) => self.wake.wake(),
            Ok(false) => {}
            Err((full, Ticket::Gateway(pending))) => return Err((full, pending)),
            Err((_, Ticket::Python(_))) => unreachable!("a push returns its own ticket"),
        }
        Ok(())
    }

    fn accept_all(&self, origin: Origin, messages: Vec<(Message<'_>, PendingAnswer)>) -> Result<(), error::IntakeFull> {
        let messages = messages.into_iter().map(|(message, pending)| (message, Ticket::Gateway(pending)));
        if self.waiting.push_all(origin, messages.collect()).map_err(|(full, _)| full)? {
            self.wake.wake();
        }
        Ok(())
    }

    fn extras_allowed(&self) -> bool {
        self.extras_allowed
    }
}

/// A bounded first-in, first-out queue of messages. Any thread may push and take.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Intake {
    queue: Arc<Queue>,
}

impl Intake {
    /// The queue, for the gateway.
    pub fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }
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
        let waiting = intake::Intake::new(capacity, max_bytes);
        Ok(Self { queue: Arc::new(Queue { waiting, extras_allowed, wake: Wake::new()? }) })
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
        panics::point("push");
        let parsed = parse_message(body, header_key, self.queue.extras_allowed);
        let message = parsed.map_err(|rejected| errors::rejected(py, &rejected))?;
        let origin = Origin { chat_id, thread_id, sender_id, session_id };
        self.queue.waiting.push(origin, &message, Ticket::Python(ticket)).map_err(|(full, _)| errors::full(full))
    }

    /// Parse `{"messages": [...]}` and append all of its valid messages, or none if they do not fit. Returns (entries,
    /// whether to wake).
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
        let parse = || parse_batch(body, self.queue.extras_allowed);
        let parsed = if body.len() < DETACH_BYTES { parse() } else { py.detach(parse) };
        let parsed = parsed.map_err(|rejected| errors::rejected(py, &rejected))?;
        let (entries, valid) = make_entries(py, parsed, make_ticket)?;
        let origin = Origin { chat_id, thread_id, sender_id, session_id };
        let wake = self.queue.waiting.push_all(origin, valid).map_err(|(full, _)| errors::full(full))?;
        Ok((entries, wake))
    }

    /// Take the oldest messages, at most 256; None if none wait.
    fn take(&self, py: Python<'_>) -> PyResult<Option<MessageBatch>> {
        panics::point("writer_take");
        self.queue.waiting.take().map(|taken| MessageBatch::new(py, taken)).transpose()
    }

    fn __len__(&self) -> usize {
        self.queue.waiting.len()
    }

    /// Maximum number of waiting messages.
    #[getter]
    fn capacity(&self) -> usize {
        self.queue.waiting.capacity()
    }

    /// Size of the waiting contents and extras in bytes.
    #[getter]
    fn waiting_bytes(&self) -> usize {
        self.queue.waiting.waiting_bytes()
    }

    /// The descriptor that becomes readable when the gateway appends a message to an empty intake.
    fn fileno(&self) -> i32 {
        self.queue.wake.descriptor()
    }

    /// Make the descriptor unreadable until the gateway appends to an empty intake again.
    fn clear_wake(&self) {
        self.queue.wake.clear();
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.queue.waiting.try_each_ticket(|ticket| match ticket {
            Ticket::Python(ticket) => visit.call(ticket),
            Ticket::Gateway(_) => Ok(()),
        })
    }
}

/// Valid messages with their tickets.
type Valid<'body> = Vec<(Message<'body>, Ticket)>;

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
                valid.push((message, Ticket::Python(ticket.unbind())));
            }
            Err(invalid) => entries.append(errors::invalid(py, &invalid)?.into_value(py))?,
        }
    }
    Ok((entries, valid))
}
