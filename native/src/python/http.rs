//! The bindings of request ids, security headers and problems.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::problem::{Limit, Problem};
use crate::{headers, negotiation, request_id};

/// An endless iterator of request ids. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct RequestIds(request_id::RequestIds);

#[pymethods]
impl RequestIds {
    #[new]
    fn new() -> Self {
        Self(request_id::RequestIds::default())
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Return the next id.
    fn __next__(&self) -> String {
        self.0.next_id()
    }
}

/// Whether a client may choose this request id.
#[pyfunction]
pub fn is_request_id(id: &[u8]) -> bool {
    request_id::is_valid(id)
}

/// Whether an Accept-Encoding header names the coding with a weight above zero.
#[pyfunction]
pub fn accepts_coding(header: &str, coding: &str) -> bool {
    negotiation::accepts_coding(header, coding)
}

/// Whether an If-None-Match header contains the tag, which includes its quotes.
#[pyfunction]
pub fn matches_tag(header: &str, tag: &str) -> bool {
    negotiation::matches_tag(header, tag)
}

/// Return the security headers of a response.
#[pyfunction]
pub fn security_headers(
    py: Python<'_>,
    https: bool,
    has_policy: bool,
) -> Vec<(Bound<'_, PyBytes>, Bound<'_, PyBytes>)> {
    let as_bytes = |text: &str| PyBytes::new(py, text.as_bytes());
    headers::security(https, has_policy).map(|(name, value)| (as_bytes(name), as_bytes(value))).collect()
}

/// Return the body of an error response.
#[pyfunction]
pub fn problem_body<'py>(
    py: Python<'py>,
    status: u16,
    title: &str,
    code: &str,
    detail: &str,
    request_id: &str,
    members: &[u8],
) -> Bound<'py, PyBytes> {
    let problem = Problem { status, title, code, detail, members, ..Problem::default() };
    PyBytes::new(py, &problem.body(request_id))
}

/// Return the headers of an error response.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
#[pyo3(signature = (status, retry_after_seconds = None, limit = None, allow = None))]
pub fn problem_headers(
    status: u16,
    retry_after_seconds: Option<u64>,
    limit: Option<(String, u32, u32)>,
    allow: Option<&str>,
) -> Vec<(&'static str, String)> {
    let limit = limit.as_ref().map(|(name, requests, window_seconds)| Limit {
        name,
        requests: *requests,
        window_seconds: *window_seconds,
    });
    Problem { status, retry_after_seconds, limit, allow, ..Problem::default() }.headers()
}
