//! The way to the farm's server, as credentials make it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, ConnectionAddr, ProtocolVersion, RedisError};

use super::address::{self, Destination, without_credentials};
use super::entrance::Entrance;
use super::errors::{ErrorOrigin, SERVERS_LOGIN, Security};
use super::options::{self, ConnectOptions, Credentials};
use super::sentinel::Sentinels;
use super::timeouts::CONNECT_TIMEOUT;
use super::tls;
use crate::queue::QueueError;

/// The way to the server.
pub(super) struct Route {
    destination: Clients,
    security: Security,
}

/// What is asked for a connection.
enum Clients {
    /// Always the same server.
    Direct {
        client: Box<Client>,
        /// The same in the protocol that carries published messages.
        push_client: Box<Client>,
        address: String,
    },
    /// Sentinels are asked for it.
    Sentinels(Arc<Sentinels>),
}

impl Route {
    /// The way to the server of `options` with these credentials; nothing is opened yet. Sentinels count demotions.
    ///
    /// # Errors
    /// An address that is none, plain text that would leave this machine, and certificates that cannot be used.
    pub(super) fn new(
        options: &ConnectOptions,
        credentials: &Credentials,
        demotions: &Arc<AtomicU64>,
    ) -> Result<Self, QueueError> {
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
        if !is_tls && (credentials.authorities.is_some() || credentials.identity.is_some()) {
            return Err(QueueError::Options(format!(
                "certificates are given, and {} is without TLS: use {with_tls}",
                without_credentials(url)
            )));
        }
        let mut login = place.login().clone();
        if let Some(user) = &options.user {
            login = login.set_username(user);
        }
        if let Some(password) = &credentials.password {
            login = login.set_password(password.expose());
        }
        let security = match credentials.identity {
            _ if !is_tls => Security::Plain,
            None => Security::Anonymous,
            Some(_) => Security::Identified,
        };
        let certificates = if is_tls {
            Some(tls::certificates(credentials).map_err(QueueError::Options)?)
        } else {
            None
        };
        let entrance = Entrance {
            certificates,
            security,
            insecure: options.insecure,
        };
        let refuse = |error: RedisError| address(address::reason(&error));
        let destination = match &place {
            Destination::Server(info) => {
                let client =
                    |protocol| (entrance.client(info.addr(), &login, protocol)).map_err(refuse);
                Clients::Direct {
                    client: client(ProtocolVersion::RESP2)?.into(),
                    push_client: client(ProtocolVersion::RESP3)?.into(),
                    address: info.addr().to_string(),
                }
            }
            Destination::Sentinels(place) => Clients::Sentinels(Arc::new(
                Sentinels::new(place, entrance, login, Arc::clone(demotions)).map_err(refuse)?,
            )),
        };
        Ok(Self {
            destination,
            security,
        })
    }

    /// Host and port, or path of the socket, without credentials.
    pub(super) fn address(&self) -> String {
        match &self.destination {
            Clients::Direct { address, .. } => address.clone(),
            Clients::Sentinels(sentinels) => sentinels.address(),
        }
    }

    /// Whom its errors come from.
    pub(super) fn origin(&self) -> ErrorOrigin {
        ErrorOrigin {
            address: self.address(),
            security: self.security,
            login: SERVERS_LOGIN,
        }
    }

    /// A new connection that speaks `protocol`, with these settings.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn open(
        &self,
        protocol: ProtocolVersion,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, QueueError> {
        let config = config.set_connection_timeout(Some(CONNECT_TIMEOUT));
        match &self.destination {
            Clients::Direct {
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
            Clients::Sentinels(sentinels) => sentinels.open(protocol, &config).await,
        }
    }
}
