//! TLS: what a server and a client show each other, and what went wrong with it in a few words.

use std::error::Error;
use std::io;
use std::sync::Arc;

use ::redis::{ClientTlsConfig, RedisError, TlsCertificates};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use crate::redis::connect::Credentials;

/// The certificates of `credentials` as the crate takes them, each looked at before anything is opened.
///
/// # Errors
/// One line: which file is none of its kind, or that certificate and key are not of one pair.
pub(super) fn certificates(credentials: &Credentials) -> Result<TlsCertificates, String> {
    // Named, so that it does not depend on which others some dependency brings in. Done twice it changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Some(pem) = &credentials.authorities {
        let mut store = RootCertStore::empty();
        for certificate in chain(pem, "--tls-ca")? {
            store
                .add(certificate)
                .map_err(|error| format!("a certificate of --tls-ca cannot be used: {error}"))?;
        }
    }
    if let Some(identity) = &credentials.identity {
        let chain = chain(&identity.certificate, "--tls-cert")?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.expose().as_bytes())
            // Not the error's own text: it may quote the key.
            .map_err(|_| "the file of --tls-key holds no private key in PEM".to_owned())?;
        ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_client_auth_cert(chain, key)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    "--tls-cert and --tls-key are no pair".to_owned()
                }
                other => format!("--tls-cert and --tls-key cannot be used: {other}"),
            })?;
    }
    Ok(TlsCertificates {
        client_tls: (credentials.identity.as_ref()).map(|identity| ClientTlsConfig {
            client_cert: identity.certificate.clone(),
            client_key: identity.key.expose().as_bytes().to_vec(),
        }),
        root_cert: credentials.authorities.clone(),
    })
}

fn chain(pem: &[u8], option: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!(
            "the file of {option} holds no certificate (in PEM)"
        )),
        Err(error) => Err(format!("the file of {option} is no PEM: {error}")),
    }
}

/// What a handshake failed at, if it is that which `error` tells of.
pub(super) fn reason(error: &RedisError) -> Option<String> {
    let source = error.source()?;
    // The crate keeps what the socket said in a shared box of its own.
    let io: &io::Error = match source.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => (**shared).downcast_ref()?,
        None => source.downcast_ref()?,
    };
    Some(words(io.get_ref()?.downcast_ref()?))
}

fn words(error: &rustls::Error) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(certificate) => match certificate {
            CertificateError::NotValidForNameContext { presented, .. } => {
                format!(
                    "its certificate is not for this name, but for {}",
                    presented.join(", ")
                )
            }
            CertificateError::NotValidForName => "its certificate is not for this name".to_owned(),
            // The second is how another authority of the same name shows.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is from an authority that is not trusted here (--tls-ca FILE names another one)".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet (is this machine's clock right?)".to_owned()
            }
            other => format!("its certificate is not accepted: {other}"),
        },
        Tls::InvalidMessage(_) => "it does not speak TLS (redis:// is without)".to_owned(),
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a client certificate: --tls-cert FILE and --tls-key FILE".to_owned()
        }
        Tls::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate),
        ) => format!("it refused the client certificate: {alert:?}"),
        Tls::AlertReceived(alert) => format!("it broke off the TLS handshake: {alert:?}"),
        other => format!("TLS: {other}"),
    }
}
