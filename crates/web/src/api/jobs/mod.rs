//! `/api/jobs…`: jobs that are left with the server.
//!
//! Reading is for everybody who was let in; leaving, planning and ordering are not for watchers.

pub mod answers;
pub mod events;
pub mod files;
mod parts;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::farm::watchers_look;
use crate::answer::{Answer, Problem, json};
use crate::app::App;
use crate::guard::tokens::Role;
use crate::jobs::estimate::Estimate;
use crate::jobs::queue::Wanted;
use crate::jobs::record::JobState;
use crate::jobs::request::JobRequest;
use crate::limits::{MOST_LISTED, MOST_ORDERED};
use answers::{JobAnswer, JobsAnswer};
use parts::{aside, job_of, jobs, query};

/// What to do with jobs of the server.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobOrder {
    deed: JobDeed,
    /// Names of jobs.
    #[schema(min_items = 1, max_items = 1000)]
    names: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum JobDeed {
    /// End it; nothing of it is kept but its entry.
    Cancel,
    /// Make it again, where it failed or was cancelled.
    Retry,
    /// Take it out of the history. Its files stay.
    Forget,
}

/// What became of an order for one job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobOrdered {
    name: String,
    /// Why nothing was done, where nothing was.
    error: Option<String>,
}

/// The newest jobs, with how far they are.
#[utoipa::path(
    get,
    path = "/api/jobs", operation_id = "jobs",
    params(
        ("state" = Option<String>, Query, description = "queued, done, failed or cancelled"),
        ("find" = Option<String>, Query, description = "Part of a name"),
        ("before" = Option<String>, Query, description = "Jobs that are older than this one"),
        ("most" = Option<u32>, Query, description = "How many, at most 200")
    ),
    responses(
        (status = 200, description = "The jobs, the newest first.", body = JobsAnswer),
        super::responses::Problems
    )
)]
pub async fn list(text: Option<&str>, app: &App) -> Result<Answer, Problem> {
    let jobs = jobs(app)?;
    let mut wanted = Wanted {
        most: 50,
        ..Wanted::default()
    };
    for (name, text) in query(text, &["state", "find", "before", "most"])? {
        match &*name {
            "state" => {
                let quoted = serde_json::Value::String(text);
                let state: Result<JobState, _> = serde_json::from_value(quoted);
                wanted.state = Some(state.map_err(Problem::unfit)?);
            }
            "find" => wanted.find = text,
            "before" => wanted.before = Some(text),
            _ => {
                let most = text
                    .parse()
                    .ok()
                    .filter(|most| (1..=MOST_LISTED).contains(most));
                let line = || Problem::unfit(format!("most: 1 to {MOST_LISTED}"));
                wanted.most = most.ok_or_else(line)?;
            }
        }
    }
    let answer = aside(jobs, move |jobs| JobsAnswer::of(jobs, &wanted)).await?;
    Ok(json(&answer))
}

/// A job with all that is known of it.
#[utoipa::path(
    get,
    path = "/api/jobs/job", operation_id = "job",
    params(("id" = String, Query, description = "The job's name")),
    responses(
        (status = 200, description = "The job.", body = JobAnswer),
        super::responses::Problems
    )
)]
pub async fn job(text: Option<&str>, app: &App) -> Result<Answer, Problem> {
    let job = job_of(text)?;
    let known = aside(jobs(app)?, move |jobs| jobs.job(&job)).await?;
    Ok(json(&JobAnswer::of(known)))
}

/// Leaves a job with the server; not for watchers. It is kept when this is answered.
#[utoipa::path(
    post,
    path = "/api/jobs", operation_id = "submit",
    request_body = JobRequest,
    responses(
        (status = 200, description = "The job, which waits.", body = JobAnswer),
        super::responses::Problems
    )
)]
pub async fn submit(request: JobRequest, role: Role, app: &App) -> Result<Answer, Problem> {
    operators_only(role)?;
    let known = aside(jobs(app)?, move |jobs| {
        let record = jobs.submit(request)?;
        jobs.job(&record.job)
    });
    Ok(json(&JobAnswer::of(known.await?)))
}

/// Says what a job would cost; not for watchers.
#[utoipa::path(
    post,
    path = "/api/jobs/plan", operation_id = "plan",
    request_body = JobRequest,
    responses(
        (status = 200, description = "What it would cost.", body = Estimate),
        super::responses::Problems
    )
)]
pub async fn plan(request: JobRequest, role: Role, app: &Arc<App>) -> Result<Answer, Problem> {
    operators_only(role)?;
    let planned = aside(jobs(app)?, move |jobs| jobs.plan(&request)).await?;
    let crew = match &app.farm {
        Some(farm) => Some(farm.crew().await?),
        None => None,
    };
    let ticket = app.viewers.enter_alone(role);
    let held = Arc::clone(app);
    let estimate = app.compute(ticket, |stop| async move {
        planned.estimate(held.views.here(), crew, &stop).await
    });
    Ok(json(&estimate.await?))
}

/// Does what an order says, job by job; not for watchers.
#[utoipa::path(
    post,
    path = "/api/jobs/orders", operation_id = "orders",
    request_body = JobOrder,
    responses(
        (status = 200, description = "What became of each.", body = [JobOrdered]),
        super::responses::Problems
    )
)]
pub async fn order(order: JobOrder, role: Role, app: &App) -> Result<Answer, Problem> {
    operators_only(role)?;
    if !(1..=MOST_ORDERED).contains(&order.names.len()) {
        return Err(Problem::unfit(format!(
            "names: 1 to {MOST_ORDERED} of them"
        )));
    }
    let ordered = aside(jobs(app)?, move |jobs| {
        let one = |name: String| {
            let done = match order.deed {
                JobDeed::Cancel => jobs.cancel(&name),
                JobDeed::Retry => jobs.retry(&name),
                JobDeed::Forget => jobs.forget(&name),
            };
            let error = done.err().map(|problem| problem.error);
            JobOrdered { name, error }
        };
        Ok(order.names.into_iter().map(one).collect::<Vec<_>>())
    });
    Ok(json(&ordered.await?))
}

fn operators_only(role: Role) -> Result<(), Problem> {
    match role {
        Role::Operator => Ok(()),
        Role::Watcher => Err(watchers_look()),
    }
}
