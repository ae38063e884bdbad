//! A picture: in files, in memory, or both.

use render::Deed;
use std::path::{Path, PathBuf};

use disk::write_whole;
use farm_queue::JobId;
use render::journal::store::TakenJournal;
use render::plan::{OutputKind, RenderPlan};
use render::progress::{Event, Progress};
use render::render::{RenderFailed, render};
use render::stop::aside;
use render::{Picture, Report, Stop};
use serde::Serialize;

use crate::error::Error;
use crate::place::placing::{Placing, find_place};
use crate::place::staging::Staged;
use crate::place::worth::{self, Decision};
use crate::plan;
use crate::plan::picture::journal_folder;
use crate::request::{Means, PictureRequest};

/// A picture that was made.
#[derive(Debug)]
pub enum Made {
    /// It was rendered.
    Rendered(Box<Rendered>),
    /// Nothing had to be computed: these files with places were written.
    Places(Vec<PathBuf>),
}

/// A picture that was rendered.
#[derive(Debug)]
pub struct Rendered {
    /// What is said of it.
    pub report: PictureReport,
    /// The picture, where the means keep it.
    pub picture: Option<Picture>,
}

/// What a render says when it is done.
#[derive(Clone, Debug, Serialize)]
pub struct PictureReport {
    /// The render.
    #[serde(flatten)]
    pub report: Report,
    /// Why it was computed in process or on the farm, where that was a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Decision>,
}

/// Makes the picture that is requested. `stop` ends it at any time.
///
/// Call it within a runtime of tokio's of several threads.
///
/// # Errors
/// Why there is no picture; nothing half-written is left of it.
pub fn picture<'a>(
    request: PictureRequest,
    means: Means,
    progress: &'a dyn Progress,
    stop: &'a Stop,
) -> Deed<'a, Result<Made, Error>> {
    Box::pin(async move {
        let (plan, placing) = plan_picture(request, means, progress, stop).await?;
        for warning in &plan.warnings {
            progress.tell(Event::Warning(warning));
        }
        if plan.computes_nothing() {
            return write_places(&plan).map(Made::Places);
        }
        let rendered = carry_out(plan, placing, None, progress, stop).await?;
        Ok(Made::Rendered(Box::new(rendered)))
    })
}

/// The plan of a request, and where it runs. Computes and boots nothing.
///
/// # Errors
/// The first thing that cannot be.
pub fn plan_picture<'a>(
    request: PictureRequest,
    means: Means,
    progress: &'a dyn Progress,
    stop: &'a Stop,
) -> Deed<'a, Result<(RenderPlan, Placing), Error>> {
    Box::pin(async move {
        // Files that it names may be pipes, from which nothing comes.
        let what = "reading what the request names";
        let farm = means.farm.clone();
        let read = move || plan::picture::picture(request, &means);
        let plan = aside(what, progress, false, stop.interrupts(), read).await??;
        if plan.computes_nothing() {
            let placing = Placing::at(plan.place.clone());
            return Ok((plan, placing));
        }
        let predict = {
            let plan = plan.clone();
            move || worth::predict(&plan)
        };
        let placing = find_place(&farm, plan.place.clone(), predict, progress, stop).await?;
        Ok((plan, placing))
    })
}

/// Renders a plan in its place, going on with the journal that was `taken` where there is one.
///
/// # Errors
/// As [`picture`].
pub fn carry_out<'a>(
    mut plan: RenderPlan,
    placing: Placing,
    taken: Option<TakenJournal>,
    progress: &'a dyn Progress,
    stop: &'a Stop,
) -> Deed<'a, Result<Rendered, Error>> {
    Box::pin(async move {
        let decision = placing.decision.clone();
        if let Some(decision) = &decision {
            progress.tell(Event::Note(&decision.line()));
        }
        let staged = Staged::ready(placing, progress, stop).await?;
        plan.place = staged.place.clone();
        let is_passing = staged.is_passing();
        let done = render(&plan, taken, progress, stop).await;
        staged.end().await;
        let rendered = done.map_err(|failed| {
            let folder = plan
                .journal
                .as_ref()
                .map(|journal| journal.folder.as_path());
            explain(failed, is_passing, folder)
        })?;
        Ok(Rendered {
            report: PictureReport {
                report: rendered.report,
                fallback: decision,
            },
            picture: rendered.picture,
        })
    })
}

/// Why there is no picture, and how to go on where it can be.
fn explain(failed: RenderFailed, is_passing: bool, folder: Option<&Path>) -> Error {
    let Some(job) = failed.kept else {
        return failed.error.into();
    };
    let what = match is_passing {
        // Its Redis is gone with its world, and there is no other way to name that.
        true => "stopped, and the same command again goes on with it".to_owned(),
        false => format!("stopped, and {}", hint(&job, folder)),
    };
    Error::Within {
        what,
        source: Box::new(failed.error.into()),
    }
}

/// How to go on with a job whose journal was kept in `folder`.
#[must_use]
pub fn hint(job: &JobId, folder: Option<&Path>) -> String {
    let usual = journal_folder(None);
    match folder.filter(|folder| Some(*folder) != usual.as_deref()) {
        None => format!("`submitter resume {job}` goes on with it"),
        Some(folder) => {
            let folder = folder.display();
            format!("`submitter resume {job} --journal {folder}` goes on with it")
        }
    }
}

/// Writes the place of a plan that asks for nothing else.
fn write_places(plan: &RenderPlan) -> Result<Vec<PathBuf>, Error> {
    let location = plan.location(None);
    let mut paths = Vec::new();
    for output in &plan.outputs {
        if let OutputKind::Location(format) = output.kind {
            // That the format has the formula is known of every plan.
            let text = location.text_as(format).unwrap_or_default();
            write_whole(&output.path, text.as_bytes())?;
            paths.push(output.path.clone());
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_go_on_names_an_unusual_folder() {
        let job = JobId::generate();
        let usual = hint(&job, journal_folder(None).as_deref());
        assert_eq!(usual, format!("`submitter resume {job}` goes on with it"));
        let unusual = hint(&job, Some(Path::new("/elsewhere")));
        assert!(unusual.contains("--journal /elsewhere"), "{unusual}");
    }
}
