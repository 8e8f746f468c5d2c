//! Converts the errors of the crate into Python exceptions.

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

/// Returns the exception for a full intake.
#[cold]
pub fn full(full: crate::error::IntakeFull) -> PyErr {
    IntakeFull::new_err(full.to_string())
}
