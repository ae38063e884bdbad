//! `submitter resume`: goes on with a job from its journal, or lists the journals.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use farm_queue::JobId;
use farm_worker::usage;
use serde::Serialize;

use crate::cli::{self, ResumeArgs};
use crate::interrupt::doing;
use crate::journal::store::{Listed, remove};
use crate::journal::{Store, StoreError};
use crate::placing::Placed;
use crate::plan::{JournalPlan, PlanError, journal_folder};
use crate::render::build;

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

/// Does what `args` say.
///
/// # Errors
/// One line: about the journal, or what `render` says.
pub fn resume(args: ResumeArgs) -> anyhow::Result<()> {
    let runtime = usage::start(&args.log.level, args.log.format, "submitter-io")?;
    let folder = journal_folder(args.journal.journal).ok_or(StoreError::NoFolder)?;
    let store = Store::new(folder.clone());
    let Some(given) = args.job.filter(|_| !args.list) else {
        return list(&store, args.say.json);
    };
    let job = store.find(&given)?;
    let taken = {
        let _doing = doing("reading the journal", args.say.quiet);
        store.take(&job)?
    };
    let redis = args.access.redis().map(str::to_owned);
    let farm = match redis.or_else(|| taken.saved.redis().map(str::to_owned)) {
        Some(url) => Some(cli::farm(url, &args.access.farm).map_err(PlanError::from)?),
        None => None,
    };
    let mut plan = taken.saved.plan(farm, args.crew.workers);
    let mut fresh = false;
    let taken = if taken.saved.job.build == build() {
        Some(taken)
    } else {
        // Its strips are another build's: a picture is never put together from two.
        crate::say(&format!(
            "job {job} was begun by another build; it starts over"
        ));
        remove(&taken.folder);
        fresh = true;
        None
    };
    plan.journal = Some(JournalPlan { folder, fresh });
    let placed = Placed::as_planned(plan);
    crate::finish(runtime, placed, taken, args.say.quiet, args.say.json)
}

/// How to go on with a job whose journal was kept in `folder`.
#[must_use]
pub fn hint(job: &JobId, folder: Option<PathBuf>) -> String {
    let usual = journal_folder(None);
    match folder.filter(|folder| Some(folder) != usual.as_ref()) {
        None => format!("`submitter resume {job}` goes on with it"),
        Some(folder) => {
            let folder = folder.display();
            format!("`submitter resume {job} --journal {folder}` goes on with it")
        }
    }
}

fn list(store: &Store, json: bool) -> anyhow::Result<()> {
    let _doing = doing("reading the journals", json);
    let journals: Vec<ListedReport> = store.list().into_iter().map(report).collect();
    let mut text = if json {
        serde_json::to_string(&journals)?
    } else if journals.is_empty() {
        "no job can be resumed".to_owned()
    } else {
        let lines: Vec<String> = journals.iter().map(line).collect();
        lines.join("\n")
    };
    text.push('\n');
    crate::to_stdout(text.as_bytes())
}

fn report(listed: Listed) -> ListedReport {
    let Listed {
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
        "{}  {}  {} x {}  {} of {} strips  {} MB  {}{}",
        listed.job,
        ago(age),
        listed.width,
        listed.height,
        listed.strips_done,
        listed.strips,
        listed.bytes.div_ceil(1_000_000),
        listed.outputs.join(", "),
        if listed.live { "  (under way)" } else { "" },
    )
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_one_unit() {
        let says = |seconds| ago(seconds);
        assert_eq!(
            [says(59), says(61), says(7300), says(200_000)],
            ["59 s ago", "1 min ago", "2 h ago", "2 days ago"]
        );
    }

    #[test]
    fn the_way_to_go_on_names_an_unusual_folder() {
        let job = JobId::generate();
        let usual = hint(&job, journal_folder(None));
        assert_eq!(usual, format!("`submitter resume {job}` goes on with it"));
        let unusual = hint(&job, Some("/elsewhere".into()));
        assert!(unusual.contains("--journal /elsewhere"), "{unusual}");
    }
}
