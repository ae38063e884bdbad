//! How a server is entered, whichever it is: TLS, certificates and the settings of sockets.

use std::time::Duration;

use ::redis::io::tcp::TcpSettings;
use ::redis::io::tcp::socket2::TcpKeepalive;
use ::redis::{
    Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisError,
    TlsCertificates,
};

use crate::redis::connect::errors::Security;

/// What connections to all servers of one address have in common.
pub(super) struct Entrance {
    /// For TLS; without it everything goes in plain text.
    pub(super) certificates: Option<TlsCertificates>,
    pub(super) security: Security,
    /// Whether plain text may leave this machine.
    pub(super) insecure: bool,
}

impl Entrance {
    /// A client for the server at `address`, with this login; nothing is opened yet.
    ///
    /// # Errors
    /// When the crate refuses it.
    pub(super) fn client(
        &self,
        address: &ConnectionAddr,
        login: &RedisConnectionInfo,
        protocol: ProtocolVersion,
    ) -> Result<Client, RedisError> {
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(15))
            .with_interval(Duration::from_secs(5));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        // Servers before 7.2 do not know CLIENT SETINFO, and access lists need not allow it.
        let login = (login.clone())
            .set_skip_set_lib_name()
            .set_protocol(protocol);
        let info = (address.clone().into_connection_info()?)
            .set_tcp_settings(tcp)
            .set_redis_settings(login);
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    /// Where a server is that is entered so.
    pub(super) fn address(&self, host: String, port: u16) -> ConnectionAddr {
        match self.certificates {
            Some(_) => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
            None => ConnectionAddr::Tcp(host, port),
        }
    }
}
