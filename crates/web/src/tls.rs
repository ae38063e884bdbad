//! Certificates and keys from files, which may be renewed meanwhile.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use disk::limited::read_limited;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How often files are looked at, at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Most bytes of a file with certificates or a key.
const MOST_FILE_BYTES: u64 = 1 << 20;
/// What names the page's certificates.
const CERTIFICATES: &str = "--tls-cert";
/// What names the key of the first of them.
const KEY: &str = "--tls-key";

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

/// Answers with the certificates and the key of two files, and with those that take their place.
pub struct RenewedAcceptor {
    certificates: PathBuf,
    key: PathBuf,
    known: Mutex<Known>,
}

/// What is answered with now.
struct Known {
    acceptor: TlsAcceptor,
    pair: Pair,
    /// When the files were last looked at.
    looked: Instant,
    /// What is wrong with those that would have come after; told once.
    wrong: Option<String>,
}

/// Both files as they were read.
#[derive(PartialEq, Eq)]
struct Pair {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl RenewedAcceptor {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read, or do not go together.
    pub fn open(certificates: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let pair = Pair::read(certificates, key)?;
        Ok(Arc::new(Self {
            known: Mutex::new(Known {
                acceptor: pair.acceptor(certificates, key)?,
                pair,
                looked: Instant::now(),
                wrong: None,
            }),
            certificates: certificates.to_owned(),
            key: key.to_owned(),
        }))
    }

    /// What the next connection is answered with. Files are looked at once a second at most, aside.
    pub async fn current(self: &Arc<Self>) -> TlsAcceptor {
        if self.is_due() {
            let own = Arc::clone(self);
            // One that panicked has changed nothing.
            let _ = tokio::task::spawn_blocking(move || own.look()).await;
        }
        self.known().acceptor.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this one is to look at the files; nobody else is for a while.
    fn is_due(&self) -> bool {
        let mut known = self.known();
        let is_due = known.looked.elapsed() >= LOOK_INTERVAL;
        if is_due {
            known.looked = Instant::now();
        }
        is_due
    }

    /// Takes renewed files over, where they can be used.
    fn look(&self) {
        let read = Pair::read(&self.certificates, &self.key);
        let is_same = |pair: &Pair| *pair == self.known().pair;
        let renewed = match read {
            Ok(pair) if is_same(&pair) => {
                self.known().wrong = None;
                return;
            }
            Ok(pair) => (pair.acceptor(&self.certificates, &self.key))
                .map(|acceptor| (acceptor, pair))
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let mut known = self.known();
        match renewed {
            Ok((acceptor, pair)) => {
                tracing::info!("the page's certificates were renewed");
                known.acceptor = acceptor;
                known.pair = pair;
                known.wrong = None;
            }
            Err(wrong) if known.wrong.as_ref() != Some(&wrong) => {
                tracing::warn!(
                    "renewed certificates cannot be used, and the old ones are: {wrong}"
                );
                known.wrong = Some(wrong);
            }
            Err(_) => {}
        }
    }
}

impl Pair {
    fn read(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let bytes = |option, path: &Path| {
            read_limited(path, MOST_FILE_BYTES).map_err(|error| TlsError::File {
                option,
                path: path.display().to_string(),
                reason: error.to_string(),
            })
        };
        Ok(Self {
            certificates: bytes(CERTIFICATES, certificates)?,
            key: bytes(KEY, key)?,
        })
    }

    fn acceptor(&self, certificates: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
        let file = |option, path: &Path, reason: String| TlsError::File {
            option,
            path: path.display().to_string(),
            reason,
        };
        let read = CertificateDer::pem_slice_iter(&self.certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| file(CERTIFICATES, certificates, error.to_string()))?;
        if read.is_empty() {
            let reason = "holds no certificate".to_owned();
            return Err(file(CERTIFICATES, certificates, reason));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| file(KEY, key, error.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(read, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
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
