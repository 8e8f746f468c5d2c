//! TLS to upstreams, whose certificates are always checked.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::config::InvalidConfig;

/// Prepares TLS with these root certificates (PEM). Certificates that rustls does not support are skipped.
///
/// # Errors
/// [`InvalidConfig`]: the text is not PEM.
pub fn client(roots: &str) -> Result<TlsConnector, InvalidConfig> {
    let invalid =
        |error: &dyn std::fmt::Display| InvalidConfig(format!("the root certificates cannot be used: {error}"));
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(roots.as_bytes()).collect::<Result<Vec<_>, _>>();
    store.add_parsable_certificates(certificates.map_err(|error| invalid(&error))?);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| invalid(&error))?;
    Ok(Arc::new(builder.with_root_certificates(store).with_no_client_auth()).into())
}
