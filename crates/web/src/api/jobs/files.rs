//! Files of jobs: those that they made, as they are read from the disk, and small pictures of them.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::parts::{aside, job_of, jobs, query};
use crate::answer::{self, Answer, Problem, bytes, streamed, with};
use crate::app::App;
use crate::jobs::queue::Jobs;

/// Bytes that are read at a time.
const READ: usize = 64 << 10;
/// Parts of a file that wait for a slow reader.
const AHEAD: usize = 4;

/// A file that a job made.
#[utoipa::path(
    get,
    path = "/api/jobs/file", operation_id = "job_file",
    params(
        ("id" = String, Query, description = "The job's name"),
        ("name" = String, Query, description = "The file's name")
    ),
    responses(
        (status = 200, description = "The file.", body = [u8], content_type = "application/octet-stream"),
        super::super::responses::Problems
    )
)]
pub async fn file(text: Option<&str>, is_head: bool, app: &App) -> Result<Answer, Problem> {
    let mut parts = query(text, &["id", "name"])?;
    parts.sort();
    let [(id, job), (_, name)] = &parts[..] else {
        return Err(Problem::unfit("say which file: ?id=JOB&name=FILE"));
    };
    if id != "id" {
        return Err(Problem::unfit("say which job: ?id=JOB&name=FILE"));
    }
    let (job, name) = (job.clone(), name.clone());
    let shown = name.clone();
    let path = aside(jobs(app)?, move |jobs| path(jobs, &job, &name)).await?;
    let unreadable = |error: std::io::Error| {
        let line = format!("the file is no longer there: {error}");
        Problem::new(StatusCode::NOT_FOUND, line)
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let (tell, coming) = mpsc::channel(AHEAD);
    if !is_head {
        tokio::task::spawn_blocking(move || {
            let mut left = length;
            let mut part = vec![0; READ];
            while left > 0 {
                let most = part.len().min(usize::try_from(left).unwrap_or(READ));
                let Ok(read @ 1..) = file.read(&mut part[..most]) else {
                    // What ends too soon is known by its length.
                    return;
                };
                left -= read as u64;
                let part = Bytes::copy_from_slice(&part[..read]);
                if tell.blocking_send(part).is_err() {
                    return;
                }
            }
        });
    }
    let answer = streamed("application/octet-stream", answer::coming(coming));
    let answer = with(answer, "content-length", &length.to_string());
    // Names of files have no quotes; what is no plain letter stands as its bytes.
    let encoded: String = (shown.bytes())
        .map(|byte| match byte {
            b'.' | b'-' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let text = format!("attachment; filename*=UTF-8''{encoded}");
    Ok(with(answer, "content-disposition", &text))
}

/// Where a file of a job is.
fn path(jobs: &Jobs, job: &str, name: &str) -> Result<PathBuf, Problem> {
    let known = jobs.job(job)?;
    if known.record.has(name) {
        Ok(jobs.folder().join(name))
    } else {
        Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no such file of that job",
        ))
    }
}

/// A small picture of a job that is done.
#[utoipa::path(
    get,
    path = "/api/jobs/thumbnail", operation_id = "job_thumbnail",
    params(("id" = String, Query, description = "The job's name")),
    responses(
        (status = 200, description = "A PNG.", body = [u8], content_type = "image/png"),
        super::super::responses::Problems
    )
)]
pub async fn thumbnail(text: Option<&str>, app: &App) -> Result<Answer, Problem> {
    let job = job_of(text)?;
    let png = aside(jobs(app)?, move |jobs| jobs.thumbnail(&job)).await?;
    Ok(bytes("image/png", png))
}

/// The picture of a job that is under way, as it is now: red, green, blue and whether it is there, row by row, and then a
/// byte a row for who made it: their place among the `makers` of the job's progress, or 255.
#[utoipa::path(
    get,
    path = "/api/jobs/picture", operation_id = "job_picture",
    params(("id" = String, Query, description = "The job's name")),
    responses(
        (status = 200, description = "Its pixels; `picture-size` has columns and rows.", body = [u8], content_type = "application/octet-stream"),
        super::super::responses::Problems
    )
)]
pub async fn picture(text: Option<&str>, app: &App) -> Result<Answer, Problem> {
    let job = job_of(text)?;
    let snapshot = aside(jobs(app)?, move |jobs| jobs.snapshot(&job)).await?;
    let (columns, rows) = snapshot.size;
    let body = [snapshot.rgba, snapshot.rows].concat();
    let answer = bytes("application/octet-stream", body);
    Ok(with(answer, "picture-size", &format!("{columns}x{rows}")))
}
