//! `submitter jobs`.

use farm_queue::redis::RedisControl;
use farm_queue::redis::control::{JobDetails, JobSummary};
use farm_queue::{JobId, JobState};
use farm_worker::terminal;

use crate::terminal::json_line;
use crate::terminal::tables::{duration, percent, table};

/// All jobs, or those of one owner.
pub async fn list(farm: &RedisControl, owner: Option<&str>, json: bool) -> anyhow::Result<Vec<u8>> {
    let mut jobs = farm.jobs().await?;
    jobs.retain(|job| owner.is_none_or(|owner| job.report.owner == owner));
    if json {
        return json_line(&jobs);
    }
    let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
    let heading = [
        "JOB", "STATE", "PRIORITY", "DONE", "STRIPS", "RATE", "LEFT", "AGE", "OWNER", "PICTURE",
    ];
    Ok(table(&heading, &rows))
}

fn row(job: &JobSummary) -> Vec<String> {
    let report = &job.report;
    let left = report.secs_left.map_or("-".to_owned(), duration);
    vec![
        job.job.to_string(),
        state(job),
        job.priority.to_string(),
        percent(report.collected, report.strips),
        format!("{}/{}", report.collected, report.strips),
        format!("{:.1}/s", report.strips_per_sec),
        left,
        duration(job.age_secs),
        report.owner.clone(),
        report.title.clone(),
    ]
}

/// The state, and whether anybody collects: a job without its submitter stands still when its window is full.
fn state(job: &JobSummary) -> String {
    let name = job.state.name();
    match job.state {
        JobState::Running | JobState::Paused if !job.has_submitter() => {
            format!("{name}, no submitter for {}", duration(job.silent_secs))
        }
        _ => name.to_owned(),
    }
}

/// One job.
pub async fn show(farm: &RedisControl, id: &JobId, json: bool) -> anyhow::Result<Vec<u8>> {
    let Some(job) = farm.job(id).await? else {
        anyhow::bail!("no job {id} on the farm; see: submitter jobs list");
    };
    if json {
        return json_line(&job);
    }
    Ok(lines(&job).join("\n").into_bytes())
}

fn lines(job: &JobDetails) -> Vec<String> {
    let (summary, report) = (&job.summary, &job.summary.report);
    let mut lines = vec![
        format!("job        {}", summary.job),
        format!("state      {}", state(summary)),
        format!("priority   {}", summary.priority),
        format!("picture    {}", report.title),
    ];
    if !report.owner.is_empty() {
        lines.push(format!("owner      {}", report.owner));
    }
    if let Some(tag) = job.spec.as_ref().and_then(|spec| spec.on.as_deref()) {
        lines.push(format!("on         workers with the tag {tag}"));
    }
    if let Some(spec) = &job.spec {
        let frame = &spec.frame;
        lines.push(format!(
            "size       {} x {}, {} iterations, strips of {} rows",
            frame.width, frame.height, frame.iterations, spec.strips.strip_rows
        ));
    }
    lines.push(format!(
        "submitter  {}, last heard of {} ago",
        report.submitter,
        duration(summary.silent_secs)
    ));
    lines.push(format!(
        "strips     {} of {} there ({}), {} waiting, {} under way",
        report.collected,
        report.strips,
        percent(report.collected, report.strips),
        job.waiting,
        job.under_way.values().map(Vec::len).sum::<usize>()
    ));
    let left = report.secs_left.map_or("nobody knows".to_owned(), duration);
    lines.push(format!(
        "rate       {:.2} strips/s; time left: {left}; age {}",
        report.strips_per_sec,
        duration(summary.age_secs)
    ));
    lines.push(format!(
        "trouble    {} delivered again, {} rejected, {} issued once more, {} audited, {} dead",
        report.retries,
        report.rejected,
        report.speculated,
        report.audited,
        report.dead.len()
    ));
    for (worker, strips) in &report.by_worker {
        lines.push(format!("worker     {worker}: {strips} strips"));
    }
    for (worker, strips) in &job.under_way {
        lines.push(format!("under way  {worker}: {}", numbers(strips)));
    }
    for dead in &report.dead {
        lines.push(format!(
            "dead       strip {}: {}",
            dead.strip,
            dead.reasons.join("; ")
        ));
    }
    // Names and reasons are whatever stands in Redis.
    for line in &mut lines {
        *line = terminal::line(line).into_owned();
    }
    lines.push(String::new());
    lines
}

fn numbers(strips: &[u32]) -> String {
    let words: Vec<String> = strips.iter().map(u32::to_string).collect();
    format!("strip {}", words.join(", "))
}
