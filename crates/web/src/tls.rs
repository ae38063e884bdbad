//! Certificates and keys from files.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why there is no TLS, in one line.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is none.
    #[error("{option} {path}: {reason}")]
    File {
        /// The option that names it.
        option: &'static str,
        /// Its path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// They do not go together.
    #[error("--tls-cert and --tls-key: {0}")]
    Pair(#[from] rustls::Error),
}

/// What answers with the certificates and the key of two files.
///
/// # Errors
/// When they cannot be read, or do not go together.
pub fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let file = |option, path: &Path, reason: String| TlsError::File {
        option,
        path: path.display().to_string(),
        reason,
    };
    let read = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file("--tls-cert", certificates, error.to_string()))?;
    if read.is_empty() {
        return Err(file(
            "--tls-cert",
            certificates,
            "holds no certificate".to_owned(),
        ));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| file("--tls-key", key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(read, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What asks servers whose certificates one in the file `authority` has signed.
///
/// # Errors
/// When no file is given, or it cannot be read.
pub fn connector(authority: Option<&Path>) -> Result<TlsConnector, TlsError> {
    const OPTION: &str = "--server-ca";
    let file = |path: &Path, reason: String| TlsError::File {
        option: OPTION,
        path: path.display().to_string(),
        reason,
    };
    let Some(path) = authority else {
        let line = "FILE is needed: the certificates to check the server's with";
        return Err(file(Path::new(""), line.to_owned()));
    };
    let read = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file(path, error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in read {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
