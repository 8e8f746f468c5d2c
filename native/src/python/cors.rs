//! The binding of CORS.

use pyo3::prelude::*;

use crate::cors;

/// The origins whose pages may read answers. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Cors(cors::Cors);

#[pymethods]
impl Cors {
    /// Allow these origins; `*` allows all.
    #[new]
    fn new(origins: Vec<String>) -> Self {
        Self(cors::Cors(origins))
    }

    /// Return the CORS headers of an answer. Each header replaces all headers of the answer that have the same name.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn headers(&self, origin: Option<&str>, vary: Vec<String>) -> Vec<cors::Header> {
        self.0.headers(origin, vary.iter().map(String::as_str))
    }
}
