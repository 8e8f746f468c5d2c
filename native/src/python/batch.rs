//! The binding of a batch. The writer decides about its messages, stores them and answers their senders.

use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use super::buffer::{Column, Name, Rows};
use super::intake::Ticket;
use super::pending::Pending;
use crate::batch::Columns;
use crate::intake::Taken;
use crate::message::encode::{self, Encoded, Stored};
use crate::message::key;
use crate::panics;
use crate::pending::Answer;

/// Encoding this many bytes takes about 50 µs, so other threads may run in the meantime.
const DETACH_BYTES: usize = 64 << 10;
/// The cost of encoding a message besides its content, in bytes of content.
const MESSAGE_BYTES: usize = 512;

/// A read-only batch. Its memory is reused when nothing refers to it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct MessageBatch {
    rows: Rows,
    tickets: Py<PyList>,
}

impl MessageBatch {
    /// Wraps a batch of the intake.
    pub fn new(py: Python<'_>, taken: Taken<Ticket>) -> PyResult<Self> {
        let tickets = taken.tickets.into_iter().map(|ticket| ticket.into_object(py)).collect::<PyResult<Vec<_>>>()?;
        let tickets = PyList::new(py, tickets)?.unbind();
        Ok(Self { rows: Arc::new(taken.columns), tickets })
    }

    fn column(&self, name: Name) -> Column {
        Column::new(Arc::clone(&self.rows), name)
    }
}

#[pymethods]
impl MessageBatch {
    fn __len__(&self) -> usize {
        self.rows.len()
    }

    /// The chat of each row.
    #[getter]
    fn chat_ids(&self) -> Column {
        self.column(Name::ChatIds)
    }

    /// The thread of each row; 0 = the chat itself.
    #[getter]
    fn thread_ids(&self) -> Column {
        self.column(Name::ThreadIds)
    }

    /// The sender of each row.
    #[getter]
    fn sender_ids(&self) -> Column {
        self.column(Name::SenderIds)
    }

    /// The session of each row.
    #[getter]
    fn session_ids(&self) -> Column {
        self.column(Name::SessionIds)
    }

    /// The fingerprint of each row's content.
    #[getter]
    fn fingerprints(&self) -> Column {
        self.column(Name::Fingerprints)
    }

    /// The ticket of each row.
    #[getter]
    fn tickets(&self, py: Python<'_>) -> Py<PyList> {
        self.tickets.clone_ref(py)
    }

    /// Return the content of each row.
    fn contents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let contents = (0..self.rows.len()).map(|row| PyString::new(py, self.rows.content(row)));
        PyList::new(py, contents.collect::<Vec<_>>())
    }

    /// Return the stored form of each row's key, or None.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let keys = (0..self.rows.len()).map(|row| self.rows.key(row).map(|key| PyBytes::new(py, &key::stored(key))));
        PyList::new(py, keys.collect::<Vec<_>>())
    }

    /// Return the extras of the rows that have any.
    fn extras<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        if self.rows.has_extras() {
            for (row, extras) in (0..self.rows.len()).filter_map(|row| Some((row, self.rows.extras(row)?))) {
                found.set_item(row, PyBytes::new(py, extras.as_bytes()))?;
            }
        }
        Ok(found)
    }

    /// Encode stored rows; returns (answers to their senders, frames for everybody else), in the order of `rows`.
    #[expect(clippy::too_many_arguments, reason = "one call per batch, with one argument per column")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 creates the vectors from lists")]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        rows: Vec<usize>,
        ids: Vec<i64>,
        numbers: Vec<i64>,
        sequences: Vec<i64>,
        workspace_ids: Vec<i64>,
        created_at: &str,
        epoch: &str,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
        if [&ids, &numbers, &sequences, &workspace_ids].iter().any(|column| column.len() != rows.len()) {
            return Err(PyValueError::new_err("the lists must have the same length"));
        }
        if rows.iter().any(|&row| row >= self.rows.len()) {
            return Err(PyIndexError::new_err("no such row"));
        }
        if ![created_at, epoch].iter().all(|text| text.bytes().all(needs_no_escape)) {
            return Err(PyValueError::new_err(
                "created_at and epoch must be visible ASCII without quotes and backslashes",
            ));
        }
        let stored: Vec<Stored> = (0..rows.len())
            .map(|at| Stored {
                row: rows[at],
                id: ids[at],
                number: numbers[at],
                sequence: sequences[at],
                workspace_id: workspace_ids[at],
            })
            .collect();
        panics::point("writer_encode");
        to_lists(py, &encode(py, &self.rows, &stored, created_at, epoch))
    }

    /// Answer the requests of the gateway whose answer is a tuple (status, body).
    fn answer_gateway(&self, py: Python<'_>, answers: &Bound<'_, PyList>) -> PyResult<()> {
        for (ticket, answer) in self.tickets.bind(py).iter().zip(answers.iter()) {
            if let (Ok(pending), Ok(stored)) = (ticket.cast::<Pending>(), answer.cast::<PyTuple>()) {
                let (status, body) = stored.extract::<(u16, Bound<'_, PyBytes>)>()?;
                let body = body.as_bytes().to_vec();
                panics::point("writer_answer");
                pending.get().complete(Answer { status, code: None, headers: Vec::new(), body });
            }
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tickets)
    }
}

/// Whether a JSON string and an SSE line can contain the byte unescaped.
fn needs_no_escape(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

fn encode(py: Python<'_>, columns: &Columns, stored: &[Stored], created_at: &str, epoch: &str) -> Encoded {
    let work =
        stored.len() * MESSAGE_BYTES + stored.iter().map(|stored| columns.content(stored.row).len()).sum::<usize>();
    let encode = || encode::encode(columns, stored, created_at, epoch);
    if work < DETACH_BYTES { encode() } else { py.detach(encode) }
}

fn to_lists<'py>(py: Python<'py>, encoded: &Encoded) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
    let pairs = encoded.pairs().map(|(answer, frame)| (PyBytes::new(py, answer), PyBytes::new(py, frame)));
    let (answers, frames): (Vec<_>, Vec<_>) = pairs.unzip();
    Ok((PyList::new(py, answers)?, PyList::new(py, frames)?))
}
