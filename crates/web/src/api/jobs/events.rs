//! `GET /api/jobs/events`: the newest jobs as they change.

use std::sync::Arc;
use std::time::Duration;

use super::super::farm::watched;
use super::answers::JobsAnswer;
use super::parts::{aside, jobs};
use crate::answer::{Answer, Problem};
use crate::app::App;
use crate::jobs::queue::Wanted;

/// How often those who watch are told while jobs are under way.
const LOOK: Duration = Duration::from_secs(1);
/// How often where nothing changes: so that those who are gone are found.
const SILENCE: Duration = Duration::from_secs(15);
/// The newest jobs that are told.
const TOLD: usize = 50;

/// The newest jobs whenever one of them changes, and each second while some are under way: server-sent events of JSON.
#[utoipa::path(
    get,
    path = "/api/jobs/events", operation_id = "jobs_events",
    responses(
        (status = 200, description = "The newest jobs.", body = Object, content_type = "text/event-stream"),
        super::super::responses::Problems
    )
)]
pub fn events(app: &Arc<App>) -> Result<Answer, Problem> {
    let jobs = Arc::clone(jobs(app)?);
    let (tell, answer) = watched(app)?;
    let (held, stop) = (Arc::clone(app), app.stop.clone());
    tokio::spawn(async move {
        let mut changed = jobs.watch();
        let mut ends = stop.requested();
        loop {
            let change = *changed.borrow_and_update();
            let told = held.told.event(change, async {
                let wanted = Wanted {
                    most: TOLD,
                    ..Wanted::default()
                };
                let told = aside(&jobs, move |jobs| JobsAnswer::of(jobs, &wanted)).await?;
                let text = serde_json::to_vec(&told).unwrap_or_default();
                let event = [&b"data: "[..], &text, b"\n\n"].concat();
                Ok::<_, Problem>((event.into(), told.is_under_way()))
            });
            let Ok((event, is_under_way)) = told.await else {
                return;
            };
            let wait = if is_under_way { LOOK } else { SILENCE };
            tokio::select! {
                sent = tell.send(event) => if sent.is_err() { return },
                _ = &mut ends => return,
            }
            tokio::select! {
                _ = tokio::time::timeout(wait, changed.changed()) => {}
                () = tell.closed() => return,
                _ = &mut ends => return,
            }
        }
    });
    Ok(answer)
}
