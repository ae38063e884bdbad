//! Certificates of a test's own: an authority, and what it signs, as files in PEM.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

use crate::servers::ports::free_port;
use crate::servers::server::Server;

/// An authority with a folder of its own for what it signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, in files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = crate::files::folder();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "the farm's authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        write(&folder.path().join("ca.pem"), &certificate.pem());
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    /// Its own certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for a server of this name, or address.
    #[must_use]
    pub fn server(&self, name: &str) -> Pair {
        self.sign(name, ExtendedKeyUsagePurpose::ServerAuth, 2100)
    }

    /// One that was good until 2020.
    #[must_use]
    pub fn expired_server(&self, name: &str) -> Pair {
        self.sign(name, ExtendedKeyUsagePurpose::ServerAuth, 2020)
    }

    /// A certificate for a client.
    #[must_use]
    pub fn client(&self, name: &str) -> Pair {
        self.sign(name, ExtendedKeyUsagePurpose::ClientAuth, 2100)
    }

    /// A server that speaks TLS as `pair`, asks clients for certificates of this authority (`yes`) or not (`no`), and speaks
    /// plain text for the test itself; and its port for TLS.
    #[must_use]
    pub fn redis(&self, pair: &Pair, clients: &str) -> (Server, u16) {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let port = free_port();
        let server = Server::start_with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &text(&pair.certificate),
            "--tls-key-file",
            &text(&pair.key),
            "--tls-ca-cert-file",
            &text(&self.file()),
            "--tls-auth-clients",
            clients,
        ]);
        (server, port)
    }

    fn sign(&self, name: &str, usage: ExtendedKeyUsagePurpose, until: i32) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(2010, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let file = |what: &str| {
            self.folder
                .path()
                .join(format!("{name}-{until}-{what}.pem"))
        };
        let pair = Pair {
            certificate: file("certificate"),
            key: file("key"),
        };
        write(&pair.certificate, &certificate.pem());
        write(&pair.key, &key.serialize_pem());
        pair
    }
}

fn write(path: &Path, pem: &str) {
    crate::files::write_secret(path, pem);
}
