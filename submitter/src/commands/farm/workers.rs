//! `submitter workers`.

use farm_queue::LeaveOrder;
use farm_queue::redis::RedisControl;
use farm_queue::redis::control::WorkerSummary;

use render::job::short_build;

use crate::terminal::json_line;
use crate::terminal::tables::{duration, table};

/// All workers.
pub async fn list(farm: &RedisControl, json: bool) -> anyhow::Result<Vec<u8>> {
    let workers = farm.workers().await?;
    if json {
        return json_line(&workers);
    }
    let rows: Vec<Vec<String>> = workers.iter().map(row).collect();
    let heading = [
        "WORKER", "STATE", "STRIPS", "FAILED", "BUSY", "HOST", "PID", "VERSION", "BUILD", "TAGS",
        "DEVICES",
    ];
    Ok(table(&heading, &rows))
}

fn row(worker: &WorkerSummary) -> Vec<String> {
    let (record, about, figures) = (&worker.record, &worker.record.about, &worker.record.figures);
    let state = match &worker.quarantine {
        _ if worker.draining => "draining".to_owned(),
        Some(confined) => format!(
            "quarantined for {}: {}",
            duration(confined.secs_left),
            confined.reason
        ),
        None => "serving".to_owned(),
    };
    vec![
        record.name.clone(),
        state,
        figures.strips.to_string(),
        figures.failed.to_string(),
        duration(figures.busy_secs),
        about.host.clone(),
        about.pid.to_string(),
        about.version.clone(),
        short_build(about.build),
        about.tags.join(", "),
        about.devices.join(", "),
    ]
}

/// Asks workers to leave.
pub async fn order_away(
    farm: &RedisControl,
    worker: &str,
    how: LeaveOrder,
    json: bool,
) -> anyhow::Result<Vec<u8>> {
    let asked = farm.order_away(worker, how).await?;
    if asked.is_empty() {
        anyhow::bail!("no worker '{worker}' on the farm; see: submitter workers list");
    }
    if json {
        let done = match how {
            LeaveOrder::Drain => "draining",
            LeaveOrder::Stop => "stopping",
            LeaveOrder::Restart => "restarting",
        };
        return json_line(&serde_json::json!({ done: asked }));
    }
    let what = match how {
        LeaveOrder::Drain => "finish and leave",
        LeaveOrder::Stop => "leave at once",
        LeaveOrder::Restart => "finish and start anew",
    };
    Ok(asked
        .iter()
        .map(|process| format!("{process} is asked to {what}\n"))
        .collect::<String>()
        .into_bytes())
}

/// Lets a worker out of quarantine.
pub async fn forgive(farm: &RedisControl, worker: &str, json: bool) -> anyhow::Result<Vec<u8>> {
    if !farm.forgive(worker).await? {
        anyhow::bail!("nothing is held against a worker '{worker}'");
    }
    if json {
        return json_line(&serde_json::json!({ "forgiven": worker }));
    }
    Ok(format!("{worker} is forgiven\n").into_bytes())
}
