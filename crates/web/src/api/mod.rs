//! What is asked, and what is answered: `page` files by GET, and `/api`, whose bodies are JSON or a file's bytes.
//!
//! [`body`]: what comes with a request, under its limits; a module a question

mod body;
mod farm;
mod figures;
mod jobs;
mod minibrot;
mod names;
mod openapi;
mod picture;
pub mod place;
mod responses;
mod status;
mod tile;

use std::sync::Arc;

use hyper::body::{Body, Incoming};
use hyper::{Method, Request, StatusCode};

use crate::answer::{Answer, Problem, bytes, harden, held, with};
use crate::app::App;
use crate::guard::check::Refusal;
use crate::guard::connections::Connection;
use crate::limits::{MOST_FILES, MOST_UNREAD_MIB};
use crate::pages;
use names::{formulas, palettes};

/// Methods of what is read, and of what is asked with a body.
const READ: &str = "GET, HEAD";
const ASK: &str = "POST";
const BOTH: &str = "GET, HEAD, POST";

/// Answers a request, whatever it is.
pub async fn answer(request: Request<Incoming>, app: Arc<App>, connection: &Connection) -> Answer {
    let answer = match route(request, &app, connection).await {
        Ok(answer) => bounded(answer, &app),
        Err(problem) => problem.answer(),
    };
    harden(answer)
}

/// An answer that counts among those that wait to be read for as long as it does, where it is large.
fn bounded(answer: Answer, app: &App) -> Answer {
    let bytes = answer.body().size_hint().exact().unwrap_or(0);
    let Some(mebibytes) = u32::try_from(bytes >> 20).ok().filter(|&some| some > 0) else {
        return answer;
    };
    match Arc::clone(&app.unread).try_acquire_many_owned(mebibytes) {
        Ok(room) => answer.map(|body| held(body, room)),
        Err(_) => {
            let line = format!("{MOST_UNREAD_MIB} MiB of answers wait to be read: try again");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, line).answer()
        }
    }
}

async fn route(
    request: Request<Incoming>,
    app: &Arc<App>,
    connection: &Connection,
) -> Result<Answer, Problem> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    let refused = |refusal: Refusal| Problem::new(refusal.status(), refusal);
    app.policy.host(&head).map_err(refused)?;
    if let ("/", true, Some(token)) = (path, is_read, token_of(head.uri.query())) {
        return exchange(token, app);
    }
    let role = match app
        .policy
        .check(&head, &app.sessions, path.ends_with("/events"))
    {
        Err(Refusal::Stranger) if path == "/" && is_read => return Ok(pages::stranger()),
        checked => checked.map_err(refused)?,
    };
    let too_many = |error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error);
    connection.know(role).map_err(too_many)?;
    if let Some(file) = pages::file(path) {
        return if is_read { Ok(file) } else { Err(not_so(READ)) };
    }
    let is_asked = head.method == Method::POST;
    let allowed = match path {
        "/api/jobs" => BOTH,
        "/api/jobs/job"
        | "/api/jobs/events"
        | "/api/jobs/file"
        | "/api/jobs/thumbnail"
        | "/api/jobs/picture" => READ,
        "/api/jobs/plan" | "/api/jobs/orders" => ASK,
        "/api/status" | "/api/palettes" | "/api/formulas" | "/api/openapi.json" => READ,
        "/api/figures" | "/metrics" => READ,
        "/api/farm/events" | "/api/farm/job" => READ,
        "/api/farm/orders" => ASK,
        "/api/tile" | "/api/palette" | "/api/place" | "/api/picture" | "/api/minibrot" => ASK,
        _ => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "there is nothing of that name",
            ));
        }
    };
    let is_allowed = match allowed {
        READ => is_read,
        BOTH => is_read || is_asked,
        _ => is_asked,
    };
    if !is_allowed {
        return Err(not_so(allowed));
    }
    let query = head.uri.query();
    match path {
        "/api/status" => Ok(status::answer(app, role)),
        "/api/palettes" => Ok(palettes::names()),
        "/api/formulas" => formulas::names(),
        "/api/openapi.json" => Ok(openapi::answer()),
        "/api/figures" => Ok(figures::answer(app)),
        "/metrics" => Ok(figures::metrics(app)),
        "/api/farm/events" => farm::events(app),
        "/api/farm/job" => farm::job(query, app).await,
        "/api/farm/orders" => {
            let order = body::json(&head, body).await?;
            farm::order(&order, role, app).await
        }
        "/api/jobs" if is_read => jobs::list(query, app).await,
        "/api/jobs" => jobs::submit(body::json(&head, body).await?, role, app).await,
        "/api/jobs/job" => jobs::job(query, app).await,
        "/api/jobs/events" => jobs::events::events(app),
        "/api/jobs/file" => {
            let is_head = head.method == Method::HEAD;
            jobs::files::file(query, is_head, app).await
        }
        "/api/jobs/picture" => jobs::files::picture(query, app).await,
        "/api/jobs/thumbnail" => jobs::files::thumbnail(query, app).await,
        "/api/jobs/plan" => jobs::plan(body::json(&head, body).await?, role, app).await,
        "/api/jobs/orders" => jobs::order(body::json(&head, body).await?, role, app).await,
        "/api/tile" => tile::answer(body::json(&head, body).await?, role, app).await,
        "/api/palette" => palettes::answer(&body::json(&head, body).await?),
        "/api/place" => {
            // Held until the file is read: so many lie in memory at a time.
            let _one = app.files.try_acquire().map_err(|_| {
                let line = format!("{MOST_FILES} files are taken at this moment: try again");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, line)
            })?;
            place::answer(&head, body::file(body).await?).await
        }
        "/api/picture" => picture::answer(body::json(&head, body).await?, role, app).await,
        _ => minibrot::answer(body::json(&head, body).await?, role, app).await,
    }
}

fn not_so(allow: &'static str) -> Problem {
    Problem {
        allow: Some(allow),
        ..Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("only {allow}"))
    }
}

/// The token in a query, which is nothing else.
fn token_of(query: Option<&str>) -> Option<&str> {
    query?.strip_prefix("token=")
}

/// A cookie for a token, and on to the page without it.
fn exchange(token: &str, app: &App) -> Result<Answer, Problem> {
    let cookie = app
        .sessions
        .exchange(token)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let Some(cookie) = cookie else {
        return Ok(pages::stranger());
    };
    let mut answer = bytes("text/plain; charset=utf-8", "");
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let secure = if app.policy.scheme == "https" {
        "; Secure"
    } else {
        ""
    };
    let text = format!(
        "{}={}; HttpOnly; SameSite=Strict; Path=/{secure}",
        app.policy.cookie,
        cookie.text()
    );
    let answer = with(answer, "location", "/");
    Ok(with(answer, "set-cookie", &text))
}
