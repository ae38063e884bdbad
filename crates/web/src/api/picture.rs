//! `POST /api/picture`: a view as a file, the same bytes as a render's.

use std::sync::Arc;

use disk::limited::read_limited;
use hyper::StatusCode;
use render::Silent;
use requests::Means;
use requests::perform::picture::picture;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Problem, bytes, with};
use crate::app::App;
use crate::guard::tokens::Role;
use crate::limited::{KnownRequest, plan};
use crate::limits::MOST_SAVED_BYTES;

/// A file that is wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRequest {
    format: FileFormat,
    request: KnownRequest,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum FileFormat {
    Png,
    Exr,
    Npy,
    Kfr,
    Toml,
}

impl FileFormat {
    /// Its name here, and its kind for browsers.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Png => ("mandelbrot.png", "image/png"),
            Self::Exr => ("mandelbrot.exr", "image/x-exr"),
            Self::Npy => ("mandelbrot.npy", "application/octet-stream"),
            Self::Kfr => ("mandelbrot.kfr", "text/plain; charset=utf-8"),
            Self::Toml => ("mandelbrot.toml", "application/toml"),
        }
    }
}

/// A view as a file: the bytes that a render writes.
#[utoipa::path(
    post,
    path = "/api/picture", operation_id = "picture",
    request_body = FileRequest,
    responses(
        (status = 200, description = "The file.", content((  [u8] = "image/png"), ([u8] = "image/x-exr"), ([u8] = "application/octet-stream"), (String = "text/plain; charset=utf-8"), (String = "application/toml"))),
        super::responses::Problems
    )
)]
pub async fn answer(wanted: FileRequest, role: Role, app: &Arc<App>) -> Result<Answer, Problem> {
    let KnownRequest(request) = wanted.request;
    // Before anything begins.
    plan(request.clone(), &Means::in_memory())?;
    let (name, kind) = wanted.format.names();
    let ticket = app.viewers.enter_alone(role);
    let file = app.compute(ticket, |stop| async move {
        let failed = |error: std::io::Error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error);
        let folder = tempfile::tempdir().map_err(failed)?;
        let path = folder.path().join(name);
        picture(request, Means::to_file(&path), &Silent, &stop).await?;
        let read = tokio::task::spawn_blocking(move || {
            let file = read_limited(&path, MOST_SAVED_BYTES);
            drop(folder);
            file
        });
        let read = read
            .await
            .map_err(|error| failed(std::io::Error::other(error)))?;
        read.map_err(|error| failed(error.into()))
    });
    let answer = bytes(kind, file.await?);
    Ok(with(
        answer,
        "content-disposition",
        &format!("attachment; filename=\"{name}\""),
    ))
}
