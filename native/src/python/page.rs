//! The bindings of a page of history and of the results of a batch.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::message::page::{self, Place};
use crate::message::results::{self, Result};
use crate::message::time::Timestamp;

/// Encode a page of a chat's history; returns its JSON and the number of rows that were read.
#[pyfunction]
pub fn encode_page<'py>(
    py: Python<'py>,
    packed: &[u8],
    chat_id: i64,
    split: i64,
    older: usize,
    newer: usize,
) -> PyResult<(Bound<'py, PyBytes>, usize)> {
    let place = Place { split, older, newer };
    let (body, rows) =
        page::encode(packed, chat_id, place).map_err(|_| PyValueError::new_err("the packed rows are damaged"))?;
    Ok((PyBytes::new(py, &body), rows))
}

/// Return a time in milliseconds since 1970 as RFC 3339.
#[pyfunction]
pub fn timestamp(milliseconds: i64) -> PyResult<String> {
    let time =
        Timestamp::new(milliseconds).ok_or_else(|| PyValueError::new_err("the year has more than four digits"))?;
    Ok(time.as_str().to_owned())
}

/// Return the answer to a request with several messages. Each result is (status, whether it is a problem, JSON).
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
pub fn encode_results<'py>(py: Python<'py>, results: Vec<(u16, bool, Bound<'py, PyBytes>)>) -> Bound<'py, PyBytes> {
    let results = results.iter().map(|(status, is_problem, body)| Result {
        status: *status,
        is_problem: *is_problem,
        body: body.as_bytes(),
    });
    PyBytes::new(py, &results::encode_results(results))
}
