//! Answers: bodies, the headers that all of them have, and errors in one form.

use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::ToSchema;

/// An answer.
pub type Answer = Response<Sent>;

/// The body of one: whole, or as it comes.
pub type Sent = UnsyncBoxBody<Bytes, Infallible>;

/// What a page may do: load its own files and ask its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every answer, errors too.
const ALWAYS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), usb=()",
    ),
];

/// Adds the headers of every answer.
pub fn harden(mut answer: Answer) -> Answer {
    for (name, text) in ALWAYS {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(text));
    }
    answer
}

/// Why a request was not answered as it wished: a status and one line, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The status, once more.
    pub status: u16,
    /// Why, in one line.
    pub error: String,
    /// Methods that there are instead.
    #[serde(skip)]
    #[schema(ignore)]
    pub allow: Option<&'static str>,
}

impl Problem {
    /// Of a status.
    pub fn new(status: StatusCode, error: impl Display) -> Self {
        // One line, whatever a message quotes.
        let error = error.to_string().replace(char::is_control, " ");
        Self {
            status: status.as_u16(),
            error,
            allow: None,
        }
    }

    /// A request that makes no sense, or is over a limit.
    pub fn unfit(error: impl Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = json(self);
        *answer.status_mut() = status;
        if let Some(allow) = self.allow {
            answer
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        answer
    }
}

/// Bytes of a kind.
#[must_use]
pub fn bytes(kind: &'static str, bytes: impl Into<Bytes>) -> Answer {
    streamed(kind, Full::new(bytes.into()).boxed_unsync())
}

/// What comes bit by bit, of a kind.
#[must_use]
pub fn streamed(kind: &'static str, body: Sent) -> Answer {
    let mut answer = Response::new(body);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// A body that holds a permit for as long as it, or bytes of it, are there.
struct Held {
    body: Sent,
    permit: Arc<OwnedSemaphorePermit>,
}

/// Bytes, and the permit that goes with them.
struct Counted(
    Bytes,
    #[expect(dead_code, reason = "dropped with the bytes")] Arc<OwnedSemaphorePermit>,
);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let counted = |data| Bytes::from_owner(Counted(data, Arc::clone(&self.permit)));
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(counted))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that holds a permit for as long as it, or bytes of it, are there.
#[must_use]
pub fn held(body: Sent, permit: OwnedSemaphorePermit) -> Sent {
    let permit = Arc::new(permit);
    Held { body, permit }.boxed_unsync()
}

/// A body of what is put into a channel.
struct Coming(mpsc::Receiver<Bytes>);

impl Body for Coming {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let coming = self.0.poll_recv(context);
        coming.map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}

/// A body of what is put into a channel, until that is closed.
#[must_use]
pub fn coming(parts: mpsc::Receiver<Bytes>) -> Sent {
    Coming(parts).boxed_unsync()
}

/// A value as JSON.
#[must_use]
pub fn json(value: &impl Serialize) -> Answer {
    // Plain data with text keys: it can always be written.
    bytes(
        "application/json",
        serde_json::to_vec(value).unwrap_or_default(),
    )
}

/// Adds a header whose text is plain.
#[must_use]
pub fn with(mut answer: Answer, name: &'static str, text: &str) -> Answer {
    if let Ok(text) = HeaderValue::from_str(text) {
        answer
            .headers_mut()
            .insert(HeaderName::from_static(name), text);
    }
    answer
}
