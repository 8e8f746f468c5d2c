//! The binding of the gateway. Other Python threads can run while a call waits.

use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::sync::Arc;

use bytes::Bytes;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::access_log::AccessLog;
use super::cache::ResponseCache;
use super::errors::duration;
use super::hub::Streams;
use super::intake::Intake;
use super::quota::{AtOnce, Meter, Quota};
use super::token::Tokens;
use crate::gateway;
use crate::gateway::cache::responses::Responses;
use crate::gateway::config::{Config, InvalidConfig};
use crate::gateway::held_bodies::HeldBodies;
use crate::gateway::pages::{Page, Pages, Variant};
use crate::gateway::routes::OwnAnswers;
use crate::gateway::send::Sends;
use crate::gateway::send_many::BatchLimits;
use crate::gateway::tls::{self, Pair};

/// The certificates of a gateway. A client receives the first certificate with the name that it requests, or otherwise
/// the last one.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Certificates(Arc<tls::Certificates>);

#[pymethods]
impl Certificates {
    /// Use these pairs for new connections: the PEM of a certificate with its chain, and of its key.
    #[new]
    fn new(py: Python<'_>, pairs: Vec<Pair>) -> PyResult<Self> {
        let certificates = Self(Arc::default());
        certificates.replace(py, pairs)?;
        Ok(certificates)
    }

    /// Use other pairs for new connections.
    #[expect(clippy::needless_pass_by_value, reason = "the binding creates the value")]
    fn replace(&self, py: Python<'_>, pairs: Vec<Pair>) -> PyResult<()> {
        let replaced = py.detach(|| self.0.replace(&pairs));
        replaced.map_err(|unusable| PyValueError::new_err((unusable.index, unusable.reason)))
    }
}

/// Routes of a file by path, and its variants: coding, tag, headers, content.
type PythonPage = (Vec<(String, String)>, Vec<(String, String, Vec<(String, String)>, PyBackedBytes)>);

/// The limits of one person's batches: requests, concurrent batches and work.
type PythonLimits<'py> = (Bound<'py, Quota>, Bound<'py, AtOnce>, Bound<'py, Meter>);

/// The cache, the verifier of tokens, and the quota of requests.
type PythonResponses<'py> = (Bound<'py, ResponseCache>, Bound<'py, Tokens>, Option<Bound<'py, Quota>>);

fn page((routes, variants): PythonPage) -> Page {
    let variants = variants.into_iter().map(|(coding, tag, headers, content)| Variant {
        coding,
        tag,
        headers,
        content: Bytes::copy_from_slice(&content),
    });
    Page { routes, variants: variants.collect() }
}

fn limits((requests, at_once, work): &PythonLimits<'_>) -> BatchLimits {
    let (requests, at_once, work) = (requests.get().shared(), at_once.get().shared(), work.get().shared());
    BatchLimits { requests: Some(requests), at_once: Some(at_once), work: Some(work) }
}

/// Accepts connections on a thread of its own and forwards requests to the servers behind it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Gateway(gateway::Gateway);

#[pymethods]
impl Gateway {
    /// Create a gateway from its configuration, a JSON object. With `tokens` and `intake`, it stores messages itself.
    /// With `tokens` only, it refuses requests with invalid tokens. With `certificates`, it serves HTTPS only. It
    /// serves `pages` itself, and delivers the `streams` of the app. It logs its own answers in `access_log`. With
    /// `responses`, it repeats answers of the app.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword in Python, and all are optional")]
    #[pyo3(signature = (
        config, tokens = None, quota = None, intake = None, certificates = None, pages = Vec::new(),
        batch_limits = None, streams = None, access_log = None, responses = None
    ))]
    fn new(
        config: &[u8],
        tokens: Option<&Bound<'_, Tokens>>,
        quota: Option<&Bound<'_, Quota>>,
        intake: Option<&Bound<'_, Intake>>,
        certificates: Option<&Bound<'_, Certificates>>,
        pages: Vec<PythonPage>,
        batch_limits: Option<PythonLimits<'_>>,
        streams: Option<&Bound<'_, Streams>>,
        access_log: Option<&Bound<'_, AccessLog>>,
        responses: Option<PythonResponses<'_>>,
    ) -> PyResult<Self> {
        let invalid = |error: InvalidConfig| PyValueError::new_err(error.to_string());
        let config = Config::parse(config).map_err(invalid)?;
        let quota = quota.map(|quota| quota.get().shared());
        let sends = tokens.zip(intake).map(|(tokens, intake)| Sends {
            tokens: tokens.get().shared(),
            quota,
            batches: batch_limits.as_ref().map(limits).unwrap_or_default(),
            work: config.batch_work,
            intake: intake.get().queue(),
            bodies: HeldBodies::default(),
        });
        let responses = responses.map(|(cache, tokens, quota)| Responses {
            cache: cache.get().shared(),
            tokens: tokens.get().shared(),
            quota: quota.map(|quota| quota.get().shared()),
        });
        let certificates = certificates.map(|certificates| Arc::clone(&certificates.get().0));
        let access = access_log.map(|log| log.get().shared());
        let pages = Pages::new(pages.into_iter().map(page).collect()).map_err(invalid)?;
        let streams = streams.map(|streams| streams.get().shared());
        // Without an intake, the gateway only checks the tokens before it forwards requests.
        let early_tokens = tokens.filter(|_| sends.is_none()).map(|tokens| tokens.get().shared());
        let own = OwnAnswers { sends, pages, streams, access, early_tokens, responses };
        gateway::Gateway::new(config, own, certificates).map(Self).map_err(invalid)
    }

    /// Serve the connections of these sockets, which listen already. The gateway takes the descriptors and closes them.
    #[expect(unsafe_code, reason = "a descriptor from Python has no owner that Rust knows")]
    fn start(&self, py: Python<'_>, listening: Vec<RawFd>) -> PyResult<()> {
        if let Some(invalid) = listening.iter().find(|descriptor| **descriptor < 0) {
            return Err(PyValueError::new_err(format!("{invalid} is not a file descriptor")));
        }
        // SAFETY: the caller passes open descriptors that nothing else uses or closes, as the stub demands.
        let sockets = listening.into_iter().map(|descriptor| unsafe { OwnedFd::from_raw_fd(descriptor) }).collect();
        py.detach(|| self.0.start(sockets)).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// Use the upstreams, routes and filters of another configuration for new requests.
    fn reroute(&self, config: &[u8]) -> PyResult<()> {
        let rerouted = Config::parse(config).and_then(|config| self.0.reroute(config));
        rerouted.map_err(|invalid| PyValueError::new_err(invalid.to_string()))
    }

    /// Accept no new connections, and end each connection after its requests in progress.
    fn stop_accepting(&self) {
        self.0.stop_accepting();
    }

    /// Wait until the last connection has ended, at most for `seconds`; returns whether it has.
    fn wait_idle(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let limit = duration(seconds)?;
        Ok(py.detach(|| self.0.wait_idle(limit)))
    }

    /// Close every connection and end the thread.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.0.stop());
    }

    /// Return the people who sent messages within the last minute.
    fn senders(&self) -> Vec<i64> {
        self.0.senders()
    }

    /// Return the counters as a JSON object.
    fn counters<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.counters())
    }
}
