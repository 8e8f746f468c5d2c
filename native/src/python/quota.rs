//! The bindings of `Meter` and `Quota`.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};

use crate::at_once;
use crate::quota::{self, Key, Refused, monotonic_seconds};

impl<'py> FromPyObject<'_, 'py> for Key {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(number) = object.cast::<PyInt>() {
            Ok(Self::Number(number.extract()?))
        } else if let Ok(text) = object.cast::<PyString>() {
            Ok(Self::Text(text.to_string_lossy().into()))
        } else if let Ok(bytes) = object.cast::<PyBytes>() {
            Ok(Self::Bytes(bytes.as_bytes().into()))
        } else {
            Err(PyTypeError::new_err("a key must be int, str or bytes"))
        }
    }
}

/// The clock of a test, or `None` for the clock of this crate.
struct Clock(Option<Py<PyAny>>);

impl Clock {
    fn now(&self, py: Python<'_>) -> PyResult<f64> {
        self.0.as_ref().map_or_else(|| Ok(monotonic_seconds()), |clock| clock.call0(py)?.extract(py))
    }
}

/// Counts the attempts of each key against one limit. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen, subclass)]
pub struct Meter {
    inner: Arc<quota::Meter>,
    clock: Clock,
}

#[pymethods]
impl Meter {
    /// Create a meter that allows `burst` attempts at once, and one more every `every_seconds`.
    #[new]
    #[pyo3(signature = (burst, every_seconds, max_keys = 65_536, clock = None))]
    fn new(burst: u32, every_seconds: f64, max_keys: usize, clock: Option<Py<PyAny>>) -> Self {
        let inner = Arc::new(quota::Meter::new(burst, every_seconds, max_keys));
        Self { inner, clock: Clock(clock) }
    }

    /// Count an attempt and return 0.0, or count nothing and return the seconds until one is allowed.
    fn take(&self, py: Python<'_>, key: Key) -> PyResult<f64> {
        let taken = self.inner.take(key, self.clock.now(py)?);
        Ok(taken.map_or_else(|Refused(wait_seconds)| wait_seconds, |_| 0.0))
    }

    /// Return the seconds until all counted attempts have expired.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn used(&self, py: Python<'_>, key: Key) -> PyResult<f64> {
        Ok(self.inner.used(&key, self.clock.now(py)?))
    }

    /// Whether more than half of the limit is used.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn is_half_used(&self, py: Python<'_>, key: Key) -> PyResult<bool> {
        Ok(self.inner.is_half_used(&key, self.clock.now(py)?))
    }

    /// Count `count` attempts, even beyond the limit. Returns the seconds until all counted attempts have expired.
    fn charge(&self, py: Python<'_>, key: Key, count: f64) -> PyResult<f64> {
        Ok(self.inner.charge(key, count, self.clock.now(py)?))
    }

    /// Remove one attempt from the count.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn give_back(&self, py: Python<'_>, key: Key) -> PyResult<()> {
        self.inner.give_back(&key, self.clock.now(py)?);
        Ok(())
    }

    /// Remove all attempts of a key from the count.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn forget(&self, key: Key) {
        self.inner.forget(&key);
    }

    /// Number of keys in the table.
    fn __len__(&self) -> usize {
        self.inner.len()
    }

    /// Seconds until an exhausted limit is fully available again.
    #[getter]
    fn window(&self) -> f64 {
        self.inner.window()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.clock.0)
    }
}

impl Meter {
    /// The meter, for the gateway.
    pub fn shared(&self) -> Arc<quota::Meter> {
        Arc::clone(&self.inner)
    }
}

/// Limits the concurrent requests of each key. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct AtOnce(Arc<at_once::AtOnce>);

#[pymethods]
impl AtOnce {
    /// Allow each key `most` running requests.
    #[new]
    fn new(most: u32) -> Self {
        Self(Arc::new(at_once::AtOnce::new(most)))
    }

    /// Begin a request and return True, or return False if too many run; `leave` ends it.
    fn enter(&self, key: Key) -> bool {
        self.0.enter(key)
    }

    /// End a request.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    fn leave(&self, key: Key) {
        self.0.leave(&key);
    }

    /// Number of keys with a running request.
    fn __len__(&self) -> usize {
        self.0.len()
    }
}

impl AtOnce {
    /// The counts, for the gateway.
    pub fn shared(&self) -> Arc<at_once::AtOnce> {
        Arc::clone(&self.0)
    }
}

/// Allows each key a number of requests per minute. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Quota {
    inner: Arc<quota::Quota>,
    clock: Clock,
    policy: Py<PyTuple>,
    name: Py<PyBytes>,
}

#[pymethods]
impl Quota {
    /// Create a quota; `name` is its name in the headers.
    #[new]
    #[pyo3(signature = (name, per_minute, clock = None))]
    fn new(py: Python<'_>, name: &str, per_minute: u32, clock: Option<Py<PyAny>>) -> PyResult<Self> {
        if per_minute == 0 {
            return Err(PyValueError::new_err("per_minute must be positive"));
        }
        let inner = Arc::new(quota::Quota::new(name, per_minute));
        let value = PyBytes::new(py, inner.policy().as_bytes());
        let policy = (PyBytes::new(py, quota::POLICY_HEADER.as_bytes()), value).into_pyobject(py)?.unbind();
        let name = PyBytes::new(py, quota::REMAINING_HEADER.as_bytes()).unbind();
        Ok(Self { inner, clock: Clock(clock), policy, name })
    }

    /// Count one request and return its headers, or count nothing and return the value of Retry-After.
    fn take<'py>(&self, py: Python<'py>, key: Key) -> PyResult<Bound<'py, PyAny>> {
        match self.inner.take(key, self.clock.now(py)?) {
            Ok(remaining) => Ok(self.headers(py, &remaining)?.into_any()),
            Err(refused) => Ok(refused.retry_after_seconds().into_pyobject(py)?.into_any()),
        }
    }

    /// Count `count` more requests, for a request that was allowed, and return the changed headers.
    fn charge<'py>(&self, py: Python<'py>, key: Key, count: f64) -> PyResult<Bound<'py, PyTuple>> {
        let remaining = self.inner.charge(key, count, self.clock.now(py)?);
        self.headers(py, &remaining)
    }

    /// Number of keys in the table.
    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.clock.0)
    }
}

impl Quota {
    /// The quota, for the gateway.
    pub fn shared(&self) -> Arc<quota::Quota> {
        Arc::clone(&self.inner)
    }

    fn headers<'py>(&self, py: Python<'py>, remaining: &str) -> PyResult<Bound<'py, PyTuple>> {
        let remaining = (self.name.clone_ref(py), PyBytes::new(py, remaining.as_bytes()));
        (self.policy.clone_ref(py), remaining).into_pyobject(py)
    }
}
