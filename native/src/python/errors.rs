//! Converts the errors of the crate into Python exceptions, and checks numbers from Python.

use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::{FieldErrors, Rejected};

create_exception!(fechatter._native, MalformedBody, PyValueError, "The body is not JSON (400); args: (code, detail).");
create_exception!(
    fechatter._native,
    InvalidMessage,
    PyValueError,
    "The body is not a valid message (422); see `errors`."
);
create_exception!(
    fechatter._native,
    IntakeFull,
    PyRuntimeError,
    "The message does not fit into the intake (503); nothing was appended."
);

/// Returns the exception for a refused body.
#[cold]
pub fn rejected(py: Python<'_>, rejected: &Rejected) -> PyErr {
    match rejected {
        Rejected::Malformed(malformed) => MalformedBody::new_err((malformed.code(), malformed.to_string())),
        Rejected::Invalid(errors) => invalid(py, errors).unwrap_or_else(|error| error),
    }
}

/// Returns an `InvalidMessage` with its `errors: list[tuple[pointer, code, detail]]`.
#[cold]
pub fn invalid(py: Python<'_>, errors: &FieldErrors) -> PyResult<PyErr> {
    let tuples = errors.as_slice().iter().map(|error| (error.pointer.as_str(), error.code, error.detail.as_ref()));
    let list = PyList::new(py, tuples.collect::<Vec<_>>())?;
    let exception = InvalidMessage::new_err((list.clone().unbind(),));
    exception.value(py).setattr("errors", list)?;
    Ok(exception)
}

/// Converts a number of seconds.
///
/// # Errors
/// `ValueError`: the number is negative, too large or not a number.
pub fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Returns the exception for a full intake.
#[cold]
pub fn full(full: crate::error::IntakeFull) -> PyErr {
    IntakeFull::new_err(full.to_string())
}
