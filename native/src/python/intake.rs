//! `Intake`: HTTP endpoints push, the writer takes.

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::batch::MessageBatch;
use super::errors;
use crate::batch::Origin;
use crate::intake;
use crate::message::{Message, parse_batch, parse_message};

/// Bodies of this many bytes take 50 µs or more to parse: other threads go on meanwhile.
const DETACH_BYTES: usize = 16 << 10;

/// The bounded waiting batch, first in, first out; any thread may push and take.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Intake {
    waiting: intake::Intake<Py<PyAny>>,
}

#[pymethods]
impl Intake {
    /// At most `capacity` rows and `arena_bytes` bytes of content may wait.
    #[new]
    #[pyo3(signature = (capacity = 4096, arena_bytes = 16_777_216))]
    fn new(capacity: usize, arena_bytes: usize) -> PyResult<Self> {
        if capacity == 0 || arena_bytes == 0 {
            return Err(PyValueError::new_err("capacity and arena_bytes must be positive"));
        }
        Ok(Self { waiting: intake::Intake::new(capacity, arena_bytes) })
    }

    /// Parse, check and append one message; True when the writer is to be woken.
    #[expect(clippy::too_many_arguments, reason = "one call a message: no object is made to carry them")]
    fn push(
        &self,
        py: Python<'_>,
        body: &[u8],
        header_key: Option<&str>,
        chat_id: i64,
        sender_id: i64,
        session_id: i64,
        ticket: Py<PyAny>,
    ) -> PyResult<bool> {
        let message = parse_message(body, header_key).map_err(|rejected| errors::rejected(py, &rejected))?;
        let origin = Origin { chat_id, sender_id, session_id };
        self.waiting.push(origin, &message, ticket).map_err(|(full, _)| errors::full(full))
    }

    /// Parse, check and append the valid messages of a batch, all or none: (ticket or error a message, wake).
    fn push_many<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        chat_id: i64,
        sender_id: i64,
        session_id: i64,
        make_ticket: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyList>, bool)> {
        let parsed = if body.len() < DETACH_BYTES { parse_batch(body) } else { py.detach(|| parse_batch(body)) };
        let parsed = parsed.map_err(|rejected| errors::rejected(py, &rejected))?;
        let outcomes = PyList::empty(py);
        let mut valid: Vec<(Message<'_>, Py<PyAny>)> = Vec::with_capacity(parsed.len());
        for message in parsed {
            match message {
                Ok(message) => {
                    let ticket = make_ticket.call0()?;
                    outcomes.append(&ticket)?;
                    valid.push((message, ticket.unbind()));
                }
                Err(invalid) => outcomes.append(errors::invalid(py, &invalid)?.into_value(py))?,
            }
        }
        let origin = Origin { chat_id, sender_id, session_id };
        let wake = self.waiting.push_all(origin, valid).map_err(|(full, _)| errors::full(full))?;
        Ok((outcomes, wake))
    }

    /// Take the oldest rows, at most `limit`; None when nothing waits.
    #[pyo3(signature = (limit = 256))]
    fn take(&self, py: Python<'_>, limit: usize) -> PyResult<Option<MessageBatch>> {
        if limit == 0 {
            return Err(PyValueError::new_err("limit must be positive"));
        }
        self.waiting.take(limit).map(|taken| MessageBatch::new(py, taken)).transpose()
    }

    fn __len__(&self) -> usize {
        self.waiting.len()
    }

    /// How many rows may wait.
    #[getter]
    fn capacity(&self) -> usize {
        self.waiting.capacity()
    }

    /// How many bytes of content wait.
    #[getter]
    fn waiting_bytes(&self) -> usize {
        self.waiting.waiting_bytes()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.waiting.try_each_ticket(|ticket| visit.call(ticket))
    }
}
