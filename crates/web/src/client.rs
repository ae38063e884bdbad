//! A program that asks a server: for `submitter submit` and `submitter jobs --server`.

use std::path::Path;
use std::time::Duration;

use disk::limited::read_text_limited;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::jobs::queue::address_file;
use crate::jobs::request::JobRequest;
use crate::tls::{TlsError, connector};

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer.
const MOST_BYTES: usize = 64 << 20;
/// Bytes of the file in which a server writes its address.
const MOST_ADDRESS_BYTES: u64 = 4096;

/// A server that is asked.
pub struct Client {
    /// Its host, as it is called.
    host: String,
    port: u16,
    token: String,
    tls: Option<TlsConnector>,
}

/// Why a server did not do what it was asked, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No address of a server.
    #[error(
        "--server {0}: give the address that `submitter serve` printed, or its --output folder"
    )]
    Address(String),
    /// The server's certificates cannot be checked.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It is not there.
    #[error("the server at {host} does not answer: {reason}")]
    Away {
        /// Its host and port.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// It says why not.
    #[error("the server says: {error}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its line.
        error: String,
    },
}

impl Client {
    /// Of a server by the address that it printed, or by its `--output` folder on this machine. Of one under TLS the
    /// certificate is checked against those in the file `authority`.
    ///
    /// # Errors
    /// When it is no address, or the file cannot be used.
    pub fn open(server: &str, authority: Option<&Path>) -> Result<Self, ClientError> {
        let wrong =
            || ClientError::Address(server.split("?token=").next().unwrap_or("").to_owned());
        let is_address = server.starts_with("http://") || server.starts_with("https://");
        let text = match is_address {
            true => server.to_owned(),
            false => read_text_limited(&address_file(Path::new(server)), MOST_ADDRESS_BYTES)
                .map_err(|_| wrong())?,
        };
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(wrong)?;
        let (host, token) = rest.split_once("/?token=").ok_or_else(wrong)?;
        let usual = if scheme == "https" { 443 } else { 80 };
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, port.parse().map_err(|_| wrong())?)
            }
            _ => (host, usual),
        };
        let is_token =
            |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_hexdigit());
        if name.is_empty() || !is_token(token) {
            return Err(wrong());
        }
        Ok(Self {
            host: name.to_owned(),
            port,
            token: token.to_owned(),
            tls: match scheme {
                "https" => Some(connector(authority)?),
                _ => None,
            },
        })
    }

    /// Leaves a job; what the server says of it.
    ///
    /// # Errors
    /// When the server refuses it, or is not there.
    pub async fn submit(&self, request: &JobRequest) -> Result<Value, ClientError> {
        self.post("/api/jobs", request).await
    }

    /// The newest jobs, at most `most`.
    ///
    /// # Errors
    /// When the server is not there.
    pub async fn jobs(&self, most: usize) -> Result<Value, ClientError> {
        let path = format!("/api/jobs?most={most}");
        self.ask(Method::GET, &path, Vec::new()).await
    }

    /// A job by its name.
    ///
    /// # Errors
    /// When there is none, or the server is not there.
    pub async fn job(&self, job: &str) -> Result<Value, ClientError> {
        let plain: String = job.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = format!("/api/jobs/job?id={plain}");
        self.ask(Method::GET, &path, Vec::new()).await
    }

    /// Does something (`cancel`, `retry`, `forget`) with a job.
    ///
    /// # Errors
    /// When it cannot be done, or the server is not there.
    pub async fn order(&self, deed: &str, job: &str) -> Result<(), ClientError> {
        let order = serde_json::json!({ "deed": deed, "names": [job] });
        let ordered = self.post("/api/jobs/orders", &order).await?;
        match ordered[0]["error"].as_str() {
            None => Ok(()),
            Some(error) => Err(ClientError::Refused {
                status: StatusCode::CONFLICT.as_u16(),
                error: error.to_owned(),
            }),
        }
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, ClientError> {
        let body = serde_json::to_vec(body).unwrap_or_default();
        self.ask(Method::POST, path, body).await
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Value, ClientError> {
        let asked = tokio::time::timeout(PATIENCE, self.once(method, path, body)).await;
        let away = |reason: String| ClientError::Away {
            host: format!("{}:{}", self.host, self.port),
            reason,
        };
        let (status, bytes) = match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(away(error.to_string())),
            Err(_) => return Err(away(format!("nothing within {} s", PATIENCE.as_secs()))),
        };
        let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(said);
        }
        let error = match said["error"].as_str() {
            Some(error) => error.to_owned(),
            None if status == StatusCode::UNAUTHORIZED => "its token is another one".to_owned(),
            None => status.to_string(),
        };
        let status = status.as_u16();
        Err(ClientError::Refused { status, error })
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((name, self.port)).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("{}:{}", self.host, self.port))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(name.to_owned())?;
                exchange(tls.connect(name, stream).await?, request).await
            }
        }
    }
}

/// One question over a connection of its own.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST_BYTES)
        .collect()
        .await?;
    connection.abort();
    Ok((status, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_address_or_by_folder() {
        let token = "0a".repeat(32);
        let open =
            |server: &str| Client::open(server, None).map(|client| (client.host, client.port));
        let at = |host: &str, port| Some((host.to_owned(), port));
        for (server, found) in [
            (
                format!("http://127.0.0.1:8700/?token={token}"),
                at("127.0.0.1", 8700),
            ),
            (format!("http://[::1]:87/?token={token}"), at("[::1]", 87)),
            (
                format!("http://farm.example/?token={token}"),
                at("farm.example", 80),
            ),
            ("http://127.0.0.1:8700/".to_owned(), None),
            ("http://127.0.0.1:8700/?token=".to_owned(), None),
            ("http://127.0.0.1:x/?token=00".to_owned(), None),
            (format!("ftp://127.0.0.1/?token={token}"), None),
            ("no/such/folder".to_owned(), None),
        ] {
            assert_eq!(open(&server).ok(), found, "{server}");
        }
        let secret = Client::open("http://h:x/?token=5ec2e7", None)
            .err()
            .unwrap();
        assert!(!secret.to_string().contains("5ec2e7"), "{secret}");
        let folder = tempfile::tempdir().unwrap();
        let file = address_file(folder.path());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, format!("http://127.0.0.1:1/?token={token}\n")).unwrap();
        assert_eq!(
            open(&folder.path().to_string_lossy()).ok(),
            at("127.0.0.1", 1)
        );
    }
}
