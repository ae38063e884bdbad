//! `GET /api/status`: what the server has done, and what whoever asks may do.

use std::sync::atomic::Ordering;

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, json};
use crate::app::App;
use crate::guard::tokens::Role;

#[derive(Debug, Serialize, ToSchema)]
struct Status {
    version: &'static str,
    role: &'static str,
    /// Whether a farm can be looked at.
    farm: bool,
    /// Whether jobs can be left here.
    jobs: bool,
    computations: Computations,
}

/// Tiles, files and searches so far.
#[derive(Debug, Serialize, ToSchema)]
struct Computations {
    under_way: usize,
    begun: u64,
    finished: u64,
    stopped: u64,
    outdated: u64,
}

/// What the server has done, and what whoever asks may do.
#[utoipa::path(
    get,
    path = "/api/status", operation_id = "status",
    responses(
        (status = 200, description = "The status.", body = Status),
        super::responses::Problems
    )
)]
pub fn answer(app: &App, role: Role) -> Answer {
    let counts = &app.viewers.counts;
    json(&Status {
        version: env!("CARGO_PKG_VERSION"),
        role: role.name(),
        farm: app.farm.is_some(),
        jobs: app.jobs.is_some(),
        computations: Computations {
            under_way: app.viewers.under_way(),
            begun: counts.begun.load(Ordering::Relaxed),
            finished: counts.finished.load(Ordering::Relaxed),
            stopped: counts.stopped.load(Ordering::Relaxed),
            outdated: counts.outdated.load(Ordering::Relaxed),
        },
    })
}
