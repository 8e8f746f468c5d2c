//! The binding of trusted proxies.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::forwarded::{self, Headers};

/// The proxies whose headers name the client. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct TrustedProxies(forwarded::TrustedProxies);

#[pymethods]
impl TrustedProxies {
    /// Trust the headers, `x-forwarded` or `forwarded`, of these proxies: networks, or `unix`.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn new(proxies: Vec<String>, headers: &str) -> PyResult<Self> {
        let headers = Headers::named(headers)
            .ok_or_else(|| PyValueError::new_err(format!("{headers} is not a name of headers")))?;
        let parsed = forwarded::TrustedProxies::parse(&proxies, headers);
        parsed.map(Self).map_err(|invalid| PyValueError::new_err(invalid.to_string()))
    }

    /// Return the address of the client, and whether it used HTTPS if a proxy states it. `lines` are header lines.
    fn client(&self, peer: &str, lines: &Bound<'_, PyList>) -> PyResult<(String, Option<bool>)> {
        let mut found = Vec::new();
        if self.0.trusts(peer) {
            for line in lines {
                let (name, value) = (line.get_item(0)?, line.get_item(1)?);
                found.push((name.cast_into::<PyBytes>()?, value.cast_into::<PyBytes>()?));
            }
        }
        let client = self.0.client(peer, found.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        Ok((client.address.into_owned(), client.is_secure))
    }
}
