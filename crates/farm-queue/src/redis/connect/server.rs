//! The farm's server: the way to it, the login, and what its errors mean.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, ProtocolVersion, RedisError};

use super::options::{ConnectOptions, Credentials};
use super::route::Route;
use super::timeouts::CONTROL_TIMEOUT;
use crate::protocol::signing::FarmKey;
use crate::queue::QueueError;

/// Where the server is, and how to get in.
pub(in crate::redis) struct Server {
    options: ConnectOptions,
    way: Mutex<Way>,
    /// Whether it has let anybody in so far.
    is_known: AtomicBool,
    /// How often the server at this address turned out to be no master any more: connections that are older than the
    /// last time are opened anew, by the name, which may lead elsewhere by then.
    demotions: Arc<AtomicU64>,
}

/// The way that is gone now.
struct Way {
    route: Arc<Route>,
    /// What it was made with.
    credentials: Credentials,
    /// What is wrong with those that would have come after; told once.
    wrong: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.address()).finish()
    }
}

impl Server {
    /// The server of `options`; nothing is opened yet.
    pub(in crate::redis) fn parse(options: &ConnectOptions) -> Result<Arc<Self>, QueueError> {
        let demotions = Arc::default();
        let credentials = options.credentials.clone();
        let route = Route::new(options, &credentials, &demotions)?;
        Ok(Arc::new(Self {
            options: options.clone(),
            way: Mutex::new(Way {
                route: Arc::new(route),
                credentials,
                wrong: None,
            }),
            is_known: AtomicBool::new(false),
            demotions,
        }))
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self) -> Arc<Route> {
        Arc::clone(&self.way().route)
    }

    /// Host and port, or path of the socket, without credentials.
    pub(super) fn address(&self) -> String {
        self.route().address()
    }

    /// The key that signs job specs, where the farm has one.
    pub(in crate::redis) fn farm_key(&self) -> Option<&FarmKey> {
        self.options.farm_key.as_ref()
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
        self.look_up_credentials().await;
        match self.route().open(protocol, config).await {
            Ok(connection) => {
                self.is_known.store(true, Ordering::Relaxed);
                Ok(connection)
            }
            // The server was told before we were.
            Err(QueueError::Denied { address, reason }) if self.may_be_let_in_again() => {
                let reason = format!("it refuses these credentials, and did not before: {reason}");
                Err(QueueError::Unreachable { address, reason })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether credentials that are refused may be others soon.
    fn may_be_let_in_again(&self) -> bool {
        self.options.renewed_by.is_some() && self.is_known.load(Ordering::Relaxed)
    }

    /// Takes credentials over that were renewed, where they can be used.
    async fn look_up_credentials(&self) {
        let Some(source) = self.options.renewed_by.clone() else {
            return;
        };
        let read = tokio::task::spawn_blocking(move || source.read()).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        let mut way = self.way();
        let credentials = match read {
            Ok(credentials) if credentials == way.credentials => {
                way.wrong = None;
                return;
            }
            other => other,
        };
        let renewed = credentials.and_then(|credentials| {
            let route = Route::new(&self.options, &credentials, &self.demotions);
            Ok((route.map_err(|error| error.to_string())?, credentials))
        });
        match renewed {
            Ok((route, credentials)) => {
                tracing::info!("credentials were renewed; connections are opened with them");
                *way = Way {
                    route: Arc::new(route),
                    credentials,
                    wrong: None,
                };
            }
            Err(wrong) if way.wrong.as_ref() != Some(&wrong) => {
                tracing::warn!("renewed credentials cannot be used, and the old ones are: {wrong}");
                way.wrong = Some(wrong);
            }
            Err(_) => {}
        }
    }

    /// What an error means to the caller.
    pub(in crate::redis) fn error(&self, error: &RedisError) -> QueueError {
        self.route().origin().error(error)
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
        let text = refused(|options| options.credentials.authorities = Some(b"no PEM".to_vec()));
        assert!(text.contains("--tls-ca holds no certificate"), "{text}");
        let text = refused(|options| {
            options.credentials.identity = Some(Identity {
                certificate: Vec::new(),
                key: Secret::new(""),
            });
        });
        assert!(text.contains("--tls-cert holds no certificate"), "{text}");
        let text = refused(|options| {
            options.url = "redis://127.0.0.1".to_owned();
            options.credentials.authorities = Some(Vec::new());
        });
        assert!(text.contains("without TLS"), "{text}");
    }
}
