//! The farm's server: the way to it, the login, and what its errors mean.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, ConnectionAddr, ProtocolVersion, RedisError};

use super::address::{self, Destination, without_credentials};
use super::entrance::Entrance;
use super::errors::{ErrorOrigin, SERVERS_LOGIN, Security};
use super::options::{self, ConnectOptions};
use super::sentinel::Sentinels;
use super::timeouts::{CONNECT_TIMEOUT, CONTROL_TIMEOUT};
use super::tls;
use crate::protocol::signing::FarmKey;
use crate::queue::QueueError;

/// Where the server is, and how to get in.
pub(in crate::redis) struct Server {
    route: Route,
    security: Security,
    farm_key: Option<FarmKey>,
    /// How often the server at this address turned out to be no master any more: connections that are older than the
    /// last time are opened anew, by the name, which may lead elsewhere by then.
    demotions: Arc<AtomicU64>,
}

/// The way to the server.
enum Route {
    /// Always the same one.
    Direct {
        client: Box<Client>,
        /// The same in the protocol that carries published messages.
        push_client: Box<Client>,
        address: String,
    },
    /// Sentinels are asked for it.
    Sentinels(Arc<Sentinels>),
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.address()).finish()
    }
}

impl Server {
    /// The server of `options`; nothing is opened yet.
    pub(in crate::redis) fn parse(options: &ConnectOptions) -> Result<Arc<Self>, QueueError> {
        let url = options.url.as_str();
        let address = |reason: &str| QueueError::Address {
            given: without_credentials(url),
            reason: reason.to_owned(),
        };
        let place = address::parse(url).map_err(address)?;
        let is_unchecked =
            |at: &&ConnectionAddr| matches!(at, ConnectionAddr::TcpTls { insecure: true, .. });
        let is_open = |at: &&ConnectionAddr| !matches!(at, ConnectionAddr::TcpTls { .. });
        let addresses = place.addresses();
        if addresses.iter().any(is_unchecked) {
            return Err(address(
                "it ends in #insecure, and certificates are always checked",
            ));
        }
        let is_tls = !addresses.iter().any(is_open);
        let here = addresses.iter().all(|at| options::stays_here(at));
        let with_tls = match place {
            Destination::Server(_) => "rediss://",
            Destination::Sentinels(_) => "rediss+sentinel://",
        };
        if !is_tls && !here && !options.insecure {
            return Err(QueueError::Options(format!(
                "{} would carry passwords and pictures in plain text: \
                 use {with_tls} (TLS), or --insecure on a network that you trust",
                without_credentials(url)
            )));
        }
        if !is_tls && (options.authorities.is_some() || options.identity.is_some()) {
            return Err(QueueError::Options(format!(
                "certificates are given, and {} is without TLS: use {with_tls}",
                without_credentials(url)
            )));
        }
        let mut login = place.login().clone();
        if let Some(user) = &options.user {
            login = login.set_username(user);
        }
        if let Some(password) = &options.password {
            login = login.set_password(password.expose());
        }
        let security = match options.identity {
            _ if !is_tls => Security::Plain,
            None => Security::Anonymous,
            Some(_) => Security::Identified,
        };
        let certificates = if is_tls {
            Some(tls::certificates(options).map_err(QueueError::Options)?)
        } else {
            None
        };
        let entrance = Entrance {
            certificates,
            security,
            insecure: options.insecure,
        };
        let demotions = Arc::default();
        let refuse = |error: RedisError| address(address::reason(&error));
        let route = match &place {
            Destination::Server(info) => {
                let client =
                    |protocol| (entrance.client(info.addr(), &login, protocol)).map_err(refuse);
                Route::Direct {
                    client: client(ProtocolVersion::RESP2)?.into(),
                    push_client: client(ProtocolVersion::RESP3)?.into(),
                    address: info.addr().to_string(),
                }
            }
            Destination::Sentinels(place) => Route::Sentinels(Arc::new(
                Sentinels::new(place, entrance, login, Arc::clone(&demotions)).map_err(refuse)?,
            )),
        };
        Ok(Arc::new(Self {
            route,
            security,
            farm_key: options.farm_key.clone(),
            demotions,
        }))
    }

    /// Host and port, or path of the socket, without credentials.
    pub(super) fn address(&self) -> String {
        match &self.route {
            Route::Direct { address, .. } => address.clone(),
            Route::Sentinels(sentinels) => sentinels.address(),
        }
    }

    /// The key that signs job specs, where the farm has one.
    pub(in crate::redis) fn farm_key(&self) -> Option<&FarmKey> {
        self.farm_key.as_ref()
    }

