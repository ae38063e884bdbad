//! Connections, and the addresses by which people come.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use disk::write_whole;
use farm_queue::redis::ConnectOptions;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use render::tile::tiles::Tiles;
use render::{RenderError, Stop};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::api;
use crate::app::App;
use crate::farm::Farm;
use crate::figures::sampler::Sampler;
use crate::guard::check::Policy;
use crate::guard::connections::{Connection, Connections};
use crate::guard::heard::Heard;
use crate::guard::sessions::Sessions;
use crate::guard::tokens::{Role, Token};
use crate::jobs::queue::{Jobs, JobsError, address_file};
use crate::jobs::told::Told;
use crate::limits::{
    HEAD_PATIENCE, MOST_CONNECTIONS, MOST_FILES, MOST_HEAD_BYTES, MOST_UNREAD_MIB, MOST_WATCHERS,
    READ_PATIENCE,
};
use crate::settings::{Settings, SettingsError};
use crate::tls::{RenewedAcceptor, TlsError};
use crate::viewers::Viewers;
use crate::views::places::Views;

/// Pause after a connection could not be taken, which is seldom mended at once.
const PAUSE: Duration = Duration::from_millis(200);

/// Why the page is not served, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not so.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Not with these files.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Not there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// The system gives no random bytes.
    #[error("no random bytes for a token: {0}")]
    Random(io::Error),
    /// Jobs cannot be kept.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// Nothing can be computed.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// An address that was bound, before anything is served on it.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<RenewedAcceptor>>,
    settings: Settings,
    operator: Option<Token>,
    watcher: Token,
    jobs: Option<Arc<Jobs>>,
}

impl Server {
    /// Binds the address of `settings`, and makes the secrets.
    ///
    /// # Errors
    /// When they make no sense, files are wrong, the address is taken, or another server has the folder for jobs.
    pub async fn bind(mut settings: Settings) -> Result<Self, ServeError> {
        settings.check()?;
        let jobs = settings.jobs.take().map(Jobs::open).transpose()?;
        let tls = match &settings.tls {
            Some((certificates, key)) => Some(RenewedAcceptor::open(certificates, key)?),
            None => None,
        };
        let failed = |reason| ServeError::Listen {
            address: settings.listen,
            reason,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let operator = match settings.read_only {
            true => None,
            false => Some(Token::random().map_err(ServeError::Random)?),
        };
        Ok(Self {
            listener,
            address,
            tls,
            operator,
            jobs,
            watcher: Token::random().map_err(ServeError::Random)?,
            settings,
        })
    }

    /// The address for whoever may do everything, where anybody may, and the one for whoever may only look.
    #[must_use]
    pub fn addresses(&self) -> (Option<String>, String) {
        let address = self.address;
        let host = match self.settings.hosts.first() {
            Some(host) if host.contains(':') => host.clone(),
            Some(host) => format!("{host}:{}", address.port()),
            None => address.to_string(),
        };
        let scheme = self.settings.scheme();
        let at = |token: &Token| format!("{scheme}://{host}/?token={}", token.text());
        (self.operator.as_ref().map(at), at(&self.watcher))
    }

    /// Serves with what renders `tiles`, and with the `farm` that is looked at and steered, until `stop` comes.
    pub async fn serve(self, tiles: Tiles, farm: Option<ConnectOptions>, stop: &Stop) {
        let options = farm.clone();
        let farm = farm.map(Farm::new);
        let looks = farm.clone().map(|farm| tokio::spawn(farm.look()));
        self.write_address();
        let jobs = self.jobs.clone();
        let runs = jobs.map(|jobs| tokio::spawn(jobs.run(stop.clone())));
        let viewers = Viewers::new();
        let figures = Sampler::new(farm.clone(), self.jobs.clone(), Arc::clone(&viewers));
        let samples = tokio::spawn(Arc::clone(&figures).run());
        let written = self.jobs.as_ref().map(|jobs| address_file(jobs.folder()));
        let views = Views::new(tiles, options, Arc::clone(&figures), stop.clone());
        self.accept(views, farm, viewers, figures, stop).await;
        samples.abort();
        if let Some(written) = written {
            let _ = std::fs::remove_file(written);
        }
        if let Some(runs) = runs {
            // What is under way puts itself in order.
            let _ = runs.await;
        }
        if let Some(looks) = looks {
            looks.abort();
        }
    }

    /// Writes the address where programs of the same user find it: in a folder that is theirs alone.
    fn write_address(&self) {
        let (Some(jobs), (Some(address), _)) = (&self.jobs, self.addresses()) else {
            return;
        };
        if let Err(error) = write_whole(&address_file(jobs.folder()), address.as_bytes()) {
            tracing::warn!(%error, "the address could not be written: name it to submitter submit");
        }
    }

    async fn accept(
        self,
        views: Views,
        farm: Option<Arc<Farm>>,
        viewers: Arc<Viewers>,
        figures: Arc<Sampler>,
        stop: &Stop,
    ) {
        let operator = self
            .operator
            .iter()
            .map(|token| (token.fingerprint(), Role::Operator));
        let watcher = (self.watcher.fingerprint(), Role::Watcher);
        let app = Arc::new(App {
            policy: Policy {
                scheme: self.settings.scheme(),
                hosts: self.settings.hosts.clone(),
                cookie: format!("mandelfarm-{}", self.address.port()),
            },
            sessions: Sessions::new(operator.chain([watcher]).collect()),
            views,
            farm,
            jobs: self.jobs.clone(),
            told: Told::default(),
            watchers: Arc::new(Semaphore::new(MOST_WATCHERS)),
            files: Semaphore::new(MOST_FILES),
            unread: Arc::new(Semaphore::new(MOST_UNREAD_MIB)),
            figures,
            viewers,
            stop: stop.clone(),
        });
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let connections = Arc::new(Connections::default());
        let mut ends = stop.requested();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut ends => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    if places.available_permits() == 0 {
                        connections.make_room();
                    }
                    let place = tokio::select! {
                        place = Arc::clone(&places).acquire_owned() => place,
                        () = &mut ends => return,
                    };
                    let _ = stream.set_nodelay(true);
                    let (app, tls) = (Arc::clone(&app), self.tls.clone());
                    let connection = connections.enter();
                    tokio::spawn(async move {
                        let end = connection.end().clone();
                        tokio::select! {
                            () = answered(stream, tls, app, connection) => {}
                            () = end.requested() => {}
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Answers the requests of one connection, under TLS where that is asked for.
async fn answered(
    stream: TcpStream,
    tls: Option<Arc<RenewedAcceptor>>,
    app: Arc<App>,
    connection: Connection,
) {
    let Some(tls) = tls else {
        return one(stream, app, connection).await;
    };
    let acceptor = tls.current().await;
    let shaken = tokio::time::timeout(HEAD_PATIENCE, acceptor.accept(stream));
    if let Ok(Ok(stream)) = shaken.await {
        one(stream, app, connection).await;
    }
}

/// Answers the requests of one connection.
async fn one(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Arc<App>,
    connection: Connection,
) {
    let service = service_fn(|request| {
        let (app, connection) = (Arc::clone(&app), &connection);
        async move { Ok::<_, Infallible>(api::answer(request, app, connection).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MOST_HEAD_BYTES)
        .serve_connection(TokioIo::new(Heard::new(stream, READ_PATIENCE)), service);
    tokio::select! {
        served = connection => {
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended");
            }
        }
        () = app.stop.requested() => {}
    }
}
