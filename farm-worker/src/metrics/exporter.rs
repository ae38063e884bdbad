//! Metrics over HTTP: one page, `/metrics`, for Prometheus.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::metrics::meters::Meters;

/// Connections that are served at a time; more wait.
const CONNECTIONS: usize = 16;
/// How long one may take from its first byte to its answer's last: nobody holds one for ever.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause after a connection could not be taken, which is seldom mended at once.
const PAUSE: Duration = Duration::from_secs(1);
/// What the page is: the text format's name, as Prometheus asks for it.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An address that was bound, before anything is served on it.
#[derive(Debug)]
pub struct Exporter {
    listener: TcpListener,
}

impl Exporter {
    /// Takes an address: exactly this one.
    ///
    /// # Errors
    /// When somebody else has it, or it is none of this machine's.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
        })
    }

    /// Where it listens: with the port that the system chose when 0 was asked for.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `meters` until it is dropped.
    pub async fn serve(self, meters: Arc<Meters>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let meters = Arc::clone(&meters);
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(PATIENCE, one(stream, meters)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a reader of metrics could not be served");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Answers one connection's one request.
async fn one(stream: TcpStream, meters: Arc<Meters>) {
    let service = service_fn(move |request| {
        let answer = answer(&request, &meters);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a reader of metrics went away");
    }
}

fn answer(request: &Request<Incoming>, meters: &Meters) -> Response<Full<Bytes>> {
    let known = request.uri().path() == "/metrics";
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, kind, text) = match (known, read) {
        (true, true) => (StatusCode::OK, TEXT, meters.text()),
        (true, false) => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new()),
        (false, _) => (
            StatusCode::NOT_FOUND,
            "text/plain",
            "see /metrics\n".to_owned(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    if known && !read {
        headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}