    /// A new connection whose commands may take `timeout`.
    pub(in crate::redis) async fn open(
        &self,
        timeout: Duration,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(timeout));
        self.open_by(ProtocolVersion::RESP2, config).await
    }

    /// A new connection that hands published messages to `on_push`.
    pub(in crate::redis) async fn open_push(
        &self,
        on_push: impl Fn(::redis::PushInfo) -> Result<(), ()> + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(CONTROL_TIMEOUT))
            .set_push_sender(on_push);
        self.open_by(ProtocolVersion::RESP3, config).await
    }

    async fn open_by(
        &self,
        protocol: ProtocolVersion,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = config.set_connection_timeout(Some(CONNECT_TIMEOUT));
        match &self.route {
            Route::Direct {
                client,
                push_client,
                ..
            } => {
                let client = match protocol {
                    ProtocolVersion::RESP3 => push_client,
                    _ => client,
                };
                (client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await)
                    .map_err(|error| self.origin().opening_error(&error))
            }
            Route::Sentinels(sentinels) => sentinels.open(protocol, &config).await,
        }
    }

    fn origin(&self) -> ErrorOrigin {
        ErrorOrigin {
            address: self.address(),
            security: self.security,
            login: SERVERS_LOGIN,
        }
    }

    /// What an error means to the caller.
    pub(in crate::redis) fn error(&self, error: &RedisError) -> QueueError {
        self.origin().error(error)
    }

    /// How often it was found demoted so far.
    pub(in crate::redis) fn demotions(&self) -> u64 {
        self.demotions.load(Ordering::Relaxed)
    }

    /// A connection that was opened after `seen` demotions tells of one more.
    pub(super) fn demoted(&self, seen: u64) {
        // Of several that tell of the same, one counts.
        let _ =
            (self.demotions).compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Says why it cannot be used.
    pub(super) fn unfit(&self, reason: String) -> QueueError {
        QueueError::Unfit {
            address: self.address(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::connect::{Identity, Secret};

    #[test]
    fn addresses_are_read_and_never_show_credentials() {
        for good in [
            "redis://127.0.0.1",
            "redis://:secret@127.0.0.1:6380/2",
            "redis+unix:///tmp/redis.sock?user=u&pass=secret",
            "unix:///tmp/redis.sock",
            "rediss://u:secret@farm.example:6380",
            "redis+sentinel://u:secret@127.0.0.1,[::1]/farm?sentinel_pass=secret",
            "rediss+sentinel://u:secret@farm.example:1/farm/2?sentinel_pass=sec@ret",
        ] {
            let server = Server::parse(&good.into()).unwrap();
            assert!(!format!("{server:?}").contains("secret"));
        }
        for (bad, shown) in [
            ("redis://u:secret@127.0.0.1/x", "redis://127.0.0.1/x"),
            ("http://u:secret@host", "http://host"),
            ("u:secret@host", "host"),
            ("rediss://u:secret@host#insecure", "rediss://host"),
            ("redis://u:secret#secret@127.0.0.1:1", "redis://***"),
            ("redis://u:secret?secret@h/x", "redis://***"),
            ("http://host?pass=x@secret", "http://***"),
            ("http://host?pass=secret", "http://host"),
            ("u:secret://secret@host", "host"),
            ("redis+sentinel://u:secret@h", "redis+sentinel://h"),
            ("redis+sentinel://h/m?pass=secret", "redis+sentinel://h/m"),
            ("redis+sentinel://h/m?pass=secret@", "redis+sentinel://***"),
            ("", ""),
        ] {
            let error = Server::parse(&bad.into()).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("secret"), "{text}");
            assert!(text.starts_with(&format!("'{shown}' is not")), "{text}");
        }
    }

    #[test]
    fn plain_text_stays_on_this_machine_unless_told_otherwise() {
        let mut options = ConnectOptions::new("redis://u:secret@farm.example");
        let error = Server::parse(&options).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, QueueError::Options(_)), "{text}");
        assert!(text.starts_with("redis://farm.example would"), "{text}");
        assert!(text.contains("rediss://") && text.contains("--insecure"));
        options.insecure = true;
        assert!(Server::parse(&options).is_ok());
        // One Sentinel elsewhere is enough.
        let url = "redis+sentinel://127.0.0.1,farm.example/farm";
        let error = Server::parse(&url.into()).unwrap_err().to_string();
        assert!(error.contains("use rediss+sentinel://"), "{error}");
        options.url = url.to_owned();
        assert!(Server::parse(&options).is_ok());
    }

    #[test]
    fn certificates_are_looked_at_before_anything_is_opened() {
        let refused = |change: fn(&mut ConnectOptions)| {
            let mut options = ConnectOptions::new("rediss://farm.example");
            change(&mut options);
            Server::parse(&options).unwrap_err().to_string()
        };
        let text = refused(|options| options.authorities = Some(b"no PEM".to_vec()));
        assert!(text.contains("--tls-ca holds no certificate"), "{text}");
        let text = refused(|options| {
            options.identity = Some(Identity {
                certificate: Vec::new(),
                key: Secret::new(""),
            });
        });
        assert!(text.contains("--tls-cert holds no certificate"), "{text}");
        let text = refused(|options| {
            options.url = "redis://127.0.0.1".to_owned();
            options.authorities = Some(Vec::new());
        });
        assert!(text.contains("without TLS"), "{text}");
    }
}
