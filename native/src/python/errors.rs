//! The crate's errors as Python's exceptions.

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::{FieldErrors, Rejected};

create_exception!(
    fechatter._native,
    MalformedBody,
    PyValueError,
    "The body is no JSON text (400); args: (code, detail)."
);
create_exception!(fechatter._native, InvalidMessage, PyValueError, "The body is not this message (422); see `errors`.");
create_exception!(
    fechatter._native,
    IntakeFull,
    PyRuntimeError,
    "The waiting batch has no room (503); nothing was appended."
);

/// The exception for a body that did not become a message.
#[cold]
pub fn rejected(py: Python<'_>, rejected: &Rejected) -> PyErr {
    match rejected {
        Rejected::Malformed(malformed) => MalformedBody::new_err((malformed.code(), malformed.to_string())),
        Rejected::Invalid(errors) => invalid(py, errors).unwrap_or_else(|error| error),
    }
}

/// An `InvalidMessage` with its `errors: list[tuple[pointer, code, detail]]`.
#[cold]
pub fn invalid(py: Python<'_>, errors: &FieldErrors) -> PyResult<PyErr> {
    let tuples = errors.as_slice().iter().map(|error| (error.pointer.as_str(), error.code, error.detail.as_ref()));
    let list = PyList::new(py, tuples.collect::<Vec<_>>())?;
    let exception = InvalidMessage::new_err((list.clone().unbind(),));
    exception.value(py).setattr("errors", list)?;
    Ok(exception)
}

/// The exception for a full intake.
#[cold]
pub fn full(full: crate::error::IntakeFull) -> PyErr {
    IntakeFull::new_err(full.to_string())
}
