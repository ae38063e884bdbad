//! `submitter resume`: goes on with a job from its journal, or lists the journals.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use farm_worker::memory::display_bytes;
use render::journal::store::JournalEntry;
use render::stop::aside;
use requests::FarmMeans;
use requests::perform::resume::{open_store, resume};
use requests::request::means::Address;
use serde::Serialize;

use super::render::say;
use crate::cli::render::ResumeArgs;
use crate::cli::requests::{environment, known_redis};
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::tables::duration;
use crate::terminal::{write_json, write_stdout};

/// A journal, for programs.
#[derive(Debug, Serialize)]
struct ListedReport {
    job: String,
    created: u64,
    live: bool,
    width: u32,
    height: u32,
    strips_done: usize,
    strips: u32,
    bytes: u64,
    redis: Option<String>,
    outputs: Vec<String>,
}

/// Goes on with a job, or lists what can go on.
pub async fn run(args: ResumeArgs, context: &Context) -> Result<(), Failure> {
    let (json, folder) = (args.say.json, args.journal.journal);
    let Some(given) = args.job.filter(|_| !args.list) else {
        return list(folder, json, context).await;
    };
    let redis = args.access.redis().map(str::to_owned);
    let means = FarmMeans {
        redis: redis.map(|url| Address::of_user(url, args.access.farm.clone())),
        workers: args.crew.workers,
        terms: args.crew.terms(),
        environment: environment(),
        known: known_redis(),
        ..FarmMeans::default()
    };
    let (progress, stop) = (&*context.progress, &context.stop);
    let access = args.access.farm;
    let rendered = resume(&given, folder, means, access, progress, stop).await?;
    say(&rendered.report, json, context)
}

/// Lists the journals.
async fn list(folder: Option<PathBuf>, json: bool, context: &Context) -> Result<(), Failure> {
    let store = open_store(folder)?;
    let what = "reading the journals";
    let ends = context.stop.interrupts();
    let list = move || store.list();
    let listed = aside(what, &*context.progress, !json, ends, list).await;
    let listed = listed.map_err(requests::Error::from)?;
    let journals: Vec<ListedReport> = listed.into_iter().map(report).collect();
    if json {
        return write_json(&journals);
    }
    let lines: Vec<String> = journals.iter().map(line).collect();
    let text = if lines.is_empty() {
        "no job can be resumed\n".to_owned()
    } else {
        lines.join("\n") + "\n"
    };
    write_stdout(text.as_bytes())
}

fn report(listed: JournalEntry) -> ListedReport {
    let JournalEntry {
        saved,
        strips,
        bytes,
        live,
    } = listed;
    ListedReport {
        job: saved.job.id.to_string(),
        created: saved.created,
        live,
        width: saved.job.frame.width,
        height: saved.job.frame.height,
        strips_done: strips,
        strips: saved.job.strips.count(),
        bytes,
        redis: saved.redis().map(str::to_owned),
        outputs: saved.paths().map(|path| shown(&path)).collect(),
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(char::is_control, "?")
}

fn line(listed: &ListedReport) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let age = now.map_or(0, |now| now.as_secs().saturating_sub(listed.created));
    format!(
        "{}  {} ago  {} x {}  {} of {} strips  {}  {}{}",
        listed.job,
        duration(age as f64),
        listed.width,
        listed.height,
        listed.strips_done,
        listed.strips,
        display_bytes(listed.bytes),
        listed.outputs.join(", "),
        if listed.live { "  (under way)" } else { "" },
    )
}
