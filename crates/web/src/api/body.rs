//! What comes with a request, under its limits.

use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::answer::Problem;
use crate::limits::{BODY_PATIENCE, MOST_FILE_BYTES, MOST_JSON_BYTES};

/// A body of JSON.
///
/// # Errors
/// When it is none, of another type, too long or too slow.
pub async fn json<T: DeserializeOwned>(head: &Parts, body: Incoming) -> Result<T, Problem> {
    let kind = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        let line = "the body is application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, line));
    }
    let bytes = read(body, MOST_JSON_BYTES).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let status = match error.is_data() {
            true => StatusCode::UNPROCESSABLE_ENTITY,
            false => StatusCode::BAD_REQUEST,
        };
        Problem::new(status, error)
    })
}

/// A body that is a file.
///
/// # Errors
/// When it is too long or too slow.
pub async fn file(body: Incoming) -> Result<Bytes, Problem> {
    read(body, MOST_FILE_BYTES).await
}

async fn read(body: Incoming, most: usize) -> Result<Bytes, Problem> {
    let too_long = || {
        let line = format!("a body of more than {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, line)
    };
    // What says beforehand how long it is need not be heard.
    if body.size_hint().lower() > most as u64 {
        return Err(too_long());
    }
    let all = Limited::new(body, most).collect();
    match tokio::time::timeout(BODY_PATIENCE, all).await {
        Ok(Ok(all)) => Ok(all.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_long()),
        Ok(Err(error)) => Err(Problem::new(StatusCode::BAD_REQUEST, error)),
        Err(_) => {
            let line = "the body did not come in time";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, line))
        }
    }
}
