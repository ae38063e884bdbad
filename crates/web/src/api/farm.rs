//! `/api/farm/…`: how the farm stands, as events; a job; and orders.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::mpsc;

use crate::answer::{Answer, Problem, coming, held, json, streamed};
use crate::app::App;
use crate::farm::{Farm, FarmOrder, Ordered};
use crate::guard::tokens::Role;

/// How long nothing may be sent: so that those who are gone are found.
const SILENCE: Duration = Duration::from_secs(15);

/// A stream of events for whoever watches: where they are put, and its answer.
///
/// # Errors
/// When too many watch already.
pub fn watched(app: &App) -> Result<(mpsc::Sender<Bytes>, Answer), Problem> {
    let Ok(place) = Arc::clone(&app.watchers).try_acquire_owned() else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many watch already",
        ));
    };
    let (tell, told) = mpsc::channel(2);
    let body = held(coming(told), place);
    Ok((tell, streamed("text/event-stream", body)))
}

fn farm(app: &App) -> Result<&Arc<Farm>, Problem> {
    let none = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no farm was given: submitter serve --redis",
        )
    };
    app.farm.as_ref().ok_or_else(none)
}

/// How the farm stands, each time that somebody looks: server-sent events of JSON.
#[utoipa::path(
    get,
    path = "/api/farm/events", operation_id = "farm_events",
    responses(
        (status = 200, description = "Its jobs and workers, once a second.", body = Object, content_type = "text/event-stream"),
        super::responses::Problems
    )
)]
pub fn events(app: &Arc<App>) -> Result<Answer, Problem> {
    let farm = farm(app)?;
    let (tell, answer) = watched(app)?;
    let mut seen = farm.watch();
    seen.mark_changed();
    let stop = app.stop.clone();
    tokio::spawn(async move {
        let mut ends = stop.requested();
        loop {
            let event = tokio::select! {
                changed = tokio::time::timeout(SILENCE, seen.changed()) => match changed {
                    Ok(Ok(())) => {
                        let seen = seen.borrow_and_update().clone();
                        if seen.is_empty() {
                            continue;
                        }
                        seen
                    }
                    Ok(Err(_)) => return,
                    Err(_) => Bytes::from_static(b": still here\n\n"),
                },
                () = tell.closed() => return,
                () = &mut ends => return,
            };
            if tell.send(event).await.is_err() {
                return;
            }
        }
    });
    Ok(answer)
}

/// A job with all that is known of it.
#[utoipa::path(
    get,
    path = "/api/farm/job", operation_id = "farm_job",
    params(("id" = String, Query, description = "The job's whole name")),
    responses(
        (status = 200, description = "The job.", body = Object),
        super::responses::Problems
    )
)]
pub async fn job(query: Option<&str>, app: &App) -> Result<Answer, Problem> {
    let name = query
        .and_then(|query| query.strip_prefix("id="))
        .unwrap_or_default();
    Ok(json(&farm(app)?.job(name).await?))
}

/// Does what an order says, name by name; not for watchers.
#[utoipa::path(
    post,
    path = "/api/farm/orders", operation_id = "farm_orders",
    request_body = FarmOrder,
    responses(
        (status = 200, description = "What became of each.", body = [Ordered]),
        super::responses::Problems
    )
)]
pub async fn order(order: &FarmOrder, role: Role, app: &App) -> Result<Answer, Problem> {
    if role != Role::Operator {
        return Err(watchers_look());
    }
    Ok(json(&farm(app)?.order(order).await?))
}

/// That watchers do nothing.
pub fn watchers_look() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this address is for those who look")
}
