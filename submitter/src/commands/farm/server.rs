//! `submitter jobs --server`: the jobs that were left with a server.

use serde_json::Value;
use web::client::Client;

use crate::cli::farm::JobsCommand;
use crate::cli::serve::submit::ServerArgs;
use crate::failure::Failure;
use crate::terminal::json_line;
use crate::terminal::tables::{duration, table};

/// Jobs that are listed.
const LISTED: usize = 200;

/// Runs one command about a server's jobs; what goes to stdout.
///
/// # Errors
/// One line.
pub async fn jobs(command: &JobsCommand, args: &ServerArgs) -> Result<Vec<u8>, Failure> {
    let server = args.server.as_deref().unwrap_or_default();
    let client = Client::open(server, args.server_ca.as_deref())?;
    let json = command.ask().json;
    let (job, deed, done) = match command {
        JobsCommand::Show { job, .. } => {
            let known = client.job(&find(&client, job).await?).await?;
            return Ok(if json {
                json_line(&known)?
            } else {
                lines(&known)
            });
        }
        JobsCommand::Cancel { job, .. } => (job, "cancel", "cancelled"),
        JobsCommand::Retry { job, .. } => (job, "retry", "queued again"),
        _ => {
            let known = client.jobs(LISTED).await?;
            return Ok(if json {
                json_line(&known)?
            } else {
                list(&known)
            });
        }
    };
    let job = find(&client, job).await?;
    client.order(deed, &job).await?;
    if json {
        return Ok(json_line(&serde_json::json!({ "job": job, "done": done }))?);
    }
    Ok(format!("job {job} {done}\n").into_bytes())
}

/// The one job among the newest whose name begins or ends so.
async fn find(client: &Client, given: &str) -> Result<String, Failure> {
    let known = client.jobs(LISTED).await?;
    let given = given.to_ascii_uppercase();
    let names = (known["jobs"].as_array().into_iter().flatten()).map(|job| text(job, "job"));
    let fits = |name: &String| name.starts_with(&given) || name.ends_with(&given);
    let mut found: Vec<String> = names.filter(fits).collect();
    match (found.len(), found.pop()) {
        (1, Some(job)) => Ok(job),
        // One of long ago by its whole name.
        (0, _) | (_, None) => Ok(given),
        (count, _) => Err(Failure::usage(format!("'{given}' fits {count} jobs"))),
    }
}

fn text(job: &Value, key: &str) -> String {
    job[key].as_str().unwrap_or_default().to_owned()
}

fn number(job: &Value, key: &str) -> f64 {
    job[key].as_f64().unwrap_or(0.0)
}

fn share(job: &Value) -> String {
    match (job["progress"]["share"].as_f64(), job["state"].as_str()) {
        (Some(share), _) => format!("{:.0} %", 100.0 * share),
        (None, Some("done")) => "100 %".to_owned(),
        _ => "-".to_owned(),
    }
}

fn list(known: &Value) -> Vec<u8> {
    let now = number(known, "now");
    let row = |job: &Value| {
        let left = job["progress"]["seconds_left"].as_f64();
        vec![
            text(job, "job"),
            text(job, "state"),
            share(job),
            left.map_or("-".to_owned(), duration),
            duration((now - number(job, "submitted")) / 1000.0),
            text(job, "title"),
        ]
    };
    let jobs = known["jobs"].as_array().into_iter().flatten();
    let rows: Vec<_> = jobs.map(row).collect();
    table(&["JOB", "STATE", "DONE", "LEFT", "AGE", "FILE"], &rows)
}

fn lines(job: &Value) -> Vec<u8> {
    let outputs = job["outputs"].as_array().into_iter().flatten();
    let files: Vec<String> = outputs.map(|output| text(output, "name")).collect();
    let mut lines = vec![
        format!("job        {}", text(job, "job")),
        format!("state      {}", text(job, "state")),
        format!("file       {}", text(job, "title")),
        format!("size       {} x {}", job["width"], job["height"]),
        format!("done       {}", share(job)),
        format!("worked     {}", duration(number(job, "seconds"))),
    ];
    if !files.is_empty() {
        lines.push(format!("files      {}", files.join(", ")));
    }
    if let Some(error) = job["error"].as_str() {
        lines.push(format!("why        {error}"));
    }
    lines.push(String::new());
    lines.join("\n").into_bytes()
}
