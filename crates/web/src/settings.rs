//! Where the page is served, and who may come in.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::jobs::queue::JobsSettings;

/// Everything that decides how the page is served.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Names beside those of loopback under which it is reached: a host, or a host and a port.
    pub hosts: Vec<String>,
    /// Whether nobody may do more than look.
    pub read_only: bool,
    /// Whether it may be served beyond loopback without TLS.
    pub insecure: bool,
    /// Files with its certificates and its key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where jobs go that are left here; none are taken where this is `None`.
    pub jobs: Option<JobsSettings>,
}

/// Why the page is not served so, in one line.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Others could listen.
    #[error(
        "--listen {0} is beyond this machine: give --tls-cert and --tls-key, or --insecure for a network that you trust"
    )]
    Beyond(SocketAddr),
    /// No name of a host.
    #[error("--host {0}: give a name, or a name and a port, such as farm.example:8700")]
    Host(String),
}

impl Settings {
    /// Checks that they make sense, before anything is opened.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !self.listen.ip().is_loopback() && self.tls.is_none() && !self.insecure {
            return Err(SettingsError::Beyond(self.listen));
        }
        let is_name = |host: &str| {
            let letter = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
            !host.is_empty() && host.len() <= 255 && host.chars().all(letter)
        };
        match self.hosts.iter().find(|host| !is_name(host)) {
            Some(host) => Err(SettingsError::Host(host.clone())),
            None => Ok(()),
        }
    }

    /// `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
