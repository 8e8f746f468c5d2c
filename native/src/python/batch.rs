//! `MessageBatch`: what the writer decides on, stores and answers.

use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use super::buffer::{Arena, Column, Name, Rows};
use crate::batch::Columns;
use crate::intake::Taken;
use crate::message::encode::{self, Encoded, Stored};
use crate::message::key;
use crate::message::timestamp::Timestamp;

/// From this many bytes on (about 50 µs of work) other threads may run meanwhile.
const DETACH_BYTES: usize = 64 << 10;
/// What encoding a message costs besides its content, counted in bytes of content.
const MESSAGE_BYTES: usize = 512;

/// A taken batch; it never changes, and its memory is reused when nothing refers to it any more.
#[pyclass(module = "fechatter._native", frozen)]
pub struct MessageBatch {
    rows: Rows,
    tickets: Py<PyList>,
}

impl MessageBatch {
    /// Wraps what the intake gave.
    pub fn new(py: Python<'_>, taken: Taken<Py<PyAny>>) -> PyResult<Self> {
        let tickets = PyList::new(py, taken.tickets)?.unbind();
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

    /// Where each row's content begins in the arena, and where the last one ends; in bytes.
    #[getter]
    fn content_offsets(&self) -> Column {
        self.column(Name::ContentOffsets)
    }

    /// All contents, one after the other, as UTF-8.
    #[getter]
    fn arena(&self) -> Arena {
        Arena::new(Arc::clone(&self.rows))
    }

    /// What each row's sender waits with.
    #[getter]
    fn tickets(&self, py: Python<'_>) -> Py<PyList> {
        self.tickets.clone_ref(py)
    }

    /// The content of each row, for the database driver.
    fn contents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let contents = (0..self.rows.len()).map(|row| PyString::new(py, self.rows.content(row)));
        PyList::new(py, contents.collect::<Vec<_>>())
    }

    /// The stored form of each row's key, or None.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let keys = (0..self.rows.len()).map(|row| self.rows.key(row).map(|key| PyBytes::new(py, &key::stored(key))));
        PyList::new(py, keys.collect::<Vec<_>>())
    }

    /// Encode the stored rows: (answers for their senders, frames for everybody else), in the order of `rows`.
    #[expect(clippy::too_many_arguments, reason = "columns of one call a batch")]
    #[expect(clippy::needless_pass_by_value, reason = "the binding makes the lists")]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        rows: Vec<usize>,
        ids: Vec<i64>,
        numbers: Vec<i64>,
        sequences: Vec<i64>,
        workspace_ids: Vec<i64>,
        created_at_ms: i64,
        epoch: &str,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
        if [&ids, &numbers, &sequences, &workspace_ids].iter().any(|column| column.len() != rows.len()) {
            return Err(PyValueError::new_err("rows and what they got must have one length"));
        }
        if rows.iter().any(|&row| row >= self.rows.len()) {
            return Err(PyIndexError::new_err("no such row"));
        }
        if !epoch.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PyValueError::new_err("an epoch holds visible ASCII only"));
        }
        let created_at = Timestamp::from_unix(created_at_ms)
            .ok_or_else(|| PyValueError::new_err("created_at_ms must lie in the years 0000 to 9999"))?;
        let stored: Vec<Stored> = (0..rows.len())
            .map(|at| Stored {
                row: rows[at],
                id: ids[at],
                number: numbers[at],
                sequence: sequences[at],
                workspace_id: workspace_ids[at],
            })
            .collect();
        to_lists(py, &encode(py, &self.rows, &stored, created_at, epoch))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tickets)
    }
}

fn encode(py: Python<'_>, columns: &Columns, stored: &[Stored], created_at: Timestamp, epoch: &str) -> Encoded {
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
