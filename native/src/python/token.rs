//! The binding of `Tokens`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::token;

/// Verifies access tokens and caches the valid ones. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct Tokens {
    inner: Arc<token::Tokens>,
}

impl Tokens {
    /// The verifier, for the gateway.
    pub fn shared(&self) -> Arc<token::Tokens> {
        Arc::clone(&self.inner)
    }
}

#[pymethods]
impl Tokens {
    /// Create a verifier for tokens that `secret` signs.
    #[new]
    #[pyo3(signature = (secret, max_cached = 65_536))]
    fn new(secret: &[u8], max_cached: usize) -> Self {
        Self { inner: Arc::new(token::Tokens::new(secret, max_cached)) }
    }

    /// Return (user id, workspace id, session id) of a valid token, otherwise None.
    #[pyo3(signature = (token, now_seconds = None))]
    fn verify(&self, token: &Bound<'_, PyString>, now_seconds: Option<f64>) -> Option<(i64, i64, i64)> {
        // A text with a lone surrogate is not a token.
        let token = token.to_str().ok()?.as_bytes();
        let claims = match now_seconds {
            None => self.inner.verify(token),
            Some(now) => self.inner.verify_at(token, now),
        }?;
        Some((claims.user_id, claims.workspace_id, claims.session_id))
    }

    /// Number of tokens in the cache.
    fn __len__(&self) -> usize {
        self.inner.cached()
    }
}
