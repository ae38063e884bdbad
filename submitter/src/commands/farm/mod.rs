//! `submitter jobs` and `submitter workers`: what operators see of a farm and want of it.

mod jobs;
mod server;
mod workers;

use anyhow::bail;
use farm_queue::redis::RedisControl;
use farm_queue::redis::control::OrderOutcome;
use farm_queue::{JobId, LeaveOrder};

use crate::cli::farm::{AskArgs, JobsCommand, WorkersCommand};
use crate::failure::Failure;
use crate::terminal::json_line;

/// Runs one command of `submitter jobs`; what goes to stdout.
///
/// # Errors
/// One line.
pub async fn jobs(command: JobsCommand) -> Result<Vec<u8>, Failure> {
    if let Some(args) = command.server() {
        return server::jobs(&command, args).await;
    }
    let farm = connect(command.ask()).await?;
    Ok(answer(&farm, command).await?)
}

async fn answer(farm: &RedisControl, command: JobsCommand) -> anyhow::Result<Vec<u8>> {
    let json = command.ask().json;
    match command {
        JobsCommand::List { owner, .. } => jobs::list(farm, owner.as_deref(), json).await,
        JobsCommand::Show { job, .. } => jobs::show(farm, &find(farm, &job).await?, json).await,
        JobsCommand::Pause { job, .. } => {
            let job = find(farm, &job).await?;
            said(&job, "paused", farm.pause(&job).await?, json)
        }
        JobsCommand::Resume { job, .. } => {
            let job = find(farm, &job).await?;
            said(&job, "resumed", farm.resume(&job).await?, json)
        }
        JobsCommand::Cancel { job, .. } => {
            let job = find(farm, &job).await?;
            said(&job, "cancelled", farm.cancel(&job).await?, json)
        }
        JobsCommand::Retry { job, .. } => {
            let job = find(farm, &job).await?;
            if let OrderOutcome::Ended(_) = farm.retry(&job).await? {
                bail!(
                    "nobody collects job {job} any more; on its submitter's machine: submitter resume {job}"
                );
            }
            said(&job, "retried", OrderOutcome::Done, json)
        }
        JobsCommand::Priority { job, priority, .. } => {
            let job = find(farm, &job).await?;
            said(
                &job,
                "weighed",
                farm.prioritise(&job, priority).await?,
                json,
            )
        }
    }
}

/// Runs one command of `submitter workers`; what goes to stdout.
///
/// # Errors
/// One line.
pub async fn workers(command: WorkersCommand) -> Result<Vec<u8>, Failure> {
    let farm = connect(command.ask()).await?;
    let json = command.ask().json;
    Ok(match command {
        WorkersCommand::List(_) => workers::list(&farm, json).await?,
        WorkersCommand::Drain { worker, .. } => {
            workers::order_away(&farm, &worker, LeaveOrder::Drain, json).await?
        }
        WorkersCommand::Stop { worker, .. } => {
            workers::order_away(&farm, &worker, LeaveOrder::Stop, json).await?
        }
        WorkersCommand::Restart { worker, .. } => {
            workers::order_away(&farm, &worker, LeaveOrder::Restart, json).await?
        }
        WorkersCommand::Forgive { worker, .. } => workers::forgive(&farm, &worker, json).await?,
    })
}

async fn connect(args: &AskArgs) -> Result<RedisControl, Failure> {
    Ok(RedisControl::connect(args.options()?).await?)
}

async fn find(farm: &RedisControl, name: &str) -> anyhow::Result<JobId> {
    farm.find(name).await?.map_err(anyhow::Error::msg)
}

/// What is said of a job that was changed.
fn said(job: &JobId, what: &str, changed: OrderOutcome, json: bool) -> anyhow::Result<Vec<u8>> {
    match changed {
        OrderOutcome::NoSuchJob => bail!("no job {job} on the farm; see: submitter jobs list"),
        OrderOutcome::Ended(state) => bail!("job {job} is {} already", state.name()),
        OrderOutcome::Done if json => {
            json_line(&serde_json::json!({ "job": job.as_str(), "done": what }))
        }
        OrderOutcome::Done => Ok(format!("job {job} {what}\n").into_bytes()),
    }
}
