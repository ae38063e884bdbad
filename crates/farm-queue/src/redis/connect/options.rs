//! How to reach the farm's Redis, as a program is told.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ::redis::ConnectionAddr;

use crate::protocol::signing::FarmKey;
use crate::redis::connect::address::{self, Destination, without_credentials};

/// A text that no log and no error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` to itself.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A certificate that shows a server who the client is, and its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and the authority.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Secret,
}

/// What shows a server who somebody is, and by what that knows the server: all that may be renewed while a program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Instead of the password in the address.
    pub password: Option<Secret>,
    /// Certificates of the authorities to trust, in PEM; those of the system when `None`.
    pub authorities: Option<Vec<u8>>,
    /// What to show to a server that wants to know its clients.
    pub identity: Option<Identity>,
}

/// Where credentials are looked up again whenever a connection is opened.
pub trait CredentialSource: Send + Sync + 'static {
    /// Those that count by now. It may block: it is called on a thread for that.
    ///
    /// # Errors
    /// Why there are none now, in one line without a secret; those that were known before count on.
    fn read(&self) -> Result<Credentials, String>;
}

/// Where the farm's Redis is, and how to get in.
#[derive(Clone)]
pub struct ConnectOptions {
    /// `redis://`, `rediss://` (TLS), `redis+sentinel://`, `rediss+sentinel://` or `unix://`; may hold user and password.
    pub url: String,
    /// Instead of the user in the address.
    pub user: Option<String>,
    /// Password, authorities and identity, as they are now.
    pub credentials: Credentials,
    /// Where they are looked up again whenever a connection is opened; where there is nothing they stay as they are.
    pub renewed_by: Option<Arc<dyn CredentialSource>>,
    /// Whether plain text may leave this machine.
    pub insecure: bool,
    /// The key that signs job specs.
    pub farm_key: Option<FarmKey>,
}

impl ConnectOptions {
    /// The address alone.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            user: None,
            credentials: Credentials::default(),
            renewed_by: None,
            insecure: false,
            farm_key: None,
        }
    }

    /// Whether an address holds a user, and whether a password; neither where it is none.
    #[must_use]
    pub fn credentials_in(url: &str) -> (bool, bool) {
        address::parse(url).map_or((false, false), |place| {
            let login = place.login();
            (login.username().is_some(), login.password().is_some())
        })
    }

    /// Whether an address holds any password: the server's, or one of its Sentinels' own.
    #[must_use]
    pub fn has_password(url: &str) -> bool {
        let of_sentinels = match address::parse(url) {
            Ok(Destination::Sentinels(place)) => place.own.password().is_some(),
            _ => false,
        };
        of_sentinels || Self::credentials_in(url).1
    }

    /// Whether an address asks for TLS.
    #[must_use]
    pub fn has_tls(url: &str) -> bool {
        address::has_tls(url)
    }
}

impl From<&str> for ConnectOptions {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<&String> for ConnectOptions {
    fn from(url: &String) -> Self {
        Self::new(url)
    }
}

impl From<&ConnectOptions> for ConnectOptions {
    fn from(options: &ConnectOptions) -> Self {
        options.clone()
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("url", &without_credentials(&self.url))
            .field("user", &self.user)
            .field("password", &self.credentials.password)
            .field("authorities", &self.credentials.authorities.is_some())
            .field("identity", &self.credentials.identity.is_some())
            .field("renewed", &self.renewed_by.is_some())
            .field("insecure", &self.insecure)
            .field("farm_key", &self.farm_key)
            .finish()
    }
}

/// Whether what is sent there in plain text is read by nobody else.
pub(super) fn stays_here(address: &ConnectionAddr) -> bool {
    match address {
        ConnectionAddr::Unix(_) => true,
        ConnectionAddr::Tcp(host, _) => {
            host.eq_ignore_ascii_case("localhost")
                || host
                    .parse::<IpAddr>()
                    .is_ok_and(|ip| ip.to_canonical().is_loopback())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let mut options = ConnectOptions::new("redis://u:secret@127.0.0.1");
        options.credentials.password = Some(Secret::new("secret"));
        options.credentials.identity = Some(Identity {
            certificate: b"secret".to_vec(),
            key: Secret::new("secret"),
        });
        options.farm_key = Some(FarmKey::new(b"secret secret secret").unwrap());
        let text = format!(
            "{options:?} {:?}",
            options.credentials.identity.as_ref().unwrap().key
        );
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        let at = |host: &str| stays_here(&ConnectionAddr::Tcp(host.to_owned(), 6379));
        for here in [
            "127.0.0.1",
            "127.8.9.10",
            "::1",
            "localhost",
            "LocalHost",
            "::ffff:127.0.0.1",
        ] {
            assert!(at(here), "{here}");
        }
        for there in [
            "128.0.0.1",
            "10.0.0.1",
            "::2",
            "::ffff:10.0.0.1",
            "localhost.example",
            "127.0.0.1.example",
            "farm",
            "",
        ] {
            assert!(!at(there), "{there}");
        }
        assert!(stays_here(&ConnectionAddr::Unix("/run/redis.sock".into())));
    }
}
