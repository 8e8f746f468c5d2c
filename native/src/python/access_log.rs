//! The binding of the gateway's access log.

use std::io;
use std::sync::Arc;

use pyo3::prelude::*;

use super::errors::duration;
use crate::access_log;

/// The access log of a gateway, on standard error. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct AccessLog(Arc<access_log::AccessLog>);

#[pymethods]
impl AccessLog {
    /// Write text for people if `readable` is true, otherwise JSON.
    #[new]
    fn new(readable: bool) -> PyResult<Self> {
        Ok(Self(Arc::new(access_log::AccessLog::new(readable, io::stderr())?)))
    }

    /// Set whether lines are written.
    fn turn(&self, on: bool) {
        self.0.turn(on);
    }

    /// Number of lines that were accepted.
    #[getter]
    fn accepted(&self) -> u64 {
        self.0.accepted()
    }

    /// Number of lines that were dropped because nobody read the log.
    #[getter]
    fn dropped(&self) -> u64 {
        self.0.dropped()
    }

    /// Wait until every accepted line is written, at most for `seconds`.
    fn flush(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let limit = duration(seconds)?;
        py.detach(|| self.0.flush(limit));
        Ok(())
    }
}

impl AccessLog {
    /// The log, for the gateway.
    pub fn shared(&self) -> Arc<access_log::AccessLog> {
        Arc::clone(&self.0)
    }
}
